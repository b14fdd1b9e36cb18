import Columnar
import Glibc
import QueryErrors
import Synchronization

/// Orders all rows: keys become words, rows are split into ranges of the first word, and each range is sorted by itself.
///
///     rows → encode keys → ranges by sampled splitters → sort each range (when its morsel comes) → take rows
///
/// The ranges in order are the result in order, so no merge is needed and the result's consumer starts early. Where memory does not
/// hold all rows, they are put into ranges as they come; the last ranges go to disk and come back one at a time.
final class SortOperator: SinkOperator, @unchecked Sendable {
  private let context: QueryContext
  private let keys: [SortSpecification]
  private let types: [DataType]
  private let consumer: MemoryConsumer
  private let collector: PartitionedCollector
  private var sorted: SortedRows?
  /// Rows by range, where memory does not hold them all.
  private var ranges: [RowRuns] = []
  /// Whether the pipeline behind it gets no rows, because somebody else reads them.
  var keepsRows = false

  private static let rowsPerTask = 1 << 16
  private static let rowsPerRange = 1 << 15
  private static let largestRangeCount = 64

  init(_ node: QueryProfile.Node, keys: [SortSpecification], types: [DataType], _ context: QueryContext) {
    self.context = context
    self.keys = keys
    self.types = types
    let consumer = context.memory.register(node)
    self.consumer = consumer
    let made = SharedRanges()
    collector = PartitionedCollector(
      types, consumer, context, partitionCount: SortRanges.rangeCount, rowOverhead: SortOperator.rowOverhead(keys, types)
    ) { batches in made.assigner { SortRanges(keys, batches, types: types) } }
    super.init(node)
  }

  /// The ranges that all workers go by, made by the first who needs them.
  private final class SharedRanges: Sendable {
    private let ranges = Mutex<SortRanges?>(nil)

    func assigner(_ make: () -> SortRanges) -> any PartitionAssigner {
      ranges.withLock { ranges in
        let made = ranges ?? make()
        ranges = made
        return made.makeAssigner()
      }
    }
  }

  /// Bytes that sorting takes for a row beside its columns: its key words, and its entry twice.
  private static func rowOverhead(_ keys: [SortSpecification], _ types: [DataType]) -> Int {
    let words = keys.reduce(0) { $0 + max(1, types[$1.position].physicalType.byteWidth / 8) }
    return min(words, 4) * 8 + 2 * MemoryLayout<SortEntry>.stride
  }

  override func makeWriter(_ worker: Worker) throws(QueryError) -> BatchConsumer { collector.makeWriter(worker, metrics) }

  override func finish(_ scheduler: Scheduler) throws(QueryError) {
    let start = monotonicNanoseconds()
    defer { metrics.add(nanoseconds: monotonicNanoseconds() - start) }
    switch try collector.finish(scheduler) {
    case .partitioned(let ranges, _): self.ranges = ranges
    case .whole(let batches, let held):
      let collected = CollectedBatches()
      collected.set(batches, held)
      sorted = try sort(collected, scheduler)
    }
  }

  private func sort(_ collected: CollectedBatches, _ scheduler: Scheduler) throws(QueryError) -> SortedRows {
    let batch = try collected.takeBatch(types, scheduler)
    let n = batch.rowCount
    let reservation = MemoryReservation(consumer)
    let sorter = RowSorter(keys.map { batch.columns[$0.position] }, keys.map(\.order), rowCount: n)
    try reservation.set(batch.approximateByteCount + sorter.byteCount)
    try scheduler.forEachRange(of: n, step: SortOperator.rowsPerTask) { rows in sorter.encode(rows) }
    let entries = Buffer(byteCount: n * MemoryLayout<SortEntry>.stride)
    let starts = try split(sorter, entries, scheduler)
    return SortedRows(batch, sorter, entries, starts, reservation)
  }

  /// Puts entries into ranges by their first word; returns where each range starts, and the end.
  private func split(
    _ sorter: RowSorter, _ entries: Buffer, _ scheduler: Scheduler
  ) throws(QueryError) -> [Int] {
    let n = sorter.rowCount
    let first = sorter.firstWords
    let out = entries.typed(SortEntry.self)
    let rangeCount = min(SortOperator.largestRangeCount, n / SortOperator.rowsPerRange)
    if rangeCount < 2 {
      for row in 0..<n { out[row] = SortEntry(key: first[row], row: Int32(truncatingIfNeeded: row)) }
      return [0, n]
    }
    let sampleCount = rangeCount * 32
    var sample = (0..<sampleCount).map { first[$0 * (n / sampleCount)] }
    sample.sort()
    var splitters: [UInt64] = []
    for k in 1..<rangeCount {
      let value = sample[k * 32]
      if splitters.last != value { splitters.append(value) }
    }
    let bounds = splitters
    let ranges = bounds.count + 1
    let tasks = (n + SortOperator.rowsPerTask - 1) / SortOperator.rowsPerTask
    let ownRange = Buffer(byteCount: n)
    let counts = Buffer.zeroed(byteCount: tasks * ranges * 8)
    try scheduler.forEach(tasks) { (task) throws(QueryError) in
      let from = task * SortOperator.rowsPerTask
      let end = min(from + SortOperator.rowsPerTask, n)
      let own = counts.typed(Int.self) + task * ranges
      let place = ownRange.typed(UInt8.self)
      let words = sorter.firstWords
      bounds.withUnsafeBufferPointer { bounds in
        var row = from
        while row < end {
          let word = words[row]
          // The number of splitters at or below the word.
          var low = 0
          var high = bounds.count
          while low < high {
            let middle = (low &+ high) / 2
            if bounds[middle] <= word { low = middle &+ 1 } else { high = middle }
          }
          place[row] = UInt8(truncatingIfNeeded: low)
          own[low] &+= 1
          row &+= 1
        }
      }
    }
    var starts: [Int] = []
    let table = counts.typed(Int.self)
    var sum = 0
    for range in 0..<ranges {
      starts.append(sum)
      for task in 0..<tasks {
        let own = table[task * ranges + range]
        table[task * ranges + range] = sum
        sum += own
      }
    }
    starts.append(n)
    try scheduler.forEach(tasks) { (task) throws(QueryError) in
      let from = task * SortOperator.rowsPerTask
      let end = min(from + SortOperator.rowsPerTask, n)
      let next = counts.typed(Int.self) + task * ranges
      let place = ownRange.typed(UInt8.self)
      let (words, out) = (sorter.firstWords, entries.typed(SortEntry.self))
      var row = from
      while row < end {
        let range = Int(place[row])
        out[next[range]] = SortEntry(key: words[row], row: Int32(truncatingIfNeeded: row))
        next[range] &+= 1
        row &+= 1
      }
    }
    return starts
  }

  // MARK: Reading

  /// Ranges of rows, in order.
  var rangeCount: Int { sorted.map { $0.batch.rowCount == 0 ? 0 : $0.starts.count - 1 } ?? ranges.count }
  var rowCount: Int { sorted?.batch.rowCount ?? ranges.reduce(0) { $0 + $1.rowCount } }
  var isSpilled: Bool { !ranges.isEmpty }
  /// Bytes of rows in memory.
  var heldBytes: Int { sorted?.batch.approximateByteCount ?? 0 }

  /// The rows of a range in order; each range is read once.
  func makeReader(_ range: Int, batchSize: Int) -> any BatchReader {
    guard let rows = sorted else {
      return SortedRangeReader(
        ranges[range], isUniform: SortRanges.isUniform(range), keys, consumer, context)
    }
    let (start, end) = (rows.starts[range], rows.starts[range + 1])
    let entries = rows.entries.typed(SortEntry.self)
    rows.sorter.sort(entries + start, count: end - start)
    var next = start
    let chosen = Buffer(byteCount: (batchSize + 16) * 4)
    return GeneratingReader { () throws(QueryError) -> Batch? in
      if next >= end { return nil }
      let count = min(batchSize, end - next)
      let out = chosen.typed(Int32.self)
      var i = 0
      while i < count {
        out[i] = entries[next &+ i].row
        i &+= 1
      }
      next += count
      return rows.batch.take(out, count: count)
    }
  }

  /// All rows in order.
  func makeReader(batchSize: Int) -> any BatchReader {
    var range = 0
    var reader: (any BatchReader)?
    return GeneratingReader { [self] () throws(QueryError) -> Batch? in
      while true {
        if let batch = try reader?.next() { return batch }
        guard range < rangeCount else { return nil }
        reader = makeReader(range, batchSize: batchSize)
        range += 1
      }
    }
  }

  /// Lets the memory go.
  func release() {
    sorted = nil
    ranges = []
  }
}

/// Rows whose ranges are in order, and entries that each morsel still sorts.
private final class SortedRows: @unchecked Sendable {
  let batch: Batch
  let sorter: RowSorter
  let entries: Buffer
  let starts: [Int]
  let reservation: MemoryReservation

  init(_ batch: Batch, _ sorter: RowSorter, _ entries: Buffer, _ starts: [Int], _ reservation: MemoryReservation) {
    self.batch = batch
    self.sorter = sorter
    self.entries = entries
    self.starts = starts
    self.reservation = reservation
  }
}

/// Yields the rows of a sort, in order of its morsels.
final class SortedSource: MorselSource, @unchecked Sendable {
  private let sort: SortOperator
  private let batchSize: Int

  init(_ sort: SortOperator, batchSize: Int) {
    self.sort = sort
    self.batchSize = batchSize
    super.init(sort.node)
  }

  override var morselCount: Int { sort.keepsRows ? 0 : sort.rangeCount }

  override func open(_ morsel: Int, _ worker: Worker) throws(QueryError) -> any BatchReader {
    sort.makeReader(morsel, batchSize: batchSize)
  }

  override func release() { if !sort.keepsRows { sort.release() } }
}
