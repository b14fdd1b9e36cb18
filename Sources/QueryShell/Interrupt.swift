import Glibc
package import QueryEngine
import Synchronization

/// Turns Ctrl-C, and the signals that ask a program to end, into the cancellation of the running statement.
///
/// A thread waits for the signals, so that what it does is not bound to what signal handlers may do. The shell waits for the
/// statement to stop; a program that ends with its statement leaves it behind when it takes longer than a moment. SIGTERM,
/// SIGHUP and SIGQUIT end the shell, too, and so does a second Ctrl-C while a statement is being stopped.
package final class Interrupt: Sendable {
  package static let shared = Interrupt()

  private struct State {
    var execution: QueryExecution?
    /// Whether Ctrl-C was pressed for it before.
    var isStopping = false
    /// Whether Ctrl-C was pressed since `takePress`.
    var wasPressed = false
    /// Whether the program is ending without its statement.
    var isLeaving = false
    /// Called for each signal, where a program takes them itself.
    var action: (@Sendable () -> Void)?
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
    var set = Interrupt.signals()
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

  /// The signals waited for. SIGHUP stays ignored where it was when the program began: `nohup`.
  private static func signals() -> sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for number in [SIGINT, SIGTERM, SIGQUIT] { sigaddset(&set, number) }
    var action = sigaction()
    sigaction(SIGHUP, nil, &action)
    let isIgnored = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    if !isIgnored { sigaddset(&set, SIGHUP) }
    return set
  }

  /// Begins to watch a statement.
  ///
  /// - Parameter report: tells the user that it was cancelled, when the program ends without waiting for it.
  package func watch(_ execution: QueryExecution, report: @escaping @Sendable (QueryStatistics) -> Void) {
    state.withLock { ($0.execution, $0.report, $0.isStopping) = (execution, report, false) }
  }

  /// Whether Ctrl-C was pressed since this was last asked: for what repeats statements.
  package func takePress() -> Bool {
    state.withLock { state in
      defer { state.wasPressed = false }
      return state.wasPressed
    }
  }
  /// Has signals call `action` instead of ending the program: for servers, which end in order.
  package func whenTold(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.action = action } }

  /// Ends watching; does not return when the program is ending without the statement.
  package func unwatch() {
    state.withLock { ($0.execution, $0.report) = (nil, nil) }
    while state.withLock({ $0.isLeaving }) { usleep(1000) }
  }

  private func wait() {
    var set = Interrupt.signals()
    while true {
      var number: Int32 = 0
      guard sigwait(&set, &number) == 0 else { continue }
      if let action = state.withLock({ $0.action }) {
        action()
        continue
      }
      let (execution, report, endsProgram) = state.withLock { state in
        let isSecond = state.isStopping && state.execution != nil
        state.isStopping = true
        state.wasPressed = true
        return (state.execution, state.report, !state.isInteractive || number != SIGINT || isSecond)
      }
      if let execution {
        execution.cancel()
        if endsProgram { leave(execution, report) }
      } else if endsProgram {
        exit(Interrupt.exitCode)
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
