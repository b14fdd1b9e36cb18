import ObjectStore
import QueryErrors
import SQLExpressions
import SQLSyntax
import TableCatalog

/// ALTER TABLE.
struct AlterTableStatement: Statement {
  private let node: AlterTableSyntax
  init(_ node: AlterTableSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let name = try context.tableName(node.name)
    let catalog = try context.catalog()
    guard var table = try catalog.table(name) else {
      if node.ifExists { return .nothing }
      throw QueryError(.tableNotFound, "Table '\(name)' does not exist", at: node.name.range)
    }
    let declaration = TableDeclaration(context: context)
    if let first = node.partition.first {
      throw .notSupported("ALTER TABLE of a single partition is not supported yet", at: first.range)
    }
    switch node.action {
    case .addPartitions(let partitions, let ifNotExists):
      return try add(partitions, ifNotExists: ifNotExists, to: table, context)
    case .dropPartitions(let partitions, let ifExists):
      return try drop(partitions, ifExists: ifExists, of: table, context)
    case .setTableProperties(let list):
      for property in list { table.properties[property.key.value] = property.value.value }
    case .setLocation(let location):
      let resolved = try context.stores.resolve(location.value)
      table.location = declaration.absolute(resolved)
    case .addColumns(let list, let ifNotExists):
      for column in list {
        let isKnown = (table.columns + table.partitionColumns).contains { $0.name == column.name.canonicalName }
        if isKnown, ifNotExists { continue }
        table.columns.append(try declaration.definition(column))
      }
    case .replaceColumns(let list):
      table.columns = try list.map { (column) throws(QueryError) in try declaration.definition(column) }
    default: throw .notSupported("This ALTER TABLE is not supported yet", at: node.range)
    }
    var seen: Set<String> = []
    for column in table.columns + table.partitionColumns where !seen.insert(column.name.lowercased()).inserted {
      throw QueryError(.duplicateColumnName, "Column name '\(column.name)' specified more than once", at: node.range)
    }
    let changed = table
    // Options the format does not know are refused now, not at the first query.
    _ = try CatalogResolver.table(changed, catalog, context.stores)
    return .effect { () throws(QueryError) in _ = try catalog.update(name) { $0 = changed } }
  }

  private func add(
    _ partitions: [PartitionSyntax], ifNotExists: Bool, to table: TableDefinition, _ context: StatementContext
  ) throws(QueryError) -> PreparedStatement {
    let catalog = try context.catalog()
    let declaration = TableDeclaration(context: context)
    let columns = table.partitionColumns.map(\.name)
    let known = Set(try catalog.partitions(of: table.name).map(\.values))
    var added: [PartitionDefinition] = []
    for partition in partitions {
      let values = try partitionValues(partition.values, table, context)
      if known.contains(values) {
        if ifNotExists { continue }
        throw QueryError(
          .alreadyExists, "Partition already exists: \(PartitionFolder.name(columns, values))", at: node.range)
      }
      let folder =
        partition.location?.value ?? ObjectPath.join(table.location, PartitionFolder.name(columns, values))
      added.append(PartitionDefinition(values: values, location: declaration.absolute(try context.stores.resolve(folder))))
    }
    let new = added
    return .effect { () throws(QueryError) in try catalog.add(new, to: table.name, columns: columns) }
  }

  private func drop(
    _ partitions: [[PartitionValueSyntax]], ifExists: Bool, of table: TableDefinition, _ context: StatementContext
  ) throws(QueryError) -> PreparedStatement {
    let catalog = try context.catalog()
    let columns = table.partitionColumns.map(\.name)
    let known = Set(try catalog.partitions(of: table.name).map(\.values))
    var dropped: [[String?]] = []
    for partition in partitions {
      let values = try partitionValues(partition, table, context)
      if !known.contains(values), !ifExists {
        throw QueryError(.notFound, "Partition not found: \(PartitionFolder.name(columns, values))", at: node.range)
      }
      dropped.append(values)
    }
    let gone = dropped
    return .effect { () throws(QueryError) in
      for values in gone { try catalog.drop(partition: values, of: table.name, columns: columns) }
    }
  }

  private func partitionValues(
    _ list: [PartitionValueSyntax], _ table: TableDefinition, _ context: StatementContext
  ) throws(QueryError) -> [String?] {
    var values: [String: String?] = [:]
    for item in list {
      let constant = try context.constant(item.value)
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
}
