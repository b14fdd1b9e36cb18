import Columnar
import Glibc
import ObjectStore
import QueryErrors
import SQLFunctions
import Synchronization

/// Groups rows by keys and computes aggregates: every worker for itself first, then merged partition by partition.
///
///     worker 0: batches → groups ┐                        ┌ partition 0 → merged groups → batches
///     worker 1: batches → groups ┴ split by hash of key → ┴ partition 1 → merged groups → batches
///
/// A worker that meets many new groups stops grouping and only sets rows aside by partition. When these have become many, they are
/// grouped partition by partition, if that makes fewer of them, in tables that all workers share and that fit the caches. Of several
/// grouping sets those whose keys another one has too are made of its groups in the end: ROLLUP reads its rows once.
///
/// Where memory is short, a worker keeps the groups it has and lets all further rows go to partitions on disk; they are grouped
/// partition by partition in the end, together with the groups kept.
///
/// - Source: Leis et al., "Morsel-Driven Parallelism", SIGMOD 2014, section 4.4.
final class HashAggregateOperator: SinkOperator, @unchecked Sendable {
  let specification: AggregateSpecification
  private let context: QueryContext
  let consumer: MemoryConsumer
  private let writers = Mutex<[Writer]>([])
  /// Groups of rows that were set aside, by grouping set; the merges' own once there are any.
  private var shared: [SharedGroups]
  /// Filled by `finish`, for the source.
  fileprivate var merges: [SetMerge] = []

  init(_ node: QueryProfile.Node, _ specification: AggregateSpecification, _ context: QueryContext) {
    self.specification = specification
    self.context = context
    let consumer = context.memory.register(node)
    self.consumer = consumer
    shared = specification.sets.indices.map { SharedGroups(specification, setIndex: $0) }
    super.init(node)
  }

  override func makeWriter(_ worker: Worker) throws(QueryError) -> BatchConsumer { try makeGroupWriter(worker) }

  func makeGroupWriter(_ worker: Worker) throws(QueryError) -> Writer {
    let writer = try Writer(worker, metrics, specification, shared, consumer)
    writers.withLock { $0.append(writer) }
    return writer
  }

  override func finish(_ scheduler: Scheduler) throws(QueryError) {
    let writers = self.writers.withLock { writers in
      defer { writers = [] }
      return writers
    }
    merges = []
    try scheduler.forEach(writers.count) { (index) throws(QueryError) in
      try writers[index].deriveSets()
      for spilled in writers[index].spilled { spilled?.finish() }
    }
    for setIndex in specification.sets.indices {
      merges.append(
        try SetMerge(
          specification, setIndex, writers.map { $0.states[setIndex] }, writers.map { $0.aside[setIndex] },
          writers.compactMap { $0.spilled[setIndex] }, shared[setIndex], writers.map(\.reservation), consumer, context))
    }
    // From now on their memory counts as long as the merges do.
    shared = []
    let list = merges
    let tasks = list.flatMap { merge in merge.states.indices.map { (merge, $0) } }
    try scheduler.forEach(tasks.count) { (index) throws(QueryError) in tasks[index].0.split(tasks[index].1) }
    metrics.note(stateBytes: writers.map(\.reservation.byteCount).max() ?? 0)
    let groups = list.reduce(0) { sum, merge in sum + merge.states.reduce(0) { $0 + $1.groupCount } }
    node.note("groups", QueryProfile.grouped(groups))
    let aside = list.reduce(0) { sum, merge in sum + merge.aside.reduce(0) { $0 + ($1?.rowCount ?? 0) } }
    if aside > 0 { node.note("partitioned rows", QueryProfile.grouped(aside)) }
  }

  /// One worker's groups.
  final class Writer: BatchConsumer, @unchecked Sendable {
    private let specification: AggregateSpecification
    fileprivate let states: [AggregateState]
    /// Rows set aside, by grouping set, once that began.
    fileprivate private(set) var aside: [PartitionedRows?]
    /// Rows that go to disk, by grouping set, once memory was short.
    fileprivate private(set) var spilled: [SpilledAggregateRows?]
    private let context: QueryContext
    private let consumer: MemoryConsumer
    /// What the thread's buffers took while groups were made: what the states hold.
    private var stateBytes = 0
    private let sharedGroups: [SharedGroups]
    /// Bytes of rows set aside from which on they are grouped, by grouping set; no number reaches where they cannot be.
    private var asideLimits: [Int]
    fileprivate let reservation: MemoryReservation
    private var batchCount = 0
    private var rowsSinceCheck = 0
    private var groupsAtCheck: [Int]
    private let firstCheck: Int

    /// Groups below which grouping at once is cheap anyway.
    private static let smallGroupCount = 1 << 17
    /// Rows between two looks at how well grouping reduces.
    private static let checkInterval = 1 << 18
    /// Bytes of rows that may be set aside, or as many as the groups made of them take.
    private static let asideByteCount = 16 << 20
    /// Rows per new group below which they are set aside: where they can be grouped before all are there, and elsewhere.
    private static let (reduction, smallestReduction) = (8, 2)

    fileprivate init(
      _ worker: Worker, _ metrics: OperatorMetrics, _ specification: AggregateSpecification, _ shared: [SharedGroups],
      _ consumer: MemoryConsumer
    ) throws(QueryError) {
      self.specification = specification
      sharedGroups = shared
      var states: [AggregateState] = []
      for index in specification.sets.indices { states.append(try AggregateState(specification, setIndex: index)) }
      self.states = states
      aside = states.map { _ in nil }
      spilled = states.map { _ in nil }
      context = worker.context
      self.consumer = consumer
      consumer.begin()
      groupsAtCheck = states.map { _ in 0 }
      reservation = MemoryReservation(consumer)
      let forced = worker.context.testing.partitionsAggregatesAfter
      firstCheck = forced ?? Writer.smallGroupCount
      asideLimits = states.indices.map { index in
        specification.canGroupAside(index) ? (forced == nil ? Writer.asideByteCount : 1) : .max
      }
      super.init(worker, metrics)
    }

    private var byteCount: Int { stateBytes }

    override func consume(_ batch: Batch) throws(QueryError) {
      for index in states.indices where isFed(index) && spilled[index] == nil {
        if try isTight(index, batch.rowCount) { startSpilling(index) }
      }
      for (index, state) in states.enumerated() where isFed(index) {
        if let spilled = spilled[index] {
          try spilled.add(batch)
          continue
        }
        let before = MemoryAccount.threadTotal
        defer { stateBytes = max(0, stateBytes + MemoryAccount.threadTotal - before) }
        if let aside = aside[index] {
          aside.add(
            specification.sets[index].map { batch.columns[specification.keys[$0]] },
            specification.argumentColumns.map { batch.columns[$0] }, rowCount: batch.rowCount)
          if aside.byteCount > asideLimits[index] {
            if let groupBytes = try sharedGroups[index].take(aside, startingAt: worker.index) {
              // The more groups, the more rows have to come at once for a partition's groups to be found in the caches.
              if asideLimits[index] > 1 { asideLimits[index] = max(asideLimits[index], groupBytes) }
            } else {
              asideLimits[index] = max(asideLimits[index], aside.byteCount) * 2
            }
          }
        } else {
          try state.add(batch)
        }
      }
      rowsSinceCheck += batch.rowCount
      if rowsSinceCheck >= Writer.checkInterval || firstCheck < Writer.smallGroupCount { checkReduction() }
      batchCount += 1
      if batchCount & 15 == 0 || stateBytes - reservation.byteCount > Writer.noteInterval { try reservation.set(byteCount) }
    }

    /// Whether a set sees rows, instead of the groups that its parent makes of them.
    private func isFed(_ index: Int) -> Bool {
      guard let parent = specification.parents[index] else { return true }
      return aside[parent] != nil || spilled[parent] != nil
    }

    /// Lets further rows of a set go to disk.
    private func startSpilling(_ index: Int) {
      if specification.canSpill(index) {
        spilled[index] = SpilledAggregateRows(specification, index, consumer, context)
      } else {
        states[index].spillDistinct(consumer, context)
      }
    }

    /// Bytes after which the operator is told what the states hold.
    private static let noteInterval = 1 << 20

    /// Whether memory is too short for the groups that so many rows may make.
    private func isTight(_ index: Int, _ n: Int) throws(QueryError) -> Bool {
      if context.testing.spillsRows { return batchCount > 0 }
      if !specification.canSpill(index), !states[index].canSpillDistinct { return false }
      let growsTables = states[index].mayGrowTables(n)
      if !growsTables, batchCount & 7 != 0 { return false }
      try reservation.set(byteCount)
      // Tables double, and what they were copied from goes only then.
      return !consumer.mayGrow(growsTables ? stateBytes / 2 * 3 : Writer.noteInterval)
    }

    /// Adds groups of a state of the only grouping set.
    func merge(_ state: AggregateState, _ groups: UnsafePointer<Int32>, count: Int) throws(QueryError) {
      let before = MemoryAccount.threadTotal
      let targets = Buffer(byteCount: count * 4)
      try states[0].merge(state, groups, count: count, targets: targets.typed(Int32.self))
      stateBytes = max(0, stateBytes + MemoryAccount.threadTotal - before)
      try reservation.set(byteCount)
    }

    /// Adds to sets that are made of others' groups what those have grouped.
    ///
    /// Rows that a parent has set aside are there already: from then on a set sees the rows itself.
    fileprivate func deriveSets() throws(QueryError) {
      let before = MemoryAccount.threadTotal
      for index in specification.parentsFirst {
        guard let parent = specification.parents[index] else { continue }
        try states[index].add(groupsOf: states[parent])
      }
      stateBytes = max(0, stateBytes + MemoryAccount.threadTotal - before)
      try reservation.set(byteCount)
    }

    /// Sets rows aside from now on where a good part of the latest rows made new groups.
    ///
    /// The first rows tell nothing: any number of groups starts with new ones. Groups found by indexing an array stay as
    /// they are, because they are cheap to find and to merge.
    private func checkReduction() {
      let isForced = firstCheck < Writer.smallGroupCount
      for (index, state) in states.enumerated() where aside[index] == nil {
        let groups = state.groupCount
        let wanted = specification.canGroupAside(index) ? Writer.reduction : Writer.smallestReduction
        let isReducing = (groups - groupsAtCheck[index]) * wanted < rowsSinceCheck
        if specification.canPartition, let table = state.table, groups > firstCheck,
          isForced || (groupsAtCheck[index] > 0 && !isReducing && !table.isDirect)
        {
          aside[index] = PartitionedRows(specification.layouts[index], types: specification.argumentColumnTypes)
        }
        groupsAtCheck[index] = groups
      }
      rowsSinceCheck = 0
    }
  }
}

/// Groups of rows that were set aside, one table for each partition.
///
/// - Threads: any; a partition is changed by one at a time.
private final class SharedGroups: @unchecked Sendable {
  private final class Partition: @unchecked Sendable {
    let lock = Mutex(())
    var state: AggregateState?
  }
  private let specification: AggregateSpecification
  private let setIndex: Int
  /// Made when the first rows come; most aggregations never set any aside.
  private let made = Mutex<[Partition]>([])
  private let isNearlyUnique = Mutex(false)

  /// Partitions that show whether grouping makes fewer rows.
  private static let sampleCount = 8

  init(_ specification: AggregateSpecification, setIndex: Int) {
    self.specification = specification
    self.setIndex = setIndex
  }

  /// Groups a worker's rows; only those of some partitions when it turns out that nearly every row is a group of its own.
  ///
  /// - Parameter worker: workers begin at different partitions, so as not to wait for each other.
  /// - Returns: the bytes of all groups, if all rows have been grouped.
  func take(_ rows: PartitionedRows, startingAt worker: Int) throws(QueryError) -> Int? {
    let partitions = made.withLock { made in
      if made.isEmpty { made = (0..<PartitionedRows.count).map { _ in Partition() } }
      return made
    }
    var (rowCount, newGroups) = (0, 0)
    for step in 0..<PartitionedRows.count {
      let index = (worker * 97 + step) % PartitionedRows.count
      let chunks = rows.take(index)
      if chunks.isEmpty { continue }
      let partition = partitions[index]
      newGroups += try partition.lock.withLock { _ throws(QueryError) in
        let state: AggregateState
        if let known = partition.state {
          state = known
        } else {
          state = try AggregateState(specification, setIndex: setIndex)
          partition.state = state
        }
        let before = state.groupCount
        try state.add(chunks, heap: nil)
        return state.groupCount - before
      }
      rowCount += chunks.reduce(0) { $0 + $1.count }
      if step == SharedGroups.sampleCount - 1, newGroups * 4 > rowCount * 3 {
        isNearlyUnique.withLock { $0 = true }
        return nil
      }
    }
    return partitions.reduce(0) { sum, partition in sum + partition.lock.withLock { _ in partition.state?.byteCount ?? 0 } }
  }

  /// How many groups so many rows of a partition are likely to make.
  func expectedGroups(_ rowCount: Int) -> Int { isNearlyUnique.withLock { $0 } ? rowCount : rowCount / 4 }

  /// The groups of a partition, which are the caller's from now on.
  func takeState(_ index: Int) -> AggregateState? {
    guard let partition = made.withLock({ $0.isEmpty ? nil : $0[index] }) else { return nil }
    defer { partition.state = nil }
    return partition.state
  }
}

/// How the workers' groups of one grouping set become results, partition by partition.
private final class SetMerge: @unchecked Sendable {
  let specification: AggregateSpecification
  let setIndex: Int
  let states: [AggregateState]
  let aside: [PartitionedRows?]
  /// Rows on disk, by worker.
  let spilled: [SpilledAggregateRows]
  let shared: SharedGroups
  let reservations: [MemoryReservation]
  private let consumer: MemoryConsumer
  private let context: QueryContext
  /// Partitions are the top so many bits of the hash.
  private let bits: UInt64
  /// Per worker: its groups by partition, where each partition starts, and each group's place after merging.
  private var groupOrder: [Buffer?]
  private var starts: [[Int]]
  private var merged: [Buffer?]
  /// Per worker and call: kept rows by partition.
  private var keptOrder: [[(rows: Buffer, starts: [Int])?]]

  /// A lone state that needs no merging is cut into pieces of so many groups.
  private static let directGroups = 1 << 16

  init(
    _ specification: AggregateSpecification, _ setIndex: Int, _ states: [AggregateState], _ aside: [PartitionedRows?],
    _ spilled: [SpilledAggregateRows], _ shared: SharedGroups, _ reservations: [MemoryReservation],
    _ consumer: MemoryConsumer, _ context: QueryContext
  ) throws(QueryError) {
    self.spilled = spilled
    self.consumer = consumer
    self.context = context
    self.specification = specification
    self.setIndex = setIndex
    var states = states
    let isGlobal = specification.sets[setIndex].isEmpty
    if states.isEmpty, isGlobal { states = [try AggregateState(specification, setIndex: setIndex)] }
    self.states = states
    self.aside = aside
    self.shared = shared
    self.reservations = reservations
    let groups = states.reduce(0) { $0 + $1.groupCount }
    if isGlobal {
      bits = 0
    } else if !spilled.isEmpty {
      bits = SpilledAggregateRows.bits
    } else if aside.contains(where: { $0 != nil }) {
      bits = PartitionedRows.bits
    } else {
      // Rows kept for DISTINCT and ORDER BY are worked on by partition too, each in a table that fits the caches.
      let kept = states.reduce(0) { sum, state in sum + state.kept.reduce(0) { $0 + ($1?.heldRowCount ?? 0) } }
      bits =
        groups <= 1 << 14 && kept <= 1 << 16 ? 0 : (groups <= 1 << 19 && kept <= 1 << 20 ? 4 : PartitionedRows.bits)
    }
    groupOrder = states.map { _ in nil }
    starts = states.map { _ in [] }
    merged = states.map { _ in nil }
    keptOrder = states.map { _ in specification.calls.map { _ in nil } }
  }

  /// Whether the one state's groups are results as they are.
  private var isDirect: Bool {
    states.count == 1 && !specification.calls.contains(where: \.isDeferred) && !aside.contains { $0 != nil }
      && spilled.isEmpty
  }

  var morselCount: Int {
    if states.isEmpty { return 0 }
    if isDirect { return (states[0].groupCount + SetMerge.directGroups - 1) / SetMerge.directGroups }
    return 1 << Int(bits)
  }

  /// Sorts one worker's groups and kept rows by partition.
  func split(_ worker: Int) {
    let state = states[worker]
    state.seal()
    if isDirect { return }
    let count = state.groupCount
    let partitionCount = 1 << Int(bits)
    let order = Buffer(byteCount: count * 4)
    let partitions = Buffer(byteCount: count * 4)
    let p = partitions.typed(Int32.self)
    let shift = 64 - bits
    if bits == 0 {
      memset(p, 0, count * 4)
    } else if let table = state.table {
      var group = 0
      while group < count {
        p[group] = Int32(truncatingIfNeeded: table.hash(of: group) &>> shift)
        group &+= 1
      }
    }
    let first = SetMerge.sort(p, count, partitionCount, order.typed(Int32.self))
    groupOrder[worker] = order
    starts[worker] = first
    let merged = Buffer(byteCount: count * 4)
    self.merged[worker] = merged
    for (index, kept) in state.kept.enumerated() {
      guard let kept else { continue }
      let rows = Buffer(byteCount: kept.rowCount * 4)
      let own = Buffer(byteCount: kept.rowCount * 4)
      let q = own.typed(Int32.self)
      if let groups = kept.groups {
        for row in 0..<kept.rowCount { q[row] = p[Int(groups[row])] }
      } else {
        memset(q, 0, kept.rowCount * 4)
      }
      keptOrder[worker][index] = (rows, SetMerge.sort(q, kept.rowCount, partitionCount, rows.typed(Int32.self)))
    }
  }

  /// Counting sort of numbers by partition; returns where each partition starts.
  private static func sort(
    _ partitions: UnsafePointer<Int32>, _ count: Int, _ partitionCount: Int, _ order: UnsafeMutablePointer<Int32>
  ) -> [Int] {
    var starts = Array(repeating: 0, count: partitionCount + 1)
    starts.withUnsafeMutableBufferPointer { buffer in
      let s = buffer.baseAddress!
      var i = 0
      while i < count {
        s[Int(partitions[i]) &+ 1] &+= 1
        i &+= 1
      }
      for k in 0..<partitionCount { s[k + 1] &+= s[k] }
    }
    var next = starts
    next.withUnsafeMutableBufferPointer { buffer in
      let s = buffer.baseAddress!
      var i = 0
      while i < count {
        let own = Int(partitions[i])
        order[s[own]] = Int32(truncatingIfNeeded: i)
        s[own] &+= 1
        i &+= 1
      }
    }
    return starts
  }

  /// The finished groups of a morsel: a state and a range of its groups.
  func result(_ morsel: Int, _ reservation: MemoryReservation) throws(QueryError) -> (AggregateState, Range<Int>) {
    if isDirect {
      let first = morsel * SetMerge.directGroups
      return (states[0], first..<min(first + SetMerge.directGroups, states[0].groupCount))
    }
    var expected = 0
    for worker in states.indices { expected = max(expected, starts[worker][morsel + 1] - starts[worker][morsel]) }
    var rowsAside = 0
    for part in aside {
      for own in asidePartitions(morsel) { rowsAside += part?.partitions[own].reduce(0) { $0 + $1.count } ?? 0 }
    }
    let target: AggregateState
    var begun = aside.isEmpty ? [] : asidePartitions(morsel).compactMap { shared.takeState($0) }
    if let first = begun.popLast() {
      target = first
      for state in begun { try target.mergeAll(state) }
    } else {
      target = try AggregateState(specification, setIndex: setIndex, expectedGroups: expected + shared.expectedGroups(rowsAside))
    }
    for (worker, state) in states.enumerated() {
      let (first, end) = (starts[worker][morsel], starts[worker][morsel + 1])
      if end == first { continue }
      let sources = groupOrder[worker]!.typed(Int32.self) + first
      let targets = Buffer(byteCount: (end - first) * 4)
      let p = targets.typed(Int32.self)
      try target.merge(state, sources, count: end - first, targets: p)
      let places = merged[worker]!.typed(Int32.self)
      for i in 0..<(end - first) { places[Int(sources[i])] = p[i] }
    }
    try addAside(morsel, to: target)
    if !spilled.isEmpty { return (target, 0..<target.groupCount) }
    try finishKept(morsel, target)
    try reservation.set(target.byteCount)
    return (target, 0..<target.groupCount)
  }

  /// The partitions of rows set aside that a morsel takes.
  private func asidePartitions(_ morsel: Int) -> Range<Int> {
    let shift = Int(PartitionedRows.bits - min(bits, PartitionedRows.bits))
    return morsel << shift..<(morsel + 1) << shift
  }

  /// The groups of a morsel, rows on disk included.
  func reader(_ morsel: Int, _ worker: Worker) throws(QueryError) -> any BatchReader {
    let reservation = MemoryReservation(consumer)
    let before = MemoryAccount.threadTotal
    let (state, range) = try result(morsel, reservation)
    if spilled.isEmpty { return AggregateOutputReader(state, range, reservation, batchSize: context.batchSize) }
    try reservation.set(max(0, MemoryAccount.threadTotal - before))
    return SpilledGroupsReader(
      specification, setIndex, state, rows: spilled.map { $0.takeRows(morsel) }, reservation, consumer, context
    ) { [self] state throws(QueryError) in try finishKept(morsel, state) }
  }

  /// Groups the rows that were set aside.
  private func addAside(_ morsel: Int, to target: AggregateState) throws(QueryError) {
    for part in aside {
      for own in asidePartitions(morsel) { if let part { try target.add(part.partitions[own], heap: part.heap) } }
    }
  }

  /// Feeds the arguments of a DISTINCT call without groups into its accumulator, partition by partition.
  private func finishDistinct(_ index: Int, _ target: AggregateState) throws(QueryError) {
    let call = specification.calls[index]
    let layout = KeyLayout(call.argumentTypes, collides: specification.layouts[setIndex].collides)
    let all = SpilledDistinctRows(layout, consumer, context)
    for state in states { try state.kept[index]?.take(into: all) }
    for partition in all.rows.partitions {
      let seen = GroupTable(layout)
      let reader = SlicingStream(partition.consumingReader(), batchSize: Batch.defaultRowCount)
      while let batch = try reader.next() {
        try context.cancellation.check()
        if let new = try seen.newRows(batch) { try target.accumulators[index].update(new.columns, groups: nil, rowCount: new.rowCount) }
      }
    }
  }

  /// Feeds kept rows of all workers into the merged accumulators.
  private func finishKept(_ morsel: Int, _ target: AggregateState) throws(QueryError) {
    for (index, call) in specification.calls.enumerated() where call.isDeferred {
      if states.contains(where: { $0.kept[index]?.spilled != nil }) {
        try finishDistinct(index, target)
        continue
      }
      var arguments: [[Column]] = call.argumentTypes.map { _ in [] }
      var ordering: [[Column]] = call.ordering.map { _ in [] }
      var total = 0
      // Of rows that were on disk.
      let own = spilled.isEmpty ? nil : target.kept[index]
      own?.seal()
      let groups = Buffer(
        byteCount: 4
          * states.indices.reduce(own?.rowCount ?? 0) { sum, worker in
            sum + (keptOrder[worker][index].map { $0.starts[morsel + 1] - $0.starts[morsel] } ?? 0)
          })
      let p = groups.typed(Int32.self)
      var isGrouped = false
      for (worker, state) in states.enumerated() {
        guard let kept = state.kept[index], let (rows, first) = keptOrder[worker][index] else { continue }
        let count = first[morsel + 1] - first[morsel]
        if count == 0 { continue }
        let list = rows.typed(Int32.self) + first[morsel]
        let taken = kept.take(list, count: count)
        for (k, column) in taken.arguments.enumerated() { arguments[k].append(column) }
        for (k, column) in taken.ordering.enumerated() { ordering[k].append(column) }
        if let own = kept.groups {
          isGrouped = true
          let places = merged[worker]!.typed(Int32.self)
          for i in 0..<count { p[total + i] = places[Int(own[Int(list[i])])] }
        }
        total += count
      }
      if let own, own.rowCount > 0 {
        let taken = own.all
        for (k, column) in taken.arguments.enumerated() { arguments[k].append(column) }
        for (k, column) in taken.ordering.enumerated() { ordering[k].append(column) }
        if let places = own.groups {
          isGrouped = true
          memcpy(p + total, places, own.rowCount * 4)
        }
        total += own.rowCount
      }
      if total == 0 { continue }
      try target.finishKept(
        index, arguments: zip(arguments, call.argumentTypes).map { Column.concatenate($0, type: $1) },
        ordering: ordering.map { Column.concatenate($0, type: $0[0].type) }, groups: isGrouped ? p : nil,
        rowCount: total)
    }
  }
}

/// Yields the groups of an aggregation.
class HashAggregateSource: MorselSource, @unchecked Sendable {
  fileprivate let aggregate: HashAggregateOperator
  private let context: QueryContext
  private var merges: [SetMerge] = []

  init(_ aggregate: HashAggregateOperator, _ context: QueryContext) {
    self.aggregate = aggregate
    self.context = context
    super.init(aggregate.node)
  }

  override func prepare(_ scheduler: Scheduler) throws(QueryError) { merges = aggregate.merges }

  override var morselCount: Int { merges.reduce(0) { $0 + $1.morselCount } }

  override func open(_ morsel: Int, _ worker: Worker) throws(QueryError) -> any BatchReader {
    var morsel = morsel
    var index = 0
    while morsel >= merges[index].morselCount {
      morsel -= merges[index].morselCount
      index += 1
    }
    return try merges[index].reader(morsel, worker)
  }

  override func release() {
    merges = []
    aggregate.merges = []
  }
}

/// Yields the groups that a pipeline's own operators have left to be merged.
final class LeftoverGroupsSource: HashAggregateSource, @unchecked Sendable {
  override func prepare(_ scheduler: Scheduler) throws(QueryError) {
    try aggregate.finish(scheduler)
    try super.prepare(scheduler)
  }
}
