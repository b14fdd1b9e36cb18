import Columnar
package import QueryErrors

/// The rows a kernel failed on.
///
/// Kernels record and go on; the evaluator throws the first error, or inside `TRY` makes the failed rows NULL.
package struct RowErrors {
  /// The first error recorded: the one with the lowest row.
  package private(set) var first: (row: Int, error: QueryError)?
  /// All rows recorded, when they are collected for `TRY`.
  package private(set) var failedRows: [Int32] = []
  private let isCollecting: Bool

  /// - Parameter collecting: whether to keep every failed row, as `TRY` needs.
  package init(collecting: Bool = false) { isCollecting = collecting }

  package var isEmpty: Bool { first == nil && failedRows.isEmpty }
  package var collectsRows: Bool { isCollecting }

  /// Records that `row` has no value; the result's value there is ignored.
  @inline(never)
  package mutating func record(_ row: Int, _ code: ErrorCode, _ message: @autoclosure () -> String) {
    if isCollecting, code.isCaughtByTry {
      failedRows.append(Int32(row))
    } else if first == nil || row < first!.row {
      first = (row, QueryError(code, message()))
    }
  }

  /// Records an error made elsewhere.
  @inline(never)
  package mutating func record(_ row: Int, _ error: QueryError) {
    if isCollecting, error.code.isCaughtByTry {
      failedRows.append(Int32(row))
    } else if first == nil || row < first!.row {
      first = (row, error)
    }
  }
}
