import Glibc
import HTTPClient
import ObjectStore
import QueryErrors
import S3ObjectStore

/// One page of a bucket's keys, in the order of their bytes.
///
/// Only folders that can hold a key of the prefix behind the mark are read; with the delimiter `/` none below that.
struct S3Listing {
  let bucket: String
  let prefix: String
  let delimiter: String
  /// Keys come after this one; a group of keys comes after it as a whole.
  let mark: String
  let limit: Int

  private(set) var objects: [(key: String, object: S3Object)] = []
  private(set) var groups: [String] = []
  /// The last key or group of the page, when there are more.
  private(set) var next: String?
  private var last = ""

  init(bucket: String, prefix: String, delimiter: String, mark: String, limit: Int) {
    (self.bucket, self.prefix, self.delimiter, self.mark, self.limit) = (bucket, prefix, delimiter, mark, limit)
    if limit == 0 { return }
    let folder = prefix.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(prefix[...$0]) } ?? ""
    _ = walk(folder)
  }

  /// Whether a folder has nothing in it.
  static func isEmpty(_ path: String) -> Bool {
    guard let stream = opendir(path) else { return false }
    defer { closedir(stream) }
    var count = 0
    while readdir(stream) != nil, count < 3 { count += 1 }
    return count == 2
  }

  /// Files while they are written.
  private static func isHidden(_ name: String) -> Bool { name.hasPrefix("._") && name.hasSuffix(".tmp") }

  private static func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

  /// Adds what lies in a folder, whose key ends with `/` or is empty.
  ///
  /// - Returns: whether there is room for more.
  private mutating func walk(_ folder: String) -> Bool {
    guard let path = try? FolderObjectStore.path(folder, in: bucket), let stream = opendir(path) else { return true }
    var names: [(key: String, isFolder: Bool)] = []
    let descriptor = dirfd(stream)
    while let record = readdir(stream) {
      let name = withUnsafePointer(to: &record.pointee.d_name) {
        $0.withMemoryRebound(to: UInt8.self, capacity: Int(record.pointee.d_reclen)) {
          String(validatingCString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
        }
      }
      guard let name, name != ".", name != "..", !S3Listing.isHidden(name) else { continue }
      var isFolder = record.pointee.d_type == UInt8(DT_DIR)
      if record.pointee.d_type == UInt8(DT_LNK) || record.pointee.d_type == UInt8(DT_UNKNOWN) {
        var status = stat()
        if fstatat(descriptor, name, &status, 0) != 0 { continue }
        isFolder = status.st_mode & S_IFMT == S_IFDIR
      }
      let key = folder + name + (isFolder ? "/" : "")
      // Keys of the prefix, and folders on the way to it.
      guard key.utf8.starts(with: prefix.utf8) || (isFolder && prefix.utf8.starts(with: key.utf8)) else { continue }
      // What lies before the mark, unless the mark lies within.
      if !mark.isEmpty, !S3Listing.precedes(mark, key), !(isFolder && mark.utf8.starts(with: key.utf8)) { continue }
      names.append((key, isFolder))
    }
    closedir(stream)
    names.sort { S3Listing.precedes($0.key, $1.key) }
    for (key, isFolder) in names {
      if isFolder {
        let isWithinPrefix = key.utf8.starts(with: prefix.utf8)
        if delimiter == "/", isWithinPrefix, key.utf8.count > prefix.utf8.count {
          if !add(key) { return false }
          continue
        }
        if isWithinPrefix, (try? FolderObjectStore.path(key, in: bucket)).map(S3Listing.isEmpty) == true {
          if !add(key) { return false }
          continue
        }
        if !walk(key) { return false }
      } else if !add(key) {
        return false
      }
    }
    return true
  }

  /// Adds a key, or the group it belongs to.
  private mutating func add(_ key: String) -> Bool {
    var group: String?
    if !delimiter.isEmpty, let found = key.dropFirst(prefix.count).firstRange(of: delimiter) { group = String(key[..<found.upperBound]) }
    if let group {
      // All keys of a group are one item, which the mark may already stand for.
      if group == groups.last || group == mark { return true }
    } else if !mark.isEmpty, !S3Listing.precedes(mark, key) {
      return true
    }
    if objects.count + groups.count == limit {
      next = last
      return false
    }
    if let group {
      groups.append(group)
      last = group
    } else if let path = try? FolderObjectStore.path(key, in: bucket), let object = S3Object.at(path) {
      objects.append((key, object))
      last = key
    }
    return true
  }
}

extension S3Service {
  private static let maximumKeys = 1000

  /// ListObjects and ListObjectsV2.
  func list(_ request: ServiceRequest, _ address: Address) throws(S3Error) -> ServiceResponse {
    let isSecond = request.query("list-type") == "2"
    let limitText = request.query("max-keys")
    guard let limit = limitText.map({ Int($0) }) ?? S3Service.maximumKeys, limit >= 0 else {
      throw .invalid("Argument max-keys must be an integer between 0 and 2147483647")
    }
    var mark = (isSecond ? request.query("start-after") : request.query("marker")) ?? ""
    let token = isSecond ? request.query("continuation-token") : nil
    if let token {
      guard let bytes = Base64.decode(token), let text = String(validating: bytes, as: UTF8.self) else {
        throw .invalid("The continuation token provided is incorrect")
      }
      mark = text
    }
    let prefix = request.query("prefix") ?? ""
    let delimiter = request.query("delimiter") ?? ""
    let page = S3Listing(
      bucket: try folder(address.bucket), prefix: prefix, delimiter: delimiter, mark: mark, limit: min(limit, S3Service.maximumKeys))
    let encodes = request.query("encoding-type") == "url"
    func shown(_ text: String) -> String { encodes ? PercentEncoding.encode(text, keepsSlashes: true) : text }
    return S3Service.xml("ListBucketResult") { xml in
      xml.element("Name", address.bucket)
      xml.element("Prefix", shown(prefix))
      if !delimiter.isEmpty { xml.element("Delimiter", shown(delimiter)) }
      if encodes { xml.element("EncodingType", "url") }
      xml.element("MaxKeys", String(min(limit, S3Service.maximumKeys)))
      xml.element("IsTruncated", page.next == nil ? "false" : "true")
      if isSecond {
        xml.element("KeyCount", String(page.objects.count + page.groups.count))
        if let token { xml.element("ContinuationToken", token) }
        if let start = request.query("start-after") { xml.element("StartAfter", shown(start)) }
        if let next = page.next { xml.element("NextContinuationToken", Digests.base64(Array(next.utf8))) }
      } else {
        xml.element("Marker", shown(mark))
        if let next = page.next { xml.element("NextMarker", shown(next)) }
      }
      for (key, object) in page.objects {
        xml.element("Contents") { xml in
          xml.element("Key", shown(key))
          xml.element("LastModified", object.isoTime)
          xml.element("ETag", object.etag)
          xml.element("Size", String(object.byteCount))
          xml.element("StorageClass", "STANDARD")
          if !isSecond || request.query("fetch-owner") == "true" { xml.element("Owner") { $0.element("ID", "sqlq") } }
        }
      }
      for group in page.groups { xml.element("CommonPrefixes") { $0.element("Prefix", shown(group)) } }
    }
  }
}
