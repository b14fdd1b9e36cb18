/// The batches of a running statement, in order.
///
/// - Note: all iterators of one execution share its batches; letting go of one before the end cancels the statement.
public struct BatchSequence: AsyncSequence, Sendable {
  public typealias Element = Batch
  public typealias Failure = QueryError

  /// Keeps the execution while it is read.
  private let execution: QueryExecution
  private let queue: BatchQueue

  init(_ execution: QueryExecution, _ queue: BatchQueue) {
    self.execution = execution
    self.queue = queue
  }

  public func makeAsyncIterator() -> Iterator { Iterator(Reader(execution, queue)) }

  public struct Iterator: AsyncIteratorProtocol {
    private let reader: Reader
    fileprivate init(_ reader: Reader) { self.reader = reader }

    /// The next batch, nil at the end.
    ///
    /// - Throws: the statement's error; `USER_CANCELED` when the task is cancelled.
    public mutating func next(isolation actor: isolated (any Actor)?) async throws(QueryError) -> Batch? {
      try await reader.next().get()
    }

    public mutating func next() async throws(QueryError) -> Batch? { try await reader.next().get() }
  }

  /// Cancels the statement when the iterator is gone before its end.
  fileprivate final class Reader: Sendable {
    private let execution: QueryExecution
    private let queue: BatchQueue

    init(_ execution: QueryExecution, _ queue: BatchQueue) {
      self.execution = execution
      self.queue = queue
    }

    deinit { if !queue.isAtEnd { execution.cancel() } }

    func next() async -> Result<Batch?, QueryError> {
      await withTaskCancellationHandler {
        await queue.next()
      } onCancel: {
        execution.cancel()
      }
    }
  }
}
