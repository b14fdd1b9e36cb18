import Glibc
import QueryEngine
import QueryErrors

/// Tells which service a request is for, checks its signature and hands it on.
///
///     POST /      X-Amz-Target: AmazonAthena.…, AWSGlue.…   JSON 1.1
///     POST /      Action=GetCallerIdentity                  STS
///     /v1/…       Trino's protocol
///     all else    S3: bucket and key
struct ServiceRouter: RequestHandler {
  let athena: AthenaService
  let glue: GlueService
  let sts: STSService
  let s3: S3Service
  let trino: TrinoService
  let authorization: RequestAuthorization

  private enum Kind {
    case athena(String)
    case glue(String)
    case unknownTarget
    case sts
    case trino
    case s3
    case health
  }

  private func kind(_ request: ServiceRequest) -> Kind {
    if let target = request.header("x-amz-target") {
      let parts = target.split(separator: ".", maxSplits: 1)
      switch parts.first {
      case "AmazonAthena" where parts.count == 2: return .athena(String(parts[1]))
      case "AWSGlue" where parts.count == 2: return .glue(String(parts[1]))
      default: return .unknownTarget
      }
    }
    if request.path == "/_health" { return .health }
    // No bucket has a name of two letters.
    if TrinoService.isPath(request.path) { return .trino }
    if request.method == "POST", request.path == "/" || request.path.isEmpty {
      let type = request.header("content-type") ?? ""
      return type.hasPrefix("application/x-www-form-urlencoded") ? .sts : .unknownTarget
    }
    return .s3
  }

  private static var now: Int { time(nil) }

  func intake(_ request: ServiceRequest) -> BodyIntake {
    guard case .s3 = kind(request), S3Service.isUpload(request) else { return .memory }
    // Nobody's bytes are taken before it is known whose they are.
    if let refusal = refusal(request) { return .refused(refusal) }
    return .upload(folder: s3.uploads, isChunked: S3Service.isChunked(request))
  }

  /// The answer to a request whose signature is missing or wrong.
  private func refusal(_ request: ServiceRequest) -> ServiceResponse? {
    do throws(RequestAuthorization.Failure) {
      if case .trino = kind(request) {
        try authorization.checkBasic(request)
        return nil
      }
      try authorization.check(request, now: ServiceRouter.now)
      if case .file(let upload) = request.body { try authorization.check(upload: upload, of: request) }
      return nil
    } catch { return refusal(request, error) }
  }

  private func refusal(_ request: ServiceRequest, _ failure: RequestAuthorization.Failure) -> ServiceResponse {
    switch kind(request) {
    case .athena, .glue, .unknownTarget: AWSError(failure.type, failure.message, status: 403).response
    case .sts: STSService.failure(403, failure.type, failure.message)
    case .trino:
      ServiceResponse(401, [("WWW-Authenticate", "Basic realm=\"sqlq\""), ("Content-Type", "text/plain")], .bytes(Array("Unauthorized".utf8)))
    case .s3, .health:
      S3Error(failure == .wrongPayload || failure == .malformed ? 400 : failure == .signedChunks ? 501 : 403, failure.rawValue, failure.message)
        .response(request.path, isHead: request.method == "HEAD")
    }
  }

  func refusal(_ request: ServiceRequest, status: Int, message: String) -> ServiceResponse {
    switch kind(request) {
    case .athena, .glue, .unknownTarget: AWSError("RequestEntityTooLargeException", message, status: status).response
    case .sts: STSService.failure(status, "RequestEntityTooLarge", message)
    case .trino: ServiceResponse(status, type: "text/plain", text: message)
    case .s3, .health: S3Error(status, status == 413 ? "EntityTooLarge" : "InvalidRequest", message).response(request.path, isHead: false)
    }
  }

  func handle(_ request: ServiceRequest, answer: @escaping @Sendable (ServiceResponse) -> Void) {
    let kind = kind(request)
    if case .health = kind { return answer(ServiceResponse(200, type: "text/plain", text: "ok\n")) }
    if let refusal = refusal(request) { return answer(refusal) }
    switch kind {
    case .athena(let operation): athena.handle(operation, request.bytes, answer: answer)
    case .glue(let operation): answer(glue.handle(operation, request.bytes))
    case .unknownTarget: answer(AWSError("UnknownOperationException", nil).response)
    case .trino: trino.handle(request, answer: answer)
    case .sts: answer(sts.handle(request, now: ServiceRouter.now))
    case .s3, .health: answer(s3.handle(request))
    }
  }
}
