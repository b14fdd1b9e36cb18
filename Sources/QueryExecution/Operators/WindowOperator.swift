import Columnar
import Glibc
import ObjectStore
import QueryErrors
import QueryPlan
import SQLFunctions

/// One call over a window, with columns as positions.
struct WindowCallSpecification: Sendable {
  enum Function: Sendable {
    case window(WindowFunction)
    case aggregate(@Sendable () throws(QueryError) -> any GroupsAccumulator)
  }
  var function: Function
  /// Columns by position, or constants of one row.
  var arguments: [AggregateSpecification.Call.Argument]
  var returnType: DataType
  var frame: FrameSpecification
  var ignoresNulls: Bool
  var filter: Int?
  var range: SourceRange?
}

/// Adds columns computed over windows: all rows are gathered, split by the hash of the partition keys, and each part is
/// sorted and computed by one worker.
final class WindowOperator: SinkOperator, @unchecked Sendable {
  fileprivate let context: QueryContext
  fileprivate let partitionKeys: [Int]
  fileprivate let ordering: [SortSpecification]
  fileprivate let calls: [WindowCallSpecification]
  private let types: [DataType]
  private let collected = CollectedBatches()
  private let collector: CollectOperator

  // MARK: Made by finish
  fileprivate var batch = Batch(columns: [], rowCount: 0)
  /// Rows by part, and where each part starts.
  fileprivate var rows: Buffer?
  fileprivate var starts: [Int] = [0]
  fileprivate var reservation: MemoryReservation?

  private static let smallRowCount = 1 << 14
  private static let partBits: UInt64 = 6

  init(
    _ node: QueryProfile.Node, partitionKeys: [Int], ordering: [SortSpecification], calls: [WindowCallSpecification],
    types: [DataType], _ context: QueryContext
  ) {
    self.context = context
    self.partitionKeys = partitionKeys
    self.ordering = ordering
    self.calls = calls
    self.types = types
    collector = CollectOperator(node, context, collected)
    super.init(node)
  }

  override func makeWriter(_ worker: Worker) throws(QueryError) -> BatchConsumer { try collector.makeWriter(worker) }

  override func finish(_ scheduler: Scheduler) throws(QueryError) {
    let start = monotonicNanoseconds()
    try collector.finish(scheduler)
    batch = try SortOperator.concatenate(collected, types, scheduler)
    collected.clear()
    let n = batch.rowCount
    let reservation = MemoryReservation(context.memory)
    try reservation.set(batch.approximateByteCount * 2)
    self.reservation = reservation
    metrics.note(stateBytes: reservation.byteCount)
    if n == 0 {
      starts = [0]
      return
    }
    if partitionKeys.isEmpty || n < WindowOperator.smallRowCount {
      starts = [0, n]
      return
    }
    let hashes = Buffer(byteCount: n * 8)
    let h = hashes.typed(UInt64.self)
    HashKernel.hash(partitionKeys.map { batch.columns[$0] }, rowCount: n, into: h)
    let parts = 1 << Int(WindowOperator.partBits)
    let shift = context.testing.collidesHashes ? 64 : 64 - WindowOperator.partBits
    var counts = Array(repeating: 0, count: parts + 1)
    let rows = Buffer(byteCount: n * 4)
    let out = rows.typed(Int32.self)
    counts.withUnsafeMutableBufferPointer { buffer in
      let c = buffer.baseAddress!
      for row in 0..<n { c[Int(truncatingIfNeeded: h[row] >> shift) &+ 1] &+= 1 }
      for part in 0..<parts { c[part + 1] &+= c[part] }
    }
    var next = counts
    next.withUnsafeMutableBufferPointer { buffer in
      let c = buffer.baseAddress!
      for row in 0..<n {
        let part = Int(truncatingIfNeeded: h[row] >> shift)
        out[c[part]] = Int32(truncatingIfNeeded: row)
        c[part] &+= 1
      }
    }
    self.rows = rows
    starts = counts
    metrics.add(nanoseconds: monotonicNanoseconds() - start)
  }

  /// Computes one part: its rows in order, with the calls' columns behind.
  fileprivate func compute(_ part: Int) throws(QueryError) -> Batch {
    let (first, end) = (starts[part], starts[part + 1])
    let n = end - first
    if n == 0 { return Batch(columns: [], rowCount: 0) }
    var input = batch
    if let rows { input = batch.take(rows.typed(Int32.self) + first, count: n) }
    let keyOrder = SortKeyOrder(isAscending: true, nullsFirst: false)
    let keys = partitionKeys
    if !keys.isEmpty || !ordering.isEmpty {
      let sorter = RowSorter(
        keys.map { input.columns[$0] } + ordering.map { input.columns[$0.position] },
        keys.map { _ in keyOrder } + ordering.map(\.order), rowCount: n)
      let order = sorter.sortAll()
      input = input.take(order.typed(Int32.self), count: n)
    }
    let layout = WindowLayout(
      partitionKeys: partitionKeys.map { input.columns[$0] },
      orderKeys: ordering.map { input.columns[$0.position] }, rowCount: n)
    var frames: [FrameSpecification: WindowFrames] = [:]
    var columns = input.columns
    for call in calls {
      try context.cancellation.check()
      let found: WindowFrames
      if let made = frames[call.frame] {
        found = made
      } else {
        found = try WindowFrames(
          call.frame, layout, columns: input.columns, orderKeys: ordering.map { input.columns[$0.position] },
          orders: ordering.map(\.order), range: call.range)
        frames[call.frame] = found
      }
      columns.append(try evaluate(call, input, layout, found))
    }
    return Batch(columns: columns, rowCount: n)
  }

  private func evaluate(
    _ call: WindowCallSpecification, _ input: Batch, _ layout: WindowLayout, _ frames: WindowFrames
  ) throws(QueryError) -> Column {
    let n = input.rowCount
    let arguments = call.arguments.map { argument in
      switch argument {
      case .column(let index): input.columns[index]
      case .constant(let column): column.resized(to: n)
      }
    }
    switch call.function {
    case .window(let function):
      let input = WindowInput(
        arguments: arguments, rowCount: n, returnType: call.returnType,
        partitionStart: layout.partitionStart.typed(Int32.self), partitionEnd: layout.partitionEnd.typed(Int32.self),
        peerStart: layout.peerStart.typed(Int32.self), peerEnd: layout.peerEnd.typed(Int32.self),
        frameStart: frames.start.typed(Int32.self), frameEnd: frames.end.typed(Int32.self),
        ignoresNulls: call.ignoresNulls, session: context.session)
      let result = try function.evaluate(input)
      withExtendedLifetime((layout, frames)) {}
      return result.retyped(call.returnType)
    case .aggregate(let make):
      let aggregate = WindowAggregate(
        make: make, arguments: arguments, filter: call.filter.map { input.columns[$0] }, layout: layout, frames: frames,
        returnType: call.returnType, context: context)
      if call.frame.isWhole { return try aggregate.perPartition() }
      if call.frame.growsFromStart { return try aggregate.growing() }
      return try aggregate.sliding()
    }
  }
}

/// One aggregate over the frames of sorted rows.
private struct WindowAggregate {
  var make: @Sendable () throws(QueryError) -> any GroupsAccumulator
  var arguments: [Column]
  /// Rows where this is not true do not count.
  var filter: Column?
  var layout: WindowLayout
  var frames: WindowFrames
  var returnType: DataType
  var context: QueryContext

  /// Frames are recomputed from scratch, many at once, when they hold fewer rows than this on average.
  private static let smallFrame = 64

  private func counts(_ row: Int) -> Bool {
    guard let filter else { return true }
    return !filter.isNull(row) && filter.storage.values!.typed(UInt8.self)[filter.position(row)] != 0
  }

  /// One group per partition.
  func perPartition() throws(QueryError) -> Column {
    let n = layout.rowCount
    let partitions = layout.partitionStarts.count - 1
    let accumulator = try make()
    accumulator.resize(groupCount: partitions)
    let groups = Buffer(byteCount: n * 4)
    let g = groups.typed(Int32.self)
    for partition in 0..<partitions {
      for row in Int(layout.partitionStarts[partition])..<Int(layout.partitionStarts[partition + 1]) {
        g[row] = Int32(partition)
      }
    }
    if filter == nil {
      try accumulator.update(arguments, groups: g, rowCount: n)
    } else {
      let rows = Buffer(byteCount: n * 4)
      let chosen = Buffer(byteCount: n * 4)
      let (p, q) = (rows.typed(Int32.self), chosen.typed(Int32.self))
      var count = 0
      for row in 0..<n where counts(row) {
        p[count] = Int32(row)
        q[count] = g[row]
        count += 1
      }
      try accumulator.update(arguments.map { $0.take(p, count: count) }, groups: q, rowCount: count)
    }
    return try accumulator.finish(0..<partitions).retyped(returnType).take(g, count: n)
  }

  /// Adds rows `range` that pass the filter to group 0.
  private func add(_ range: Range<Int>, to accumulator: any GroupsAccumulator, removing: Bool = false) throws(QueryError) {
    if range.isEmpty { return }
    var columns = arguments.map { $0.slice(offset: range.lowerBound, count: range.count) }
    var count = range.count
    if filter != nil {
      let rows = range.filter { counts($0) }.map { Int32($0 - range.lowerBound) }
      if rows.isEmpty { return }
      count = rows.count
      columns = rows.withUnsafeBufferPointer { p in columns.map { $0.take(p.baseAddress!, count: rows.count) } }
    }
    if removing {
      try accumulator.remove(columns, groups: nil, rowCount: count)
    } else {
      try accumulator.update(columns, groups: nil, rowCount: count)
    }
  }

  /// Every row is a group; merging each into the next makes running totals, of which a frame takes the one at its end.
  private func runningTotals(_ accumulator: any GroupsAccumulator) throws(QueryError) -> Column {
    let n = layout.rowCount
    // The last group stays empty, for empty frames.
    accumulator.resize(groupCount: n + 1)
    let rows = Buffer(byteCount: (n + 1) * 4)
    let p = rows.typed(Int32.self)
    var count = 0
    for row in 0..<n where counts(row) {
      p[count] = Int32(truncatingIfNeeded: row)
      count &+= 1
    }
    let counted = count == n ? arguments : arguments.map { $0.take(p, count: count) }
    try accumulator.update(counted, groups: p, rowCount: count)
    try context.cancellation.check()
    let targets = Buffer(byteCount: (n + 1) * 4)
    let results = Buffer(byteCount: n * 4)
    let (t, out) = (targets.typed(Int32.self), results.typed(Int32.self))
    let ends = frames.end.typed(Int32.self)
    count = 0
    for partition in 0..<(layout.partitionStarts.count - 1) {
      let (first, last) = (layout.partitionStarts[partition], layout.partitionStarts[partition + 1])
      var row = first
      while row < last {
        if row > first {
          p[count] = row &- 1
          t[count] = row
          count &+= 1
        }
        out[Int(row)] = ends[Int(row)] > first ? ends[Int(row)] &- 1 : Int32(truncatingIfNeeded: n)
        row &+= 1
      }
    }
    try accumulator.merge(accumulator, sources: p, targets: t, count: count)
    return try accumulator.finish(0..<(n + 1)).retyped(returnType).take(out, count: n)
  }

  /// Frames that start with the partition: one accumulator, read after each frame's end.
  func growing() throws(QueryError) -> Column {
    let n = layout.rowCount
    let total = try make()
    if total.canMergeItself { return try runningTotals(total) }
    let ends = frames.end.typed(Int32.self)
    let builder = ColumnBuilder(returnType, capacity: n)
    let results = Buffer(byteCount: n * 4)
    let out = results.typed(Int32.self)
    for partition in 0..<(layout.partitionStarts.count - 1) {
      let (first, last) = (Int(layout.partitionStarts[partition]), Int(layout.partitionStarts[partition + 1]))
      var accumulator = try make()
      accumulator.resize(groupCount: 1)
      var at = first
      var readEnd = -1
      for row in first..<last {
        let end = max(Int(ends[row]), first)
        if end < at {
          // Ends go back only for offsets that differ from row to row.
          accumulator = try make()
          accumulator.resize(groupCount: 1)
          at = first
          readEnd = -1
        }
        if end > at { try add(at..<end, to: accumulator) }
        at = end
        if readEnd != end {
          builder.append(try accumulator.finish(0..<1), row: 0)
          readEnd = end
        }
        out[row] = Int32(builder.count - 1)
        if row & 4095 == 0 { try context.cancellation.check() }
      }
    }
    return builder.finish().take(out, count: n)
  }

  /// Any frames: small ones recomputed in bulk, large ones by adding and removing rows where the function can.
  func sliding() throws(QueryError) -> Column {
    let n = layout.rowCount
    let (starts, ends) = (frames.start.typed(Int32.self), frames.end.typed(Int32.self))
    var total = 0
    for row in 0..<n { total += max(0, Int(ends[row]) - Int(starts[row])) }
    let accumulator = try make()
    if total > n * WindowAggregate.smallFrame, accumulator.canRemove {
      return try removing(accumulator)
    }
    return try recomputing()
  }

  /// Every frame is a group: its rows are listed, and fed batch by batch.
  private func recomputing() throws(QueryError) -> Column {
    let n = layout.rowCount
    let (starts, ends) = (frames.start.typed(Int32.self), frames.end.typed(Int32.self))
    let capacity = 1 << 14
    let rows = Buffer(byteCount: (capacity + 16) * 4)
    let groups = Buffer(byteCount: (capacity + 16) * 4)
    let (p, g) = (rows.typed(Int32.self), groups.typed(Int32.self))
    var results: [Column] = []
    var first = 0
    let framesAtOnce = 4096
    while first < n {
      let last = min(first + framesAtOnce, n)
      let accumulator = try make()
      accumulator.resize(groupCount: last - first)
      var count = 0
      for row in first..<last {
        var at = Int(starts[row])
        let end = Int(ends[row])
        while at < end {
          if counts(at) {
            p[count] = Int32(at)
            g[count] = Int32(row - first)
            count += 1
            if count == capacity {
              try accumulator.update(arguments.map { $0.take(p, count: count) }, groups: g, rowCount: count)
              try context.cancellation.check()
              count = 0
            }
          }
          at += 1
        }
      }
      if count > 0 { try accumulator.update(arguments.map { $0.take(p, count: count) }, groups: g, rowCount: count) }
      results.append(try accumulator.finish(0..<(last - first)))
      first = last
    }
    return Column.concatenate(results, type: returnType)
  }

  private func removing(_ first: any GroupsAccumulator) throws(QueryError) -> Column {
    let n = layout.rowCount
    let (starts, ends) = (frames.start.typed(Int32.self), frames.end.typed(Int32.self))
    let builder = ColumnBuilder(returnType, capacity: n)
    var accumulator = first
    accumulator.resize(groupCount: 1)
    var (low, high) = (0, 0)
    for row in 0..<n {
      let start = Int(starts[row])
      let end = max(Int(ends[row]), start)
      if start < low || end < high || start >= high {
        // No overlap, or backwards: from scratch.
        accumulator = try make()
        accumulator.resize(groupCount: 1)
        (low, high) = (start, start)
      }
      if end > high { try add(high..<end, to: accumulator) }
      if start > low { try add(low..<start, to: accumulator, removing: true) }
      (low, high) = (start, end)
      builder.append(try accumulator.finish(0..<1), row: 0)
      if row & 4095 == 0 { try context.cancellation.check() }
    }
    return builder.finish()
  }
}

/// Yields the parts of a window computation.
final class WindowSource: MorselSource, @unchecked Sendable {
  private let window: WindowOperator
  private let batchSize: Int

  init(_ window: WindowOperator, batchSize: Int) {
    self.window = window
    self.batchSize = batchSize
    super.init(window.node)
  }

  override var morselCount: Int { window.starts.count - 1 }

  override func open(_ morsel: Int, _ worker: Worker) throws(QueryError) -> any BatchReader {
    SlicingReader([try window.compute(morsel)], batchSize: batchSize)
  }

  override func release() {
    window.batch = Batch(columns: [], rowCount: 0)
    window.rows = nil
    window.starts = [0]
    window.reservation = nil
  }
}
