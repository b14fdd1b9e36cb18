import Columnar
import QueryEngine
import QueryErrors
import Synchronization

/// A query of a Trino client: its pages, and the page that was handed out last, in case it has to be sent again.
final class TrinoQuery: Sendable {
  let execution: QueryExecution
  let session: Session
  let pages = TrinoPages()
  /// What only the client that started the query knows.
  let slug = RequestID.make().filter { $0 != "-" }
  /// What the session was like before the statement.
  private let before: SessionDescription
  private let state = Mutex(State())

  private struct State {
    var token = 0
    var last: [UInt8] = []
    var isFinished = false
    /// When the client last asked, in seconds.
    var seen = 0
  }

  /// Rows of a page at most.
  private static let pageRowCount = 8192

  init(_ session: Session, _ execution: QueryExecution, now: Int) {
    self.session = session
    self.execution = execution
    before = session.describe()
    state.withLock { $0.seen = now }
  }

  func start() {
    execution.whenEnded { [pages] in pages.end() }
    execution.start(into: pages)
  }

  func cancel() {
    execution.cancel()
    pages.abandon()
  }

  /// Whether the client has not come for so many seconds.
  func isForgotten(now: Int, after seconds: Int) -> Bool { state.withLock { now - $0.seen > seconds } }
  var isFinished: Bool { state.withLock { $0.isFinished } }

  /// The answer to the request with a token; nil for one that is neither the next nor the last.
  func answer(token: Int, base: String, now: Int) -> ServiceResponse? {
    state.withLock { state in
      state.seen = now
      if token == state.token, token > 0 { return response(state.last) }
      guard token == state.token + 1 else { return nil }
      let (columns, batches, isEnded) = pages.take(maximumRows: TrinoQuery.pageRowCount)
      let isLast = isEnded && execution.state.isFinal
      state.token = token
      state.last = body(columns, batches, next: isLast ? nil : token + 1, base: base, isEnded: isEnded)
      state.isFinished = isLast
      return response(state.last)
    }
  }

  /// The answer to the statement itself.
  func firstAnswer(base: String) -> ServiceResponse { response(body(nil, [], next: 1, base: base, isEnded: false)) }

  private func body(_ columns: Schema?, _ batches: [Batch], next: Int?, base: String, isEnded: Bool) -> [UInt8] {
    let statistics = execution.statistics
    var members: [String: JSONValue] = [
      "id": .string(execution.id), "infoUri": .string(base + "/v1/query/" + execution.id), "stats": stats(statistics), "warnings": [],
    ]
    if let next { members["nextUri"] = .string(base + "/v1/statement/executing/\(execution.id)/\(slug)/\(next)") }
    if isEnded, let error = execution.error { members["error"] = TrinoError.json(error) }
    if let type = statistics.substatementType, type != "SELECT", type != "EXPLAIN", statistics.type != .utility {
      members["updateType"] = .string(type.split(separator: "_").joined(separator: " "))
      if isEnded, statistics.rowsWritten > 0 { members["updateCount"] = .number(statistics.rowsWritten) }
    }
    if let columns, columns.count > 0 { members["columns"] = TrinoValues.columns(columns) }
    var out = JSONValue.object(members).bytes
    guard batches.contains(where: { $0.rowCount > 0 }) else { return out }
    out.removeLast()
    out += ",\"data\":[".utf8
    for (index, batch) in batches.filter({ $0.rowCount > 0 }).enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      TrinoValues.append(batch, to: &out)
    }
    out += "]}".utf8
    return out
  }

  private func stats(_ figures: QueryStatistics) -> JSONValue {
    let state =
      switch execution.state {
      case .queued: "QUEUED"
      case .running: "RUNNING"
      case .succeeded: "FINISHED"
      case .failed, .cancelled: "FAILED"
      }
    let progress = execution.progress
    let percentage = progress.bytesPlanned > 0 ? min(100, 100 * Double(progress.bytesScanned) / Double(progress.bytesPlanned)) : 0
    let milliseconds = Int(figures.wallMilliseconds)
    return [
      "state": .string(state), "queued": .bool(execution.state == .queued), "scheduled": .bool(execution.state != .queued),
      "nodes": 1, "totalSplits": .number(figures.rowGroupsTotal), "queuedSplits": 0, "runningSplits": 0,
      "completedSplits": .number(figures.rowGroupsRead), "cpuTimeMillis": .number(milliseconds), "wallTimeMillis": .number(milliseconds),
      "queuedTimeMillis": .number(Int(figures.queueMilliseconds)), "elapsedTimeMillis": .number(milliseconds),
      "processedRows": .number(figures.rows), "processedBytes": .number(figures.bytesScanned), "physicalInputBytes": .number(figures.bytesScanned),
      "physicalWrittenBytes": .number(figures.bytesWritten), "peakMemoryBytes": .number(figures.peakMemoryBytes),
      "spilledBytes": .number(figures.spilledBytes), "progressPercentage": .double(percentage),
    ]
  }

  /// With the headers that tell the client how the statement changed its session.
  private func response(_ body: [UInt8]) -> ServiceResponse {
    var headers: [(name: String, value: String)] = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    let now = session.describe()
    if now.database != before.database { headers.append(("X-Trino-Set-Schema", now.database)) }
    for (name, value) in now.properties.sorted(by: { $0.key < $1.key }) where before.properties[name] != value {
      headers.append(("X-Trino-Set-Session", name + "=" + TrinoService.encoded(value)))
    }
    for name in before.properties.keys.sorted() where now.properties[name] == nil { headers.append(("X-Trino-Clear-Session", name)) }
    return ServiceResponse(200, headers, .bytes(body))
  }
}
