import QueryErrors

// MARK: - Names

extension Parser {
  /// Whether a name can start with this token.
  func isName(_ token: Token) -> Bool {
    switch token.kind {
    case .word:
      guard let keyword = token.keyword else { return true }
      return dialect == .hive || !keyword.isReserved
    case .quotedIdentifier, .backquotedIdentifier, .digitIdentifier: return true
    default: return false
    }
  }

  /// Parses one name.
  @inline(never)
  mutating func parseIdentifier() throws(Failure) -> Identifier {
    let token = self.token
    guard isName(token) else {
      record("<identifier>")
      throw Failure()
    }
    switch token.kind {
    case .quotedIdentifier:
      let name = unquote(token)
      if name.isEmpty { throw fail("Zero-length delimited identifier not allowed", at: token.range) }
      advance()
      return Identifier(name: name, isDelimited: true, range: token.range)
    case .backquotedIdentifier:
      if !allowsBackquotes {
        throw fail(
          "backquoted identifiers are not supported; use double quotes to quote identifiers", at: token.range)
      }
      let name = unquote(token)
      if name.isEmpty { throw fail("Zero-length delimited identifier not allowed", at: token.range) }
      advance()
      return Identifier(name: name, isDelimited: true, range: token.range)
    case .digitIdentifier where dialect != .hive:
      throw fail(
        "identifiers must not start with a digit; surround the identifier with double quotes", at: token.range)
    default:
      advance()
      return Identifier(name: string(of: token), range: token.range)
    }
  }

  /// Parses `a.b.c`.
  ///
  /// Hive's statements also take `` `a.b` `` for two parts.
  @inline(never)
  mutating func parseQualifiedName() throws(Failure) -> QualifiedName {
    let start = index
    var parts = [try parseIdentifier()]
    while accept(.dot) { parts.append(try parseIdentifier()) }
    if parts.count == 1, tokens[start].kind == .backquotedIdentifier, parts[0].name.utf8.contains(UInt8(ascii: ".")) {
      let range = parts[0].range
      let pieces = parts[0].name.split(separator: ".", omittingEmptySubsequences: false)
      if pieces.count <= 3, pieces.allSatisfy({ !$0.isEmpty }) {
        parts = pieces.map { Identifier(name: String($0), isDelimited: true, range: range) }
      }
    }
    return QualifiedName(parts: parts, range: range(from: start))
  }

  /// Parses `(a, b)`.
  @inline(never)
  mutating func parseColumnAliases() throws(Failure) -> [Identifier] {
    try parseParenthesizedList { (parser: inout Parser) throws(Failure) in try parser.parseIdentifier() }
  }
}

// MARK: - Strings

extension Parser {
  /// Whether the next token is a string, double-quoted ones in Hive's statements included.
  var isAtString: Bool {
    switch token.kind {
    case .string, .unicodeString: true
    case .quotedIdentifier: dialect == .hive
    default: false
    }
  }

  /// Parses a string literal.
  @inline(never)
  mutating func parseString() throws(Failure) -> StringSyntax {
    guard isAtString else {
      record("<string>")
      throw Failure()
    }
    let start = index
    let token = self.token
    advance()
    guard token.kind == .unicodeString else { return StringSyntax(value: unquote(token), range: token.range) }
    var escape: Unicode.Scalar = "\\"
    if accept(.uescape) {
      guard self.token.kind == .string else {
        record("<string>")
        throw Failure()
      }
      let written = unquote(self.token)
      let range = self.token.range
      advance()
      guard let scalar = written.unicodeScalars.first, written.unicodeScalars.count == 1 else {
        throw fail(written.isEmpty ? "Empty Unicode escape character" : "Invalid Unicode escape character", at: range)
      }
      let isTaken = scalar.properties.numericType != nil || scalar == "+" || scalar == "'" || scalar == "\""
      if isTaken || scalar.value < 0x21 || (scalar.value | 0x20 >= 0x61 && scalar.value | 0x20 <= 0x66) {
        throw fail("Invalid Unicode escape character", at: range)
      }
      escape = scalar
    }
    return StringSyntax(value: try decodeUnicode(token, escape), range: range(from: start))
  }

  /// A quoted token's text without its quotes and escapes.
  func unquote(_ token: Token) -> String {
    let start = Int(token.startOffset) + (token.kind == .unicodeString ? 2 : 0)
    let quote = text[start]
    let body = text[(start + 1)..<(Int(token.endOffset) - 1)]
    let escapes = dialect == .hive && quote != UInt8(ascii: "`")
    if !body.contains(where: { $0 == quote || (escapes && $0 == UInt8(ascii: "\\")) }) {
      return String(decoding: body, as: UTF8.self)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(body.count)
    var position = body.startIndex
    while position < body.endIndex {
      let byte = body[position]
      position += 1
      if byte == quote {
        if position < body.endIndex, body[position] == quote { position += 1 }
        bytes.append(quote)
      } else if escapes, byte == UInt8(ascii: "\\"), position < body.endIndex {
        position = appendHiveEscape(body, position, to: &bytes)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends what the escape whose second byte is at `position` stands for, and returns the position after it.
  ///
  /// - Source: Hive `BaseSemanticAnalyzer.unescapeSQLString`.
  private func appendHiveEscape(_ body: ArraySlice<UInt8>, _ position: Int, to bytes: inout [UInt8]) -> Int {
    let byte = body[position]
    if byte == UInt8(ascii: "u"), position + 4 < body.endIndex,
      let value = hexadecimal(body[(position + 1)...(position + 4)])
    {
      if let scalar = Unicode.Scalar(value) {
        bytes.append(contentsOf: String(Character(scalar)).utf8)
        return position + 5
      }
    }
    if byte >= 0x30, byte <= 0x31, position + 2 < body.endIndex {
      let digits = body[position...(position + 2)]
      if digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x37 }) {
        let value = digits.reduce(UInt32(0)) { $0 * 8 + UInt32($1 - 0x30) }
        bytes.append(UInt8(truncatingIfNeeded: value))
        return position + 3
      }
    }
    switch byte {
    case UInt8(ascii: "0"): bytes.append(0)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "Z"): bytes.append(0x1A)
    case UInt8(ascii: "%"), UInt8(ascii: "_"): bytes += [UInt8(ascii: "\\"), byte]
    default: bytes.append(byte)
    }
    return position + 1
  }

  private func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt32? {
    var value: UInt32 = 0
    for digit in digits {
      guard let nibble = Parser.nibble(digit) else { return nil }
      value = value << 4 | UInt32(nibble)
    }
    return value
  }

  private static func nibble(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }

  /// Undoes `\XXXX`, `\+XXXXXX` and doubled escapes.
  ///
  /// - Source: Trino `AstBuilder.decodeUnicodeLiteral`.
  private mutating func decodeUnicode(_ token: Token, _ escape: Unicode.Scalar) throws(Failure) -> String {
    let scalars = Array(unquote(token).unicodeScalars)
    var result = String.UnicodeScalarView()
    var position = 0
    while position < scalars.count {
      guard scalars[position] == escape else {
        result.append(scalars[position])
        position += 1
        continue
      }
      position += 1
      guard position < scalars.count else { throw fail("Incomplete escape sequence: ", at: token.range) }
      if scalars[position] == escape {
        result.append(escape)
        position += 1
        continue
      }
      var digitCount = 4
      if scalars[position] == "+" {
        digitCount = 6
        position += 1
      }
      guard position + digitCount <= scalars.count else {
        var rest = String.UnicodeScalarView()
        rest.append(contentsOf: scalars[position...])
        throw fail("Incomplete escape sequence: \(String(rest))", at: token.range)
      }
      var value: UInt32 = 0
      for scalar in scalars[position..<(position + digitCount)] {
        guard scalar.isASCII, let nibble = Parser.nibble(UInt8(truncatingIfNeeded: scalar.value)) else {
          throw fail("Invalid hexadecimal digit: \(scalar)", at: token.range)
        }
        value = value << 4 | UInt32(nibble)
      }
      guard let decoded = Unicode.Scalar(value) else {
        throw fail("Invalid escaped character: \(String(value, radix: 16))", at: token.range)
      }
      result.append(decoded)
      position += digitCount
    }
    return String(result)
  }
}

// MARK: - Numbers and other literals

extension Parser {
  /// Whether the token is a number.
  func isNumber(_ token: Token) -> Bool {
    token.kind == .integer || token.kind == .decimal || token.kind == .double
  }

  /// Parses a number with the minus that may stand before it.
  @inline(never)
  mutating func parseNumber() throws(Failure) -> LiteralSyntax {
    let start = index
    let isNegative = token.kind == .minus
    if isNegative { advance() }
    let token = self.token
    advance()
    let range = range(from: start)
    let written = (isNegative ? "-" : "") + string(of: token)
    switch token.kind {
    case .integer:
      guard let value = Parser.integer(written) else { throw fail("Invalid numeric literal: \(written)", at: range) }
      return LiteralSyntax(value: .integer(value), range: range)
    case .decimal: return LiteralSyntax(value: .decimal(written.filter { $0 != "_" }), range: range)
    default: return LiteralSyntax(value: .double(written.filter { $0 != "_" }), range: range)
    }
  }

  /// Parses an unsigned integer where the grammar wants nothing else.
  @inline(never)
  mutating func parseInteger() throws(Failure) -> Int64 {
    guard token.kind == .integer else {
      record("<integer>")
      throw Failure()
    }
    let written = string(of: token)
    guard let value = Parser.integer(written) else {
      throw fail("Invalid numeric literal: \(written)", at: token.range)
    }
    advance()
    return value
  }

  /// The value of `1_000`, `0xFF`, `0o17`, `0b01` with an optional minus; nil beyond 64 bits.
  private static func integer(_ written: String) -> Int64? {
    var digits = Substring(written.contains("_") ? written.filter { $0 != "_" } : written)
    let isNegative = digits.first == "-"
    if isNegative { digits = digits.dropFirst() }
    var radix = 10
    if digits.utf8.count > 2, digits.first == "0" {
      switch digits.dropFirst().first {
      case "x", "X": radix = 16
      case "o", "O": radix = 8
      case "b", "B": radix = 2
      default: break
      }
    }
    if radix != 10 { digits = digits.dropFirst(2) }
    return Int64((isNegative ? "-" : "") + digits, radix: radix)
  }

  /// Parses `X'…'`.
  @inline(never)
  mutating func parseBinary() throws(Failure) -> LiteralSyntax {
    let token = self.token
    advance()
    var bytes: [UInt8] = []
    var high: UInt8?
    for byte in text[(Int(token.startOffset) + 2)..<(Int(token.endOffset) - 1)] {
      if byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { continue }
      guard let nibble = Parser.nibble(byte) else {
        throw fail("Binary literal can only contain hexadecimal digits", at: token.range)
      }
      if let first = high {
        bytes.append(first << 4 | nibble)
        high = nil
      } else {
        high = nibble
      }
    }
    if high != nil { throw fail("Binary literal must contain an even number of digits", at: token.range) }
    return LiteralSyntax(value: .binary(bytes), range: token.range)
  }

  /// Whether `INTERVAL` here starts a literal.
  var isAtIntervalLiteral: Bool {
    guard token.keyword == .interval else { return false }
    let next = peek(1).kind
    if next == .string || next == .unicodeString { return true }
    return (next == .plus || next == .minus) && (peek(2).kind == .string || peek(2).kind == .unicodeString)
  }

  /// Parses `INTERVAL '1' DAY`.
  @inline(never)
  mutating func parseInterval() throws(Failure) -> IntervalLiteralSyntax {
    let start = index
    try expect(.interval)
    let isNegative = accept(.minus)
    if !isNegative { _ = accept(.plus) }
    let text = try parseString().value
    let from = try parseIntervalField()
    let to = accept(.to) ? try parseIntervalField() : nil
    return IntervalLiteralSyntax(isNegative: isNegative, text: text, from: from, to: to, range: range(from: start))
  }

  @inline(never)
  mutating func parseIntervalField() throws(Failure) -> IntervalField {
    if accept(.year) { return .year }
    if accept(.month) { return .month }
    if accept(.day) { return .day }
    if accept(.hour) { return .hour }
    if accept(.minute) { return .minute }
    if accept(.second) { return .second }
    throw Failure()
  }
}
