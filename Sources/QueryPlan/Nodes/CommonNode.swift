import Columnar
package import QueryErrors
package import SQLExpressions

/// One use of a subplan that several places of the query share and that is computed once.
package struct CommonNode: Sendable {
  package var definition: CommonDefinition
  /// This use's own names for the definition's outputs, by position.
  package var outputs: [ColumnReference]

  package init(definition: CommonDefinition, outputs: [ColumnReference]) {
    self.definition = definition
    self.outputs = outputs
  }
}

/// A shared subplan (a WITH query used more than once, or equal subtrees the optimizer found).
package final class CommonDefinition: Sendable {
  package let id: Int
  package let name: String
  package let plan: LogicalPlan
  /// As `PlanDepth` counts it.
  let depth: Int

  package init(id: Int, name: String, plan: LogicalPlan) {
    self.id = id
    self.name = name
    self.plan = plan
    depth = PlanDepth.of(plan)
  }
}

/// WITH RECURSIVE: `initial`, then `step` over the rows of the round before, until a round yields none.
package struct RecursionNode: Sendable {
  package var id: Int
  package var name: String
  package var initial: LogicalPlan
  package var step: LogicalPlan
  package var outputs: [ColumnReference]
  /// UNION instead of UNION ALL: rows seen before do not count.
  package var isDistinct: Bool
  /// More rounds than this fail the query (Trino's `max_recursion_depth`).
  package var maxDepth: Int
  package var range: SourceRange?

  package init(
    id: Int, name: String, initial: LogicalPlan, step: LogicalPlan, outputs: [ColumnReference], isDistinct: Bool,
    maxDepth: Int = 10, range: SourceRange? = nil
  ) {
    self.id = id
    self.name = name
    self.initial = initial
    self.step = step
    self.outputs = outputs
    self.isDistinct = isDistinct
    self.maxDepth = maxDepth
    self.range = range
  }
}

/// The rows of the round before, inside a recursion's step.
package struct RecursionInputNode: Sendable {
  /// The `RecursionNode`'s id.
  package var id: Int
  package var outputs: [ColumnReference]
  package init(id: Int, outputs: [ColumnReference]) {
    self.id = id
    self.outputs = outputs
  }
}
