import Glibc
import HTTPClient
import QueryEngine
import QueryErrors
import S3ObjectStore
import Synchronization

/// Trino's client protocol: a statement is posted, and its pages are got one after the other.
///
/// - Source: Trino's documentation, "Client REST API".
final class TrinoService: Sendable {
  private let engine: Engine
  private let settings: ServiceSettings
  private let timers: PollTimers
  private let queries = Mutex<[String: TrinoQuery]>([:])

  /// Seconds after which a query whose client has gone is cancelled.
  private static let clientTimeout = 300
  /// How long a client waits for a page before it is told to ask again.
  private static let pollMilliseconds = 1000
  /// The release whose protocol and SQL this is.
  private static let version = "440"

  typealias Answer = @Sendable (ServiceResponse) -> Void

  init(_ engine: Engine, _ settings: ServiceSettings, _ timers: PollTimers) {
    (self.engine, self.settings, self.timers) = (engine, settings, timers)
  }

  static func isPath(_ path: String) -> Bool { path.hasPrefix("/v1/statement") || path == "/v1/info" || path.hasPrefix("/v1/query/") }

  /// Form encoding, as the headers of sessions have it.
  static func encoded(_ text: String) -> String { PercentEncoding.encode(text) }

  private static var now: Int { time(nil) }

  var liveCount: Int { queries.withLock { $0.values.count { !$0.execution.state.isFinal } } }

  func cancelAll() { for query in queries.withLock({ Array($0.values) }) { query.cancel() } }

  // MARK: Requests

  func handle(_ request: ServiceRequest, answer: @escaping Answer) {
    forgetQueries()
    let parts = request.path.split(separator: "/").map(String.init)
    let base = (request.header("x-forwarded-proto") ?? "http") + "://" + (request.header("host") ?? "localhost")
    switch (request.method, parts.count) {
    case ("GET", 2) where parts[1] == "info":
      let info: JSONValue = [
        "nodeVersion": ["version": .string(TrinoService.version)], "environment": "sqlq", "coordinator": true, "starting": false,
        "uptime": "1.00m",
      ]
      answer(TrinoService.json(info))
    case ("GET", 3) where parts[1] == "query":
      guard let record = try? engine.history.execution(parts[2]) else {
        return answer(ServiceResponse(404, type: "text/plain", text: "Query not found"))
      }
      answer(
        TrinoService.json(["queryId": .string(record.id), "state": .string(record.state.rawValue), "query": .string(record.sql)]))
    case ("POST", 2) where parts[1] == "statement": start(request, base: base, answer: answer)
    case ("GET", 6):
      guard let query = query(parts), let token = Int(parts[5]) else { return answer(TrinoService.gone) }
      timers.wait(milliseconds: TrinoService.pollMilliseconds, until: query.pages.whenReady) {
        answer(query.answer(token: token, base: base, now: TrinoService.now) ?? TrinoService.gone)
      }
    case ("DELETE", 6):
      guard let query = query(parts) else { return answer(ServiceResponse(204)) }
      query.cancel()
      answer(ServiceResponse(204))
    default: answer(ServiceResponse(404, type: "text/plain", text: "Not found"))
    }
  }

  private static let gone = ServiceResponse(410, type: "text/plain", text: "Query not found or page gone")

  private static func json(_ value: JSONValue) -> ServiceResponse {
    ServiceResponse(200, [("Content-Type", "application/json")], .bytes(value.bytes))
  }

  private func query(_ parts: [String]) -> TrinoQuery? {
    guard let query = queries.withLock({ $0[parts[3]] }), query.slug == parts[4] else { return nil }
    return query
  }

  /// Queries whose clients have gone are cancelled; finished ones go a while after their last page.
  private func forgetQueries() {
    let now = TrinoService.now
    let gone = queries.withLock { queries -> [TrinoQuery] in
      let gone = queries.values.filter { $0.isForgotten(now: now, after: $0.isFinished ? 10 : TrinoService.clientTimeout) }
      for query in gone { queries[query.execution.id] = nil }
      return gone
    }
    for query in gone { query.cancel() }
  }

  // MARK: Starting

  private func start(_ request: ServiceRequest, base: String, answer: Answer) {
    let sql = String(decoding: request.bytes, as: UTF8.self)
    guard !sql.isEmpty else { return answer(ServiceResponse(400, type: "text/plain", text: "SQL statement is empty")) }
    guard request.header("x-trino-user") != nil || request.header("authorization") != nil else {
      return answer(ServiceResponse(401, type: "text/plain", text: "User must be set: X-Trino-User"))
    }
    do throws(QueryError) {
      let session = try session(request)
      var options = StatementOptions()
      options.writesResults = false
      options.prepared = TrinoService.pairs(request, "x-trino-prepared-statement")
      let query = TrinoQuery(session, session.queue(SQLStatement(sql), options), now: TrinoService.now)
      queries.withLock { $0[query.execution.id] = query }
      query.start()
      answer(query.firstAnswer(base: base))
    } catch {
      answer(ServiceResponse(400, type: "text/plain", text: error.message))
    }
  }

  private func session(_ request: ServiceRequest) throws(QueryError) -> Session {
    var defaults = settings.session
    if let catalog = request.header("x-trino-catalog"), !catalog.isEmpty, !["awsdatacatalog", "hive"].contains(catalog.lowercased()) {
      throw QueryError(.catalogNotFound, "Catalog '\(catalog)' not found")
    }
    if let schema = request.header("x-trino-schema"), !schema.isEmpty { defaults.database = schema }
    if let zone = request.header("x-trino-time-zone"), !zone.isEmpty { defaults.timeZone = zone }
    if let user = request.header("x-trino-user") { defaults.user = user }
    let session = try engine.session(defaults)
    for (name, value) in TrinoService.pairs(request, "x-trino-session") { try session.set(property: name, to: value) }
    return session
  }

  /// `name=value` pairs of all headers of a name, values decoded.
  private static func pairs(_ request: ServiceRequest, _ name: String) -> [String: String] {
    var pairs: [String: String] = [:]
    for header in request.headers where header.name == name {
      for item in header.value.split(separator: ",") {
        let pair = item.drop { $0 == " " }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if pair.count == 2 { pairs[String(pair[0])] = PercentEncoding.decode(String(pair[1]), plusIsSpace: true) }
      }
    }
    return pairs
  }
}
