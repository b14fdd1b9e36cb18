import Columnar
import Glibc
import ObjectStore
import QueryErrors
import QueryPlan

/// Gathers all rows and splits them by the hash of the partition keys; each part is then sorted and worked on by one
/// worker: the common half of windows and row patterns. Where memory does not hold all rows, parts go to disk and come back one by one.
class PartitionedRowsOperator: SinkOperator, @unchecked Sendable {
  let context: QueryContext
  let partitionKeys: [Int]
  let ordering: [SortSpecification]
  /// What puts the rows of a window without partition keys in order beforehand, by all workers.
  let presort: SortOperator?
  /// Whether rows stay with the sort, from where they are read in order: memory does not hold them a second time.
  private var staysSorted = false
  let types: [DataType]
  let consumer: MemoryConsumer
  private let collector: PartitionedCollector
  /// Rows by part, where memory does not hold them all.
  private var runs: [RowRuns] = []

  // MARK: Made by finish
  private var batch = Batch(columns: [], rowCount: 0)
  /// Rows by part, and where each part starts.
  private var rows: Buffer?
  private var starts: [Int] = [0]
  private var reservation: MemoryReservation?

  private static let smallRowCount = 1 << 14
  private static let partBits: UInt64 = 6

  init(
    _ node: QueryProfile.Node, partitionKeys: [Int], ordering: [SortSpecification], presort: SortOperator? = nil, types: [DataType],
    _ context: QueryContext
  ) {
    self.context = context
    self.presort = presort
    self.partitionKeys = partitionKeys
    self.ordering = ordering
    self.types = types
    let consumer = context.memory.register(node)
    self.consumer = consumer
    collector = PartitionedCollector(
      types, consumer, context, partitionCount: WindowPartitioner.count, rowOverhead: PartitionedRowsOperator.rowOverhead,
      maySpill: { presort == nil }
    ) { _ in WindowPartitioner(partitionKeys, collides: context.testing.collidesHashes) }
    super.init(node)
  }

  override func begin(workerCount: Int) {
    guard let presort else { return }
    staysSorted = context.testing.spillsRows || presort.isSpilled || !consumer.mayGrow(2 * presort.heldBytes)
    presort.keepsRows = staysSorted
  }

  override func makeWriter(_ worker: Worker) throws(QueryError) -> BatchConsumer { collector.makeWriter(worker, metrics) }

  override func finish(_ scheduler: Scheduler) throws(QueryError) {
    if staysSorted { return }
    let start = monotonicNanoseconds()
    let collected = CollectedBatches()
    switch try collector.finish(scheduler) {
    case .whole(let batches, let held): collected.set(batches, held)
    case .partitioned(let runs, _):
      self.runs = runs
      return
    }
    batch = try collected.takeBatch(types, scheduler)
    let n = batch.rowCount
    let reservation = MemoryReservation(consumer)
    try reservation.set(batch.approximateByteCount * 2)
    self.reservation = reservation
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
  final func sorted(_ part: Int) throws(QueryError) -> (input: Batch, layout: WindowLayout) {
    var input = batch
    let n = rowCount(part)
    let first = runs.isEmpty ? starts[part] : 0
    if !runs.isEmpty {
      input = try load(runs[part])
    } else if let rows {
      input = batch.take(rows.typed(Int32.self) + first, count: n)
    }
    let keyOrder = SortKeyOrder(isAscending: true, nullsFirst: false)
    let keys = partitionKeys
    if presort == nil, !keys.isEmpty || !ordering.isEmpty {
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

  /// The rows of a part in order, where they are too many to be worked on at once; nil where they are not.
  final func ordered(_ part: Int, batchSize: Int) -> (any BatchReader)? {
    if staysSorted, let presort { return presort.makeReader(batchSize: batchSize) }
    if runs.isEmpty || !context.testing.spillsRows && !isTooLarge(runs[part]) { return nil }
    let order = SortKeyOrder(isAscending: true, nullsFirst: false)
    let keys = partitionKeys.map { SortSpecification(position: $0, order: order) } + ordering
    return SortedRangeReader(runs[part], isUniform: keys.isEmpty, keys, consumer, context)
  }

  private func isTooLarge(_ runs: RowRuns) -> Bool {
    loadedBytes(runs) > (consumer.budget.room + consumer.held) / context.threads
  }

  /// In their batches, as one batch and in order: two of these at a time.
  private func loadedBytes(_ runs: RowRuns) -> Int {
    (runs.storedBytes + runs.heldBytes) * 2 + runs.storedBytes / 4 + runs.rowCount * PartitionedRowsOperator.rowOverhead
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

  /// All rows of a part that was on disk.
  private func load(_ runs: RowRuns) throws(QueryError) -> Batch {
    try MemoryAccount.require(loadedBytes(runs))
    var batches: [Batch] = []
    let reader = runs.consumingReader()
    while let batch = try reader.next() { batches.append(batch) }
    return BatchCoalescer.concatenate(batches, types: types)
  }

  /// Bytes that a row takes beside its columns: in the order of its part, and what is computed for it.
  private static let rowOverhead = 48

  final var partCount: Int { staysSorted ? 1 : runs.isEmpty ? starts.count - 1 : runs.count }
  final func rowCount(_ part: Int) -> Int {
    staysSorted ? presort?.rowCount ?? 0 : runs.isEmpty ? starts[part + 1] - starts[part] : runs[part].rowCount
  }

  /// Lets the memory go.
  final func release() {
    batch = Batch(columns: [], rowCount: 0)
    rows = nil
    runs = []
    starts = [0]
    reservation = nil
    presort?.release()
  }
}

/// Parts of rows by the hash of their partition keys.
///
/// - Threads: one owner.
final class WindowPartitioner: PartitionAssigner {
  private static let bits: UInt64 = 7
  static let count = 1 << 7

  private let keys: [Int]
  private let collides: Bool
  private var scratch = Buffer(byteCount: 0)

  init(_ keys: [Int], collides: Bool) {
    self.keys = keys
    self.collides = collides
  }

  func assign(_ batch: Batch, _ numbers: UnsafeMutablePointer<UInt8>) {
    let n = batch.rowCount
    if collides || keys.isEmpty {
      memset(numbers, 0, n)
      return
    }
    if scratch.byteCount < n * 8 { scratch = Buffer(byteCount: n * 8) }
    let hashes = scratch.typed(UInt64.self)
    HashKernel.hash(keys.map { batch.columns[$0] }, rowCount: n, into: hashes)
    var row = 0
    while row < n {
      numbers[row] = UInt8(truncatingIfNeeded: hashes[row] &>> (64 - WindowPartitioner.bits))
      row &+= 1
    }
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
