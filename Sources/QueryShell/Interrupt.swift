import Glibc
package import QueryEngine
import Synchronization

/// Turns Ctrl-C into the cancellation of the running statement.
///
/// A thread waits for SIGINT, so that what it does is not bound to what signal handlers may do.
package final class Interrupt: Sendable {
  package static let shared = Interrupt()

  private struct State {
    var monitor: QueryMonitor?
    var isInstalled = false
    var isInteractive = false
  }
  private let state = Mutex(State())

  /// Exit code of a process stopped by Ctrl-C.
  private static let exitCode: Int32 = 130

  private init() {}

  /// Begins to listen. Without a running statement Ctrl-C ends the program, unless it is interactive.
  package func install(isInteractive: Bool) {
    let isFirst = state.withLock { state -> Bool in
      state.isInteractive = isInteractive
      defer { state.isInstalled = true }
      return !state.isInstalled
    }
    guard isFirst else { return }
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    // Threads made from here on inherit the mask; only the waiting thread takes the signal.
    pthread_sigmask(SIG_BLOCK, &set, nil)
    signal(SIGPIPE, SIG_IGN)
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { _ in
        Interrupt.shared.wait()
        return nil
      }, nil)
    pthread_detach(thread)
  }

  package func watch(_ monitor: QueryMonitor?) { state.withLock { $0.monitor = monitor } }

  private func wait() {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    while true {
      var number: Int32 = 0
      guard sigwait(&set, &number) == 0 else { continue }
      let (monitor, isInteractive) = state.withLock { ($0.monitor, $0.isInteractive) }
      if let monitor {
        monitor.cancel()
      } else if !isInteractive {
        exit(Interrupt.exitCode)
      } else {
        LineEditor.interrupt()
      }
    }
  }
}
