import Columnar
import ObjectStore
import QueryErrors
import Synchronization

/// One Parquet file whose footer has been read.
final class ParquetFile: FormatFile {
  let source: any ByteSource
  let footer: ParquetFooter
  private let matchesByPosition: Bool
  /// What readers of parts of a row group have in common, per scan.
  private let sharing = Mutex<[SharingKey: SharedReads]>([:])

  private struct SharingKey: Hashable {
    var rowGroup: Int
    /// Keeps the scan's identity its own.
    var scan: ScanMetrics
    static func == (a: SharingKey, b: SharingKey) -> Bool { a.rowGroup == b.rowGroup && a.scan === b.scan }
    func hash(into hasher: inout Hasher) {
      hasher.combine(rowGroup)
      hasher.combine(ObjectIdentifier(scan))
    }
  }

  init(_ source: any ByteSource, _ footer: ParquetFooter, matchesByPosition: Bool) {
    self.source = source
    self.footer = footer
    self.matchesByPosition = matchesByPosition
  }

  var rowCount: Int? { footer.rowCount }

  /// How a requested column is read from this file.
  func plan(_ column: ScanColumn) throws(QueryError) -> ColumnPlan {
    let columns = footer.schema.columns
    let node: ParquetNode?
    if matchesByPosition {
      node = column.ordinal >= 0 && column.ordinal < columns.count ? columns[column.ordinal] : nil
    } else {
      node = footer.schema.names.node(column.name)
    }
    guard let node else { return .null(column.type) }
    return try ColumnPlan.make(column.type, node, column: column.name, path: source.path)
  }

  /// The metadata of a column chunk.
  func chunk(_ rowGroup: Int, _ leaf: ParquetLeaf) throws(QueryError) -> ColumnChunkMetadata {
    do throws(ParquetDamage) {
      return try footer.chunk(rowGroup: rowGroup, leaf: leaf.index)
    } catch {
      throw QueryError(
        .hiveBadData, "Corrupt Parquet file: \(error.reason) (row group \(rowGroup))",
        data: DataLocation(path: source.path, column: leaf.path))
    }
  }

  func statistics(of column: ScanColumn) -> ColumnStatistics? {
    footer.columnFacts.statistics(factsKey(column)) { makeStatistics(of: column) }
  }

  private func factsKey(_ column: ScanColumn) -> ParquetColumnFacts.Key {
    ParquetColumnFacts.Key(column: column, matchesByPosition: matchesByPosition)
  }

  private func makeStatistics(of column: ScanColumn) -> ColumnStatistics? {
    guard let plan = try? plan(column) else { return nil }
    if case .null = plan { return ColumnStatistics(nullCount: footer.rowCount) }
    guard let leaf = plan.flatLeaf, !footer.rowGroups.isEmpty else { return nil }
    var result = ColumnStatistics(isExact: true, nullCount: 0)
    var hasBounds = true
    for group in footer.rowGroups.indices where footer.rowGroups[group].rowCount > 0 {
      guard let metadata = try? footer.chunk(rowGroup: group, leaf: leaf.index) else { return nil }
      let bounds = ChunkBounds(metadata.statistics, plan, file: self)
      let nulls = metadata.nullCount(leaf, rowCount: footer.rowGroups[group].rowCount)
      result.nullCount = nulls.flatMap { own in result.nullCount.map { $0 + own } }
      if nulls == footer.rowGroups[group].rowCount { continue }
      guard let low = bounds.min, let high = bounds.max else {
        hasBounds = false
        continue
      }
      if !bounds.isExact { result.isExact = false }
      if let own = result.min {
        guard let order = Scalar.order(low, own) else {
          hasBounds = false
          continue
        }
        if order < 0 { result.min = low }
      } else {
        result.min = low
      }
      if let own = result.max {
        guard let order = Scalar.order(high, own) else {
          hasBounds = false
          continue
        }
        if order > 0 { result.max = high }
      } else {
        result.max = high
      }
    }
    if !hasBounds {
      result.min = nil
      result.max = nil
    }
    if result.min == nil { result.isExact = false }
    result.distinctCount = distinctCount(leaf)
    return result
  }

  func integerBounds(of column: ScanColumn) -> [ClosedRange<Int64>?]? {
    footer.columnFacts.bounds(factsKey(column)) { makeIntegerBounds(of: column) }
  }

  private func makeIntegerBounds(of column: ScanColumn) -> [ClosedRange<Int64>?]? {
    guard let plan = try? plan(column), let leaf = plan.flatLeaf else { return nil }
    var result: [ClosedRange<Int64>?] = []
    for (number, group) in footer.rowGroups.enumerated() {
      guard let metadata = try? footer.chunk(rowGroup: number, leaf: leaf.index) else { return nil }
      if group.rowCount == 0 || metadata.nullCount(leaf, rowCount: group.rowCount) == group.rowCount {
        result.append(nil)
        continue
      }
      let bounds = ChunkBounds(metadata.statistics, plan, file: self)
      guard let low = bounds.min?.integerValue, let high = bounds.max?.integerValue, low <= high else { return nil }
      result.append(low...high)
    }
    return result
  }

  /// How many distinct values a column holds, by the sizes of its dictionaries; nil when some chunk has none.
  ///
  /// Dictionaries far smaller than their row groups are taken to hold the same values, others to hold values of their own.
  private func distinctCount(_ leaf: ParquetLeaf) -> Int? {
    var (shared, own) = (0, 0)
    for group in footer.rowGroups.indices where footer.rowGroups[group].rowCount > 0 {
      guard let chunk = try? footer.chunk(rowGroup: group, leaf: leaf.index) else { return nil }
      let count: Int
      if let known = chunk.statistics.distinctCount {
        count = known
      } else {
        let bounds = [chunk.statistics.minValue, chunk.statistics.maxValue].compactMap { $0?.count }
        let width = bounds.isEmpty ? 8 : bounds.reduce(0, +) / bounds.count
        let isPrefixed = leaf.physical == .byteArray
        guard let estimate = chunk.dictionaryCount(valueByteCount: isPrefixed ? width + 4 : width) else { return nil }
        let rowCount = footer.rowGroups[group].rowCount
        // A writer that gave its dictionary up met more values than fit.
        count = chunk.isFullyDictionary ? min(estimate, rowCount) : max(estimate, rowCount / 2)
      }
      if count < footer.rowGroups[group].rowCount / 10 { shared = max(shared, count) } else { own += count }
    }
    return max(shared, own)
  }

  func scanByteCount(of columns: [ScanColumn]) -> Int {
    var leaves: Set<Int> = []
    for column in columns {
      if let plan = try? plan(column) { for leaf in plan.leaves { leaves.insert(leaf.index) } }
    }
    return footer.rowGroups.indices.reduce(0) { total, number in
      footer.rowGroups[number].rowCount == 0 ? total : total &+ byteCount(ofRowGroup: number, leaves)
    }
  }

  private func byteCount(ofRowGroup rowGroup: Int, _ leaves: Set<Int>) -> Int {
    leaves.reduce(0) { total, leaf in
      total &+ ((try? footer.chunk(rowGroup: rowGroup, leaf: leaf))?.compressedByteCount ?? 0)
    }
  }

  func splits(
    _ request: ScanRequest, targetByteCount: Int, metrics: ScanMetrics
  ) throws(QueryError) -> [Split] {
    let plans = try plans(request)
    let leaves = Set(plans.flatMap { $0.leaves.map(\.index) })
    metrics.add(rowGroupsTotal: footer.rowGroups.count)
    var domains = request.domain.domains
    for dynamic in request.dynamicDomains {
      guard let domain = dynamic.domain else { continue }
      domains[dynamic.column] = domains[dynamic.column]?.intersection(domain) ?? domain
    }
    domains = RowGroupPruning.usable(domains, plans)
    var splits: [Split] = []
    for (number, group) in footer.rowGroups.enumerated() where group.rowCount > 0 {
      guard try RowGroupPruning.undecided(domains, plans, file: self, rowGroup: number) != nil else { continue }
      let byteCount = byteCount(ofRowGroup: number, leaves)
      let parts = request.splitsAreRowGroups ? 1 : partCount(number, plans, targetByteCount)
      if parts > 1 {
        let starts = (0..<parts).map { group.rowCount * $0 / parts }
        splits += self.splits(ofRowGroup: number, starts, scanByteCount: byteCount)
        continue
      }
      if !request.splitsAreRowGroups, let last = splits.last, last.rowGroups.upperBound == number, last.byteRange.isEmpty,
        last.scanByteCount &+ byteCount <= targetByteCount,
        (last.rowCount ?? 0) &+ group.rowCount <= ParquetFile.largestMergedRowCount
      {
        splits[splits.count - 1].rowGroups = last.rowGroups.lowerBound..<number + 1
        splits[splits.count - 1].rowCount = (last.rowCount ?? 0) &+ group.rowCount
        splits[splits.count - 1].scanByteCount = last.scanByteCount &+ byteCount
      } else {
        splits.append(
          Split(
            byteRange: 0..<0, rowGroups: number..<number + 1, rowCount: group.rowCount, scanByteCount: byteCount))
      }
    }
    return splits
  }

  /// Row groups are merged into one split up to so many rows.
  private static let largestMergedRowCount = 1 << 16

  /// A part of a row group has so many rows at least.
  private static let smallestPart = 1 << 17

  /// Into how many parts to cut a large row group, so that several workers read it.
  ///
  /// Pages before a part are passed over by their headers, which is not possible for lists in version 1 pages.
  private func partCount(_ rowGroup: Int, _ plans: [ColumnPlan], _ targetByteCount: Int) -> Int {
    let rows = footer.rowGroups[rowGroup].rowCount
    guard rows >= 2 * ParquetFile.smallestPart, rows < 1 << 40, footer.rowCount > 0, !plans.isEmpty else { return 1 }
    let share = Double(source.byteCount) * Double(rows) / Double(footer.rowCount)
    let parts = min(rows / ParquetFile.smallestPart, Int(min(share / Double(max(targetByteCount, 1)), 1024)))
    guard parts > 1 else { return 1 }
    for leaf in plans.flatMap(\.leaves) where leaf.maxRepetition > 0 {
      guard let metadata = try? footer.chunk(rowGroup: rowGroup, leaf: leaf.index), metadata.offsetIndex != nil else {
        return 1
      }
    }
    return parts
  }

  /// Splits of one row group that start at these rows; their `byteRange` is their range of rows.
  private func splits(ofRowGroup rowGroup: Int, _ starts: [Int], scanByteCount: Int) -> [Split] {
    let rowCount = footer.rowGroups[rowGroup].rowCount
    return zip(starts, starts.dropFirst() + [rowCount]).map { start, end in
      Split(
        byteRange: UInt64(start)..<UInt64(end), rowGroups: rowGroup..<rowGroup + 1, rowCount: end - start,
        scanByteCount: scanByteCount * end / rowCount - scanByteCount * start / rowCount)
    }
  }

  /// Cuts a row group where pages of its largest column start.
  func parts(
    of split: Split, count: Int, _ request: ScanRequest, metrics: ScanMetrics
  ) throws(QueryError) -> [Split] {
    guard split.rowGroups.count == 1, split.byteRange.isEmpty, request.limit == nil else { return [split] }
    let rowGroup = split.rowGroups.lowerBound
    let rowCount = footer.rowGroups[rowGroup].rowCount
    let count = min(
      count, rowCount / ParquetFile.smallestTailRowCount, split.scanByteCount / ParquetFile.smallestTailByteCount)
    if count < 2 { return [split] }
    var largest: ColumnChunkMetadata?
    for leaf in Set(try plans(request).flatMap(\.leaves).map(\.index)) {
      guard let chunk = try? footer.chunk(rowGroup: rowGroup, leaf: leaf), chunk.offsetIndex != nil else {
        return [split]
      }
      if chunk.compressedByteCount > largest?.compressedByteCount ?? -1 { largest = chunk }
    }
    let reader = RangeReader(source: source, shared: sharedReads(rowGroup, metrics))
    var starts = [0]
    if let largest, let index = try PagePruning.offsetIndex(largest, rowCount, reader) {
      for part in 1..<count {
        let wanted = rowCount * part / count
        let page = index.rows(ofPage: index.page(ofRow: wanted), rowCount: rowCount)
        let start = wanted - page.lowerBound < page.upperBound - wanted ? page.lowerBound : page.upperBound
        if start > starts.last!, start < rowCount { starts.append(start) }
      }
    }
    if starts.count == 1 {
      finish(0..<rowCount, ofRowGroup: rowGroup, metrics)
      return [split]
    }
    return splits(ofRowGroup: rowGroup, starts, scanByteCount: split.scanByteCount)
  }

  /// A part at the end of a scan has so many rows and bytes at least, on average.
  private static let smallestTailRowCount = 8192
  private static let smallestTailByteCount = 128 << 10

  /// What readers of parts of a row group share in one scan.
  func sharedReads(_ rowGroup: Int, _ scan: ScanMetrics) -> SharedReads {
    let key = SharingKey(rowGroup: rowGroup, scan: scan)
    let rowCount = footer.rowGroups[rowGroup].rowCount
    return sharing.withLock { sharing in
      if let known = sharing[key] { return known }
      let made = SharedReads(rowCount: rowCount)
      sharing[key] = made
      return made
    }
  }

  /// Says that a part was read; after the last one the row group's bytes are let go.
  func finish(_ rows: Range<Int>, ofRowGroup rowGroup: Int, _ scan: ScanMetrics) {
    let key = SharingKey(rowGroup: rowGroup, scan: scan)
    sharing.withLock { sharing in
      if let shared = sharing[key], shared.finish(rows) { sharing[key] = nil }
    }
  }

  func makeReader(
    _ split: Split, _ request: ScanRequest, metrics: ScanMetrics
  ) throws(QueryError) -> any BatchReader {
    guard split.rowGroups.lowerBound >= 0, split.rowGroups.upperBound <= footer.rowGroups.count else {
      throw QueryError.internalError("split \(split.rowGroups) is outside \(source.path)")
    }
    var part: Range<Int>?
    if !split.byteRange.isEmpty, split.rowGroups.count == 1 {
      let rows = footer.rowGroups[split.rowGroups.lowerBound].rowCount
      guard split.byteRange.upperBound <= UInt64(rows) else {
        throw QueryError.internalError("split \(split.byteRange) is outside its row group in \(source.path)")
      }
      part = Int(split.byteRange.lowerBound)..<Int(split.byteRange.upperBound)
    }
    return ParquetReader(self, request, try plans(request), split.rowGroups, part: part, metrics)
  }

  private func plans(_ request: ScanRequest) throws(QueryError) -> [ColumnPlan] {
    var plans: [ColumnPlan] = []
    for column in request.columns { plans.append(try plan(column)) }
    return plans
  }
}
