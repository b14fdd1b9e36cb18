package import Columnar
package import QueryErrors
package import QueryPlan
package import SQLExpressions

/// Runs logical plans.
package struct QueryExecutor {
  /// Computes `outputs` of a plan and hands the batches to `sink`.
  ///
  /// The calling thread is one of the workers. Workers run ahead of a slow consumer only so far. What the operators did
  /// stands in `context.profile` afterwards, also when the query fails.
  ///
  /// - Throws: the first error of any worker or of the sink.
  package static func execute(
    _ plan: LogicalPlan, outputs: [ColumnReference], context: QueryContext, into sink: RowSink
  ) throws(QueryError) {
    let payer = MemoryAccount.bind(context.memory.account)
    defer { MemoryAccount.bind(payer) }
    let planner = PhysicalPlanner(context)
    let frozen = try planner.build(plan, outputs: outputs)
    context.profile.addRoot(frozen.profile)
    let scheduler = Scheduler(context)
    defer { scheduler.close() }
    let end: SinkOperator
    switch sink {
    case .inOrder(let deliver):
      end = ResultOperator(
        QueryProfile.Node("Result"), context: context, prepare: { PreparedBatch(batch: $0, rowCount: $0.rowCount) },
        deliver: { (prepared) throws(QueryError) in try deliver(prepared.batch!) })
    case .prepared(let prepare, let deliver):
      end = ResultOperator(QueryProfile.Node("Result"), context: context, prepare: prepare, deliver: deliver)
    case .parallel(let sink): end = ParallelSinkOperator(QueryProfile.Node("Write"), sink)
    case .files(let layout, let target): end = WriteOperator(QueryProfile.Node("Write"), context, layout, target)
    }
    defer {
      planner.clear()
      (end as? ResultOperator)?.close()
    }
    planner.close(frozen, end)
    try scheduler.run(planner.stages)
  }

  /// All rows of a plan, for small results and tests.
  package static func collect(
    _ plan: LogicalPlan, outputs: [ColumnReference], context: QueryContext
  ) throws(QueryError) -> [Batch] {
    var batches: [Batch] = []
    try execute(
      plan, outputs: outputs, context: context,
      into: .inOrder { (batch) throws(QueryError) in batches.append(batch) })
    return batches
  }
}
