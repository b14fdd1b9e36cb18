import Columnar
import ObjectStore
import QueryErrors

/// One Parquet file whose footer has been read.
final class ParquetFile: FormatFile {
  let source: any ByteSource
  let footer: ParquetFooter
  private let matchesByPosition: Bool

  init(_ source: any ByteSource, _ footer: ParquetFooter, matchesByPosition: Bool) {
    self.source = source
    self.footer = footer
    self.matchesByPosition = matchesByPosition
  }

  var rowCount: Int? { footer.rowCount }

  var ownColumns: [Field]? { footer.schema.namedColumns }

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
      let bounds = ValueBounds(metadata.statistics, plan, footer)
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

  func blockBounds(of column: ScanColumn) -> [ClosedRange<Int64>?]? {
    footer.columnFacts.bounds(factsKey(column)) { makeBlockBounds(of: column) }
  }

  private func makeBlockBounds(of column: ScanColumn) -> [ClosedRange<Int64>?]? {
    guard let plan = try? plan(column), let leaf = plan.flatLeaf else { return nil }
    var result: [ClosedRange<Int64>?] = []
    for (number, group) in footer.rowGroups.enumerated() {
      guard let metadata = try? footer.chunk(rowGroup: number, leaf: leaf.index) else { return nil }
      if group.rowCount == 0 || metadata.nullCount(leaf, rowCount: group.rowCount) == group.rowCount {
        result.append(nil)
        continue
      }
      let bounds = ValueBounds(metadata.statistics, plan, footer)
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

  /// Bytes that reading some leaves of a row group would scan.
  func byteCount(ofRowGroup rowGroup: Int, _ leaves: Set<Int>) -> Int {
    leaves.reduce(0) { total, leaf in
      total &+ ((try? footer.chunk(rowGroup: rowGroup, leaf: leaf))?.compressedByteCount ?? 0)
    }
  }

  func scan(_ request: ScanRequest, metrics: ScanMetrics) throws(QueryError) -> any FileScan {
    try ParquetScan(self, request, metrics)
  }
}
