import Foundation
import QueryEngine
import Testing

/// A running statement can be asked, read and stopped.
@Suite("Query execution") struct QueryExecutionTests {
  @Test func statesOfAStatementThatSucceeds() async throws {
    let session = try EngineTesting.engine().session()
    let execution = session.queue("SELECT 1 AS one")
    #expect(execution.state == .queued)
    #expect(execution.id.count == 36)
    execution.start()
    #expect(try await execution.schema.fields.map(\.name) == ["one"])
    let result = try await execution.collect()
    #expect(execution.state == .succeeded)
    #expect(result.rowCount == 1)
    #expect(result.statistics.queryID == execution.id)
    #expect(result.statistics.substatementType == "SELECT")
  }

  @Test func statesOfAStatementThatFails() async throws {
    let session = try EngineTesting.engine().session()
    let execution = session.start("SELECT nothing_here")
    await #expect(throws: QueryError.self) { try await execution.schema }
    await #expect(throws: QueryError.self) { try await execution.finish() }
    #expect(execution.state == .failed)
    #expect(execution.error?.code == .columnNotFound)
    await #expect(throws: QueryError.self) { for try await _ in execution.batches {} }
  }

  @Test func aFailureWhileRunningComesOutOfTheBatches() async throws {
    let session = try EngineTesting.engine().session()
    let execution = session.start("SELECT 10 / (x - 3) FROM UNNEST(sequence(1, 5)) t(x)")
    do throws(QueryError) {
      for try await _ in execution.batches {}
      Issue.record("no error")
    } catch {
      #expect(error.code == .divisionByZero)
    }
  }

  @Test func aStatementCancelledWhileItWaitsNeverRuns() async throws {
    let session = try EngineTesting.engine().session()
    let execution = session.queue("SELECT 1")
    execution.cancel()
    #expect(execution.state == .cancelled)
    execution.start()
    await #expect(throws: QueryError.self) { try await execution.finish() }
    #expect(execution.error?.code == .userCanceled)
  }

  /// The reader hears of it at once; the statement's threads stop within 50 ms of an optimized build.
  @Test func cancellingMidStream() async throws {
    let session = try EngineTesting.engine().session()
    let execution = session.start(EngineTesting.endless)
    var seen = 0
    var failure: QueryError?
    var isStopped = false
    do throws(QueryError) {
      for try await batch in execution.batches {
        seen += batch.rowCount
        if seen > 10_000, !isStopped {
          isStopped = true
          execution.cancel()
        }
      }
    } catch { failure = error }
    #expect(failure?.code == .userCanceled)
    // The query has no end of its own.
    #expect(await EngineTesting.wait { execution.state == .cancelled } != nil)
  }

  @Test func cancellingTheTaskStopsTheQuery() async throws {
    let session = try EngineTesting.engine().session()
    let execution = session.start(EngineTesting.endless)
    let task = Task { () -> QueryError? in
      do throws(QueryError) { for try await _ in execution.batches {} } catch { return error }
      return nil
    }
    _ = await EngineTesting.wait { execution.progress.rows > 0 }
    task.cancel()
    #expect(await task.value?.code == .userCanceled)
    #expect(await EngineTesting.wait { execution.state == .cancelled } != nil)
  }

  @Test func cancellingARunThatCollects() async throws {
    let session = try EngineTesting.engine().session()
    let task = Task { () -> QueryError? in
      do throws(QueryError) {
        // Hours of work: it ends because it is cancelled.
        _ = try await session.run(
          "SELECT sum(x * y) FROM UNNEST(sequence(1, 9000)) a(x), UNNEST(sequence(1, 9000)) b(y), UNNEST(sequence(1, 9000)) c(z)")
      } catch { return error }
      return nil
    }
    try await Task.sleep(for: .milliseconds(100))
    task.cancel()
    #expect(await task.value?.code == .userCanceled)
  }

  @Test func lettingGoOfTheIteratorStopsTheQuery() async throws {
    let session = try EngineTesting.engine().session()
    let execution = session.start(EngineTesting.endless)
    for try await _ in execution.batches { break }
    #expect(await EngineTesting.wait { execution.state == .cancelled } != nil)
  }

  @Test func lettingGoOfTheExecutionStopsTheQuery() async throws {
    let engine = try EngineTesting.engine()
    let session = try engine.session()
    let id = session.start(EngineTesting.endless).id
    #expect(await EngineTesting.wait { engine.history.running().isEmpty } != nil, "\(id)")
  }

  /// The statement waits for its reader: no more rows are made than a few batches and what workers may hold back.
  @Test func backPressure() async throws {
    let session = try EngineTesting.engine().session()
    let execution = session.start(EngineTesting.endless)
    var iterator = execution.batches.makeAsyncIterator()
    _ = try await iterator.next()
    try await Task.sleep(for: .milliseconds(300))
    let made = execution.progress.rows
    try await Task.sleep(for: .milliseconds(300))
    #expect(execution.progress.rows == made)
    #expect(made < 8 * Batch.defaultRowCount)
    #expect(execution.state == .running)
  }

  @Test func everyRowOfALongResultArrives() async throws {
    let session = try EngineTesting.engine().session()
    var rows = 0
    for try await batch in session.start("SELECT x FROM UNNEST(sequence(1, 300)) a(x) CROSS JOIN UNNEST(sequence(1, 1000)) b(y)").batches {
      rows += batch.rowCount
    }
    #expect(rows == 300_000)
  }

  @Test func statementsOfOneSessionOverlap() async throws {
    let session = try EngineTesting.engine().session()
    let long = session.start(EngineTesting.endless)
    _ = await EngineTesting.wait { long.progress.rows > 0 }
    session.database = "default"
    #expect(session.database == "default")
    let short = try await session.run("SELECT 42")
    #expect(short.rowCount == 1)
    // The long one has no end of its own: nothing waited for it.
    #expect(long.state == .running)
    long.cancel()
  }

  /// A statement keeps the settings that its session had when it was started.
  @Test func settingsAreASnapshot() async throws {
    let session = try EngineTesting.engine().session()
    let before = session.queue("SELECT current_timezone()")
    _ = try await session.run("SET TIME ZONE 'Europe/Berlin'")
    before.start()
    let old = try await before.collect().decoded(as: String.self)
    let new = try await session.query("SELECT current_timezone()", as: String.self)
    #expect(old == ["UTC"])
    #expect(new == ["Europe/Berlin"])
  }

  @Test func rowsMayGoToTheResultFileOnly() async throws {
    try await EngineTesting.withFolder { home in
      let session = try EngineTesting.engine(home: home).session()
      var options = StatementOptions()
      options.delivery = .resultFile
      let statistics = try await session.start(
        "SELECT x FROM UNNEST(sequence(1, 500)) t(x) CROSS JOIN UNNEST(sequence(1, 100)) u(y)", options
      ).finish()
      #expect(statistics.rows == 50_000)
      let location = try #require(statistics.resultLocation)
      let lines = try String(contentsOfFile: location, encoding: .utf8).split(separator: "\n")
      #expect(lines.count == 50_001)
      #expect(lines[1] == "\"1\"")
    }
  }

  @Test func progressAndFiguresAreKnownWhileItRuns() async throws {
    let session = try EngineTesting.engine().session()
    let execution = session.start("SELECT count(*) FROM \(path: EngineTesting.sales) CROSS JOIN UNNEST(sequence(1, 9000)) t(x)")
    #expect(await EngineTesting.wait { execution.progress.bytesScanned > 0 } != nil)
    #expect(execution.progress.bytesPlanned > 0)
    #expect(execution.progress.dollars > 0)
    #expect(execution.statistics.filesRead == 20)
    execution.cancel()
    // On a busy machine it may have ended by itself.
    _ = try? await execution.finish()
    // A cancelled query pays for what it scanned.
    #expect(execution.statistics.bytesBilled == 10 << 20)
  }
}
