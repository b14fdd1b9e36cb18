import QueryErrors

/// One word, sign or literal of SQL text, and where it stands.
///
/// - Units: offsets in UTF-8 bytes from 0; lines and columns from 1, columns in Unicode scalars.
struct Token: Sendable {
  var kind: TokenKind
  /// Set when `kind` is `.word` and the word is a keyword.
  var keyword: Keyword?
  var startOffset: Int32
  var startLine: Int32
  var startColumn: Int32
  var endOffset: Int32
  var endLine: Int32
  var endColumn: Int32

  var start: SourcePosition {
    SourcePosition(offset: Int(startOffset), line: Int(startLine), column: Int(startColumn))
  }

  var end: SourcePosition {
    SourcePosition(offset: Int(endOffset), line: Int(endLine), column: Int(endColumn))
  }

  var range: SourceRange { SourceRange(start: start, end: end) }
}

/// What a token is.
enum TokenKind: UInt8, Sendable {
  case endOfText
  /// An unquoted name or keyword.
  case word
  case quotedIdentifier
  case backquotedIdentifier
  /// A name that starts with a digit, which the grammar knows only to refuse.
  case digitIdentifier
  case string
  case unicodeString
  case binary
  case integer
  case decimal
  case double

  case equal, notEqual, lessThan, lessThanOrEqual, greaterThan, greaterThanOrEqual
  case plus, minus, asterisk, slash, percent, concatenation
  case questionMark, semicolon, colon, comma, dot
  case leftParenthesis, rightParenthesis, leftBracket, rightBracket, leftBrace, rightBrace
  /// `{-` and `-}` around an excluded row pattern.
  case leftBraceMinus, minusRightBrace
  case arrow, doubleArrow
  case verticalBar, caret, dollar
  /// A character that starts no token, an unterminated quote among them.
  case unrecognized

  /// The sign as written, for signs.
  var symbol: String? {
    switch self {
    case .equal: "="
    case .notEqual: "<>"
    case .lessThan: "<"
    case .lessThanOrEqual: "<="
    case .greaterThan: ">"
    case .greaterThanOrEqual: ">="
    case .plus: "+"
    case .minus: "-"
    case .asterisk: "*"
    case .slash: "/"
    case .percent: "%"
    case .concatenation: "||"
    case .questionMark: "?"
    case .semicolon: ";"
    case .colon: ":"
    case .comma: ","
    case .dot: "."
    case .leftParenthesis: "("
    case .rightParenthesis: ")"
    case .leftBracket: "["
    case .rightBracket: "]"
    case .leftBrace: "{"
    case .rightBrace: "}"
    case .leftBraceMinus: "{-"
    case .minusRightBrace: "-}"
    case .arrow: "->"
    case .doubleArrow: "=>"
    case .verticalBar: "|"
    case .caret: "^"
    case .dollar: "$"
    default: nil
    }
  }
}
