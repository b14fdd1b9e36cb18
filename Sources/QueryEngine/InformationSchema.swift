import TableCatalog

/// The tables that describe the catalog itself.
///
/// - Source: SQL:2016 information schema, as Trino serves it.
enum InformationSchema {
  static let databaseName = "information_schema"
  static let tableNames = ["columns", "schemata", "tables", "views"]

  /// The rows of one of its tables, or nil when there is none of that name.
  static func table(_ name: String, _ catalog: Catalog) throws(QueryError) -> (schema: Schema, rows: [[Scalar]])? {
    let catalogName = Scalar.string(CatalogResolver.catalogName)
    func schema(_ names: [String]) -> Schema { Schema(names.map { Field($0, .text) }) }
    var rows: [[Scalar]] = []
    switch name {
    case "schemata":
      for database in try catalog.databases() { rows.append([catalogName, .string(database.name)]) }
      rows.append([catalogName, .string(databaseName)])
      return (schema(["catalog_name", "schema_name"]), rows)
    case "tables":
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
      return (schema(["table_catalog", "table_schema", "table_name", "table_type"]), rows)
    case "views":
      for database in try catalog.databases() {
        for relation in try catalog.relations(in: database.name) where relation.isView {
          let view = try catalog.view(TableName(database: database.name, name: relation.name))
          rows.append([
            catalogName, .string(database.name), .string(relation.name), .string(view?.sql ?? ""),
          ])
        }
      }
      return (schema(["table_catalog", "table_schema", "table_name", "view_definition"]), rows)
    case "columns":
      for database in try catalog.databases() {
        for relation in try catalog.relations(in: database.name) {
          let name = TableName(database: database.name, name: relation.name)
          let table = try catalog.table(name)
          let columns = try catalog.view(name)?.columns ?? ((table?.columns ?? []) + (table?.partitionColumns ?? []))
          for (index, column) in columns.enumerated() {
            rows.append([
              catalogName, .string(database.name), .string(relation.name), .string(column.name),
              .integer(Int64(index + 1)), .null, .string("YES"), .string(column.type.description),
            ])
          }
        }
      }
      return (
        Schema([
          Field("table_catalog", .text), Field("table_schema", .text), Field("table_name", .text),
          Field("column_name", .text), Field("ordinal_position", .bigint), Field("column_default", .text),
          Field("is_nullable", .text), Field("data_type", .text),
        ]), rows
      )
    default: return nil
    }
  }
}
