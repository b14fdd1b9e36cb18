import Columnar
import QueryErrors

/// Reads some blocks of a file, one after the other.
///
/// - Threads: one worker.
final class BlockReader: BatchReader {
  private let request: ScanRequest
  private let source: any BlockSource
  private let metrics: ScanMetrics
  private let conditions: [ScanCondition]

  // MARK: Changes while reading

  private var blocks: Range<Int>
  private var scan: BlockScan?
  private var rowsLeft: Int
  private var isFinished = false
  /// Reading without columns: rows of the current block not yet yielded.
  private var countedRows = 0

  /// - Parameter costs: what decoding and testing a value of each column costs, relative to a number's.
  init(_ request: ScanRequest, _ blocks: Range<Int>, of source: any BlockSource, costs: [Double], _ metrics: ScanMetrics) {
    self.request = request
    self.source = source
    self.metrics = metrics
    self.blocks = blocks
    rowsLeft = request.limit ?? .max
    conditions = request.predicates.map { ScanCondition($0, costs: costs) }
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
        guard let number = blocks.popFirst() else { break }
        if request.columns.isEmpty, conditions.isEmpty {
          countedRows = source.rowCount(ofBlock: number)
          continue
        }
        if source.rowCount(ofBlock: number) == 0 { continue }
        scan = try BlockScan.open(try source.open(number), request, conditions, metrics)
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
      try source.finish()
    }
    return nil
  }
}
