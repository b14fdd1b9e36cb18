import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions

/// Where the distinct outer values come from, made only when needed.
final class SubqueryDomain {
  let columns: [ColumnReference]
  let input: CommonDefinition
  private(set) var isUsed = false
  /// Shared subplans evaluated for the domain's values, by the id of the original.
  var shared: [Int: Shared] = [:]

  /// A shared subplan with the domain's columns beside its own.
  struct Shared {
    var definition: CommonDefinition
    /// Outer column → the definition's column that holds its value.
    var columns: [ColumnReference: ColumnReference]
  }
  /// Recursions being evaluated for the domain's values.
  var openRecursions: Set<Int> = []
  private var definition: CommonDefinition?
  private let context: OptimizerContext

  init(_ columns: [ColumnReference], input: CommonDefinition, _ context: OptimizerContext) {
    self.columns = columns
    self.input = input
    self.context = context
  }

  /// A use of the distinct outer values under names of its own.
  func use() -> (plan: LogicalPlan, map: [ColumnReference: ColumnReference]) {
    isUsed = true
    if definition == nil {
      let source = LogicalPlan.common(
        CommonNode(definition: input, outputs: input.plan.outputs.map { context.newColumn($0.name, $0.type) }))
      let indices = columns.map { column in input.plan.outputs.firstIndex(of: column)! }
      let keys = indices.map { source.outputs[$0] }
      let distinct = AggregateNode(
        input: source, keys: keys.map { AggregateNode.Key(input: $0, output: $0) }, calls: [])
      let projected = ProjectNode(input: .aggregate(distinct), selecting: keys)
      definition = CommonDefinition(id: context.newCommonID(), name: "domain", plan: .project(projected))
    }
    let outputs = columns.map { context.newColumn($0.name, $0.type) }
    let node = CommonNode(definition: definition!, outputs: outputs)
    return (.common(node), Dictionary(uniqueKeysWithValues: zip(columns, outputs)))
  }
}
