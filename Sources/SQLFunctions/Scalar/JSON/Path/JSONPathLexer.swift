import QueryErrors

/// One token of a path.
struct JSONPathToken {
  enum Kind: Equatable {
    /// An identifier or keyword; paths have no reserved words.
    case word
    /// `$name`; the text is the name.
    case variable
    /// A string, quotes removed.
    case string
    case integer, decimal, double
    /// `$ @ . .. * [ ] ( ) , ? + - / % ! && || == <> != < > <= >=`
    case symbol
    case end
    case unknown
  }

  var kind: Kind
  var text: String
  /// Characters before the token.
  var offset: Int
}

/// Cuts a path into tokens.
///
/// - Source: Trino `JsonPath.g4`.
struct JSONPathLexer {
  private let characters: [Character]
  private var at = 0

  init(_ text: String) { characters = Array(text) }

  private func peek(_ ahead: Int = 0) -> Character? { at + ahead < characters.count ? characters[at + ahead] : nil }
  private static func isDigit(_ c: Character?) -> Bool { c.map { $0 >= "0" && $0 <= "9" && $0.isASCII } ?? false }
  private static func isLetter(_ c: Character?) -> Bool {
    c.map { $0.isASCII && ($0.isLetter || $0 == "_") } ?? false
  }

  /// All tokens, `.end` last.
  mutating func tokens() -> [JSONPathToken] {
    var tokens: [JSONPathToken] = []
    while true {
      while let c = peek(), c == " " || c == "\t" || c == "\n" || c == "\r" || c == "\r\n" { at += 1 }
      let start = at
      let kind = next()
      if kind == .end {
        tokens.append(JSONPathToken(kind: .end, text: "<EOF>", offset: start))
        return tokens
      }
      var text = String(characters[start..<at])
      if kind == .string {
        text = text.dropFirst().dropLast().split(separator: "\"\"", omittingEmptySubsequences: false)
          .joined(separator: "\"")
      }
      if kind == .variable { text.removeFirst() }
      tokens.append(JSONPathToken(kind: kind, text: text, offset: start))
    }
  }

  private mutating func next() -> JSONPathToken.Kind {
    guard let c = peek() else { return .end }
    if JSONPathLexer.isLetter(c) {
      word()
      return .word
    }
    if JSONPathLexer.isDigit(c) || (c == "." && JSONPathLexer.isDigit(peek(1))) { return number() }
    at += 1
    switch c {
    case "$":
      guard JSONPathLexer.isLetter(peek()) else { return .symbol }
      word()
      return .variable
    case "\"":
      while let c = peek() {
        at += 1
        if c != "\"" { continue }
        if peek() != "\"" { return .string }
        at += 1
      }
      return .unknown
    case "@", "*", "[", "]", "(", ")", ",", "?", "+", "-", "/", "%": return .symbol
    case ".", "&", "|", "=":
      let isDouble = peek() == c
      if isDouble { at += 1 }
      return isDouble || c == "." ? .symbol : .unknown
    case "!", "<", ">":
      if peek() == "=" || (c == "<" && peek() == ">") { at += 1 }
      return .symbol
    default: return .unknown
    }
  }

  private mutating func word() {
    while JSONPathLexer.isLetter(peek()) || JSONPathLexer.isDigit(peek()) { at += 1 }
  }

  private mutating func number() -> JSONPathToken.Kind {
    var kind = JSONPathToken.Kind.integer
    while JSONPathLexer.isDigit(peek()) { at += 1 }
    // Two points begin a descendant accessor.
    if peek() == ".", peek(1) != "." {
      kind = .decimal
      at += 1
      while JSONPathLexer.isDigit(peek()) { at += 1 }
    }
    if peek() == "e" || peek() == "E" {
      let sign = peek(1) == "+" || peek(1) == "-" ? 1 : 0
      if JSONPathLexer.isDigit(peek(1 + sign)) {
        kind = .double
        at += 1 + sign
        while JSONPathLexer.isDigit(peek()) { at += 1 }
      }
    }
    return kind
  }
}
