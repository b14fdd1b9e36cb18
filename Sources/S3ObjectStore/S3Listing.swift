import HTTPClient
import ObjectStore
import QueryErrors

/// One page of a bucket's keys.
///
/// - Source: Amazon S3 API Reference, ListObjectsV2.
struct S3Page {
  struct Object {
    var key: String
    var byteCount: UInt64
    /// Nanoseconds since 1970-01-01 UTC.
    var modificationTime: Int64
    var tag: String?
  }

  var objects: [Object] = []
  /// Common prefixes, each with its `/`.
  var folders: [String] = []
  var continuation: String?

  init(_ bytes: [UInt8], place: String) throws(QueryError) {
    guard let document = XMLElement.parse(bytes), document.name == "ListBucketResult" else {
      throw QueryError(.hiveFilesystemError, "The listing of \(place) is no answer of S3's")
    }
    let isEncoded = document.text(of: "EncodingType") == "url"
    func key(_ text: String) -> String { isEncoded ? PercentEncoding.decode(text, plusIsSpace: true) : text }
    for element in document.children {
      switch element.name {
      case "Contents":
        guard let name = element.text(of: "Key") else { continue }
        let seconds = element.text(of: "LastModified").flatMap(UTCTime.seconds(iso:)) ?? 0
        objects.append(
          Object(
            key: key(name), byteCount: element.text(of: "Size").flatMap { UInt64($0) } ?? 0,
            modificationTime: Int64(seconds) * 1_000_000_000, tag: element.text(of: "ETag")))
      case "CommonPrefixes": if let prefix = element.text(of: "Prefix") { folders.append(key(prefix)) }
      case "NextContinuationToken": continuation = element.text
      default: break
      }
    }
    if document.text(of: "IsTruncated") != "true" { continuation = nil }
  }
}

/// Reads a bucket's keys, a thousand a call.
struct S3Lister {
  let client: S3Client
  let meter: ScanMeter

  /// A page of the keys with a prefix.
  ///
  /// - Parameters:
  ///   - isFlat: whether keys of any depth count, not folded at the next `/`.
  ///   - after: keys up to this one are left out.
  func page(
    _ bucket: String, prefix: String, isFlat: Bool, after: String? = nil, continuation: String? = nil, limit: Int? = nil
  ) throws(QueryError) -> S3Page {
    var query = [("list-type", "2"), ("prefix", prefix), ("encoding-type", "url")]
    if !isFlat { query.append(("delimiter", "/")) }
    if let continuation { query.append(("continuation-token", continuation)) } else if let after { query.append(("start-after", after)) }
    if let limit { query.append(("max-keys", String(limit))) }
    let call = S3Call(method: "GET", kind: .list, bucket: bucket, query: query)
    let page = try S3Page(try client.send(call, meter: meter).body, place: "s3://\(bucket)/\(prefix)")
    try meter.addListing(entryCount: page.objects.count + page.folders.count)
    return page
  }

  /// What lies below a prefix that is empty or ends with `/`; nil when nothing does.
  func entries(_ bucket: String, _ prefix: String, _ depth: ListingDepth) throws(QueryError) -> [ObjectEntry]? {
    var found: [ObjectEntry] = []
    var exists = prefix.isEmpty
    var continuation: String?
    repeat {
      let page = try page(bucket, prefix: prefix, isFlat: depth == .allLevels, continuation: continuation)
      exists = exists || !page.objects.isEmpty || !page.folders.isEmpty
      for object in page.objects { append(object, below: prefix, to: &found) }
      for folder in page.folders {
        let name = folder.dropFirst(prefix.count).dropLast()
        if !name.isEmpty { found.append(ObjectEntry(name: String(name), isDirectory: true)) }
      }
      continuation = page.continuation
    } while continuation != nil
    found.sort { S3Lister.precedes($0.name, $1.name) }
    return exists ? found : nil
  }

  /// What lies below several prefixes of one parent, given in byte order, by as few calls as their keys fill.
  ///
  /// A call reads a thousand keys from where the next wanted prefix starts; what lies between wanted prefixes is jumped
  /// over. So there are never more calls than prefixes, but for those that need several each.
  func entries(
    _ bucket: String, parent: String, each prefixes: [String], _ depth: ListingDepth
  ) throws(QueryError) -> [[ObjectEntry]?] {
    var found = [[ObjectEntry]?](repeating: nil, count: prefixes.count)
    var at = 0
    var after: String?
    while at < prefixes.count {
      let first = at
      let page = try page(bucket, prefix: parent, isFlat: true, after: after ?? prefixes[at])
      var hasSubfolders = false
      for object in page.objects {
        while at < prefixes.count, !object.key.utf8.starts(with: prefixes[at].utf8),
          S3Lister.precedes(prefixes[at], object.key)
        { at += 1 }
        guard at < prefixes.count else { break }
        guard object.key.utf8.starts(with: prefixes[at].utf8) else { continue }
        if found[at] == nil { found[at] = [] }
        if depth == .allLevels {
          append(object, below: prefixes[at], to: &found[at]!)
        } else {
          hasSubfolders = fold(object, below: prefixes[at], into: &found[at]!) || hasSubfolders
        }
      }
      guard at < prefixes.count, page.continuation != nil, let last = page.objects.last?.key else { break }
      guard last.utf8.starts(with: prefixes[at].utf8) else {
        after = nil
        continue
      }
      if at == first, hasSubfolders {
        // More keys than a call holds lie in its subfolders: their names come at once where keys are folded.
        found[at] = try entries(bucket, prefixes[at], depth)
        at += 1
        after = nil
      } else {
        after = last
      }
    }
    return found
  }

  /// Takes a file, or the folder that it lies in; whether it was a folder.
  private func fold(_ object: S3Page.Object, below prefix: String, into entries: inout [ObjectEntry]) -> Bool {
    let name = object.key.dropFirst(prefix.count)
    guard let slash = name.firstIndex(of: "/") else {
      append(object, below: prefix, to: &entries)
      return false
    }
    let folder = String(name[..<slash])
    if !folder.isEmpty, entries.last.map({ !$0.isDirectory || $0.name != folder }) ?? true {
      entries.append(ObjectEntry(name: folder, isDirectory: true))
    }
    return true
  }

  private func append(_ object: S3Page.Object, below prefix: String, to entries: inout [ObjectEntry]) {
    let name = object.key.dropFirst(prefix.count)
    // A key that ends with / stands for a folder; it holds no rows.
    guard !name.isEmpty, name.utf8.last != UInt8(ascii: "/") else { return }
    entries.append(
      ObjectEntry(
        name: String(name), isDirectory: false, byteCount: object.byteCount, modificationTime: object.modificationTime,
        version: object.tag))
  }

  /// The order of keys: that of their bytes.
  static func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}
