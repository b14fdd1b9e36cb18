import Columnar
import QueryErrors
import Synchronization

/// Says which partition each row of a batch belongs to.
protocol PartitionAssigner: AnyObject {
  /// - Shape: `numbers` has room for the batch's rows.
  func assign(_ batch: Batch, _ numbers: UnsafeMutablePointer<UInt8>)
}

/// Keeps all rows of a pipeline: as they come while memory allows, else in partitions, of which the last ones go to disk.
///
///     memory allows      batch batch batch …                                        in their order
///     it does no more    partition 0 │ 1 │ 2 │ …                                    the first ones stay,
///                                            └ spilled from here on: disk           the last ones go
///
/// Every worker partitions for itself; from which partition on rows go to disk holds for all.
///
/// - Threads: shared; writers are one worker's each.
final class PartitionedCollector: @unchecked Sendable {
  let types: [DataType]
  let context: QueryContext
  let consumer: MemoryConsumer
  let partitionCount: Int
  /// Bytes a row takes beside its columns once all rows are there.
  let rowOverhead: Int
  /// Partitions that always stay in memory, counted from the first.
  let residentCount: Int
  /// Makes what assigns rows, from rows seen so far; called once for each worker, the first time before all others.
  private let makeAssigner: ([Batch]) throws(QueryError) -> any PartitionAssigner
  /// Whether rows may be partitioned at all.
  private let maySpill: () -> Bool

  private let writers = Mutex<[Writer]>([])
  /// The first partition that goes to disk.
  private let firstSpilled: Atomic<Int>
  private let rowsHeld = Atomic<Int>(0)
  private let isPartitioned = Atomic<Bool>(false)
  private let assignerLock = Mutex(())

  /// Rows that are never held as one list: their numbers have 32 bits.
  private static let largestRowCount = 1 << 30

  init(
    _ types: [DataType], _ consumer: MemoryConsumer, _ context: QueryContext, partitionCount: Int, rowOverhead: Int,
    residentCount: Int = 0, maySpill: @escaping () -> Bool = { true },
    makeAssigner: @escaping ([Batch]) throws(QueryError) -> any PartitionAssigner
  ) {
    self.types = types
    self.context = context
    self.consumer = consumer
    self.partitionCount = partitionCount
    self.rowOverhead = rowOverhead
    self.residentCount = residentCount
    self.maySpill = maySpill
    self.makeAssigner = makeAssigner
    firstSpilled = Atomic(partitionCount)
  }

  func makeWriter(_ worker: Worker, _ metrics: OperatorMetrics) -> Writer {
    consumer.begin()
    let writer = Writer(worker, metrics, self)
    writers.withLock { $0.append(writer) }
    return writer
  }

  /// What all writers have kept.
  enum Result {
    /// All rows in the order of the pipeline's input; `reservation` notes what they hold.
    case whole([Batch], MemoryReservation)
    /// Rows by partition, and the first partition with rows on disk.
    case partitioned([RowRuns], firstSpilled: Int)
  }

  /// All writers are closed.
  func finish(_ scheduler: Scheduler) throws(QueryError) -> Result {
    let written = writers.withLock { writers in
      defer { writers = [] }
      return writers
    }
    if !isPartitioned.load(ordering: .relaxed) {
      let reservation = MemoryReservation(consumer)
      var all: [(sequence: Int, batch: Batch)] = []
      for writer in written {
        all += writer.takeBatches()
        let byteCount = writer.reservation.byteCount
        try writer.reservation.set(0)
        try reservation.grow(byteCount)
      }
      // Batches of one morsel come from one writer, in order: a stable order by sequence is the input's order.
      let order = all.indices.sorted { (all[$0].sequence, $0) < (all[$1].sequence, $1) }
      return .whole(order.map { all[$0].batch }, reservation)
    }
    try scheduler.forEach(written.count) { (index) throws(QueryError) in try written[index].partitionAll() }
    let runs = (0..<partitionCount).map { _ in RowRuns(types, consumer, context.spillFile) }
    for writer in written {
      for (index, own) in (writer.partitions?.partitions ?? []).enumerated() { runs[index].append(contentsOf: own) }
    }
    return .partitioned(runs, firstSpilled: firstSpilled.load(ordering: .relaxed))
  }

  /// Bytes that a worker gathers of a partition before they are worth writing.
  private var smallestBlock: Int {
    let limit = min(consumer.budget.account.effectiveLimit, 4 << 30)
    return min(RowRuns.blockByteCount, max(16 << 10, limit / (partitionCount * context.threads * 16)))
  }

  /// Whether so many bytes of new rows would leave no room for what follows.
  private func isTight(_ byteCount: Int) -> Bool {
    if context.testing.spillsRows { return true }
    let rows = rowsHeld.load(ordering: .relaxed)
    return !consumer.mayGrow(byteCount + rows * rowOverhead) || rows >= PartitionedCollector.largestRowCount
  }

  /// One worker's rows.
  final class Writer: BatchConsumer, @unchecked Sendable {
    private let collector: PartitionedCollector
    private var batches: [(sequence: Int, batch: Batch)] = []
    fileprivate let reservation: MemoryReservation
    fileprivate private(set) var partitions: RowPartitions?
    private var assigner: (any PartitionAssigner)?
    private var rowsNoted = 0

    init(_ worker: Worker, _ shared: OperatorMetrics, _ collector: PartitionedCollector) {
      self.collector = collector
      reservation = MemoryReservation(collector.consumer)
      super.init(worker, shared)
    }

    override func consume(_ batch: Batch) throws(QueryError) {
      if partitions == nil {
        let byteCount = batch.approximateByteCount
        try reservation.grow(byteCount)
        batches.append((worker.sequence, batch))
        note(rows: rowsNoted + batch.rowCount)
        guard collector.maySpill() else { return }
        if collector.isPartitioned.load(ordering: .relaxed) || collector.isTight(byteCount) { try partition() }
        return
      }
      partitions!.add(batch) { assigner!.assign(batch, $0) }
      if partitions!.isScattered, collector.isTight(collector.consumer.smallByteCount) { try spill() }
    }

    /// Tells the others how many rows are held here.
    private func note(rows: Int) {
      collector.rowsHeld.wrappingAdd(rows - rowsNoted, ordering: .relaxed)
      rowsNoted = rows
    }

    fileprivate func takeBatches() -> [(sequence: Int, batch: Batch)] {
      defer { batches = [] }
      return batches
    }

    /// Puts all rows into partitions, if they are not.
    fileprivate func partitionAll() throws(QueryError) {
      if partitions == nil { try partition() }
      partitions!.scatter()
      if collector.isTight(0) || collector.firstSpilled.load(ordering: .relaxed) < collector.partitionCount { try spill() }
    }

    private func partition() throws(QueryError) {
      let held = takeBatches()
      let collector = self.collector
      let assigner = try collector.assignerLock.withLock { (_) throws(QueryError) in
        try collector.makeAssigner(held.map(\.batch))
      }
      self.assigner = assigner
      let partitions = RowPartitions(
        count: collector.partitionCount, types: collector.types, collector.consumer, collector.context.spillFile)
      self.partitions = partitions
      collector.isPartitioned.store(true, ordering: .relaxed)
      var left = held[...]
      while let (_, batch) = left.popFirst() {
        try reservation.set(max(0, reservation.byteCount - batch.approximateByteCount))
        partitions.add(batch) { assigner.assign(batch, $0) }
        if partitions.isScattered, collector.isTight(collector.consumer.smallByteCount) { try spill() }
      }
      try reservation.set(0)
    }

    /// Writes own rows to disk: those of partitions that others spill already, then those of more partitions.
    private func spill() throws(QueryError) {
      let collector = self.collector
      let runs = partitions!.partitions
      let isForced = collector.context.testing.spillsRows
      let wanted = isForced ? Int.max : max(collector.consumer.smallByteCount, partitions!.heldBytes / 4)
      let smallest = isForced ? 1 : collector.smallestBlock
      var first = collector.firstSpilled.load(ordering: .relaxed)
      var freed = 0
      for index in first..<collector.partitionCount where runs[index].heldBytes >= smallest { freed += try runs[index].spill() }
      while first > collector.residentCount, freed < wanted {
        first -= 1
        if runs[first].rowCount == 0 { continue }
        collector.firstSpilled.min(first, ordering: .relaxed)
        freed += try runs[first].spill()
      }
      note(rows: runs[..<max(0, collector.firstSpilled.load(ordering: .relaxed))].reduce(0) { $0 + $1.rowCount })
    }
  }
}
