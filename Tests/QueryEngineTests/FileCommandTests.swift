import Foundation
import QueryEngine
import Testing

/// DDL for folders, files written anew, advice and forecasts of cost.
@Suite("Files and cost") struct FileCommandTests {
  private static let parquet = EngineTesting.package.appending(path: "sample-data/sales_parquet").path + "/"

  private static let events = EngineTesting.package.appending(path: "sample-data/events").path + "/"

  /// The statements for a folder declare a table that reads what the folder holds; blank lines are rows of NULLs to the OpenX SerDe.
  @Test(arguments: [
    (parquet, "order_id", "year", false), (EngineTesting.sales, "order_id", "month", false), (events, "type", "dt", false),
    (events, "type", "dt", true),
  ])
  func declarationsRun(folder: String, column: String, key: String, projects: Bool) async throws {
    try await EngineTesting.withFolder { home in
      let session = try EngineTesting.engine(home: home).session()
      var options = DeclarationOptions()
      options.table = "t"
      options.projectsPartitions = projects
      let statements = try session.declaration(ofFolder: folder, options)
      #expect(statements.count == (projects ? 1 : 2))
      for statement in statements { _ = try await session.run(SQLStatement(statement)) }
      let query: SQLStatement = "SELECT count(\(identifier: column)), count(DISTINCT \(identifier: key)) FROM t"
      let expected = try await session.query(
        "SELECT count(\(identifier: column)), count(DISTINCT \(identifier: key)) FROM \(path: folder)", as: (Int, Int).self)
      #expect(try await session.query(query, as: (Int, Int).self)[0] == expected[0])
    }
  }

  /// Rows without a month lie in a partition that no projection names.
  @Test func whatNoProjectionNames() throws {
    let session = try EngineTesting.engine().session()
    var options = DeclarationOptions()
    options.projectsPartitions = true
    #expect(throws: QueryError.self) { try session.declaration(ofFolder: Self.parquet, options) }
  }

  @Test func declarationsTellTheSerDe() throws {
    let session = try EngineTesting.engine().session()
    func declaration(_ path: String) throws -> String {
      try session.declaration(ofFolder: EngineTesting.package.appending(path: path).path)[0]
    }
    let sales = try declaration("sample-data/sales")
    #expect(sales.contains("OpenCSVSerde"))
    #expect(sales.contains("'skip.header.line.count' = '1'"))
    let nation = try declaration("sample-data/tpch/nation.parquet")
    #expect(nation.contains("STORED AS PARQUET"))
    #expect(nation.contains("`n_name` string"))
    var options = DeclarationOptions()
    options.location = "s3://bucket/sales"
    let elsewhere = try session.declaration(ofFolder: Self.parquet, options)[0]
    #expect(elsewhere.contains("LOCATION 's3://bucket/sales/'"))
  }

  /// Rows in other files are the same rows, in the same partitions.
  @Test(arguments: ["parquet", "csv", "json", ""]) func filesAreWrittenAnew(format: String) async throws {
    try await EngineTesting.withFolder { home in
      let session = try EngineTesting.engine(home: home).session()
      let target = home.path + "/out"
      let summary = try session.export(folder: Self.parquet, to: target, ExportOptions(format: format))
      let query = "SELECT year, month, count(*) AS n, sum(quantity) AS q, count(DISTINCT category) AS c FROM"
      func rows(_ path: String) async throws -> [String] {
        let result = try await session.run(SQLStatement("\(query) '\(path)' GROUP BY 1, 2 ORDER BY 1, 2" as String))
        return try result.decoded(as: (Int?, Int?, Int, Int?, Int).self).map { "\($0)" }
      }
      let (before, after) = (try await rows(Self.parquet), try await rows(target))
      #expect(before == after)
      #expect(summary.rows > 0 && summary.filesWritten == before.count)
      #expect(throws: QueryError.self) { try session.export(folder: Self.parquet, to: target, ExportOptions(format: format)) }
    }
  }

  @Test func smallFilesBecomeFew() async throws {
    try await EngineTesting.withFolder { home in
      let data = home.appending(path: "data")
      try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
      for number in 0..<30 {
        try "a,b\n\(number),x\n".write(to: data.appending(path: "\(number).csv"), atomically: true, encoding: .utf8)
      }
      let session = try EngineTesting.engine(home: home).session()
      let summary = try session.export(folder: data.path, to: home.path + "/out", ExportOptions(format: ""))
      #expect(summary.rows == 30 && summary.filesRead == 30 && summary.filesWritten == 1)
      #expect(try await session.query("SELECT sum(a) FROM \(path: home.path + "/out")", as: Int.self) == [435])
      // An error leaves nothing.
      try "a,b\nnot a number at all,x,y,z\n".write(to: data.appending(path: "z.csv"), atomically: true, encoding: .utf8)
      _ = try? session.export(folder: data.path, to: home.path + "/broken", ExportOptions(format: "nothing"))
      #expect((try? FileManager.default.contentsOfDirectory(atPath: home.path + "/broken").isEmpty) ?? true)
      let advice = try session.advise("SELECT * FROM '\(data.path)'")
      #expect(advice.contains { $0.kind == .compaction && $0.statement.hasPrefix("sqlq compact") })
    }
  }

  /// What is advised is what doing it saves.
  @Test func adviceIsMeasured() async throws {
    try await EngineTesting.withFolder { home in
      let session = try EngineTesting.engine(home: home).session()
      let text = try session.advise("SELECT category FROM '\(EngineTesting.sales)'")
      let parquet = try #require(text.first { $0.kind == .parquet })
      #expect(parquet.saving > 0.5)
      _ = try session.export(folder: EngineTesting.sales, to: home.path + "/p", ExportOptions(format: "parquet"))
      let then = try await session.run("SELECT category FROM \(path: home.path + "/p")").statistics
      let data = then.bytesScanned - then.metadataBytes
      #expect(Double(parquet.bytesThen) < Double(data) * 2 && Double(parquet.bytesThen) > Double(data) / 2)
      let filter = try #require(text.first { $0.kind == .partitionFilter })
      #expect(filter.statement.hasPrefix("… WHERE year = "))
      let year = filter.statement.split(separator: " ").last.map(String.init) ?? ""
      let filtered = try await session.run(SQLStatement("SELECT category FROM '\(EngineTesting.sales)' WHERE year = \(year)" as String))
      #expect(filtered.statistics.bytesScanned == filter.bytesThen)
      let columns = try session.advise("SELECT * FROM '\(Self.parquet)'")
      #expect(columns.contains { $0.kind == .fewerColumns })
      #expect(try session.advise("SELECT 1").isEmpty)
    }
  }

  @Test func forecastsHaveTiers() async throws {
    let session = try EngineTesting.engine().session()
    var options = StatementOptions()
    options.isDryRun = true
    func tier(_ statement: SQLStatement) async throws -> CostTier? { try await session.run(statement, options).statistics.costTier }
    #expect(try await tier("SELECT count(*) FROM \(path: EngineTesting.sales)") == .exact)
    #expect(try await tier("SELECT * FROM \(path: Self.parquet) LIMIT 1") == .upperBound)
    #expect(try await tier("SELECT 1") == .exact)
    func explain(_ format: String) async throws -> String {
      let text = "EXPLAIN (TYPE COST\(format)) SELECT category FROM '\(Self.parquet)' WHERE year = 2024"
      return try await session.query(SQLStatement(text), as: String.self).joined(separator: "\n")
    }
    let forecast = try await session.run("SELECT category FROM \(path: Self.parquet) WHERE year = 2024", options).statistics
    let text = try await explain("")
    #expect(text.hasPrefix("Would scan \(forecast.bytesScanned) bytes (EXACT), billed \(forecast.bytesBilled) bytes"))
    #expect(text.contains("1/") && text.contains("columns (EXACT)"))
    let json = try await explain(", FORMAT JSON")
    let object = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    #expect(object["tier"] as? String == "EXACT")
    #expect(object["bytes"] as? Int == forecast.bytesScanned)
    #expect(((object["tables"] as? [[String: Any]])?.first?["columns"] as? [String]) == ["category"])
  }

  @Test func leftoversAreFoundAndRemoved() async throws {
    try await EngineTesting.withFolder { home in
      let engine = try EngineTesting.engine(home: home)
      let result = try await engine.session().run("SELECT 1").statistics
      // No process has this number: it is above the kernel's greatest.
      let left = home.path + "/results/._x.csv.4194305.1.tmp"
      try "half".write(toFile: left, atomically: false, encoding: .utf8)
      let own = home.path + "/results/._y.csv.\(getpid()).1.tmp"
      try "half".write(toFile: own, atomically: false, encoding: .utf8)
      var found = try engine.history.clean(removing: false)
      #expect(found.map(\.path) == [left] && found[0].kind == .unfinished && found[0].bytes == 4)
      #expect(FileManager.default.fileExists(atPath: left))
      found = try engine.history.clean(olderThan: 0, removing: true)
      #expect(Set(found.map(\.path)) == [left, result.resultLocation!, result.resultLocation! + ".metadata"])
      #expect(!FileManager.default.fileExists(atPath: left) && FileManager.default.fileExists(atPath: own))
      #expect(!FileManager.default.fileExists(atPath: result.resultLocation!))
      #expect(try engine.history.execution(result.queryID)?.state == .succeeded)
    }
  }
}
