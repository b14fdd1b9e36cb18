import ArgumentParser
import Foundation

/// The command line of the benchmark harness.
@main
struct BenchmarkTool: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sqlq-bench",
    abstract: "Runs suites of queries on sqlq and on its peers: are the answers equal, and who is faster?",
    discussion: """
      Suites:
      \(Suite.all.map { "  " + $0.name.padding(toLength: 12, withPad: " ", startingAt: 0) + $0.summary }.joined(separator: "\n"))

      Peers are Python packages (duckdb, datafusion, chdb, polars); those that are not installed are left out.

        swift run --package-path Benchmarks -c release sqlq-bench tpch
        swift run --package-path Benchmarks -c release sqlq-bench clickbench --scale 10 --json now.json --chart now.svg
        swift run --package-path Benchmarks -c release sqlq-bench my-queries/ --table trips=data/trips/ --peers duckdb
      """,
    subcommands: [RunCommand.self, DataCommand.self, ReportCommand.self, ServeCommand.self],
    defaultSubcommand: RunCommand.self)

  static func main() {
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let error as ReportedError {
      Terminal.note(error.description)
      Foundation.exit(2)
    } catch {
      exit(withError: error)
    }
  }
}

/// Answers statements on stdin: how the harness runs sqlq in a process of its own.
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "serve", shouldDisplay: false)
  func run() throws { try EngineServer.serve() }
}
