import FileFormats
import ObjectStore
import QueryPlanner
import SQLExpressions
import SQLSyntax
import TableCatalog

extension StatementRun {
  /// CREATE, DROP, ALTER and MSCK.
  func define(_ statement: StatementSyntax, _ consumer: any ResultConsumer) throws(QueryError) {
    switch statement {
    case .createSchema(let node): try createDatabase(node)
    case .dropSchema(let node): try dropDatabase(node)
    case .createTable(let node): try createTable(node)
    case .createView(let node): try createView(node)
    case .dropTable(let node): try drop(node, isView: false)
    case .dropView(let node): try drop(node, isView: true)
    case .alterTable(let node): try alterTable(node)
    case .repairTable(let node):
      let lines = try repair(node)
      try consumer.receive(rows: lines.map { [$0] }, columns: ["result"])
      return
    default: throw .notSupported("Queries of this type are not supported yet", at: statement.range)
    }
    try consumer.begin(Schema([]))
  }

  /// The full name of a relation, the session's database filled in.
  func tableName(_ name: QualifiedName) throws(QueryError) -> TableName {
    // DDL also accepts `db.table` in one pair of backticks.
    var parts = name.parts.map(\.canonicalName)
    if parts.count == 1, name.parts[0].isDelimited, parts[0].contains(".") {
      parts = parts[0].split(separator: ".").map(String.init)
    }
    switch parts.count {
    case 1: return TableName(database: state.database, name: parts[0])
    case 2: return TableName(database: parts[0], name: parts[1])
    case 3: return TableName(catalog: parts[0], database: parts[1], name: parts[2])
    default: throw QueryError(.syntaxError, "Too many parts in the name '\(name.canonicalName)'", at: name.range)
    }
  }

  private func databaseName(_ name: QualifiedName) -> String { name.last.canonicalName }

  private func requireDatabase(_ name: String, at range: SourceRange) throws(QueryError) {
    let catalog = try state.catalog()
    if try !catalog.hasDatabase(name) {
      throw QueryError(
        .schemaNotFound, "Schema '\(name)' does not exist", at: range,
        hint: NameSuggestion.hint(for: name, among: try catalog.databases().map(\.name)))
    }
  }

  // MARK: Databases

  private func createDatabase(_ node: CreateSchemaSyntax) throws(QueryError) {
    let name = databaseName(node.name)
    let catalog = try state.catalog()
    if try catalog.hasDatabase(name) {
      if node.ifNotExists { return }
      throw QueryError(.schemaAlreadyExists, "Schema '\(name)' already exists", at: node.name.range)
    }
    let properties = Dictionary(
      node.databaseProperties.map { ($0.key.value, $0.value.value) }, uniquingKeysWith: { $1 })
    try catalog.create(
      DatabaseDefinition(
        name: name, comment: node.comment?.value, location: node.location?.value, properties: properties))
  }

  private func dropDatabase(_ node: DropSchemaSyntax) throws(QueryError) {
    let name = databaseName(node.name)
    let catalog = try state.catalog()
    if try !catalog.hasDatabase(name) {
      if node.ifExists { return }
      try requireDatabase(name, at: node.name.range)
    }
    if !node.isCascade, try !catalog.relations(in: name).isEmpty {
      throw QueryError(
        .schemaNotEmpty, "Cannot drop non-empty schema '\(name)'", at: node.name.range,
        hint: "DROP DATABASE \(name) CASCADE drops its tables and views too; files stay.")
    }
    try catalog.dropDatabase(name)
  }

  // MARK: Tables

  private func createTable(_ node: CreateTableSyntax) throws(QueryError) {
    let name = try tableName(node.name)
    try requireDatabase(name.database, at: node.name.range)
    let catalog = try state.catalog()
    let (table, view) = (try catalog.table(name), try catalog.view(name))
    if table != nil || view != nil {
      if node.ifNotExists { return }
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
    let columns = try node.columns.map { (column) throws(QueryError) in try definition(column) }
    var partitionColumns: [ColumnDefinition] = []
    for field in node.partitionedBy {
      guard case .column(let column) = field else {
        throw .notSupported("Partition transforms are not supported yet", at: node.range)
      }
      partitionColumns.append(try definition(column))
    }
    var seen: Set<String> = []
    for column in columns + partitionColumns where !seen.insert(column.name.lowercased()).inserted {
      throw QueryError(.duplicateColumnName, "Column name '\(column.name)' specified more than once", at: node.range)
    }
    if columns.isEmpty {
      throw QueryError(.tableHasNoColumns, "Table '\(name)' has no columns", at: node.range)
    }
    let (format, serde, serdeProperties) = try storage(node)
    let resolved = try stores.resolve(location.value)
    if try resolved.store.entry(resolved.path)?.isDirectory == false {
      throw QueryError(
        .invalidTableProperty, "LOCATION must be a folder, not a file: \(location.value)", at: location.range)
    }
    var properties: [String: String] = [:]
    for property in node.tableProperties { properties[property.key.value] = property.value.value }
    let saved = TableDefinition(
      name: name, columns: columns, partitionColumns: partitionColumns, location: absolute(resolved),
      format: format, serde: serde, comment: node.comment?.value, serdeProperties: serdeProperties,
      properties: properties)
    // Options the format does not know are refused now, not at the first query.
    _ = try CatalogResolver.table(saved, catalog, stores)
    try catalog.save(saved)
  }

  private var stores: ObjectStores { state.stores.metered(by: meter) }

  /// A local path made absolute, so that the table is found from every folder; other stores' with their scheme.
  private func absolute(_ location: ObjectLocation) -> String {
    if location.store.scheme != "file" { return location.description }
    return location.path.hasPrefix("/") ? location.path : ObjectPath.join(WorkingDirectory.path, location.path)
  }

  private func definition(_ column: ColumnDefinitionSyntax) throws(QueryError) -> ColumnDefinition {
    ColumnDefinition(
      name: column.name.canonicalName, type: try type(column.type), comment: column.comment?.value)
  }

  /// A declared column's type.
  private func type(_ syntax: TypeSyntax) throws(QueryError) -> DataType {
    let name = text(of: syntax.range)
    guard let type = DataType(parsing: name) else {
      throw QueryError(.typeNotFound, "Unknown type: \(name)", at: syntax.range)
    }
    return type
  }

  /// The format's name, SerDe and SerDe properties that ROW FORMAT and STORED AS declare.
  private func storage(
    _ node: CreateTableSyntax
  ) throws(QueryError) -> (format: String, serde: String?, properties: [String: String]) {
    var serde: String?
    var properties: [String: String] = [:]
    switch node.rowFormat {
    case .serde(let name, let list):
      serde = name.value
      for property in list { properties[property.key.value] = property.value.value }
    case .delimited(let delimited):
      serde = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
      for (key, value) in [
        ("field.delim", delimited.fieldsTerminatedBy), ("escape.delim", delimited.escapedBy),
        ("collection.delim", delimited.collectionItemsTerminatedBy), ("mapkey.delim", delimited.mapKeysTerminatedBy),
        ("line.delim", delimited.linesTerminatedBy), ("serialization.null.format", delimited.nullDefinedAs),
      ] { if let value { properties[key] = value.value } }
    case nil: break
    }
    var format = "TEXTFILE"
    switch node.storedAs {
    case .named(let word): format = word.canonicalName
    case .classes(let input, _):
      let lower = input.value.lowercased()
      format = lower.contains("parquet") ? "parquet" : (lower.contains("orc") ? "orc" : (lower.contains("avro") ? "avro" : "textfile"))
    case nil: break
    }
    if serde == nil, format.lowercased() == "textfile" {
      serde = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
    }
    if let serde {
      guard let type = FormatRegistry.format(named: serde) else {
        throw .notSupported("SerDe '\(serde)' is not supported yet", at: node.range)
      }
      return (type.descriptor.name, serde, properties)
    }
    guard let type = FormatRegistry.format(named: format) else {
      throw .notSupported("STORED AS \(format.uppercased()) is not supported yet", at: node.range)
    }
    return (type.descriptor.name, nil, properties)
  }

  private func drop(_ node: DropRelationSyntax, isView: Bool) throws(QueryError) {
    let name = try tableName(node.name)
    let catalog = try state.catalog()
    let (table, view) = (try catalog.table(name), try catalog.view(name))
    if isView ? view == nil : table == nil {
      if table != nil || view != nil {
        throw QueryError(
          .genericUserError, "'\(name)' is a \(isView ? "table" : "view"), not a \(isView ? "view" : "table")",
          at: node.name.range, hint: "Use DROP \(isView ? "TABLE" : "VIEW").")
      }
      if node.ifExists { return }
      throw QueryError(
        .tableNotFound, "\(isView ? "View" : "Table") '\(name)' does not exist", at: node.name.range,
        hint: NameSuggestion.hint(for: name.name, among: try catalog.relations(in: name.database).map(\.name)))
    }
    try catalog.drop(name)
  }

  // MARK: Views

  private func createView(_ node: CreateViewSyntax) throws(QueryError) {
    let name = try tableName(node.name)
    try requireDatabase(name.database, at: node.name.range)
    let catalog = try state.catalog()
    if try catalog.table(name) != nil {
      throw QueryError(.tableAlreadyExists, "Table '\(name)' already exists", at: node.name.range)
    }
    if try catalog.view(name) != nil, !node.isReplace {
      if node.ifNotExists { return }
      throw QueryError(.tableAlreadyExists, "View '\(name)' already exists", at: node.name.range)
    }
    let resolver = CatalogResolver(state: state, meter: meter)
    let bound = try Binder.bind(node.query, catalog: resolver, session: session, defining: name)
    var names = bound.columnNames
    if !node.columns.isEmpty {
      guard node.columns.count == names.count else {
        throw QueryError(
          .mismatchedColumnAliases,
          "Column alias list has \(node.columns.count) entries but the query has \(names.count) columns", at: node.range)
      }
      names = node.columns.map(\.name.name)
    }
    var seen: Set<String> = []
    for columnName in names where !seen.insert(columnName.lowercased()).inserted {
      throw QueryError(
        .duplicateColumnName, "Column name '\(columnName)' specified more than once", at: node.query.range)
    }
    let columns = zip(names, bound.outputs).enumerated().map { index, pair in
      ColumnDefinition(
        name: pair.0, type: pair.1.type, comment: node.columns.isEmpty ? nil : node.columns[index].comment?.value)
    }
    try catalog.save(
      StoredView(
        name: name, sql: text(of: node.query.range), columns: columns, comment: node.comment?.value,
        database: state.database))
  }

  // MARK: Partitions

  private func alterTable(_ node: AlterTableSyntax) throws(QueryError) {
    let name = try tableName(node.name)
    let catalog = try state.catalog()
    guard var table = try catalog.table(name) else {
      if node.ifExists { return }
      throw QueryError(.tableNotFound, "Table '\(name)' does not exist", at: node.name.range)
    }
    let columns = table.partitionColumns.map(\.name)
    switch node.action {
    case .addPartitions(let partitions, let ifNotExists):
      let known = Set(try catalog.partitions(of: name).map(\.values))
      var added: [PartitionDefinition] = []
      for partition in partitions {
        let values = try partitionValues(partition.values, table)
        if known.contains(values) {
          if ifNotExists { continue }
          throw QueryError(
            .alreadyExists, "Partition already exists: \(PartitionFolder.name(columns, values))", at: node.range)
        }
        let folder =
          partition.location?.value ?? ObjectPath.join(table.location, PartitionFolder.name(columns, values))
        added.append(PartitionDefinition(values: values, location: absolute(try stores.resolve(folder))))
      }
      try catalog.add(added, to: name, columns: columns)
    case .dropPartitions(let partitions, let ifExists):
      let known = Set(try catalog.partitions(of: name).map(\.values))
      for partition in partitions {
        let values = try partitionValues(partition, table)
        if !known.contains(values), !ifExists {
          throw QueryError(.notFound, "Partition not found: \(PartitionFolder.name(columns, values))", at: node.range)
        }
        try catalog.drop(partition: values, of: name, columns: columns)
      }
    case .setTableProperties(let list):
      for property in list { table.properties[property.key.value] = property.value.value }
      try replace(table)
    case .setLocation(let location):
      let resolved = try stores.resolve(location.value)
      table.location = absolute(resolved)
      try replace(table)
    case .addColumns(let list, _):
      for column in list { table.columns.append(try definition(column)) }
      try replace(table)
    case .replaceColumns(let list):
      table.columns = try list.map { (column) throws(QueryError) in try definition(column) }
      try replace(table)
    default: throw .notSupported("This ALTER TABLE is not supported yet", at: node.range)
    }
  }

  private func replace(_ table: TableDefinition) throws(QueryError) {
    let catalog = try state.catalog()
    _ = try CatalogResolver.table(table, catalog, stores)
    _ = try catalog.update(table.name) { $0 = table }
  }

  private func partitionValues(
    _ list: [PartitionValueSyntax], _ table: TableDefinition
  ) throws(QueryError) -> [String?] {
    var values: [String: String?] = [:]
    for item in list {
      let constant = try StatementBinding.constant(item.value, session)
      guard table.partitionColumns.contains(where: { $0.name == item.key.canonicalName }) else {
        throw QueryError(
          .columnNotFound, "'\(item.key.name)' is no partition column of '\(table.name)'", at: item.range,
          hint: NameSuggestion.hint(for: item.key.name, among: table.partitionColumns.map(\.name)))
      }
      values[item.key.canonicalName] =
        constant.constantValue?.isNull == true
        ? .some(nil) : ScalarText.text(constant.constantValue ?? .null, constant.type)
    }
    var ordered: [String?] = []
    for column in table.partitionColumns {
      guard let value = values[column.name] else {
        throw QueryError(
          .genericUserError, "The partition specification lacks column '\(column.name)'", at: list.first?.range)
      }
      if let text = value {
        _ = try PartitionValue.parse(text, Field(column.name, column.type), in: text, of: table.location)
      }
      ordered.append(value)
    }
    return ordered
  }

  /// MSCK REPAIR TABLE: adds the partitions whose folders exist.
  ///
  /// - Returns: what Athena prints: one line per partition added, and those whose folders are missing.
  private func repair(_ node: RepairTableSyntax) throws(QueryError) -> [String] {
    let name = try tableName(node.name)
    let catalog = try state.catalog()
    guard let table = try catalog.table(name) else {
      throw QueryError(.tableNotFound, "Table '\(name)' does not exist", at: node.name.range)
    }
    if table.partitionColumns.isEmpty { return [] }
    let columns = table.partitionColumns.map(\.name)
    let resolved = try stores.resolve(table.location)
    guard try resolved.store.exists(resolved.path) else { throw resolved.store.missing(resolved.path) }
    let walker = DirectoryWalker(resolved.store, root: resolved.path, meter: meter)
    var found: [[String?]: String] = [:]
    var level: [(path: String, values: [String?])] = [("", [])]
    for column in table.partitionColumns {
      let entries = try walker.list(level.map(\.path), detail: .names)
      var next: [(path: String, values: [String?])] = []
      for (parent, entries) in zip(level, entries) {
        for entry in entries where entry.isDirectory && !entry.isHidden {
          guard let (key, value) = PartitionFolder.parse(entry.name), key.lowercased() == column.name else { continue }
          if let value, PartitionValue.parse(value, column.type) == nil { continue }
          next.append((ObjectPath.join(parent.path, entry.name), parent.values + [value]))
        }
      }
      level = next
    }
    for folder in level { found[folder.values] = resolved.appending(folder.path).description }
    let known = try catalog.partitions(of: name)
    let knownValues = Set(known.map(\.values))
    let added = level.filter { !knownValues.contains($0.values) }
    try catalog.add(
      added.map { PartitionDefinition(values: $0.values, location: found[$0.values] ?? "") }, to: name, columns: columns)
    var lines: [String] = []
    if !added.isEmpty {
      let names = added.map { "\(name.name):\(PartitionFolder.name(columns, $0.values))" }
      lines.append("Partitions not in metastore: " + names.joined(separator: " "))
      lines += added.map { "Repair: Added partition to metastore \(name.name):\(PartitionFolder.name(columns, $0.values))" }
    }
    var missing: [String] = []
    for partition in known {
      let place = try stores.resolve(partition.location)
      if try !place.store.exists(place.path) {
        missing.append("\(name.name):\(PartitionFolder.name(columns, partition.values))")
      }
    }
    if !missing.isEmpty { lines.append("Partitions missing from filesystem: " + missing.joined(separator: " ")) }
    return lines
  }
}
