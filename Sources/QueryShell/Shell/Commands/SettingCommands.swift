import QueryEngine

extension ShellCommand {
  /// How the shell works and results look.
  nonisolated(unsafe) static let settingCommands: [ShellCommand] = [
    ShellCommand("mode", "format", usage: "\\mode [FORMAT]", "how rows are printed: table, csv, json, markdown …", argument: .format) {
      argument, shell in
      if argument.isEmpty {
        shell.show("The format is \(shell.printer.format.rawValue).")
      } else if let format = OutputFormat(rawValue: argument) {
        shell.printer.format = format
        return .goOn
      }
      shell.show("Formats: " + OutputFormat.allCases.map(\.rawValue).joined(separator: ", "))
      return argument.isEmpty ? .goOn : .failed
    },
    ShellCommand("x", usage: "\\x [on|off|auto]", "a line per value: always, never, where rows do not fit", argument: .names(["on", "off", "auto"])) {
      argument, shell in
      let current = shell.printer.style.expanded
      guard let next = argument.isEmpty ? (current == .on ? .auto : .on) : DisplayStyle.Expanded(rawValue: argument.lowercased()) else {
        shell.complain("\\x on, off or auto")
        return .failed
      }
      shell.printer.style.expanded = next
      shell.show("A line per value: \(next.rawValue).")
      return .goOn
    },
    ShellCommand("timing", "timer", usage: "\\timing [on|off]", "time, bytes and cost below results", argument: .names(["on", "off"])) {
      argument, shell in
      guard let isOn = onOff(argument, shell.printer.showsFooter, shell) else { return .failed }
      shell.printer.showsFooter = isOn
      shell.show("Timing is \(isOn ? "on" : "off").")
      return .goOn
    },
    ShellCommand("set", usage: "\\set [NAME VALUE]", "a value for :NAME in statements; lists them; \\unset NAME") { argument, shell in
      shell.setParameter(argument)
    },
    ShellCommand("unset", usage: nil, "forgets a parameter") { argument, shell in
      if shell.printer.parameters.removeValue(forKey: argument) != nil { return .goOn }
      shell.complain("There is no parameter '\(argument)'.")
      return .failed
    },
    ShellCommand("pset", usage: "\\pset [NAME VALUE]", "a setting; lists them", argument: .names(ShellOption.all.map(\.name))) { argument, shell in
      shell.setOption(words(argument))
    },
    ShellCommand("q", "quit", "exit", usage: "\\q", "leaves (also Ctrl-D)") { _, _ in .leave },
  ]

  static func onOff(_ text: String, _ current: Bool, _ shell: Shell) -> Bool? {
    switch text.lowercased() {
    case "": return !current
    case "on", "true", "1": return true
    case "off", "false", "0": return false
    default:
      shell.complain("on or off")
      return nil
    }
  }
}

extension Shell {
  fileprivate func setParameter(_ argument: String) -> ShellCommand.Outcome {
    if argument.isEmpty {
      if printer.parameters.isEmpty { show("No parameters; \\set NAME VALUE sets one for :NAME.") }
      for (name, value) in printer.parameters.sorted(by: { $0.key < $1.key }) { show(":\(name) = \(ParameterText.text(value))") }
      return .goOn
    }
    let name = argument.prefix { !$0.isWhitespace && $0 != "=" }
    var value = argument.dropFirst(name.count).drop { $0.isWhitespace }
    if value.first == "=" { value = value.dropFirst().drop { $0.isWhitespace } }
    guard let (name, parameter) = ParameterText.parse(name + "=" + value), !value.isEmpty else {
      complain("\\set NAME VALUE: a name of letters, digits and _, and a value")
      return .failed
    }
    printer.parameters[name] = parameter
    return .goOn
  }

  fileprivate func setOption(_ words: [String]) -> ShellCommand.Outcome {
    guard let name = words.first else {
      let width = (ShellOption.all.map(\.name.count).max() ?? 0) + 2
      for option in ShellOption.all {
        let padded = option.name + String(repeating: " ", count: width - option.name.count)
        show("\(padded)\(option.value(self))" + settings.theme.paint("  \(option.summary)", .hint))
      }
      return .goOn
    }
    if words.count == 1, let option = ShellOption.all.first(where: { $0.name == name }) {
      show("\(option.name) is \(option.value(self)).")
      return .goOn
    }
    if let problem = set(option: name, words.dropFirst().joined(separator: " ")) {
      complain(problem)
      return .failed
    }
    apply()
    return .goOn
  }
}

/// One setting: in the configuration file under `[shell]`, and behind `\pset`.
struct ShellOption {
  let name: String
  let takes: String
  let summary: String
  let value: (Shell) -> String
  /// - Returns: false for a value it does not take.
  let set: (Shell, String) -> Bool

  private static func flag(_ name: String, _ summary: String, get: @escaping (Shell) -> Bool, set: @escaping (Shell, Bool) -> Void) -> ShellOption {
    ShellOption(name: name, takes: "on or off", summary: summary, value: { get($0) ? "on" : "off" }) { shell, text in
      switch text.lowercased() {
      case "on", "true": set(shell, true)
      case "off", "false": set(shell, false)
      default: return false
      }
      return true
    }
  }

  private static func count(_ name: String, _ summary: String, get: @escaping (Shell) -> Int, set: @escaping (Shell, Int) -> Void) -> ShellOption {
    ShellOption(name: name, takes: "a number from 0 to 1000000", summary: summary, value: { "\(get($0))" }) { shell, text in
      guard let number = Int(text), (0...1_000_000).contains(number) else { return false }
      set(shell, number)
      return true
    }
  }

  nonisolated(unsafe) static let all: [ShellOption] = [
    ShellOption(
      name: "format", takes: "one of " + OutputFormat.allCases.map(\.rawValue).joined(separator: ", "), summary: "how rows are printed",
      value: { $0.printer.format.rawValue }
    ) { shell, text in
      guard let format = OutputFormat(rawValue: text) else { return false }
      shell.printer.format = format
      return true
    },
    ShellOption(
      name: "theme", takes: "auto, dark, light or none", summary: "colours", value: { $0.settings.themeChoice.rawValue }
    ) { shell, text in
      guard let choice = Theme.Choice(rawValue: text) else { return false }
      shell.settings.themeChoice = choice
      return true
    },
    ShellOption(
      name: "expanded", takes: "auto, on or off", summary: "a line per value", value: { $0.printer.style.expanded.rawValue }
    ) { shell, text in
      guard let choice = DisplayStyle.Expanded(rawValue: text) else { return false }
      shell.printer.style.expanded = choice
      return true
    },
    ShellOption(name: "null", takes: "a text", summary: "what stands for NULL", value: { $0.printer.style.null }) { shell, text in
      shell.printer.style.null = TerminalText.printable(text)
      return true
    },
    flag("types", "types under column names", get: { $0.printer.style.showsTypes }) { $0.printer.style.showsTypes = $1 },
    flag("grouping", "digits in groups of three", get: { $0.printer.style.groupsDigits }) { $0.printer.style.groupsDigits = $1 },
    count("head", "first rows shown of a large result", get: { $0.printer.style.headRowCount }) { $0.printer.style.headRowCount = $1 },
    count("tail", "last rows shown of a large result", get: { $0.printer.style.tailRowCount }) { $0.printer.style.tailRowCount = $1 },
    flag("pager", "results higher than the screen page by page", get: { $0.settings.usesPager }) { $0.settings.usesPager = $1 },
    flag("footer", "time, bytes and cost below results", get: { $0.printer.showsFooter }) { $0.printer.showsFooter = $1 },
    flag("hints", "the signature of the function being typed", get: { $0.settings.showsHints }) { $0.settings.showsHints = $1 },
    flag("cost", "what today's statements cost, in the prompt", get: { $0.settings.showsCost }) { $0.settings.showsCost = $1 },
    ShellOption(
      name: "confirm_above", takes: "dollars such as 0.50, or off", summary: "asks before a statement that costs more",
      value: { $0.settings.confirmAbove.map { StatusFooter.dollars($0) } ?? "off" }
    ) { shell, text in
      if text == "off" {
        shell.settings.confirmAbove = nil
        return true
      }
      guard let amount = Double(text.hasPrefix("$") ? String(text.dropFirst()) : text), amount >= 0 else { return false }
      shell.settings.confirmAbove = amount
      return true
    },
  ]
}
