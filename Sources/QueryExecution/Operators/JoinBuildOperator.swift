import Columnar
import QueryErrors

/// A join's build side: all its rows, and a table of their keys.
///
/// - Threads: filled by the build pipeline; read by the probe's workers, which also mark rows as matched.
final class JoinBuild: @unchecked Sendable {
  fileprivate(set) var rowCount = 0
  /// Flat columns of all rows, in the build layout; without rows where only the table needed them.
  fileprivate(set) var columns: [Column] = []
  /// nil for joins without keys.
  fileprivate(set) var table: JoinTable?
  /// The key columns, when the join is null-aware.
  fileprivate(set) var keyColumns: [Column] = []
  /// Per key whether NULL keeps a probe row from matching.
  fileprivate(set) var flagsNulls: [Bool] = []
  /// Per key how a probe row's value is told apart from the table's.
  fileprivate(set) var probeIdentities: [KeyIdentity] = []
  /// Rows with NULL in a key compared by `=`, when the join is null-aware.
  fileprivate(set) var nullKeyRows: [Int32] = []
  /// One byte per row, 1 once it found a partner; for joins that yield unmatched or matched build rows.
  fileprivate(set) var matched: Buffer?
  fileprivate var reservation: MemoryReservation?

  init() {}

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
final class JoinBuildOperator: SinkOperator, @unchecked Sendable {
  private let specification: JoinBuildSpecification
  private let context: QueryContext
  private let build: JoinBuild
  private let collected = CollectedBatches()
  private let collector: CollectOperator

  init(
    _ node: QueryProfile.Node, _ specification: JoinBuildSpecification, _ build: JoinBuild, _ context: QueryContext
  ) {
    self.specification = specification
    self.build = build
    self.context = context
    collector = CollectOperator(node, context, collected)
    super.init(node)
  }

  override func makeWriter(_ worker: Worker) throws(QueryError) -> BatchConsumer { try collector.makeWriter(worker) }

  override func finish(_ scheduler: Scheduler) throws(QueryError) {
    let start = monotonicNanoseconds()
    try collector.finish(scheduler)
    let rowCount = collected.rowCount
    if rowCount >= Int(Int32.max) - 64 {
      throw QueryError(.exceededLocalMemoryLimit, "The build side of a join has more than 2147483584 rows")
    }
    build.rowCount = rowCount
    let reservation = MemoryReservation(context.memory)
    let specification = self.specification
    build.columns = try collected.takeColumns(specification.types, scheduler) { index, pieces in
      let column = Column.joined(pieces, type: specification.types[index])
      let staysEncoded = column.isSmallDictionary && !specification.keys.contains(index)
      return staysEncoded ? column : column.flattened()
    }
    try reservation.set(build.columns.reduce(0) { $0 + $1.approximateByteCount })
    if !specification.keys.isEmpty { try buildTable(scheduler) }
    for index in build.columns.indices where !specification.kept.contains(index) {
      build.columns[index] = .nulls(specification.types[index], count: 0)
    }
    for column in build.columns { (column.base ?? column).heap?.outlivesBatches = true }
    try reservation.set(build.columns.reduce(0) { $0 + $1.approximateByteCount })
    if specification.marksMatched { build.matched = Buffer.zeroed(byteCount: rowCount) }
    try reservation.grow((build.table?.byteCount ?? 0) + (build.matched?.byteCount ?? 0))
    build.reservation = reservation
    metrics.note(stateBytes: reservation.byteCount)
    metrics.add(LocalMetrics(rowsOut: rowCount))
    metrics.add(nanoseconds: monotonicNanoseconds() - start)
  }

  private func buildTable(_ scheduler: Scheduler) throws(QueryError) {
    let keyColumns = specification.keys.map { build.columns[$0] }
    let (layout, flags) = specification.layout(keyColumns, collides: context.testing.collidesHashes)
    build.flagsNulls = flags
    build.probeIdentities = specification.nullsEqual.map { $0 ? .notDistinct : .equal }
    if specification.isNullAware { build.keyColumns = keyColumns }
    let keys = try JoinKeys(layout, keyColumns, rowCount: build.rowCount, flagsNulls: flags, scheduler)
    if specification.isNullAware, let nulls = keys.nullFlags {
      build.nullKeyRows = (0..<build.rowCount).filter { nulls[$0] != 0 }.map { Int32($0) }
    }
    let set = try keys.integerSet(scheduler)
    let table = try JoinTable(keys, set, scheduler)
    build.table = table
    for (id, key) in specification.dynamicFilters where key < specification.keys.count && flags[key] {
      if specification.keys.count == 1 {
        context.dynamicFilters.publish(keys.makeFilter(set), id: id)
      } else {
        try publish(keyColumns[key], id, scheduler)
      }
    }
    node.note("unique", table.isUnique ? "yes" : "no")
  }

  /// The filter of one of several keys.
  private func publish(_ column: Column, _ id: Int, _ scheduler: Scheduler) throws(QueryError) {
    let layout = KeyLayout([column.type], collides: context.testing.collidesHashes)
    let keys = try JoinKeys(layout, [column], rowCount: column.count, flagsNulls: [true], scheduler)
    context.dynamicFilters.publish(keys.makeFilter(try keys.integerSet(scheduler)), id: id)
  }
}
