/// Receives a statement's rows as they are made.
///
/// - Threads: called on the thread that runs the statement, one call at a time.
public protocol ResultConsumer: AnyObject {
  /// Called once, before any batch; statements without rows have no columns.
  func begin(_ schema: Schema) throws(QueryError)
  func receive(_ batch: Batch) throws(QueryError)
}

/// Keeps all batches.
public final class ResultCollector: ResultConsumer {
  public private(set) var schema = Schema([])
  public private(set) var batches: [Batch] = []

  public init() {}

  public func begin(_ schema: Schema) throws(QueryError) { self.schema = schema }
  public func receive(_ batch: Batch) throws(QueryError) { batches.append(batch) }
}

/// Wants no rows.
final class ResultDiscard: ResultConsumer {
  func begin(_ schema: Schema) throws(QueryError) {}
  func receive(_ batch: Batch) throws(QueryError) {}
}
