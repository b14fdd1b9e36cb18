package import Columnar
package import ObjectStore
package import QueryErrors

/// CSV with quotes: files that are queried directly, and tables of Hive's OpenCSVSerde.
///
/// Files without a declared schema are sniffed: separator, header and types come from samples, and a value that does not
/// fit its type is an error. Declared tables read columns by position, as Athena does; unlike there, quoted fields may
/// hold line ends.
package struct CSVFormat: FileFormat {
  package static let descriptor = FormatDescriptor(
    name: "csv", storedAs: [], serdes: ["org.apache.hadoop.hive.serde2.OpenCSVSerde"],
    extensions: ["csv", "tsv", "psv"],
    summary: "Comma-separated values with quotes, RFC 4180", isText: true,
    recognizes: { head in !head.isEmpty && !head.contains(0) ? .text : .no })

  private let options: FormatOptions
  private let base: DelimitedDialect
  private let separator: UInt8?
  private let header: Bool?
  private let skipped: Int
  private let policy: ValuePolicy
  private let memory = CSVSniffMemory()

  /// - Throws: `INVALID_TABLE_PROPERTY` for a property whose value makes no sense.
  package init(_ options: FormatOptions) throws(QueryError) {
    self.options = options
    let properties = options.properties
    var dialect = DelimitedDialect()
    if let text = properties["separatorchar"] ?? properties["field.delim"] ?? properties["delimiter"] {
      separator = try DelimiterProperty.byte(text, "separatorChar", allowsNumbers: false)
    } else {
      separator = nil
    }
    dialect.separator = separator ?? 0x2c
    if let text = properties["quotechar"] {
      dialect.quote =
        text.isEmpty || text == "\\0" || text == "\0"
        ? nil : try DelimiterProperty.byte(text, "quoteChar", allowsNumbers: false)
    } else {
      dialect.quote = 0x22
    }
    if let text = properties["escapechar"] ?? properties["escape.delim"] {
      let byte = text.isEmpty ? nil : try DelimiterProperty.byte(text, "escapeChar", allowsNumbers: false)
      // OpenCSVSerde takes an escape that is also the quote for a backslash.
      dialect.escape = byte == dialect.quote && byte != nil ? 0x5c : byte
    } else {
      dialect.escape = options.schema == nil ? nil : 0x5c
    }
    if dialect.quote == nil { dialect.escape = nil }
    let marks = [dialect.separator, dialect.quote, dialect.escape].compactMap(\.self)
    guard Set(marks).count == marks.count else {
      throw QueryError(.invalidTableProperty, "The separator, quote, and escape characters must be different!")
    }
    guard !marks.contains(0x0a), !marks.contains(0x0d) else {
      throw QueryError(.invalidTableProperty, "The separator, quote and escape characters must not be line ends")
    }
    if let text = properties["serialization.null.format"] { dialect.nullText = Array(text.utf8) }
    try CSVFormat.checkEncoding(properties)
    var header: Bool?
    switch properties["header"]?.lowercased() {
    case "true"?: header = true
    case "false"?: header = false
    default: break
    }
    let lines = try CSVFormat.headerLines(properties)
    if options.schema == nil {
      dialect.emptyIsNull = true
      // The last skipped line of a file without a declared schema holds the names.
      if let lines {
        header = header ?? (lines > 0)
        skipped = max(0, lines - 1)
      } else {
        skipped = 0
      }
      policy = ValuePolicy(isStrict: true, trimsBlanks: true, emptyIsNull: true, repairsUTF8: false)
    } else {
      skipped = lines ?? 0
      dialect.skippedRecords = skipped
      dialect.blankLine = .nulls
      policy = ValuePolicy(
        malformedIsNull: properties["use.null.for.invalid.data"]?.lowercased() == "true", readsEpochNumbers: true)
    }
    self.header = header
    base = dialect
  }

  package func inferSchema(_ source: any ByteSource) throws(QueryError) -> Schema {
    let outcome = try sniff(source, header: header, findsTypes: true)
    memory.note(source.info, outcome)
    return Schema(zip(outcome.names, outcome.types).map { Field($0, $1) })
  }

  package func makeWriter(
    _ schema: Schema, _ options: WriterOptions, to object: any ObjectWriter
  ) throws(QueryError) -> any BatchFileWriter {
    // Tables of OpenCSVSerde have no header, files that are queried by their path do; `quoteall` is for Athena's result files.
    let encoder = try CSVEncoder(
      schema,
      CSVEncoder.Dialect(
        separator: base.separator, quote: base.quote ?? 0x22,
        quotesAll: self.options.properties["quoteall"]?.lowercased() == "true",
        hasHeader: header ?? (self.options.schema == nil && skipped == 0)))
    return try TextFileWriter(encoder, columnCount: schema.fields.count, options, to: object)
  }

  package func fileNameEnding(_ options: WriterOptions) throws(QueryError) -> String {
    try TextFileWriter.fileNameEnding(options)
  }

  package func open(_ source: any ByteSource) throws(QueryError) -> any FormatFile {
    let codec = try TextInput.codec(of: source)
    guard options.schema == nil else {
      return try DelimitedFile(
        source, codec, DelimitedSettings(dialect: base, policy: policy, schema: options.schema))
    }
    let outcome = try recall(source, codec)
    return try DelimitedFile(
      source, codec,
      DelimitedSettings(
        dialect: outcome.dialect, policy: policy, headerNames: outcome.namesColumns ? outcome.names : nil,
        maxFieldCount: outcome.names.isEmpty ? nil : outcome.names.count))
  }

  /// How a file is to be read, in the light of the files whose schema was inferred.
  private func recall(_ source: any ByteSource, _ codec: CompressionCodec) throws(QueryError) -> CSVSniffer.Outcome {
    if let known = memory.outcome(source.info) { return known }
    guard let typical = memory.typical, source.byteCount > 0 else {
      return try sniff(source, header: header, findsTypes: false)
    }
    // A table whose first files have no header has none at all.
    if !typical.hasHeader { return try sniff(source, header: header ?? false, findsTypes: false) }
    if try CSVSniffer.firstRecord(source, codec, typical.dialect) == typical.names { return typical }
    var outcome = try sniff(source, header: header, findsTypes: false)
    if !outcome.hasHeader, outcome.names.count == typical.names.count {
      // Files behind the first without a header: columns lie where the first file has them.
      outcome.names = typical.names
      outcome.namesColumns = true
    }
    return outcome
  }

  private func sniff(_ source: any ByteSource, header: Bool?, findsTypes: Bool) throws(QueryError) -> CSVSniffer.Outcome
  {
    if source.byteCount == 0 {
      return CSVSniffer.Outcome(dialect: base, hasHeader: false, namesColumns: false, names: [], types: [])
    }
    return try CSVSniffer.sniff(
      source, try TextInput.codec(of: source), base: base, separator: separator, header: header, skipped: skipped,
      findsTypes: findsTypes)
  }

  /// `skip.header.line.count`.
  static func headerLines(_ properties: [String: String]) throws(QueryError) -> Int? {
    if let footer = properties["skip.footer.line.count"], footer != "0" {
      throw QueryError.notSupported("Table property skip.footer.line.count")
    }
    guard let text = properties["skip.header.line.count"] else { return nil }
    guard let count = Int(text), count >= 0 else {
      throw QueryError(.invalidTableProperty, "Invalid value for skip.header.line.count property: \(text)")
    }
    return count
  }

  /// Only UTF-8 is read.
  static func checkEncoding(_ properties: [String: String]) throws(QueryError) {
    guard let name = properties["serialization.encoding"] ?? properties["charset"] else { return }
    if ["utf-8", "utf8", "us-ascii", "ascii"].contains(name.lowercased()) { return }
    throw QueryError.notSupported("Text encoding '\(name)'", hint: "Convert the files to UTF-8.")
  }
}
