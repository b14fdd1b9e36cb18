import Columnar
import Synchronization

/// What a footer's chunks tell of columns as tables declare them, put together once.
///
/// The optimizer asks for the same columns again and again while it compares plans.
final class ParquetColumnFacts: Sendable {
  /// A column, and whether the table finds it by its place.
  struct Key: Hashable {
    var column: ScanColumn
    var matchesByPosition: Bool
  }
  private struct State {
    var statistics: [Key: ColumnStatistics?] = [:]
    var bounds: [Key: [ClosedRange<Int64>?]?] = [:]
  }
  private let state = Mutex(State())

  func statistics(_ key: Key, _ make: () -> ColumnStatistics?) -> ColumnStatistics? {
    if let known = state.withLock({ $0.statistics[key] }) { return known }
    let made = make()
    state.withLock { $0.statistics[key] = .some(made) }
    return made
  }

  func bounds(_ key: Key, _ make: () -> [ClosedRange<Int64>?]?) -> [ClosedRange<Int64>?]? {
    if let known = state.withLock({ $0.bounds[key] }) { return known }
    let made = make()
    state.withLock { $0.bounds[key] = .some(made) }
    return made
  }
}
