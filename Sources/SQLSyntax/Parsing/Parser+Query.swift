import QueryErrors

// MARK: - Queries

extension Parser {
  /// Whether a query starts with the next token.
  var isAtQuery: Bool {
    switch token.keyword {
    case .select, .values, .with, .table: true
    default: isAtQueryParenthesis
    }
  }

  /// Parses `(query)`.
  @inline(never)
  mutating func parseParenthesizedQuery() throws(Failure) -> QuerySyntax {
    try expect(.leftParenthesis)
    let query = try parseQuery()
    try expect(.rightParenthesis)
    return query
  }

  /// Parses a query with its WITH, ORDER BY and LIMIT.
  @inline(never)
  mutating func parseQuery() throws(Failure) -> QuerySyntax {
    let rule = beginRule("<query>")
    try enter(Parser.queryWeight)
    let start = index
    let with = isAt(.with) ? try parseWith() : nil
    let body = try parseSetOperations()
    endRule(rule)
    var query = QuerySyntax(body: body, range: token.range)
    query.with = with
    if isAt(.order) { query.orderBy = try parseOrderBy() }
    if isAt(.offset) {
      advance()
      query.offset = try parseRowCount()
      if !accept(.rows) { _ = accept(.row) }
    }
    query.limit = try parseLimit()
    query.range = range(from: start)
    leave(Parser.queryWeight)
    return query
  }

  @inline(never)
  private mutating func parseLimit() throws(Failure) -> LimitSyntax? {
    if accept(.limit) { return accept(.all) ? .all : .limit(try parseRowCount()) }
    guard accept(.fetch) else { return nil }
    if !accept(.first) { try expect(.next) }
    let count = isAt(.row) || isAt(.rows) ? nil : try parseRowCount()
    if !accept(.rows) { try expect(.row) }
    if accept(.only) { return .fetchFirst(count, isWithTies: false) }
    try expect(.with, .ties)
    return .fetchFirst(count, isWithTies: true)
  }

  @inline(never)
  private mutating func parseRowCount() throws(Failure) -> RowCountSyntax {
    if isAt(.questionMark) { return .parameter(parseParameter()) }
    let range = token.range
    return .integer(try parseInteger(), Positional(wrappedValue: range))
  }

  @inline(never)
  private mutating func parseWith() throws(Failure) -> WithSyntax {
    let start = index
    try expect(.with)
    if token.keyword == .function, peek(1).keyword != .as, peek(1).kind != .leftParenthesis {
      throw failNotSupported("WITH FUNCTION", at: token.range)
    }
    if token.keyword == .session, peek(1).keyword != .as, peek(1).kind != .leftParenthesis {
      throw failNotSupported("WITH SESSION", at: token.range)
    }
    let isRecursive = accept(.recursive)
    let queries = try parseList { (parser: inout Parser) throws(Failure) -> NamedQuerySyntax in
      let queryStart = parser.index
      let name = try parser.parseIdentifier()
      let aliases = parser.isAt(.leftParenthesis) ? try parser.parseColumnAliases() : []
      try parser.expect(.as)
      let query = try parser.parseParenthesizedQuery()
      return NamedQuerySyntax(name: name, columnAliases: aliases, query: query, range: parser.range(from: queryStart))
    }
    return WithSyntax(isRecursive: isRecursive, queries: queries, range: range(from: start))
  }

  /// Parses UNION and EXCEPT, loosest of the set operations.
  @inline(never)
  private mutating func parseSetOperations() throws(Failure) -> QueryBodySyntax {
    let start = index
    let first = try parseIntersections()
    var terms: [SetOperationTermSyntax] = []
    while isAt(.union) || isAt(.except) {
      let operation: SetOperationSyntax.Operator = token.keyword == .union ? .union : .except
      let operatorRange = token.range
      advance()
      let isAll = parseSetOperationQuantifier()
      let body = try parseIntersections()
      terms.append(
        SetOperationTermSyntax(operator: operation, isAll: isAll, body: body, operatorRange: operatorRange))
    }
    if terms.isEmpty { return first }
    return .setOperation(SetOperationSyntax(first: first, terms: terms, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseIntersections() throws(Failure) -> QueryBodySyntax {
    let start = index
    let first = try parseQueryPrimary()
    var terms: [SetOperationTermSyntax] = []
    while isAt(.intersect) {
      let operatorRange = token.range
      advance()
      let isAll = parseSetOperationQuantifier()
      let body = try parseQueryPrimary()
      terms.append(
        SetOperationTermSyntax(operator: .intersect, isAll: isAll, body: body, operatorRange: operatorRange))
    }
    if terms.isEmpty { return first }
    return .setOperation(SetOperationSyntax(first: first, terms: terms, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseSetOperationQuantifier() -> Bool {
    if accept(.all) { return true }
    _ = accept(.distinct)
    return false
  }

  @inline(never)
  mutating func parseQueryPrimary() throws(Failure) -> QueryBodySyntax {
    let start = index
    if isAt(.select) { return .select(try parseSelect()) }
    if isAt(.leftParenthesis) { return .query(try parseParenthesizedQuery()) }
    if accept(.table) { return .table(TableSyntax(name: try parseQualifiedName())) }
    guard accept(.values) else { throw Failure() }
    let rows = try parseList { (parser: inout Parser) throws(Failure) in try parser.parseExpression() }
    return .values(ValuesSyntax(rows: rows, range: range(from: start)))
  }

  /// Parses `ORDER BY a, b`; the next token is ORDER.
  @inline(never)
  mutating func parseOrderBy() throws(Failure) -> [SortItemSyntax] {
    try expect(.order, .by)
    return try parseList { (parser: inout Parser) throws(Failure) in try parser.parseSortItem() }
  }

  @inline(never)
  mutating func parseSortItem() throws(Failure) -> SortItemSyntax {
    let start = index
    let expression = try parseExpression()
    let isDescending = accept(.desc)
    if !isDescending { _ = accept(.asc) }
    var isNullsFirst: Bool?
    if accept(.nulls) {
      isNullsFirst = accept(.first)
      if isNullsFirst == false { try expect(.last) }
    }
    return SortItemSyntax(
      expression: expression, isDescending: isDescending, isNullsFirst: isNullsFirst, range: range(from: start))
  }
}

// MARK: - SELECT

extension Parser {
  @inline(never)
  private mutating func parseSelect() throws(Failure) -> SelectSyntax {
    let start = index
    try expect(.select)
    var select = SelectSyntax(range: token.range)
    select.isDistinct = parseSetQuantifier()
    select.items = [try parseSelectItem()]
    while accept(.comma) {
      // A comma before FROM is an extension; FROM starts no expression.
      if allowsExtensions, token.keyword == .from {
        select.trailingComma = range(from: index - 1)
        break
      }
      select.items.append(try parseSelectItem())
    }
    if accept(.from) {
      select.from = try parseList { (parser: inout Parser) throws(Failure) in try parser.parseRelation() }
    }
    if accept(.where) { select.where = try parseExpression() }
    if accept(.group) { select.groupBy = try parseGroupBy() }
    if accept(.having) { select.having = try parseExpression() }
    if isAtWindowClause {
      advance()
      select.windows = try parseList { (parser: inout Parser) throws(Failure) in
        try parser.parseWindowDefinition()
      }
    } else {
      record("'WINDOW'")
    }
    if allowsExtensions, token.keyword == .qualify {
      select.qualifyKeyword = token.range
      advance()
      select.qualify = try parseExpression()
    }
    select.range = range(from: start)
    return select
  }

  @inline(never)
  private mutating func parseWindowDefinition() throws(Failure) -> WindowDefinitionSyntax {
    let start = index
    let name = try parseIdentifier()
    try expect(.as)
    let specification = try parseWindowSpecification()
    return WindowDefinitionSyntax(name: name, specification: specification, range: range(from: start))
  }

  @inline(never)
  private mutating func parseSelectItem() throws(Failure) -> SelectItemSyntax {
    let start = index
    if accept(.asterisk) { return try parseStar(nil, start) }
    let expression = try parseExpression()
    if isAt(.dot), peek(1).kind == .asterisk, isPrimary(expression, start) {
      index += 2
      return try parseStar(expression, start)
    }
    let alias = try parseAlias()
    return .expression(SelectExpressionSyntax(expression: expression, alias: alias, range: range(from: start)))
  }

  /// Whether the expression read since `start` is one that a dot may follow.
  private func isPrimary(_ expression: ExpressionSyntax, _ start: Int) -> Bool {
    if tokens[start].kind == .leftParenthesis, closing(start) == index - 1 { return true }
    switch expression {
    case .unary, .arithmetic, .concatenation, .comparison, .logical, .not, .isNull, .isDistinctFrom, .between, .inList,
      .inSubquery, .quantifiedComparison, .like, .atTimeZone, .lambda:
      return false
    default: return true
    }
  }

  @inline(never)
  private mutating func parseStar(_ qualifier: ExpressionSyntax?, _ start: Int) throws(Failure) -> SelectItemSyntax {
    var star = SelectStarSyntax(qualifier: qualifier, aliases: [], except: [], replace: [], range: token.range)
    if qualifier != nil, accept(.as) { star.aliases = try parseColumnAliases() }
    if allowsExtensions, token.keyword == .except, peek(1).kind == .leftParenthesis, !opensQuery(index + 1) {
      advance()
      star.except = try parseColumnAliases()
    }
    if allowsExtensions, token.keyword == .replace, peek(1).kind == .leftParenthesis {
      advance()
      star.replace = try parseParenthesizedList { (parser: inout Parser) throws(Failure) -> SelectReplacementSyntax in
        let expression = try parser.parseExpression()
        _ = parser.accept(.as)
        return SelectReplacementSyntax(expression: expression, name: try parser.parseIdentifier())
      }
    }
    star.range = range(from: start)
    return .star(star)
  }

  @inline(never)
  private mutating func parseGroupBy() throws(Failure) -> GroupBySyntax {
    try expect(.by)
    let start = index
    var groupBy = GroupBySyntax(isDistinct: false, isEveryItem: false, elements: [], range: token.range)
    if allowsExtensions, token.keyword == .all, endsGroupByAll(peek(1)) {
      groupBy.isEveryItem = true
      advance()
    } else {
      if isAt(.all), [.rollup, .cube].contains(peek(1).keyword) { advance() }
      groupBy.isDistinct = parseSetQuantifier()
      groupBy.elements = try parseList { (parser: inout Parser) throws(Failure) in try parser.parseGroupingElement() }
    }
    groupBy.range = range(from: start)
    return groupBy
  }

  /// Whether nothing that could belong to an expression follows `GROUP BY ALL`.
  private func endsGroupByAll(_ token: Token) -> Bool {
    switch token.kind {
    case .endOfText, .semicolon, .rightParenthesis: return true
    case .word: break
    default: return false
    }
    switch token.keyword {
    case .having, .order, .union, .except, .intersect, .limit, .offset, .fetch, .window, .qualify, .with: return true
    default: return false
    }
  }

  @inline(never)
  private mutating func parseGroupingElement() throws(Failure) -> GroupingElementSyntax {
    if accept(.rollup) { return .rollup(try parseGroupingSets()) }
    if accept(.cube) { return .cube(try parseGroupingSets()) }
    if isAt(.grouping), peek(1).keyword == .sets {
      index += 2
      return .groupingSets(try parseGroupingSets())
    }
    return .simple(try parseGroupingSet())
  }

  @inline(never)
  private mutating func parseGroupingSets() throws(Failure) -> [[ExpressionSyntax]] {
    try expect(.leftParenthesis)
    var sets: [[ExpressionSyntax]] = []
    if !isAt(.rightParenthesis) {
      sets = try parseList { (parser: inout Parser) throws(Failure) in try parser.parseGroupingSet() }
    }
    try expect(.rightParenthesis)
    return sets
  }

  /// Parses `(a, b)`, `()` or one expression; `(a + b) * 2` is one expression.
  @inline(never)
  private mutating func parseGroupingSet() throws(Failure) -> [ExpressionSyntax] {
    guard isAt(.leftParenthesis) else { return [try parseExpression()] }
    if peek(1).kind == .rightParenthesis, peek(2).kind != .arrow {
      index += 2
      return []
    }
    let start = token.start
    let expression = try parseExpression()
    guard case .row(let row) = expression, row.range.start == start else { return [expression] }
    return row.fields.map(\.value)
  }
}

// MARK: - Aliases

extension Parser {
  /// Parses `[AS] name`, if it is next.
  @inline(never)
  mutating func parseAlias() throws(Failure) -> Identifier? {
    if accept(.as) { return try parseIdentifier() }
    guard isName(token), !startsClause else {
      record("<identifier>")
      return nil
    }
    return try parseIdentifier()
  }

  /// Whether WINDOW starts its clause here, and is no name.
  private var isAtWindowClause: Bool {
    token.keyword == .window && isName(peek(1)) && peek(2).keyword == .as && peek(3).kind == .leftParenthesis
  }

  /// Whether the next word, which could be a name, starts a clause instead.
  private var startsClause: Bool {
    guard let keyword = token.keyword else { return false }
    let next = peek(1)
    switch keyword {
    case .limit, .offset: return !endsAlias(next)
    case .fetch: return next.keyword == .first || next.keyword == .next
    case .window: return isAtWindowClause
    case .tablesample:
      return (next.keyword == .bernoulli || next.keyword == .system) && peek(2).kind == .leftParenthesis
    case .matchRecognize:
      guard next.kind == .leftParenthesis else { return false }
      switch peek(2).keyword {
      case .partition, .order, .measures, .one, .all, .after, .initial, .seek, .pattern: return true
      default: return false
      }
    case .partition: return next.keyword == .by
    case .prune, .keep: return next.keyword == .when
    case .copartition: return next.kind == .leftParenthesis
    case .qualify: return !endsAlias(next)
    // In Hive's statements reserved words may be names, but no alias is taken there.
    default: return dialect == .hive && keyword.isReserved
    }
  }

  /// Whether the token may follow an alias and cannot start an expression.
  private func endsAlias(_ token: Token) -> Bool {
    switch token.kind {
    case .endOfText, .comma, .rightParenthesis, .semicolon: return true
    case .word:
      switch token.keyword {
      case .from, .where, .group, .having, .order, .union, .except, .intersect, .on, .using, .join, .inner, .left,
        .right,
        .full, .cross, .natural, .with, .for:
        return true
      default: return false
      }
    default: return false
    }
  }
}
