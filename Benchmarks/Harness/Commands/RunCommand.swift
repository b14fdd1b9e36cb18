import ArgumentParser
import Foundation

/// Measures a suite and reports.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Measure a suite (the default command).")

  @Argument(help: "A suite's name, or a folder of .sql files.")
  var suite: String

  @OptionGroup var data: DataOptions
  @OptionGroup var outputs: OutputOptions

  @Option(help: "Peers to run, comma-separated, or none. The first one's answers are the reference.")
  var peers = Engine.peers.map(\.rawValue).joined(separator: ",")

  @Option(help: "Which queries, such as q01,q05-q09.")
  var queries: String?

  @Option(help: "Warm rounds that count.")
  var rounds = 4

  @Option(help: "Threads of every engine (default: all processors).")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: "Seconds after which an engine is stopped.")
  var timeout = 120.0

  @Flag(help: "Give every engine the types of CSV and JSON columns, taken from the Parquet files beside them.")
  var declared = false

  @Flag(help: "Measure no memory: saves one fresh process a query and engine.")
  var noMemory = false

  @Flag(help: "Also time whole processes of SELECT 1.")
  var startUp = false

  @Option(help: "The sqlq binary for --start-up (default: the one beside this program).")
  var sqlq: String?

  @Option(help: "Measure the sqlq of another build of this program, given by its path.")
  var build: String?

  @Option(help: "Compare with the answers kept in this folder.")
  var answers: String?

  @Option(help: "Keep the reference's answers in this folder.")
  var saveAnswers: String?

  @Flag(help: "Exit with 1 when an answer differs (times never fail a run).")
  var check = false

  func validate() throws {
    guard rounds >= 0, threads > 0, timeout > 0 else { throw ValidationError("--rounds, --threads and --timeout are positive.") }
    if answers != nil, saveAnswers != nil { throw ValidationError("Give --answers or --save-answers, not both.") }
  }

  func run() throws {
    let suite = try Suite.named(self.suite)
    let queries = try SuiteQuery.load(suite.folder, wanted: self.queries)
    let links = NSTemporaryDirectory() + "sqlq-bench-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: links) }
    var tables = try data.tables(of: suite)
    if declared { tables = try TableFinder.declareTypes(tables, from: data.typesFolder(of: suite), linkFolder: links) }
    var options = Runner.Options()
    options.threads = threads
    options.rounds = rounds
    options.timeoutSeconds = timeout
    options.measuresMemory = !noMemory
    options.answersFolder = saveAnswers ?? answers
    options.savesAnswers = saveAnswers != nil
    options.build = build
    let runner = try Runner([.sqlq] + (try wantedPeers()), tables: tables, options: options)
    var report = BenchmarkReport(
      suite: suite.name, data: data.description(of: suite), format: data.format(of: suite), declaresTypes: declared,
      threads: threads, rounds: rounds, date: Machine.date, machine: Machine.description, engines: runner.engines,
      queries: [])
    let bar = ProgressBar()
    let table = ConsoleTable(report)
    table.printHeading()
    for (index, query) in queries.enumerated() {
      bar.show(fraction: Double(index) / Double(queries.count), "\(query.name) \(query.title.prefix(50))")
      let measured = try runner.measure(query)
      bar.clear()
      table.print(measured)
      report.queries.append(measured)
    }
    if startUp {
      let path = sqlq ?? (Engine.executable as NSString).deletingLastPathComponent + "/sqlq"
      report.startUp = runner.measureStartUp(sqlqPath: path, count: 15)
    }
    ConsoleTable(report).printSummary()
    try outputs.write(report)
    if check, !report.failures.isEmpty { throw ExitCode(1) }
  }

  private func wantedPeers() throws -> [Engine] {
    if peers == "none" || peers.isEmpty { return [] }
    return try peers.split(separator: ",").map { name in
      guard let engine = Engine(rawValue: String(name)), engine != .sqlq else {
        throw ReportedError("There is no peer '\(name)'; the peers are \(Engine.peers.map(\.rawValue).joined(separator: ", ")).")
      }
      return engine
    }
  }
}
