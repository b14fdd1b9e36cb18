import HTTPClient
package import ObjectStore
package import QueryErrors

/// Buckets of Amazon S3 and of services that speak its protocol.
///
/// Paths are `bucket/key`. Folders are what keys have in common up to a `/`.
package struct S3ObjectStore: ObjectStore {
  package var scheme: String { "s3" }
  package var isFlat: Bool { true }
  package var parallelCalls: Int { 8 }

  /// What Hadoop calls the same store.
  package static let schemes = ["s3", "s3a", "s3n"]

  private let client: S3Client
  private let kept: S3KeptPieces
  private let readAhead: S3ReadAhead
  /// Counts calls that come without a meter.
  private let meter: ScanMeter

  /// Reads the environment and AWS' configuration files; asks nothing of the network.
  ///
  /// - Throws: `NOT_SUPPORTED` when libcurl is not installed.
  package init(_ configuration: S3Configuration = S3Configuration()) throws(QueryError) {
    client = try S3Client(configuration)
    kept = S3KeptPieces()
    readAhead = S3ReadAhead()
    meter = ScanMeter()
  }

  private init(_ store: S3ObjectStore, _ meter: ScanMeter) {
    (client, kept, readAhead) = (store.client, store.kept, store.readAhead)
    self.meter = meter
  }

  package func metered(by meter: ScanMeter) -> any ObjectStore { S3ObjectStore(self, meter) }

  /// `bucket/a/b` as `bucket` and `a/b`.
  private func split(_ path: String) throws(QueryError) -> (bucket: String, key: String) {
    let slash = path.firstIndex(of: "/")
    let bucket = String(path[..<(slash ?? path.endIndex)])
    if bucket.isEmpty {
      throw QueryError(.invalidArguments, "The location names no bucket: s3://\(path)", hint: "Write s3://bucket/folder/.")
    }
    return (bucket, slash.map { String(path[path.index(after: $0)...]) } ?? "")
  }

  private func folder(_ key: String) -> String { key.isEmpty || key.hasSuffix("/") ? key : key + "/" }

  // MARK: Listing

  package func list(
    _ directory: String, depth: ListingDepth, detail: ListingDetail, meter: ScanMeter
  ) throws(QueryError) -> [ObjectEntry] {
    let (bucket, key) = try split(directory)
    guard let entries = try S3Lister(client: client, meter: meter).entries(bucket, folder(key), depth) else {
      throw missing(directory)
    }
    return entries
  }

  /// Fewer folders are listed one by one.
  private static let smallestRun = 4

  package func list(
    each directories: [String], depth: ListingDepth, detail: ListingDetail, meter: ScanMeter
  ) throws(QueryError) -> [[ObjectEntry]?] {
    struct Run {
      var bucket: String
      var parent: String
      var members: [(index: Int, prefix: String)]
    }
    var groups: [String: Run] = [:]
    for (index, directory) in directories.enumerated() {
      let (bucket, key) = try split(directory)
      let prefix = folder(key)
      let above = prefix.dropLast().lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
      groups[bucket + "/" + above, default: Run(bucket: bucket, parent: above, members: [])].members.append((index, prefix))
    }
    var runs: [Run] = []
    for group in groups.values {
      let sorted = group.members.sorted { S3Lister.precedes($0.prefix, $1.prefix) }
      let size = sorted.count < S3ObjectStore.smallestRun ? 1 : max(S3ObjectStore.smallestRun, 1 + sorted.count / parallelCalls)
      for start in stride(from: 0, to: sorted.count, by: size) {
        runs.append(
          Run(bucket: group.bucket, parent: group.parent, members: Array(sorted[start..<min(start + size, sorted.count)])))
      }
    }
    let lister = S3Lister(client: client, meter: meter)
    let all = runs
    let results = concurrentMap(all.count, threadCount: parallelCalls) { (number) throws(QueryError) -> [[ObjectEntry]?] in
      let run = all[number]
      if run.members.count == 1 { return [try lister.entries(run.bucket, run.members[0].prefix, depth)] }
      return try lister.entries(run.bucket, parent: run.parent, each: run.members.map(\.prefix), depth)
    }
    var found = [[ObjectEntry]?](repeating: nil, count: directories.count)
    for (run, result) in zip(all, results) {
      for (member, entries) in zip(run.members, try result.get()) { found[member.index] = entries }
    }
    if results.count < all.count, let result = results.first { _ = try result.get() }
    return found
  }

  package func entry(_ path: String) throws(QueryError) -> ObjectEntry? {
    let (bucket, key) = try split(path)
    if !key.isEmpty, !key.hasSuffix("/"), let found = try head(bucket, key) { return found }
    let page = try S3Lister(client: client, meter: meter).page(bucket, prefix: folder(key), isFlat: true, limit: 1)
    if page.objects.isEmpty, !key.isEmpty { return nil }
    return ObjectEntry(name: ObjectPath.lastName(path), isDirectory: true)
  }

  private func head(_ bucket: String, _ key: String) throws(QueryError) -> ObjectEntry? {
    let call = S3Call(method: "HEAD", kind: .head, bucket: bucket, key: key)
    let answer = try client.send(call, allowing: [404], meter: meter)
    guard answer.status != 404 else { return nil }
    let seconds = answer.headers["last-modified"].flatMap(UTCTime.seconds(http:)) ?? 0
    return ObjectEntry(
      name: ObjectPath.lastName(key), isDirectory: false,
      byteCount: answer.headers["content-length"].flatMap { UInt64($0) } ?? 0,
      modificationTime: Int64(seconds) * 1_000_000_000, version: answer.headers["etag"])
  }

  package func missing(_ path: String) -> QueryError {
    QueryError(.hiveCannotOpenSplit, "No such object or folder: \(text(of: path))")
  }

  // MARK: Reading

  package func open(_ path: String, meter: ScanMeter) throws(QueryError) -> any ByteSource {
    let store = S3ObjectStore(self, meter)
    return try store.open(try store.info(path), meter: meter)
  }

  package func open(_ info: ObjectInfo, meter: ScanMeter) throws(QueryError) -> any ByteSource {
    try meter.addFile()
    let (bucket, key) = try split(info.location.path)
    return S3ByteSource(client, bucket: bucket, key: key, info: info, kept: kept, readAhead: readAhead, meter: meter)
  }

  // MARK: Writing

  package func makeWriter(_ path: String, replacing: Bool) throws(QueryError) -> any ObjectWriter {
    let (bucket, key) = try split(path)
    if key.isEmpty || key.hasSuffix("/") {
      throw QueryError(.invalidArguments, "An object needs a name: \(text(of: path))")
    }
    return S3ObjectWriter(client, path: path, bucket: bucket, key: key, replaces: replacing, meter: meter)
  }

  package func makeDirectory(_ path: String) throws(QueryError) { _ = try split(path) }

  package func remove(_ path: String) throws(QueryError) {
    let (bucket, key) = try split(path)
    let call = S3Call(method: "DELETE", kind: .delete, bucket: bucket, key: key)
    _ = try client.send(call, allowing: [404], meter: meter)
  }

  /// Keys that one DeleteObjects takes.
  private static let largestRemoval = 1000

  package func remove(all paths: [String]) throws(QueryError) {
    var keys: [String: [String]] = [:]
    for path in paths {
      let (bucket, key) = try split(path)
      keys[bucket, default: []].append(key)
    }
    for (bucket, all) in keys {
      for start in stride(from: 0, to: all.count, by: S3ObjectStore.largestRemoval) {
        let some = all[start..<min(start + S3ObjectStore.largestRemoval, all.count)]
        let objects = some.map { "<Object><Key>\(S3ObjectStore.escaped($0))</Key></Object>" }.joined()
        let body = Array("<Delete><Quiet>true</Quiet>\(objects)</Delete>".utf8)
        var call = S3Call(method: "POST", kind: .delete, bucket: bucket, query: [("delete", "")], body: HTTPBody(body))
        call.headers = [
          ("content-type", "application/xml"), ("content-md5", Digests.base64(body.withUnsafeBytes { Digests.md5($0) })),
        ]
        let answer = try client.send(call, meter: meter)
        if let failed = XMLElement.parse(answer.body)?["Error"] {
          throw QueryError(
            .hiveFilesystemError,
            "S3 did not remove s3://\(bucket)/\(failed.text(of: "Key") ?? ""): \(failed.text(of: "Code") ?? "") "
              + (failed.text(of: "Message") ?? ""))
        }
      }
    }
  }

  package func copy(_ from: String, to path: String) throws(QueryError) {
    let (bucket, key) = try split(path)
    var call = S3Call(method: "PUT", kind: .put, bucket: bucket, key: key)
    call.headers = [("x-amz-copy-source", "/" + PercentEncoding.encode(from, keepsSlashes: true))]
    _ = try client.send(call, meter: meter)
  }

  private static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case _ where scalar.value < 0x20: out += "&#\(scalar.value);"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
