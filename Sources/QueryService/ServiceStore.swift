import QueryErrors
import TableCatalog

/// What the services keep that the engine has no use for, in tables of the home's SQLite file: how clients asked for a query, and
/// what Glue's clients say of tables.
///
/// - Threads: any.
struct ServiceStore: Sendable {
  let database: SQLiteDatabase

  init(_ database: SQLiteDatabase) throws(QueryError) {
    self.database = database
    try database.transaction { () throws(QueryError) in
      for statement in ServiceStore.schema { try database.run(statement) }
    }
  }

  private static let schema = [
    """
    CREATE TABLE IF NOT EXISTS service_queries(
      query_id TEXT PRIMARY KEY, token TEXT, request TEXT NOT NULL)
    """,
    "CREATE UNIQUE INDEX IF NOT EXISTS service_queries_by_token ON service_queries(token)",
    """
    CREATE TABLE IF NOT EXISTS service_tables(
      database TEXT NOT NULL, name TEXT NOT NULL, input TEXT NOT NULL, PRIMARY KEY(database, name))
    """,
    """
    CREATE TABLE IF NOT EXISTS service_table_versions(
      database TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, description TEXT NOT NULL,
      PRIMARY KEY(database, name, version))
    """,
  ]

  private func json(_ value: SQLiteDatabase.Value?) -> JSONValue? { value?.text.flatMap { JSONParser.parse(Array($0.utf8)) } }
  private func text(_ value: JSONValue) -> SQLiteDatabase.Value { .text(String(decoding: value.bytes, as: UTF8.self)) }

  // MARK: Queries

  /// Keeps what a query was asked for with; its token is taken from then on.
  func save(query id: String, token: String?, request: JSONValue) throws(QueryError) {
    try database.run(
      "INSERT OR IGNORE INTO service_queries(query_id, token, request) VALUES (?, ?, ?)",
      [.text(id), token.map { .text($0) } ?? .null, text(request)])
  }

  func query(token: String) throws(QueryError) -> (id: String, request: JSONValue)? {
    guard let row = try database.run("SELECT query_id, request FROM service_queries WHERE token = ?", [.text(token)]).first,
      let id = row[0].text, let request = json(row[1])
    else { return nil }
    return (id, request)
  }

  func request(of id: String) throws(QueryError) -> JSONValue? {
    json(try database.run("SELECT request FROM service_queries WHERE query_id = ?", [.text(id)]).first?.first)
  }

  // MARK: Tables

  func tableInput(_ name: TableName) throws(QueryError) -> JSONValue? {
    json(try database.run("SELECT input FROM service_tables WHERE database = ? AND name = ?", key(name)).first?.first)
  }

  func save(tableInput input: JSONValue, of name: TableName) throws(QueryError) {
    try database.run("INSERT OR REPLACE INTO service_tables(database, name, input) VALUES (?, ?, ?)", key(name) + [text(input)])
  }

  /// Adds a version; the first is 0.
  func addVersion(_ description: JSONValue, of name: TableName) throws(QueryError) {
    try database.run(
      """
      INSERT INTO service_table_versions(database, name, version, description)
      SELECT ?1, ?2, coalesce(max(version) + 1, 0), ?3 FROM service_table_versions WHERE database = ?1 AND name = ?2
      """, key(name) + [text(description)])
  }

  /// The versions that are kept, the latest first.
  func versions(of name: TableName) throws(QueryError) -> [(version: Int, description: JSONValue)] {
    var versions: [(version: Int, description: JSONValue)] = []
    for row in try database.run(
      "SELECT version, description FROM service_table_versions WHERE database = ? AND name = ? ORDER BY version DESC", key(name))
    {
      if let version = row[0].integer, let description = json(row[1]) { versions.append((Int(version), description)) }
    }
    return versions
  }

  func deleteVersion(_ version: Int, of name: TableName) throws(QueryError) {
    try database.run(
      "DELETE FROM service_table_versions WHERE database = ? AND name = ? AND version = ?", key(name) + [.integer(Int64(version))])
  }

  func forget(_ name: TableName) throws(QueryError) {
    try database.run("DELETE FROM service_tables WHERE database = ? AND name = ?", key(name))
    try database.run("DELETE FROM service_table_versions WHERE database = ? AND name = ?", key(name))
  }

  private func key(_ name: TableName) -> [SQLiteDatabase.Value] { [.text(name.database.lowercased()), .text(name.name.lowercased())] }
}
