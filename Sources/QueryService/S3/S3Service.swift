import Glibc
import HTTPClient
import ObjectStore
import QueryErrors
import S3ObjectStore

/// Amazon S3's protocol over a local folder: its folders are the buckets, files are objects.
///
/// A folder with nothing in it is the object `folder/`, as consoles make them; all others are only prefixes. What is being
/// written has a hidden name and is never shown.
///
/// - Source: Amazon S3 API reference, 2006-03-01.
final class S3Service: Sendable {
  let root: String
  let region: String

  /// Where uploads and their parts lie until they are whole.
  var uploads: String { root + "/.uploads" }

  init(root: String, region: String) throws(QueryError) {
    self.root = root
    self.region = region
    try LocalObjectStore().makeDirectory(uploads)
    S3Service.sweep(uploads)
  }

  /// Removes the bodies that processes which have died were receiving.
  private static func sweep(_ folder: String) {
    for name in (try? LocalObjectStore().list(folder, detail: .names, meter: ScanMeter())) ?? [] where !name.isDirectory {
      guard let process = name.name.split(separator: ".").first.flatMap({ pid_t($0) }), kill(process, 0) != 0, errno == ESRCH else { continue }
      unlink(folder + "/" + name.name)
    }
  }

  // MARK: Addresses

  /// What a request is about: a bucket, and a key in it, both empty for the service itself.
  struct Address {
    var bucket = ""
    var key = ""
  }

  /// Reads path style, and virtual-hosted style where the host is `bucket.s3.…` or `bucket.localhost`.
  static func address(_ request: ServiceRequest) -> Address {
    var path = PercentEncoding.decode(String(request.path.drop { $0 == "/" }))
    if request.path.hasPrefix("//") { path = PercentEncoding.decode(String(request.path.dropFirst())) }
    let host = (request.header("host") ?? "").lowercased().split(separator: ":").first.map(String.init) ?? ""
    for mark in [".s3.", ".localhost"] {
      if let end = host.firstRange(of: mark)?.lowerBound, end > host.startIndex, S3Bucket.isName(String(host[..<end])) {
        return Address(bucket: String(host[..<end]), key: path)
      }
    }
    let parts = path.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    return Address(bucket: parts.first.map(String.init) ?? "", key: parts.count < 2 ? "" : String(parts[1]))
  }

  func folder(_ bucket: String) throws(S3Error) -> String {
    guard S3Bucket.isName(bucket) else { throw S3Error(400, "InvalidBucketName", "The specified bucket is not valid.") }
    let folder = root + "/" + bucket
    var status = stat()
    guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { throw .noSuchBucket }
    return folder
  }

  /// The file of a key.
  func path(_ address: Address) throws(S3Error) -> String {
    _ = try folder(address.bucket)
    guard address.key.utf8.count <= 1024 else { throw S3Error(400, "KeyTooLongError", "Your key is too long") }
    do throws(QueryError) { return try FolderObjectStore.path(address.bucket + "/" + address.key, in: root) } catch { throw S3Error(error) }
  }

  // MARK: Dispatch

  func handle(_ request: ServiceRequest) -> ServiceResponse {
    do throws(S3Error) { return try answer(request) } catch {
      return error.response(request.path, isHead: request.method == "HEAD")
    }
  }

  /// Whether the body of a request is kept in a file.
  static func isUpload(_ request: ServiceRequest) -> Bool {
    request.method == "PUT" && !address(request).key.isEmpty && request.header("x-amz-copy-source") == nil
  }

  /// Whether a body is in the coding `aws-chunked`.
  static func isChunked(_ request: ServiceRequest) -> Bool {
    (request.header("x-amz-content-sha256") ?? "").hasPrefix("STREAMING-") || (request.header("content-encoding") ?? "").contains("aws-chunked")
  }

  /// Subresources that mean something else than the object or bucket itself.
  private static let unsupported = [
    "acl", "policy", "policyStatus", "cors", "lifecycle", "encryption", "tagging", "website", "notification", "replication", "logging",
    "accelerate", "requestPayment", "inventory", "metrics", "analytics", "object-lock", "legal-hold", "retention", "torrent", "restore",
    "select", "versions", "versionId", "attributes", "publicAccessBlock", "ownershipControls", "intelligent-tiering", "partNumber",
  ]

  private func answer(_ request: ServiceRequest) throws(S3Error) -> ServiceResponse {
    let address = S3Service.address(request)
    let isPart = request.query("uploadId") != nil
    for (name, _) in request.rawQuery where S3Service.unsupported.contains(name) && !(isPart && name == "partNumber") {
      throw .notImplemented("?\(name)")
    }
    if address.bucket.isEmpty {
      guard address.key.isEmpty else { throw S3Error(400, "InvalidBucketName", "The specified bucket is not valid.") }
      guard request.method == "GET" || request.method == "HEAD" else { throw S3Error(405, "MethodNotAllowed", "The method is not allowed") }
      return try listBuckets()
    }
    if address.key.isEmpty { return try bucketAnswer(request, address) }
    switch request.method {
    case "GET" where isPart: return try listParts(request, address)
    case "GET", "HEAD": return try get(request, address)
    case "PUT" where isPart: return try putPart(request, address)
    case "PUT": return try put(request, address)
    case "DELETE" where isPart: return try abortUpload(request, address)
    case "DELETE":
      try delete(address)
      return ServiceResponse(204)
    case "POST" where request.query("uploads") != nil: return try beginUpload(request, address)
    case "POST" where isPart: return try completeUpload(request, address)
    default: throw S3Error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
    }
  }

  private func bucketAnswer(_ request: ServiceRequest, _ address: Address) throws(S3Error) -> ServiceResponse {
    switch request.method {
    case "HEAD":
      _ = try folder(address.bucket)
      return ServiceResponse(200, [("x-amz-bucket-region", region)], .absent(byteCount: 0))
    case "GET":
      _ = try folder(address.bucket)
      if request.query("location") != nil {
        return S3Service.xml("LocationConstraint") { if self.region != "us-east-1" { $0.append(self.region) } }
      }
      if request.query("versioning") != nil { return S3Service.xml("VersioningConfiguration") { _ in } }
      if request.query("uploads") != nil { return try listUploads(address) }
      return try list(request, address)
    case "PUT":
      guard S3Bucket.isName(address.bucket) else { throw S3Error(400, "InvalidBucketName", "The specified bucket is not valid.") }
      if mkdir(root + "/" + address.bucket, 0o777) != 0, errno != EEXIST { throw S3Service.failure("create the bucket") }
      return ServiceResponse(200, [("Location", "/" + address.bucket)])
    case "DELETE":
      let folder = try folder(address.bucket)
      if rmdir(folder) != 0 {
        if errno == ENOTEMPTY || errno == EEXIST { throw S3Error(409, "BucketNotEmpty", "The bucket you tried to delete is not empty") }
        throw S3Service.failure("remove the bucket")
      }
      return ServiceResponse(204)
    case "POST" where request.query("delete") != nil: return try deleteObjects(request, address)
    default: throw S3Error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
    }
  }

  static func xml(_ name: String, _ body: (inout XMLText) -> Void) -> ServiceResponse {
    var xml = XMLText()
    xml.element(name, attributes: " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"") { body(&$0) }
    return ServiceResponse(200, [("Content-Type", "application/xml")], .bytes(Array(xml.text.utf8)))
  }

  static func failure(_ action: String) -> S3Error {
    let code = errno
    if code == ENOTDIR || code == EISDIR {
      return S3Error(409, "InvalidRequest", "A key cannot be both an object and the prefix of others in a folder")
    }
    if code == ENOSPC || code == EDQUOT { return S3Error(507, "InsufficientStorage", "The disk is full") }
    return S3Error(500, "InternalError", "Cannot \(action): \(String(cString: strerror(code)))")
  }

  private func listBuckets() throws(S3Error) -> ServiceResponse {
    let entries: [ObjectEntry]
    do throws(QueryError) { entries = try LocalObjectStore().list(root, detail: .infos, meter: ScanMeter()) } catch { throw S3Error(error) }
    return S3Service.xml("ListAllMyBucketsResult") { xml in
      xml.element("Owner") { $0.element("ID", "sqlq") }
      xml.element("Buckets") { xml in
        for entry in entries where entry.isDirectory && S3Bucket.isName(entry.name) {
          xml.element("Bucket") { xml in
            xml.element("Name", entry.name)
            xml.element("CreationDate", S3Object.at(self.root + "/" + entry.name)?.isoTime ?? HTTPDate.iso(nanoseconds: 0))
          }
        }
      }
    }
  }
}
