package import QueryErrors
import Synchronization

/// The bytes a query may hold, and how many it holds.
///
/// Operators reserve what their states take, at least once per batch; spilling will hook in where `add` throws today.
///
/// - Units: bytes.
/// - Threads: shared by all workers of a query.
package final class MemoryBudget: Sendable {
  /// The most bytes, or nil for no limit.
  package let limit: Int?
  private let usedBytes = Atomic<Int>(0)
  private let peakBytes = Atomic<Int>(0)

  package init(limit: Int? = nil) { self.limit = limit }

  /// Bytes held now.
  package var used: Int { usedBytes.load(ordering: .relaxed) }
  /// The most bytes held at once.
  package var peak: Int { peakBytes.load(ordering: .relaxed) }

  /// Counts bytes that were, or are about to be, taken.
  ///
  /// - Throws: `EXCEEDED_LOCAL_MEMORY_LIMIT` when the limit is passed.
  package func add(_ byteCount: Int) throws(QueryError) {
    let now = usedBytes.wrappingAdd(byteCount, ordering: .relaxed).newValue
    if byteCount > 0 {
      peakBytes.max(now, ordering: .relaxed)
      if let limit, now > limit { throw MemoryBudget.exceeded(limit) }
    }
  }

  /// Counts bytes given back.
  package func release(_ byteCount: Int) { usedBytes.wrappingSubtract(byteCount, ordering: .relaxed) }

  private static func exceeded(_ limit: Int) -> QueryError {
    QueryError(
      .exceededLocalMemoryLimit, "Query exceeded per-node memory limit of \(ByteCountText.text(limit))",
      hint: "Read fewer columns, filter earlier, or raise the memory limit.")
  }
}

/// What one state holds of a budget; gives it back when it goes away.
///
/// - Threads: one owner at a time.
final class MemoryReservation: @unchecked Sendable {
  private let budget: MemoryBudget
  private(set) var byteCount = 0

  init(_ budget: MemoryBudget) { self.budget = budget }

  deinit { budget.release(byteCount) }

  /// The state now holds so many bytes.
  func set(_ byteCount: Int) throws(QueryError) {
    let change = byteCount - self.byteCount
    if change == 0 { return }
    self.byteCount = byteCount
    try budget.add(change)
  }

  /// The state holds so many bytes more.
  func grow(_ byteCount: Int) throws(QueryError) { try set(self.byteCount + byteCount) }
}

/// Byte counts as Trino prints them: `512MB`, `1.50GB`.
package enum ByteCountText {
  /// - Source: airlift `DataSize.toString`.
  package static func text(_ byteCount: Int) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"]
    var value = Double(byteCount)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    if value == value.rounded() { return "\(Int(value))\(units[unit])" }
    let hundredths = Int((value * 100).rounded())
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)\(units[unit])"
  }
}
