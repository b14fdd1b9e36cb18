import CPostgreSQL
import ConnectorSDK
import Glibc
import QueryErrors
import Synchronization

/// How to reach a server.
struct PostgreSQLAddress: Sendable {
  /// libpq's own keywords.
  var parameters: [(name: String, value: String)]
  /// Seconds without a byte after which a server counts as gone; nil for as long as its socket holds.
  var readTimeout: Int?
}

/// A connection to a server; every wait looks at whether the query was stopped.
///
/// - Threads: one at a time, as its user sees to.
final class PostgreSQLConnection: @unchecked Sendable {
  let context: ConnectorContext
  private let library: PostgreSQLLibrary
  private let handle: OpaquePointer?
  private let readTimeout: Int?
  /// Whether the server was asked to end what it does.
  private var wasStopped = false
  /// Whether the answer is wanted also of a query that was stopped: it tells whether rows were added.
  private var awaitsCommit = false

  /// Milliseconds between two looks at whether the query was stopped.
  private static let lookMilliseconds: Int32 = 20

  /// - Throws: `JDBC_ERROR`, `USER_CANCELED`.
  init(_ address: PostgreSQLAddress, _ context: ConnectorContext) throws(QueryError) {
    guard let library = PostgreSQLLibrary.shared else { throw PostgreSQLLibrary.missing() }
    self.context = context
    self.library = library
    readTimeout = address.readTimeout
    let names = address.parameters.map { strdup($0.name) }
    let values = address.parameters.map { strdup($0.value) }
    defer {
      for pointer in names + values { free(pointer) }
    }
    handle = library.connectStart(names.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 0)
    let seconds = address.parameters.first { $0.name == "connect_timeout" }.flatMap { Int($0.value) } ?? 10
    let deadline = PostgreSQLConnection.milliseconds() + seconds * 1000
    var wanted = PGRES_POLLING_WRITING
    while true {
      guard handle != nil, library.status(handle) != CONNECTION_BAD else { throw cannotConnect() }
      if wanted == PGRES_POLLING_OK { break }
      if wanted == PGRES_POLLING_FAILED { throw cannotConnect() }
      if context.isCancelled() { throw PostgreSQLConnection.cancelled() }
      guard PostgreSQLConnection.milliseconds() < deadline else {
        throw .foreign(context.catalog, "cannot connect: no answer within \(seconds) s")
      }
      if wait(wanted == PGRES_POLLING_READING ? Int16(POLLIN) : Int16(POLLOUT)) { wanted = library.connectPoll(handle) }
    }
    _ = library.setNonBlocking(handle, 1)
  }

  deinit { library.finish(handle) }

  private func cannotConnect() -> QueryError {
    .foreign(context.catalog, "cannot connect: \(message)")
  }

  /// libpq's last message, in one line.
  private var message: String {
    let text = library.errorMessage(handle).map { String(cString: $0) } ?? "out of memory"
    return text.split(separator: "\n").joined(separator: " ")
  }

  private static func cancelled() -> QueryError { QueryError(.userCanceled, "Query was canceled") }

  private static func milliseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }

  /// Waits some milliseconds for the socket; whether it is ready.
  private func wait(_ events: Int16) -> Bool {
    var descriptor = pollfd(fd: library.socket(handle), events: events, revents: 0)
    return poll(&descriptor, 1, PostgreSQLConnection.lookMilliseconds) > 0
  }

  /// Waits until the server has said something, and takes it in.
  private func receive() throws(QueryError) {
    let start = PostgreSQLConnection.milliseconds()
    while !wait(Int16(POLLIN)) {
      if context.isCancelled() {
        stop()
        if !awaitsCommit { throw PostgreSQLConnection.cancelled() }
      }
      if let readTimeout, PostgreSQLConnection.milliseconds() - start > readTimeout * 1000 {
        throw .foreign(context.catalog, "the server has said nothing for \(readTimeout) s (read_timeout)")
      }
    }
    if library.consumeInput(handle) == 0 { throw lost() }
  }

  private func lost() -> QueryError {
    .foreign(
      context.catalog, "the connection was lost: \(message)",
      hint: awaitsCommit ? "It was lost while rows were committed: all of them may have been added, or none." : nil)
  }

  /// Asks the server to end what it does, once.
  func stop() {
    guard !wasStopped, let cancel = library.getCancel(handle) else { return }
    wasStopped = true
    var buffer = [CChar](repeating: 0, count: 256)
    _ = library.cancel(cancel, &buffer, Int32(buffer.count))
    library.freeCancel(cancel)
  }

  var serverVersion: Int { Int(library.serverVersion(handle)) }

  func parameter(_ name: String) -> String? { library.parameterStatus(handle, name).map { String(cString: $0) } }

  // MARK: Statements

  /// A few rows, as texts.
  @discardableResult
  func rows(_ sql: String) throws(QueryError) -> [[String?]] {
    try send(sql)
    var rows: [[String?]] = []
    var failure: QueryError?
    while let result = try nextResult() {
      defer { library.clear(result) }
      switch library.resultStatus(result) {
      case PGRES_TUPLES_OK:
        for row in 0..<library.rowCount(result) {
          rows.append(
            (0..<library.columnCount(result)).map { column in
              library.isNull(result, row, column) == 1 ? nil : library.value(result, row, column).map { String(cString: $0) }
            })
        }
      case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
      default: failure = failure ?? self.failure(result)
      }
    }
    if let failure { throw failure }
    return rows
  }

  private func send(_ sql: String) throws(QueryError) {
    if context.isCancelled() { throw PostgreSQLConnection.cancelled() }
    guard library.sendQuery(handle, sql) == 1 else { throw lost() }
    try flush()
  }

  private func flush() throws(QueryError) {
    while true {
      switch library.flush(handle) {
      case 0: return
      case 1:
        // The server may be waiting for us to read what it says.
        if !wait(Int16(POLLOUT) | Int16(POLLIN)), context.isCancelled() {
          stop()
          throw PostgreSQLConnection.cancelled()
        }
        if library.consumeInput(handle) == 0 { throw lost() }
      default: throw lost()
      }
    }
  }

  /// The next result of what was sent; nil behind the last.
  private func nextResult() throws(QueryError) -> OpaquePointer? {
    while library.isBusy(handle) == 1 { try receive() }
    return library.getResult(handle)
  }

  private func failure(_ result: OpaquePointer) -> QueryError {
    func field(_ code: UInt8) -> String? { library.resultErrorField(result, Int32(code)).map { String(cString: $0) } }
    let (state, primary) = (field(UInt8(ascii: "C")), field(UInt8(ascii: "M")) ?? message)
    if context.isCancelled() { return PostgreSQLConnection.cancelled() }
    switch state {
    case "22003": return QueryError(.numericValueOutOfRange, "Catalog '\(context.catalog)': \(primary)")
    case nil: return lost()
    case let state?:
      return .foreign(context.catalog, "\(primary) (SQLSTATE \(state))", hint: field(UInt8(ascii: "H")))
    }
  }

  /// The types (`pg_type.oid`) of the columns that a query yields. The tables it reads keep their columns from now on, until
  /// the transaction ends.
  func columnTypes(_ sql: String) throws(QueryError) -> [Int] {
    if context.isCancelled() { throw PostgreSQLConnection.cancelled() }
    guard library.sendPrepare(handle, "", sql, 0, nil) == 1 else { throw lost() }
    try expectDone()
    guard library.sendDescribe(handle, "") == 1 else { throw lost() }
    try flush()
    var types: [Int] = []
    var failure: QueryError?
    while let result = try nextResult() {
      defer { library.clear(result) }
      if library.resultStatus(result) == PGRES_COMMAND_OK {
        types = (0..<library.columnCount(result)).map { Int(library.columnType(result, $0)) }
      } else {
        failure = failure ?? self.failure(result)
      }
    }
    if let failure { throw failure }
    return types
  }

  /// Takes in what follows a command that yields nothing.
  private func expectDone() throws(QueryError) {
    try flush()
    var failure: QueryError?
    while let result = try nextResult() {
      if library.resultStatus(result) != PGRES_COMMAND_OK { failure = failure ?? self.failure(result) }
      library.clear(result)
    }
    if let failure { throw failure }
  }

  // MARK: COPY

  /// Begins `COPY … TO STDOUT` or `COPY … FROM STDIN`.
  func beginCopy(_ sql: String, _ expected: ExecStatusType) throws(QueryError) {
    try send(sql)
    guard let result = try nextResult() else { throw lost() }
    defer { library.clear(result) }
    if library.resultStatus(result) != expected { throw failure(result) }
  }

  /// The bytes of the next message of a COPY, which `release` gives back; nil at its end.
  func copyMessage() throws(QueryError) -> UnsafeMutableRawBufferPointer? {
    var buffer: UnsafeMutablePointer<CChar>?
    while true {
      let count = library.getCopyData(handle, &buffer, 1)
      if count > 0 { return UnsafeMutableRawBufferPointer(start: buffer, count: Int(count)) }
      switch count {
      case 0: try receive()
      case -1:
        try expectDone()
        return nil
      default: throw lost()
      }
    }
  }

  func release(_ message: UnsafeMutableRawBufferPointer) { library.free(message.baseAddress) }

  /// Sends bytes of a COPY.
  func sendCopy(_ bytes: [UInt8]) throws(QueryError) {
    while true {
      let answer = bytes.withUnsafeBytes {
        library.putCopyData(handle, $0.bindMemory(to: CChar.self).baseAddress, Int32($0.count))
      }
      switch answer {
      case 1: return try flush()
      case 0: try flush()
      default: throw lost()
      }
    }
  }

  /// Ends a COPY to the server.
  ///
  /// - Parameter message: why the rows are not to count; nil when they do.
  func finishCopy(_ message: String?) throws(QueryError) {
    while library.putCopyEnd(handle, message) == 0 { try flush() }
    awaitsCommit = message == nil
    try expectDone()
  }
}
