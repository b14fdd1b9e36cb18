package import QueryErrors
import Synchronization

/// Tells every thread of a query to stop, and why.
///
/// - Threads: any thread may raise it; workers look at it once per batch and once per read (about 1 ns).
package final class CancellationFlag: Sendable {
  private let state = Atomic<UInt8>(0)

  package init() {}

  /// Whether the query has to stop.
  package var isRaised: Bool { state.load(ordering: .relaxed) != 0 }

  /// Stops the query on behalf of its user; the first reason given stays.
  package func cancel() {
    _ = state.compareExchange(expected: 0, desired: 1, ordering: .relaxed)
  }

  /// Stops the query because its time is up; the first reason given stays.
  package func expire() {
    _ = state.compareExchange(expected: 0, desired: 2, ordering: .relaxed)
  }

  /// Lets a flag be used by the next statement.
  package func reset() { state.store(0, ordering: .relaxed) }

  /// Returns when the query may go on.
  ///
  /// - Throws: `USER_CANCELED` or `EXCEEDED_TIME_LIMIT`.
  package func check() throws(QueryError) {
    let value = state.load(ordering: .relaxed)
    if value != 0 { throw CancellationFlag.error(value) }
  }

  private static func error(_ value: UInt8) -> QueryError {
    value == 1
      ? QueryError(.userCanceled, "Query was canceled")
      : QueryError(.exceededTimeLimit, "Query exceeded the maximum run time limit")
  }
}
