import Foundation
import QueryEngine
import Testing

/// Results handed out again: only for equal statements on unchanged files, and it is said why not.
@Suite("Result reuse") struct ReuseTests {
  private static let age: Double = 3600

  /// A folder of settled files and a session that reuses results.
  private static func with(_ body: (Session, URL) async throws -> Void) async throws {
    try await EngineTesting.withFolder { home in
      let data = home.appending(path: "data")
      try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
      try write("a,b\n1,x\n2,y\n", to: data.appending(path: "a.csv"), age: 100)
      var defaults = SessionDefaults()
      defaults.reuseMaximumAge = age
      try await body(EngineTesting.engine(home: home).session(defaults), data)
    }
  }

  private static func write(_ text: String, to file: URL, age: Double) throws {
    try text.write(to: file, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: file.path)
  }

  @Test func equalStatementsOnUnchangedFilesAreHits() async throws {
    try await Self.with { session, data in
      let first = try await session.run("SELECT a, b FROM \(path: data.path) WHERE a > 0")
      #expect(first.statistics.reusedQueryID == nil)
      #expect(first.statistics.reuseMiss == "no such statement has run before")
      #expect(first.statistics.bytesBilled > 0)
      let second = try await session.run("select a,\n b -- the same\nFROM \(path: data.path) WHERE a > 0")
      #expect(second.statistics.reusedQueryID == first.statistics.queryID)
      #expect(second.statistics.bytesScanned == 0)
      #expect(second.statistics.bytesBilled == 0)
      #expect(second.statistics.resultLocation == first.statistics.resultLocation)
      #expect(second.statistics.rows == 2)
      #expect(try second.decoded(as: (Int, String).self).map(\.1) == ["x", "y"])
      #expect(second.schema == first.schema)
      let record = try #require(try session.engine.history.execution(second.statistics.queryID))
      #expect(record.statistics.reusedQueryID == first.statistics.queryID)
    }
  }

  /// Each change of what a result depends on is a miss that names it.
  @Test func changedFilesAreMisses() async throws {
    try await Self.with { session, data in
      let statement: SQLStatement = "SELECT count(*) FROM \(path: data.path)"
      func run() async throws -> (reused: Bool, miss: String, count: Int) {
        let result = try await session.run(statement)
        return (
          result.statistics.reusedQueryID != nil, result.statistics.reuseMiss ?? "", try result.decoded(as: Int.self)[0]
        )
      }
      _ = try await run()
      #expect(try await run().reused)
      try Self.write("a,b\n3,z\n", to: data.appending(path: "b.csv"), age: 90)
      var next = try await run()
      #expect(!next.reused && next.miss.contains("b.csv is new") && next.count == 3)
      #expect(try await run().reused)
      // Same size, another time of change.
      try Self.write("a,b\n4,w\n", to: data.appending(path: "b.csv"), age: 80)
      next = try await run()
      #expect(!next.reused && next.miss.contains("b.csv is changed"))
      try FileManager.default.removeItem(at: data.appending(path: "b.csv"))
      next = try await run()
      // As before there was a second file.
      #expect(next.reused && next.count == 2)
      // A file that changes now may change again unnoticed.
      try Self.write("a,b\n5,v\n", to: data.appending(path: "c.csv"), age: 0)
      next = try await run()
      #expect(!next.reused && next.count == 3)
    }
  }

  @Test func otherStatementsSessionsAndDefinitionsAreMisses() async throws {
    try await Self.with { session, data in
      _ = try await session.run("CREATE VIEW v AS SELECT a FROM \(path: data.path)")
      _ = try await session.run("SELECT * FROM v")
      #expect(try await session.run("SELECT * FROM v").statistics.reusedQueryID != nil)
      _ = try await session.run("CREATE OR REPLACE VIEW v AS SELECT a + 1 AS a FROM \(path: data.path)")
      let changed = try await session.run("SELECT * FROM v")
      #expect(changed.statistics.reusedQueryID == nil)
      #expect(try changed.decoded(as: Int.self) == [2, 3])
      // Parameters.
      func count(_ least: Int) async throws -> QueryResult { try await session.run("SELECT count(*) FROM v WHERE a > \(least)") }
      _ = try await count(1)
      #expect(try await count(2).statistics.reusedQueryID == nil)
      #expect(try await count(2).statistics.reusedQueryID != nil)
      // Another database, another workgroup, another zone.
      var options = StatementOptions()
      try session.engine.workgroups.create(Workgroup("g"))
      options.workgroup = "g"
      #expect(try await session.run("SELECT * FROM v", options).statistics.reusedQueryID == nil)
      _ = try await session.run("SET TIME ZONE 'Europe/Berlin'")
      #expect(try await session.run("SELECT * FROM v").statistics.reusedQueryID == nil)
    }
  }

  /// Tables: a SerDe property changes what the same bytes mean.
  @Test func changedTablesAreMisses() async throws {
    try await Self.with { session, data in
      _ = try await session.run(
        "CREATE EXTERNAL TABLE t (a varchar, b varchar) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION \(path: data.path + "/")")
      _ = try await session.run("SELECT * FROM t")
      #expect(try await session.run("SELECT * FROM t").statistics.reusedQueryID != nil)
      _ = try await session.run("ALTER TABLE t SET TBLPROPERTIES ('skip.header.line.count' = '1')")
      let changed = try await session.run("SELECT * FROM t")
      #expect(changed.statistics.reusedQueryID == nil)
      #expect(changed.rowCount == 2)
    }
  }

  @Test(arguments: [
    ("random()", "random"), ("\"random\"()", "random"), ("now()", "now"), ("current_date", "current_date"), ("LOCALTIMESTAMP", "localtimestamp"),
    ("uuid()", "uuid"),
  ]) func unsteadyStatementsAreMisses(_ expression: String, _ word: String) async throws {
    try await Self.with { session, data in
      for _ in 0..<2 {
        let figures = try await session.run("SELECT a, \(sql: expression) FROM \(path: data.path)").statistics
        #expect(figures.reusedQueryID == nil)
        #expect(figures.reuseMiss?.hasPrefix(word) == true)
      }
    }
  }

  /// A scan that the optimizer answers from metadata or leaves out still counts.
  @Test func answersFromMetadataAreNotStale() async throws {
    try await EngineTesting.withFolder { home in
      let data = home.appending(path: "data")
      try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
      let source = EngineTesting.package.appending(path: "sample-data/tpch/nation.parquet")
      func add(_ name: String) throws {
        try FileManager.default.copyItem(at: source, to: data.appending(path: name))
        try FileManager.default.setAttributes(
          [.modificationDate: Date(timeIntervalSinceNow: -60)], ofItemAtPath: data.appending(path: name).path)
      }
      try add("a.parquet")
      var defaults = SessionDefaults()
      defaults.reuseMaximumAge = Self.age
      let session = try EngineTesting.engine(home: home).session(defaults)
      let statement: SQLStatement = "SELECT count(*) FROM \(path: data.path)"
      #expect(try await session.query(statement, as: Int.self) == [25])
      #expect(try await session.run(statement).statistics.reusedQueryID != nil)
      try add("b.parquet")
      #expect(try await session.query(statement, as: Int.self) == [50])
    }
  }

  @Test func agesAndLostFiles() async throws {
    try await Self.with { session, data in
      let statement: SQLStatement = "SELECT sum(a) FROM \(path: data.path)"
      let first = try await session.run(statement).statistics
      var options = StatementOptions()
      options.reuseMaximumAge = 0
      #expect(try await session.run(statement, options).statistics.reuseMiss?.contains("older than 0 s") == true)
      options.reuseMaximumAge = 3600
      #expect(try await session.run(statement, options).statistics.reusedQueryID != nil)
      for name in try FileManager.default.contentsOfDirectory(atPath: URL(filePath: first.resultLocation!).deletingLastPathComponent().path) {
        try FileManager.default.removeItem(at: URL(filePath: first.resultLocation!).deletingLastPathComponent().appending(path: name))
      }
      let again = try await session.run(statement)
      #expect(again.statistics.reuseMiss?.contains("is gone") == true)
      #expect(try again.decoded(as: Int.self) == [3])
    }
  }

  /// What text does not tell apart is read from the twin, or run again.
  @Test func nestedResults() async throws {
    try await Self.with { session, data in
      let statement: SQLStatement = "SELECT array_agg(b) AS all_b FROM \(path: data.path)"
      _ = try await session.run(statement)
      #expect(try await session.run(statement).statistics.reuseMiss?.contains("all_b") == true)
      var options = StatementOptions()
      options.writesTypedResults = true
      let typed = try await session.run(statement, options).statistics
      let again = try await session.run(statement)
      #expect(again.statistics.reusedQueryID == typed.queryID)
      #expect(try again.decoded(as: [String].self) == [["x", "y"]])
    }
  }
}
