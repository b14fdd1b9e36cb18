import Columnar
import Glibc
import QueryErrors
import Synchronization

/// Keeps the first rows in an order.
///
/// Every worker keeps candidates and cuts them back to the rows wanted when there are too many; the key of the last row
/// kept is shared, and rows whose first key word is above it are dropped without being looked at any further. Where its rows
/// stream from a scan, that learns of the key too.
final class TopNOperator: SinkOperator, @unchecked Sendable {
  fileprivate let context: QueryContext
  fileprivate let keys: [SortSpecification]
  fileprivate let types: [DataType]
  private let offset: Int
  private let count: Int
  private let withTies: Bool
  private let result: CollectedBatches
  private let writers = Mutex<[Writer]>([])
  fileprivate let threshold: SortThreshold
  /// What the scan learns.
  fileprivate let published: TopNThreshold?
  fileprivate let consumer: MemoryConsumer

  init(
    _ node: QueryProfile.Node, keys: [SortSpecification], types: [DataType], offset: Int, count: Int, withTies: Bool,
    publishes: TopNThreshold?, result: CollectedBatches, _ context: QueryContext
  ) {
    published = publishes
    self.context = context
    self.keys = keys
    self.types = types
    self.offset = offset
    self.count = count
    self.withTies = withTies
    consumer = context.memory.register(node)
    self.result = result
    threshold = SortThreshold(types: keys.map { types[$0.position] }, orders: keys.map(\.order))
    super.init(node)
  }

  /// Rows wanted, those skipped included.
  fileprivate var wanted: Int {
    let (sum, overflow) = offset.addingReportingOverflow(count)
    return overflow ? Int.max : sum
  }

  override func makeWriter(_ worker: Worker) throws(QueryError) -> BatchConsumer {
    let writer = Writer(worker, metrics, self)
    writers.withLock { $0.append(writer) }
    return writer
  }

  override func finish(_ scheduler: Scheduler) throws(QueryError) {
    let start = monotonicNanoseconds()
    let writers = self.writers.withLock { writers in
      defer { writers = [] }
      return writers
    }
    let all = writers.flatMap(\.candidates)
    var rows = all.isEmpty ? Batch(columns: [], rowCount: 0) : BatchCoalescer.concatenate(all, types: types)
    if rows.rowCount > 0 {
      let order = sort(rows)
      let p = order.typed(Int32.self)
      let kept = cut(rows, p)
      let first = min(offset, kept)
      rows = rows.take(p + first, count: kept - first)
    }
    result.set(rows.rowCount > 0 ? [rows] : [])
    metrics.note(stateBytes: writers.map(\.reservation.byteCount).max() ?? 0)
    metrics.add(nanoseconds: monotonicNanoseconds() - start)
  }

  fileprivate func sort(_ batch: Batch) -> Buffer {
    RowSorter(keys.map { batch.columns[$0.position] }, keys.map(\.order), rowCount: batch.rowCount).sortAll()
  }

  /// How many of the sorted rows are wanted: with ties also those equal to the last one.
  fileprivate func cut(_ batch: Batch, _ order: UnsafePointer<Int32>) -> Int {
    if batch.rowCount <= wanted { return batch.rowCount }
    var kept = wanted
    if withTies, kept > 0 {
      let columns = keys.map { batch.columns[$0.position] }
      let comparison = RowComparison(columns, columns, keys.map(\.order))
      while kept < batch.rowCount, comparison.order(Int(order[kept - 1]), Int(order[kept])) == 0 { kept += 1 }
    }
    return kept
  }

  fileprivate final class Writer: BatchConsumer, @unchecked Sendable {
    private let sink: TopNOperator
    var candidates: [Batch] = []
    private var candidateRows = 0
    let reservation: MemoryReservation
    private var heldBytes = 0
    private var words = Buffer(byteCount: 0)
    private var selection = Buffer(byteCount: 0)
    private let cutAt: Int

    init(_ worker: Worker, _ shared: OperatorMetrics, _ sink: TopNOperator) {
      self.sink = sink
      reservation = MemoryReservation(sink.consumer)
      let wanted = sink.wanted
      cutAt = wanted > Int.max / 4 ? Int.max : max(wanted * 2, 1024)
      super.init(worker, shared)
    }

    override func consume(_ batch: Batch) throws(QueryError) {
      if sink.count == 0, !sink.withTies { return }
      if batch.rowCount / 2 > cutAt, !sink.threshold.isKnown {
        // Some rows first: the threshold they make spares sorting most of the others.
        try add(batch.slice(offset: 0, count: cutAt))
        try add(batch.slice(offset: cutAt, count: batch.rowCount - cutAt))
      } else {
        try add(batch)
      }
    }

    private func add(_ batch: Batch) throws(QueryError) {
      let n = batch.rowCount
      var kept = batch
      if selection.byteCount < (n + 16) * 4 { selection = Buffer(byteCount: (n + 16) * 4) }
      let rows = selection.typed(Int32.self)
      let passed = sink.threshold.select(keyColumns(batch), rowCount: n, into: rows, &words)
      if passed == 0 { return }
      if let passed, passed < n { kept = batch.take(rows, count: passed) }
      candidates.append(kept)
      candidateRows += kept.rowCount
      heldBytes += kept.approximateByteCount
      // The first rows wanted tell the scan already.
      let isFirst = sink.published != nil && passed == nil && candidateRows >= sink.wanted
      if candidateRows >= cutAt || isFirst { cutBack() }
      try reservation.set(heldBytes)
    }

    private func keyColumns(_ batch: Batch) -> [Column] { sink.keys.map { batch.columns[$0.position] } }

    /// Keeps only the rows wanted, and tells the others what the last of them is.
    private func cutBack() {
      let all = BatchCoalescer.concatenate(candidates, types: sink.types)
      let order = sink.sort(all)
      let p = order.typed(Int32.self)
      let count = sink.cut(all, p)
      // Flattened, so that a few rows do not keep large dictionaries alive.
      let kept = Batch(columns: all.columns.map { $0.take(p, count: count).flattened() }, rowCount: count)
      candidates = [kept]
      candidateRows = count
      heldBytes = kept.approximateByteCount
      if count >= sink.wanted, sink.wanted > 0 {
        let last = kept.slice(offset: sink.wanted - 1, count: 1)
        sink.threshold.lower(to: keyColumns(last))
        sink.published?.tighten(to: last.columns[sink.keys[0].position])
      }
    }
  }
}
