import Columnar
import QueryErrors
import SQLExpressions
import SQLFunctions
import SQLSyntax

/// The SQL/JSON functions. The path is parsed here, and each call gets a function of its own.
extension Binder {
  // MARK: Arguments

  /// JSON text as an argument, and how it is encoded.
  struct JSONArgument {
    var expression: Expression
    var encoding: JSONEncoding
  }

  /// Binds a value that holds JSON.
  private func bindJSON(_ input: JSONInputSyntax, _ place: ExpressionContext) throws(QueryError) -> JSONArgument {
    let bound = try bind(input.value, place)
    func mismatch() -> QueryError {
      QueryError(
        .typeMismatch,
        "Cannot read input of type \(bound.type) as JSON using formatting \(input.format?.rawValue ?? "JSON")",
        at: input.value.errorRange)
    }
    switch bound.type {
    case .unknown: return JSONArgument(expression: .null(.text), encoding: .utf8)
    case .varchar, .char, .json:
      guard input.format == nil || input.format == .json else { throw mismatch() }
      return JSONArgument(expression: bound.type.isChar ? bound.coerced(to: .text) : bound, encoding: .utf8)
    case .varbinary:
      return JSONArgument(expression: bound, encoding: encoding(input.format ?? returnedFormat(input.value)))
    default: throw mismatch()
    }
  }

  private func encoding(_ format: JSONFormatSyntax?) -> JSONEncoding {
    switch format {
    case nil, .json, .utf8: .utf8
    case .utf16: .utf16
    case .utf32: .utf32
    }
  }

  /// Whether an expression gives JSON text, so that FORMAT JSON goes without saying.
  private func returnsJSON(_ expression: ExpressionSyntax) -> Bool {
    switch expression {
    case .jsonQuery, .jsonObject, .jsonArray: true
    default: false
    }
  }

  private func returnedFormat(_ expression: ExpressionSyntax) -> JSONFormatSyntax? {
    switch expression {
    case .jsonQuery(let node): node.returningFormat
    case .jsonObject(let node): node.returningFormat
    case .jsonArray(let node): node.returningFormat
    default: nil
    }
  }

  /// Binds a value that becomes an item of a path, or a part of an object or array: JSON, or a SQL value.
  private func bindJSONValue(
    _ input: JSONInputSyntax, _ place: ExpressionContext, keepsDates: Bool
  ) throws(QueryError) -> (expression: Expression, json: JSONEncoding?) {
    if input.format != nil || returnsJSON(input.value) {
      let argument = try bindJSON(input, place)
      return (argument.expression, argument.encoding)
    }
    let bound = try bind(input.value, place)
    switch bound.type {
    case .json: return (bound, .utf8)
    case .unknown: return (.null(.text), nil)
    case .boolean, .varchar, .char: return (bound, nil)
    case .date, .time, .timeWithTimeZone, .timestamp, .timestampWithTimeZone: if keepsDates { return (bound, nil) }
    default: if bound.type.isNumeric { return (bound, nil) }
    }
    guard CastRegistry.canCast(bound.type, to: .text) else {
      throw QueryError(.typeMismatch, "Cannot pass a value of type \(bound.type) to a JSON function", at: input.value.errorRange)
    }
    return (bound.coerced(to: .text), nil)
  }

  /// A name as paths see it: names without quotes count in upper case.
  func jsonName(_ identifier: Identifier) -> String {
    identifier.isDelimited ? identifier.name : identifier.name.uppercased()
  }

  /// A path's input and parameters, bound.
  struct BoundJSONPath {
    var arguments: [Expression]
    var parameterNames: [String]
    var invocation: JSONPathInvocation
  }

  func bindJSONPath(
    _ syntax: JSONPathInvocationSyntax, _ place: ExpressionContext
  ) throws(QueryError) -> BoundJSONPath {
    let input = try bindJSON(syntax.input, place)
    var arguments = [input.expression]
    var names: [String] = []
    var parameters: [JSONPathInvocation.Parameter] = []
    for argument in syntax.arguments {
      let name = jsonName(argument.name)
      guard !names.contains(name) else {
        throw QueryError(
          .duplicateParameterName, "\(name) JSON path parameter is specified more than once", at: argument.name.range)
      }
      let (expression, json) = try bindJSONValue(argument.value, place, keepsDates: true)
      names.append(name)
      arguments.append(expression)
      parameters.append(json.map { .json($0) } ?? .sql(expression.type))
    }
    let path = try JSONPathExpression(syntax.path.value, parameters: names, at: syntax.path.range)
    let invocation = JSONPathInvocation(path: path, input: input.encoding, parameters: parameters)
    return BoundJSONPath(arguments: arguments, parameterNames: names, invocation: invocation)
  }

  /// A call of a function made for it.
  ///
  /// - Parameter identity: text that differs between calls whose functions differ.
  func jsonCall(
    _ function: ScalarFunction, _ arguments: [Expression], lambdas: [LambdaExpression] = [], identity: String,
    returns type: DataType, at range: SourceRange?
  ) -> Expression {
    let all = arguments + [.constant(.string(identity), .text)] + lambdas.map { .lambda($0) }
    let binding = SignatureBinding(argumentTypes: all.map(\.type), returnType: type)
    return .call(ScalarCall(function, overloadIndex: 0, binding: binding, arguments: all, range: shown(range)))
  }

  // MARK: JSON_EXISTS, JSON_VALUE, JSON_QUERY

  /// The path of a function; only those of JSON_TABLE have names.
  private func bindUnnamedPath(
    _ syntax: JSONPathInvocationSyntax, of function: String, _ place: ExpressionContext
  ) throws(QueryError) -> BoundJSONPath {
    if let name = syntax.pathName {
      throw QueryError(.invalidPath, "JSON path name is not allowed in \(function) function", at: name.range)
    }
    return try bindJSONPath(syntax, place)
  }

  func bindJSONExists(_ node: JSONExistsSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    let path = try bindUnnamedPath(node.path, of: "JSON_EXISTS", place)
    let onError: JSONQueryFunctions.ExistsOnError =
      switch node.onError {
      case nil, .false: .false
      case .true: .true
      case .unknown: .unknown
      case .error: .error
      }
    return jsonCall(
      JSONQueryFunctions.exists(path.invocation, onError: onError), path.arguments,
      identity: ExpressionSyntax.jsonExists(node).text, returns: .boolean, at: node.range)
  }

  func bindJSONValue(_ node: JSONValueSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    let path = try bindUnnamedPath(node.path, of: "JSON_VALUE", place)
    let type = try node.returning.map { (type: TypeSyntax) throws(QueryError) in try bindTarget(type, at: node.range) } ?? .text
    var lambdas: [LambdaExpression] = []
    let options = try jsonValueOptions(type, node.onEmpty, node.onError, &lambdas, place, at: node.range)
    return jsonCall(
      JSONQueryFunctions.value(path.invocation, options), path.arguments, lambdas: lambdas,
      identity: ExpressionSyntax.jsonValue(node).text, returns: type, at: node.range)
  }

  /// Binds what JSON_VALUE, or a column of JSON_TABLE, gives for items, for none, and for errors.
  func jsonValueOptions(
    _ type: DataType, _ onEmpty: JSONValueBehavior?, _ onError: JSONValueBehavior?, isErrorOnError: Bool = false,
    _ lambdas: inout [LambdaExpression], _ place: ExpressionContext, at range: SourceRange
  ) throws(QueryError) -> JSONValueOptions {
    switch type {
    case .date, .time, .timeWithTimeZone, .timestamp, .timestampWithTimeZone, .boolean, .varchar, .char: break
    default:
      guard type.isNumeric else {
        throw QueryError(.typeMismatch, "Invalid return type of function JSON_VALUE: \(type)", at: range)
      }
    }
    let endsQuery = onError.map { $0 == .error } ?? isErrorOnError
    func behavior(
      _ syntax: JSONValueBehavior?, _ clause: String, isCaught: Bool
    ) throws(QueryError) -> JSONValueOptions.Behavior {
      switch syntax {
      case nil, .null: return .null
      case .error: return .error
      case .default(let expression):
        var value = try bindJSONDefault(expression, type, clause, place)
        if isCaught { value = .tryCatch(try rowConstructor([value], [.init(name: nil, type: type)], at: nil)) }
        lambdas.append(LambdaExpression(parameters: [], body: value))
        return .lambda(lambdas.count - 1)
      }
    }
    return JSONValueOptions(
      type: type, onEmpty: try behavior(onEmpty, "EMPTY", isCaught: !endsQuery),
      onError: onError == nil && isErrorOnError ? .error : try behavior(onError, "ERROR", isCaught: false))
  }

  private func bindJSONDefault(
    _ syntax: ExpressionSyntax, _ type: DataType, _ clause: String, _ place: ExpressionContext
  ) throws(QueryError) -> Expression {
    let known = place.block?.subqueries.count
    let value = try bind(syntax, place)
    guard place.block?.subqueries.count == known else {
      throw QueryError(
        .unsupportedSubquery, "Subqueries are not supported in the DEFAULT expression of JSON_VALUE", at: syntax.range)
    }
    if value.type == type { return value }
    guard value.type == .unknown || CastRegistry.canCast(value.type, to: type) else {
      throw QueryError(
        .typeMismatch,
        "Function JSON_VALUE default ON \(clause) result must evaluate to a \(type) (actual: \(value.type))",
        at: syntax.errorRange)
    }
    return value.coerced(to: type)
  }

  func bindJSONQuery(_ node: JSONQuerySyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    let path = try bindUnnamedPath(node.path, of: "JSON_QUERY", place)
    let inputIsJSON = path.arguments[0].type == .json
    let output = try jsonOutput(
      node.returning, node.returningFormat, default: inputIsJSON ? .json : .text, at: node.range)
    let options = try jsonQueryOptions(
      output, node.wrapper, node.quotes, node.onEmpty, node.onError, at: node.range)
    return jsonCall(
      JSONQueryFunctions.query(path.invocation, options), path.arguments,
      identity: ExpressionSyntax.jsonQuery(node).text, returns: output.type, at: node.range)
  }

  /// What JSON_QUERY, or a column of JSON_TABLE, makes of items.
  func jsonQueryOptions(
    _ output: JSONOutput, _ wrapper: JSONWrapper?, _ quotes: JSONQuotesSyntax?, _ onEmpty: JSONQueryBehavior?,
    _ onError: JSONQueryBehavior?, isErrorOnError: Bool = false, at range: SourceRange
  ) throws(QueryError) -> JSONQueryOptions {
    let isWrapped = wrapper != nil && wrapper != .without
    if isWrapped, let quotes {
      throw QueryError(
        .invalidFunctionArgument,
        "\(quotes.isKeep ? "KEEP" : "OMIT") QUOTES behavior specified with "
          + "\(wrapper == .conditional ? "WITH CONDITIONAL" : "WITH UNCONDITIONAL") ARRAY WRAPPER behavior",
        at: range)
    }
    let omitsQuotes = quotes.map { !$0.isKeep } ?? false
    if omitsQuotes, output.type == .json {
      throw QueryError(
        .invalidFunctionArgument, "OMIT QUOTES behavior specified with a return type of json", at: range)
    }
    func behavior(_ syntax: JSONQueryBehavior?) -> JSONQueryOptions.Behavior {
      switch syntax {
      case nil, .null: .null
      case .error: .error
      case .emptyArray: .emptyArray
      case .emptyObject: .emptyObject
      }
    }
    return JSONQueryOptions(
      output: output,
      wrapper: wrapper == .unconditional ? .unconditional : wrapper == .conditional ? .conditional : .without,
      omitsQuotes: omitsQuotes, onEmpty: behavior(onEmpty),
      onError: onError == nil && isErrorOnError ? .error : behavior(onError))
  }

  /// The type after RETURNING.
  func jsonOutput(
    _ type: TypeSyntax?, _ format: JSONFormatSyntax?, default: DataType = .text, at range: SourceRange
  ) throws(QueryError) -> JSONOutput {
    guard let type else { return JSONOutput(type: `default`, encoding: .utf8) }
    let bound = try bindTarget(type, at: range)
    let isPlain = format == nil || format == .json
    switch bound {
    case .varchar, .char, .json: if isPlain { return JSONOutput(type: bound, encoding: .utf8) }
    case .varbinary: return JSONOutput(type: bound, encoding: encoding(format))
    default: break
    }
    throw QueryError(
      .typeMismatch, "Cannot output JSON value as \(bound) using formatting \(format?.rawValue ?? "JSON")", at: range)
  }

  // MARK: JSON_OBJECT, JSON_ARRAY

  func bindJSONArray(_ node: JSONArraySyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    let (expressions, values) = try bindJSONParts(node.elements, place)
    let output = try jsonOutput(node.returning, node.returningFormat, at: node.range)
    return jsonCall(
      JSONConstructors.array(values, keepsNulls: node.isNullOnNull, output), expressions,
      identity: ExpressionSyntax.jsonArray(node).text, returns: output.type, at: node.range)
  }

  func bindJSONObject(_ node: JSONObjectSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    var keys: [Expression] = []
    for member in node.members {
      let key = try bind(member.key, place)
      guard key.type.isCharacter || key.type == .unknown else {
        throw QueryError(
          .invalidFunctionArgument, "Invalid type of JSON object key: \(key.type)", at: member.key.errorRange)
      }
      keys.append(key.type.isVarchar ? key : key.coerced(to: .text))
      if node.isUniqueKeys, member.value.format != nil {
        throw .notSupported(
          "WITH UNIQUE KEYS behavior is not supported for JSON_OBJECT function when input expression has FORMAT",
          at: member.value.value.errorRange)
      }
    }
    let (expressions, values) = try bindJSONParts(node.members.map(\.value), place)
    let output = try jsonOutput(node.returning, node.returningFormat, at: node.range)
    let function = JSONConstructors.object(
      values, keepsNulls: !node.isAbsentOnNull, hasUniqueKeys: node.isUniqueKeys, output)
    return jsonCall(
      function, keys + expressions, identity: ExpressionSyntax.jsonObject(node).text, returns: output.type,
      at: node.range)
  }

  private func bindJSONParts(
    _ inputs: [JSONInputSyntax], _ place: ExpressionContext
  ) throws(QueryError) -> ([Expression], [JSONConstructors.Value]) {
    var expressions: [Expression] = []
    var values: [JSONConstructors.Value] = []
    for input in inputs {
      let (expression, json) = try bindJSONValue(input, place, keepsDates: false)
      expressions.append(expression)
      values.append(json.map { .json($0) } ?? .sql(expression.type))
    }
    return (expressions, values)
  }
}
