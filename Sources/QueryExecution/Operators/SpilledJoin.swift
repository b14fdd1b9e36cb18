import Columnar
import Glibc
import QueryErrors
import SQLExpressions
import Synchronization

/// Partitions of the rows of a join, by the hash of their keys: the same for both sides.
///
/// - Threads: one owner.
final class JoinPartitioner: PartitionAssigner {
  /// Partitions are so many bits of the hash.
  static let bits: UInt64 = 5
  static let count = 1 << 5

  private let positions: [Int]
  private let rows: KeyRows
  private let shift: UInt64
  private let summary: JoinKeySummary?

  /// - Parameters:
  ///   - positions: of the keys.
  ///   - skipped: leading bits of the hash that all rows share.
  ///   - summary: takes note of all keys.
  init(_ keys: JoinSpillKeys, _ positions: [Int], skipping skipped: UInt64 = 0, summary: JoinKeySummary? = nil) {
    self.summary = summary
    self.positions = positions
    rows = KeyRows(keys.layout, flagsNulls: keys.flagsNulls)
    shift = 64 - JoinPartitioner.bits - skipped
  }

  /// Rows whose NULL matches nothing are in partition 0, which never goes to disk.
  func assign(_ batch: Batch, _ numbers: UnsafeMutablePointer<UInt8>) {
    let n = batch.rowCount
    rows.fill(positions.map { batch.columns[$0] }, rowCount: n)
    let hashes = rows.hashes
    let mask = UInt64(JoinPartitioner.count - 1)
    var row = 0
    while row < n {
      numbers[row] = UInt8(truncatingIfNeeded: (hashes[row] &>> shift) & mask)
      row &+= 1
    }
    if rows.hasNulls {
      for row in 0..<n where rows.nulls[row] != 0 { numbers[row] = 0 }
    }
    summary?.add(rows)
  }
}

/// What the scan of a join's probe side may go by when not all build rows are in memory: which keys there may be.
///
/// - Threads: one owner; then they are made one.
final class JoinKeySummary: @unchecked Sendable {
  private let layout: KeyLayout
  private let filter: BloomFilter
  private var range: ClosedRange<Int64>?

  /// Bytes of a filter at most, and as a part of the memory limit.
  private static let (largestByteCount, part) = (16 << 20, 128)

  init(_ layout: KeyLayout, memoryLimit: Int) {
    self.layout = layout
    filter = BloomFilter(count: min(JoinKeySummary.largestByteCount, memoryLimit / JoinKeySummary.part) / 2)
  }

  func add(_ rows: KeyRows) {
    let hasRange = layout.isInteger && !layout.types[0].isFloating
    let integers = UnsafeMutableRawPointer(rows.words).assumingMemoryBound(to: Int64.self)
    var (low, high) = (range?.lowerBound ?? .max, range?.upperBound ?? .min)
    for row in 0..<rows.rowCount where !rows.hasNulls || rows.nulls[row] == 0 {
      filter.add(rows.hashes[row])
      if hasRange {
        low = min(low, integers[row])
        high = max(high, integers[row])
      }
    }
    if hasRange, low <= high { range = low...high }
  }

  func formUnion(_ other: JoinKeySummary) {
    filter.formUnion(other.filter)
    guard let added = other.range else { return }
    range = min(range?.lowerBound ?? .max, added.lowerBound)...max(range?.upperBound ?? .min, added.upperBound)
  }

  func makeFilter() -> DynamicFilter {
    let type = layout.types[0]
    let known: Domain.Range = range.map { .init(low: .integer($0.lowerBound), high: .integer($0.upperBound)) } ?? .init(low: nil, high: nil)
    let hasRange = type != .boolean
    return DynamicFilter(
      domain: Domain(type: type, ranges: [hasRange ? known : .init(low: nil, high: nil)], allowsNull: false),
      membership: .bloom(filter, layout))
  }
}

/// How the keys of a join are told apart when its rows are partitioned.
struct JoinSpillKeys {
  let layout: KeyLayout
  let flagsNulls: [Bool]

  init(_ types: [DataType], nullsEqual: [Bool], collides: Bool) {
    flagsNulls = nullsEqual.map { !$0 }
    layout = KeyLayout(types, flagsNulls: flagsNulls, collides: collides)
  }
}

/// The part of a join that memory has no room for: both sides' rows by partition, joined one partition after the other in the end.
///
///     build rows   partition 0 … k−1 → table in memory   ┐ probe rows of these are joined as they come
///                  partition k …    → disk               ┴ probe rows of these go to disk, too
///
/// - Threads: filled by all workers; then each partition is one worker's.
final class SpilledJoin: @unchecked Sendable {
  let keys: JoinSpillKeys
  let consumer: MemoryConsumer
  let context: QueryContext
  /// Whether the join's rows may be joined out of their order.
  var maySpill = true
  /// Positions of the keys, and types, on each side; the probe's are known before the query runs.
  let buildKeys: [Int]
  let buildTypes: [DataType]
  var probeKeys: [Int] = []
  var probeTypes: [DataType] = []

  private let summaries = Mutex<[JoinKeySummary]>([])

  /// Partitions a worker's build rows, and notes their keys where one key alone tells whether rows may have a partner.
  func makeBuildPartitioner() -> JoinPartitioner {
    guard keys.flagsNulls == [true] else { return JoinPartitioner(keys, buildKeys) }
    let summary = JoinKeySummary(keys.layout, memoryLimit: context.memory.account.effectiveLimit)
    summaries.withLock { $0.append(summary) }
    return JoinPartitioner(keys, buildKeys, summary: summary)
  }

  /// What the probe side's scan may skip; nil where nothing is known.
  func makeFilter() -> DynamicFilter? {
    summaries.withLock { summaries in
      guard let all = summaries.first else { return nil }
      for other in summaries.dropFirst() { all.formUnion(other) }
      summaries = []
      return all.makeFilter()
    }
  }

  /// The first partition on disk; nil while all rows are in memory.
  private(set) var firstSpilled: Int?
  private var buildRows: [RowRuns] = []
  private let probeRows = Mutex<[RowPartitions]>([])
  /// Build rows on disk.
  private(set) var buildRowCount = 0

  init(
    _ specification: JoinBuildSpecification, _ consumer: MemoryConsumer, _ context: QueryContext
  ) {
    keys = JoinSpillKeys(specification.keyTypes, nullsEqual: specification.nullsEqual, collides: context.testing.collidesHashes)
    buildKeys = specification.keys
    buildTypes = specification.types
    self.consumer = consumer
    self.context = context
  }

  /// Whether rows have gone to disk.
  var isActive: Bool { firstSpilled != nil }

  /// Takes over the build rows of partitions from `first` on.
  func begin(_ rows: [RowRuns], first: Int) {
    firstSpilled = first
    buildRows = rows
    buildRowCount = rows.reduce(0) { $0 + $1.rowCount }
  }

  /// Keeps a worker's probe rows.
  func add(_ rows: RowPartitions) { probeRows.withLock { $0.append(rows) } }

  var partitionCount: Int { buildRows.count }

  /// Both sides' rows of a partition, counted from the first on disk.
  func take(_ partition: Int) -> (build: RowRuns, probe: RowRuns) {
    let probe = RowRuns(probeTypes, consumer, context.spillFile)
    for rows in probeRows.withLock({ $0 }) { probe.append(contentsOf: rows.partitions[partition]) }
    return (buildRows[partition], probe)
  }

  func clear() {
    buildRows = []
    probeRows.withLock { $0 = [] }
  }
}

/// One worker's probe rows whose partner may be on disk.
///
/// - Threads: one owner.
final class SpilledProbeRows {
  private let spilled: SpilledJoin
  private let partitioner: JoinPartitioner
  private let first: UInt8
  private let rows: RowPartitions
  private var numbers = Buffer(byteCount: 0)
  private var resident = Buffer(byteCount: 0)
  private var others = Buffer(byteCount: 0)

  init(_ spilled: SpilledJoin) {
    self.spilled = spilled
    partitioner = JoinPartitioner(spilled.keys, spilled.probeKeys)
    first = UInt8(spilled.firstSpilled!)
    rows = RowPartitions(
      count: spilled.partitionCount, types: spilled.probeTypes, spilled.consumer, spilled.context.spillFile)
  }

  /// Sets rows aside and returns the others; nil when none are left.
  func split(_ batch: Batch) throws(QueryError) -> Batch? {
    let n = batch.rowCount
    if numbers.byteCount < n {
      numbers = Buffer(byteCount: n)
      resident = Buffer(byteCount: (n + 16) * 4)
      others = Buffer(byteCount: (n + 16) * 4)
    }
    let own = numbers.typed(UInt8.self)
    partitioner.assign(batch, own)
    let (stay, leave) = (resident.typed(Int32.self), others.typed(Int32.self))
    var (staying, leaving) = (0, 0)
    var row = 0
    while row < n {
      stay[staying] = Int32(truncatingIfNeeded: row)
      leave[leaving] = Int32(truncatingIfNeeded: row)
      staying &+= bit(own[row] < first)
      leaving &+= bit(own[row] >= first)
      row &+= 1
    }
    if leaving == 0 { return batch }
    let aside = leaving == n ? batch : batch.take(leave, count: leaving)
    rows.add(aside) { out in for i in 0..<leaving { out[i] = own[Int(leave[i])] - first } }
    if rows.isScattered {
      if spilled.context.testing.spillsRows {
        try rows.spill()
      } else if rows.heldBytes > spilled.consumer.smallByteCount, !spilled.consumer.mayGrow(1 << 20) {
        try rows.spill(rows.heldBytes / 2)
      }
    }
    return staying == 0 ? nil : batch.take(stay, count: staying)
  }

  /// No more rows will come.
  func close() {
    rows.scatter()
    spilled.add(rows)
  }
}

/// Yields the probe rows of partitions on disk, each after its build rows have become a table that the operator behind joins with.
final class SpilledJoinSource: MorselSource, @unchecked Sendable {
  private let spilled: SpilledJoin
  private let build: JoinBuild
  private let builder: JoinBuilder
  private let specification: JoinProbeSpecification
  fileprivate let transforms = Mutex<[Int: SpilledJoinOperator.Transform]>([:])

  init(
    _ node: QueryProfile.Node, _ spilled: SpilledJoin, _ build: JoinBuild, _ builder: JoinBuilder,
    _ specification: JoinProbeSpecification
  ) {
    self.spilled = spilled
    self.build = build
    self.builder = builder
    self.specification = specification
    super.init(node)
  }

  override func prepare(_ scheduler: Scheduler) throws(QueryError) {
    // All other rows are joined.
    if spilled.isActive { build.clear() }
  }

  override var morselCount: Int { spilled.partitionCount }

  override func open(_ morsel: Int, _ worker: Worker) throws(QueryError) -> any BatchReader {
    let (build, probe) = spilled.take(morsel)
    return SpilledJoinReader(
      spilled, builder, specification.outcome, hasNullKeys: !self.build.nullKeyRows.isEmpty,
      transforms.withLock { $0[worker.index]! }, build: build, probe: probe)
  }

  override func release() {
    spilled.clear()
    transforms.withLock { $0 = [:] }
  }
}

/// Joins the rows of partitions that were on disk: the first operator behind their source.
final class SpilledJoinOperator: StreamingOperator, @unchecked Sendable {
  private let specification: JoinProbeSpecification
  private let source: SpilledJoinSource

  init(_ node: QueryProfile.Node, _ specification: JoinProbeSpecification, _ source: SpilledJoinSource) {
    self.specification = specification
    self.source = source
    super.init(node)
  }

  override func makeTransform(_ worker: Worker, next: BatchConsumer) throws(QueryError) -> BatchTransform {
    let transform = Transform(worker, metrics, next: next, specification)
    source.transforms.withLock { $0[worker.index] = transform }
    return transform
  }

  /// One worker's joining; its source says with what.
  final class Transform: BatchTransform, @unchecked Sendable {
    private let specification: JoinProbeSpecification
    private var probe: JoinProbe?
    private var build: JoinBuild?
    /// A byte per probe row that has found a partner in some pass; nil where one pass is enough.
    private var notes: Buffer?
    private var noted = 0
    private var isFinalPass = false

    init(_ worker: Worker, _ shared: OperatorMetrics, next: BatchConsumer, _ specification: JoinProbeSpecification) {
      self.specification = specification
      super.init(worker, shared, next: next)
    }

    /// Joins with other build rows from now on.
    ///
    /// - Parameters:
    ///   - notes: where partners of probe rows are noted, from the first row on.
    ///   - isFinalPass: whether all partners are noted.
    func begin(_ build: JoinBuild, notes: Buffer?, isFinalPass: Bool) throws(QueryError) {
      try end()
      var residual: PredicateEvaluator?
      if let predicate = specification.residual {
        residual = try PredicateEvaluator(
          predicate, inputs: specification.residualInputs.map(\.reference), session: worker.context.session)
      }
      self.build = build
      self.notes = notes
      self.isFinalPass = isFinalPass
      noted = 0
      probe = JoinProbe(worker, shared, next: next, specification, build, residual)
    }

    /// Hands on what the build rows so far still owe.
    ///

    func end() throws(QueryError) {
      try probe?.handOn()
      if let build, specification.outcome.marksBuildRows, !isFinalPass {
        var start = 0
        while start < build.rowCount {
          let end = min(start + worker.context.batchSize, build.rowCount)
          if let batch = JoinBuildRowsSource.rows(
            start..<end, build, specification.outputs, specification.outputTypes, wantsMatched: specification.outcome == .buildSemi)
          {
            try next.push(batch)
          }
          start = end
        }
      }
      probe = nil
      build = nil
    }

    override func consume(_ batch: Batch) throws(QueryError) {
      guard let probe else { return }
      if let notes {
        let flags = notes.typed(UInt8.self) + noted
        noted += batch.rowCount
        if isFinalPass { try probe.finish(batch, noted: flags) } else { try probe.join(batch, noting: flags) }
      } else {
        try probe.join(batch, noting: nil)
      }
    }

    override func flush() throws(QueryError) {
      try end()
      try next.flush()
    }
  }
}
