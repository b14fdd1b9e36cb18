import Columnar
import ObjectStore
import QueryErrors
import Synchronization

/// One query's scan of a Parquet file: blocks are row groups.
final class ParquetScan: FileScan {
  let file: ParquetFile
  let request: ScanRequest
  /// How each of the request's columns is read.
  let plans: [ColumnPlan]
  /// What decoding and testing a value of each costs.
  let costs: [Double]
  let metrics: ScanMetrics
  /// What readers of parts of a row group have in common, by row group.
  private let sharing = Mutex<[Int: SharedReads]>([:])

  init(_ file: ParquetFile, _ request: ScanRequest, _ metrics: ScanMetrics) throws(QueryError) {
    self.file = file
    self.request = request
    self.metrics = metrics
    var plans: [ColumnPlan] = []
    plans.reserveCapacity(request.columns.count)
    for column in request.columns { plans.append(try file.plan(column)) }
    self.plans = plans
    costs = plans.map(\.cost)
  }

  private var footer: ParquetFooter { file.footer }

  /// Numbers of the file's columns that the scan reads.
  private var leaves: Set<Int> {
    var leaves: Set<Int> = []
    for plan in plans {
      if let leaf = plan.flatLeaf { leaves.insert(leaf.index) } else { for leaf in plan.leaves { leaves.insert(leaf.index) } }
    }
    return leaves
  }

  // MARK: Splits

  func splits(targetByteCount: Int, unit: SplitUnit) throws(QueryError) -> [Split] {
    let leaves = leaves
    metrics.add(blocksTotal: footer.rowGroups.count)
    var unknown: [DynamicDomain] = []
    let domains = BlockPruning.usable(BlockPruning.known(request, unknown: &unknown), request.columns)
    var splits: [Split] = []
    for (number, group) in footer.rowGroups.enumerated() where group.rowCount > 0 {
      guard
        try RowGroupPruning.undecided(domains, plans, file: file, rowGroup: number, metrics: metrics) != nil
      else { continue }
      let byteCount = file.byteCount(ofRowGroup: number, leaves)
      let parts = unit == .block ? 1 : partCount(number, targetByteCount)
      if parts > 1 {
        let starts = (0..<parts).map { group.rowCount * $0 / parts }
        splits += self.splits(ofRowGroup: number, starts, scanByteCount: byteCount)
        continue
      }
      if unit != .block, let last = splits.last, case .blocks(let numbers) = last.place, numbers.upperBound == number,
        last.scanByteCount &+ byteCount <= targetByteCount,
        (last.rowCount ?? 0) &+ group.rowCount <= ParquetScan.largestMergedRowCount
      {
        splits[splits.count - 1] = Split(
          .blocks(numbers.lowerBound..<number + 1), rowCount: (last.rowCount ?? 0) &+ group.rowCount,
          scanByteCount: last.scanByteCount &+ byteCount)
      } else {
        splits.append(Split(.blocks(number..<number + 1), rowCount: group.rowCount, scanByteCount: byteCount))
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
  private func partCount(_ rowGroup: Int, _ targetByteCount: Int) -> Int {
    let rows = footer.rowGroups[rowGroup].rowCount
    guard rows >= 2 * ParquetScan.smallestPart, rows < 1 << 40, footer.rowCount > 0, !plans.isEmpty else { return 1 }
    let share = Double(file.source.byteCount) * Double(rows) / Double(footer.rowCount)
    let parts = min(rows / ParquetScan.smallestPart, Int(min(share / Double(max(targetByteCount, 1)), 1024)))
    guard parts > 1 else { return 1 }
    for leaf in plans.flatMap(\.leaves) where leaf.maxRepetition > 0 {
      guard let metadata = try? footer.chunk(rowGroup: rowGroup, leaf: leaf.index), metadata.offsetIndex != nil else {
        return 1
      }
    }
    return parts
  }

  /// Splits of one row group that start at these rows.
  private func splits(ofRowGroup rowGroup: Int, _ starts: [Int], scanByteCount: Int) -> [Split] {
    let rowCount = footer.rowGroups[rowGroup].rowCount
    return zip(starts, starts.dropFirst() + [rowCount]).map { start, end in
      Split(
        .rows(start..<end, block: rowGroup), rowCount: end - start,
        scanByteCount: scanByteCount * end / rowCount - scanByteCount * start / rowCount)
    }
  }

  /// Cuts a row group where pages of its largest column start.
  func parts(of split: Split, count: Int) throws(QueryError) -> [Split] {
    guard case .blocks(let numbers) = split.place, numbers.count == 1, request.limit == nil else { return [split] }
    let rowGroup = numbers.lowerBound
    let rowCount = footer.rowGroups[rowGroup].rowCount
    let count = min(
      count, rowCount / ParquetScan.smallestTailRowCount, split.scanByteCount / ParquetScan.smallestTailByteCount)
    if count < 2 { return [split] }
    var largest: ColumnChunkMetadata?
    for leaf in leaves {
      guard let chunk = try? footer.chunk(rowGroup: rowGroup, leaf: leaf), chunk.offsetIndex != nil else {
        return [split]
      }
      if chunk.compressedByteCount > largest?.compressedByteCount ?? -1 { largest = chunk }
    }
    let reader = RangeReader(source: file.source, shared: sharedReads(rowGroup))
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
      finish(0..<rowCount, ofRowGroup: rowGroup)
      return [split]
    }
    return splits(ofRowGroup: rowGroup, starts, scanByteCount: split.scanByteCount)
  }

  /// A part at the end of a scan has so many rows and bytes at least, on average.
  private static let smallestTailRowCount = 8192
  private static let smallestTailByteCount = 128 << 10

  func bounds(of column: Int, in split: Split) -> SplitBounds {
    guard request.columns.indices.contains(column), let all = file.blockBounds(of: request.columns[column]) else {
      return .unknown
    }
    let ranges: [ClosedRange<Int64>?]
    switch split.place {
    case .blocks(let numbers): ranges = Array(all[numbers])
    case .rows(_, let block): ranges = [all[block]]
    case .bytes: return .unknown
    }
    let known = ranges.compactMap { $0 }
    guard let low = known.map(\.lowerBound).min(), let high = known.map(\.upperBound).max() else { return .noValues }
    return .range(low...high)
  }

  // MARK: Reading

  /// Row groups in parts whose chunks were asked for, with the columns read for every row (1) and the others (2).
  private let prefetched = Mutex<[Int: Int]>([:])

  func prefetch(_ split: Split) {
    guard file.source.waitsForRequests else { return }
    // The other columns' bytes depend on which rows pass.
    let first = request.predicates.isEmpty ? nil : request.predicates[0].columns
    switch split.place {
    case .blocks(let numbers): for number in numbers { prefetch(first, ofRowGroup: number, isShared: false) }
    case .rows(_, let number): prefetch(first, ofRowGroup: number, isShared: true)
    case .bytes: break
    }
  }

  /// Larger chunks are read page by page where an index tells the pages.
  private static let largestWholeChunk = 8 << 20

  /// - Parameter columns: indices into the request's columns; nil for all.
  func prefetch(_ columns: [Int]?, ofRowGroup rowGroup: Int, isShared: Bool, isRest: Bool = false) {
    guard file.source.waitsForRequests else { return }
    if isShared {
      let mark = isRest ? 2 : 1
      let isFirst = prefetched.withLock { marks in
        defer { marks[rowGroup, default: 0] |= mark }
        return marks[rowGroup, default: 0] & mark == 0
      }
      if !isFirst { return }
    }
    var ranges: [Range<UInt64>] = []
    for (index, plan) in plans.enumerated() where columns?.contains(index) ?? true {
      for leaf in plan.leaves {
        guard let chunk = try? footer.chunk(rowGroup: rowGroup, leaf: leaf.index), let range = try? chunk.byteRange(),
          !isRest || chunk.offsetIndex == nil || range.count <= ParquetScan.largestWholeChunk
        else { continue }
        if !ranges.contains(range) { ranges.append(range) }
      }
    }
    file.source.prefetch(ranges)
  }

  /// What readers of parts of a row group share.
  func sharedReads(_ rowGroup: Int) -> SharedReads {
    let rowCount = footer.rowGroups[rowGroup].rowCount
    return sharing.withLock { sharing in
      if let known = sharing[rowGroup] { return known }
      let made = SharedReads(rowCount: rowCount)
      sharing[rowGroup] = made
      return made
    }
  }

  /// Says that a part was read; after the last one the row group's bytes are let go.
  func finish(_ rows: Range<Int>, ofRowGroup rowGroup: Int) {
    sharing.withLock { sharing in
      if let shared = sharing[rowGroup], shared.finish(rows) { sharing[rowGroup] = nil }
    }
  }

  func makeReader(_ split: Split) throws(QueryError) -> any BatchReader {
    let (blocks, part): (Range<Int>, Range<Int>?)
    switch split.place {
    case .blocks(let numbers): (blocks, part) = (numbers, nil)
    case .rows(let rows, let block): (blocks, part) = (block..<block + 1, rows)
    case .bytes: throw QueryError.internalError("a split by bytes of \(file.source.path)")
    }
    guard blocks.lowerBound >= 0, blocks.upperBound <= footer.rowGroups.count,
      part.map({ $0.upperBound <= footer.rowGroups[blocks.lowerBound].rowCount }) ?? true
    else { throw QueryError.internalError("a split is outside \(file.source.path)") }
    return BlockReader(
      request, blocks, of: RowGroupSource(self, part.map { ($0, blocks.lowerBound) }), costs: costs, metrics)
  }

  /// Opens row groups for one reader.
  private final class RowGroupSource: BlockSource {
    private let scan: ParquetScan
    /// The rows of the only row group that the reader reads; nil for all.
    private let part: (rows: Range<Int>, rowGroup: Int)?
    private let decompressor = Decompressor()
    private let scratch = DecodeScratch()

    init(_ scan: ParquetScan, _ part: (rows: Range<Int>, rowGroup: Int)?) {
      self.scan = scan
      self.part = part
    }

    func rowCount(ofBlock block: Int) -> Int { part?.rows.count ?? scan.footer.rowGroups[block].rowCount }

    func open(_ block: Int) -> any ColumnBlock {
      RowGroupBlock(
        scan,
        RowGroupContext(
          file: scan.file, rowGroup: block, rows: part?.rows ?? 0..<scan.footer.rowGroups[block].rowCount,
          shared: part.map { _ in scan.sharedReads(block) }, metrics: scan.metrics, decompressor: decompressor,
          scratch: scratch))
    }

    func finish() throws(QueryError) {
      if let part { scan.finish(part.rows, ofRowGroup: part.rowGroup) }
      try scan.file.source.checkUnchanged()
    }
  }
}
