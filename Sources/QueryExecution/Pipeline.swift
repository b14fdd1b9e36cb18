import Columnar
import ObjectStore
import QueryErrors
import Synchronization

/// One thread's place in the running pipeline.
///
/// - Threads: one owner.
final class Worker: @unchecked Sendable {
  let index: Int
  let context: QueryContext
  let control: PipelineControl
  /// Nanoseconds spent in consumers called from the one being measured.
  var nested = 0
  /// Grows with the place of the current morsel in the pipeline's input; order-keeping sinks go by it.
  var sequence = 0

  /// A sequence holds the branch above so many bits, and the morsel below.
  static let morselBits = 40
  /// The number of the current morsel in its source.
  var morsel: Int { sequence & (1 << Worker.morselBits - 1) }

  init(index: Int, context: QueryContext, control: PipelineControl) {
    self.index = index
    self.context = context
    self.control = control
  }
}

/// Takes batches: an operator's per-worker half, or a sink's.
///
/// - Threads: one worker.
class BatchConsumer: @unchecked Sendable {
  let worker: Worker
  let shared: OperatorMetrics
  var metrics = LocalMetrics()

  init(_ worker: Worker, _ shared: OperatorMetrics) {
    self.worker = worker
    self.shared = shared
  }

  /// Hands a batch over, measured.
  final func push(_ batch: Batch) throws(QueryError) {
    if batch.rowCount == 0 { return }
    metrics.rowsIn &+= batch.rowCount
    metrics.batches &+= 1
    let start = monotonicNanoseconds()
    let before = worker.nested
    worker.nested = 0
    try consume(batch)
    let elapsed = monotonicNanoseconds() &- start
    metrics.nanoseconds &+= elapsed &- worker.nested
    worker.nested = before &+ elapsed
  }

  /// Works on a batch of at least one row.
  func consume(_ batch: Batch) throws(QueryError) { preconditionFailure("abstract") }

  /// Hands on what is held back; called at the end of each morsel.
  func flush() throws(QueryError) {}

  /// No more batches will come from this worker.
  func close() throws(QueryError) { publish() }

  /// Adds this worker's counts to the operator's.
  final func publish() {
    shared.add(metrics)
    metrics = LocalMetrics()
  }
}

/// A consumer that hands batches on to the next.
class BatchTransform: BatchConsumer, @unchecked Sendable {
  let next: BatchConsumer

  init(_ worker: Worker, _ shared: OperatorMetrics, next: BatchConsumer) {
    self.next = next
    super.init(worker, shared)
  }

  /// Hands a batch on, unless the query was stopped: a batch taken in may become any number of batches.
  @inline(__always)
  final func emit(_ batch: Batch) throws(QueryError) {
    try worker.context.cancellation.check()
    metrics.rowsOut &+= batch.rowCount
    try next.push(batch)
  }

  override func flush() throws(QueryError) { try next.flush() }

  /// Ends this transform, not the sink behind the chain.
  override func close() throws(QueryError) { publish() }
}

/// An operator that works batch by batch inside a pipeline.
///
/// - Threads: shared; `makeTransform` is called once per worker and branch.
class StreamingOperator: @unchecked Sendable {
  let node: QueryProfile.Node
  var metrics: OperatorMetrics { node.metrics }

  init(_ node: QueryProfile.Node) { self.node = node }

  func makeTransform(_ worker: Worker, next: BatchConsumer) throws(QueryError) -> BatchTransform {
    preconditionFailure("abstract")
  }

  /// Whether it is known when the pipeline starts that no rows will come out.
  var yieldsNothing: Bool { false }
  /// The pipeline's rows are through: memory may go.
  func release() {}
}

/// What a pipeline ends in.
///
/// - Threads: shared; `makeWriter` once per worker, `finish` once after all writers closed.
class SinkOperator: @unchecked Sendable {
  let node: QueryProfile.Node
  var metrics: OperatorMetrics { node.metrics }

  init(_ node: QueryProfile.Node) { self.node = node }

  func makeWriter(_ worker: Worker) throws(QueryError) -> BatchConsumer { preconditionFailure("abstract") }

  /// The pipeline starts; it has at most so many workers.
  func begin(workerCount: Int) {}
  /// Branches start on workers `0 ..< workerCount`; no morsel's sequence will be below `firstSequence`.
  func beginPhase(workerCount: Int, firstSequence: Int) {}
  /// The worker starts a morsel; its `sequence` says which.
  func beginMorsel(_ worker: Worker) throws(QueryError) {}
  /// Called once per batch of the source, on every worker.
  func poll(_ worker: Worker) throws(QueryError) {}
  /// The worker has no more morsels in this phase, with or without an error.
  func endWorker(_ worker: Worker) {}
  /// All writers closed without an error.
  func finish(_ scheduler: Scheduler) throws(QueryError) {}
}

/// Where a pipeline's batches come from: numbered morsels.
///
/// - Threads: `prepare` once, on the query's thread; `open` by any worker, each morsel once.
class MorselSource: @unchecked Sendable {
  let node: QueryProfile.Node
  var metrics: OperatorMetrics { node.metrics }

  init(_ node: QueryProfile.Node) { self.node = node }

  /// Finds out how many morsels there are.
  func prepare(_ scheduler: Scheduler) throws(QueryError) {}
  var morselCount: Int { preconditionFailure("abstract") }
  func open(_ morsel: Int, _ worker: Worker) throws(QueryError) -> any BatchReader { preconditionFailure("abstract") }
  /// All morsels are done: memory may go.
  func release() {}
}

/// One source with the operators its batches pass before they reach the sink.
struct Branch {
  var source: MorselSource
  var operators: [StreamingOperator]
  /// Whether all branches before must be done first (rows of a join that found no partner).
  var startsAfterPrevious = false
  /// The join whose rows on disk these are.
  var spilled: SpilledJoin?
}

/// Sources, the operators behind them, and one sink.
///
///     branch 0: source → operator → operator ┐
///     branch 1: source → operator ───────────┴→ sink
final class Pipeline: Stage, @unchecked Sendable {
  let branches: [Branch]
  let sink: SinkOperator
  /// Whether one worker must do it all, in order.
  let isSequential: Bool

  init(_ branches: [Branch], _ sink: SinkOperator, isSequential: Bool = false) {
    self.branches = branches
    self.sink = sink
    self.isSequential = isSequential
  }

  override func run(_ scheduler: Scheduler) throws(QueryError) {
    let context = scheduler.context
    let control = PipelineControl()
    let workerCount = isSequential ? 1 : context.threads
    let workers = (0..<workerCount).map { Worker(index: $0, context: context, control: control) }
    let writers = WriterSlots(count: workerCount)
    sink.begin(workerCount: workerCount)
    var first = 0
    while first < branches.count {
      var last = first + 1
      while last < branches.count, !branches[last].startsAfterPrevious { last += 1 }
      try runPhase(first..<last, scheduler, control, workers, writers, isLast: last == branches.count)
      first = last
    }
    try control.check()
    for branch in branches { for streaming in branch.operators { streaming.release() } }
    try sink.finish(scheduler)
  }

  /// Runs branches that need not wait for each other.
  private func runPhase(
    _ range: Range<Int>, _ scheduler: Scheduler, _ control: PipelineControl, _ workers: [Worker],
    _ writers: WriterSlots, isLast: Bool
  ) throws(QueryError) {
    var morsels = 0
    var counters: [Counter?] = []
    for index in range {
      if control.isStopped || branches[index].operators.contains(where: \.yieldsNothing) {
        counters.append(nil)
        continue
      }
      let start = monotonicNanoseconds()
      try branches[index].source.prepare(scheduler)
      branches[index].source.metrics.add(nanoseconds: monotonicNanoseconds() - start)
      morsels += branches[index].source.morselCount
      counters.append(Counter())
    }
    let (branches, sink) = (self.branches, self.sink)
    let (frozenCounters, workerCount) = (counters, min(workers.count, max(1, morsels)))
    sink.beginPhase(workerCount: workerCount, firstSequence: range.lowerBound << Worker.morselBits)
    // Writers of workers that an earlier phase started are closed too.
    scheduler.onWorkers(isLast ? max(workerCount, writers.startedCount) : workerCount) { number in
      let worker = workers[number]
      do throws(QueryError) {
        if number < workerCount {
          let writer = try writers.writer(for: worker, sink)
          for index in range {
            guard let counter = frozenCounters[index - range.lowerBound] else { continue }
            try Pipeline.work(worker, branches[index], index, counter, sink, writer)
          }
          try worker.context.memory.check()
        }
      } catch { control.fail(worker.context.memory.explained(error)) }
      if isLast, !control.hasFailed, let writer = writers.started(number) {
        do throws(QueryError) { try writer.close() } catch { control.fail(error) }
      }
      sink.endWorker(worker)
    }
    for index in range where !control.hasFailed { branches[index].source.release() }
    try control.check()
  }

  /// One worker's share of one branch.
  private static func work(
    _ worker: Worker, _ branch: Branch, _ branchIndex: Int, _ counter: Counter, _ sink: SinkOperator,
    _ writer: BatchConsumer
  ) throws(QueryError) {
    let (control, cancellation, memory) = (worker.control, worker.context.cancellation, worker.context.memory)
    let count = branch.source.morselCount
    var chain: BatchConsumer = writer
    var transforms: [BatchTransform] = []
    var isBuilt = false
    var local = LocalMetrics()
    while !control.isStopped {
      let morsel = counter.next()
      if morsel >= count { break }
      if !isBuilt {
        for streaming in branch.operators.reversed() {
          let transform = try streaming.makeTransform(worker, next: chain)
          transforms.append(transform)
          chain = transform
        }
        isBuilt = true
      }
      worker.sequence = (branchIndex << Worker.morselBits) + morsel
      try sink.beginMorsel(worker)
      var start = monotonicNanoseconds()
      let reader = try branch.source.open(morsel, worker)
      while !control.isStopped {
        try cancellation.check()
        let batch = try reader.next()
        let now = monotonicNanoseconds()
        local.nanoseconds &+= now &- start
        MemoryPool.poll(now)
        try memory.check()
        guard let batch else { break }
        local.rowsOut &+= batch.rowCount
        local.batches &+= 1
        try chain.push(batch)
        try sink.poll(worker)
        start = monotonicNanoseconds()
      }
      try chain.flush()
    }
    branch.source.metrics.add(local)
    for transform in transforms.reversed() { try transform.close() }
  }
}

extension PipelineControl {
  /// Whether an error was recorded.
  var hasFailed: Bool {
    do throws(QueryError) {
      try check()
      return false
    } catch { return true }
  }
}

/// The sink's writers, one per worker, made when the worker first needs it.
private final class WriterSlots: @unchecked Sendable {
  private let slots: Mutex<[BatchConsumer?]>

  init(count: Int) { slots = Mutex(Array(repeating: nil, count: count)) }

  func writer(for worker: Worker, _ sink: SinkOperator) throws(QueryError) -> BatchConsumer {
    if let writer = started(worker.index) { return writer }
    let writer = try sink.makeWriter(worker)
    slots.withLock { $0[worker.index] = writer }
    return writer
  }

  func started(_ index: Int) -> BatchConsumer? { slots.withLock { $0[index] } }

  /// One more than the highest worker that has a writer.
  var startedCount: Int { slots.withLock { ($0.lastIndex { $0 != nil } ?? -1) + 1 } }
}
