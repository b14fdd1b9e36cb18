/// Text on a terminal: how wide it is, and what of it must not reach one raw.
///
/// Values, names and error messages come from data: an escape code in them would colour, clear or rename the terminal, and
/// a direction override would show them backwards.
package enum TerminalText {
  /// The text with a visible letter for each control letter: C0 and DEL as their pictures, C1 and direction overrides as `�`.
  ///
  /// - Parameter keepsLines: whether line feeds and tabs stay; otherwise they are shown as `⏎` and `⇥`.
  package static func printable(_ text: String, keepsLines: Bool = false) -> String {
    guard text.utf8.contains(where: mayBeginControl) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let isKept = keepsLines && (scalar.value == 0x0a || scalar.value == 0x09)
      result.append(isKept ? scalar : picture(scalar))
    }
    return String(result)
  }

  /// Whether a byte of UTF-8 is a control letter or begins one.
  private static func mayBeginControl(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == 0x7f || byte == 0xc2 || byte == 0xe2 || byte == 0xd8
  }

  private static func picture(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    switch scalar.value {
    case 0x0a: "⏎"
    case 0x09: "⇥"
    case 0..<0x20: Unicode.Scalar(0x2400 + scalar.value) ?? "�"
    case 0x7f: "␡"
    // C1 controls; marks, embeddings, overrides and isolates of direction; line and paragraph separators.
    case 0x80...0x9f, 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: "�"
    default: scalar
    }
  }

  /// Terminal columns that a text takes: 2 for wide East Asian letters and emoji, 0 for combining marks.
  package static func width(_ text: some StringProtocol) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.reduce(0) { $0 + width($1) }
  }

  /// Terminal columns of one letter with its marks.
  package static func width(_ character: Character) -> Int {
    var result = 0
    for scalar in character.unicodeScalars {
      // A variation selector asks for the emoji picture of the letter before it.
      if scalar.value == 0xfe0f { return result == 0 ? 0 : 2 }
      result = max(result, width(scalar))
    }
    return result
  }

  /// - Source: Unicode Standard Annex #11, East Asian Width: wide and fullwidth; marks and format letters take no room.
  private static func width(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0x20..<0x7f: return 1
    case 0..<0x20, 0x7f..<0xa0: return 0
    case 0xa0..<0x300: return scalar.value == 0xad ? 0 : 1
    case 0x1100...0x115f, 0x2329...0x232a, 0x2e80...0x303e, 0x3041...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3,
      0xf900...0xfaff, 0xfe10...0xfe19, 0xfe30...0xfe6f, 0xff01...0xff60, 0xffe0...0xffe6, 0x16fe0...0x18cff,
      0x1aff0...0x1b2ff, 0x1f200...0x1f2ff, 0x20000...0x3fffd:
      return scalar.properties.generalCategory == .nonspacingMark ? 0 : 2
    // Vowels and ends of Korean syllables join the letter before.
    case 0x1160...0x11ff, 0xd7b0...0xd7ff: return 0
    default: break
    }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: return scalar.properties.isEmojiPresentation ? 2 : 1
    }
  }

  /// The beginning of a text that takes at most `width` columns, with `…` at its end where something is left out.
  package static func cut(_ text: String, to width: Int) -> String {
    if self.width(text) <= width { return text }
    var result = ""
    var used = 0
    for character in text {
      let next = self.width(character)
      if used + next > width - 1 { break }
      result.append(character)
      used += next
    }
    return result + "…"
  }
}
