import Glibc
import HTTPClient
import ObjectStore
import QueryErrors
import Synchronization

/// Finds the keys to sign with, in the order of AWS' own clients, and renews those that end.
///
///     given → environment → profile (keys, role, web identity, program) → web identity of the environment → container → instance
///
/// - Source: AWS SDKs and Tools Reference Guide, standardized credential providers.
/// - Threads: any; one looks while others wait.
final class CredentialsChain: Sendable {
  private let configuration: S3Configuration
  private let profiles: AWSProfiles
  private let transport: HTTPTransport
  private let known = Mutex<AWSCredentials?>(nil)

  /// Roles that take over roles, at most.
  private static let maximumRoles = 5

  init(_ configuration: S3Configuration, _ profiles: AWSProfiles, _ transport: HTTPTransport) {
    self.configuration = configuration
    self.profiles = profiles
    self.transport = transport
  }

  /// Keys that last for minutes yet.
  ///
  /// - Throws: `HIVE_FILESYSTEM_ERROR` when there are none.
  func current(_ cancellation: CancellationFlag) throws(QueryError) -> AWSCredentials {
    try known.withLock { (known) throws(QueryError) in
      if let known, known.isFresh { return known }
      let found = try find(cancellation)
      known = found
      return found
    }
  }

  private func find(_ cancellation: CancellationFlag) throws(QueryError) -> AWSCredentials {
    if let given = configuration.credentials { return given }
    let environment = S3Configuration.environment
    // A profile that was asked for by name wins over keys of the environment only when it was given to this program.
    if let key = environment("AWS_ACCESS_KEY_ID"), let secret = environment("AWS_SECRET_ACCESS_KEY") {
      return AWSCredentials(accessKey: key, secretKey: secret, sessionToken: environment("AWS_SESSION_TOKEN"))
    }
    let name = configuration.profile ?? "default"
    if profiles[name] != nil {
      if let found = try profile(name, cancellation, depth: 0) { return found }
    } else if name != "default" {
      throw QueryError(
        .hiveFilesystemError, "The AWS profile '\(name)' does not exist",
        hint: "See ~/.aws/config and ~/.aws/credentials, or AWS_PROFILE.")
    }
    if let file = environment("AWS_WEB_IDENTITY_TOKEN_FILE"), let role = environment("AWS_ROLE_ARN") {
      return try webIdentity(role, file, session: environment("AWS_ROLE_SESSION_NAME"), cancellation)
    }
    if let found = try container(cancellation) { return found }
    if environment("AWS_EC2_METADATA_DISABLED")?.lowercased() != "true", let found = try instance(cancellation) { return found }
    throw QueryError(
      .hiveFilesystemError, "No AWS credentials were found",
      hint: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE; --no-sign-request reads public buckets.")
  }

  // MARK: Profiles

  private func profile(
    _ name: String, _ cancellation: CancellationFlag, depth: Int
  ) throws(QueryError) -> AWSCredentials? {
    guard let settings = profiles[name] else {
      throw QueryError(.hiveFilesystemError, "The AWS profile '\(name)' does not exist")
    }
    guard depth <= CredentialsChain.maximumRoles else {
      throw QueryError(.hiveFilesystemError, "The roles of AWS profile '\(name)' lead to each other")
    }
    if let role = settings["role_arn"] {
      if let file = settings["web_identity_token_file"] {
        return try webIdentity(role, file, session: settings["role_session_name"], cancellation)
      }
      let source: AWSCredentials?
      if let from = settings["source_profile"] {
        source = from == name ? keys(settings) : try profile(from, cancellation, depth: depth + 1)
      } else {
        switch settings["credential_source"] {
        case "Environment":
          source = keys([
            "aws_access_key_id": S3Configuration.environment("AWS_ACCESS_KEY_ID") ?? "",
            "aws_secret_access_key": S3Configuration.environment("AWS_SECRET_ACCESS_KEY") ?? "",
            "aws_session_token": S3Configuration.environment("AWS_SESSION_TOKEN") ?? "",
          ])
        case "EcsContainer": source = try container(cancellation)
        case "Ec2InstanceMetadata": source = try instance(cancellation)
        default: source = nil
        }
      }
      guard let source else {
        throw QueryError(.hiveFilesystemError, "The AWS profile '\(name)' takes a role, but from nobody who has keys")
      }
      return try assume(role, settings, source, cancellation)
    }
    if let found = keys(settings) { return found }
    if let program = settings["credential_process"] { return try CredentialProcess.run(program, profile: name) }
    if settings["sso_session"] != nil || settings["sso_start_url"] != nil {
      throw .notSupported(
        "AWS profile '\(name)' signs on by a browser (SSO), which is not supported",
        hint: "Run: eval \"$(aws configure export-credentials --profile \(name) --format env)\"")
    }
    return nil
  }

  private func keys(_ settings: [String: String]) -> AWSCredentials? {
    guard let key = settings["aws_access_key_id"], let secret = settings["aws_secret_access_key"], !key.isEmpty else { return nil }
    let token = settings["aws_session_token"]
    return AWSCredentials(accessKey: key, secretKey: secret, sessionToken: token?.isEmpty == true ? nil : token)
  }

  // MARK: Roles

  private func assume(
    _ role: String, _ settings: [String: String], _ source: AWSCredentials, _ cancellation: CancellationFlag
  ) throws(QueryError) -> AWSCredentials {
    var fields = [("RoleArn", role), ("RoleSessionName", settings["role_session_name"] ?? "sqlq-\(UTCTime.now)")]
    if let id = settings["external_id"] { fields.append(("ExternalId", id)) }
    if let seconds = settings["duration_seconds"] { fields.append(("DurationSeconds", seconds)) }
    if settings["mfa_serial"] != nil {
      throw .notSupported("AWS roles that ask for a second factor (mfa_serial) are not supported")
    }
    return try tokenService("AssumeRole", fields, signedBy: source, cancellation)
  }

  private func webIdentity(
    _ role: String, _ file: String, session: String?, _ cancellation: CancellationFlag
  ) throws(QueryError) -> AWSCredentials {
    guard let token = readText(file) else {
      throw QueryError(.hiveFilesystemError, "The web identity token cannot be read: \(file)")
    }
    return try tokenService(
      "AssumeRoleWithWebIdentity",
      [
        ("RoleArn", role), ("RoleSessionName", session ?? "sqlq-\(UTCTime.now)"),
        ("WebIdentityToken", String(token.split(whereSeparator: \.isWhitespace).first ?? "")),
      ], signedBy: nil, cancellation)
  }

  /// Asks STS for the keys of a role.
  private func tokenService(
    _ action: String, _ fields: [(String, String)], signedBy source: AWSCredentials?, _ cancellation: CancellationFlag
  ) throws(QueryError) -> AWSCredentials {
    let region = configuration.region ?? "us-east-1"
    let endpoint =
      S3Configuration.environment("AWS_ENDPOINT_URL_STS") ?? S3Configuration.environment("AWS_ENDPOINT_URL")
      ?? "https://sts.\(region).amazonaws.com"
    let body = ([("Action", action), ("Version", "2011-06-15")] + fields).map {
      PercentEncoding.encode($0.0) + "=" + PercentEncoding.encode($0.1)
    }.joined(separator: "&")
    var headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8"), ("host", S3Endpoint.host(of: endpoint))]
    if let source {
      let payload = Digests.hex(Digests.sha256(body))
      headers += AWSSignature(credentials: source, region: region, service: "sts").headers(
        method: "POST", path: "/", query: [], headers: headers, payload: payload, time: UTCTime.now)
    }
    let answer = try send(
      HTTPRequest(
        method: "POST", url: S3Endpoint.trimmed(endpoint) + "/", headers: headers, body: HTTPBody(Array(body.utf8)), timeout: 30),
      cancellation)
    let document = XMLElement.parse(answer.body)
    guard answer.isSuccess, let keys = document?["\(action)Result"]?["Credentials"],
      let key = keys.text(of: "AccessKeyId"), let secret = keys.text(of: "SecretAccessKey")
    else {
      let reason = document?["Error"]?.text(of: "Message") ?? answer.failure?.text ?? "status \(answer.status)"
      throw QueryError(.hiveFilesystemError, "The AWS role could not be taken (\(action)): \(reason)")
    }
    return AWSCredentials(
      accessKey: key, secretKey: secret, sessionToken: keys.text(of: "SessionToken"),
      expiration: keys.text(of: "Expiration").flatMap(UTCTime.seconds(iso:)))
  }

  // MARK: Containers and instances

  private func container(_ cancellation: CancellationFlag) throws(QueryError) -> AWSCredentials? {
    let url: String
    if let path = S3Configuration.environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
      url = "http://169.254.170.2" + path
    } else if let full = S3Configuration.environment("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
      url = full
    } else {
      return nil
    }
    var headers: [(String, String)] = []
    var token = S3Configuration.environment("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    if let file = S3Configuration.environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
      token = readText(file).map { String($0.split(whereSeparator: \.isNewline).first ?? "") }
    }
    if let token { headers.append(("authorization", token)) }
    let answer = try send(HTTPRequest(method: "GET", url: url, headers: headers, connectTimeout: 2, timeout: 10), cancellation)
    guard answer.isSuccess, let found = CredentialsChain.keys(json: answer.body) else {
      throw QueryError(
        .hiveFilesystemError,
        "The container's AWS credentials could not be had from \(url): "
          + (answer.failure?.text ?? "status \(answer.status)"))
    }
    return found
  }

  /// The keys of the role of the instance this runs on, by version 2 of its metadata service; nil when there is none.
  private func instance(_ cancellation: CancellationFlag) throws(QueryError) -> AWSCredentials? {
    let base = S3Configuration.environment("AWS_EC2_METADATA_SERVICE_ENDPOINT").map(S3Endpoint.trimmed) ?? "http://169.254.169.254"
    let asked = try send(
      HTTPRequest(
        method: "PUT", url: base + "/latest/api/token", headers: [("x-aws-ec2-metadata-token-ttl-seconds", "21600")],
        connectTimeout: 1, timeout: 2), cancellation)
    guard asked.isSuccess else { return nil }
    let headers = [("x-aws-ec2-metadata-token", String(decoding: asked.body, as: UTF8.self))]
    let folder = base + "/latest/meta-data/iam/security-credentials/"
    let roles = try send(HTTPRequest(method: "GET", url: folder, headers: headers, connectTimeout: 1, timeout: 5), cancellation)
    guard roles.isSuccess, let role = String(decoding: roles.body, as: UTF8.self).split(whereSeparator: \.isNewline).first
    else { return nil }
    let answer = try send(
      HTTPRequest(method: "GET", url: folder + role, headers: headers, connectTimeout: 1, timeout: 5), cancellation)
    return answer.isSuccess ? CredentialsChain.keys(json: answer.body) : nil
  }

  static func keys(json bytes: [UInt8]) -> AWSCredentials? {
    guard let members = JSONMembers.parse(bytes), let key = members["AccessKeyId"], let secret = members["SecretAccessKey"]
    else { return nil }
    return AWSCredentials(
      accessKey: key, secretKey: secret, sessionToken: members["Token"] ?? members["SessionToken"],
      expiration: members["Expiration"].flatMap(UTCTime.seconds(iso:)))
  }

  private func send(_ request: HTTPRequest, _ cancellation: CancellationFlag) throws(QueryError) -> HTTPAnswer {
    try transport.submit(request).wait(cancellation)
  }
}
