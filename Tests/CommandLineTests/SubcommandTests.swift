import Foundation
import Testing

/// Commands that are words: help, exit codes, completion.
@Suite("Subcommands") struct SubcommandTests {
  /// Runs a command with a home; its name comes first.
  static func run(_ command: String, _ arguments: [String] = [], home: URL) throws -> SQLQProcess.Outcome {
    try SQLQProcess.run([command, "--home", home.path] + arguments, home: nil)
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

  @Test(arguments: ["bash", "zsh", "fish"]) func completionScripts(_ shell: String) throws {
    let outcome = try SQLQProcess.run(["completions", shell], home: nil)
    #expect(outcome.exitCode == 0)
    #expect(outcome.output.contains("history"))
    #expect(outcome.output.contains("output-format"))
  }
}
