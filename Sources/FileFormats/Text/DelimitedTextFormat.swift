package import Columnar
package import ObjectStore
package import QueryErrors

/// Hive's LazySimpleSerDe, the SerDe of `ROW FORMAT DELIMITED`: no quotes, one line a record, one separator per level of
/// nesting; values that do not fit their type read as NULL.
package struct DelimitedTextFormat: FileFormat {
  package static let descriptor = FormatDescriptor(
    name: "textfile", storedAs: ["TEXTFILE"], serdes: ["org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"],
    inputFormats: ["org.apache.hadoop.mapred.TextInputFormat"],
    outputFormats: [
      "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat", "org.apache.hadoop.hive.ql.io.IgnoreKeyTextOutputFormat",
    ],
    extensions: [], summary: "Delimited text, one line a record (Hive's LazySimpleSerDe)", isText: true)

  private let settings: DelimitedSettings
  private let options: FormatOptions
  private let encoding: TextEncoding?

  /// - Throws: `INVALID_TABLE_PROPERTY` for a property whose value makes no sense.
  package init(_ options: FormatOptions) throws(QueryError) {
    self.options = options
    let properties = options.properties
    func byte(_ names: String..., otherwise: UInt8) throws(QueryError) -> UInt8 {
      for name in names {
        if let text = properties[name], !text.isEmpty {
          return try DelimiterProperty.byte(text, name, allowsNumbers: true)
        }
      }
      return otherwise
    }
    var dialect = DelimitedDialect()
    dialect.separator = try byte("field.delim", "serialization.format", otherwise: 1)
    let collection = try byte("collection.delim", "colelction.delim", otherwise: 2)
    let mapKey = try byte("mapkey.delim", otherwise: 3)
    if let text = properties["line.delim"], text != "\n", text != "\\n", text != "10" {
      throw QueryError.notSupported("LINES TERMINATED BY only supports newline '\\n' right now")
    }
    if let text = properties["escape.delim"], !text.isEmpty {
      dialect.escape = try DelimiterProperty.byte(text, "escape.delim", allowsNumbers: true)
      dialect.escapesAnywhere = true
    }
    guard dialect.separator != 0x0a, dialect.separator != 0x0d, dialect.escape != dialect.separator,
      dialect.escape != 0x0a, dialect.escape != 0x0d
    else {
      throw QueryError(.invalidTableProperty, "The field delimiter must differ from line ends and the escape character")
    }
    dialect.nullText = Array((properties["serialization.null.format"] ?? "\\N").utf8)
    dialect.lastColumnTakesRest = properties["serialization.last.column.takes.rest"]?.lowercased() == "true"
    dialect.skippedRecords = try CSVFormat.headerLines(properties) ?? 0
    dialect.footerLines = try LineSkipping.count(properties, "skip.footer.line.count") ?? 0
    encoding = try CSVFormat.encoding(properties)
    var separators = [dialect.separator, collection, mapKey]
    separators += (4...8).map { UInt8($0) }
    settings = DelimitedSettings(
      dialect: dialect,
      policy: ValuePolicy(
        malformedIsNull: true, decodesBase64: true,
        timestampPatterns: try DateTimePattern.list(properties["timestamp.formats"])), schema: options.schema,
      nestedSeparators: separators)
  }

  /// - Throws: `NOT_SUPPORTED`, for such files do not say where their columns' names and types are.
  package func inferSchema(_ source: any ByteSource) throws(QueryError) -> Schema {
    throw QueryError.notSupported(
      "A delimited text table needs its columns declared", hint: "Query the file as CSV, or declare the columns.")
  }

  package func makeWriter(
    _ schema: Schema, _ options: WriterOptions, to object: any ObjectWriter
  ) throws(QueryError) -> any BatchFileWriter {
    let dialect = settings.dialect
    try LineSkipping.checkWritten(encoding)
    let encoder = try DelimitedEncoder(
      schema, separators: settings.nestedSeparators ?? [dialect.separator], escape: dialect.escape,
      nullText: dialect.nullText ?? Array("\\N".utf8), hasHeader: try LineSkipping.writesHeader(self.options.properties))
    return try TextFileWriter(encoder, columnCount: schema.fields.count, options, to: object)
  }

  package func fileNameEnding(_ options: WriterOptions) throws(QueryError) -> String {
    try TextFileWriter.fileNameEnding(options)
  }

  package func open(_ source: any ByteSource) throws(QueryError) -> any FormatFile {
    try DelimitedFile(source, try TextCoding.of(source, declared: encoding), settings)
  }
}
