import Glibc
import ObjectStore
import QueryErrors
import QueryExecution
import QueryPlan
import SQLExpressions
import SQLFunctions
import SQLSyntax
import TableCatalog

/// One statement from text to bill.
final class StatementRun {
  let state: SessionState
  let sql: String
  private let parameterTexts: [String]
  let monitor: QueryMonitor
  let meter: ScanMeter
  let session: SessionContext
  private let startNanoseconds: Int
  var statistics = QueryStatistics()
  /// As many `?` as the statement has.
  private var parameterCount = 0
  /// Whether the statement reads tables and is billed.
  var isBilled = false

  init(_ state: SessionState, sql: String, parameters: [String], monitor: QueryMonitor) {
    self.state = state
    self.sql = sql
    parameterTexts = parameters
    self.monitor = monitor
    meter = ScanMeter(limit: state.scanLimit, cancellation: monitor.cancellation)
    startNanoseconds = StatementRun.clock(CLOCK_MONOTONIC)
    statistics.queryID = QueryID.make()
    statistics.unitBase = state.configuration.unitBase
    var session = SessionContext(
      startMicros: Int64(StatementRun.clock(CLOCK_REALTIME) / 1000), timeZone: state.timeZone,
      user: state.configuration.user, catalog: CatalogResolver.catalogName, database: state.database,
      queryID: statistics.queryID)
    session.followsAthena = state.configuration.compatibility == .athena
    self.session = session
  }

  static func clock(_ id: clockid_t) -> Int {
    var time = timespec()
    clock_gettime(id, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }

  var elapsedMilliseconds: Double { Double(StatementRun.clock(CLOCK_MONOTONIC) - startNanoseconds) / 1e6 }

  /// Runs the statement, writes its result, and records it in the ledger.
  func run(_ consumer: any ResultConsumer) -> (statistics: QueryStatistics, error: QueryError?) {
    let abandoned = UncheckedBox((self, statistics))
    monitor.begin { abandoned.value.0.recordAbandoned(abandoned.value.1) }
    var failure: QueryError?
    do throws(QueryError) { try runStatement(consumer) } catch {
      failure = error
      statistics.state = error.code == .userCanceled ? .cancelled : .failed
    }
    monitor.watch(nil)
    // Another thread records the statement and ends the process.
    if !monitor.claimEnding() { while true { pause() } }
    settle(&statistics, failure)
    if state.configuration.home != nil, !statistics.isDryRun {
      do throws(QueryError) { try record(statistics, failure, in: try state.catalog()) } catch {
        failure = failure ?? error
      }
    }
    return (statistics, failure)
  }

  /// Fills in time and bill.
  private func settle(_ statistics: inout QueryStatistics, _ failure: QueryError?) {
    statistics.wallMilliseconds = elapsedMilliseconds
    statistics.bytesScanned = statistics.isDryRun ? statistics.bytesScanned : meter.scannedBytes
    statistics.metadataBytes = meter.metadataBytes
    statistics.notes = meter.notes
    // Failed queries are free; cancelled ones pay for what they scanned, as do those over the scan limit.
    let isFree =
      !isBilled || (failure != nil && statistics.state != .cancelled && failure?.code != .exceededScanLimit)
    let bill = ScanBill(
      bytesScanned: statistics.bytesScanned, isFree: isFree, unitBase: state.configuration.unitBase,
      dollarsPerTerabyte: state.configuration.dollarsPerTerabyte)
    statistics.bytesBilled = bill.bytesBilled
    statistics.dollars = bill.dollars
  }

  private func record(
    _ statistics: QueryStatistics, _ failure: QueryError?, in catalog: Catalog
  ) throws(QueryError) {
    try QueryHistory.record(
      statistics, sql: sql, database: session.database, error: failure, submittedAtMicros: session.startMicros,
      in: catalog)
  }

  /// Records the statement as cancelled from another thread, by a connection of its own.
  private func recordAbandoned(_ beginning: QueryStatistics) -> QueryStatistics {
    var statistics = beginning
    statistics.state = .cancelled
    let failure = cancellationError()
    settle(&statistics, failure)
    if !state.configuration.isDryRun {
      do throws(QueryError) {
        guard let home = try state.homeFolder() else { return statistics }
        try record(statistics, failure, in: try Catalog(path: ObjectPath.join(home, Catalog.fileName)))
      } catch {
        // The process ends without its ledger row rather than not at all.
      }
    }
    return statistics
  }

  private func cancellationError() -> QueryError? {
    do throws(QueryError) { try monitor.cancellation.check() } catch { return error }
    return nil
  }

  private func runStatement(_ consumer: any ResultConsumer) throws(QueryError) {
    let statement = try parse(sql)
    if session.followsAthena { try AthenaLimits.check(parameters: parameterTexts) }
    try checkParameters(statement, parameterTexts.count)
    var parameters: [Expression] = []
    for text in parameterTexts {
      parameters.append(try StatementBinding.constant(Parser.parseExpression(text), session))
    }
    try run(statement, parameters, consumer)
  }

  /// Parses a statement as the session's compatibility asks for.
  func parse(_ sql: String) throws(QueryError) -> StatementSyntax {
    let (statement, count) =
      session.followsAthena ? try AthenaLimits.parse(sql) : try Parser.parseParameterized(sql, allowsExtensions: true)
    parameterCount = count
    return statement
  }

  private func checkParameters(_ statement: StatementSyntax, _ count: Int) throws(QueryError) {
    if case .prepare = statement { return }
    guard count != parameterCount else { return }
    throw QueryError(
      .invalidParameterUsage, "Incorrect number of parameters: expected \(parameterCount) but found \(count)",
      at: statement.range)
  }

  /// Runs a parsed statement: also the body of EXECUTE.
  func run(
    _ statement: StatementSyntax, _ parameters: [Expression], _ consumer: any ResultConsumer
  ) throws(QueryError) {
    switch statement {
    case .query(let query): try runQuery(query, parameters, consumer)
    case .explain(let node): try explain(node, parameters, consumer)
    case .createSchema, .dropSchema, .createTable, .createView, .dropTable, .dropView, .alterTable, .repairTable:
      statistics.statementType = "DDL"
      try writingText(consumer) { (output) throws(QueryError) in try define(statement, output) }
    case .show(let node):
      statistics.statementType = "UTILITY"
      try writingText(consumer) { (output) throws(QueryError) in try show(node, output) }
    case .describe(let node):
      statistics.statementType = "UTILITY"
      try writingText(consumer) { (output) throws(QueryError) in try describe(node, output) }
    case .use(let node):
      statistics.statementType = "UTILITY"
      guard try state.catalog().hasDatabase(node.schema.canonicalName) else {
        throw QueryError(.schemaNotFound, "Schema '\(node.schema.canonicalName)' does not exist", at: node.range)
      }
      state.database = node.schema.canonicalName
      try consumer.begin(Schema([]))
    case .setTimeZone(let node):
      statistics.statementType = "UTILITY"
      try setTimeZone(node)
      try consumer.begin(Schema([]))
    case .setSession(let node):
      statistics.statementType = "UTILITY"
      try setSession(node)
      try consumer.begin(Schema([]))
    case .resetSession(let node):
      statistics.statementType = "UTILITY"
      try resetSession(node)
      try consumer.begin(Schema([]))
    case .prepare(let node):
      statistics.statementType = "DDL"
      try checkPrepared(node)
      try state.catalog().prepare(node.name.canonicalName, sql: text(of: node.statement.range))
      try consumer.begin(Schema([]))
    case .execute(let node):
      guard let prepared = try state.catalog().preparedStatement(node.name.canonicalName) else {
        throw QueryError(.notFound, "Prepared statement not found: \(node.name.canonicalName)", at: node.name.range)
      }
      try execute(prepared, node.arguments, consumer)
    case .executeImmediate(let node): try execute(node.sql.value, node.arguments, consumer)
    case .deallocate(let node):
      statistics.statementType = "DDL"
      guard try state.catalog().preparedStatement(node.name.canonicalName) != nil else {
        throw QueryError(.notFound, "Prepared statement not found: \(node.name.canonicalName)", at: node.name.range)
      }
      try state.catalog().deallocate(node.name.canonicalName)
      try consumer.begin(Schema([]))
    case .insert, .delete, .update, .merge, .unload, .truncate, .optimize, .vacuum, .analyze, .createTableAs,
      .alterSchema, .alterView, .comment, .describeInput, .describeOutput, .transaction:
      throw .notSupported("Queries of this type are not supported yet", at: statement.range)
    }
  }

  /// Refuses statements that cannot be prepared, and under Athena's limits names and numbers that it refuses.
  private func checkPrepared(_ node: PrepareSyntax) throws(QueryError) {
    switch node.statement {
    case .prepare, .execute, .executeImmediate, .deallocate:
      throw .notSupported("Invalid statement type for prepared statement", at: node.statement.range)
    default: break
    }
    guard session.followsAthena else { return }
    try AthenaLimits.check(preparedName: node.name)
    let catalog = try state.catalog()
    if try catalog.preparedStatement(node.name.canonicalName) == nil,
      try catalog.preparedStatementCount() >= AthenaLimits.maximumPreparedStatementCount
    {
      throw QueryError(
        .invalidArguments, "There are \(AthenaLimits.maximumPreparedStatementCount) prepared statements already", at: node.range)
    }
  }

  private func execute(
    _ text: String, _ arguments: [ExpressionSyntax], _ consumer: any ResultConsumer
  ) throws(QueryError) {
    var values: [Expression] = []
    for argument in arguments { values.append(try StatementBinding.constant(argument, session)) }
    let inner = StatementRun(state, sql: text, parameters: [], monitor: monitor)
    let statement = try inner.parse(text)
    try inner.checkParameters(statement, values.count)
    if case .execute = statement { throw .notSupported("EXECUTE of an EXECUTE is not supported") }
    defer {
      let id = statistics.queryID
      statistics = inner.statistics
      statistics.queryID = id
      isBilled = inner.isBilled
      try? meter.add(inner.meter.dataBytes, kind: .data)
      try? meter.add(inner.meter.metadataBytes, kind: .metadata)
      for note in inner.meter.notes { meter.note(note) }
    }
    try inner.run(statement, values, consumer)
  }

  private func setTimeZone(_ node: SetTimeZoneSyntax) throws(QueryError) {
    guard let zone = node.zone else {
      state.timeZone = try SessionState.timeZone(named: state.configuration.timeZone)
      return
    }
    let value = try StatementBinding.constant(zone, session)
    switch (value.constantValue, value.type) {
    case (.bytes?, .varchar):
      state.timeZone = try SessionState.timeZone(named: value.constantValue?.stringValue ?? "")
    case (.integer(let milliseconds)?, .intervalDayToSecond):
      let minutes = milliseconds / 60_000
      guard milliseconds % 60_000 == 0, abs(minutes) <= 14 * 60 else {
        throw QueryError(.invalidFunctionArgument, "Invalid time zone offset interval", at: zone.range)
      }
      state.timeZone = TimeZoneKey(offsetMinutes: Int(minutes))
    default: throw QueryError(.typeMismatch, "Expected expression of varchar or interval day-time type", at: zone.range)
    }
  }

  /// The statement's own text of a range.
  func text(of range: SourceRange) -> String {
    let bytes = Array(sql.utf8)
    return String(decoding: bytes[range.start.offset..<min(range.end.offset, bytes.count)], as: UTF8.self)
  }

  // MARK: Results

  /// Runs a statement whose few rows go to a `.txt` result.
  func writingText(
    _ consumer: any ResultConsumer, _ body: (any ResultConsumer) throws(QueryError) -> Void
  ) throws(QueryError) {
    try writing(isText: true, consumer, body)
  }

  /// Runs `body` with a consumer that also writes the results folder; the file appears only when all went well.
  func writing(
    isText: Bool, _ consumer: any ResultConsumer, _ body: (any ResultConsumer) throws(QueryError) -> Void
  ) throws(QueryError) {
    guard state.configuration.writesResults, let folder = try state.resultsFolder() else {
      try body(consumer)
      return
    }
    let file = try ResultFolder(
      folder: try state.stores.metered(by: meter).resolve(folder), queryID: statistics.queryID, isText: isText)
    do throws(QueryError) {
      try body(BothConsumers(consumer, file))
      try file.commit()
      statistics.resultLocation = file.location
    } catch {
      file.abort()
      throw error
    }
  }
}

/// Hands everything to two consumers.
final class BothConsumers: ResultConsumer {
  private let first: any ResultConsumer
  private let second: any ResultConsumer

  init(_ first: any ResultConsumer, _ second: any ResultConsumer) {
    self.first = first
    self.second = second
  }

  func begin(_ schema: Schema) throws(QueryError) {
    try first.begin(schema)
    try second.begin(schema)
  }

  func receive(_ batch: Batch) throws(QueryError) {
    try first.receive(batch)
    try second.receive(batch)
  }
}

extension ResultConsumer {
  /// A result of text columns, row by row.
  func receive(rows: [[String?]], columns: [String]) throws(QueryError) {
    try begin(Schema(columns.map { Field($0, .text) }))
    if rows.isEmpty { return }
    let builders = columns.map { _ in ColumnBuilder(.text, capacity: rows.count) }
    for row in rows {
      for (builder, value) in zip(builders, row) {
        if let value { builder.append(string: value) } else { builder.appendNull() }
      }
    }
    try receive(Batch(columns: builders.map { $0.finish() }, rowCount: rows.count))
  }
}
