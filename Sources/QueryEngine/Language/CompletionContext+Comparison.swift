extension CompletionContext {
  /// What is typed of a name, without its quote, as the catalog keeps names.
  static func plain(_ typed: String) -> String {
    (typed.first == "\"" || typed.first == "`" ? String(typed.dropFirst()) : typed).lowercased()
  }

  /// Whether the place is behind a comma of FROM.
  var expectsRelation: Bool {
    guard isSign(before - 1, ",") else { return false }
    var depth = 0
    var index = before - 2
    while index >= 0 {
      if isSign(index, ")") { depth += 1 }
      if isSign(index, "(") {
        depth -= 1
        if depth < 0 { return false }
      }
      if depth == 0 {
        switch word(index) {
        case "FROM", "JOIN": return true
        case "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "ON", "USING", "SELECT", "WITH", "SET", "BY", "VALUES": return false
        default: break
        }
      }
      index -= 1
    }
    return false
  }

  /// Whether a text at `piece` names a file: behind FROM, LOCATION and the like, or first in `read_csv(`.
  func expectsPath(_ piece: Int) -> Bool {
    switch word(piece - 1) {
    case "FROM", "JOIN", "LOCATION", "TO", "INTO", "DESCRIBE", "DESC", "TABLE": return true
    default: break
    }
    if isSign(piece - 1, "(") { return name(piece - 2)?.hasPrefix("read_") ?? false }
    guard isSign(piece - 1, ",") else { return false }
    // FROM 'a', 'b
    var index = piece - 2
    while index >= 0 {
      switch word(index) {
      case "FROM", "JOIN": return true
      case "WHERE", "ON", "SELECT", "IN", "VALUES", "BY": return false
      default: index -= 1
      }
    }
    return false
  }

  /// The column that a value at `piece` is compared with, with what qualifies it; and whether a text is being typed.
  ///
  ///     dt = '…   dt IN ('a', '…   dt BETWEEN '…   dt BETWEEN 'a' AND '…   dt LIKE '…
  func comparedColumn(_ piece: Int) -> (column: [String], isText: Bool)? {
    var index = piece - 1
    // A typed literal: DATE '…
    if ["DATE", "TIMESTAMP"].contains(word(index)) { index -= 1 }
    let isText = typedPiece.map { pieces[$0].kind == .string } ?? false
    if word(index) == "AND", isValue(index - 1) {
      let low = ["DATE", "TIMESTAMP"].contains(word(index - 2)) ? index - 3 : index - 2
      guard word(low) == "BETWEEN" else { return nil }
      return columnEnding(low - 1).map { ($0, isText) }
    }
    if word(index) == "BETWEEN" || word(index) == "LIKE" {
      return columnEnding(word(index - 1) == "NOT" ? index - 2 : index - 1).map { ($0, isText) }
    }
    // Values of IN typed before.
    var list = index
    while isSign(list, ","), isValue(list - 1) {
      list -= 2
      if ["DATE", "TIMESTAMP"].contains(word(list)) { list -= 1 }
    }
    if isSign(list, "("), word(list - 1) == "IN" {
      return columnEnding(word(list - 2) == "NOT" ? list - 3 : list - 2).map { ($0, isText) }
    }
    var sign = index
    while isSign(sign, "=") || isSign(sign, "<") || isSign(sign, ">") || isSign(sign, "!") { sign -= 1 }
    return sign == index ? nil : columnEnding(sign).map { ($0, isText) }
  }

  private func isValue(_ index: Int) -> Bool {
    pieces.indices.contains(index) && (pieces[index].kind == .string || pieces[index].kind == .number || pieces[index].kind == .parameter)
  }

  /// `a.b` that ends at a piece.
  private func columnEnding(_ index: Int) -> [String]? {
    guard let last = name(index) else { return nil }
    var names = [last]
    var at = index - 1
    while isSign(at, "."), let name = name(at - 1) {
      names.insert(name, at: 0)
      at -= 2
    }
    return names
  }

  /// Columns that the statement compares with one value elsewhere: `region = 'eu'`.
  var equalities: [String: String] {
    var result: [String: String] = [:]
    for index in pieces.indices where isSign(index, "=") && index + 1 != typedPiece && !pieces.indices.isEmpty {
      guard !isSign(index - 1, "<"), !isSign(index - 1, ">"), !isSign(index - 1, "!"), let column = columnEnding(index - 1)?.last,
        isValue(index + 1)
      else { continue }
      let value = text(index + 1)
      result[column.lowercased()] = pieces[index + 1].kind == .string ? CompletionContext.unquoted(value) : value
    }
    return result
  }

  /// The name in front of the innermost parenthesis that is open at the place.
  var openFunction: String? {
    var depth = 0
    var index = before - 1
    while index >= 0 {
      if isSign(index, ")") { depth += 1 }
      if isSign(index, "(") {
        depth -= 1
        if depth < 0 { return pieces.indices.contains(index - 1) && pieces[index - 1].kind == .name || word(index - 1) != "" ? name(index - 1) : nil }
      }
      index -= 1
    }
    return nil
  }
}
