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

  private static let headByteCount = 512 << 10
  private static let probeByteCount = 64 << 10
  private static let probeCount = 8

  /// - Throws: `INVALID_TABLE_PROPERTY` for a property whose value makes no sense; `NOT_SUPPORTED` for
  ///   a pattern of `timestamp.formats` with unknown letters.
  package init(_ options: FormatOptions) throws(QueryError) {
    let properties = options.properties
    var settings = JSONSettings(schema: options.schema)
    func flag(_ name: String, _ otherwise: Bool) -> Bool {
      properties[name].map { $0.lowercased() == "true" } ?? otherwise
    }
    settings.ignoresMalformed = flag("ignore.malformed.json", false)
    settings.mapping.isCaseInsensitive = flag("case.insensitive", true)
    settings.mapping.replacesDots = flag("dots.in.keys", flag("convertdotsinjsonkeystounderscores", false))
    for (name, value) in properties where name.hasPrefix("mapping.") {
      settings.mapping.keys[String(name.dropFirst(8)).lowercased()] = value
    }
    try CSVFormat.checkEncoding(properties)
    settings.skippedLines = try CSVFormat.headerLines(properties) ?? 0
    settings.policy = ValuePolicy(
      isStrict: options.schema == nil, emptyIsNull: options.schema != nil,
      malformedIsNull: flag("use.null.for.invalid.data", false), decodesBase64: true, acceptsIntegralNumbers: true,
      acceptsInstants: options.schema != nil,
      timestampPatterns: try DateTimePattern.list(properties["timestamp.formats"]), repairsUTF8: options.schema != nil)
    self.settings = settings
  }

  package func makeWriter(
    _ schema: Schema, _ options: WriterOptions, to object: any ObjectWriter
  ) throws(QueryError) -> any BatchFileWriter {
    try TextFileWriter(try JSONLinesEncoder(schema), columnCount: schema.fields.count, options, to: object)
  }

  package func fileNameEnding(_ options: WriterOptions) throws(QueryError) -> String {
    try TextFileWriter.fileNameEnding(options)
  }

  package func open(_ source: any ByteSource) throws(QueryError) -> any FormatFile {
    try JSONFile(source, try TextInput.codec(of: source), settings)
  }

  package func inferSchema(_ source: any ByteSource) throws(QueryError) -> Schema {
    if source.byteCount == 0 { return Schema([]) }
    let codec = try TextInput.codec(of: source)
    let headCount = min(source.byteCount, UInt64(JSONFormat.headByteCount))
    let input = try TextInput(
      source, codec, 0..<(codec == .none ? headCount : source.byteCount), kind: .sampling,
      firstByteCount: JSONFormat.headByteCount, expectsAll: false)
    let layout = JSONLayout.sniff(input.base, input.count, isDeclared: false)
    let root = JSONTypeGuess()
    var at = 0
    if input.count >= 3, input.base[0] == 0xef, input.base[1] == 0xbb, input.base[2] == 0xbf { at = 3 }
    if layout == .document {
      // Grow the sample until it holds a record.
      while try !noteDocument(root, input, from: at) {
        if input.isFinal { break }
        try input.advance(keeping: 0, byteCount: input.count * 2)
      }
      return Schema(root.columns)
    }
    try noteLines(root, input.base, at, input.count, isEnd: input.isFinal, source, strict: true)
    while root.columns.isEmpty, !input.isFinal {
      try input.advance(keeping: 0, byteCount: input.count * 2)
      try noteLines(root, input.base, at, input.count, isEnd: input.isFinal, source, strict: true)
    }
    if codec == .none, source.byteCount > headCount + UInt64(JSONFormat.probeByteCount) {
      for probe in 1...JSONFormat.probeCount {
        let span = source.byteCount - headCount - UInt64(JSONFormat.probeByteCount)
        let from = headCount + span / UInt64(JSONFormat.probeCount) * UInt64(probe)
        let to = min(source.byteCount, from + UInt64(JSONFormat.probeByteCount))
        let slice = try source.read(from..<to, kind: .sampling)
        try slice.withBytes { (bytes) throws(QueryError) in
          guard let first = bytes.firstIndex(of: 0x0a) else { return }
          try noteLines(
            root, bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), first + 1, bytes.count,
            isEnd: to == source.byteCount, source, strict: false)
        }
      }
    }
    return Schema(JSONFormat.distinct(root.columns))
  }

  /// Adds the whole lines of a sample.
  ///
  /// - Parameter strict: a line that is no object is an error; else it is passed over.
  private func noteLines(
    _ root: JSONTypeGuess, _ p: UnsafePointer<UInt8>, _ start: Int, _ count: Int, isEnd: Bool, _ source: any ByteSource,
    strict: Bool
  ) throws(QueryError) {
    let skipped = strict ? settings.skippedLines : 0
    var from = start
    var line = 0
    while from < count {
      var end = from
      while end < count, p[end] != 0x0a { end += 1 }
      if end == count, !isEnd { break }
      line += 1
      let first = JSONText.skipBlanks(p, from, end)
      if line > skipped, first != end {
        var at = first
        let scratch = JSONTypeGuess()
        let isGood = p[first] == 0x7b && scratch.note(p, &at, end) && JSONText.skipBlanks(p, at, end) == end
        if isGood {
          root.merge(scratch)
        } else if strict, !settings.ignoresMalformed {
          let snippet = UnsafeBufferPointer(start: p + first, count: min(end - first, 100))
          throw QueryError(
            .hiveBadData, "Row is not a valid JSON Object",
            data: DataLocation(
              path: source.path, row: line, value: String(decoding: snippet, as: UTF8.self), byteOffset: first))
        }
      }
      from = end + 1
    }
  }

  /// Adds the whole values of a document's start; whether there were any.
  private func noteDocument(_ root: JSONTypeGuess, _ input: TextInput, from: Int) throws(QueryError) -> Bool {
    let (p, count) = (input.base, input.count)
    var at = JSONText.skipBlanks(p, from, count)
    let isArray = at < count && p[at] == 0x5b
    if isArray { at += 1 }
    var found = 0
    while true {
      at = JSONText.skipBlanks(p, at, count)
      if isArray, at < count, p[at] == 0x5d { return true }
      if at >= count { break }
      guard let end = JSONText.valueEnd(p, at, count) else {
        if found == 0, input.isFinal { throw malformed(p, at, count, input, found) }
        break
      }
      let start = at
      let scratch = JSONTypeGuess()
      guard p[at] == 0x7b, scratch.note(p, &at, end), at == end else {
        throw malformed(p, start, count, input, found)
      }
      root.merge(scratch)
      found += 1
      at = JSONText.skipBlanks(p, at, count)
      if isArray, at < count, p[at] == 0x2c { at += 1 }
    }
    return found > 0
  }

  private func malformed(
    _ p: UnsafePointer<UInt8>, _ at: Int, _ count: Int, _ input: TextInput, _ found: Int
  ) -> QueryError {
    let snippet = UnsafeBufferPointer(start: p + at, count: min(count - at, 100))
    return QueryError(
      .hiveBadData, "Row is not a valid JSON Object",
      data: DataLocation(
        path: input.source.path, row: found + 1, value: String(decoding: snippet, as: UTF8.self), byteOffset: at))
  }

  /// Columns of distinct names; JSON keys may be empty.
  private static func distinct(_ fields: [Field]) -> [Field] {
    zip(CSVSniffer.uniqueNames(fields.map(\.name)), fields).map { name, field in
      Field(field.name.isEmpty ? name : field.name, field.type)
    }
  }
}
