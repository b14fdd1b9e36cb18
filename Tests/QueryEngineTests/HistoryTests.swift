import Foundation
import QueryEngine
import TableCatalog
import Testing

/// The ledger: written while statements run, read through the public API.
@Suite("History") struct HistoryTests {
  @Test func statementsCanBeReadWhileTheyRunAndAfter() async throws {
    try await EngineTesting.withFolder { home in
      let engine = try EngineTesting.engine(home: home)
      let session = try engine.session()
      let good = try await session.run("SELECT count(*) FROM \(path: EngineTesting.sales)")
      let bad = session.start("SELECT nothing_here")
      await #expect(throws: QueryError.self) { try await bad.finish() }
      let running = session.start(EngineTesting.endless)
      _ = await EngineTesting.wait { running.progress.rows > 0 }

      // Another engine of the same home, as another process would have.
      let other = try EngineTesting.engine(home: home)
      let records = try other.history.list()
      #expect(records.map(\.id) == [running.id, bad.id, good.statistics.queryID])
      #expect(records.map(\.state) == [.running, .failed, .succeeded])
      #expect(records[1].errorCode == "COLUMN_NOT_FOUND")
      #expect(records[2].statistics.bytesScanned == good.statistics.bytesScanned)
      #expect(records[2].statistics.dollars == good.statistics.dollars)
      #expect(records[2].statistics.substatementType == "SELECT")
      #expect(records[2].endedAtMicros! > records[2].submittedAtMicros)
      #expect(try engine.history.execution(running.id)?.state == .running)

      running.cancel()
      _ = await EngineTesting.wait { running.state.isFinal }
      #expect(try other.history.execution(running.id)?.state == .cancelled)
      #expect(try other.history.execution("no such id") == nil)
    }
  }

  @Test func listsAreFilteredAndPaged() async throws {
    try await EngineTesting.withFolder { home in
      let engine = try EngineTesting.engine(home: home)
      let session = try engine.session()
      var ids: [String] = []
      for number in 1...5 { ids.insert(try await session.run("SELECT \(number)").statistics.queryID, at: 0) }
      _ = try? await session.run("SELECT nothing_here")
      var filter = QueryHistory.Filter()
      filter.states = [.succeeded]
      filter.limit = 2
      #expect(try engine.history.list(filter).map(\.id) == Array(ids[0..<2]))
      filter.before = ids[1]
      #expect(try engine.history.list(filter).map(\.id) == Array(ids[2..<4]))
      filter.database = "elsewhere"
      #expect(try engine.history.list(filter).isEmpty)
    }
  }

  @Test func statementsOfDeadProcessesHaveFailed() async throws {
    try await EngineTesting.withFolder { home in
      let engine = try EngineTesting.engine(home: home)
      _ = try await engine.session().run("SELECT 1")
      let file = try SQLiteDatabase(path: home.path + "/" + Catalog.fileName)
      // No process has this number: it is above the kernel's greatest.
      try file.run(
        """
        INSERT INTO queries(query_id, sql, database, state, submitted_at, submitted_us, pid, process_start)
        VALUES ('dead', 'SELECT 2', 'default', 'RUNNING', '2024-01-01T00:00:00.000Z', 1, 4194305, 1)
        """)
      // A number that was given to another process since.
      try file.run(
        """
        INSERT INTO queries(query_id, sql, database, state, submitted_at, submitted_us, pid, process_start)
        VALUES ('reused', 'SELECT 3', 'default', 'QUEUED', '2024-01-01T00:00:00.000Z', 1, ?, 1)
        """, [.integer(Int64(getpid()))])
      for id in ["dead", "reused"] {
        let record = try #require(try engine.history.execution(id))
        #expect(record.state == .failed)
        #expect(record.errorText?.contains("has ended without finishing") == true)
      }
      #expect(try file.run("SELECT count(*) FROM queries WHERE state = 'FAILED'").first?.first?.integer == 2)
    }
  }

  /// A ledger as the first version wrote it is completed in place.
  @Test func oldLedgersAreCompleted() async throws {
    try await EngineTesting.withFolder { home in
      let file = try SQLiteDatabase(path: home.path + "/" + Catalog.fileName)
      try file.run(
        """
        CREATE TABLE queries(
          query_id TEXT PRIMARY KEY, sql TEXT NOT NULL, database TEXT, statement_type TEXT, state TEXT NOT NULL,
          error TEXT, submitted_at TEXT NOT NULL, wall_ms REAL, planning_ms REAL, rows INTEGER, bytes_scanned INTEGER,
          bytes_billed INTEGER, cost_usd REAL, result_location TEXT, pid INTEGER)
        """)
      try file.run(
        """
        INSERT INTO queries(query_id, sql, database, statement_type, state, error, submitted_at, wall_ms, rows, pid)
        VALUES ('old', 'SELECT x', 'default', 'DML', 'FAILED', 'COLUMN_NOT_FOUND: line 1:8: x', '2024-03-01T10:00:00.250Z', 12.5, 3, 1)
        """)
      let engine = try EngineTesting.engine(home: home)
      _ = try await engine.session().run("SELECT 1")
      let record = try #require(try engine.history.execution("old"))
      #expect(record.submittedAtMicros == 1_709_287_200_250_000)
      #expect(record.errorCode == "COLUMN_NOT_FOUND")
      #expect(record.statistics.rows == 3)
      #expect(try engine.history.list().count == 2)
    }
  }

  /// Two engines write one home at once: no row is lost.
  @Test func enginesShareAHome() async throws {
    try await EngineTesting.withFolder { home in
      let engines = try (0..<2).map { _ in try EngineTesting.engine(home: home) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (number, engine) in engines.enumerated() {
          group.addTask {
            let session = try engine.session()
            for round in 0..<25 {
              _ = try await session.run("SELECT \(round)")
              _ = try await session.run("CREATE OR REPLACE VIEW \(identifier: "v\(number)_\(round)") AS SELECT 1 AS x")
            }
          }
        }
        try await group.waitForAll()
      }
      var filter = QueryHistory.Filter()
      filter.limit = 1000
      #expect(try engines[0].history.list(filter).filter { $0.state == .succeeded }.count == 100)
      #expect(try engines[1].catalog.tables(in: "default").count == 50)
    }
  }

  @Test func executeIsItsStatement() async throws {
    try await EngineTesting.withFolder { home in
      let session = try EngineTesting.engine(home: home).session()
      let direct = try await session.run("SELECT count(*) FROM \(path: EngineTesting.sales) WHERE year = 2024").statistics
      _ = try await session.run("PREPARE p FROM SELECT count(*) FROM \(path: EngineTesting.sales) WHERE year = ?")
      let execution = session.start("EXECUTE p USING 2024")
      let statistics = try await execution.collect().statistics
      #expect(statistics.bytesScanned == direct.bytesScanned)
      #expect(statistics.bytesBilled == direct.bytesBilled)
      #expect(statistics.partitionsRead == direct.partitionsRead)
      #expect(statistics.substatementType == "SELECT")
      #expect(statistics.resultLocation?.hasSuffix("/\(execution.id).csv") == true)
      #expect(try session.engine.history.execution(execution.id)?.statistics.bytesScanned == direct.bytesScanned)
    }
  }
}
