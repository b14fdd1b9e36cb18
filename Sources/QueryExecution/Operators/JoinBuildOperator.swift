import Columnar
import Glibc
import QueryErrors
import Synchronization

/// A join's build side: all its rows, and a table of their keys.
///
/// - Threads: filled by the build pipeline; read by the probe's workers, which also mark rows as matched.
final class JoinBuild: @unchecked Sendable {
  fileprivate(set) var rowCount = 0
  /// Flat columns of all rows, in the build layout.
  fileprivate(set) var columns: [Column] = []
  /// nil for joins without keys.
  fileprivate(set) var table: JoinTable?
  /// The key columns among `columns`.
  fileprivate(set) var keyColumns: [Column] = []
  /// Per key whether NULL keeps a probe row from matching.
  fileprivate(set) var flagsNulls: [Bool] = []
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
    return (KeyLayout(keyTypes, allowsInteger: flags.first ?? true, collides: collides), flags)
  }
}

/// Gathers the build side of a join and builds its table with all workers.
final class JoinBuildOperator: SinkOperator, @unchecked Sendable {
  private let specification: JoinBuildSpecification
  private let context: QueryContext
  private let build: JoinBuild
  private let collected = CollectedBatches()
  private let collector: CollectOperator

  private static let rowsPerTask = 1 << 16

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
    build.columns = try collected.columns(specification.types, scheduler) { $0.flattened() }
    collected.clear()
    try reservation.set(build.columns.reduce(0) { $0 + $1.approximateByteCount })
    if !specification.keys.isEmpty { try buildTable(scheduler) }
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
    let (n, w) = (build.rowCount, layout.wordCount)
    let words = Buffer(byteCount: n * w * 8)
    let hashes = layout.isInteger ? nil : Buffer(byteCount: n * 8)
    build.keyColumns = keyColumns
    let hasNulls = zip(keyColumns, flags).contains { $0.validity != nil && $1 }
    let nulls = hasNulls ? Buffer.zeroed(byteCount: n) : nil
    let encoded = Mutex<[Column]>([])
    let keep = EncodedColumns(encoded)
    let tasks = (n + JoinBuildOperator.rowsPerTask - 1) / JoinBuildOperator.rowsPerTask
    try scheduler.forEach(tasks) { (task) throws(QueryError) in
      let first = task * JoinBuildOperator.rowsPerTask
      let count = min(JoinBuildOperator.rowsPerTask, n - first)
      let rows = KeyRows(layout, flagsNulls: flags)
      rows.fill(keyColumns.map { $0.slice(offset: first, count: count) }, rowCount: count, wantsHashes: hashes != nil)
      memcpy(words.pointer + first * w * 8, rows.words, count * w * 8)
      if let hashes { memcpy(hashes.pointer + first * 8, rows.hashes, count * 8) }
      if let nulls, rows.hasNulls { memcpy(nulls.pointer + first, rows.nulls, count) }
      keep.add(rows.encoded)
    }
    if specification.isNullAware, let nulls {
      let p = nulls.typed(UInt8.self)
      build.nullKeyRows = (0..<n).filter { p[$0] != 0 }.map { Int32($0) }
    }
    let table = try JoinTable(
      layout, rowCount: n, words: words, hashes: hashes, nulls: nulls, heap: keep, scheduler: scheduler)
    build.table = table
    for (id, key) in specification.dynamicFilters where key < specification.keys.count {
      if !flags[key] { continue }
      if specification.keys.count == 1 {
        context.dynamicFilters.publish(table.makeFilter(), id: id)
      } else {
        try publish(keyColumns[key], id, scheduler)
      }
    }
    table.dropKeys()
    node.note("unique", table.isUnique ? "yes" : "no")
  }

  /// The filter of one of several keys: a table of that key alone would cost; its values do.
  private func publish(_ column: Column, _ id: Int, _ scheduler: Scheduler) throws(QueryError) {
    let layout = KeyLayout([column.type], collides: context.testing.collidesHashes)
    let rows = KeyRows(layout, flagsNulls: [true])
    rows.fill([column], rowCount: column.count)
    let n = column.count
    let words = Buffer(byteCount: n * layout.wordCount * 8)
    memcpy(words.pointer, rows.words, n * layout.wordCount * 8)
    let hashes = Buffer(byteCount: n * 8)
    memcpy(hashes.pointer, rows.hashes, n * 8)
    var nulls: Buffer?
    if rows.hasNulls {
      let flags = Buffer(byteCount: n)
      memcpy(flags.pointer, rows.nulls, n)
      nulls = flags
    }
    if !layout.isInteger, let validity = column.validity {
      let flags = Buffer(byteCount: n)
      let p = flags.typed(UInt8.self)
      for row in 0..<n { p[row] = validity[row] ? 0 : 1 }
      nulls = flags
    }
    let table = try JoinTable(
      layout, rowCount: n, words: words, hashes: hashes, nulls: nulls, heap: nil, scheduler: scheduler)
    context.dynamicFilters.publish(table.makeFilter(), id: id)
  }
}

/// Columns that must live as long as a table does.
private final class EncodedColumns: @unchecked Sendable {
  private let columns: Mutex<[Column]>
  init(_ columns: consuming Mutex<[Column]>) { self.columns = columns }
  func add(_ more: [Column]) { if !more.isEmpty { columns.withLock { $0 += more } } }
}
