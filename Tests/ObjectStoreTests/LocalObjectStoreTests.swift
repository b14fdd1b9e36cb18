import Glibc
import QueryErrors
import Testing

@testable import ObjectStore

/// A fresh folder below the system's folder for temporary files.
func temporaryFolder() -> String {
  var template = Array("/tmp/sqlq-test-XXXXXX".utf8CString)
  return String(cString: mkdtemp(&template)!)
}

/// Writes a file, making the folders above it.
func writeFile(_ path: String, _ bytes: [UInt8]) {
  let store = LocalObjectStore()
  try! store.makeDirectory(ObjectPath.parent(path))
  let writer = try! store.makeWriter(path)
  bytes.withUnsafeBytes { try! writer.write($0) }
  try! writer.commit(durable: false)
}

func writeFile(_ path: String, _ text: String = "x") { writeFile(path, Array(text.utf8)) }

/// A slice's bytes, copied.
func array(_ slice: ByteSlice) -> [UInt8] { slice.withBytes { Array($0) } }

/// Removes a folder and all below it.
func removeFolder(_ path: String) {
  for entry in (try? LocalObjectStore().list(path, detail: .names, meter: ScanMeter())) ?? [] {
    let child = path + "/" + entry.name
    if entry.isDirectory { removeFolder(child) } else { unlink(child) }
  }
  rmdir(path)
}

@Suite struct LocalObjectStoreTests {
  private let store = LocalObjectStore()

  @Test func rangesOfFilesOfAnySize() throws {
    let folder = temporaryFolder()
    defer { removeFolder(folder) }
    let page = FileMapping.pageSize
    for size in [0, 1, 100, 65_535, 65_536, 65_537, 32 * page - 64, 32 * page - 63, 32 * page - 1, 32 * page] {
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
      writeFile(folder + "/f", bytes)
      let meter = ScanMeter()
      let source = try store.open(folder + "/f", meter: meter)
      #expect(source.byteCount == UInt64(size))
      let all = try source.readAll(kind: .data)
      #expect(array(all) == bytes)
      // Bytes behind the end can be read.
      var sum = 0
      all.withBytes { content in
        let end = content.baseAddress! + size
        for index in 0..<ByteSlice.padding { sum += Int(end.load(fromByteOffset: index, as: UInt8.self)) }
      }
      #expect(sum >= 0)
      if size > 10 {
        let part = try source.read(5..<10, kind: .metadata)
        #expect(array(part) == Array(bytes[5..<10]))
        #expect(meter.metadataBytes == 5)
      }
      #expect(meter.dataBytes == size)
      #expect(meter.filesOpened == 1)
      #expect(throws: QueryError.self) { try source.read(0..<UInt64(size + 1), kind: .data) }
      try source.checkUnchanged()
    }
  }

  @Test func preadGivesTheSameBytes() throws {
    let folder = temporaryFolder()
    defer { removeFolder(folder) }
    let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    writeFile(folder + "/f", bytes)
    let source = PreadByteSource(
      descriptor: open(folder + "/f", O_RDONLY), info: try store.info(folder + "/f"), meter: ScanMeter())
    source.prefetch([0..<1000])
    #expect(array(try source.read(1000..<150_000, kind: .data)) == Array(bytes[1000..<150_000]))
    #expect(array(try source.read(7..<7, kind: .data)).isEmpty)
  }

  @Test func truncationUnderTheMappingIsAnError() throws {
    let folder = temporaryFolder()
    defer { removeFolder(folder) }
    writeFile(folder + "/f", [UInt8](repeating: 7, count: 400_000))
    let source = try store.open(folder + "/f", meter: ScanMeter())
    #expect(source is MappedByteSource)
    let slice = try source.readAll(kind: .data)
    #expect(array(slice)[399_999] == 7)
    #expect(truncate(folder + "/f", 100_000) == 0)
    // Pages that are gone read as zeros instead of ending the process.
    let bytes = array(slice)
    #expect(bytes[300_000] == 0)
    #expect(bytes[50_000] == 7)
    #expect(throws: QueryError.self) { try source.checkUnchanged() }
    #expect(throws: QueryError.self) { try source.read(0..<400_000, kind: .data) }
    #expect(array(try source.read(0..<10, kind: .data)) == [UInt8](repeating: 7, count: 10))
  }

  @Test func mappingsAreKeptForTheSameStateOfAFile() throws {
    let folder = temporaryFolder()
    defer { removeFolder(folder) }
    writeFile(folder + "/f", [UInt8](repeating: 7, count: 100_000))
    func address() throws -> UnsafeRawPointer {
      let source = try store.open(folder + "/f", meter: ScanMeter())
      #expect(source is MappedByteSource)
      return try source.readAll(kind: .data).pointer
    }
    let first = try address()
    #expect(try address() == first)
    // Another size, while the old state is still in use: other bytes at another place.
    let held = try store.open(folder + "/f", meter: ScanMeter()).readAll(kind: .data)
    writeFile(folder + "/g", [UInt8](repeating: 8, count: 120_000))
    #expect(rename(folder + "/g", folder + "/f") == 0)
    #expect(try address() != first)
    func bytes() throws -> [UInt8] { array(try store.open(folder + "/f", meter: ScanMeter()).readAll(kind: .data)) }
    #expect(try bytes() == [UInt8](repeating: 8, count: 120_000))
    #expect(array(held) == [UInt8](repeating: 7, count: 100_000))
    // Written over in place.
    let descriptor = open(folder + "/f", O_WRONLY)
    #expect(pwrite(descriptor, [UInt8](repeating: 9, count: 10), 10, 0) == 10)
    close(descriptor)
    #expect(try bytes().prefix(11) == [UInt8](repeating: 9, count: 10) + [8])
    // Cut off under the mapping: what is left is mapped anew.
    let cut = try store.open(folder + "/f", meter: ScanMeter())
    let slice = try cut.readAll(kind: .data)
    #expect(truncate(folder + "/f", 90_000) == 0)
    #expect(array(slice)[110_000] == 0)
    #expect(try bytes().count == 90_000)
  }

  @Test func missingFilesHintAtNearNames() throws {
    let folder = temporaryFolder()
    defer { removeFolder(folder) }
    writeFile(folder + "/trips/2024.csv")
    do {
      _ = try store.open(folder + "/trips/2042.csv", meter: ScanMeter())
      Issue.record("opened a missing file")
    } catch {
      #expect(error.code == .hiveCannotOpenSplit)
      #expect(error.message == "No such file or directory: \(folder)/trips/2042.csv")
      #expect(error.hint == "Did you mean '\(folder)/trips/2024.csv'?")
    }
    #expect(store.missing(folder + "/trisp/2024.csv").hint == "Did you mean '\(folder)/trips'?")
    #expect(try store.entry(folder + "/nothing") == nil)
    do {
      _ = try store.open(folder, meter: ScanMeter())
    } catch {
      #expect(error.message == "Is a directory: \(folder)")
    }
  }

  @Test func pipesAreReadToTheirEnd() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    let bytes = [UInt8](repeating: 3, count: 1000)
    _ = bytes.withUnsafeBytes { Glibc.write(ends[1], $0.baseAddress!, 1000) }
    close(ends[1])
    let source = try store.open("/dev/fd/\(ends[0])", meter: ScanMeter())
    #expect(source.byteCount == 1000)
    close(ends[0])
  }

  @Test func scanLimitAndCancellationStopReads() throws {
    let flag = CancellationFlag()
    let meter = ScanMeter(limit: 100, cancellation: flag)
    let source = try MemoryByteSource([UInt8](repeating: 0, count: 1000), path: "m", meter: meter)
    _ = try source.read(0..<100, kind: .data)
    do {
      _ = try source.read(0..<1, kind: .metadata)
      Issue.record("read beyond the limit")
    } catch {
      #expect(error.code == .exceededScanLimit)
      #expect(error.message.hasPrefix("Bytes scanned limit was exceeded"))
    }
    _ = try source.read(0..<1000, kind: .sampling)
    #expect(meter.samplingBytes == 1000)
    flag.cancel()
    flag.expire()
    do {
      _ = try source.read(0..<1, kind: .sampling)
      Issue.record("read after cancellation")
    } catch {
      #expect(error.code == .userCanceled)
    }
  }

  @Test func writersShowNothingBeforeCommit() throws {
    let folder = temporaryFolder()
    defer { removeFolder(folder) }
    let path = folder + "/out.csv"
    var writer: (any ObjectWriter)? = try store.makeWriter(path)
    try Array("abc".utf8).withUnsafeBytes { try writer!.write($0) }
    #expect(try store.entry(path) == nil)
    writer = nil
    #expect(try store.list(folder, detail: .names, meter: ScanMeter()).isEmpty)
    let second = try store.makeWriter(path)
    try second.commit(durable: true)
    #expect(try store.info(path).byteCount == 0)
    #expect(throws: QueryError.self) { try second.commit(durable: false) }
    do {
      _ = try store.makeWriter(folder + "/no/such/out.csv")
      Issue.record("wrote into a missing folder")
    } catch {
      #expect(error.code == .hiveCannotOpenSplit)
    }
    try store.remove(path)
    try store.remove(path)
    #expect(try !store.exists(path))
  }

  @Test func listingsFollowLinksButNotInCircles() throws {
    let folder = temporaryFolder()
    defer { removeFolder(folder) }
    writeFile(folder + "/a/1.csv", "abc")
    writeFile(folder + "/b/2.csv")
    symlink("../b", folder + "/a/b")
    symlink("../a", folder + "/b/a")
    symlink("nowhere", folder + "/a/gone.csv")
    symlink("1.csv", folder + "/a/link.csv")
    let entries = try store.list(folder + "/a", detail: .infos, meter: ScanMeter())
    #expect(entries.map(\.name) == ["1.csv", "b", "link.csv"])
    #expect(entries.map(\.byteCount) == [3, nil, 3])
    let files = try DirectoryWalker(store, root: folder + "/a", meter: ScanMeter()).walk()
    #expect(files.map(\.keyPath) == ["1.csv", "b/2.csv", "link.csv"])
    unlink(folder + "/a/b")
    unlink(folder + "/b/a")
  }

  @Test func locations() throws {
    let stores = ObjectStores.local
    #expect(try stores.resolve("data/a.csv").path == "data/a.csv")
    #expect(try stores.resolve("file:///data/a%20b.csv").path == "/data/a%20b.csv")
    #expect(try stores.resolve("FILE:/data").path == "/data")
    #expect(try stores.resolve("file://localhost/data").path == "/data")
    #expect(try stores.resolve("ts=2024-01-01 10:00:00/a").path == "ts=2024-01-01 10:00:00/a")
    #expect(try stores.resolve("~/a").path.hasSuffix("/a"))
    for location in ["s3://bucket/key", "gs://bucket/key", "file://host/a"] {
      do {
        _ = try stores.resolve(location)
        Issue.record("resolved \(location)")
      } catch {
        #expect(error.code == .notSupported)
      }
    }
    #expect(ObjectPath.parent("a/b/c.csv") == "a/b" && ObjectPath.parent("c.csv") == "." && ObjectPath.parent("/c") == "/")
    #expect(ObjectPath.parent("a/b/") == "a" && ObjectPath.lastName("a/b/") == "b")
  }
}
