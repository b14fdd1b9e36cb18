import Glibc
import Synchronization

/// The batches of a running statement, in order.
public struct BatchSequence: AsyncSequence, Sendable {
  public typealias Element = Batch
  public typealias Failure = any Error

  private let session: Session
  private let sql: String
  private let parameters: [String]

  init(_ session: Session, _ sql: String, _ parameters: [String]) {
    self.session = session
    self.sql = sql
    self.parameters = parameters
  }

  public func makeAsyncIterator() -> Iterator { Iterator(BatchChannel.start(session, sql, parameters)) }

  public struct Iterator: AsyncIteratorProtocol {
    private let channel: BatchChannel.Reader
    init(_ channel: BatchChannel) { self.channel = BatchChannel.Reader(channel) }

    /// The next batch, nil at the end.
    ///
    /// - Throws: the statement's `QueryError`.
    public mutating func next() async throws -> Batch? { try await channel.channel.next() }
  }
}

/// Hands batches from the statement's thread to an async reader, a few at a time.
final class BatchChannel: ResultConsumer, @unchecked Sendable {
  /// Batches that may wait unread.
  static let bufferedBatchCount = 4

  /// Stops the statement when the last iterator is gone.
  final class Reader: Sendable {
    let channel: BatchChannel
    init(_ channel: BatchChannel) { self.channel = channel }
    deinit { channel.abandon() }
  }

  private struct State {
    var batches: [Batch] = []
    var error: QueryError?
    var isFinished = false
    var isAbandoned = false
    var waiting: CheckedContinuation<Batch?, any Error>?
  }

  private let state = Mutex(State())
  private let monitor = QueryMonitor()
  private let room: UnsafeMutablePointer<sem_t>

  private init() {
    room = .allocate(capacity: 1)
    sem_init(room, 0, UInt32(BatchChannel.bufferedBatchCount))
  }

  deinit {
    sem_destroy(room)
    room.deallocate()
  }

  static func start(_ session: Session, _ sql: String, _ parameters: [String]) -> BatchChannel {
    let channel = BatchChannel()
    DetachedThread.run {
      let (_, error) = session.executeReporting(
        sql, parameters: parameters, monitor: channel.monitor, consumer: channel)
      channel.finish(error)
    }
    return channel
  }

  func begin(_ schema: Schema) throws(QueryError) {}

  func receive(_ batch: Batch) throws(QueryError) {
    sem_wait(room)
    let waiting: CheckedContinuation<Batch?, any Error>? = state.withLock { state in
      if let waiting = state.waiting {
        state.waiting = nil
        return waiting
      }
      if !state.isAbandoned { state.batches.append(batch) }
      return nil
    }
    if let waiting {
      sem_post(room)
      waiting.resume(returning: batch)
    }
  }

  private func finish(_ error: QueryError?) {
    let waiting: CheckedContinuation<Batch?, any Error>? = state.withLock { state in
      state.isFinished = true
      state.error = error
      defer { state.waiting = nil }
      return state.waiting
    }
    if let error { waiting?.resume(throwing: error) } else { waiting?.resume(returning: nil) }
  }

  func next() async throws -> Batch? {
    try await withCheckedThrowingContinuation { continuation in
      enum Step {
        case batch(Batch)
        case end
        case fail(QueryError)
        case wait
      }
      let step: Step = state.withLock { state in
        if !state.batches.isEmpty { return .batch(state.batches.removeFirst()) }
        if let error = state.error { return .fail(error) }
        if state.isFinished { return .end }
        state.waiting = continuation
        return .wait
      }
      switch step {
      case .batch(let batch):
        sem_post(room)
        continuation.resume(returning: batch)
      case .end: continuation.resume(returning: nil)
      case .fail(let error): continuation.resume(throwing: error)
      case .wait: break
      }
    }
  }

  private func abandon() {
    monitor.cancel()
    state.withLock { state in
      state.isAbandoned = true
      state.batches = []
    }
    for _ in 0...BatchChannel.bufferedBatchCount { sem_post(room) }
  }
}
