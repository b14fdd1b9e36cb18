package import QueryErrors

/// One statement of a text with several.
package struct SplitStatement: Hashable, Sendable {
  /// The statement without its `;` and without blanks and comments around it.
  package var text: String
  /// Where it stands in the whole text.
  package var range: SourceRange
  /// Whether a `;` ended it.
  package var isTerminated: Bool
}

/// Splits text into statements at each `;` that stands outside quotes and comments.
package enum StatementSplitter {
  /// The statements of a text; those that are empty or only comments are left out.
  package struct Result: Hashable, Sendable {
    package var statements: [SplitStatement]
    /// Whether the text ends after a `;`, or holds nothing at all: whether a shell may run it all now.
    package var isComplete: Bool
    /// Whether the text ends inside a quote or a bracketed comment.
    package var isInsideQuoteOrComment: Bool
  }

  /// Splits `sql`.
  ///
  /// - Complexity: O(length).
  package static func split(_ sql: String) -> Result {
    var sql = sql
    return sql.withUTF8 { split($0) }
  }

  private static func split(_ text: UnsafeBufferPointer<UInt8>) -> Result {
    var result = Result(statements: [], isComplete: true, isInsideQuoteOrComment: false)
    var position = SourcePosition(offset: 0, line: 1, column: 1)
    if text.count >= 3, text[0] == 0xEF, text[1] == 0xBB, text[2] == 0xBF { position.offset = 3 }
    while true {
      var (tokens, isOpen) = statement(text, from: position, dialect: .trino)
      if Lexer.dialect(of: tokens) == .hive {
        (tokens, isOpen) = statement(text, from: position, dialect: .hive)
      }
      let last = tokens[tokens.count - 1]
      if tokens.count > 1 {
        let range = SourceRange(start: tokens[0].start, end: tokens[tokens.count - 2].end)
        let bytes = UnsafeBufferPointer(rebasing: text[range.start.offset..<range.end.offset])
        result.statements.append(
          SplitStatement(
            text: String(decoding: bytes, as: UTF8.self), range: range, isTerminated: last.kind == .semicolon))
        result.isComplete = last.kind == .semicolon
      }
      if last.kind == .endOfText {
        result.isInsideQuoteOrComment = isOpen
        if isOpen { result.isComplete = false }
        return result
      }
      position = last.end
    }
  }

  /// The tokens up to and including the next `;` or the end, and whether a quote or comment never closed.
  private static func statement(
    _ text: UnsafeBufferPointer<UInt8>, from start: SourcePosition, dialect: Lexer.Dialect
  ) -> (tokens: [Token], isOpen: Bool) {
    var lexer = Lexer(text, dialect: dialect, from: start)
    var tokens: [Token] = []
    while true {
      let before = lexer.position
      var token = lexer.next()
      if isOpening(token, text) {
        // Nothing after an open quote or comment can be told apart: all of it belongs to this statement.
        let end = endPosition(text, from: before)
        token.endOffset = Int32(truncatingIfNeeded: end.offset)
        token.endLine = Int32(truncatingIfNeeded: end.line)
        token.endColumn = Int32(truncatingIfNeeded: end.column)
        tokens.append(token)
        tokens.append(
          Token(
            kind: .endOfText, keyword: nil, startOffset: token.endOffset, startLine: token.endLine,
            startColumn: token.endColumn, endOffset: token.endOffset, endLine: token.endLine,
            endColumn: token.endColumn))
        return (tokens, true)
      }
      tokens.append(token)
      if token.kind == .semicolon || token.kind == .endOfText { return (tokens, false) }
    }
  }

  /// Whether the token is a quote that never closes or the `/` of a comment that never does.
  private static func isOpening(_ token: Token, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let offset = Int(token.startOffset)
    switch token.kind {
    case .unrecognized:
      return text[offset] == UInt8(ascii: "'") || text[offset] == UInt8(ascii: "\"")
        || text[offset] == UInt8(ascii: "`")
    case .slash:
      return offset + 1 < text.count && text[offset + 1] == UInt8(ascii: "*")
    default:
      return false
    }
  }

  private static func endPosition(_ text: UnsafeBufferPointer<UInt8>, from start: SourcePosition) -> SourcePosition {
    var position = start
    while position.offset < text.count {
      let byte = text[position.offset]
      position.offset += 1
      if byte == 0x0A {
        position.line += 1
        position.column = 1
      } else if byte & 0xC0 != 0x80 {
        position.column += 1
      }
    }
    return position
  }
}
