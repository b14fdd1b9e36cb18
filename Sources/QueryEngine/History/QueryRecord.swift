/// A statement in the ledger.
///
/// - Units: times in microseconds since 1970-01-01 UTC.
public struct QueryRecord: Sendable {
  public var id: String
  public var sql: String
  public var database: String
  public var workgroup = Workgroup.primaryName
  /// Those of the workgroup, the session and the statement.
  public var tags: [String: String] = [:]
  /// What stood for each `?`, as SQL constants.
  public var parameters: [String] = []
  public var state: QueryState
  /// `TABLE_NOT_FOUND`; nil unless the statement failed or was cancelled.
  public var errorCode: String?
  /// The error as one line, with code and place.
  public var errorText: String?
  public var submittedAtMicros: Int64
  /// The folder of its result, when it is none of the home.
  package internal(set) var outputFolder: String?
  /// The process that runs it or ran it.
  var process: ProcessIdentity?
  /// Nil while it runs.
  public var endedAtMicros: Int64?
  /// The figures that the ledger keeps: final ones once the state is.
  public var statistics: QueryStatistics

  init(
    id: String, sql: String, database: String, state: QueryState, error: QueryError? = nil, submittedAtMicros: Int64,
    statistics: QueryStatistics? = nil
  ) {
    self.id = id
    self.sql = sql
    self.database = database
    self.state = state
    errorCode = error?.code.rawValue
    errorText = error?.description
    self.submittedAtMicros = submittedAtMicros
    self.statistics = statistics ?? QueryStatistics()
    self.statistics.queryID = id
    self.statistics.state = state
    if state.isFinal {
      endedAtMicros = submittedAtMicros + Int64(self.statistics.wallMilliseconds * 1000)
    }
  }
}
