import Columnar
import ObjectStore
import QueryErrors

/// Reads batches from text records: finds rows, applies predicates, converts what is left.
///
/// Subclasses find the records and their fields; this class never sees a byte.
///
/// - Threads: one owner.
class TextRowReader: BatchReader {
  let request: ScanRequest
  let metrics: ScanMetrics
  private let filter: WindowFilter
  private var remaining: Int
  private let batchSize: Int
  private var windowCount = 0
  private var isDone = false
  /// Rows of the window that were noted as bad.
  private var badRows: Set<Int> = []

  init(_ request: ScanRequest, metrics: ScanMetrics) {
    self.request = request
    self.metrics = metrics
    batchSize = max(1, min(request.batchSize, 1 << 20))
    // Fields are found before any is converted: numbers and texts then cost about the same.
    let costs = [Double](repeating: 1, count: request.columns.count)
    filter = WindowFilter(
      request.predicates.map { ScanCondition($0, costs: costs) }, request, windowRowCount: batchSize)
    remaining = request.limit ?? .max
  }

  // MARK: For subclasses

  /// Finds the next rows, at most `limit`; 0 at the end of the split.
  func loadRows(limit: Int) throws(QueryError) -> Int {
    preconditionFailure("loadRows is for subclasses")
  }

  /// The values of one requested column for all loaded rows, or for `rows` of them.
  func column(_ index: Int, rows: UnsafePointer<Int32>?, count: Int) throws(QueryError) -> Column {
    preconditionFailure("column is for subclasses")
  }

  /// Notes that a row of the window has a value that cannot be read; the value is NULL, or the row will be left out.
  ///
  /// - Throws: the error, where bad rows fail the query or there are too many.
  final func note(badRow row: Int, _ error: () throws(QueryError) -> QueryError) throws(QueryError) {
    guard let policy = request.badRows else { throw try error() }
    if badRows.insert(row).inserted { try policy.note(try error()) }
  }

  /// Called once behind the last row.
  func finish() throws(QueryError) {}

  // MARK: Reading

  package func next() throws(QueryError) -> Batch? {
    while !isDone {
      if remaining <= 0 { break }
      // Without predicates every row counts towards the limit.
      let wanted = filter.isEmpty ? min(batchSize, remaining) : batchSize
      let rowCount = try loadRows(limit: wanted)
      if rowCount == 0 {
        isDone = true
        try finish()
        break
      }
      metrics.add(rowsRead: rowCount)
      if var batch = try makeBatch(rowCount) {
        if batch.rowCount > remaining { batch = batch.slice(offset: 0, count: remaining) }
        remaining -= batch.rowCount
        metrics.add(rowsPassed: batch.rowCount)
        return batch
      }
    }
    isDone = true
    return nil
  }

  /// The rows that pass all predicates, or nil when none does.
  private func makeBatch(_ loaded: Int) throws(QueryError) -> Batch? {
    badRows.removeAll(keepingCapacity: true)
    let found = try filter.apply(rowCount: loaded) { [self] (column, rows, count, _) throws(QueryError) in
      try self.column(column, rows: rows, count: count)
    }
    windowCount += 1
    if windowCount & 15 == 0 { filter.sort { _ in false } }
    let rowCount = filter.passedCount
    if rowCount == 0 { return nil }
    var result: [Column] = []
    result.reserveCapacity(found.count)
    for index in found.indices {
      if let column = found[index] {
        result.append(column)
      } else if request.predicateOnlyColumns.contains(index) {
        result.append(Column.nulls(request.columns[index].type, count: rowCount))
      } else {
        result.append(try column(index, rows: filter.passed, count: rowCount))
      }
    }
    let batch = Batch(columns: result, rowCount: rowCount)
    return badRows.isEmpty || request.badRows?.action == .null ? batch : withoutBadRows(batch)
  }

  /// The rows of a batch that could be read; nil when none could.
  private func withoutBadRows(_ batch: Batch) -> Batch? {
    let passed = filter.passed
    var good: [Int32] = []
    for place in 0..<batch.rowCount where !badRows.contains(passed.map { Int($0[place]) } ?? place) { good.append(Int32(place)) }
    if good.isEmpty { return nil }
    return good.withUnsafeBufferPointer { rows in
      Batch(columns: batch.columns.map { $0.take(rows.baseAddress!, count: rows.count) }, rowCount: rows.count)
    }
  }
}
