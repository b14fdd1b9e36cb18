import QueryErrors
import QueryPlan
import SQLExpressions

/// Applies a rewrite to a plan and, once each, to the shared definitions it uses.
enum SharedDefinitions {
  /// - Parameter body: rewrites one tree, leaving `common` nodes as they are.
  static func rewrite(
    _ plan: LogicalPlan, _ body: (LogicalPlan) throws(QueryError) -> LogicalPlan
  ) throws(QueryError) -> LogicalPlan {
    try replacing(try body(plan)) { (definition) throws(QueryError) in try body(definition.plan) }
  }

  /// The plan with each shared definition's plan replaced, once.
  static func replacing(
    _ plan: LogicalPlan, _ body: (CommonDefinition) throws(QueryError) -> LogicalPlan
  ) throws(QueryError) -> LogicalPlan {
    var rewritten: [Int: CommonDefinition] = [:]
    func visit(_ plan: LogicalPlan) throws(QueryError) -> LogicalPlan {
      try plan.rewritten { (node) throws(QueryError) -> LogicalPlan in
        guard case .common(var common) = node else { return node }
        if let known = rewritten[common.definition.id] {
          common.definition = known
        } else {
          let old = common.definition
          let new = CommonDefinition(id: old.id, name: old.name, plan: try keepingOutputs(old.plan, visit(body(old))))
          rewritten[old.id] = new
          common.definition = new
        }
        return .common(common)
      }
    }
    return try visit(plan)
  }

  /// Uses refer to a definition's outputs by position, so they must stay what they were.
  private static func keepingOutputs(_ old: LogicalPlan, _ new: LogicalPlan) -> LogicalPlan {
    if old.outputs == new.outputs { return new }
    return .project(ProjectNode(input: new, selecting: old.outputs))
  }
}
