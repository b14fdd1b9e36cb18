import Columnar

/// Parses values of Ion text that lie in a window of bytes; JSON is Ion text too.
///
/// - Source: Amazon Ion Text Encoding 1.0.
struct IonTextParser {
  private let base: UnsafePointer<UInt8>
  private let end: Int
  private(set) var at: Int
  /// Whether the file ends with the window, so that a value that reaches its end is complete.
  private let isFinal: Bool
  private static let deepest = 200

  init(_ base: UnsafePointer<UInt8>, at: Int, end: Int, isFinal: Bool) {
    self.base = base
    self.at = at
    self.end = end
    self.isFinal = isFinal
  }

  /// The next value of the top level, nil at the end; symbol tables are taken over on the way.
  mutating func next(_ symbols: inout IonSymbols) throws(IonDamage) -> IonValue? {
    while true {
      try skipSpace()
      if at == end { return nil }
      let begin = at
      var isTable = false
      let value = try value(symbols, depth: 0, isSymbolTable: &isTable)
      // What touches the window's end may go on behind it.
      if at == end, !isFinal { throw .incomplete }
      if isTable, case .structure(let fields) = value {
        try symbols.define(fields)
        continue
      }
      if case .text(let bytes) = value, base[begin] == UInt8(ascii: "$"), bytes.elementsEqual("$ion_1_0".utf8) {
        symbols.reset()
        continue
      }
      return value
    }
  }

  // MARK: Bytes

  private func peek(_ ahead: Int = 0) -> UInt8? { at + ahead < end ? base[at + ahead] : nil }

  private mutating func byte() throws(IonDamage) -> UInt8 {
    guard at < end else { throw .incomplete }
    at += 1
    return base[at - 1]
  }

  /// White space and comments.
  private mutating func skipSpace() throws(IonDamage) {
    while at < end {
      switch base[at] {
      case 0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d: at += 1
      case UInt8(ascii: "/"):
        guard let next = peek(1) else { throw isFinal ? IonDamage("a stray '/'") : .incomplete }
        if next == UInt8(ascii: "/") {
          while at < end, base[at] != 0x0a, base[at] != 0x0d { at += 1 }
        } else if next == UInt8(ascii: "*") {
          at += 2
          while !(peek() == UInt8(ascii: "*") && peek(1) == UInt8(ascii: "/")) { _ = try byte() }
          at += 2
        } else {
          return
        }
      default: return
      }
    }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    byte == 0x5f || byte == 0x24 || (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
  }

  private static func isOperator(_ byte: UInt8) -> Bool { "!#%&*+-./;<=>?@^`|~".utf8.contains(byte) }

  private func damage(_ what: String) -> IonDamage {
    let rest = String(decoding: UnsafeBufferPointer(start: base + at, count: min(20, end - at)), as: UTF8.self)
    return IonDamage("\(what) at '\(rest)'")
  }

  // MARK: Values

  private mutating func value(
    _ symbols: IonSymbols, depth: Int, isSymbolTable: inout Bool, inExpression: Bool = false
  ) throws(IonDamage) -> IonValue {
    guard depth < IonTextParser.deepest else { throw IonDamage.unsupported("values nested so deeply") }
    try skipSpace()
    guard let first = peek() else { throw .incomplete }
    switch first {
    case UInt8(ascii: "{"):
      if peek(1) == UInt8(ascii: "{") { return try lob() }
      return try structure(symbols, depth)
    case UInt8(ascii: "["): return .list(try items(symbols, depth, UInt8(ascii: "]"), isExpression: false))
    case UInt8(ascii: "("): return .list(try items(symbols, depth, UInt8(ascii: ")"), isExpression: true))
    case UInt8(ascii: "\""):
      at += 1
      return .text(try quoted(UInt8(ascii: "\""), isLong: false))
    case UInt8(ascii: "'"):
      if peek(1) == first, peek(2) == first { return .text(try longStrings(isClob: false)) }
      at += 1
      let symbol = try quoted(first, isLong: false)
      return try annotated(symbol, symbols, depth, &isSymbolTable, inExpression) ?? .text(symbol)
    case 0x30...0x39,
      UInt8(ascii: "-") where peek(1).map({ (0x30...0x39).contains($0) }) ?? false:
      return try number()
    case UInt8(ascii: "+"), UInt8(ascii: "-"):
      if let word = infinity(), !(peek(4).map(IonTextParser.isWord) ?? false) {
        at += 4
        return .float(word)
      }
      fallthrough
    default:
      if IonTextParser.isWord(first) { return try word(symbols, depth, &isSymbolTable, inExpression) }
      if inExpression, IonTextParser.isOperator(first) {
        let start = at
        while let byte = peek(), IonTextParser.isOperator(byte) { at += 1 }
        return .text(Array(UnsafeBufferPointer(start: base + start, count: at - start)))
      }
      if end - at < 5, !isFinal { throw .incomplete }
      throw damage("no value")
    }
  }

  private func infinity() -> Double? {
    guard end - at >= 4, base[at + 1] == UInt8(ascii: "i"), base[at + 2] == UInt8(ascii: "n"), base[at + 3] == UInt8(ascii: "f") else {
      return nil
    }
    return base[at] == UInt8(ascii: "-") ? -.infinity : .infinity
  }

  /// Keywords, symbols and annotations.
  private mutating func word(
    _ symbols: IonSymbols, _ depth: Int, _ isSymbolTable: inout Bool, _ inExpression: Bool
  ) throws(IonDamage) -> IonValue {
    let start = at
    while let byte = peek(), IonTextParser.isWord(byte) { at += 1 }
    let text = String(decoding: UnsafeBufferPointer(start: base + start, count: at - start), as: UTF8.self)
    switch text {
    case "null":
      guard peek() == UInt8(ascii: ".") else { return .null }
      at += 1
      let typeStart = at
      while let byte = peek(), IonTextParser.isWord(byte) { at += 1 }
      let type = String(decoding: UnsafeBufferPointer(start: base + typeStart, count: at - typeStart), as: UTF8.self)
      let known = [
        "null", "bool", "int", "float", "decimal", "timestamp", "string", "symbol", "blob", "clob", "struct", "list", "sexp",
      ]
      guard known.contains(type) else { throw at == end && !isFinal ? .incomplete : IonDamage("null of the unknown type '\(type)'") }
      return .null
    case "true": return .boolean(true)
    case "false": return .boolean(false)
    case "nan": return .float(.nan)
    default:
      var symbol = text
      if text.hasPrefix("$"), text.utf8.count > 1, text.utf8.dropFirst().allSatisfy({ (0x30...0x39).contains($0) }) {
        symbol = try symbols.text(Int(text.dropFirst()) ?? .max)
      }
      return try annotated(Array(symbol.utf8), symbols, depth, &isSymbolTable, inExpression) ?? .text(Array(symbol.utf8))
    }
  }

  /// The value behind `symbol::`; nil when the symbol is a value itself.
  private mutating func annotated(
    _ symbol: [UInt8], _ symbols: IonSymbols, _ depth: Int, _ isSymbolTable: inout Bool, _ inExpression: Bool
  ) throws(IonDamage) -> IonValue? {
    let after = at
    try skipSpace()
    guard peek() == UInt8(ascii: ":"), peek(1) == UInt8(ascii: ":") else {
      if !isFinal, end - at < 2 { throw .incomplete }
      at = after
      return nil
    }
    at += 2
    var isTable = false
    let value = try value(symbols, depth: depth + 1, isSymbolTable: &isTable, inExpression: inExpression)
    if depth == 0, symbol.elementsEqual(IonSymbols.symbolTable.utf8) { isSymbolTable = true }
    return value
  }

  private mutating func items(
    _ symbols: IonSymbols, _ depth: Int, _ close: UInt8, isExpression: Bool
  ) throws(IonDamage) -> [IonValue] {
    at += 1
    var items: [IonValue] = []
    var isTable = false
    while true {
      try skipSpace()
      guard let next = peek() else { throw .incomplete }
      if next == close {
        at += 1
        return items
      }
      items.append(try value(symbols, depth: depth + 1, isSymbolTable: &isTable, inExpression: isExpression))
      if isExpression { continue }
      try skipSpace()
      let separator = try byte()
      if separator == close { return items }
      guard separator == UInt8(ascii: ",") else {
        at -= 1
        throw damage("no comma in a list")
      }
    }
  }

  private mutating func structure(_ symbols: IonSymbols, _ depth: Int) throws(IonDamage) -> IonValue {
    at += 1
    var fields: [(name: String, value: IonValue)] = []
    var isTable = false
    while true {
      try skipSpace()
      guard let next = peek() else { throw .incomplete }
      if next == UInt8(ascii: "}") {
        at += 1
        return .structure(fields)
      }
      let name = try fieldName(symbols)
      try skipSpace()
      guard try byte() == UInt8(ascii: ":") else {
        at -= 1
        throw damage("no colon behind a field's name")
      }
      fields.append((name, try value(symbols, depth: depth + 1, isSymbolTable: &isTable)))
      try skipSpace()
      let separator = try byte()
      if separator == UInt8(ascii: "}") { return .structure(fields) }
      guard separator == UInt8(ascii: ",") else {
        at -= 1
        throw damage("no comma in a struct")
      }
    }
  }

  private mutating func fieldName(_ symbols: IonSymbols) throws(IonDamage) -> String {
    guard let first = peek() else { throw .incomplete }
    if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
      if first == UInt8(ascii: "'"), peek(1) == first, peek(2) == first {
        return String(decoding: try longStrings(isClob: false), as: UTF8.self)
      }
      at += 1
      return String(decoding: try quoted(first, isLong: false), as: UTF8.self)
    }
    guard IonTextParser.isWord(first), !(0x30...0x39).contains(first) else { throw damage("no field name") }
    let start = at
    while let byte = peek(), IonTextParser.isWord(byte) { at += 1 }
    let text = String(decoding: UnsafeBufferPointer(start: base + start, count: at - start), as: UTF8.self)
    if text.hasPrefix("$"), let number = Int(text.dropFirst()) { return try symbols.text(number) }
    return text
  }

  // MARK: Strings

  /// The rest of a string or symbol behind its opening quote.
  private mutating func quoted(_ quote: UInt8, isLong: Bool, isClob: Bool = false) throws(IonDamage) -> [UInt8] {
    var out: [UInt8] = []
    while true {
      let next = try byte()
      if next == quote {
        if !isLong { return out }
        if peek() == quote, peek(1) == quote {
          at += 2
          return out
        }
      }
      guard next == UInt8(ascii: "\\") else {
        guard isLong || next != 0x0a && next != 0x0d else { throw IonDamage("a string is not closed in its line") }
        out.append(next)
        continue
      }
      try escape(into: &out, isClob: isClob)
    }
  }

  private mutating func escape(into out: inout [UInt8], isClob: Bool) throws(IonDamage) {
    let kind = try byte()
    switch kind {
    case UInt8(ascii: "a"): out.append(7)
    case UInt8(ascii: "b"): out.append(8)
    case UInt8(ascii: "t"): out.append(9)
    case UInt8(ascii: "n"): out.append(10)
    case UInt8(ascii: "f"): out.append(12)
    case UInt8(ascii: "r"): out.append(13)
    case UInt8(ascii: "v"): out.append(11)
    case UInt8(ascii: "0"): out.append(0)
    case UInt8(ascii: "?"), UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): out.append(kind)
    // An escaped line end is none.
    case 0x0a: break
    case 0x0d: if peek() == 0x0a { at += 1 }
    case UInt8(ascii: "x") where isClob: out.append(UInt8(truncatingIfNeeded: try hexadecimal(2)))
    case UInt8(ascii: "x"), UInt8(ascii: "u"), UInt8(ascii: "U"):
      var code = try hexadecimal(kind == UInt8(ascii: "x") ? 2 : kind == UInt8(ascii: "u") ? 4 : 8)
      // Pairs of surrogates, as JSON writes them.
      if (0xd800..<0xdc00).contains(code), peek() == UInt8(ascii: "\\"), peek(1) == UInt8(ascii: "u") {
        at += 2
        let low = try hexadecimal(4)
        guard (0xdc00..<0xe000).contains(low) else { throw IonDamage("half a surrogate pair") }
        code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw IonDamage("an escape is no character") }
      out += Array(String(Character(scalar)).utf8)
    default: throw IonDamage("the unknown escape '\\\(Character(Unicode.Scalar(kind)))'")
    }
  }

  private mutating func hexadecimal(_ digits: Int) throws(IonDamage) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<digits {
      guard let digit = Character(Unicode.Scalar(try byte())).hexDigitValue else { throw IonDamage("an escape without digits") }
      value = value << 4 | UInt32(digit)
    }
    return value
  }

  /// '''…''' strings one after the other are one.
  private mutating func longStrings(isClob: Bool) throws(IonDamage) -> [UInt8] {
    var out: [UInt8] = []
    let quote = UInt8(ascii: "'")
    while peek() == quote, peek(1) == quote, peek(2) == quote {
      at += 3
      out += try quoted(quote, isLong: true, isClob: isClob)
      let after = at
      if isClob { while let next = peek(), next == 0x20 || (0x09...0x0d).contains(next) { at += 1 } } else { try skipSpace() }
      if end - at < 3, !isFinal { throw .incomplete }
      if !(peek() == quote && peek(1) == quote && peek(2) == quote) { at = after }
    }
    return out
  }

  /// {{ base64 }}, {{ "clob" }} or {{ '''clob''' }}.
  private mutating func lob() throws(IonDamage) -> IonValue {
    at += 2
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
    while let next = peek(), isBlank(next) { at += 1 }
    guard let first = peek() else { throw .incomplete }
    let value: IonValue
    if first == UInt8(ascii: "\"") {
      at += 1
      value = .clob(try quoted(first, isLong: false, isClob: true))
    } else if first == UInt8(ascii: "'") {
      value = .clob(try longStrings(isClob: true))
    } else {
      var (out, bits, count) = ([UInt8](), UInt32(0), 0)
      while let next = peek(), next != UInt8(ascii: "}") {
        at += 1
        if isBlank(next) || next == UInt8(ascii: "=") { continue }
        guard let digit = IonTextParser.base64(next) else { throw IonDamage("a blob is not base64") }
        bits = bits << 6 | digit
        count += 6
        if count >= 8 {
          count -= 8
          out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
      }
      value = .blob(out)
    }
    while let next = peek(), isBlank(next) { at += 1 }
    guard try byte() == UInt8(ascii: "}"), try byte() == UInt8(ascii: "}") else { throw IonDamage("a blob or clob is not closed") }
    return value
  }

  private static func base64(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x41...0x5a: UInt32(byte - 0x41)
    case 0x61...0x7a: UInt32(byte - 0x61) + 26
    case 0x30...0x39: UInt32(byte - 0x30) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }

  // MARK: Numbers and timestamps

  private mutating func number() throws(IonDamage) -> IonValue {
    let start = at
    while let byte = peek(), IonTextParser.isWord(byte) || ".+-:".utf8.contains(byte) {
      // A sign belongs to an exponent or a zone, a slash of a comment to neither.
      if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"), at > start, !isSignPlace(start) { break }
      at += 1
    }
    if at == end, !isFinal { throw .incomplete }
    return try IonNumber.parse(UnsafeBufferPointer(start: base + start, count: at - start))
  }

  /// Whether a sign may stand here within a number or timestamp that began at `start`.
  private func isSignPlace(_ start: Int) -> Bool {
    let before = base[at - 1] | 0x20
    if before == UInt8(ascii: "e") || before == UInt8(ascii: "d") { return true }
    let text = UnsafeBufferPointer(start: base + start, count: at - start)
    // Years, months and days are of fixed length; a zone follows a time.
    return text.count == 4 || text.count == 7 || text.contains(UInt8(ascii: "T"))
  }
}
