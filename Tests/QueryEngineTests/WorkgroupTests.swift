import Foundation
import QueryEngine
import TableCatalog
import Testing

/// Workgroups: what they keep, and what holds for statements that run in them.
@Suite("Workgroups") struct WorkgroupTests {
  @Test func workgroupsAreKept() async throws {
    try await EngineTesting.withFolder { home in
      let workgroups = try EngineTesting.engine(home: home).workgroups
      #expect(try workgroups.list().map(\.name) == ["primary"])
      var group = Workgroup("analysts")
      group.bytesScannedCutoff = 10_000_000
      group.outputLocation = "/tmp/results"
      group.isEnforced = true
      group.engineSettings = ["query_max_run_time": "5m"]
      group.tags = ["team": "growth", "quote\"d": "line\nend"]
      group.serviceDetails = "{}"
      try workgroups.create(group)
      // As another process sees it.
      let others = try EngineTesting.engine(home: home).workgroups
      let kept = try others.workgroup("analysts")
      #expect(kept.createdAtMicros > 0)
      #expect(kept.bytesScannedCutoff == group.bytesScannedCutoff && kept.outputLocation == group.outputLocation)
      #expect(kept.isEnforced && kept.isEnabled && kept.description == nil && kept.serviceDetails == "{}")
      #expect(kept.engineSettings == group.engineSettings && kept.tags == group.tags)
      try others.update("analysts") { (group) throws(QueryError) in group.tags = [:] }
      #expect(try workgroups.workgroup("analysts").tags.isEmpty)
      try workgroups.update("primary") { (group) throws(QueryError) in group.description = "all" }
      #expect(try workgroups.list().map(\.name) == ["analysts", "primary"])
      try workgroups.delete("analysts")
      #expect(throws: QueryError.self) { try workgroups.workgroup("analysts") }
    }
  }

  @Test func whatCannotBeIsRefused() async throws {
    try await EngineTesting.withFolder { home in
      let workgroups = try EngineTesting.engine(home: home).workgroups
      func code(_ body: () throws -> Void) -> ErrorCode? {
        do { try body() } catch { return (error as? QueryError)?.code }
        return nil
      }
      #expect(code { try workgroups.create(Workgroup("a b")) } == .invalidArguments)
      #expect(code { try workgroups.create(Workgroup("primary")) } == .alreadyExists)
      #expect(code { try workgroups.delete("primary") } == .invalidArguments)
      #expect(code { try workgroups.delete("absent") } == .notFound)
      var group = Workgroup("a")
      group.engineSettings = ["no_such_setting": "1"]
      #expect(code { try workgroups.create(group) } == .invalidArguments)
      group.engineSettings = ["query_max_memory": "much"]
      #expect(code { try workgroups.create(group) } == .invalidArguments)
      try workgroups.create(Workgroup("a"))
      try workgroups.save(NamedQuery("q", sql: "SELECT 1", workgroup: "a"))
      #expect(code { try workgroups.delete("a") } == .invalidArguments)
      try workgroups.delete("a", recursive: true)
      #expect(code { _ = try workgroups.namedQueries(in: "a") } == .notFound)
    }
  }

  /// Enforced locations override the statement's, others only fill in.
  @Test func outputLocations() async throws {
    try await EngineTesting.withFolder { home in
      let engine = try EngineTesting.engine(home: home)
      var group = Workgroup("g")
      group.outputLocation = home.path + "/of-group"
      try engine.workgroups.create(group)
      var options = StatementOptions()
      options.workgroup = "g"
      func folder(_ options: StatementOptions) async throws -> String? {
        let statistics = try await engine.session().run("SELECT 1", options).statistics
        return statistics.resultLocation.map { URL(filePath: $0).deletingLastPathComponent().lastPathComponent }
      }
      #expect(try await folder(options) == "of-group")
      options.outputLocation = home.path + "/of-statement"
      #expect(try await folder(options) == "of-statement")
      try engine.workgroups.update("g") { (group) throws(QueryError) in group.isEnforced = true }
      #expect(try await folder(options) == "of-group")
      #expect(try await folder(StatementOptions()) == "results")
    }
  }

  @Test func disabledAndAbsentWorkgroupsRunNothing() async throws {
    try await EngineTesting.withFolder { home in
      let engine = try EngineTesting.engine(home: home)
      var group = Workgroup("g")
      group.isEnabled = false
      try engine.workgroups.create(group)
      var options = StatementOptions()
      for (name, code) in [("g", ErrorCode.invalidArguments), ("absent", .notFound)] {
        options.workgroup = name
        let execution = try engine.session().start("SELECT 1", options)
        do throws(QueryError) {
          try await execution.finish()
          Issue.record("it ran")
        } catch { #expect(error.code == code) }
        #expect(try engine.history.execution(execution.id)?.state == .failed)
      }
    }
  }

  /// What passes a workgroup's cutoff is CANCELLED with Athena's text; what was read is billed, nothing where nothing was.
  @Test func cutoffs() async throws {
    try await EngineTesting.withFolder { home in
      let engine = try EngineTesting.engine(home: home)
      var group = Workgroup("g")
      group.bytesScannedCutoff = 10_000
      try engine.workgroups.create(group)
      var options = StatementOptions()
      options.workgroup = "g"
      let sales = EngineTesting.sales
      for statement: SQLStatement in ["SELECT * FROM \(path: sales)", "SELECT * FROM \(path: sales) ORDER BY 1 LIMIT 3"] {
        let execution = try engine.session().start(statement, options)
        do throws(QueryError) {
          _ = try await execution.collect()
          Issue.record("it ran")
        } catch { #expect(error.message.contains("Bytes scanned limit was exceeded")) }
        let record = try #require(try engine.history.execution(execution.id))
        #expect(record.state == .cancelled)
        #expect(record.workgroup == "g")
        #expect((record.statistics.bytesBilled > 0) == (record.statistics.bytesScanned > 0))
      }
    }
  }

  /// A workgroup's settings hold until SET SESSION says otherwise.
  @Test func engineSettings() async throws {
    try await EngineTesting.withFolder { home in
      let engine = try EngineTesting.engine(home: home)
      var group = Workgroup("g")
      group.engineSettings = ["query_max_scan_physical_bytes": "10kB"]
      try engine.workgroups.create(group)
      var defaults = SessionDefaults()
      defaults.workgroup = "g"
      let session = try engine.session(defaults)
      let statement: SQLStatement = "SELECT count(*) FROM \(path: EngineTesting.sales)"
      await #expect(throws: QueryError.self) { try await session.run(statement) }
      _ = try await session.run("SET SESSION query_max_scan_physical_bytes = '1GB'")
      #expect(try await session.query(statement, as: Int.self).count == 1)
    }
  }

  @Test func preparedStatementsBelongToTheirWorkgroup() async throws {
    try await EngineTesting.withFolder { home in
      let engine = try EngineTesting.engine(home: home)
      try engine.workgroups.create(Workgroup("g"))
      var options = StatementOptions()
      options.workgroup = "g"
      let session = try engine.session()
      _ = try await session.run("PREPARE Mine FROM SELECT 1", options)
      _ = try await session.run("PREPARE mine FROM SELECT 2")
      #expect(try await session.run("EXECUTE mine", options).decoded(as: Int.self) == [1])
      #expect(try await session.run("EXECUTE mine").decoded(as: Int.self) == [2])
      #expect(try engine.workgroups.statements(in: "g").map(\.sql) == ["SELECT 1"])
      _ = try await session.run("DEALLOCATE PREPARE mine", options)
      await #expect(throws: QueryError.self) { try await session.run("EXECUTE mine", options) }
      #expect(try await session.run("EXECUTE mine").decoded(as: Int.self) == [2])
    }
  }

  /// Statements that were prepared before there were workgroups are `primary`'s.
  @Test func olderPreparedStatementsAreKept() async throws {
    try await EngineTesting.withFolder { home in
      let file = try SQLiteDatabase(path: home.path + "/" + Catalog.fileName)
      _ = try Catalog(file)
      try file.run("INSERT INTO prepared_statements(name, sql) VALUES ('old', 'SELECT 7')")
      #expect(try await EngineTesting.engine(home: home).session().query("EXECUTE old", as: Int.self) == [7])
    }
  }

  @Test func budgetsStopAndWarn() async throws {
    try await EngineTesting.withFolder { home in
      let engine = try EngineTesting.engine(home: home)
      var defaults = SessionDefaults()
      defaults.tags = ["team": "growth"]
      let session = try engine.session(defaults)
      let statement: SQLStatement = "SELECT count(*) FROM \(path: EngineTesting.sales)"
      let cost = try await session.run(statement).statistics.dollars
      #expect(cost > 0)
      let scope = Budget.Scope.tag(key: "team", value: "growth")
      #expect(try engine.workgroups.spent(scope, per: .day) == cost)
      #expect(try engine.workgroups.spent(.workgroup("primary"), per: .month) == cost)
      #expect(try engine.workgroups.spent(.tag(key: "team", value: "other"), per: .month) == 0)

      try engine.workgroups.set(Budget(scope, per: .day, dollars: cost * 2.1))
      #expect(try await session.run(statement).statistics.notes.contains { $0.hasPrefix("budget: tag:team=growth") })
      let execution = session.start(statement)
      do throws(QueryError) {
        _ = try await execution.collect()
        Issue.record("it ran")
      } catch {
        #expect(error.code == .exceededBudget)
        #expect(error.code.kind == .overLimit)
      }
      #expect(execution.statistics.dollars == 0)
      // Others, and what reads no table, run.
      #expect(try await engine.session().run(statement).rowCount == 1)
      #expect(try await session.run("SELECT 1").rowCount == 1)
      // A budget that only warns stops nothing.
      try engine.workgroups.set(Budget(scope, per: .day, dollars: cost, stops: false))
      #expect(try await session.run(statement).rowCount == 1)
      try engine.workgroups.removeBudget(scope, per: .day)
      #expect(try engine.workgroups.budgets().isEmpty)
    }
  }

  /// What is left of a budget ends a scan whose size was not known before.
  @Test func budgetsEndScans() async throws {
    try await EngineTesting.withFolder { home in
      var configuration = EngineConfiguration(home: home.path)
      configuration.dollarsPerTerabyte = 1e9
      let engine = try Engine(configuration)
      try engine.workgroups.set(Budget(.home, per: .month, dollars: 100))
      let execution = try engine.session().start("SELECT * FROM \(path: EngineTesting.sales) ORDER BY 1 LIMIT 3")
      do throws(QueryError) {
        _ = try await execution.collect()
        Issue.record("it ran")
      } catch { #expect(error.code == .exceededBudget) }
      #expect(execution.statistics.state == .cancelled)
    }
  }
}
