package import QueryErrors
package import QueryPlan
import SQLExpressions

/// Moves limits below projections and into unions and scans.
package struct PushDownLimits: OptimizerRule {
  package static let name = "push_down_limits"
  package init() {}

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    plan.rewritten { node in
      guard case .limit(var limit) = node, let count = limit.count else { return node }
      let (wanted, overflow) = count.addingReportingOverflow(limit.offset)
      if overflow { return node }
      if case .project(var project) = limit.input {
        limit.input = PushDownLimits.limited(project.input, wanted)
        project.input = .limit(limit)
        return .project(project)
      }
      limit.input = PushDownLimits.limited(limit.input, wanted)
      return .limit(limit)
    }
  }

  /// The plan, asked for no more than `count` rows where it can use that.
  private static func limited(_ plan: LogicalPlan, _ count: Int) -> LogicalPlan {
    switch plan {
    case .scan(var node):
      node.limit = min(node.limit ?? .max, count)
      return .scan(node)
    case .foreignScan(var node):
      node.limit = min(node.limit ?? .max, count)
      return .foreignScan(node)
    case .project(var node):
      node.input = limited(node.input, count)
      return .project(node)
    case .setOperation(var node) where node.kind == .union && node.isAll:
      node.inputs = node.inputs.map { .limit(LimitNode(input: limited($0, count), count: count)) }
      return .setOperation(node)
    default: return plan
    }
  }
}
