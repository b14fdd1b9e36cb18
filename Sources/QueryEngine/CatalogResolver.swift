import FileFormats
import ObjectStore
import QueryPlanner
import SQLSyntax
import TableCatalog

/// Answers the binder's questions about names from the engine's catalog and the file system.
struct CatalogResolver: RelationResolver {
  static let catalogName = "awsdatacatalog"
  let engine: Engine
  let meter: ScanMeter
  /// The paths in FROM of the statement.
  let paths: PathRelations
  /// Where what was looked up is noted.
  var log: RelationLog?

  /// The engine's stores, metered by the query.
  var stores: ObjectStores { engine.stores.metered(by: meter) }

  /// Whether the one catalog goes by that name; lower case.
  static func isKnown(catalog name: String) -> Bool { name == catalogName || name == "hive" }

  var catalogNames: [String] { [CatalogResolver.catalogName] }

  func resolve(_ name: TableName) throws(QueryError) -> ResolvedRelation? {
    guard CatalogResolver.isKnown(catalog: name.catalog.lowercased()) else { return nil }
    if let table = engine.hostTable(name.name) { return .rows(table.schema, table.rows) }
    let catalog = try engine.openCatalog()
    if name.database.lowercased() == InformationSchema.databaseName {
      log?.prevent("it reads \(InformationSchema.databaseName)")
      return try InformationSchema.table(name.name.lowercased(), catalog).map { .rows($0.schema, $0.rows) }
    }
    if let view = try catalog.view(name) {
      log?.note(view)
      guard case .query(let query) = try parse(view) else {
        throw QueryError(.invalidView, "View '\(name)' holds no query")
      }
      return .view(
        ViewDefinition(
          name: name, query: query, catalog: name.catalog, database: view.database,
          columns: Schema(view.columns.map { Field($0.name, $0.type) })))
    }
    if let rejects = try rejects(name, catalog) { return rejects }
    if let table = try catalog.table(name) {
      log?.note(table, table.partitionColumns.isEmpty ? [] : try catalog.partitions(of: name))
      return .table(try CatalogResolver.table(table, catalog, stores))
    }
    return nil
  }

  /// `"t$rejects"` of a table, and `"path$rejects"` of a path.
  private func rejects(_ name: TableName, _ catalog: Catalog) throws(QueryError) -> ResolvedRelation? {
    guard let relation = RejectedRows.relation(name.name) else { return nil }
    let rejected = RejectedRows(engine: engine)
    let table = TableName(catalog: name.catalog, database: name.database, name: relation)
    if try catalog.table(table) != nil {
      return .rows(RejectedRows.schema, try rejected.rows(of: relation.lowercased(), in: name.database.lowercased()))
    }
    let rows = try rejected.rows(of: relation, in: "")
    // A path, whose bad rows were collected before.
    return rows.isEmpty ? nil : .rows(RejectedRows.schema, rows)
  }

  private func parse(_ view: StoredView) throws(QueryError) -> StatementSyntax {
    do throws(QueryError) { return try Parser.parseStatement(view.sql) } catch {
      throw QueryError(.invalidView, "Failed parsing stored view '\(view.name)': \(error.message)")
    }
  }

  func resolve(path: String, _ reading: PathReading?, at range: SourceRange) throws(QueryError) -> ResolvedRelation? {
    if path == "-" || path == "/dev/stdin" { log?.prevent("it reads standard input") }
    do throws(QueryError) { return .table(try paths.table(path, reading)) } catch {
      throw error.located(at: range)
    }
  }

  func relationNames(catalog: String, database: String) -> [String]? {
    if database.lowercased() == InformationSchema.databaseName { return InformationSchema.tableNames }
    guard let known = try? engine.openCatalog(), (try? known.hasDatabase(database)) == true else { return nil }
    return try? known.relations(in: database).map(\.name)
  }

  /// A declared table, ready to be scanned.
  static func table(
    _ definition: TableDefinition, _ catalog: Catalog, _ stores: ObjectStores
  ) throws(QueryError) -> Table {
    let columns = Schema(definition.columns.map { Field($0.name, $0.type) })
    let partitionColumns = definition.partitionColumns.map { Field($0.name, $0.type) }
    var properties = definition.serdeProperties
    for (key, value) in definition.properties { properties[key] = properties[key] ?? value }
    guard let type = FormatRegistry.format(named: definition.serde ?? definition.format) ?? FormatRegistry.format(named: definition.format)
    else {
      throw .notSupported("Tables of format '\(definition.serde ?? definition.format)' are not supported yet")
    }
    properties = Dictionary(properties.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
    let format = try type.init(FormatOptions(properties: properties, schema: columns))
    let name = definition.name
    let location = definition.location
    let known = properties
    let files = SettledFiles(location: location, catalog: catalog, stores: stores) { () throws(QueryError) -> any TableFiles in
      if partitionColumns.isEmpty { return try unpartitioned(location, stores) }
      if ProjectedPartitions.isEnabled(known) {
        return ProjectedPartitions(
          table: name, location: location, columns: partitionColumns, properties: known, stores: stores)
      }
      return CatalogPartitions(
        location: location, columns: partitionColumns, partitions: try catalog.partitions(of: name), stores: stores)
    }
    return Table(
      name: definition.name, columns: columns, partitionColumns: Schema(partitionColumns), files: files,
      format: format, comment: definition.comment, properties: definition.properties)
  }

  private static func unpartitioned(_ location: String, _ stores: ObjectStores) throws(QueryError) -> any TableFiles {
    let resolved = try stores.resolve(location)
    return FolderFiles(location: location, store: resolved.store, root: resolved.path)
  }
}
