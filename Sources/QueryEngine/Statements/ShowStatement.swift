import QueryErrors
import SQLFunctions
import SQLSyntax
import TableCatalog

/// SHOW …
struct ShowStatement: Statement {
  private let node: ShowSyntax
  init(_ node: ShowSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let catalog = try context.catalog()
    let matches = NamePattern(node.pattern?.value, isLike: { if case .like = node.patternKind { true } else { false } }())
    func database(_ name: QualifiedName?) throws(QueryError) -> String {
      let wanted = name?.last.canonicalName ?? context.settings.database
      if try !catalog.hasDatabase(wanted) {
        throw QueryError(.schemaNotFound, "Schema '\(wanted)' does not exist", at: name?.range ?? node.range)
      }
      return wanted
    }
    switch node.subject {
    case .schemas:
      let names = try catalog.databases().map(\.name).filter(matches.matches)
      return .listing(["database_name"], names.map { [$0] })
    case .catalogs:
      return .listing(["Catalog"], [[CatalogResolver.catalogName]])
    case .tables(let schema):
      let names = try catalog.relations(in: database(schema)).map(\.name).filter(matches.matches)
      return .listing(["tab_name"], names.map { [$0] })
    case .views(let schema):
      let names = try catalog.relations(in: database(schema)).filter(\.isView).map(\.name).filter(matches.matches)
      return .listing(["views"], names.map { [$0] })
    case .columns(let relation):
      let columns = try context.columns(of: relation)
      return .listing(["field"], columns.map(\.name).filter(matches.matches).map { [$0] })
    case .functions:
      let rows: [[String?]] = FunctionReference.entries.filter { entry in
        matches.matches(entry.name) && !(context.environment.followsAthena && entry.isExtension)
      }.map { entry in
        [
          entry.name, entry.returnType, entry.argumentTypes.joined(separator: ", "), entry.kind.rawValue,
          String(entry.isDeterministic), entry.summary,
        ]
      }
      return .listing(
        ["Function", "Return Type", "Argument Types", "Function Type", "Deterministic", "Description"], rows)
    case .session:
      let rows = SessionProperty.all.filter { matches.matches($0.name) }.map { property -> [String?] in
        let initial = property.defaultValue(context.engine.configuration, context.settings.defaults)
        let value = context.settings.properties[property.name] ?? initial
        return [property.name, value, initial, property.type, property.summary]
      }
      return .listing(["Name", "Value", "Default", "Type", "Description"], rows)
    case .partitions(let name):
      let table = try context.requireTable(name)
      let names = try catalog.partitions(of: table.name).map {
        PartitionFolder.name(table.partitionColumns.map(\.name), $0.values)
      }
      return .listing(["partition"], names.map { [$0] })
    case .tableProperties(let name, let key):
      let table = try context.requireTable(name)
      if let key {
        let value = table.properties[key.value] ?? "Table \(table.name) does not have property: \(key.value)"
        return .listing(["prpt_value"], [[value]])
      } else {
        let rows = table.properties.sorted { $0.key < $1.key }.map { [$0.key, $0.value] as [String?] }
        return .listing(["prpt_name", "prpt_value"], rows)
      }
    case .createTable(let name):
      let lines = createStatement(try context.requireTable(name))
      return .listing(["createtab_stmt"], lines.map { [$0] })
    case .createView(let name):
      let full = try context.tableName(name)
      guard let view = try catalog.view(full) else {
        throw QueryError(.tableNotFound, "View '\(full)' does not exist", at: name.range)
      }
      let lines = ["CREATE VIEW \(view.name.database).\(view.name.name) AS"] + view.sql.split(separator: "\n").map(String.init)
      return .listing(["Create View"], lines.map { [$0] })
    case .createSchema, .stats, .statsForQuery:
      throw .notSupported("This SHOW statement is not supported yet", at: node.range)
    }
  }

  /// The statement that would make the table again, a line per clause.
  private func createStatement(_ table: TableDefinition) -> [String] {
    func quote(_ text: String) -> String { "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'" }
    func columnLines(_ columns: [ColumnDefinition]) -> [String] {
      columns.enumerated().map { index, column in
        let comment = column.comment.map { " COMMENT " + quote($0) } ?? ""
        return "  `\(column.name)` \(column.type.hiveName)\(comment)" + (index == columns.count - 1 ? ")" : ",")
      }
    }
    func propertyLines(_ properties: [String: String]) -> [String] {
      let sorted = properties.sorted { $0.key < $1.key }
      return sorted.enumerated().map { index, pair in
        "  \(quote(pair.key))=\(quote(pair.value))" + (index == sorted.count - 1 ? ")" : ",")
      }
    }
    var lines = ["CREATE EXTERNAL TABLE `\(table.name.database).\(table.name.name)`("] + columnLines(table.columns)
    if let comment = table.comment { lines.append("COMMENT " + quote(comment)) }
    if !table.partitionColumns.isEmpty { lines += ["PARTITIONED BY ("] + columnLines(table.partitionColumns) }
    if let serde = table.serde {
      lines += ["ROW FORMAT SERDE", "  " + quote(serde)]
      if !table.serdeProperties.isEmpty { lines += ["WITH SERDEPROPERTIES ("] + propertyLines(table.serdeProperties) }
    }
    if table.format == "parquet" { lines.append("STORED AS PARQUET") }
    lines += ["LOCATION", "  " + quote(table.location)]
    if !table.properties.isEmpty { lines += ["TBLPROPERTIES ("] + propertyLines(table.properties) }
    return lines
  }
}
