/// A statement that waits, runs or has ended.
///
///     let execution = session.start("SELECT * FROM 'sales/'")
///     for try await batch in execution.batches { print(batch.rowCount, execution.progress.bytesScanned) }
///
/// Letting go of an execution and of its batches before they are read stops a statement that still has rows to hand out.
///
/// - Threads: any.
public final class QueryExecution: Sendable {
  private let execution: StatementExecution

  init(_ execution: StatementExecution) { self.execution = execution }

  deinit { execution.queue.readerLeft() }

  /// A random UUID, as Athena's are; also the name of the result file.
  public var id: String { execution.id }
  public var statement: SQLStatement { execution.statement }
  public var state: QueryState { execution.state }
  /// What went wrong, once the state is FAILED or CANCELLED.
  public var error: QueryError? { execution.error }
  /// How far the statement is.
  public var progress: QueryProgress { execution.progress }
  var operatorProfile: [OperatorProfile] { execution.report.profile }
  /// The figures known by now; final once the state is.
  public var statistics: QueryStatistics { execution.statistics }

  /// What each scan of the plan reads; known once the statement is bound.
  public var scans: [ScanSummary] { execution.report.scans }

  /// Stops the statement; it ends with `USER_CANCELED` within milliseconds. Does nothing after its end.
  public func cancel() { execution.cancel() }

  /// The columns of the result, as soon as the statement is bound; statements without rows have none.
  ///
  /// - Throws: what went wrong before that.
  public var schema: Schema { get async throws(QueryError) { try await execution.schema() } }

  /// The result's batches in order, each handed out once. The statement waits while several are unread, and cancelling
  /// the task that reads them cancels it.
  public var batches: BatchSequence { BatchSequence(self, execution.queue) }

  /// Waits for the end. With `Delivery.batches` the rows have to be read, or the end of a long result never comes.
  ///
  /// - Throws: the statement's error.
  @discardableResult
  public func finish() async throws(QueryError) -> QueryStatistics {
    try await execution.finish()
    return statistics
  }

  /// Runs a queued statement on a thread of its own and hands its rows to `consumer` there.
  package func start(into consumer: any ResultConsumer & Sendable) { StatementThread.run { [execution] in execution.run(consumer) } }

  /// Calls `action` once at the end, on the thread that ends the statement; at once when that has come.
  package func whenEnded(_ action: @escaping @Sendable () -> Void) { execution.whenEnded(action) }

  /// The row that the ledger has or will have.
  package var record: QueryRecord { execution.currentRecord }

  /// Reads all rows and waits for the end.
  public func collect() async throws(QueryError) -> QueryResult {
    var collected: [Batch] = []
    for try await batch in batches { collected.append(batch) }
    let statistics = try await finish()
    return QueryResult(schema: try await schema, batches: collected, statistics: statistics)
  }

  // MARK: Executions made by `Session.queue`

  /// Starts a queued statement on a thread of its own; does nothing when it is no longer queued.
  public func start() { execution.start() }

  /// Runs a queued statement on the calling thread and hands its rows to `consumer` as they are made.
  ///
  /// - Throws: the statement's error.
  @discardableResult
  public func run(into consumer: any ResultConsumer) throws(QueryError) -> QueryStatistics {
    execution.run(consumer)
    if let error { throw error }
    return statistics
  }

  /// Ends the statement as cancelled in the ledger and removes its unfinished files, without waiting for its threads.
  ///
  /// For a process that ends right after.
  ///
  /// - Returns: nil when the statement has ended by itself.
  package func abandon() -> QueryStatistics? { execution.abandon() }
}

/// How far a statement is.
public struct QueryProgress: Sendable {
  public var state: QueryState
  /// Bytes the plan will scan at most; 0 when not known yet.
  public var bytesPlanned: Int
  public var bytesScanned: Int
  /// Rows handed out or written so far.
  public var rows: Int
  /// What has been scanned so far would be billed as.
  public var dollars: Double
  /// Bytes of all files of the tables, before pruning; 0 when not known yet.
  public var bytesTotal: Int
  /// Bytes that the statement may scan, if there is a limit.
  public var scanLimit: Int?
  /// Bytes that the statement holds, and has written to disk for want of memory.
  public var memoryBytes: Int
  public var spilledBytes: Int
  public var wallMilliseconds: Double
}
