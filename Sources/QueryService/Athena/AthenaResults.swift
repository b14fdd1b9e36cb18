import QueryEngine
import QueryErrors

/// GetQueryResults: pages of the file that the query left.
extension AthenaService {
  static let resultOperations: [String: Operation] = [
    "GetQueryResults": Operation([
      queryID, .string("NextToken", 1...1024), .integer("MaxResults", minimum: 1), .string("QueryResultType"),
    ]) { try $0.results($1) }
  ]

  private static let maximumResults = 1000

  private func results(_ input: JSONValue) throws -> JSONValue {
    let record = try record(input)
    let limit = input["MaxResults"]?.integer ?? AthenaService.maximumResults
    guard limit <= AthenaService.maximumResults else {
      throw AWSError.invalidInput("MaxResults is more than maximum allowed length \(AthenaService.maximumResults)")
    }
    if let kind = input["QueryResultType"]?.string, kind != "DATA_ROWS" {
      throw AWSError.invalidInput("QueryResultType \(kind) is not supported: results are rows")
    }
    switch record.state {
    case .succeeded: break
    case .queued, .running:
      throw AWSError.invalidRequest(
        "INVALID_QUERY_EXECUTION_STATE", "Query has not yet finished. Current state: \(record.state.rawValue)")
    case .failed:
      throw AWSError.invalidRequest(
        "INVALID_QUERY_EXECUTION_STATE", "Query did not finish successfully. Final query state: FAILED")
    case .cancelled: throw AWSError.invalidRequest("RESULT_NOT_FOUND", "Could not find results")
    }
    let offset = try offset(input, record)
    let figures = record.statistics
    let subtype = figures.substatementType ?? ""
    var answer: [String: JSONValue] = [:]
    switch subtype {
    case "CREATE_TABLE_AS_SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "UNLOAD":
      answer["UpdateCount"] = .number(figures.rowsWritten)
      let rows = ResultMetadata.ColumnDescription(name: "rows", type: "bigint", precision: 19, scale: 0, isCaseSensitive: false)
      answer["ResultSet"] = AthenaService.resultSet([rows], [])
      return .object(answer)
    case "EXPLAIN": break
    default: if figures.type != .ddl { answer["UpdateCount"] = 0 }
    }
    guard let location = figures.resultLocation else {
      answer["ResultSet"] = AthenaService.resultSet([], [])
      return .object(answer)
    }
    let stored: StoredResult
    do throws(QueryError) { stored = try StoredResult(location, engine) } catch {
      if error.code == .hiveCannotOpenSplit { throw AWSError.invalidRequest("RESULT_NOT_FOUND", "Could not find results") }
      throw error
    }
    var limitLeft = limit
    var rows: [JSONValue] = []
    // The plan of EXPLAIN has a header, which its file lacks.
    if subtype == "EXPLAIN", offset == 0, limitLeft > 1 {
      rows.append(AthenaService.row(stored.columns.map { Optional($0.name) }))
      limitLeft -= 1
    }
    let page = try stored.page(from: offset, limit: limitLeft)
    for values in page.rows { rows.append(AthenaService.row(values)) }
    answer["ResultSet"] = AthenaService.resultSet(stored.columns, rows)
    if let next = page.next { answer["NextToken"] = .string("\(record.id):\(next)") }
    return .object(answer)
  }

  /// Where the page begins in the file.
  private func offset(_ input: JSONValue, _ record: QueryRecord) throws(AWSError) -> UInt64 {
    guard let token = input["NextToken"]?.string else { return 0 }
    let parts = token.split(separator: ":")
    guard parts.count == 2, parts[0] == record.id, let offset = UInt64(parts[1]), offset > 0 else {
      throw .invalidInput("Malformed nextPageToken \(token)")
    }
    return offset
  }

  private static func row(_ values: [String?]) -> JSONValue {
    ["Data": .array(values.map { value in value.map { ["VarCharValue": .string($0)] } ?? [:] })]
  }

  static func resultSet(_ columns: [ResultMetadata.ColumnDescription], _ rows: [JSONValue]) -> JSONValue {
    let infos = columns.map { column -> JSONValue in
      [
        "CatalogName": "hive", "SchemaName": "", "TableName": "", "Name": .string(column.name), "Label": .string(column.name),
        "Type": .string(column.type), "Precision": .number(column.precision), "Scale": .number(column.scale), "Nullable": "UNKNOWN",
        "CaseSensitive": .bool(column.isCaseSensitive),
      ]
    }
    return ["Rows": .array(rows), "ResultSetMetadata": ["ColumnInfo": .array(infos)]]
  }
}
