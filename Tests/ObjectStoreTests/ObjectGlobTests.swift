import Glibc
import QueryErrors
import Testing

@testable import ObjectStore

@Suite struct ObjectGlobTests {
  @Test(arguments: [
    ("*.csv", "a.csv", true), ("*.csv", ".a.csv", false), (".*.csv", ".a.csv", true), ("a?c", "abc", true),
    ("a?c", "ac", false), ("a?c", "aéc", true), ("[a-c]x", "bx", true), ("[a-c]x", "dx", false), ("[!a-c]x", "dx", true),
    ("[^a-c]x", "ax", false), ("[]]", "]", true), ("[", "[", true), ("[a-]", "-", true), ("[z-a]", "m", false),
    ("*a*b*", "xxaxxbxx", true), ("*a*b*", "xxbxxaxx", false), ("**", "anything", true), ("*", "", true),
    ("a***b", "ab", true), ("_x*", "_xy", true), ("?x", "_x", false), ("[ab", "[ab", true),
  ])
  func names(_ pattern: String, _ name: String, _ fits: Bool) {
    #expect(GlobPattern(pattern).matches(name) == fits)
  }

  @Test func longPatternsAreFast() {
    let name = String(repeating: "a", count: 5000)
    #expect(!GlobPattern(String(repeating: "a*", count: 50) + "b").matches(name))
  }

  @Test func braces() throws {
    #expect(try GlobPattern.expandBraces("a{b,c}d") == ["abd", "acd"])
    #expect(try GlobPattern.expandBraces("{a,{b,c}x}") == ["a", "bx", "cx"])
    #expect(try GlobPattern.expandBraces("{a,b}{1,2}") == ["a1", "a2", "b1", "b2"])
    #expect(try GlobPattern.expandBraces("a{b}c") == ["a{b}c"])
    #expect(try GlobPattern.expandBraces("a{b,c") == ["a{b,c"])
    #expect(try GlobPattern.expandBraces("{,x}.csv") == [".csv", "x.csv"])
    #expect(throws: QueryError.self) {
      try GlobPattern.expandBraces(String(repeating: "{a,b}", count: 20))
    }
  }

  @Test func locations() throws {
    let folder = temporaryFolder()
    defer { removeFolder(folder) }
    let files = [
      "t/2023/a.csv", "t/2023/b.json", "t/2024/a.csv", "t/2024/deep/c.csv", "t/_tmp/x.csv", "t/.hidden.csv",
      "t/top.csv", "t/odd[1].csv",
    ]
    for file in files { writeFile(folder + "/" + file) }
    func keys(_ pattern: String) throws -> [String] {
      let listing = try ObjectGlob.expand(ObjectStores.local.resolve(folder + "/" + pattern), meter: ScanMeter())
      for object in listing.objects {
        #expect(ObjectPath.join(listing.root, object.keyPath) == object.info.path)
        #expect(object.info.byteCount == 1 && object.info.modificationTime > 0)
      }
      return listing.objects.map { String($0.info.path.dropFirst(folder.utf8.count + 1)) }
    }
    #expect(try keys("t/top.csv") == ["t/top.csv"])
    #expect(try keys("t/.hidden.csv") == ["t/.hidden.csv"])
    #expect(try keys("t/odd[1].csv") == ["t/odd[1].csv"])
    let all = ["t/2023/a.csv", "t/2023/b.json", "t/2024/a.csv", "t/2024/deep/c.csv", "t/odd[1].csv", "t/top.csv"]
    #expect(try keys("t") == all)
    #expect(try keys("t/") == all)
    #expect(try keys("t/**") == all)
    #expect(try keys("t/*") == all)
    #expect(try keys("t/*.csv") == ["t/odd[1].csv", "t/top.csv"])
    #expect(try keys("t/*/*.csv") == ["t/2023/a.csv", "t/2024/a.csv"])
    #expect(try keys("*/*/a.csv") == ["t/2023/a.csv", "t/2024/a.csv"])
    #expect(try keys("t/**/*.csv") == all.filter { $0.hasSuffix(".csv") })
    #expect(try keys("**/c.csv") == ["t/2024/deep/c.csv"])
    #expect(try keys("t/**/deep/**/*.csv") == ["t/2024/deep/c.csv"])
    #expect(try keys("t/{2023,2024}/a.csv") == ["t/2023/a.csv", "t/2024/a.csv"])
    #expect(try keys("t/{2023,top.csv}") == ["t/2023/a.csv", "t/2023/b.json", "t/top.csv"])
    #expect(try keys("t/202[34]/?.{csv,json}") == ["t/2023/a.csv", "t/2023/b.json", "t/2024/a.csv"])
    #expect(try keys("t/_*/*") == ["t/_tmp/x.csv"])
    for pattern in ["t/nothing*", "missing/*.csv", "missing.csv"] {
      do {
        _ = try ObjectGlob.expand(ObjectStores.local.resolve(folder + "/" + pattern), meter: ScanMeter())
        Issue.record("found \(pattern)")
      } catch {
        #expect(error.code == .hiveCannotOpenSplit)
      }
    }
  }
}

@Suite struct DirectoryWalkerTests {
  @Test func onlyEnteredFoldersAreListed() throws {
    let folder = temporaryFolder()
    defer { removeFolder(folder) }
    let store = LocalObjectStore()
    for day in 0..<2000 { try store.makeDirectory(folder + "/day=\(day)") }
    for day in [5, 50, 500] {
      writeFile(folder + "/day=\(day)/hour=1/part.parquet")
      writeFile(folder + "/day=\(day)/hour=2/part.parquet")
    }
    let meter = ScanMeter()
    let wanted: Set<String> = ["day=5", "day=50", "day=500"]
    let walker = DirectoryWalker(store, root: folder, meter: meter)
    var asked = 0
    let files = try walker.walk { (visit) throws(QueryError) in
      asked += 1
      return visit.depth == 1 ? wanted.contains(visit.name) : visit.name == "hour=2"
    }
    #expect(
      files.map(\.keyPath) == [
        "day=5/hour=2/part.parquet", "day=50/hour=2/part.parquet", "day=500/hour=2/part.parquet",
      ])
    #expect(asked == 2006)
    #expect(meter.listingCalls == 1 + 3 + 3)
    #expect(meter.entriesListed == 2000 + 6 + 3)
    #expect(meter.dataBytes == 0)

    let everything = ScanMeter()
    #expect(try DirectoryWalker(store, root: folder, meter: everything).walk().count == 6)
    #expect(everything.listingCalls == 2007)
  }

  @Test func errorsOfThreadsAndCallbacksArrive() throws {
    let folder = temporaryFolder()
    defer { removeFolder(folder) }
    let store = LocalObjectStore()
    for day in 0..<20 { try store.makeDirectory(folder + "/d\(day)") }
    let walker = DirectoryWalker(store, root: folder, meter: ScanMeter())
    do {
      _ = try walker.list((0..<30).map { "d\($0)" }, detail: .names)
      Issue.record("listed a missing folder")
    } catch {
      #expect(error.code == .hiveCannotOpenSplit)
    }
    do {
      _ = try walker.walk { (_) throws(QueryError) in throw QueryError(.userCanceled, "stop") }
      Issue.record("walked on")
    } catch {
      #expect(error.code == .userCanceled)
    }
    let cancelled = ScanMeter()
    cancelled.cancellation.cancel()
    #expect(throws: QueryError.self) { try DirectoryWalker(store, root: folder, meter: cancelled).walk() }
  }
}
