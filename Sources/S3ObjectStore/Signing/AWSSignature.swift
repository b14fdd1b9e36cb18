/// Signs requests as AWS wants them.
///
/// - Source: AWS documentation, Signature Version 4; checked against botocore's signatures.
package struct AWSSignature: Sendable {
  package var credentials: AWSCredentials
  package var region: String
  /// `s3`, `sts`, `athena`, …
  package var service: String

  package init(credentials: AWSCredentials, region: String, service: String) {
    self.credentials = credentials
    self.region = region
    self.service = service
  }

  /// SHA-256 of no bytes.
  package static let emptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  /// The headers to add to a request.
  ///
  /// - Parameters:
  ///   - path: as it goes over the wire, encoded once.
  ///   - query: pairs, each encoded, in any order.
  ///   - headers: all that go over the wire, `host` among them.
  ///   - payload: the body's SHA-256 in hexadecimal digits.
  ///   - time: seconds since 1970-01-01 UTC.
  package func headers(
    method: String, path: String, query: [(name: String, value: String)], headers: [(name: String, value: String)],
    payload: String, time: Int
  ) -> [(name: String, value: String)] {
    let date = UTCTime.compact(time)
    var added: [(name: String, value: String)] = [("x-amz-date", date)]
    if let token = credentials.sessionToken { added.append(("x-amz-security-token", token)) }
    if service == "s3" { added.append(("x-amz-content-sha256", payload)) }
    var signed: [(name: String, value: String)] = []
    for header in headers + added {
      signed.append((header.name.lowercased(), AWSSignature.collapsed(header.value)))
    }
    signed.sort { $0.name < $1.name }
    let names = signed.map(\.name).joined(separator: ";")
    let scope = scope(date)
    let signature = signature(method: method, path: path, query: query, headers: signed, payload: payload, date: date)
    let credential = credentials.accessKey + "/" + scope.joined(separator: "/")
    added.append(
      (
        "authorization",
        "AWS4-HMAC-SHA256 Credential=\(credential), SignedHeaders=\(names), Signature=\(signature)"
      ))
    return added
  }

  /// The signature of a request.
  ///
  /// - Parameters:
  ///   - headers: those that are signed, names in lower case, in the order of their names.
  ///   - date: `20261121T010203Z`, as the request says it.
  package func signature(
    method: String, path: String, query: [(name: String, value: String)], headers: [(name: String, value: String)], payload: String,
    date: String
  ) -> String {
    var lines = [method, path.isEmpty ? "/" : path, AWSSignature.canonical(query)]
    for header in headers { lines.append(header.name + ":" + AWSSignature.collapsed(header.value)) }
    lines += ["", headers.map(\.name).joined(separator: ";"), payload]
    let scope = scope(date)
    let request = Digests.hex(Digests.sha256(lines.joined(separator: "\n")))
    let text = ["AWS4-HMAC-SHA256", date, scope.joined(separator: "/"), request].joined(separator: "\n")
    var key = Array(("AWS4" + credentials.secretKey).utf8)
    for part in scope { key = Digests.hmac(key, part) }
    return Digests.hex(Digests.hmac(key, text))
  }

  private func scope(_ date: String) -> [String] { [String(date.prefix(8)), region, service, "aws4_request"] }

  /// Pairs in the order of their encoded names, then values.
  private static func canonical(_ query: [(name: String, value: String)]) -> String {
    let sorted = query.sorted { $0.name == $1.name ? $0.value < $1.value : $0.name < $1.name }
    return sorted.map { $0.name + "=" + $0.value }.joined(separator: "&")
  }

  /// Without spaces around, and one for each run of them.
  private static func collapsed(_ value: String) -> String {
    value.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
  }
}
