import Glibc

/// The colours of the shell: on dark and on light terminals, or none.
package struct Theme: Sendable, Hashable {
  /// What is coloured.
  package enum Role: Hashable, Sendable, CaseIterable {
    case keyword, function, string, number, comment, parameter, name, error
    case null, header, type, rule, hint, prompt, good, selection, bracket
  }

  /// Which colours fit the terminal.
  package enum Choice: String, CaseIterable, Sendable { case auto, dark, light, none }

  private let codes: [Role: String]

  /// Whether nothing is coloured.
  package var isPlain: Bool { codes.isEmpty }

  package static let none = Theme(codes: [:])
  /// The sixteen colours that every terminal has and its user has chosen.
  package static let dark = Theme(codes: [
    .keyword: "1;94", .function: "96", .string: "92", .number: "93", .comment: "90", .parameter: "95", .name: "97",
    .error: "91", .null: "2", .header: "1", .type: "2", .rule: "90", .hint: "90", .prompt: "1;92", .good: "92",
    .selection: "7", .bracket: "1;4",
  ])
  package static let light = Theme(codes: [
    .keyword: "1;34", .function: "36", .string: "32", .number: "31", .comment: "90", .parameter: "35", .name: "30",
    .error: "31", .null: "2", .header: "1", .type: "2", .rule: "90", .hint: "90", .prompt: "1;32", .good: "32",
    .selection: "7", .bracket: "1;4",
  ])

  /// The text in the colour of a role.
  package func paint(_ text: String, _ role: Role) -> String {
    guard let code = codes[role], !text.isEmpty else { return text }
    return "\u{1b}[\(code)m\(text)\u{1b}[0m"
  }

  /// The theme for a file descriptor.
  ///
  /// - Source: no-color.org: any value of NO_COLOR means none. `COLORFGBG` (rxvt, Konsole) tells the background.
  package static func choose(_ choice: Choice, for descriptor: Int32) -> Theme {
    guard isatty(descriptor) == 1, environment("TERM") ?? "dumb" != "dumb" else { return .none }
    if choice == .none || !(environment("NO_COLOR") ?? "").isEmpty { return .none }
    switch choice {
    case .light: return .light
    case .dark: return .dark
    default:
      let background = environment("COLORFGBG")?.split(separator: ";").last.flatMap { Int($0) } ?? 0
      return background == 7 || background > 8 ? .light : .dark
    }
  }

  static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
