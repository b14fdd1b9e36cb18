import Columnar
package import QueryErrors
package import QueryPlan
import SQLExpressions
import SQLFunctions

/// Makes `a IS NOT DISTINCT FROM b` join keys plain `a = b` where one side never is NULL: plain keys can publish dynamic filters.
package struct RelaxNullSafeKeys: OptimizerRule {
  package static let name = "relax_null_safe_keys"
  package init() {}

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    plan.rewritten { node in
      guard case .join(var join) = node, !join.isNullAware, join.keys.contains(where: \.nullsEqual) else { return node }
      let known = RelaxNullSafeKeys.nonNullColumns(join.left).union(RelaxNullSafeKeys.nonNullColumns(join.right))
      for index in join.keys.indices where known.contains(join.keys[index].left.id) || known.contains(join.keys[index].right.id) {
        join.keys[index].nullsEqual = false
      }
      return .join(join)
    }
  }

  /// Columns of the plan's output that hold no NULL, because some condition below rejects it.
  private static func nonNullColumns(_ plan: LogicalPlan) -> Set<ColumnID> {
    switch plan {
    case .scan(let node): return Set(node.predicates.flatMap(\.conjuncts).compactMap(rejectedColumns).joined())
    case .foreignScan(let node): return Set(node.predicates.flatMap(\.conjuncts).compactMap(rejectedColumns).joined())
    case .filter(let node):
      return nonNullColumns(node.input).union(node.predicate.conjuncts.compactMap(rejectedColumns).joined())
    case .project(let node):
      let known = nonNullColumns(node.input)
      return Set(
        node.assignments.filter { assignment in
          if let column = assignment.expression.columnReference { return known.contains(column.id) }
          return assignment.expression.constantValue?.isNull == false
        }.map(\.reference.id))
    case .aggregate(let node):
      guard node.groupingSets.count == 1 else { return [] }
      let known = nonNullColumns(node.input)
      return Set(node.keys.filter { known.contains($0.input.id) }.map(\.output.id))
    case .join(let node):
      let (left, right) = (nonNullColumns(node.left), nonNullColumns(node.right))
      let plainKeys = node.keys.filter { !$0.nullsEqual }
      switch node.kind {
      case .inner: return left.union(right).union(plainKeys.flatMap { [$0.left.id, $0.right.id] })
      case .semi: return left.union(plainKeys.map(\.left.id))
      case .left, .anti, .mark: return left
      case .right: return right
      case .full: return []
      }
    case .sort(let node): return nonNullColumns(node.input)
    case .limit(let node): return nonNullColumns(node.input)
    case .topN(let node): return nonNullColumns(node.input)
    default: return []
    }
  }

  /// Columns that must not be NULL for a condition to hold.
  private static func rejectedColumns(_ condition: Expression) -> [ColumnID] {
    guard case .call(let call) = condition else { return [] }
    switch call.function.name {
    case "=", "<", "<=", ">", ">=", "<>": return call.arguments.compactMap { $0.columnReference?.id }
    default: return condition.columnKeptFromNull.map { [$0.id] } ?? []
    }
  }
}

extension Expression {
  /// The column of `column IS NOT NULL`.
  var columnKeptFromNull: ColumnReference? {
    guard case .call(let not) = self, not.function.name == "not", case .call(let check) = not.arguments[0],
      check.function.name == "is_null"
    else { return nil }
    return check.arguments[0].columnReference
  }
}
