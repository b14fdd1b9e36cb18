import Glibc
import HTTPClient
import ObjectStore
import QueryErrors
import S3ObjectStore

/// Reading, writing, copying and deleting single objects.
extension S3Service {
  // MARK: Reading

  func get(_ request: ServiceRequest, _ address: Address) throws(S3Error) -> ServiceResponse {
    let path = try path(address)
    let isFolderKey = address.key.hasSuffix("/")
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { throw .noSuchKey }
      throw S3Service.failure("open the object")
    }
    var isHandedOver = false
    defer { if !isHandedOver { close(descriptor) } }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw S3Service.failure("read the object") }
    let object = S3Object(status)
    // A folder is an object only under its own name, and only while nothing is in it.
    guard object.isFolder == isFolderKey, !isFolderKey || S3Listing.isEmpty(path) else { throw .noSuchKey }
    if let response = try S3Service.unchanged(request, object) { return response }
    var headers: [(name: String, value: String)] = [
      ("ETag", object.etag), ("Last-Modified", object.httpTime), ("Accept-Ranges", "bytes"),
    ]
    var kept = S3Object.headers(at: path)
    for name in ["content-type", "cache-control", "content-disposition", "content-language", "content-encoding", "expires"] {
      if let value = request.query("response-" + name) { kept[name] = value }
    }
    if kept["content-type"] == nil { kept["content-type"] = "binary/octet-stream" }
    headers += kept.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    var (code, range) = (200, 0..<object.byteCount)
    if let text = request.header("range"), let wanted = try S3Service.range(text, of: object.byteCount) {
      (code, range) = (206, wanted)
      headers.append(("Content-Range", "bytes \(wanted.lowerBound)-\(wanted.upperBound - 1)/\(object.byteCount)"))
    }
    if request.method == "HEAD" || isFolderKey { return ServiceResponse(code, headers, .absent(byteCount: range.count)) }
    isHandedOver = true
    return ServiceResponse(code, headers, .file(descriptor: descriptor, range: range))
  }

  /// The answer when what the client has, or wants, is not what is there.
  private static func unchanged(_ request: ServiceRequest, _ object: S3Object) throws(S3Error) -> ServiceResponse? {
    func names(_ header: String) -> Bool? {
      request.header(header).map { value in
        value.split(separator: ",").contains {
          $0.filter { $0 != " " } == "*" || $0.filter { $0 != " " && $0 != "\"" } == object.etag.filter { $0 != "\"" }
        }
      }
    }
    let seconds = Int(object.modificationTime / 1_000_000_000)
    if let isMatch = names("if-match") {
      if !isMatch { throw .notFulfilled }
    } else if let time = request.header("if-unmodified-since").flatMap(UTCTime.seconds(http:)), seconds > time {
      throw .notFulfilled
    }
    if let isMatch = names("if-none-match") {
      if isMatch { return ServiceResponse(304, [("ETag", object.etag)]) }
    } else if let time = request.header("if-modified-since").flatMap(UTCTime.seconds(http:)), seconds <= time {
      return ServiceResponse(304, [("ETag", object.etag)])
    }
    return nil
  }

  /// The bytes that `bytes=a-b`, `bytes=a-` or `bytes=-n` mean; nil for headers that are to be passed over.
  static func range(_ text: String, of byteCount: Int) throws(S3Error) -> Range<Int>? {
    guard text.hasPrefix("bytes="), !text.contains(",") else { return nil }
    let parts = text.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    let outside = S3Error(416, "InvalidRange", "The requested range is not satisfiable")
    if parts[0].isEmpty {
      guard let count = Int(parts[1]), count >= 0 else { return nil }
      guard count > 0, byteCount > 0 else { throw outside }
      return max(0, byteCount - count)..<byteCount
    }
    guard let first = Int(parts[0]), first >= 0 else { return nil }
    guard first < byteCount else { throw outside }
    if parts[1].isEmpty { return first..<byteCount }
    guard let last = Int(parts[1]), last >= first else { return nil }
    return first..<min(byteCount, last == Int.max ? last : last + 1)
  }

  // MARK: Writing

  func put(_ request: ServiceRequest, _ address: Address) throws(S3Error) -> ServiceResponse {
    let target = try path(address)
    for name in ["x-amz-server-side-encryption-customer-algorithm", "x-amz-tagging", "x-amz-object-lock-mode", "x-amz-website-redirect-location"]
    where request.header(name) != nil { throw .notImplemented("The header \(name)") }
    if request.header("x-amz-copy-source") != nil { return try copy(request, address, target) }
    guard case .file(let upload) = request.body else { throw .invalid("The request has no body") }
    if address.key.hasSuffix("/") {
      guard upload.byteCount == 0 else { throw .invalid("A key that ends with / is a folder and has no bytes") }
      try makeFolder(target)
    } else {
      try S3Object.keep(S3Object.keptHeaders(request), at: upload.path)
      try move(upload, to: target, request)
    }
    guard let object = S3Object.at(target) else { throw .noSuchKey }
    return ServiceResponse(200, [("ETag", object.etag)])
  }

  /// Makes an upload the object, if what the client says of the one before holds.
  func move(_ upload: UploadFile, to target: String, _ request: ServiceRequest) throws(S3Error) {
    if let wanted = request.header("if-match") {
      guard let object = S3Object.at(target), wanted == "*" || wanted == object.etag else { throw .notFulfilled }
    }
    if let old = S3Object.at(target), old.isFolder {
      throw S3Error(409, "InvalidRequest", "A key cannot be both an object and the prefix of others in a folder")
    }
    // Another client may remove the last object beside it, and its folder with it, in between.
    for attempt in 0..<3 {
      try makeFolder(ObjectPath.parent(target))
      do throws(QueryError) { return try upload.move(to: target, replacing: request.header("if-none-match") == nil) } catch {
        if errno == ENOENT, attempt < 2 { continue }
        throw S3Error(error)
      }
    }
  }

  func makeFolder(_ path: String) throws(S3Error) {
    do throws(QueryError) { try LocalObjectStore().makeDirectory(path) } catch {
      errno = ENOTDIR
      throw S3Service.failure(error.message)
    }
  }

  private func copy(_ request: ServiceRequest, _ address: Address, _ target: String) throws(S3Error) -> ServiceResponse {
    let (source, object) = try copySource(request)
    let upload = try copied(source, 0..<object.byteCount)
    let replaces = request.header("x-amz-metadata-directive") == "REPLACE"
    try S3Object.keep(replaces ? S3Object.keptHeaders(request) : S3Object.headers(at: source), at: upload.path)
    try move(upload, to: target, request)
    guard let made = S3Object.at(target) else { throw .noSuchKey }
    return S3Service.xml("CopyObjectResult") { xml in
      xml.element("LastModified", made.isoTime)
      xml.element("ETag", made.etag)
    }
  }

  /// The file that `x-amz-copy-source` names.
  func copySource(_ request: ServiceRequest) throws(S3Error) -> (path: String, object: S3Object) {
    let text = PercentEncoding.decode(request.header("x-amz-copy-source") ?? "")
    let parts = text.drop { $0 == "/" }.split(separator: "/", maxSplits: 1)
    guard parts.count == 2, !text.contains("?versionId=") else { throw .invalid("Copy Source must mention the source bucket and key") }
    let path = try path(Address(bucket: String(parts[0]), key: String(parts[1])))
    guard let object = S3Object.at(path), !object.isFolder else { throw .noSuchKey }
    if let wanted = request.header("x-amz-copy-source-if-match"), wanted != object.etag { throw .notFulfilled }
    return (path, object)
  }

  /// A part of a file, as an upload.
  func copied(_ path: String, _ range: Range<Int>) throws(S3Error) -> UploadFile {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .noSuchKey }
    defer { close(descriptor) }
    do throws(QueryError) {
      let upload = try UploadFile(in: uploads, isChunked: false)
      try upload.append(descriptor, range)
      return upload
    } catch { throw S3Error(error) }
  }

  // MARK: Deleting

  /// Removes an object; nothing happens when there is none.
  func delete(_ address: Address) throws(S3Error) {
    let path = try path(address)
    if address.key.hasSuffix("/") {
      // Only an empty folder is an object.
      if rmdir(path) != 0, errno != ENOENT, errno != ENOTEMPTY, errno != EEXIST, errno != ENOTDIR { throw S3Service.failure("delete the object") }
    } else if unlink(path) != 0 {
      if errno == ENOENT || errno == ENOTDIR || errno == EISDIR { return }
      throw S3Service.failure("delete the object")
    }
    // Folders are made with the objects in them, and go with the last.
    let bucket = root + "/" + address.bucket
    var parent = ObjectPath.parent(path)
    while parent.utf8.count > bucket.utf8.count, rmdir(parent) == 0 { parent = ObjectPath.parent(parent) }
  }

  func deleteObjects(_ request: ServiceRequest, _ address: Address) throws(S3Error) -> ServiceResponse {
    _ = try folder(address.bucket)
    guard let body = XMLElement.parse(request.bytes), body.name == "Delete" else {
      throw S3Error(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
    }
    let keys = body.children.filter { $0.name == "Object" }.map { $0.text(of: "Key") ?? "" }
    guard keys.count <= 1000 else { throw S3Error(400, "MalformedXML", "At most 1000 keys can be deleted at once") }
    let isQuiet = body.text(of: "Quiet") == "true"
    return S3Service.xml("DeleteResult") { xml in
      for key in keys {
        do throws(S3Error) {
          try self.delete(Address(bucket: address.bucket, key: key))
          if !isQuiet { xml.element("Deleted") { $0.element("Key", key) } }
        } catch {
          xml.element("Error") { xml in
            xml.element("Key", key)
            xml.element("Code", error.code)
            xml.element("Message", error.message)
          }
        }
      }
    }
  }
}
