import QueryEngine

extension ShellCommand {
  /// The last result, again and otherwise.
  nonisolated(unsafe) static let resultCommands: [ShellCommand] = [
    ShellCommand("last", usage: "\\last [FORMAT]", "the last result again, without running it", argument: .format) { argument, shell in
      guard let result = shell.keptResult() else { return .failed }
      guard let format = argument.isEmpty ? shell.printer.format : OutputFormat(rawValue: argument) else {
        shell.complain("Formats: " + OutputFormat.allCases.map(\.rawValue).joined(separator: ", "))
        return .failed
      }
      return shell.attempt { () throws(QueryError) in try shell.printer.printLast(result, as: format) }
    },
    ShellCommand("save", usage: "\\save FILE", "the last result: .csv .tsv .json .jsonl .md .html .parquet", argument: .path) {
      argument, shell in
      guard let result = shell.keptResult() else { return .failed }
      let path = words(argument).first ?? ""
      guard FileRenderer.canWrite(path) else {
        shell.complain("\\save FILE: the name's ending tells the format: .csv .tsv .json .jsonl .md .html .txt .parquet")
        return .failed
      }
      return shell.attempt { () throws(QueryError) in
        let file = FileRenderer(path, shell.session.engine)
        try file.begin(result.schema)
        for batch in result.batches { try file.receive(batch) }
        try file.end()
        shell.show("\(StatusFooter.grouped(result.rowCount)) rows written to \(path)")
      }
    },
    ShellCommand("cell", usage: "\\cell ROW COLUMN", "one value of the last result, whole") { argument, shell in
      guard let result = shell.keptResult() else { return .failed }
      let parts = words(argument)
      let column =
        parts.count == 2 ? result.schema.fields.firstIndex { $0.name.lowercased() == parts[1].lowercased() } ?? Int(parts[1]).map { $0 - 1 } : nil
      guard let column, result.schema.fields.indices.contains(column), var row = Int(parts[0]), (1...max(1, result.rowCount)).contains(row) else {
        shell.complain("\\cell ROW COLUMN: a row from 1 to \(result.rowCount), and a column's name or number")
        return .failed
      }
      row -= 1
      for batch in result.batches {
        guard row >= batch.rowCount else {
          let text = ResultText(batch.columns[column])
          var bytes: [UInt8] = []
          if !text.isNull(row) { text.append(row, to: &bytes) }
          shell.show(text.isNull(row) ? "NULL" : TerminalText.printable(String(decoding: bytes, as: UTF8.self), keepsLines: true))
          return .goOn
        }
        row -= batch.rowCount
      }
      return .failed
    },
    ShellCommand(
      "chart", usage: "\\chart [KIND] [COLUMN…] [FILE]", "bar, line, scatter or histogram of it; .svg, .html",
      argument: .names(ChartKind.allCases.map(\.rawValue))
    ) {
      argument, shell in
      guard let result = shell.keptResult() else { return .failed }
      var parts = words(argument)[...]
      var request = ChartRequest(.bar)
      if let kind = parts.first.flatMap({ ChartKind(rawValue: $0.lowercased()) }) {
        request.kind = kind
        parts = parts.dropFirst()
      }
      if let file = parts.last, ChartFile.canWrite(file) {
        request.file = file
        parts = parts.dropLast()
      }
      request.columns = Array(parts)
      return shell.attempt { () throws(QueryError) in
        let drawing = try request.draw(result.schema, result.batches, shell.settings.theme, title: shell.lastStatement)
        shell.show(drawing ?? "Written to \(request.file ?? "")")
      }
    },
    ShellCommand("profile", usage: "\\profile FILE.html", "where the last statement's time and bytes went", argument: .path) { argument, shell in
      guard let path = words(argument).first, !shell.printer.lastProfile.isEmpty else {
        shell.complain(argument.isEmpty ? "\\profile FILE.html" : "No query ran yet.")
        return .failed
      }
      return shell.attempt { () throws(QueryError) in
        try shell.printer.writeProfile(shell.lastStatement, to: path)
        shell.show("Written to \(path)")
      }
    },
    ShellCommand("watch", usage: "\\watch [SECONDS]", "the last statement again and again, until Ctrl-C") { argument, shell in
      guard !shell.lastStatement.isEmpty else {
        shell.complain("There is no statement to repeat yet.")
        return .failed
      }
      guard let seconds = argument.isEmpty ? 2 : Double(argument), seconds >= 0.1, seconds < 1e6 else {
        shell.complain("\\watch SECONDS: from 0.1 on")
        return .failed
      }
      return shell.watch(every: seconds)
    },
  ]
}

extension Shell {
  /// The last result, when it is kept; says why not.
  func keptResult() -> LastResult? {
    if last.isEmpty {
      complain("There is no result yet.")
      return nil
    }
    if last.isCut {
      let place = last.statistics?.resultLocation.map { " It lies in \($0)." } ?? ""
      complain("The last result has \(StatusFooter.grouped(last.rowCount)) rows, more than are kept.\(place)")
      return nil
    }
    return last
  }

  func attempt(_ body: () throws(QueryError) -> Void) -> ShellCommand.Outcome {
    do throws(QueryError) {
      try body()
      return .goOn
    } catch {
      complain(error)
      return .failed
    }
  }
}
