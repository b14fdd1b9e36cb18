import Columnar
import FileFormats
import ObjectStore
import QueryErrors
import QueryExecution
import QueryPlanner
import SQLSyntax
import TableCatalog

/// CREATE TABLE AS.
struct CreateTableAsStatement: Statement {
  private let node: CreateTableAsSyntax
  init(_ node: CreateTableAsSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let name = try context.tableName(node.name)
    try context.requireDatabase(name.database, at: node.name.range)
    if node.isReplace { throw .notSupported("CREATE OR REPLACE TABLE is not supported", at: node.range) }
    let catalog = try context.catalog()
    let (table, view) = (try catalog.table(name), try catalog.view(name))
    if table != nil || view != nil {
      if node.ifNotExists { return .effect(file: .none) { () throws(QueryError) in } }
      throw QueryError(.tableAlreadyExists, "Table '\(name)' already exists", at: node.name.range)
    }
    let properties = try WriteProperties(node.properties, of: .table, context)
    let hive = HiveColumns(context: context)
    let (bound, plan) = try context.plan(node.query) { (bound) throws(QueryError) in
      try hive.conformed(bound, aliases: node.columnAliases, at: node.range)
    }
    let (columns, partitionColumns) = try hive.split(
      bound.schema.fields, partitionedBy: properties.partitionedBy, at: properties.ranges["partitioned_by"])
    let buckets = try buckets(properties, columns)
    let root = try location(properties, name, context)
    let definition = definition(name, columns, partitionColumns, properties, root, context)
    let format = try context.resolver.table(definition, catalog).format
    let contents = WriteTransaction.Contents(
      format: format, schema: Schema(columns), options: try options(properties, columns), partitionColumns: partitionColumns)
    return try FileWrite(
      context: context, query: node.isWithData ? (plan, bound) : nil, contents: contents, buckets: buckets, root: root
    ) { (partitions) throws(QueryError) in
      // Another statement may have put files there meanwhile.
      try checkIsEmpty(root, name)
      let (folders, new) = try WritePartitions(table: definition, catalog: catalog, context: context, root: root).place(partitions)
      try catalog.create(definition, partitions: new)
      return folders
    }.prepared()
  }

  private func buckets(_ properties: WriteProperties, _ columns: [Field]) throws(QueryError) -> FileLayout.Buckets? {
    guard let count = properties.bucketCount else { return nil }
    var indices: [Int] = []
    for name in properties.bucketedBy {
      guard let index = columns.firstIndex(where: { $0.name == name }) else {
        throw QueryError(
          .invalidTableProperty, "Bucketing columns [\(name)] not present in schema", at: properties.ranges["bucketed_by"],
          hint: NameSuggestion.hint(for: name, among: columns.map(\.name)))
      }
      guard BucketFunction.hive.supports(columns[index].type) else {
        throw .notSupported("Tables cannot be bucketed by a column of type \(columns[index].type)", at: properties.ranges["bucketed_by"])
      }
      indices.append(index)
    }
    return FileLayout.Buckets(columns: indices, count: count)
  }

  /// Where the table's files go: `external_location`, or a folder of its own below the results.
  private func location(_ properties: WriteProperties, _ name: TableName, _ context: StatementContext) throws(QueryError) -> ObjectLocation {
    let declaration = TableDeclaration(context: context)
    if let (text, range) = properties.externalLocation {
      let given = try context.stores.resolve(text)
      let location = try context.stores.resolve(declaration.absolute(given))
      if try location.entry()?.isDirectory == false {
        throw QueryError(.invalidTableProperty, "external_location must be a folder, not a file: \(text)", at: range)
      }
      do throws(QueryError) { try checkIsEmpty(location, name) } catch { throw error.located(at: range) }
      return location
    }
    guard let results = try context.tablesFolder() else {
      throw QueryError(
        .invalidTableProperty, "There is no folder for the table's files", at: node.range,
        hint: "Give external_location = 'folder/', or a results folder.")
    }
    return try context.stores.resolve(ObjectPath.join(results, context.id))
  }

  private func checkIsEmpty(_ location: ObjectLocation, _ name: TableName) throws(QueryError) {
    guard try WriteFolder.isEmpty(location) else {
      throw QueryError(
        .hivePathAlreadyExists, "Target directory for table '\(name.database).\(name.name)' already exists: \(location)",
        hint: "The folder of a new table must be empty.")
    }
  }

  private func definition(
    _ name: TableName, _ columns: [Field], _ partitionColumns: [Field], _ properties: WriteProperties, _ root: ObjectLocation,
    _ context: StatementContext
  ) -> TableDefinition {
    let format = properties.format ?? .parquet
    var serdeProperties: [String: String] = [:]
    if format == .text {
      let delimiter = properties.fieldDelimiter ?? "\u{1}"
      serdeProperties = ["field.delim": delimiter, "serialization.format": delimiter]
      if let text = properties.nullFormat { serdeProperties["serialization.null.format"] = text }
    }
    var tableProperties: [String: String] = [:]
    if let compression = properties.compression ?? format.usualCompression { tableProperties[format.compressionProperty] = compression }
    if let level = properties.level { tableProperties["compression_level"] = String(level) }
    if properties.bucketCount != nil { tableProperties["bucketing_format"] = "hive" }
    return TableDefinition(
      name: name, columns: columns.map { ColumnDefinition(name: $0.name, type: $0.type) },
      partitionColumns: partitionColumns.map { ColumnDefinition(name: $0.name, type: $0.type) },
      location: TableDeclaration(context: context).absolute(root), format: format.catalogName, serde: format.serde,
      comment: node.comment?.value, serdeProperties: serdeProperties, properties: tableProperties,
      bucketing: properties.bucketCount.map { BucketDefinition(columns: properties.bucketedBy, count: $0) })
  }

  private func options(_ properties: WriteProperties, _ columns: [Field]) throws(QueryError) -> WriterOptions {
    var options = WriterOptions(
      compression: properties.compression ?? (properties.format ?? .parquet).usualCompression, level: properties.level)
    for name in properties.bloomFilterColumns {
      guard let index = columns.firstIndex(where: { $0.name == name }) else {
        throw QueryError(
          .invalidTableProperty, "Column '\(name)' of parquet_bloom_filter_columns is none of the files'",
          at: properties.ranges["parquet_bloom_filter_columns"], hint: NameSuggestion.hint(for: name, among: columns.map(\.name)))
      }
      options.bloomFilterColumns.insert(index)
    }
    return options
  }
}
