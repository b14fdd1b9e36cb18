package import QueryErrors
package import QueryPlan
import SQLExpressions
import SQLFunctions

/// Turns DISTINCT calls that all have the same arguments into plain calls over distinct rows:
///
///     count(DISTINCT x) by k   →   count(x) by k over (distinct k, x)
///
/// The inner aggregation is spread over all workers by (k, x), however few groups k makes. Where k makes many, the calls
/// themselves are spread well enough, and keep a group's number with each x instead of all its keys.
package struct SplitDistinctAggregates: OptimizerRule {
  package static let name = "split_distinct_aggregates"
  package init() {}

  /// Groups from which on they are many.
  private static let manyGroups = Double(1 << 14)

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    var estimator = CardinalityEstimator()
    return plan.rewritten { node in
      guard case .aggregate(let aggregate) = node, let split = SplitDistinctAggregates.split(aggregate),
        estimator.estimate(node).rows < SplitDistinctAggregates.manyGroups
      else { return node }
      return .aggregate(split)
    }
  }

  private static func split(_ node: AggregateNode) -> AggregateNode? {
    var outer = node
    for index in outer.calls.indices where outer.calls[index].function.ignoresDuplicates {
      outer.calls[index].isDistinct = false
    }
    guard let first = outer.calls.first, node.groupingSets.count == 1, node.groupingSets[0].count == node.keys.count,
      node.groupingSetIndex == nil
    else { return nil }
    let columns = first.arguments.compactMap(\.columnReference)
    guard !columns.isEmpty, columns.count == first.arguments.count,
      outer.calls.allSatisfy({ $0.isDistinct && $0.filter == nil && $0.ordering.isEmpty && $0.arguments == first.arguments })
    else { return nil }
    var keys: [AggregateNode.Key] = []
    for column in node.keys.map(\.input) + columns where !keys.contains(where: { $0.input == column }) {
      keys.append(AggregateNode.Key(input: column, output: column))
    }
    outer.input = .aggregate(AggregateNode(input: node.input, keys: keys, calls: []))
    for index in outer.calls.indices { outer.calls[index].isDistinct = false }
    return outer
  }
}
