import TableCatalog

/// Databases, tables and columns of an engine's catalog, as values.
///
/// - Threads: any; each call reads what the catalog holds then.
public struct CatalogReader: Sendable {
  let engine: Engine

  public struct Database: Hashable, Codable, Sendable {
    public var name: String
    public var comment: String?
    public var location: String?
    public var properties: [String: String]
  }

  public struct Table: Hashable, Codable, Sendable {
    public var database: String
    public var name: String
    public var isView: Bool
    /// Partition columns last.
    public var columns: [Column]
    /// The folder of a table; nil for views.
    public var location: String?
    public var comment: String?
    public var properties: [String: String]
    /// A view's query.
    public var viewText: String?
  }

  public struct Column: Hashable, Codable, Sendable {
    public var name: String
    /// As `typeof` names it: `decimal(10,2)`.
    public var type: String
    public var comment: String?
    public var isPartition: Bool
  }

  /// All databases by name.
  ///
  /// - Throws: `HIVE_METASTORE_ERROR`, as all calls here.
  public func databases() throws(QueryError) -> [Database] {
    try engine.openCatalog().databases().map {
      Database(name: $0.name, comment: $0.comment, location: $0.location, properties: $0.properties)
    }
  }

  /// Tables and views of a database by name; none when there is no such database.
  public func tables(in database: String) throws(QueryError) -> [Table] {
    let catalog = try engine.openCatalog()
    var tables: [Table] = []
    for relation in try catalog.relations(in: database) {
      if let table = try table(relation.name, in: database) { tables.append(table) }
    }
    return tables
  }

  /// One table or view, or nil.
  public func table(_ name: String, in database: String) throws(QueryError) -> Table? {
    let catalog = try engine.openCatalog()
    let full = TableName(database: database, name: name)
    if let view = try catalog.view(full) {
      return Table(
        database: database, name: name, isView: true, columns: view.columns.map { CatalogReader.column($0, isPartition: false) },
        comment: view.comment, properties: [:], viewText: view.sql)
    }
    guard let table = try catalog.table(full) else { return nil }
    return Table(
      database: database, name: name, isView: false,
      columns: table.columns.map { CatalogReader.column($0, isPartition: false) }
        + table.partitionColumns.map { CatalogReader.column($0, isPartition: true) },
      location: table.location, comment: table.comment, properties: table.properties)
  }

  private static func column(_ column: ColumnDefinition, isPartition: Bool) -> Column {
    Column(
      name: column.name, type: column.type.description, comment: column.comment, isPartition: isPartition)
  }
}
