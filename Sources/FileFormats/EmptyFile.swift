import Columnar
import QueryErrors

/// A file without bytes among others: no rows, whatever its format.
struct EmptyFile: FormatFile {
  var rowCount: Int? { 0 }
  func statistics(of column: ScanColumn) -> ColumnStatistics? { ColumnStatistics(nullCount: 0) }
  func integerBounds(of column: ScanColumn) -> [ClosedRange<Int64>?]? { [] }
  func scanByteCount(of columns: [ScanColumn]) -> Int { 0 }

  func splits(_ request: ScanRequest, targetByteCount: Int, metrics: ScanMetrics) throws(QueryError) -> [Split] { [] }

  func makeReader(_ split: Split, _ request: ScanRequest, metrics: ScanMetrics) throws(QueryError) -> any BatchReader {
    throw QueryError.internalError("an empty file has no splits")
  }
}
