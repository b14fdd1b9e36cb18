/// A value of a TOML file.
///
/// - Source: TOML 1.0.0, toml.io.
package enum TOMLValue: Hashable, Sendable {
  case string(String)
  case integer(Int64)
  case double(Double)
  case boolean(Bool)
  /// A date, time or both, as written.
  case dateTime(String)
  case array([TOMLValue])
  case table([String: TOMLValue])

  /// The member of a table; nil for none, and of other values.
  package subscript(key: String) -> TOMLValue? { if case .table(let members) = self { members[key] } else { nil } }

  package var kind: String {
    switch self {
    case .string: "a text"
    case .integer: "a whole number"
    case .double: "a number"
    case .boolean: "true or false"
    case .dateTime: "a date"
    case .array: "a list"
    case .table: "a table"
    }
  }
}

/// What is wrong with a TOML text, and where.
package struct TOMLError: Error, Hashable {
  package var message: String
  package var line: Int
  package var column: Int
}

/// Reads TOML.
package struct TOMLParser {
  private let bytes: [UInt8]
  private var at = 0

  /// A table while it is read: what may still be added to it depends on how it was made.
  private final class Node {
    var members: [(key: String, value: Item)] = []
    /// Made by a header of its own, so that another one of the same name is wrong.
    var hasHeader = false
    /// Made by dotted keys of another table's body, which headers may not extend.
    var isDotted = false
    /// An inline table, which nothing may extend.
    var isClosed = false

    subscript(key: String) -> Item? { members.first { $0.key == key }?.value }
  }

  private enum Item {
    case value(TOMLValue)
    case table(Node)
    /// Tables of `[[name]]`.
    case tables([Node])
  }

  private static let deepest = 100

  /// The table that a text holds.
  package static func parse(_ text: [UInt8]) throws(TOMLError) -> TOMLValue {
    var parser = TOMLParser(bytes: text)
    return try parser.document()
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  // MARK: Letters

  private func peek(_ distance: Int = 0) -> UInt8? { at + distance < bytes.count ? bytes[at + distance] : nil }
  private func isAt(_ text: StaticString) -> Bool {
    text.withUTF8Buffer { wanted in at + wanted.count <= bytes.count && wanted.indices.allSatisfy { bytes[at + $0] == wanted[$0] } }
  }

  private func error(_ message: String, at place: Int? = nil) -> TOMLError {
    let place = min(place ?? at, bytes.count)
    let lineStart = (bytes[..<place].lastIndex(of: 0x0a) ?? -1) + 1
    let line = bytes[..<place].count { $0 == 0x0a } + 1
    return TOMLError(message: message, line: line, column: String(decoding: bytes[lineStart..<place], as: UTF8.self).count + 1)
  }

  private mutating func skipBlanks() { while let byte = peek(), byte == 0x20 || byte == 0x09 { at += 1 } }

  private mutating func skipComment() throws(TOMLError) {
    guard peek() == UInt8(ascii: "#") else { return }
    while let byte = peek(), byte != 0x0a, !(byte == 0x0d && peek(1) == 0x0a) {
      if byte < 0x20 && byte != 0x09 || byte == 0x7f { throw error("A control letter cannot stand in a comment") }
      at += 1
    }
  }

  /// Passes a line end; false when there is none.
  private mutating func skipLineEnd() -> Bool {
    if peek() == 0x0a {
      at += 1
      return true
    }
    if peek() == 0x0d, peek(1) == 0x0a {
      at += 2
      return true
    }
    return false
  }

  /// Blanks, comments and line ends.
  private mutating func skipSpace() throws(TOMLError) {
    while true {
      skipBlanks()
      try skipComment()
      if !skipLineEnd() { return }
    }
  }

  private mutating func endLine() throws(TOMLError) {
    skipBlanks()
    try skipComment()
    if at < bytes.count, !skipLineEnd() { throw error("Expected the end of the line") }
  }

  // MARK: Document

  private mutating func document() throws(TOMLError) -> TOMLValue {
    if let bad = TOMLParser.firstInvalid(bytes) { throw error("The text is not valid UTF-8", at: bad) }
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { at = 3 }
    let root = Node()
    var current = root
    while true {
      try skipSpace()
      if at >= bytes.count { break }
      if peek() == UInt8(ascii: "[") {
        current = try header(root)
      } else {
        try keyValue(into: current, depth: 0)
      }
      try endLine()
    }
    return TOMLParser.value(root)
  }

  private static func firstInvalid(_ bytes: [UInt8]) -> Int? {
    if String(validating: bytes, as: UTF8.self) != nil { return nil }
    var low = 0
    var high = bytes.count
    // The longest valid beginning; a letter that is cut does not count.
    while low < high {
      let middle = (low + high + 1) / 2
      var end = middle
      while end > 0, end < bytes.count, bytes[end] & 0xc0 == 0x80, middle - end < 4 { end -= 1 }
      if String(validating: bytes[..<end], as: UTF8.self) != nil { low = middle } else { high = middle - 1 }
    }
    return low
  }

  private mutating func header(_ root: Node) throws(TOMLError) -> Node {
    let start = at
    let isArray = isAt("[[")
    at += isArray ? 2 : 1
    let path = try keyPath()
    guard isArray ? isAt("]]") : peek() == UInt8(ascii: "]") else { throw error("Expected '\(isArray ? "]]" : "]")'") }
    at += isArray ? 2 : 1
    var node = root
    for key in path.dropLast() {
      switch node[key] {
      case nil:
        let next = Node()
        node.members.append((key, .table(next)))
        node = next
      case .table(let next)? where !next.isClosed: node = next
      case .tables(let tables)?: node = tables[tables.count - 1]
      default: throw error("'\(key)' is no table that can be extended", at: start)
      }
    }
    let last = path[path.count - 1]
    if isArray {
      let next = Node()
      next.hasHeader = true
      switch node[last] {
      case nil: node.members.append((last, .tables([next])))
      case .tables(let tables)?: TOMLParser.replace(&node.members, last, .tables(tables + [next]))
      default: throw error("'\(last)' is there already and is no list of tables", at: start)
      }
      return next
    }
    switch node[last] {
    case nil:
      let next = Node()
      next.hasHeader = true
      node.members.append((last, .table(next)))
      return next
    case .table(let next)? where !next.hasHeader && !next.isDotted && !next.isClosed:
      next.hasHeader = true
      return next
    default: throw error("The table '\(path.joined(separator: "."))' is there already", at: start)
    }
  }

  private static func replace(_ members: inout [(key: String, value: Item)], _ key: String, _ value: Item) {
    guard let index = members.firstIndex(where: { $0.key == key }) else { return }
    members[index].value = value
  }

  /// `a.b."c" = value`
  private mutating func keyValue(into table: Node, depth: Int) throws(TOMLError) {
    let start = at
    let path = try keyPath()
    guard peek() == UInt8(ascii: "=") else { throw error("Expected '=' behind a key") }
    at += 1
    skipBlanks()
    var node = table
    for key in path.dropLast() {
      switch node[key] {
      case nil:
        let next = Node()
        next.isDotted = true
        node.members.append((key, .table(next)))
        node = next
      case .table(let next)? where next.isDotted && !next.isClosed: node = next
      default: throw error("'\(key)' is there already", at: start)
      }
    }
    let last = path[path.count - 1]
    if node[last] != nil { throw error("The key '\(path.joined(separator: "."))' is there already", at: start) }
    node.members.append((last, try value(depth: depth)))
  }

  private mutating func keyPath() throws(TOMLError) -> [String] {
    var path: [String] = []
    while true {
      skipBlanks()
      path.append(try key())
      skipBlanks()
      guard peek() == UInt8(ascii: ".") else { return path }
      at += 1
    }
  }

  private mutating func key() throws(TOMLError) -> String {
    switch peek() {
    case UInt8(ascii: "\""):
      if isAt("\"\"\"") { throw error("A key is of one line") }
      return try basicString()
    case UInt8(ascii: "'"):
      if isAt("'''") { throw error("A key is of one line") }
      return try literalString()
    default:
      let start = at
      while let byte = peek(), TOMLParser.isBareKey(byte) { at += 1 }
      if at == start { throw error("Expected a key") }
      return String(decoding: bytes[start..<at], as: UTF8.self)
    }
  }

  private static func isBareKey(_ byte: UInt8) -> Bool {
    (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a || byte >= 0x30 && byte <= 0x39 || byte == 0x5f || byte == 0x2d
  }

  private static func value(_ node: Node) -> TOMLValue {
    .table(
      Dictionary(
        node.members.map { key, item in
          switch item {
          case .value(let value): (key, value)
          case .table(let table): (key, value(table))
          case .tables(let tables): (key, .array(tables.map(value)))
          }
        }, uniquingKeysWith: { first, _ in first }))
  }

  // MARK: Values

  private mutating func value(depth: Int) throws(TOMLError) -> Item {
    if depth > TOMLParser.deepest { throw error("Values are nested too deeply") }
    switch peek() {
    case UInt8(ascii: "\""): return .value(.string(isAt("\"\"\"") ? try multilineBasicString() : try basicString()))
    case UInt8(ascii: "'"): return .value(.string(isAt("'''") ? try multilineLiteralString() : try literalString()))
    case UInt8(ascii: "["): return .value(try array(depth: depth))
    case UInt8(ascii: "{"): return .table(try inlineTable(depth: depth))
    default: return .value(try scalar())
    }
  }

  private mutating func array(depth: Int) throws(TOMLError) -> TOMLValue {
    at += 1
    var items: [TOMLValue] = []
    while true {
      try skipSpace()
      if peek() == UInt8(ascii: "]") { break }
      switch try value(depth: depth + 1) {
      case .value(let value): items.append(value)
      case .table(let node): items.append(TOMLParser.value(node))
      case .tables: break
      }
      try skipSpace()
      if peek() == UInt8(ascii: "]") { break }
      guard peek() == UInt8(ascii: ",") else { throw error("Expected ',' or ']'") }
      at += 1
    }
    at += 1
    return .array(items)
  }

  private mutating func inlineTable(depth: Int) throws(TOMLError) -> Node {
    at += 1
    let table = Node()
    skipBlanks()
    if peek() != UInt8(ascii: "}") {
      while true {
        skipBlanks()
        try keyValue(into: table, depth: depth + 1)
        skipBlanks()
        if peek() == UInt8(ascii: "}") { break }
        guard peek() == UInt8(ascii: ",") else { throw error("Expected ',' or '}'") }
        at += 1
      }
    }
    at += 1
    TOMLParser.close(table)
    return table
  }

  private static func close(_ node: Node) {
    node.isClosed = true
    for case (_, .table(let inner)) in node.members { close(inner) }
  }

  // MARK: Texts

  private mutating func basicString() throws(TOMLError) -> String {
    at += 1
    var result: [UInt8] = []
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: "\""):
        at += 1
        return String(decoding: result, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(into: &result)
      case 0x09, 0x20..<0x7f, 0x80...:
        result.append(byte)
        at += 1
      default: throw error("A text ends on its line, and holds no control letters")
      }
    }
    throw error("The text is not closed")
  }

  private mutating func multilineBasicString() throws(TOMLError) -> String {
    at += 3
    _ = skipLineEnd()
    var result: [UInt8] = []
    while let byte = peek() {
      if isAt("\"\"\"") {
        at += 3
        // Up to two quotes may stand before the closing ones.
        for _ in 0..<2 where peek() == UInt8(ascii: "\"") {
          result.append(byte)
          at += 1
        }
        return String(decoding: result, as: UTF8.self)
      }
      switch byte {
      case UInt8(ascii: "\\"):
        // A backslash at the line's end takes the line end and all blanks behind it away.
        let start = at
        at += 1
        skipBlanks()
        if skipLineEnd() {
          while let next = peek(), next == 0x20 || next == 0x09 || next == 0x0a || (next == 0x0d && peek(1) == 0x0a) { at += 1 }
        } else {
          at = start
          try escape(into: &result)
        }
      case 0x0a, 0x09, 0x20..<0x7f, 0x80...:
        result.append(byte)
        at += 1
      case 0x0d where peek(1) == 0x0a:
        result.append(0x0a)
        at += 2
      default: throw error("A text holds no control letters")
      }
    }
    throw error("The text is not closed")
  }

  private mutating func literalString() throws(TOMLError) -> String {
    at += 1
    let start = at
    while let byte = peek() {
      if byte == UInt8(ascii: "'") {
        at += 1
        return String(decoding: bytes[start..<at - 1], as: UTF8.self)
      }
      if byte < 0x20 && byte != 0x09 || byte == 0x7f { throw error("A text ends on its line, and holds no control letters") }
      at += 1
    }
    throw error("The text is not closed")
  }

  private mutating func multilineLiteralString() throws(TOMLError) -> String {
    at += 3
    _ = skipLineEnd()
    var result: [UInt8] = []
    while let byte = peek() {
      if isAt("'''") {
        at += 3
        for _ in 0..<2 where peek() == UInt8(ascii: "'") {
          result.append(byte)
          at += 1
        }
        return String(decoding: result, as: UTF8.self)
      }
      switch byte {
      case 0x0a, 0x09, 0x20..<0x7f, 0x80...:
        result.append(byte)
        at += 1
      case 0x0d where peek(1) == 0x0a:
        result.append(0x0a)
        at += 2
      default: throw error("A text holds no control letters")
      }
    }
    throw error("The text is not closed")
  }

  private mutating func escape(into result: inout [UInt8]) throws(TOMLError) {
    let start = at
    at += 1
    let letter = peek()
    at += 1
    switch letter {
    case UInt8(ascii: "b"): result.append(0x08)
    case UInt8(ascii: "t"): result.append(0x09)
    case UInt8(ascii: "n"): result.append(0x0a)
    case UInt8(ascii: "f"): result.append(0x0c)
    case UInt8(ascii: "r"): result.append(0x0d)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): result.append(letter!)
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      let count = letter == UInt8(ascii: "u") ? 4 : 8
      var code: UInt32 = 0
      for _ in 0..<count {
        guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
          throw error("Expected \(count) hexadecimal digits", at: start)
        }
        code = code << 4 | UInt32(digit)
        at += 1
      }
      guard let scalar = Unicode.Scalar(code) else { throw error("No letter has that number", at: start) }
      result.append(contentsOf: Array(String(Character(scalar)).utf8))
    default: throw error("Unknown escape", at: start)
    }
  }

  // MARK: Numbers, dates, booleans

  private mutating func scalar() throws(TOMLError) -> TOMLValue {
    let start = at
    func isPart(_ byte: UInt8) -> Bool { TOMLParser.isBareKey(byte) || byte == 0x2b || byte == 0x2e || byte == 0x3a }
    while let byte = peek(), isPart(byte) { at += 1 }
    var text = String(decoding: bytes[start..<at], as: UTF8.self)
    if text.isEmpty { throw error("Expected a value") }
    // A blank may stand between date and time.
    if TOMLParser.isDate(text), peek() == 0x20, let hour = peek(1), hour >= 0x30, hour <= 0x39 {
      let before = at
      at += 1
      while let byte = peek(), isPart(byte) { at += 1 }
      let whole = String(decoding: bytes[start..<at], as: UTF8.self)
      if TOMLParser.isDateTime(whole) { text = whole } else { at = before }
    }
    switch text {
    case "true": return .boolean(true)
    case "false": return .boolean(false)
    case "inf", "+inf": return .double(.infinity)
    case "-inf": return .double(-.infinity)
    case "nan", "+nan", "-nan": return .double(.nan)
    default: break
    }
    if TOMLParser.isDateTime(text) { return .dateTime(text) }
    let digits = text.filter { $0 != "_" }
    for (prefix, radix, set) in [("0x", 16, "0123456789abcdefABCDEF"), ("0o", 8, "01234567"), ("0b", 2, "01")] where text.hasPrefix(prefix) {
      let number = text.dropFirst(2)
      guard TOMLParser.hasGoodUnderscores(number, set), let value = Int64(digits.dropFirst(2), radix: radix) else {
        throw error("'\(text)' is no whole number", at: start)
      }
      return .integer(value)
    }
    let unsigned = text.drop { $0 == "+" || $0 == "-" }
    guard text.count - unsigned.count <= 1 else { throw error("'\(text)' is no value", at: start) }
    if TOMLParser.isDecimal(unsigned) {
      guard let value = Int64(digits) else { throw error("'\(text)' does not fit in 64 bits", at: start) }
      return .integer(value)
    }
    if TOMLParser.isFloat(unsigned), let value = Double(digits) { return .double(value) }
    throw error("'\(text)' is no value; texts stand in quotes", at: start)
  }

  /// Digits with single underscores between them.
  private static func hasGoodUnderscores(_ text: some StringProtocol, _ digits: String) -> Bool {
    var last: Character = "_"
    for letter in text {
      if letter == "_" ? last == "_" : !digits.contains(letter) { return false }
      last = letter
    }
    return last != "_"
  }

  private static let decimalDigits = "0123456789"

  private static func isDecimal(_ text: some StringProtocol) -> Bool {
    hasGoodUnderscores(text, decimalDigits) && (text.count == 1 || text.first != "0")
  }

  private static func isFloat(_ text: Substring) -> Bool {
    let exponent = text.firstIndex { $0 == "e" || $0 == "E" }
    let mantissa = text[..<(exponent ?? text.endIndex)]
    if let exponent {
      var digits = text[text.index(after: exponent)...]
      if digits.first == "+" || digits.first == "-" { digits = digits.dropFirst() }
      guard hasGoodUnderscores(digits, decimalDigits) else { return false }
    }
    let parts = mantissa.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, isDecimal(parts[0]) else { return false }
    return parts.count == 1 ? exponent != nil : hasGoodUnderscores(parts[1], decimalDigits)
  }

  private static func isDate(_ text: String) -> Bool { text.utf8.count == 10 && isDateTime(text) && text.contains("-") }

  /// RFC 3339, its zone optional; or a date or a time alone.
  private static func isDateTime(_ text: String) -> Bool {
    var rest = Array(text.utf8)[...]
    func number(_ count: Int) -> Int? {
      let digits = rest.prefix(count)
      guard digits.count == count, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
      rest = rest.dropFirst(count)
      return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
    func take(_ letters: String) -> Bool {
      guard let first = rest.first, letters.utf8.contains(first) else { return false }
      rest = rest.dropFirst()
      return true
    }
    func time() -> Bool {
      guard let hour = number(2), hour < 24, take(":"), let minute = number(2), minute < 60, take(":"), let second = number(2), second <= 60
      else { return false }
      if take(".") {
        let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
        if digits.isEmpty { return false }
        rest = rest.dropFirst(digits.count)
      }
      return true
    }
    if text.utf8.count > 2, text.utf8.dropFirst(2).first == UInt8(ascii: ":") { return time() && rest.isEmpty }
    guard let year = number(4), take("-"), let month = number(2), (1...12).contains(month), take("-"), let day = number(2) else { return false }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard (1...lengths[month - 1]).contains(day) else { return false }
    if rest.isEmpty { return true }
    guard take("Tt "), time() else { return false }
    if rest.isEmpty || (take("Zz") && rest.isEmpty) { return true }
    guard take("+-"), let hour = number(2), hour < 24, take(":"), let minute = number(2), minute < 60 else { return false }
    return rest.isEmpty
  }
}
