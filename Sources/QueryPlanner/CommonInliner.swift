import QueryPlan
import SQLExpressions

/// Puts definitions of WITH queries that are used once in the place of their use.
struct CommonInliner {
  private var useCounts: [Int: Int] = [:]
  private var rewritten: [Int: CommonDefinition] = [:]

  static func inline(_ plan: LogicalPlan) -> LogicalPlan {
    var inliner = CommonInliner()
    inliner.count(plan)
    if inliner.useCounts.isEmpty { return plan }
    return inliner.rewrite(plan)
  }

  private mutating func count(_ plan: LogicalPlan) {
    if case .common(let node) = plan {
      useCounts[node.definition.id, default: 0] += 1
      if useCounts[node.definition.id] == 1 { count(node.definition.plan) }
      return
    }
    for child in plan.children { count(child) }
  }

  private mutating func rewrite(_ plan: LogicalPlan) -> LogicalPlan {
    guard case .common(var node) = plan else {
      var children: [LogicalPlan] = []
      for child in plan.children { children.append(rewrite(child)) }
      return children.isEmpty ? plan : plan.withChildren(children)
    }
    let definition = node.definition
    if useCounts[definition.id] == 1 {
      let input = rewrite(definition.plan)
      let assignments = zip(node.outputs, input.outputs).map { ProjectNode.Assignment($0, .column($1)) }
      return .project(ProjectNode(input: input, assignments: assignments))
    }
    if let known = rewritten[definition.id] {
      node.definition = known
    } else {
      let new = CommonDefinition(id: definition.id, name: definition.name, plan: rewrite(definition.plan))
      rewritten[definition.id] = new
      node.definition = new
    }
    return .common(node)
  }
}
