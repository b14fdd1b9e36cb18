import ArgumentParser
import Glibc
import QueryErrors
import QueryShell

/// The commands that are words: `sqlq history`. A new one is one file here and one line in `all`.
///
/// ArgumentParser's declarations cost milliseconds of reflection; statements never pay for them, because only a first
/// argument that is one of these words comes here.
enum Subcommands {
  static let all: [any ParsableCommand.Type] = [
    HistoryCommand.self,
    ResultCommand.self,
    CostCommand.self,
    AdviseCommand.self,
    DDLCommand.self,
    ConvertCommand.self,
    CompactCommand.self,
    CleanCommand.self,
    TestCommand.self,
    CheckCommand.self,
    WorkgroupCommand.self,
    BudgetCommand.self,
    NamedQueryCommand.self,
    ServeCommand.self,
    ConnectCommand.self,
    MCPCommand.self,
    CompletionsCommand.self,
  ]

  /// Whether an argument is a command's name.
  static func isName(_ argument: String) -> Bool {
    argument.utf8.allSatisfy { $0 >= 0x61 && $0 <= 0x7a } && all.contains { $0.configuration.commandName == argument }
  }

  /// Names and what they do, for the help of the command line.
  static var summaries: [(name: String, summary: String)] {
    all.map { ($0.configuration.commandName ?? "", $0.configuration.abstract) }
  }

  /// Reads and runs a command, its name first; ends the process.
  static func main(_ arguments: [String]) -> Never {
    Interrupt.shared.install(isInteractive: false)
    do {
      var command = try SubcommandRoot.parseAsRoot(arguments)
      try command.run()
      exit(0)
    } catch let error as QueryError {
      FileHandleText.print(ErrorRenderer.render(error, sql: nil), to: 2)
      exit(error.code.kind.exitCode)
    } catch {
      end(error)
    }
  }

  /// Help goes to stdout, wrong use to stderr with the command line's own exit code.
  private static func end(_ error: any Error) -> Never {
    let code = SubcommandRoot.exitCode(for: error)
    let message = SubcommandRoot.fullMessage(for: error)
    if !message.isEmpty { FileHandleText.print(message, to: code == .success ? 1 : 2) }
    exit(code == .validationFailure ? SQLQ.usageExitCode : code.rawValue)
  }
}

/// What the commands hang below.
struct SubcommandRoot: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sqlq", abstract: "Athena's SQL over local CSV, JSON and Parquet files.",
    discussion: "Statements need no command: sqlq \"SELECT …\". sqlq --help tells their options.",
    version: Version.text, subcommands: Subcommands.all)
}
