import Columnar
package import QueryErrors
package import SQLExpressions

/// Checks that every node finds the columns it reads among its inputs, with the types it expects.
package enum PlanValidator {
  /// - Parameter outer: columns a correlated subplan may use besides its inputs'.
  /// - Throws: an internal error that names the node.
  package static func validate(_ plan: LogicalPlan, outer: Set<ColumnReference> = []) throws(QueryError) {
    var known: Set<Int> = []
    try validate(plan, outer, &known)
  }

  /// - Parameter known: shared definitions that need no second look.
  private static func validate(
    _ plan: LogicalPlan, _ outer: Set<ColumnReference>, _ known: inout Set<Int>
  ) throws(QueryError) {
    if case .common(let node) = plan, !known.insert(node.definition.id).inserted { return }
    let children = plan.children
    var available: [ColumnReference] = []
    for child in children { available += child.outputs }
    if case .scan(let node) = plan { available += node.columns.map(\.reference) }
    if case .foreignScan(let node) = plan { available += node.columns.map(\.reference) }
    for column in plan.columnsRead where !outer.contains(column) && !holds(available, column) {
      throw .internalError(
        "\(PlanPrinter.describe(plan)) reads \(column.name)\(column.id), which no input yields")
    }
    if case .setOperation(let node) = plan {
      for input in node.inputs where input.outputs.map(\.type) != node.outputs.map(\.type) {
        throw .internalError("inputs of a set operation have types \(input.outputs.map(\.type)), not \(node.outputs.map(\.type))")
      }
    }
    if case .join(let node) = plan {
      for key in node.keys where key.left.type != key.right.type {
        throw .internalError("join keys \(key.left.name) and \(key.right.name) differ in type")
      }
    }
    if case .apply(let node) = plan {
      try validate(node.input, outer, &known)
      try validate(node.subquery, outer.union(node.input.outputs), &known)
      return
    }
    for child in children { try validate(child, outer, &known) }
  }
  private static func holds(_ columns: [ColumnReference], _ column: ColumnReference) -> Bool {
    var i = 0
    while i < columns.count, columns[i] != column { i += 1 }
    return i < columns.count
  }
}
