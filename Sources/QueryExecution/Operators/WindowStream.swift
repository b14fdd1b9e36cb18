import Columnar
import ObjectStore
import QueryErrors
import QueryPlan
import SQLFunctions

/// Computes window columns over rows that come in order and need not all fit in memory.
///
///     rows in order ─┬ partitions that end in the chunk      as ever, many at once
///                    └ a partition longer than the chunk     piece by piece: each call goes on where the last piece ended
///
/// Rows that later pieces still look at stay in front of them; rows that look at later pieces wait for those. Calls over the whole
/// partition make its rows pass twice: they go to disk while the totals are made.
///
/// A partition that a call cannot go on in has to fit in memory.
///
/// - Threads: one owner.
final class WindowStream: BatchReader {
  private let partitionKeys: [Int]
  private let ordering: [SortSpecification]
  private let calls: [WindowCallSpecification]
  private let types: [DataType]
  private let consumer: MemoryConsumer
  private let context: QueryContext

  /// Where rows come from, the last one first.
  private var readers: [any BatchReader]
  /// Rows taken in: `passedCount` of them were handed out and belong to the partition that goes on.
  private var held: Batch
  private var passedCount = 0
  private var output: SlicingReader?
  /// Where the partition that goes on stands; nil between partitions.
  private var partition: Progress?

  /// How far a partition is that is longer than a chunk.
  private struct Progress {
    var continuations: [WindowContinuation]
    var rowCount = 0
    var groupCount = 0
  }

  /// - Parameters:
  ///   - rows: in the order of partition keys, then sort keys.
  ///   - types: of their columns.
  init(
    _ rows: any BatchReader, partitionKeys: [Int], ordering: [SortSpecification], calls: [WindowCallSpecification], types: [DataType],
    _ consumer: MemoryConsumer, _ context: QueryContext
  ) {
    readers = [context.testing.spillsRows ? SlicingStream(rows, batchSize: WindowStream.testedRowCount) : rows]
    self.partitionKeys = partitionKeys
    self.ordering = ordering
    self.calls = calls
    self.types = types
    self.consumer = consumer
    self.context = context
    held = Batch(columns: types.map { .empty($0) }, rowCount: 0)
  }

  func next() throws(QueryError) -> Batch? {
    while true {
      if let batch = try output?.next() { return batch }
      output = nil
      guard try advance() else { return nil }
    }
  }

  // MARK: Taking rows in

  /// Bytes of rows worked on at once.
  private var chunkByteCount: Int { min(64 << 20, max(2 << 20, (consumer.budget.room + consumer.held) / (8 * context.threads))) }
  private var chunkRowCount: Int { context.testing.spillsRows ? WindowStream.testedRowCount : 1 << 20 }
  /// Rows of a chunk where tests want many.
  private static let testedRowCount = 20

  /// Works on a chunk of at least one more row.
  ///
  /// - Returns: false when there are none.
  private func advance() throws(QueryError) -> Bool {
    var (byteCount, rowCount) = (chunkByteCount, chunkRowCount)
    while true {
      let isLast = try take(byteCount, rowCount)
      if held.rowCount == passedCount { return false }
      let layout = layout(of: held)
      let ends = layout.partitionStarts
      let endsHere = isLast || ends.count > 2
      if partition != nil {
        let end = endsHere ? Int(ends[1]) : held.rowCount
        if try goOn(held.slice(offset: 0, count: end), endsHere: endsHere) {
          if endsHere { drop(end) }
          return true
        }
      } else if endsHere {
        // The last partition may go on behind the chunk.
        let end = isLast ? held.rowCount : Int(ends[ends.count - 2])
        let whole = held.slice(offset: 0, count: end)
        emit(whole, try evaluate(whole, end == held.rowCount ? layout : self.layout(of: whole)))
        drop(end)
        return true
      } else if let continuations = continuations() {
        try begin(continuations)
        continue
      }
      // A group of peers, or a partition that no call can leave, is longer than the chunk.
      (byteCount, rowCount) = (byteCount * 2, rowCount * 2)
    }
  }

  /// Takes in rows until there are enough of them beside those that were handed out.
  ///
  /// - Returns: whether there are no more.
  private func take(_ byteCount: Int, _ rowCount: Int) throws(QueryError) -> Bool {
    var pieces = [held]
    var (bytes, rows) = (held.approximateByteCount, held.rowCount - passedCount)
    var isLast = false
    while bytes < byteCount, rows < rowCount || rows == 0 {
      guard let batch = try read() else {
        isLast = true
        break
      }
      bytes += batch.approximateByteCount
      rows += batch.rowCount
      pieces.append(batch)
    }
    try context.cancellation.check()
    try context.memory.check()
    if pieces.count > 1 { held = BatchCoalescer.concatenate(pieces, types: types) }
    return isLast
  }

  private func read() throws(QueryError) -> Batch? {
    while let reader = readers.last {
      if let batch = try reader.next() { return batch }
      readers.removeLast()
    }
    return nil
  }

  private func layout(of rows: Batch) -> WindowLayout {
    WindowLayout(
      partitionKeys: partitionKeys.map { rows.columns[$0] }, orderKeys: ordering.map { rows.columns[$0.position] }, rowCount: rows.rowCount)
  }

  /// Lets rows go that end with a partition.
  private func drop(_ count: Int) {
    held = BatchCodec.detached(held.slice(offset: count, count: held.rowCount - count))
    passedCount = 0
    partition = nil
  }

  private func emit(_ rows: Batch, _ columns: [Column]) {
    output = SlicingReader([Batch(columns: rows.columns + columns, rowCount: rows.rowCount)], batchSize: context.batchSize)
  }

  // MARK: Whole partitions

  private func evaluate(_ rows: Batch, _ layout: WindowLayout) throws(QueryError) -> [Column] {
    var known = FrameCache(rows, layout, ordering)
    var columns: [Column] = []
    for call in calls {
      try context.cancellation.check()
      columns.append(try call.evaluate(rows, layout, try known.frames(call), context))
    }
    return columns
  }

  // MARK: Partitions longer than a chunk

  /// How each call goes on; nil when one cannot.
  private func continuations() -> [WindowContinuation]? {
    var result: [WindowContinuation] = []
    for call in calls {
      guard let continuation = WindowContinuation(call, ordering: ordering) else { return nil }
      result.append(continuation)
    }
    return result
  }

  /// Starts a partition whose first rows are held; for totals all its rows are read first.
  private func begin(_ continuations: [WindowContinuation]) throws(QueryError) {
    var continuations = continuations
    if continuations.contains(where: \.needsTotal) {
      let spool = RowRuns(types, consumer, context.spillFile)
      while true {
        let ends = layout(of: held).partitionStarts
        let isInside = ends.count == 2
        let rows = held.slice(offset: 0, count: Int(ends[1]))
        for (index, call) in calls.enumerated() { try continuations[index].addToTotal(call, rows, context) }
        spool.append(rows)
        try spool.spill()
        let rest = held.slice(offset: rows.rowCount, count: held.rowCount - rows.rowCount)
        held = Batch(columns: types.map { .empty($0) }, rowCount: 0)
        if !isInside {
          readers.append(SlicingReader([rest], batchSize: .max))
          break
        }
        // The first row of the next chunk tells whether the partition goes on: one row stays with it.
        guard let batch = try nextOfPartition(after: rows) else { break }
        held = batch
      }
      for (index, call) in calls.enumerated() { try continuations[index].finishTotal(call) }
      readers.append(spool.consumingReader())
    }
    partition = Progress(continuations: continuations)
  }

  /// The next rows if they belong to the partition of the last of `rows`; else they are put back.
  private func nextOfPartition(after rows: Batch) throws(QueryError) -> Batch? {
    guard let batch = try read() else { return nil }
    try context.cancellation.check()
    let last = rows.slice(offset: rows.rowCount - 1, count: 1)
    let pair = BatchCoalescer.concatenate([last, batch.slice(offset: 0, count: 1)], types: types)
    if layout(of: pair).partitionStarts.count == 2 { return batch }
    readers.append(SlicingReader([batch], batchSize: .max))
    return nil
  }

  /// Hands out the next rows of the partition that goes on.
  ///
  /// - Parameter rows: rows of that partition, those that were handed out in front.
  /// - Returns: false when no row can be handed out before more have come.
  private func goOn(_ rows: Batch, endsHere: Bool) throws(QueryError) -> Bool {
    guard var progress = partition else { return false }
    let layout = layout(of: rows)
    let first = passedCount
    var end = rows.rowCount
    if !endsHere {
      end -= progress.continuations.map(\.rowsAhead).max() ?? 0
      if end > 0, progress.continuations.contains(where: \.looksAtPeers) {
        // The last group may have more rows.
        end = Int(layout.peerStart.typed(Int32.self)[min(end, rows.rowCount - 1)])
      }
      if end <= first { return false }
    }
    let groups = layout.peerGroup.typed(Int32.self)
    let groupsPassed = first == 0 ? 0 : Int(groups[first - 1]) + 1
    let piece = WindowContinuation.Piece(
      rows: rows, layout: layout, range: first..<end, rowsBefore: progress.rowCount - first, groupsBefore: progress.groupCount - groupsPassed)
    var known = FrameCache(rows, layout, ordering)
    var columns: [Column] = []
    for (index, call) in calls.enumerated() {
      try context.cancellation.check()
      columns.append(try progress.continuations[index].evaluate(call, piece, &known, context))
    }
    progress.rowCount += end - first
    if end > 0 { progress.groupCount = Int(groups[end - 1]) + 1 + piece.groupsBefore }
    emit(rows.slice(offset: first, count: end - first), columns)
    if !endsHere {
      // One row at least, which tells whether the next ones are of the same partition.
      let kept = min(end, progress.continuations.map(\.rowsBehind).max().map { max($0, 1) } ?? 1)
      held = BatchCodec.detached(held.slice(offset: end - kept, count: held.rowCount - end + kept))
      passedCount = kept
      partition = progress
    }
    return true
  }
}

/// The frames of some rows, each kind made once.
struct FrameCache {
  private let rows: Batch
  private let layout: WindowLayout
  private let ordering: [SortSpecification]
  private var known: [FrameSpecification: WindowFrames] = [:]

  init(_ rows: Batch, _ layout: WindowLayout, _ ordering: [SortSpecification]) {
    self.rows = rows
    self.layout = layout
    self.ordering = ordering
  }

  mutating func frames(_ call: WindowCallSpecification) throws(QueryError) -> WindowFrames {
    if let made = known[call.frame] { return made }
    let made = try WindowFrames(
      call.frame, layout, columns: rows.columns, orderKeys: ordering.map { rows.columns[$0.position] }, orders: ordering.map(\.order),
      range: call.range)
    known[call.frame] = made
    return made
  }
}
