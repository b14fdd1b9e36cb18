import QueryErrors

/// The rows of a running statement as values of a `Decodable` type, in order.
///
///     struct Trip: Decodable { var city: String, fare: Double?, startedAt: SQLTimestamp }   // started_at
///     for try await trip in session.start("SELECT * FROM 'trips/'").rows(as: Trip.self) { … }
///
/// The statement waits while rows are unread; cancelling the task, or letting go of the iterator, stops it.
public struct RowSequence<Row: Decodable>: AsyncSequence {
  public typealias Element = Row
  public typealias Failure = QueryError

  private let execution: QueryExecution

  init(_ execution: QueryExecution) { self.execution = execution }

  public func makeAsyncIterator() -> Iterator { Iterator(execution) }

  public struct Iterator: AsyncIteratorProtocol {
    private let execution: QueryExecution
    private var batches: BatchSequence.Iterator
    private var layout: RowLayout?
    private var batch: Batch?
    private var row = 0

    init(_ execution: QueryExecution) {
      self.execution = execution
      batches = execution.batches.makeAsyncIterator()
    }

    /// The next row, nil at the end.
    ///
    /// - Throws: the statement's error; `TYPE_MISMATCH`, `COLUMN_NOT_FOUND` where a row is none of the type.
    public mutating func next(isolation actor: isolated (any Actor)?) async throws(QueryError) -> Row? {
      while true {
        if let batch, let layout, row < batch.rowCount {
          row += 1
          return try RowDecoder(layout: layout, columns: batch.columns, row: row - 1).decode(Row.self)
        }
        guard let following = try await batches.next(isolation: actor) else { return nil }
        if layout == nil { layout = RowLayout(try await execution.schema) }
        batch = following
        row = 0
      }
    }

    public mutating func next() async throws(QueryError) -> Row? { try await next(isolation: nil) }
  }
}

extension QueryExecution {
  /// The rows as values of a type: columns are found by the names of its properties, `snake_case` included.
  public func rows<Row: Decodable>(as type: Row.Type) -> RowSequence<Row> { RowSequence(self) }
}

extension Session {
  /// Runs a statement and reads its rows as values of a type.
  public func query<Row: Decodable>(_ statement: SQLStatement, rows type: Row.Type) async throws(QueryError) -> [Row] {
    try await run(statement).decoded(rows: type)
  }
}

extension QueryResult {
  /// All rows as values of a type: columns are found by the names of its properties, `snake_case` included.
  public func decoded<Row: Decodable>(rows type: Row.Type) throws(QueryError) -> [Row] {
    let layout = RowLayout(schema)
    var decoded: [Row] = []
    decoded.reserveCapacity(rowCount)
    for batch in batches {
      for row in 0..<batch.rowCount {
        decoded.append(try RowDecoder(layout: layout, columns: batch.columns, row: row).decode(type))
      }
    }
    return decoded
  }
}
