import Glibc
import ObjectStore
import QueryErrors
import QueryExecution
import QueryPlan
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
  /// The workgroup it runs in; an error when there is none of the name, or it is disabled.
  private let workgroup: Result<Workgroup, QueryError>
  private let tags: [String: String]
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
    /// Whether it was started; it may still wait in line.
    var hasBegun = false
    /// Whether another thread ends the statement, and so writes its ledger row.
    var isEnding = false
    var schemaReaders: [CheckedContinuation<Result<Schema, QueryError>, Never>] = []
    var endActions: [@Sendable () -> Void] = []
    var endReaders: [CheckedContinuation<Result<Void, QueryError>, Never>] = []
  }

  init(_ session: Session, _ settings: SessionSettings, _ statement: SQLStatement, _ options: StatementOptions) {
    var settings = settings
    if let database = options.database {
      settings.catalog = CatalogResolver.catalogName
      settings.database = database.lowercased()
    }
    self.session = session
    let name = options.workgroup ?? settings.defaults.workgroup
    workgroup = StatementExecution.workgroup(name, session.engine)
    let group = (try? workgroup.get()) ?? Workgroup(name)
    settings.apply(group)
    tags = group.tags.merging(settings.defaults.tags) { $1 }.merging(options.tags) { $1 }
    self.settings = settings
    self.statement = statement
    self.options = options
    meter = ScanMeter(limit: settings.scanLimit(options, group), cancellation: cancellation)
    report = StatementReport(
      queryID: id, configuration: session.engine.configuration, isDryRun: options.isDryRun ?? settings.defaults.isDryRun,
      clock: clock, meter: meter)
    session.engine.register(self)
  }

  deinit { session.engine.unregister(id) }

  private static func workgroup(_ name: String, _ engine: Engine) -> Result<Workgroup, QueryError> {
    // A statement that asks for nothing does not make a home.
    if name == Workgroup.primaryName, !engine.hasDatabase { return .success(Workgroup(name)) }
    do throws(QueryError) {
      let workgroup = try engine.workgroups.workgroup(name)
      if workgroup.isEnabled { return .success(workgroup) }
      return .failure(QueryError(.invalidArguments, "WorkGroup \(name) is disabled."))
    } catch { return .failure(error) }
  }

  // MARK: The walk

  /// Runs the statement on a thread of its own.
  func start() { StatementThread.run { self.run(self.options.delivery == .batches ? self.queue : ResultDiscard()) } }

  /// Runs the statement on the calling thread, unless it ran before or was cancelled while it waited.
  func run(_ consumer: any ResultConsumer) {
    let begins = life.withLock { life -> Bool in
      guard life.state == .queued, !life.hasBegun else { return false }
      life.hasBegun = true
      if session.engine.admission == nil { life.state = .running }
      return true
    }
    guard begins else { return }
    report.noteStart()
    do throws(QueryError) {
      let state = life.withLock { $0.state }
      try record { (ledger) throws(QueryError) in try ledger.begin(self.record(state)) }
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
    let maximumAge = options.reuseMaximumAge ?? settings.defaults.reuseMaximumAge
    let isKept = maximumAge != nil || (options.writesResults ?? settings.defaults.writesResults)
    let reuse = isKept ? prepared.identity.map { ResultReuse(identity: $0(), context: context) } : nil
    if let reuse, let age = maximumAge {
      switch try reuse.find(maximumAge: age, prepared.schema) {
      case .hit(let record, let reader):
        defer { hasSent = true }
        return try send(record, reader, consumer)
      case .miss(let reason): report.note(reuseMiss: reason)
      }
    }
    if let plan = prepared.plan {
      if let limit = meter.limit { try ScanForecast.check(plan, meter, limit: limit) }
      try BudgetCheck(workgroup: context.workgroup, tags: tags, engine: session.engine, meter: meter).check(plan)
    }
    let slot = try waitInLine(prepared.plan, context.workgroup)
    defer { if let slot { session.engine.admission?.leave(slot) } }
    let output = try StatementOutput(consumer, prepared, context)
    let deadline = settings.runTimeLimit.map { RunTimeLimit(seconds: $0, cancellation) }
    defer { deadline?.lift() }
    defer { hasSent = output.hasBegun }
    do throws(QueryError) {
      try output.begin(prepared.schema, waitsForRows: !isSettled) { self.publish($0) }
      try prepared.run(output)
      try report.publishing { () throws(QueryError) in try output.commit() }
      if case .success(let identity)? = reuse?.identity { report.note(identity) }
    } catch {
      output.abort()
      throw error
    }
  }

  /// Hands out the result of an earlier statement as this one's.
  private func send(_ record: QueryRecord, _ reader: ResultReader, _ consumer: any ResultConsumer) throws(QueryError) {
    publish(reader.schema)
    try consumer.begin(reader.schema)
    try reader.read(meter) { (batch) throws(QueryError) in
      report.addRows(batch.rowCount)
      try consumer.receive(batch)
    }
    report.note(reused: record)
  }

  /// Waits until the engine has room for one more statement; nil where all run at once.
  private func waitInLine(_ plan: LogicalPlan?, _ workgroup: Workgroup) throws(QueryError) -> StatementAdmission.Slot? {
    guard let admission = session.engine.admission else { return nil }
    let byteCount = plan.map { PlanFigures($0).bytesTotal } ?? 0
    let lane: StatementAdmission.Lane = byteCount <= StatementAdmission.shortByteCount ? .short : .long
    let slot = try admission.enter(lane, workgroup: workgroup.name, cancellation)
    life.withLock { $0.state = .running }
    report.noteStart()
    return slot
  }

  /// What the statement's own type sees of all this.
  func makeContext() throws(QueryError) -> StatementContext {
    var environment = SessionContext(
      startMicros: clock.startMicros, timeZone: settings.timeZone, user: settings.defaults.user,
      catalog: settings.catalog, database: settings.database, queryID: id)
    environment.followsAthena = settings.followsAthena
    environment.hostFunctions = session.engine.host.withLock { $0.functions }
    return StatementContext(
      engine: session.engine, session: session, settings: settings, options: options, workgroup: try workgroup.get(), id: id,
      sql: statement.text, parameters: [], environment: environment, meter: meter, report: report, clock: clock,
      memory: MemoryBudget(limit: settings.memoryLimit(session.engine.configuration)),
      paths: PathRelations(session.engine.stores.metered(by: meter), meter: meter), relations: RelationLog(),
      foreign: ForeignConnections(session.engine, cancellation))
  }

  // MARK: The end

  private func end(_ failure: QueryError?) {
    guard claimEnd() else { return }
    var failure = failure
    let state = failure.map(StatementExecution.state) ?? .succeeded
    var statistics = report.statistics(state, failure)
    do throws(QueryError) {
      try record { (ledger) throws(QueryError) in try ledger.end(self.record(state, statistics, failure)) }
    } catch {
      failure = failure ?? error
      if state == .succeeded { statistics.state = .failed }
    }
    announceEnd(statistics, failure)
  }

  /// How a statement ends with an error: what its user or a limit stopped is CANCELLED, as Athena says it.
  private static func state(_ failure: QueryError) -> QueryState {
    switch failure.code.kind {
    case .cancelled, .overLimit: .cancelled
    case .userError, .badData, .insufficientResources, .external, .notSupported, .internalError: .failed
    }
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
      defer { (life.schemaReaders, life.endReaders, life.endActions) = ([], [], []) }
      return (schema: life.schemaReaders, end: life.endReaders, actions: life.endActions)
    }
    session.engine.unregister(id)
    queue.finish(failure)
    for reader in readers.schema { reader.resume(returning: failure.map { .failure($0) } ?? .success(Schema([]))) }
    for action in readers.actions { action() }
    for reader in readers.end { reader.resume(returning: failure.map { .failure($0) } ?? .success(())) }
  }

  /// Stops the statement; one that has not begun ends at once.
  func cancel() {
    let state = life.withLock { life -> QueryState in
      if life.isEnding { return .succeeded }
      return life.hasBegun && life.state == .queued ? .running : life.state
    }
    switch state {
    case .queued:
      cancellation.cancel()
      let waits = life.withLock { life -> Bool in
        guard life.state == .queued, !life.hasBegun else { return false }
        life.hasBegun = true
        life.state = .running
        return true
      }
      if waits { end(QueryError(.userCanceled, "Query was canceled")) }
    case .running:
      cancellation.cancel()
      session.engine.admission?.wake()
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
    if report.isDryRun || !options.isRecorded { return }
    if let ledger = try session.engine.openLedger() { try body(ledger) }
  }

  /// The statement without passwords.
  private var recordedText: String {
    session.engine.recordable(statement.text)
  }

  private func record(
    _ state: QueryState, _ statistics: QueryStatistics? = nil, _ failure: QueryError? = nil
  ) -> QueryRecord {
    var record = QueryRecord(
      id: id, sql: recordedText, database: settings.database, state: state, error: failure,
      submittedAtMicros: clock.startMicros, statistics: statistics)
    record.workgroup = options.workgroup ?? settings.defaults.workgroup
    record.tags = tags
    if let group = try? workgroup.get() { record.outputFolder = settings.outputLocation(options, group) }
    let parameters = (try? statement.withPositionalParameters().texts) ?? []
    record.parameters = SecretText.mayStand(in: statement.text) ? parameters.map { _ in SecretText.mask } : parameters
    return record
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

  /// Calls `action` at the end; at once when that has come.
  func whenEnded(_ action: @escaping @Sendable () -> Void) {
    let isFinal = life.withLock { life in
      if !life.state.isFinal { life.endActions.append(action) }
      return life.state.isFinal
    }
    if isFinal { action() }
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
