import Columnar
import QueryErrors
import QueryPlanner
import TableCatalog

/// The tables that tell of another table: `"t$partitions"` and `"t$properties"`.
///
/// - Source: Trino's Hive connector, "Metadata tables".
enum MetadataTable {
  /// - Returns: nil when the name is no such table's.
  static func rows(_ name: TableName, _ catalog: Catalog) throws(QueryError) -> ResolvedRelation? {
    guard let mark = name.name.lastIndex(of: "$"), mark != name.name.startIndex else { return nil }
    let owner = TableName(catalog: name.catalog, database: name.database, name: String(name.name[..<mark]))
    guard let table = try catalog.table(owner) else { return nil }
    switch name.name[name.name.index(after: mark)...].lowercased() {
    case "partitions": return table.partitionColumns.isEmpty ? nil : try partitions(table, catalog)
    case "properties": return properties(table)
    default: return nil
    }
  }

  /// A row for each registered partition: the values of its keys.
  private static func partitions(_ table: TableDefinition, _ catalog: Catalog) throws(QueryError) -> ResolvedRelation {
    let columns = table.partitionColumns.map { Field($0.name, $0.type) }
    var rows: [[Scalar]] = []
    for partition in try catalog.partitions(of: table.name) {
      var row: [Scalar] = []
      for (column, value) in zip(columns, partition.values) {
        row.append(try PartitionValue.parse(value, column, in: partition.location, of: table.location))
      }
      rows.append(row)
    }
    return .rows(Schema(columns), rows)
  }

  /// One row, a column for each of the table's properties.
  private static func properties(_ table: TableDefinition) -> ResolvedRelation {
    let properties = table.properties.sorted { $0.key < $1.key }
    return .rows(Schema(properties.map { Field($0.key, .text) }), [properties.map { .string($0.value) }])
  }
}
