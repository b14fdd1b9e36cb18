import Columnar
package import ObjectStore
package import QueryErrors
import Synchronization

/// Every file format; the one place that names a format outside its folder.
package enum FormatRegistry {
  private static let builtIn: [any FileFormat.Type] = [
    CSVFormat.self, JSONFormat.self, DelimitedTextFormat.self, ParquetFormat.self,
    ORCFormat.self, AvroFormat.self, IonFormat.self, RegexFormat.self, GrokFormat.self, CloudTrailFormat.self,
  ]
  private static let added = Mutex<[any FileFormat.Type]>([])

  package static var all: [any FileFormat.Type] { builtIn + added.withLock { $0 } }

  /// Adds a format; the built-in ones come first.
  package static func register(_ format: any FileFormat.Type) {
    added.withLock { $0.append(format) }
  }

  // MARK: By name

  /// The format of that name, STORED AS word or SerDe class; case ignored.
  package static func format(named name: String) -> (any FileFormat.Type)? {
    let wanted = name.lowercased()
    return all.first { format in
      let descriptor = format.descriptor
      return descriptor.name == wanted || descriptor.storedAs.contains { $0.lowercased() == wanted }
        || descriptor.serdes.contains { $0.lowercased() == wanted }
    }
  }

  /// The format that a class behind INPUTFORMAT stands for; nil for unknown ones.
  package static func format(inputFormat name: String) -> (any FileFormat.Type)? {
    all.first { $0.descriptor.inputFormats.contains { $0.lowercased() == name.lowercased() } }
  }

  /// The format that a class behind OUTPUTFORMAT stands for; nil for unknown ones.
  package static func format(outputFormat name: String) -> (any FileFormat.Type)? {
    all.first { $0.descriptor.outputFormats.contains { $0.lowercased() == name.lowercased() } }
  }

  /// The format of a declared table's files.
  ///
  /// - Parameters:
  ///   - name: a format's name or STORED AS word, for tables that name no SerDe.
  ///   - inputFormat: a class behind INPUTFORMAT, if one was declared.
  package static func format(named name: String, serde: String?, inputFormat: String?) -> (any FileFormat.Type)? {
    let reader = inputFormat.flatMap { format(inputFormat: $0) }
    guard let serde else { return reader ?? format(named: name) }
    // An input format that makes records of its own goes with each of the SerDes that it knows.
    if let reader, reader.descriptor.serdes.contains(where: { $0.lowercased() == serde.lowercased() }) { return reader }
    return format(named: serde) ?? format(named: name)
  }

  /// Whether the class behind INPUTFORMAT reads files that list where the table's files lie.
  package static func isSymlink(inputFormat name: String?) -> Bool {
    name?.lowercased() == symlinkInputFormat.lowercased()
  }

  package static let symlinkInputFormat = "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat"

  /// The classes that STORED AS INPUTFORMAT … OUTPUTFORMAT … names for tables of a format; nil when it has none.
  package static func classes(of format: FormatDescriptor) -> (input: String, output: String)? {
    let text = DelimitedTextFormat.descriptor
    guard let input = format.inputFormats.first ?? (format.isText ? text.inputFormats.first : nil),
      let output = format.outputFormats.first ?? (format.isText ? text.outputFormats.first : nil)
    else { return nil }
    return (input, output)
  }

  // MARK: By file

  /// The format a file name suggests, a compression's ending ignored: `a.csv.gz` → csv; nil when it suggests none.
  package static func format(forFileNamed name: String) -> (any FileFormat.Type)? {
    guard let ending = ending(of: name) else { return nil }
    return all.first { $0.descriptor.extensions.contains(ending) }
  }

  /// The kind of file without a reader that a file name suggests.
  package static func unsupported(forFileNamed name: String) -> UnsupportedFormat? {
    let lower = name.lowercased()
    if let dot = lower.utf8.lastIndex(of: UInt8(ascii: ".")), dot != lower.startIndex {
      let last = String(lower[lower.index(after: dot)...])
      if let known = UnsupportedFormat.all.first(where: { $0.extensions.contains(last) }) { return known }
    }
    guard let ending = ending(of: name) else { return nil }
    return UnsupportedFormat.all.first { $0.extensions.contains(ending) }
  }

  /// The ending in lower case without the dot and without a compression's: `csv` of `a.CSV.gz`; nil when there is none.
  package static func ending(of name: String) -> String? {
    let plain = CompressionCodec.withoutExtension(name).lowercased()
    guard let dot = plain.utf8.lastIndex(of: UInt8(ascii: ".")), dot != plain.startIndex else { return nil }
    let ending = plain[plain.index(after: dot)...]
    return ending.isEmpty ? nil : String(ending)
  }

  /// What a file's first bytes say it is.
  package enum Recognized {
    case format(any FileFormat.Type)
    case unsupported(UnsupportedFormat)
    /// Plain text of no certain shape; it may be read as CSV.
    case text
    /// Bytes of no known kind.
    case nothing
  }

  private static let headByteCount = 4096

  /// Tells a file's kind by its first bytes, decompressed where its name ends in a compression's.
  package static func recognize(_ source: any ByteSource) throws(QueryError) -> Recognized {
    guard source.byteCount > 0 else { return .nothing }
    let codec = try TextCoding.of(source)
    let range = 0..<(codec == .none ? min(source.byteCount, UInt64(headByteCount)) : source.byteCount)
    let input = try TextInput(
      source, codec, range, kind: .sampling, firstByteCount: headByteCount, expectsAll: false)
    return withExtendedLifetime(input.owner) {
      let head = UnsafeRawBufferPointer(start: input.base, count: min(input.count, headByteCount))
      var best: (any FileFormat.Type)?
      var surest = FormatRecognition.no
      for format in all {
        let recognition = format.descriptor.recognizes(head)
        if recognition > surest { (best, surest) = (format, recognition) }
      }
      if surest < .magic, let known = UnsupportedFormat.all.first(where: { $0.magics.contains { head.starts(with: $0) } }) {
        return .unsupported(known)
      }
      guard let best else { return .nothing }
      return surest == .text ? .text : .format(best)
    }
  }

  /// The format that text of no certain shape is read as.
  package static var plainText: any FileFormat.Type { CSVFormat.self }
}
