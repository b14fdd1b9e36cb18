import ObjectStore
import QueryErrors
import Synchronization
import Testing

@testable import S3ObjectStore

private func bytes(_ slice: ByteSlice) -> [UInt8] { slice.withBytes { Array($0) } }

private func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) } }

private func code(_ body: () throws -> Void) -> ErrorCode? {
  do { try body() } catch { return (error as? QueryError)?.code }
  return nil
}

@Suite struct S3ObjectStoreTests {
  private let server = FakeS3()

  private func write(_ store: S3ObjectStore, _ path: String, _ content: [UInt8], replacing: Bool = true) throws {
    let writer = try store.makeWriter(path, replacing: replacing)
    try content.withUnsafeBytes { try writer.write($0) }
    try writer.commit(durable: false)
  }

  @Test func listings() throws {
    defer { server.stop() }
    for key in ["a/x.csv", "a/y=1/1.csv", "a/y=2/b c+d%.csv", "a/y=2/z/é.csv", "a/_hidden", "ab.csv", "a/empty/"] {
      server.put("b/" + key, Array(key.utf8))
    }
    server.state.withLock { $0.pageSize = 2 }
    let store = try server.store()
    let meter = ScanMeter()
    let level = try store.list("b/a", detail: .infos, meter: meter)
    #expect(level.map(\.name) == ["_hidden", "empty", "x.csv", "y=1", "y=2"])
    #expect(level.map(\.isDirectory) == [false, true, false, true, true])
    #expect(level[2].byteCount == 7 && level[2].version == FakeS3.tag(Array("a/x.csv".utf8)))
    let all = try store.list("b/a/", depth: .allLevels, detail: .infos, meter: meter)
    #expect(all.map(\.name) == ["_hidden", "x.csv", "y=1/1.csv", "y=2/b c+d%.csv", "y=2/z/é.csv"])
    #expect(try DirectoryWalker(store, root: "b/a", meter: meter).walk().map(\.keyPath) == Array(all.map(\.name).dropFirst()))
    #expect(meter.requestCounts.list == meter.listingCalls && meter.requestCounts.list >= 5)
    #expect(try store.entry("b/a")?.isDirectory == true)
    #expect(try store.entry("b/ab.csv")?.isDirectory == false)
    #expect(try store.entry("b/none") == nil)
    #expect(code { _ = try store.list("b/none", detail: .names, meter: meter) } == .hiveCannotOpenSplit)
    #expect(code { _ = try store.list("nobucket/x", detail: .names, meter: meter) } == .hiveCannotOpenSplit)
  }

  /// Folders next to each other are read together, and only the wanted ones.
  @Test func listingsOfManyFolders() throws {
    defer { server.stop() }
    for number in 0..<300 { server.put("b/t/p=\(number)/a.csv", [1]) }
    for number in 0..<30 { server.put("b/t/p=7/deep/\(number).csv", [1]) }
    server.state.withLock { $0.pageSize = 100 }
    let store = try server.store()
    for depth in [ListingDepth.oneLevel, .allLevels] {
      let wanted = (0..<300).map { "b/t/p=\($0)" } + ["b/t/p=none"]
      server.forgetRequests()
      let found = try store.list(each: wanted, depth: depth, detail: .infos, meter: ScanMeter())
      #expect(found.count == 301 && found[300] == nil)
      for number in 0..<300 {
        let names = found[number]?.map(\.name)
        if number == 7 {
          #expect(names?.count == (depth == .oneLevel ? 2 : 31))
        } else {
          #expect(names == ["a.csv"])
        }
      }
      #expect(server.requests.count <= 24)
    }
    server.forgetRequests()
    let some = try store.list(each: ["b/t/p=1", "b/t/p=200"], depth: .oneLevel, detail: .infos, meter: ScanMeter())
    #expect(some.map { $0?.count } == [1, 1] && server.requests.count == 2)
  }

  @Test func ranges() throws {
    defer { server.stop() }
    let content = pattern(20 << 20)
    server.put("b/f", content)
    let store = try server.store()
    let meter = ScanMeter()
    let source = try store.open("b/f", meter: meter)
    #expect(source.byteCount == UInt64(content.count) && source.path == "s3://b/f")
    server.forgetRequests()
    // The end is fetched once, however it is read.
    let end = source.byteCount
    #expect(bytes(try source.read(end - 8..<end, kind: .metadata)) == Array(content.suffix(8)))
    #expect(bytes(try source.read(end - 5000..<end - 8, kind: .metadata)) == Array(content.suffix(5000).dropLast(8)))
    #expect(server.requests.count == 1)
    // Near ranges are one request, far ones several; the meter counts what was asked for.
    server.forgetRequests()
    let parts = try source.read([100..<200, 500_000..<500_100, 9_000_000..<9_000_100], kind: .data)
    #expect(bytes(parts[0]) == Array(content[100..<200]) && bytes(parts[2]) == Array(content[9_000_000..<9_000_100]))
    #expect(bytes(parts[1]) == Array(content[500_000..<500_100]))
    #expect(server.requests.count == 2)
    #expect(meter.dataBytes == 300 && meter.metadataBytes == 5000)
    // What was said beforehand is fetched once.
    server.forgetRequests()
    source.prefetch([2_000_000..<3_000_000, 3_000_000..<3_500_000])
    #expect(bytes(try source.read(2_000_000..<3_000_000, kind: .data)) == Array(content[2_000_000..<3_000_000]))
    #expect(bytes(try source.read(3_000_000..<3_500_000, kind: .data)) == Array(content[3_000_000..<3_500_000]))
    #expect(server.requests.count == 1)
    // Long ones are read by several requests.
    #expect(bytes(try source.readAll(kind: .data)) == content)
    #expect(server.requests.count == 4)
    #expect(code { _ = try source.read(end..<end + 1, kind: .data) } == .hiveBadData)
    #expect(bytes(try source.read(5..<5, kind: .data)) == [])
  }

  /// Compressed objects are on their way while they are decompressed; what pieces hold together is not fetched again.
  @Test func streamsAreReadAhead() throws {
    defer { server.stop() }
    let content = pattern(20 << 20)
    server.put("b/f.bin", content)
    let store = try server.store()
    let meter = ScanMeter()
    let source = try store.open("b/f.bin", meter: meter)
    server.forgetRequests()
    let reader = try DecompressingReader(source, codec: CompressionCodec.none)
    var read: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1_000_003)
    while true {
      let count = try block.withUnsafeMutableBytes { try reader.read(into: $0.baseAddress!, capacity: $0.count) }
      if count == 0 { break }
      read += block[..<count]
    }
    #expect(read == content && server.requests.count == 3 && meter.dataBytes == content.count)
    server.forgetRequests()
    source.prefetch([1_000_000..<2_000_000])
    source.prefetch([2_000_000..<3_000_000])
    #expect(bytes(try source.read(1_500_000..<2_500_000, kind: .data)) == Array(content[1_500_000..<2_500_000]))
    #expect(server.requests.count == 2)
  }

  @Test func changedObjectsAreErrors() throws {
    defer { server.stop() }
    server.put("b/f", pattern(1 << 20))
    let store = try server.store()
    let source = try store.open("b/f", meter: ScanMeter())
    _ = try source.read(0..<100, kind: .data)
    server.put("b/f", [UInt8](repeating: 7, count: 1 << 20))
    #expect(code { _ = try source.read(200_000..<300_000, kind: .data) } == .hiveBadData)
  }

  @Test func whatMayPassIsTriedAgain() throws {
    defer { server.stop() }
    server.put("b/f", pattern(200_000))
    let store = try server.store()
    let faults: [FakeS3.Answer] = [
      .error(503, "SlowDown"), .error(500, "InternalError"), .error(400, "RequestTimeout"), .error(429, "x"),
      FakeS3.Answer(dropsConnection: true), FakeS3.Answer(status: 206, headers: [("Content-Length", "99")], body: [1]),
    ]
    for fault in faults.dropLast() {
      let source = try store.open("b/f", meter: ScanMeter())
      server.forgetRequests()
      server.fault { _, number in number <= 2 ? fault : nil }
      #expect(bytes(try source.read(70_000..<70_010, kind: .data)) == Array(pattern(200_000)[70_000..<70_010]))
      #expect(server.requests.count == 3)
      // Each try is signed anew.
      #expect(server.requests.allSatisfy { $0.headers["authorization"] != nil })
      server.fault(nil)
    }
    for (answer, expected) in [
      (FakeS3.Answer.error(403, "AccessDenied"), ErrorCode.hiveFilesystemError), (.error(404, "NoSuchKey"), .hiveCannotOpenSplit),
      (.error(400, "InvalidArgument"), .hiveFilesystemError),
    ] {
      let source = try store.open("b/f", meter: ScanMeter())
      server.forgetRequests()
      server.fault { _, _ in answer }
      #expect(code { _ = try source.read(70_000..<70_010, kind: .data) } == expected)
      #expect(server.requests.count == 1)
      server.fault(nil)
    }
    let source = try store.open("b/f", meter: ScanMeter())
    server.forgetRequests()
    server.fault { _, _ in .error(503, "SlowDown") }
    #expect(code { _ = try source.read(70_000..<70_010, kind: .data) } == .hiveFilesystemError)
    #expect(server.requests.count == S3Exchange.maximumTries)
  }

  @Test func regionsAndClocksAreLearnt() throws {
    defer { server.stop() }
    server.put("b/f", [1, 2, 3])
    let store = try server.store { $0.region = "us-east-1" }
    server.fault { request, _ in
      request.headers["authorization"]?.contains(FakeS3.region) == true
        ? nil : .error(301, "PermanentRedirect", headers: [("x-amz-bucket-region", FakeS3.region)])
    }
    #expect(try store.entry("b/f")?.byteCount == 3)
    #expect(server.requests.count == 2)
    #expect(try store.entry("b/f")?.byteCount == 3)
    #expect(server.requests.count == 3)
    server.forgetRequests()
    server.fault { request, number in
      number == 1 ? .error(403, "RequestTimeTooSkewed", headers: [("Date", "Sat, 21 Nov 2026 01:02:03 GMT")]) : nil
    }
    #expect(try store.list("b", detail: .names, meter: ScanMeter()).count == 1)
    #expect(server.requests.last?.headers["x-amz-date"]?.hasPrefix("20261121T0102") == true)
  }

  @Test func writing() throws {
    defer { server.stop() }
    let meter = ScanMeter()
    let store = try server.store().metered(by: meter) as! S3ObjectStore
    try write(store, "b/small", Array("hello".utf8))
    #expect(server.state.withLock { $0.objects["b/small"] } == Array("hello".utf8))
    try write(store, "b/empty", [])
    #expect(server.state.withLock { $0.objects["b/empty"] } == [])
    let large = pattern(20 << 20)
    try write(store, "b/large", large)
    #expect(server.state.withLock { $0.objects["b/large"] } == large)
    #expect(meter.requestCounts.put == 2 + 5 && meter.requestCounts.sentBytes > 20 << 20)
    #expect(code { try write(store, "b/small", [1], replacing: false) } == .alreadyExists)
    try write(store, "b/new", [1], replacing: false)
    // Nothing is left of what is given up or fails.
    do {
      let writer = try store.makeWriter("b/aborted", replacing: true)
      try large.withUnsafeBytes { try writer.write($0) }
      writer.abort()
    }
    server.fault { request, _ in request["partNumber"] == "2" ? .error(403, "AccessDenied") : nil }
    #expect(code { try write(store, "b/failed", large) } == .hiveFilesystemError)
    server.fault(nil)
    #expect(server.state.withLock { $0.uploads.isEmpty && $0.objects["b/aborted"] == nil && $0.objects["b/failed"] == nil })
    try store.copy("b/small", to: "b/sm all+")
    #expect(server.state.withLock { $0.objects["b/sm all+"] } == Array("hello".utf8))
    try store.remove(all: ["b/small", "b/sm all+"])
    try store.remove("b/none")
    #expect(server.state.withLock { $0.objects["b/small"] == nil && $0.objects["b/sm all+"] == nil })
  }

  @Test func anonymousAndRequesterPays() throws {
    defer { server.stop() }
    server.put("public/f", [1])
    let store = try server.store {
      $0.isAnonymous = true
      $0.isRequesterPaying = true
    }
    #expect(try store.entry("public/f")?.byteCount == 1)
    #expect(server.requests[0].headers["authorization"] == nil)
    #expect(server.requests[0].headers["x-amz-request-payer"] == "requester")
    let wrong = try server.store { $0.credentials?.secretKey = "wrong" }
    #expect(code { _ = try wrong.list("b", detail: .names, meter: ScanMeter()) } == .hiveFilesystemError)
  }

  @Test func cancellationStopsAtOnce() throws {
    defer { server.stop() }
    server.put("b/f", pattern(1000))
    let store = try server.store()
    let meter = ScanMeter()
    let source = try store.open("b/f", meter: meter)
    server.fault { _, _ in
      meter.cancellation.cancel()
      return .error(503, "SlowDown")
    }
    #expect(code { _ = try source.read(0..<10, kind: .data) } == .userCanceled)
  }
}
