import Foundation
import Testing

/// The command line's contract: flags, exit codes, what goes to stdout and what to stderr.
@Suite("Command line") struct CommandLineTests {
  @Test(arguments: [
    ("SELECT 1", 0), ("SELECT nothing", 1), ("SELEC", 1), ("SELECT * FROM nothing", 1),
    ("SELECT * FROM 'no/such/folder/'", 6), ("DELETE FROM t", 7), ("DROP TABLE nothing", 1),
  ]) func exitCodes(_ sql: String, _ code: Int32) throws {
    try SQLQProcess.withHome { home in
      let outcome = try SQLQProcess.run([sql], home: home)
      #expect(outcome.exitCode == code, "\(outcome.errors)")
      #expect(code == 0 || outcome.output.isEmpty)
    }
  }

  @Test(arguments: [
    ["--no-such-option"], ["--threads", "0"], ["--threads"], ["SELECT 1", "SELECT 2"], ["--max-scan", "x"],
    ["--output-format", "xml"], ["--no-results=1"],
  ]) func wrongUse(_ arguments: [String]) throws {
    let outcome = try SQLQProcess.run(arguments, home: nil)
    #expect(outcome.exitCode == 2)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.contains("Usage: sqlq"))
  }

  @Test func helpAndVersion() throws {
    let help = try SQLQProcess.run(["--help"], home: nil)
    #expect(help.exitCode == 0)
    for option in ["-e", "-f", "--home", "--max-scan", "--dry-run", "--version"] { #expect(help.output.contains(option)) }
    let version = try SQLQProcess.run(["--version"], home: nil)
    #expect(version.exitCode == 0)
    #expect(version.output.wholeMatch(of: /sqlq \d+\.\d+\.\d+\n/) != nil)
  }

  /// Statements come from -e and -f in the order given.
  @Test func severalSources() throws {
    try SQLQProcess.withHome { home in
      let file = home.appending(path: "two.sql")
      try "SELECT 2;\nSELECT 3".write(to: file, atomically: true, encoding: .utf8)
      let outcome = try SQLQProcess.run(
        ["--output-format", "csv", "-e", "SELECT 1", "-f", file.path, "-e", "SELECT 4; SELECT 5"], home: home)
      #expect(outcome.exitCode == 0)
      #expect(outcome.output == "1\n2\n3\n4\n5\n")
      let piped = try SQLQProcess.run(["--output-format", "csv"], home: home, input: "SELECT 6;\n-- done\nSELECT 7;")
      #expect(piped.output == "6\n7\n")
    }
  }

  /// The first error stops; it names the file and the line in it.
  @Test func errorsOfFiles() throws {
    try SQLQProcess.withHome { home in
      let file = home.appending(path: "report.sql")
      try "SELECT 1;\n\n-- a comment\nSELECT\n  nothing_here;\nSELECT 2".write(to: file, atomically: true, encoding: .utf8)
      let outcome = try SQLQProcess.run(["--output-format", "csv", "-f", file.path], home: home)
      #expect(outcome.exitCode == 1)
      #expect(outcome.output == "1\n")
      #expect(
        outcome.errors == """
          COLUMN_NOT_FOUND: line 5:3: Column 'nothing_here' cannot be resolved
            nothing_here;
            ^^^^^^^^^^^^
          in \(file.path):5:3

          """)
      try "SELECT 1;\n  SELECT 1 / x FROM (VALUES 0) t(x)".write(to: file, atomically: true, encoding: .utf8)
      #expect(try SQLQProcess.run(["-f", file.path], home: home).errors.contains("in \(file.path):2"))
      #expect(try SQLQProcess.run(["-f", home.path + "/absent.sql"], home: home).exitCode == 6)
    }
  }

  /// The keys that programs rely on.
  @Test func statisticsAsJSON() throws {
    try SQLQProcess.withHome { home in
      let outcome = try SQLQProcess.run(
        ["--stats", "json", "SELECT count(*) FROM 'sample-data/sales/' WHERE year = 2024"], home: home)
      let object = try #require(
        JSONSerialization.jsonObject(with: Data(outcome.errors.utf8)) as? [String: Any])
      for key in [
        "query_id", "state", "rows", "bytes_scanned", "bytes_billed", "cost_usd", "wall_ms", "planning_ms", "files_read",
        "files_total", "partitions_read", "partitions_total", "row_groups_read", "row_groups_total", "columns_read",
        "peak_memory_bytes", "spilled_bytes", "result_location", "statement_type", "substatement_type", "dry_run",
      ] { #expect(object[key] != nil, "\(key)") }
      #expect(object["state"] as? String == "SUCCEEDED")
      let location = try #require(object["result_location"] as? String)
      #expect(location.hasSuffix("/results/\(object["query_id"] as! String).csv"))
      #expect(FileManager.default.fileExists(atPath: location + ".metadata"))
      let failed = try SQLQProcess.run(["--stats", "json", "SELECT nothing_here"], home: home)
      #expect(failed.errors.contains("\"state\":\"FAILED\""))
    }
  }

  @Test func noResults() throws {
    try SQLQProcess.withHome { home in
      let outcome = try SQLQProcess.run(["--no-results", "--stats", "json", "SELECT 1"], home: home)
      #expect(outcome.errors.contains("\"result_location\":null"))
      #expect(!FileManager.default.fileExists(atPath: home.path + "/results"))
    }
  }

  @Test func dryRunsPrintNoRows() throws {
    try SQLQProcess.withHome { home in
      let outcome = try SQLQProcess.run(["--dry-run", "SELECT * FROM 'sample-data/sales/'"], home: home)
      #expect(outcome.exitCode == 0)
      #expect(outcome.output.isEmpty)
      #expect(outcome.errors.contains("would read"))
      let definition = try SQLQProcess.run(["--dry-run", "CREATE DATABASE d"], home: home)
      #expect(definition.exitCode == 0)
      #expect(try SQLQProcess.run(["--output-format", "csv", "SHOW DATABASES"], home: home).output == "default\n")
    }
  }

  @Test func scanLimits() throws {
    try SQLQProcess.withHome { home in
      let outcome = try SQLQProcess.run(["--max-scan", "1kB", "SELECT * FROM 'sample-data/sales/'"], home: home)
      #expect(outcome.exitCode == 4)
      #expect(outcome.output.isEmpty)
    }
  }

  @Test func interruptsEndWith130() throws {
    try SQLQProcess.withHome { home in
      let outcome = try SQLQProcess.run(
        ["--stats", "json", "SELECT sum(x * y) FROM UNNEST(sequence(1, 9000)) a(x) CROSS JOIN UNNEST(sequence(1, 9000)) b(y)"],
        home: home, signal: (SIGINT, after: 0.5))
      #expect(outcome.exitCode == 130)
      #expect(outcome.errors.contains("USER_CANCELED"))
      #expect(outcome.errors.contains("\"state\":\"CANCELLED\""))
      let left = try FileManager.default.contentsOfDirectory(atPath: home.path + "/results")
      #expect(left.isEmpty)
    }
  }

  @Test func rewriting() throws {
    let outcome = try SQLQProcess.run(["--rewrite", "athena", "SELECT 1 AS a GROUP BY ALL"], home: nil)
    #expect(outcome.exitCode == 0)
    #expect(outcome.output.hasPrefix("SELECT 1 AS a"))
  }

  /// The user's file, the project's, then the command line.
  @Test func configurationFiles() throws {
    try SQLQProcess.withHome { home in
      let project = home.appending(path: "project/below")
      try FileManager.default.createDirectory(at: project, withIntermediateDirectories: true)
      try FileManager.default.createDirectory(at: home.appending(path: "xdg/sqlq"), withIntermediateDirectories: true)
      let (user, own) = (home.appending(path: "xdg/sqlq/config.toml"), home.appending(path: "project/.sqlq.toml"))
      func run(_ arguments: String) throws -> SQLQProcess.Outcome {
        let program = SQLQProcess.executable.path
        return try SQLQProcess.run(
          shell: "cd '\(project.path)' && XDG_CONFIG_HOME='\(home.path)/xdg' '\(program)' --home '\(home.path)/home' \(arguments)")
      }
      try Data("output_format = \"csv\"\n[parameters]\nday = 2024-03-01\nn = 5\n".utf8).write(to: user)
      try Data("read_only = true\noutput_format = \"tsv\"\n[parameters]\nn = 7\n".utf8).write(to: own)
      let both = try run("\"SELECT :n, :day, typeof(:day)\"")
      #expect(both.output == "7\t2024-03-01\tdate\n", "\(both.errors)")
      let given = try run("--output-format jsonl_compact -p n=x \"SELECT :n\"")
      #expect(given.output == "[\"x\"]\n")
      let refused = try run("\"CREATE VIEW v AS SELECT 1 AS a\"")
      #expect(refused.errors.hasPrefix("READ_ONLY_VIOLATION"))
      let without = try run("--no-config \"SELECT 1 AS a\"")
      #expect(without.output == "a\n1\n")
      for (text, message) in [
        ("max_scn = 1", "Unknown setting 'max_scn'. Did you mean 'max_scan'?"), ("threads = 0", "'threads' cannot be '0'"),
        ("a = ", ":1:5: Expected a value"),
        ("home = \"/tmp\"", "'home' can only be set in the user's own configuration"),
      ] {
        try Data(text.utf8).write(to: own)
        let outcome = try run("\"SELECT 1\"")
        #expect(outcome.exitCode == 2 && outcome.errors.contains(message), "\(outcome.errors)")
      }
    }
  }

  @Test func parametersAndFiles() throws {
    try SQLQProcess.withHome { home in
      let (program, file) = (["-p", "day=2024-03-01", "-p", "name=O'Brien"], home.appending(path: "out.parquet").path)
      let bound = try SQLQProcess.run(program + ["--output-format", "csv", "SELECT :name, :day + INTERVAL '1' DAY"], home: home)
      #expect(bound.output == "O'Brien,2024-03-02\n")
      let missing = try SQLQProcess.run(["SELECT :nothing"], home: home)
      #expect(missing.exitCode == 1)
      let written = try SQLQProcess.run(["-o", file, "SELECT * FROM (VALUES (1, 'a'), (2, NULL)) t(x, y)"], home: home)
      #expect(written.exitCode == 0 && written.output.isEmpty)
      let back = try SQLQProcess.run(["--output-format", "csv", "SELECT * FROM '\(file)' ORDER BY x"], home: home)
      #expect(back.output == "1,a\n2,\n")
      let chart = home.appending(path: "chart.svg").path
      let drawn = try SQLQProcess.run(["--chart", "bar", chart, "SELECT * FROM (VALUES ('a', 1)) t(x, y)"], home: home)
      #expect(drawn.exitCode == 0, "\(drawn.errors)")
      let picture = try String(contentsOfFile: chart, encoding: .utf8)
      #expect(picture.hasPrefix("<svg"))
      #expect(try SQLQProcess.run(["-o", "x.unknown", "SELECT 1"], home: home).exitCode == 2)
      let unwritable = try SQLQProcess.run(["-o", "/no/such/folder/x.csv", "SELECT 1"], home: home)
      #expect(unwritable.exitCode == 6)
    }
  }
}
