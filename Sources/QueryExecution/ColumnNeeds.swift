import QueryPlan
import SQLExpressions

/// Finds out which columns of shared subplans are used anywhere, so that the others are not computed.
///
/// A shared subplan is computed before its uses are built; what all of them need together has to be known by then.
struct ColumnNeeds {
  /// Positions in a definition's outputs, by its id.
  private(set) var commons: [Int: Set<Int>] = [:]

  /// Goes through a plan whose outputs `needed` are wanted.
  mutating func visit(_ plan: LogicalPlan, _ needed: Set<ColumnID>) {
    if case .common(let node) = plan {
      let positions = Set(node.outputs.indices.filter { needed.contains(node.outputs[$0].id) })
      let known = commons[node.definition.id]
      if let known, positions.isSubset(of: known) { return }
      let all = positions.union(known ?? [])
      commons[node.definition.id] = all
      let outputs = node.definition.plan.outputs
      visit(node.definition.plan, Set(all.map { outputs[$0].id }))
      return
    }
    for (child, wanted) in zip(plan.children, ColumnNeeds.children(plan, needed)) { visit(child, wanted) }
  }

  /// What a node needs of each child; never less than building it asks for.
  private static func children(_ plan: LogicalPlan, _ needed: Set<ColumnID>) -> [Set<ColumnID>] {
    switch plan {
    case .project(let node):
      var used: Set<ColumnID> = []
      for assignment in node.assignments where needed.contains(assignment.reference.id) {
        used.formUnion(assignment.expression.columnsUsed.map(\.id))
      }
      return [used]
    case .aggregate(let node):
      var used = Set(node.keys.map(\.input.id))
      for call in node.calls where needed.contains(call.reference.id) {
        for argument in call.arguments { used.formUnion(argument.columnsUsed.map(\.id)) }
        if let filter = call.filter { used.insert(filter.id) }
        used.formUnion(call.ordering.map(\.column.id))
      }
      return [used]
    case .unnest(let node):
      return [Set(node.kept.filter { needed.contains($0.id) }.map(\.id)).union(node.items.map(\.column.id))]
    case .setOperation(let node):
      let isWhole = node.kind != .union || !node.isAll
      let kept = node.outputs.indices.filter { isWhole || needed.contains(node.outputs[$0].id) }
      return node.inputs.map { input in
        let outputs = input.outputs
        return Set(kept.map { outputs[$0].id })
      }
    case .recursion(let node):
      return [Set(node.initial.outputs.map(\.id)), Set(node.step.outputs.map(\.id))]
    default:
      var wanted = needed
      wanted.formUnion(plan.columnsRead.map(\.id))
      return plan.children.map { _ in wanted }
    }
  }
}
