import CCurl
import Glibc
import ObjectStore
package import QueryErrors
import Synchronization

/// Sends requests and takes their answers on one thread, over connections that stay open.
///
///     workers → submit → queue → the transport's thread: curl_multi, one handle a transfer → finish → workers wake
///
/// - Threads: any may submit.
package final class HTTPTransport: Sendable {
  private let loop: HTTPLoop

  /// - Parameter certificates: a file of those to trust; nil for the system's.
  /// - Throws: `NOT_SUPPORTED` when libcurl is not installed.
  package init(certificates: String? = nil) throws(QueryError) {
    guard let library = CurlLibrary.shared else { throw CurlLibrary.missing() }
    guard let loop = HTTPLoop(library, certificates) else {
      throw QueryError(.hiveFilesystemError, "The network cannot be used: out of memory or threads")
    }
    self.loop = loop
  }

  deinit { loop.end() }

  package func submit(_ request: HTTPRequest) -> HTTPTransfer {
    let transfer = HTTPTransfer(request)
    loop.add(transfer)
    return transfer
  }

  /// Makes the thread look for transfers that were given up.
  package func wake() { loop.wake() }
}

/// The thread's own state. It lives until the transport goes.
private final class HTTPLoop: @unchecked Sendable {
  private struct Queue {
    var waiting: [HTTPTransfer] = []
    var hasEnded = false
  }

  private let library: CurlLibrary
  private let certificates: String?
  private let multi: UnsafeMutableRawPointer
  private let queue = Mutex(Queue())
  /// Of the thread alone.
  private var active: [UnsafeMutableRawPointer: HTTPTransfer] = [:]
  private let hasStopped = Atomic<Bool>(false)

  /// Connections kept to one host; transfers beyond wait for one.
  private static let connectionsOfHost = 10
  private static let receiveBufferByteCount = 512 << 10

  init?(_ library: CurlLibrary, _ certificates: String?) {
    guard let multi = library.multiInit() else { return nil }
    self.library = library
    self.certificates = certificates
    self.multi = multi
    _ = ccurl_multi_set_long(library.multiSetopt, multi, CURLMOPT_MAX_HOST_CONNECTIONS, HTTPLoop.connectionsOfHost)
    _ = ccurl_multi_set_long(library.multiSetopt, multi, CURLMOPT_MAXCONNECTS, 4 * HTTPLoop.connectionsOfHost)
    var thread = pthread_t()
    let retained = Unmanaged.passRetained(self)
    let started = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<HTTPLoop>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, retained.toOpaque())
    guard started == 0 else {
      retained.release()
      _ = library.multiCleanup(multi)
      return nil
    }
    pthread_detach(thread)
    HTTPLoopsAtExit.add(self)
  }

  func add(_ transfer: HTTPTransfer) {
    let isOpen = queue.withLock { queue in
      if !queue.hasEnded { queue.waiting.append(transfer) }
      return !queue.hasEnded
    }
    if isOpen { wake() } else { transfer.finish(failure: (0, "the program is ending")) }
  }

  func wake() { _ = library.multiWakeup(multi) }

  func end() {
    queue.withLock { $0.hasEnded = true }
    wake()
  }

  /// Ends the thread and waits for it: libcrypto must not be taken down under it.
  func endAtExit() {
    end()
    for _ in 0..<200 where !hasStopped.load(ordering: .acquiring) { usleep(1000) }
  }

  private func run() {
    while true {
      let (added, hasEnded) = queue.withLock { queue in
        defer { queue.waiting = [] }
        return (queue.waiting, queue.hasEnded)
      }
      for transfer in added { start(transfer) }
      for (handle, transfer) in active where transfer.wasGivenUp || hasEnded {
        close(handle, transfer, failure: (0, "given up"))
      }
      if hasEnded { break }
      var running: Int32 = 0
      _ = library.multiPerform(multi, &running)
      var left: Int32 = 0
      while let message = library.multiInfo(multi, &left) {
        guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
          let transfer = active[handle]
        else { continue }
        let result = ccurl_message_result(message)
        let text = library.easyError(result).map { String(cString: $0) } ?? "error \(result.rawValue)"
        close(handle, transfer, failure: result == CURLE_OK ? nil : (Int(result.rawValue), text))
      }
      _ = library.multiPoll(multi, nil, 0, 1000, nil)
    }
    _ = library.multiCleanup(multi)
    hasStopped.store(true, ordering: .releasing)
  }

  private func close(_ handle: UnsafeMutableRawPointer, _ transfer: HTTPTransfer, failure: (code: Int, text: String)?) {
    _ = library.multiRemove(multi, handle)
    library.easyCleanup(handle)
    library.listFree(transfer.headerList)
    active[handle] = nil
    transfer.finish(failure: failure)
  }

  private func start(_ transfer: HTTPTransfer) {
    guard !transfer.wasGivenUp, let handle = library.easyInit() else {
      transfer.finish(failure: (0, "given up"))
      return
    }
    let request = transfer.request
    let set = library.easySetopt
    func long(_ option: CURLoption, _ value: Int) { _ = ccurl_set_long(set, handle, option, value) }
    func text(_ option: CURLoption, _ value: String) { _ = value.withCString { ccurl_set_pointer(set, handle, option, $0) } }
    text(CURLOPT_URL, request.url)
    text(CURLOPT_CUSTOMREQUEST, request.method)
    long(CURLOPT_NOSIGNAL, 1)
    long(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    long(CURLOPT_PATH_AS_IS, 1)
    long(CURLOPT_TCP_KEEPALIVE, 1)
    long(CURLOPT_CONNECTTIMEOUT, request.connectTimeout)
    long(CURLOPT_TIMEOUT, request.timeout)
    // A transfer without a byte for so many seconds is broken.
    long(CURLOPT_LOW_SPEED_LIMIT, 1)
    long(CURLOPT_LOW_SPEED_TIME, 30)
    long(CURLOPT_BUFFERSIZE, HTTPLoop.receiveBufferByteCount)
    // Certificates are verified by default; file:// and others are not for us.
    long(CURLOPT_PROTOCOLS, Int(CURLPROTO_HTTP | CURLPROTO_HTTPS))
    if let certificates { text(CURLOPT_CAINFO, certificates) }
    if let login = request.login {
      text(CURLOPT_USERNAME, login.user)
      text(CURLOPT_PASSWORD, login.password)
    }
    if request.method == "HEAD" { long(CURLOPT_NOBODY, 1) }
    if let body = request.body {
      _ = ccurl_set_offset(set, handle, CURLOPT_POSTFIELDSIZE_LARGE, Int64(body.count))
      _ = ccurl_set_pointer(set, handle, CURLOPT_POSTFIELDS, body.pointer)
    }
    // curl's own additions to requests with a body.
    var list = library.listAppend(nil, "Expect:")
    if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
      list = library.listAppend(list, "Content-Type:")
    }
    if request.body == nil, request.method == "PUT" || request.method == "POST" {
      list = library.listAppend(list, "Content-Length: 0")
    }
    for header in request.headers { list = library.listAppend(list, "\(header.name): \(header.value)") }
    transfer.headerList = list
    _ = ccurl_set_pointer(set, handle, CURLOPT_HTTPHEADER, list)
    let context = Unmanaged.passUnretained(transfer).toOpaque()
    _ = ccurl_set_pointer(set, handle, CURLOPT_HEADERDATA, context)
    _ = ccurl_set_callback(set, handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
      let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context!).takeUnretainedValue()
      transfer.take(header: UnsafeRawBufferPointer(start: bytes, count: size * count))
      return size * count
    }
    _ = ccurl_set_pointer(set, handle, CURLOPT_WRITEDATA, context)
    _ = ccurl_set_callback(set, handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
      let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context!).takeUnretainedValue()
      return transfer.take(body: UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
    }
    transfer.handle = handle
    active[handle] = transfer
    _ = library.multiAdd(multi, handle)
  }
}

/// The threads that end before the process takes its libraries down.
private enum HTTPLoopsAtExit {
  private static let loops = Mutex<[HTTPLoop]>([])
  /// Registered after libcrypto's own, so called before.
  private static let registered: Void = { atexit { HTTPLoopsAtExit.endAll() } }()

  static func add(_ loop: HTTPLoop) {
    registered
    loops.withLock { $0.append(loop) }
  }

  static func endAll() {
    let all = loops.withLock { $0 }
    for loop in all { loop.endAtExit() }
  }
}
