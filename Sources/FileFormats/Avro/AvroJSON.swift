/// A small JSON document, as schemas are written in.
///
/// - Source: RFC 8259.
indirect enum AvroJSON: Sendable {
  case null
  case boolean(Bool)
  /// As written.
  case number(String)
  case string(String)
  case array([AvroJSON])
  case object([(key: String, value: AvroJSON)])

  subscript(key: String) -> AvroJSON? {
    if case .object(let members) = self { members.last { $0.key == key }?.value } else { nil }
  }
  var text: String? { if case .string(let text) = self { text } else { nil } }
  var elements: [AvroJSON]? { if case .array(let elements) = self { elements } else { nil } }
  var integer: Int? { if case .number(let text) = self { Int(text) } else { nil } }

  /// - Returns: nil when the text is no JSON document.
  init?(_ text: String) {
    var parser = AvroJSONParser(Array(text.utf8))
    guard let value = parser.value(0), parser.isAtEnd else { return nil }
    self = value
  }
}

private struct AvroJSONParser {
  private let bytes: [UInt8]
  private var at = 0
  private static let maximumDepth = 200

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool {
    mutating get {
      skipSpace()
      return at == bytes.count
    }
  }

  private mutating func skipSpace() {
    while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x0a || bytes[at] == 0x0d || bytes[at] == 0x09 { at += 1 }
  }

  private mutating func take(_ word: String) -> Bool {
    guard bytes[at...].starts(with: word.utf8) else { return false }
    at += word.utf8.count
    return true
  }

  mutating func value(_ depth: Int) -> AvroJSON? {
    skipSpace()
    guard at < bytes.count, depth < AvroJSONParser.maximumDepth else { return nil }
    switch bytes[at] {
    case UInt8(ascii: "{"): return object(depth)
    case UInt8(ascii: "["): return array(depth)
    case UInt8(ascii: "\""): return string().map { .string($0) }
    case UInt8(ascii: "t"): return take("true") ? .boolean(true) : nil
    case UInt8(ascii: "f"): return take("false") ? .boolean(false) : nil
    case UInt8(ascii: "n"): return take("null") ? .null : nil
    default:
      let start = at
      while at < bytes.count, "+-.eE0123456789".utf8.contains(bytes[at]) { at += 1 }
      let text = String(decoding: bytes[start..<at], as: UTF8.self)
      return Double(text) == nil ? nil : .number(text)
    }
  }

  private mutating func object(_ depth: Int) -> AvroJSON? {
    at += 1
    var members: [(key: String, value: AvroJSON)] = []
    skipSpace()
    if at < bytes.count, bytes[at] == UInt8(ascii: "}") {
      at += 1
      return .object([])
    }
    while true {
      skipSpace()
      guard at < bytes.count, bytes[at] == UInt8(ascii: "\""), let key = string() else { return nil }
      skipSpace()
      guard at < bytes.count, bytes[at] == UInt8(ascii: ":") else { return nil }
      at += 1
      guard let member = value(depth + 1) else { return nil }
      members.append((key, member))
      guard let isLast = separator(UInt8(ascii: "}")) else { return nil }
      if isLast { return .object(members) }
    }
  }

  private mutating func array(_ depth: Int) -> AvroJSON? {
    at += 1
    var elements: [AvroJSON] = []
    skipSpace()
    if at < bytes.count, bytes[at] == UInt8(ascii: "]") {
      at += 1
      return .array([])
    }
    while true {
      guard let element = value(depth + 1) else { return nil }
      elements.append(element)
      guard let isLast = separator(UInt8(ascii: "]")) else { return nil }
      if isLast { return .array(elements) }
    }
  }

  /// Takes a comma or the closing letter; whether it was the latter, nil when it was neither.
  private mutating func separator(_ closing: UInt8) -> Bool? {
    skipSpace()
    guard at < bytes.count else { return nil }
    defer { at += 1 }
    if bytes[at] == closing { return true }
    return bytes[at] == UInt8(ascii: ",") ? false : nil
  }

  private mutating func string() -> String? {
    at += 1
    var out: [UInt8] = []
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      if byte == UInt8(ascii: "\"") { return String(decoding: out, as: UTF8.self) }
      guard byte == UInt8(ascii: "\\") else {
        out.append(byte)
        continue
      }
      guard at < bytes.count else { return nil }
      let escape = bytes[at]
      at += 1
      switch escape {
      case UInt8(ascii: "n"): out.append(0x0a)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "r"): out.append(0x0d)
      case UInt8(ascii: "b"): out.append(0x08)
      case UInt8(ascii: "f"): out.append(0x0c)
      case UInt8(ascii: "u"):
        guard var code = unit() else { return nil }
        if code >> 10 == 0x36, take("\\u"), let low = unit() { code = 0x10000 + (code & 0x3ff) << 10 + (low & 0x3ff) }
        out += Array(String(Unicode.Scalar(code).map(Character.init) ?? "\u{fffd}").utf8)
      default: out.append(escape)
      }
    }
    return nil
  }

  private mutating func unit() -> UInt32? {
    guard at + 4 <= bytes.count else { return nil }
    defer { at += 4 }
    return UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
  }
}
