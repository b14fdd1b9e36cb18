import TableCatalog

/// The tables that describe the catalog itself.
///
/// - Source: SQL:2016 information schema, as Trino serves it.
enum InformationSchema {
  static let databaseName = "information_schema"

  /// The tables by name, each with its columns.
  static let schemas: [String: Schema] = [
    "applicable_roles": text("grantee", "grantee_type", "role_name", "is_grantable"),
    "columns": Schema([
      Field("table_catalog", .text), Field("table_schema", .text), Field("table_name", .text),
      Field("column_name", .text), Field("ordinal_position", .bigint), Field("column_default", .text),
      Field("is_nullable", .text), Field("data_type", .text), Field("comment", .text), Field("extra_info", .text),
    ]),
    "enabled_roles": text("role_name"),
    "roles": text("role_name"),
    "schemata": text("catalog_name", "schema_name"),
    "table_privileges": text(
      "grantor", "grantor_type", "grantee", "grantee_type", "table_catalog", "table_schema", "table_name",
      "privilege_type", "is_grantable", "with_hierarchy"),
    "tables": text("table_catalog", "table_schema", "table_name", "table_type"),
    "views": text("table_catalog", "table_schema", "table_name", "view_definition"),
  ]

  static let tableNames = schemas.keys.sorted()

  private static func text(_ names: String...) -> Schema { Schema(names.map { Field($0, .text) }) }

  /// The rows of one of its tables, or nil when there is none of that name.
  static func table(_ name: String, _ catalog: Catalog) throws(QueryError) -> (schema: Schema, rows: [[Scalar]])? {
    guard let schema = schemas[name] else { return nil }
    switch name {
    case "schemata": return (schema, try schemata(catalog))
    case "tables": return (schema, try tables(catalog))
    case "views": return (schema, try views(catalog))
    case "columns": return (schema, try columns(catalog))
    default: return (schema, [])  // Nobody is granted anything here: every user may do everything.
    }
  }

  /// The columns of one of its tables.
  static func columns(of table: String) -> [Field] { schemas[table]?.fields ?? [] }

  private static let catalogName = Scalar.string(CatalogResolver.catalogName)

  private static func schemata(_ catalog: Catalog) throws(QueryError) -> [[Scalar]] {
    var rows: [[Scalar]] = []
    for database in try catalog.databases() { rows.append([catalogName, .string(database.name)]) }
    rows.append([catalogName, .string(databaseName)])
    return rows
  }

  private static func tables(_ catalog: Catalog) throws(QueryError) -> [[Scalar]] {
    var rows: [[Scalar]] = []
    for database in try catalog.databases() {
      for relation in try catalog.relations(in: database.name) {
        rows.append([
          catalogName, .string(database.name), .string(relation.name),
          .string(relation.isView ? "VIEW" : "BASE TABLE"),
        ])
      }
    }
    for table in tableNames {
      rows.append([catalogName, .string(databaseName), .string(table), .string("BASE TABLE")])
    }
    return rows
  }

  private static func views(_ catalog: Catalog) throws(QueryError) -> [[Scalar]] {
    var rows: [[Scalar]] = []
    for database in try catalog.databases() {
      for relation in try catalog.relations(in: database.name) where relation.isView {
        let view = try catalog.view(TableName(database: database.name, name: relation.name))
        rows.append([catalogName, .string(database.name), .string(relation.name), .string(view?.sql ?? "")])
      }
    }
    return rows
  }

  private static func columns(_ catalog: Catalog) throws(QueryError) -> [[Scalar]] {
    var rows: [[Scalar]] = []
    func add(_ database: String, _ relation: String, _ columns: [ColumnDefinition], partitionColumns: [ColumnDefinition] = []) {
      for (index, column) in (columns + partitionColumns).enumerated() {
        rows.append([
          catalogName, .string(database), .string(relation), .string(column.name), .integer(Int64(index + 1)), .null,
          .string("YES"), .string(column.type.description), column.comment.map { .string($0) } ?? .null,
          index < columns.count ? .null : .string("partition key"),
        ])
      }
    }
    for database in try catalog.databases() {
      for relation in try catalog.relations(in: database.name) {
        let name = TableName(database: database.name, name: relation.name)
        let table = try catalog.table(name)
        let columns = try catalog.view(name)?.columns ?? table?.columns ?? []
        add(database.name, relation.name, columns, partitionColumns: table?.partitionColumns ?? [])
      }
    }
    for table in tableNames {
      add(databaseName, table, schemas[table]?.fields.map { ColumnDefinition(name: $0.name, type: $0.type) } ?? [])
    }
    return rows
  }
}
