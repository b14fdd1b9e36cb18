import Columnar
import ObjectStore
import QueryErrors
import QueryPlan
import SQLExpressions

/// Runs a recursive query: the initial rows, then the step over each round's rows until one yields none.
final class RecursionStage: Stage, @unchecked Sendable {
  private let recursion: RecursionNode
  private let node: QueryProfile.Node
  private let result: CollectedBatches
  private let context: QueryContext
  private let commons: [Int: CollectedBatches]
  private let inputs: [Int: CollectedBatches]

  init(
    _ recursion: RecursionNode, _ node: QueryProfile.Node, _ result: CollectedBatches, _ context: QueryContext,
    commons: [Int: CollectedBatches], inputs: [Int: CollectedBatches]
  ) {
    self.recursion = recursion
    self.node = node
    self.result = result
    self.context = context
    self.commons = commons
    self.inputs = inputs
  }

  override func run(_ scheduler: Scheduler) throws(QueryError) {
    let types = recursion.outputs.map(\.type)
    let seen =
      recursion.isDistinct && !types.isEmpty
      ? GroupTable(KeyLayout(types, collides: context.testing.collidesHashes)) : nil
    let reservation = MemoryReservation(context.memory.register(node))
    var all: [Batch] = []
    var rounds = 0
    var latest = try newRows(try run(recursion.initial, previous: nil, scheduler), seen, types)
    while !latest.isEmpty {
      all += latest
      try reservation.grow(latest.reduce(0) { $0 + $1.approximateByteCount })
      if recursion.isDistinct, types.isEmpty { break }
      if rounds >= recursion.maxDepth {
        throw QueryError(
          .notSupported,
          "Recursion depth limit exceeded (\(recursion.maxDepth)). Use 'max_recursion_depth' session property to modify the limit.",
          at: recursion.range)
      }
      rounds += 1
      try context.cancellation.check()
      let previous = CollectedBatches()
      previous.set(latest)
      latest = try newRows(try run(recursion.step, previous: previous, scheduler), seen, types)
    }
    result.set(all)
    node.note("rounds", "\(rounds)")
  }

  /// All rows of one side of the recursion.
  private func run(
    _ plan: LogicalPlan, previous: CollectedBatches?, _ scheduler: Scheduler
  ) throws(QueryError) -> [Batch] {
    let planner = PhysicalPlanner(context)
    planner.commons = commons
    planner.recursionInputs = inputs
    if let previous { planner.recursionInputs[recursion.id] = previous }
    let outputs = plan.outputs
    let open = try planner.build(plan, outputs: outputs)
    if node.children.count < (previous == nil ? 1 : 2) { node.children.append(open.profile) }
    let collected = CollectedBatches()
    planner.close(open, CollectOperator(QueryProfile.Node("Collect"), context, collected, types: open.types, maySpill: false))
    try scheduler.run(planner.stages)
    // Names and lengths of types may differ between the sides.
    return collected.batches.map { batch in
      Batch(
        columns: zip(batch.columns, recursion.outputs).map { $0.retyped($1.type) }, rowCount: batch.rowCount)
    }
  }

  /// Rows not seen in an earlier round, each once; all of them for UNION ALL.
  private func newRows(_ batches: [Batch], _ seen: GroupTable?, _ types: [DataType]) throws(QueryError) -> [Batch] {
    let filled = batches.filter { $0.rowCount > 0 }
    guard let seen else { return filled }
    var result: [Batch] = []
    for batch in filled {
      let groups = Buffer(byteCount: (batch.rowCount + 16) * 4)
      let p = groups.typed(Int32.self)
      var next = Int32(seen.groupCount)
      try seen.assign(batch.columns, rowCount: batch.rowCount, into: p)
      // Group numbers grow with first occurrences, whatever the order in which codes were resolved.
      var count = 0
      var firsts: [Int32: Int32] = [:]
      for row in 0..<batch.rowCount where p[row] >= next && firsts[p[row]] == nil { firsts[p[row]] = Int32(row) }
      for row in firsts.values.sorted() {
        p[count] = row
        count += 1
      }
      next += Int32(count)
      if count > 0 { result.append(batch.take(p, count: count)) }
    }
    return result
  }
}
