import Glibc
import QueryEngine
import QueryShell
import QueryErrors

/// Runs tests, each with a catalog of its own that only its given tables are in.
struct SQLTestRunner {
  /// Folder that data of given tables is written to; removed by whoever made it.
  let folder: String
  let configuration: EngineConfiguration
  let session: SessionDefaults

  func run(_ test: SQLTest, number: Int) -> SQLTestOutcome {
    let start = Clock.milliseconds
    var outcome = runUntimed(test, number: number)
    outcome.milliseconds = Clock.milliseconds - start
    return outcome
  }

  private func runUntimed(_ test: SQLTest, number: Int) -> SQLTestOutcome {
    var outcome = SQLTestOutcome(test: test)
    do throws(QueryError) {
      let session = try Engine(configuration).session(session)
      let place = "\(folder)/\(number)"
      for given in test.given { try make(given, of: test, in: place, session) }
      for statement in test.setup { try SQLTestRunner.run(statement, session) }
      let rows = ResultCollector()
      let execution = session.queue(SQLStatement(test.sql))
      Interrupt.shared.watch(execution) { _ in }
      defer { Interrupt.shared.unwatch() }
      var failure: QueryError?
      do throws(QueryError) { try execution.run(into: rows) } catch { failure = error }
      if let failure, failure.code == .userCanceled { throw failure }
      outcome.bytesScanned = execution.statistics.bytesScanned
      outcome.failures = test.expectations.flatMap { check($0.expectation, rows, execution, failure) }
      if let failure, !test.expectations.contains(where: { if case .error = $0.expectation { true } else { false } }) {
        outcome.failures = [StatementPlace.render(failure, test.sql, at: nil)]
      }
    } catch {
      outcome.error = error.description
    }
    return outcome
  }

  private static func run(_ statement: String, _ session: Session) throws(QueryError) {
    try session.run(SQLStatement(statement), into: ResultCollector())
  }

  // MARK: Given tables

  private func make(_ given: SQLTest.Given, of test: SQLTest, in place: String, _ session: Session) throws(QueryError) {
    let types = given.columns.map { ", types => " + SQLText.quoted(columns($0, without: given.partitionColumns)) } ?? ""
    let query: String
    switch given.source {
    case .path(let path):
      let full = path.hasPrefix("/") || path.contains("://") ? path : FileTree.parent(test.file) + "/" + path
      query = "SELECT * FROM \(SQLText.quoted(full))"
    case .csv(let text):
      let folder = "\(place)/\(given.name)"
      try write(text, of: given, to: folder)
      query = "SELECT * FROM TABLE(read_csv(\(SQLText.quoted(folder + "/")), header => true, delimiter => ','\(types)))"
    case .json(let text):
      let folder = "\(place)/\(given.name)"
      try FileTree.write(text, to: folder + "/data.json")
      query = "SELECT * FROM TABLE(read_json(\(SQLText.quoted(folder + "/"))\(types)))"
    case .values(let text):
      let columns = SQLText.columns(given.columns ?? "")
      let casts = columns.map { "CAST(\(SQLText.identifier($0.name)) AS \($0.type)) AS \(SQLText.identifier($0.name))" }
      let names = columns.map { SQLText.identifier($0.name) }.joined(separator: ", ")
      query = "SELECT \(casts.joined(separator: ", ")) FROM (VALUES \(text)) AS given (\(names))"
    }
    let name = given.name.split(separator: ".").map { SQLText.identifier(String($0)) }
    if name.count > 1 { try SQLTestRunner.run("CREATE DATABASE IF NOT EXISTS " + name[0], session) }
    do throws(QueryError) {
      try SQLTestRunner.run("CREATE VIEW " + name.joined(separator: ".") + " AS " + query, session)
    } catch {
      throw QueryError(error.code, "given \(given.name) (line \(given.line)): \(error.message)", hint: error.hint)
    }
  }

  private func columns(_ columns: String, without names: [String]) -> String {
    SQLText.columns(columns).filter { !names.contains($0.name) }.map { "\(SQLText.identifier($0.name)) \($0.type)" }.joined(separator: ", ")
  }

  /// CSV as one file, or as a file for each partition.
  private func write(_ text: String, of given: SQLTest.Given, to folder: String) throws(QueryError) {
    if given.partitionColumns.isEmpty { return try FileTree.write(text, to: folder + "/data.csv") }
    let rows = CSVText.rows(text)
    guard let header = rows.first else { throw QueryError(.invalidArguments, "given \(given.name) (line \(given.line)): no header") }
    let names = header.map { $0 ?? "" }
    let places = given.partitionColumns.map { name in names.firstIndex { $0.lowercased() == name.lowercased() } }
    if let missing = zip(given.partitionColumns, places).first(where: { $1 == nil })?.0 {
      throw QueryError(.invalidArguments, "given \(given.name) (line \(given.line)): it has no column '\(missing)'")
    }
    let kept = names.indices.filter { !places.contains($0) }
    var files: [String: String] = [:]
    for row in rows.dropFirst() where row.count == names.count {
      let path = zip(given.partitionColumns, places).map { name, place in
        "\(name)=\(row[place!].map(PathText.escaped) ?? "__HIVE_DEFAULT_PARTITION__")"
      }.joined(separator: "/")
      files[path, default: CSVText.line(kept.map { names[$0] })] += CSVText.line(kept.map { row[$0] })
    }
    for (path, text) in files { try FileTree.write(text, to: "\(folder)/\(path)/data.csv") }
  }

  // MARK: Expectations

  private func check(
    _ expectation: SQLTest.Expectation, _ rows: ResultCollector, _ execution: QueryExecution, _ failure: QueryError?
  ) -> [String] {
    let figures = execution.statistics
    switch expectation {
    case .error(let code, let text):
      guard let failure else { return ["expected error \(code), but it succeeded with \(figures.rows) rows"] }
      let message = failure.description
      if failure.code.rawValue == code, text.isEmpty || message.contains(text) { return [] }
      return ["expected error \(code) \(text)\n     but got \(message)"]
    case _ where failure != nil: return []
    case .rows(let text, let inOrder): return RowComparison(expected: CSVText.rows(text), rows).differences(inOrder: inOrder)
    case .count(let count): return figures.rows == count ? [] : ["expected \(count) rows, but got \(figures.rows)"]
    case .mostBytes(let most):
      if figures.bytesScanned <= most { return [] }
      let base = configuration.unitBase
      return [
        "scanned \(StatusFooter.bytes(figures.bytesScanned, base)) (\(figures.bytesScanned) bytes), expected at most \(StatusFooter.bytes(most, base)) (\(most) bytes)"
      ]
    case .mostFiles(let most): return figures.filesRead <= most ? [] : ["read \(figures.filesRead) files, expected at most \(most)"]
    case .partitions(let expected):
      return difference("partitions", Set(execution.scans.flatMap(\.partitions)), Set(expected))
    case .columnsRead(let expected):
      return difference(
        "columns", Set(execution.scans.flatMap(\.columns).map { $0.lowercased() }), Set(expected.map { $0.lowercased() }))
    }
  }

  private func difference(_ what: String, _ read: Set<String>, _ expected: Set<String>) -> [String] {
    if read == expected { return [] }
    var lines = ["read other \(what) than expected"]
    for name in expected.subtracting(read).sorted() { lines.append("- \(name)") }
    for name in read.subtracting(expected).sorted() { lines.append("+ \(name)") }
    return [lines.joined(separator: "\n")]
  }
}
