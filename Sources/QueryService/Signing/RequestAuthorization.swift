import Columnar
import Glibc
import HTTPClient
import QueryErrors
import S3ObjectStore

/// Checks the signatures of requests.
///
/// Without keys everything is let in: then the server listens to this machine only.
///
/// - Source: AWS documentation, Signature Version 4, in the header and in the query of presigned URLs.
struct RequestAuthorization: Sendable {
  /// Secrets by access key.
  let keys: [String: String]
  /// Seconds that a request's time may differ from the server's.
  static let allowedSkew = 15 * 60

  /// Why a request is refused; raw values are S3's codes.
  enum Failure: String, Error {
    case unsigned = "AccessDenied"
    case malformed = "AuthorizationHeaderMalformed"
    case unknownKey = "InvalidAccessKeyId"
    case wrongSignature = "SignatureDoesNotMatch"
    case wrongTime = "RequestTimeTooSkewed"
    case wrongPayload = "XAmzContentSHA256Mismatch"
    case signedChunks = "NotImplemented"

    var message: String {
      switch self {
      case .unsigned: "Missing Authentication Token"
      case .malformed: "The authorization of the request is malformed"
      case .unknownKey: "The security token included in the request is invalid."
      case .wrongSignature:
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."
      case .wrongTime: "Signature expired: the time of the request differs too much from the server's"
      case .wrongPayload: "The provided 'x-amz-content-sha256' header does not match what was computed."
      case .signedChunks: "Bodies with a signature for each chunk are not supported; sign the payload as a whole"
      }
    }

    /// The error of the JSON protocols.
    var type: String {
      switch self {
      case .unsigned: "MissingAuthenticationTokenException"
      case .malformed: "IncompleteSignatureException"
      case .unknownKey: "UnrecognizedClientException"
      case .wrongSignature, .wrongTime, .wrongPayload, .signedChunks: "InvalidSignatureException"
      }
    }
  }

  /// What a request says of its signature.
  private struct Claim {
    var accessKey: String
    var date: String
    var region: String
    var service: String
    var signedHeaders: [String]
    var signature: String
    var expiresAfter: Int?
  }

  /// Checks all but the body of an upload.
  ///
  /// - Parameter now: seconds since 1970-01-01 UTC.
  func check(_ request: ServiceRequest, now: Int) throws(Failure) {
    if keys.isEmpty { return }
    let isPresigned = request.query("X-Amz-Signature") != nil
    let claim = isPresigned ? try presigned(request) : try header(request)
    guard let secret = keys[claim.accessKey] else { throw .unknownKey }
    guard let time = RequestAuthorization.seconds(claim.date) else { throw .malformed }
    if let expires = claim.expiresAfter {
      if now > time + expires || now < time - RequestAuthorization.allowedSkew { throw .wrongTime }
    } else if abs(now - time) > RequestAuthorization.allowedSkew {
      throw .wrongTime
    }
    var headers: [(name: String, value: String)] = []
    for name in claim.signedHeaders.sorted() {
      let values = request.headers.filter { $0.name == name }.map(\.value)
      headers.append((name, values.joined(separator: ",")))
    }
    guard claim.signedHeaders.contains("host") else { throw .malformed }
    let payload = try payload(request, claim, isPresigned: isPresigned)
    let query = request.rawQuery.filter { $0.name != "X-Amz-Signature" }.map {
      (
        name: PercentEncoding.encode(PercentEncoding.decode($0.name, plusIsSpace: true)),
        value: PercentEncoding.encode(PercentEncoding.decode($0.value, plusIsSpace: true))
      )
    }
    let signer = AWSSignature(
      credentials: AWSCredentials(accessKey: claim.accessKey, secretKey: secret), region: claim.region, service: claim.service)
    let expected = signer.signature(
      method: request.method, path: request.path, query: query, headers: headers, payload: payload, date: claim.date)
    guard RequestAuthorization.isEqual(expected, claim.signature) else { throw .wrongSignature }
  }

  /// Checks the body of an upload against the digest that was signed.
  func check(upload: UploadFile, of request: ServiceRequest) throws(Failure) {
    guard !keys.isEmpty, let declared = request.header("x-amz-content-sha256"), declared.utf8.count == 64 else { return }
    let digest = StreamedDigest()
    do throws(QueryError) { try upload.forEachPiece { digest.update($0) } } catch { throw .wrongPayload }
    if Digests.hex(digest.finish()) != declared { throw .wrongPayload }
  }

  /// Checks a name and password, as Trino's clients send them: the access key and its secret.
  func checkBasic(_ request: ServiceRequest) throws(Failure) {
    if keys.isEmpty { return }
    guard let header = request.header("authorization"), header.hasPrefix("Basic "), let bytes = Base64.decode(String(header.dropFirst(6))) else {
      throw .unsigned
    }
    let pair = String(decoding: bytes, as: UTF8.self).split(separator: ":", maxSplits: 1).map(String.init)
    guard pair.count == 2, let secret = keys[pair[0]] else { throw .unknownKey }
    if !RequestAuthorization.isEqual(secret, pair[1]) { throw .wrongSignature }
  }

  private func header(_ request: ServiceRequest) throws(Failure) -> Claim {
    guard let text = request.header("authorization") else { throw .unsigned }
    guard text.hasPrefix("AWS4-HMAC-SHA256") else { throw .malformed }
    var parts: [String: String] = [:]
    for part in text.dropFirst("AWS4-HMAC-SHA256".count).split(separator: ",") {
      let pair = part.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " } }
      if pair.count == 2 { parts[pair[0]] = pair[1] }
    }
    guard let date = request.header("x-amz-date"), let signature = parts["Signature"], let names = parts["SignedHeaders"] else {
      throw .malformed
    }
    return try claim(parts["Credential"], date, names, signature, expires: nil)
  }

  private func presigned(_ request: ServiceRequest) throws(Failure) -> Claim {
    guard request.query("X-Amz-Algorithm") == "AWS4-HMAC-SHA256", let date = request.query("X-Amz-Date"),
      let signature = request.query("X-Amz-Signature"), let names = request.query("X-Amz-SignedHeaders"),
      let expires = request.query("X-Amz-Expires").flatMap({ Int($0) }), (1...604_800).contains(expires)
    else { throw .malformed }
    return try claim(request.query("X-Amz-Credential"), date, names, signature, expires: expires)
  }

  private func claim(
    _ credential: String?, _ date: String, _ names: String, _ signature: String, expires: Int?
  ) throws(Failure) -> Claim {
    // The access key may hold slashes; the scope has four parts.
    let scope = (credential ?? "").split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard scope.count >= 5, scope.last == "aws4_request", scope[scope.count - 4] == date.prefix(8) else { throw .malformed }
    return Claim(
      accessKey: scope.dropLast(4).joined(separator: "/"), date: date, region: scope[scope.count - 3], service: scope[scope.count - 2],
      signedHeaders: names.lowercased().split(separator: ";").map(String.init), signature: signature, expiresAfter: expires)
  }

  /// The digest of the body, as it is part of what is signed.
  private func payload(_ request: ServiceRequest, _ claim: Claim, isPresigned: Bool) throws(Failure) -> String {
    if isPresigned { return request.header("x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD" }
    let digest: String? = if case .bytes(let bytes) = request.body { Digests.hex(bytes.withUnsafeBytes { Digests.sha256($0) }) } else { nil }
    guard claim.service == "s3" else { return digest ?? "" }
    guard let declared = request.header("x-amz-content-sha256") else { throw .malformed }
    switch declared {
    case "UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER": return declared
    default:
      if declared.hasPrefix("STREAMING-") { throw .signedChunks }
      // Uploads are looked at when they have come.
      if request.method != "PUT", let digest, digest != declared { throw .wrongPayload }
      if request.method == "PUT", let digest, !request.bytes.isEmpty, digest != declared { throw .wrongPayload }
      return declared
    }
  }

  /// Seconds of `20261121T010203Z`.
  private static func seconds(_ text: String) -> Int? {
    let bytes = Array(text.utf8)
    guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else { return nil }
    func number(_ range: Range<Int>) -> Int? { Int(String(decoding: bytes[range], as: UTF8.self)) }
    guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8), let hour = number(9..<11),
      let minute = number(11..<13), let second = number(13..<15), (1...12).contains(month), (1...31).contains(day)
    else { return nil }
    return CalendarDate.days(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second
  }

  /// Takes the same time wherever the two differ.
  private static func isEqual(_ a: String, _ b: String) -> Bool {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    guard a.count == b.count else { return false }
    return zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
