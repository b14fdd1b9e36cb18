package import QueryErrors

/// The words of a statement, told from its strings and comments without parsing it.
package enum StatementWords {
  /// Keywords and names that stand outside of quotes, in lower case.
  package static func words(of sql: String) -> Set<String> {
    var words: Set<String> = []
    forEachToken(sql) { token, text in if token.kind == .word { words.insert(text.lowercased()) } }
    return words
  }

  /// Names with a parenthesis behind, in lower case, and where they stand.
  package static func calls(in sql: String) -> [(name: String, range: SourceRange)] {
    var found: [(name: String, range: SourceRange)] = []
    var last: (name: String, range: SourceRange)?
    forEachToken(sql) { token, text in
      if token.kind == .leftParenthesis, let last { found.append(last) }
      switch token.kind {
      case .word: last = (text.lowercased(), token.range)
      case .quotedIdentifier: last = (String(text.lowercased().dropFirst().dropLast()), token.range)
      default: last = nil
      }
    }
    return found
  }

  /// The statement with `?` for its literals, blanks and comments gone and words in lower case: what statements that differ in
  /// their values only have in common.
  ///
  ///     SELECT * FROM t WHERE id IN (1, 2) AND d > DATE '2024-01-01'  →  select * from t where id in (?) and d > date ?
  package static func shape(of sql: String) -> String {
    var parts: [String] = []
    forEachToken(sql) { token, text in
      switch token.kind {
      case .word: parts.append(text.lowercased())
      case .string, .unicodeString, .binary, .integer, .decimal, .double, .questionMark:
        // A file in FROM is what the statement is about.
        let isPath = token.kind == .string && ["from", "join", ","].contains(parts.last ?? "") && text.contains(where: { $0 == "/" || $0 == "." })
        if isPath {
          parts.append(text)
        } else if parts.count > 1, parts[parts.count - 1] == ",", parts[parts.count - 2] == "?" {
          // One of several values.
          parts.removeLast()
        } else {
          parts.append("?")
        }
      case .semicolon: break
      default: parts.append(text)
      }
    }
    var result = ""
    var previous = ""
    for part in parts {
      let joins = result.isEmpty || [",", ")", "]", "."].contains(part) || ["(", "[", "."].contains(previous)
      result += (joins ? "" : " ") + part
      previous = part
    }
    return result
  }

  private static func forEachToken(_ sql: String, _ body: (Token, String) -> Void) {
    var sql = sql
    sql.withUTF8 { bytes in
      var lexer = Lexer(bytes, dialect: .trino, from: SourcePosition(offset: 0, line: 1, column: 1))
      while true {
        let token = lexer.next()
        if token.kind == .endOfText { return }
        body(token, String(decoding: UnsafeBufferPointer(rebasing: bytes[Int(token.startOffset)..<Int(token.endOffset)]), as: UTF8.self))
      }
    }
  }
}
