import CAttributes
import Glibc
import S3ObjectStore

/// A file as an object: size, time and what tells its states apart.
struct S3Object {
  var isFolder: Bool
  var byteCount: Int
  /// Nanoseconds since 1970-01-01 UTC.
  var modificationTime: Int64
  var inode: UInt

  init(_ status: stat) {
    isFolder = status.st_mode & S_IFMT == S_IFDIR
    byteCount = isFolder ? 0 : Int(status.st_size)
    modificationTime = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    inode = UInt(status.st_ino)
  }

  static func at(_ path: String) -> S3Object? {
    var status = stat()
    return stat(path, &status) == 0 ? S3Object(status) : nil
  }

  /// Changes with each write. It ends in `-1`, as those of uploads in parts do, because it is no MD5 of the bytes.
  var etag: String { "\"\(S3Object.hex(UInt64(bitPattern: modificationTime)))\(S3Object.hex(UInt64(byteCount) << 32 ^ UInt64(inode)))-1\"" }

  private static func hex(_ value: UInt64) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }

  var httpTime: String { HTTPDate.text(now: Int(modificationTime / 1_000_000_000)) }
  var isoTime: String { HTTPDate.iso(nanoseconds: modificationTime) }

  // MARK: What clients say of an object

  private static let attribute = "user.sqlq.headers"

  /// The headers that are kept with an object: its type and coding, and `x-amz-meta-…`.
  static func keptHeaders(_ request: ServiceRequest) -> [String: String] {
    var kept: [String: String] = [:]
    for (name, value) in request.headers {
      switch name {
      case "content-type", "cache-control", "content-disposition", "content-language", "expires": kept[name] = value
      case "content-encoding":
        let codings = value.split(separator: ",").map { $0.filter { $0 != " " } }.filter { $0 != "aws-chunked" }
        if !codings.isEmpty { kept[name] = codings.joined(separator: ",") }
      default: if name.hasPrefix("x-amz-meta-") { kept[name] = value }
      }
    }
    return kept
  }

  /// Keeps headers with a file. File systems without extended attributes keep none.
  ///
  /// - Throws: when the client's own metadata would be lost.
  static func keep(_ headers: [String: String], at path: String) throws(S3Error) {
    if headers.isEmpty { return }
    let bytes = JSONValue.strings(headers).bytes
    if setxattr(path, attribute, bytes, bytes.count, 0) != 0, headers.keys.contains(where: { $0.hasPrefix("x-amz-meta-") }) {
      throw .notImplemented("Metadata on this file system")
    }
  }

  static func headers(at path: String) -> [String: String] {
    var buffer = [UInt8](repeating: 0, count: 8192)
    let count = getxattr(path, attribute, &buffer, buffer.count)
    return count > 0 ? JSONParser.parse(Array(buffer[..<count]))?.strings ?? [:] : [:]
  }
}
