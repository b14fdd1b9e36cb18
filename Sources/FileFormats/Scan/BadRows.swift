package import QueryErrors
import Synchronization

/// What happens with rows of text files that cannot be read, and which there were.
///
/// Only values that the query reads are looked at: a broken value of a column that nobody asks for is never met.
///
/// - Threads: shared by all readers of a query.
package final class BadRows: Sendable {
  /// What happens with a row.
  package enum Action: Sendable {
    /// Its broken values are NULL; of a row that has no values at all, all are.
    case null
    /// It is left out.
    case skip
    /// It is left out and kept for `"t$rejects"`.
    case collect
  }

  /// A row that could not be read.
  package struct Row: Sendable {
    /// The relation as FROM names it: `orders`, or a path.
    package var relation: String
    package var database: String
    package var place: DataLocation
    package var message: String
  }

  package let action: Action
  private let limit: Int?
  private let state = Mutex(State())

  private struct State {
    var count = 0
    var first: QueryError?
    var rows: [Row] = []
  }

  /// Rows that are kept at most; more are only counted.
  private static let keptRowLimit = 100_000

  /// - Parameter limit: rows that may be bad; one more fails the query.
  package init(_ action: Action, limit: Int?) {
    self.action = action
    self.limit = limit
  }

  package var count: Int { state.withLock { $0.count } }
  /// What was wrong with the first one.
  package var first: QueryError? { state.withLock { $0.first } }
  /// The rows of `collect`.
  package var rows: [Row] { state.withLock { $0.rows } }

  /// Notes a row.
  ///
  /// - Throws: the error itself, when there are too many.
  func note(_ error: QueryError, _ relation: String, _ database: String) throws(QueryError) {
    let count = state.withLock { state -> Int in
      state.count += 1
      if state.first == nil { state.first = error }
      if action == .collect, state.rows.count < BadRows.keptRowLimit, let place = error.data {
        state.rows.append(Row(relation: relation, database: database, place: place, message: error.message))
      }
      return state.count
    }
    guard let limit, count > limit else { return }
    var failure = error
    failure.mayStartAgain = false
    failure.message = "More than \(limit) bad rows; the last: \(error.message)"
    throw failure
  }

  /// The rows of one relation's files.
  package func scan(of relation: String, in database: String) -> Scan { Scan(rows: self, relation: relation, database: database) }

  /// What a reader is given.
  package struct Scan: Sendable {
    let rows: BadRows
    let relation: String
    let database: String

    var action: Action { rows.action }
    func note(_ error: QueryError) throws(QueryError) { try rows.note(error, relation, database) }
  }
}
