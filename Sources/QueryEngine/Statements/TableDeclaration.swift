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

  /// - Throws: `NOT_SUPPORTED` for constraints and column properties, which Hive's tables have not.
  func definition(_ column: ColumnDefinitionSyntax) throws(QueryError) -> ColumnDefinition {
    if column.isNotNull { throw .notSupported("NOT NULL is not supported: columns of files may always be NULL", at: column.range) }
    if let property = column.properties.first {
      throw .notSupported("Column property '\(property.name.name)' is not supported", at: property.range)
    }
    return ColumnDefinition(
      name: column.name.canonicalName, type: try type(column.type), comment: column.comment?.value)
  }

  /// A declared column's type.
  private func type(_ syntax: TypeSyntax) throws(QueryError) -> DataType {
    let name = typeName(syntax)
    guard let type = DataType(parsing: name) else {
      throw QueryError(.typeNotFound, "Unknown type: \(name)", at: syntax.range)
    }
    return type
  }

  /// The type as Hive's names have it: a decimal of no precision has 10 digits; comments on a struct's fields are left out.
  private func typeName(_ syntax: TypeSyntax) -> String {
    switch syntax {
    case .named(let type):
      let isPlainDecimal = ["decimal", "numeric", "dec"].contains(type.name.canonicalName) && type.parameters.isEmpty
      return isPlainDecimal ? "decimal(10,0)" : context.text(of: type.range)
    case .array(let type): return "array<\(typeName(type.element))>"
    case .map(let type): return "map<\(typeName(type.key)),\(typeName(type.value))>"
    case .row(let type):
      let fields = type.fields.map { field in
        (field.name.map { context.text(of: $0.range) + ":" } ?? "") + typeName(field.type)
      }
      return "struct<" + fields.joined(separator: ",") + ">"
    case .dateTime, .interval: return context.text(of: syntax.range)
    }
  }

  /// Columns that ALTER TABLE adds.
  ///
  /// - Throws: under `--compat athena` `NOT_SUPPORTED` for dates, which Athena refuses there.
  func added(_ list: [ColumnDefinitionSyntax]) throws(QueryError) -> [ColumnDefinition] {
    var columns: [ColumnDefinition] = []
    for column in list {
      let definition = try definition(column)
      if context.settings.followsAthena, definition.type == .date {
        throw .notSupported(
          "ALTER TABLE … COLUMNS of type date is not supported in Athena", at: column.range, hint: "Declare it as timestamp.")
      }
      columns.append(definition)
    }
    return columns
  }

  /// - Throws: `DUPLICATE_COLUMN_NAME`.
  static func check(_ columns: [ColumnDefinition], at range: SourceRange) throws(QueryError) {
    var seen: Set<String> = []
    for column in columns where !seen.insert(column.name.lowercased()).inserted {
      throw QueryError(.duplicateColumnName, "Column name '\(column.name)' specified more than once", at: range)
    }
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
        let known = FormatRegistry.all.compactMap { $0.descriptor.storedAs.first }
        throw .notSupported(
          "STORED AS \(word.canonicalName.uppercased()) is not supported", at: word.range,
          hint: "Supported are \(known.joined(separator: ", ")).")
      }
    case .classes(let input, let output):
      guard FormatRegistry.format(outputFormat: output.value) != nil else {
        throw .notSupported("OUTPUTFORMAT '\(output.value)' is not supported", at: output.range)
      }
      (storage.inputFormat, storage.outputFormat) = (input.value, output.value)
      // The files that a symlink table lists are of its SerDe's format.
      if FormatRegistry.isSymlink(inputFormat: input.value) { break }
      guard let format = FormatRegistry.format(inputFormat: input.value) else {
        throw .notSupported("INPUTFORMAT '\(input.value)' is not supported", at: input.range)
      }
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
      let known = FormatRegistry.all.compactMap { $0.descriptor.serdes.first }
      throw .notSupported(
        "SerDe '\(serde)' is not supported", at: serdeRange,
        hint: NameSuggestion.hint(for: serde, among: known) ?? "Supported are \(known.joined(separator: ", ")).")
    }
    if let stored, stored.descriptor.serdes.contains(where: { $0.lowercased() == serde.lowercased() }) {
      storage.format = stored.descriptor.name
      return storage
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
