/// All rows of a finished statement.
public struct QueryResult: Sendable {
  public let schema: Schema
  public let batches: [Batch]
  public let statistics: QueryStatistics

  public var rowCount: Int { batches.reduce(0) { $0 + $1.rowCount } }

  /// The rows as scalars; for small results.
  public var rows: [[Scalar]] {
    batches.flatMap { batch in (0..<batch.rowCount).map { row in batch.columns.map { $0.scalar(row) } } }
  }
}
