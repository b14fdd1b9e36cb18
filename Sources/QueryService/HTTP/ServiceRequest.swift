import HTTPClient
import S3ObjectStore

/// One request, whole: what the services see of HTTP.
struct ServiceRequest: Sendable {
  var method: String
  /// The path as it came, percent-encoded.
  var path: String
  /// The pairs behind `?`, each as it came.
  var rawQuery: [(name: String, value: String)]
  /// Names in lower case, in the order they came.
  var headers: [(name: String, value: String)]
  var body: Body

  /// What came behind the headers.
  enum Body: Sendable {
    case bytes([UInt8])
    /// An upload, in a file that nobody has taken yet.
    case file(UploadFile)
  }

  init(method: String, target: String, headers: [(name: String, value: String)], body: Body) {
    self.method = method
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = parts.first.map(String.init) ?? "/"
    rawQuery = parts.count < 2 ? [] : ServiceRequest.pairs(parts[1])
    self.headers = headers
    self.body = body
  }

  /// `a=1&b` as pairs, nothing decoded.
  static func pairs(_ text: Substring) -> [(name: String, value: String)] {
    text.split(separator: "&").map { item in
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), parts.count < 2 ? "" : String(parts[1]))
    }
  }

  /// The first header of a name, in lower case.
  func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

  /// A member of the query, decoded; empty for one without a value.
  func query(_ name: String) -> String? {
    rawQuery.first { PercentEncoding.decode($0.name, plusIsSpace: true) == name }
      .map { PercentEncoding.decode($0.value, plusIsSpace: true) }
  }

  /// The body of a request that is kept in memory.
  var bytes: [UInt8] { if case .bytes(let bytes) = body { bytes } else { [] } }

  /// The members of an `application/x-www-form-urlencoded` body.
  var form: [String: String] {
    var members: [String: String] = [:]
    for (name, value) in ServiceRequest.pairs(Substring(String(decoding: bytes, as: UTF8.self))) {
      members[PercentEncoding.decode(name, plusIsSpace: true)] = PercentEncoding.decode(value, plusIsSpace: true)
    }
    return members
  }
}

/// What a service answers.
struct ServiceResponse: Sendable {
  var status: Int
  var headers: [(name: String, value: String)]
  var body: Body

  enum Body: Sendable {
    case bytes([UInt8])
    /// A part of a file, whose descriptor the answer owns.
    case file(descriptor: Int32, range: Range<Int>)
    /// Nothing, though the headers tell how much there would be: an answer to HEAD.
    case absent(byteCount: Int)
  }

  init(_ status: Int, _ headers: [(name: String, value: String)] = [], _ body: Body = .bytes([])) {
    (self.status, self.headers, self.body) = (status, headers, body)
  }

  init(_ status: Int, type: String, text: String) {
    self.init(status, [("Content-Type", type)], .bytes(Array(text.utf8)))
  }
}
