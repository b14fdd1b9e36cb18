package import QueryErrors
package import QueryPlan
import SQLExpressions

/// Hashes the smaller input of each join.
package struct ChooseBuildSides: OptimizerRule {
  package static let name = "choose_build_sides"
  package init() {}

  /// How much smaller the left side must be to be hashed instead for kinds where that costs more.
  private static let outerFactor = 3.0

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    var estimator = CardinalityEstimator()
    return plan.rewritten { node in
      guard case .join(var join) = node, !join.keys.isEmpty else { return node }
      let (left, right) = (estimator.estimate(join.left).rows, estimator.estimate(join.right).rows)
      switch join.kind {
      case .inner: join.buildsLeft = left < right
      case .left, .semi, .anti, .full, .right:
        join.buildsLeft = !join.isNullAware && left * ChooseBuildSides.outerFactor < right
      case .mark: join.buildsLeft = false
      }
      return .join(join)
    }
  }
}
