import ArgumentParser
import QueryEngine
import QueryShell

/// `sqlq clean`: what killed processes and old statements have left.
struct CleanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clean", abstract: "Show and remove what killed processes have left, and old results.",
    discussion: "Without --remove nothing is removed. History and cost stay.")

  @OptionGroup var engine: EngineOptions
  @OptionGroup var output: FormatOptions
  @Option(help: ArgumentHelp("Also results of statements older than this, such as 30d.", valueName: "age")) var resultsOlderThan: Age?
  @Flag(help: "Remove it.") var remove = false

  func run() throws {
    let found = try engine.engine().history.clean(olderThan: resultsOlderThan?.seconds, removing: remove)
    let rows = found.map { item -> [Scalar] in
      [.string(item.path), .string(item.kind.rawValue), .integer(Int64(item.bytes)), .boolean(remove)]
    }
    let columns = Schema([Field("path", .text), Field("what", .text), Field("bytes", .bigint), Field("removed", .boolean)])
    try ListingPrinter.print(columns, rows, format: output.format)
  }
}
