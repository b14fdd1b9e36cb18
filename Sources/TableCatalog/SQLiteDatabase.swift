import CSQLite
package import QueryErrors

/// A SQLite file: statements with bound values, rows as texts.
///
/// - Threads: one at a time; several processes may share the file (WAL, busy timeout).
package final class SQLiteDatabase {
  private var handle: OpaquePointer?
  package let path: String

  /// A value bound to a statement or read from a row.
  package enum Value: Hashable, Sendable {
    case null
    case integer(Int64)
    case double(Double)
    case text(String)

    package var text: String? { if case .text(let text) = self { text } else { nil } }
    package var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
    package var double: Double? {
      switch self {
      case .double(let number): number
      case .integer(let number): Double(number)
      default: nil
      }
    }
  }

  private static let busyTimeoutMilliseconds: Int32 = 10_000
  /// Pages (of 4 KB) of the write-ahead log above which a commit copies them into the file.
  private static let checkpointPages = 256

  /// Opens the file, made if absent.
  package init(path: String) throws(QueryError) {
    self.path = path
    guard sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK
    else {
      let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
      sqlite3_close_v2(handle)
      throw QueryError(
        .hiveMetastoreError, "Cannot open the catalog at \(path): \(message)",
        hint: "Choose another folder with --home, or check its permissions.")
    }
    sqlite3_busy_timeout(handle, SQLiteDatabase.busyTimeoutMilliseconds)
    try run("PRAGMA journal_mode=WAL")
    try run("PRAGMA synchronous=NORMAL")
    try run("PRAGMA foreign_keys=ON")
    // Copying the log back at each close would sync and delete files at the end of each one-shot query (5 ms); it is
    // copied back once it is long enough instead.
    csqlite_keep_log_on_close(handle)
    try run("PRAGMA wal_autocheckpoint=\(SQLiteDatabase.checkpointPages)")
  }

  deinit { sqlite3_close_v2(handle) }

  /// Runs one statement and returns its rows.
  @discardableResult
  package func run(_ sql: String, _ values: [Value] = []) throws(QueryError) -> [[Value]] {
    var statement: OpaquePointer?
    guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK else { throw failure() }
    defer { sqlite3_finalize(statement) }
    for (index, value) in values.enumerated() {
      let position = Int32(index + 1)
      switch value {
      case .null: sqlite3_bind_null(statement, position)
      case .integer(let number): sqlite3_bind_int64(statement, position, number)
      case .double(let number): sqlite3_bind_double(statement, position, number)
      case .text(let text):
        // SQLITE_TRANSIENT: SQLite copies the text.
        sqlite3_bind_text(statement, position, text, -1, unsafeBitCast(-1, to: sqlite3_destructor_type.self))
      }
    }
    var rows: [[Value]] = []
    while true {
      switch sqlite3_step(statement) {
      case SQLITE_ROW:
        rows.append(
          (0..<sqlite3_column_count(statement)).map { column in
            switch sqlite3_column_type(statement, column) {
            case SQLITE_INTEGER: .integer(sqlite3_column_int64(statement, column))
            case SQLITE_FLOAT: .double(sqlite3_column_double(statement, column))
            case SQLITE_TEXT: .text(String(cString: sqlite3_column_text(statement, column)))
            default: .null
            }
          })
      case SQLITE_DONE: return rows
      default: throw failure()
      }
    }
  }

  /// Runs several statements as one; all or none take effect.
  package func transaction<T>(_ body: () throws(QueryError) -> T) throws(QueryError) -> T {
    try run("BEGIN IMMEDIATE")
    do throws(QueryError) {
      let result = try body()
      try run("COMMIT")
      return result
    } catch {
      _ = try? run("ROLLBACK")
      throw error
    }
  }

  private func failure() -> QueryError {
    QueryError(.hiveMetastoreError, "Catalog \(path): \(String(cString: sqlite3_errmsg(handle)))")
  }
}
