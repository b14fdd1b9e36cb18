import Glibc
import QueryEngine
import Synchronization

/// Cancels a statement that runs longer than two seconds; libFuzzer's `-timeout` finds those which do not end then.
final class Watchdog: Sendable {
  private let watched = Mutex<(execution: QueryExecution?, number: Int)>((nil, 0))

  init() {
    let own = Unmanaged.passRetained(self)
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<Watchdog>.fromOpaque(argument!).takeUnretainedValue().loop()
      }, own.toOpaque())
  }

  func watch(_ execution: QueryExecution) { watched.withLock { $0 = (execution, $0.number + 1) } }
  func rest() { watched.withLock { $0.execution = nil } }

  private func loop() -> Never {
    var seen = 0
    while true {
      sleep(2)
      let now = watched.withLock { $0 }
      if now.number == seen { now.execution?.cancel() }
      seen = now.number
    }
  }
}
