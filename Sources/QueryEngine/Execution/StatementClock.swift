import Glibc

/// When a statement began, by both clocks.
struct StatementClock: Sendable {
  /// Microseconds since 1970-01-01 UTC.
  let startMicros: Int64
  private let startNanoseconds: Int

  init() {
    startMicros = Int64(StatementClock.now(CLOCK_REALTIME) / 1000)
    startNanoseconds = StatementClock.now(CLOCK_MONOTONIC)
  }

  var elapsedMilliseconds: Double { Double(StatementClock.now(CLOCK_MONOTONIC) - startNanoseconds) / 1e6 }

  /// Nanoseconds of a clock.
  static func now(_ id: clockid_t) -> Int {
    var time = timespec()
    clock_gettime(id, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}
