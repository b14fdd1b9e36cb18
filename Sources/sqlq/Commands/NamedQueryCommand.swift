import ArgumentParser
import QueryEngine
import QueryShell

/// `sqlq query …`: queries saved under names.
struct NamedQueryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query", abstract: "List, save, show and delete named queries.",
    discussion: "sqlq query save top 'SELECT …' keeps one; sqlq \"$(sqlq query show top)\" runs it.",
    subcommands: [List.self, Save.self, Show.self, Delete.self], defaultSubcommand: List.self)

  struct Place: ParsableArguments {
    @Option(help: ArgumentHelp("The workgroup they belong to.", valueName: "name"))
    var workgroup = Workgroup.primaryName

    /// The query of that name, or of that id.
    func query(_ name: String, _ workgroups: Workgroups) throws -> NamedQuery {
      let known = try workgroups.namedQueries(in: workgroup)
      if let query = known.first(where: { $0.name == name || $0.id == name }) { return query }
      throw QueryError(
        .notFound, "NamedQuery \(name) was not found", hint: NameSuggestion.hint(for: name, among: known.map(\.name)))
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List named queries.")
    @OptionGroup var engine: EngineOptions
    @OptionGroup var place: Place
    @OptionGroup var output: FormatOptions

    func run() throws {
      let queries = try engine.engine().workgroups.namedQueries(in: place.workgroup)
      let columns = Schema([
        Field("name", .text), Field("database", .text), Field("statement", .text), Field("description", .text), Field("id", .text),
      ])
      let rows = queries.map { query -> [Scalar] in
        [
          .string(query.name), .string(query.database), .string(query.sql), query.description.map(Scalar.string) ?? .null,
          .string(query.id),
        ]
      }
      try ListingPrinter.print(columns, rows, format: output.format)
    }
  }

  struct Save: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Save a query, replacing the one of its name.")
    @OptionGroup var engine: EngineOptions
    @OptionGroup var place: Place
    @Option(help: "The database of its unqualified names.") var database = "default"
    @Option(help: "What it is for.") var description: String?
    @Argument(help: "Its name.") var name: String
    @Argument(help: "The statement.") var sql: String

    func run() throws {
      let workgroups = try engine.engine().workgroups
      var query = NamedQuery(name, sql: sql, database: database, workgroup: place.workgroup, description: description)
      if var known = try workgroups.namedQueries(in: place.workgroup).first(where: { $0.name == name }) {
        (known.sql, known.database, known.description) = (sql, database, description ?? known.description)
        query = known
      }
      try workgroups.save(query)
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the statement of a named query.")
    @OptionGroup var engine: EngineOptions
    @OptionGroup var place: Place
    @Argument(help: "Its name or id.") var name: String

    func run() throws { FileHandleText.print(try place.query(name, engine.engine().workgroups).sql, to: 1) }
  }

  struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Delete a named query.")
    @OptionGroup var engine: EngineOptions
    @OptionGroup var place: Place
    @Argument(help: "Its name or id.") var name: String

    func run() throws {
      let workgroups = try engine.engine().workgroups
      try workgroups.deleteNamedQuery(place.query(name, workgroups).id)
    }
  }
}
