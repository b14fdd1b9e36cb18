import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLSyntax

/// The clauses that MATCH_RECOGNIZE and windows with PATTERN share.
struct PatternClauses {
  var measures: [MeasureDefinitionSyntax]
  var afterMatch: SkipToSyntax?
  var pattern: RowPatternSyntax
  var subsets: [SubsetDefinitionSyntax]
  var definitions: [VariableDefinitionSyntax]
  var range: SourceRange
}

/// Row pattern recognition.
///
/// - Source: Trino `PatternRecognitionAnalyzer`, `StatementAnalyzer.visitPatternRecognitionRelation`.
extension Binder {
  // MARK: MATCH_RECOGNIZE

  func bindMatchRecognize(
    _ node: MatchRecognizeSyntax, _ context: QueryContext
  ) throws(QueryError) -> BoundRelation {
    let input = try bindRelation(node.input, context)
    var names: Set<String> = []
    for field in input.fields {
      if let name = field.name, !names.insert(name.lowercased()).inserted {
        throw QueryError(
          .ambiguousName, "ambiguous column: \(name) in row pattern input relation", at: node.input.range)
      }
    }
    let scope = Scope(fields: input.fields, parent: context.outer)
    var partition: [ScopeField] = []
    for syntax in node.partitionBy {
      let field = try inputField(syntax, scope)
      guard field.reference.type.isComparable else {
        throw QueryError(
          .typeMismatch, "\(field.reference.type) is not comparable, and therefore cannot be used in PARTITION BY",
          at: syntax.errorRange)
      }
      partition.append(field)
    }
    var sortFields: [ScopeField] = []
    var ordering: [SortKey] = []
    for item in node.orderBy {
      let field = try inputField(item.expression, scope)
      guard field.reference.type.isOrderable else {
        throw QueryError(
          .typeMismatch, "\(field.reference.type) is not orderable, and therefore cannot be used in ORDER BY",
          at: item.expression.errorRange)
      }
      sortFields.append(field)
      if !ordering.contains(where: { $0.column == field.reference }) {
        ordering.append(
          SortKey(field.reference, isAscending: !item.isDescending, nullsFirst: item.isNullsFirst ?? false))
      }
    }
    let clauses = PatternClauses(
      measures: node.measures, afterMatch: node.afterMatch, pattern: node.pattern, subsets: node.subsets,
      definitions: node.definitions, range: node.range)
    let block = QueryBlock(context: context)
    let specification = try bindPattern(clauses, scope, block, isWindow: false, isInitial: true) { () throws(QueryError) in
      if let mode = node.searchMode {
        throw .notSupported(
          "Pattern search modifier: \(mode.rawValue) is not allowed in MATCH_RECOGNIZE clause", at: node.range)
      }
      if node.rowsPerMatch == .allWithUnmatched { try self.checkNoExclusions(node.pattern) }
    }
    let rowsPerMatch: RowPatternNode.RowsPerMatch =
      switch node.rowsPerMatch ?? .one {
      case .one: .one
      case .allShowEmpty: .all(showsEmpty: true, showsUnmatched: false)
      case .allOmitEmpty: .all(showsEmpty: false, showsUnmatched: false)
      case .allWithUnmatched: .all(showsEmpty: true, showsUnmatched: true)
      }

    func visible(_ field: ScopeField) -> ScopeField {
      ScopeField(qualifier: [], name: field.name, reference: field.reference)
    }
    var fields = partition.map(visible)
    if rowsPerMatch != .one { fields += sortFields.map(visible) }
    fields += zip(node.measures, specification.measures).map { syntax, measure in
      ScopeField(qualifier: [], name: syntax.name.name, reference: measure.reference)
    }
    var kept: [ColumnReference] = []
    if rowsPerMatch == .one {
      for field in partition where !kept.contains(field.reference) { kept.append(field.reference) }
    } else {
      kept = input.fields.map(\.reference)
      let shown = Set((partition + sortFields).map(\.reference))
      for field in input.fields where !shown.contains(field.reference) {
        fields.append(
          ScopeField(qualifier: [], name: field.name, reference: field.reference, isHidden: field.isHidden))
      }
    }
    if fields.isEmpty {
      throw QueryError(.tableHasNoColumns, "pattern recognition output table has no columns", at: node.range)
    }
    let plan = try attachSubqueries(block, to: input.plan, neededBy: specification.inputExpressions)
    let recognition = RowPatternNode(
      input: plan, partitionKeys: partition.map(\.reference), ordering: ordering, pattern: specification,
      rowsPerMatch: rowsPerMatch, kept: kept)
    return BoundRelation(plan: .rowPattern(recognition), fields: fields)
  }

  private func inputField(_ syntax: ExpressionSyntax, _ scope: Scope) throws(QueryError) -> ScopeField {
    let parts: [Identifier]
    switch syntax {
    case .identifier(let identifier): parts = [identifier]
    case .dereference: parts = syntax.qualifiedName?.parts ?? []
    default: parts = []
    }
    guard !parts.isEmpty else {
      throw QueryError(
        .invalidColumnReference, "Expected column reference. Actual: \(syntax.text)", at: syntax.errorRange)
    }
    guard let found = try scope.resolve(parts, at: syntax.range), found.scope === scope else {
      throw QueryError(
        .columnNotFound, "Column \(syntax.text) is not present in the input relation", at: syntax.range,
        hint: NameSuggestion.hint(for: parts[parts.count - 1].canonicalName, among: scope.fields.compactMap(\.name)))
    }
    return found.field
  }

  // MARK: Clauses

  /// Binds PATTERN, SUBSET, DEFINE and MEASURES.
  ///
  /// - Parameter check: what else is wrong with the clauses, found out before their expressions are bound.
  func bindPattern(
    _ clauses: PatternClauses, _ scope: Scope, _ block: QueryBlock?, isWindow: Bool, isInitial: Bool,
    check: () throws(QueryError) -> Void
  ) throws(QueryError) -> RowPatternSpecification {
    var variables: [String] = []
    collectVariables(clauses.pattern, &variables)
    var labels: [String: [Int]] = [:]
    for (number, variable) in variables.enumerated() { labels[variable] = [number] }
    let primary = labels

    func invalid(_ message: String, _ name: Identifier) -> QueryError {
      QueryError(.invalidLabel, message, at: name.range)
    }
    for subset in clauses.subsets {
      let label = PatternScope.label(subset.name)
      if primary[label] != nil {
        throw invalid(
          "union pattern variable name: \(subset.name.name) is a duplicate of primary pattern variable name", subset.name)
      }
      if labels[label] != nil {
        throw invalid("union pattern variable name: \(subset.name.name) is declared twice", subset.name)
      }
      var members: Set<Int> = []
      for member in subset.members {
        guard let number = primary[PatternScope.label(member)] else {
          throw invalid("subset element: \(member.name) is not a primary pattern variable", member)
        }
        members.formUnion(number)
      }
      labels[label] = members.sorted()
    }
    var defined: Set<String> = []
    for definition in clauses.definitions {
      let label = PatternScope.label(definition.name)
      if primary[label] == nil {
        throw invalid("defined variable: \(definition.name.name) is not a primary pattern variable", definition.name)
      }
      if !defined.insert(label).inserted {
        throw invalid("pattern variable with name: \(definition.name.name) is defined twice", definition.name)
      }
    }
    let pattern = try rowPattern(clauses.pattern, primary)
    let skip: RowPatternSpecification.Skip
    switch clauses.afterMatch ?? .pastLastRow {
    case .pastLastRow: skip = .pastLastRow
    case .nextRow: skip = .nextRow
    case .first(let name), .last(let name):
      guard let target = labels[PatternScope.label(name)] else {
        throw invalid("\(name.name) is not a primary or union pattern variable", name)
      }
      if case .first? = clauses.afterMatch { skip = .first(target) } else { skip = .last(target) }
    }
    try check()

    let patternScope = PatternScope(
      variables: variables, labels: labels, isWindow: isWindow, classifier: newColumn("classifier", .text),
      matchNumber: newColumn("match_number", .bigint))
    var definitions = [PatternExpression?](repeating: nil, count: variables.count)
    for definition in clauses.definitions {
      let condition = try bindPatternExpression(
        definition.condition, patternScope, isDefinition: true, scope, block)
      guard condition.expression.type == .boolean else {
        throw QueryError(
          .typeMismatch, "Expression defining a label must be boolean (actual type: \(condition.expression.type))",
          at: definition.condition.errorRange)
      }
      definitions[primary[PatternScope.label(definition.name)]![0]] = condition
    }
    var measures: [RowPatternSpecification.Measure] = []
    for measure in clauses.measures {
      let value = try bindPatternExpression(measure.expression, patternScope, isDefinition: false, scope, block)
      measures.append(.init(newColumn(measure.name.name, value.expression.type), value))
    }
    return RowPatternSpecification(
      variables: variables, pattern: pattern, definitions: definitions, measures: measures, skip: skip,
      isInitial: isInitial, classifier: patternScope.classifier, matchNumber: patternScope.matchNumber,
      range: shown(clauses.range))
  }

  private func collectVariables(_ pattern: RowPatternSyntax, _ variables: inout [String]) {
    switch pattern {
    case .variable(let name):
      let label = PatternScope.label(name)
      if !variables.contains(label) { variables.append(label) }
    case .empty, .partitionStart, .partitionEnd: break
    case .concatenation(let parts), .alternation(let parts), .permutation(let parts):
      for part in parts { collectVariables(part, &variables) }
    case .exclusion(let part, _), .quantified(let part, _): collectVariables(part, &variables)
    }
  }

  private func rowPattern(_ syntax: RowPatternSyntax, _ variables: [String: [Int]]) throws(QueryError) -> RowPattern {
    func all(_ parts: [RowPatternSyntax]) throws(QueryError) -> [RowPattern] {
      var result: [RowPattern] = []
      for part in parts { result.append(try rowPattern(part, variables)) }
      return result
    }
    switch syntax {
    case .variable(let name): return .variable(variables[PatternScope.label(name)]![0])
    case .empty: return .empty
    case .partitionStart: return .partitionStart
    case .partitionEnd: return .partitionEnd
    case .concatenation(let parts): return .concatenation(try all(parts))
    case .alternation(let parts): return .alternation(try all(parts))
    case .permutation(let parts): return .permutation(try all(parts))
    case .exclusion(let part, _): return .exclusion(try rowPattern(part, variables))
    case .quantified(let part, let quantifier):
      func outOfRange(_ message: String) -> QueryError {
        QueryError(.numericValueOutOfRange, message, at: quantifier.range)
      }
      let largest = Int64(Int32.max)
      if quantifier.atLeast > largest {
        throw outOfRange("Pattern quantifier lower bound must not exceed \(largest)")
      }
      if let atMost = quantifier.atMost {
        if atMost < 1 { throw outOfRange("Pattern quantifier upper bound must be greater than or equal to 1") }
        if atMost > largest { throw outOfRange("Pattern quantifier upper bound must not exceed \(largest)") }
        if quantifier.atLeast > atMost {
          throw QueryError(
            .invalidRange, "Pattern quantifier lower bound must not exceed upper bound", at: quantifier.range)
        }
      }
      return .quantified(
        try rowPattern(part, variables), atLeast: Int(quantifier.atLeast), atMost: quantifier.atMost.map { Int($0) },
        isReluctant: quantifier.isReluctant)
    }
  }

  private func checkNoExclusions(_ pattern: RowPatternSyntax) throws(QueryError) {
    switch pattern {
    case .exclusion(_, let position):
      throw QueryError(
        .invalidRowPattern,
        "Pattern exclusion syntax is not allowed when ALL ROWS PER MATCH WITH UNMATCHED ROWS is specified",
        at: position.wrappedValue)
    case .variable, .empty, .partitionStart, .partitionEnd: break
    case .concatenation(let parts), .alternation(let parts), .permutation(let parts):
      for part in parts { try checkNoExclusions(part) }
    case .quantified(let part, _): try checkNoExclusions(part)
    }
  }

  private func checkNoAnchors(_ pattern: RowPatternSyntax) throws(QueryError) {
    switch pattern {
    case .partitionStart(let position), .partitionEnd(let position):
      throw QueryError(
        .invalidRowPattern, "Anchor pattern syntax is not allowed in window", at: position.wrappedValue)
    case .variable, .empty: break
    case .concatenation(let parts), .alternation(let parts), .permutation(let parts):
      for part in parts { try checkNoAnchors(part) }
    case .exclusion(let part, _), .quantified(let part, _): try checkNoAnchors(part)
    }
  }

  // MARK: Windows

  /// Checks a frame's pattern clauses; nil when there is no PATTERN.
  func patternClauses(_ frame: WindowFrameSyntax) throws(QueryError) -> PatternClauses? {
    guard let clauses = frame.pattern else { return nil }
    guard let pattern = clauses.pattern else {
      func missing(_ what: String) -> QueryError {
        QueryError(.missingRowPattern, "\(what) PATTERN clause", at: frame.range)
      }
      if !clauses.measures.isEmpty { throw missing("Row pattern measures require") }
      if clauses.afterMatch != nil { throw missing("AFTER MATCH SKIP clause requires") }
      if let mode = clauses.searchMode { throw missing("\(mode.rawValue) modifier requires") }
      if !clauses.subsets.isEmpty { throw missing("Union variable definitions require") }
      throw missing("Primary pattern variable definitions require")
    }
    if clauses.definitions.isEmpty {
      throw QueryError(.missingVariableDefinitions, "Pattern recognition requires DEFINE clause", at: frame.range)
    }
    if frame.unit != .rows {
      throw QueryError(.invalidWindowFrame, "Pattern recognition requires ROWS frame type", at: frame.range)
    }
    guard case .currentRow = frame.start, frame.end != nil else {
      throw QueryError(
        .invalidWindowFrame, "Pattern recognition requires frame specified as BETWEEN CURRENT ROW AND ...",
        at: frame.range)
    }
    return PatternClauses(
      measures: clauses.measures, afterMatch: clauses.afterMatch, pattern: pattern, subsets: clauses.subsets,
      definitions: clauses.definitions, range: frame.range)
  }

  /// The pattern of a window; equal windows of one SELECT share it.
  ///
  /// - Returns: its number in the block.
  func bindWindowPattern(
    _ clauses: PatternClauses, _ syntax: WindowFrameSyntax, partition: [Expression], ordering: [QueryBlock.Ordering],
    frameEnd: QueryBlock.Window.Bound, _ place: ExpressionContext, _ block: QueryBlock
  ) throws(QueryError) -> Int {
    if let known = block.patterns.firstIndex(where: { pattern in
      pattern.syntax == syntax && pattern.partition == partition && pattern.ordering == ordering
        && pattern.frameEnd == frameEnd && pattern.scope === place.scope
    }) {
      return known
    }
    guard let scope = place.scope else { throw .internalError("a window without rows", at: syntax.range) }
    let specification = try bindPattern(
      clauses, scope, block, isWindow: true, isInitial: syntax.pattern?.searchMode != .seek
    ) { () throws(QueryError) in try self.checkNoAnchors(clauses.pattern) }
    block.patterns.append(
      QueryBlock.WindowPattern(
        syntax: syntax, scope: scope, partition: partition, ordering: ordering, frameEnd: frameEnd,
        specification: specification))
    for measure in specification.measures { block.windowOutputs.insert(measure.reference) }
    return block.patterns.count - 1
  }
}
