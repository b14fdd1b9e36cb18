import Columnar
import Glibc
package import QueryErrors

/// Databases, tables, views and partitions in the home's SQLite file.
///
/// Names are kept and looked up in lower case.
///
/// - Threads: any.
package final class Catalog: Sendable {
  package static let fileName = "catalog.sqlite"
  package static let defaultDatabase = "default"

  package let database: SQLiteDatabase

  /// - Throws: `HIVE_METASTORE_ERROR`.
  package convenience init(path: String) throws(QueryError) {
    try self.init(SQLiteDatabase(path: path))
  }

  /// The catalog in an open file, which others may keep tables of their own in.
  ///
  /// - Throws: `HIVE_METASTORE_ERROR`.
  package init(_ database: SQLiteDatabase) throws(QueryError) {
    self.database = database
    let path = database.path
    let version = try database.run("PRAGMA user_version").first?.first?.integer ?? 0
    if version < Catalog.schemaVersion, !database.isReadOnly || path == ":memory:" || version == 0 { try migrate() }
  }

  private static let schemaVersion: Int64 = 3

  /// Brings the file to the schema of this version, from whichever it has.
  private func migrate() throws(QueryError) {
    try database.transaction { () throws(QueryError) in
      // Another process may have done it while this one waited.
      let version = try database.run("PRAGMA user_version").first?.first?.integer ?? 0
      var statements: [String] = []
      if version < 1 { statements += Catalog.firstSchema }
      if version < 2 { statements += Catalog.secondSchema }
      if version < 3 { statements += Catalog.writeSchema }
      if statements.isEmpty { return }
      for statement in statements { try database.run(statement) }
      try database.run("PRAGMA user_version=\(Catalog.schemaVersion)")
    }
  }

  static let firstSchema = [
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
    "INSERT OR IGNORE INTO databases(name) VALUES ('\(Catalog.defaultDatabase)')",
  ]

  /// Storage classes, buckets, times, and what partitions keep of their own.
  private static let secondSchema = [
    "ALTER TABLE relations ADD COLUMN input_format TEXT",
    "ALTER TABLE relations ADD COLUMN output_format TEXT",
    "ALTER TABLE relations ADD COLUMN bucket_count INTEGER",
    "ALTER TABLE relations ADD COLUMN created_at INTEGER",
    "ALTER TABLE relations ADD COLUMN updated_at INTEGER",
    """
    CREATE TABLE IF NOT EXISTS bucket_columns(
      database TEXT NOT NULL, relation TEXT NOT NULL, ordinal INTEGER NOT NULL, name TEXT NOT NULL,
      kind TEXT NOT NULL, PRIMARY KEY(database, relation, kind, ordinal),
      FOREIGN KEY(database, relation) REFERENCES relations(database, name) ON DELETE CASCADE ON UPDATE CASCADE)
    """,
    "ALTER TABLE partitions ADD COLUMN format TEXT",
    "ALTER TABLE partitions ADD COLUMN serde TEXT",
    "ALTER TABLE partitions ADD COLUMN created_at INTEGER",
    "ALTER TABLE partitions ADD COLUMN has_details INTEGER NOT NULL DEFAULT 0",
    """
    CREATE TABLE IF NOT EXISTS partition_details(
      database TEXT NOT NULL, relation TEXT NOT NULL, partition_values TEXT NOT NULL, kind TEXT NOT NULL,
      ordinal INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, comment TEXT,
      PRIMARY KEY(database, relation, partition_values, kind, ordinal),
      FOREIGN KEY(database, relation, partition_values)
        REFERENCES partitions(database, relation, partition_values) ON DELETE CASCADE ON UPDATE CASCADE)
    """,
  ]

  // MARK: Databases

  package func databases() throws(QueryError) -> [DatabaseDefinition] {
    var found: [DatabaseDefinition] = []
    for row in try database.run("SELECT name, comment, location FROM databases ORDER BY name") {
      let name = row[0].text ?? ""
      found.append(
        DatabaseDefinition(
          name: name, comment: row[1].text, location: row[2].text,
          properties: try properties(of: TableName(database: name, name: ""), kind: "database")))
    }
    return found
  }

  package func databaseDefinition(_ name: String) throws(QueryError) -> DatabaseDefinition? {
    guard
      let row = try database.run(
        "SELECT comment, location FROM databases WHERE name = ?", [.text(name.lowercased())]
      ).first
    else { return nil }
    return DatabaseDefinition(
      name: name.lowercased(), comment: row[0].text, location: row[1].text,
      properties: try properties(of: TableName(database: name, name: ""), kind: "database"))
  }

  /// Reads, changes and saves a database in one step, so that no other process's change is lost.
  ///
  /// - Returns: whether it exists.
  package func update(
    database name: String, _ change: (inout DatabaseDefinition) throws(QueryError) -> Void
  ) throws(QueryError) -> Bool {
    try database.transaction { () throws(QueryError) -> Bool in
      guard var definition = try databaseDefinition(name) else { return false }
      try change(&definition)
      let key: SQLiteDatabase.Value = .text(name.lowercased())
      try database.run(
        "UPDATE databases SET comment = ?, location = ? WHERE name = ?",
        [text(definition.comment), text(definition.location), key])
      try database.run("DELETE FROM properties WHERE database = ? AND relation = '' AND kind = 'database'", [key])
      try saveProperties(definition.properties, kind: "database", name.lowercased(), "")
      return true
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

  /// Relations whose names begin so, a few at most.
  package func relations(
    in database: String, beginning prefix: String, limit: Int
  ) throws(QueryError) -> [(name: String, isView: Bool)] {
    try self.database.run(
      "SELECT name, kind FROM relations WHERE database = ? AND name >= ? AND name < ? ORDER BY name LIMIT ?",
      [.text(database.lowercased()), .text(prefix), .text(prefix + "\u{10ffff}"), .integer(Int64(limit))]
    ).map { ($0[0].text ?? "", $0[1].text == "view") }
  }

  package func table(_ name: TableName) throws(QueryError) -> TableDefinition? {
    guard
      let row = try database.run(
        """
        SELECT location, format, serde, comment, input_format, output_format, bucket_count, created_at, updated_at
        FROM relations WHERE database = ? AND name = ? AND kind = 'table'
        """, key(name)
      ).first
    else { return nil }
    let columns = try columns(of: name)
    var definition = TableDefinition(
      name: name, columns: columns.filter { !$0.isPartition }.map(\.column),
      partitionColumns: columns.filter(\.isPartition).map(\.column), location: row[0].text ?? "",
      format: row[1].text ?? "", serde: row[2].text, comment: row[3].text,
      serdeProperties: try properties(of: name, kind: "serde"), properties: try properties(of: name, kind: "table"),
      inputFormat: row[4].text, outputFormat: row[5].text,
      bucketing: try row[6].integer.map { (count) throws(QueryError) in try bucketing(of: name, count: Int(count)) })
    definition.createdAtMicros = row[7].integer
    definition.updatedAtMicros = row[8].integer
    return definition
  }

  private func bucketing(of name: TableName, count: Int) throws(QueryError) -> BucketDefinition {
    var bucketing = BucketDefinition(columns: [], count: count)
    let rows = try database.run(
      "SELECT name, kind FROM bucket_columns WHERE database = ? AND relation = ? ORDER BY ordinal", key(name))
    for row in rows {
      let column = row[0].text ?? ""
      switch row[1].text {
      case "bucket": bucketing.columns.append(column)
      case let kind: bucketing.sortColumns.append(.init(name: column, isDescending: kind == "descending"))
      }
    }
    return bucketing
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

  /// Adds a table, or replaces a relation of its name together with its partitions.
  package func save(_ table: TableDefinition) throws(QueryError) {
    try database.transaction { () throws(QueryError) in try insert(table) }
  }

  /// Adds a table with its partitions in one step.
  ///
  /// - Throws: `TABLE_ALREADY_EXISTS` when another process was faster.
  package func create(_ table: TableDefinition, partitions: [PartitionDefinition] = []) throws(QueryError) {
    try database.transaction { () throws(QueryError) in
      let known = try database.run("SELECT 1 FROM relations WHERE database = ? AND name = ?", key(table.name))
      guard known.isEmpty else {
        throw QueryError(.tableAlreadyExists, "Table '\(table.name)' already exists")
      }
      try insert(table)
      try insert(partitions, to: table.name, columns: table.partitionColumns.map(\.name))
    }
  }

  /// Reads, changes and saves a table in one step, so that no other process's change is lost; partitions stay.
  ///
  /// - Parameter keepsPartitionColumns: whether partitions without columns of their own get those that the table had.
  /// - Returns: whether it exists.
  package func update(
    _ name: TableName, keepsPartitionColumns: Bool = false, _ change: (inout TableDefinition) throws(QueryError) -> Void
  ) throws(QueryError) -> Bool {
    try database.transaction { () throws(QueryError) -> Bool in
      guard var table = try table(name) else { return false }
      try change(&table)
      if keepsPartitionColumns { try keepPartitionColumns(of: name) }
      try database.run(
        """
        UPDATE relations SET location = ?, format = ?, serde = ?, comment = ?, input_format = ?, output_format = ?,
          bucket_count = ?, updated_at = ? WHERE database = ? AND name = ?
        """,
        [
          .text(table.location), .text(table.format), text(table.serde), text(table.comment), text(table.inputFormat),
          text(table.outputFormat), table.bucketing.map { .integer(Int64($0.count)) } ?? .null, .integer(Catalog.now()),
        ] + key(name))
      try database.run("DELETE FROM columns WHERE database = ? AND relation = ?", key(name))
      try database.run("DELETE FROM bucket_columns WHERE database = ? AND relation = ?", key(name))
      try database.run("DELETE FROM properties WHERE database = ? AND relation = ?", key(name))
      try insertParts(of: table)
      return true
    }
  }

  /// Gives partitions without details the table's columns as they are now.
  private func keepPartitionColumns(of name: TableName) throws(QueryError) {
    try database.run(
      """
      INSERT INTO partition_details(database, relation, partition_values, kind, ordinal, name, value, comment)
      SELECT p.database, p.relation, p.partition_values, 'column', c.ordinal, c.name, c.type, c.comment
      FROM partitions p JOIN columns c ON c.database = p.database AND c.relation = p.relation AND c.is_partition = 0
      WHERE p.database = ? AND p.relation = ? AND p.has_details = 0
      """, key(name))
    try database.run("UPDATE partitions SET has_details = 1 WHERE database = ? AND relation = ?", key(name))
  }

  private func insert(_ table: TableDefinition) throws(QueryError) {
    try deleteRelation(table.name)
    let now = SQLiteDatabase.Value.integer(Catalog.now())
    try database.run(
      """
      INSERT INTO relations(database, name, kind, location, format, serde, comment, input_format, output_format,
        bucket_count, created_at, updated_at) VALUES (?, ?, 'table', ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      key(table.name) + [
        .text(table.location), .text(table.format), text(table.serde), text(table.comment), text(table.inputFormat),
        text(table.outputFormat), table.bucketing.map { .integer(Int64($0.count)) } ?? .null, now, now,
      ])
    try insertParts(of: table)
  }

  /// Columns, buckets and properties.
  private func insertParts(of table: TableDefinition) throws(QueryError) {
    try saveColumns(table.columns, table.partitionColumns, of: table.name)
    let (databaseName, relation) = (table.name.database.lowercased(), table.name.name.lowercased())
    try saveProperties(table.serdeProperties, kind: "serde", databaseName, relation)
    try saveProperties(table.properties, kind: "table", databaseName, relation)
    guard let bucketing = table.bucketing else { return }
    let columns =
      bucketing.columns.map { ($0, "bucket") }
      + bucketing.sortColumns.map { ($0.name, $0.isDescending ? "descending" : "ascending") }
    for (ordinal, (name, kind)) in columns.enumerated() {
      try database.run(
        "INSERT INTO bucket_columns(database, relation, ordinal, name, kind) VALUES (?, ?, ?, ?, ?)",
        key(table.name) + [.integer(Int64(ordinal)), .text(name), .text(kind)])
    }
  }

  /// Microseconds since 1970-01-01 UTC.
  private static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec / 1000)
  }

  package func save(_ view: StoredView) throws(QueryError) {
    try database.transaction { () throws(QueryError) in
      try deleteRelation(view.name)
      try database.run(
        """
        INSERT INTO relations(database, name, kind, comment, sql, view_database, created_at, updated_at)
        VALUES (?, ?, 'view', ?, ?, ?, ?, ?)
        """,
        key(view.name) + [text(view.comment), .text(view.sql), .text(view.database), .integer(Catalog.now()), .integer(Catalog.now())])
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
    try partitions(of: name, where: "", [])
  }

  /// The partition with these values.
  package func partition(
    _ values: [String?], of name: TableName, columns: [String]
  ) throws(QueryError) -> PartitionDefinition? {
    try partitions(of: name, where: " AND partition_values = ?", [.text(PartitionFolder.name(columns, values))]).first
  }

  /// Folder names of partitions (`year=2024/month=05`) from one on, a few at most, in order.
  package func partitionFolders(of name: TableName, from folder: String, limit: Int) throws(QueryError) -> [String] {
    try database.run(
      """
      SELECT partition_values FROM partitions WHERE database = ? AND relation = ? AND partition_values >= ?
      ORDER BY partition_values LIMIT ?
      """, key(name) + [.text(folder), .integer(Int64(limit))]
    ).compactMap { $0[0].text }
  }

  package func partitionCount(of name: TableName) throws(QueryError) -> Int {
    let rows = try database.run("SELECT count(*) FROM partitions WHERE database = ? AND relation = ?", key(name))
    return Int(rows.first?.first?.integer ?? 0)
  }

  private func partitions(
    of name: TableName, where condition: String, _ values: [SQLiteDatabase.Value]
  ) throws(QueryError) -> [PartitionDefinition] {
    let rows = try database.run(
      """
      SELECT partition_values, location, format, serde, created_at, has_details FROM partitions
      WHERE database = ? AND relation = ?\(condition) ORDER BY partition_values
      """, key(name) + values)
    var found: [PartitionDefinition] = []
    found.reserveCapacity(rows.count)
    let details = rows.contains { $0[5].integer == 1 } ? try details(of: name, where: condition, values) : [:]
    for row in rows {
      let folder = row[0].text ?? ""
      var partition = PartitionDefinition(
        values: PartitionFolder.values(folder), location: row[1].text ?? "", format: row[2].text, serde: row[3].text)
      partition.createdAtMicros = row[4].integer
      for detail in details[folder] ?? [] { try add(detail, to: &partition, folder, of: name) }
      found.append(partition)
    }
    return found
  }

  /// Columns and properties of partitions, by their folders' names: kind, name, value, comment.
  private func details(
    of name: TableName, where condition: String, _ values: [SQLiteDatabase.Value]
  ) throws(QueryError) -> [String: [[SQLiteDatabase.Value]]] {
    let rows = try database.run(
      """
      SELECT partition_values, kind, name, value, comment FROM partition_details
      WHERE database = ? AND relation = ?\(condition) ORDER BY partition_values, kind, ordinal
      """, key(name) + values)
    return Dictionary(grouping: rows) { $0[0].text ?? "" }.mapValues { $0.map { Array($0.dropFirst()) } }
  }

  private func add(
    _ detail: [SQLiteDatabase.Value], to partition: inout PartitionDefinition, _ folder: String, of name: TableName
  ) throws(QueryError) {
    let (column, value) = (detail[1].text ?? "", detail[2].text ?? "")
    if detail[0].text == "property" {
      partition.properties[column] = value
      return
    }
    guard let type = DataType(parsing: value) else {
      throw QueryError(.hiveInvalidMetadata, "Column '\(column)' of partition \(folder) of \(name) has the unknown type '\(value)'")
    }
    partition.columns = (partition.columns ?? []) + [ColumnDefinition(name: column, type: type, comment: detail[3].text)]
  }

  /// Adds partitions, or replaces known ones.
  ///
  /// - Parameter columns: the partition columns' names.
  package func add(
    _ partitions: [PartitionDefinition], to name: TableName, columns: [String]
  ) throws(QueryError) {
    try database.transaction { () throws(QueryError) in try insert(partitions, to: name, columns: columns) }
  }

  private func insert(
    _ partitions: [PartitionDefinition], to name: TableName, columns: [String]
  ) throws(QueryError) {
    for partition in partitions {
      let folder = SQLiteDatabase.Value.text(PartitionFolder.name(columns, partition.values))
      let hasDetails = partition.columns != nil || !partition.properties.isEmpty
      try database.run(
        """
        INSERT OR REPLACE INTO partitions(database, relation, partition_values, location, format, serde, created_at, has_details)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        key(name) + [
          folder, .text(partition.location), text(partition.format), text(partition.serde),
          .integer(partition.createdAtMicros ?? Catalog.now()), .integer(hasDetails ? 1 : 0),
        ])
      guard hasDetails else { continue }
      let details =
        (partition.columns ?? []).map { ("column", $0.name, $0.type.description, $0.comment) }
        + partition.properties.sorted { $0.key < $1.key }.map { ("property", $0.key, $0.value, nil) }
      for (ordinal, (kind, detail, value, comment)) in details.enumerated() {
        try database.run(
          """
          INSERT INTO partition_details(database, relation, partition_values, kind, ordinal, name, value, comment)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)
          """,
          key(name) + [folder, .text(kind), .integer(Int64(ordinal)), .text(detail), .text(value), text(comment)])
      }
    }
  }

  /// Drops partitions in one step.
  package func drop(partitions: [[String?]], of name: TableName, columns: [String]) throws(QueryError) {
    try database.transaction { () throws(QueryError) in
      for values in partitions { try drop(partition: values, of: name, columns: columns) }
    }
  }

  package func drop(partition values: [String?], of name: TableName, columns: [String]) throws(QueryError) {
    try database.run(
      "DELETE FROM partitions WHERE database = ? AND relation = ? AND partition_values = ?",
      key(name) + [.text(PartitionFolder.name(columns, values))])
  }

  /// Gives a partition other values; its folder stays where it is.
  ///
  /// - Throws: `ALREADY_EXISTS` when there is a partition of the new values.
  package func rename(
    partition old: [String?], to new: [String?], of name: TableName, columns: [String]
  ) throws(QueryError) {
    try database.transaction { () throws(QueryError) in
      guard try partition(new, of: name, columns: columns) == nil else {
        throw QueryError(.alreadyExists, "Partition already exists: \(PartitionFolder.name(columns, new))")
      }
      try database.run(
        "UPDATE partitions SET partition_values = ? WHERE database = ? AND relation = ? AND partition_values = ?",
        [.text(PartitionFolder.name(columns, new))] + key(name) + [.text(PartitionFolder.name(columns, old))])
    }
  }

  private func key(_ name: TableName) -> [SQLiteDatabase.Value] {
    [.text(name.database.lowercased()), .text(name.name.lowercased())]
  }

  private func text(_ value: String?) -> SQLiteDatabase.Value { value.map { .text($0) } ?? .null }
}
