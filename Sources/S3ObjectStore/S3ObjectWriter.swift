import Glibc
import HTTPClient
import ObjectStore
import QueryErrors

/// Writes an object: a small one by one request, a large one by parts. Nothing is there before `commit`.
///
/// - Source: Amazon S3 User Guide, multipart upload: parts of 5 MiB at least, 10,000 at most.
final class S3ObjectWriter: ObjectWriter {
  let path: String
  private(set) var byteCount: UInt64 = 0
  private let client: S3Client
  private let bucket: String
  private let key: String
  private let replaces: Bool
  private let meter: ScanMeter

  private var buffer: AlignedBuffer?
  private var filled = 0
  private var uploadID: String?
  private var tags: [String] = []
  private var underWay: [S3Exchange] = []
  private var hasEnded = false

  private static let firstPartByteCount = 8 << 20
  private static let largestPartByteCount = 256 << 20
  private static let maximumUnderWay = 4

  init(_ client: S3Client, path: String, bucket: String, key: String, replaces: Bool, meter: ScanMeter) {
    (self.client, self.path, self.bucket, self.key) = (client, path, bucket, key)
    (self.replaces, self.meter) = (replaces, meter)
  }

  deinit { abort() }

  /// Parts grow, so that 10,000 of them hold the largest object.
  private var partByteCount: Int {
    min(S3ObjectWriter.largestPartByteCount, S3ObjectWriter.firstPartByteCount << (tags.count / 1000))
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(QueryError) {
    guard !hasEnded else { throw QueryError.internalError("Write after commit: s3://\(path)") }
    var done = 0
    while done < bytes.count {
      if buffer == nil {
        guard let made = AlignedBuffer(capacity: partByteCount) else {
          throw QueryError(.exceededLocalMemoryLimit, "Out of memory: \(partByteCount) bytes to write s3://\(path)")
        }
        (buffer, filled) = (made, 0)
      }
      let count = min(bytes.count - done, buffer!.capacity - filled)
      memcpy(buffer!.pointer + filled, bytes.baseAddress! + done, count)
      filled += count
      done += count
      if filled == buffer!.capacity { try sendPart() }
    }
    byteCount += UInt64(bytes.count)
  }

  private func takeBody() -> HTTPBody {
    defer { (buffer, filled) = (nil, 0) }
    return buffer.map { HTTPBody($0, count: filled) } ?? HTTPBody([])
  }

  private func sendPart() throws(QueryError) {
    if uploadID == nil {
      let call = S3Call(method: "POST", kind: .put, bucket: bucket, key: key, query: [("uploads", "")])
      let answer = try client.send(call, meter: meter)
      guard let id = XMLElement.parse(answer.body)?.text(of: "UploadId") else {
        throw QueryError(.hiveFilesystemError, "S3 began no upload of s3://\(path)")
      }
      uploadID = id
    }
    if underWay.count == S3ObjectWriter.maximumUnderWay { try finishFirst() }
    let call = S3Call(
      method: "PUT", kind: .put, bucket: bucket, key: key,
      query: [("partNumber", String(tags.count + underWay.count + 1)), ("uploadId", uploadID!)], body: takeBody())
    underWay.append(try client.begin(call, meter: meter))
  }

  private func finishFirst() throws(QueryError) {
    let answer = try underWay.removeFirst().answer()
    guard let tag = answer.headers["etag"] else {
      throw QueryError(.hiveFilesystemError, "S3 took a part of s3://\(path) without naming it")
    }
    tags.append(tag)
  }

  func commit(durable: Bool) throws(QueryError) {
    guard !hasEnded else { throw QueryError.internalError("Commit after commit: s3://\(path)") }
    let condition: [(name: String, value: String)] = replaces ? [] : [("if-none-match", "*")]
    guard let id = uploadID else {
      let call = S3Call(method: "PUT", kind: .put, bucket: bucket, key: key, headers: condition, body: takeBody())
      _ = try client.send(call, meter: meter)
      hasEnded = true
      return
    }
    if filled > 0 { try sendPart() }
    while !underWay.isEmpty { try finishFirst() }
    var text = "<CompleteMultipartUpload>"
    for (index, tag) in tags.enumerated() { text += "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(tag)</ETag></Part>" }
    text += "</CompleteMultipartUpload>"
    let call = S3Call(
      method: "POST", kind: .put, bucket: bucket, key: key, query: [("uploadId", id)],
      headers: condition + [("content-type", "application/xml")], body: HTTPBody(Array(text.utf8)))
    let answer = try client.send(call, allowing: [404], meter: meter)
    // A try whose answer was lost may have completed it; then the upload is gone and the object there.
    if answer.status == 404 {
      let head = try client.send(S3Call(method: "HEAD", kind: .head, bucket: bucket, key: key), allowing: [404], meter: meter)
      guard head.status != 404, head.headers["content-length"].flatMap({ UInt64($0) }) == byteCount else {
        throw QueryError(.hiveFilesystemError, "The upload of s3://\(path) is gone")
      }
    }
    hasEnded = true
  }

  func abort() {
    if hasEnded { return }
    hasEnded = true
    for exchange in underWay { exchange.giveUp() }
    underWay = []
    buffer = nil
    guard let id = uploadID else { return }
    // A cancelled query leaves nothing behind either: its meter would refuse the call.
    let call = S3Call(method: "DELETE", kind: .delete, bucket: bucket, key: key, query: [("uploadId", id)])
    _ = try? client.send(call, allowing: [404], meter: ScanMeter())
  }
}
