import Glibc
import QueryEngine

extension ShellCommand {
  /// Texts of statements: editing, files, favourites, history.
  nonisolated(unsafe) static let editingCommands: [ShellCommand] = [
    ShellCommand("e", "edit", usage: "\\e [FILE]", "edits the last statement, or a file, in $EDITOR", argument: .path) { argument, shell in
      shell.edit(words(argument).first)
    },
    ShellCommand("i", "read", usage: "\\i FILE", "runs the statements of a file", argument: .path) { argument, shell in
      shell.runFile(words(argument).first ?? "")
    },
    ShellCommand("s", "history", usage: "\\s [N]  \\r N", "the last statements typed; one of them back for editing") { argument, shell in
      let count = Int(argument) ?? 20
      let first = max(0, shell.history.entries.count - max(0, count))
      for (place, entry) in shell.history.entries.enumerated().dropFirst(first) {
        shell.show("\(place + 1)  " + TerminalText.printable(entry, keepsLines: true).replacing("\n", with: "\n      "))
      }
      return .goOn
    },
    ShellCommand("r", usage: nil, "a statement of \\s back for editing") { argument, shell in
      guard let number = Int(argument), shell.history.entries.indices.contains(number - 1) else {
        shell.complain("\\r N: a number that \\s shows")
        return .failed
      }
      return .edit(shell.history.entries[number - 1])
    },
    ShellCommand("f", usage: "\\f \\fs \\fd [NAME]", "favourites: list or run, keep the last statement, drop", argument: .favourite) {
      argument, shell in
      argument.isEmpty ? shell.listFavourites() : shell.runFavourite(words(argument))
    },
    ShellCommand("fs", usage: nil, "keeps the last statement, or this one, as a favourite", argument: .favourite) { argument, shell in
      shell.saveFavourite(argument)
    },
    ShellCommand("fd", usage: nil, "drops a favourite", argument: .favourite) { argument, shell in shell.dropFavourite(argument) },
  ]
}

extension Shell {
  fileprivate func edit(_ file: String?) -> ShellCommand.Outcome {
    let editor = Theme.environment("VISUAL") ?? Theme.environment("EDITOR") ?? "vi"
    let path: String
    if let file {
      path = file
    } else {
      guard let made = ChildProcess.temporaryFile(lastStatement.isEmpty ? "" : lastStatement + ";\n", ending: ".sql") else {
        complain("A file for the editor cannot be made.")
        return .failed
      }
      path = made
    }
    defer { if file == nil { unlink(path) } }
    guard let code = ChildProcess.run(editor + " \"$@\"", [path]), code == 0 else {
      complain("The editor '\(editor)' did not end well; $EDITOR names another.")
      return .failed
    }
    guard let text = TextFile.read(path) else {
      complain("Cannot read \(path): \(String(cString: strerror(errno)))")
      return .failed
    }
    let statement = text.trimmed
    return statement.isEmpty ? .goOn : .edit(statement)
  }

  /// Runs statements and commands of a file; the first error stops.
  func runFile(_ path: String) -> ShellCommand.Outcome {
    guard let text = TextFile.read(path) else {
      complain("Cannot read \(path): \(String(cString: strerror(errno)))")
      return .failed
    }
    guard fileDepth < 16 else {
      complain("Files read each other more than 16 deep.")
      return .failed
    }
    fileDepth += 1
    defer { fileDepth -= 1 }
    _ = Interrupt.shared.takePress()
    for statement in Session.splitWithPlaces(text) {
      let place = StatementPlace(file: path, text: text, start: statement.start)
      if run(statement.text, at: place) != 0 || Interrupt.shared.takePress() { return .failed }
    }
    return .goOn
  }

  /// Runs the last statement again until Ctrl-C.
  func watch(every seconds: Double) -> ShellCommand.Outcome {
    _ = Interrupt.shared.takePress()
    guard mayRepeat() else { return .failed }
    let pages = printer.usesPager
    printer.usesPager = false
    defer { printer.usesPager = pages }
    while true {
      var now = time(nil)
      var parts = tm()
      localtime_r(&now, &parts)
      func pad(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
      show(settings.theme.paint("\(pad(parts.tm_hour)):\(pad(parts.tm_min)):\(pad(parts.tm_sec))  every \(seconds) s, Ctrl-C ends", .hint))
      if printer.run(lastStatement) != 0 { return .failed }
      var left = seconds
      while left > 0 {
        if Interrupt.shared.takePress() { return .goOn }
        usleep(50_000)
        left -= 0.05
      }
      if Interrupt.shared.takePress() { return .goOn }
    }
  }

  /// A statement that changes something is not repeated by mistake.
  private func mayRepeat() -> Bool {
    let first = SQLPieces.pieces(of: lastStatement).first { $0.kind == .keyword }
    let word = first.map { String(decoding: Array(lastStatement.utf8)[$0.range], as: UTF8.self).uppercased() } ?? ""
    if ["SELECT", "WITH", "SHOW", "DESCRIBE", "EXPLAIN", "VALUES", "TABLE", "EXECUTE"].contains(word) { return true }
    return ask("\(word) will run again and again. Go on? [y/N] ").lowercased().hasPrefix("y")
  }
}

/// Reading small files.
package enum TextFile {
  /// The whole text of a file, or nil with `errno` set.
  package static func read(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &block, block.count)
      if count < 0 {
        if errno == EINTR { continue }
        return nil
      }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(contentsOf: block[..<count])
    }
  }
}
