/// The statements of a home: those that run, and those that the ledger keeps.
///
/// - Threads: any; several processes may read and write one ledger.
public struct QueryHistory: Sendable {
  let engine: Engine

  /// Which statements `list` gives.
  public struct Filter: Sendable {
    public var states: Set<QueryState> = Set(QueryState.allCases)
    public var database: String?
    /// Statements submitted before the one with this id.
    public var before: String?
    /// At most so many.
    public var limit = 50
    public init() {}
  }

  /// One statement, or nil when there is none of that id.
  ///
  /// - Throws: `HIVE_METASTORE_ERROR`, as all calls here.
  public func execution(_ id: String) throws(QueryError) -> QueryRecord? {
    if let live = engine.liveExecution(id) { return live.currentRecord }
    return try engine.openLedger()?.record(id)
  }

  /// The statements of this engine that have not ended, the latest first.
  public func running() -> [QueryRecord] {
    engine.liveExecutions().map(\.currentRecord).sorted { $0.submittedAtMicros > $1.submittedAtMicros }
  }

  /// Statements, the latest first.
  public func list(_ filter: Filter = Filter()) throws(QueryError) -> [QueryRecord] {
    try engine.openLedger()?.records(filter).map { record in engine.liveExecution(record.id)?.currentRecord ?? record }
      ?? []
  }
}
