import QueryEngine

extension ShellCommand {
  /// Looking at databases, tables, functions and commands.
  nonisolated(unsafe) static let catalogCommands: [ShellCommand] = [
    ShellCommand("?", "help", usage: "\\? [keys]", "this list; the keys of the editor", argument: .names(["keys"])) { argument, shell in
      shell.show(argument == "keys" ? LineEditor.help : helpText)
      return .goOn
    },
    ShellCommand("h", "manual", usage: "\\h FUNCTION", "signatures and examples of a function", argument: .function) { argument, shell in
      guard !argument.isEmpty else {
        shell.show("\\h FUNCTION explains a function; SHOW FUNCTIONS lists them; \\? lists commands.")
        return .goOn
      }
      guard let help = FunctionHelp.named(argument) else {
        let near = NameSuggestion.hint(for: argument.lowercased(), among: FunctionHelp.allNames) ?? ""
        shell.complain("There is no function '\(argument)'. \(near)".trimmed)
        return .failed
      }
      shell.show(text(of: help, shell.settings.theme))
      return .goOn
    },
    ShellCommand("l", "databases", usage: "\\l  \\df [PATTERN]", "databases; functions") { _, shell in
      shell.printer.run("SHOW DATABASES") == 0 ? .goOn : .failed
    },
    ShellCommand("d", "describe", usage: "\\d [NAME]", "tables and views, or the columns of one", argument: .table) { argument, shell in
      shell.printer.run(argument.isEmpty ? "SHOW TABLES" : "DESCRIBE \(name(argument))") == 0 ? .goOn : .failed
    },
    ShellCommand("tables", "dt", usage: ".tables [PATTERN]", "tables and views whose name fits", argument: .table) { argument, shell in
      shell.printer.run("SHOW TABLES" + pattern(argument)) == 0 ? .goOn : .failed
    },
    ShellCommand("views", "dv", usage: nil, "views") { argument, shell in
      shell.printer.run("SHOW VIEWS" + pattern(argument)) == 0 ? .goOn : .failed
    },
    ShellCommand("schema", usage: ".schema [NAME]", "the statements that make tables", argument: .table) { argument, shell in
      schema(argument, shell)
    },
    ShellCommand("df", "functions", usage: nil, "functions", argument: .function) { argument, shell in
      shell.printer.run("SHOW FUNCTIONS" + (argument.isEmpty ? "" : " LIKE '\(quoted(argument.replacing("*", with: "%")))'")) == 0
        ? .goOn : .failed
    },
  ]

  /// SHOW TABLES takes Hive's patterns: `*` and `|`.
  private static func pattern(_ argument: String) -> String { argument.isEmpty ? "" : " '\(quoted(argument))'" }

  private static func quoted(_ text: String) -> String { text.replacing("'", with: "''") }

  /// A name as it was typed, or a path that needs quotes.
  private static func name(_ argument: String) -> String {
    let isPath = argument.contains("/") || argument.contains(".csv") || argument.contains(".json") || argument.contains(".parquet")
    return isPath && !argument.hasPrefix("'") && !argument.hasPrefix("\"") ? "'\(quoted(argument))'" : argument
  }

  private static func schema(_ argument: String, _ shell: Shell) -> Outcome {
    let tables: [CatalogReader.Table]
    do throws(QueryError) { tables = try shell.session.engine.catalog.tables(in: shell.session.database) } catch {
      shell.complain(error)
      return .failed
    }
    if argument.isEmpty {
      var outcome = Outcome.goOn
      for table in tables where !show(table, shell) { outcome = .failed }
      return outcome
    }
    let wanted = argument.split(separator: ".").last.map { $0.trimmed.lowercased() } ?? ""
    let isView = tables.first { $0.name == wanted }?.isView ?? false
    return shell.printer.run("SHOW CREATE \(isView ? "VIEW" : "TABLE") \(argument)") == 0 ? .goOn : .failed
  }

  private static func show(_ table: CatalogReader.Table, _ shell: Shell) -> Bool {
    shell.printer.run("SHOW CREATE \(table.isView ? "VIEW" : "TABLE") \"\(table.name.replacing("\"", with: "\"\""))\"") == 0
  }

  /// Fits a screen of 24 rows.
  private static var helpText: String {
    let listed = all.compactMap { command in command.usage.map { ($0, command.summary) } }
    let width = (listed.map(\.0.count).max() ?? 0) + 2
    let lines = listed.map { usage, summary in usage + String(repeating: " ", count: width - usage.count) + summary }
    return (["Statements end with ;  Commands begin with \\ or . and take one line."] + lines)
      .map { TerminalText.cut($0, to: Terminal.width) }.joined(separator: "\n")
  }

  private static func text(of help: FunctionHelp, _ theme: Theme) -> String {
    var lines = [help.summary + (help.isExtension ? " (not in Athena)" : "")]
    lines += help.signatures.prefix(12).map { "  " + theme.paint($0, .function) }
    if help.signatures.count > 12 { lines.append("  … \(help.signatures.count - 12) more forms") }
    if !help.examples.isEmpty { lines.append("Examples:") }
    lines += help.examples.prefix(6).map { "  \($0.expression)  →  \(TerminalText.printable($0.result))" }
    return lines.joined(separator: "\n")
  }
}
