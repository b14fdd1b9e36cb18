import Columnar
import ObjectStore
import QueryErrors

/// Reads some row groups of a file, one after the other.
///
/// - Threads: one worker.
final class ParquetReader: BatchReader {
  private let file: ParquetFile
  private let request: ScanRequest
  private let plans: [ColumnPlan]
  private let metrics: ScanMetrics
  private let conditions: [ScanCondition]
  private let part: Range<Int>?
  private let sharedRowGroup: Int?
  private let decompressor = Decompressor()
  private let scratch: DecodeScratch

  // MARK: Changes while reading

  private var rowGroups: Range<Int>
  private var scan: RowGroupScan?
  private var rowsLeft: Int
  private var isFinished = false
  /// Reading without columns: rows of the current row group not yet yielded.
  private var countedRows = 0

  /// - Parameter part: the rows of the only row group that this reader reads; nil for all.
  init(
    _ file: ParquetFile, _ request: ScanRequest, _ plans: [ColumnPlan], _ rowGroups: Range<Int>, part: Range<Int>?,
    _ metrics: ScanMetrics
  ) {
    self.part = part
    self.file = file
    self.request = request
    self.plans = plans
    self.metrics = metrics
    self.rowGroups = rowGroups
    sharedRowGroup = part == nil ? nil : rowGroups.first
    rowsLeft = request.limit ?? .max
    scratch = DecodeScratch()
    conditions = request.predicates.map { ScanCondition($0, plans: plans) }
  }

  func next() throws(QueryError) -> Batch? {
    while rowsLeft > 0, !isFinished {
      if countedRows > 0 {
        let n = min(min(countedRows, max(request.batchSize, 1)), rowsLeft)
        countedRows -= n
        rowsLeft -= n
        return Batch(columns: [], rowCount: n)
      }
      if scan == nil {
        guard let number = rowGroups.popFirst() else { break }
        if request.columns.isEmpty, conditions.isEmpty {
          countedRows = part?.count ?? file.footer.rowGroups[number].rowCount
          continue
        }
        let context = RowGroupContext(
          file: file, rowGroup: number, rows: part ?? 0..<file.footer.rowGroups[number].rowCount,
          shared: part.map { _ in file.sharedReads(number, metrics) }, decompressor: decompressor, scratch: scratch)
        scan = try RowGroupScan.open(context, request, plans, conditions, metrics)
        if scan == nil { continue }
      }
      guard let batch = try scan!.next(rowsWanted: rowsLeft) else {
        scan!.close()
        scan = nil
        continue
      }
      if batch.rowCount == 0 { continue }
      if batch.rowCount > rowsLeft {
        let cut = batch.slice(offset: 0, count: rowsLeft)
        rowsLeft = 0
        return cut
      }
      rowsLeft -= batch.rowCount
      return batch
    }
    if !isFinished {
      isFinished = true
      scan?.close()
      scan = nil
      if let part, let number = sharedRowGroup { file.finish(part, ofRowGroup: number, metrics) }
      try file.source.checkUnchanged()
    }
    return nil
  }
}
