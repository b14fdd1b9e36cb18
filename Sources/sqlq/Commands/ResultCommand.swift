import ArgumentParser
import QueryEngine
import QueryShell

/// `sqlq result ID`: the rows that a statement left, in any format.
struct ResultCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "result", abstract: "Print the result that a statement left, in any format.",
    discussion: """
      Types are those the statement had. Arrays, maps and rows, which Athena's text does not tell apart, come back as text unless the \
      statement ran with --result-twin.
      """)

  @OptionGroup var engine: EngineOptions
  @OptionGroup var output: FormatOptions
  @Flag(help: "Print where the result lies instead of its rows.") var location = false
  @Argument(help: ArgumentHelp("The statement's id or its beginning, as footers show it; 'last' for the latest result.")) var id: String

  func run() throws {
    let history = try engine.engine().history
    let record = try id == "last" ? latest(history) : history.find(id)
    if location {
      guard let place = record.statistics.resultLocation else { throw QueryError(.notFound, "Query \(record.id) left no result") }
      return FileHandleText.print(place, to: 1)
    }
    try ListingPrinter.print(format: output.format) { (renderer) throws(QueryError) in
      try history.readResult(of: record, into: renderer)
    }
  }

  private func latest(_ history: QueryHistory) throws -> QueryRecord {
    var filter = QueryHistory.Filter()
    filter.states = [.succeeded]
    filter.limit = 100
    guard let record = try history.list(filter).first(where: { $0.statistics.resultLocation != nil }) else {
      throw QueryError(.notFound, "No statement of this home has left a result")
    }
    return record
  }
}
