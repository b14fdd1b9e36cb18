import SQLSyntax
import Synchronization
import TableCatalog

/// Names and properties that statements begin with; what USE and SET SESSION change.
///
/// - Threads: any. Nothing here waits for a statement: several of one session may run at once, each with the settings
///   the session had when it was started.
public final class Session: Sendable {
  public let engine: Engine
  private let current: Mutex<SessionSettings>
  let completionCache = CompletionCache()

  init(_ engine: Engine, _ settings: SessionSettings) {
    self.engine = engine
    current = Mutex(settings)
  }

  // MARK: Running statements

  /// Starts a statement on a thread of its own.
  ///
  /// What is wrong with the statement is its execution's error, never thrown here: the execution has an id, a state and
  /// a row in the ledger like any other.
  public func start(_ statement: SQLStatement, _ options: StatementOptions = StatementOptions()) -> QueryExecution {
    let execution = queue(statement, options)
    execution.start()
    return execution
  }

  /// Makes an execution that waits in the state QUEUED for `start()` or `run(into:)`, so that it can be watched first.
  public func queue(_ statement: SQLStatement, _ options: StatementOptions = StatementOptions()) -> QueryExecution {
    QueryExecution(StatementExecution(self, settings, statement, options))
  }

  /// Runs a statement and collects its rows; cancelling the task stops it.
  public func run(
    _ statement: SQLStatement, _ options: StatementOptions = StatementOptions()
  ) async throws(QueryError) -> QueryResult {
    try await start(statement, options).collect()
  }

  /// Runs a statement on the calling thread and hands its rows to `consumer` as they are made.
  @discardableResult
  public func run(
    _ statement: SQLStatement, _ options: StatementOptions = StatementOptions(), into consumer: any ResultConsumer
  ) throws(QueryError) -> QueryStatistics {
    try queue(statement, options).run(into: consumer)
  }

  /// Runs a statement and decodes its rows: a type a column.
  ///
  ///     for (name, count) in try await session.query("SELECT name, count(*) FROM t WHERE day = \(day)", as: (String, Int).self)
  ///
  /// - Throws: `TYPE_MISMATCH` when the number of columns differs or a value is none of its type.
  public func query<each T: ScalarDecodable>(
    _ statement: SQLStatement, as types: (repeat (each T)).Type
  ) async throws(QueryError) -> [(repeat each T)] {
    let result = try await run(statement)
    return try result.decoded(as: types)
  }

  /// A statement in Athena's own SQL, its extensions (`* EXCEPT`, `GROUP BY ALL`, QUALIFY …) expanded.
  ///
  /// Tables and files are looked at for their columns; nothing is run.
  ///
  /// - Throws: what binding the statement's query throws; `NOT_SUPPORTED` for what Athena's SQL cannot say.
  public func rewriteForAthena(_ sql: String) throws(QueryError) -> String {
    try AthenaRewrite.rewrite(StatementExecution(self, settings, SQLStatement(sql), StatementOptions()).makeContext())
  }

  // MARK: Settings

  /// The database that unqualified names are looked up in.
  public var database: String {
    get { settings.database }
    set { change { $0.database = newValue.lowercased() } }
  }

  /// The workgroup that its statements run in.
  public var workgroup: String { settings.defaults.workgroup }

  /// What a statement started now sees.
  var settings: SessionSettings { current.withLock { $0 } }

  /// Changes what statements started from now on see.
  func change(_ body: (inout SessionSettings) -> Void) { current.withLock { body(&$0) } }

  // MARK: Texts

  /// Splits text into statements at `;` outside of quotes and comments.
  ///
  /// - Returns: the statements' texts, and whether the last one ends with `;` (so that a shell can run them).
  public static func split(_ text: String) -> (statements: [String], isComplete: Bool) {
    let result = StatementSplitter.split(text)
    return (result.statements.map(\.text), result.isComplete)
  }

  /// Splits text into statements and says at which line, counted from 1, and column each begins.
  package static func splitWithPlaces(_ text: String) -> [(text: String, start: SourcePosition)] {
    StatementSplitter.split(text).statements.map { ($0.text, $0.range.start) }
  }

}
