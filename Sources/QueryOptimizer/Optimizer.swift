package import QueryErrors
package import QueryPlan

/// Makes a bound plan cheaper, rule by rule.
package enum Optimizer {
  /// The rules, in the order they run. Why it is this order:
  /// - Subqueries become joins first, so that all other rules see joins only.
  /// - What the uses of a shared subplan filter on is known once filters stand right above the uses.
  /// - Files are listed once filters have reached the scans; estimates need the files; join order needs estimates.
  /// - What is computed twice is looked for while plans still look alike: once filters are in place, before columns are
  ///   pruned and joins reordered. Windows first, since they need neither of the two.
  /// - Filters move before columns are pruned, since a filter needs its columns at its new place.
  /// - Foreign sources are offered what has reached their scans once nothing more will.
  /// - Join order moves conditions, so filters and columns are pushed once more behind it.
  package static let rules: [any OptimizerRule.Type] = [
    SimplifyExpressions.self,
    DecorrelateSubqueries.self,
    SimplifyExpressions.self,
    PushDownFilters.self,
    PushDownSharedFilters.self,
    FactorConstantsFromSums.self,
    RemoveDependentKeys.self,
    ListFiles.self,
    ReplaceSelfJoinsByWindows.self,
    ShareEqualSubplans.self,
    PruneColumns.self,
    AnswerFromMetadata.self,
    ReorderJoins.self,
    PushDownFilters.self,
    PruneColumns.self,
    MergeLimitWithSort.self,
    PushDownLimits.self,
    OfferToSources.self,
    RelaxNullSafeKeys.self,
    SplitDistinctAggregates.self,
    ChooseBuildSides.self,
    AddDynamicFilters.self,
  ]

  /// - Throws: `STACK_OVERFLOW` for plans that are nested too deeply to be executed; what folding constants and listing
  ///   files throw.
  package static func optimize(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    let optimized = try PlanDepth.withStack(for: plan) { () throws(QueryError) in try applyRules(plan, context) }
    try PlanDepth.check(optimized, limit: PlanDepth.largestExecutable)
    return optimized
  }

  private static func applyRules(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    var plan = plan
    for rule in rules {
      guard rule.isRequired || (context.isEnabled && !context.disabledRules.contains(rule.name)) else { continue }
      if rule.isWholePlan {
        plan = try rule.init().rewrite(plan, context)
      } else {
        plan = try SharedDefinitions.rewrite(plan) { (part) throws(QueryError) in
          try rule.init().rewrite(part, context)
        }
      }
      #if DEBUG
        do throws(QueryError) { try PlanValidator.validate(plan) } catch {
          throw .internalError("after \(rule.name): \(error.message)\n\(PlanPrinter.print(plan))")
        }
      #endif
    }
    return plan
  }

  /// The plan with estimates, as EXPLAIN prints it.
  package static func explain(_ plan: LogicalPlan) -> String {
    var estimator = CardinalityEstimator()
    return PlanPrinter.print(plan) { node in
      let rows = estimator.estimate(node).rows
      return "{rows: \(rows < 1e15 ? String(Int(rows.rounded())) : String(rows))}"
    }
  }
}
