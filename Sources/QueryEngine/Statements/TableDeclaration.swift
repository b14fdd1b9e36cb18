import FileFormats
import ObjectStore
import QueryErrors
import SQLSyntax
import TableCatalog

/// What the clauses of CREATE TABLE and ALTER TABLE declare, as the catalog keeps it.
struct TableDeclaration {
  let context: StatementContext

  /// A local path made absolute, so that the table is found from every folder; other stores' with their scheme.
  func absolute(_ location: ObjectLocation) -> String {
    if location.store.scheme != "file" { return location.description }
    return location.path.hasPrefix("/") ? location.path : ObjectPath.join(WorkingDirectory.path, location.path)
  }

  func definition(_ column: ColumnDefinitionSyntax) throws(QueryError) -> ColumnDefinition {
    ColumnDefinition(
      name: column.name.canonicalName, type: try type(column.type), comment: column.comment?.value)
  }

  /// A declared column's type.
  private func type(_ syntax: TypeSyntax) throws(QueryError) -> DataType {
    let name = context.text(of: syntax.range)
    guard let type = DataType(parsing: name) else {
      throw QueryError(.typeNotFound, "Unknown type: \(name)", at: syntax.range)
    }
    return type
  }

  /// The format's name, SerDe and SerDe properties that ROW FORMAT and STORED AS declare.
  func storage(
    _ node: CreateTableSyntax
  ) throws(QueryError) -> (format: String, serde: String?, properties: [String: String]) {
    var serde: String?
    var properties: [String: String] = [:]
    switch node.rowFormat {
    case .serde(let name, let list):
      serde = name.value
      for property in list { properties[property.key.value] = property.value.value }
    case .delimited(let delimited):
      serde = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
      for (key, value) in [
        ("field.delim", delimited.fieldsTerminatedBy), ("escape.delim", delimited.escapedBy),
        ("collection.delim", delimited.collectionItemsTerminatedBy), ("mapkey.delim", delimited.mapKeysTerminatedBy),
        ("line.delim", delimited.linesTerminatedBy), ("serialization.null.format", delimited.nullDefinedAs),
      ] { if let value { properties[key] = value.value } }
    case nil: break
    }
    var format = "TEXTFILE"
    switch node.storedAs {
    case .named(let word): format = word.canonicalName
    case .classes(let input, _):
      let lower = input.value.lowercased()
      format = lower.contains("parquet") ? "parquet" : (lower.contains("orc") ? "orc" : (lower.contains("avro") ? "avro" : "textfile"))
    case nil: break
    }
    if serde == nil, format.lowercased() == "textfile" {
      serde = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
    }
    if let serde {
      guard let type = FormatRegistry.format(named: serde) else {
        throw .notSupported("SerDe '\(serde)' is not supported yet", at: node.range)
      }
      return (type.descriptor.name, serde, properties)
    }
    guard let type = FormatRegistry.format(named: format) else {
      throw .notSupported("STORED AS \(format.uppercased()) is not supported yet", at: node.range)
    }
    return (type.descriptor.name, nil, properties)
  }
}
