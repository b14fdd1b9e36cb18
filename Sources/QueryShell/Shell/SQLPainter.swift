import QueryEngine

/// The colours of SQL while it is typed.
enum SQLPainter {
  static func paint(_ text: String) -> PaintedText {
    var painted = PaintedText(text)
    let pieces = SQLPieces.pieces(of: text)
    // Pieces count bytes, colours letters.
    var letterAt = 0
    var byteAt = 0
    let letters = painted.letters
    let bytes = Array(text.utf8)
    for (index, piece) in pieces.enumerated() {
      while letterAt < letters.count, byteAt < piece.range.lowerBound {
        byteAt += letters[letterAt].utf8.count
        letterAt += 1
      }
      let role = role(piece, behind: index + 1 < pieces.count ? pieces[index + 1] : nil, bytes)
      while letterAt < letters.count, byteAt < piece.range.upperBound {
        painted.roles[letterAt] = role
        byteAt += letters[letterAt].utf8.count
        letterAt += 1
      }
    }
    return painted
  }

  private static func role(_ piece: SQLPieces.Piece, behind next: SQLPieces.Piece?, _ bytes: [UInt8]) -> Theme.Role? {
    switch piece.kind {
    case .keyword, .name:
      // A word in front of a parenthesis is a function, unless it is a keyword that takes one.
      let isCall = next.map { $0.kind == .sign && bytes[$0.range.lowerBound] == UInt8(ascii: "(") } ?? false
      if piece.kind == .keyword, !isCall { return .keyword }
      let word = String(decoding: bytes[piece.range], as: UTF8.self)
      if isCall, FunctionHelp.named(word) != nil { return .function }
      return piece.kind == .keyword ? .keyword : nil
    case .string: return .string
    case .number: return .number
    case .comment: return .comment
    case .parameter: return .parameter
    case .quotedName: return piece.isOpen ? .error : .name
    case .sign: return nil
    }
  }
}
