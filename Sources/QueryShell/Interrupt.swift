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
    var execution: QueryExecution?
    /// Whether the program is ending without its statement.
    var isLeaving = false
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
  package func watch(_ execution: QueryExecution, report: @escaping @Sendable (QueryStatistics) -> Void) {
    state.withLock { ($0.execution, $0.report) = (execution, report) }
  }

  /// Ends watching; does not return when the program is ending without the statement.
  package func unwatch() {
    state.withLock { ($0.execution, $0.report) = (nil, nil) }
    while state.withLock({ $0.isLeaving }) { usleep(1000) }
  }

  private func wait() {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGINT)
    while true {
      var number: Int32 = 0
      guard sigwait(&set, &number) == 0 else { continue }
      let (execution, report, isInteractive) = state.withLock { ($0.execution, $0.report, $0.isInteractive) }
      if let execution {
        execution.cancel()
        if !isInteractive { leave(execution, report) }
      } else if !isInteractive {
        exit(Interrupt.exitCode)
      } else {
        LineEditor.interrupt()
      }
    }
  }

  /// Gives a cancelled statement a moment to stop by itself, then ends the program without it.
  private func leave(_ execution: QueryExecution, _ report: (@Sendable (QueryStatistics) -> Void)?) {
    usleep(Interrupt.graceMicroseconds)
    // The main thread does not return from its statement until it is known who ends the program.
    let isWatched = state.withLock { state -> Bool in
      guard state.execution != nil else { return false }
      state.isLeaving = true
      return true
    }
    guard isWatched else { return }
    if let statistics = execution.abandon() {
      report?(statistics)
      ProcessExit.leavingMemory(code: Interrupt.exitCode)
    }
    // It has ended by itself meanwhile: the main thread says how.
    state.withLock { $0.isLeaving = false }
  }
}
