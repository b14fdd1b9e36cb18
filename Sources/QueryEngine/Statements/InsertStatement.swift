import Columnar
import FileFormats
import ObjectStore
import QueryErrors
import QueryExecution
import QueryPlanner
import SQLExpressions
import SQLSyntax
import TableCatalog

/// INSERT INTO: new files for a table of the catalog.
struct InsertStatement: Statement {
  let node: InsertSyntax
  init(_ node: InsertSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    if let foreign = try foreign(context) { return foreign }
    let name = try context.tableName(node.table)
    let catalog = try context.catalog()
    if try catalog.view(name) != nil { throw .notSupported("Inserting into views is not supported", at: node.table.range) }
    let table = try context.requireTable(node.table)
    try checkIsWritable(table, context)
    let fields = (table.columns + table.partitionColumns).map { Field($0.name, $0.type) }
    let targets = try targets(fields)
    let (bound, plan) = try context.plan(node.query) { (bound) throws(QueryError) in
      try check(bound, targets.map { fields[$0] })
      return bound.conformed(
        to: fields.enumerated().map { index, field in
          BoundQuery.Target(name: field.name, type: field.type, source: targets.firstIndex(of: index))
        })
    }
    let columns = Array(fields.prefix(table.columns.count))
    let contents = WriteTransaction.Contents(
      format: try context.resolver.table(table, catalog).format, schema: Schema(columns),
      options: try WriteOptions.of(table), partitionColumns: Array(fields.dropFirst(columns.count)))
    let root = try context.stores.resolve(table.location)
    return try FileWrite(
      context: context, query: (plan, bound), contents: contents, buckets: try buckets(table, columns), root: root
    ) { (partitions) throws(QueryError) in
      guard let now = try catalog.table(name) else { throw QueryError(.tableNotFound, "Table '\(name)' does not exist any more") }
      guard InsertStatement.isSame(now, table) else {
        throw QueryError(.genericUserError, "Table '\(name)' was changed while rows were written to it", hint: "Run the statement again.")
      }
      let (folders, new) = try WritePartitions(table: table, catalog: catalog, context: context, root: root).place(partitions)
      try catalog.add(new, to: name, columns: table.partitionColumns.map(\.name))
      return folders
    }.prepared()
  }

  /// Whether files written for one declaration are right for another.
  private static func isSame(_ a: TableDefinition, _ b: TableDefinition) -> Bool {
    a.columns == b.columns && a.partitionColumns == b.partitionColumns && a.location == b.location && a.format == b.format
      && a.serde == b.serde && a.serdeProperties == b.serdeProperties && a.bucketing == b.bucketing
  }

  /// SerDes that Athena reads but does not write.
  private static let readOnlySerdes: [String: String] = [
    "org.apache.hadoop.hive.serde2.opencsvserde": "OpenCSVSerde", "org.openx.data.jsonserde.jsonserde": "OpenX JsonSerDe",
  ]

  private func checkIsWritable(_ table: TableDefinition, _ context: StatementContext) throws(QueryError) {
    if let input = table.inputFormat, input.lowercased().hasSuffix("symlinktextinputformat") {
      throw .notSupported("Inserting into tables whose files are named by symlinks is not supported", at: node.table.range)
    }
    guard context.settings.followsAthena else { return }
    if table.bucketing != nil {
      throw .notSupported("Inserting into bucketed tables is not supported", at: node.table.range)
    }
    if let label = InsertStatement.readOnlySerdes[table.serde?.lowercased() ?? ""] {
      throw .notSupported("Inserting into tables of \(label) is not supported", at: node.table.range)
    }
  }

  /// Indices of the table's columns that the query's columns go to, in their order.
  func targets(_ fields: [Field]) throws(QueryError) -> [Int] {
    if node.columns.isEmpty { return Array(fields.indices) }
    var targets: [Int] = []
    for column in node.columns {
      guard let index = fields.firstIndex(where: { $0.name.lowercased() == column.canonicalName }) else {
        throw QueryError(
          .columnNotFound, "Insert column name does not exist in target table: \(column.canonicalName)", at: column.range,
          hint: NameSuggestion.hint(for: column.canonicalName, among: fields.map(\.name)))
      }
      guard !targets.contains(index) else {
        throw QueryError(.duplicateColumnName, "Insert column name is specified more than once: \(column.canonicalName)", at: column.range)
      }
      targets.append(index)
    }
    return targets
  }

  /// - Throws: `TYPE_MISMATCH`, as Trino says it.
  func check(_ bound: BoundQuery, _ targets: [Field]) throws(QueryError) {
    let actual = bound.outputs.map(\.type)
    let fits =
      actual.count == targets.count && zip(actual, targets).allSatisfy { TypeCoercion.canCoerce($0, to: $1.type) }
    if fits { return }
    var hint: String?
    if actual.count == targets.count,
      let index = targets.indices.first(where: { !TypeCoercion.canCoerce(actual[$0], to: targets[$0].type) })
    {
      hint = "Cast the value of column '\(targets[index].name)' to \(targets[index].type)."
    } else if actual.count != targets.count {
      hint = "The query has \(actual.count) columns, the table takes \(targets.count): " + targets.map(\.name).joined(separator: ", ")
    }
    throw QueryError(
      .typeMismatch,
      "Insert query has mismatched column types: Table: [\(targets.map(\.type.description).joined(separator: ", "))], "
        + "Query: [\(actual.map(\.description).joined(separator: ", "))]",
      at: node.range, hint: hint)
  }

  private func buckets(_ table: TableDefinition, _ columns: [Field]) throws(QueryError) -> FileLayout.Buckets? {
    guard let bucketing = table.bucketing else { return nil }
    if table.properties.contains(where: { $0.key.lowercased() == "bucketing_format" && $0.value.lowercased() != "hive" }) {
      throw .notSupported("Inserting into tables bucketed as Spark does is not supported", at: node.table.range)
    }
    if !bucketing.sortColumns.isEmpty {
      throw .notSupported("Inserting into tables with SORTED BY is not supported", at: node.table.range)
    }
    let function = try TableBuckets.function(
      Dictionary(table.properties.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { $1 }))
    var indices: [Int] = []
    for name in bucketing.columns {
      guard let index = columns.firstIndex(where: { $0.name.lowercased() == name.lowercased() }) else {
        throw QueryError(.hiveInvalidMetadata, "Table '\(table.name)' is bucketed by '\(name)', which is none of its columns")
      }
      guard function.supports(columns[index].type) else {
        throw .notSupported("Inserting into tables bucketed by '\(name)' of type \(columns[index].type)", at: node.table.range)
      }
      indices.append(index)
    }
    return FileLayout.Buckets(columns: indices, count: bucketing.count, function: function)
  }
}
