package import QueryErrors

/// Turns SQL text into a syntax tree: a hand-written recursive-descent parser over Trino's grammar and Athena's DDL.
///
/// A failing text is parsed a second time with the expected tokens recorded, so that the first pass stays fast and the
/// message still lists them as Trino does.
///
/// Parsing functions are kept out of line: inlined into one another their stack frames would grow to tens of kilobytes,
/// and nested SQL passes through all of them at each level.
///
/// - Source: Trino `SqlBase.g4`; Athena's DDL reference.
package struct Parser {
  /// How deep things may nest, two units a level: an expression counts as such and as an operand.
  ///
  /// Whoever walks a tree recurses half as deep as this.
  static let maximumDepth = 1200
  /// How many levels a subquery counts for, since walkers pass several functions with large frames for each.
  static let queryWeight = 12
  /// How deep parsing goes before it asks how much stack is left; unoptimized frames for as many fit a small stack.
  private static let freeDepth = 24
  /// Stack kept free for whatever runs at the deepest level.
  private static let stackReserve = 160 * 1024
  /// Token offsets are 32 bits wide.
  private static let maximumByteCount = 1 << 30

  /// Marks that parsing failed; `failure` or the recorded expectations say how.
  struct Failure: Error {}

  // MARK: Fixed for the text
  let text: [UInt8]
  let tokens: [Token]
  let dialect: Lexer.Dialect
  let isRecording: Bool
  /// For each `(` the index of its `)`, negated and minus one when a query starts inside; 0 for other tokens.
  private let parentheses: [Int32]

  // MARK: Changes while parsing
  /// The token to read next.
  var index = 0
  var parameterCount = 0
  /// Whether names in backquotes are welcome: in the statements that Athena gives to Hive.
  var allowsBackquotes: Bool
  /// Whether syntax that Athena lacks is read.
  var allowsExtensions = true
  private var depth = 0
  private var stackGuard: StackGuard?
  private(set) var failure: QueryError?
  private var furthestIndex = 0
  private var expected: Set<String> = []
  /// Where a named rule starts: tokens expected there are covered by the rule's name.
  private var suppressedIndex = -1

  /// Parses one statement; a `;` may end it.
  ///
  /// - Throws: `SYNTAX_ERROR` at the first token that fits nowhere, `NOT_SUPPORTED` for statements that Athena refuses
  ///   too, `STACK_OVERFLOW` for nesting beyond the limit.
  /// - Parameter allowsExtensions: whether what Athena lacks is read too: `* EXCEPT`, `* REPLACE`, `GROUP BY ALL`,
  ///   QUALIFY, a comma after the last item of SELECT.
  package static func parseStatement(
    _ sql: String, allowsExtensions: Bool = true
  ) throws(QueryError) -> StatementSyntax {
    try parseParameterized(sql, allowsExtensions: allowsExtensions).statement
  }

  /// Parses one statement like `parseStatement`, and counts the parameters (`?`) in it.
  package static func parseParameterized(
    _ sql: String, allowsExtensions: Bool
  ) throws(QueryError) -> (statement: StatementSyntax, parameterCount: Int) {
    try parse(sql, as: "statement") { (parser: inout Parser) throws(Failure) in
      parser.allowsExtensions = allowsExtensions
      let statement = try parser.parseStatement()
      while parser.token.kind == .semicolon { parser.advance() }
      return (statement, parser.parameterCount)
    }
  }

  /// Parses one expression.
  ///
  /// - Throws: `SYNTAX_ERROR`, `STACK_OVERFLOW`.
  package static func parseExpression(_ sql: String) throws(QueryError) -> ExpressionSyntax {
    try parse(sql, as: "expression") { (parser: inout Parser) throws(Failure) in try parser.parseExpression() }
  }

  /// Parses one type in Trino's or Hive's spelling.
  ///
  /// - Throws: `SYNTAX_ERROR`, `STACK_OVERFLOW`.
  package static func parseType(_ sql: String) throws(QueryError) -> TypeSyntax {
    try parse(sql, as: "type") { (parser: inout Parser) throws(Failure) in
      parser.allowsBackquotes = true
      return try parser.parseType()
    }
  }

  /// Parses with `body`, and once more with expectations recorded if that fails.
  private static func parse<Tree>(
    _ sql: String, as what: String, _ body: (inout Parser) throws(Failure) -> Tree
  ) throws(QueryError) -> Tree {
    let text = Array(sql.utf8)
    guard text.count < maximumByteCount else {
      throw QueryError(
        .queryTextTooLarge, "Query text length (\(text.count)) exceeds the maximum length (\(maximumByteCount))")
    }
    var tokens = text.withUnsafeBufferPointer { Lexer.tokenize($0, dialect: .trino) }
    let dialect = Lexer.dialect(of: tokens)
    if dialect == .hive { tokens = text.withUnsafeBufferPointer { Lexer.tokenize($0, dialect: .hive) } }
    var parser = Parser(text, tokens, dialect, isRecording: false)
    do throws(Failure) {
      return try parser.run(body)
    } catch {
      if let failure = parser.failure { throw failure }
    }
    parser = Parser(text, tokens, dialect, isRecording: true)
    do throws(Failure) {
      return try parser.run(body)
    } catch {
      throw parser.failure ?? parser.mismatch(what)
    }
  }

  private init(_ text: [UInt8], _ tokens: [Token], _ dialect: Lexer.Dialect, isRecording: Bool) {
    self.text = text
    self.tokens = tokens
    self.dialect = dialect
    self.isRecording = isRecording
    self.parentheses = Parser.pairParentheses(tokens)
    self.allowsBackquotes = dialect == .hive
  }

  private mutating func run<Tree>(_ body: (inout Parser) throws(Failure) -> Tree) throws(Failure) -> Tree {
    let tree = try body(&self)
    try expect(.endOfText)
    return tree
  }

  private func mismatch(_ what: String) -> QueryError {
    let token = tokens[furthestIndex]
    let written = token.kind == .endOfText ? "<EOF>" : string(of: token)
    let names = expected.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.joined(separator: ", ")
    return QueryError(
      .syntaxError, "mismatched input '\(written)'" + (names.isEmpty ? "" : ". Expecting: \(names)"), at: token.range,
      hint: hint(for: token, written))
  }

  /// What the user most likely meant: an expected word that is spelled alike, or a quote that closes.
  private func hint(for token: Token, _ written: String) -> String? {
    if token.kind == .unrecognized, written == "'" || written == "\"" || written == "`" {
      return "The quote that starts here is never closed."
    }
    // In `FROM t WERE a = 1` the misspelt word has passed for an alias, and the error comes one word later.
    if furthestIndex > 0, tokens[furthestIndex - 1].kind == .word, tokens[furthestIndex - 1].keyword == nil {
      let before = string(of: tokens[furthestIndex - 1])
      let clauses = ["FROM", "GROUP", "HAVING", "JOIN", "LEFT", "LIMIT", "OFFSET", "ORDER", "UNION", "WHERE"]
      if before.utf8.count > 3, let word = NameSuggestion.nearest(to: before, among: clauses) {
        return "Did you mean '\(word)' instead of '\(before)'?"
      }
    }
    guard token.kind == .word, written.utf8.count > 2 else { return nil }
    var candidates = expected.filter { $0.hasPrefix("'") }.map { String($0.dropFirst().dropLast()) }
    if expected.contains("<query>") { candidates += ["SELECT", "WITH", "VALUES"] }
    let words = candidates.filter { $0.utf8.count > 1 }.sorted()
    return NameSuggestion.hint(for: written, among: words)
  }

  /// Finds each parenthesis' partner, and which ones open a query.
  ///
  /// `((SELECT 1) UNION …)` opens a query at its outer parenthesis, `((SELECT 1) + 1)` does not.
  private static func pairParentheses(_ tokens: [Token]) -> [Int32] {
    var pairs = [Int32](repeating: 0, count: tokens.count)
    var open: [Int] = []
    for (position, token) in tokens.enumerated() {
      if token.kind == .leftParenthesis {
        open.append(position)
        pairs[position] = Int32(truncatingIfNeeded: tokens.count - 1)
      } else if token.kind == .rightParenthesis, let start = open.popLast() {
        pairs[start] = Int32(truncatingIfNeeded: position)
      }
    }
    var position = tokens.count - 1
    while position >= 0 {
      if tokens[position].kind == .leftParenthesis {
        let inner = tokens[position + 1]
        var isQuery = false
        if inner.kind == .leftParenthesis, pairs[position + 1] < 0 {
          let after = tokens[min(Int(-pairs[position + 1]), tokens.count - 1)]
          switch after.keyword {
          case .union, .except, .intersect, .order, .limit, .offset, .fetch: isQuery = true
          default: isQuery = after.kind == .rightParenthesis
          }
        } else {
          switch inner.keyword {
          case .select, .values, .with: isQuery = true
          case .table: isQuery = tokens[min(position + 2, tokens.count - 1)].kind != .leftParenthesis
          default: break
          }
        }
        if isQuery { pairs[position] = -pairs[position] - 1 }
      }
      position -= 1
    }
    return pairs
  }
}

// MARK: - Reading tokens

extension Parser {
  var token: Token { @inline(__always) get { tokens[index] } }

  /// The token `distance` after the next one; the end token beyond the end.
  func peek(_ distance: Int) -> Token { tokens[min(index + distance, tokens.count - 1)] }

  /// Whether the next token is a `(` behind which a query starts.
  var isAtQueryParenthesis: Bool { token.kind == .leftParenthesis && parentheses[index] < 0 }

  /// Whether the `(` at `position` opens a query.
  func opensQuery(_ position: Int) -> Bool { tokens[position].kind == .leftParenthesis && parentheses[position] < 0 }

  /// The index of the `)` that closes the `(` at `position`; the end token's index when none does.
  func closing(_ position: Int) -> Int {
    let pair = parentheses[position]
    return Int(pair < 0 ? -pair - 1 : pair)
  }

  mutating func advance() { if index < tokens.count - 1 { index += 1 } }

  /// Whether the next token is the sign; if not, the sign was expected.
  mutating func isAt(_ kind: TokenKind) -> Bool {
    if token.kind == kind { return true }
    if isRecording { recordMissing(kind) }
    return false
  }

  /// Whether the next token is the keyword; if not, the keyword was expected.
  mutating func isAt(_ keyword: Keyword) -> Bool {
    if token.keyword == keyword { return true }
    if isRecording { recordMissing(keyword) }
    return false
  }

  mutating func accept(_ kind: TokenKind) -> Bool {
    guard isAt(kind) else { return false }
    advance()
    return true
  }

  mutating func accept(_ keyword: Keyword) -> Bool {
    guard isAt(keyword) else { return false }
    advance()
    return true
  }

  mutating func expect(_ kind: TokenKind) throws(Failure) {
    guard accept(kind) else { throw Failure() }
  }

  mutating func expect(_ keyword: Keyword) throws(Failure) {
    guard accept(keyword) else { throw Failure() }
  }

  mutating func expect(_ first: Keyword, _ second: Keyword) throws(Failure) {
    try expect(first)
    try expect(second)
  }

  /// Takes two keywords if both are next.
  mutating func accept(_ first: Keyword, _ second: Keyword) -> Bool {
    guard isAt(first), peek(1).keyword == second else { return false }
    index += 2
    return true
  }

  /// The range from the token at `start` up to the last one taken.
  @inline(never)
  func range(from start: Int) -> SourceRange {
    SourceRange(start: tokens[start].start, end: tokens[max(index - 1, start)].end)
  }

  func string(of token: Token) -> String {
    String(decoding: text[Int(token.startOffset)..<Int(token.endOffset)], as: UTF8.self)
  }

  /// Parses `element, element, …`.
  mutating func parseList<Element>(
    _ element: (inout Parser) throws(Failure) -> Element
  ) throws(Failure) -> [Element] {
    var list = [try element(&self)]
    while accept(.comma) { list.append(try element(&self)) }
    return list
  }

  /// Parses `(element, element, …)`.
  mutating func parseParenthesizedList<Element>(
    _ element: (inout Parser) throws(Failure) -> Element
  ) throws(Failure) -> [Element] {
    try expect(.leftParenthesis)
    let list = try parseList(element)
    try expect(.rightParenthesis)
    return list
  }
}

// MARK: - Failing

extension Parser {
  /// Notes what would have fitted in place of the next token.
  @inline(never)
  mutating func record(_ name: String) {
    guard isRecording, index >= furthestIndex, index != suppressedIndex else { return }
    if index > furthestIndex {
      furthestIndex = index
      expected.removeAll()
    }
    expected.insert(name)
  }

  @inline(never)
  private mutating func recordMissing(_ kind: TokenKind) {
    record(kind == .endOfText ? "<EOF>" : "'\(kind.symbol ?? "")'")
  }

  @inline(never)
  private mutating func recordMissing(_ keyword: Keyword) { record("'\(keyword.rawValue)'") }

  /// Starts a rule that messages call by its name; tokens expected at its start are not listed one by one.
  @inline(never)
  mutating func beginRule(_ name: String) -> Int {
    guard isRecording else { return -1 }
    record(name)
    let saved = suppressedIndex
    suppressedIndex = index
    return saved
  }

  mutating func endRule(_ saved: Int) { suppressedIndex = saved }

  /// Fails with a message of its own.
  @inline(never)
  mutating func fail(_ message: String, at range: SourceRange) -> Failure {
    failure = QueryError(.syntaxError, message, at: range)
    return Failure()
  }

  /// Fails because the statement that starts at `start` exists in Athena or Trino but not here.
  @inline(never)
  mutating func failNotSupported(_ what: String, at range: SourceRange) -> Failure {
    failure = .notSupported("\(what) is not supported", at: range)
    return Failure()
  }

  /// Goes one level deeper, or several.
  mutating func enter(_ weight: Int = 1) throws(Failure) {
    depth += weight
    try checkDepth(0)
  }

  mutating func leave(_ weight: Int = 1) { depth -= weight }

  /// Fails when `extra` levels more than now would be too deep.
  mutating func checkDepth(_ extra: Int) throws(Failure) {
    if depth + extra > Parser.freeDepth { try checkStack(extra) }
  }

  @inline(never)
  private mutating func checkStack(_ extra: Int) throws(Failure) {
    if stackGuard == nil { stackGuard = StackGuard() }
    if depth + extra > Parser.maximumDepth || (stackGuard?.remainingByteCount ?? 0) < Parser.stackReserve {
      failure = QueryError(
        .stackOverflow, "statement is too large (stack overflow while parsing)", at: token.range,
        hint: "Nest parentheses and subqueries less deeply.")
      throw Failure()
    }
  }
}
