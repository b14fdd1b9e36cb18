import Foundation
import QueryEngine
import Testing

/// Runs the records of one file in one session and compares what comes out.
struct LogicTestRunner {
  static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let cases = package.appending(path: "Tests/SQLLogicTests/Cases")
  /// Whether to write what came out into the case files; the difference is for a person to review.
  static let isRecording = ProcessInfo.processInfo.environment["RECORD"] == "1"

  /// Paths in the cases are relative to the package.
  private static let workingDirectory: Bool = FileManager.default.changeCurrentDirectoryPath(package.path)

  /// Case files, relative to the folder of cases; those that begin with `$CASES` where it is set.
  static let files: [String] = {
    let walker = FileManager.default.enumerator(atPath: cases.path)
    let wanted = ProcessInfo.processInfo.environment["CASES"] ?? ""
    let paths = (walker?.allObjects as? [String] ?? []).filter { $0.hasSuffix(".slt") && $0.hasPrefix(wanted) }
    return paths.sorted()
  }()

  let configuration: LogicTestConfiguration
  private let session: Session
  /// An empty folder for this run; `$FOLDER` in SQL.
  private let folder: URL

  init(_ configuration: LogicTestConfiguration, _ caseFolder: String) throws {
    try #require(LogicTestRunner.workingDirectory)
    self.configuration = configuration
    session = try configuration.session(for: caseFolder)
    folder = FileManager.default.temporaryDirectory.appending(path: "sqlq-cases-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func run(_ path: String) async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let url = LogicTestRunner.cases.appending(path: path)
    let file = try LogicTestFile(url, root: LogicTestRunner.cases)
    var recorded: [(lines: Range<Int>, rows: [String])] = []
    loop: for record in file.records {
      if record.skipped.contains(configuration.name) { continue }
      if !record.only.isEmpty, !record.only.contains(configuration.name) { continue }
      if case .halt = record.kind { break loop }
      let sql = record.sql.replacingOccurrences(of: "$FOLDER", with: folder.path)
      if case .rewrite = record.kind {
        if let lines = checkRewrite(record, sql), LogicTestRunner.isRecording, record.file == url {
          recorded.append((record.rowLines, lines))
        }
        continue
      }
      let outcome: Result<QueryResult, QueryError>
      do throws(QueryError) { outcome = .success(try await session.run(SQLStatement(sql))) } catch { outcome = .failure(error) }
      if let rows = check(record, outcome), LogicTestRunner.isRecording, record.file == url {
        recorded.append((record.rowLines, rows))
      }
    }
    if !recorded.isEmpty { try write(recorded, to: url) }
  }

  /// Compares a statement rewritten in Athena's SQL.
  ///
  /// - Returns: the lines to record, when they differ from those of the file.
  private func checkRewrite(_ record: LogicTestRecord, _ sql: String) -> [String]? {
    do throws(QueryError) {
      let lines = try session.rewriteForAthena(sql).components(separatedBy: "\n")
      if lines == record.rows { return nil }
      if LogicTestRunner.isRecording { return lines }
      report(record, "expected \(record.rows.joined(separator: "\n"))\n     got \(lines.joined(separator: "\n"))")
    } catch {
      report(record, "failed: \(error.description)")
    }
    return nil
  }

  /// Compares one outcome.
  ///
  /// - Returns: the rows to record, when they differ from those of the file.
  private func check(_ record: LogicTestRecord, _ outcome: Result<QueryResult, QueryError>) -> [String]? {
    switch (record.kind, outcome) {
    case (.halt, _), (.rewrite, _), (.ok, .success): break
    case (.error(let code, let text), .failure(let error)):
      let rendered = error.description.replacingOccurrences(of: folder.path, with: "$FOLDER")
      if error.code.rawValue != code || (!text.isEmpty && !rendered.contains(text)) {
        report(record, "expected \(code) … \(text)\n     got \(rendered)")
      }
    case (.error(let code, _), .success): report(record, "expected \(code), but the statement succeeded")
    case (_, .failure(let error)): report(record, "failed: \(error.description)")
    case (.query(let types, let isSorted), .success(let result)):
      let actualTypes = result.schema.fields.map { LogicTestRunner.letter($0.type) }.joined()
      if actualTypes != types { report(record, "expected column types \(types), got \(actualTypes)") }
      var actual = LogicTestRunner.lines(result).map { $0.replacingOccurrences(of: folder.path, with: "$FOLDER") }
      var expected = record.rows
      if isSorted {
        actual.sort()
        expected.sort()
      }
      let isSame = actual.count == expected.count && zip(expected, actual).allSatisfy(LogicTestFile.matches)
      if isSame { break }
      if LogicTestRunner.isRecording { return actual }
      report(
        record,
        "expected \(expected.count) rows:\n\(expected.prefix(20).joined(separator: "\n"))\n"
          + "got \(actual.count) rows:\n\(actual.prefix(20).joined(separator: "\n"))")
    case (.statistics(let expected), .success(let result)):
      let actual = LogicTestRunner.figures(result.statistics)
      for (name, value) in expected where actual[name] != value {
        report(record, "expected \(name)=\(value), got \(actual[name] ?? "no such figure")")
      }
    }
    return nil
  }

  private func report(_ record: LogicTestRecord, _ text: String) {
    let name = record.file.path.replacingOccurrences(of: LogicTestRunner.cases.path + "/", with: "")
    Issue.record("\(name):\(record.line + 1) under \(configuration.name):\n\(record.sql)\n\(text)")
  }

  private func write(_ recorded: [(lines: Range<Int>, rows: [String])], to url: URL) throws {
    var lines = try String(contentsOf: url, encoding: .utf8).components(separatedBy: "\n")
    for (range, rows) in recorded.reversed() { lines.replaceSubrange(range, with: rows) }
    try lines.joined(separator: "\n").write(to: url, atomically: true, encoding: .utf8)
  }

  // MARK: Rendering

  /// A line a row: values as Athena's CSV has them, tab-separated; NULL and `(empty)` spelled out; line feeds and tabs escaped.
  static func lines(_ result: QueryResult) -> [String] {
    var lines: [String] = []
    for batch in result.batches {
      let texts = batch.columns.map(ResultText.init)
      for row in 0..<batch.rowCount {
        lines.append(
          texts.map { text in
            if text.isNull(row) { return "NULL" }
            var bytes: [UInt8] = []
            text.append(row, to: &bytes)
            if bytes.isEmpty { return "(empty)" }
            return String(decoding: bytes, as: UTF8.self).replacingOccurrences(of: "\n", with: "\\n")
              .replacingOccurrences(of: "\t", with: "\\t").replacingOccurrences(of: "\r", with: "\\r")
          }.joined(separator: "\t"))
      }
    }
    return lines
  }

  /// A column type's letter: whole number, number with a fraction, boolean, date, or text and anything else.
  private static func letter(_ type: DataType) -> String {
    switch type {
    case .tinyint, .smallint, .integer, .bigint: "I"
    case .real, .double, .decimal: "R"
    case .boolean: "B"
    case .date: "D"
    default: "T"
    }
  }

  private static func figures(_ statistics: QueryStatistics) -> [String: String] {
    [
      "rows": "\(statistics.rows)",
      "bytes_scanned": "\(statistics.bytesScanned)",
      "data_bytes": "\(statistics.bytesScanned - statistics.metadataBytes)",
      "bytes_total": "\(statistics.bytesTotal)",
      "bytes_billed": "\(statistics.bytesBilled)",
      "cost_usd": "\(statistics.dollars)",
      "files_read": "\(statistics.filesRead)",
      "files_total": statistics.filesTotal.map { "\($0)" } ?? "unknown",
      "partitions_read": "\(statistics.partitionsRead)",
      "partitions_total": statistics.partitionsTotal.map { "\($0)" } ?? "unknown",
      "row_groups_read": "\(statistics.rowGroupsRead)",
      "row_groups_total": "\(statistics.rowGroupsTotal)",
      "columns_read": "\(statistics.columnsRead)",
      "columns_total": "\(statistics.columnsTotal)",
      "statement_type": statistics.statementType,
      "substatement_type": statistics.substatementType ?? "unknown",
    ]
  }
}
