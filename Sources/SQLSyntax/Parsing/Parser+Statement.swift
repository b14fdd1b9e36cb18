import QueryErrors

extension Parser {
  /// Parses a statement.
  @inline(never)
  mutating func parseStatement() throws(Failure) -> StatementSyntax {
    try enter(2)
    let statement = try parseStatementForm()
    leave(2)
    return statement
  }

  @inline(never)
  private mutating func parseStatementForm() throws(Failure) -> StatementSyntax {
    if isAtQuery { return .query(try parseQuery()) }
    record("<query>")
    if isAt(.explain) { return try parseExplain() }
    if isAt(.insert) { return try parseInsert() }
    if isAt(.delete) { return try parseDelete() }
    if isAt(.update) { return try parseUpdate() }
    if isAt(.merge) { return try parseMerge() }
    if isAt(.unload) { return try parseUnload() }
    if isAt(.create) { return try parseCreate() }
    if isAt(.drop) { return try parseDrop() }
    if isAt(.alter) { return try parseAlter() }
    if isAt(.msck) { return try parseRepair() }
    if isAt(.show) { return try parseShow() }
    if isAt(.describe) || isAt(.desc) { return try parseDescribe() }
    if isAt(.use) { return try parseUse() }
    if isAt(.set) { return try parseSet() }
    if isAt(.reset) { return try parseReset() }
    if isAt(.prepare) { return try parsePrepare() }
    if isAt(.execute) { return try parseExecute() }
    if isAt(.deallocate) { return try parseDeallocate() }
    if isAt(.truncate) { return try parseTruncate() }
    if isAt(.optimize) { return try parseOptimize() }
    if isAt(.vacuum) { return try parseVacuum() }
    if isAt(.analyze) { return try parseAnalyze() }
    if isAt(.comment) { return try parseComment() }
    if isAt(.start) || isAt(.commit) || isAt(.rollback) { return try parseTransaction() }
    try refuseStatement()
    throw Failure()
  }

  /// Refuses by name the statements that exist elsewhere, in Trino or Hive.
  private mutating func refuseStatement() throws(Failure) {
    guard token.kind == .word else { return }
    let range = token.range
    switch token.keyword {
    case .grant, .revoke, .deny, .call, .refresh:
      throw failNotSupported(token.keyword?.rawValue ?? "", at: range)
    case .using where string(of: peek(1)).lowercased() == "external":
      throw failNotSupported("USING EXTERNAL FUNCTION", at: range)
    case nil:
      let word = string(of: token).uppercased()
      switch word {
      case "LOCK", "UNLOCK", "EXPORT", "IMPORT", "DFS", "LOAD": throw failNotSupported(word, at: range)
      default: return
      }
    default: return
    }
  }

  // MARK: EXPLAIN

  @inline(never)
  private mutating func parseExplain() throws(Failure) -> StatementSyntax {
    let start = index
    advance()
    var isAnalyze = false
    var isVerbose = false
    // ANALYZE after EXPLAIN could also be a statement of its own: ANALYZE table.
    if isAt(.analyze), !(isName(peek(1)) && !Parser.startsStatement(peek(1).keyword)) {
      advance()
      isAnalyze = true
    }
    if isAt(.verbose) {
      advance()
      isVerbose = true
    }
    var explain = ExplainSyntax(
      isAnalyze: isAnalyze, isVerbose: isVerbose, kind: nil, format: nil,
      statement: .transaction(TransactionSyntax(action: .commit, range: token.range)),
      range: token.range)
    if isAt(.leftParenthesis), peek(1).keyword == .type || peek(1).keyword == .format {
      advance()
      repeat { try parseExplainOption(&explain) } while accept(.comma)
      try expect(.rightParenthesis)
    }
    explain.statement = try parseStatement()
    explain.range = range(from: start)
    return .explain(explain)
  }

  /// Whether a statement starts with the word, VERBOSE included, so that ANALYZE before it belongs to EXPLAIN.
  private static func startsStatement(_ keyword: Keyword?) -> Bool {
    switch keyword {
    case .verbose, .insert, .delete, .update, .merge, .unload, .create, .drop, .alter, .show, .describe, .execute,
      .prepare, .explain, .analyze, .truncate, .set, .reset, .use, .optimize, .vacuum, .msck, .comment, .desc:
      true
    default: false
    }
  }

  @inline(never)
  private mutating func parseExplainOption(_ explain: inout ExplainSyntax) throws(Failure) {
    if accept(.type) {
      if accept(.logical) {
        explain.kind = .logical
      } else if accept(.distributed) {
        explain.kind = .distributed
      } else if accept(.validate) {
        explain.kind = .validate
      } else if allowsExtensions, token.kind == .word, string(of: token).uppercased() == "COST" {
        advance()
        explain.kind = .cost
      } else {
        try expect(.io)
        explain.kind = .io
      }
      return
    }
    try expect(.format)
    if accept(.text) {
      explain.format = .text
    } else if accept(.graphviz) {
      explain.format = .graphviz
    } else {
      try expect(.json)
      explain.format = .json
    }
  }

  // MARK: Data

  @inline(never)
  private mutating func parseInsert() throws(Failure) -> StatementSyntax {
    let start = index
    advance()
    if string(of: token).uppercased() == "OVERWRITE" { throw failNotSupported("INSERT OVERWRITE", at: token.range) }
    try expect(.into)
    let table = try parseQualifiedName()
    let columns = isAt(.leftParenthesis) && !isAtQueryParenthesis ? try parseColumnAliases() : []
    let query = try parseQuery()
    return .insert(InsertSyntax(table: table, columns: columns, query: query, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseDelete() throws(Failure) -> StatementSyntax {
    let start = index
    try expect(.delete, .from)
    let table = try parseQualifiedName()
    let condition = accept(.where) ? try parseExpression() : nil
    return .delete(DeleteSyntax(table: table, where: condition, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseUpdate() throws(Failure) -> StatementSyntax {
    let start = index
    advance()
    let table = try parseQualifiedName()
    try expect(.set)
    let assignments = try parseAssignments()
    let condition = accept(.where) ? try parseExpression() : nil
    return .update(UpdateSyntax(table: table, assignments: assignments, where: condition, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseAssignments() throws(Failure) -> [AssignmentSyntax] {
    try parseList { (parser: inout Parser) throws(Failure) -> AssignmentSyntax in
      let column = try parser.parseIdentifier()
      try parser.expect(.equal)
      return AssignmentSyntax(column: column, value: try parser.parseExpression())
    }
  }

  @inline(never)
  private mutating func parseMerge() throws(Failure) -> StatementSyntax {
    let start = index
    try expect(.merge, .into)
    let table = try parseQualifiedName()
    let alias = try parseAlias()
    try expect(.using)
    let source = try parseRelation()
    try expect(.on)
    let condition = try parseExpression()
    var cases: [MergeCaseSyntax] = []
    repeat { cases.append(try parseMergeCase()) } while isAt(.when)
    return .merge(
      MergeSyntax(
        table: table, alias: alias, source: source, condition: condition, cases: cases, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseMergeCase() throws(Failure) -> MergeCaseSyntax {
    let start = index
    try expect(.when)
    let isMatched = !accept(.not)
    try expect(.matched)
    let condition = accept(.and) ? try parseExpression() : nil
    try expect(.then)
    let action: MergeCaseSyntax.Action
    if isMatched {
      if accept(.delete) {
        action = .delete
      } else {
        try expect(.update, .set)
        action = .update(try parseAssignments())
      }
    } else {
      try expect(.insert)
      let columns = isAt(.leftParenthesis) ? try parseColumnAliases() : []
      try expect(.values)
      let values = try parseParenthesizedList { (parser: inout Parser) throws(Failure) in
        try parser.parseExpression()
      }
      action = .insert(columns: columns, values: values)
    }
    return MergeCaseSyntax(condition: condition, action: action, range: range(from: start))
  }

  @inline(never)
  private mutating func parseUnload() throws(Failure) -> StatementSyntax {
    let start = index
    advance()
    let query = try parseParenthesizedQuery()
    try expect(.to)
    let location = try parseString()
    let properties = accept(.with) ? try parseProperties() : []
    return .unload(UnloadSyntax(query: query, location: location, properties: properties, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseTruncate() throws(Failure) -> StatementSyntax {
    let start = index
    allowsBackquotes = true
    try expect(.truncate, .table)
    let table = try parseQualifiedName()
    return .truncate(TruncateSyntax(table: table, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseOptimize() throws(Failure) -> StatementSyntax {
    let start = index
    allowsBackquotes = true
    advance()
    let table = try parseQualifiedName()
    try expect(.rewrite, .data)
    try expect(.using, .binPack)
    let condition = accept(.where) ? try parseExpression() : nil
    return .optimize(OptimizeSyntax(table: table, where: condition, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseVacuum() throws(Failure) -> StatementSyntax {
    let start = index
    allowsBackquotes = true
    advance()
    let table = try parseQualifiedName()
    return .vacuum(VacuumSyntax(table: table, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseAnalyze() throws(Failure) -> StatementSyntax {
    let start = index
    advance()
    // Hive's form: ANALYZE TABLE t COMPUTE STATISTICS.
    if token.keyword == .table, isName(peek(1)) { throw failNotSupported("ANALYZE TABLE", at: token.range) }
    let table = try parseQualifiedName()
    let properties = accept(.with) ? try parseProperties() : []
    return .analyze(AnalyzeSyntax(table: table, properties: properties, range: range(from: start)))
  }

  // MARK: SHOW and DESCRIBE

  @inline(never)
  private mutating func parseShow() throws(Failure) -> StatementSyntax {
    let start = index
    allowsBackquotes = true
    advance()
    var show = ShowSyntax(subject: .catalogs, range: token.range)
    if accept(.tables) {
      show.subject = .tables(schema: try parseShowScope())
      try parseShowPattern(&show, allowsBare: true)
    } else if accept(.views) {
      show.subject = .views(schema: try parseShowScope())
      try parseShowPattern(&show, allowsBare: true)
    } else if accept(.schemas) || accept(.databases) {
      let scope = isAt(.from) || isAt(.in)
      if scope { advance() }
      show.subject = .schemas(catalog: scope ? try parseIdentifier() : nil)
      try parseShowPattern(&show, allowsBare: true)
    } else if accept(.catalogs) {
      try parseShowPattern(&show, allowsBare: false)
    } else if accept(.columns) {
      show.subject = .columns(try parseShowColumnsTable())
      try parseShowPattern(&show, allowsBare: false)
    } else if accept(.functions) {
      show.subject = .functions(schema: try parseShowScope())
      try parseShowPattern(&show, allowsBare: true)
    } else if accept(.session) {
      show.subject = .session
      try parseShowPattern(&show, allowsBare: false)
    } else if accept(.partitions) {
      show.subject = .partitions(table: try parseQualifiedName())
    } else if accept(.tblproperties) {
      let table = try parseQualifiedName()
      var key: StringSyntax?
      if accept(.leftParenthesis) {
        key = try parseString()
        try expect(.rightParenthesis)
      }
      show.subject = .tableProperties(table: table, key: key)
    } else if accept(.create) {
      if accept(.table) {
        show.subject = .createTable(try parseQualifiedName())
      } else if accept(.view) {
        show.subject = .createView(try parseQualifiedName())
      } else if accept(.schema) || accept(.database) {
        show.subject = .createSchema(try parseQualifiedName())
      } else if allowsExtensions, accept(.catalog) {
        show.subject = .createCatalog(try parseIdentifier())
      } else {
        throw Failure()
      }
    } else if accept(.stats) {
      try expect(.for)
      show.subject =
        isAtQueryParenthesis
        ? .statsForQuery(try parseParenthesizedQuery()) : .stats(table: try parseQualifiedName())
    } else {
      let others = ["COMPACTIONS", "GRANT", "INDEX", "INDEXES", "LOCKS", "PRINCIPALS", "TRANSACTIONS", "GRANTS", "ROLE", "ROLES", "CURRENT"]
      if token.kind == .word, others.contains(string(of: token).uppercased()) {
        throw failNotSupported("SHOW \(string(of: token).uppercased())", at: token.range)
      }
      throw Failure()
    }
    show.range = range(from: start)
    return .show(show)
  }

  @inline(never)
  private mutating func parseShowScope() throws(Failure) -> QualifiedName? {
    guard accept(.from) || accept(.in) else { return nil }
    return try parseQualifiedName()
  }

  /// Parses `FROM table [FROM schema]`.
  @inline(never)
  private mutating func parseShowColumnsTable() throws(Failure) -> RelationSyntax {
    if !accept(.from) { try expect(.in) }
    if token.kind == .string { return .file(FileRelationSyntax(path: try parseString())) }
    var name = try parseQualifiedName()
    if accept(.from) || accept(.in) {
      let schema = try parseQualifiedName()
      name = QualifiedName(parts: schema.parts + name.parts, range: name.range.union(schema.range))
    }
    return .table(TableSyntax(name: name))
  }

  @inline(never)
  private mutating func parseShowPattern(_ show: inout ShowSyntax, allowsBare: Bool) throws(Failure) {
    if accept(.like) {
      show.pattern = try parseString()
      show.patternKind = .like(escape: accept(.escape) ? try parseString() : nil)
    } else if allowsBare, token.kind == .string {
      show.pattern = try parseString()
    }
  }

  @inline(never)
  private mutating func parseDescribe() throws(Failure) -> StatementSyntax {
    let start = index
    allowsBackquotes = true
    advance()
    if isAt(.input), isName(peek(1)) {
      advance()
      let name = try parseIdentifier()
      return .describeInput(DescribePreparedSyntax(name: name, range: range(from: start)))
    }
    if isAt(.output), isName(peek(1)) {
      advance()
      let name = try parseIdentifier()
      return .describeOutput(DescribePreparedSyntax(name: name, range: range(from: start)))
    }
    if token.keyword == .database || token.keyword == .schema, isName(peek(1)) {
      throw failNotSupported("DESCRIBE DATABASE", at: token.range)
    }
    var detail: DescribeSyntax.Detail?
    if isAt(.extended), isName(peek(1)) || peek(1).kind == .string {
      detail = .extended
      advance()
    } else if isAt(.formatted), isName(peek(1)) || peek(1).kind == .string {
      detail = .formatted
      advance()
    }
    let relation: RelationSyntax
    if token.kind == .string {
      relation = .file(FileRelationSyntax(path: try parseString()))
    } else {
      relation = .table(TableSyntax(name: try parseQualifiedName()))
    }
    var partition: [PartitionValueSyntax] = []
    if isAt(.partition), peek(1).kind == .leftParenthesis { partition = try parsePartitionSpecification() }
    var column: [Identifier] = []
    if isName(token) {
      column.append(try parseIdentifier())
      while accept(.dot) { column.append(try parseColumnPathPart()) }
    }
    return .describe(
      DescribeSyntax(
        detail: detail, relation: relation, partition: partition, column: column, range: range(from: start)))
  }

  /// Parses a field's name or `'$elem$'`, `'$key$'`, `'$value$'`.
  @inline(never)
  private mutating func parseColumnPathPart() throws(Failure) -> Identifier {
    if token.kind == .string {
      let string = try parseString()
      return Identifier(name: string.value, isDelimited: true, range: string.range)
    }
    if token.kind == .dollar, isName(peek(1)), peek(2).kind == .dollar {
      let start = index
      index += 3
      return Identifier(name: "$" + string(of: tokens[start + 1]) + "$", isDelimited: true, range: range(from: start))
    }
    return try parseIdentifier()
  }

  // MARK: Session

  @inline(never)
  private mutating func parseUse() throws(Failure) -> StatementSyntax {
    let start = index
    allowsBackquotes = true
    advance()
    let first = try parseIdentifier()
    guard accept(.dot) else { return .use(UseSyntax(catalog: nil, schema: first, range: range(from: start))) }
    let schema = try parseIdentifier()
    return .use(UseSyntax(catalog: first, schema: schema, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseSet() throws(Failure) -> StatementSyntax {
    let start = index
    advance()
    if accept(.session) {
      if token.keyword == .authorization { throw failNotSupported("SET SESSION AUTHORIZATION", at: token.range) }
      let name = try parseQualifiedName()
      try expect(.equal)
      let value = try parseExpression()
      return .setSession(SetSessionSyntax(name: name, value: value, range: range(from: start)))
    }
    if accept(.time) {
      try expect(.zone)
      let isLocal = isAt(.local) && (peek(1).kind == .endOfText || peek(1).kind == .semicolon)
      if isLocal { advance() }
      let zone = isLocal ? nil : try parseExpression()
      return .setTimeZone(SetTimeZoneSyntax(zone: zone, range: range(from: start)))
    }
    switch token.keyword {
    case .role, .path: throw failNotSupported("SET \(string(of: token).uppercased())", at: token.range)
    default: throw Failure()
    }
  }

  @inline(never)
  private mutating func parseReset() throws(Failure) -> StatementSyntax {
    let start = index
    try expect(.reset, .session)
    let name = try parseQualifiedName()
    return .resetSession(ResetSessionSyntax(name: name, range: range(from: start)))
  }

  @inline(never)
  private mutating func parsePrepare() throws(Failure) -> StatementSyntax {
    let start = index
    advance()
    let name = try parseIdentifier()
    try expect(.from)
    let statement = try parseStatement()
    return .prepare(PrepareSyntax(name: name, statement: statement, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseExecute() throws(Failure) -> StatementSyntax {
    let start = index
    advance()
    if isAt(.immediate), peek(1).kind == .string || peek(1).kind == .unicodeString {
      advance()
      let sql = try parseString()
      let arguments = try parseUsing()
      return .executeImmediate(ExecuteImmediateSyntax(sql: sql, arguments: arguments, range: range(from: start)))
    }
    let name = try parseIdentifier()
    let arguments = try parseUsing()
    return .execute(ExecuteSyntax(name: name, arguments: arguments, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseUsing() throws(Failure) -> [ExpressionSyntax] {
    guard accept(.using) else { return [] }
    return try parseList { (parser: inout Parser) throws(Failure) in try parser.parseExpression() }
  }

  @inline(never)
  private mutating func parseDeallocate() throws(Failure) -> StatementSyntax {
    let start = index
    try expect(.deallocate, .prepare)
    let name = try parseIdentifier()
    return .deallocate(DeallocateSyntax(name: name, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseTransaction() throws(Failure) -> StatementSyntax {
    let start = index
    var action = TransactionSyntax.Action.commit
    if accept(.start) {
      try expect(.transaction)
      var modes: [TransactionSyntax.Mode] = []
      if isAt(.isolation) || isAt(.read) {
        modes = try parseList { (parser: inout Parser) throws(Failure) in try parser.parseTransactionMode() }
      }
      action = .start(modes)
    } else {
      action = token.keyword == .commit ? .commit : .rollback
      advance()
      _ = accept(.work)
    }
    return .transaction(TransactionSyntax(action: action, range: range(from: start)))
  }

  @inline(never)
  private mutating func parseTransactionMode() throws(Failure) -> TransactionSyntax.Mode {
    if accept(.read) {
      if accept(.only) { return .readOnly }
      try expect(.write)
      return .readWrite
    }
    try expect(.isolation, .level)
    if accept(.serializable) { return .serializable }
    if accept(.repeatable) {
      try expect(.read)
      return .repeatableRead
    }
    try expect(.read)
    if accept(.committed) { return .readCommitted }
    try expect(.uncommitted)
    return .readUncommitted
  }
}
