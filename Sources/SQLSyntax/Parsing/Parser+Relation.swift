import QueryErrors

extension Parser {
  /// Parses one relation of FROM with its joins.
  @inline(never)
  mutating func parseRelation() throws(Failure) -> RelationSyntax {
    try enter(2)
    let start = index
    let first = try parseSampledRelation()
    let relation = try parseJoins(first, start)
    leave(2)
    return relation
  }

  /// Parses the joins that follow `left`, which starts at token `start`.
  @inline(never)
  private mutating func parseJoins(_ left: RelationSyntax, _ start: Int) throws(Failure) -> RelationSyntax {
    var left = left
    var count = 0
    while true {
      if accept(.cross) {
        try expect(.join)
        let right = try parseSampledRelation()
        left = .join(JoinSyntax(kind: .cross, left: left, right: right, condition: .none, range: range(from: start)))
      } else if accept(.natural) {
        let kind = parseJoinKind() ?? .inner
        try expect(.join)
        let right = try parseSampledRelation()
        left = .join(JoinSyntax(kind: kind, left: left, right: right, condition: .natural, range: range(from: start)))
      } else if let kind = parseJoinKind() {
        try expect(.join)
        let right = try parseJoinedRelation()
        let condition: JoinSyntax.Condition
        if accept(.using) {
          condition = .using(try parseColumnAliases())
        } else {
          try expect(.on)
          condition = .on(try parseExpression())
        }
        left = .join(JoinSyntax(kind: kind, left: left, right: right, condition: condition, range: range(from: start)))
      } else {
        return left
      }
      count += 1
      try checkDepth(2 * count)
    }
  }

  /// Parses a join's right side; in `a JOIN b JOIN c ON … ON …` it is itself a join.
  @inline(never)
  private mutating func parseJoinedRelation() throws(Failure) -> RelationSyntax {
    try enter(2)
    let start = index
    var right = try parseSampledRelation()
    if token.keyword != .on, token.keyword != .using { right = try parseJoins(right, start) }
    leave(2)
    return right
  }

  /// Parses `[INNER]`, `LEFT [OUTER]` and so on; nil when no JOIN is next.
  @inline(never)
  private mutating func parseJoinKind() -> JoinSyntax.Kind? {
    if isAt(.join) { return .inner }
    if accept(.inner) { return .inner }
    let kind: JoinSyntax.Kind
    if accept(.left) {
      kind = .left
    } else if accept(.right) {
      kind = .right
    } else if accept(.full) {
      kind = .full
    } else {
      return nil
    }
    _ = accept(.outer)
    return kind
  }

  @inline(never)
  private mutating func parseSampledRelation() throws(Failure) -> RelationSyntax {
    let start = index
    let relation = try parsePatternRecognition()
    guard isAt(.tablesample) else { return relation }
    advance()
    let method: SampledRelationSyntax.Method
    if accept(.bernoulli) {
      method = .bernoulli
    } else {
      try expect(.system)
      method = .system
    }
    try expect(.leftParenthesis)
    let percentage = try parseExpression()
    try expect(.rightParenthesis)
    return .sampled(
      SampledRelationSyntax(relation: relation, method: method, percentage: percentage, range: range(from: start)))
  }

  @inline(never)
  private mutating func parsePatternRecognition() throws(Failure) -> RelationSyntax {
    let start = index
    let relation = try parseAliased(try parseRelationPrimary(), start)
    guard token.keyword == .matchRecognize, peek(1).kind == .leftParenthesis else {
      record("'MATCH_RECOGNIZE'")
      return relation
    }
    return try parseAliased(try parseMatchRecognize(relation, start), start)
  }

  @inline(never)
  private mutating func parseAliased(_ relation: RelationSyntax, _ start: Int) throws(Failure) -> RelationSyntax {
    guard let alias = try parseAlias() else { return relation }
    let columns = isAt(.leftParenthesis) ? try parseColumnAliases() : []
    return .aliased(
      AliasedRelationSyntax(relation: relation, alias: alias, columnAliases: columns, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseRelationPrimary() throws(Failure) -> RelationSyntax {
    let start = index
    if isAt(.leftParenthesis) {
      if isAtQueryParenthesis {
        let query = try parseParenthesizedQuery()
        return .subquery(SubqueryRelationSyntax(query: query, range: range(from: start)))
      }
      advance()
      if isRecording { record("<query>") }
      let relation = try parseRelation()
      try expect(.rightParenthesis)
      return relation
    }
    if isAt(.values) {
      let values = try parseQueryPrimary()
      let query = QuerySyntax(body: values, range: values.range)
      return .subquery(SubqueryRelationSyntax(query: query, range: values.range))
    }
    if accept(.unnest) {
      let expressions = try parseParenthesizedList { (parser: inout Parser) throws(Failure) in
        try parser.parseExpression()
      }
      let isWithOrdinality = isAt(.with) && peek(1).keyword == .ordinality
      if isWithOrdinality { index += 2 }
      return .unnest(
        UnnestSyntax(expressions: expressions, isWithOrdinality: isWithOrdinality, range: range(from: start)))
    }
    if isAt(.lateral), peek(1).kind == .leftParenthesis {
      advance()
      let query = try parseParenthesizedQuery()
      return .lateral(SubqueryRelationSyntax(query: query, range: range(from: start)))
    }
    if accept(.table) {
      try expect(.leftParenthesis)
      let function = try parseTableFunction()
      try expect(.rightParenthesis)
      return function
    }
    if isAt(.jsonTable) { return try parseJSONTable() }
    if token.kind == .string || token.kind == .unicodeString {
      return .file(FileRelationSyntax(path: try parseString()))
    }
    var table = TableSyntax(name: try parseQualifiedName())
    if accept(.for) {
      let periodStart = index - 1
      let unit: QueryPeriodSyntax.Unit
      if accept(.timestamp) {
        unit = .timestamp
      } else {
        try expect(.version)
        unit = .version
      }
      try expect(.as, .of)
      let end = try parseValue()
      table.period = QueryPeriodSyntax(unit: unit, end: end, range: range(from: periodStart))
      table.range = range(from: start)
    }
    return .table(table)
  }

  // MARK: Table functions

  @inline(never)
  private mutating func parseTableFunction() throws(Failure) -> RelationSyntax {
    let start = index
    let name = try parseQualifiedName()
    try expect(.leftParenthesis)
    var arguments: [TableFunctionArgumentSyntax] = []
    var copartitions: [[QualifiedName]] = []
    if !isAt(.rightParenthesis) {
      if !isAtCopartition {
        arguments = try parseList { (parser: inout Parser) throws(Failure) in try parser.parseTableFunctionArgument() }
      }
      if isAtCopartition {
        advance()
        copartitions = try parseList { (parser: inout Parser) throws(Failure) in
          try parser.parseParenthesizedList { (parser: inout Parser) throws(Failure) in
            try parser.parseQualifiedName()
          }
        }
      }
    }
    try expect(.rightParenthesis)
    return .tableFunction(
      TableFunctionSyntax(name: name, arguments: arguments, copartitions: copartitions, range: range(from: start)))
  }

  private var isAtCopartition: Bool { token.keyword == .copartition && peek(1).kind == .leftParenthesis }

  @inline(never)
  private mutating func parseTableFunctionArgument() throws(Failure) -> TableFunctionArgumentSyntax {
    let start = index
    var name: Identifier?
    if peek(1).kind == .doubleArrow {
      // Before an arrow reserved words are names too: skip => 3.
      if isName(token) {
        name = try parseIdentifier()
        advance()
      } else if token.kind == .word {
        name = Identifier(name: string(of: token), range: token.range)
        advance()
        advance()
      }
    }
    let value: TableFunctionArgumentSyntax.Value
    if isAt(.table), peek(1).kind == .leftParenthesis {
      value = .table(try parseTableArgument())
    } else if isAt(.descriptor), peek(1).kind == .leftParenthesis {
      advance()
      value = .descriptor(
        try parseParenthesizedList { (parser: inout Parser) throws(Failure) -> DescriptorFieldSyntax in
          let name = try parser.parseIdentifier()
          let isTyped = parser.token.kind != .comma && parser.token.kind != .rightParenthesis
          return DescriptorFieldSyntax(name: name, type: isTyped ? try parser.parseType() : nil)
        })
    } else if token.keyword == .cast, peek(2).keyword == .null, peek(3).keyword == .as,
      peek(4).keyword == .descriptor, peek(5).kind == .rightParenthesis
    {
      index += 6
      value = .nullDescriptor
    } else {
      value = .expression(try parseExpression())
    }
    return TableFunctionArgumentSyntax(name: name, value: value, range: range(from: start))
  }

  @inline(never)
  private mutating func parseTableArgument() throws(Failure) -> TableArgumentSyntax {
    let start = index
    try expect(.table)
    var relation: RelationSyntax
    if isAtQueryParenthesis {
      let query = try parseParenthesizedQuery()
      relation = .subquery(SubqueryRelationSyntax(query: query, range: range(from: start)))
    } else {
      try expect(.leftParenthesis)
      relation = .table(TableSyntax(name: try parseQualifiedName()))
      try expect(.rightParenthesis)
    }
    relation = try parseAliased(relation, start)
    var argument = TableArgumentSyntax(relation: relation, partitionBy: nil, isPruneWhenEmpty: nil, orderBy: [])
    if isAt(.partition) {
      advance()
      try expect(.by)
      argument.partitionBy = try parsePartitionArgument()
    }
    if isAt(.prune) || isAt(.keep) {
      argument.isPruneWhenEmpty = token.keyword == .prune
      advance()
      try expect(.when, .empty)
    }
    if accept(.order) {
      try expect(.by)
      if isAt(.leftParenthesis), closing(index) < tokens.count - 1, endsTableArgument(closing(index) + 1) {
        argument.orderBy = try parseParenthesizedList { (parser: inout Parser) throws(Failure) in
          try parser.parseSortItem()
        }
      } else {
        argument.orderBy = [try parseSortItem()]
      }
    }
    return argument
  }

  /// Whether the token at `position` comes after a table argument rather than inside an expression.
  private func endsTableArgument(_ position: Int) -> Bool {
    let token = tokens[position]
    return token.kind == .comma || token.kind == .rightParenthesis || token.keyword == .copartition
  }

  /// Parses `a` or `(a, b)` or `()` after PARTITION BY in a table argument.
  @inline(never)
  private mutating func parsePartitionArgument() throws(Failure) -> [ExpressionSyntax] {
    if token.kind == .leftParenthesis, peek(1).kind == .rightParenthesis {
      index += 2
      return []
    }
    let isList = token.kind == .leftParenthesis
    let expression = try parseExpression()
    if isList, case .row(let row) = expression { return row.fields.map(\.value) }
    return [expression]
  }
}
