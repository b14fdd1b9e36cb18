import CSQLite
import Glibc
package import QueryErrors

/// A SQLite file: statements with bound values, rows as texts.
///
/// - Threads: any, one statement or transaction at a time; several processes may share the file (WAL, busy timeout).
package final class SQLiteDatabase: @unchecked Sendable {
  private var handle: OpaquePointer?
  /// Guards `handle`; a transaction holds it from beginning to end.
  private let lock = RecursiveLock()
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
  /// Rounds of some milliseconds; on top of the busy timeout where SQLite keeps to that.
  private static let busyRetryCount = 1000
  /// Pages (of 4 KB) of the write-ahead log above which a commit copies them into the file.
  private static let checkpointPages = 256

  /// Whether nothing can be written: the file's folder is read-only.
  package private(set) var isReadOnly = false

  /// Opens the file, made if absent; in a folder that cannot be written it is read as it is.
  package init(path: String) throws(QueryError) {
    self.path = path
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
    guard sqlite3_open_v2(path, &handle, flags, nil) == SQLITE_OK else {
      try openReadOnly()
      return
    }
    // SQLite opens a file that it may not write for reading; a log cannot be kept beside it then.
    if sqlite3_db_readonly(handle, "main") == 1 {
      sqlite3_close_v2(handle)
      try openReadOnly()
      return
    }
    sqlite3_busy_timeout(handle, SQLiteDatabase.busyTimeoutMilliseconds)
    if path != ":memory:" {
      // What a statement says and what it found is nobody else's business.
      chmod(path, 0o600)
      if try run("PRAGMA journal_mode").first?.first?.text != "wal" { try run("PRAGMA journal_mode=WAL") }
    }
    try run("PRAGMA synchronous=NORMAL")
    try run("PRAGMA foreign_keys=ON")
    // Copying the log back at each close would sync and delete files at the end of each one-shot query (5 ms); it is
    // copied back once it is long enough instead.
    csqlite_keep_log_on_close(handle)
    try run("PRAGMA wal_autocheckpoint=\(SQLiteDatabase.checkpointPages)")
  }

  /// Opens an existing file whose folder cannot be written, or an empty database where there is none.
  private func openReadOnly() throws(QueryError) {
    handle = nil
    isReadOnly = true
    var encoded = ""
    for byte in path.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2e, 0x2f, 0x2d, 0x5f: encoded.unicodeScalars.append(UnicodeScalar(byte))
      default: encoded += "%" + String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
      }
    }
    let exists = access(path, R_OK) == 0
    // The folder may be missing because it cannot be made.
    guard exists || errno == ENOENT || errno == ENOTDIR || errno == EACCES else { throw cannotOpen(String(cString: strerror(errno))) }
    if !exists, errno == EACCES { throw cannotOpen("Permission denied") }
    // Without a log beside it nothing can be shared with a writer: the file is taken as one that does not change.
    let name = exists ? "file:\(encoded)?immutable=1" : ":memory:"
    let flags = (exists ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX
    guard sqlite3_open_v2(name, &handle, flags, nil) == SQLITE_OK else {
      throw cannotOpen(handle.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory")
    }
  }

  private func cannotOpen(_ message: String) -> QueryError {
    sqlite3_close_v2(handle)
    handle = nil
    return QueryError(
      .hiveMetastoreError, "Cannot open the catalog at \(path): \(message)",
      hint: "Choose another folder with --home, or check its permissions.")
  }

  deinit { sqlite3_close_v2(handle) }

  /// Runs one statement and returns its rows.
  @discardableResult
  package func run(_ sql: String, _ values: [Value] = []) throws(QueryError) -> [[Value]] {
    lock.lock()
    defer { lock.unlock() }
    var statement: OpaquePointer?
    var waits = 0
    while sqlite3_prepare_v2(handle, sql, -1, &statement, nil) != SQLITE_OK {
      // Reading the schema may meet another process that sets the log up.
      guard sqlite3_errcode(handle) == SQLITE_BUSY, waits < SQLiteDatabase.busyRetryCount else { throw failure() }
      waits += 1
      usleep(UInt32.random(in: 1_000...10_000))
    }
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
      case SQLITE_BUSY where rows.isEmpty && sqlite3_get_autocommit(handle) != 0 && waits < SQLiteDatabase.busyRetryCount:
        // Some steps (the change to a write-ahead log, its recovery) fail at once although another process is only
        // about to finish.
        waits += 1
        sqlite3_reset(statement)
        usleep(UInt32.random(in: 1_000...10_000))
      default: throw failure()
      }
    }
  }

  /// Runs several statements as one; all or none take effect. Within another it is part of that one.
  package func transaction<T>(_ body: () throws(QueryError) -> T) throws(QueryError) -> T {
    lock.lock()
    defer { lock.unlock() }
    if sqlite3_get_autocommit(handle) == 0 { return try body() }
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
    let message = "Catalog \(path): \(String(cString: sqlite3_errmsg(handle)))"
    switch sqlite3_errcode(handle) {
    case SQLITE_FULL: return QueryError(.diskFull, message, hint: "Make room on the disk of --home, or choose another.")
    case SQLITE_READONLY:
      return QueryError(.hiveMetastoreError, message, hint: "The home cannot be written; choose another folder with --home.")
    default: return QueryError(.hiveMetastoreError, message)
    }
  }
}

/// A mutex that its owner may lock again.
private final class RecursiveLock: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>

  init() {
    mutex = .allocate(capacity: 1)
    var attributes = pthread_mutexattr_t()
    pthread_mutexattr_init(&attributes)
    pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
    pthread_mutex_init(mutex, &attributes)
    pthread_mutexattr_destroy(&attributes)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  func lock() { pthread_mutex_lock(mutex) }
  func unlock() { pthread_mutex_unlock(mutex) }
}
