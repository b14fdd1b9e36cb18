import Columnar
import QueryErrors
import SQLExpressions
import SQLFunctions
import SQLSyntax

/// The simplified accessor of JSON values: chains of members, elements and item methods over a value of type json.
///
///     j.items[0].price          →   JSON_QUERY(j, 'lax $."items"[0]."price"' WITH CONDITIONAL ARRAY WRAPPER)
///     j.items[0].price.bigint() →   JSON_VALUE(j, 'lax $."items"[0]."price"' RETURNING bigint)
///
/// Members are matched as they are written, case included.
///
/// - Source: ISO/IEC 9075-2:2023 §6.36; Trino, "JSON simplified accessor".
extension Binder {
  /// The JSON text a chain stands for; nil when the syntax is no chain over a json value.
  ///
  /// - Parameter suffix: more of the path: `.*` for `SELECT j.*`.
  func bindJSONAccessor(
    _ syntax: ExpressionSyntax, suffix: String = "", _ place: ExpressionContext
  ) throws(QueryError) -> Expression? {
    guard let chain = try jsonChain(syntax, place), !(chain.steps + suffix).isEmpty else { return nil }
    let text = "lax $" + chain.steps + suffix
    let options = JSONQueryOptions(
      output: JSONOutput(type: .text, encoding: .utf8), wrapper: .conditional, omitsQuotes: false, onEmpty: .null,
      onError: .null)
    let invocation = JSONPathInvocation(
      path: try JSONPathExpression(text, parameters: [], at: syntax.range), input: .utf8, parameters: [])
    return jsonCall(
      JSONQueryFunctions.query(invocation, options), [chain.receiver], identity: text, returns: .text, at: syntax.range)
  }

  /// `chain.bigint()` and its like; nil when the call is something else.
  func bindJSONItemMethod(_ node: FunctionCallSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression? {
    guard let method = node.name.parts.last, !method.isDelimited else { return nil }
    let arguments = Array(node.isMethod ? node.arguments.dropFirst() : node.arguments[...])
    guard let type = itemMethodType(method.canonicalName, arguments) else { return nil }
    let receiver: ExpressionSyntax
    if node.isMethod {
      receiver = node.arguments[0]
    } else {
      let parts = node.name.parts.dropLast()
      receiver = parts.dropFirst().reduce(.identifier(parts[0])) { base, field in
        .dereference(DereferenceSyntax(base: base, field: field, range: base.range.union(field.range)))
      }
    }
    guard let chain = try jsonChain(receiver, place) else { return nil }
    let text = "lax $" + chain.steps
    let options = JSONValueOptions(type: type, onEmpty: .null, onError: .null)
    let invocation = JSONPathInvocation(
      path: try JSONPathExpression(text, parameters: [], at: node.range), input: .utf8, parameters: [])
    return jsonCall(
      JSONQueryFunctions.value(invocation, options), [chain.receiver], identity: text, returns: type, at: node.range)
  }

  private func itemMethodType(_ name: String, _ arguments: [ExpressionSyntax]) -> DataType? {
    var numbers: [Int] = []
    for argument in arguments {
      guard let number = SyntaxForm.integer(argument), let small = Int32(exactly: number) else { return nil }
      numbers.append(Int(small))
    }
    let precision = numbers.first ?? 3
    switch (name, numbers.count) {
    case ("bigint", 0): return .bigint
    case ("boolean", 0): return .boolean
    case ("date", 0): return .date
    case ("integer", 0): return .integer
    case ("number", 0): return .double
    case ("string", 0): return .text
    case ("decimal", 0): return .decimal(precision: DataType.maxDecimalPrecision, scale: 0)
    case ("decimal", 1...2):
      let scale = numbers.count > 1 ? numbers[1] : 0
      guard (1...DataType.maxDecimalPrecision).contains(precision), (0...precision).contains(scale) else { return nil }
      return .decimal(precision: precision, scale: scale)
    case ("time", 0...1), ("time_tz", 0...1), ("timestamp", 0...1), ("timestamp_tz", 0...1):
      guard (0...12).contains(precision) else { return nil }
      switch name {
      case "time": return .time(precision: precision)
      case "time_tz": return .timeWithTimeZone(precision: precision)
      case "timestamp": return .timestamp(precision: precision)
      default: return .timestampWithTimeZone(precision: precision)
      }
    default: return nil
    }
  }

  /// The json value a chain begins with and its steps as a path; nil when it begins with something else.
  private func jsonChain(
    _ syntax: ExpressionSyntax, _ place: ExpressionContext
  ) throws(QueryError) -> (receiver: Expression, steps: String)? {
    try checkStack(syntax.range)
    switch syntax {
    case .identifier(let identifier): return try jsonColumn([identifier], place)
    case .dereference(let node):
      if let name = syntax.qualifiedName, let column = try jsonColumn(name.parts, place) { return column }
      guard let base = try jsonChain(node.base, place) else { return nil }
      let key = node.field.name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      return (base.receiver, base.steps + ".\"\(key)\"")
    case .subscript(let node):
      guard let base = try jsonChain(node.base, place) else { return nil }
      guard let indexSyntax = node.index else { return (base.receiver, base.steps + "[*]") }
      guard let index = SyntaxForm.integer(indexSyntax) else {
        throw QueryError(
          .expressionNotConstant, "Subscript of a JSON value requires a constant integer", at: indexSyntax.errorRange)
      }
      return (base.receiver, base.steps + "[\(index)]")
    case .cast, .literal:
      let value = try bind(syntax, place)
      return value.type == .json ? (value, "") : nil
    case .functionCall(let node):
      guard node.over == nil, FunctionRegistry.scalar(node.name.last.canonicalName) != nil, !node.isMethod else {
        return nil
      }
      let value = try bind(syntax, place)
      return value.type == .json ? (value, "") : nil
    default: return nil
    }
  }

  /// A column, or a lambda's argument, of type json.
  private func jsonColumn(
    _ parts: [Identifier], _ place: ExpressionContext
  ) throws(QueryError) -> (receiver: Expression, steps: String)? {
    for parameters in place.lambdas.reversed() {
      guard let column = parameters[parts[0].canonicalName] else { continue }
      return parts.count == 1 && column.type == .json ? (.column(column), "") : nil
    }
    guard let scope = place.scope, let found = try scope.resolve(parts, at: parts[0].range),
      found.field.reference.type == .json
    else { return nil }
    return (.column(found.field.reference), "")
  }
}
