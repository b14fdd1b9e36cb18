import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import SQLSyntax

/// What overload a call of given argument types means.
struct CallKey: Hashable {
  var name: String
  var types: [DataType]
}

struct ResolvedCall {
  var function: ScalarFunction
  var index: Int
  var binding: SignatureBinding
}

/// A lambda under given parameter types.
struct LambdaKey: Hashable {
  var lambda: LambdaSyntax
  var types: [DataType]
}

extension Binder {
  /// An argument before overloads are picked.
  private enum Argument {
    case value(Expression)
    case lambda(LambdaSyntax)
  }

  /// A call of a built-in function or operator.
  ///
  /// - Throws: `FUNCTION_NOT_FOUND`, `TYPE_MISMATCH` at `range`.
  func call(_ name: String, _ arguments: [Expression], at range: SourceRange?) throws(QueryError) -> Expression {
    let key = CallKey(name: name, types: arguments.map(\.type))
    let resolved: ResolvedCall
    if let known = resolvedCalls[key] {
      resolved = known
    } else {
      guard let function = scalarFunction(name) else { throw functionNotFound(name, at: range) }
      let (index, binding) = try OverloadResolution.resolve(
        name: name, function.overloads.map(\.signature), key.types.map { .type($0) }, at: range)
      resolved = ResolvedCall(function: function, index: index, binding: binding)
      resolvedCalls[key] = resolved
    }
    var coercedArguments: [Expression] = []
    coercedArguments.reserveCapacity(arguments.count)
    for (argument, type) in zip(arguments, resolved.binding.argumentTypes) {
      coercedArguments.append(coerced(argument, to: type))
    }
    return .call(
      ScalarCall(
        resolved.function, overloadIndex: resolved.index, binding: resolved.binding, arguments: coercedArguments,
        range: shown(range)))
  }

  /// A built-in function, or one of the program that embeds the engine.
  private func scalarFunction(_ name: String) -> ScalarFunction? {
    FunctionRegistry.scalar(name) ?? session.hostFunctions[name]
  }

  private func functionNotFound(_ name: String, at range: SourceRange?) -> QueryError {
    QueryError(
      .functionNotFound, "Function '\(name)' not registered", at: range,
      hint: NameSuggestion.hint(for: name, among: FunctionRegistry.names + session.hostFunctions.keys.sorted()))
  }

  /// As many arguments as a call may have.
  private static let maxArgumentCount = 127

  func bindFunctionCall(_ node: FunctionCallSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    let name = node.name.last.canonicalName
    if node.isMethod || node.name.parts.count > 1, let value = try bindJSONItemMethod(node, place) { return value }
    if node.name.parts.count > 1 {
      let prefix = node.name.parts.dropLast().map(\.canonicalName)
      guard prefix == ["system", "builtin"] || prefix == ["builtin"] else {
        throw functionNotFound(node.name.canonicalName, at: node.range)
      }
    }
    if session.followsAthena, FunctionRegistry.isExtension(name) {
      throw QueryError(
        .functionNotFound, "Function '\(name)' not registered", at: node.range,
        hint: "Athena has no \(name): only without --compat athena does it run.")
    }
    if let pattern = place.pattern {
      if let bound = try bindPatternCall(node, name, pattern, place) { return bound }
    } else if let mode = node.processingMode {
      throw QueryError(
        .invalidProcessingMode, "\(mode.rawValue) semantics is not supported out of pattern recognition context",
        at: node.range)
    } else if let label = node.starLabel {
      throw QueryError(
        .invalidFunctionArgument,
        "label.* syntax is only supported as the only argument of row pattern count function", at: label.range)
    }
    if !node.argumentNames.isEmpty {
      throw .notSupported("Named arguments are not supported for function \(name)", at: node.range)
    }
    guard node.arguments.count <= Binder.maxArgumentCount else {
      throw QueryError(.tooManyArguments, "Too many arguments for function call \(name)()", at: node.range)
    }
    if node.over != nil { return try bindWindowCall(node, name, place) }
    if let function = FunctionRegistry.aggregate(name) { return try bindAggregate(node, name, function, place) }

    if node.isDistinct {
      throw QueryError(
        .functionNotAggregate, "DISTINCT is not supported for non-aggregation functions", at: node.range)
    }
    if node.filter != nil {
      throw QueryError(.functionNotAggregate, "Filter is only valid for aggregation functions", at: node.range)
    }
    if !node.orderBy.isEmpty {
      throw QueryError(.functionNotAggregate, "ORDER BY is only valid for aggregation functions", at: node.range)
    }
    if FunctionRegistry.window(name) != nil {
      guard place.clause.allowsWindows else {
        throw windowNotAllowed(ExpressionSyntax.functionCall(node).text, node.range, place)
      }
      throw QueryError(.missingOver, "Window function \(name) requires an OVER clause", at: node.range)
    }
    if node.isStar {
      throw QueryError(.functionNotAggregate, "Function '\(name)' does not take *", at: node.range)
    }
    switch name {
    case "if": return try bindIf(node, place)
    case "coalesce": return try bindCoalesce(node, place)
    case "nullif": return try bindNullIf(node, place)
    case "overlaps": return try bindOverlaps(node, place)
    case "try":
      try checkCount(node, 1...1)
      return .tryCatch(try bind(node.arguments[0], place))
    default: break
    }
    guard let function = scalarFunction(name), !function.isHidden || isCallable(name) else {
      throw functionNotFound(name, at: node.range)
    }
    let arguments = try prepare(node.arguments, place)
    if let values = plainValues(arguments) { return try call(name, values, at: node.range) }
    let (index, binding, bound) = try resolve(
      name, function.overloads.map(\.signature), arguments, place, at: node.range)
    return .call(
      ScalarCall(function, overloadIndex: index, binding: binding, arguments: bound, range: shown(node.range)))
  }

  /// Whether a function left out of listings may be called by name; operators by symbols never get here.
  private func isCallable(_ name: String) -> Bool { !name.hasPrefix("$") }

  // MARK: Arguments

  private func prepare(_ syntax: [ExpressionSyntax], _ place: ExpressionContext) throws(QueryError) -> [Argument] {
    var arguments: [Argument] = []
    arguments.reserveCapacity(syntax.count)
    for expression in syntax {
      if case .lambda(let lambda) = expression {
        arguments.append(.lambda(lambda))
      } else {
        arguments.append(.value(try bind(expression, place)))
      }
    }
    return arguments
  }

  private func plainValues(_ arguments: [Argument]) -> [Expression]? {
    var values: [Expression] = []
    values.reserveCapacity(arguments.count)
    for argument in arguments {
      guard case .value(let expression) = argument else { return nil }
      values.append(expression)
    }
    return values
  }

  private func resolve(
    _ name: String, _ signatures: [Signature], _ arguments: [Argument], _ place: ExpressionContext, at range: SourceRange
  ) throws(QueryError) -> (index: Int, binding: SignatureBinding, arguments: [Expression]) {
    var described: [CallArgument] = []
    // Lambdas within lambdas: each is bound once for the same types, not once to learn its type and once to keep it.
    var lambdas: [LambdaKey: LambdaExpression] = [:]
    func bound(_ lambda: LambdaSyntax, _ types: [DataType]) throws(QueryError) -> LambdaExpression {
      let key = LambdaKey(lambda: lambda, types: types)
      if let known = lambdas[key] { return known }
      let expression = try bindLambda(lambda, types, place)
      lambdas[key] = expression
      return expression
    }
    for argument in arguments {
      switch argument {
      case .value(let expression): described.append(.type(expression.type))
      case .lambda(let lambda):
        var names: Set<String> = []
        for parameter in lambda.parameters where !names.insert(parameter.canonicalName).inserted {
          throw QueryError(
            .duplicateParameterName, "Lambda argument \(parameter.canonicalName) is specified more than once",
            at: parameter.range)
        }
        described.append(
          .lambda(parameterCount: lambda.parameters.count, range: lambda.range) {
            (types: [DataType]) throws(QueryError) -> DataType in
            try bound(lambda, types).body.type
          })
      }
    }
    let (index, binding) = try OverloadResolution.resolve(name: name, signatures, described, at: range)
    var coercedArguments: [Expression] = []
    for (argument, type) in zip(arguments, binding.argumentTypes) {
      switch argument {
      case .value(let expression): coercedArguments.append(coerced(expression, to: type))
      case .lambda(let lambda):
        guard case .function(let parameters, let result) = type else {
          throw .internalError("a lambda was bound to \(type)", at: lambda.range)
        }
        var expression = try bound(lambda, parameters)
        expression.body = coerced(expression.body, to: result)
        coercedArguments.append(.lambda(expression))
      }
    }
    return (index, binding, coercedArguments)
  }

  private func bindLambda(
    _ lambda: LambdaSyntax, _ types: [DataType], _ place: ExpressionContext
  ) throws(QueryError) -> LambdaExpression {
    let key = LambdaKey(lambda: lambda, types: types)
    let parameters: [ColumnReference]
    if let known = lambdaParameters[key] {
      parameters = known
    } else {
      parameters = zip(lambda.parameters, types).map { newColumn($0.name, $1) }
      lambdaParameters[key] = parameters
    }
    var inner = place
    inner.lambdas.append(
      Dictionary(zip(lambda.parameters.map(\.canonicalName), parameters), uniquingKeysWith: { first, _ in first }))
    return LambdaExpression(parameters: parameters, body: try bind(lambda.body, inner))
  }

  // MARK: Conditional forms

  private func checkCount(_ node: FunctionCallSyntax, _ allowed: ClosedRange<Int>) throws(QueryError) {
    if allowed.contains(node.arguments.count) { return }
    let name = node.name.last.canonicalName
    let wanted =
      allowed.lowerBound == allowed.upperBound
      ? "exactly \(allowed.lowerBound) argument\(allowed.lowerBound == 1 ? "" : "s")"
      : allowed.upperBound == Int.max
        ? "at least \(allowed.lowerBound) arguments" : "\(allowed.lowerBound) or \(allowed.upperBound) arguments"
    throw QueryError(
      .syntaxError, "Invalid number of arguments for '\(name)' function: it takes \(wanted)", at: node.range)
  }

  private func bindIf(_ node: FunctionCallSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    try checkCount(node, 2...3)
    let condition = try coerce(
      try bind(node.arguments[0], place), to: .boolean, at: node.arguments[0].errorRange
    ) { "IF condition must evaluate to a boolean (actual: \($0))" }
    let first = try bind(node.arguments[1], place)
    let second = node.arguments.count > 2 ? try bind(node.arguments[2], place) : .null(first.type)
    guard let type = TypeCoercion.commonSuperType(first.type, second.type) else {
      throw QueryError(
        .typeMismatch, "Result types for IF must be the same: \(first.type) vs \(second.type)", at: node.range)
    }
    return .caseWhen(
      CaseExpression(
        branches: [.init(condition: condition, result: coerced(first, to: type))], otherwise: coerced(second, to: type),
        type: type))
  }

  private func bindCoalesce(_ node: FunctionCallSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    try checkCount(node, 2...Int.max)
    let (operands, type) = try unified(
      try bindAll(node.arguments, place), node.arguments, what: "All COALESCE operands")
    return .coalesce(operands, type)
  }

  private func bindNullIf(_ node: FunctionCallSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    try checkCount(node, 2...2)
    let first = try bind(node.arguments[0], place)
    let second = try bind(node.arguments[1], place)
    guard let common = TypeCoercion.commonSuperType(first.type, second.type) else {
      throw QueryError(
        .typeMismatch, "Types are not comparable with NULLIF: \(first.type) vs \(second.type)", at: node.range)
    }
    return try once(first) { (first) throws(QueryError) in
      let equal = try call("=", [coerced(first, to: common), coerced(second, to: common)], at: node.range)
      return .caseWhen(
        CaseExpression(
          branches: [.init(condition: equal, result: .null(first.type))], otherwise: first, type: first.type))
    }
  }

  // MARK: Aggregates

  private func bindAggregate(
    _ node: FunctionCallSyntax, _ name: String, _ function: AggregateFunction, _ place: ExpressionContext
  ) throws(QueryError) -> Expression {
    let text = ExpressionSyntax.functionCall(node).text
    if let outer = place.aggregateName {
      throw QueryError(
        .nestedAggregation, "Cannot nest aggregations inside aggregation '\(outer)': [\(text)]", at: node.range)
    }
    guard place.clause.allowsAggregates, place.lambdas.isEmpty, let block = place.block else {
      throw notScalar(node.range, text: text, place)
    }
    if node.nullTreatment != nil {
      throw QueryError(
        .nullTreatmentNotAllowed, "Cannot specify null treatment clause for \(name) function", at: node.range)
    }
    var inner = place
    inner.aggregateName = name
    // Names inside mean columns of FROM, not of the SELECT list.
    if let scope = place.outputScope {
      inner.scope = scope.parent
      inner.outputScope = nil
      inner.refusedScope = scope
    }
    let call = try bindAggregateCall(node, name, function, inner)
    return .column(block.add(call))
  }

  /// Binds an aggregate's arguments and clauses; `place` is inside of it.
  func bindAggregateCall(
    _ node: FunctionCallSyntax, _ name: String, _ function: AggregateFunction, _ place: ExpressionContext
  ) throws(QueryError) -> QueryBlock.Aggregate {
    var arguments = try prepare(node.arguments, place)
    if node.isStar, name != "count" {
      throw QueryError(.functionNotFound, "Unexpected parameters (*) for function \(name)", at: node.range)
    }
    if let listagg = node.listagg {
      arguments = listaggArguments(arguments, listagg, function)
    }
    let (index, binding, bound) = try resolve(
      name, function.overloads.map(\.signature), arguments, place, at: node.range)
    var filter: Expression?
    if let condition = node.filter {
      filter = try coerce(try bind(condition, place), to: .boolean, at: condition.errorRange) {
        "Filter must evaluate to a boolean: actual type \($0)"
      }
    }
    var ordering: [QueryBlock.Ordering] = []
    for item in node.orderBy {
      let expression = try bind(item.expression, place)
      try checkOrderable(expression.type, item, in: "ORDER BY")
      ordering.append(self.ordering(item, expression))
    }
    if node.isDistinct {
      for argument in bound where !argument.type.isComparable {
        throw QueryError(
          .typeMismatch, "DISTINCT can only be applied to comparable types (actual: \(argument.type))", at: node.range)
      }
      for (index, key) in ordering.enumerated() {
        // The argument may have been cast; the user's own expression counts.
        let isArgument = arguments.contains { argument in
          if case .value(let expression) = argument { expression == key.expression } else { false }
        }
        if !isArgument, !bound.contains(key.expression) {
          throw QueryError(
            .expressionNotInDistinct,
            "For aggregate function with DISTINCT, ORDER BY expressions must appear in arguments",
            at: node.orderBy[index].expression.errorRange)
        }
      }
    }
    let isDistinct = node.isDistinct && !bound.isEmpty
    return QueryBlock.Aggregate(
      output: newColumn(name, binding.returnType), function: function, overloadIndex: index, binding: binding,
      arguments: bound, isDistinct: isDistinct, filter: filter, ordering: ordering, range: node.range)
  }

  /// LISTAGG's arguments: value, separator, whether overflow is an error, filler, whether to count what was left out.
  private func listaggArguments(
    _ arguments: [Argument], _ listagg: ListaggSyntax, _ function: AggregateFunction
  ) -> [Argument] {
    var arguments = arguments
    if arguments.count == 1 { arguments.append(.value(.constant(.string(""), .text))) }
    var (isError, filler, isCounted) = (true, "...", true)
    if case .truncate(let text, let counted) = listagg.overflow {
      isError = false
      filler = text?.value ?? "..."
      isCounted = counted
    }
    let takesOverflow = function.overloads.contains { $0.signature.parameters.count == 5 }
    guard takesOverflow || !isError else { return arguments }
    arguments.append(.value(.constant(.boolean(isError), .boolean)))
    arguments.append(.value(.constant(.string(filler), .text)))
    arguments.append(.value(.constant(.boolean(isCounted), .boolean)))
    return arguments
  }

  // MARK: Window functions

  /// Binds a window function's arguments.
  func bindWindowFunction(
    _ node: FunctionCallSyntax, _ name: String, _ function: WindowFunction, _ place: ExpressionContext
  ) throws(QueryError) -> (binding: SignatureBinding, arguments: [Expression]) {
    let arguments = try prepare(node.arguments, place)
    let (_, binding, bound) = try resolve(name, function.signatures, arguments, place, at: node.range)
    return (binding, bound)
  }

  func windowFunctionNotFound(_ name: String, at range: SourceRange) -> QueryError {
    functionNotFound(name, at: range)
  }
}
