import Columnar
import QueryErrors

/// A format text of `java.util.Formatter`: `%-10s %,.2f %05d %1$tY`.
struct FormatTemplate {
  /// One `%…`.
  struct Specifier {
    /// 0 for the first argument; nil when it takes none (`%%`, `%n`).
    var argument: Int?
    var flags: Set<UInt8> = []
    /// Nil unless given.
    var width: Int?
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
  private let text: [UInt8]

  /// Widest field and longest precision.
  private static let maxWidth = 100_000

  /// - Throws: `INVALID_FUNCTION_ARGUMENT` when it is no format.
  init(_ text: [UInt8]) throws(QueryError) {
    self.text = text
    var at = 0
    var next = 0
    var last = -1
    var literal: [UInt8] = []
    while at < text.count {
      guard text[at] == 0x25 else {
        literal.append(text[at])
        at += 1
        continue
      }
      var specifier = Specifier(conversion: 0, text: "")
      let reference = try parse(&specifier, &at)
      try check(specifier)
      if specifier.conversion == UInt8(ascii: "n") {
        literal.append(0x0a)
        continue
      }
      if specifier.conversion != 0x25 {
        switch reference {
        case .last:
          guard last >= 0 else { throw invalid("MissingFormatArgument: Format specifier '\(specifier.text)'") }
          specifier.argument = last
        case .index(let index):
          guard index > 0 else { throw invalid("IllegalFormatArgumentIndex: Illegal format argument index = \(index)") }
          specifier.argument = index - 1
        case .next:
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

  /// Which argument a specifier takes.
  private enum Reference {
    case next
    case last
    case index(Int)
  }

  /// Reads the specifier that begins with the percent sign at `at`.
  private func parse(_ specifier: inout Specifier, _ at: inout Int) throws(QueryError) -> Reference {
    let start = at
    at += 1
    func number(_ at: inout Int) throws(QueryError) -> Int? {
      var value = 0
      let first = at
      while at < text.count, text[at] >= 0x30, text[at] <= 0x39 {
        value = value * 10 + Int(text[at] - 0x30)
        if value > FormatTemplate.maxWidth { throw invalid("IllegalFormatWidth: \(value)") }
        at += 1
      }
      return at > first ? value : nil
    }
    var reference = Reference.next
    // An index ends in $; a number that does not is a width.
    let mark = at
    if at < text.count, text[at] != 0x30, let value = try number(&at), at < text.count, text[at] == 0x24 {
      reference = .index(value)
      at += 1
    } else {
      at = mark
    }
    while at < text.count, "-#+ 0,(<".utf8.contains(text[at]) {
      let flag = text[at]
      if flag == UInt8(ascii: "<"), case .last = reference { throw duplicate(flag) }
      if flag == UInt8(ascii: "<") {
        reference = .last
      } else if !specifier.flags.insert(flag).inserted {
        throw duplicate(flag)
      }
      at += 1
    }
    specifier.width = try number(&at)
    if at < text.count, text[at] == 0x2e {
      at += 1
      guard let precision = try number(&at) else { throw unknown(".") }
      specifier.precision = precision
    }
    guard at < text.count else { throw unknown("%") }
    specifier.conversion = text[at]
    at += 1
    if specifier.conversion | 0x20 == UInt8(ascii: "t") {
      guard at < text.count else { throw unknown(String(UnicodeScalar(specifier.conversion))) }
      specifier.dateField = text[at]
      at += 1
    }
    specifier.text = String(decoding: text[start..<at], as: UTF8.self)
    guard "bBhHsScCdoxXeEfgGaAtT%n".utf8.contains(specifier.conversion) else {
      throw unknown(String(UnicodeScalar(specifier.conversion)))
    }
    return reference
  }

  // MARK: What java.util.Formatter refuses

  /// - Source: `java.util.Formatter.FormatSpecifier`: `checkGeneral`, `checkDateTime`, `checkInteger`, `checkFloat` ….
  private func check(_ specifier: Specifier) throws(QueryError) {
    switch specifier.conversion | 0x20 {
    case UInt8(ascii: "t"):
      try refusePrecision(specifier)
      guard "HIklMNLQprRsSTzZaAbBcCdDeFhjmyY".utf8.contains(specifier.dateField) else {
        throw unknown("t" + String(UnicodeScalar(specifier.dateField)))
      }
      try refuse("#+ 0,(", specifier)
      try wantsWidth("-", specifier)
    case UInt8(ascii: "b"), UInt8(ascii: "h"):
      try refuse("#", specifier)
      try wantsWidth("-", specifier)
      try refuse("+ 0,(", specifier)
    case UInt8(ascii: "s"):
      try wantsWidth("-", specifier)
      try refuse("+ 0,(", specifier)
    case UInt8(ascii: "c"):
      try refusePrecision(specifier)
      try refuse("#+ 0,(", specifier)
      try wantsWidth("-", specifier)
    case UInt8(ascii: "d"), UInt8(ascii: "o"), UInt8(ascii: "x"):
      try checkNumber(specifier)
      try refusePrecision(specifier)
      try refuse(specifier.conversion == UInt8(ascii: "d") ? "#" : ",", specifier)
    case UInt8(ascii: "e"):
      try checkNumber(specifier)
      try refuse(",", specifier)
    case UInt8(ascii: "g"):
      try checkNumber(specifier)
      try refuse("#", specifier)
    case UInt8(ascii: "a"):
      try checkNumber(specifier)
      try refuse("(,", specifier)
    case UInt8(ascii: "f"): try checkNumber(specifier)
    default: try checkText(specifier)
    }
  }

  private func checkText(_ specifier: Specifier) throws(QueryError) {
    try refusePrecision(specifier)
    if specifier.conversion == 0x25 {
      if !specifier.flags.subtracting([UInt8(ascii: "-")]).isEmpty { throw illegalFlags(specifier) }
      try wantsWidth("-", specifier)
    } else {
      if let width = specifier.width { throw invalid("IllegalFormatWidth: \(width)") }
      if !specifier.flags.isEmpty { throw illegalFlags(specifier) }
    }
  }

  private func checkNumber(_ specifier: Specifier) throws(QueryError) {
    try wantsWidth("-0", specifier)
    let flags = specifier.flags
    if flags.isSuperset(of: Array("+ ".utf8)) || flags.isSuperset(of: Array("-0".utf8)) { throw illegalFlags(specifier) }
  }

  private func refusePrecision(_ specifier: Specifier) throws(QueryError) {
    if let precision = specifier.precision { throw invalid("IllegalFormatPrecision: \(precision)") }
  }

  private func wantsWidth(_ flags: String, _ specifier: Specifier) throws(QueryError) {
    if specifier.width == nil, flags.utf8.contains(where: specifier.flags.contains) {
      throw invalid("MissingFormatWidth: \(specifier.text)")
    }
  }

  private func refuse(_ flags: String, _ specifier: Specifier) throws(QueryError) {
    for flag in flags.utf8 where specifier.flags.contains(flag) { throw mismatch(flag, specifier) }
  }

  /// The error of a flag that the conversion does not take.
  func mismatch(_ flag: UInt8, _ specifier: Specifier) -> QueryError {
    invalid(
      "FormatFlagsConversionMismatch: Conversion = \(String(UnicodeScalar(specifier.conversion | (specifier.conversion == 0x25 ? 0 : 0x20)))), "
        + "Flags = \(String(UnicodeScalar(flag)))")
  }

  private func illegalFlags(_ specifier: Specifier) -> QueryError {
    let flags = "-#+ 0,(".utf8.filter(specifier.flags.contains).map { String(UnicodeScalar($0)) }.joined()
    return invalid("IllegalFormatFlags: Flags = '\(flags)'")
  }

  private func duplicate(_ flag: UInt8) -> QueryError {
    invalid("DuplicateFormatFlags: Flags = '\(String(UnicodeScalar(flag)))'")
  }

  private func unknown(_ conversion: String) -> QueryError {
    invalid("UnknownFormatConversion: Conversion = '\(conversion)'")
  }

  /// The error that names the format and what Java says of it.
  func invalid(_ what: String) -> QueryError {
    QueryError(.invalidFunctionArgument, "Invalid format string: \(String(decoding: text, as: UTF8.self)) (\(what))")
  }
}
