/// Receives a statement's rows as they are made.
///
/// - Threads: called on the thread that runs the statement, one call at a time.
public protocol ResultConsumer: AnyObject {
  /// How the consumer wants the rows written out, if that is all it does with them: workers do so for it. Nil for batches.
  var text: DelimitedText? { get }
  /// Called once, before any batch; statements without rows have no columns.
  func begin(_ schema: Schema) throws(QueryError)
  /// Takes rows; not called where `text` is not nil.
  func receive(_ batch: Batch) throws(QueryError)
  /// Takes the text of rows; called where `text` is not nil.
  func receive(_ text: TextBuffer) throws(QueryError)
}

extension ResultConsumer {
  public var text: DelimitedText? { nil }
  public func receive(_ text: TextBuffer) throws(QueryError) {}
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
