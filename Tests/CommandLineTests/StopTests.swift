import Foundation
import Testing

/// What stops a program, and what it leaves: signals, readers that go, full disks, others' eyes.
@Suite("Stops and leftovers") struct StopTests {
  /// Rows for minutes.
  private static let endless =
    "SELECT x, y FROM UNNEST(sequence(1, 9000)) a(x) CROSS JOIN UNNEST(sequence(1, 9000)) b(y) ORDER BY y, x"

  @Test(arguments: [SIGTERM, SIGHUP, SIGQUIT, SIGINT]) func signalsEndLikeInterrupts(_ signal: Int32) throws {
    try SQLQProcess.withHome { home in
      let outcome = try SQLQProcess.run([Self.endless], home: home, signal: (signal, after: 0.5))
      #expect(outcome.exitCode == 130)
      #expect(outcome.errors.contains("USER_CANCELED"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: home.path + "/results").isEmpty)
    }
  }

  /// A reader that goes stops the statement, and those behind it do not run.
  @Test func readersThatGo() throws {
    try SQLQProcess.withHome { home in
      let script = """
        '\(SQLQProcess.executable.path)' --home '\(home.path)' -e "\(Self.endless.replacing(" ORDER BY y, x", with: ""))" \
        -e 'CREATE VIEW made AS SELECT 1 AS a' | head -n 1; echo ${PIPESTATUS[0]}
        """
      let outcome = try SQLQProcess.run(shell: script)
      #expect(outcome.output == "x,y\n130\n")
      #expect(outcome.errors.isEmpty)
      #expect(try FileManager.default.contentsOfDirectory(atPath: home.path + "/results").isEmpty)
      #expect(try SQLQProcess.run(["--output-format", "csv", "SHOW VIEWS"], home: home).output.isEmpty)
    }
  }

  /// A process that is killed leaves half a result, which the next one removes.
  @Test func leftoversAreSwept() throws {
    try SQLQProcess.withHome { home in
      let results = home.path + "/results"
      let outcome = try SQLQProcess.run([Self.endless], home: home, signal: (SIGKILL, after: 0.7))
      #expect(outcome.exitCode == 128 + SIGKILL)
      #expect(try FileManager.default.contentsOfDirectory(atPath: results).contains { $0.hasSuffix(".tmp") })
      #expect(try SQLQProcess.run(["SELECT 1"], home: home).exitCode == 0)
      let left = try FileManager.default.contentsOfDirectory(atPath: results)
      #expect(left.count == 2 && left.allSatisfy { !$0.hasSuffix(".tmp") }, "\(left)")
    }
  }

  @Test func fullDisks() throws {
    try SQLQProcess.withHome { home in
      let outcome = try SQLQProcess.run(
        shell: "'\(SQLQProcess.executable.path)' --home '\(home.path)' 'SELECT 1' > /dev/full; echo $?")
      #expect(outcome.output == "5\n")
      #expect(outcome.errors.contains("No space left on device"))
    }
  }

  /// A pipe that does not wait, as some programs make them, gets all rows.
  @Test func pipesThatDoNotWait() throws {
    try SQLQProcess.withHome { home in
      let writing = Pipe()
      let descriptor = writing.fileHandleForWriting.fileDescriptor
      #expect(fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0)
      let process = Process()
      process.executableURL = SQLQProcess.executable
      process.arguments = [
        "--home", home.path, "--output-format", "csv",
        "SELECT x, y FROM UNNEST(sequence(1, 1000)) a(x), UNNEST(sequence(1, 100)) b(y)",
      ]
      process.standardOutput = writing
      try process.run()
      try writing.fileHandleForWriting.close()
      var lineCount = 0
      while case let data = writing.fileHandleForReading.availableData, !data.isEmpty {
        lineCount += data.count { $0 == 0x0a }
      }
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      #expect(lineCount == 100_000)
    }
  }

  @Test func homesArePrivate() throws {
    try SQLQProcess.withHome { folder in
      let home = folder.appending(path: "made/home")
      #expect(try SQLQProcess.run(["SELECT 1"], home: home).exitCode == 0)
      for (path, mode) in [("", 0o700), ("/results", 0o700), ("/catalog.sqlite", 0o600)] {
        let found = try FileManager.default.attributesOfItem(atPath: home.path + path)[.posixPermissions] as? Int
        #expect(found == mode, "\(path)")
      }
    }
  }

  /// Control letters of data never reach a terminal: neither in errors nor in rows.
  @Test func controlLetters() throws {
    try SQLQProcess.withHome { home in
      let file = home.appending(path: "escape.csv")
      try "a,b\n\u{1b}]0;owned\u{7},\u{9b}31m\u{202e}x\n".write(to: file, atomically: true, encoding: .utf8)
      let failed = try SQLQProcess.run(["SELECT CAST(a AS integer) FROM '\(file.path)'"], home: home)
      #expect(failed.errors.contains("␛]0;owned␇"))
      #expect(!failed.errors.unicodeScalars.contains { $0.value == 0x1b })
      for format in ["table", "vertical", "csv", "tsv", "markdown", "jsonl"] {
        let command = "'\(SQLQProcess.executable.path)' --no-results --home '\(home.path)' --output-format \(format)"
        let outcome = try SQLQProcess.run(
          shell: "script -qec \"\(command) \\\"SELECT * FROM '\(file.path)'\\\"\" /dev/null < /dev/null")
        #expect(outcome.output.contains("31m"), "\(format)")
        let scalars = Set(outcome.output.unicodeScalars.map(\.value))
        #expect(scalars.isDisjoint(with: [0x07, 0x9b, 0x202e]), "\(format)")
        #expect(!outcome.output.contains("\u{1b}]"), "\(format)")
        let piped = try SQLQProcess.run(["--output-format", "csv", "SELECT b FROM '\(file.path)'"], home: home)
        #expect(piped.output == "\u{9b}31m\u{202e}x\n")
      }
    }
  }

  @Test func sessionsThatOnlyRead() throws {
    try SQLQProcess.withHome { home in
      for sql in [
        "CREATE VIEW v AS SELECT 1 AS a", "CREATE DATABASE d", "DROP TABLE t", "PREPARE p FROM SELECT 1", "INSERT INTO t SELECT 1",
        "CREATE TABLE t AS SELECT 1 AS a", "UNLOAD (SELECT 1) TO 'x' WITH (format = 'PARQUET')", "MSCK REPAIR TABLE t",
        "EXPLAIN ANALYZE INSERT INTO t SELECT 1", "EXECUTE IMMEDIATE 'DROP TABLE t'",
      ] {
        let outcome = try SQLQProcess.run(["--read-only", sql], home: home)
        #expect(outcome.exitCode == 1 && outcome.errors.hasPrefix("READ_ONLY_VIOLATION"), "\(sql): \(outcome.errors)")
      }
      for sql in ["SELECT 1", "SHOW TABLES", "EXPLAIN SELECT 1", "EXECUTE IMMEDIATE 'SELECT 1'", "USE \"default\""] {
        let outcome = try SQLQProcess.run(["--read-only", sql], home: home)
        #expect(outcome.exitCode == 0, "\(sql): \(outcome.errors)")
      }
    }
  }
}
