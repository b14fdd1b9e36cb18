import Foundation
import QueryEngine

/// sqlq's side of the protocol: one embedded session that answers statements until its input ends.
struct EngineServer {
  private let session: Session

  /// Serves requests on stdin and stdout.
  static func serve() throws {
    guard let first = readLine() else { return }
    let request = try JSONDecoder().decode(OpenRequest.self, from: Data(first.utf8))
    do {
      let server = try EngineServer(request)
      try reply(OpenReply(version: "this build"))
      while let line = readLine() {
        try reply(server.run(try JSONDecoder().decode(StatementRequest.self, from: Data(line.utf8))))
      }
    } catch let error as QueryError {
      try reply(OpenReply(error: ErrorRenderer.render(error, sql: nil)))
    }
  }

  private init(_ request: OpenRequest) throws(QueryError) {
    var configuration = EngineConfiguration()
    configuration.threads = request.threads
    session = try QueryEngine.Engine(configuration).session()
    for table in request.tables {
      try session.run(SQLStatement(EngineServer.definition(of: table)), into: ResultCollector())
    }
  }

  /// The statement that makes a suite's table known.
  ///
  /// JSON lines with declared types are an external table. Hive's CSV has no dates in ISO form, so that the types of
  /// declared CSV come from casts.
  private static func definition(of table: TableSource) -> String {
    let source = "SELECT * FROM '\(table.path)\(table.isFolder ? "/" : "")'"
    guard let columns = table.columns else { return "CREATE OR REPLACE VIEW \"\(table.name)\" AS \(source)" }
    switch table.format {
    case .json:
      let list = columns.map { "`\($0.name)` \(hiveType($0.type))" }.joined(separator: ", ")
      return "CREATE EXTERNAL TABLE `\(table.name)` (\(list)) "
        + "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION '\(table.path)/'"
    case .csv, .parquet:
      let list = columns.map { "CAST(\"\($0.name)\" AS \($0.type)) AS \"\($0.name)\"" }.joined(separator: ", ")
      return "CREATE OR REPLACE VIEW \"\(table.name)\" AS \(source.replacing("*", with: list, maxReplacements: 1))"
    }
  }

  private static func hiveType(_ type: String) -> String {
    switch type {
    case "varchar": "string"
    case "integer": "int"
    default: type
    }
  }

  private func run(_ request: StatementRequest) -> StatementReply {
    let collector = ResultCollector()
    let start = ContinuousClock.now
    let statistics: QueryStatistics
    do throws(QueryError) {
      statistics = try session.run(
        SQLStatement(request.sql.trimmingCharacters(in: .init(charactersIn: "; \n"))), into: collector)
    } catch {
      return StatementReply(error: ErrorRenderer.render(error, sql: request.sql).split(separator: "\n").first.map(String.init))
    }
    let elapsed = ContinuousClock.now - start
    return StatementReply(
      milliseconds: elapsed / .milliseconds(1),
      rowCount: collector.batches.reduce(0) { $0 + $1.rowCount },
      rows: request.wantsRows ? collector.batches.flatMap(EngineServer.rows) : nil,
      counters: ScanCounters(
        bytesScanned: statistics.bytesScanned, metadataBytes: statistics.metadataBytes,
        filesRead: statistics.filesRead, filesTotal: statistics.filesTotal ?? statistics.filesRead,
        rowGroupsRead: statistics.rowGroupsRead, rowGroupsTotal: statistics.rowGroupsTotal))
  }

  /// A batch's rows in the notation of `AnswerValue`.
  private static func rows(_ batch: Batch) -> [[String?]] {
    let columns = batch.columns.map { (text: ResultText($0), kind: kind(of: $0.type)) }
    return (0..<batch.rowCount).map { row in
      columns.map { column in
        if column.text.isNull(row) { return nil }
        var bytes: [UInt8] = []
        if column.kind == .json || column.kind == .bytes {
          column.text.appendJSON(row, to: &bytes)
        } else {
          column.text.append(row, to: &bytes)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        return String(column.kind.rawValue) + (column.kind == .bytes ? String(text.dropFirst().dropLast()) : text)
      }
    }
  }

  private static func kind(of type: DataType) -> AnswerValue.Kind {
    switch type {
    case .boolean: .boolean
    case .tinyint, .smallint, .integer, .bigint, .decimal: .exact
    case .real, .double: .float
    case .varbinary: .bytes
    case .array, .map, .row: .json
    default: .text
    }
  }

  private static func reply(_ reply: some Encodable) throws {
    var line = try JSONEncoder().encode(reply)
    line.append(0x0a)
    try FileHandle.standardOutput.write(contentsOf: line)
  }

  /// The columns of a file, for suites that declare types.
  static func columns(ofFile path: String) throws(QueryError) -> [DeclaredColumn] {
    let collector = ResultCollector()
    try QueryEngine.Engine().session().run("SELECT * FROM \(path: path) LIMIT 0", into: collector)
    return collector.schema.fields.map { DeclaredColumn(name: $0.name, type: $0.type.description) }
  }
}
