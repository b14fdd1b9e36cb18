import ConnectorSDK
import QueryErrors

extension InformationSchema {
  /// The rows of one of a foreign catalog's tables, or nil when there is none of that name.
  static func table(
    _ name: String, of catalog: any ForeignCatalog, named catalogName: String
  ) throws(QueryError) -> (schema: Schema, rows: [[Scalar]])? {
    guard let schema = schemas[name] else { return nil }
    let label = Scalar.string(catalogName)
    var rows: [[Scalar]] = []
    switch name {
    case "schemata":
      for database in try catalog.schemaNames() + [databaseName] { rows.append([label, .string(database)]) }
    case "tables":
      for database in try catalog.schemaNames() {
        for table in try catalog.tableNames(in: database) ?? [] {
          rows.append([label, .string(database), .string(table), .string("BASE TABLE")])
        }
      }
      for table in tableNames { rows.append([label, .string(databaseName), .string(table), .string("BASE TABLE")]) }
    case "columns":
      for database in try catalog.schemaNames() {
        for name in try catalog.tableNames(in: database) ?? [] {
          // A table that cannot be read here is told when it is read.
          guard let table = try? catalog.table(schema: database, name: name) else { continue }
          for (index, field) in table.columns.fields.enumerated() {
            rows.append([
              label, .string(database), .string(name), .string(field.name), .integer(Int64(index + 1)), .null,
              .string("YES"), .string(field.type.description), .null, .null,
            ])
          }
        }
      }
    default: break
    }
    return (schema, rows)
  }
}
