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

  /// What ROW FORMAT and STORED AS declare.
  struct Storage {
    /// A format's name.
    var format: String
    var serde: String?
    var properties: [String: String] = [:]
    /// Class names, where STORED AS names classes.
    var inputFormat: String?
    var outputFormat: String?
  }

  private static let lazySimpleSerDe = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"

  /// - Throws: `NOT_SUPPORTED` for SerDes, formats and classes that are not known, at the name; `INVALID_TABLE_PROPERTY` where
  ///   they do not go together.
  func storage(_ node: CreateTableSyntax) throws(QueryError) -> Storage {
    var storage = Storage(format: "TEXTFILE")
    var serdeRange = node.range
    switch node.rowFormat {
    case .serde(let name, let list):
      storage.serde = name.value
      serdeRange = name.range
      for property in list { storage.properties[property.key.value] = property.value.value }
    case .delimited(let delimited):
      storage.serde = TableDeclaration.lazySimpleSerDe
      for (key, value) in [
        ("field.delim", delimited.fieldsTerminatedBy), ("escape.delim", delimited.escapedBy),
        ("collection.delim", delimited.collectionItemsTerminatedBy), ("mapkey.delim", delimited.mapKeysTerminatedBy),
        ("line.delim", delimited.linesTerminatedBy), ("serialization.null.format", delimited.nullDefinedAs),
      ] { if let value { storage.properties[key] = value.value } }
    case nil: break
    }
    var stored: (any FileFormat.Type)?
    switch node.storedAs {
    case .named(let word):
      storage.format = word.canonicalName
      stored = FormatRegistry.format(named: word.canonicalName)
      if stored == nil {
        throw .notSupported("STORED AS \(word.canonicalName.uppercased()) is not supported yet", at: word.range)
      }
    case .classes(let input, let output):
      guard let format = FormatRegistry.format(inputFormat: input.value) else {
        throw .notSupported("INPUTFORMAT '\(input.value)' is not supported yet", at: input.range)
      }
      guard FormatRegistry.format(outputFormat: output.value) != nil else {
        throw .notSupported("OUTPUTFORMAT '\(output.value)' is not supported yet", at: output.range)
      }
      (storage.inputFormat, storage.outputFormat) = (input.value, output.value)
      storage.format = format.descriptor.name
      stored = format
    case nil: break
    }
    if storage.serde == nil, stored == nil || stored?.descriptor.name == FormatRegistry.format(named: "textfile")?.descriptor.name {
      storage.serde = TableDeclaration.lazySimpleSerDe
    }
    guard let serde = storage.serde else {
      storage.format = stored?.descriptor.name ?? storage.format
      return storage
    }
    guard let type = FormatRegistry.format(named: serde) else {
      throw .notSupported("SerDe '\(serde)' is not supported yet", at: serdeRange)
    }
    // Text files may have any of the text SerDes; all other formats have their own.
    if let stored, stored.descriptor.name != type.descriptor.name, !(stored.descriptor.isText && type.descriptor.isText) {
      throw QueryError(
        .invalidTableProperty,
        "SerDe '\(serde)' cannot read files stored as \(stored.descriptor.name)", at: serdeRange,
        hint: "Leave ROW FORMAT out, or name the SerDe of that format.")
    }
    storage.format = type.descriptor.name
    return storage
  }
}
