import QueryErrors

/// An error of Athena's or Glue's JSON protocol.
struct AWSError: Error {
  var type: String
  var message: String?
  /// Athena's own code within InvalidRequestException.
  var code: String?
  var status = 400
  var members: [String: JSONValue] = [:]

  init(_ type: String, _ message: String?, code: String? = nil, status: Int = 400, members: [String: JSONValue] = [:]) {
    (self.type, self.message, self.code, self.status, self.members) = (type, message, code, status, members)
  }

  /// Athena's answer to a request that cannot be.
  static func invalidRequest(_ code: String, _ message: String) -> AWSError { AWSError("InvalidRequestException", message, code: code) }
  static func invalidInput(_ message: String) -> AWSError { invalidRequest("INVALID_INPUT", message) }

  /// What the server itself could not do. A mistake of the user's is never a 5xx: clients would try again and again.
  static func internalError(_ error: QueryError) -> AWSError {
    AWSError("InternalServerException", error.description, status: 500)
  }

  var response: ServiceResponse {
    var body = members
    body["__type"] = .string(type)
    if let code { (body["AthenaErrorCode"], body["ErrorCode"]) = (.string(code), .string(code)) }
    if let message { body["Message"] = .string(message) }
    return ServiceResponse(status, AWSError.headers, .bytes(JSONValue.object(body).bytes))
  }

  static var headers: [(name: String, value: String)] {
    [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", RequestID.make())]
  }

  static func success(_ body: JSONValue) -> ServiceResponse { ServiceResponse(200, headers, .bytes(body.bytes)) }
}

/// Names requests: random UUIDs.
enum RequestID {
  static func make() -> String {
    func hex(_ value: UInt64, _ digits: Int) -> String {
      let text = String(value & (1 << UInt64(4 * digits) - 1), radix: 16)
      return String(repeating: "0", count: digits - text.count) + text
    }
    let (a, b) = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
    return "\(hex(a >> 32, 8))-\(hex(a >> 16, 4))-4\(hex(a, 3))-a\(hex(b >> 48, 3))-\(hex(b, 12))"
  }
}
