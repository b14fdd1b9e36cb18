import QueryErrors

// MARK: - Calls

extension Parser {
  /// Parses `name(…)` with all that may follow; `start` is the token of the mode word, if any, else of the name.
  @inline(never)
  mutating func parseFunctionCall(
    _ start: Int, mode: FunctionCallSyntax.ProcessingMode?
  ) throws(Failure) -> ExpressionSyntax {
    let name = try parseQualifiedName()
    var call = FunctionCallSyntax(name: name, arguments: [], range: name.range)
    call.processingMode = mode
    try expect(.leftParenthesis)
    if accept(.asterisk) {
      call.isStar = true
    } else if peek(1).kind == .dot, peek(2).kind == .asterisk, isName(token) {
      call.isStar = true
      call.starLabel = try parseIdentifier()
      index += 2
    } else if !isAt(.rightParenthesis), !(isAt(.order) && peek(1).keyword == .by) {
      call.isDistinct = parseSetQuantifier()
      try parseArguments(&call)
    }
    if !call.isStar, isAt(.order) { call.orderBy = try parseOrderBy() }
    try expect(.rightParenthesis)
    return try finish(call, start)
  }

  /// Parses `a, name => b`.
  @inline(never)
  mutating func parseArguments(_ call: inout FunctionCallSyntax) throws(Failure) {
    repeat {
      if isName(token), peek(1).kind == .doubleArrow {
        while call.argumentNames.count < call.arguments.count { call.argumentNames.append(nil) }
        call.argumentNames.append(try parseIdentifier())
        advance()
      } else if !call.argumentNames.isEmpty {
        call.argumentNames.append(nil)
      }
      call.arguments.append(try parseExpression())
    } while accept(.comma)
  }

  /// Parses `.name(…)` after `base`, which starts at token `start`; the next token is the name.
  @inline(never)
  mutating func parseMethodCall(_ base: ExpressionSyntax, _ start: Int) throws(Failure) -> ExpressionSyntax {
    let name = try parseIdentifier()
    var call = FunctionCallSyntax(name: QualifiedName(name), arguments: [base], range: name.range)
    call.isMethod = true
    try expect(.leftParenthesis)
    if !isAt(.rightParenthesis) { try parseArguments(&call) }
    try expect(.rightParenthesis)
    call.range = range(from: start)
    return .functionCall(call)
  }

  /// Parses FILTER, null treatment and OVER after a call's closing parenthesis.
  @inline(never)
  mutating func finish(_ call: FunctionCallSyntax, _ start: Int) throws(Failure) -> ExpressionSyntax {
    var call = call
    call.filter = try parseFilter()
    if isAt(.ignore), peek(1).keyword == .nulls {
      index += 2
      call.nullTreatment = .ignore
    } else if isAt(.respect), peek(1).keyword == .nulls {
      index += 2
      call.nullTreatment = .respect
    }
    if isAt(.over), peek(1).kind == .leftParenthesis || isName(peek(1)) {
      call.over = try parseOver()
    } else if call.nullTreatment != nil {
      throw Failure()
    }
    call.range = range(from: start)
    return .functionCall(call)
  }

  @inline(never)
  private mutating func parseFilter() throws(Failure) -> ExpressionSyntax? {
    guard isAt(.filter), peek(1).kind == .leftParenthesis else { return nil }
    index += 2
    try expect(.where)
    let condition = try parseExpression()
    try expect(.rightParenthesis)
    return condition
  }

  /// Parses DISTINCT or ALL, and returns whether it was DISTINCT.
  @inline(never)
  mutating func parseSetQuantifier() -> Bool {
    if accept(.distinct) { return true }
    if isAt(.all), isQuantifier { advance() }
    return false
  }

  /// Whether the word ALL here stands before an expression, and is no name itself; `ALL + x` and `ALL - x` read as a
  /// quantifier and a signed value, as in Trino.
  private var isQuantifier: Bool {
    let next = peek(1)
    switch next.kind {
    case .word: return next.keyword.map { !$0.isReserved || Parser.startsExpression($0) } ?? true
    case .quotedIdentifier, .backquotedIdentifier, .digitIdentifier, .string, .unicodeString, .binary, .integer,
      .decimal, .double, .questionMark, .leftParenthesis, .asterisk, .plus, .minus:
      return true
    default: return false
    }
  }

  /// Whether an expression can start with this reserved word.
  private static func startsExpression(_ keyword: Keyword) -> Bool {
    switch keyword {
    case .case, .cast, .currentCatalog, .currentDate, .currentPath, .currentSchema, .currentTime, .currentTimestamp,
      .currentUser, .exists, .extract, .false, .grouping, .jsonArray, .jsonExists, .jsonObject, .jsonQuery, .jsonValue,
      .listagg, .localtime, .localtimestamp, .normalize, .not, .null, .trim, .true:
      true
    default: false
    }
  }

  /// Parses `LISTAGG(value[, separator] [ON OVERFLOW …]) WITHIN GROUP (ORDER BY …) [FILTER …]`.
  @inline(never)
  mutating func parseListagg() throws(Failure) -> ExpressionSyntax {
    let start = index
    let name = Identifier(name: string(of: token), range: token.range)
    advance()
    var call = FunctionCallSyntax(name: QualifiedName(name), arguments: [], range: name.range)
    try expect(.leftParenthesis)
    call.isDistinct = parseSetQuantifier()
    call.arguments = [try parseExpression()]
    if accept(.comma) {
      let separator = try parseString()
      call.arguments.append(.literal(LiteralSyntax(value: .string(separator.value), range: separator.range)))
    }
    var overflow = ListaggSyntax.Overflow.error
    if accept(.on) {
      try expect(.overflow)
      if !accept(.error) {
        try expect(.truncate)
        let filler = isAtString ? try parseString() : nil
        let isCounted = accept(.with)
        if !isCounted { try expect(.without) }
        try expect(.count)
        overflow = .truncate(filler: filler, isCounted: isCounted)
      }
    }
    try expect(.rightParenthesis)
    try expect(.within, .group)
    try expect(.leftParenthesis)
    call.orderBy = try parseOrderBy()
    try expect(.rightParenthesis)
    call.listagg = ListaggSyntax(overflow: overflow)
    return try finish(call, start)
  }
}

// MARK: - Windows

extension Parser {
  /// Parses `OVER name` or `OVER (specification)`.
  @inline(never)
  mutating func parseOver() throws(Failure) -> WindowReferenceSyntax {
    try expect(.over)
    if isAt(.leftParenthesis) { return .specification(try parseWindowSpecification()) }
    return .named(try parseIdentifier())
  }

  /// Parses `(… )` after OVER or in a WINDOW clause.
  @inline(never)
  mutating func parseWindowSpecification() throws(Failure) -> WindowSpecificationSyntax {
    let start = index
    try enter(2)
    try expect(.leftParenthesis)
    var specification = WindowSpecificationSyntax(
      existingName: nil, partitionBy: [], orderBy: [], frame: nil, range: token.range)
    if isAtExistingWindowName { specification.existingName = try parseIdentifier() }
    specification.partitionBy = try parsePartitionBy()
    if isAt(.order) { specification.orderBy = try parseOrderBy() }
    if !isAt(.rightParenthesis) { specification.frame = try parseFrame() }
    try expect(.rightParenthesis)
    specification.range = range(from: start)
    leave(2)
    return specification
  }

  private var isAtExistingWindowName: Bool {
    guard isName(token) else { return false }
    let next = peek(1)
    switch token.keyword {
    case .partition: return next.keyword != .by
    case .range, .rows, .groups:
      return next.kind == .rightParenthesis || next.keyword == .partition || next.keyword == .order
        || next.keyword == .range || next.keyword == .rows || next.keyword == .groups
    case .measures:
      return next.kind == .rightParenthesis || next.keyword == .partition || next.keyword == .order
    default: return true
    }
  }

  @inline(never)
  mutating func parsePartitionBy() throws(Failure) -> [ExpressionSyntax] {
    guard isAt(.partition) else { return [] }
    advance()
    try expect(.by)
    return try parseList { (parser: inout Parser) throws(Failure) in try parser.parseExpression() }
  }

  @inline(never)
  private mutating func parseFrame() throws(Failure) -> WindowFrameSyntax {
    let start = index
    var pattern = WindowPatternSyntax(
      measures: [], afterMatch: nil, searchMode: nil, pattern: nil, subsets: [], definitions: [])
    pattern.measures = try parseMeasures()
    let unit: WindowFrameSyntax.Unit
    if accept(.range) {
      unit = .range
    } else if accept(.rows) {
      unit = .rows
    } else {
      try expect(.groups)
      unit = .groups
    }
    var end: FrameBoundSyntax?
    let first: FrameBoundSyntax
    if accept(.between) {
      first = try parseFrameBound()
      try expect(.and)
      end = try parseFrameBound()
    } else {
      first = try parseFrameBound()
    }
    pattern.afterMatch = try parseAfterMatch()
    pattern.searchMode = parseSearchMode()
    if accept(.pattern) {
      try expect(.leftParenthesis)
      pattern.pattern = try parseRowPattern()
      try expect(.rightParenthesis)
    }
    pattern.subsets = try parseSubsets()
    if isAt(.define) { pattern.definitions = try parseDefinitions() }
    let isPlain =
      pattern.measures.isEmpty && pattern.afterMatch == nil && pattern.searchMode == nil && pattern.pattern == nil
      && pattern.subsets.isEmpty && pattern.definitions.isEmpty
    return WindowFrameSyntax(
      unit: unit, start: first, end: end, pattern: isPlain ? nil : pattern, range: range(from: start))
  }

  @inline(never)
  private mutating func parseFrameBound() throws(Failure) -> FrameBoundSyntax {
    if isAt(.unbounded), startsBound(peek(1)) {
      advance()
      if accept(.preceding) { return .unboundedPreceding }
      try expect(.following)
      return .unboundedFollowing
    }
    if isAt(.current), peek(1).keyword == .row {
      index += 2
      return .currentRow
    }
    let offset = try parseExpression()
    if accept(.preceding) { return .preceding(offset) }
    try expect(.following)
    return .following(offset)
  }

  /// Whether UNBOUNDED before this token is the word of a bound: no operator follows that would make it a column.
  private func startsBound(_ token: Token) -> Bool {
    token.keyword == .preceding || token.keyword == .following || token.kind == .rightParenthesis
      || token.kind == .endOfText
  }
}

// MARK: - Row patterns

extension Parser {
  @inline(never)
  mutating func parseMeasures() throws(Failure) -> [MeasureDefinitionSyntax] {
    guard accept(.measures) else { return [] }
    return try parseList { (parser: inout Parser) throws(Failure) -> MeasureDefinitionSyntax in
      let expression = try parser.parseExpression()
      try parser.expect(.as)
      return MeasureDefinitionSyntax(expression: expression, name: try parser.parseIdentifier())
    }
  }

  @inline(never)
  mutating func parseAfterMatch() throws(Failure) -> SkipToSyntax? {
    guard accept(.after) else { return nil }
    try expect(.match, .skip)
    if accept(.past) {
      try expect(.last, .row)
      return .pastLastRow
    }
    try expect(.to)
    if isAt(.next), peek(1).keyword == .row {
      index += 2
      return .nextRow
    }
    if isAt(.first), isName(peek(1)), !endsSkipTarget(peek(1)) {
      advance()
      return .first(try parseIdentifier())
    }
    if isAt(.last), isName(peek(1)), !endsSkipTarget(peek(1)) { advance() }
    return .last(try parseIdentifier())
  }

  /// Whether the token belongs to the clause after the skip target, so that FIRST or LAST before it is a name.
  private func endsSkipTarget(_ token: Token) -> Bool {
    token.keyword == .pattern || token.keyword == .initial || token.keyword == .seek
  }

  @inline(never)
  mutating func parseSearchMode() -> PatternSearchMode? {
    if accept(.initial) { return .initial }
    return accept(.seek) ? .seek : nil
  }

  @inline(never)
  mutating func parseSubsets() throws(Failure) -> [SubsetDefinitionSyntax] {
    guard accept(.subset) else { return [] }
    return try parseList { (parser: inout Parser) throws(Failure) -> SubsetDefinitionSyntax in
      let name = try parser.parseIdentifier()
      try parser.expect(.equal)
      return SubsetDefinitionSyntax(name: name, members: try parser.parseColumnAliases())
    }
  }

  @inline(never)
  mutating func parseDefinitions() throws(Failure) -> [VariableDefinitionSyntax] {
    try expect(.define)
    return try parseList { (parser: inout Parser) throws(Failure) -> VariableDefinitionSyntax in
      let name = try parser.parseIdentifier()
      try parser.expect(.as)
      return VariableDefinitionSyntax(name: name, condition: try parser.parseExpression())
    }
  }

  /// Parses `relation`'s MATCH_RECOGNIZE clause; the next token is that word.
  @inline(never)
  mutating func parseMatchRecognize(_ input: RelationSyntax, _ start: Int) throws(Failure) -> RelationSyntax {
    try expect(.matchRecognize)
    try expect(.leftParenthesis)
    let partitionBy = try parsePartitionBy()
    let orderBy = isAt(.order) ? try parseOrderBy() : []
    let measures = try parseMeasures()
    let rowsPerMatch = try parseRowsPerMatch()
    let afterMatch = try parseAfterMatch()
    let searchMode = parseSearchMode()
    try expect(.pattern)
    try expect(.leftParenthesis)
    let pattern = try parseRowPattern()
    try expect(.rightParenthesis)
    let subsets = try parseSubsets()
    let definitions = try parseDefinitions()
    try expect(.rightParenthesis)
    return .matchRecognize(
      MatchRecognizeSyntax(
        input: input, partitionBy: partitionBy, orderBy: orderBy, measures: measures, rowsPerMatch: rowsPerMatch,
        afterMatch: afterMatch, searchMode: searchMode, pattern: pattern, subsets: subsets, definitions: definitions,
        range: range(from: start)))
  }

  @inline(never)
  private mutating func parseRowsPerMatch() throws(Failure) -> MatchRecognizeSyntax.RowsPerMatch? {
    if accept(.one) {
      try expect(.row, .per)
      try expect(.match)
      return .one
    }
    guard accept(.all) else { return nil }
    try expect(.rows, .per)
    try expect(.match)
    if accept(.omit) {
      try expect(.empty, .matches)
      return .allOmitEmpty
    }
    if accept(.with) {
      try expect(.unmatched, .rows)
      return .allWithUnmatched
    }
    if accept(.show) { try expect(.empty, .matches) }
    return .allShowEmpty
  }

  /// Parses alternatives of concatenations of quantified primaries.
  @inline(never)
  mutating func parseRowPattern() throws(Failure) -> RowPatternSyntax {
    try enter(2)
    var alternatives = [try parsePatternConcatenation()]
    while accept(.verticalBar) { alternatives.append(try parsePatternConcatenation()) }
    leave(2)
    return alternatives.count == 1 ? alternatives[0] : .alternation(alternatives)
  }

  @inline(never)
  private mutating func parsePatternConcatenation() throws(Failure) -> RowPatternSyntax {
    var parts = [try parseQuantifiedPattern()]
    while startsPattern { parts.append(try parseQuantifiedPattern()) }
    return parts.count == 1 ? parts[0] : .concatenation(parts)
  }

  private var startsPattern: Bool {
    switch token.kind {
    case .leftParenthesis, .caret, .dollar, .leftBraceMinus: true
    default: isName(token)
    }
  }

  @inline(never)
  private mutating func parseQuantifiedPattern() throws(Failure) -> RowPatternSyntax {
    let pattern = try parsePatternPrimary()
    let start = index
    var atLeast: Int64 = 0
    var atMost: Int64?
    if accept(.asterisk) {
    } else if accept(.plus) {
      atLeast = 1
    } else if accept(.questionMark) {
      atMost = 1
    } else if accept(.leftBrace) {
      if isAt(.comma) {
        advance()
        if token.kind == .integer { atMost = try parseInteger() }
      } else {
        atLeast = try parseInteger()
        if accept(.comma) {
          if token.kind == .integer { atMost = try parseInteger() }
        } else {
          atMost = atLeast
        }
      }
      try expect(.rightBrace)
    } else {
      return pattern
    }
    let isReluctant = accept(.questionMark)
    return .quantified(
      pattern,
      RowPatternQuantifier(
        atLeast: atLeast, atMost: atMost, isReluctant: isReluctant, range: range(from: start)))
  }

  @inline(never)
  private mutating func parsePatternPrimary() throws(Failure) -> RowPatternSyntax {
    if isAt(.permute), peek(1).kind == .leftParenthesis {
      advance()
      return .permutation(
        try parseParenthesizedList { (parser: inout Parser) throws(Failure) in try parser.parseRowPattern() })
    }
    let start = index
    if accept(.caret) { return .partitionStart(Positional(wrappedValue: range(from: start))) }
    if accept(.dollar) { return .partitionEnd(Positional(wrappedValue: range(from: start))) }
    if accept(.leftParenthesis) {
      if accept(.rightParenthesis) { return .empty }
      let pattern = try parseRowPattern()
      try expect(.rightParenthesis)
      return pattern
    }
    if accept(.leftBraceMinus) {
      let pattern = try parseRowPattern()
      try expect(.minusRightBrace)
      return .exclusion(pattern, Positional(wrappedValue: range(from: start)))
    }
    return .variable(try parseIdentifier())
  }
}
