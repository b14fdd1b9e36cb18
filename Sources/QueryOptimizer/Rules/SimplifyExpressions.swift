import Columnar
package import QueryErrors
package import QueryPlan
import SQLExpressions
import SQLFunctions

/// Folds constants and simplifies boolean logic.
///
///     1 + 1 = 2 AND x > 0                 →  x > 0
///     (a AND b) OR (a AND c)              →  a AND (b OR c)
///     CAST(i AS bigint) = BIGINT '5'      →  i = INTEGER '5'
///     NOT (x < y)                         →  x >= y
package struct SimplifyExpressions: OptimizerRule {
  package static let name = "simplify_expressions"
  package init() {}

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    try plan.rewritten { (node) throws(QueryError) -> LogicalPlan in
      let simplified = try node.mapExpressions { (expression) throws(QueryError) in
        try ExpressionSimplifier(session: context.session).simplify(expression)
      }
      if case .filter(let filter) = simplified {
        if filter.predicate.conjuncts.isEmpty { return filter.input }
        if filter.predicate == .alwaysFalse || filter.predicate == .null(.boolean) {
          return .values(ValuesNode(outputs: filter.input.outputs, rows: []))
        }
      }
      return simplified
    }
  }
}

/// Simplifies one expression.
struct ExpressionSimplifier {
  let session: SessionContext

  func simplify(_ expression: Expression) throws(QueryError) -> Expression {
    try expression.rewritten { (node) throws(QueryError) in try step(node) }
  }

  /// Simplifies one node over simplified operands.
  private func step(_ node: Expression) throws(QueryError) -> Expression {
    switch node {
    case .and(let operands): return logical(operands.flatMap(\.conjuncts), isAnd: true)
    case .or(let operands): return factored(operands.flatMap(\.disjuncts))
    case .call(let call):
      if call.function.name == "not", let inner = call.arguments.first { return try negated(inner) ?? folded(node) }
      if let comparison = try unwrappedCast(call) { return comparison }
      return folded(node)
    case .cast: return folded(node)
    case .caseWhen(var expression):
      var branches: [CaseExpression.Branch] = []
      for branch in expression.branches {
        if branch.condition == .alwaysFalse || branch.condition == .null(.boolean) { continue }
        if branch.condition == .alwaysTrue {
          if branches.isEmpty { return branch.result }
          expression.otherwise = branch.result
          break
        }
        branches.append(branch)
      }
      if branches.isEmpty { return expression.otherwise }
      expression.branches = branches
      return .caseWhen(expression)
    case .coalesce(let operands, let type):
      var kept: [Expression] = []
      for operand in operands {
        if let value = operand.constantValue {
          if value.isNull { continue }
          kept.append(operand)
          break
        }
        kept.append(operand)
      }
      if kept.isEmpty { return .null(type) }
      return kept.count == 1 ? kept[0] : .coalesce(kept, type)
    case .inList(let list):
      if list.items.count == 1, let equality = try? Expression.equals(list.value, list.items[0]) { return equality }
      return list.value.constantValue == nil ? node : folded(node)
    case .tryCatch(let operand):
      if operand.constantValue != nil { return operand }
      return operand.mayFail ? folded(node) : operand
    case .column, .constant, .field, .lambda: return node
    }
  }

  /// A node over constants as a constant; as it is when evaluation fails, since its place may never be evaluated.
  private func folded(_ node: Expression) -> Expression {
    guard node.children.allSatisfy({ $0.constantValue != nil }), node.isDeterministic else { return node }
    if case .call(let call) = node, call.arguments.isEmpty, call.function.determinism == .volatile { return node }
    guard let value = try? ConstantFolding.evaluate(node, session: session) else { return node }
    return .constant(value, node.type)
  }

  private func logical(_ operands: [Expression], isAnd: Bool) -> Expression {
    var kept: [Expression] = []
    var seen: Set<Expression> = []
    for operand in operands {
      if let value = operand.constantValue {
        if value == .boolean(isAnd) { continue }
        // A deciding constant hides errors of operands behind it; those before it may fail first.
        if value == .boolean(!isAnd) { return isAnd ? .alwaysFalse : .alwaysTrue }
      }
      if operand.isDeterministic, !seen.insert(operand).inserted { continue }
      kept.append(operand)
    }
    if kept.isEmpty { return isAnd ? .alwaysTrue : .alwaysFalse }
    return kept.count == 1 ? kept[0] : (isAnd ? .and(kept) : .or(kept))
  }

  /// Conjuncts that all disjuncts share are pulled out.
  private func factored(_ disjuncts: [Expression]) -> Expression {
    let plain = logical(disjuncts, isAnd: false)
    guard case .or(let operands) = plain else { return plain }
    let sets = operands.map { Set($0.conjuncts) }
    let shared = operands[0].conjuncts.filter { conjunct in
      conjunct.isDeterministic && sets.allSatisfy { $0.contains(conjunct) }
    }
    if shared.isEmpty { return plain }
    let rest = operands.map { operand in
      Expression.conjunction(operand.conjuncts.filter { !shared.contains($0) })
    }
    return .conjunction(shared + (rest.contains(.alwaysTrue) ? [] : [logical(rest, isAnd: false)]))
  }

  private static let opposites = ["=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"]

  private func negated(_ operand: Expression) throws(QueryError) -> Expression? {
    switch operand {
    case .call(let call):
      if call.function.name == "not" { return call.arguments[0] }
      // NaN compares false both ways, so only = and <> of floating numbers may be turned.
      if let opposite = ExpressionSimplifier.opposites[call.function.name], call.arguments.count == 2,
        !call.arguments[0].type.isFloating || ["=", "<>"].contains(opposite), !call.arguments[0].type.isNested
      {
        return try .call(opposite, call.arguments, at: call.range)
      }
      return nil
    case .and(let operands), .or(let operands):
      var turned: [Expression] = []
      for operand in operands {
        if let turnedOperand = try negated(operand) { turned.append(turnedOperand) } else { turned.append(try .not(operand)) }
      }
      if case .and = operand { return factored(turned) }
      return logical(turned, isAnd: true)
    default: return nil
    }
  }

  private static let comparisons: Set<String> = ["=", "<>", "<", "<=", ">", ">="]

  /// `CAST(column AS wider) <op> constant` compared in the column's own type, where the constant has a value there.
  private func unwrappedCast(_ call: ScalarCall) throws(QueryError) -> Expression? {
    guard ExpressionSimplifier.comparisons.contains(call.function.name), call.arguments.count == 2 else { return nil }
    for (castIndex, constantIndex) in [(0, 1), (1, 0)] {
      guard case .cast(let cast) = call.arguments[castIndex], !cast.isTry,
        case .constant(let value, let type) = call.arguments[constantIndex], !value.isNull,
        isOrderPreserving(from: cast.operand.type, to: cast.type)
      else { continue }
      let narrow = cast.operand.type
      guard let there = converted(value, from: type, to: narrow), converted(there, from: narrow, to: type) == value
      else { continue }
      var arguments = [cast.operand, Expression.constant(there, narrow)]
      if castIndex == 1 { arguments.reverse() }
      return try .call(call.function.name, arguments, at: call.range)
    }
    return nil
  }

  private func converted(_ value: Scalar, from: DataType, to: DataType) -> Scalar? {
    try? ConstantFolding.evaluate(.cast(CastExpression(.constant(value, from), to: to)), session: session)
  }

  /// Whether the cast never fails, loses nothing, and keeps order.
  private func isOrderPreserving(from: DataType, to: DataType) -> Bool {
    switch (from, to) {
    case (.tinyint, .smallint), (.tinyint, .integer), (.tinyint, .bigint), (.smallint, .integer), (.smallint, .bigint),
      (.integer, .bigint), (.real, .double), (.varchar, .varchar), (.date, .timestamp):
      return true
    case (.tinyint, .decimal), (.smallint, .decimal), (.integer, .decimal), (.bigint, .decimal), (.decimal, .decimal):
      return TypeCoercion.canCoerce(from, to: to)
    case (.tinyint, .double), (.smallint, .double), (.integer, .double): return true
    case (.timestamp(let narrow), .timestamp(let wide)): return narrow <= wide
    default: return false
    }
  }
}
