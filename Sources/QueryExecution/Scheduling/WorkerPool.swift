import Columnar
import Glibc
import QueryErrors
import Synchronization

/// The threads of one query: made on first use, gone with the pool.
///
/// - Threads: `run` is called by one thread at a time, which works along as number 0.
final class WorkerPool: @unchecked Sendable {
  /// Who pays for what the threads take.
  private let account: MemoryAccount
  private let lock: UnsafeMutablePointer<pthread_mutex_t>
  private let wake: UnsafeMutablePointer<pthread_cond_t>
  private let done: UnsafeMutablePointer<pthread_cond_t>
  private var threads: [pthread_t] = []
  private var body: (@Sendable (Int) -> Void)?
  /// Raised for each round, so that threads know a new one from the one they did.
  private var round = 0
  /// The worker numbers that nobody has taken up yet.
  private var unclaimed = 0..<0
  /// Threads at work on a number.
  private var running = 0
  private var isClosing = false

  /// Bytes of stack per thread; deep expression trees recurse.
  private static let stackSize = 16 << 20

  init(_ account: MemoryAccount) {
    self.account = account
    lock = .allocate(capacity: 1)
    wake = .allocate(capacity: 1)
    done = .allocate(capacity: 1)
    pthread_mutex_init(lock, nil)
    pthread_cond_init(wake, nil)
    pthread_cond_init(done, nil)
  }

  deinit {
    precondition(threads.isEmpty, "close the pool first")
    pthread_mutex_destroy(lock)
    pthread_cond_destroy(wake)
    pthread_cond_destroy(done)
    lock.deallocate()
    wake.deallocate()
    done.deallocate()
  }

  /// Calls `body` once per worker number `0 ..< workerCount`, number 0 on the calling thread, and waits for all.
  ///
  /// Numbers that no thread has taken up when the caller is done with its own are the caller's too, so that little work
  /// does not wait for threads to wake.
  func run(_ workerCount: Int, _ body: @escaping @Sendable (Int) -> Void) {
    if workerCount <= 1 { return body(0) }
    grow(to: workerCount - 1)
    pthread_mutex_lock(lock)
    self.body = body
    unclaimed = 1..<workerCount
    round += 1
    pthread_cond_broadcast(wake)
    pthread_mutex_unlock(lock)
    body(0)
    pthread_mutex_lock(lock)
    while let number = claim() {
      pthread_mutex_unlock(lock)
      body(number)
      pthread_mutex_lock(lock)
    }
    while running > 0 { pthread_cond_wait(done, lock) }
    self.body = nil
    pthread_mutex_unlock(lock)
  }

  /// Takes up a number, if one is left; the lock is held.
  private func claim() -> Int? { unclaimed.popFirst() }

  /// Ends the threads; the pool can be used again.
  func close() {
    pthread_mutex_lock(lock)
    isClosing = true
    pthread_cond_broadcast(wake)
    pthread_mutex_unlock(lock)
    for thread in threads { pthread_join(thread, nil) }
    threads = []
    isClosing = false
  }

  private func grow(to count: Int) {
    while threads.count < count {
      let attributes = UnsafeMutablePointer<pthread_attr_t>.allocate(capacity: 1)
      defer { attributes.deallocate() }
      pthread_attr_init(attributes)
      pthread_attr_setstacksize(attributes, WorkerPool.stackSize)
      let start = Start(pool: self, round: round)
      var thread: pthread_t = 0
      let argument = Unmanaged.passRetained(start)
      let result = pthread_create(
        &thread, attributes,
        { argument in
          let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
          start.pool.work(after: start.round)
          return nil
        }, argument.toOpaque())
      pthread_attr_destroy(attributes)
      if result != 0 {
        argument.release()
        return
      }
      threads.append(thread)
    }
  }

  private final class Start: @unchecked Sendable {
    let pool: WorkerPool
    let round: Int
    init(pool: WorkerPool, round: Int) {
      self.pool = pool
      self.round = round
    }
  }

  /// What each thread does until the pool closes, from the round after this one on.
  private func work(after firstRound: Int) {
    var seen = firstRound
    MemoryAccount.bind(account)
    defer { MemoryAccount.bind(nil) }
    while true {
      pthread_mutex_lock(lock)
      while round == seen, !isClosing { pthread_cond_wait(wake, lock) }
      if isClosing {
        pthread_mutex_unlock(lock)
        return
      }
      seen = round
      while let number = claim(), let body {
        running += 1
        pthread_mutex_unlock(lock)
        body(number)
        pthread_mutex_lock(lock)
        running -= 1
        if running == 0 { pthread_cond_signal(done) }
      }
      pthread_mutex_unlock(lock)
    }
  }
}
