import Glibc
import Synchronization

/// An HTTP service in the test's own process: each request is answered by a closure.
final class JSONServer: Sendable {
  struct Request: Sendable {
    /// With the query.
    var path: String
    /// By name in lower case.
    var headers: [String: String]

    /// A parameter of the query, as sent.
    subscript(_ name: String) -> String? {
      guard let query = path.split(separator: "?", maxSplits: 1).dropFirst().first else { return nil }
      return query.split(separator: "&").first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
    }
  }

  struct Answer: Sendable {
    var status = 200
    var headers: [(String, String)] = []
    var body = ""
    /// Bytes of the body that are sent before the connection ends; nil: all.
    var cut: Int?
    /// Milliseconds before the answer.
    var delay = 0

    static func json(_ body: String, _ headers: (String, String)...) -> Answer { Answer(headers: headers, body: body) }
  }

  let port: Int
  private let listener: Int32
  private let answer: @Sendable (Request) -> Answer
  private let seen = Mutex<[Request]>([])

  init(_ answer: @escaping @Sendable (Request) -> Answer) {
    self.answer = answer
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.listener = listener
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        _ = bind(listener, raw, size)
        _ = getsockname(listener, raw, &size)
      }
    }
    listen(listener, 64)
    port = Int(UInt16(bigEndian: address.sin_port))
    JSONServer.spawn { [self] in
      while true {
        let connection = accept(listener, nil, nil)
        if connection < 0 { return }
        JSONServer.spawn { [self] in serve(connection) }
      }
    }
  }

  var url: String { "http://127.0.0.1:\(port)" }
  var requests: [Request] { seen.withLock { $0 } }
  func forget() { seen.withLock { $0 = [] } }

  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  private static func spawn(_ body: @escaping @Sendable () -> Void) {
    final class Box {
      let body: @Sendable () -> Void
      init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
        return nil
      }, Unmanaged.passRetained(Box(body)).toOpaque())
    pthread_detach(thread)
  }

  private func serve(_ connection: Int32) {
    defer { close(connection) }
    var pending: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 8192)
    while true {
      let text = String(decoding: pending, as: UTF8.self)
      guard let end = text.range(of: "\r\n\r\n") else {
        let count = recv(connection, &buffer, buffer.count, 0)
        if count <= 0 { return }
        pending += buffer[..<count]
        continue
      }
      pending = Array(text[end.upperBound...].utf8)
      let lines = text[..<end.lowerBound].split(separator: "\r\n")
      var headers: [String: String] = [:]
      for line in lines.dropFirst() {
        let parts = line.split(separator: ":", maxSplits: 1)
        if parts.count == 2 { headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " }) }
      }
      let request = Request(path: String(lines[0].split(separator: " ")[1]), headers: headers)
      seen.withLock { $0.append(request) }
      let answer = answer(request)
      usleep(UInt32(answer.delay) * 1000)
      var head = "HTTP/1.1 \(answer.status) X\r\nContent-Length: \(answer.body.utf8.count)\r\n"
      for (name, value) in answer.headers { head += "\(name): \(value)\r\n" }
      let bytes = Array((head + "\r\n").utf8) + Array(answer.body.utf8).prefix(answer.cut ?? .max)
      var sent = 0
      while sent < bytes.count {
        let more = bytes.withUnsafeBytes { send(connection, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) }
        if more <= 0 { return }
        sent += more
      }
      if answer.cut != nil { return }
    }
  }
}

extension String {
  /// The first place of a text.
  fileprivate func range(of text: String) -> Range<Index>? { firstRange(of: text) }
}
