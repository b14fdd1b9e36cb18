import ArgumentParser
import Glibc
import QueryEngine
import QueryErrors
import QueryShell

/// `sqlq test DIR`: runs the SQL tests of a folder.
struct TestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run SQL tests: given tables, expected rows, expected cost.",
    discussion: """
      A test is a statement of a .sql file with a comment in front:

        /* test: paid orders only
        given orders csv (amount decimal(10,2)) partitioned by (day):
        id,day,amount
        1,2024-01-01,10.50
        2,2024-01-02,3

        expect rows:
        total
        10.50

        expect max_bytes: 10MB
        expect partitions: day=2024-01-01
        expect columns_read: amount
        */
        SELECT sum(amount) AS total FROM orders WHERE day = DATE '2024-01-01';

      Given: NAME csv|json|values (COLUMN TYPE, …): data up to an empty line; NAME from 'PATH' for files beside the test. A comment \
      with given tables only is for all tests below it, and so is a statement without such a comment.
      Expect: rows, rows in order, no rows, count, error CODE text, max_bytes, max_files, partitions, columns_read. In rows an empty \
      field is NULL and "" the empty text.
      """)

  @Argument(help: "Folders and .sql files.", completion: .file(extensions: ["sql"])) var paths: [String]
  @Option(help: ArgumentHelp("Write the outcomes as JUnit XML.", valueName: "file"), completion: .file()) var junit: String?
  @Option(help: ArgumentHelp("Only tests whose file or name contains this.", valueName: "text")) var filter: String?
  @Option(help: "Worker threads of a query (default: all processors).") var threads: Int?
  @Option(help: ArgumentHelp("The session's time zone.", valueName: "zone")) var timeZone = "UTC"
  @Option(help: ArgumentHelp("Whose statements are accepted.", valueName: "athena")) var compat: Compatibility?
  @Flag(name: .shortAndLong, help: "Print failures only.") var quiet = false

  enum Compatibility: String, ExpressibleByArgument, CaseIterable { case athena }

  func validate() throws {
    if let threads, !(1...1024).contains(threads) { throw ValidationError("'--threads' takes a number from 1 to 1024.") }
  }

  func run() throws {
    var tests: [SQLTest] = []
    for path in paths {
      let files = FileTree.files(path, ending: ".sql")
      if files.isEmpty { throw QueryError(.hiveFilesystemError, "There is no .sql file at \(path)") }
      for file in files { tests += try read(file) }
    }
    if let filter { tests.removeAll { !$0.name.contains(filter) && !$0.file.contains(filter) } }
    if tests.isEmpty {
      throw QueryError(.notFound, "There are no tests", hint: "A test is a statement with a comment /* test: NAME … */ in front.")
    }
    let folder = try FileTree.makeTemporary()
    defer { FileTree.removeTemporary(folder) }
    var configuration = EngineConfiguration()
    if let threads { configuration.threads = threads }
    var session = SessionDefaults()
    session.writesResults = false
    session.timeZone = timeZone
    if compat != nil { session.compatibility = .athena }
    let runner = SQLTestRunner(folder: folder, configuration: configuration, session: session)
    var outcomes: [SQLTestOutcome] = []
    for (number, test) in tests.enumerated() {
      let outcome = runner.run(test, number: number)
      outcomes.append(outcome)
      if !quiet || !outcome.hasPassed { FileHandleText.print(report(outcome), to: 1) }
    }
    let failed = outcomes.count { !$0.hasPassed }
    FileHandleText.print("\(outcomes.count - failed) passed, \(failed) failed", to: 1)
    if let junit { try FileTree.write(JUnitReport.text(outcomes), to: junit) }
    if failed > 0 { throw ExitCode(1) }
  }

  private func read(_ file: String) throws -> [SQLTest] {
    guard let text = FileHandleText.read(file) else {
      throw QueryError(.hiveFilesystemError, "Cannot read \(file): \(String(cString: strerror(errno)))")
    }
    do { return try SQLTestFile.parse(text, file: file) } catch {
      throw QueryError(.invalidArguments, "\(file):\(error.line): \(error.message)", hint: "sqlq test --help shows what a test is.")
    }
  }

  private func report(_ outcome: SQLTestOutcome) -> String {
    let test = outcome.test
    let head = "\(outcome.hasPassed ? "ok  " : "FAIL") \(test.file):\(test.line) \(test.name) (\(Int(outcome.milliseconds.rounded())) ms)"
    let texts = outcome.failures + (outcome.error.map { [$0] } ?? [])
    return ([head] + texts.map { "  " + $0.replacing("\n", with: "\n  ") }).joined(separator: "\n")
  }
}
