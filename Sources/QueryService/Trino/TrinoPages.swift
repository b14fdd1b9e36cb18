import Columnar
import Glibc
import QueryEngine
import QueryErrors
import Synchronization

/// A query's batches on their way to a client that comes for them page by page: the query waits while several are unread.
///
/// - Threads: `begin` and `receive` on the query's thread, the rest on any.
final class TrinoPages: ResultConsumer, @unchecked Sendable {
  /// Batches that may wait unread.
  private static let capacity = 4

  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let hasRoom = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  // MARK: Guarded by the lock
  private var columns: Schema?
  private var batches: [Batch] = []
  private var isEnded = false
  private var isAbandoned = false
  private var waiting: (@Sendable () -> Void)?

  init() {
    pthread_mutex_init(lock, nil)
    pthread_cond_init(hasRoom, nil)
  }

  deinit {
    pthread_mutex_destroy(lock)
    pthread_cond_destroy(hasRoom)
    lock.deallocate()
    hasRoom.deallocate()
  }

  private func withLock<T>(_ body: () -> T) -> T {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return body()
  }

  // MARK: The query's side

  func begin(_ schema: Schema) throws(QueryError) {
    withLock { columns = schema }
    wake()
  }

  func receive(_ batch: Batch) throws(QueryError) {
    let isKept = withLock { () -> Bool in
      while batches.count >= TrinoPages.capacity, !isAbandoned { pthread_cond_wait(hasRoom, lock) }
      if !isAbandoned { batches.append(batch) }
      return !isAbandoned
    }
    guard isKept else { throw QueryError(.userCanceled, "Query was canceled") }
    wake()
  }

  /// No more batches come.
  func end() {
    withLock { isEnded = true }
    wake()
  }

  private func wake() {
    let action = withLock { () -> (@Sendable () -> Void)? in
      defer { waiting = nil }
      return waiting
    }
    action?()
  }

  // MARK: The client's side

  /// Calls `action` once there is something to hand out; at once when there is.
  func whenReady(_ action: @escaping @Sendable () -> Void) {
    let isReady = withLock { () -> Bool in
      if !batches.isEmpty || isEnded { return true }
      waiting = action
      return false
    }
    if isReady { action() }
  }

  /// What there is: the columns once they are known, batches that are taken, and whether none come any more.
  func take(maximumRows: Int) -> (columns: Schema?, batches: [Batch], isEnded: Bool) {
    withLock {
      var taken: [Batch] = []
      var rows = 0
      while let batch = batches.first, taken.isEmpty || rows + batch.rowCount <= maximumRows {
        taken.append(batch)
        rows += batch.rowCount
        batches.removeFirst()
      }
      pthread_cond_broadcast(hasRoom)
      return (columns, taken, isEnded && batches.isEmpty)
    }
  }

  /// Nobody will come any more.
  func abandon() {
    withLock {
      isAbandoned = true
      batches = []
      pthread_cond_broadcast(hasRoom)
    }
  }
}
