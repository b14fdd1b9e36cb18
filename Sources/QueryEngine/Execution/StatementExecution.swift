import Glibc
import ObjectStore
import QueryErrors
import QueryExecution
import SQLExpressions
import SQLFunctions
import SQLSyntax
import Synchronization
import TableCatalog

/// The life of one statement, from its text to its bill.
///
/// - Threads: runs on one thread; everything may be asked, and the statement cancelled, from any.
final class StatementExecution: Sendable {
  // MARK: Fixed
  let id = QueryID.make()
  let session: Session
  let statement: SQLStatement
  let options: StatementOptions
  private let settings: SessionSettings
  private let clock = StatementClock()
  private let cancellation = CancellationFlag()
  private let meter: ScanMeter
  let report: StatementReport
  /// Where the batches wait for their reader.
  let queue = BatchQueue()

  // MARK: Changes while running
  private let life = Mutex(Life())

  private struct Life {
    var state = QueryState.queued
    var error: QueryError?
    var schema: Schema?
    /// Set at the end only.
    var statistics: QueryStatistics?
    /// Whether another thread ends the statement, and so writes its ledger row.
    var isEnding = false
    var schemaReaders: [CheckedContinuation<Result<Schema, QueryError>, Never>] = []
    var endReaders: [CheckedContinuation<Result<Void, QueryError>, Never>] = []
  }

  init(_ session: Session, _ settings: SessionSettings, _ statement: SQLStatement, _ options: StatementOptions) {
    var settings = settings
    if let database = options.database { settings.database = database.lowercased() }
    self.session = session
    self.settings = settings
    self.statement = statement
    self.options = options
    meter = ScanMeter(limit: settings.scanLimit(options), cancellation: cancellation)
    report = StatementReport(
      queryID: id, configuration: session.engine.configuration, isDryRun: options.isDryRun ?? settings.defaults.isDryRun,
      clock: clock, meter: meter)
    session.engine.register(self)
  }

  deinit { session.engine.unregister(id) }

  // MARK: The walk

  /// Runs the statement on a thread of its own.
  func start() { StatementThread.run { self.run(self.options.delivery == .batches ? self.queue : ResultDiscard()) } }

  /// Runs the statement on the calling thread, unless it ran before or was cancelled while it waited.
  func run(_ consumer: any ResultConsumer) {
    let begins = life.withLock { life -> Bool in
      guard life.state == .queued else { return false }
      life.state = .running
      return true
    }
    guard begins else { return }
    do throws(QueryError) {
      try record { (ledger) throws(QueryError) in
        try ledger.begin(self.record(.running), outputFolder: options.outputLocation ?? settings.defaults.outputLocation)
      }
      try walk(consumer)
      end(nil)
    } catch {
      end(error)
    }
  }

  /// A statement's way: text → syntax → bound and checked → run → result file. A dry run ends before the last two.
  ///
  /// Where running teaches that the files of a path in FROM hold wider types than was thought, and nothing was sent yet, it
  /// begins anew without a word.
  private func walk(_ consumer: any ResultConsumer) throws(QueryError) {
    let context = try makeContext()
    while true {
      var hasSent = false
      do throws(QueryError) { return try attempt(consumer, context, &hasSent) } catch {
        guard !hasSent, try context.paths.startsAgain(after: error) else { throw error }
        meter.startAgain()
      }
    }
  }

  private func attempt(
    _ consumer: any ResultConsumer, _ context: StatementContext, _ hasSent: inout Bool
  ) throws(QueryError) {
    let prepared = try context.prepare(statement)
    // Types of files without a schema may still become wider.
    let isSettled = report.isDryRun || context.paths.isEmpty
    if isSettled { publish(report.isDryRun ? Schema([]) : prepared.schema) }
    if report.isDryRun {
      if let plan = prepared.plan { report.note(try ScanForecast(plan, threads: session.engine.configuration.threads)) }
      return try consumer.begin(Schema([]))
    }
    if let plan = prepared.plan, let limit = meter.limit { try ScanForecast.check(plan, meter, limit: limit) }
    let output = try StatementOutput(consumer, prepared, context)
    let deadline = settings.runTimeLimit.map { RunTimeLimit(seconds: $0, cancellation) }
    defer { deadline?.lift() }
    defer { hasSent = output.hasBegun }
    do throws(QueryError) {
      try output.begin(prepared.schema, waitsForRows: !isSettled) { self.publish($0) }
      try prepared.run(output)
      try output.commit()
    } catch {
      output.abort()
      throw error
    }
  }

  /// What the statement's own type sees of all this.
  func makeContext() throws(QueryError) -> StatementContext {
    var environment = SessionContext(
      startMicros: clock.startMicros, timeZone: settings.timeZone, user: settings.defaults.user,
      catalog: CatalogResolver.catalogName, database: settings.database, queryID: id)
    environment.followsAthena = settings.followsAthena
    return StatementContext(
      engine: session.engine, session: session, settings: settings, options: options, id: id,
      sql: statement.text, parameters: [], environment: environment, meter: meter, report: report, clock: clock,
      memory: MemoryBudget(limit: settings.memoryLimit(session.engine.configuration)),
      paths: PathRelations(session.engine.stores.metered(by: meter), meter: meter))
  }

  // MARK: The end

  private func end(_ failure: QueryError?) {
    guard claimEnd() else { return }
    var failure = failure
    let state: QueryState = failure == nil ? .succeeded : (failure!.code == .userCanceled ? .cancelled : .failed)
    var statistics = report.statistics(state, failure)
    do throws(QueryError) {
      try record { (ledger) throws(QueryError) in try ledger.end(self.record(state, statistics, failure)) }
    } catch {
      failure = failure ?? error
      if state == .succeeded { statistics.state = .failed }
    }
    announceEnd(statistics, failure)
  }

  /// Whether the caller is the first who ends the statement.
  private func claimEnd() -> Bool {
    life.withLock { life in
      if life.isEnding { return false }
      life.isEnding = true
      return true
    }
  }

  private func announceEnd(_ statistics: QueryStatistics, _ failure: QueryError?) {
    let readers = life.withLock { life in
      life.state = statistics.state
      life.error = failure
      life.statistics = statistics
      defer { (life.schemaReaders, life.endReaders) = ([], []) }
      return (schema: life.schemaReaders, end: life.endReaders)
    }
    session.engine.unregister(id)
    queue.finish(failure)
    for reader in readers.schema { reader.resume(returning: failure.map { .failure($0) } ?? .success(Schema([]))) }
    for reader in readers.end { reader.resume(returning: failure.map { .failure($0) } ?? .success(())) }
  }

  /// Stops the statement; one that has not begun ends at once.
  func cancel() {
    let state = life.withLock { $0.isEnding ? .succeeded : $0.state }
    switch state {
    case .queued:
      cancellation.cancel()
      let waits = life.withLock { life -> Bool in
        guard life.state == .queued else { return false }
        life.state = .running
        return true
      }
      if waits { end(QueryError(.userCanceled, "Query was canceled")) }
    case .running:
      cancellation.cancel()
      queue.finish(QueryError(.userCanceled, "Query was canceled"))
    case .succeeded, .failed, .cancelled: break
    }
  }

  /// See `QueryExecution.abandon`.
  func abandon() -> QueryStatistics? {
    guard claimEnd() else { return nil }
    let failure = QueryError(.userCanceled, "Query was canceled")
    let statistics = report.statistics(.cancelled, failure)
    do throws(QueryError) {
      try record { (ledger) throws(QueryError) in try ledger.end(self.record(.cancelled, statistics, failure)) }
    } catch {
      // The process ends without its ledger row rather than not at all.
    }
    LocalTemporaryFiles.removeAll()
    return statistics
  }

  // MARK: The ledger

  /// Writes to the ledger, where there is one and the statement is not a dry run.
  private func record(_ body: (Ledger) throws(QueryError) -> Void) throws(QueryError) {
    if report.isDryRun { return }
    if let ledger = try session.engine.openLedger() { try body(ledger) }
  }

  private func record(
    _ state: QueryState, _ statistics: QueryStatistics? = nil, _ failure: QueryError? = nil
  ) -> QueryRecord {
    QueryRecord(
      id: id, sql: statement.text, database: settings.database, state: state, error: failure,
      submittedAtMicros: clock.startMicros, statistics: statistics)
  }

  /// The row that the ledger has or will have.
  var currentRecord: QueryRecord {
    let (state, failure) = life.withLock { ($0.state, $0.error) }
    return record(state, statistics, failure)
  }

  // MARK: Questions

  var state: QueryState { life.withLock { $0.state } }
  var error: QueryError? { life.withLock { $0.error } }

  var statistics: QueryStatistics {
    let (state, final) = life.withLock { ($0.state, $0.statistics) }
    return final ?? report.statistics(state, nil)
  }

  var progress: QueryProgress { report.progress(state) }

  private func publish(_ schema: Schema) {
    let readers = life.withLock { life in
      life.schema = schema
      defer { life.schemaReaders = [] }
      return life.schemaReaders
    }
    for reader in readers { reader.resume(returning: .success(schema)) }
  }

  func schema() async throws(QueryError) -> Schema {
    let answer: Result<Schema, QueryError> = await withCheckedContinuation { continuation in
      let known = life.withLock { life -> Result<Schema, QueryError>? in
        if let schema = life.schema { return .success(schema) }
        if life.state.isFinal { return life.error.map { .failure($0) } ?? .success(Schema([])) }
        life.schemaReaders.append(continuation)
        return nil
      }
      if let known { continuation.resume(returning: known) }
    }
    return try answer.get()
  }

  func finish() async throws(QueryError) {
    let answer: Result<Void, QueryError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let known = life.withLock { life -> Result<Void, QueryError>? in
          if life.state.isFinal { return life.error.map { .failure($0) } ?? .success(()) }
          life.endReaders.append(continuation)
          return nil
        }
        if let known { continuation.resume(returning: known) }
      }
    } onCancel: {
      cancel()
    }
    return try answer.get()
  }
}
