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
  /// Whether files are read exactly as Athena reads them.
  var followsAthena = false
  let foreign: ForeignConnections

  /// The engine's stores, metered by the query.
  var stores: ObjectStores { engine.stores.metered(by: meter) }

  /// Whether the one catalog goes by that name; lower case.
  static func isKnown(catalog name: String) -> Bool { name == catalogName || name == "hive" }

  var catalogNames: [String] { [CatalogResolver.catalogName] + foreign.names }

  func resolve(_ name: TableName) throws(QueryError) -> ResolvedRelation? {
    guard CatalogResolver.isKnown(catalog: name.catalog.lowercased()) else {
      log?.prevent("it reads the catalog \(name.catalog)")
      return try resolveForeign(name)
    }
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
      return .table(try self.table(table, catalog))
    }
    return try MetadataTable.rows(name, catalog)
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

  private func resolveForeign(_ name: TableName) throws(QueryError) -> ResolvedRelation? {
    guard let connection = try foreign.connection(name.catalog) else { return nil }
    if name.database.lowercased() == InformationSchema.databaseName {
      return try InformationSchema.table(name.name.lowercased(), of: connection.catalog, named: name.catalog).map {
        .rows($0.schema, $0.rows)
      }
    }
    return try connection.catalog.table(schema: name.database, name: name.name).map {
      .foreign($0, isProven: connection.isProven)
    }
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
    if !CatalogResolver.isKnown(catalog: catalog.lowercased()) {
      return try? foreign.connection(catalog)?.catalog.tableNames(in: database)
    }
    guard let known = try? engine.openCatalog(), (try? known.hasDatabase(database)) == true else { return nil }
    return try? known.relations(in: database).map(\.name)
  }

  /// A declared table, ready to be scanned.
  func table(_ definition: TableDefinition, _ catalog: Catalog) throws(QueryError) -> Table {
    try CatalogResolver.table(definition, catalog, stores, followsAthena: followsAthena)
  }

  static func table(
    _ definition: TableDefinition, _ catalog: Catalog, _ stores: ObjectStores, followsAthena: Bool = false
  ) throws(QueryError) -> Table {
    let columns = Schema(definition.columns.map { Field($0.name, $0.type) })
    let partitionColumns = definition.partitionColumns.map { Field($0.name, $0.type) }
    var properties = definition.serdeProperties
    for (key, value) in definition.properties { properties[key] = properties[key] ?? value }
    let inputFormat = definition.inputFormat
    guard let type = FormatRegistry.format(named: definition.format, serde: definition.serde, inputFormat: inputFormat) else {
      throw .notSupported("Tables of format '\(definition.serde ?? definition.format)' are not supported yet")
    }
    properties = Dictionary(properties.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first })
    let format = try type.init(
      FormatOptions(properties: properties, schema: columns, serde: definition.serde, followsAthena: followsAthena))
    let buckets = try definition.bucketing.map { (bucketing) throws(QueryError) in
      try TableBuckets(bucketing, columns.fields, properties: properties)
    }
    let (name, location, known) = (definition.name, definition.location, properties)
    let isSymlink = FormatRegistry.isSymlink(inputFormat: definition.inputFormat)
    let files = SettledFiles(location: location, catalog: catalog, stores: stores) { () throws(QueryError) -> any TableFiles in
      var files: any TableFiles
      if partitionColumns.isEmpty {
        files = try CatalogResolver.unpartitioned(location, stores)
      } else if ProjectedPartitions.isEnabled(known) {
        files = ProjectedPartitions(
          table: name, location: location, columns: partitionColumns, properties: known, stores: stores)
      } else {
        files = CatalogPartitions(
          table: name, location: location, fileColumns: columns.fields, matchesByName: format.matchesByName,
          columns: partitionColumns, partitions: try catalog.partitions(of: name), stores: stores)
      }
      if isSymlink { files = SymlinkedFiles(files, stores: stores) }
      if let buckets { files = BucketedFiles(files, buckets) }
      return files
    }
    var table = Table(
      name: definition.name, columns: columns, partitionColumns: Schema(partitionColumns), files: files,
      format: format, comment: definition.comment, properties: definition.properties)
    table.buckets = buckets
    return table
  }

  private static func unpartitioned(_ location: String, _ stores: ObjectStores) throws(QueryError) -> any TableFiles {
    let resolved = try stores.resolve(location)
    return FolderFiles(location: location, store: resolved.store, root: resolved.path)
  }
}
