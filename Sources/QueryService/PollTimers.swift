import NIOCore
import NIOPosix
import Synchronization

/// Holds answers back until a query ends or a time has passed, without a thread for each.
final class PollTimers: Sendable {
  private let parts = Mutex<(loop: any EventLoop, workers: NIOThreadPool)?>(nil)

  /// Takes the server's threads; called once, before any wait.
  func begin(_ server: HTTPServer) { parts.withLock { $0 = (server.timerLoop, server.workers) } }

  /// Calls `body` once, on a thread that may block: when `ready` calls what it is given, or after a time.
  func wait(milliseconds: Int, until ready: (@escaping @Sendable () -> Void) -> Void, _ body: @escaping @Sendable () -> Void) {
    guard let (loop, workers) = parts.withLock({ $0 }) else { return body() }
    let once = Once { workers.submit { if $0 == .active { body() } } }
    let timer = loop.scheduleTask(in: .milliseconds(Int64(milliseconds))) { once.run() }
    ready {
      timer.cancel()
      once.run()
    }
  }

  /// Runs its body the first time only.
  private final class Once: Sendable {
    private let isDone = Atomic<Bool>(false)
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func run() { if !isDone.exchange(true, ordering: .acquiringAndReleasing) { body() } }
  }
}
