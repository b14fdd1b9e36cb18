import Columnar
import QueryErrors

/// A format text of `java.util.Formatter`: `%-10s %,.2f %05d %1$tY`.
struct FormatTemplate {
  /// One `%…`.
  struct Specifier {
    /// 0 for the first argument; nil when it takes none (`%%`, `%n`).
    var argument: Int?
    var flags: Set<UInt8> = []
    var width = 0
    var precision: Int?
    /// As written: an upper-case letter asks for upper-case text.
    var conversion: UInt8
    /// The field that `%t` names.
    var dateField: UInt8 = 0
    /// The specifier as written.
    var text: String
  }
  enum Piece {
    case literal([UInt8])
    case specifier(Specifier)
  }
  private(set) var pieces: [Piece] = []

  /// Widest field and longest precision.
  private static let maxWidth = 100_000

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` when it is no format.
  init(_ text: [UInt8]) throws(QueryError) {
    var at = 0
    var next = 0
    var last = -1
    var literal: [UInt8] = []
    func invalid(_ what: String) -> QueryError {
      QueryError(
        .invalidFunctionArgument, "Invalid format string: \(String(decoding: text, as: UTF8.self)) (\(what))")
    }
    while at < text.count {
      guard text[at] == 0x25 else {
        literal.append(text[at])
        at += 1
        continue
      }
      let start = at
      at += 1
      func number() throws(QueryError) -> Int? {
        var value = 0
        let first = at
        while at < text.count, text[at] >= 0x30, text[at] <= 0x39 {
          value = value * 10 + Int(text[at] - 0x30)
          if value > FormatTemplate.maxWidth { throw invalid("number too large") }
          at += 1
        }
        return at > first ? value : nil
      }
      var specifier = Specifier(conversion: 0, text: "")
      var index: Int?
      // An index ends in $; a number that does not is a width.
      let mark = at
      if at < text.count, text[at] != 0x30, let value = try number(), at < text.count, text[at] == 0x24 {
        index = value
        at += 1
      } else {
        at = mark
      }
      var isRepeat = false
      while at < text.count, "-#+ 0,(<".utf8.contains(text[at]) {
        if text[at] == UInt8(ascii: "<") { isRepeat = true } else { specifier.flags.insert(text[at]) }
        at += 1
      }
      specifier.width = try number() ?? 0
      if at < text.count, text[at] == 0x2e {
        at += 1
        guard let precision = try number() else { throw invalid("precision expected") }
        specifier.precision = precision
      }
      guard at < text.count else { throw invalid("Conversion = '%'") }
      specifier.conversion = text[at]
      at += 1
      if specifier.conversion | 0x20 == UInt8(ascii: "t") {
        guard at < text.count else { throw invalid("UnknownFormatConversion") }
        specifier.dateField = text[at]
        at += 1
      }
      specifier.text = String(decoding: text[start..<at], as: UTF8.self)
      guard "bBhHsScCdoxXeEfgGaAtT%n".utf8.contains(specifier.conversion) else {
        throw invalid("Conversion = '\(String(UnicodeScalar(specifier.conversion)))'")
      }
      if specifier.conversion == UInt8(ascii: "n") {
        literal.append(0x0a)
        continue
      }
      if specifier.conversion != 0x25 {
        if isRepeat {
          guard last >= 0 else { throw invalid("Format specifier '\(specifier.text)'") }
          specifier.argument = last
        } else if let index {
          guard index > 0 else { throw invalid("Illegal format argument index = \(index)") }
          specifier.argument = index - 1
        } else {
          specifier.argument = next
          next += 1
        }
        last = specifier.argument ?? last
      }
      if !literal.isEmpty { pieces.append(.literal(literal)) }
      literal = []
      pieces.append(.specifier(specifier))
    }
    if !literal.isEmpty { pieces.append(.literal(literal)) }
  }
}
