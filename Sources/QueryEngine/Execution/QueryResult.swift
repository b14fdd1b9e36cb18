/// All rows of a finished statement.
public struct QueryResult: Sendable {
  public let schema: Schema
  public let batches: [Batch]
  public let statistics: QueryStatistics

  public var rowCount: Int { batches.reduce(0) { $0 + $1.rowCount } }
}
