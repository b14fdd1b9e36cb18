import QueryErrors
import SQLSyntax
import TableCatalog

/// DESCRIBE of tables, views, files, partitions and columns.
struct DescribeStatement: Statement {
  private let node: DescribeSyntax
  init(_ node: DescribeSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    guard case .table(let syntax) = node.relation else {
      if let part = node.partition.first { throw .notSupported("DESCRIBE of a file's partition is not supported", at: part.range) }
      let columns = try context.columns(of: node.relation).map { ColumnDefinition(name: $0.name, type: $0.type) }
      if !node.column.isEmpty { return listing(try column(of: columns, context), context) }
      return listing(columns.map { [$0.name, $0.type.description, nil] }, context)
    }
    if try context.foreignConnection(context.anyTableName(syntax.name).catalog, at: syntax.name.range) != nil {
      if let part = node.partition.first { throw .notSupported("DESCRIBE of a foreign table's partition", at: part.range) }
      if node.detail != nil { throw .notSupported("DESCRIBE \(node.detail?.rawValue ?? "") of a foreign table", at: node.range) }
      let columns = try context.columns(of: node.relation).map { ColumnDefinition(name: $0.name, type: $0.type) }
      if !node.column.isEmpty { return listing(try column(of: columns, context), context) }
      return listing(columns.map { [$0.name, $0.type.description, ""] }, context)
    }
    let catalog = try context.catalog()
    if let view = try catalog.view(try context.tableName(syntax.name)) {
      if let part = node.partition.first { throw .notSupported("A view has no partitions", at: part.range) }
      if !node.column.isEmpty { return listing(try column(of: view.columns, context), context) }
      var rows = lines(view.columns)
      if node.detail != nil {
        rows += [DescribeStatement.blank, ["# View Information", nil, nil]]
        rows += [["View Original Text:", view.sql, nil], ["View Expanded Text:", view.sql, nil]]
      }
      return listing(rows, context)
    }
    let table = try context.requireTable(syntax.name)
    var partition: PartitionDefinition?
    if !node.partition.isEmpty {
      let specification = try PartitionSpecification(node.partition, of: table, context)
      let values = try specification.complete()
      partition = try catalog.partition(values, of: table.name, columns: table.partitionColumns.map(\.name))
      guard partition != nil else {
        throw QueryError(.notFound, "Partition not found: \(specification)", at: node.partition[0].range)
      }
    }
    let columns = partition?.columns ?? table.columns
    if !node.column.isEmpty { return listing(try column(of: columns + table.partitionColumns, context), context) }
    var rows = lines(columns + table.partitionColumns)
    if node.detail == .formatted { rows = [["# col_name", "data_type", "comment"], DescribeStatement.blank] + lines(columns) }
    if !table.partitionColumns.isEmpty {
      rows += [DescribeStatement.blank, ["# Partition Information", nil, nil], ["# col_name", "data_type", "comment"]]
      rows += [DescribeStatement.blank] + lines(table.partitionColumns)
    }
    switch node.detail {
    case nil: break
    case .extended:
      rows += [DescribeStatement.blank, ["Detailed Table Information", TableDetails.summary(table, partition), nil]]
    case .formatted: rows += [DescribeStatement.blank] + TableDetails.rows(table, partition)
    }
    return listing(rows, context)
  }

  private static let blank: [String?] = [nil, nil, nil]

  private func lines(_ columns: [ColumnDefinition]) -> [[String?]] {
    columns.map { [$0.name, $0.type.hiveName, $0.comment ?? ""] }
  }

  /// DESCRIBE t col.field.'$elem$': the fields of a struct, or what else lies there.
  private func column(
    of columns: [ColumnDefinition], _ context: StatementContext
  ) throws(QueryError) -> [[String?]] {
    let first = node.column[0]
    guard let column = columns.first(where: { $0.name == first.canonicalName }) else {
      throw QueryError(
        .columnNotFound, "Column '\(first.name)' does not exist", at: first.range,
        hint: NameSuggestion.hint(for: first.name, among: columns.map(\.name)))
    }
    var type = column.type
    for part in node.column.dropFirst() {
      switch (type, part.canonicalName) {
      case (.array(let element), "$elem$"): type = element
      case (.map(let key, _), "$key$"): type = key
      case (.map(_, let value), "$value$"): type = value
      case (.row(let fields), let name):
        guard let field = fields.first(where: { $0.name?.lowercased() == name }) else { fallthrough }
        type = field.type
      default:
        throw QueryError(
          .columnNotFound, "'\(part.name)' does not exist in a \(type.hiveName)", at: part.range,
          hint: "Parts are a struct's fields, '$elem$' of an array, '$key$' and '$value$' of a map.")
      }
    }
    if case .row(let fields) = type {
      return fields.map { [$0.name ?? "", $0.type.hiveName, "from deserializer"] }
    }
    let comment = node.column.count == 1 ? column.comment ?? "from deserializer" : "from deserializer"
    return [[node.column[node.column.count - 1].canonicalName, type.hiveName, comment]]
  }

  private func listing(_ rows: [[String?]], _ context: StatementContext) -> PreparedStatement {
    .listing(["col_name", "data_type", "comment"], context.settings.followsAthena ? rows.map(TableDetails.padded) : rows)
  }
}
