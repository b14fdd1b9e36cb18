import SQLSyntax

/// SQL as it is typed: unfinished, perhaps wrong; cut into pieces for colours and completion.
public enum SQLPieces {
  /// A piece of a text.
  public struct Piece: Hashable, Sendable {
    public var kind: Kind
    /// Bytes of UTF-8.
    public var range: Range<Int>
    /// Whether a quote or comment is not closed.
    public var isOpen = false
  }

  public enum Kind: Hashable, Sendable {
    case keyword
    /// A name without quotes, or in double quotes or backticks.
    case name, quotedName
    case string, number, comment
    /// `:name` or `?`.
    case parameter
    /// An operator, bracket or comma; each byte alone.
    case sign
  }

  /// The pieces of a text in order; blanks are between them.
  ///
  /// Nothing is ever wrong: a quote that is not closed ends with the text.
  public static func pieces(of text: String) -> [Piece] {
    var scanner = Scanner(bytes: Array(text.utf8))
    var pieces: [Piece] = []
    while let piece = scanner.next(after: pieces.last) { pieces.append(piece) }
    return pieces
  }

  private struct Scanner {
    let bytes: [UInt8]
    var at = 0

    private func peek(_ distance: Int) -> UInt8 { at + distance < bytes.count ? bytes[at + distance] : 0 }

    private static func isWord(_ byte: UInt8) -> Bool {
      (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a || byte == 0x5f || byte >= 0x80 || isDigit(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    mutating func next(after last: Piece?) -> Piece? {
      while at < bytes.count, bytes[at] <= 0x20 { at += 1 }
      guard at < bytes.count else { return nil }
      let start = at
      func piece(_ kind: Kind, isOpen: Bool = false) -> Piece { Piece(kind: kind, range: start..<at, isOpen: isOpen) }
      switch bytes[at] {
      case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"):
        while at < bytes.count, bytes[at] != 0x0a { at += 1 }
        return piece(.comment)
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"):
        at += 2
        while at < bytes.count, !(bytes[at] == UInt8(ascii: "*") && peek(1) == UInt8(ascii: "/")) { at += 1 }
        let isOpen = at >= bytes.count
        at = min(bytes.count, at + 2)
        return piece(.comment, isOpen: isOpen)
      case UInt8(ascii: "'"): return piece(.string, isOpen: !passQuoted())
      case UInt8(ascii: "\""), UInt8(ascii: "`"): return piece(.quotedName, isOpen: !passQuoted())
      case UInt8(ascii: "?"):
        at += 1
        return piece(.parameter)
      case UInt8(ascii: ":") where Scanner.isWord(peek(1)) && !Scanner.isDigit(peek(1)):
        at += 1
        while at < bytes.count, Scanner.isWord(bytes[at]) { at += 1 }
        return piece(.parameter)
      case let byte where Scanner.isDigit(byte) || (byte == UInt8(ascii: ".") && Scanner.isDigit(peek(1))):
        // A number ends before a second point; `1e-3` is one.
        while at < bytes.count {
          let isExponentSign =
            (bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: "+")) && at > start && bytes[at - 1] | 0x20 == UInt8(ascii: "e")
            && bytes[start] != UInt8(ascii: "0")
          guard Scanner.isWord(bytes[at]) || bytes[at] == UInt8(ascii: ".") || isExponentSign else { break }
          at += 1
        }
        return piece(.number)
      case let byte where Scanner.isWord(byte):
        while at < bytes.count, Scanner.isWord(bytes[at]) { at += 1 }
        // A word behind a point is a name, whatever it spells.
        let isMember = last.map { $0.kind == .sign && $0.range.upperBound == start && bytes[$0.range.lowerBound] == UInt8(ascii: ".") } ?? false
        return piece(!isMember && isKeyword(start..<at) ? .keyword : .name)
      default:
        at += 1
        return piece(.sign)
      }
    }

    private func isKeyword(_ range: Range<Int>) -> Bool {
      bytes[range].withUnsafeBufferPointer { Keyword.lookUp($0) != nil }
    }

    /// Passes a quoted text, its quotes doubled inside; false when it never closes.
    private mutating func passQuoted() -> Bool {
      let quote = bytes[at]
      at += 1
      while at < bytes.count {
        if bytes[at] == quote {
          at += 1
          if at < bytes.count, bytes[at] == quote {
            at += 1
            continue
          }
          return true
        }
        at += 1
      }
      return false
    }
  }
}
