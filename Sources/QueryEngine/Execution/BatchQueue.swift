import Glibc
import QueryErrors

/// Hands batches from the thread that runs a statement to an async reader, a few at a time.
///
/// - Threads: `receive` and `finish` on the statement's thread, the rest on any.
final class BatchQueue: ResultConsumer, @unchecked Sendable {
  /// Batches that may wait unread.
  static let capacity = 4

  typealias Answer = Result<Batch?, QueryError>

  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let hasRoom: UnsafeMutablePointer<pthread_cond_t>

  // MARK: Guarded by the mutex
  private var batches: [Batch] = []
  private var ending: Answer?
  private var isAbandoned = false
  private var waiting: [CheckedContinuation<Answer, Never>] = []

  init() {
    mutex = .allocate(capacity: 1)
    hasRoom = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(hasRoom, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    pthread_cond_destroy(hasRoom)
    mutex.deallocate()
    hasRoom.deallocate()
  }

  private func withLock<T>(_ body: () -> T) -> T {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  // MARK: The statement's side

  func begin(_ schema: Schema) throws(QueryError) {}

  /// Hands a batch over, waiting for room.
  ///
  /// - Throws: `USER_CANCELED` when nobody will read it.
  func receive(_ batch: Batch) throws(QueryError) {
    enum Step {
      case hand(CheckedContinuation<Answer, Never>)
      case kept
      case stopped
    }
    let step = withLock { () -> Step in
      while batches.count >= BatchQueue.capacity, ending == nil, !isAbandoned { pthread_cond_wait(hasRoom, mutex) }
      if ending != nil || isAbandoned { return .stopped }
      if !waiting.isEmpty { return .hand(waiting.removeFirst()) }
      batches.append(batch)
      return .kept
    }
    switch step {
    case .hand(let continuation): continuation.resume(returning: .success(batch))
    case .kept: break
    case .stopped: throw QueryError(.userCanceled, "Query was canceled")
    }
  }

  /// No more batches come; those that wait can still be read, unless the statement failed.
  func finish(_ error: QueryError?) {
    let readers = withLock { () -> [CheckedContinuation<Answer, Never>] in
      if ending == nil {
        ending = error.map { .failure($0) } ?? .success(nil)
        if error != nil { batches = [] }
      }
      pthread_cond_broadcast(hasRoom)
      defer { waiting = [] }
      return waiting
    }
    let answer: Answer = error.map { .failure($0) } ?? .success(nil)
    for reader in readers { reader.resume(returning: answer) }
  }

  // MARK: The reader's side

  /// The next batch; nil at the end.
  func next() async -> Answer {
    await withCheckedContinuation { continuation in
      let answer = withLock { () -> Answer? in
        if !batches.isEmpty {
          pthread_cond_signal(hasRoom)
          return .success(batches.removeFirst())
        }
        if let ending { return ending }
        waiting.append(continuation)
        return nil
      }
      if let answer { continuation.resume(returning: answer) }
    }
  }

  /// Whether everything was read.
  var isAtEnd: Bool { withLock { ending != nil && batches.isEmpty } }

  /// Nobody will read any more.
  func readerLeft() {
    withLock {
      isAbandoned = true
      batches = []
      pthread_cond_broadcast(hasRoom)
    }
  }
}
