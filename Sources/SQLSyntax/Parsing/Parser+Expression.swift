import QueryErrors

// MARK: - Operators, loosest first

extension Parser {
  /// Parses an expression.
  @inline(never)
  mutating func parseExpression() throws(Failure) -> ExpressionSyntax {
    try enter()
    let expression = try parseLogical(index, after: nil)
    leave()
    return expression
  }

  /// Parses AND and OR chains; `value` is a first operand that the caller has parsed from token `start` on.
  @inline(never)
  mutating func parseLogical(
    _ start: Int, after value: ExpressionSyntax?
  ) throws(Failure) -> ExpressionSyntax {
    var disjuncts: [ExpressionSyntax] = []
    var conjuncts: [ExpressionSyntax] = []
    var conjunctionStart = start
    var given = value
    while true {
      var operand: ExpressionSyntax
      if let value = given {
        operand = try parsePredicate(value, start)
        given = nil
      } else if token.keyword == .not {
        operand = try parseNegation()
      } else {
        operand = try parsePredicated()
      }
      if accept(.and) {
        conjuncts.append(operand)
        continue
      }
      if !conjuncts.isEmpty {
        conjuncts.append(operand)
        operand = .logical(
          LogicalSyntax(operator: .and, operands: conjuncts, range: range(from: conjunctionStart)))
        conjuncts = []
      }
      if accept(.or) {
        disjuncts.append(operand)
        conjunctionStart = index
        continue
      }
      if disjuncts.isEmpty { return operand }
      disjuncts.append(operand)
      return .logical(LogicalSyntax(operator: .or, operands: disjuncts, range: range(from: start)))
    }
  }

  @inline(never)
  private mutating func parseNegation() throws(Failure) -> ExpressionSyntax {
    let start = index
    while token.keyword == .not { advance() }
    let count = index - start
    try checkDepth(2 * count)
    var expression = try parsePredicated()
    for position in stride(from: start + count - 1, through: start, by: -1) {
      expression = .not(NotSyntax(operand: expression, range: range(from: position)))
    }
    return expression
  }

  @inline(never)
  private mutating func parsePredicated() throws(Failure) -> ExpressionSyntax {
    let start = index
    let value = try parseValue()
    return try parsePredicate(value, start)
  }

  /// Parses the comparison, BETWEEN, IN, LIKE or IS that may follow a value.
  @inline(never)
  private mutating func parsePredicate(
    _ value: ExpressionSyntax, _ start: Int
  ) throws(Failure) -> ExpressionSyntax {
    switch token.kind {
    case .equal: return try parseComparison(value, start, .equal)
    case .notEqual: return try parseComparison(value, start, .notEqual)
    case .lessThan: return try parseComparison(value, start, .lessThan)
    case .lessThanOrEqual: return try parseComparison(value, start, .lessThanOrEqual)
    case .greaterThan: return try parseComparison(value, start, .greaterThan)
    case .greaterThanOrEqual: return try parseComparison(value, start, .greaterThanOrEqual)
    case .word:
      switch token.keyword {
      case .is: return try parseIs(value, start)
      case .not, .between, .in, .like: return try parseNegatablePredicate(value, start)
      case .overlaps where peek(1).kind == .leftParenthesis: return try parseOverlaps(value, start)
      case .match where opensQuery(min(index + 1, tokens.count - 1)):
        throw failNotSupported("MATCH", at: token.range)
      default: break
      }
    default: break
    }
    record("<predicate>")
    return value
  }

  @inline(never)
  private mutating func parseOverlaps(
    _ value: ExpressionSyntax, _ start: Int
  ) throws(Failure) -> ExpressionSyntax {
    let name = Identifier(name: "overlaps", range: token.range)
    advance()
    let right = try parseValue()
    return .functionCall(
      FunctionCallSyntax(name: QualifiedName(name), arguments: [value, right], range: range(from: start)))
  }

  @inline(never)
  private mutating func parseComparison(
    _ value: ExpressionSyntax, _ start: Int, _ comparison: ComparisonOperator
  ) throws(Failure) -> ExpressionSyntax {
    let operatorRange = token.range
    advance()
    if opensQuery(min(index + 1, tokens.count - 1)) {
      var quantifier: QuantifiedComparisonSyntax.Quantifier?
      switch token.keyword {
      case .all: quantifier = .all
      case .any: quantifier = .any
      case .some(.some): quantifier = .some
      default: break
      }
      if let quantifier {
        advance()
        let query = try parseParenthesizedQuery()
        return .quantifiedComparison(
          QuantifiedComparisonSyntax(
            operand: value, operator: comparison, quantifier: quantifier, query: query, operatorRange: operatorRange,
            range: range(from: start)))
      }
    }
    let right = try parseValue()
    return .comparison(
      ComparisonSyntax(
        left: value, operator: comparison, right: right, operatorRange: operatorRange, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseIs(_ value: ExpressionSyntax, _ start: Int) throws(Failure) -> ExpressionSyntax {
    let operatorStart = index
    advance()
    let isNegated = accept(.not)
    if accept(.null) {
      return .isNull(
        IsNullSyntax(
          operand: value, isNegated: isNegated, operatorRange: range(from: operatorStart), range: range(from: start)))
    }
    if accept(.unknown) {
      return .isNull(
        IsNullSyntax(
          operand: value, isNegated: isNegated, operatorRange: range(from: operatorStart), range: range(from: start)))
    }
    if token.keyword == .true || token.keyword == .false {
      // `a IS TRUE` is `a IS NOT DISTINCT FROM TRUE`.
      let operatorRange = range(from: operatorStart)
      let truth = try parsePrimary()
      return .isDistinctFrom(
        IsDistinctFromSyntax(
          left: value, right: truth, isNegated: !isNegated, operatorRange: operatorRange, range: range(from: start)))
    }
    try expect(.distinct, .from)
    let operatorRange = range(from: operatorStart)
    let right = try parseValue()
    return .isDistinctFrom(
      IsDistinctFromSyntax(
        left: value, right: right, isNegated: isNegated, operatorRange: operatorRange, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseNegatablePredicate(
    _ value: ExpressionSyntax, _ start: Int
  ) throws(Failure) -> ExpressionSyntax {
    let operatorStart = index
    let isNegated = accept(.not)
    if accept(.between) {
      // The word may also be a column's name: `BETWEEN symmetric AND …`.
      let isSymmetric = token.keyword == .symmetric && peek(1).keyword != .and
      if isSymmetric || token.keyword == .asymmetric && peek(1).keyword != .and { advance() }
      let operatorRange = range(from: operatorStart)
      let low = try parseValue()
      try expect(.and)
      let high = try parseValue()
      let whole = range(from: start)
      func between(_ low: ExpressionSyntax, _ high: ExpressionSyntax, _ isNegated: Bool) -> ExpressionSyntax {
        .between(
          BetweenSyntax(
            operand: value, low: low, high: high, isNegated: isNegated, operatorRange: operatorRange, range: whole))
      }
      if !isSymmetric { return between(low, high, isNegated) }
      // Between the bounds in either order.
      let either = ExpressionSyntax.logical(
        LogicalSyntax(operator: .or, operands: [between(low, high, false), between(high, low, false)], range: whole))
      return isNegated ? .not(NotSyntax(operand: either, range: whole)) : either
    }
    if accept(.in) {
      let operatorRange = range(from: operatorStart)
      if isAtQueryParenthesis, !isListOfOneSubquery {
        let query = try parseParenthesizedQuery()
        return .inSubquery(
          InSubquerySyntax(
            operand: value, query: query, isNegated: isNegated, operatorRange: operatorRange, range: range(from: start))
        )
      }
      let list = try parseParenthesizedList { (parser: inout Parser) throws(Failure) in try parser.parseExpression() }
      return .inList(
        InListSyntax(
          operand: value, list: list, isNegated: isNegated, operatorRange: operatorRange, range: range(from: start)))
    }
    guard accept(.like) else { throw Failure() }
    let operatorRange = range(from: operatorStart)
    let pattern = try parseValue()
    let escape = accept(.escape) ? try parseValue() : nil
    return .like(
      LikeSyntax(
        operand: value, pattern: pattern, escape: escape, isNegated: isNegated, operatorRange: operatorRange,
        range: range(from: start)))
  }

  /// Whether the list `((SELECT …))` is next: Trino reads it as one scalar subquery.
  private var isListOfOneSubquery: Bool {
    opensQuery(index + 1) && closing(index + 1) + 1 == closing(index)
  }

  /// Parses a value: everything that binds tighter than a comparison.
  @inline(never)
  mutating func parseValue() throws(Failure) -> ExpressionSyntax {
    let start = index
    let first = try parseSum()
    guard isAt(.concatenation) else { return first }
    var operands = [first]
    var operatorRanges: [Positional] = []
    while isAt(.concatenation) {
      operatorRanges.append(Positional(wrappedValue: token.range))
      advance()
      operands.append(try parseSum())
    }
    return .concatenation(
      ConcatenationSyntax(operands: operands, operatorRanges: operatorRanges, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseSum() throws(Failure) -> ExpressionSyntax {
    let start = index
    let first = try parseProduct()
    guard isAt(.plus) || isAt(.minus) else { return first }
    var terms: [ArithmeticTermSyntax] = []
    while isAt(.plus) || isAt(.minus) {
      let arithmetic: ArithmeticOperator = token.kind == .plus ? .add : .subtract
      let operatorRange = token.range
      advance()
      let operand = try parseProduct()
      terms.append(ArithmeticTermSyntax(operator: arithmetic, operand: operand, operatorRange: operatorRange))
    }
    return .arithmetic(ArithmeticSyntax(first: first, terms: terms, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseProduct() throws(Failure) -> ExpressionSyntax {
    let start = index
    let first = try parseSigned()
    var terms: [ArithmeticTermSyntax] = []
    while true {
      let arithmetic: ArithmeticOperator
      if isAt(.asterisk) {
        arithmetic = .multiply
      } else if isAt(.slash) {
        arithmetic = .divide
      } else if isAt(.percent) {
        arithmetic = .modulus
      } else {
        break
      }
      let operatorRange = token.range
      advance()
      let operand = try parseSigned()
      terms.append(ArithmeticTermSyntax(operator: arithmetic, operand: operand, operatorRange: operatorRange))
    }
    if terms.isEmpty { return first }
    return .arithmetic(ArithmeticSyntax(first: first, terms: terms, range: range(from: start)))
  }

  /// Parses signs, the operand, and AT TIME ZONE, which binds tighter than a sign.
  @inline(never)
  private mutating func parseSigned() throws(Failure) -> ExpressionSyntax {
    if token.kind == .plus || (token.kind == .minus && !isNumber(peek(1))) { return try parseSigns() }
    let start = index
    let operand = try parsePostfix()
    guard isAt(.at), peek(1).keyword == .time || peek(1).keyword == .local else { return operand }
    return try parseTimeZones(operand, start)
  }

  @inline(never)
  private mutating func parseSigns() throws(Failure) -> ExpressionSyntax {
    let start = index
    while token.kind == .plus || (token.kind == .minus && !isNumber(peek(1))) { advance() }
    let count = index - start
    try checkDepth(2 * count)
    var operand = try parseSigned()
    for position in stride(from: start + count - 1, through: start, by: -1) {
      let sign: UnarySyntax.Operator = tokens[position].kind == .plus ? .plus : .minus
      operand = .unary(UnarySyntax(operator: sign, operand: operand, range: range(from: position)))
    }
    return operand
  }

  @inline(never)
  private mutating func parseTimeZones(
    _ operand: ExpressionSyntax, _ start: Int
  ) throws(Failure) -> ExpressionSyntax {
    var operand = operand
    var count = 0
    while token.keyword == .at, peek(1).keyword == .time || peek(1).keyword == .local {
      count += 1
      try checkDepth(2 * count)
      let operatorStart = index
      let isLocal = peek(1).keyword == .local
      index += 2
      if !isLocal { try expect(.zone) }
      let operatorRange = range(from: operatorStart)
      let zone: ExpressionSyntax
      if isLocal {
        let name = Identifier(name: "current_timezone", range: tokens[index - 1].range)
        zone = .functionCall(FunctionCallSyntax(name: QualifiedName(name), arguments: [], range: name.range))
      } else if isAt(.interval) {
        let interval = try parseInterval()
        zone = .literal(LiteralSyntax(value: .interval(interval), range: interval.range))
      } else {
        let string = try parseString()
        zone = .literal(LiteralSyntax(value: .string(string.value), range: string.range))
      }
      operand = .atTimeZone(
        AtTimeZoneSyntax(operand: operand, zone: zone, operatorRange: operatorRange, range: range(from: start)))
    }
    return operand
  }

  /// Parses an operand with its subscripts and field accesses.
  ///
  /// Whatever nests in an expression passes here or through `parseExpression`, so both count depth.
  @inline(never)
  private mutating func parsePostfix() throws(Failure) -> ExpressionSyntax {
    let start = index
    try enter()
    defer { leave() }
    var base = try parsePrimary()
    var count = 0
    while true {
      if isAt(.dot) {
        // `base.*` belongs to the SELECT list.
        if peek(1).kind == .asterisk { return base }
        base = try parseField(base, start)
      } else if isAt(.leftBracket) {
        base = try parseSubscript(base, start)
      } else {
        return base
      }
      count += 1
      try checkDepth(2 * count)
    }
  }

  /// Parses `.field` or `.method(…)` after `base`.
  @inline(never)
  private mutating func parseField(_ base: ExpressionSyntax, _ start: Int) throws(Failure) -> ExpressionSyntax {
    advance()
    if isRecording { record("'*'") }
    if token.kind == .string {
      let key = try parseString()
      let field = Identifier(name: key.value, isDelimited: true, range: key.range)
      return .dereference(DereferenceSyntax(base: base, field: field, range: range(from: start)))
    }
    if isName(token), peek(1).kind == .leftParenthesis { return try parseMethodCall(base, start) }
    let field = try parseIdentifier()
    return .dereference(DereferenceSyntax(base: base, field: field, range: range(from: start)))
  }

  /// Parses `[index]` after `base`.
  @inline(never)
  private mutating func parseSubscript(_ base: ExpressionSyntax, _ start: Int) throws(Failure) -> ExpressionSyntax {
    advance()
    if accept(.asterisk) {
      try expect(.rightBracket)
      return .subscript(SubscriptSyntax(base: base, index: nil, range: range(from: start)))
    }
    let position = try parseValue()
    try expect(.rightBracket)
    return .subscript(SubscriptSyntax(base: base, index: position, range: range(from: start)))
  }
}

// MARK: - Primaries

extension Parser {
  /// Parses what operators apply to.
  @inline(never)
  private mutating func parsePrimary() throws(Failure) -> ExpressionSyntax {
    let rule = beginRule("<expression>")
    let expression = try parsePrimaryForm()
    endRule(rule)
    return expression
  }

  @inline(never)
  private mutating func parsePrimaryForm() throws(Failure) -> ExpressionSyntax {
    switch token.kind {
    case .integer, .decimal, .double: return try parseNumberLiteral()
    case .minus where isNumber(peek(1)): return try parseNumberLiteral()
    case .string, .unicodeString: return try parseStringLiteral()
    case .quotedIdentifier where dialect == .hive: return try parseStringLiteral()
    case .binary: return try parseBinaryLiteral()
    case .questionMark: return parseParameterForm()
    case .leftParenthesis: return try parseParenthesized()
    case .leftBracket: return try parseArray()
    case .word:
      if let keyword = token.keyword { return try parseKeywordForm(keyword) }
      return try parseNameForm()
    case .digitIdentifier where isBigintLiteral: return parseBigint()
    case .quotedIdentifier, .backquotedIdentifier, .digitIdentifier: return try parseNameForm()
    default: throw Failure()
    }
  }

  /// Whether the next token is `123L`.
  private var isBigintLiteral: Bool {
    let bytes = text[Int(token.startOffset)..<Int(token.endOffset)]
    guard let last = bytes.last, last | 0x20 == UInt8(ascii: "l") else { return false }
    return bytes.dropLast().allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
  }

  @inline(never)
  private mutating func parseBigint() -> ExpressionSyntax {
    let range = token.range
    let type = NamedTypeSyntax(name: Identifier(name: "bigint", range: range), range: range)
    let digits = String(string(of: token).dropLast())
    advance()
    return .literal(LiteralSyntax(value: .typed(.named(type), digits), range: range))
  }

  @inline(never)
  private mutating func parseStringLiteral() throws(Failure) -> ExpressionSyntax {
    let string = try parseString()
    return .literal(LiteralSyntax(value: .string(string.value), range: string.range))
  }

  @inline(never)
  private mutating func parseNumberLiteral() throws(Failure) -> ExpressionSyntax { .literal(try parseNumber()) }

  @inline(never)
  private mutating func parseBinaryLiteral() throws(Failure) -> ExpressionSyntax { .literal(try parseBinary()) }

  @inline(never)
  private mutating func parseIntervalLiteral() throws(Failure) -> ExpressionSyntax {
    let interval = try parseInterval()
    return .literal(LiteralSyntax(value: .interval(interval), range: interval.range))
  }

  @inline(never)
  private mutating func parseParameterForm() -> ExpressionSyntax { .parameter(parseParameter()) }

  @inline(never)
  mutating func parseParameter() -> ParameterSyntax {
    let parameter = ParameterSyntax(index: parameterCount, range: token.range)
    parameterCount += 1
    advance()
    return parameter
  }

  /// Parses `(query)`, `(a, b) -> body`, `(a, b)` or `(a)`.
  @inline(never)
  private mutating func parseParenthesized() throws(Failure) -> ExpressionSyntax {
    let start = index
    if isAtQueryParenthesis { return try parseSubquery() }
    let close = closing(start)
    if close + 1 < tokens.count, tokens[close + 1].kind == .arrow { return try parseParenthesizedLambda() }
    advance()
    if isRecording { record("<query>") }
    let first = try parseExpression()
    if accept(.rightParenthesis) { return first }
    return try parseRowRest(first, start)
  }

  /// Parses `, b)` of `(a, b)`.
  @inline(never)
  private mutating func parseRowRest(_ first: ExpressionSyntax, _ start: Int) throws(Failure) -> ExpressionSyntax {
    var fields = [RowFieldSyntax(value: first, name: nil)]
    while accept(.comma) { fields.append(RowFieldSyntax(value: try parseExpression(), name: nil)) }
    try expect(.rightParenthesis)
    return .row(RowSyntax(fields: fields, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseSubquery() throws(Failure) -> ExpressionSyntax {
    let start = index
    let query = try parseParenthesizedQuery()
    return .subquery(SubquerySyntax(query: query, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseParenthesizedLambda() throws(Failure) -> ExpressionSyntax {
    let start = index
    try expect(.leftParenthesis)
    var parameters: [Identifier] = []
    if !isAt(.rightParenthesis) {
      parameters = try parseList { (parser: inout Parser) throws(Failure) in try parser.parseIdentifier() }
    }
    try expect(.rightParenthesis)
    try expect(.arrow)
    let body = try parseExpression()
    return .lambda(LambdaSyntax(parameters: parameters, body: body, range: range(from: start)))
  }

  /// Parses what starts with a keyword: a special form, or a name after all.
  @inline(never)
  private mutating func parseKeywordForm(_ keyword: Keyword) throws(Failure) -> ExpressionSyntax {
    let isCall = peek(1).kind == .leftParenthesis
    switch keyword {
    case .null, .true, .false: return parseWordLiteral(keyword)
    case .case: return try parseCase()
    case .cast: return try parseCast(isTry: false)
    case .tryCast where isCall: return try parseCast(isTry: true)
    case .exists: return try parseExists()
    case .extract: return try parseExtract()
    case .trim: return try parseTrim()
    case .normalize: return try parseNormalize()
    case .position where isCall: return try parsePosition()
    case .substring where isCall: return try parseSubstring()
    case .overlay where isCall: return try parseOverlay()
    case .row where isCall: return try parseRow()
    case .array where peek(1).kind == .leftBracket: return try parseArray()
    case .interval where isAtIntervalLiteral: return try parseIntervalLiteral()
    case .currentDate, .currentTime, .currentTimestamp, .localtime, .localtimestamp:
      return try parseCurrentTime(keyword)
    case .currentUser: return parseCurrentName(.user)
    case .currentCatalog: return parseCurrentName(.catalog)
    case .currentSchema: return parseCurrentName(.schema)
    case .currentPath: return parseCurrentName(.path)
    case .grouping: return try parseGrouping()
    case .listagg: return try parseListagg()
    case .jsonExists: return try parseJSONExists()
    case .jsonValue: return try parseJSONValue()
    case .jsonQuery: return try parseJSONQuery()
    case .jsonObject: return try parseJSONObject()
    case .jsonArray: return try parseJSONArray()
    case .running, .final:
      let next = peek(1)
      guard isName(next), peek(2).kind == .leftParenthesis || peek(2).kind == .dot else { break }
      let start = index
      advance()
      return try parseFunctionCall(start, mode: keyword == .running ? .running : .final)
    case .double where peek(1).keyword == .precision && peek(2).kind == .string:
      return try parseDoublePrecisionLiteral()
    default: break
    }
    if keyword.isReserved, dialect != .hive { throw Failure() }
    return try parseNameForm()
  }

  @inline(never)
  private mutating func parseDoublePrecisionLiteral() throws(Failure) -> ExpressionSyntax {
    let start = index
    index += 2
    let nameRange = range(from: start)
    let text = try parseString()
    let type = NamedTypeSyntax(name: Identifier(name: "double", range: nameRange), range: nameRange)
    return .literal(LiteralSyntax(value: .typed(.named(type), text.value), range: range(from: start)))
  }

  @inline(never)
  private mutating func parseWordLiteral(_ keyword: Keyword) -> ExpressionSyntax {
    let range = token.range
    advance()
    switch keyword {
    case .null: return .literal(LiteralSyntax(value: .null, range: range))
    default: return .literal(LiteralSyntax(value: .boolean(keyword == .true), range: range))
    }
  }

  /// Parses what starts with a name: typed literal, lambda, function call, measure, or the name itself.
  @inline(never)
  private mutating func parseNameForm() throws(Failure) -> ExpressionSyntax {
    let start = index
    switch peek(1).kind {
    case .string, .unicodeString: return try parseTypedLiteral()
    case .arrow: return try parseLambda()
    case .leftParenthesis: return try parseFunctionCall(start, mode: nil)
    case .dot:
      var position = index + 1
      while tokens[position].kind == .dot, isName(tokens[position + 1]) { position += 2 }
      if tokens[position].kind == .leftParenthesis, position > index + 1, tokens[position - 1].kind != .dot {
        return try parseFunctionCall(start, mode: nil)
      }
    case .word where peek(1).keyword == .over:
      let next = peek(2)
      if next.kind == .leftParenthesis || isName(next) {
        return try parseMeasureReference()
      }
    default: break
    }
    return .identifier(try parseIdentifier())
  }

  /// Parses `x -> body`.
  @inline(never)
  private mutating func parseLambda() throws(Failure) -> ExpressionSyntax {
    let start = index
    let parameter = try parseIdentifier()
    try expect(.arrow)
    let body = try parseExpression()
    return .lambda(LambdaSyntax(parameters: [parameter], body: body, range: range(from: start)))
  }

  /// Parses `name OVER window`.
  @inline(never)
  private mutating func parseMeasureReference() throws(Failure) -> ExpressionSyntax {
    let start = index
    let name = try parseIdentifier()
    let over = try parseOver()
    return .measure(MeasureReferenceSyntax(name: name, over: over, range: range(from: start)))
  }

  /// Parses `DATE '2024-01-01'`.
  @inline(never)
  private mutating func parseTypedLiteral() throws(Failure) -> ExpressionSyntax {
    let start = index
    let keyword = token.keyword
    let name = try parseIdentifier()
    let type: TypeSyntax
    switch keyword {
    case .time:
      type = .dateTime(DateTimeTypeSyntax(base: .time, precision: nil, isWithTimeZone: false, range: name.range))
    case .timestamp:
      type = .dateTime(DateTimeTypeSyntax(base: .timestamp, precision: nil, isWithTimeZone: false, range: name.range))
    default: type = .named(NamedTypeSyntax(name: name, range: name.range))
    }
    let text = try parseString()
    return .literal(LiteralSyntax(value: .typed(type, text.value), range: range(from: start)))
  }

  @inline(never)
  private mutating func parseCase() throws(Failure) -> ExpressionSyntax {
    let start = index
    try expect(.case)
    let operand = isAt(.when) ? nil : try parseExpression()
    var branches: [WhenSyntax] = []
    repeat {
      let branchStart = index
      try expect(.when)
      let isPredicate = operand != nil && isAtPredicate
      let condition: ExpressionSyntax
      if isPredicate {
        let place = SourceRange(start: token.start, end: token.start)
        condition = try parsePredicate(.caseOperand(CaseOperandSyntax(range: place)), index)
      } else {
        condition = try parseExpression()
      }
      try expect(.then)
      let result = try parseExpression()
      branches.append(
        WhenSyntax(condition: condition, result: result, isPredicate: isPredicate, range: range(from: branchStart)))
    } while isAt(.when)
    let otherwise = accept(.else) ? try parseExpression() : nil
    try expect(Keyword.end)
    return .case(
      CaseSyntax(operand: operand, branches: branches, otherwise: otherwise, range: range(from: start)))
  }

  /// Whether a predicate without its left operand is next.
  private var isAtPredicate: Bool {
    switch token.kind {
    case .equal, .notEqual, .lessThan, .lessThanOrEqual, .greaterThan, .greaterThanOrEqual: return true
    case .word: break
    default: return false
    }
    switch token.keyword {
    case .in, .like, .between, .is: return true
    case .not:
      let next = peek(1).keyword
      return next == .in || next == .like || next == .between
    default: return false
    }
  }

  @inline(never)
  private mutating func parseCast(isTry: Bool) throws(Failure) -> ExpressionSyntax {
    let start = index
    advance()
    try expect(.leftParenthesis)
    let operand = try parseExpression()
    try expect(.as)
    let type = try parseType()
    try expect(.rightParenthesis)
    return .cast(CastSyntax(operand: operand, type: type, isTry: isTry, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseExists() throws(Failure) -> ExpressionSyntax {
    let start = index
    advance()
    let query = try parseParenthesizedQuery()
    return .exists(ExistsSyntax(query: query, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseRow() throws(Failure) -> ExpressionSyntax {
    let start = index
    advance()
    let fields = try parseParenthesizedList { (parser: inout Parser) throws(Failure) -> RowFieldSyntax in
      let value = try parser.parseExpression()
      let name = parser.accept(.as) ? try parser.parseIdentifier() : nil
      return RowFieldSyntax(value: value, name: name)
    }
    return .row(RowSyntax(fields: fields, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseArray() throws(Failure) -> ExpressionSyntax {
    let start = index
    _ = accept(.array)
    try expect(.leftBracket)
    var elements: [ExpressionSyntax] = []
    if !isAt(.rightBracket) {
      elements = try parseList { (parser: inout Parser) throws(Failure) in try parser.parseExpression() }
    }
    try expect(.rightBracket)
    return .array(ArraySyntax(elements: elements, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseCurrentTime(_ keyword: Keyword) throws(Failure) -> ExpressionSyntax {
    let start = index
    advance()
    let function: CurrentTimeSyntax.Function =
      switch keyword {
      case .currentDate: .currentDate
      case .currentTime: .currentTime
      case .currentTimestamp: .currentTimestamp
      case .localtime: .localTime
      default: .localTimestamp
      }
    var precision: Int64?
    if function != .currentDate, accept(.leftParenthesis) {
      precision = try parseInteger()
      try expect(.rightParenthesis)
    }
    return .currentTime(CurrentTimeSyntax(function: function, precision: precision, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseCurrentName(_ function: CurrentNameSyntax.Function) -> ExpressionSyntax {
    let range = token.range
    advance()
    return .currentName(CurrentNameSyntax(function: function, range: range))
  }

  @inline(never)
  private mutating func parseGrouping() throws(Failure) -> ExpressionSyntax {
    let start = index
    advance()
    try expect(.leftParenthesis)
    var columns: [ExpressionSyntax] = []
    if !isAt(.rightParenthesis) {
      columns = try parseList { (parser: inout Parser) throws(Failure) -> ExpressionSyntax in
        let columnStart = parser.index
        var column = ExpressionSyntax.identifier(try parser.parseIdentifier())
        while parser.accept(.dot) {
          let field = try parser.parseIdentifier()
          column = .dereference(
            DereferenceSyntax(base: column, field: field, range: parser.range(from: columnStart)))
        }
        return column
      }
    }
    try expect(.rightParenthesis)
    return .grouping(GroupingSyntax(columns: columns, range: range(from: start)))
  }
}

// MARK: - Forms with words between their arguments

extension Parser {
  @inline(never)
  private mutating func parseExtract() throws(Failure) -> ExpressionSyntax {
    let start = index
    advance()
    try expect(.leftParenthesis)
    let name = try parseIdentifier()
    try expect(.from)
    guard let field = ExtractField(rawValue: name.name.uppercased()) else {
      throw fail("Invalid EXTRACT field: \(name.name)", at: name.range)
    }
    let operand = try parseValue()
    try expect(.rightParenthesis)
    return .extract(ExtractSyntax(field: field, operand: operand, range: range(from: start)))
  }

  /// A call of the function that a special form stands for; its name's range is the form's first word.
  private func call(_ name: String, _ arguments: [ExpressionSyntax], _ start: Int) -> ExpressionSyntax {
    let identifier = Identifier(name: name, range: tokens[start].range)
    return .functionCall(
      FunctionCallSyntax(name: QualifiedName(identifier), arguments: arguments, range: range(from: start)))
  }

  /// Parses `TRIM([LEADING|TRAILING|BOTH] [characters] FROM source)` and `TRIM(source[, characters])`.
  @inline(never)
  private mutating func parseTrim() throws(Failure) -> ExpressionSyntax {
    let start = index
    advance()
    try expect(.leftParenthesis)
    var name = "trim"
    var isSpecified = false
    if token.keyword == .leading || token.keyword == .trailing || token.keyword == .both, startsOperand(peek(1)) {
      name = token.keyword == .leading ? "ltrim" : token.keyword == .trailing ? "rtrim" : "trim"
      isSpecified = true
      advance()
    } else if isRecording {
      record("'LEADING'")
      record("'TRAILING'")
      record("'BOTH'")
    }
    var characters: ExpressionSyntax?
    var source: ExpressionSyntax
    if accept(.from) {
      source = try parseValue()
    } else {
      source = try parseValue()
      if isSpecified || isAt(.from) {
        try expect(.from)
        characters = source
        source = try parseValue()
      } else if accept(.comma) {
        characters = try parseValue()
      }
    }
    try expect(.rightParenthesis)
    return call(name, [source] + (characters.map { [$0] } ?? []), start)
  }

  /// Whether FROM or an operand starts with the token, so that the word before it is no operand itself.
  private func startsOperand(_ token: Token) -> Bool {
    if token.keyword == .from { return true }
    switch token.kind {
    case .word, .quotedIdentifier, .backquotedIdentifier, .digitIdentifier, .string, .unicodeString, .binary, .integer,
      .decimal, .double, .questionMark, .leftParenthesis:
      return true
    default: return false
    }
  }

  @inline(never)
  private mutating func parseNormalize() throws(Failure) -> ExpressionSyntax {
    let start = index
    advance()
    try expect(.leftParenthesis)
    var arguments = [try parseValue()]
    if accept(.comma) {
      let range = token.range
      let form: String
      if accept(.nfd) {
        form = "NFD"
      } else if accept(.nfc) {
        form = "NFC"
      } else if accept(.nfkd) {
        form = "NFKD"
      } else {
        try expect(.nfkc)
        form = "NFKC"
      }
      arguments.append(.literal(LiteralSyntax(value: .string(form), range: range)))
    }
    try expect(.rightParenthesis)
    return call("normalize", arguments, start)
  }

  /// Parses `POSITION(needle IN text)`, or a call of a function named position.
  @inline(never)
  private mutating func parsePosition() throws(Failure) -> ExpressionSyntax {
    let start = index
    let argumentStart = index + 2
    guard peek(2).kind != .rightParenthesis, peek(2).keyword != .not, peek(2).keyword != .distinct else {
      return try parseFunctionCall(start, mode: nil)
    }
    index += 2
    let needle = try parseValue()
    if accept(.in) {
      let text = try parseValue()
      try expect(.rightParenthesis)
      return call("strpos", [text, needle], start)
    }
    let first = try parseLogical(argumentStart, after: needle)
    return try parseFunctionCallRest(start, first: first)
  }

  /// Parses `SUBSTRING(text FROM start [FOR length])`, or a plain call.
  @inline(never)
  private mutating func parseSubstring() throws(Failure) -> ExpressionSyntax {
    let start = index
    guard peek(2).kind != .rightParenthesis, peek(2).keyword != .distinct else {
      return try parseFunctionCall(start, mode: nil)
    }
    index += 2
    let text = try parseExpression()
    guard accept(.from) else { return try parseFunctionCallRest(start, first: text) }
    var arguments = [text, try parseValue()]
    if accept(.for) { arguments.append(try parseValue()) }
    try expect(.rightParenthesis)
    return call("substring", arguments, start)
  }

  /// Parses `OVERLAY(text PLACING other FROM start [FOR length])`, or a plain call.
  @inline(never)
  private mutating func parseOverlay() throws(Failure) -> ExpressionSyntax {
    let start = index
    guard peek(2).kind != .rightParenthesis, peek(2).keyword != .distinct else {
      return try parseFunctionCall(start, mode: nil)
    }
    index += 2
    let text = try parseExpression()
    guard accept(.placing) else { return try parseFunctionCallRest(start, first: text) }
    var arguments = [text, try parseValue()]
    try expect(.from)
    arguments.append(try parseValue())
    if accept(.for) { arguments.append(try parseValue()) }
    try expect(.rightParenthesis)
    return call("overlay", arguments, start)
  }

  /// Parses the rest of a call whose name and first argument are read.
  @inline(never)
  private mutating func parseFunctionCallRest(
    _ start: Int, first: ExpressionSyntax
  ) throws(Failure) -> ExpressionSyntax {
    let name = Identifier(name: string(of: tokens[start]), range: tokens[start].range)
    var call = FunctionCallSyntax(name: QualifiedName(name), arguments: [first], range: name.range)
    if accept(.comma) { try parseArguments(&call) }
    if isAt(.order) { call.orderBy = try parseOrderBy() }
    try expect(.rightParenthesis)
    return try finish(call, start)
  }
}
