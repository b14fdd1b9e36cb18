import Columnar
import Glibc
import ObjectStore
import QueryErrors

/// Drives the joining of one partition on disk: makes a table of its build rows, yields its probe rows, and goes on with partitions
/// of the partition where the build rows do not fit.
///
/// Build rows that cannot be told apart by their hash (one giant key) are taken in pieces that fit, and the probe rows pass each.
final class SpilledJoinReader: BatchReader {
  private let spilled: SpilledJoin
  private let builder: JoinBuilder
  private let outcome: JoinOutcome
  private let hasNullKeys: Bool
  private let transform: SpilledJoinOperator.Transform
  private let context: QueryContext
  private let consumer: MemoryConsumer
  private let isForced: Bool
  private var stack: [Task]
  private var probe: (any BatchReader)?
  private var passes: Passes?

  /// Rows of both sides that have these bits of the hash in common.
  private struct Task {
    var build: RowRuns
    var probe: RowRuns
    var bits: UInt64
    /// Whether partitioning would not part the build rows.
    var isGiant = false
  }

  /// Several passes of the probe rows past pieces of the build rows.
  private struct Passes {
    var pieces: any BatchReader
    var left: Batch?
    var probe: RowRuns
    var notes: Buffer?
    var isDone = false
  }

  private static let largestBits: UInt64 = 40
  private static let smallByteCount = 2 << 20

  init(
    _ spilled: SpilledJoin, _ builder: JoinBuilder, _ outcome: JoinOutcome, hasNullKeys: Bool,
    _ transform: SpilledJoinOperator.Transform, build: RowRuns, probe: RowRuns
  ) {
    self.spilled = spilled
    self.builder = builder
    self.outcome = outcome
    self.hasNullKeys = hasNullKeys
    self.transform = transform
    context = spilled.context
    consumer = spilled.consumer
    isForced = spilled.context.testing.spillsRows
    stack = [
      Task(build: build, probe: probe, bits: JoinPartitioner.bits, isGiant: spilled.keys.layout.collides)
    ]
  }

  func next() throws(QueryError) -> Batch? {
    while true {
      if let batch = try probe?.next() { return batch }
      if probe != nil {
        probe = nil
        try transform.end()
      }
      if try beginPass() { continue }
      guard let task = stack.popLast() else { return nil }
      try begin(task)
    }
  }

  /// Whether the build rows alone, or the probe rows alone, yield nothing.
  private func yieldsNothing(_ task: Task) -> Bool {
    if task.build.isEmpty, task.probe.isEmpty { return true }
    switch outcome {
    case .inner, .semi: return task.build.isEmpty || task.probe.isEmpty
    case .probeOuter, .anti, .mark: return task.probe.isEmpty
    case .buildOuter, .buildSemi, .buildAnti: return task.build.isEmpty
    case .fullOuter: return false
    }
  }

  /// Bytes of build rows that this worker may make a table of.
  private var share: Int {
    if isForced { return 0 }
    return max(SpilledJoinReader.smallByteCount, consumer.budget.room / context.threads)
  }

  private func begin(_ task: Task) throws(QueryError) {
    if yieldsNothing(task) { return }
    // Twice: rows read back stay until the last of their columns has been put together.
    let bytes = builder.byteCount(rowCount: task.build.rowCount, columns: (task.build.storedBytes + task.build.heldBytes) * 2)
    let isSmall = isForced ? task.build.rowCount <= 64 : bytes <= share && task.build.rowCount < 1 << 30
    if isSmall {
      let collected = CollectedBatches()
      var batches: [Batch] = []
      let reader = task.build.consumingReader()
      while let batch = try reader.next() { batches.append(batch) }
      collected.set(batches)
      batches = []
      try transform.begin(try make(collected), notes: nil, isFinalPass: false)
      probe = SlicingStream(task.probe.consumingReader(), batchSize: context.batchSize)
    } else if task.isGiant || task.bits >= SpilledJoinReader.largestBits {
      var notes: Buffer?
      switch outcome {
      case .probeOuter, .fullOuter, .semi, .anti, .mark: notes = .zeroed(byteCount: task.probe.rowCount)
      case .inner, .buildOuter, .buildSemi, .buildAnti: break
      }
      passes = Passes(pieces: task.build.consumingReader(), left: nil, probe: task.probe, notes: notes)
    } else {
      try split(task)
    }
  }

  private func make(_ collected: CollectedBatches) throws(QueryError) -> JoinBuild {
    let build = JoinBuild()
    try builder.make(build, collected, Scheduler(context, isInline: true), publishes: false)
    build.hasOtherNullKeys = hasNullKeys
    return build
  }

  // MARK: Partitions of partitions

  private func split(_ task: Task) throws(QueryError) {
    let whole = task.build.rowCount
    let build = try partitioned(task.build, spilled.buildKeys, task.bits)
    let probe = try partitioned(task.probe, spilled.probeKeys, task.bits)
    for (build, probe) in zip(build, probe).reversed() {
      // Hardly parted: the rows have one key, or so it seems.
      let isGiant = build.rowCount > whole / 8 * 7
      stack.append(Task(build: build, probe: probe, bits: task.bits + JoinPartitioner.bits, isGiant: isGiant))
    }
  }

  private func partitioned(_ runs: RowRuns, _ keys: [Int], _ bits: UInt64) throws(QueryError) -> [RowRuns] {
    let partitioner = JoinPartitioner(spilled.keys, keys, skipping: bits)
    let rows = RowPartitions(count: JoinPartitioner.count, types: runs.types, consumer, context.spillFile)
    let reader = runs.consumingReader()
    while let batch = try reader.next() {
      try context.cancellation.check()
      rows.add(batch) { partitioner.assign(batch, $0) }
      if rows.isScattered, isForced || !consumer.mayGrow(2 << 20) { try rows.spill(rows.heldBytes / 2 + 1) }
    }
    rows.scatter()
    return rows.partitions
  }

  // MARK: Passes

  /// Begins the next pass; false when there is none.
  private func beginPass() throws(QueryError) -> Bool {
    guard var passes else { return false }
    if passes.isDone {
      self.passes = nil
      passes.probe.clear()
      return false
    }
    let collected = CollectedBatches()
    var batches: [Batch] = []
    var (bytes, rows) = (0, 0)
    let (share, largest) = (self.share, isForced ? 64 : 1 << 30)
    while rows < largest, rows == 0 || builder.byteCount(rowCount: rows, columns: bytes * 2) < share || isForced {
      let next: Batch?
      if let left = passes.left { next = left } else { next = try passes.pieces.next() }
      passes.left = nil
      guard var batch = next else { break }
      if isForced, batch.rowCount > largest - rows {
        passes.left = batch.slice(offset: largest - rows, count: batch.rowCount - (largest - rows))
        batch = batch.slice(offset: 0, count: largest - rows)
      }
      batches.append(batch)
      rows += batch.rowCount
      bytes += batch.approximateByteCount
    }
    collected.set(batches)
    batches = []
    if rows == 0 {
      // All build rows have passed: what depends on all partners follows.
      passes.isDone = true
      self.passes = passes
      if passes.notes == nil { return true }
      try transform.begin(try make(collected), notes: passes.notes, isFinalPass: true)
    } else {
      self.passes = passes
      try transform.begin(try make(collected), notes: passes.notes, isFinalPass: false)
    }
    probe = SlicingStream(passes.probe.makeReader(), batchSize: context.batchSize)
    return true
  }
}
