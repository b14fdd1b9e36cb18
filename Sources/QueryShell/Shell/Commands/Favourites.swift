import QueryEngine

/// Favourites are Athena's named queries, those of the session's workgroup.
extension Shell {
  private func favourites() throws(QueryError) -> [NamedQuery] { try session.engine.workgroups.namedQueries(in: session.workgroup) }

  private func favourite(_ name: String) throws(QueryError) -> NamedQuery {
    let all = try favourites()
    if let query = all.first(where: { $0.name == name }) { return query }
    throw QueryError(.notFound, "There is no favourite '\(name)'", hint: NameSuggestion.hint(for: name, among: all.map(\.name)))
  }

  func favouriteNames() -> [String] { (try? favourites())?.map(\.name) ?? [] }

  func listFavourites() -> ShellCommand.Outcome {
    attempt { () throws(QueryError) in
      let all = try favourites()
      if all.isEmpty { show("No favourites yet; \\fs NAME keeps the last statement as one.") }
      let width = (all.map { TerminalText.width($0.name) }.max() ?? 0) + 2
      for query in all {
        let name = query.name + String(repeating: " ", count: width - TerminalText.width(query.name))
        show(
          settings.theme.paint(TerminalText.printable(name), .name)
            + TerminalText.cut(TerminalText.printable(query.sql), to: max(20, Terminal.width - width)))
      }
    }
  }

  /// Runs one; further words are values for its parameters: `\f top day=2024-01-01`.
  func runFavourite(_ words: [String]) -> ShellCommand.Outcome {
    var query: NamedQuery?
    let found = attempt { () throws(QueryError) in query = try favourite(words[0]) }
    guard found == .goOn, let query else { return .failed }
    let before = printer.parameters
    defer { printer.parameters = before }
    for word in words.dropFirst() {
      guard let (name, value) = ParameterText.parse(word) else {
        complain("'\(word)' is no name=value")
        return .failed
      }
      printer.parameters[name] = value
    }
    let database = session.database
    session.database = query.database
    defer { if session.database == query.database { session.database = database } }
    show(settings.theme.paint("> " + TerminalText.printable(query.sql, keepsLines: true), .hint))
    return take(query.sql + ";")
  }

  func saveFavourite(_ argument: String) -> ShellCommand.Outcome {
    let name = argument.prefix { !$0.isWhitespace }
    var sql = argument.dropFirst(name.count).trimmed
    if sql.isEmpty { sql = lastStatement }
    while sql.hasSuffix(";") { sql = sql.dropLast().trimmed }
    guard !name.isEmpty, !sql.isEmpty else {
      complain(name.isEmpty ? "\\fs NAME [SQL]" : "There is no statement to keep yet.")
      return .failed
    }
    return attempt { () throws(QueryError) in
      // One of that name gives way.
      if let known = try favourites().first(where: { $0.name == name }) { try session.engine.workgroups.deleteNamedQuery(known.id) }
      try session.engine.workgroups.save(
        NamedQuery(String(name), sql: sql, database: session.database, workgroup: session.workgroup))
      show("\\f \(name) runs it.")
    }
  }

  func dropFavourite(_ name: String) -> ShellCommand.Outcome {
    attempt { () throws(QueryError) in try session.engine.workgroups.deleteNamedQuery(favourite(name).id) }
  }
}
