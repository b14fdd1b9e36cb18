import Glibc
import QueryErrors
import Synchronization

/// The body of an upload while it comes in: a temporary file that becomes the object, or goes away.
///
/// Bodies in AWS' chunked coding are decoded.
///
/// - Threads: written by one thread, then handed to another.
final class UploadFile: @unchecked Sendable {
  let path: String
  private(set) var byteCount = 0
  private var descriptor: Int32
  private var chunks: AWSChunkDecoder?
  private var isTaken = false

  private static let serial = Atomic<Int>(0)

  /// - Parameters:
  ///   - folder: where uploads lie, on the file system of the objects.
  ///   - isChunked: whether the body is in the coding `aws-chunked`.
  init(in folder: String, isChunked: Bool) throws(QueryError) {
    let number = UploadFile.serial.wrappingAdd(1, ordering: .relaxed).newValue
    path = folder + "/\(getpid()).\(number)"
    descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    if isChunked { chunks = AWSChunkDecoder() }
    if descriptor < 0 { throw UploadFile.failure("write") }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if !isTaken { unlink(path) }
  }

  private static func failure(_ action: String) -> QueryError {
    QueryError(.hiveFilesystemError, "Cannot \(action) an upload: \(String(cString: strerror(errno)))")
  }

  /// Adds what came.
  ///
  /// - Throws: `HIVE_FILESYSTEM_ERROR`; `HIVE_BAD_DATA` for chunks that are none.
  func append(_ bytes: UnsafeRawBufferPointer) throws(QueryError) {
    guard var decoder = chunks else { return try write(bytes) }
    let decoded = try decoder.decode(bytes)
    chunks = decoder
    var failure: QueryError?
    decoded.withUnsafeBytes { part in
      do throws(QueryError) { try write(part) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  private func write(_ bytes: UnsafeRawBufferPointer) throws(QueryError) {
    var done = 0
    while done < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if count < 0 {
        if errno == EINTR { continue }
        throw UploadFile.failure("write")
      }
      done += count
    }
    byteCount += bytes.count
  }

  /// Whether the last chunk has come, where there are any.
  var isWhole: Bool { chunks?.isAtEnd ?? true }

  /// Calls `body` with the file's bytes, piece by piece.
  func forEachPiece(_ body: (UnsafeRawBufferPointer) -> Void) throws(QueryError) {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    var offset = 0
    while offset < byteCount {
      let count = pread(descriptor, &buffer, buffer.count, off_t(offset))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw UploadFile.failure("read") }
      buffer.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
      offset += count
    }
  }

  /// Adds a part of another file.
  func append(_ source: Int32, _ range: Range<Int>) throws(QueryError) {
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    var offset = range.lowerBound
    while offset < range.upperBound {
      let count = pread(source, &buffer, min(buffer.count, range.upperBound - offset), off_t(offset))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw UploadFile.failure("read the source of") }
      var failure: QueryError?
      buffer.withUnsafeBytes { bytes in
        do throws(QueryError) { try write(UnsafeRawBufferPointer(rebasing: bytes[..<count])) } catch { failure = error }
      }
      if let failure { throw failure }
      offset += count
    }
  }

  /// Makes the file what lies at a path, replacing what was there.
  func move(to target: String, replacing: Bool) throws(QueryError) {
    if replacing {
      guard rename(path, target) == 0 else { throw UploadFile.failure("keep") }
      isTaken = true
      return
    }
    if link(path, target) != 0 {
      if errno == EEXIST { throw QueryError(.alreadyExists, "The object exists") }
      throw UploadFile.failure("keep")
    }
  }
}

/// Takes the data out of a body in the coding `aws-chunked`: `size;chunk-signature=…`, the data, and at the end trailers.
///
/// - Source: AWS documentation, "Signature calculations: transferring payload in multiple chunks". Signatures of chunks are not
///   looked at: the server takes such bodies only where it checks no signatures, or where the client says they have none.
struct AWSChunkDecoder {
  private enum State { case size, data(Int), end(Int), trailer }
  private var state = State.size
  private var line: [UInt8] = []
  private(set) var isAtEnd = false

  private static let maximumLineLength = 4096

  mutating func decode(_ bytes: UnsafeRawBufferPointer) throws(QueryError) -> [UInt8] {
    var out: [UInt8] = []
    var at = 0
    while at < bytes.count {
      switch state {
      case .size:
        guard let text = try takeLine(bytes, &at) else { return out }
        guard let size = Int(text.prefix { $0 != ";" }, radix: 16), size >= 0 else { throw AWSChunkDecoder.damaged }
        state = size == 0 ? .trailer : .data(size)
        if size == 0 { isAtEnd = true }
      case .data(let left):
        let count = min(left, bytes.count - at)
        out += bytes[at..<at + count]
        at += count
        state = count == left ? .end(2) : .data(left - count)
      case .end(let left):
        guard bytes[at] == (left == 2 ? 0x0d : 0x0a) else { throw AWSChunkDecoder.damaged }
        at += 1
        state = left == 1 ? .size : .end(1)
      case .trailer: at = bytes.count
      }
    }
    return out
  }

  private static let damaged = QueryError(.hiveBadData, "The body is not in the coding aws-chunked")

  private mutating func takeLine(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) throws(QueryError) -> String? {
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      if byte == 0x0a {
        defer { line = [] }
        if line.last == 0x0d { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
      }
      line.append(byte)
      if line.count > AWSChunkDecoder.maximumLineLength { throw AWSChunkDecoder.damaged }
    }
    return nil
  }
}
