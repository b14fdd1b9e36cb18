import Glibc
import HTTPClient
import Synchronization

@testable import S3ObjectStore

/// A small S3 in the test's own process: listings, ranges, conditions, uploads by parts, signatures, and faults on request.
final class FakeS3: @unchecked Sendable {
  struct Request {
    var method = ""
    var path = ""
    var query: [(name: String, value: String)] = []
    var headers: [String: String] = [:]
    var body: [UInt8] = []

    subscript(_ name: String) -> String? { query.first { $0.name == name }.map { PercentEncoding.decode($0.value) } }
    var bucket: String { String(path.split(separator: "/").first ?? "") }
    var key: String { PercentEncoding.decode(path.split(separator: "/", maxSplits: 1).dropFirst().joined()) }
  }

  struct Answer {
    var status = 200
    var headers: [(String, String)] = []
    var body: [UInt8] = []
    /// Ends the connection without a word.
    var dropsConnection = false

    static func error(_ status: Int, _ code: String, _ more: String = "", headers: [(String, String)] = []) -> Answer {
      Answer(status: status, headers: headers, body: Array("<Error><Code>\(code)</Code><Message>said so</Message>\(more)</Error>".utf8))
    }
  }

  struct State {
    var objects: [String: [UInt8]] = [:]
    var uploads: [String: [Int: [UInt8]]] = [:]
    var requests: [Request] = []
    var fault: (@Sendable (Request, Int) -> Answer?)?
    var pageSize = 1000
    var serial = 0
  }

  let state = Mutex(State())
  let port: UInt16
  private let listener: Int32
  static let credentials = AWSCredentials(accessKey: "AK", secretKey: "secret")
  static let region = "eu-test-1"

  init() {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
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
    port = UInt16(bigEndian: address.sin_port)
    self.listener = listener
    spawn { [unowned self] in
      while true {
        let connection = accept(listener, nil, nil)
        if connection < 0 { return }
        self.spawn { self.serve(connection) }
      }
    }
  }

  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  /// A store that asks this server.
  func store(_ change: (inout S3Configuration) -> Void = { _ in }) throws -> S3ObjectStore {
    var configuration = S3Configuration()
    configuration.endpoint = "http://127.0.0.1:\(port)"
    configuration.region = FakeS3.region
    configuration.credentials = FakeS3.credentials
    change(&configuration)
    return try S3ObjectStore(configuration)
  }

  func put(_ path: String, _ bytes: [UInt8]) { state.withLock { $0.objects[path] = bytes } }
  var requests: [Request] { state.withLock { $0.requests } }
  func forgetRequests() { state.withLock { $0.requests = [] } }
  func fault(_ make: (@Sendable (Request, Int) -> Answer?)?) { state.withLock { $0.fault = make } }

  private func spawn(_ body: @escaping @Sendable () -> Void) {
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
    var noDelay: Int32 = 1
    setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, socklen_t(4))
    defer { close(connection) }
    var pending: [UInt8] = []
    while let request = FakeS3.read(connection, &pending) {
      let answer = respond(request)
      if answer.dropsConnection { return }
      var text = "HTTP/1.1 \(answer.status) X\r\n"
      var headers = answer.headers
      if !headers.contains(where: { $0.0 == "Content-Length" }) { headers.append(("Content-Length", "\(answer.body.count)")) }
      for (name, value) in headers { text += "\(name): \(value)\r\n" }
      let bytes = Array((text + "\r\n").utf8) + (request.method == "HEAD" ? [] : answer.body)
      var done = 0
      while done < bytes.count {
        let count = bytes.withUnsafeBytes { send(connection, $0.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL)) }
        if count <= 0 { return }
        done += count
      }
    }
  }

  private static func read(_ connection: Int32, _ pending: inout [UInt8]) -> Request? {
    let mark = Array("\r\n\r\n".utf8)
    var block = [UInt8](repeating: 0, count: 1 << 16)
    func more() -> Bool {
      let count = recv(connection, &block, block.count, 0)
      if count <= 0 { return false }
      pending.append(contentsOf: block[..<count])
      return true
    }
    var end: Int?
    while end == nil {
      if pending.count >= 4 {
        for at in 0...(pending.count - 4) where pending[at] == 13 && Array(pending[at..<at + 4]) == mark {
          end = at
          break
        }
      }
      if end == nil, !more() { return nil }
    }
    let lines = String(decoding: pending[..<end!], as: UTF8.self).split(separator: "\r\n")
    pending.removeFirst(end! + 4)
    var request = Request()
    let words = lines[0].split(separator: " ")
    request.method = String(words[0])
    let target = words[1].split(separator: "?", maxSplits: 1)
    request.path = String(target[0])
    for pair in target.count > 1 ? target[1].split(separator: "&") : [] {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      request.query.append((String(sides[0]), sides.count > 1 ? String(sides[1]) : ""))
    }
    for line in lines.dropFirst() {
      let colon = line.firstIndex(of: ":")!
      request.headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
    }
    let length = Int(request.headers["content-length"] ?? "0")!
    while pending.count < length { if !more() { return nil } }
    request.body = Array(pending[..<length])
    pending.removeFirst(length)
    return request
  }

  private func respond(_ request: Request) -> Answer {
    let (fault, number) = state.withLock { state in
      state.requests.append(request)
      return (state.fault, state.requests.count)
    }
    if let answer = fault?(request, number) { return answer }
    if let authorization = request.headers["authorization"] {
      if !isSigned(request, authorization) { return .error(403, "SignatureDoesNotMatch") }
    } else if request.bucket != "public" {
      return .error(403, "AccessDenied")
    }
    if request.bucket == "nobucket" { return .error(404, "NoSuchBucket") }
    return state.withLock { FakeS3.answer(request, &$0) }
  }

  /// Signs the request again with what it says of itself.
  private func isSigned(_ request: Request, _ authorization: String) -> Bool {
    guard let names = authorization.split(separator: " ").first(where: { $0.hasPrefix("SignedHeaders=") }) else { return false }
    let signed = names.dropFirst("SignedHeaders=".count).dropLast().split(separator: ";").map(String.init)
    let own: Set<String> = ["x-amz-date", "x-amz-content-sha256", "x-amz-security-token"]
    let payload = Digests.hex(request.body.withUnsafeBytes { Digests.sha256($0) })
    guard request.headers["x-amz-content-sha256"] == payload, let date = request.headers["x-amz-date"] else { return false }
    let d = Array(date)
    let iso = "\(String(d[0..<4]))-\(String(d[4..<6]))-\(String(d[6..<8]))T\(String(d[9..<11])):\(String(d[11..<13])):\(String(d[13..<15]))Z"
    let expected = AWSSignature(credentials: FakeS3.credentials, region: FakeS3.region, service: "s3").headers(
      method: request.method, path: request.path, query: request.query,
      headers: signed.filter { !own.contains($0) }.map { (name: $0, value: request.headers[$0] ?? "") }, payload: payload,
      time: UTCTime.seconds(iso: iso)!)
    return expected.first { $0.name == "authorization" }?.value == authorization
  }

  static func tag(_ bytes: [UInt8]) -> String { "\"" + Digests.hex(bytes.withUnsafeBytes { Digests.md5($0) }) + "\"" }

  private static func answer(_ request: Request, _ state: inout State) -> Answer {
    let path = request.bucket + "/" + request.key
    switch request.method {
    case "GET" where request.key.isEmpty: return list(request, state)
    case "GET", "HEAD":
      guard let bytes = state.objects[path] else { return .error(404, "NoSuchKey") }
      if let wanted = request.headers["if-match"], wanted != tag(bytes) { return .error(412, "PreconditionFailed") }
      var headers = [("ETag", tag(bytes)), ("Last-Modified", "Sat, 21 Nov 2026 01:02:03 GMT")]
      guard let range = request.headers["range"]?.dropFirst("bytes=".count).split(separator: "-"), request.method == "GET" else {
        headers.append(("Content-Length", "\(bytes.count)"))
        return Answer(headers: headers, body: bytes)
      }
      let (low, high) = (Int(range[0])!, min(Int(range[1])!, bytes.count - 1))
      if low >= bytes.count { return .error(416, "InvalidRange") }
      headers.append(("Content-Range", "bytes \(low)-\(high)/\(bytes.count)"))
      return Answer(status: 206, headers: headers, body: Array(bytes[low...high]))
    case "PUT":
      if let number = request["partNumber"], let id = request["uploadId"] {
        guard state.uploads[id] != nil else { return .error(404, "NoSuchUpload") }
        state.uploads[id]![Int(number)!] = request.body
        return Answer(headers: [("ETag", tag(request.body))])
      }
      if request.headers["if-none-match"] == "*", state.objects[path] != nil { return .error(412, "PreconditionFailed") }
      if let source = request.headers["x-amz-copy-source"] {
        guard let bytes = state.objects[PercentEncoding.decode(String(source.dropFirst()))] else { return .error(404, "NoSuchKey") }
        state.objects[path] = bytes
        return Answer(body: Array("<CopyObjectResult/>".utf8))
      }
      state.objects[path] = request.body
      return Answer(headers: [("ETag", tag(request.body))])
    case "POST":
      if request["uploads"] != nil {
        state.serial += 1
        state.uploads["u/\(state.serial)"] = [:]
        return Answer(body: Array("<InitiateMultipartUploadResult><UploadId>u/\(state.serial)</UploadId></InitiateMultipartUploadResult>".utf8))
      }
      if request["delete"] != nil {
        for object in XMLElement.parse(request.body)?.children ?? [] where object.name == "Object" {
          state.objects[request.bucket + "/" + (object.text(of: "Key") ?? "")] = nil
        }
        return Answer(body: Array("<DeleteResult/>".utf8))
      }
      guard let parts = request["uploadId"].flatMap({ state.uploads.removeValue(forKey: $0) }) else { return .error(404, "NoSuchUpload") }
      if request.headers["if-none-match"] == "*", state.objects[path] != nil { return .error(412, "PreconditionFailed") }
      state.objects[path] = parts.sorted { $0.key < $1.key }.flatMap(\.value)
      return Answer(body: Array("<CompleteMultipartUploadResult/>".utf8))
    case "DELETE":
      if let id = request["uploadId"] { state.uploads[id] = nil } else { state.objects[path] = nil }
      return Answer(status: 204)
    default: return .error(405, "MethodNotAllowed")
    }
  }

  private static func list(_ request: Request, _ state: State) -> Answer {
    let prefix = request["prefix"] ?? ""
    let after = request["continuation-token"] ?? request["start-after"] ?? ""
    let limit = min(request["max-keys"].flatMap { Int($0) } ?? 1000, state.pageSize)
    let keys = state.objects.keys.filter { $0.hasPrefix(request.bucket + "/" + prefix) }
      .map { String($0.dropFirst(request.bucket.count + 1)) }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    var text = "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><EncodingType>url</EncodingType>"
    var (count, last, isTruncated) = (0, "", false)
    for key in keys {
      var entry = key
      let rest = key.dropFirst(prefix.count)
      let slash = request["delimiter"] == nil ? nil : rest.firstIndex(of: "/")
      if let slash { entry = prefix + rest[...slash] }
      if entry == last || !after.utf8.lexicographicallyPrecedes(entry.utf8) { continue }
      if count == limit {
        isTruncated = true
        break
      }
      let name = PercentEncoding.encode(entry, keepsSlashes: true)
      let bytes = state.objects[request.bucket + "/" + key]!
      text +=
        slash != nil
        ? "<CommonPrefixes><Prefix>\(name)</Prefix></CommonPrefixes>"
        : "<Contents><Key>\(name)</Key><LastModified>2026-11-21T01:02:03.000Z</LastModified><ETag>\(tag(bytes).replacing("\"", with: "&quot;"))</ETag><Size>\(bytes.count)</Size></Contents>"
      (count, last) = (count + 1, entry)
    }
    text += "<IsTruncated>\(isTruncated)</IsTruncated>"
    if isTruncated { text += "<NextContinuationToken>\(last)</NextContinuationToken>" }
    return Answer(body: Array((text + "</ListBucketResult>").utf8))
  }
}
