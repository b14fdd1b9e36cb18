import ObjectStore
import QueryErrors
import SQLSyntax
import TableCatalog

/// ALTER TABLE: what changes the table itself; partitions are in an extension.
struct AlterTableStatement: Statement {
  let node: AlterTableSyntax
  init(_ node: AlterTableSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let name = try context.tableName(node.name)
    let catalog = try context.catalog()
    guard let table = try catalog.table(name) else {
      if node.ifExists { return .nothing }
      _ = try context.requireTable(node.name)
      return .nothing
    }
    if !node.partition.isEmpty { return try alterPartition(of: table, context) }
    switch node.action {
    case .addPartitions(let partitions, let ifNotExists):
      return try add(partitions, ifNotExists: ifNotExists, to: table, context)
    case .dropPartitions(let partitions, let ifExists):
      return try drop(partitions, ifExists: ifExists, of: table, context)
    default: break
    }
    let change = try change(context)
    var changed = table
    try change.apply(&changed)
    try AlterTableStatement.check(changed, at: node.range)
    // Options the format does not know are refused now, not at the first query.
    try context.check(changed)
    let range = node.range
    return .effect { () throws(QueryError) in
      // Applied to what the table is by then: another process may have changed something else of it.
      _ = try catalog.update(name, keepsPartitionColumns: change.keepsPartitionColumns) { (table) throws(QueryError) in
        try change.apply(&table)
        try AlterTableStatement.check(table, at: range)
      }
    }
  }

  /// A change of a table's declaration.
  private struct Change {
    /// Whether partitions keep the columns that the table had: their files were written for those.
    var keepsPartitionColumns = false
    var apply: (inout TableDefinition) throws(QueryError) -> Void
  }

  private func change(_ context: StatementContext) throws(QueryError) -> Change {
    let declaration = TableDeclaration(context: context)
    switch node.action {
    case .setTableProperties(let list):
      return Change { (table) throws(QueryError) in
        for property in list { table.properties[property.key.value] = property.value.value }
      }
    case .unsetTableProperties(let keys, let ifExists):
      return Change { (table) throws(QueryError) in
        for key in keys where table.properties.removeValue(forKey: key.value) == nil && !ifExists {
          throw QueryError(
            .invalidTableProperty, "Table \(table.name) does not have property: \(key.value)", at: key.range,
            hint: "UNSET TBLPROPERTIES IF EXISTS passes over it.")
        }
      }
    case .setLocation(let location):
      let resolved = declaration.absolute(try context.stores.resolve(location.value))
      return Change { (table) throws(QueryError) in table.location = resolved }
    case .addColumns(let list, let ifNotExists):
      let columns = try declaration.added(list)
      return Change { (table) throws(QueryError) in
        for column in columns {
          let isKnown = (table.columns + table.partitionColumns).contains { $0.name == column.name }
          if isKnown, ifNotExists { continue }
          table.columns.append(column)
        }
      }
    case .replaceColumns(let list):
      let columns = try declaration.added(list)
      return Change(keepsPartitionColumns: true) { (table) throws(QueryError) in table.columns = columns }
    case .changeColumn(let old, let new, let position):
      let column = try declaration.definition(new)
      return Change(keepsPartitionColumns: true) { (table) throws(QueryError) in
        try AlterTableStatement.change(old, to: column, position, in: &table)
      }
    case .dropColumn, .renameColumn, .setColumnType, .dropNotNull, .setProperties, .rename:
      throw .notSupported("ALTER TABLE … \(node.action.words) is not supported for Hive tables", at: node.range)
    case .addPartitions, .dropPartitions, .renamePartition:
      throw .internalError("\(node.action.words) changes partitions")
    }
  }

  /// CHANGE COLUMN: another name, type, comment or place.
  private static func change(
    _ old: Identifier, to column: ColumnDefinition, _ position: ColumnPositionSyntax?, in table: inout TableDefinition
  ) throws(QueryError) {
    func index(_ name: Identifier) throws(QueryError) -> Int {
      if let index = table.columns.firstIndex(where: { $0.name == name.canonicalName }) { return index }
      if table.partitionColumns.contains(where: { $0.name == name.canonicalName }) {
        throw .notSupported("Partition column '\(name.name)' cannot be changed", at: name.range)
      }
      throw QueryError(
        .columnNotFound, "Column '\(name.name)' does not exist in table '\(table.name)'", at: name.range,
        hint: NameSuggestion.hint(for: name.name, among: table.columns.map(\.name)))
    }
    let from = try index(old)
    var column = column
    if column.comment == nil { column.comment = table.columns[from].comment }
    switch position {
    case nil: table.columns[from] = column
    case .first:
      table.columns.remove(at: from)
      table.columns.insert(column, at: 0)
    case .after(let other):
      let before = try index(other)
      guard before != from else {
        throw QueryError(.genericUserError, "Column '\(old.name)' cannot stand after itself", at: other.range)
      }
      table.columns.remove(at: from)
      table.columns.insert(column, at: before < from ? before + 1 : before)
    }
  }

  /// - Throws: `DUPLICATE_COLUMN_NAME`, `TABLE_HAS_NO_COLUMNS`.
  static func check(_ table: TableDefinition, at range: SourceRange) throws(QueryError) {
    try TableDeclaration.check(table.columns + table.partitionColumns, at: range)
    for name in table.bucketing?.columns ?? [] where !table.columns.contains(where: { $0.name == name }) {
      throw QueryError(.columnNotFound, "Table '\(table.name)' is bucketed by column '\(name)', which must stay", at: range)
    }
  }
}

extension AlterTableAction {
  /// The words of the action, for messages.
  var words: String {
    switch self {
    case .addPartitions: "ADD PARTITION"
    case .dropPartitions: "DROP PARTITION"
    case .renamePartition: "RENAME TO PARTITION"
    case .addColumns: "ADD COLUMNS"
    case .replaceColumns: "REPLACE COLUMNS"
    case .changeColumn: "CHANGE COLUMN"
    case .dropColumn: "DROP COLUMN"
    case .renameColumn: "RENAME COLUMN"
    case .setColumnType: "ALTER COLUMN … SET DATA TYPE"
    case .dropNotNull: "ALTER COLUMN … DROP NOT NULL"
    case .setTableProperties: "SET TBLPROPERTIES"
    case .unsetTableProperties: "UNSET TBLPROPERTIES"
    case .setProperties: "SET PROPERTIES"
    case .setLocation: "SET LOCATION"
    case .rename: "RENAME TO"
    }
  }
}
