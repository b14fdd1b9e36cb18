import Columnar
import ObjectStore
import QueryErrors
import Synchronization

/// Runs the pipelines of a query one after the other, each with all workers.
///
/// - Threads: used by the query's own thread; workers are its pool's.
final class Scheduler: @unchecked Sendable {
  let context: QueryContext
  private let pool: WorkerPool
  /// Workers.
  let threads: Int

  /// - Parameter isInline: whether the caller's thread does all work: for what one worker does for itself.
  init(_ context: QueryContext, isInline: Bool = false) {
    self.context = context
    threads = isInline ? 1 : context.threads
    pool = WorkerPool(context.memory.account)
  }

  /// Ends the worker threads.
  func close() { pool.close() }

  /// Runs stages in order.
  ///
  /// - Throws: the first error of any worker.
  func run(_ stages: [Stage]) throws(QueryError) {
    for stage in stages {
      try context.cancellation.check()
      try stage.run(self)
    }
  }

  /// Calls `body` for `0 ..< count` on all workers; each index once.
  func forEach(
    _ count: Int, _ body: @escaping @Sendable (Int) throws(QueryError) -> Void
  ) throws(QueryError) {
    if count == 0 { return }
    let control = PipelineControl()
    if count == 1 || threads == 1 {
      for index in 0..<count {
        try context.cancellation.check()
        try body(index)
      }
      try context.memory.check()
      return
    }
    let counter = Counter()
    let (cancellation, memory) = (context.cancellation, context.memory)
    pool.run(min(count, threads)) { _ in
      do throws(QueryError) {
        while !control.isStopped {
          let index = counter.next()
          if index >= count { return }
          try cancellation.check()
          try body(index)
          try memory.check()
        }
      } catch { control.fail(memory.explained(error)) }
    }
    try control.check()
  }

  /// Calls `body` for pieces of `0 ..< count` of at most `step` on all workers.
  func forEachRange(
    of count: Int, step: Int, _ body: @escaping @Sendable (Range<Int>) throws(QueryError) -> Void
  ) throws(QueryError) {
    try forEach((count + step - 1) / step) { (task) throws(QueryError) in
      try body(task * step..<min((task + 1) * step, count))
    }
  }

  /// Calls `body` with each worker number.
  func onWorkers(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) { pool.run(count, body) }
}

/// A step of a query: a pipeline, or work between pipelines.
class Stage: @unchecked Sendable {
  func run(_ scheduler: Scheduler) throws(QueryError) { preconditionFailure("abstract") }
}

/// A number that several threads count up.
final class Counter: Sendable {
  private let value = Atomic<Int>(0)

  init() {}

  /// The next number, from 0.
  func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }

  /// Adds and tells the sum before.
  func add(_ amount: Int) -> Int { value.wrappingAdd(amount, ordering: .relaxed).oldValue }

  var current: Int { value.load(ordering: .relaxed) }
}

/// Tells the workers of a pipeline to stop, and keeps the first error.
final class PipelineControl: Sendable {
  private let stopped = Atomic<Bool>(false)
  private let first = Mutex<QueryError?>(nil)

  init() {}

  /// Whether workers have to stop: an error occurred, or no more rows are wanted.
  var isStopped: Bool { stopped.load(ordering: .relaxed) }

  /// No more rows are wanted.
  func stop() { stopped.store(true, ordering: .relaxed) }

  /// Records an error; only the first is kept.
  func fail(_ error: QueryError) {
    first.withLock { if $0 == nil { $0 = error } }
    stop()
  }

  /// - Throws: the first error recorded.
  func check() throws(QueryError) {
    if let error = first.withLock({ $0 }) { throw error }
  }
}
