import QueryErrors
import SQLSyntax
import TableCatalog

/// DESCRIBE.
struct DescribeStatement: Statement {
  private let node: DescribeSyntax
  init(_ node: DescribeSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    if let first = node.partition.first {
      throw .notSupported("DESCRIBE of a partition is not supported yet", at: first.range)
    }
    if let first = node.column.first {
      throw .notSupported("DESCRIBE of a column is not supported yet", at: first.range)
    }
    guard case .table(let syntax) = node.relation else {
      let columns = try context.columns(of: node.relation)
      return listing(columns.map { [$0.name, $0.type.description, nil] })
    }
    let name = try context.tableName(syntax.name)
    let catalog = try context.catalog()
    var rows: [[String?]] = []
    if let view = try catalog.view(name) {
      rows = view.columns.map { [$0.name, $0.type.hiveName, $0.comment ?? ""] }
    } else {
      let table = try context.requireTable(syntax.name)
      rows = (table.columns + table.partitionColumns).map { [$0.name, $0.type.hiveName, $0.comment ?? ""] }
      if !table.partitionColumns.isEmpty {
        rows += [[nil, nil, nil], ["# Partition Information", nil, nil], ["# col_name", "data_type", "comment"], [nil, nil, nil]]
        rows += table.partitionColumns.map { [$0.name, $0.type.hiveName, $0.comment ?? ""] }
      }
      if node.detail != nil {
        rows += [[nil, nil, nil], ["# Detailed Table Information", nil, nil]]
        rows += [
          ["Database:", table.name.database, nil], ["Location:", table.location, nil],
          ["SerDe Library:", table.serde ?? table.format, nil],
        ]
        rows += table.properties.sorted { $0.key < $1.key }.map { [$0.key, $0.value, nil] }
      }
    }
    return listing(rows)
  }

  private func listing(_ rows: [[String?]]) -> PreparedStatement {
    .listing(["col_name", "data_type", "comment"], rows)
  }
}
