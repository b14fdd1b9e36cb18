import CKernels
import Glibc
import ObjectStore
import SQLFunctions
import SQLSyntax
import Synchronization
import TableCatalog

/// Runs SQL statements: what the command line, the shell and embedding programs all use.
///
///     let session = try Session()
///     let result = try await session.run("SELECT count(*) FROM 'sales/'")
///
/// - Threads: may be shared; statements of one session run one after the other.
public final class Session: Sendable {
  private let state: Mutex<SessionState>

  /// - Throws: `INVALID_SESSION_PROPERTY` for an unknown time zone.
  public init(_ configuration: SessionConfiguration = SessionConfiguration()) throws(QueryError) {
    ck_tune_allocator()
    state = Mutex(try SessionState(configuration))
  }

  /// Runs one statement on the calling thread and hands its rows to `consumer` as they are made.
  ///
  /// - Parameter parameters: what stands for each `?`, as SQL expressions (`5`, `'text'`, `DATE '2024-01-01'`).
  /// - Throws: what went wrong; the ledger records it too.
  @discardableResult
  public func execute(
    _ sql: String, parameters: [String] = [], monitor: QueryMonitor? = nil, consumer: any ResultConsumer
  ) throws(QueryError) -> QueryStatistics {
    let outcome = executeReporting(sql, parameters: parameters, monitor: monitor, consumer: consumer)
    if let error = outcome.error { throw error }
    return outcome.statistics
  }

  /// Like `execute`, with the statistics of failed statements too.
  public func executeReporting(
    _ sql: String, parameters: [String] = [], monitor: QueryMonitor? = nil, consumer: any ResultConsumer
  ) -> (statistics: QueryStatistics, error: QueryError?) {
    let work = UncheckedBox((consumer, monitor))
    return state.withLock { state in
      let (consumer, monitor) = work.value
      let run = StatementRun(
        state, sql: sql, parameters: parameters, monitor: monitor ?? QueryMonitor(state.configuration))
      return run.run(consumer)
    }
  }

  /// Runs one statement on a thread of its own and collects its rows; cancelling the task stops it.
  public func run(_ sql: String, parameters: [String] = []) async throws(QueryError) -> QueryResult {
    let monitor = QueryMonitor()
    let outcome: Result<QueryResult, QueryError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        DetachedThread.run {
          let collector = ResultCollector()
          let (statistics, error) = self.executeReporting(
            sql, parameters: parameters, monitor: monitor, consumer: collector)
          if let error {
            continuation.resume(returning: .failure(error))
          } else {
            continuation.resume(
              returning: .success(
                QueryResult(schema: collector.schema, batches: collector.batches, statistics: statistics)))
          }
        }
      }
    } onCancel: {
      monitor.cancel()
    }
    return try outcome.get()
  }

  /// Runs one statement on a thread of its own and yields its batches as they are made.
  ///
  /// The producer waits while `bufferedBatchCount` batches are unread; dropping the sequence stops the statement.
  public func stream(_ sql: String, parameters: [String] = []) -> BatchSequence {
    BatchSequence(self, sql, parameters)
  }

  /// A statement in Athena's own SQL, its extensions (`* EXCEPT`, `GROUP BY ALL`, QUALIFY …) expanded.
  ///
  /// Tables and files are looked at for their columns; nothing is run.
  ///
  /// - Throws: what binding the statement's query throws; `NOT_SUPPORTED` for what Athena's SQL cannot say.
  public func rewriteForAthena(_ sql: String) throws(QueryError) -> String {
    let outcome: Result<String, QueryError> = state.withLock { state in
      let run = StatementRun(state, sql: sql, parameters: [], monitor: QueryMonitor(state.configuration))
      do throws(QueryError) { return .success(try run.rewriteForAthena()) } catch { return .failure(error) }
    }
    return try outcome.get()
  }

  /// The database that unqualified names are looked up in.
  public var database: String {
    get { state.withLock { $0.database } }
    set { state.withLock { $0.database = newValue } }
  }

  /// Names for completion: databases, and tables and views with their columns.
  public func completionNames() -> [String] { state.withLock { $0.completionNames() } }

  /// Splits text into statements at `;` outside of quotes and comments.
  ///
  /// - Returns: the statements' texts, and whether the last one ends with `;` (so that a shell can run them).
  public static func split(_ text: String) -> (statements: [String], isComplete: Bool) {
    let result = StatementSplitter.split(text)
    return (result.statements.map(\.text), result.isComplete)
  }

  /// Words that begin or continue statements, for completion.
  public static var keywords: [String] { Keyword.allCases.map { $0.rawValue } }

  /// Names of all functions.
  public static var functionNames: [String] { FunctionRegistry.names }
}

/// Carries a value across an isolation boundary that the surrounding code guards.
struct UncheckedBox<Value>: @unchecked Sendable {
  let value: Value
  init(_ value: Value) { self.value = value }
}

/// Runs work on a thread of its own: queries block, so they stay off the cooperative pool.
enum DetachedThread {
  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// Room for deep syntax trees.
  private static let stackByteCount = 16 << 20

  static func run(_ body: @escaping @Sendable () -> Void) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, stackByteCount)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let work = Unmanaged.passRetained(Work(body))
    let status = pthread_create(
      &thread, &attributes,
      { argument in
        Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().body()
        return nil
      }, work.toOpaque())
    pthread_attr_destroy(&attributes)
    if status != 0 {
      work.release()
      body()
    }
  }
}
