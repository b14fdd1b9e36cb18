import Columnar
import QueryErrors

/// A file without bytes among others: no rows, whatever its format.
struct EmptyFile: FormatFile, FileScan {
  var rowCount: Int? { 0 }
  func statistics(of column: ScanColumn) -> ColumnStatistics? { ColumnStatistics(nullCount: 0) }
  func blockBounds(of column: ScanColumn) -> [ClosedRange<Int64>?]? { [] }
  func scanByteCount(of columns: [ScanColumn]) -> Int { 0 }
  func scan(_ request: ScanRequest, metrics: ScanMetrics) throws(QueryError) -> any FileScan { self }

  func splits(targetByteCount: Int, unit: SplitUnit) throws(QueryError) -> [Split] { [] }

  func makeReader(_ split: Split) throws(QueryError) -> any BatchReader {
    throw QueryError.internalError("an empty file has no splits")
  }
}
