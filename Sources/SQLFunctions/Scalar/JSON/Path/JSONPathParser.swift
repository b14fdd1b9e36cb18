import Columnar
import QueryErrors

/// Parses a SQL/JSON path.
///
/// Paths and predicates share one descent, since both may begin with parentheses; each place then asks for the one it
/// takes.
///
/// - Source: Trino `JsonPath.g4`, `JsonPathAnalyzer`.
struct JSONPathParser {
  /// Steps and operations of one path, so that walking it cannot overflow the stack.
  private static let maxStepCount = 1000

  private let tokens: [JSONPathToken]
  private let parameters: [String]
  private let position: SourceRange?
  private var index = 0
  private var stepCount = 0
  private var patterns: [[UInt8]] = []

  /// A parsed part.
  private enum Part {
    case path(JSONPathNode)
    /// `isDelimited`: in parentheses, or EXISTS.
    case predicate(JSONPathPredicate, isDelimited: Bool)
  }

  init(_ text: String, parameters: [String], at position: SourceRange?) {
    var lexer = JSONPathLexer(text)
    tokens = lexer.tokens()
    self.parameters = parameters
    self.position = position
  }

  // MARK: Tokens

  private var token: JSONPathToken { tokens[index] }
  private func peek(_ ahead: Int) -> JSONPathToken { tokens[min(index + ahead, tokens.count - 1)] }

  private mutating func advance() { if index < tokens.count - 1 { index += 1 } }

  private mutating func accept(_ symbol: String) -> Bool {
    guard token.kind == .symbol, token.text == symbol else { return false }
    advance()
    return true
  }

  private mutating func accept(word: String) -> Bool {
    guard token.kind == .word, token.text == word else { return false }
    advance()
    return true
  }

  private mutating func expect(_ symbol: String) throws(QueryError) {
    guard accept(symbol) else { throw mismatch("'\(symbol)'") }
  }

  private mutating func expect(word: String) throws(QueryError) {
    guard accept(word: word) else { throw mismatch("'\(word)'") }
  }

  private func mismatch(_ expected: String) -> QueryError {
    let token = token
    let shown = token.kind == .end ? "<EOF>" : token.kind == .variable ? "'$\(token.text)'" : "'\(token.text)'"
    return syntaxError("mismatched input \(shown) expecting \(expected)", token)
  }

  private func syntaxError(_ message: String, _ token: JSONPathToken) -> QueryError {
    guard let position else { return QueryError(.syntaxError, message) }
    // One more for the opening quote.
    var start = position.start
    start.column += 1 + token.offset
    start.offset += 1 + token.offset
    var end = start
    end.column += 1
    end.offset += 1
    return QueryError(.syntaxError, message, at: SourceRange(start: start, end: end))
  }

  private func invalid(_ message: String) -> QueryError { QueryError(.invalidPath, message, at: position) }

  private mutating func countStep() throws(QueryError) {
    stepCount += 1
    guard stepCount <= JSONPathParser.maxStepCount else {
      throw invalid("JSON path has more than \(JSONPathParser.maxStepCount) steps")
    }
  }

  // MARK: Path

  mutating func parse() throws(QueryError) -> JSONPathExpression {
    let isLax: Bool
    if accept(word: "lax") {
      isLax = true
    } else if accept(word: "strict") {
      isLax = false
    } else {
      throw mismatch("{'lax', 'strict'}")
    }
    let root = try path(try additive())
    guard token.kind == .end else { throw mismatch("<EOF>") }
    var checker = JSONPathTypeChecker(position)
    _ = try checker.type(of: root)
    return JSONPathExpression(isLax: isLax, root: root, patterns: patterns)
  }

  private func path(_ part: Part) throws(QueryError) -> JSONPathNode {
    if case .path(let node) = part { return node }
    throw mismatch("a JSON path; a predicate stands in '? ( … )' only")
  }

  private func predicate(_ part: Part) throws(QueryError) -> JSONPathPredicate {
    if case .predicate(let predicate, _) = part { return predicate }
    throw mismatch("a comparison")
  }

  private mutating func additive() throws(QueryError) -> Part {
    var left = try multiplicative()
    while token.kind == .symbol, let op = JSONPathNode.Operator(rawValue: token.text), op == .add || op == .subtract {
      let base = try path(left)
      advance()
      try countStep()
      left = .path(.arithmetic(base, op, try path(try multiplicative())))
    }
    return left
  }

  private mutating func multiplicative() throws(QueryError) -> Part {
    var left = try unary()
    while token.kind == .symbol, let op = JSONPathNode.Operator(rawValue: token.text), op != .add, op != .subtract {
      let base = try path(left)
      advance()
      try countStep()
      left = .path(.arithmetic(base, op, try path(try unary())))
    }
    return left
  }

  private mutating func unary() throws(QueryError) -> Part {
    guard token.kind == .symbol, token.text == "-" || token.text == "+" else { return try accessors() }
    let isMinus = token.text == "-"
    switch peek(1).kind {
    // The minus of a number belongs to the literal.
    case .integer, .decimal, .double: if isMinus { return try accessors() }
    default: break
    }
    advance()
    try countStep()
    return .path(.sign(try path(try unary()), isMinus: isMinus))
  }

  private mutating func accessors() throws(QueryError) -> Part {
    let first = try primary()
    guard case .path(var node) = first else { return first }
    while token.kind == .symbol {
      switch token.text {
      case ".": node = try member(node)
      case "..":
        advance()
        node = .descendants(node, key: try key())
      case "[": node = try elements(node)
      case "?":
        advance()
        try expect("(")
        node = .filter(node, try predicate(try disjunction()))
        try expect(")")
      default:
        return .path(node)
      }
      try countStep()
    }
    return .path(node)
  }

  private mutating func key() throws(QueryError) -> [UInt8] {
    guard token.kind == .word || token.kind == .string else { throw mismatch("a member's name") }
    let key = Array(token.text.utf8)
    advance()
    return key
  }

  private mutating func member(_ base: JSONPathNode) throws(QueryError) -> JSONPathNode {
    advance()
    if accept("*") { return .member(base, key: nil) }
    if token.kind == .word, peek(1).kind == .symbol, peek(1).text == "(" {
      if let method = JSONPathNode.Method(rawValue: token.text) {
        advance()
        advance()
        try expect(")")
        return .method(base, method)
      }
      if accept(word: "datetime") {
        try expect("(")
        var template: JSONDatetimeTemplate?
        if token.kind == .string {
          do { template = try JSONDatetimeTemplate(token.text) } catch {
            throw invalid("invalid datetime() format template in JSON path: \(error.message)")
          }
          advance()
        }
        try expect(")")
        return .datetime(base, template: template)
      }
    }
    return .member(base, key: try key())
  }

  private mutating func elements(_ base: JSONPathNode) throws(QueryError) -> JSONPathNode {
    advance()
    if token.kind == .symbol, token.text == "*", peek(1).text == "]" {
      advance()
      advance()
      return .elements(base, [])
    }
    var subscripts: [JSONPathNode.Subscript] = []
    repeat {
      let from = try path(try additive())
      let to = accept(word: "to") ? try path(try additive()) : nil
      subscripts.append(.init(from: from, to: to))
    } while accept(",")
    try expect("]")
    return .elements(base, subscripts)
  }

  private mutating func primary() throws(QueryError) -> Part {
    let token = token
    switch token.kind {
    case .integer, .decimal, .double: return .path(try number(isNegative: false))
    case .string:
      advance()
      return .path(
        .literal(.string(token.text), .varchar(length: token.text.unicodeScalars.count)))
    case .variable:
      advance()
      return .path(try variable(token.text))
    case .word:
      switch token.text {
      case "true", "false":
        advance()
        return .path(.literal(.boolean(token.text == "true"), .boolean))
      case "null":
        advance()
        return .path(.null)
      case "last":
        advance()
        return .path(.last)
      case "exists" where peek(1).text == "(":
        advance()
        advance()
        let operand = try path(try additive())
        try expect(")")
        return .predicate(.exists(operand), isDelimited: true)
      default: throw mismatch("a JSON path")
      }
    case .symbol:
      switch token.text {
      case "$":
        advance()
        return .path(.context)
      case "@":
        advance()
        return .path(.current)
      case "-":
        advance()
        return .path(try number(isNegative: true))
      case "(":
        advance()
        try countStep()
        let inner = try disjunction()
        try expect(")")
        if case .predicate(let predicate, _) = inner { return .predicate(predicate, isDelimited: true) }
        return inner
      default: throw mismatch("a JSON path")
      }
    case .end, .unknown: throw mismatch("a JSON path")
    }
  }

  private mutating func number(isNegative: Bool) throws(QueryError) -> JSONPathNode {
    let token = token
    let text = (isNegative ? "-" : "") + token.text
    advance()
    switch token.kind {
    case .integer:
      guard let value = Int64(text) else { throw invalid("Invalid numeric literal: \(text)") }
      return .literal(.integer(value), Int32(exactly: value) == nil ? .bigint : .integer)
    case .decimal:
      guard let literal = LiteralValues.decimal(text) else { throw invalid("Invalid DECIMAL literal: \(text)") }
      return .literal(literal.value, literal.type)
    default:
      guard let value = Double(text) else { throw invalid("Invalid numeric literal: \(text)") }
      return .literal(.double(value), .double)
    }
  }

  private func variable(_ name: String) throws(QueryError) -> JSONPathNode {
    if let index = parameters.firstIndex(of: name) { return .variable(index) }
    if parameters.contains(where: { $0.lowercased() == name.lowercased() }) {
      throw invalid(
        "no value passed for parameter \(name). Try quoting \"\(name)\" in the PASSING clause to match case")
    }
    throw invalid("no value passed for parameter \(name)")
  }

  // MARK: Predicates

  private mutating func disjunction() throws(QueryError) -> Part {
    var left = try conjunction()
    while token.kind == .symbol, token.text == "||" {
      let first = try predicate(left)
      advance()
      try countStep()
      left = .predicate(.or(first, try predicate(try conjunction())), isDelimited: false)
    }
    return left
  }

  private mutating func conjunction() throws(QueryError) -> Part {
    var left = try negation()
    while token.kind == .symbol, token.text == "&&" {
      let first = try predicate(left)
      advance()
      try countStep()
      left = .predicate(.and(first, try predicate(try negation())), isDelimited: false)
    }
    return left
  }

  private mutating func negation() throws(QueryError) -> Part {
    guard accept("!") else { return try relation() }
    guard case .predicate(let predicate, isDelimited: true) = try primary() else { throw mismatch("'exists' or '('") }
    return .predicate(.not(predicate), isDelimited: false)
  }

  private mutating func relation() throws(QueryError) -> Part {
    let left = try additive()
    if case .predicate(let predicate, isDelimited: true) = left, token.kind == .word, token.text == "is" {
      advance()
      try expect(word: "unknown")
      return .predicate(.isUnknown(predicate), isDelimited: false)
    }
    guard case .path(let base) = left else { return left }
    if token.kind == .symbol {
      let text = token.text == "<>" ? "!=" : token.text
      guard let comparison = JSONPathPredicate.Comparison(rawValue: text) else { return left }
      advance()
      return .predicate(.comparison(base, comparison, try path(try additive())), isDelimited: false)
    }
    if accept(word: "starts") {
      try expect(word: "with")
      let prefix = token
      guard prefix.kind == .string || prefix.kind == .variable else { throw mismatch("a string or a variable") }
      return .predicate(.startsWith(base, prefix: try path(try primary())), isDelimited: false)
    }
    if accept(word: "like_regex") { return .predicate(try likeRegex(base), isDelimited: false) }
    return left
  }

  private mutating func likeRegex(_ base: JSONPathNode) throws(QueryError) -> JSONPathPredicate {
    guard token.kind == .string else { throw mismatch("a pattern") }
    let pattern = token.text
    advance()
    var flags = ""
    if accept(word: "flag") {
      guard token.kind == .string else { throw mismatch("flags") }
      flags = token.text
      advance()
    }
    let compiled = try JSONPathPattern.translate(pattern, flags: flags, at: position)
    patterns.append(compiled)
    return .likeRegex(base, pattern: patterns.count - 1)
  }
}
