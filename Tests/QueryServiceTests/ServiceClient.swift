import Foundation
import Glibc
import QueryEngine
import S3ObjectStore
import Testing

@testable import QueryService

/// One connection to a service under test: requests as bytes, answers as they come.
final class ServiceClient {
  private let descriptor: Int32
  let port: Int

  struct Answer {
    var status: Int
    var headers: [String: String]
    var body: [UInt8]
    var text: String { String(decoding: body, as: UTF8.self) }
    var json: JSONValue { JSONParser.parse(body) ?? .null }
  }

  init(port: Int) throws {
    self.port = port
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
    try #require(status == 0)
  }

  deinit { close(descriptor) }

  func write(_ text: String) { write(Array(text.utf8)) }

  func write(_ bytes: [UInt8]) {
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if count <= 0 { return }
      done += count
    }
  }

  private var pending: [UInt8] = []

  private func fill() throws -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    if count > 0 { pending += buffer[..<count] }
    return count > 0
  }

  /// The next answer, interim ones included.
  func read(hasBody: Bool = true) throws -> Answer {
    let end = Array("\r\n\r\n".utf8)
    while pending.firstRange(of: end) == nil { try #require(try fill(), "the connection ended") }
    let head = try #require(pending.firstRange(of: end))
    let lines = String(decoding: pending[..<head.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    pending.removeFirst(head.upperBound)
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
    }
    let length = hasBody ? Int(headers["content-length"] ?? "0") ?? 0 : 0
    while pending.count < length { try #require(try fill(), "the connection ended") }
    let body = Array(pending.prefix(length))
    pending.removeFirst(length)
    return Answer(status: Int(lines[0].split(separator: " ")[1]) ?? 0, headers: headers, body: body)
  }

  func request(_ method: String, _ target: String, _ headers: [String: String] = [:], _ body: [UInt8] = []) throws -> Answer {
    var text = "\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nContent-Length: \(body.count)\r\n"
    for (name, value) in headers { text += "\(name): \(value)\r\n" }
    write(Array((text + "\r\n").utf8) + body)
    return try read(hasBody: method != "HEAD")
  }

  func request(_ method: String, _ target: String, _ headers: [String: String] = [:], text: String) throws -> Answer {
    try request(method, target, headers, Array(text.utf8))
  }

  /// A call of Athena's or Glue's.
  func call(_ operation: String, _ input: JSONValue = [:]) throws -> Answer {
    let service = operation.contains(".") ? "" : "AmazonAthena."
    return try request("POST", "/", ["X-Amz-Target": service + operation, "Content-Type": "application/x-amz-json-1.1"], input.bytes)
  }

  /// Runs a statement and gives its query as GetQueryExecution describes it at the end.
  func run(_ sql: String, _ more: [String: JSONValue] = [:]) throws -> JSONValue {
    var input = more
    input["QueryString"] = .string(sql)
    input["ClientRequestToken"] = input["ClientRequestToken"] ?? .string(RequestID.make())
    let started = try call("StartQueryExecution", .object(input))
    let id = try #require(started.json["QueryExecutionId"]?.string, "\(started.text)")
    while true {
      let query = try #require(try call("GetQueryExecution", ["QueryExecutionId": .string(id)]).json["QueryExecution"])
      let state = query["Status"]?["State"]?.string ?? ""
      if !["QUEUED", "RUNNING"].contains(state) { return query }
    }
  }

  /// The rows of a query's result, nil for NULL.
  func rows(_ query: JSONValue) throws -> [[String?]] {
    let answer = try call("GetQueryResults", ["QueryExecutionId": query["QueryExecutionId"] ?? .null]).json
    return (answer["ResultSet"]?["Rows"]?.array ?? []).map { ($0["Data"]?.array ?? []).map { $0["VarCharValue"]?.string } }
  }
}

/// A service with a home of its own.
enum ServiceTesting {
  static func withService(
    _ change: (inout ServiceSettings) -> Void = { _ in }, _ body: (ServiceClient, String) throws -> Void
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("service-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try serve(folder, change) { port in try body(try ServiceClient(port: port), folder) }
  }

  static func serve(_ folder: String, _ change: (inout ServiceSettings) -> Void = { _ in }, _ body: (Int) throws -> Void) throws {
    var settings = ServiceSettings(bucketFolder: folder + "/s3")
    settings.port = 0
    settings.limits.shutdownSeconds = 0
    change(&settings)
    var configuration = EngineConfiguration(home: folder)
    configuration.threads = 2
    let service = try QueryService(configuration, settings)
    let port = try service.start()
    defer { service.stop() }
    try body(port)
  }
}
