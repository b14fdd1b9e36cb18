import ArgumentParser
import Foundation

/// Where a suite's data is, how large, and in which format.
struct DataOptions: ParsableArguments {
  @Option(help: "The data's scale; what it counts is said in the list of suites.")
  var scale: Double?

  @Option(help: "parquet, csv or json.")
  var format: TableFormat?

  @Option(help: "Folder under which the suites' data is made and kept ($SQLQ_BENCH_DATA, else ~/.cache/sqlq-bench).")
  var dataRoot: String?

  @Option(help: "Take tables from this folder instead: each file and each folder in it is one.")
  var data: String?

  @Option(help: "A table, as NAME=PATH; may be repeated.")
  var table: [String] = []

  func format(of suite: Suite) -> TableFormat { format ?? suite.format }

  private func scale(of suite: Suite) -> Double { scale ?? suite.defaultScale }

  private var root: String {
    dataRoot ?? ProcessInfo.processInfo.environment["SQLQ_BENCH_DATA"] ?? NSHomeDirectory() + "/.cache/sqlq-bench"
  }

  /// The tables; the suite's own data is made first where it is missing.
  func tables(of suite: Suite) throws -> [TableSource] {
    let format = format(of: suite)
    var tables: [TableSource] = []
    if let data {
      tables = try TableFinder.tables(in: data, format: format, partitionedName: "lineitem")
    } else {
      try suite.dataSets(scale(of: suite), format, root).forEach { try $0.make() }
      for folder in suite.tableFolders(scale(of: suite), format, root) {
        tables += try TableFinder.tables(in: folder.path, format: format, partitionedName: folder.name)
      }
    }
    for item in table {
      let parts = item.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { throw ReportedError("--table takes NAME=PATH, not '\(item)'.") }
      tables.append(try TableFinder.table(String(parts[0]), at: String(parts[1]), format: format))
    }
    if tables.isEmpty { throw ReportedError("There are no tables: give --data FOLDER or --table NAME=PATH.") }
    return tables
  }

  /// The Parquet files whose types `--declared` takes.
  func typesFolder(of suite: Suite) throws -> String {
    if let data { return data.replacing(/_(csv|json)\/?$/, with: "") }
    guard let folder = suite.tableFolders(scale(of: suite), .parquet, root).first else {
      throw ReportedError("--declared needs a suite with Parquet data, or --data.")
    }
    return folder.path
  }

  func description(of suite: Suite) -> String {
    if data != nil || suite.summary.isEmpty { return data.map { ($0 as NSString).lastPathComponent } ?? "own tables" }
    return "scale \(scale(of: suite) == scale(of: suite).rounded() ? "\(Int(scale(of: suite)))" : "\(scale(of: suite))")"
  }
}

extension TableFormat: ExpressibleByArgument {}

/// Where reports go.
struct OutputOptions: ParsableArguments {
  @Option(help: "Write all measurements as JSON.")
  var json: String?

  @Option(help: "Write a Markdown table; - is stdout.")
  var markdown: String?

  @Option(help: "Write a chart: .svg or .html.")
  var chart: String?

  @Option(help: "Compare with the JSON of an earlier run.")
  var baseline: String?

  func write(_ report: BenchmarkReport) throws {
    if let json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try OutputOptions.save(String(decoding: try encoder.encode(report), as: UTF8.self) + "\n", to: json)
    }
    if let markdown { try OutputOptions.save(MarkdownReport(report).text, to: markdown) }
    if let chart {
      let picture = ChartReport(report)
      try OutputOptions.save(chart.hasSuffix(".html") ? picture.html : picture.svg, to: chart)
    }
    if let baseline { print(BaselineComparison(report, since: try BenchmarkReport.load(baseline)).text, terminator: "") }
  }

  private static func save(_ text: String, to path: String) throws {
    if path == "-" {
      print(text, terminator: "")
      return
    }
    do { try text.write(toFile: path, atomically: true, encoding: .utf8) } catch {
      throw ReportedError("Cannot write \(path): \(error.localizedDescription)")
    }
  }
}

extension BenchmarkReport {
  /// The report that `--json` wrote.
  static func load(_ path: String) throws -> BenchmarkReport {
    guard let data = FileManager.default.contents(atPath: path) else { throw ReportedError("There is no file \(path).") }
    do { return try JSONDecoder().decode(BenchmarkReport.self, from: data) } catch {
      throw ReportedError("\(path) is not a report of this program.")
    }
  }
}
