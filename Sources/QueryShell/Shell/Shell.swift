import Glibc
package import QueryEngine

/// The interactive shell: statements of several lines until `;`, and commands.
package final class Shell {
  let session: Session
  let printer: StatementPrinter
  let settings: ShellSettings
  let history: StatementHistory
  let last = LastResult()
  /// The statement that ran last.
  var lastStatement = ""
  /// How deep files of statements read each other.
  var fileDepth = 0
  private let terminal: (any EditorTerminal)?
  private var editor: LineEditor?

  package init(_ session: Session, _ printer: StatementPrinter, _ settings: ShellSettings = ShellSettings()) {
    self.session = session
    self.printer = printer
    self.settings = settings
    history = StatementHistory(path: session.engine.configuration.home.map { $0 + "/history" })
    terminal = TerminalDevice()
    printer.lastResult = last
  }

  /// Reads and runs statements until the end of input or `\q`.
  package func run() -> Int32 {
    Interrupt.shared.install(isInteractive: true)
    apply()
    if settings.showsBanner { show("sqlq: Athena's SQL over files. Statements end with ;  \\? lists commands.") }
    var initial = ""
    while true {
      switch read(initial) {
      case .end:
        return 0
      case .interrupted(let discarded):
        if !discarded { show(settings.theme.paint("(\\q or Ctrl-D leaves)", .hint)) }
        initial = ""
      case .text(let text):
        initial = ""
        history.add(session.engine.recordable(text.trimmed))
        switch take(text) {
        case .leave: return 0
        case .edit(let next): initial = next
        case .goOn, .failed: break
        }
      }
    }
  }

  /// Sets what `\pset` would.
  ///
  /// - Returns: what is wrong with the name or the value.
  package func set(option name: String, _ value: String) -> String? {
    guard let option = ShellOption.all.first(where: { $0.name == name }) else {
      return "There is no setting '\(name)'. \(NameSuggestion.hint(for: name, among: ShellOption.all.map(\.name)) ?? "\\pset lists them.")"
    }
    return option.set(self, value) ? nil : "\(option.name) takes \(option.takes)."
  }

  /// Brings settings to where they work.
  func apply() {
    settings.theme = Theme.choose(settings.themeChoice, for: 1)
    printer.style.theme = settings.theme
    printer.usesPager = settings.usesPager
    if let terminal { editor = LineEditor(terminal, history, settings.theme, self) }
  }

  // MARK: Input

  private func read(_ initial: String) -> LineEditor.Outcome {
    var prompt = PaintedText("sqlq:\(TerminalText.printable(session.database))", .prompt)
    if settings.showsCost { prompt.append(" [\(StatusFooter.dollars(dollarsToday())) today]", .hint) }
    prompt.append("> ", .prompt)
    let width = TerminalText.width(String(prompt.letters))
    let continuation = PaintedText(String(repeating: " ", count: max(0, width - 3)) + "-> ", .hint)
    if let editor { return editor.read(prompt: prompt, continuation: continuation, initial: initial) }
    return readPlainly(String(prompt.letters), String(continuation.letters))
  }

  /// Lines as a dumb terminal sends them.
  private func readPlainly(_ prompt: String, _ continuation: String) -> LineEditor.Outcome {
    var text = ""
    while true {
      Descriptor.write(Array((text.isEmpty ? prompt : continuation).utf8), to: 2)
      guard let line = readLine() else { return text.isEmpty ? .end : .text(text) }
      text += (text.isEmpty ? "" : "\n") + line
      if isComplete(text) { return .text(text) }
    }
  }

  /// Dollars of today's statements, UTC.
  private func dollarsToday() -> Double {
    do throws(QueryError) { return try session.engine.workgroups.spent(.home, per: .day) } catch { return 0 }
  }

  // MARK: Running

  /// Runs a command or statements.
  @discardableResult
  func take(_ text: String) -> ShellCommand.Outcome {
    if let (name, argument) = ShellCommand.parse(text) { return runCommand(name, argument) }
    var outcome = ShellCommand.Outcome.goOn
    // After an error the session goes on with the next statement.
    for statement in Session.split(text).statements where run(statement) != 0 { outcome = .failed }
    return outcome
  }

  /// Runs a statement that the user wants to keep as the last one.
  ///
  /// - Returns: its exit code.
  @discardableResult
  func run(_ statement: String, at place: StatementPlace? = nil) -> Int32 {
    lastStatement = statement
    guard mayRun(statement) else { return Interrupt.exitCode }
    return printer.run(statement, at: place)
  }

  private func runCommand(_ name: String, _ argument: String) -> ShellCommand.Outcome {
    if let command = ShellCommand.named(name) { return command.run(argument, self) }
    let known = ShellCommand.all.flatMap(\.names)
    let near = NameSuggestion.nearest(to: name, among: known) ?? known.filter { $0.hasPrefix(name) }.min { $0.count < $1.count }
    complain("Unknown command \\\(name)." + (near.map { " Did you mean \\\($0)?" } ?? "") + " \\? lists commands.")
    return .failed
  }

  /// Asks before a statement that costs more than the user wants to spend unasked.
  private func mayRun(_ statement: String) -> Bool {
    guard let limit = settings.confirmAbove, terminal != nil else { return true }
    while true {
      var options = StatementOptions()
      options.isDryRun = true
      let rehearsal = session.queue(SQLStatement(statement, named: printer.usedParameters(statement)), options)
      do throws(QueryError) { try rehearsal.run(into: ResultCollector()) } catch { return true }
      let figures = rehearsal.statistics
      guard figures.dollars > limit else { return true }
      let size = StatusFooter.bytes(figures.bytesScanned, figures.unitBase)
      let most = figures.isExact ? "" : "up to "
      let answer = ask("This scans \(most)\(size) (\(StatusFooter.dollars(figures.dollars))). Run it? [y/N/e=explain] ")
      switch answer.lowercased() {
      case "y", "yes": return true
      case "e": _ = printer.run("EXPLAIN " + statement)
      default: return false
      }
    }
  }

  /// Asks a question on the terminal.
  func ask(_ question: String) -> String {
    Descriptor.write(Array(question.utf8), to: 2)
    return (readLine() ?? "").trimmed
  }

  // MARK: Saying

  func show(_ text: String) { Descriptor.print(text, to: 1) }
  func complain(_ text: String) { Descriptor.print(settings.theme.paint(TerminalText.printable(text, keepsLines: true), .error), to: 2) }

  func complain(_ error: QueryError) {
    Descriptor.print(ErrorRenderer.render(error, sql: nil, width: printer.errorWidth), to: 2)
  }
}

// MARK: What the editor asks

extension Shell: LineEditorDelegate {
  func isComplete(_ text: String) -> Bool {
    if ShellCommand.parse(text) != nil { return true }
    let (statements, isComplete) = Session.split(text)
    return statements.isEmpty || isComplete
  }

  func paint(_ text: String) -> PaintedText {
    if settings.theme.isPlain { return PaintedText(text) }
    return ShellCommand.parse(text) != nil ? PaintedText(text, .keyword) : SQLPainter.paint(text)
  }

  func completions(_ text: String, at offset: Int) -> Completions {
    let typed = String(decoding: Array(text.utf8).prefix(offset), as: UTF8.self)
    if typed.hasPrefix("\\") || typed.hasPrefix(".") { return CommandCompletion.completions(typed, self) }
    return session.completions(for: text, at: offset)
  }

  func hint(_ text: String, at offset: Int) -> String? {
    if let (name, argument) = ShellCommand.parse(text) {
      guard argument.isEmpty, let command = ShellCommand.named(name) else { return nil }
      return (command.usage ?? "\\" + name) + "  " + command.summary
    }
    session.prepareCompletions(for: text, at: offset)
    guard settings.showsHints, let help = session.functionHelp(for: text, at: offset) else { return nil }
    return help.signatures.prefix(3).joined(separator: "   ") + "   " + help.summary
  }
}

/// Candidates for commands and their arguments.
enum CommandCompletion {
  static func completions(_ typed: String, _ shell: Shell) -> Completions {
    let sign = String(typed.prefix(1))
    guard let (name, _) = ShellCommand.parse(typed), typed.contains(where: \.isWhitespace) else {
      let items = ShellCommand.all.flatMap { command in
        command.names.map { Completions.Item(sign + $0, kind: .command, detail: command.summary, suffix: " ") }
      }
      return Completions(items.filter { $0.text.hasPrefix(typed) }.sorted { $0.text < $1.text }, start: 0)
    }
    guard let command = ShellCommand.named(name) else { return Completions(start: typed.utf8.count) }
    let word = typed.reversed().prefix { !$0.isWhitespace }.reversed()
    let last = String(word)
    let start = typed.utf8.count - last.utf8.count
    func among(_ names: [String]) -> Completions {
      Completions(names.filter { $0.lowercased().hasPrefix(last.lowercased()) }.map { Completions.Item($0, kind: .value) }, start: start)
    }
    switch command.argument {
    case .none: return Completions(start: typed.utf8.count)
    case .names(let names): return among(names)
    case .format: return among(OutputFormat.allCases.map(\.rawValue))
    case .favourite: return among(shell.favouriteNames())
    case .function, .table:
      // As if it were typed in a statement.
      var isFunction = false
      if case .function = command.argument { isFunction = true }
      let text = (isFunction ? "SELECT " : "DESCRIBE ") + last
      var found = shell.session.completions(for: text, at: text.utf8.count)
      let shift = typed.utf8.count - text.utf8.count
      found.start += shift
      if isFunction { found.items = found.items.filter { $0.kind == .function } }
      found.items = found.items.map { Completions.Item($0.text, label: $0.label, kind: $0.kind, detail: $0.detail) }
      return found
    case .path:
      let text = "FROM '" + last
      var found = shell.session.completions(for: text, at: text.utf8.count)
      found.start += typed.utf8.count - text.utf8.count
      found.items = found.items.map { Completions.Item($0.text, label: $0.label, kind: $0.kind) }
      return found
    }
  }
}

extension StringProtocol {
  /// Without blanks at both ends.
  var trimmed: String { String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()) }
}
