import Glibc
package import QueryEngine
import Synchronization

/// Turns Ctrl-C into the cancellation of the running statement.
///
/// A thread waits for SIGINT, so that what it does is not bound to what signal handlers may do. The shell waits for the
/// statement to stop; a program that ends with its statement leaves it behind when it takes longer than a moment.
package final class Interrupt: Sendable {
  package static let shared = Interrupt()

  private struct State {
    var monitor: QueryMonitor?
    var report: (@Sendable (QueryStatistics) -> Void)?
    var isInstalled = false
    var isInteractive = false
  }
  private let state = Mutex(State())

  /// Exit code of a process stopped by Ctrl-C.
  package static let exitCode: Int32 = 130

  /// How long a cancelled statement has to stop by itself before the program ends without it.
  private static let graceMicroseconds: UInt32 = 10_000

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

  /// Begins to watch a statement.
  ///
  /// - Parameter report: tells the user that it was cancelled, when the program ends without waiting for it.
  package func watch(_ monitor: QueryMonitor, report: @escaping @Sendable (QueryStatistics) -> Void) {
    state.withLock { ($0.monitor, $0.report) = (monitor, report) }
  }

  /// Ends watching.
  package func unwatch() { state.withLock { ($0.monitor, $0.report) = (nil, nil) } }

  private func wait() {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    while true {
      var number: Int32 = 0
      guard sigwait(&set, &number) == 0 else { continue }
      let (monitor, report, isInteractive) = state.withLock { ($0.monitor, $0.report, $0.isInteractive) }
      if let monitor {
        monitor.cancel()
        if !isInteractive {
          usleep(Interrupt.graceMicroseconds)
          if let statistics = monitor.abandon() {
            report?(statistics)
            ProcessExit.leavingMemory(code: Interrupt.exitCode)
          }
        }
      } else if !isInteractive {
        exit(Interrupt.exitCode)
      } else {
        LineEditor.interrupt()
      }
    }
  }
}
