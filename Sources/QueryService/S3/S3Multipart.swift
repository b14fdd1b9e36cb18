import Glibc
import ObjectStore
import QueryErrors
import S3ObjectStore

/// Uploads in parts: each a folder with what it is for and a file for each part, until it is completed or aborted.
extension S3Service {
  private static let partNumbers = 1...10_000

  /// The folder of an upload, which has to be of this object.
  private func upload(_ request: ServiceRequest, _ address: Address) throws(S3Error) -> String {
    let id = request.query("uploadId") ?? ""
    guard !id.isEmpty, id.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) || $0 == 0x2d }) else { throw .noSuchUpload }
    let folder = uploads + "/" + id
    guard let info = info(folder), info["bucket"]?.string == address.bucket, info["key"]?.string == address.key else { throw .noSuchUpload }
    return folder
  }

  private func info(_ folder: String) -> JSONValue? {
    do throws(QueryError) {
      let source = try LocalObjectStore().open(folder + "/info", meter: ScanMeter())
      return JSONParser.parse(try source.read(0..<source.byteCount, kind: .sampling).withBytes { Array($0) })
    } catch { return nil }
  }

  func beginUpload(_ request: ServiceRequest, _ address: Address) throws(S3Error) -> ServiceResponse {
    _ = try path(address)
    let id = RequestID.make()
    let folder = uploads + "/" + id
    let info: JSONValue = [
      "bucket": .string(address.bucket), "key": .string(address.key), "headers": .strings(S3Object.keptHeaders(request)),
    ]
    do throws(QueryError) {
      try LocalObjectStore().makeDirectory(folder)
      let writer = try LocalObjectStore().makeWriter(folder + "/info")
      let bytes = info.bytes
      var failure: QueryError?
      bytes.withUnsafeBytes { buffer in
        do throws(QueryError) { try writer.write(buffer) } catch { failure = error }
      }
      if let failure { throw failure }
      try writer.commit(durable: false)
    } catch { throw S3Error(error) }
    return S3Service.xml("InitiateMultipartUploadResult") { xml in
      xml.element("Bucket", address.bucket)
      xml.element("Key", address.key)
      xml.element("UploadId", id)
    }
  }

  private static func partName(_ number: Int) -> String { String(100_000 + number) }

  func putPart(_ request: ServiceRequest, _ address: Address) throws(S3Error) -> ServiceResponse {
    let folder = try upload(request, address)
    guard let number = request.query("partNumber").flatMap({ Int($0) }), S3Service.partNumbers.contains(number) else {
      throw .invalid("Part number must be an integer between 1 and 10000, inclusive")
    }
    let target = folder + "/" + S3Service.partName(number)
    let isCopy = request.header("x-amz-copy-source") != nil
    let part: UploadFile
    if isCopy {
      let (source, object) = try copySource(request)
      let wanted =
        try request.header("x-amz-copy-source-range").map { (text) throws(S3Error) in try S3Service.range(text, of: object.byteCount) } ?? nil
      part = try copied(source, wanted ?? 0..<object.byteCount)
    } else {
      guard case .file(let file) = request.body else { throw .invalid("The part has no body") }
      part = file
    }
    do throws(QueryError) { try part.move(to: target, replacing: true) } catch { throw S3Error(error) }
    guard let object = S3Object.at(target) else { throw .noSuchUpload }
    if !isCopy { return ServiceResponse(200, [("ETag", object.etag)]) }
    return S3Service.xml("CopyPartResult") { xml in
      xml.element("LastModified", object.isoTime)
      xml.element("ETag", object.etag)
    }
  }

  func completeUpload(_ request: ServiceRequest, _ address: Address) throws(S3Error) -> ServiceResponse {
    let folder = try upload(request, address)
    guard let body = XMLElement.parse(request.bytes), body.name == "CompleteMultipartUpload" else {
      throw S3Error(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
    }
    var before = 0
    let whole: UploadFile
    do throws(QueryError) { whole = try UploadFile(in: uploads, isChunked: false) } catch { throw S3Error(error) }
    let parts = body.children.filter { $0.name == "Part" }
    if parts.isEmpty { throw S3Error(400, "MalformedXML", "There must be at least one part") }
    for part in parts {
      guard let number = part.text(of: "PartNumber").flatMap({ Int($0) }), number > before else {
        throw S3Error(400, "InvalidPartOrder", "The list of parts was not in ascending order.")
      }
      before = number
      let path = folder + "/" + S3Service.partName(number)
      let wanted = (part.text(of: "ETag") ?? "").filter { $0 != "\"" }
      guard let object = S3Object.at(path), wanted == object.etag.filter({ $0 != "\"" }) else {
        throw S3Error(400, "InvalidPart", "One or more of the specified parts could not be found.")
      }
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw S3Service.failure("read a part") }
      defer { close(descriptor) }
      do throws(QueryError) { try whole.append(descriptor, 0..<object.byteCount) } catch { throw S3Error(error) }
    }
    try S3Object.keep(info(folder)?["headers"]?.strings ?? [:], at: whole.path)
    let target = try path(address)
    try move(whole, to: target, request)
    removeUpload(folder)
    guard let object = S3Object.at(target) else { throw .noSuchKey }
    return S3Service.xml("CompleteMultipartUploadResult") { xml in
      xml.element("Location", "/" + address.bucket + "/" + address.key)
      xml.element("Bucket", address.bucket)
      xml.element("Key", address.key)
      xml.element("ETag", object.etag)
    }
  }

  func abortUpload(_ request: ServiceRequest, _ address: Address) throws(S3Error) -> ServiceResponse {
    removeUpload(try upload(request, address))
    return ServiceResponse(204)
  }

  private func removeUpload(_ folder: String) {
    for entry in (try? LocalObjectStore().list(folder, detail: .names, meter: ScanMeter())) ?? [] { unlink(folder + "/" + entry.name) }
    rmdir(folder)
  }

  func listParts(_ request: ServiceRequest, _ address: Address) throws(S3Error) -> ServiceResponse {
    let folder = try upload(request, address)
    let names = ((try? LocalObjectStore().list(folder, detail: .names, meter: ScanMeter())) ?? []).map(\.name)
    return S3Service.xml("ListPartsResult") { xml in
      xml.element("Bucket", address.bucket)
      xml.element("Key", address.key)
      xml.element("UploadId", request.query("uploadId") ?? "")
      xml.element("IsTruncated", "false")
      for name in names {
        guard let number = Int(name), let object = S3Object.at(folder + "/" + name) else { continue }
        xml.element("Part") { xml in
          xml.element("PartNumber", String(number - 100_000))
          xml.element("LastModified", object.isoTime)
          xml.element("ETag", object.etag)
          xml.element("Size", String(object.byteCount))
        }
      }
    }
  }

  func listUploads(_ address: Address) throws(S3Error) -> ServiceResponse {
    let names = ((try? LocalObjectStore().list(uploads, detail: .names, meter: ScanMeter())) ?? []).filter(\.isDirectory).map(\.name)
    return S3Service.xml("ListMultipartUploadsResult") { xml in
      xml.element("Bucket", address.bucket)
      xml.element("IsTruncated", "false")
      for name in names {
        guard let info = self.info(self.uploads + "/" + name), info["bucket"]?.string == address.bucket else { continue }
        xml.element("Upload") { xml in
          xml.element("Key", info["key"]?.string ?? "")
          xml.element("UploadId", name)
          xml.element("Initiated", S3Object.at(self.uploads + "/" + name)?.isoTime ?? "")
        }
      }
    }
  }
}
