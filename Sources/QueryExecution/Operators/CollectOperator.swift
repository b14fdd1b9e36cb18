import Columnar
import QueryErrors
import SQLExpressions
import Synchronization

/// Batches kept in memory, in the order of the pipeline's input.
///
/// - Threads: filled by one pipeline, read by later ones.
final class CollectedBatches: @unchecked Sendable {
  fileprivate(set) var batches: [Batch] = []
  /// The rows instead of `batches`, where some are on disk.
  fileprivate(set) var runs: [RowRuns] = []
  fileprivate(set) var rowCount = 0
  fileprivate var reservation: MemoryReservation?
  /// Where the rows come from, when their order may cluster them.
  var origin: Origin?

  /// A pipeline's source, and the columns there that each column kept was.
  struct Origin {
    var source: any ClusterableSource
    var columns: [ColumnID]
  }

  init() {}

  func set(_ batches: [Batch]) {
    runs = []
    self.batches = batches
    rowCount = batches.reduce(0) { $0 + $1.rowCount }
  }

  /// - Parameter reservation: notes what they hold.
  func set(_ batches: [Batch], _ reservation: MemoryReservation) {
    set(batches)
    self.reservation = reservation
  }

  /// Rows of which some are on disk.
  fileprivate func set(runs: [RowRuns]) {
    batches = []
    self.runs = runs
    rowCount = runs.reduce(0) { $0 + $1.rowCount }
  }

  /// Lets the memory go.
  func clear() {
    batches = []
    runs = []
    rowCount = 0
    reservation = nil
  }

  /// Batches let go from which on their memory is given back; less is soon used again.
  private static let trimmedByteCount = 32 << 20

  /// All rows, made column by column on all workers; each column's batches go when it is made.
  ///
  /// - Parameter join: makes one column of a column's batches, given its index.
  func takeColumns(
    _ types: [DataType], _ scheduler: Scheduler, _ join: @escaping @Sendable (Int, [Column]) -> Column
  ) throws(QueryError) -> [Column] {
    let pieces = ColumnSlots(types.indices.map { index in batches.map { $0.columns[index] } })
    let columns = ColumnSlots(types.map { _ in [] })
    let reservation = reservation
    let byteCount = reservation?.byteCount ?? 0
    clear()
    defer { withExtendedLifetime(reservation) {} }
    try scheduler.forEach(types.count) { (index) throws(QueryError) in
      columns.set(index, [join(index, pieces.take(index))])
    }
    if byteCount >= CollectedBatches.trimmedByteCount { Buffer.trimUnused() }
    return types.indices.map { columns.take($0)[0] }
  }

  /// All rows as one batch; none are left here.
  ///
  /// - Throws: `EXCEEDED_LOCAL_MEMORY_LIMIT` when row numbers would not fit in 32 bits.
  func takeBatch(_ types: [DataType], _ scheduler: Scheduler) throws(QueryError) -> Batch {
    if rowCount >= Int(Int32.max) - 64 {
      throw QueryError(.exceededLocalMemoryLimit, "An operator has to hold more than 2147483584 rows at once")
    }
    let rowCount = rowCount
    let columns = try takeColumns(types, scheduler) { Column.concatenate($1, type: types[$0]) }
    return Batch(columns: columns, rowCount: rowCount)
  }
}

/// Lists of columns that several workers take and set.
private final class ColumnSlots: Sendable {
  private let slots: Mutex<[[Column]]>
  init(_ slots: [[Column]]) { self.slots = Mutex(slots) }
  func set(_ index: Int, _ columns: [Column]) { slots.withLock { $0[index] = columns } }
  /// Leaves none behind.
  func take(_ index: Int) -> [Column] {
    slots.withLock { slots in
      defer { slots[index] = [] }
      return slots[index]
    }
  }
}

/// Keeps all batches of a pipeline; those of some morsels on disk, where memory is short.
class CollectOperator: SinkOperator, @unchecked Sendable {
  let context: QueryContext
  let result: CollectedBatches
  let consumer: MemoryConsumer
  private let types: [DataType]
  private let maySpill: Bool
  private let writers = Mutex<[Writer]>([])

  /// - Parameter maySpill: whether whoever reads the result finds rows on disk.
  init(
    _ node: QueryProfile.Node, _ context: QueryContext, _ result: CollectedBatches, types: [DataType], maySpill: Bool = true
  ) {
    self.context = context
    self.types = types
    self.maySpill = maySpill
    self.result = result
    consumer = context.memory.register(node)
    super.init(node)
  }

  override func makeWriter(_ worker: Worker) throws(QueryError) -> BatchConsumer {
    consumer.begin()
    let writer = Writer(worker, metrics, self)
    writers.withLock { $0.append(writer) }
    return writer
  }

  override func finish(_ scheduler: Scheduler) throws(QueryError) {
    let written = writers.withLock { writers in
      defer { writers = [] }
      return writers
    }
    // Rows of one morsel come from one writer, in order: a stable order by sequence is the input's order.
    let all = written.flatMap(\.runs)
    let order = all.indices.sorted { (all[$0].sequence, $0) < (all[$1].sequence, $1) }
    let runs = order.map { all[$0].rows }
    if runs.contains(where: { $0.storedBytes > 0 }) { return result.set(runs: runs) }
    let reservation = MemoryReservation(consumer)
    var batches: [Batch] = []
    for run in runs {
      let byteCount = run.heldBytes
      let reader = run.consumingReader()
      while let batch = try reader.next() { batches.append(batch) }
      try reservation.grow(byteCount)
    }
    result.set(batches, reservation)
  }

  final class Writer: BatchConsumer, @unchecked Sendable {
    fileprivate var runs: [(sequence: Int, rows: RowRuns)] = []
    private let collector: CollectOperator

    init(_ worker: Worker, _ shared: OperatorMetrics, _ collector: CollectOperator) {
      self.collector = collector
      super.init(worker, shared)
    }

    override func consume(_ batch: Batch) throws(QueryError) {
      let context = collector.context
      if runs.last?.sequence != worker.sequence {
        runs.append((worker.sequence, RowRuns(collector.types, collector.consumer, context.spillFile)))
      }
      runs.last!.rows.append(batch)
      guard collector.maySpill else { return }
      if context.testing.spillsRows {
        try runs.last!.rows.spill()
      } else if !collector.consumer.mayGrow(batch.approximateByteCount * 4) {
        try spill()
      }
    }

    /// Writes the rows kept to disk, if they are worth it.
    private func spill() throws(QueryError) {
      if runs.reduce(0, { $0 + $1.rows.heldBytes }) < collector.consumer.smallByteCount { return }
      for (_, rows) in runs { try rows.spill() }
    }
  }
}

/// Yields batches that are kept in memory, with columns in their order.
///
/// Rows that come from a source with clusters lie in their order still.
final class CollectedSource: MorselSource, ClusterableSource, @unchecked Sendable {
  private let collected: CollectedBatches
  private let batchSize: Int
  /// Ids of the columns, where somebody may ask for their clusters.
  private let columns: [ColumnID]
  private var batches: [Batch] = []
  /// The rows instead of `batches`, where some are on disk: each list, and a stretch of it.
  private var stretches: [(rows: RowRuns, index: Int)] = []
  private static let batchesPerMorsel = 4

  init(_ node: QueryProfile.Node, _ collected: CollectedBatches, batchSize: Int, columns: [ColumnID] = []) {
    self.collected = collected
    self.batchSize = batchSize
    self.columns = columns
    super.init(node)
  }

  override func prepare(_ scheduler: Scheduler) throws(QueryError) {
    batches = collected.batches
    stretches = collected.runs.flatMap { rows in (0..<rows.entryCount).map { (rows, $0) } }
  }

  override var morselCount: Int {
    if !stretches.isEmpty { return stretches.count }
    return (batches.count + CollectedSource.batchesPerMorsel - 1) / CollectedSource.batchesPerMorsel
  }

  override func open(_ morsel: Int, _ worker: Worker) throws(QueryError) -> any BatchReader {
    if !stretches.isEmpty {
      let (rows, index) = stretches[morsel]
      return SlicingReader([try rows.batch(at: index)], batchSize: batchSize)
    }
    return try openHeld(morsel)
  }

  private func openHeld(_ morsel: Int) throws(QueryError) -> any BatchReader {
    SlicingReader(Array(batches(of: morsel)), batchSize: batchSize)
  }

  private func batches(of morsel: Int) -> ArraySlice<Batch> {
    let first = morsel * CollectedSource.batchesPerMorsel
    return batches[first..<min(first + CollectedSource.batchesPerMorsel, batches.count)]
  }

  func isClustered(by column: ColumnID) -> Bool {
    guard let origin = collected.origin, let position = columns.firstIndex(of: column) else { return false }
    return origin.source.isClustered(by: origin.columns[position])
  }

  func keepsClusters() {}

  func morselBounds(of column: ColumnID) -> [ClosedRange<Int64>?]? {
    guard stretches.isEmpty, let position = columns.firstIndex(of: column) else { return nil }
    return (0..<morselCount).map { morsel in
      let ranges = batches(of: morsel).compactMap { $0.columns[position].integerRange }
      guard let low = ranges.map(\.lowerBound).min(), let high = ranges.map(\.upperBound).max() else { return nil }
      return low...high
    }
  }
}

/// Yields given batches, in pieces of at most the batch size.
final class SlicingReader: BatchReader {
  private var batches: [Batch]
  private let batchSize: Int
  private var index = 0
  private var offset = 0

  init(_ batches: [Batch], batchSize: Int) {
    self.batches = batches
    self.batchSize = batchSize
  }

  func next() throws(QueryError) -> Batch? {
    while index < batches.count {
      let batch = batches[index]
      if offset >= batch.rowCount {
        index += 1
        offset = 0
        continue
      }
      let count = min(batch.rowCount - offset, batchSize)
      defer { offset += count }
      return batch.slice(offset: offset, count: count)
    }
    return nil
  }
}

/// Yields the batches that a closure makes, one call each, until nil.
final class GeneratingReader: BatchReader {
  private let generate: () throws(QueryError) -> Batch?

  init(_ generate: @escaping () throws(QueryError) -> Batch?) { self.generate = generate }

  func next() throws(QueryError) -> Batch? { try generate() }
}
