import CCurl
import HTTPClient
import ObjectStore
import QueryErrors

/// What went wrong with a call, from status, body or connection.
struct S3Failure {
  let status: Int
  /// S3's word for it, such as `SlowDown`; empty when it said none.
  let code: String
  let message: String
  let region: String?
  private let connection: (code: Int, text: String)?
  private let call: S3Call

  init(_ answer: HTTPAnswer, _ call: S3Call) {
    status = answer.status
    connection = answer.failure
    self.call = call
    let document = answer.body.isEmpty ? nil : XMLElement.parse(answer.body)
    code = document?.text(of: "Code") ?? ""
    message = document?.text(of: "Message") ?? ""
    region = document?.text(of: "Region")
  }

  private static let passingCodes: Set<String> = [
    "SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "ThrottlingException",
    "RequestThrottled", "RequestLimitExceeded", "OperationAborted",
  ]

  /// Failures of a connection that the next one need not have. Others, as names that cannot be resolved and certificates
  /// that do not verify, stay.
  private static let passingFailures: Set<UInt32> = [
    CURLE_COULDNT_CONNECT.rawValue, CURLE_PARTIAL_FILE.rawValue, CURLE_OPERATION_TIMEDOUT.rawValue,
    CURLE_GOT_NOTHING.rawValue, CURLE_SEND_ERROR.rawValue, CURLE_RECV_ERROR.rawValue, CURLE_SSL_CONNECT_ERROR.rawValue,
    CURLE_WEIRD_SERVER_REPLY.rawValue,
  ]

  var isWorthAnotherTry: Bool {
    if let connection { return S3Failure.passingFailures.contains(UInt32(connection.code)) }
    if S3Failure.passingCodes.contains(code) { return true }
    return [500, 502, 503, 504, 429].contains(status)
  }

  func queryError(tries: Int) -> QueryError {
    let place = call.place
    let again = tries > 1 ? " (\(tries) tries)" : ""
    if let connection {
      return QueryError(
        .hiveFilesystemError, "Could not reach \(place): \(connection.text)\(again)",
        hint: "Check the network and AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL and the region.")
    }
    switch (status, code) {
    case (_, "NoSuchBucket"):
      return QueryError(.hiveCannotOpenSplit, "The bucket does not exist: s3://\(call.bucket)")
    case (404, _): return QueryError(.hiveCannotOpenSplit, "No such object: \(place)")
    case (412, _):
      return QueryError(
        call.kind == .put ? .alreadyExists : .hiveBadData,
        call.kind == .put ? "The object exists already: \(place)" : "The object was changed while it was read",
        data: DataLocation(path: place),
        hint: call.kind == .put ? nil : "Run the query again; write new objects under new names.")
    case (416, _):
      return QueryError(
        .hiveBadData, "The object was cut off while it was read", data: DataLocation(path: place),
        hint: "Run the query again; write new objects under new names.")
    case (_, "SignatureDoesNotMatch"):
      return QueryError(.hiveFilesystemError, "S3 refused the signature: \(place)", hint: "Check AWS_SECRET_ACCESS_KEY.")
    case (_, "InvalidAccessKeyId"):
      return QueryError(.hiveFilesystemError, "S3 does not know the access key: \(place)", hint: "Check AWS_ACCESS_KEY_ID.")
    case (_, "ExpiredToken"), (_, "TokenRefreshRequired"):
      return QueryError(.hiveFilesystemError, "The AWS credentials have expired: \(place)", hint: "Sign on again.")
    case (403, _):
      return QueryError(
        .hiveFilesystemError, "Access denied: \(place)\(message.isEmpty || message == "Access Denied" ? "" : " (\(message))")",
        hint: "Check the keys' rights to list the bucket and to read its objects.")
    default:
      let said = [code, message].filter { !$0.isEmpty }.joined(separator: ": ")
      return QueryError(
        .hiveFilesystemError, "S3 answered \(call.method) \(place) with status \(status)\(said.isEmpty ? "" : " " + said)\(again)")
    }
  }
}
