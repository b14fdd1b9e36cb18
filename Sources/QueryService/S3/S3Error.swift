import QueryErrors

/// An error of S3's protocol.
struct S3Error: Error {
  var status: Int
  var code: String
  var message: String

  init(_ status: Int, _ code: String, _ message: String) { (self.status, self.code, self.message) = (status, code, message) }

  static let noSuchKey = S3Error(404, "NoSuchKey", "The specified key does not exist.")
  static let noSuchBucket = S3Error(404, "NoSuchBucket", "The specified bucket does not exist")
  static let noSuchUpload = S3Error(404, "NoSuchUpload", "The specified multipart upload does not exist.")
  static let notFulfilled = S3Error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
  static func notImplemented(_ what: String) -> S3Error { S3Error(501, "NotImplemented", "\(what) is not supported") }
  static func invalid(_ message: String) -> S3Error { S3Error(400, "InvalidArgument", message) }

  init(_ error: QueryError) {
    switch error.code {
    case .invalidArguments: self = .invalid(error.message)
    case .hiveBadData: self.init(400, "IncompleteBody", error.message)
    case .alreadyExists: self = .notFulfilled
    default: self.init(500, "InternalError", error.message)
    }
  }

  /// - Parameter isHead: answers to HEAD have no body.
  func response(_ resource: String, isHead: Bool) -> ServiceResponse {
    var xml = XMLText()
    let id = RequestID.make()
    xml.element("Error") { xml in
      xml.element("Code", code)
      xml.element("Message", message)
      xml.element("Resource", resource)
      xml.element("RequestId", id)
    }
    let headers = [("Content-Type", "application/xml"), ("x-amz-request-id", id)]
    return ServiceResponse(status, headers, isHead ? .absent(byteCount: 0) : .bytes(Array(xml.text.utf8)))
  }
}
