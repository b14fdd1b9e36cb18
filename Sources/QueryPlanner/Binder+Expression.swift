import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import SQLSyntax

extension Binder {
  /// Binds an expression: names resolved, overloads picked, casts written out.
  func bind(_ syntax: ExpressionSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    switch syntax {
    case .literal(let literal): return try bindLiteral(literal)
    case .identifier(let identifier): return try bindIdentifier(identifier, place)
    case .parameter(let parameter): return try bindParameter(parameter)
    default: break
    }
    try checkStack(syntax.range)
    switch syntax {
    case .literal, .identifier, .parameter: throw .internalError("bound before", at: syntax.range)
    case .dereference(let node): return try bindDereference(node, place)
    case .unary(let node): return try bindUnary(node, place)
    case .arithmetic(let node): return try bindArithmetic(node, place)
    case .concatenation(let node): return try bindConcatenation(node, place)
    case .comparison(let node): return try bindComparison(node, place)
    case .logical(let node): return try bindLogical(node, place)
    case .not(let node):
      let operand = try bindBoolean(node.operand, place, "Value of logical NOT expression")
      return try call("not", [operand], at: node.range)
    case .isNull(let node):
      let test = try call("is_null", [try bind(node.operand, place)], at: node.operatorRange)
      return node.isNegated ? try call("not", [test], at: node.operatorRange) : test
    case .isDistinctFrom(let node):
      let (left, right) = (try bind(node.left, place), try bind(node.right, place))
      let test = try call("is_distinct_from", [left, right], at: node.operatorRange)
      return node.isNegated ? try call("not", [test], at: node.operatorRange) : test
    case .between(let node): return try bindBetween(node, place)
    case .inList(let node): return try bindInList(node, place)
    case .inSubquery, .exists, .quantifiedComparison, .subquery: return try bindSubqueryExpression(syntax, place)
    case .like(let node): return try bindLike(node, place)
    case .case(let node): return try bindCase(node, place)
    case .caseOperand(let node):
      guard let operand = place.caseOperand else { throw .internalError("no CASE around", at: node.range) }
      return operand
    case .cast(let node): return try bindCast(node, place)
    case .extract(let node):
      let operand = try bind(node.operand, place)
      guard Binder.hasField(operand.type, node.field) else {
        throw QueryError(
          .typeMismatch, "Cannot extract \(Binder.extractFunction(node.field).uppercased()) from \(operand.type)",
          at: node.operand.errorRange)
      }
      return try call(Binder.extractFunction(node.field), [operand], at: node.range)
    case .atTimeZone(let node): return try bindAtTimeZone(node, place)
    case .currentTime(let node): return try bindCurrentTime(node)
    case .currentName(let node): return bindCurrentName(node)
    case .row(let node): return try bindRow(node, place)
    case .array(let node): return try bindArray(node, place)
    case .subscript(let node): return try bindSubscript(node, place)
    case .lambda(let node):
      throw QueryError(.typeMismatch, "Lambda expression should always be used inside a function", at: node.range)
    case .functionCall(let node): return try bindFunctionCall(node, place)
    case .measure(let node): return try bindMeasure(node, place)
    case .grouping(let node): return try bindGrouping(node, place)
    case .jsonExists(let node): return try bindJSONExists(node, place)
    case .jsonValue(let node): return try bindJSONValue(node, place)
    case .jsonQuery(let node): return try bindJSONQuery(node, place)
    case .jsonObject(let node): return try bindJSONObject(node, place)
    case .jsonArray(let node): return try bindJSONArray(node, place)
    }
  }

  func bindAll(_ syntax: [ExpressionSyntax], _ place: ExpressionContext) throws(QueryError) -> [Expression] {
    var result: [Expression] = []
    result.reserveCapacity(syntax.count)
    for expression in syntax { result.append(try bind(expression, place)) }
    return result
  }

  // MARK: Names

  func bindParameter(_ parameter: ParameterSyntax) throws(QueryError) -> Expression {
    guard parameter.index < parameters.count else {
      throw QueryError(
        .invalidParameterUsage,
        "Incorrect number of parameters: expected \(parameter.index + 1) but found \(parameters.count)",
        at: parameter.range)
    }
    return parameters[parameter.index]
  }

  private func bindIdentifier(_ identifier: Identifier, _ place: ExpressionContext) throws(QueryError) -> Expression {
    for parameters in place.lambdas.reversed() {
      if let column = parameters[identifier.canonicalName] { return .column(column) }
    }
    guard let scope = place.scope else { throw columnNotFound([identifier], [], at: identifier.range) }
    if let refused = place.refusedScope, !refused.localMatches([identifier]).isEmpty {
      throw QueryError(
        .columnNotFound, "Invalid reference to output projection attribute from ORDER BY aggregation",
        at: identifier.range)
    }
    if let found = try scope.resolve([identifier], at: identifier.range) {
      if let pattern = place.pattern {
        return try patternColumn(found, nil, identifier.canonicalName, identifier.range, pattern, place)
      }
      noteName(identifier, found.field, found.scope, place)
      return .column(found.field.reference)
    }
    throw columnNotFound([identifier], scope.columnNames, at: identifier.range)
  }

  /// Tells the expansion of extensions which names of QUALIFY and ORDER BY mean items of the SELECT list.
  private func noteName(_ name: Identifier, _ field: ScopeField, _ scope: Scope, _ place: ExpressionContext) {
    guard let expansion = openExpansion, place.clause == .qualify || place.clause == .orderBy else { return }
    let outputs = place.clause == .qualify ? place.scope?.parent : place.outputScope
    expansion.note(
      name, item: scope === outputs ? scope.fields.firstIndex { $0.reference == field.reference && $0.name == field.name } : nil)
  }

  func columnNotFound(_ parts: [Identifier], _ candidates: [String], at range: SourceRange) -> QueryError {
    QueryError(
      .columnNotFound,
      "Column '\(parts.map(\.canonicalName).joined(separator: "."))' cannot be resolved"
        + (session.followsAthena ? " or requester is not authorized to access requested resources" : ""), at: range,
      hint: NameSuggestion.hint(for: parts[parts.count - 1].canonicalName, among: candidates))
  }

  private func bindDereference(_ node: DereferenceSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    if let name = ExpressionSyntax.dereference(node).qualifiedName {
      let isLambdaParameter = place.lambdas.contains { $0[name.parts[0].canonicalName] != nil }
      if let pattern = place.pattern, !isLambdaParameter {
        if let bound = try bindPatternDereference(name, node.range, pattern, place) { return bound }
      } else if !isLambdaParameter {
        guard let scope = place.scope else { throw columnNotFound(name.parts, [], at: node.range) }
        if let found = try scope.resolve(name.parts, at: node.range) {
          noteName(name.parts[0], found.field, found.scope, place)
          return .column(found.field.reference)
        }
        if !scope.isColumnReference(name.parts) {
          var error = columnNotFound(name.parts, scope.columnNames, at: node.range)
          let prefix = Array(name.parts.dropLast())
          if !scope.hasRelation(prefix) {
            let relations = Set(scope.fields.compactMap(\.qualifier.last)).sorted()
            error.hint = NameSuggestion.hint(for: prefix[prefix.count - 1].canonicalName, among: relations)
          }
          throw error
        }
      }
    }
    if let accessor = try bindJSONAccessor(.dereference(node), place) { return accessor }
    let base = try bind(node.base, place)
    guard case .row(let fields) = base.type else {
      throw QueryError(.typeMismatch, "Expression \(node.base.text) is not of type ROW", at: node.base.errorRange)
    }
    let matches = fields.indices.filter { fields[$0].name?.canonicalIdentifier == node.field.canonicalName }
    if matches.count > 1 {
      throw QueryError(.ambiguousName, "Ambiguous row field reference: \(node.field.name)", at: node.range)
    }
    guard let index = matches.first else {
      let name = ExpressionSyntax.dereference(node).text
      throw QueryError(
        .columnNotFound, "Column '\(name)' cannot be resolved", at: node.range,
        hint: NameSuggestion.hint(for: node.field.canonicalName, among: fields.compactMap(\.name)))
    }
    return .field(base, index: index, type: fields[index].type)
  }

  // MARK: Operators

  private func bindUnary(_ node: UnarySyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    let operand = try bind(node.operand, place)
    if node.operator == .minus { return try call("negate", [operand], at: node.range) }
    guard operand.type.isNumeric || operand.type == .unknown else {
      throw QueryError(.typeMismatch, "Unary '+' operator cannot by applied to \(operand.type) type", at: node.range)
    }
    return operand
  }

  /// As many operators of one chain as expressions may nest.
  private static let maxChainLength = 10_000

  private func bindArithmetic(_ node: ArithmeticSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    guard node.terms.count <= Binder.maxChainLength else {
      throw QueryError(.stackOverflow, "statement is too large (stack overflow during analysis)", at: node.range)
    }
    var result = try bind(node.first, place)
    for term in node.terms {
      let operand = try bind(term.operand, place)
      result = try call(term.operator.rawValue, [result, operand], at: term.operatorRange)
    }
    return result
  }

  private func bindConcatenation(
    _ node: ConcatenationSyntax, _ place: ExpressionContext
  ) throws(QueryError) -> Expression {
    let operands = try bindAll(node.operands, place)
    // A chain of strings is one call, so that long ones stay shallow and are copied once.
    if operands.count > 2, operands.allSatisfy(\.type.isVarchar) {
      return try call("concat", operands, at: node.operatorRanges[node.operatorRanges.count - 1].wrappedValue)
    }
    guard operands.count <= Binder.maxChainLength else {
      throw QueryError(.stackOverflow, "statement is too large (stack overflow during analysis)", at: node.range)
    }
    var result = operands[0]
    for (index, operand) in operands.dropFirst().enumerated() {
      result = try call("concat", [result, operand], at: node.operatorRanges[index].wrappedValue)
    }
    return result
  }

  private func bindComparison(_ node: ComparisonSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    let (left, right) = (try bind(node.left, place), try bind(node.right, place))
    return try call(node.operator.rawValue, [left, right], at: node.operatorRange)
  }

  private func bindBoolean(
    _ syntax: ExpressionSyntax, _ place: ExpressionContext, _ what: String
  ) throws(QueryError) -> Expression {
    try coerce(try bind(syntax, place), to: .boolean, at: syntax.errorRange) {
      "\(what) must evaluate to a boolean (actual: \($0))"
    }
  }

  private func bindLogical(_ node: LogicalSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    var operands: [Expression] = []
    operands.reserveCapacity(node.operands.count)
    for operand in node.operands {
      operands.append(try bindBoolean(operand, place, "Logical expression term"))
    }
    return node.operator == .and ? .and(operands) : .or(operands)
  }

  private func bindBetween(_ node: BetweenSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    var value = try bind(node.operand, place)
    var (low, high) = (try bind(node.low, place), try bind(node.high, place))
    guard let common = TypeCoercion.commonSuperType(of: [value.type, low.type, high.type]),
      common.isOrderable
    else {
      throw QueryError(
        .typeMismatch, "Cannot check if \(value.type) is BETWEEN \(low.type) and \(high.type)", at: node.operatorRange)
    }
    (value, low, high) = (coerced(value, to: common), coerced(low, to: common), coerced(high, to: common))
    let test = try once(value) { (value) throws(QueryError) in
      .and([try call(">=", [value, low], at: node.operatorRange), try call("<=", [value, high], at: node.operatorRange)])
    }
    return node.isNegated ? try call("not", [test], at: node.operatorRange) : test
  }

  private func bindInList(_ node: InListSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    var all = [try bind(node.operand, place)]
    all.reserveCapacity(node.list.count + 1)
    for item in node.list { all.append(try bind(item, place)) }
    let (operands, type) = try unified(all, [node.operand] + node.list, what: "IN value and list items")
    guard type.isComparable else {
      throw QueryError(
        .typeMismatch, "Type [\(type)] must be comparable in order to be used in IN predicate", at: node.operatorRange)
    }
    let test: Expression
    if operands.count == 2 {
      test = try call("=", operands, at: node.operatorRange)
    } else {
      test = .inList(InListExpression(value: operands[0], items: Array(operands.dropFirst())))
    }
    return node.isNegated ? try call("not", [test], at: node.operatorRange) : test
  }

  private func bindLike(_ node: LikeSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    let value = try bind(node.operand, place)
    guard value.type.isCharacter || value.type == .unknown else {
      throw QueryError(
        .typeMismatch, "Left side of LIKE expression must evaluate to a varchar (actual: \(value.type))",
        at: node.operand.errorRange)
    }
    let pattern = try bind(node.pattern, place)
    guard pattern.type.isVarchar || pattern.type == .unknown else {
      throw QueryError(
        .typeMismatch, "Pattern for LIKE expression must evaluate to a varchar (actual: \(pattern.type))",
        at: node.pattern.errorRange)
    }
    var arguments = [value.type == .unknown ? value.coerced(to: .text) : value, coerced(pattern, to: .text)]
    if let escape = node.escape {
      let bound = try bind(escape, place)
      guard bound.type.isVarchar || bound.type == .unknown else {
        throw QueryError(
          .typeMismatch, "Escape for LIKE expression must evaluate to a varchar (actual: \(bound.type))",
          at: escape.errorRange)
      }
      arguments.append(coerced(bound, to: .text))
    }
    let test = try call("like", arguments, at: node.operatorRange)
    return node.isNegated ? try call("not", [test], at: node.operatorRange) : test
  }

  // MARK: CASE and casts

  /// What `body` makes of a value that it may use several times: one that differs each time, as `random()` does, is
  /// computed once all the same.
  func once(
    _ value: Expression, _ body: (Expression) throws(QueryError) -> Expression
  ) throws(QueryError) -> Expression {
    if value.isDeterministic { return try body(value) }
    let parameter = newColumn("value", value.type)
    let lambda = LambdaExpression(parameters: [parameter], body: try body(.column(parameter)))
    return try .call("$let", [value, .lambda(lambda)])
  }

  private func bindCase(_ node: CaseSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    guard let operand = node.operand else { return try bindCase(node, operand: nil, place) }
    let value = try bind(operand, place)
    let comparesWithSubquery = node.branches.contains { branch in
      switch branch.condition {
      case .inSubquery, .quantifiedComparison: branch.isPredicate
      default: false
      }
    }
    // Subqueries can be compared with columns only, not with the parameter that `once` makes.
    if comparesWithSubquery, !value.isDeterministic, place.lambdas.isEmpty, let block = place.block {
      let column = newColumn("value", value.type)
      block.subqueries.append(
        .init(kind: .value, plan: singleRow, probe: value, output: column, range: operand.range, syntax: operand))
      return try bindCase(node, operand: .column(column), place)
    }
    return try once(value) { (operand) throws(QueryError) in try bindCase(node, operand: operand, place) }
  }

  private func bindCase(
    _ node: CaseSyntax, operand: Expression?, _ place: ExpressionContext
  ) throws(QueryError) -> Expression {
    var conditions: [Expression] = []
    var inner = place
    if let operand { inner.caseOperand = operand }
    for branch in node.branches {
      if let operand, !branch.isPredicate {
        let value = try bind(branch.condition, place)
        guard TypeCoercion.commonSuperType(operand.type, value.type) != nil else {
          throw QueryError(
            .typeMismatch,
            "CASE operand type does not match WHEN clause operand type: \(operand.type) vs \(value.type)",
            at: branch.condition.errorRange)
        }
        conditions.append(try call("=", [operand, value], at: branch.condition.errorRange))
      } else {
        conditions.append(
          try coerce(try bind(branch.condition, inner), to: .boolean, at: branch.condition.errorRange) {
            "CASE WHEN clause must evaluate to a boolean (actual: \($0))"
          })
      }
    }
    var syntax = node.branches.map(\.result)
    var results = try bindAll(syntax, place)
    if let otherwise = node.otherwise {
      results.append(try bind(otherwise, place))
      syntax.append(otherwise)
    }
    let (unified, type) = try unified(results, syntax, what: "All CASE results")
    let branches = zip(conditions, unified).map { CaseExpression.Branch(condition: $0, result: $1) }
    let otherwise = node.otherwise == nil ? Expression.null(type) : unified[unified.count - 1]
    return .caseWhen(CaseExpression(branches: branches, otherwise: otherwise, type: type))
  }

  /// The type that a cast, or a function with RETURNING, asks for.
  ///
  /// - Throws: `TYPE_MISMATCH` for names that are no types.
  func bindTarget(_ type: TypeSyntax, at range: SourceRange) throws(QueryError) -> DataType {
    do throws(QueryError) { return try TypeBinder.bind(type) } catch {
      guard error.code == .typeNotFound else { throw error }
      throw QueryError(.typeMismatch, error.message, at: range, hint: error.hint)
    }
  }

  private func bindCast(_ node: CastSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    let type = try bindTarget(node.type, at: node.range)
    let operand = try bind(node.operand, place)
    if operand.type == type { return operand }
    if case .constant(.null, _) = operand { return .constant(.null, type) }
    guard operand.type == .unknown || CastRegistry.canCast(operand.type, to: type) else {
      throw QueryError(.typeMismatch, "Cannot cast \(operand.type) to \(type)", at: node.range)
    }
    return .cast(CastExpression(operand, to: type, isTry: node.isTry, range: shown(node.range)))
  }

  /// Whether values of a type have a field for EXTRACT; a date has no time of day, and only
  /// values with a zone have an offset, though functions such as `hour` take what coerces to those.
  private static func hasField(_ type: DataType, _ field: ExtractField) -> Bool {
    switch (type, field) {
    case (.unknown, _), (.timestampWithTimeZone, _): true
    case (_, .timezoneHour), (_, .timezoneMinute): if case .timeWithTimeZone = type { true } else { false }
    case (.timestamp, _): true
    case (.date, .hour), (.date, .minute), (.date, .second): false
    case (.date, _): true
    case (.time, .hour), (.time, .minute), (.time, .second): true
    case (.timeWithTimeZone, .hour), (.timeWithTimeZone, .minute), (.timeWithTimeZone, .second): true
    case (.intervalYearToMonth, .year), (.intervalYearToMonth, .month): true
    case (.intervalDayToSecond, .day), (.intervalDayToSecond, .hour), (.intervalDayToSecond, .minute),
      (.intervalDayToSecond, .second):
      true
    default: false
    }
  }

  private static func extractFunction(_ field: ExtractField) -> String {
    switch field {
    case .year: "year"
    case .quarter: "quarter"
    case .month: "month"
    case .week: "week"
    case .day, .dayOfMonth: "day"
    case .dayOfWeek, .dow: "day_of_week"
    case .dayOfYear, .doy: "day_of_year"
    case .yearOfWeek, .yow: "year_of_week"
    case .hour: "hour"
    case .minute: "minute"
    case .second: "second"
    case .timezoneHour: "timezone_hour"
    case .timezoneMinute: "timezone_minute"
    }
  }

  private func bindAtTimeZone(_ node: AtTimeZoneSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    var value = try bind(node.operand, place)
    switch value.type {
    case .timestamp(let precision): value = value.coerced(to: .timestampWithTimeZone(precision: precision))
    case .time(let precision): value = value.coerced(to: .timeWithTimeZone(precision: precision))
    case .timestampWithTimeZone, .timeWithTimeZone: break
    default:
      throw QueryError(
        .typeMismatch,
        "Type of value must be a time or timestamp with or without time zone (actual \(value.type))",
        at: node.operand.errorRange)
    }
    let zone = try bind(node.zone, place)
    guard zone.type.isVarchar || zone.type == .intervalDayToSecond else {
      throw QueryError(
        .typeMismatch, "Time zone expression must be a varchar or interval day to second (actual \(zone.type))",
        at: node.zone.errorRange)
    }
    let name = FunctionRegistry.scalar("at_timezone") == nil ? "$at_timezone" : "at_timezone"
    return try call(name, [value, zone], at: node.operatorRange)
  }

  // MARK: Rows, arrays, subscripts

  private func bindRow(_ node: RowSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    var values: [Expression] = []
    var fields: [DataType.RowField] = []
    for field in node.fields {
      let value = try bind(field.value, place)
      values.append(value)
      fields.append(.init(name: field.name?.name, type: value.type))
    }
    return try rowConstructor(values, fields, at: node.range)
  }

  /// A row made of values.
  func rowConstructor(
    _ values: [Expression], _ fields: [DataType.RowField], at range: SourceRange?
  ) throws(QueryError) -> Expression {
    let type = DataType.row(fields)
    var constants: [Scalar] = []
    for value in values { if case .constant(let scalar, _) = value { constants.append(scalar) } }
    if constants.count == values.count { return .constant(.row(constants), type) }
    guard let function = FunctionRegistry.scalar("row_constructor") ?? FunctionRegistry.scalar("row") else {
      throw QueryError(.functionNotFound, "Function 'row' not registered", at: range)
    }
    let binding = SignatureBinding(argumentTypes: values.map(\.type), returnType: type)
    return .call(ScalarCall(function, overloadIndex: 0, binding: binding, arguments: values, range: shown(range)))
  }

  /// As many elements as Athena takes in one array constructor.
  private static let maxAthenaElementCount = 254

  private func bindArray(_ node: ArraySyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    if session.followsAthena, node.elements.count > Binder.maxAthenaElementCount {
      throw QueryError(.tooManyArguments, "Too many arguments for array constructor", at: node.range)
    }
    let (elements, type) = try unified(try bindAll(node.elements, place), node.elements, what: "All ARRAY elements")
    var constants: [Scalar] = []
    constants.reserveCapacity(elements.count)
    for element in elements { if case .constant(let scalar, _) = element { constants.append(scalar) } }
    if constants.count == elements.count { return .constant(.array(constants), .array(type)) }
    guard let function = FunctionRegistry.scalar("array_constructor") else {
      throw QueryError(.functionNotFound, "Function 'array_constructor' not registered", at: node.range)
    }
    let binding = SignatureBinding(argumentTypes: elements.map(\.type), returnType: .array(type))
    return .call(ScalarCall(function, overloadIndex: 0, binding: binding, arguments: elements, range: shown(node.range)))
  }

  private func bindSubscript(_ node: SubscriptSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    if let accessor = try bindJSONAccessor(.subscript(node), place) { return accessor }
    let base = try bind(node.base, place)
    guard let indexSyntax = node.index else {
      throw QueryError(
        .typeMismatch, "[*] array wildcard accessor is only allowed over a JSON simplified accessor chain", at: node.range)
    }
    guard case .row(let fields) = base.type else {
      return try call("subscript", [base, try bind(indexSyntax, place)], at: node.range)
    }
    guard case .literal(let literal) = indexSyntax else {
      throw QueryError(
        .expressionNotConstant, "Subscript expression on ROW requires a constant index", at: indexSyntax.errorRange)
    }
    guard case .integer(let index) = literal.value, Int32(exactly: index) != nil else {
      let type = try bindLiteral(literal).type
      throw QueryError(
        .typeMismatch, "Subscript expression on ROW requires integer index, found \(type)", at: indexSyntax.errorRange)
    }
    guard index >= 1 else {
      throw QueryError(
        .invalidFunctionArgument, "Invalid subscript index: \(index). ROW indices start at 1", at: indexSyntax.errorRange)
    }
    guard index <= fields.count else {
      throw QueryError(
        .invalidFunctionArgument, "Subscript index out of bounds: \(index), max value is \(fields.count)",
        at: indexSyntax.errorRange)
    }
    return .field(base, index: Int(index) - 1, type: fields[Int(index) - 1].type)
  }

  private func bindGrouping(_ node: GroupingSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    guard place.clause.allowsAggregates, let block = place.block, place.lambdas.isEmpty else {
      throw notScalar(node.range, text: ExpressionSyntax.grouping(node).text, place)
    }
    if let name = place.aggregateName {
      throw QueryError(
        .nestedAggregation, "Cannot nest GROUPING() inside aggregation '\(name)'", at: node.range)
    }
    var inner = place
    if let scope = place.outputScope { inner.scope = scope.parent }
    let arguments = try bindAll(node.columns, inner)
    guard arguments.count <= 63 else {
      throw QueryError(
        .invalidArguments, "GROUPING supports up to 63 arguments: \(arguments.count)", at: node.range)
    }
    let output = newColumn("grouping", arguments.count <= 31 ? .integer : .bigint)
    block.groupings.append((output, zip(arguments, node.columns).map { ($0, $1.text) }, node.range))
    return .column(output)
  }

  /// The error for aggregates and windows where only scalar expressions may stand.
  func notScalar(_ range: SourceRange, text: String, _ place: ExpressionContext) -> QueryError {
    if !place.lambdas.isEmpty {
      return QueryError(
        .expressionNotScalar,
        "Lambda expression cannot contain aggregations, window functions or grouping operations: [\(text)]", at: range)
    }
    let name = if case .other(let name) = place.clause { name } else { "Expression" }
    return QueryError(
      .expressionNotScalar,
      "\(name) cannot contain aggregations, window functions or grouping operations: [\(text)]",
      at: place.clauseRange ?? range)
  }
}
