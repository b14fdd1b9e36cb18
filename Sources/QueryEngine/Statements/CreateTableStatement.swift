import ObjectStore
import QueryErrors
import SQLSyntax
import TableCatalog

/// CREATE EXTERNAL TABLE.
struct CreateTableStatement: Statement {
  private let node: CreateTableSyntax
  init(_ node: CreateTableSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    try refuseTrinoClauses()
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
    let columns = try node.columns.map { (column) throws(QueryError) in try declaration.definition(column) }
    var partitionColumns: [ColumnDefinition] = []
    for field in node.partitionedBy {
      switch field {
      case .column(let column): partitionColumns.append(try declaration.definition(column))
      case .transform(let expression):
        throw .notSupported(
          "PARTITIONED BY an expression, or a column without its type, is not supported for Hive tables", at: expression.range,
          hint: "Hive's partition columns are declared there: PARTITIONED BY (day string).")
      }
    }
    if columns.isEmpty {
      throw QueryError(.tableHasNoColumns, "Table '\(name)' has no columns", at: node.range)
    }
    try TableDeclaration.check(columns + partitionColumns, at: node.range)
    let bucketing = try bucketing(columns)
    let storage = try declaration.storage(node)
    for property in node.tableProperties
    where property.key.value.lowercased() == "table_type"
      && ["ICEBERG", "DELTA", "HUDI"].contains(property.value.value.uppercased())
    {
      throw .notSupported("Tables of type \(property.value.value.uppercased()) are not supported yet", at: property.value.range)
    }
    let resolved = try context.stores.resolve(location.value)
    try check(location, resolved)
    var properties: [String: String] = [:]
    for property in node.tableProperties { properties[property.key.value] = property.value.value }
    let saved = TableDefinition(
      name: name, columns: columns, partitionColumns: partitionColumns, location: declaration.absolute(resolved),
      format: storage.format, serde: storage.serde, comment: node.comment?.value, serdeProperties: storage.properties,
      properties: properties, inputFormat: storage.inputFormat, outputFormat: storage.outputFormat,
      bucketing: bucketing)
    // Options the format does not know are refused now, not at the first query.
    try context.check(saved)
    return .effect { () throws(QueryError) in try catalog.save(saved) }
  }

  /// Refuses files and patterns; what lies in other stores is seen when it is read.
  private func check(_ location: StringSyntax, _ resolved: ObjectLocation) throws(QueryError) {
    if resolved.store.isFlat { return }
    let entry = try resolved.store.entry(resolved.path)
    if entry?.isDirectory == false {
      throw QueryError(
        .invalidTableProperty, "LOCATION must be a folder, not a file: \(location.value)", at: location.range)
    }
    if entry == nil, location.value.contains(where: { "*?[{".contains($0) }) {
      throw QueryError(
        .invalidTableProperty, "LOCATION must be a folder, not a pattern: \(location.value)", at: location.range,
        hint: "A pattern goes into FROM: SELECT * FROM '\(location.value)'.")
    }
  }

  /// What Trino's CREATE TABLE has and Hive's has not.
  private func refuseTrinoClauses() throws(QueryError) {
    if node.isReplace { throw .notSupported("CREATE OR REPLACE TABLE is not supported", at: node.range) }
    if let property = node.properties.first {
      throw .notSupported(
        "WITH (\(property.name.name) = …) is not supported for external tables", at: property.range,
        hint: "Hive's clauses say it: ROW FORMAT, STORED AS, LOCATION, TBLPROPERTIES.")
    }
    for case .like(let table, let isIncluding) in node.elements {
      let words = isIncluding.map { $0 ? " INCLUDING PROPERTIES" : " EXCLUDING PROPERTIES" } ?? ""
      throw .notSupported("CREATE TABLE (LIKE \(table.canonicalName)\(words)) is not supported", at: table.range)
    }
  }

  /// CLUSTERED BY … [SORTED BY …] INTO n BUCKETS.
  private func bucketing(_ columns: [ColumnDefinition]) throws(QueryError) -> BucketDefinition? {
    guard let clustered = node.clusteredBy else { return nil }
    func column(_ name: Identifier) throws(QueryError) -> String {
      if columns.contains(where: { $0.name == name.canonicalName }) { return name.canonicalName }
      throw QueryError(
        .columnNotFound, "Column '\(name.name)' of CLUSTERED BY does not exist", at: name.range,
        hint: NameSuggestion.hint(for: name.name, among: columns.map(\.name)))
    }
    guard clustered.bucketCount >= 1, clustered.bucketCount <= 1_000_000 else {
      throw QueryError(
        .invalidTableProperty, "The number of buckets must be 1 to 1000000: \(clustered.bucketCount)", at: clustered.range)
    }
    var definition = BucketDefinition(columns: [], count: Int(clustered.bucketCount))
    for name in clustered.columns { definition.columns.append(try column(name)) }
    for item in clustered.sortedBy {
      guard case .identifier(let name) = item.expression, item.isNullsFirst == nil else {
        throw .notSupported("SORTED BY takes columns, with ASC or DESC", at: item.range)
      }
      definition.sortColumns.append(.init(name: try column(name), isDescending: item.isDescending))
    }
    return definition
  }
}
