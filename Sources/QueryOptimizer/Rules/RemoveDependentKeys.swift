import Columnar
package import QueryErrors
package import QueryPlan
import SQLExpressions

/// `GROUP BY x, x + 1, 'a'` groups by `x` alone: keys that other keys decide are computed once a group, behind the grouping.
package struct RemoveDependentKeys: OptimizerRule {
  package static let name = "remove_dependent_keys"
  package init() {}

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    plan.rewritten { node in
      guard case .aggregate(var aggregate) = node, aggregate.keys.count > 1,
        aggregate.groupingSets == [Array(aggregate.keys.indices)], aggregate.groupingSetIndex == nil,
        case .project(let project) = aggregate.input
      else { return node }
      // What is below the projection, as the grouping's keys carry it.
      var carried: [ColumnID: Expression] = [:]
      var values: [ColumnID: Expression] = [:]
      for key in aggregate.keys {
        guard let value = project.assignments.first(where: { $0.reference == key.input })?.expression else { return node }
        values[key.input.id] = value
        if let column = value.columnReference { carried[column.id] = .column(key.output) }
      }
      func isDependent(_ key: AggregateNode.Key) -> Bool {
        let value = values[key.input.id]!
        if value.columnReference != nil || !value.isDeterministic { return false }
        return value.columnsUsed.allSatisfy { carried[$0.id] != nil }
      }
      var kept = aggregate.keys.filter { !isDependent($0) }
      // Of constants alone one stays: no rows make no group.
      if kept.isEmpty { kept = [aggregate.keys[0]] }
      if kept.count == aggregate.keys.count { return node }
      let assignments = aggregate.outputs.map { output -> ProjectNode.Assignment in
        guard let key = aggregate.keys.first(where: { $0.output == output }), !kept.contains(key) else {
          return .init(output, .column(output))
        }
        return .init(output, values[key.input.id]!.replacing(carried))
      }
      aggregate.keys = kept
      aggregate.groupingSets = [Array(kept.indices)]
      return .project(ProjectNode(input: .aggregate(aggregate), assignments: assignments))
    }
  }
}
