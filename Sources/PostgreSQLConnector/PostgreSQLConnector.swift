import Columnar
public import ConnectorSDK
public import QueryErrors
import Synchronization

/// PostgreSQL databases: `CREATE CATALOG name USING postgresql WITH (host = …, database = …, "user" = …, password = …)`.
///
/// All that a statement reads of a catalog is one snapshot, however many connections read it.
public struct PostgreSQLConnector: Connector {
  public let name = "postgresql"
  public let properties = [
    ConnectorProperty("host", "name or address of the server, or the folder of its socket; localhost unless given"),
    ConnectorProperty("port", "5432 unless given"),
    ConnectorProperty("database", "the database", isRequired: true),
    ConnectorProperty("user", "whom the server knows", isRequired: true),
    ConnectorProperty("password", "the user's password; ${ENV:NAME} takes it from the environment", isSecret: true),
    ConnectorProperty("sslmode", "disable, allow, prefer, require, verify-ca or verify-full"),
    ConnectorProperty("sslrootcert", "certificates of authorities that are trusted", isPath: true),
    ConnectorProperty("connect_timeout", "seconds; 10 unless given"),
    ConnectorProperty("read_timeout", "seconds without a byte after which the server counts as gone"),
    ConnectorProperty("statement_timeout", "milliseconds that the server may take for a statement"),
    ConnectorProperty(
      "unsupported_types", "'fail' (the default) or 'ignore': what becomes of columns whose type has no counterpart"),
    ConnectorProperty(
      "unconstrained_numeric", "such as 'decimal(38,10)': what numerics without a precision are read as; values it cannot hold fail"),
  ]

  public init() {}

  public func connect(
    _ values: [String: String], _ context: ConnectorContext
  ) throws(QueryError) -> any ForeignCatalog {
    func number(_ name: String, _ range: ClosedRange<Int>) throws(QueryError) -> Int? {
      guard let text = values[name] else { return nil }
      guard let number = Int(text), range.contains(number) else {
        throw QueryError(
          .invalidCatalogProperty,
          "Catalog '\(context.catalog)': \(name) is '\(text)', not a number from \(range.lowerBound) to \(range.upperBound)")
      }
      return number
    }
    var parameters = [
      ("client_encoding", "UTF8"), ("application_name", "sqlq"), ("fallback_application_name", "sqlq"),
      ("host", values["host"] ?? "localhost"), ("port", String(try number("port", 1...65535) ?? 5432)),
      ("dbname", values["database"] ?? ""), ("user", values["user"] ?? ""),
      ("connect_timeout", String(try number("connect_timeout", 1...3600) ?? 10)),
      ("keepalives_idle", "30"),
    ]
    for name in ["password", "sslmode", "sslrootcert"] { if let value = values[name] { parameters.append((name, value)) } }
    if let limit = try number("statement_timeout", 1...Int(Int32.max)) {
      parameters.append(("options", "-c statement_timeout=\(limit)"))
    }
    let ignores: Bool
    switch values["unsupported_types"] ?? "fail" {
    case "fail": ignores = false
    case "ignore": ignores = true
    case let other:
      throw QueryError(
        .invalidCatalogProperty, "Catalog '\(context.catalog)': unsupported_types is '\(other)', not 'fail' or 'ignore'")
    }
    var types = PostgreSQLCatalog.TypeMapping(ignoresUnsupported: ignores)
    if let text = values["unconstrained_numeric"] {
      guard case .decimal(let precision, let scale)? = DataType(parsing: text) else {
        throw QueryError(
          .invalidCatalogProperty,
          "Catalog '\(context.catalog)': unconstrained_numeric is '\(text)', not a decimal such as 'decimal(38,10)'")
      }
      types.numeric = .numeric(precision: precision, scale: scale)
    }
    let address = PostgreSQLAddress(
      parameters: parameters.map { (name: $0.0, value: $0.1) }, readTimeout: try number("read_timeout", 1...86_400))
    return try PostgreSQLCatalog(address, types, context)
  }
}

/// A database as one statement sees it.
final class PostgreSQLCatalog: ForeignCatalog {
  let address: PostgreSQLAddress
  let context: ConnectorContext
  let serverVersion: Int
  /// Whether texts are kept in UTF-8, so that their order by bytes is ours.
  let isUTF8: Bool
  private let types: TypeMapping
  /// Holds the snapshot; asked for metadata.
  private let main: Mutex<PostgreSQLConnection>
  private let shared = Mutex(Shared())

  /// What becomes of types without an exact counterpart.
  struct TypeMapping: Sendable {
    var ignoresUnsupported = false
    /// What numerics without a precision are read as.
    var numeric: PostgreSQLType?
  }

  private struct Shared {
    /// The snapshot's name, once others read it.
    var snapshot: String?
    /// Connections of the snapshot that nobody uses.
    var idle: [PostgreSQLConnection] = []
  }

  init(_ address: PostgreSQLAddress, _ types: TypeMapping, _ context: ConnectorContext) throws(QueryError) {
    self.address = address
    self.context = context
    self.types = types
    let connection = try PostgreSQLConnection(address, context)
    try connection.rows(PostgreSQLCatalog.begin)
    serverVersion = connection.serverVersion
    isUTF8 = connection.parameter("server_encoding") == "UTF8"
    main = Mutex(connection)
  }

  private static let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

  // MARK: Connections

  /// A connection that reads the statement's snapshot; to be given back after a read that went well.
  func borrow() throws(QueryError) -> PostgreSQLConnection {
    if let idle = shared.withLock({ $0.idle.popLast() }) { return idle }
    let name = try shared.withLock { (shared) throws(QueryError) -> String in
      if let name = shared.snapshot { return name }
      let rows = try query("SELECT pg_export_snapshot()")
      let name = rows.first?[0] ?? ""
      shared.snapshot = name
      return name
    }
    let connection = try PostgreSQLConnection(address, context)
    try connection.rows(PostgreSQLCatalog.begin)
    try connection.rows("SET TRANSACTION SNAPSHOT \(text(name))")
    return connection
  }

  func giveBack(_ connection: PostgreSQLConnection) { shared.withLock { $0.idle.append(connection) } }

  private func query(_ sql: String) throws(QueryError) -> [[String?]] {
    try main.withLock { (main) throws(QueryError) in try main.rows(sql) }
  }

  private func text(_ text: String) -> String { SQLWords.text(Array(text.utf8)) ?? "''" }

  // MARK: Names

  func schemaNames() throws(QueryError) -> [String] {
    try query(
      "SELECT nspname FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%' ORDER BY 1"
    ).compactMap { $0[0] }
  }

  /// The name as the server has it: the same, or the only one that differs in case alone.
  private func exact(_ name: String, among names: [String]) throws(QueryError) -> String? {
    if names.contains(name) { return name }
    let alike = names.filter { $0.lowercased() == name.lowercased() }
    if alike.count > 1 {
      throw QueryError(
        .ambiguousName, "'\(name)' may be \(alike.joined(separator: " or ")) in catalog '\(context.catalog)'")
    }
    return alike.first
  }

  private func schema(_ name: String) throws(QueryError) -> String? {
    // System schemas can be read, too.
    try exact(name, among: try query("SELECT nspname FROM pg_namespace").compactMap { $0[0] })
  }

  func tableNames(in schema: String) throws(QueryError) -> [String]? {
    guard let schema = try self.schema(schema) else { return nil }
    return try query(
      """
      SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE nspname = \(text(schema)) AND relkind IN ('r', 'v', 'm', 'f', 'p') ORDER BY 1
      """
    ).compactMap { $0[0] }
  }

  func table(schema: String, name: String) throws(QueryError) -> (any ForeignTable)? {
    guard let schema = try self.schema(schema),
      let exact = try exact(name, among: try tableNames(in: schema) ?? [])
    else { return nil }
    let found = try query(
      """
      SELECT c.oid, relkind, reltuples::bigint, CASE WHEN relkind IN ('r', 'm') THEN pg_relation_size(c.oid) ELSE 0 END
        / current_setting('block_size')::bigint
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE nspname = \(text(schema)) AND relname = \(text(exact))
      """)
    guard let row = found.first, let identity = row[0], let kind = row[1] else { return nil }
    let attributes = try query(
      """
      WITH RECURSIVE base(attnum, attname, shown, typ, typmod) AS (
        SELECT attnum, attname, format_type(atttypid, atttypmod), atttypid, atttypmod
        FROM pg_attribute WHERE attrelid = \(identity) AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT attnum, attname, shown, typbasetype, CASE WHEN typmod < 0 THEN typtypmod ELSE typmod END
        FROM base JOIN pg_type ON oid = typ WHERE typtype = 'd')
      SELECT base.attname, shown, typ, typmod, typtype, typelem, n_distinct
      FROM base JOIN pg_type ON oid = typ
        LEFT JOIN pg_stats ON schemaname = \(text(schema)) AND tablename = \(text(exact)) AND pg_stats.attname = base.attname
          AND NOT inherited
      WHERE typtype <> 'd' ORDER BY attnum
      """)
    var columns: [PostgreSQLColumn] = []
    for attribute in attributes {
      let (columnName, shown) = (attribute[0] ?? "", attribute[1] ?? "")
      guard
        let kind = PostgreSQLType(
          oid: attribute[2].flatMap { Int($0) } ?? 0, modifier: attribute[3].flatMap { Int($0) } ?? -1,
          isEnumeration: attribute[4] == "e", element: attribute[5].flatMap { Int($0) } ?? 0,
          numeric: types.numeric)
      else {
        if types.ignoresUnsupported { continue }
        let remedy = shown == "numeric" ? "unconstrained_numeric = 'decimal(38,10)'" : "unsupported_types = 'ignore'"
        throw .notSupported(
          "Column '\(columnName)' of \(context.catalog).\(schema).\(exact) has the type '\(shown)', which has no exact counterpart here",
          hint: "Declare the catalog WITH (\(remedy)), or make a view that casts it.")
      }
      columns.append(PostgreSQLColumn(name: columnName, kind: kind, distinct: attribute[6].flatMap { Double($0) }))
    }
    return PostgreSQLTable(
      self, schema: schema, name: exact, columns: columns, kind: kind, rowCount: row[2].flatMap { Int($0) } ?? -1,
      pageCount: row[3].flatMap { Int($0) } ?? 0)
  }
}
