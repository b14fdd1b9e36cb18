package import Columnar
package import ObjectStore
package import QueryErrors

/// JSON: one object a line, objects one after another, or one array of objects; also tables of the OpenX and Hive SerDes.
///
/// Files without a declared schema are sampled: the union of keys becomes the columns, nested values become rows and
/// arrays. Keys match columns whatever their case.
package struct JSONFormat: FileFormat {
  package static let descriptor = FormatDescriptor(
    name: "json", storedAs: ["JSONFILE", "JSON"],
    serdes: [
      "org.openx.data.jsonserde.JsonSerDe", "org.apache.hive.hcatalog.data.JsonSerDe",
      "org.apache.hadoop.hive.serde2.JsonSerDe",
    ], extensions: ["json", "jsonl", "ndjson"], summary: "JSON objects, one a line or in one array", isText: true,
    recognizes: { head in
      let letter = head.first { $0 != 0x20 && $0 != 0x0a && $0 != 0x0d && $0 != 0x09 }
      return letter == UInt8(ascii: "{") || letter == UInt8(ascii: "[") ? .shape : .no
    })

  private let settings: JSONSettings
  private let samplesAll: Bool
  private let sampleByteCount: Int
  private let memory = JSONMemory()

  private static let headByteCount = 512 << 10
  private static let windowByteCount = 64 << 10
  private static let windowCount = 24

  /// - Throws: `INVALID_TABLE_PROPERTY` for a property whose value makes no sense; `NOT_SUPPORTED` for
  ///   a pattern of `timestamp.formats` with unknown letters.
  package init(_ options: FormatOptions) throws(QueryError) {
    let properties = options.properties
    settings = try JSONSettings(options)
    let sample = properties["sample_size"].flatMap { Int($0) }
    samplesAll = sample.map { $0 < 0 } ?? false
    sampleByteCount = max(1, sample.flatMap { $0 < 0 ? nil : $0 } ?? 4 << 20)
  }

  package func makeWriter(
    _ schema: Schema, _ options: WriterOptions, to object: any ObjectWriter
  ) throws(QueryError) -> any BatchFileWriter {
    guard settings.skippedLines == 0, settings.footerLines == 0 else {
      throw QueryError.notSupported("Writing to JSON tables with skip.header.line.count or skip.footer.line.count")
    }
    try LineSkipping.checkWritten(settings.encoding)
    // Files have the keys that readers of the table look for.
    let keys = Schema(schema.fields.map { Field(settings.mapping.keys[$0.name.lowercased()] ?? $0.name, $0.type) })
    return try TextFileWriter(try JSONLinesEncoder(keys), columnCount: schema.fields.count, options, to: object)
  }

  package func fileNameEnding(_ options: WriterOptions) throws(QueryError) -> String {
    try TextFileWriter.fileNameEnding(options)
  }

  package func takeLearned() -> [(file: ObjectInfo, columns: [Field])] { memory.learned.take() }

  package func open(_ source: any ByteSource) throws(QueryError) -> any FormatFile {
    let coding = try TextCoding.of(source, declared: settings.encoding, settings.compression)
    guard settings.schema == nil else { return try JSONFile(source, coding, settings) }
    var settings = settings
    let known = memory.file(source.info)
    settings.origins = memory.origins
    settings.readsValues = known?.readsValues ?? memory.readsValues
    settings.learn = { source, record in self.learn(source, record) }
    return try JSONFile(source, coding, settings, layout: known?.layout)
  }

  package func inferSchema(_ source: any ByteSource) throws(QueryError) -> Schema {
    if source.byteCount == 0 { return Schema([]) }
    let survey = try survey(source, all: samplesAll)
    return Schema(settings.given.apply(to: memory.note(source.info, survey)))
  }

  package func inferWholeSchema(_ source: any ByteSource) throws(QueryError) -> Schema? {
    if source.byteCount == 0 { return Schema([]) }
    let survey = try survey(source, all: true)
    return Schema(settings.given.apply(to: memory.note(source.info, survey)))
  }

  private func survey(_ source: any ByteSource, all: Bool) throws(QueryError) -> JSONSurvey {
    var survey = JSONSurvey(
      source, try TextCoding.of(source, declared: settings.encoding, settings.compression), settings, sampleByteCount: sampleByteCount, all: all)
    try survey.run()
    return survey
  }

  /// Notes a record that does not fit; the second time a file fails, all of it is looked at.
  private func learn(_ source: any ByteSource, _ record: UnsafeBufferPointer<UInt8>) -> Bool {
    memory.learned.note(source.info) { isFirst in
      let guess = JSONTypeGuess()
      if settings.readsValues || memory.readsValues {
        var at = 0
        _ = guess.note(record.baseAddress!, &at, record.count)
        return [Field(JSONSurvey.valueColumn, guess.type)]
      }
      var at = 0
      _ = guess.note(record.baseAddress!, &at, record.count)
      guard !isFirst, let all = try? survey(source, all: true) else { return guess.columns }
      memory.add(all.root)
      return all.root.columns + guess.columns
    }
  }
}

extension JSONSettings {
  /// - Throws: `INVALID_TABLE_PROPERTY` for a property whose value makes no sense; `NOT_SUPPORTED` for a pattern of
  ///   `timestamp.formats` with unknown letters.
  init(_ options: FormatOptions) throws(QueryError) {
    let properties = options.properties
    self.init(schema: options.schema)
    func flag(_ name: String, _ otherwise: Bool) -> Bool {
      properties[name].map { $0.lowercased() == "true" } ?? otherwise
    }
    ignoresMalformed = flag("ignore.malformed.json", false)
    mapping.isCaseInsensitive = flag("case.insensitive", true)
    mapping.replacesDots = flag("dots.in.keys", flag("convertdotsinjsonkeystounderscores", false))
    for (name, value) in properties where name.hasPrefix("mapping.") {
      mapping.keys[String(name.dropFirst(8)).lowercased()] = value
    }
    encoding = try CSVFormat.encoding(properties)
    compression = try TextCoding.compression(properties)
    given = try GivenColumns(properties)
    skippedLines = try LineSkipping.count(properties, "skip.header.line.count") ?? 0
    footerLines = try LineSkipping.count(properties, "skip.footer.line.count") ?? 0
    isOpenX = options.serde?.lowercased().hasPrefix("org.openx.") ?? false
    // Here declared tables, too, may hold objects over several lines; Athena's SerDes read one a line.
    if options.followsAthena, options.schema != nil { layout = .lines }
    policy = ValuePolicy(
      isStrict: options.schema == nil, emptyIsNull: options.schema != nil,
      malformedIsNull: flag("use.null.for.invalid.data", false), decodesBase64: true, acceptsIntegralNumbers: true,
      acceptsInstants: options.schema != nil,
      timestampPatterns: try DateTimePattern.list(properties["timestamp.formats"]), repairsUTF8: options.schema != nil)
  }
}
