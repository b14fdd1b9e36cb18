import Glibc
import ObjectStore
import Synchronization

/// Stops a query when its time is up.
final class RunTimeLimit: Sendable {
  private let isLifted = Atomic<Bool>(false)

  /// Starts the clock.
  init(seconds: Int, _ flag: CancellationFlag) {
    let end = StatementClock.now(CLOCK_MONOTONIC) + seconds * 1_000_000_000
    StatementThread.run { [self] in
      while !isLifted.load(ordering: .relaxed) {
        if StatementClock.now(CLOCK_MONOTONIC) >= end { return flag.expire() }
        usleep(50_000)
      }
    }
  }

  /// The query has ended in time.
  func lift() { isLifted.store(true, ordering: .relaxed) }
}
