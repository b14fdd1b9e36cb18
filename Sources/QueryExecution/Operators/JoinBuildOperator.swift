import Columnar
import QueryErrors

/// A join's build side: all its rows, and a table of their keys.
///
/// - Threads: filled by the build pipeline; read by the probe's workers, which also mark rows as matched.
final class JoinBuild: @unchecked Sendable {
  var rowCount = 0
  /// Flat columns of all rows, in the build layout; without rows where only the table needed them.
  var columns: [Column] = []
  /// nil for joins without keys.
  var table: JoinTable?
  /// The key columns, when the join is null-aware.
  var keyColumns: [Column] = []
  /// Per key whether NULL keeps a probe row from matching.
  var flagsNulls: [Bool] = []
  /// Per key how a probe row's value is told apart from the table's.
  var probeIdentities: [KeyIdentity] = []
  /// Rows with NULL in a key compared by `=`, when the join is null-aware.
  var nullKeyRows: [Int32] = []
  /// One byte per row, 1 once it found a partner; for joins that yield unmatched or matched build rows.
  var matched: Buffer?
  var reservation: MemoryReservation?
  /// The rows that memory has no room for.
  var spilled: SpilledJoin?
  /// Whether rows with NULL in their key are in another part of the build side.
  var hasOtherNullKeys = false

  init() {}

  /// Whether some rows are on disk.
  var isSpilled: Bool { spilled?.isActive ?? false }

  /// Lets the memory go.
  func clear() {
    columns = []
    keyColumns = []
    table = nil
    matched = nil
    reservation = nil
  }
}

/// What a join's build side has to make.
struct JoinBuildSpecification {
  /// Positions of columns that are read beside the table.
  var kept: Set<Int>
  /// Positions of the key columns; their types.
  var keys: [Int]
  var keyTypes: [DataType]
  /// Per key: `IS NOT DISTINCT FROM`.
  var nullsEqual: [Bool]
  var types: [DataType]
  var isNullAware: Bool
  var marksMatched: Bool
  /// Filter id → key index.
  var dynamicFilters: [Int: Int]

  /// How keys lie in words, and which keys' NULLs keep a row from matching.
  ///
  /// `IS NOT DISTINCT FROM` is `=` where the build side has no NULL to match one.
  func layout(_ keyColumns: [Column], collides: Bool) -> (KeyLayout, flagsNulls: [Bool]) {
    let flags = zip(nullsEqual, keyColumns).map { nullsEqual, column in !nullsEqual || column.validity == nil }
    return (KeyLayout(keyTypes, flagsNulls: flags, collides: collides), flags)
  }
}

/// Gathers the build side of a join and builds its table with all workers.
///
/// Where memory does not hold all rows and their table, the rows are partitioned, and the last partitions go to disk.
final class JoinBuildOperator: SinkOperator, @unchecked Sendable {
  private let build: JoinBuild
  private let collector: PartitionedCollector
  let spilled: SpilledJoin
  let builder: JoinBuilder
  private let dynamicFilters: [Int: Int]
  private let context: QueryContext

  init(
    _ node: QueryProfile.Node, _ specification: JoinBuildSpecification, _ build: JoinBuild, _ context: QueryContext
  ) {
    self.build = build
    let consumer = context.memory.register(node)
    let spilled = SpilledJoin(specification, consumer, context)
    self.spilled = spilled
    builder = JoinBuilder(specification, consumer, node, context)
    collector = PartitionedCollector(
      specification.types, consumer, context, partitionCount: JoinPartitioner.count,
      rowOverhead: JoinBuilder.rowOverhead(specification), residentCount: 1, maySpill: { spilled.maySpill }
    ) { _ in spilled.makeBuildPartitioner() }
    dynamicFilters = specification.dynamicFilters
    self.context = context
    build.spilled = spilled
    super.init(node)
  }

  override func makeWriter(_ worker: Worker) throws(QueryError) -> BatchConsumer { collector.makeWriter(worker, metrics) }

  override func finish(_ scheduler: Scheduler) throws(QueryError) {
    let start = monotonicNanoseconds()
    let collected = CollectedBatches()
    switch try collector.finish(scheduler) {
    case .whole(let batches, let reservation): collected.set(batches, reservation)
    case .partitioned(let runs, let first):
      var batches: [Batch] = []
      for run in runs[..<first] {
        let reader = run.consumingReader()
        while let batch = try reader.next() { batches.append(batch) }
      }
      collected.set(batches)
      if first < runs.count {
        spilled.begin(Array(runs[first...]), first: first)
        node.note("rows on disk", QueryProfile.grouped(spilled.buildRowCount))
        if let filter = spilled.makeFilter() {
          for (id, key) in dynamicFilters where key == 0 { context.dynamicFilters.publish(filter, id: id) }
        }
      }
    }
    try builder.make(build, collected, scheduler, publishes: !spilled.isActive)
    metrics.add(LocalMetrics(rowsOut: build.rowCount + spilled.buildRowCount))
    metrics.add(nanoseconds: monotonicNanoseconds() - start)
  }
}
