import Columnar
import Glibc
import ObjectStore
import QueryErrors
import QueryPlan

/// Gathers all rows and splits them by the hash of the partition keys; each part is then sorted and worked on by one
/// worker: the common half of windows and row patterns.
class PartitionedRowsOperator: SinkOperator, @unchecked Sendable {
  let context: QueryContext
  let partitionKeys: [Int]
  let ordering: [SortSpecification]
  /// Whether rows arrive in order: one part, sorted by all workers beforehand.
  var arrivesSorted = false
  private let types: [DataType]
  private let collected = CollectedBatches()
  private let collector: CollectOperator

  // MARK: Made by finish
  private var batch = Batch(columns: [], rowCount: 0)
  /// Rows by part, and where each part starts.
  private var rows: Buffer?
  private var starts: [Int] = [0]
  private var reservation: MemoryReservation?

  private static let smallRowCount = 1 << 14
  private static let partBits: UInt64 = 6

  init(
    _ node: QueryProfile.Node, partitionKeys: [Int], ordering: [SortSpecification], types: [DataType],
    _ context: QueryContext
  ) {
    self.context = context
    self.partitionKeys = partitionKeys
    self.ordering = ordering
    self.types = types
    collector = CollectOperator(node, context, collected)
    super.init(node)
  }

  override func makeWriter(_ worker: Worker) throws(QueryError) -> BatchConsumer { try collector.makeWriter(worker) }

  override func finish(_ scheduler: Scheduler) throws(QueryError) {
    let start = monotonicNanoseconds()
    try collector.finish(scheduler)
    batch = try collected.takeBatch(types, scheduler)
    let n = batch.rowCount
    let reservation = MemoryReservation(context.memory)
    try reservation.set(batch.approximateByteCount * 2)
    self.reservation = reservation
    metrics.note(stateBytes: reservation.byteCount)
    if n == 0 {
      starts = [0]
      return
    }
    if partitionKeys.isEmpty || n < PartitionedRowsOperator.smallRowCount {
      starts = [0, n]
      return
    }
    let hashes = Buffer(byteCount: n * 8)
    let h = hashes.typed(UInt64.self)
    HashKernel.hash(partitionKeys.map { batch.columns[$0] }, rowCount: n, into: h)
    let parts = 1 << Int(PartitionedRowsOperator.partBits)
    let shift = context.testing.collidesHashes ? 64 : 64 - PartitionedRowsOperator.partBits
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

  /// The rows of a part in order, and where its partitions and peers lie.
  final func sorted(_ part: Int) -> (input: Batch, layout: WindowLayout) {
    let (first, end) = (starts[part], starts[part + 1])
    let n = end - first
    var input = batch
    if let rows { input = batch.take(rows.typed(Int32.self) + first, count: n) }
    let keyOrder = SortKeyOrder(isAscending: true, nullsFirst: false)
    let keys = partitionKeys
    if !arrivesSorted, !keys.isEmpty || !ordering.isEmpty {
      let sorter = RowSorter(
        keys.map { input.columns[$0] } + ordering.map { input.columns[$0.position] },
        keys.map { _ in keyOrder } + ordering.map(\.order), rowCount: n)
      let order = sorter.sortAll()
      input = input.take(order.typed(Int32.self), count: n)
    }
    let layout = WindowLayout(
      partitionKeys: partitionKeys.map { input.columns[$0] },
      orderKeys: ordering.map { input.columns[$0.position] }, rowCount: n)
    return (input, layout)
  }

  /// Where each row's frame lies.
  final func frames(
    _ frame: FrameSpecification, _ input: Batch, _ layout: WindowLayout, _ range: SourceRange?
  ) throws(QueryError) -> WindowFrames {
    try WindowFrames(
      frame, layout, columns: input.columns, orderKeys: ordering.map { input.columns[$0.position] },
      orders: ordering.map(\.order), range: range)
  }

  /// Yields the rows of one part.
  func makeReader(_ part: Int, batchSize: Int) throws(QueryError) -> any BatchReader { preconditionFailure("abstract") }

  final var partCount: Int { starts.count - 1 }
  final func rowCount(_ part: Int) -> Int { starts[part + 1] - starts[part] }

  /// Lets the memory go.
  final func release() {
    batch = Batch(columns: [], rowCount: 0)
    rows = nil
    starts = [0]
    reservation = nil
  }
}

/// Yields the parts of partitioned rows.
final class PartitionedRowsSource: MorselSource, @unchecked Sendable {
  private let sink: PartitionedRowsOperator
  private let batchSize: Int

  init(_ sink: PartitionedRowsOperator, batchSize: Int) {
    self.sink = sink
    self.batchSize = batchSize
    super.init(sink.node)
  }

  override var morselCount: Int { sink.partCount }

  override func open(_ morsel: Int, _ worker: Worker) throws(QueryError) -> any BatchReader {
    if sink.rowCount(morsel) == 0 { return SlicingReader([], batchSize: batchSize) }
    return try sink.makeReader(morsel, batchSize: batchSize)
  }

  override func release() { sink.release() }
}
