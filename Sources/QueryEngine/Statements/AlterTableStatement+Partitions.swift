import ObjectStore
import QueryErrors
import SQLSyntax
import TableCatalog

/// ALTER TABLE of partitions: ADD, DROP, and what changes one.
extension AlterTableStatement {
  func add(
    _ partitions: [PartitionSyntax], ifNotExists: Bool, to table: TableDefinition, _ context: StatementContext
  ) throws(QueryError) -> PreparedStatement {
    let catalog = try context.catalog()
    let declaration = TableDeclaration(context: context)
    let columns = table.partitionColumns.map(\.name)
    var known: Set<[String?]> = []
    var added: [PartitionDefinition] = []
    for partition in partitions {
      let values = try PartitionSpecification(partition.values, of: table, context).complete()
      let stored = try catalog.partition(values, of: table.name, columns: columns)
      if stored != nil || known.contains(values) {
        if ifNotExists { continue }
        throw QueryError(
          .alreadyExists, "Partition already exists: \(PartitionFolder.name(columns, values))",
          at: partition.values.first?.range ?? node.range, hint: "ADD IF NOT EXISTS PARTITION passes over it.")
      }
      known.insert(values)
      let folder = partition.location?.value ?? ObjectPath.join(table.location, PartitionFolder.name(columns, values))
      added.append(PartitionDefinition(values: values, location: declaration.absolute(try context.stores.resolve(folder))))
    }
    let new = added
    return .effect { () throws(QueryError) in try catalog.add(new, to: table.name, columns: columns) }
  }

  /// Drops the partitions that each specification names: all that have its values, where it leaves keys out.
  func drop(
    _ partitions: [[PartitionValueSyntax]], ifExists: Bool, of table: TableDefinition, _ context: StatementContext
  ) throws(QueryError) -> PreparedStatement {
    let catalog = try context.catalog()
    let columns = table.partitionColumns.map(\.name)
    let known = try catalog.partitions(of: table.name).map(\.values)
    var dropped: [[String?]] = []
    for partition in partitions {
      let specification = try PartitionSpecification(partition, of: table, context)
      let matching = known.filter(specification.matches)
      if matching.isEmpty, !ifExists {
        throw QueryError(
          .notFound, "Partition not found: \(specification)", at: partition.first?.range ?? node.range,
          hint: "DROP IF EXISTS PARTITION passes over it.")
      }
      dropped += matching
    }
    let gone = dropped
    return .effect { () throws(QueryError) in try catalog.drop(partitions: gone, of: table.name, columns: columns) }
  }

  /// ALTER TABLE t PARTITION (…) …
  func alterPartition(of table: TableDefinition, _ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let catalog = try context.catalog()
    let declaration = TableDeclaration(context: context)
    let columns = table.partitionColumns.map(\.name)
    let specification = try PartitionSpecification(node.partition, of: table, context)
    let values = try specification.complete()
    guard var partition = try catalog.partition(values, of: table.name, columns: columns) else {
      throw QueryError(.notFound, "Partition not found: \(specification)", at: node.partition.first?.range ?? node.range)
    }
    switch node.action {
    case .setLocation(let location): partition.location = declaration.absolute(try context.stores.resolve(location.value))
    case .addColumns(let list, let ifNotExists):
      var own = partition.columns ?? table.columns
      for column in try declaration.added(list) {
        if ifNotExists, own.contains(where: { $0.name == column.name }) { continue }
        own.append(column)
      }
      partition.columns = own
    case .replaceColumns(let list): partition.columns = try declaration.added(list)
    case .renamePartition(let new):
      let newValues = try PartitionSpecification(new, of: table, context).complete()
      guard try catalog.partition(newValues, of: table.name, columns: columns) == nil else {
        throw QueryError(
          .alreadyExists, "Partition already exists: \(PartitionFolder.name(columns, newValues))",
          at: new.first?.range ?? node.range)
      }
      return .effect { () throws(QueryError) in
        try catalog.rename(partition: values, to: newValues, of: table.name, columns: columns)
      }
    default:
      throw .notSupported("ALTER TABLE … PARTITION (…) \(node.action.words) is not supported", at: node.range)
    }
    if let own = partition.columns { try TableDeclaration.check(own + table.partitionColumns, at: node.range) }
    let changed = partition
    return .effect { () throws(QueryError) in try catalog.add([changed], to: table.name, columns: columns) }
  }
}
