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
  private let given: CSVGiven
  private let policy: ValuePolicy
  private let columns: GivenColumns
  private let findsTypes: Bool
  private let memory = CSVSniffMemory()

  /// - Throws: `INVALID_TABLE_PROPERTY` for a property whose value makes no sense.
  package init(_ options: FormatOptions) throws(QueryError) {
    self.options = options
    let properties = options.properties
    let isInferred = options.schema == nil
    var given = CSVGiven()
    var dialect = DelimitedDialect()
    if let text = properties["separatorchar"] ?? properties["field.delim"] ?? properties["delimiter"] {
      given.separator = try DelimiterProperty.byte(text, "separatorChar", allowsNumbers: false)
    }
    dialect.separator = given.separator ?? 0x2c
    dialect.quote = 0x22
    if let text = properties["quotechar"] {
      dialect.quote =
        text.isEmpty || text == "\\0" || text == "\0"
        ? nil : try DelimiterProperty.byte(text, "quoteChar", allowsNumbers: false)
      given.quote = .some(dialect.quote)
    }
    if let text = properties["escapechar"] ?? properties["escape.delim"] {
      let byte = text.isEmpty ? nil : try DelimiterProperty.byte(text, "escapeChar", allowsNumbers: false)
      // OpenCSVSerde takes an escape that is also the quote for a backslash; elsewhere it means doubled quotes.
      dialect.escape = byte == dialect.quote && byte != nil ? (isInferred ? nil : 0x5c) : byte
      given.escape = .some(dialect.escape)
    } else {
      dialect.escape = isInferred ? nil : 0x5c
    }
    if dialect.quote == nil { dialect.escape = nil }
    if let text = properties["comment"] {
      dialect.comment = text.isEmpty ? nil : try DelimiterProperty.byte(text, "comment", allowsNumbers: false)
      given.comment = .some(dialect.comment)
    }
    let marks = [given.separator ?? (isInferred ? nil : dialect.separator), dialect.quote, dialect.escape].compactMap(\.self)
    guard Set(marks).count == marks.count else {
      throw QueryError(.invalidTableProperty, "The separator, quote, and escape characters must be different!")
    }
    guard !marks.contains(0x0a), !marks.contains(0x0d) else {
      throw QueryError(.invalidTableProperty, "The separator, quote and escape characters must not be line ends")
    }
    if let text = properties["serialization.null.format"] { dialect.nullText = Array(text.utf8) }
    given.encoding = try CSVFormat.encoding(properties)
    given.compression = try TextCoding.compression(properties)
    switch properties["header"]?.lowercased() {
    case "true"?: given.header = true
    case "false"?: given.header = false
    default: break
    }
    let lines = try CSVFormat.headerLines(properties)
    dialect.footerLines = try LineSkipping.count(properties, "skip.footer.line.count") ?? 0
    if isInferred {
      dialect.emptyIsNull = true
      dialect.quotedIsNeverNull = properties["serialization.null.format"] == nil
      if dialect.nullText == nil { dialect.nullText = Array("\\N".utf8) }
      dialect.refusesStrayText = true
      if let text = properties["skip"] { given.skipped = Int(text) }
      // The last skipped line of a file without a declared schema holds the names.
      if let lines {
        given.header = given.header ?? (lines > 0)
        given.skipped = max(0, lines - 1)
      }
      if let text = properties["sample_size"], let count = Int(text) {
        given.samplesAll = count < 0
        if count >= 0 { given.sampleByteCount = max(1, count) }
      }
    } else {
      dialect.skippedRecords = lines ?? 0
      dialect.blankLine = .nulls
    }
    columns = try GivenColumns(properties)
    findsTypes = properties["all_varchar"]?.lowercased() != "true"
    given.datePatterns = try DateTimePattern.list(properties["date.format"])
    given.timestampPatterns = try DateTimePattern.list(properties["timestamp.formats"])
    policy = CSVFormat.policy(isInferred: isInferred, given, properties)
    self.given = given
    base = dialect
  }

  private static func policy(
    isInferred: Bool, _ given: CSVGiven, _ properties: [String: String]
  ) -> ValuePolicy {
    if isInferred {
      return ValuePolicy(
        isStrict: true, trimsBlanks: true, emptyIsNull: true, timestampPatterns: given.timestampPatterns,
        datePatterns: given.datePatterns, repairsUTF8: false)
    }
    return ValuePolicy(
      malformedIsNull: properties["use.null.for.invalid.data"]?.lowercased() == "true", readsEpochNumbers: true)
  }

  package func makeWriter(
    _ schema: Schema, _ options: WriterOptions, to object: any ObjectWriter
  ) throws(QueryError) -> any BatchFileWriter {
    // Tables of OpenCSVSerde have a header when readers skip one, files that are queried by their path always; `quoteall` is for
    // Athena's result files.
    try LineSkipping.checkWritten(given.encoding)
    let skipsOne = try LineSkipping.writesHeader(self.options.properties)
    let encoder = try CSVEncoder(
      schema,
      CSVEncoder.Dialect(
        separator: base.separator, quote: base.quote ?? 0x22,
        quotesAll: self.options.properties["quoteall"]?.lowercased() == "true",
        hasHeader: skipsOne || given.header ?? (self.options.schema == nil && given.skipped ?? 0 == 0)))
    return try TextFileWriter(encoder, columnCount: schema.fields.count, options, to: object)
  }

  package func fileNameEnding(_ options: WriterOptions) throws(QueryError) -> String {
    try TextFileWriter.fileNameEnding(options)
  }

  package func inferSchema(_ source: any ByteSource) throws(QueryError) -> Schema {
    let outcome = try sniff(source, header: given.header, findsTypes: findsTypes, typical: memory.typical)
    memory.note(source.info, outcome)
    return Schema(columns.apply(to: zip(outcome.names, outcome.types).map { Field($0, $1) }))
  }

  package func takeLearned() -> [(file: ObjectInfo, columns: [Field])] { memory.learned.take() }
  package func takeNotes() -> [String] { memory.takeNotes() }

  package func open(_ source: any ByteSource) throws(QueryError) -> any FormatFile {
    guard options.schema == nil else {
      let coding = try TextCoding.of(source, declared: given.encoding, given.compression)
      return try DelimitedFile(
        source, coding, DelimitedSettings(dialect: base, policy: policy, schema: options.schema))
    }
    let outcome = try recall(source)
    var settings = DelimitedSettings(
      dialect: outcome.dialect, policy: policy, headerNames: outcome.namesColumns ? outcome.names : nil,
      maxFieldCount: outcome.names.isEmpty ? nil : max(outcome.names.count, columns.columns?.count ?? 0))
    settings.given = columns
    settings.learn = learner
    return try DelimitedFile(source, outcome.coding, settings)
  }

  /// How a file is to be read, in the light of the files whose schema was inferred.
  private func recall(_ source: any ByteSource) throws(QueryError) -> CSVSniffer.Outcome {
    if let known = memory.outcome(source.info) { return known }
    guard let typical = memory.typical, source.byteCount > 0 else {
      return try sniff(source, header: given.header, findsTypes: false)
    }
    // A table whose first files have no header has none at all.
    if !typical.hasHeader { return try sniff(source, header: given.header ?? false, findsTypes: false) }
    let coding = try TextCoding.of(source, declared: given.encoding, given.compression)
    if coding == typical.coding, try CSVSniffer.firstRecord(source, coding, typical.dialect) == typical.names {
      return typical
    }
    var outcome = try sniff(source, header: given.header, findsTypes: false)
    if !outcome.hasHeader, outcome.names.count == typical.names.count {
      // Files behind the first without a header: columns lie where the first file has them.
      outcome.names = typical.names
      outcome.namesColumns = true
    }
    return outcome
  }

  private func sniff(
    _ source: any ByteSource, header: Bool?, findsTypes: Bool, samplesAll: Bool = false, typical: CSVSniffer.Outcome? = nil
  ) throws(QueryError) -> CSVSniffer.Outcome {
    let coding = try TextCoding.of(source, declared: given.encoding, given.compression)
    if source.byteCount == 0 {
      return CSVSniffer.Outcome(
        coding: coding, dialect: base, hasHeader: false, namesColumns: false, names: [], types: [])
    }
    var given = given
    given.header = header
    given.samplesAll = given.samplesAll || samplesAll
    var sniffer = CSVSniffer(source, coding, base: base, given: given, findsTypes: findsTypes)
    var outcome = try sniffer.sniff(typical: typical)
    // Declared columns are taken by position.
    if columns.columns != nil { outcome.namesColumns = false }
    return outcome
  }

  /// Widens a column by a text that does not fit its type; the second time a file fails, all of it is looked at.
  private var learner: @Sendable (any ByteSource, String, DataType, String) -> Bool {
    { source, name, type, text in
      if columns.types[name.lowercased()] != nil || columns.columns != nil { return false }
      return memory.learned.note(source.info) { isFirst in
        let wider = Field(name, TextTypes.widened(type, by: text))
        if isFirst { return [wider] }
        guard let all = try? sniff(source, header: given.header, findsTypes: true, samplesAll: true) else { return [wider] }
        return zip(all.names, all.types).map { Field($0, $1) } + [wider]
      }
    }
  }

  /// `skip.header.line.count`.
  static func headerLines(_ properties: [String: String]) throws(QueryError) -> Int? {
    try LineSkipping.count(properties, "skip.header.line.count")
  }

  /// The declared character set; nil when none was declared, or UTF-8.
  static func encoding(_ properties: [String: String]) throws(QueryError) -> TextEncoding? {
    for key in ["serialization.encoding", "charset", "encoding"] {
      if let name = properties[key] { return try TextEncoding.named(name, property: key) }
    }
    return nil
  }
}
