/// One element of an XML document with what it holds: S3's and STS' answers, which are small.
///
/// Names lose their prefix; attributes, comments and processing instructions are passed over. Document types are refused,
/// so no entity is ever defined.
package struct XMLElement: Sendable {
  package var name: String
  package var text = ""
  package var children: [XMLElement] = []

  /// The first child of a name.
  package subscript(_ name: String) -> XMLElement? { children.first { $0.name == name } }

  /// The text of the first child of a name.
  package func text(of name: String) -> String? { self[name]?.text }

  /// The document's element, or nil when the bytes are no XML.
  package static func parse(_ bytes: [UInt8]) -> XMLElement? {
    var parser = XMLParser(bytes: bytes)
    return parser.document()
  }
}

/// - Source: Extensible Markup Language (XML) 1.0, without document types.
private struct XMLParser {
  let bytes: [UInt8]
  var at = 0

  private static let maximumDepth = 32

  mutating func document() -> XMLElement? {
    var open: [XMLElement] = []
    while at < bytes.count {
      guard bytes[at] == UInt8(ascii: "<") else {
        guard let text = characters() else { return nil }
        if !open.isEmpty { open[open.count - 1].text += text }
        continue
      }
      if skip("<?") {
        guard skip(past: "?>") else { return nil }
      } else if skip("<!--") {
        guard skip(past: "-->") else { return nil }
      } else if skip("<![CDATA[") {
        let start = at
        guard skip(past: "]]>"), !open.isEmpty else { return nil }
        open[open.count - 1].text += String(decoding: bytes[start..<at - 3], as: UTF8.self)
      } else if skip("<!") {
        return nil
      } else if skip("</") {
        let name = name()
        guard skip(past: ">"), let element = open.popLast(), element.name == name else { return nil }
        if open.isEmpty { return element }
        open[open.count - 1].children.append(element)
      } else {
        at += 1
        let element = XMLElement(name: name())
        guard !element.name.isEmpty, open.count < XMLParser.maximumDepth, let isEmpty = endOfTag() else { return nil }
        if !isEmpty {
          open.append(element)
        } else if open.isEmpty {
          return element
        } else {
          open[open.count - 1].children.append(element)
        }
      }
    }
    return nil
  }

  private mutating func skip(_ text: String) -> Bool {
    guard bytes[at...].starts(with: text.utf8) else { return false }
    at += text.utf8.count
    return true
  }

  private mutating func skip(past text: String) -> Bool {
    while at < bytes.count {
      if skip(text) { return true }
      at += 1
    }
    return false
  }

  private mutating func name() -> String {
    var start = at
    while at < bytes.count, !" \t\r\n/>".utf8.contains(bytes[at]) {
      if bytes[at] == UInt8(ascii: ":") { start = at + 1 }
      at += 1
    }
    return String(decoding: bytes[start..<at], as: UTF8.self)
  }

  /// Passes over attributes; whether the element ends with its tag.
  private mutating func endOfTag() -> Bool? {
    var quote: UInt8?
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      if let open = quote {
        if byte == open { quote = nil }
      } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        quote = byte
      } else if byte == UInt8(ascii: ">") {
        return bytes[at - 2] == UInt8(ascii: "/")
      }
    }
    return nil
  }

  private mutating func characters() -> String? {
    var out: [UInt8] = []
    while at < bytes.count, bytes[at] != UInt8(ascii: "<") {
      if bytes[at] == UInt8(ascii: "&") {
        guard let scalar = reference() else { return nil }
        out += Array(String(scalar).utf8)
      } else {
        out.append(bytes[at])
        at += 1
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  private mutating func reference() -> Unicode.Scalar? {
    guard let end = bytes[at...].prefix(12).firstIndex(of: UInt8(ascii: ";")) else { return nil }
    let name = String(decoding: bytes[at + 1..<end], as: UTF8.self)
    at = end + 1
    switch name {
    case "amp": return "&"
    case "lt": return "<"
    case "gt": return ">"
    case "quot": return "\""
    case "apos": return "'"
    default:
      if name.hasPrefix("#x") { return UInt32(name.dropFirst(2), radix: 16).flatMap(Unicode.Scalar.init) }
      if name.hasPrefix("#") { return UInt32(name.dropFirst(1)).flatMap(Unicode.Scalar.init) }
      return nil
    }
  }
}
