/// Statements as records may keep them.
package enum SecretText {
  package static let mask = "***"

  /// The text, with every value masked that CREATE CATALOG gives and that is not known to be public.
  ///
  /// Goes by the words alone, so that a statement with a mistake in it is masked, too.
  package static func masked(_ sql: String, publicProperties: Set<String>) -> String {
    guard sql.utf8.count >= 14, mentionsCatalog(sql) else { return sql }
    let bytes = Array(sql.utf8)
    let tokens = bytes.withUnsafeBufferPointer { Lexer.tokenize($0, dialect: .trino) }
    func text(_ token: Token) -> String {
      String(decoding: bytes[Int(token.startOffset)..<Int(token.endOffset)], as: UTF8.self)
    }
    let creates = zip(tokens, tokens.dropFirst()).contains { $0.keyword == .create && $1.keyword == .catalog }
    var result: [UInt8] = []
    var end = 0
    for (index, token) in tokens.enumerated() where token.kind == .string || token.kind == .unrecognized {
      // The value of `name = '…'`, or a statement within a text.
      let value = text(token)
      if creates {
        let name = index >= 2 && tokens[index - 1].kind == .equal ? text(tokens[index - 2]).lowercased().filter { $0 != "\"" } : ""
        let isPublic = publicProperties.contains(name) && !value.contains("@") && !value.lowercased().contains("password")
        if isPublic { continue }
      } else if !mentionsCatalog(value) {
        continue
      }
      result += bytes[end..<Int(token.startOffset)]
      result += Array("'\(mask)'".utf8)
      // A quote that nothing ends hides all that follows.
      end = token.kind == .string ? Int(token.endOffset) : bytes.count
      if end == bytes.count { break }
    }
    if end == 0 { return sql }
    return String(decoding: result + bytes[end...], as: UTF8.self)
  }

  /// Whether the statement may be a CREATE CATALOG, whose parameters are nobody's business either.
  package static func mayStand(in sql: String) -> Bool { mentionsCatalog(sql) }

  /// Whether both words occur, in any case.
  private static func mentionsCatalog(_ text: String) -> Bool {
    let lower = text.lowercased()
    guard let create = lower.firstRange(of: "create") else { return false }
    return lower[create.upperBound...].contains("catalog")
  }
}
