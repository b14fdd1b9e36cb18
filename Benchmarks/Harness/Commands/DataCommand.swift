import ArgumentParser

/// Makes a suite's data without measuring.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Make a suite's data and list its tables.")

  @Argument(help: "A suite's name.")
  var suite: String

  @OptionGroup var data: DataOptions

  func run() throws {
    for table in try data.tables(of: try Suite.named(suite)) { print("\(table.name)\t\(table.path)") }
  }
}

/// Renders a report again, or compares two.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Render the JSON of a run again, or compare it with another.")

  @Argument(help: "What --json wrote.")
  var file: String

  @OptionGroup var outputs: OutputOptions

  func run() throws {
    let report = try BenchmarkReport.load(file)
    ConsoleTable(report).printHeading()
    report.queries.forEach(ConsoleTable(report).print)
    ConsoleTable(report).printSummary()
    try outputs.write(report)
  }
}
