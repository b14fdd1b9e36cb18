import Columnar
import QueryPlan
import SQLExpressions
import SQLFunctions

/// Adds columns for expressions on top of a plan, for nodes that want plain columns.
struct Materializer {
  private let binder: Binder
  private let base: LogicalPlan
  private let available: Set<ColumnReference>
  private var assignments: [ProjectNode.Assignment] = []
  private var known: [Expression: ColumnReference] = [:]

  init(_ binder: Binder, _ base: LogicalPlan) {
    self.binder = binder
    self.base = base
    available = Set(base.outputs)
  }

  /// A column of the plan to come that holds `expression`.
  mutating func column(_ expression: Expression, name: String? = nil) -> ColumnReference {
    if case .column(let column) = expression, available.contains(column) { return column }
    if let column = known[expression] { return column }
    let column = binder.newColumn(name ?? Materializer.name(expression), expression.type)
    assignments.append(.init(column, expression))
    if expression.isDeterministic { known[expression] = column }
    return column
  }

  /// Like `column`, but constants and lambdas stay as they are.
  mutating func argument(_ expression: Expression) -> Expression {
    switch expression {
    case .constant, .lambda: expression
    default: .column(column(expression))
    }
  }

  /// The plan with all its columns and those asked for.
  func plan() -> LogicalPlan {
    if assignments.isEmpty { return base }
    let kept = base.outputs.map { ProjectNode.Assignment($0, .column($0)) }
    return .project(ProjectNode(input: base, assignments: kept + assignments))
  }

  private static func name(_ expression: Expression) -> String {
    switch expression {
    case .column(let column): column.name
    case .call(let call): call.function.name
    case .cast(let cast): name(cast.operand)
    default: "expr"
    }
  }
}
