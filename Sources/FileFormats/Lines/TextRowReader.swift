import Columnar
import Glibc
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
  private let evaluators: [any ScanPredicateEvaluator]
  private var remaining: Int
  private let selection: UnsafeMutablePointer<Int32>
  private let subselection: UnsafeMutablePointer<Int32>
  private let batchSize: Int
  private var isDone = false

  init(_ request: ScanRequest, metrics: ScanMetrics) {
    self.request = request
    self.metrics = metrics
    batchSize = max(1, min(request.batchSize, 1 << 20))
    evaluators = request.predicates.map { $0.makeEvaluator() }
    remaining = request.limit ?? .max
    selection = .allocate(capacity: batchSize + 16)
    subselection = .allocate(capacity: batchSize + 16)
  }

  deinit {
    selection.deallocate()
    subselection.deallocate()
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

  /// Called once behind the last row.
  func finish() throws(QueryError) {}

  // MARK: Reading

  package func next() throws(QueryError) -> Batch? {
    while !isDone {
      if remaining <= 0 { break }
      // Without predicates every row counts towards the limit.
      let wanted = evaluators.isEmpty ? min(batchSize, remaining) : batchSize
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
    var rowCount = loaded
    var columns = [Column?](repeating: nil, count: request.columns.count)
    var isSelected = false
    for (index, predicate) in request.predicates.enumerated() {
      var inputs: [Column] = []
      for column in predicate.columns {
        if columns[column] == nil {
          columns[column] = try self.column(column, rows: isSelected ? UnsafePointer(selection) : nil, count: rowCount)
        }
        inputs.append(columns[column]!)
      }
      let passed = try evaluators[index].select(inputs, rowCount: rowCount, into: subselection)
      if passed == 0 { return nil }
      if passed == rowCount { continue }
      if isSelected {
        for k in 0..<passed { selection[k] = selection[Int(subselection[k])] }
      } else {
        memcpy(selection, subselection, passed * 4)
        isSelected = true
      }
      let later = request.predicates[(index + 1)...]
      for column in columns.indices where columns[column] != nil {
        if request.predicateOnlyColumns.contains(column), !later.contains(where: { $0.columns.contains(column) }) {
          columns[column] = Column.nulls(request.columns[column].type, count: passed)
        } else {
          columns[column] = columns[column]!.take(subselection, count: passed)
        }
      }
      rowCount = passed
    }
    var result: [Column] = []
    result.reserveCapacity(columns.count)
    for index in columns.indices {
      if let column = columns[index] {
        result.append(column)
      } else if request.predicateOnlyColumns.contains(index) {
        result.append(Column.nulls(request.columns[index].type, count: rowCount))
      } else {
        result.append(try column(index, rows: isSelected ? UnsafePointer(selection) : nil, count: rowCount))
      }
    }
    return Batch(columns: result, rowCount: rowCount)
  }
}
