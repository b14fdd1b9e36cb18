import Columnar
import QueryErrors

/// Makes the table of a join of build rows: of all of them, or of a partition's.
///
/// - Threads: any.
final class JoinBuilder: @unchecked Sendable {
  private let specification: JoinBuildSpecification
  private let context: QueryContext
  private let consumer: MemoryConsumer
  private let node: QueryProfile.Node

  init(
    _ specification: JoinBuildSpecification, _ consumer: MemoryConsumer, _ node: QueryProfile.Node, _ context: QueryContext
  ) {
    self.specification = specification
    self.consumer = consumer
    self.node = node
    self.context = context
  }

  /// Bytes a row takes beside its columns.
  static func rowOverhead(_ specification: JoinBuildSpecification) -> Int {
    if specification.keys.isEmpty { return 0 }
    let words = specification.keyTypes.reduce(0) { $0 + max(1, ($1.physicalType.byteWidth + 7) / 8) }
    // Key words and their hash, a slot that is at most half full, and the chain.
    return words * 8 + 8 + 24 + 4
  }

  /// Bytes that a table of so many rows takes.
  func byteCount(rowCount: Int, columns: Int) -> Int { columns + rowCount * JoinBuilder.rowOverhead(specification) }

  /// - Parameter publishes: whether the keys are all there are, so that the probe side's scan may skip others.
  func make(
    _ build: JoinBuild, _ collected: CollectedBatches, _ scheduler: Scheduler, publishes: Bool
  ) throws(QueryError) {
    let rowCount = collected.rowCount
    if rowCount >= Int(Int32.max) - 64 {
      throw QueryError(.exceededLocalMemoryLimit, "The build side of a join has more than 2147483584 rows")
    }
    build.rowCount = rowCount
    let reservation = MemoryReservation(consumer)
    let specification = self.specification
    build.columns = try collected.takeColumns(specification.types, scheduler) { index, pieces in
      if pieces.isEmpty { return .empty(specification.types[index]) }
      let column = Column.joined(pieces, type: specification.types[index])
      let staysEncoded = column.isSmallDictionary && !specification.keys.contains(index)
      return staysEncoded ? column : column.flattened()
    }
    try reservation.set(build.columns.reduce(0) { $0 + $1.approximateByteCount })
    if !specification.keys.isEmpty { try buildTable(build, scheduler, publishes) }
    for index in build.columns.indices where !specification.kept.contains(index) {
      build.columns[index] = .nulls(specification.types[index], count: 0)
    }
    for column in build.columns { (column.base ?? column).heap?.outlivesBatches = true }
    try reservation.set(build.columns.reduce(0) { $0 + $1.approximateByteCount })
    if specification.marksMatched { build.matched = Buffer.zeroed(byteCount: rowCount) }
    try reservation.grow((build.table?.byteCount ?? 0) + (build.matched?.byteCount ?? 0))
    build.reservation = reservation
  }

  private func buildTable(_ build: JoinBuild, _ scheduler: Scheduler, _ publishes: Bool) throws(QueryError) {
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
    guard publishes else { return }
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
