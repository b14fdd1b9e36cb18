import FileFormats
import ObjectStore
import QueryErrors
import QueryExecution
import QueryPlan
import Synchronization

/// Gathers what a statement does, and computes all its figures: in the footer, in the ledger and in `EXPLAIN ANALYZE`
/// they are the same because they are computed here only.
///
/// - Threads: any.
final class StatementReport: Sendable {
  private let queryID: String
  private let configuration: EngineConfiguration
  let isDryRun: Bool
  private let clock: StatementClock
  private let meter: ScanMeter
  private let parts = Mutex(Parts())

  private struct Parts {
    var type: StatementType?
    var subtype: String?
    var isBilled = false
    var plan: PlanFigures?
    var logicalPlan: LogicalPlan?
    var planningMilliseconds = 0.0
    var execution: QueryContext?
    var forecast: ScanForecast?
    var rows = 0
    var rowsWritten = 0
    var bytesWritten = 0
    var filesWritten = 0
    var resultLocation: String?
    var manifestLocation: String?
    var resultBytes = 0
    var resultColumns: [ResultColumn]?
    var identity: ResultIdentity?
    var reused: QueryRecord?
    var reuseMiss: String?
    var queueMilliseconds = 0.0
    var publishingMilliseconds = 0.0
  }

  init(
    queryID: String, configuration: EngineConfiguration, isDryRun: Bool, clock: StatementClock, meter: ScanMeter
  ) {
    self.queryID = queryID
    self.configuration = configuration
    self.isDryRun = isDryRun
    self.clock = clock
    self.meter = meter
  }

  // MARK: Noting

  /// What kind of statement it is; that of EXECUTE is its inner statement's.
  func note(_ kind: StatementKind) {
    parts.withLock { ($0.type, $0.subtype, $0.isBilled) = (kind.type, kind.subtype, kind.isBilled) }
  }

  /// The plan that was made of it.
  func note(_ plan: LogicalPlan) {
    let figures = PlanFigures(plan)
    let milliseconds = clock.elapsedMilliseconds
    parts.withLock {
      $0.plan = figures
      $0.logicalPlan = plan
      $0.planningMilliseconds = milliseconds
    }
  }

  func note(_ forecast: ScanForecast) { parts.withLock { $0.forecast = forecast } }
  func note(resultLocation: String, byteCount: Int, _ schema: Schema) {
    let columns = [ResultColumn](schema)
    parts.withLock { ($0.resultLocation, $0.resultBytes, $0.resultColumns) = (resultLocation, byteCount, columns) }
  }

  /// Where the list of written files lies.
  func note(manifestLocation: String) { parts.withLock { $0.manifestLocation = manifestLocation } }

  /// What a later statement has to match to be answered with this one's result.
  func note(_ identity: ResultIdentity) { parts.withLock { $0.identity = identity } }

  /// The statement whose result was handed out again.
  func note(reused record: QueryRecord) {
    parts.withLock { parts in
      parts.reused = record
      (parts.resultLocation, parts.resultBytes) = (record.statistics.resultLocation, record.statistics.resultBytes)
      parts.resultColumns = record.statistics.resultColumns
    }
  }

  /// Why no earlier result was handed out.
  func note(reuseMiss reason: String) { parts.withLock { $0.reuseMiss = reason } }

  /// The statement waits no longer.
  func noteStart() {
    let milliseconds = clock.elapsedMilliseconds
    parts.withLock { $0.queueMilliseconds = milliseconds }
  }

  /// Times what makes the result visible.
  func publishing(_ body: () throws(QueryError) -> Void) throws(QueryError) {
    let start = clock.elapsedMilliseconds
    try body()
    let milliseconds = clock.elapsedMilliseconds - start
    parts.withLock { $0.publishingMilliseconds = milliseconds }
  }

  func addRows(_ count: Int) { parts.withLock { $0.rows += count } }

  /// A file that the statement wrote, and how many of its rows are in it.
  func noteWritten(rows: Int, bytes: Int, files: Int) {
    parts.withLock {
      $0.rowsWritten += rows
      $0.bytesWritten += bytes
      $0.filesWritten += files
    }
  }

  /// The execution whose counters are read from now on.
  func watch(_ execution: QueryContext) { parts.withLock { $0.execution = execution } }

  // MARK: Figures

  /// What each scan of the plan reads.
  var scans: [ScanSummary] { parts.withLock { $0.logicalPlan }?.scans.map(ScanSummary.init) ?? [] }

  /// The figures as they are now.
  func statistics(_ state: QueryState, _ failure: QueryError?) -> QueryStatistics {
    let parts = parts.withLock { $0 }
    var figures = QueryStatistics()
    figures.queryID = queryID
    figures.state = state
    figures.isDryRun = isDryRun
    figures.type = parts.type
    figures.substatementType = parts.subtype
    figures.unitBase = configuration.unitBase
    figures.wallMilliseconds = clock.elapsedMilliseconds
    figures.planningMilliseconds = parts.planningMilliseconds
    figures.rows = parts.rowsWritten > 0 ? parts.rowsWritten : parts.rows
    figures.rowsWritten = parts.rowsWritten
    figures.bytesWritten = parts.bytesWritten
    figures.filesWritten = parts.filesWritten
    figures.resultLocation = parts.resultLocation
    figures.manifestLocation = parts.manifestLocation
    figures.resultBytes = parts.resultBytes
    figures.resultColumns = parts.resultColumns
    if parts.resultLocation != nil { (figures.reuseKey, figures.reuseData) = (parts.identity?.key, parts.identity?.data) }
    figures.reusedQueryID = parts.reused?.id
    figures.reuseMiss = parts.reuseMiss
    figures.queueMilliseconds = parts.queueMilliseconds
    figures.publishingMilliseconds = parts.publishingMilliseconds
    figures.peakMemoryBytes = parts.execution?.memory.peak ?? 0
    figures.spilledBytes = parts.execution?.spillFile.written ?? 0
    fill(&figures, parts.plan)
    figures.metadataBytes = meter.metadataBytes
    figures.notes = meter.notes
    if let bad = parts.execution?.badRows, bad.count > 0 {
      figures.badRows = bad.count
      figures.notes.append(StatementReport.note(bad))
    }
    if let reused = parts.reused { figures.notes.append("the result of \(reused.id) was reused") }
    if let reason = parts.reuseMiss { figures.notes.append("no result was reused: \(reason)") }
    let requests = meter.requestCounts
    figures.s3Requests = requests.total
    figures.s3ListRequests = requests.list
    figures.s3GetRequests = requests.get + requests.head
    figures.s3PutRequests = requests.put
    figures.s3BytesReceived = requests.receivedBytes
    figures.s3BytesSent = requests.sentBytes
    figures.s3Dollars = requests.dollars
    if let forecast = parts.forecast {
      figures.bytesScanned = forecast.dataBytes + meter.metadataBytes
      figures.rowGroupsRead = forecast.rowGroupsRead
      figures.rowGroupsTotal = forecast.rowGroupsTotal
      figures.isExact = forecast.isExact
      figures.costTier = forecast.tier
    } else {
      if isDryRun { figures.costTier = parts.isBilled ? .unknown : .exact }
      figures.bytesScanned = meter.scannedBytes
      for root in parts.execution?.profile.roots ?? [] { StatementReport.addRowGroups(of: root, to: &figures) }
    }
    if parts.reused != nil {
      // Planning looked at footers, but nothing was run.
      (figures.bytesScanned, figures.metadataBytes, figures.rowGroupsRead) = (0, 0, 0)
    }
    let bill = bill(figures.bytesScanned, parts, state, failure)
    figures.bytesBilled = bill.bytesBilled
    figures.dollars = bill.dollars
    return figures
  }

  private static func note(_ bad: BadRows) -> String {
    let what =
      switch bad.action {
      case .null: "have values that cannot be read and are NULL"
      case .skip: "cannot be read and were left out"
      case .collect: "cannot be read and were left out; \"t$rejects\" has them"
      }
    let rows = bad.count == 1 ? "1 row" : "\(bad.count) rows"
    return "\(rows) \(what); the first: \(bad.first?.message ?? "") \(bad.first?.data?.description ?? "")"
  }

  func progress(_ state: QueryState) -> QueryProgress {
    let parts = parts.withLock { $0 }
    let scanned = meter.scannedBytes
    return QueryProgress(
      state: state, bytesPlanned: parts.execution?.progress.plannedBytes ?? 0, bytesScanned: scanned, rows: parts.rows,
      dollars: bill(scanned, parts, .running, nil).dollars, bytesTotal: parts.plan?.bytesTotal ?? 0, scanLimit: meter.limit,
      memoryBytes: parts.execution?.memory.used ?? 0, spilledBytes: parts.execution?.spillFile.written ?? 0,
      wallMilliseconds: clock.elapsedMilliseconds)
  }

  /// What the plan's operators did so far.
  var profile: [OperatorProfile] { parts.withLock { $0.execution }?.profile.roots.map { OperatorProfile($0) } ?? [] }

  /// Failed queries are free; cancelled ones pay for what they scanned, as do those over a limit, unless that was known
  /// before any value was read.
  private func bill(_ bytes: Int, _ parts: Parts, _ state: QueryState, _ failure: QueryError?) -> ScanBill {
    let isFree =
      !(parts.isBilled && parts.plan?.hasScans == true) || parts.reused != nil
      || (failure != nil && state != .cancelled) || (failure?.code.kind == .overLimit && meter.dataBytes == 0)
    return ScanBill(
      bytesScanned: bytes, isFree: isFree, unitBase: configuration.unitBase,
      dollarsPerTerabyte: configuration.dollarsPerTerabyte)
  }

  private func fill(_ figures: inout QueryStatistics, _ plan: PlanFigures?) {
    guard let plan else {
      figures.filesTotal = 0
      figures.partitionsTotal = 0
      return
    }
    figures.columnsRead = plan.columnsRead
    figures.columnsTotal = plan.columnsTotal
    figures.filesRead = plan.filesRead
    figures.filesTotal = plan.filesTotal
    figures.bytesTotal = plan.bytesTotal
    figures.partitionsRead = plan.partitionsRead
    figures.partitionsTotal = plan.partitionsTotal
  }

  private static func addRowGroups(of node: QueryProfile.Node, to figures: inout QueryStatistics) {
    if let scan = node.scan {
      figures.rowGroupsRead += scan.blocksRead
      figures.rowGroupsTotal += scan.blocksTotal
    }
    for child in node.children { addRowGroups(of: child, to: &figures) }
  }
}
