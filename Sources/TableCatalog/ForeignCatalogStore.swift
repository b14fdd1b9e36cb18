package import QueryErrors

/// A catalog whose tables lie elsewhere, as CREATE CATALOG declares it.
package struct ForeignCatalogDefinition: Hashable, Sendable {
  /// Lower case.
  package var name: String
  package var connector: String
  package var comment: String?
  /// As written: `${ENV:NAME}` stays that.
  package var properties: [String: String]

  package init(name: String, connector: String, comment: String? = nil, properties: [String: String]) {
    self.name = name
    self.connector = connector
    self.comment = comment
    self.properties = properties
  }
}

/// The foreign catalogs that the home's SQLite file knows, passwords among their properties: only its owner can read the file.
///
/// - Threads: any.
package struct ForeignCatalogStore: Sendable {
  private let database: SQLiteDatabase

  package init(_ database: SQLiteDatabase) { self.database = database }

  private static let tables = [
    "CREATE TABLE IF NOT EXISTS foreign_catalogs(name TEXT PRIMARY KEY, connector TEXT NOT NULL, comment TEXT)",
    """
    CREATE TABLE IF NOT EXISTS foreign_catalog_properties(
      catalog TEXT NOT NULL REFERENCES foreign_catalogs(name) ON DELETE CASCADE, name TEXT NOT NULL, value TEXT NOT NULL,
      PRIMARY KEY(catalog, name))
    """,
  ]

  /// Whether CREATE CATALOG was ever run in this home.
  private func exists() throws(QueryError) -> Bool {
    try !database.run("SELECT 1 FROM sqlite_schema WHERE name = 'foreign_catalogs'").isEmpty
  }

  /// By name.
  package func names() throws(QueryError) -> [String] {
    guard try exists() else { return [] }
    return try database.run("SELECT name FROM foreign_catalogs ORDER BY name").compactMap { $0[0].text }
  }

  package func definition(_ name: String) throws(QueryError) -> ForeignCatalogDefinition? {
    guard try exists(),
      let row = try database.run(
        "SELECT connector, comment FROM foreign_catalogs WHERE name = ?", [.text(name.lowercased())]
      ).first
    else { return nil }
    let rows = try database.run(
      "SELECT name, value FROM foreign_catalog_properties WHERE catalog = ?", [.text(name.lowercased())])
    return ForeignCatalogDefinition(
      name: name.lowercased(), connector: row[0].text ?? "", comment: row[1].text,
      properties: Dictionary(rows.map { ($0[0].text ?? "", $0[1].text ?? "") }, uniquingKeysWith: { $1 }))
  }

  /// - Throws: `HIVE_METASTORE_ERROR`, also when there is one of that name.
  package func create(_ definition: ForeignCatalogDefinition) throws(QueryError) {
    try database.transaction { () throws(QueryError) in
      for table in ForeignCatalogStore.tables { try database.run(table) }
      try database.run(
        "INSERT INTO foreign_catalogs(name, connector, comment) VALUES (?, ?, ?)",
        [.text(definition.name), .text(definition.connector), definition.comment.map { .text($0) } ?? .null])
      for (name, value) in definition.properties {
        try database.run(
          "INSERT INTO foreign_catalog_properties(catalog, name, value) VALUES (?, ?, ?)",
          [.text(definition.name), .text(name), .text(value)])
      }
    }
  }

  package func drop(_ name: String) throws(QueryError) {
    try database.run("DELETE FROM foreign_catalogs WHERE name = ?", [.text(name.lowercased())])
  }
}
