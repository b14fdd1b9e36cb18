import ArgumentParser
import QueryEngine
import QueryShell

/// `sqlq history`: the statements of the home, the latest first.
struct HistoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history", abstract: "List the statements of the home, the latest first.",
    discussion: "sqlq result ID shows what one of them gave.")

  @OptionGroup var engine: EngineOptions
  @OptionGroup var output: FormatOptions
  @Option(name: .shortAndLong, help: "At most so many.")
  var limit = 20
  @Option(help: "Only statements in this state; may be repeated.")
  var state: [QueryState] = []
  @Option(help: "Only statements of this database.")
  var database: String?
  @Option(help: ArgumentHelp("Only statements submitted before this one.", valueName: "id"))
  var before: String?
  @Flag(help: "Whole statements, not their beginnings.")
  var full = false

  func validate() throws {
    if limit < 1 { throw ValidationError("'--limit' takes a number from 1 on.") }
  }

  /// Letters of a statement that are shown of it.
  private static let shownLength = 80

  func run() throws {
    let engine = try engine.engine()
    var filter = QueryHistory.Filter()
    filter.limit = limit
    filter.database = database
    filter.before = before
    if !state.isEmpty { filter.states = Set(state) }
    let rows = try engine.history.list(filter).map { record -> [Scalar] in
      let figures = record.statistics
      return [
        .string(record.id), .integer(record.submittedAtMicros / 1000 * 1000), .string(record.state.rawValue),
        .string(figures.substatementType ?? figures.statementType), .integer(Int64(figures.rows)),
        .integer(Int64(figures.bytesScanned)), .integer(Int64(figures.bytesBilled)), .double(figures.dollars),
        .integer(Int64(figures.wallMilliseconds.rounded())), record.errorText.map(Scalar.string) ?? .null,
        .string(full ? record.sql : HistoryCommand.beginning(of: record.sql)),
      ]
    }
    try ListingPrinter.print(HistoryCommand.columns, rows, format: output.format)
  }

  private static let columns = Schema([
    Field("query_id", .text), Field("submitted_at", .timestamp(precision: 3)), Field("state", .text),
    Field("type", .text), Field("rows", .bigint), Field("bytes_scanned", .bigint), Field("bytes_billed", .bigint),
    Field("cost_usd", .double), Field("wall_ms", .bigint), Field("error", .text), Field("statement", .text),
  ])

  /// The statement on one line, cut.
  private static func beginning(of sql: String) -> String {
    let line = sql.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    return line.count <= shownLength ? line : line.prefix(shownLength - 1) + "…"
  }
}
