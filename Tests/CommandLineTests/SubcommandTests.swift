import Foundation
import Testing

/// Commands that are words: help, exit codes, completion.
@Suite("Subcommands") struct SubcommandTests {
  /// Runs a command with a home; its name comes first.
  static func run(_ command: String, _ arguments: [String] = [], home: URL) throws -> SQLQProcess.Outcome {
    try SQLQProcess.run([command] + arguments + ["--home", home.path], home: nil)
  }

  @Test func helpAndWrongUse() throws {
    let help = try SQLQProcess.run(["history", "--help"], home: nil)
    #expect(help.exitCode == 0)
    #expect(help.output.contains("USAGE: sqlq history"))
    #expect(try SQLQProcess.run(["--help"], home: nil).output.contains("history"))
    let wrong = try SQLQProcess.run(["history", "--no-such-option"], home: nil)
    #expect(wrong.exitCode == 2)
    #expect(wrong.output.isEmpty)
    #expect(wrong.errors.contains("no-such-option"))
    #expect(try SQLQProcess.run(["history", "--limit", "none"], home: nil).exitCode == 2)
    let late = try SQLQProcess.run(["--threads", "1", "history"], home: nil)
    #expect(late.exitCode == 2)
    #expect(late.errors.contains("sqlq history"))
  }

  /// A word that is no command is a statement, and so is a command's name with more behind it.
  @Test func otherWordsAreStatements() throws {
    try SQLQProcess.withHome { home in
      for word in ["hist", "history of art"] {
        let outcome = try SQLQProcess.run([word], home: home)
        #expect(outcome.exitCode == 1)
        #expect(outcome.errors.hasPrefix("SYNTAX_ERROR"))
      }
    }
  }

  @Test func historyListsTheLatestFirst() throws {
    try SQLQProcess.withHome { home in
      _ = try SQLQProcess.run(["SELECT 41 AS n"], home: home)
      _ = try SQLQProcess.run(["SELECT nothing_here"], home: home)
      let outcome = try Self.run("history", ["--output-format", "jsonl"], home: home)
      #expect(outcome.exitCode == 0)
      let lines = outcome.output.split(separator: "\n")
      try #require(lines.count == 2)
      #expect(lines[0].contains("FAILED") && lines[0].contains("COLUMN_NOT_FOUND"))
      #expect(lines[1].contains("\"statement\":\"SELECT 41 AS n\""))
      let failed = try Self.run("history", ["--output-format", "csv", "--state", "failed"], home: home)
      #expect(failed.output.split(separator: "\n").count == 1)
    }
  }

  /// Each command that works on a home or on files, once, as a user calls it.
  @Test func commandsOnHomesAndFiles() throws {
    try SQLQProcess.withHome { (home: URL) throws -> Void in
      func run(_ command: String, _ arguments: String...) throws -> String {
        let outcome = try Self.run(command, arguments, home: home)
        #expect(outcome.exitCode == 0, "\(command) \(arguments): \(outcome.errors)")
        return outcome.output
      }
      #expect(try run("workgroup", "create", "analysts", "--cutoff", "1kB", "--tag", "team=growth") == "")
      #expect(try run("workgroup", "--output-format", "csv").hasPrefix("analysts,ENABLED,,false,1024,"))
      let sales = "SELECT count(*) AS n FROM 'sample-data/sales/'"
      #expect(try SQLQProcess.run(["--workgroup", "analysts", sales], home: home).exitCode == 4)
      #expect(try SQLQProcess.run(["--tag", "team=growth", "--result-twin", sales], home: home).exitCode == 0)
      #expect(try run("result", "last", "--output-format", "json").contains("\"n\":"))
      #expect(try run("result", "last", "--location").hasSuffix(".csv\n"))
      #expect(try run("cost", "--by", "tag:team", "--output-format", "csv").hasPrefix("growth,2,1,0,"))
      #expect(try run("budget", "set", "5", "--per", "month", "--workgroup", "analysts") == "")
      #expect(try run("budget", "--output-format", "csv") == "workgroup=analysts,month,5.0,0.0,stop\n")
      #expect(try run("query", "save", "one", "SELECT 1") == "")
      #expect(try run("query", "show", "one") == "SELECT 1\n")
      #expect(try run("ddl", "sample-data/sales_parquet/", "--table", "s").hasPrefix("CREATE EXTERNAL TABLE `s` ("))
      #expect(try run("convert", "sample-data/sales/", home.path + "/parquet") == "")
      #expect(try run("compact", home.path + "/parquet", home.path + "/fewer") == "")
      #expect(try run("advise", "SELECT category FROM 'sample-data/sales/'").contains("sqlq convert"))
      #expect(try run("clean", "--output-format", "csv") == "")
      #expect(try Self.run("result", ["nothing"], home: home).exitCode == 1)
      #expect(try Self.run("workgroup", ["delete", "primary"], home: home).exitCode == 1)
    }
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func completionScripts(_ shell: String) throws {
    let outcome = try SQLQProcess.run(["completions", shell], home: nil)
    #expect(outcome.exitCode == 0)
    #expect(outcome.output.contains("history"))
    #expect(outcome.output.contains("output-format"))
  }
}
