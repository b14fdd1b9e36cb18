package import Columnar
package import QueryErrors
package import QueryPlan
package import SQLExpressions

/// Runs logical plans.
package struct QueryExecutor {
  /// Computes `outputs` of a plan and hands the batches to `sink`, on the calling thread, in the plan's order.
  ///
  /// Workers run ahead of a slow consumer only so far. What the operators did stands in `context.profile` afterwards,
  /// also when the query fails.
  ///
  /// - Parameter sink: may throw to end the query; its error comes out of `execute`.
  /// - Throws: the first error of any worker.
  package static func execute(
    _ plan: LogicalPlan, outputs: [ColumnReference], context: QueryContext,
    sink: (Batch) throws(QueryError) -> Void
  ) throws(QueryError) {
    let planner = PhysicalPlanner(context)
    let frozen = try planner.build(plan, outputs: outputs)
    context.profile.addRoot(frozen.profile)
    let scheduler = Scheduler(context)
    defer { scheduler.close() }
    // The sink is called during `run` only, on this thread.
    try withoutActuallyEscaping(sink) { (sink) throws(QueryError) in
      let result = ResultOperator(QueryProfile.Node("Result"), context: context, deliver: sink)
      defer {
        planner.clear()
        result.close()
      }
      planner.close(frozen, result)
      try scheduler.run(planner.stages)
    }
  }

  /// All rows of a plan, for small results and tests.
  package static func collect(
    _ plan: LogicalPlan, outputs: [ColumnReference], context: QueryContext
  ) throws(QueryError) -> [Batch] {
    var batches: [Batch] = []
    try execute(plan, outputs: outputs, context: context) { (batch) throws(QueryError) in batches.append(batch) }
    return batches
  }
}
