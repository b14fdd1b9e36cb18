import QueryErrors

/// Finds `?` and `:name` outside of quotes and comments.
package enum ParameterPlaces {
  package struct Place: Hashable, Sendable {
    /// Of the `?` or the `:`, in UTF-8 bytes.
    package var offset: Int
    /// Nil for `?`.
    package var name: String?
  }

  /// The places in order. A colon belongs to a name only when the name follows at once and no word, number or closing
  /// bracket stands right before it, as in `JSON_OBJECT('a':1)`.
  ///
  /// - Complexity: O(length).
  package static func find(in sql: String) -> [Place] {
    var sql = sql
    return sql.withUTF8 { text in
      var lexer = Lexer(text, dialect: .trino, from: SourcePosition(offset: 0, line: 1, column: 1))
      var places: [Place] = []
      var colon: Int?
      while true {
        let token = lexer.next()
        let start = Int(token.startOffset)
        let end = Int(token.endOffset)
        if token.kind == .endOfText { return places }
        if let at = colon, start == at + 1, isWord(text[start]) {
          places.append(
            Place(offset: at, name: String(decoding: UnsafeBufferPointer(rebasing: text[start..<end]), as: UTF8.self)))
        }
        colon = nil
        if end - start == 1, text[start] == UInt8(ascii: "?") {
          places.append(Place(offset: start, name: nil))
        } else if end - start == 1, text[start] == UInt8(ascii: ":") {
          colon = start
        }
      }
    }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a || byte == 0x5f
  }
}
