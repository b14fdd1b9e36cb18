import ObjectStore
import QueryErrors
import SQLSyntax
import TableCatalog

/// CREATE EXTERNAL TABLE.
struct CreateTableStatement: Statement {
  private let node: CreateTableSyntax
  init(_ node: CreateTableSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let declaration = TableDeclaration(context: context)
    let name = try context.tableName(node.name)
    try context.requireDatabase(name.database, at: node.name.range)
    let catalog = try context.catalog()
    let (table, view) = (try catalog.table(name), try catalog.view(name))
    if table != nil || view != nil {
      if node.ifNotExists { return .nothing }
      throw QueryError(.tableAlreadyExists, "Table '\(name)' already exists", at: node.name.range)
    }
    guard node.isExternal else {
      throw .notSupported(
        "External location is required: only CREATE EXTERNAL TABLE is supported yet", at: node.range,
        hint: "Write CREATE EXTERNAL TABLE … LOCATION 'folder/'.")
    }
    guard let location = node.location else {
      throw QueryError(
        .invalidTableProperty, "CREATE EXTERNAL TABLE needs a LOCATION", at: node.range,
        hint: "Add LOCATION 'folder/' behind the column list.")
    }
    if let clustered = node.clusteredBy {
      throw .notSupported("CLUSTERED BY is not supported yet", at: clustered.range)
    }
    let columns = try node.columns.map { (column) throws(QueryError) in try declaration.definition(column) }
    var partitionColumns: [ColumnDefinition] = []
    for field in node.partitionedBy {
      guard case .column(let column) = field else {
        throw .notSupported("Partition transforms are not supported yet", at: node.range)
      }
      partitionColumns.append(try declaration.definition(column))
    }
    var seen: Set<String> = []
    for column in columns + partitionColumns where !seen.insert(column.name.lowercased()).inserted {
      throw QueryError(.duplicateColumnName, "Column name '\(column.name)' specified more than once", at: node.range)
    }
    if columns.isEmpty {
      throw QueryError(.tableHasNoColumns, "Table '\(name)' has no columns", at: node.range)
    }
    let storage = try declaration.storage(node)
    for property in node.tableProperties
    where property.key.value.lowercased() == "table_type"
      && ["ICEBERG", "DELTA", "HUDI"].contains(property.value.value.uppercased())
    {
      throw .notSupported("Tables of type \(property.value.value.uppercased()) are not supported yet", at: property.value.range)
    }
    let resolved = try context.stores.resolve(location.value)
    if try resolved.store.entry(resolved.path)?.isDirectory == false {
      throw QueryError(
        .invalidTableProperty, "LOCATION must be a folder, not a file: \(location.value)", at: location.range)
    }
    var properties: [String: String] = [:]
    for property in node.tableProperties { properties[property.key.value] = property.value.value }
    let saved = TableDefinition(
      name: name, columns: columns, partitionColumns: partitionColumns, location: declaration.absolute(resolved),
      format: storage.format, serde: storage.serde, comment: node.comment?.value, serdeProperties: storage.properties,
      properties: properties, inputFormat: storage.inputFormat, outputFormat: storage.outputFormat)
    // Options the format does not know are refused now, not at the first query.
    _ = try CatalogResolver.table(saved, catalog, context.stores)
    return .effect { () throws(QueryError) in try catalog.save(saved) }
  }
}
