import Glibc
package import QueryEngine

/// The interactive shell: statements over several lines until `;`.
package final class Shell {
  private let session: Session
  private let printer: StatementPrinter
  private let editor: LineEditor

  package init(_ session: Session, _ printer: StatementPrinter) {
    self.session = session
    self.printer = printer
    editor = LineEditor(historyPath: session.engine.configuration.home.map { $0 + "/history" })
  }

  /// Reads and runs statements until the end of input or `.exit`.
  package func run() -> Int32 {
    Interrupt.shared.install(isInteractive: true)
    Swift.print("sqlq: Athena's SQL over local files. Statements end with ;  .help lists commands.")
    var pending = ""
    while true {
      let prompt = pending.isEmpty ? "sqlq:\(session.database)> " : "     -> "
      guard let line = editor.readLine(prompt: prompt, words: words()) else {
        Swift.print()
        return 0
      }
      if pending.isEmpty, line.hasPrefix(".") {
        editor.remember(line)
        if !runCommand(line) { return 0 }
        continue
      }
      pending += pending.isEmpty ? line : "\n" + line
      let (statements, isComplete) = Session.split(pending)
      if statements.isEmpty {
        pending = ""
        continue
      }
      guard isComplete else { continue }
      editor.remember(pending)
      // After an error the session goes on with the next statement.
      for statement in statements { _ = printer.run(statement) }
      pending = ""
    }
  }

  private func words() -> [String] {
    var all = Session.keywords + session.completionNames() + Session.functionNames
    all.append(contentsOf: ShellCommand.all.map { "." + $0.name })
    return Array(Set(all)).sorted()
  }

  /// - Returns: false when the shell should end.
  private func runCommand(_ line: String) -> Bool {
    let parts = line.dropFirst().split(separator: " ", maxSplits: 1).map(String.init)
    guard let name = parts.first else { return true }
    guard let command = ShellCommand.all.first(where: { $0.name == name }) else {
      let hint = NameSuggestion.hint(for: name, among: ShellCommand.all.map(\.name)).map { " " + $0 } ?? ""
      Swift.print("Unknown command .\(name).\(hint) .help lists commands.")
      return true
    }
    return command.run(parts.count > 1 ? parts[1] : "", printer)
  }
}

/// A command of the shell, written with a leading dot.
struct ShellCommand {
  let name: String
  let usage: String
  let summary: String
  /// - Returns: false when the shell should end.
  let run: (_ argument: String, _ printer: StatementPrinter) -> Bool

  nonisolated(unsafe) static let all: [ShellCommand] = [
    ShellCommand(name: "help", usage: ".help", summary: "Lists the commands.") { _, _ in
      for command in ShellCommand.all { Swift.print("\(command.usage.padded(24))\(command.summary)") }
      return true
    },
    ShellCommand(name: "tables", usage: ".tables", summary: "Lists the tables and views of the database.") { _, printer in
      _ = printer.run("SHOW TABLES")
      return true
    },
    ShellCommand(name: "schema", usage: ".schema TABLE", summary: "Describes a table or view.") { argument, printer in
      _ = printer.run("DESCRIBE \(argument)")
      return true
    },
    ShellCommand(name: "mode", usage: ".mode FORMAT", summary: "Sets the output format.") { argument, printer in
      if let format = OutputFormat(rawValue: argument) {
        printer.format = format
      } else {
        Swift.print("Formats: " + OutputFormat.allCases.map(\.rawValue).joined(separator: ", "))
      }
      return true
    },
    ShellCommand(name: "exit", usage: ".exit", summary: "Ends the session (also .quit, Ctrl-D).") { _, _ in false },
    ShellCommand(name: "quit", usage: ".quit", summary: "Ends the session.") { _, _ in false },
  ]
}

extension String {
  fileprivate func padded(_ width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(1, width - count))
  }
}
