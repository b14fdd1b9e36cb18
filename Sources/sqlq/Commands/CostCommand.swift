import ArgumentParser
import Glibc
import QueryEngine
import QueryShell

/// `sqlq cost`: what Athena would have charged for the statements of the home.
struct CostCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cost", abstract: "Report what Athena would have charged, by day, workgroup, tag or statement.",
    discussion: "Statements that differ in their values only are one: sqlq cost --by query --since 7d")

  @OptionGroup var engine: EngineOptions
  @OptionGroup var output: FormatOptions
  @Option(help: ArgumentHelp("day, month, workgroup, database, query, or tag:KEY.", valueName: "what"))
  var by: Grouping = .init(argument: "day")!
  @Option(help: ArgumentHelp("Only statements of the last while, such as 24h or 30d.", valueName: "age"))
  var since: Age?
  @Option(help: ArgumentHelp("Only statements of this workgroup.", valueName: "name"))
  var workgroup: String?
  @Option(name: .shortAndLong, help: "At most so many rows.")
  var limit: Int?

  struct Grouping: ExpressibleByArgument {
    var grouping: CostReport.Grouping

    init?(argument: String) {
      switch argument {
      case "day": grouping = .day
      case "month": grouping = .month
      case "workgroup": grouping = .workgroup
      case "database": grouping = .database
      case "query", "statement": grouping = .statement
      default:
        guard argument.hasPrefix("tag:"), argument.count > 4 else { return nil }
        grouping = .tag(String(argument.dropFirst(4)))
      }
    }

    /// What the column of the groups is called.
    var name: String {
      switch grouping {
      case .day: "day"
      case .month: "month"
      case .workgroup: "workgroup"
      case .database: "database"
      case .tag(let key): key
      case .statement: "statement"
      }
    }
  }

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("'--limit' takes a number from 1 on.") }
  }

  func run() throws {
    let since = since.map { Int64(time(nil)) * 1_000_000 - Int64($0.seconds * 1e6) } ?? 0
    let report = try engine.engine().history.costs(by: by.grouping, since: since, workgroup: workgroup)
    let rows = report.rows.prefix(limit ?? Int.max).map { row -> [Scalar] in
      [
        row.key.map(Scalar.string) ?? .null, .integer(Int64(row.statements)), .integer(Int64(row.failures)),
        .integer(Int64(row.reused)), .integer(Int64(row.bytesScanned)), .integer(Int64(row.bytesBilled)), .double(row.dollars),
        .double(row.s3Dollars), .integer(Int64(row.wallMilliseconds.rounded())),
      ]
    }
    let columns = Schema([
      Field(by.name, .text), Field("statements", .bigint), Field("failures", .bigint), Field("reused", .bigint),
      Field("bytes_scanned", .bigint), Field("bytes_billed", .bigint), Field("cost_usd", .double), Field("s3_cost_usd", .double),
      Field("wall_ms", .bigint),
    ])
    try ListingPrinter.print(columns, Array(rows), format: output.format)
  }
}
