import CSQLite
import ConnectorSDK
import QueryErrors

/// An open file; statements run on it give way when the query is stopped.
///
/// - Threads: any, one call at a time (SQLite's own lock).
final class SQLiteConnection: @unchecked Sendable {
  let context: ConnectorContext
  let handle: OpaquePointer?

  /// Instructions of SQLite's machine between two looks at whether the query was stopped: some 100 µs.
  private static let instructionsPerLook: Int32 = 5_000
  private static let busyTimeoutMilliseconds: Int32 = 5_000

  init(path: String, writes: Bool = false, _ context: ConnectorContext) throws(QueryError) {
    self.context = context
    var opened: OpaquePointer?
    let flags = (writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_FULLMUTEX
    let code = sqlite3_open_v2(path, &opened, flags, nil)
    handle = opened
    guard code == SQLITE_OK else {
      let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
      throw .foreign(context.catalog, "cannot open \(path): \(message)")
    }
    sqlite3_busy_timeout(handle, SQLiteConnection.busyTimeoutMilliseconds)
    sqlite3_progress_handler(
      handle, SQLiteConnection.instructionsPerLook,
      { connection in
        guard let connection else { return 0 }
        return Unmanaged<SQLiteConnection>.fromOpaque(connection).takeUnretainedValue().context.isCancelled() ? 1 : 0
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  deinit { sqlite3_close_v2(handle) }

  func prepare(_ sql: String) throws(QueryError) -> OpaquePointer {
    var statement: OpaquePointer?
    guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, let statement else { throw failure() }
    return statement
  }

  /// Whether a statement could be run.
  func accepts(_ sql: String) -> Bool {
    var statement: OpaquePointer?
    defer { sqlite3_finalize(statement) }
    return sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK
  }

  func run(_ sql: String) throws(QueryError) { _ = try rows(sql) }

  /// A few rows, as texts.
  func rows(_ sql: String) throws(QueryError) -> [[String?]] {
    let statement = try prepare(sql)
    defer { sqlite3_finalize(statement) }
    var rows: [[String?]] = []
    while true {
      switch sqlite3_step(statement) {
      case SQLITE_ROW:
        rows.append(
          (0..<sqlite3_column_count(statement)).map { column in
            sqlite3_column_text(statement, column).map { String(cString: $0) }
          })
      case SQLITE_DONE: return rows
      default: throw failure()
      }
    }
  }

  func failure() -> QueryError {
    let code = sqlite3_errcode(handle)
    if code == SQLITE_INTERRUPT || context.isCancelled() { return QueryError(.userCanceled, "Query was canceled") }
    let message = String(cString: sqlite3_errmsg(handle))
    if code & 0xff == SQLITE_ERROR, message == "integer overflow" {
      return QueryError(.numericValueOutOfRange, "bigint sum overflow at catalog '\(context.catalog)'")
    }
    return .foreign(context.catalog, message)
  }
}
