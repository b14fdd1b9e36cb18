package import Columnar
package import QueryErrors

/// A database of the catalog.
package struct DatabaseDefinition: Hashable, Sendable {
  package var name: String
  package var comment: String?
  package var location: String?
  package var properties: [String: String]

  package init(name: String, comment: String? = nil, location: String? = nil, properties: [String: String] = [:]) {
    self.name = name
    self.comment = comment
    self.location = location
    self.properties = properties
  }
}

/// A column as DDL declares it.
package struct ColumnDefinition: Hashable, Sendable {
  package var name: String
  package var type: DataType
  package var comment: String?

  package init(name: String, type: DataType, comment: String? = nil) {
    self.name = name
    self.type = type
    self.comment = comment
  }
}

/// A table as DDL declares it.
package struct TableDefinition: Hashable, Sendable {
  package var name: TableName
  package var columns: [ColumnDefinition]
  package var partitionColumns: [ColumnDefinition]
  package var location: String
  /// A format's name: `csv`.
  package var format: String
  package var serde: String?
  package var comment: String?
  /// SERDEPROPERTIES.
  package var serdeProperties: [String: String]
  /// TBLPROPERTIES.
  package var properties: [String: String]

  package init(
    name: TableName, columns: [ColumnDefinition], partitionColumns: [ColumnDefinition], location: String,
    format: String, serde: String? = nil, comment: String? = nil, serdeProperties: [String: String] = [:],
    properties: [String: String] = [:]
  ) {
    self.name = name
    self.columns = columns
    self.partitionColumns = partitionColumns
    self.location = location
    self.format = format
    self.serde = serde
    self.comment = comment
    self.serdeProperties = serdeProperties
    self.properties = properties
  }
}

/// A view: its text, and the columns it had when it was made.
package struct StoredView: Hashable, Sendable {
  package var name: TableName
  package var sql: String
  package var columns: [ColumnDefinition]
  package var comment: String?
  /// The database names in the text are relative to.
  package var database: String

  package init(
    name: TableName, sql: String, columns: [ColumnDefinition], comment: String? = nil, database: String
  ) {
    self.name = name
    self.sql = sql
    self.columns = columns
    self.comment = comment
    self.database = database
  }
}

/// A partition the catalog knows: its values as text (nil: the default partition) and its folder.
package struct PartitionDefinition: Hashable, Sendable {
  package var values: [String?]
  package var location: String

  package init(values: [String?], location: String) {
    self.values = values
    self.location = location
  }
}

/// Databases, tables, views, partitions and prepared statements in the home's SQLite file.
///
/// Names are kept and looked up in lower case.
///
/// - Threads: one at a time.
package final class Catalog {
  package static let fileName = "catalog.sqlite"
  package static let defaultDatabase = "default"

  package let database: SQLiteDatabase

  /// - Throws: `HIVE_METASTORE_ERROR`.
  package init(path: String) throws(QueryError) {
    database = try SQLiteDatabase(path: path)
    let version = try database.run("PRAGMA user_version").first?.first?.integer ?? 0
    if version < Catalog.schemaVersion, !database.isReadOnly || path == ":memory:" || version == 0 { try migrate() }
  }

  private static let schemaVersion: Int64 = 1

  private func migrate() throws(QueryError) {
    try database.transaction { () throws(QueryError) in
      for statement in [
        """
        CREATE TABLE IF NOT EXISTS databases(
          name TEXT PRIMARY KEY, comment TEXT, location TEXT)
        """,
        """
        CREATE TABLE IF NOT EXISTS relations(
          database TEXT NOT NULL REFERENCES databases(name) ON DELETE CASCADE, name TEXT NOT NULL,
          kind TEXT NOT NULL, location TEXT, format TEXT, serde TEXT, comment TEXT, sql TEXT, view_database TEXT,
          PRIMARY KEY(database, name))
        """,
        """
        CREATE TABLE IF NOT EXISTS columns(
          database TEXT NOT NULL, relation TEXT NOT NULL, ordinal INTEGER NOT NULL, name TEXT NOT NULL,
          type TEXT NOT NULL, comment TEXT, is_partition INTEGER NOT NULL,
          PRIMARY KEY(database, relation, ordinal),
          FOREIGN KEY(database, relation) REFERENCES relations(database, name) ON DELETE CASCADE ON UPDATE CASCADE)
        """,
        """
        CREATE TABLE IF NOT EXISTS properties(
          database TEXT NOT NULL, relation TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
          PRIMARY KEY(database, relation, kind, key))
        """,
        """
        CREATE TABLE IF NOT EXISTS partitions(
          database TEXT NOT NULL, relation TEXT NOT NULL, partition_values TEXT NOT NULL, location TEXT NOT NULL,
          PRIMARY KEY(database, relation, partition_values),
          FOREIGN KEY(database, relation) REFERENCES relations(database, name) ON DELETE CASCADE ON UPDATE CASCADE)
        """,
        "CREATE TABLE IF NOT EXISTS prepared_statements(name TEXT PRIMARY KEY, sql TEXT NOT NULL)",
        """
        CREATE TABLE IF NOT EXISTS queries(
          query_id TEXT PRIMARY KEY, sql TEXT NOT NULL, database TEXT, statement_type TEXT, state TEXT NOT NULL,
          error TEXT, submitted_at TEXT NOT NULL, wall_ms REAL, planning_ms REAL, rows INTEGER, bytes_scanned INTEGER,
          bytes_billed INTEGER, cost_usd REAL, result_location TEXT, pid INTEGER)
        """,
        "INSERT OR IGNORE INTO databases(name) VALUES ('\(Catalog.defaultDatabase)')",
        "PRAGMA user_version=\(Catalog.schemaVersion)",
      ] { try database.run(statement) }
    }
  }

  // MARK: Databases

  package func databases() throws(QueryError) -> [DatabaseDefinition] {
    try database.run("SELECT name, comment, location FROM databases ORDER BY name").map { row in
      DatabaseDefinition(name: row[0].text ?? "", comment: row[1].text, location: row[2].text)
    }
  }

  package func hasDatabase(_ name: String) throws(QueryError) -> Bool {
    try !database.run("SELECT 1 FROM databases WHERE name = ?", [.text(name.lowercased())]).isEmpty
  }

  package func create(_ definition: DatabaseDefinition) throws(QueryError) {
    try database.run(
      "INSERT INTO databases(name, comment, location) VALUES (?, ?, ?)",
      [.text(definition.name.lowercased()), text(definition.comment), text(definition.location)])
    try saveProperties(definition.properties, kind: "database", definition.name.lowercased(), "")
  }

  /// Drops a database and everything in it.
  package func dropDatabase(_ name: String) throws(QueryError) {
    let name = name.lowercased()
    try database.transaction { () throws(QueryError) in
      try database.run("DELETE FROM properties WHERE database = ?", [.text(name)])
      try database.run("DELETE FROM databases WHERE name = ?", [.text(name)])
    }
  }

  // MARK: Tables and views

  /// A relation's name and whether it is a view.
  package func relations(in database: String) throws(QueryError) -> [(name: String, isView: Bool)] {
    try self.database.run(
      "SELECT name, kind FROM relations WHERE database = ? ORDER BY name", [.text(database.lowercased())]
    ).map { ($0[0].text ?? "", $0[1].text == "view") }
  }

  package func table(_ name: TableName) throws(QueryError) -> TableDefinition? {
    guard
      let row = try database.run(
        "SELECT location, format, serde, comment FROM relations WHERE database = ? AND name = ? AND kind = 'table'",
        key(name)
      ).first
    else { return nil }
    let columns = try columns(of: name)
    return TableDefinition(
      name: name, columns: columns.filter { !$0.isPartition }.map(\.column),
      partitionColumns: columns.filter(\.isPartition).map(\.column), location: row[0].text ?? "",
      format: row[1].text ?? "", serde: row[2].text, comment: row[3].text,
      serdeProperties: try properties(of: name, kind: "serde"), properties: try properties(of: name, kind: "table"))
  }

  package func view(_ name: TableName) throws(QueryError) -> StoredView? {
    guard
      let row = try database.run(
        "SELECT sql, comment, view_database FROM relations WHERE database = ? AND name = ? AND kind = 'view'",
        key(name)
      ).first
    else { return nil }
    return StoredView(
      name: name, sql: row[0].text ?? "", columns: try columns(of: name).map(\.column), comment: row[1].text,
      database: row[2].text ?? name.database)
  }

  package func save(_ table: TableDefinition) throws(QueryError) {
    try database.transaction { () throws(QueryError) in
      try deleteRelation(table.name)
      try database.run(
        "INSERT INTO relations(database, name, kind, location, format, serde, comment) VALUES (?, ?, 'table', ?, ?, ?, ?)",
        key(table.name) + [.text(table.location), .text(table.format), text(table.serde), text(table.comment)])
      try saveColumns(table.columns, table.partitionColumns, of: table.name)
      try saveProperties(table.serdeProperties, kind: "serde", table.name.database.lowercased(), table.name.name.lowercased())
      try saveProperties(table.properties, kind: "table", table.name.database.lowercased(), table.name.name.lowercased())
    }
  }

  package func save(_ view: StoredView) throws(QueryError) {
    try database.transaction { () throws(QueryError) in
      try deleteRelation(view.name)
      try database.run(
        "INSERT INTO relations(database, name, kind, comment, sql, view_database) VALUES (?, ?, 'view', ?, ?, ?)",
        key(view.name) + [text(view.comment), .text(view.sql), .text(view.database)])
      try saveColumns(view.columns, [], of: view.name)
    }
  }

  package func drop(_ name: TableName) throws(QueryError) {
    try database.transaction { () throws(QueryError) in try deleteRelation(name) }
  }

  private func deleteRelation(_ name: TableName) throws(QueryError) {
    try database.run("DELETE FROM properties WHERE database = ? AND relation = ?", key(name))
    try database.run("DELETE FROM relations WHERE database = ? AND name = ?", key(name))
  }

  private func columns(of name: TableName) throws(QueryError) -> [(column: ColumnDefinition, isPartition: Bool)] {
    let rows = try database.run(
      "SELECT name, type, comment, is_partition FROM columns WHERE database = ? AND relation = ? ORDER BY ordinal",
      key(name))
    var columns: [(column: ColumnDefinition, isPartition: Bool)] = []
    for row in rows {
      guard let type = DataType(parsing: row[1].text ?? "") else {
        throw QueryError(.hiveInvalidMetadata, "Column '\(row[0].text ?? "")' of \(name) has the unknown type '\(row[1].text ?? "")'")
      }
      columns.append((ColumnDefinition(name: row[0].text ?? "", type: type, comment: row[2].text), row[3].integer == 1))
    }
    return columns
  }

  private func saveColumns(
    _ columns: [ColumnDefinition], _ partitionColumns: [ColumnDefinition], of name: TableName
  ) throws(QueryError) {
    for (ordinal, column) in (columns + partitionColumns).enumerated() {
      try database.run(
        "INSERT INTO columns(database, relation, ordinal, name, type, comment, is_partition) VALUES (?, ?, ?, ?, ?, ?, ?)",
        key(name) + [
          .integer(Int64(ordinal)), .text(column.name), .text(column.type.description), text(column.comment),
          .integer(ordinal >= columns.count ? 1 : 0),
        ])
    }
  }

  private func properties(of name: TableName, kind: String) throws(QueryError) -> [String: String] {
    let rows = try database.run(
      "SELECT key, value FROM properties WHERE database = ? AND relation = ? AND kind = ?", key(name) + [.text(kind)])
    return Dictionary(rows.map { ($0[0].text ?? "", $0[1].text ?? "") }, uniquingKeysWith: { $1 })
  }

  private func saveProperties(
    _ properties: [String: String], kind: String, _ databaseName: String, _ relation: String
  ) throws(QueryError) {
    for (name, value) in properties {
      try database.run(
        "INSERT OR REPLACE INTO properties(database, relation, kind, key, value) VALUES (?, ?, ?, ?, ?)",
        [.text(databaseName), .text(relation), .text(kind), .text(name), .text(value)])
    }
  }

  // MARK: Partitions

  package func partitions(of name: TableName) throws(QueryError) -> [PartitionDefinition] {
    try database.run(
      "SELECT partition_values, location FROM partitions WHERE database = ? AND relation = ? ORDER BY partition_values",
      key(name)
    ).map { row in
      PartitionDefinition(values: PartitionFolder.values(row[0].text ?? ""), location: row[1].text ?? "")
    }
  }

  /// Adds partitions, or moves known ones to their new folders.
  ///
  /// - Parameter columns: the partition columns' names.
  package func add(
    _ partitions: [PartitionDefinition], to name: TableName, columns: [String]
  ) throws(QueryError) {
    try database.transaction { () throws(QueryError) in
      for partition in partitions {
        try database.run(
          "INSERT OR REPLACE INTO partitions(database, relation, partition_values, location) VALUES (?, ?, ?, ?)",
          key(name) + [
            .text(PartitionFolder.name(columns, partition.values)), .text(partition.location),
          ])
      }
    }
  }

  package func drop(partition values: [String?], of name: TableName, columns: [String]) throws(QueryError) {
    try database.run(
      "DELETE FROM partitions WHERE database = ? AND relation = ? AND partition_values = ?",
      key(name) + [.text(PartitionFolder.name(columns, values))])
  }

  // MARK: Prepared statements

  package func preparedStatement(_ name: String) throws(QueryError) -> String? {
    try database.run("SELECT sql FROM prepared_statements WHERE name = ?", [.text(name.lowercased())]).first?[0].text
  }

  package func prepare(_ name: String, sql: String) throws(QueryError) {
    try database.run(
      "INSERT OR REPLACE INTO prepared_statements(name, sql) VALUES (?, ?)", [.text(name.lowercased()), .text(sql)])
  }

  package func preparedStatementCount() throws(QueryError) -> Int {
    try database.run("SELECT name FROM prepared_statements", []).count
  }

  package func deallocate(_ name: String) throws(QueryError) {
    try database.run("DELETE FROM prepared_statements WHERE name = ?", [.text(name.lowercased())])
  }

  private func key(_ name: TableName) -> [SQLiteDatabase.Value] {
    [.text(name.database.lowercased()), .text(name.name.lowercased())]
  }

  private func text(_ value: String?) -> SQLiteDatabase.Value { value.map { .text($0) } ?? .null }
}
