/// What a user typed: one letter, or a key that does something.
enum Key: Hashable, Sendable {
  case character(Character)
  /// Text that was pasted, line feeds included.
  case paste(String)
  case enter, tab, backTab, backspace, delete, escape
  case left, right, up, down, home, end, pageUp, pageDown
  case wordLeft, wordRight
  /// A letter with Control: `c` for Ctrl-C.
  case control(Character)
  /// A letter or Enter (`\r`) with Alt.
  case alt(Character)
  /// A sequence that means nothing here.
  case unknown
}

/// Makes keys of the bytes that a terminal sends.
///
/// - Source: ECMA-48 control sequences as xterm sends them; bracketed paste.
struct KeyDecoder {
  /// The next byte: nil when none comes within the milliseconds, or ever (nil waits).
  typealias Source = (_ milliseconds: Int?) -> UInt8?

  /// How long the bytes behind an Escape may take; the key alone sends none.
  private static let escapeMilliseconds = 50

  /// The key that begins with `first`.
  static func key(_ first: UInt8, _ next: Source) -> Key {
    switch first {
    case 0x0d, 0x0a: return .enter
    case 0x09: return .tab
    case 0x7f, 0x08: return .backspace
    case 0x1b: return escaped(next)
    case 0x00: return .control(" ")
    case 0x01...0x1a: return .control(Character(Unicode.Scalar(first + 0x60)))
    case 0x1c...0x1f: return .control(Character(Unicode.Scalar(first + 0x40)))
    default: return letter(first, next).map { .character($0) } ?? .unknown
    }
  }

  /// A letter of UTF-8 that begins with `first`.
  private static func letter(_ first: UInt8, _ next: Source) -> Character? {
    if first < 0x80 { return Character(Unicode.Scalar(first)) }
    let count = first >= 0xf8 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1
    var bytes = [first]
    while bytes.count < count, let byte = next(escapeMilliseconds) { bytes.append(byte) }
    guard let text = String(validating: bytes, as: UTF8.self), text.count == 1 else { return nil }
    return text.first
  }

  private static func escaped(_ next: Source) -> Key {
    guard let second = next(escapeMilliseconds) else { return .escape }
    switch second {
    case UInt8(ascii: "["): return sequence(next)
    case UInt8(ascii: "O"):
      guard let third = next(escapeMilliseconds) else { return .alt("O") }
      return named(third, modifier: 1)
    case 0x0d, 0x0a: return .alt("\r")
    case 0x7f, 0x08: return .alt("\u{7f}")
    case 0x1b: return .escape
    default: return letter(second, next).map { .alt($0) } ?? .unknown
    }
  }

  /// Behind `ESC [`: numbers, then a letter.
  private static func sequence(_ next: Source) -> Key {
    var parameters: [Int] = []
    var number: Int?
    while let byte = next(escapeMilliseconds) {
      switch byte {
      case 0x30...0x39: number = min((number ?? 0) * 10 + Int(byte - 0x30), 1 << 20)
      case UInt8(ascii: ";"):
        parameters.append(number ?? 1)
        number = nil
      case 0x40...0x7e:
        parameters.append(number ?? 1)
        if byte != UInt8(ascii: "~") { return named(byte, modifier: parameters.count > 1 ? parameters[1] : 1) }
        return numbered(parameters[0], modifier: parameters.count > 1 ? parameters[1] : 1, next)
      case 0x20...0x3f: continue
      default: return .unknown
      }
    }
    return .unknown
  }

  /// A key whose sequence ends with a letter of its own. With Alt or Control (modifiers 3, 5, 7) arrows go by words.
  private static func named(_ letter: UInt8, modifier: Int) -> Key {
    let byWord = modifier == 3 || modifier == 5 || modifier == 7
    switch letter {
    case UInt8(ascii: "A"): return .up
    case UInt8(ascii: "B"): return .down
    case UInt8(ascii: "C"): return byWord ? .wordRight : .right
    case UInt8(ascii: "D"): return byWord ? .wordLeft : .left
    case UInt8(ascii: "H"): return .home
    case UInt8(ascii: "F"): return .end
    case UInt8(ascii: "Z"): return .backTab
    case UInt8(ascii: "M"): return .enter
    default: return .unknown
    }
  }

  private static func numbered(_ number: Int, modifier: Int, _ next: Source) -> Key {
    switch number {
    case 1, 7: return .home
    case 4, 8: return .end
    case 3: return .delete
    case 5: return .pageUp
    case 6: return .pageDown
    case 13: return modifier == 1 ? .enter : .alt("\r")
    case 200: return .paste(pasted(next))
    default: return .unknown
    }
  }

  /// Everything up to the end of a paste; carriage returns are line feeds.
  private static func pasted(_ next: Source) -> String {
    let end = Array("\u{1b}[201~".utf8)
    var bytes: [UInt8] = []
    while let byte = next(1000) {
      bytes.append(byte)
      if byte == end.last, bytes.count >= end.count, bytes.suffix(end.count).elementsEqual(end) {
        bytes.removeLast(end.count)
        break
      }
    }
    let text = String(decoding: bytes, as: UTF8.self).replacing("\r\n", with: "\n").replacing("\r", with: "\n")
    return String(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f || $0.value == 0x0a || $0.value == 0x09 }.map(Character.init))
  }
}
