import QueryEngine
import Synchronization

/// The tools of the MCP server.
final class MCPTools: Sendable {
  /// One tool: its name, what it tells clients of itself, and how it is called.
  struct Tool: Sendable {
    var name: String
    var title: String
    var summary: String
    /// Name, type and meaning of each argument; those that are needed.
    var arguments: [(name: String, type: String, summary: String)]
    var required: [String]
    var run: @Sendable (MCPTools, JSONValue) async throws(QueryError) -> JSONValue

    /// As `tools/list` has it.
    var description: JSONValue {
      let properties = arguments.map { ($0.name, JSONValue.object(["type": .string($0.type), "description": .string($0.summary)])) }
      return [
        "name": .string(name), "title": .string(title), "description": .string(summary),
        "inputSchema": [
          "type": "object", "properties": .object(Dictionary(properties, uniquingKeysWith: { $1 })),
          "required": .array(required.map { .string($0) }),
        ],
      ]
    }
  }

  static let instructions = """
    SQL in the dialect of Amazon Athena (Trino) over files and tables. A quoted path in FROM is a file or folder: SELECT * FROM \
    'data/sales/'. Ask describe for columns and estimate for the price before a large query; filter on partition columns, and name the \
    columns you need: each query is billed by the bytes it scans.
    """

  private let session: Session
  private let limits: MCPServer.Limits
  /// US dollars that queries have cost.
  private let spent = Mutex(0.0)

  init(_ session: Session, _ limits: MCPServer.Limits) {
    self.session = session
    self.limits = limits
  }

  static let all: [Tool] = [
    Tool(
      name: "list_tables", title: "List databases and tables",
      summary: "Lists the tables and views of a database with their columns; without a database, all databases.",
      arguments: [("database", "string", "A database's name.")], required: []
    ) { (tools, arguments) throws(QueryError) in try tools.list(arguments["database"]?.string) },
    Tool(
      name: "describe", title: "Describe a table or file",
      summary: "Tells the columns and types of a table (database.table) or of a file or folder (its path), and three rows of it.",
      arguments: [("relation", "string", "database.table, or the path of a file or folder.")], required: ["relation"]
    ) { (tools, arguments) async throws(QueryError) in try await tools.describe(arguments["relation"]?.string ?? "") },
    Tool(
      name: "estimate", title: "Estimate a query",
      summary: "Tells what a query would scan and cost, without running it.",
      arguments: [("sql", "string", "One statement.")], required: ["sql"]
    ) { (tools, arguments) async throws(QueryError) in try await tools.estimate(arguments["sql"]?.string ?? "") },
    Tool(
      name: "query", title: "Run a query",
      summary: "Runs one SQL statement and gives its rows as arrays of JSON values in the order of the columns.",
      arguments: [
        ("sql", "string", "One statement in the dialect of Amazon Athena."),
        ("max_rows", "integer", "At most so many rows; the server's own limit holds too."),
      ], required: ["sql"]
    ) { (tools, arguments) async throws(QueryError) in
      try await tools.query(arguments["sql"]?.string ?? "", maxRows: arguments["max_rows"]?.integer)
    },
  ]

  /// A tool's result; errors are results too, so that the model sees them.
  func call(_ tool: Tool, _ arguments: JSONValue) async -> JSONValue {
    for name in tool.required where arguments[name]?.string == nil {
      return MCPTools.result(["error": .string("The argument '\(name)' is missing.")], isError: true)
    }
    do throws(QueryError) { return MCPTools.result(try await tool.run(self, arguments), isError: false) } catch {
      var told: [String: JSONValue] = ["error": .string(error.description), "code": .string(error.code.rawValue)]
      if let hint = error.hint { told["hint"] = .string(hint) }
      return MCPTools.result(.object(told), isError: true)
    }
  }

  private static func result(_ content: JSONValue, isError: Bool) -> JSONValue {
    let text = String(decoding: content.bytes, as: UTF8.self)
    return [
      "content": [["type": "text", "text": .string(text)]], "structuredContent": content, "isError": .bool(isError),
    ]
  }

  // MARK: Tools

  private func list(_ database: String?) throws(QueryError) -> JSONValue {
    guard let database else {
      return ["databases": .array(try session.engine.catalog.databases().map { .string($0.name) })]
    }
    let tables = try session.engine.catalog.tables(in: database)
    return [
      "tables": .array(
        tables.map { table in
          [
            "name": .string(table.name), "kind": .string(table.isView ? "view" : "table"), "location": .text(table.location),
            "columns": .array(
              table.columns.map { ["name": .string($0.name), "type": .string($0.type), "is_partition": .bool($0.isPartition)] }),
          ]
        })
    ]
  }

  private func describe(_ relation: String) async throws(QueryError) -> JSONValue {
    let isPath = relation.contains("/") || relation.contains("*") || (relation.contains(".") && !isTable(relation))
    let statement: SQLStatement
    if isPath {
      statement = "SELECT * FROM \(path: relation) LIMIT 3"
    } else {
      let names = relation.split(separator: ".").map(String.init)
      guard let name = names.last, names.count <= 2 else { throw QueryError(.tableNotFound, "'\(relation)' is no table's name") }
      let database = names.count == 2 ? names[0] : session.database
      statement = "SELECT * FROM \(identifier: database).\(identifier: name) LIMIT 3"
    }
    return try await run(statement, maxRows: 3)
  }

  private func isTable(_ name: String) -> Bool {
    let names = name.split(separator: ".").map(String.init)
    guard names.count == 2 else { return false }
    return (try? session.engine.catalog.table(names[1].lowercased(), in: names[0].lowercased())) != nil
  }

  private func estimate(_ sql: String) async throws(QueryError) -> JSONValue {
    let estimate = try await session.estimate(SQLStatement(sql))
    return [
      "bytes_scanned": .number(estimate.bytesScanned), "cost_usd": .double(estimate.dollars), "is_exact": .bool(estimate.isExact),
      "files_read": .number(estimate.filesRead), "partitions_read": .number(estimate.partitionsRead),
      "allowed": .bool(estimate.bytesScanned <= limits.scanBytes && estimate.dollars <= dollarsLeft),
    ]
  }

  private func query(_ sql: String, maxRows: Int?) async throws(QueryError) -> JSONValue {
    if Session.split(sql + ";").statements.count > 1 {
      throw .notSupported("Several statements in one call", hint: "Call the tool once for each.")
    }
    return try await run(SQLStatement(sql), maxRows: min(max(maxRows ?? limits.rows, 0), limits.rows))
  }

  private var dollarsLeft: Double { spent.withLock { limits.dollars - $0 } }

  /// Runs a statement within the limits; it is stopped once enough rows are there.
  private func run(_ statement: SQLStatement, maxRows: Int) async throws(QueryError) -> JSONValue {
    guard dollarsLeft > 0 else {
      throw QueryError(
        .exceededScanLimit, "This server's \(limits.dollars) dollars are spent", hint: "Its user may start it with a higher --max-dollars.")
    }
    var options = StatementOptions()
    options.scanLimit = limits.scanBytes
    options.writesResults = false
    let execution = session.start(statement, options)
    var rows: [JSONValue] = []
    var byteCount = 0
    var isCut = false
    do throws(QueryError) {
      reading: for try await batch in execution.batches {
        let texts = batch.columns.map(ResultText.init)
        for row in 0..<batch.rowCount {
          guard rows.count < maxRows, byteCount < limits.resultBytes else {
            isCut = true
            break reading
          }
          var bytes: [UInt8] = [UInt8(ascii: "[")]
          for (index, text) in texts.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            text.appendJSON(row, to: &bytes)
          }
          bytes.append(UInt8(ascii: "]"))
          byteCount += bytes.count
          rows.append(JSONParser.parse(bytes) ?? .string(String(decoding: bytes, as: UTF8.self)))
        }
      }
      if isCut { execution.cancel() } else { try await execution.finish() }
    } catch {
      note(execution)
      throw error
    }
    note(execution)
    let schema = try await execution.schema
    let figures = execution.statistics
    var told: [String: JSONValue] = [
      "columns": .array(schema.fields.map { ["name": .string($0.name), "type": .string($0.type.description)] }),
      "rows": .array(rows), "row_count": .number(rows.count), "is_cut": .bool(isCut), "bytes_scanned": .number(figures.bytesScanned),
      "cost_usd": .double(figures.dollars),
    ]
    if !figures.notes.isEmpty { told["notes"] = .array(figures.notes.map { .string($0) }) }
    return .object(told)
  }

  private func note(_ execution: QueryExecution) {
    let dollars = execution.statistics.dollars
    spent.withLock { $0 += dollars }
  }
}
