import Columnar
import Glibc
import ObjectStore
import QueryErrors

/// Input rows of a grouping set that memory has no groups for, by the hash of their keys: one worker's.
///
/// - Threads: one owner while rows come; then each partition is another reader's.
final class SpilledAggregateRows: @unchecked Sendable {
  /// Partitions are so many bits of the hash.
  static let bits: UInt64 = 5
  static let count = 1 << 5

  private let specification: AggregateSpecification
  private let consumer: MemoryConsumer
  private let context: QueryContext
  private let hash: GroupHash
  private let rows: RowPartitions

  /// - Parameter skipped: leading bits of the hash that are the same for all rows.
  init(
    _ specification: AggregateSpecification, _ setIndex: Int, _ consumer: MemoryConsumer, _ context: QueryContext,
    skipping skipped: UInt64 = 0
  ) {
    self.specification = specification
    self.consumer = consumer
    self.context = context
    hash = GroupHash(specification, setIndex, skipped: skipped)
    rows = RowPartitions(
      count: SpilledAggregateRows.count, types: specification.usedColumnTypes, consumer, context.spillFile)
  }

  /// Adds input rows.
  func add(_ batch: Batch) throws(QueryError) {
    rows.add(specification.usedBatch(batch)) { hash.partitions(batch, $0) }
    guard rows.isScattered else { return }
    if context.testing.spillsRows { return try rows.spill() }
    if !consumer.mayGrow(1 << 20) {
      // What is little stays until it is worth a block.
      if rows.heldBytes > consumer.smallByteCount { try rows.spill(rows.heldBytes / 2) }
    }
  }

  /// No more rows will come.
  func finish() { rows.scatter() }

  func takeRows(_ partition: Int) -> RowRuns { rows.partitions[partition] }
}

/// Arguments of a DISTINCT call without groups, by their hash.
///
/// - Threads: one owner.
final class SpilledDistinctRows: @unchecked Sendable {
  let rows: RowPartitions
  private let keys: KeyRows
  private let consumer: MemoryConsumer
  private let isForced: Bool

  private static let bits: UInt64 = 5

  init(_ layout: KeyLayout, _ consumer: MemoryConsumer, _ context: QueryContext) {
    keys = KeyRows(layout)
    rows = RowPartitions(count: 1 << Int(SpilledDistinctRows.bits), types: layout.types, consumer, context.spillFile)
    self.consumer = consumer
    isForced = context.testing.spillsRows
  }

  func add(_ batch: Batch) throws(QueryError) {
    rows.add(batch) { numbers in
      keys.fill(batch.columns, rowCount: batch.rowCount)
      for row in 0..<batch.rowCount {
        let isNull = keys.hasNulls && keys.nulls[row] != 0
        numbers[row] = isNull ? 0 : UInt8(truncatingIfNeeded: keys.hashes[row] &>> (64 - SpilledDistinctRows.bits))
      }
    }
    guard rows.isScattered else { return }
    if isForced || (rows.heldBytes > consumer.smallByteCount && !consumer.mayGrow(1 << 20)) { try rows.spill() }
  }
}

extension GroupTable {
  /// The rows of a batch whose keys are new, each once; nil when there are none.
  ///
  /// - Shape: `batch`: the columns of the layout.
  func newRows(_ batch: Batch) throws(QueryError) -> Batch? {
    let n = batch.rowCount
    let before = groupCount
    let found = Buffer(byteCount: (n + 16) * 4)
    let groups = found.typed(Int32.self)
    try assign(batch.columns, rowCount: n, into: groups)
    let new = groupCount - before
    if new == 0 { return nil }
    let isSeen = Buffer.zeroed(byteCount: new)
    let flags = isSeen.typed(UInt8.self)
    var count = 0
    for row in 0..<n {
      let group = Int(groups[row]) - before
      if group < 0 || flags[group] != 0 { continue }
      flags[group] = 1
      groups[count] = Int32(row)
      count += 1
    }
    return batch.take(groups, count: count)
  }
}

/// The partitions of input rows, by hashes that groups have too.
///
/// - Threads: one owner.
final class GroupHash {
  private let keys: [Int]
  private let rows: KeyRows
  private let shift: UInt64

  init(_ specification: AggregateSpecification, _ setIndex: Int, skipped: UInt64) {
    keys = specification.sets[setIndex].map { specification.keys[$0] }
    rows = KeyRows(specification.layouts[setIndex])
    shift = 64 - SpilledAggregateRows.bits - skipped
  }

  func partitions(_ batch: Batch, _ numbers: UnsafeMutablePointer<UInt8>) {
    let n = batch.rowCount
    rows.fill(keys.map { batch.columns[$0] }, rowCount: n)
    let hashes = rows.hashes
    if rows.hasNulls {
      // As GroupTable.hash(of:) has it.
      for row in 0..<n where rows.nulls[row] != 0 { hashes[row] = 0 }
    }
    let mask = UInt64(SpilledAggregateRows.count - 1)
    var row = 0
    while row < n {
      numbers[row] = UInt8(truncatingIfNeeded: (hashes[row] &>> shift) & mask)
      row &+= 1
    }
  }
}

/// Yields groups of a state.
final class AggregateOutputReader: BatchReader {
  private let state: AggregateState
  private let reservation: MemoryReservation
  private let batchSize: Int
  private var range: Range<Int>

  init(_ state: AggregateState, _ range: Range<Int>, _ reservation: MemoryReservation, batchSize: Int) {
    self.state = state
    self.range = range
    self.reservation = reservation
    self.batchSize = batchSize
  }

  func next() throws(QueryError) -> Batch? {
    if range.isEmpty { return nil }
    let end = min(range.lowerBound + batchSize, range.upperBound)
    defer { range = end..<range.upperBound }
    return try state.output(range.lowerBound..<end)
  }
}

/// Yields the groups of one partition: those merged already, and those of its rows on disk.
///
/// Where memory does not hold them all, the rows that are left go to partitions of the partition, which follow one by one with
/// the groups made so far.
final class SpilledGroupsReader: BatchReader {
  private let specification: AggregateSpecification
  private let setIndex: Int
  private let consumer: MemoryConsumer
  private let context: QueryContext
  private let finishKept: (AggregateState) throws(QueryError) -> Void
  private var stack: [Task]
  private var current: AggregateOutputReader?
  private let canSplit: Bool

  /// Rows still to be grouped, and groups to be added to them.
  private struct Task {
    /// Groups that are complete but for the rows; nil: `parent` has them.
    var state: AggregateState?
    /// Groups of a larger partition, of which those of this one count.
    var parent: (groups: PartitionedGroups, partition: Int)?
    var rows: [RowRuns]
    /// Bits of the hash that all keys here share.
    var bits: UInt64
    var reservation: MemoryReservation
  }

  /// Bits of the hash that partitions may use up.
  private static let largestBits: UInt64 = 40
  private static let smallByteCount = 2 << 20

  init(
    _ specification: AggregateSpecification, _ setIndex: Int, _ state: AggregateState, rows: [RowRuns],
    _ reservation: MemoryReservation, _ consumer: MemoryConsumer, _ context: QueryContext,
    finishKept: @escaping (AggregateState) throws(QueryError) -> Void
  ) {
    self.specification = specification
    self.setIndex = setIndex
    self.consumer = consumer
    self.context = context
    self.finishKept = finishKept
    // Rows kept for DISTINCT and ORDER BY would have to be partitioned too.
    canSplit = !specification.calls.contains(where: \.isDeferred) && !specification.layouts[setIndex].collides
    stack = [Task(state: state, parent: nil, rows: rows, bits: SpilledAggregateRows.bits, reservation: reservation)]
  }

  func next() throws(QueryError) -> Batch? {
    while true {
      if let batch = try current?.next() { return batch }
      current = nil
      guard let task = stack.popLast() else { return nil }
      try group(task)
    }
  }

  private func group(_ task: Task) throws(QueryError) {
    let before = MemoryAccount.threadTotal
    let state: AggregateState
    if let own = task.state {
      state = own
    } else {
      state = try AggregateState(specification, setIndex: setIndex)
      if let (groups, partition) = task.parent { try groups.merge(partition, into: state) }
    }
    let held = task.reservation.byteCount
    var rest: SpilledAggregateRows?
    for runs in task.rows {
      let reader = SlicingStream(runs.consumingReader(), batchSize: Batch.defaultRowCount)
      while let batch = try reader.next() {
        try context.cancellation.check()
        if let rest {
          try rest.add(specification.inputBatch(batch))
          continue
        }
        try state.add(used: batch)
        let bytes = held + MemoryAccount.threadTotal - before
        if canSplit, task.bits < SpilledGroupsReader.largestBits, mustSplit(state, bytes, batch.rowCount) {
          try task.reservation.set(max(0, bytes))
          rest = SpilledAggregateRows(specification, setIndex, consumer, context, skipping: task.bits)
        }
      }
    }
    try task.reservation.set(max(0, held + MemoryAccount.threadTotal - before))
    if let rest {
      rest.finish()
      let groups = PartitionedGroups(state, skipped: task.bits, task.reservation)
      for partition in (0..<SpilledAggregateRows.count).reversed() {
        stack.append(
          Task(
            state: nil, parent: (groups, partition), rows: [rest.takeRows(partition)],
            bits: task.bits + SpilledAggregateRows.bits, reservation: MemoryReservation(consumer)))
      }
      return
    }
    try finishKept(state)
    state.table?.seal()
    current = AggregateOutputReader(state, 0..<state.groupCount, task.reservation, batchSize: context.batchSize)
  }

  private func mustSplit(_ state: AggregateState, _ bytes: Int, _ n: Int) -> Bool {
    if context.testing.spillsRows { return state.groupCount > 64 }
    if bytes < SpilledGroupsReader.smallByteCount { return false }
    if state.keepsRows { return !consumer.mayGrow(bytes * 2) }
    return state.mayGrowTables(n) && !consumer.mayGrow(bytes / 2 * 3)
  }
}

/// The groups of a state by the next bits of their hashes.
private final class PartitionedGroups {
  private let state: AggregateState
  private let reservation: MemoryReservation
  private let order: Buffer
  private var starts = [Int](repeating: 0, count: SpilledAggregateRows.count + 1)

  init(_ state: AggregateState, skipped: UInt64, _ reservation: MemoryReservation) {
    self.state = state
    self.reservation = reservation
    state.seal()
    let n = state.groupCount
    order = Buffer(byteCount: n * 4)
    let shift = 64 - SpilledAggregateRows.bits - skipped
    let mask = UInt64(SpilledAggregateRows.count - 1)
    let own = Buffer(byteCount: n)
    let (numbers, out) = (own.typed(UInt8.self), order.typed(Int32.self))
    for group in 0..<n {
      let number = state.table.map { ($0.hash(of: group) &>> shift) & mask } ?? 0
      numbers[group] = UInt8(truncatingIfNeeded: number)
      starts[Int(number) + 1] += 1
    }
    for k in 0..<SpilledAggregateRows.count { starts[k + 1] += starts[k] }
    var next = starts
    for group in 0..<n {
      out[next[Int(numbers[group])]] = Int32(group)
      next[Int(numbers[group])] += 1
    }
  }

  func merge(_ partition: Int, into target: AggregateState) throws(QueryError) {
    let count = starts[partition + 1] - starts[partition]
    if count == 0 { return }
    let targets = Buffer(byteCount: count * 4)
    try target.merge(
      state, order.typed(Int32.self) + starts[partition], count: count, targets: targets.typed(Int32.self))
  }
}
