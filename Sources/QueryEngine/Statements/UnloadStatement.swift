import Columnar
import FileFormats
import ObjectStore
import QueryErrors
import QueryExecution
import QueryPlanner
import SQLSyntax
import TableCatalog

/// UNLOAD: a query's rows as files, without a table.
struct UnloadStatement: Statement {
  private let node: UnloadSyntax
  init(_ node: UnloadSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    let properties = try WriteProperties(node.properties, of: .unload, context)
    guard let format = properties.format else {
      throw QueryError(
        .invalidTableProperty, "UNLOAD needs a format", at: node.range, hint: "Add WITH (format = 'PARQUET').")
    }
    let hive = HiveColumns(context: context)
    let (bound, plan) = try context.plan(node.query) { (bound) throws(QueryError) in
      try hive.conformed(bound, at: node.range)
    }
    let (columns, partitionColumns) = try hive.split(
      bound.schema.fields, partitionedBy: properties.partitionedBy, at: properties.ranges["partitioned_by"])
    let declaration = TableDeclaration(context: context)
    let root = try context.stores.resolve(declaration.absolute(try context.stores.resolve(node.location.value)))
    if try root.entry()?.isDirectory == false {
      throw QueryError(.invalidTableProperty, "UNLOAD needs a folder, not a file: \(node.location.value)", at: node.location.range)
    }
    do throws(QueryError) { try checkIsEmpty(root) } catch { throw error.located(at: node.location.range) }
    var options = [String: String]()
    if format == .text {
      options["field.delim"] = properties.fieldDelimiter ?? "\u{1}"
      if let text = properties.nullFormat { options["serialization.null.format"] = text }
    }
    guard let type = FormatRegistry.format(named: format.serde) else { throw .notSupported("Writing \(format.label) files", at: node.range) }
    let contents = WriteTransaction.Contents(
      format: try type.init(FormatOptions(properties: options, schema: Schema(columns))), schema: Schema(columns),
      options: WriterOptions(compression: properties.compression ?? format.usualCompression, level: properties.level),
      partitionColumns: partitionColumns)
    return try FileWrite(context: context, query: (plan, bound), contents: contents, root: root) { (partitions) throws(QueryError) in
      try checkIsEmpty(root)
      var folders: [[Scalar]: ObjectLocation] = [:]
      for values in partitions {
        let texts = WritePartitions.texts(of: values, partitionColumns)
        folders[values] = values.isEmpty ? root : root.appending(PartitionFolder.name(partitionColumns.map(\.name), texts))
      }
      return folders
    }.prepared()
  }

  private func checkIsEmpty(_ root: ObjectLocation) throws(QueryError) {
    guard try WriteFolder.isEmpty(root) else {
      throw QueryError(
        .hivePathAlreadyExists, "Target directory of UNLOAD is not empty: \(root)", hint: "UNLOAD writes into empty folders only.")
    }
  }
}
