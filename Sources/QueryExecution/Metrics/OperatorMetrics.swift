import FileFormats
import Glibc
import Synchronization

/// What one operator did, over all workers.
///
/// - Units: `nanoseconds` of work summed over workers, without the operators below and above.
/// - Threads: workers keep their own counts and add them here when they close.
package final class OperatorMetrics: Sendable {
  private let rowsInCount = Atomic<Int>(0)
  private let rowsOutCount = Atomic<Int>(0)
  private let batchCount = Atomic<Int>(0)
  private let nanosecondCount = Atomic<Int>(0)
  private let byteHighMark = Atomic<Int>(0)
  private let spilledCount = Atomic<Int>(0)

  package init() {}

  package var rowsIn: Int { rowsInCount.load(ordering: .relaxed) }
  package var rowsOut: Int { rowsOutCount.load(ordering: .relaxed) }
  package var batches: Int { batchCount.load(ordering: .relaxed) }
  package var nanoseconds: Int { nanosecondCount.load(ordering: .relaxed) }
  /// The most bytes of state held at once.
  package var stateBytes: Int { byteHighMark.load(ordering: .relaxed) }

  func add(_ local: LocalMetrics) {
    rowsInCount.wrappingAdd(local.rowsIn, ordering: .relaxed)
    rowsOutCount.wrappingAdd(local.rowsOut, ordering: .relaxed)
    batchCount.wrappingAdd(local.batches, ordering: .relaxed)
    nanosecondCount.wrappingAdd(local.nanoseconds, ordering: .relaxed)
  }

  func add(nanoseconds: Int) { nanosecondCount.wrappingAdd(nanoseconds, ordering: .relaxed) }
  /// Bytes written to disk for want of memory.
  package var spilledBytes: Int { spilledCount.load(ordering: .relaxed) }

  func addSpilled(_ byteCount: Int) { spilledCount.wrappingAdd(byteCount, ordering: .relaxed) }
  func note(stateBytes: Int) { byteHighMark.max(stateBytes, ordering: .relaxed) }
}

/// One worker's counts for one operator.
struct LocalMetrics {
  var rowsIn = 0
  var rowsOut = 0
  var batches = 0
  var nanoseconds = 0
}

/// Nanoseconds of a clock that only goes forward.
@inline(__always)
func monotonicNanoseconds() -> Int {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return time.tv_sec &* 1_000_000_000 &+ time.tv_nsec
}
