import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import SQLSyntax

/// Expressions of MEASURES and DEFINE.
///
/// - Source: Trino `ExpressionAnalyzer`, which also fixes the wording of errors.
extension Binder {
  /// Binds an expression over a match; names become values looked up in it.
  ///
  /// - Parameter subqueries: the block that runs the expression's subqueries.
  func bindPatternExpression(
    _ syntax: ExpressionSyntax, _ scope: PatternScope, isDefinition: Bool, _ rows: Scope, _ subqueries: QueryBlock?
  ) throws(QueryError) -> PatternExpression {
    scope.inputs = []
    scope.used = []
    var place = ExpressionContext(scope: rows, block: subqueries, clause: .other("Row pattern expression"))
    place.pattern = PatternPlace(scope: scope, isDefinition: isDefinition)
    let firstSubquery = subqueries?.subqueries.count ?? 0
    var expression = try bind(syntax, place)
    if let subqueries, subqueries.subqueries.count > 0 {
      let own = Set(scope.inputs.map(\.reference))
      for subquery in subqueries.subqueries[min(firstSubquery, subqueries.subqueries.count)...] {
        if let probe = subquery.probe, !probe.columnsUsed.isDisjoint(with: own) {
          throw .notSupported(
            "Subqueries that are compared with values of a row pattern match are not supported",
            at: subquery.syntax.errorRange)
        }
      }
      // A subquery's value is a column of every row.
      let outputs = Set(subqueries.subqueries.map(\.output))
      for output in expression.columnsUsed.intersection(outputs).sorted(by: { $0.id.rawValue < $1.id.rawValue }) {
        let value = patternInput(.value(.column(output), PatternPointer()), output.name, output.type, scope)
        expression = expression.replacing([output.id: value])
      }
    }
    return PatternExpression(expression: expression, inputs: scope.inputs)
  }

  private func patternInput(
    _ source: PatternInput.Source, _ name: String, _ type: DataType, _ scope: PatternScope
  ) -> Expression {
    let known = scope.inputs.first { input in
      switch (input.source, source) {
      case (.value(let a, let p), .value(let b, let q)): a == b && p == q
      case (.classifier(let p), .classifier(let q)): p == q
      case (.matchNumber, .matchNumber): true
      default: false
      }
    }
    if let known { return .column(known.reference) }
    let reference = newColumn(name, type)
    scope.inputs.append(PatternInput(reference, source))
    return .column(reference)
  }

  // MARK: Names

  /// A column of the row that the place means.
  func patternColumn(
    _ found: (field: ScopeField, scope: Scope), _ label: String?, _ name: String, _ range: SourceRange,
    _ pattern: PatternPlace, _ place: ExpressionContext
  ) throws(QueryError) -> Expression {
    guard found.scope === place.scope else {
      throw .notSupported("Reference to column '\(name)' from outer scope not allowed in this context", at: range)
    }
    pattern.scope.use(label)
    let column = Expression.column(found.field.reference)
    if pattern.function?.kind == .aggregate { return column }
    var pointer = pattern.pointer
    pointer.variables = label.flatMap { pattern.scope.labels[$0] } ?? []
    return patternInput(.value(column, pointer), found.field.reference.name, column.type, pattern.scope)
  }

  /// `A.x`, or nil when the name does not start with a variable.
  ///
  /// - Throws: `COLUMN_NOT_FOUND` for other qualified names, which mean nothing here.
  func bindPatternDereference(
    _ name: QualifiedName, _ range: SourceRange, _ pattern: PatternPlace, _ place: ExpressionContext
  ) throws(QueryError) -> Expression? {
    let label = PatternScope.label(name.parts[0])
    guard pattern.scope.labels[label] != nil else {
      // A field of a column of type row.
      if name.parts.count > 1, let scope = place.scope, try scope.resolve([name.parts[0]], at: range) != nil { return nil }
      throw columnNotFound(name.parts, place.scope?.columnNames ?? [], at: range)
    }
    let column = Array(name.parts.dropFirst())
    func missing() -> QueryError {
      let text = column.map(\.canonicalName).joined(separator: ".")
      return QueryError(
        .columnNotFound, "Column \(text) prefixed with label \(label) cannot be resolved", at: range,
        hint: NameSuggestion.hint(for: text, among: place.scope?.columnNames ?? []))
    }
    guard column.count == 1, let scope = place.scope, let found = try scope.resolve(column, at: range) else {
      throw missing()
    }
    return try patternColumn(found, label, name.canonicalName, range, pattern, place)
  }

  // MARK: Calls

  private static let patternFunctions: Set<String> = ["first", "last", "prev", "next", "classifier", "match_number"]

  /// A call of a pattern recognition function or an aggregate; nil for all other calls.
  func bindPatternCall(
    _ node: FunctionCallSyntax, _ name: String, _ pattern: PatternPlace, _ place: ExpressionContext
  ) throws(QueryError) -> Expression? {
    let aggregate = FunctionRegistry.aggregate(name)
    if let label = node.starLabel, name != "count" {
      throw QueryError(
        .invalidFunctionArgument,
        "label.* syntax is only supported as the only argument of row pattern count function", at: label.range)
    }
    if node.name.parts.count == 1, !node.name.last.isDelimited, Binder.patternFunctions.contains(name) {
      try checkPatternFunction(node, name)
      guard place.lambdas.isEmpty else { throw notScalar(node.range, text: ExpressionSyntax.functionCall(node).text, place) }
      switch name {
      case "match_number": return try bindMatchNumber(node, pattern)
      case "classifier": return try bindClassifier(node, pattern)
      default: return try bindNavigation(node, name, pattern, place)
      }
    }
    if let aggregate { return try bindPatternAggregate(node, name, aggregate, pattern, place) }
    if let mode = node.processingMode {
      throw QueryError(
        .invalidProcessingMode,
        "\(mode.rawValue) semantics is supported only for FIRST(), LAST() and aggregation functions. Actual: \(name)",
        at: node.range)
    }
    if node.over != nil {
      throw QueryError(
        .nestedWindow,
        "Cannot nest window functions or row pattern measures inside pattern recognition expressions", at: node.range)
    }
    return nil
  }

  private func checkPatternFunction(_ node: FunctionCallSyntax, _ name: String) throws(QueryError) {
    func unusable(_ clause: String) -> QueryError {
      QueryError(
        .invalidPatternRecognitionFunction, "Cannot use \(clause) with \(name) pattern recognition function",
        at: node.range)
    }
    if node.over != nil { throw unusable("OVER") }
    if node.filter != nil { throw unusable("FILTER") }
    if !node.orderBy.isEmpty { throw unusable("ORDER BY") }
    if node.isDistinct { throw unusable("DISTINCT") }
    if let mode = node.processingMode, name != "first", name != "last" {
      throw QueryError(
        .invalidProcessingMode,
        "\(mode.rawValue) semantics is not supported with \(name) pattern recognition function", at: node.range)
    }
  }

  private func checkMode(_ node: FunctionCallSyntax, _ pattern: PatternPlace) throws(QueryError) {
    if node.processingMode == .final, pattern.isDefinition {
      throw QueryError(.invalidProcessingMode, "FINAL semantics is not supported in DEFINE clause", at: node.range)
    }
  }

  private func bindMatchNumber(_ node: FunctionCallSyntax, _ pattern: PatternPlace) throws(QueryError) -> Expression {
    if pattern.scope.isWindow {
      throw QueryError(
        .invalidPatternRecognitionFunction, "MATCH_NUMBER function is not supported in window", at: node.range)
    }
    guard node.arguments.isEmpty, !node.isStar else {
      throw QueryError(
        .invalidFunctionArgument, "MATCH_NUMBER pattern recognition function takes no arguments", at: node.range)
    }
    if pattern.function?.kind == .aggregate { return .column(pattern.scope.matchNumber) }
    return patternInput(.matchNumber, "match_number", .bigint, pattern.scope)
  }

  private func bindClassifier(_ node: FunctionCallSyntax, _ pattern: PatternPlace) throws(QueryError) -> Expression {
    guard node.arguments.count <= 1, !node.isStar else {
      throw QueryError(
        .invalidFunctionArgument, "CLASSIFIER pattern recognition function takes no arguments or 1 argument",
        at: node.range)
    }
    var label: String?
    if let argument = node.arguments.first {
      guard case .identifier(let identifier) = argument else {
        throw QueryError(
          .typeMismatch,
          "CLASSIFIER function argument should be primary pattern variable or subset name. "
            + "Actual: \(argument.text)", at: argument.errorRange)
      }
      label = PatternScope.label(identifier)
      guard pattern.scope.labels[label!] != nil else {
        throw QueryError(
          .invalidFunctionArgument, "\(identifier.name) is not a primary pattern variable or subset name",
          at: identifier.range)
      }
    }
    pattern.scope.use(label)
    if pattern.function?.kind == .aggregate { return .column(pattern.scope.classifier) }
    var pointer = pattern.pointer
    pointer.variables = label.flatMap { pattern.scope.labels[$0] } ?? []
    return patternInput(.classifier(pointer), "classifier", .text, pattern.scope)
  }

  // MARK: Navigation

  private func isNavigation(_ syntax: ExpressionSyntax) -> Bool {
    guard case .functionCall(let call) = syntax, call.name.parts.count == 1, !call.name.last.isDelimited else { return false }
    return ["first", "last", "prev", "next"].contains(call.name.last.canonicalName)
  }

  private func bindNavigation(
    _ node: FunctionCallSyntax, _ name: String, _ pattern: PatternPlace, _ place: ExpressionContext
  ) throws(QueryError) -> Expression {
    try checkMode(node, pattern)
    let isLogical = name == "first" || name == "last"
    if let outer = pattern.function {
      func nested(_ message: String) -> QueryError { QueryError(.invalidNavigationNesting, message, at: node.range) }
      switch outer.kind {
      case .aggregate: throw nested("Cannot nest \(name) pattern navigation function inside \(outer.name) function")
      case .logical:
        throw nested("Cannot nest \(name) pattern navigation function inside \(outer.name) pattern navigation function")
      case .physical:
        if !isLogical {
          throw nested("Cannot nest \(name) pattern navigation function inside \(outer.name) pattern navigation function")
        }
        if pattern.isNested { throw nested("Immediate nesting is required for pattern navigation functions") }
      }
    }
    guard node.arguments.count == 1 || node.arguments.count == 2, !node.isStar else {
      throw QueryError(
        .invalidFunctionArgument, "\(name) pattern recognition function requires 1 or 2 arguments", at: node.range)
    }
    var offset = isLogical ? 0 : 1
    if node.arguments.count == 2 {
      guard let value = SyntaxForm.integer(node.arguments[1]) else {
        if case .unary(let unary) = node.arguments[1], unary.operator == .minus,
          let value = SyntaxForm.integer(unary.operand)
        {
          throw QueryError(
            .numericValueOutOfRange,
            "\(name) pattern recognition navigation function requires a non-negative number as the second argument "
              + "(actual: -\(value))", at: node.range)
        }
        throw QueryError(
          .invalidFunctionArgument,
          "\(name) pattern recognition navigation function requires a number as the second argument", at: node.range)
      }
      guard value >= 0 else {
        throw QueryError(
          .numericValueOutOfRange,
          "\(name) pattern recognition navigation function requires a non-negative number as the second argument "
            + "(actual: \(value))", at: node.range)
      }
      guard value <= Int64(Int32.max) else {
        throw QueryError(
          .numericValueOutOfRange,
          "The second argument of \(name) pattern recognition navigation function must not exceed \(Int32.max) "
            + "(actual: \(value))", at: node.range)
      }
      offset = Int(value)
    }
    var inner = place
    var function = pattern
    function.function = .init(kind: isLogical ? .logical : .physical, name: name)
    if isLogical {
      function.pointer.isLast = name == "last"
      function.pointer.isRunning = node.processingMode != .final
      function.pointer.logicalOffset = offset
      function.isNested = false
    } else {
      function.pointer.physicalOffset = name == "prev" ? -offset : offset
      function.isNested = !isNavigation(node.arguments[0])
    }
    inner.pattern = function
    pattern.scope.used.append([])
    let value = try bind(node.arguments[0], inner)
    let labels = pattern.scope.used.removeLast()
    try checkLabels(labels, node, name)
    if labels.isEmpty {
      throw QueryError(
        .invalidArguments,
        "Pattern navigation function '\(name.uppercased())' must contain at least one column reference or CLASSIFIER()",
        at: node.range)
    }
    for label in labels { pattern.scope.use(label) }
    return value
  }

  private func checkLabels(_ labels: Set<String?>, _ node: FunctionCallSyntax, _ name: String) throws(QueryError) {
    if labels.count > 1 {
      throw QueryError(
        .invalidArguments, "All labels and classifiers inside the call to '\(name)' must match", at: node.range)
    }
  }

  // MARK: Aggregates

  private func bindPatternAggregate(
    _ node: FunctionCallSyntax, _ name: String, _ function: AggregateFunction, _ pattern: PatternPlace,
    _ place: ExpressionContext
  ) throws(QueryError) -> Expression {
    if node.over != nil {
      throw QueryError(
        .nestedWindow, "Cannot use OVER with \(name) aggregate function in pattern recognition context", at: node.range)
    }
    func unsupported(_ clause: String) -> QueryError {
      .notSupported(
        "Cannot use \(clause) with \(name) aggregate function in pattern recognition context", at: node.range)
    }
    if node.filter != nil { throw unsupported("FILTER") }
    if !node.orderBy.isEmpty { throw unsupported("ORDER BY") }
    if node.isDistinct { throw unsupported("DISTINCT") }
    if node.nullTreatment != nil {
      throw QueryError(
        .nullTreatmentNotAllowed, "Cannot specify null treatment clause for \(name) function", at: node.range)
    }
    guard place.lambdas.isEmpty else { throw notScalar(node.range, text: ExpressionSyntax.functionCall(node).text, place) }
    if let outer = pattern.function {
      throw QueryError(
        .nestedAggregation, "Cannot nest \(name) aggregate function inside \(outer.name) function", at: node.range)
    }
    try checkMode(node, pattern)
    var inner = place
    inner.pattern?.function = .init(kind: .aggregate, name: name)
    pattern.scope.used.append([])
    if let label = node.starLabel {
      let text = PatternScope.label(label)
      guard pattern.scope.labels[text] != nil else {
        throw QueryError(
          .invalidFunctionArgument, "\(text) is not a primary pattern variable or subset name", at: label.range)
      }
      pattern.scope.use(text)
    }
    let call = try bindAggregateCall(node, name, function, inner)
    let labels = pattern.scope.used.removeLast()
    try checkLabels(labels, node, name)
    let variables = labels.first.flatMap { $0 }.flatMap { pattern.scope.labels[$0] } ?? []
    return patternInput(
      .aggregate(
        PatternAggregate(
          function: call.function, overloadIndex: call.overloadIndex, binding: call.binding, arguments: call.arguments,
          variables: variables, isRunning: node.processingMode != .final, range: shown(node.range))),
      name, call.output.type, pattern.scope)
  }
}
