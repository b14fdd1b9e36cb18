package import QueryErrors
package import QueryPlan
import SQLExpressions

/// Sort + Limit → TopN, when the limit is small enough to keep in memory cheaply; nested limits become one.
package struct MergeLimitWithSort: OptimizerRule {
  package static let name = "merge_limit_with_sort"
  package init() {}

  /// From here on a full sort is as good.
  private static let maximumTopNCount = 1_000_000

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    plan.rewritten { node in
      guard case .limit(let limit) = node, let count = limit.count else { return node }
      switch limit.input {
      case .sort(let sort) where count.addingReportingOverflow(limit.offset).partialValue <= MergeLimitWithSort.maximumTopNCount:
        return .topN(TopNNode(input: sort.input, keys: sort.keys, offset: limit.offset, count: count))
      case .project(var project):
        // Rows are limited before they are computed, and the sort may lie below.
        if case .sort(let sort) = project.input, count + limit.offset <= MergeLimitWithSort.maximumTopNCount {
          project.input = .topN(TopNNode(input: sort.input, keys: sort.keys, offset: limit.offset, count: count))
          return .project(project)
        }
        return node
      default: return node
      }
    }
  }
}
