import Foundation
import QueryEngine
import SQLSyntax
import TableCatalog
import Testing

/// A dry run has no effect, whatever the statement is.
@Suite("Dry runs and limits") struct DryRunTests {
  /// A statement of each kind, over what `makeHome` makes. `t` and its kin stand for names in that home.
  private static let statements: [String] = [
    "SELECT count(*) FROM t",
    "EXPLAIN SELECT * FROM t", "EXPLAIN ANALYZE SELECT * FROM t",
    "INSERT INTO t VALUES (1, 2024)", "DELETE FROM t", "UPDATE t SET a = 1",
    "MERGE INTO t USING v ON t.a = v.a WHEN MATCHED THEN DELETE",
    "UNLOAD (SELECT * FROM t) TO '$HOME/unloaded/' WITH (format = 'PARQUET')",
    "TRUNCATE TABLE t", "OPTIMIZE t REWRITE DATA USING BIN_PACK", "VACUUM t", "ANALYZE t",
    "CREATE DATABASE new_database", "DROP DATABASE other", "DROP DATABASE filled CASCADE",
    "ALTER DATABASE other SET DBPROPERTIES ('a' = 'b')",
    "CREATE EXTERNAL TABLE new_table (a int) LOCATION '$HOME/data/'",
    "CREATE TABLE new_table AS SELECT 1 AS a",
    "CREATE VIEW new_view AS SELECT 1 AS a", "CREATE OR REPLACE VIEW v AS SELECT 2 AS a",
    "DROP TABLE t", "DROP VIEW v",
    "ALTER TABLE t ADD PARTITION (year = 2030)", "ALTER TABLE t DROP PARTITION (year = 2023)",
    "ALTER TABLE t SET TBLPROPERTIES ('a' = 'b')", "ALTER TABLE t SET LOCATION '$HOME/'",
    "ALTER TABLE t ADD COLUMNS (b int)", "ALTER TABLE t REPLACE COLUMNS (c int)",
    "ALTER VIEW v RENAME TO w",
    "MSCK REPAIR TABLE t",
    "COMMENT ON TABLE t IS 'x'",
    "SHOW TABLES", "SHOW CREATE TABLE t", "SHOW PARTITIONS t", "DESCRIBE t",
    "CREATE CATALOG c USING sqlite WITH (path = '$HOME/nothing.sqlite')", "DROP CATALOG own",
    "USE other", "SET SESSION query_max_run_time = '5m'", "RESET SESSION query_max_run_time",
    "SET TIME ZONE 'Europe/Berlin'",
    "PREPARE q FROM SELECT 1", "EXECUTE p", "EXECUTE IMMEDIATE 'DROP TABLE t'", "DEALLOCATE PREPARE p",
    "DESCRIBE INPUT p", "DESCRIBE OUTPUT p", "START TRANSACTION",
  ]

  /// The kind of a statement: a new one does not compile until it has a name here, and a statement above.
  private static func name(_ statement: StatementSyntax) -> String {
    switch statement {
    case .query: "query"
    case .explain: "explain"
    case .insert: "insert"
    case .delete: "delete"
    case .update: "update"
    case .merge: "merge"
    case .unload: "unload"
    case .truncate: "truncate"
    case .optimize: "optimize"
    case .vacuum: "vacuum"
    case .analyze: "analyze"
    case .createSchema: "createSchema"
    case .dropSchema: "dropSchema"
    case .alterSchema: "alterSchema"
    case .createCatalog: "createCatalog"
    case .dropCatalog: "dropCatalog"
    case .createTable: "createTable"
    case .createTableAs: "createTableAs"
    case .createView: "createView"
    case .dropTable: "dropTable"
    case .dropView: "dropView"
    case .alterTable: "alterTable"
    case .alterView: "alterView"
    case .repairTable: "repairTable"
    case .comment: "comment"
    case .show: "show"
    case .describe: "describe"
    case .use: "use"
    case .setSession: "setSession"
    case .resetSession: "resetSession"
    case .setTimeZone: "setTimeZone"
    case .prepare: "prepare"
    case .execute: "execute"
    case .executeImmediate: "executeImmediate"
    case .deallocate: "deallocate"
    case .describeInput: "describeInput"
    case .describeOutput: "describeOutput"
    case .transaction: "transaction"
    }
  }
  private static let kindCount = 38

  private static func makeHome(_ home: URL) async throws {
    let data = home.appending(path: "data")
    for year in [2023, 2024, 2025] {
      let folder = data.appending(path: "year=\(year)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try "1\n2\n3\n".write(to: folder.appending(path: "a.csv"), atomically: true, encoding: .utf8)
    }
    let session = try EngineTesting.engine(home: home).session()
    for statement in [
      "CREATE EXTERNAL TABLE t (a int) PARTITIONED BY (year int) LOCATION '\(data.path)/'",
      "ALTER TABLE t ADD PARTITION (year = 2023) PARTITION (year = 2024)",
      "CREATE VIEW v AS SELECT 1 AS a", "CREATE DATABASE other", "CREATE DATABASE filled",
      "CREATE CATALOG own USING sqlite WITH (path = '\(home.path)/catalog.sqlite')",
      "CREATE VIEW filled.w AS SELECT 1 AS a", "PREPARE p FROM DROP TABLE t",
    ] { _ = try await session.run(SQLStatement(statement)) }
  }

  /// Everything in the home: rows of its tables, files of its folders.
  private static func contents(_ home: URL) throws -> [String] {
    var lines: [String] = []
    let file = try SQLiteDatabase(path: home.path + "/" + Catalog.fileName)
    for table in try file.run("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name") {
      for row in try file.run("SELECT * FROM \(table[0].text!) ORDER BY 1") { lines.append("\(table[0].text!): \(row)") }
    }
    let files = FileManager.default.enumerator(atPath: home.path)?.allObjects as? [String] ?? []
    return lines + files.filter { !$0.hasPrefix(Catalog.fileName) }.sorted()
  }

  @Test func everyKindHasAStatement() throws {
    let kinds = try Set(Self.statements.map { Self.name(try Parser.parseStatement($0.replacing("$HOME", with: "/tmp"))) })
    #expect(kinds.count == Self.kindCount)
  }

  @Test(arguments: statements) func nothingIsDone(_ statement: String) async throws {
    try await EngineTesting.withFolder { home in
      try await Self.makeHome(home)
      let before = try Self.contents(home)
      var defaults = SessionDefaults()
      defaults.isDryRun = true
      let session = try EngineTesting.engine(home: home).session(defaults)
      let execution = session.start(SQLStatement(statement.replacing("$HOME", with: home.path)))
      do throws(QueryError) {
        let result = try await execution.collect()
        #expect(result.statistics.isDryRun)
        #expect(result.rowCount == 0)
        #expect(result.statistics.resultLocation == nil)
      } catch {
        // What cannot be run yet is refused by its name.
        #expect(error.code == .notSupported, "\(error)")
        #expect(error.message.contains("is not supported yet"), "\(error)")
        #expect(error.range != nil)
      }
      #expect(try Self.contents(home) == before)
      #expect(session.database == "default")
      #expect(try await session.engine.session().query("SELECT current_timezone()", as: String.self) == ["UTC"])
    }
  }

  @Test func whatIsWrongIsToldWithoutRunning() async throws {
    try await EngineTesting.withFolder { home in
      try await Self.makeHome(home)
      var options = StatementOptions()
      options.isDryRun = true
      let session = try EngineTesting.engine(home: home).session()
      for (statement, code) in [
        ("DROP TABLE nothing", ErrorCode.tableNotFound), ("CREATE VIEW w AS SELECT nothing", .columnNotFound),
        ("USE nothing", .schemaNotFound), ("SET TIME ZONE 'Nowhere'", .invalidSessionProperty),
        ("EXPLAIN ANALYZE SELECT nothing", .columnNotFound), ("EXECUTE nothing", .notFound),
      ] {
        do throws(QueryError) {
          _ = try await session.run(SQLStatement(statement), options)
          Issue.record("\(statement) succeeded")
        } catch { #expect(error.code == code, "\(statement): \(error)") }
      }
    }
  }

  /// What a dry run says will be scanned is scanned, metadata included; where rows decide it is the most.
  @Test(arguments: [
    ("SELECT * FROM 'S/sales/'", true), ("SELECT count(*) FROM 'S/sales/' WHERE year = 2024", true),
    ("SELECT sum(quantity) FROM 'S/sales/' WHERE unit_price > 100", true),
    ("SELECT * FROM 'S/sales_parquet/'", true), ("SELECT sum(quantity) FROM 'S/sales_parquet/' WHERE year = 2024", true),
    ("SELECT count(*) FROM 'S/sales_parquet/'", true), ("SELECT * FROM 'S/tpch/lineitem.parquet'", true),
    ("SELECT l_comment FROM 'S/tpch/lineitem.parquet' WHERE l_orderkey = 7", false),
    ("SELECT * FROM 'S/sales/' LIMIT 1", false),
    ("SELECT count(*) FROM 'S/tpch/orders.parquet' JOIN 'S/tpch/customer.parquet' ON o_custkey = c_custkey WHERE c_custkey < 10", false),
  ]) func bytesAreTheRunsBytes(_ sql: String, _ isExact: Bool) async throws {
    let samples = EngineTesting.package.appending(path: "sample-data").path
    let statement = SQLStatement(sql.replacing("'S/", with: "'\(samples)/"))
    let session = try EngineTesting.engine().session()
    var options = StatementOptions()
    options.isDryRun = true
    let forecast = try await session.run(statement, options).statistics
    let real = try await session.run(statement).statistics
    #expect(forecast.isExact == isExact)
    let (forecastData, realData) = (
      forecast.bytesScanned - forecast.metadataBytes, real.bytesScanned - real.metadataBytes
    )
    #expect(forecastData >= realData)
    if !isExact { return }
    #expect(forecastData == realData)
    #expect(forecast.bytesBilled == real.bytesBilled)
    // Footers are the same; page indexes, read where a row group is cut between workers, are known only then.
    #expect(forecast.metadataBytes <= real.metadataBytes)
    #expect(Double(forecast.bytesScanned) > Double(real.bytesScanned) * 0.999)
    #expect(forecast.filesRead == real.filesRead)
  }

  /// A plan that is over the limit is stopped before the first byte of data, and costs nothing.
  @Test(arguments: ["sales/", "sales_parquet/"]) func limitsStopBeforeTheFirstByte(_ folder: String) async throws {
    let path = EngineTesting.package.appending(path: "sample-data/\(folder)").path + "/"
    var defaults = SessionDefaults()
    defaults.scanLimit = 100_000
    let session = try EngineTesting.engine().session(defaults)
    let execution = session.start("SELECT * FROM \(path: path)")
    do throws(QueryError) {
      for try await _ in execution.batches { Issue.record("rows came out") }
      Issue.record("no error")
    } catch { #expect(error.code == .exceededScanLimit) }
    _ = try? await execution.finish()
    #expect(execution.statistics.bytesScanned == execution.statistics.metadataBytes)
    // What is within the limit runs, and so does what a LIMIT ends early.
    #expect(try await session.run("SELECT * FROM \(path: path) WHERE year = 2024 AND month = 1").rowCount > 0)
  }
}
