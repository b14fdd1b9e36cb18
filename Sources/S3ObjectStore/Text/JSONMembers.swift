/// The string members of a flat JSON object: what programs and services that hand out credentials answer.
enum JSONMembers {
  /// Members whose values are strings or numbers, by name; nil when the bytes are no JSON object.
  static func parse(_ bytes: [UInt8]) -> [String: String]? {
    var at = 0
    var members: [String: String] = [:]
    func space() { while at < bytes.count, " \t\r\n".utf8.contains(bytes[at]) { at += 1 } }
    func string() -> String? {
      guard at < bytes.count, bytes[at] == 0x22 else { return nil }
      at += 1
      var out: [UInt8] = []
      while at < bytes.count, bytes[at] != 0x22 {
        guard bytes[at] == 0x5c else {
          out.append(bytes[at])
          at += 1
          continue
        }
        guard at + 1 < bytes.count else { return nil }
        let escape = bytes[at + 1]
        at += 2
        switch escape {
        case UInt8(ascii: "n"): out.append(0x0a)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "r"): out.append(0x0d)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0c)
        case UInt8(ascii: "u"):
          guard at + 4 <= bytes.count, let code = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16),
            let scalar = Unicode.Scalar(code)
          else { return nil }
          at += 4
          out += Array(String(scalar).utf8)
        default: out.append(escape)
        }
      }
      guard at < bytes.count else { return nil }
      at += 1
      return String(decoding: out, as: UTF8.self)
    }
    /// Passes over any value; the text of strings and bare words.
    func value() -> String? {
      space()
      guard at < bytes.count else { return nil }
      if bytes[at] == 0x22 { return string() }
      if bytes[at] == UInt8(ascii: "{") || bytes[at] == UInt8(ascii: "[") {
        var depth = 0
        repeat {
          guard at < bytes.count else { return nil }
          switch bytes[at] {
          case 0x22:
            guard string() != nil else { return nil }
            continue
          case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
          case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
          default: break
          }
          at += 1
        } while depth > 0
        return ""
      }
      let start = at
      while at < bytes.count, !",} \t\r\n".utf8.contains(bytes[at]) { at += 1 }
      return String(decoding: bytes[start..<at], as: UTF8.self)
    }
    space()
    guard at < bytes.count, bytes[at] == UInt8(ascii: "{") else { return nil }
    at += 1
    space()
    if at < bytes.count, bytes[at] == UInt8(ascii: "}") { return members }
    while true {
      space()
      guard let name = string() else { return nil }
      space()
      guard at < bytes.count, bytes[at] == UInt8(ascii: ":") else { return nil }
      at += 1
      guard let text = value() else { return nil }
      members[name] = text
      space()
      guard at < bytes.count else { return nil }
      if bytes[at] == UInt8(ascii: "}") { return members }
      guard bytes[at] == UInt8(ascii: ",") else { return nil }
      at += 1
    }
  }
}
