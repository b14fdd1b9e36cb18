package import Columnar
package import QueryErrors
package import SQLFunctions

/// Names one column of a plan, unique within a query.
package struct ColumnID: Hashable, Sendable, CustomStringConvertible {
  package var rawValue: Int
  package init(_ rawValue: Int) { self.rawValue = rawValue }
  package var description: String { "#\(rawValue)" }

  /// One multiplication: sets of columns are what planning spends most of its time with, and nobody chooses these numbers to
  /// make them collide.
  package func _rawHashValue(seed: Int) -> Int {
    let product = UInt(bitPattern: rawValue ^ seed) &* 0x9e37_79b9_7f4a_7c15
    return Int(bitPattern: product ^ (product >> 32))
  }
}

/// A column a plan node yields: its identity, its display name and its type. Equal when the identity is.
package struct ColumnReference: Hashable, Sendable {
  package var id: ColumnID
  package var name: String
  package var type: DataType

  package init(id: ColumnID, name: String, type: DataType) {
    self.id = id
    self.name = name
    self.type = type
  }

  package static func == (a: ColumnReference, b: ColumnReference) -> Bool { a.id == b.id }
  package func hash(into hasher: inout Hasher) { hasher.combine(id) }
  package func _rawHashValue(seed: Int) -> Int { id._rawHashValue(seed: seed) }
}

/// A typed expression over columns of a batch. Names are resolved, overloads picked and casts written out.
package indirect enum Expression: Hashable, Sendable {
  case column(ColumnReference)
  case constant(Scalar, DataType)
  case call(ScalarCall)
  case cast(CastExpression)
  /// Three-valued conjunction and disjunction of two or more operands.
  case and([Expression])
  case or([Expression])
  /// Searched CASE; IF, simple CASE and NULLIF are written as one.
  case caseWhen(CaseExpression)
  /// The first operand that is not NULL; all of one type.
  case coalesce([Expression], DataType)
  /// `value IN (items)`, all of one type.
  case inList(InListExpression)
  /// `TRY(operand)`.
  case tryCatch(Expression)
  /// Field `index` of a row.
  case field(Expression, index: Int, type: DataType)
  /// Only as an argument of a call.
  case lambda(LambdaExpression)
}

/// A call of one overload of a scalar function or operator.
package struct ScalarCall: Hashable, Sendable {
  package var function: ScalarFunction
  package var overloadIndex: Int
  package var binding: SignatureBinding
  /// Already of the binding's argument types.
  package var arguments: [Expression]
  package var range: SourceRange?

  package init(
    _ function: ScalarFunction, overloadIndex: Int, binding: SignatureBinding, arguments: [Expression],
    range: SourceRange? = nil
  ) {
    self.function = function
    self.overloadIndex = overloadIndex
    self.binding = binding
    self.arguments = arguments
    self.range = range
  }

  package var overload: ScalarOverload { function.overloads[overloadIndex] }

  package static func == (a: ScalarCall, b: ScalarCall) -> Bool {
    a.function.name == b.function.name && a.overloadIndex == b.overloadIndex && a.binding == b.binding
      && a.arguments == b.arguments
  }
  package func hash(into hasher: inout Hasher) {
    hasher.combine(function.name)
    hasher.combine(overloadIndex)
    hasher.combine(arguments)
  }
}

/// CAST or TRY_CAST.
package struct CastExpression: Hashable, Sendable {
  package var operand: Expression
  package var type: DataType
  /// TRY_CAST: NULL instead of an error.
  package var isTry: Bool
  package var range: SourceRange?

  package init(_ operand: Expression, to type: DataType, isTry: Bool = false, range: SourceRange? = nil) {
    self.operand = operand
    self.type = type
    self.isTry = isTry
    self.range = range
  }

  package static func == (a: CastExpression, b: CastExpression) -> Bool {
    a.operand == b.operand && a.type == b.type && a.isTry == b.isTry
  }
  package func hash(into hasher: inout Hasher) {
    hasher.combine(operand)
    hasher.combine(type)
  }
}

/// CASE WHEN … THEN … ELSE … END; results are all of type `type`.
package struct CaseExpression: Hashable, Sendable {
  package struct Branch: Hashable, Sendable {
    package var condition: Expression
    package var result: Expression
    package init(condition: Expression, result: Expression) {
      self.condition = condition
      self.result = result
    }
  }
  package var branches: [Branch]
  /// NULL of `type` when there is no ELSE.
  package var otherwise: Expression
  package var type: DataType

  package init(branches: [Branch], otherwise: Expression, type: DataType) {
    self.branches = branches
    self.otherwise = otherwise
    self.type = type
  }
}

/// `value IN (items)` with NULL semantics of SQL.
package struct InListExpression: Hashable, Sendable {
  package var value: Expression
  package var items: [Expression]

  package init(value: Expression, items: [Expression]) {
    self.value = value
    self.items = items
  }
}

/// `(x, y) -> body`; the body may also use columns of the surrounding batch.
package struct LambdaExpression: Hashable, Sendable {
  package var parameters: [ColumnReference]
  package var body: Expression

  package init(parameters: [ColumnReference], body: Expression) {
    self.parameters = parameters
    self.body = body
  }
}

extension Expression {
  package var type: DataType {
    switch self {
    case .column(let column): column.type
    case .constant(_, let type): type
    case .call(let call): call.binding.returnType
    case .cast(let cast): cast.type
    case .and, .or, .inList: .boolean
    case .caseWhen(let expression): expression.type
    case .coalesce(_, let type): type
    case .tryCatch(let operand): operand.type
    case .field(_, _, let type): type
    case .lambda(let lambda): .function(parameters: lambda.parameters.map(\.type), result: lambda.body.type)
    }
  }

  package static let alwaysTrue = Expression.constant(.boolean(true), .boolean)
  package static let alwaysFalse = Expression.constant(.boolean(false), .boolean)
  package static func null(_ type: DataType) -> Expression { .constant(.null, type) }

  /// All of `conditions`; true when there are none.
  package static func conjunction(_ conditions: [Expression]) -> Expression {
    let flat = conditions.flatMap(\.conjuncts)
    return flat.isEmpty ? .alwaysTrue : (flat.count == 1 ? flat[0] : .and(flat))
  }

  /// The operands of nested ANDs; none for TRUE.
  package var conjuncts: [Expression] {
    switch self {
    case .and(let operands): operands.flatMap(\.conjuncts)
    case .constant(.boolean(true), _): []
    default: [self]
    }
  }

  /// The operands of nested ORs.
  package var disjuncts: [Expression] {
    if case .or(let operands) = self { return operands.flatMap(\.disjuncts) }
    return [self]
  }

  package var constantValue: Scalar? { if case .constant(let value, _) = self { value } else { nil } }
  package var columnReference: ColumnReference? { if case .column(let column) = self { column } else { nil } }

  /// A call of the built-in function or operator `name` on arguments that need no coercion: for rewrites.
  ///
  /// - Throws: `FUNCTION_NOT_FOUND`, `TYPE_MISMATCH` as the user's own call would.
  package static func call(
    _ name: String, _ arguments: [Expression], at range: SourceRange? = nil
  ) throws(QueryError) -> Expression {
    guard let function = FunctionRegistry.scalar(name) else {
      throw QueryError(.functionNotFound, "Function '\(name)' not registered", at: range)
    }
    let (index, binding) = try OverloadResolution.resolve(
      name: name, function.overloads.map(\.signature), arguments.map { .type($0.type) }, at: range)
    let coerced = zip(arguments, binding.argumentTypes).map { $0.coerced(to: $1) }
    return .call(ScalarCall(function, overloadIndex: index, binding: binding, arguments: coerced, range: range))
  }

  /// The same value as `type`, with a cast when needed.
  package func coerced(to type: DataType) -> Expression {
    if self.type == type { return self }
    if case .constant(.null, _) = self { return .constant(.null, type) }
    return .cast(CastExpression(self, to: type))
  }

  /// `a = b` of two expressions of one type.
  package static func equals(_ a: Expression, _ b: Expression) throws(QueryError) -> Expression {
    try call("=", [a, b])
  }

  package static func not(_ operand: Expression) throws(QueryError) -> Expression {
    switch operand {
    case .constant(.boolean(let value), _): return .constant(.boolean(!value), .boolean)
    case .constant(.null, _): return .null(.boolean)
    default: return try call("not", [operand])
    }
  }
}
