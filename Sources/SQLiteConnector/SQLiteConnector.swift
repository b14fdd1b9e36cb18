public import ConnectorSDK
import Glibc
public import QueryErrors

/// SQLite files: `CREATE CATALOG name USING sqlite WITH (path = '/data/app.db')`.
///
/// One schema, `main`. A statement reads one state of the file, however often and by how many threads it reads it.
public struct SQLiteConnector: Connector {
  public let name = "sqlite"
  public let properties = [
    ConnectorProperty("path", "the file", isRequired: true, isPath: true),
    ConnectorProperty(
      "unsupported_types", "'fail' (the default) or 'ignore': what becomes of columns whose type has no counterpart"),
  ]

  public init() {}

  public func connect(
    _ values: [String: String], _ context: ConnectorContext
  ) throws(QueryError) -> any ForeignCatalog {
    let path = values["path"] ?? ""
    guard path.hasPrefix("/") else {
      throw QueryError(.invalidCatalogProperty, "Catalog '\(context.catalog)': path '\(path)' is not absolute")
    }
    let ignores: Bool
    switch values["unsupported_types"] ?? "fail" {
    case "fail": ignores = false
    case "ignore": ignores = true
    case let other:
      throw QueryError(
        .invalidCatalogProperty, "Catalog '\(context.catalog)': unsupported_types is '\(other)', not 'fail' or 'ignore'")
    }
    return try SQLiteCatalog(path: path, ignoresUnsupported: ignores, context)
  }
}

/// A file as it is during one statement.
final class SQLiteCatalog: ForeignCatalog {
  let path: String
  let context: ConnectorContext
  private let ignoresUnsupported: Bool
  /// Keeps a read transaction open from the first read on.
  let connection: SQLiteConnection
  /// Whether other connections see what `connection` sees: its lock keeps writers out. With a write-ahead log it does not.
  let isSharedByLock: Bool

  static let schemaName = "main"

  init(path: String, ignoresUnsupported: Bool, _ context: ConnectorContext) throws(QueryError) {
    self.path = path
    self.context = context
    self.ignoresUnsupported = ignoresUnsupported
    connection = try SQLiteConnection(path: path, context)
    let journal = try connection.rows("PRAGMA journal_mode")
    isSharedByLock = journal.first?[0] != "wal"
    try connection.run("BEGIN")
    // The transaction's first read is what it begins with.
    _ = try connection.rows("SELECT count(*) FROM sqlite_schema")
  }

  func schemaNames() throws(QueryError) -> [String] { [SQLiteCatalog.schemaName] }

  func tableNames(in schema: String) throws(QueryError) -> [String]? {
    guard schema.lowercased() == SQLiteCatalog.schemaName else { return nil }
    return try connection.rows(
      "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    ).compactMap { $0[0] }
  }

  func table(schema: String, name: String) throws(QueryError) -> (any ForeignTable)? {
    guard schema.lowercased() == SQLiteCatalog.schemaName, let literal = SQLWords.text(Array(name.utf8)) else { return nil }
    // SQLite's names are equal whatever their case, in ASCII.
    let found = try connection.rows(
      "SELECT name, type, sql FROM sqlite_schema WHERE type IN ('table', 'view') AND name = \(literal) COLLATE NOCASE")
    guard let row = found.first, let exact = row[0] else { return nil }
    var columns: [SQLiteColumn] = []
    for column in try connection.rows("PRAGMA table_xinfo(\(SQLWords.quoted(exact)))") where column[6] != "1" {
      let (columnName, declared) = (column[1] ?? "", column[2] ?? "")
      guard let kind = SQLiteColumn.Kind(declared: declared) else {
        if ignoresUnsupported { continue }
        throw .notSupported(
          "Column '\(columnName)' of \(context.catalog).main.\(exact) has the type '\(declared)', which has no counterpart here",
          hint: "Declare the catalog WITH (unsupported_types = 'ignore') to leave such columns out, or make a view that casts it.")
      }
      columns.append(SQLiteColumn(name: columnName, kind: kind))
    }
    let hasRowID =
      row[1] == "table" && !columns.isEmpty
      && connection.accepts("SELECT rowid FROM \(SQLWords.quoted(exact)) LIMIT 0")
      && !columns.contains { $0.name.lowercased() == "rowid" && $0.kind != .integer }
    return try SQLiteTable(self, name: exact, columns: columns, hasRowID: hasRowID)
  }
}
