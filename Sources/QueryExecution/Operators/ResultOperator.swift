import Columnar
import Glibc
import ObjectStore
import QueryErrors

/// Hands the query's batches, as the workers prepared them, to its consumer: on the query's own thread and in the order of the
/// last pipeline's input.
///
/// Workers that run ahead wait when too many rows are held back; the worker with the earliest morsel never waits for
/// others, and the query's own thread never waits for room.
final class ResultOperator: SinkOperator, @unchecked Sendable {
  private let prepare: @Sendable (Batch) -> PreparedBatch
  private var deliver: ((PreparedBatch) throws(QueryError) -> Void)?
  private let lock = ConditionLock()
  private let cancellation: () throws(QueryError) -> Void

  // MARK: Guarded by the lock
  private var held: [Int: [PreparedBatch]] = [:]
  private var heldRows = 0
  private var heldBytes = 0
  /// Per worker the sequence of its morsel; `Int.max` when it has no more.
  private var current: [Int] = []
  private var workerCount = 1

  /// Rows held back before workers wait.
  private static let largestHeldRows = 1 << 17
  /// Bytes held back before workers wait.
  private let largestHeldBytes: Int

  /// Whether too much is held back; the lock is held.
  private var isFull: Bool { heldRows > ResultOperator.largestHeldRows || heldBytes > largestHeldBytes }

  init(
    _ node: QueryProfile.Node, context: QueryContext, prepare: @escaping @Sendable (Batch) -> PreparedBatch,
    deliver: @escaping (PreparedBatch) throws(QueryError) -> Void
  ) {
    self.prepare = prepare
    self.deliver = deliver
    largestHeldBytes = max(8 << 20, context.memory.account.effectiveLimit / 16)
    let flag = context.cancellation
    cancellation = { () throws(QueryError) in try flag.check() }
    super.init(node)
  }

  /// Lets go of the consumer.
  func close() { deliver = nil }

  override func begin(workerCount: Int) {
    self.workerCount = workerCount
    current = Array(repeating: Int.max, count: workerCount)
  }

  override func beginPhase(workerCount: Int, firstSequence: Int) {
    // Workers without a morsel yet may get the earliest; workers that do not take part hold nobody up.
    for index in current.indices { current[index] = index < workerCount ? firstSequence : Int.max }
  }

  override func makeWriter(_ worker: Worker) throws(QueryError) -> BatchConsumer { Writer(worker, metrics, self) }

  override func beginMorsel(_ worker: Worker) throws(QueryError) {
    if workerCount == 1 { return }
    lock.lock()
    current[worker.index] = worker.sequence
    lock.signalAll()
    lock.unlock()
    if worker.index == 0 { try drain(worker, waits: false) }
  }

  override func poll(_ worker: Worker) throws(QueryError) {
    if workerCount > 1, worker.index == 0 { try drain(worker, waits: false) }
  }

  override func endWorker(_ worker: Worker) {
    if workerCount == 1 { return }
    lock.lock()
    current[worker.index] = Int.max
    lock.signalAll()
    lock.unlock()
    if worker.index == 0 {
      do throws(QueryError) { try drainAll(worker) } catch { worker.control.fail(error) }
    }
  }

  override func finish(_ scheduler: Scheduler) throws(QueryError) {
    let rest = held.keys.sorted().flatMap { held[$0]! }
    held = [:]
    for batch in rest { try deliver?(batch) }
  }

  /// Takes a batch from a worker.
  fileprivate func take(_ batch: Batch, _ worker: Worker) throws(QueryError) {
    let prepared = prepare(batch)
    if workerCount == 1 {
      try deliver?(prepared)
      return
    }
    lock.lock()
    held[worker.sequence, default: []].append(prepared)
    heldRows += prepared.rowCount
    heldBytes += prepared.byteCount
    lock.signalAll()
    if worker.index == 0 {
      lock.unlock()
      return try drain(worker, waits: true)
    }
    while isFull, !isEnding(worker) {
      // The earliest worker may go on: what it makes can be delivered at once.
      if worker.sequence == current.min(), held[worker.sequence] == nil { break }
      lock.wait(milliseconds: 50)
      if workerCount == 1 { break }
    }
    lock.unlock()
  }

  /// Whether the pipeline stops or the query is cancelled: nobody waits then.
  private func isEnding(_ worker: Worker) -> Bool {
    worker.control.isStopped || worker.context.cancellation.isRaised
  }

  /// The next batch in order, when it may be delivered already.
  private func popReady() -> PreparedBatch? {
    guard let first = held.keys.min(), first <= current.min() ?? Int.max else { return nil }
    var batches = held[first]!
    let batch = batches.removeFirst()
    held[first] = batches.isEmpty ? nil : batches
    heldRows -= batch.rowCount
    heldBytes -= batch.byteCount
    return batch
  }

  /// Delivers what is ready, on the query's thread.
  ///
  /// - Parameter waits: whether to wait for other workers while too much is held back; not when they all wait for this
  ///   one, whose morsel is the earliest.
  private func drain(_ worker: Worker, waits: Bool) throws(QueryError) {
    while true {
      lock.lock()
      var batch = popReady()
      while batch == nil, waits, isFull, worker.sequence != current.min(),
        !isEnding(worker)
      {
        lock.wait(milliseconds: 50)
        batch = popReady()
      }
      if batch != nil { lock.signalAll() }
      lock.unlock()
      guard let batch else { return }
      try deliver?(batch)
      try cancellation()
    }
  }

  /// Delivers until all other workers are done.
  private func drainAll(_ worker: Worker) throws(QueryError) {
    while true {
      lock.lock()
      var batch = popReady()
      while batch == nil, current.contains(where: { $0 != Int.max }), !worker.control.hasFailed,
        !worker.context.cancellation.isRaised
      {
        lock.wait(milliseconds: 50)
        batch = popReady()
      }
      if batch != nil { lock.signalAll() }
      lock.unlock()
      guard let batch, !worker.control.hasFailed else { return }
      try deliver?(batch)
      try cancellation()
    }
  }

  private final class Writer: BatchConsumer, @unchecked Sendable {
    private let sink: ResultOperator

    init(_ worker: Worker, _ shared: OperatorMetrics, _ sink: ResultOperator) {
      self.sink = sink
      super.init(worker, shared)
    }

    override func consume(_ batch: Batch) throws(QueryError) {
      metrics.rowsOut &+= batch.rowCount
      try sink.take(batch, worker)
    }
  }
}

/// A mutex with a condition.
final class ConditionLock: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  init() {
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    pthread_cond_destroy(condition)
    mutex.deallocate()
    condition.deallocate()
  }

  func lock() { pthread_mutex_lock(mutex) }
  func unlock() { pthread_mutex_unlock(mutex) }
  func signalAll() { pthread_cond_broadcast(condition) }

  /// Waits for a signal, at most so long.
  func wait(milliseconds: Int) {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    let nanoseconds = time.tv_nsec + milliseconds * 1_000_000
    time.tv_sec += nanoseconds / 1_000_000_000
    time.tv_nsec = nanoseconds % 1_000_000_000
    pthread_cond_timedwait(condition, mutex, &time)
  }
}
