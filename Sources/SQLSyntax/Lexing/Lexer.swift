import QueryErrors

/// Cuts SQL text into tokens.
///
/// Comments (`-- …` to the line's end, `/* … */` without nesting) and white space leave no token. An unterminated quote
/// becomes an `.unrecognized` token of one character, as in Trino, so that the parser reports it where it stands; it is the
/// last token before the end.
///
/// - Source: Trino `SqlBase.g4`, lexer rules; Hive `HiveLexer.g` for strings in Hive's statements.
struct Lexer {
  /// Whose rules strings follow.
  enum Dialect: Sendable {
    /// `'it''s'`; double quotes delimit names.
    case trino
    /// A backslash escapes the next character, in single and in double quotes; both delimit strings.
    case hive
  }

  private let text: UnsafeBufferPointer<UInt8>
  private let dialect: Dialect
  private var offset: Int
  private var line: Int32
  /// Where the current line would start if every scalar before `offset` took one byte.
  private var columnBase: Int
  /// Whether a comment was seen that never closes; no later one can close either.
  private var isCommentOpen = false
  /// Whether a quote was seen that never closes; the text beyond it cannot be told apart.
  private var isQuoteOpen = false

  /// - Units: `start.offset` in bytes of `text`.
  init(_ text: UnsafeBufferPointer<UInt8>, dialect: Dialect, from start: SourcePosition) {
    self.text = text
    self.dialect = dialect
    self.offset = start.offset
    self.line = Int32(truncatingIfNeeded: start.line)
    self.columnBase = start.offset - (start.column - 1)
  }

  /// The position of the next byte to read.
  var position: SourcePosition {
    SourcePosition(offset: offset, line: Int(line), column: offset - columnBase + 1)
  }

  /// Every token up to the end of the text, the `.end` token included.
  static func tokenize(_ text: UnsafeBufferPointer<UInt8>, dialect: Dialect) -> [Token] {
    var start = SourcePosition(offset: 0, line: 1, column: 1)
    if text.count >= 3, text[0] == 0xEF, text[1] == 0xBB, text[2] == 0xBF { start.offset = 3 }
    var lexer = Lexer(text, dialect: dialect, from: start)
    var tokens: [Token] = []
    tokens.reserveCapacity(text.count / 5 + 4)
    while true {
      let token = lexer.next()
      tokens.append(token)
      if token.kind == .endOfText { return tokens }
    }
  }

  /// The next token; `.end` at the end of the text, again and again.
  mutating func next() -> Token {
    skipBlanks()
    var token = Token(
      kind: .endOfText, keyword: nil, startOffset: Int32(truncatingIfNeeded: offset), startLine: line,
      startColumn: Int32(truncatingIfNeeded: offset - columnBase + 1), endOffset: 0, endLine: 0, endColumn: 0)
    if offset < text.count, !isQuoteOpen {
      let first = text[offset]
      if Lexer.isWordStart(first) {
        scanWord(&token, first)
      } else if Lexer.isDigit(first) || (first == UInt8(ascii: ".") && Lexer.isDigit(peek(1))) {
        scanNumber(&token)
      } else {
        token.kind = scanSign(first)
      }
    }
    token.endOffset = Int32(truncatingIfNeeded: offset)
    token.endLine = line
    token.endColumn = Int32(truncatingIfNeeded: offset - columnBase + 1)
    return token
  }

  // MARK: Pieces

  @inline(__always)
  private func peek(_ distance: Int) -> UInt8 {
    let index = offset &+ distance
    return index < text.count ? text[index] : 0
  }

  @inline(__always)
  private static func isWordStart(_ byte: UInt8) -> Bool {
    (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A || byte == 0x5F
  }

  @inline(__always)
  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  @inline(__always)
  private static func isWordPart(_ byte: UInt8) -> Bool { isWordStart(byte) || isDigit(byte) }

  /// Passes one byte, keeping lines and columns.
  @inline(__always)
  private mutating func advance() {
    let byte = text[offset]
    offset &+= 1
    if byte == 0x0A {
      line &+= 1
      columnBase = offset
    } else if byte & 0xC0 == 0x80 {
      columnBase &+= 1
    }
  }

  private mutating func skipBlanks() {
    while offset < text.count {
      switch text[offset] {
      case 0x20, 0x09, 0x0A, 0x0B, 0x0C, 0x0D: advance()
      case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"):
        while offset < text.count, text[offset] != 0x0A { advance() }
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"):
        guard !isCommentOpen, let end = endOfBracketedComment() else {
          isCommentOpen = true
          return
        }
        while offset < end { advance() }
      default: return
      }
    }
  }

  /// The offset after `*/`, or nil when there is none.
  private func endOfBracketedComment() -> Int? {
    var index = offset + 2
    while index + 1 < text.count {
      if text[index] == UInt8(ascii: "*"), text[index + 1] == UInt8(ascii: "/") { return index + 2 }
      index += 1
    }
    return nil
  }

  private mutating func scanWord(_ token: inout Token, _ first: UInt8) {
    if peek(1) == UInt8(ascii: "'"), first | 0x20 == UInt8(ascii: "x") {
      offset += 1
      if let end = endOfQuote(at: offset, allowsDoubling: false) {
        token.kind = .binary
        while offset < end { advance() }
        return
      }
      offset -= 1
    } else if first | 0x20 == UInt8(ascii: "u"), peek(1) == UInt8(ascii: "&"), peek(2) == UInt8(ascii: "'") {
      offset += 2
      if let end = endOfQuote(at: offset, allowsDoubling: true) {
        token.kind = .unicodeString
        while offset < end { advance() }
        return
      }
      offset -= 2
    }
    let start = offset
    offset += 1
    while offset < text.count, Lexer.isWordPart(text[offset]) { offset &+= 1 }
    token.kind = .word
    token.keyword = Keyword.lookUp(UnsafeBufferPointer(rebasing: text[start..<offset]))
  }

  /// Takes the longest of: integer, decimal, double, name that starts with a digit.
  private mutating func scanNumber(_ token: inout Token) {
    var wordEnd = offset
    while wordEnd < text.count, Lexer.isWordPart(text[wordEnd]) { wordEnd += 1 }

    var end = offset
    token.kind = .integer
    if text[offset] == 0x30, let radixEnd = endOfRadixInteger() {
      end = radixEnd
    } else {
      end = endOfDigits(from: offset)
      if end < text.count, text[end] == UInt8(ascii: ".") {
        token.kind = .decimal
        end = endOfDigits(from: end + 1)
      }
      if end < text.count, text[end] | 0x20 == UInt8(ascii: "e") {
        var exponent = end + 1
        if exponent < text.count, text[exponent] == UInt8(ascii: "+") || text[exponent] == UInt8(ascii: "-") {
          exponent += 1
        }
        if exponent < text.count, Lexer.isDigit(text[exponent]) {
          while exponent < text.count, Lexer.isDigit(text[exponent]) { exponent += 1 }
          token.kind = .double
          end = exponent
        }
      }
    }
    if wordEnd > end {
      token.kind = .digitIdentifier
      end = wordEnd
    }
    offset = end
  }

  /// The end of `DIGIT ('_'? DIGIT)*`.
  private func endOfDigits(from start: Int) -> Int {
    var index = start
    while index < text.count {
      if Lexer.isDigit(text[index]) {
        index += 1
      } else if text[index] == 0x5F, index > start, index + 1 < text.count, Lexer.isDigit(text[index + 1]) {
        index += 1
      } else {
        break
      }
    }
    return index
  }

  /// The end of `0xFF`, `0o17`, `0b01`, or nil.
  private func endOfRadixInteger() -> Int? {
    let mark = peek(1) | 0x20
    func isRadixDigit(_ byte: UInt8) -> Bool {
      switch mark {
      case UInt8(ascii: "x"): Lexer.isDigit(byte) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66)
      case UInt8(ascii: "o"): byte >= 0x30 && byte <= 0x37
      case UInt8(ascii: "b"): byte == 0x30 || byte == 0x31
      default: false
      }
    }
    var index = offset + 2
    while index < text.count {
      if isRadixDigit(text[index]) {
        index += 1
      } else if text[index] == 0x5F, index + 1 < text.count, isRadixDigit(text[index + 1]) {
        index += 2
      } else {
        break
      }
    }
    return index > offset + 2 ? index : nil
  }

  /// The offset after the quote that closes the one at `start`, or nil when it never closes.
  private func endOfQuote(at start: Int, allowsDoubling: Bool) -> Int? {
    let quote = text[start]
    let escapes = dialect == .hive && quote != UInt8(ascii: "`")
    var index = start + 1
    while index < text.count {
      let byte = text[index]
      if escapes, byte == UInt8(ascii: "\\") {
        index += 2
      } else if byte == quote {
        if allowsDoubling, index + 1 < text.count, text[index + 1] == quote {
          index += 2
        } else {
          return index + 1
        }
      } else {
        index += 1
      }
    }
    return nil
  }

  private mutating func scanSign(_ first: UInt8) -> TokenKind {
    switch first {
    case UInt8(ascii: "'"): return scanQuoted(.string)
    case UInt8(ascii: "\""): return scanQuoted(.quotedIdentifier)
    case UInt8(ascii: "`"): return scanQuoted(.backquotedIdentifier)
    case UInt8(ascii: "="): return take(UInt8(ascii: ">"), .doubleArrow, or: .equal)
    case UInt8(ascii: "!"): return take(UInt8(ascii: "="), .notEqual, or: .unrecognized)
    case UInt8(ascii: "<"):
      if peek(1) == UInt8(ascii: "=") { return take(2, .lessThanOrEqual) }
      return take(UInt8(ascii: ">"), .notEqual, or: .lessThan)
    case UInt8(ascii: ">"): return take(UInt8(ascii: "="), .greaterThanOrEqual, or: .greaterThan)
    case UInt8(ascii: "+"): return take(1, .plus)
    case UInt8(ascii: "-"):
      if peek(1) == UInt8(ascii: "}") { return take(2, .minusRightBrace) }
      return take(UInt8(ascii: ">"), .arrow, or: .minus)
    case UInt8(ascii: "*"): return take(1, .asterisk)
    case UInt8(ascii: "/"): return take(1, .slash)
    case UInt8(ascii: "%"): return take(1, .percent)
    case UInt8(ascii: "|"): return take(UInt8(ascii: "|"), .concatenation, or: .verticalBar)
    case UInt8(ascii: "?"): return take(1, .questionMark)
    case UInt8(ascii: ";"): return take(1, .semicolon)
    case UInt8(ascii: ":"): return take(1, .colon)
    case UInt8(ascii: ","): return take(1, .comma)
    case UInt8(ascii: "."): return take(1, .dot)
    case UInt8(ascii: "("): return take(1, .leftParenthesis)
    case UInt8(ascii: ")"): return take(1, .rightParenthesis)
    case UInt8(ascii: "["): return take(1, .leftBracket)
    case UInt8(ascii: "]"): return take(1, .rightBracket)
    case UInt8(ascii: "{"): return take(UInt8(ascii: "-"), .leftBraceMinus, or: .leftBrace)
    case UInt8(ascii: "}"): return take(1, .rightBrace)
    case UInt8(ascii: "^"): return take(1, .caret)
    case UInt8(ascii: "$"): return take(1, .dollar)
    default:
      advance()
      while offset < text.count, text[offset] & 0xC0 == 0x80 { advance() }
      return .unrecognized
    }
  }

  private mutating func take(_ count: Int, _ kind: TokenKind) -> TokenKind {
    offset += count
    return kind
  }

  private mutating func take(_ second: UInt8, _ kind: TokenKind, or single: TokenKind) -> TokenKind {
    take(peek(1) == second ? 2 : 1, peek(1) == second ? kind : single)
  }

  private mutating func scanQuoted(_ kind: TokenKind) -> TokenKind {
    guard let end = endOfQuote(at: offset, allowsDoubling: true) else {
      isQuoteOpen = true
      return take(1, .unrecognized)
    }
    while offset < end { advance() }
    return kind
  }
}

extension Lexer {
  /// Whose rules a statement's strings follow, judged by its tokens as Trino reads them.
  ///
  /// Hive's statements are those that Athena gives to Hive's parser: ALTER TABLE, CREATE EXTERNAL TABLE, CREATE TABLE
  /// that is no CREATE TABLE AS, and CREATE or ALTER of a database.
  ///
  /// - Shape: `tokens` start at the statement's first word.
  static func dialect(of tokens: some Collection<Token>) -> Dialect {
    var words = tokens.prefix(2).makeIterator()
    guard let first = words.next()?.keyword, let second = words.next()?.keyword else { return .trino }
    switch (first, second) {
    case (.create, .external), (.create, .database), (.create, .schema), (.alter, .table), (.alter, .database),
      (.alter, .schema):
      return .hive
    case (.create, .table):
      var previous: Keyword?
      for token in tokens {
        if token.kind == .semicolon { break }
        if token.keyword == .as, previous != .stored, previous != .defined { return .trino }
        previous = token.keyword
      }
      return .hive
    default:
      return .trino
    }
  }
}
