import CPostgreSQL
import Glibc
import QueryErrors

/// The functions of libpq, looked up in the shared library when the first catalog is connected to.
struct PostgreSQLLibrary: @unchecked Sendable {
  typealias Connection = OpaquePointer
  typealias Result = OpaquePointer
  typealias Text = UnsafePointer<CChar>

  let connectStart: @convention(c) (UnsafePointer<Text?>?, UnsafePointer<Text?>?, Int32) -> Connection?
  let connectPoll: @convention(c) (Connection?) -> PostgresPollingStatusType
  let status: @convention(c) (Connection?) -> ConnStatusType
  let finish: @convention(c) (Connection?) -> Void
  let socket: @convention(c) (Connection?) -> Int32
  let errorMessage: @convention(c) (Connection?) -> Text?
  let parameterStatus: @convention(c) (Connection?, Text) -> Text?
  let serverVersion: @convention(c) (Connection?) -> Int32
  let setNonBlocking: @convention(c) (Connection?, Int32) -> Int32
  let sendQuery: @convention(c) (Connection?, Text) -> Int32
  let sendPrepare: @convention(c) (Connection?, Text, Text, Int32, UnsafePointer<UInt32>?) -> Int32
  let sendDescribe: @convention(c) (Connection?, Text) -> Int32
  let flush: @convention(c) (Connection?) -> Int32
  let consumeInput: @convention(c) (Connection?) -> Int32
  let isBusy: @convention(c) (Connection?) -> Int32
  let getResult: @convention(c) (Connection?) -> Result?
  let resultStatus: @convention(c) (Result?) -> ExecStatusType
  let resultErrorField: @convention(c) (Result?, Int32) -> Text?
  let clear: @convention(c) (Result?) -> Void
  let rowCount: @convention(c) (Result?) -> Int32
  let columnCount: @convention(c) (Result?) -> Int32
  let columnType: @convention(c) (Result?, Int32) -> UInt32
  let value: @convention(c) (Result?, Int32, Int32) -> Text?
  let isNull: @convention(c) (Result?, Int32, Int32) -> Int32
  let getCopyData: @convention(c) (Connection?, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, Int32) -> Int32
  let putCopyData: @convention(c) (Connection?, Text?, Int32) -> Int32
  let putCopyEnd: @convention(c) (Connection?, Text?) -> Int32
  let free: @convention(c) (UnsafeMutableRawPointer?) -> Void
  let getCancel: @convention(c) (Connection?) -> OpaquePointer?
  let cancel: @convention(c) (OpaquePointer?, UnsafeMutablePointer<CChar>?, Int32) -> Int32
  let freeCancel: @convention(c) (OpaquePointer?) -> Void

  /// nil where the library is missing.
  static let shared = PostgreSQLLibrary()

  private init?() {
    var library: UnsafeMutableRawPointer?
    for name in ["libpq.so.5", "libpq.so", "libpq.5.dylib", "libpq.dylib"] where library == nil {
      library = dlopen(name, RTLD_NOW | RTLD_LOCAL)
    }
    guard let library else { return nil }
    var isComplete = true
    func symbol<F>(_ name: String) -> F {
      let found = dlsym(library, "PQ" + name)
      if found == nil { isComplete = false }
      return unsafeBitCast(found ?? library, to: F.self)
    }
    connectStart = symbol("connectStartParams")
    connectPoll = symbol("connectPoll")
    status = symbol("status")
    finish = symbol("finish")
    socket = symbol("socket")
    errorMessage = symbol("errorMessage")
    parameterStatus = symbol("parameterStatus")
    serverVersion = symbol("serverVersion")
    setNonBlocking = symbol("setnonblocking")
    sendQuery = symbol("sendQuery")
    sendPrepare = symbol("sendPrepare")
    sendDescribe = symbol("sendDescribePrepared")
    flush = symbol("flush")
    consumeInput = symbol("consumeInput")
    isBusy = symbol("isBusy")
    getResult = symbol("getResult")
    resultStatus = symbol("resultStatus")
    resultErrorField = symbol("resultErrorField")
    clear = symbol("clear")
    rowCount = symbol("ntuples")
    columnCount = symbol("nfields")
    columnType = symbol("ftype")
    value = symbol("getvalue")
    isNull = symbol("getisnull")
    getCopyData = symbol("getCopyData")
    putCopyData = symbol("putCopyData")
    putCopyEnd = symbol("putCopyEnd")
    free = symbol("freemem")
    getCancel = symbol("getCancel")
    cancel = symbol("cancel")
    freeCancel = symbol("freeCancel")
    if !isComplete { return nil }
  }

  static func missing() -> QueryError {
    .notSupported(
      "PostgreSQL needs the library libpq, which is not installed",
      hint: "Install it, on Debian with: apt-get install libpq5")
  }
}
