import Columnar
import QueryErrors
import SQLFunctions

extension Expression {
  /// The operands, in order; a lambda's body is its operand.
  package var children: [Expression] {
    switch self {
    case .column, .constant: []
    case .call(let call): call.arguments
    case .cast(let cast): [cast.operand]
    case .and(let operands), .or(let operands), .coalesce(let operands, _): operands
    case .caseWhen(let expression):
      expression.branches.flatMap { [$0.condition, $0.result] } + [expression.otherwise]
    case .inList(let expression): [expression.value] + expression.items
    case .tryCatch(let operand), .field(let operand, _, _): [operand]
    case .lambda(let lambda): [lambda.body]
    }
  }

  /// The same node over other operands, as many as `children`.
  package func withChildren(_ children: [Expression]) -> Expression {
    switch self {
    case .column, .constant: return self
    case .call(var call):
      call.arguments = children
      return .call(call)
    case .cast(var cast):
      cast.operand = children[0]
      return .cast(cast)
    case .and: return .and(children)
    case .or: return .or(children)
    case .coalesce(_, let type): return .coalesce(children, type)
    case .caseWhen(var expression):
      for index in expression.branches.indices {
        expression.branches[index] = CaseExpression.Branch(
          condition: children[2 * index], result: children[2 * index + 1])
      }
      expression.otherwise = children[children.count - 1]
      return .caseWhen(expression)
    case .inList: return .inList(InListExpression(value: children[0], items: Array(children.dropFirst())))
    case .tryCatch: return .tryCatch(children[0])
    case .field(_, let index, let type): return .field(children[0], index: index, type: type)
    case .lambda(let lambda): return .lambda(LambdaExpression(parameters: lambda.parameters, body: children[0]))
    }
  }

  /// Rewrites bottom-up: operands first, then each node by `transform`.
  package func rewritten<E: Error>(_ transform: (Expression) throws(E) -> Expression) throws(E) -> Expression {
    let children = self.children
    if children.isEmpty { return try transform(self) }
    var rewritten: [Expression] = []
    rewritten.reserveCapacity(children.count)
    for child in children { rewritten.append(try child.rewritten(transform)) }
    return try transform(withChildren(rewritten))
  }

  /// Columns replaced by expressions.
  package func replacing(_ replacements: [ColumnID: Expression]) -> Expression {
    if replacements.isEmpty { return self }
    return rewritten { node in
      if case .column(let column) = node, let replacement = replacements[column.id] { return replacement }
      return node
    }
  }

  /// Calls `visit` for this node and all below.
  package func forEach(_ visit: (Expression) -> Void) {
    visit(self)
    for child in children { child.forEach(visit) }
  }

  /// Whether some node satisfies `predicate`.
  package func contains(_ predicate: (Expression) -> Bool) -> Bool {
    predicate(self) || children.contains { $0.contains(predicate) }
  }

  /// Columns of the batch that the expression reads; lambda parameters left out.
  package var columnsUsed: Set<ColumnReference> {
    var used: Set<ColumnReference> = []
    collectColumns(into: &used)
    return used
  }

  private func collectColumns(into used: inout Set<ColumnReference>) {
    switch self {
    case .column(let column): used.insert(column)
    case .lambda(let lambda):
      var inner: Set<ColumnReference> = []
      lambda.body.collectColumns(into: &inner)
      used.formUnion(inner.subtracting(lambda.parameters))
    default: for child in children { child.collectColumns(into: &used) }
    }
  }

  /// Whether equal inputs give equal outcomes, always.
  package var isDeterministic: Bool {
    !contains { node in
      if case .call(let call) = node { return call.function.determinism == .volatile }
      return false
    }
  }

  /// Whether evaluation can fail for some row (casts, division, arithmetic overflow, most functions), so that the
  /// expression must not be evaluated for rows that its place in the query would have filtered out.
  package var mayFail: Bool {
    contains { node in
      switch node {
      case .call(let call): !Expression.neverFails(call)
      case .cast(let cast): !cast.isTry && !TypeCoercion.canCoerce(cast.operand.type, to: cast.type)
      default: false
      }
    }
  }

  private static let neverFailing: Set<String> = [
    "=", "<>", "<", "<=", ">", ">=", "is_distinct_from", "is_null", "not", "concat", "lower", "upper", "length", "trim",
    "ltrim", "rtrim", "substr", "substring", "starts_with", "typeof", "year", "month", "day", "hour", "minute", "second",
    "quarter", "nullif",
  ]

  private static let dateUnits: Set<String> = ["day", "week", "month", "quarter", "year"]
  private static let timestampUnits: Set<String> = dateUnits.union(["millisecond", "second", "minute", "hour"])

  /// Whether the call yields a value or NULL for every input.
  private static func neverFails(_ call: ScalarCall) -> Bool {
    let arguments = call.arguments
    switch call.function.name {
    // A pattern without escape character is always valid; so are searches for the first occurrence.
    case "like", "$like", "strpos": return arguments.count == 2
    // Integers and decimals overflow.
    case "abs", "round", "floor", "ceil": return arguments[0].type.isFloating
    case "greatest", "least": return !call.binding.returnType.isNested
    case "date_trunc":
      guard let unit = arguments[0].constantValue?.stringValue?.lowercased() else { return false }
      switch arguments[1].type {
      case .date: return dateUnits.contains(unit)
      case .timestamp, .timestampWithTimeZone: return timestampUnits.contains(unit)
      default: return false
      }
    default: return neverFailing.contains(call.function.name)
    }
  }
}
