package import Columnar
package import ObjectStore
package import QueryErrors

/// Amazon Ion, text or binary: one struct after the other, a superset of JSON with more types.
///
/// Columns are matched by the names of the structs' fields, case ignored, or by a path of their own (`ion.<column>.path_extractor`).
///
/// - Source: Amazon Ion Specification 1.0; ion-hive3-serde.
package struct IonFormat: FileFormat {
  package static let descriptor = FormatDescriptor(
    name: "ion", label: "Ion", storedAs: ["ION"], serdes: ["com.amazon.ionhiveserde.IonHiveSerDe"],
    inputFormats: ["com.amazon.ionhiveserde.formats.IonInputFormat"],
    outputFormats: ["com.amazon.ionhiveserde.formats.IonOutputFormat"], extensions: ["ion", "10n"],
    summary: "Amazon Ion, text and binary: structs with typed values.",
    recognizes: { head in
      if head.starts(with: IonBinaryParser.versionMarker) { return .magic }
      return head.starts(with: "$ion_1_0".utf8) ? .magic : .no
    })

  private let settings: IonSettings

  package init(_ options: FormatOptions) throws(QueryError) { settings = try IonSettings(options.properties) }

  package func inferSchema(_ source: any ByteSource) throws(QueryError) -> Schema {
    try inferSchema(source, recordLimit: IonFormat.sampledRecordCount)
  }

  package func inferWholeSchema(_ source: any ByteSource) throws(QueryError) -> Schema? {
    try inferSchema(source, recordLimit: .max)
  }

  private static let sampledRecordCount = 100_000

  private func inferSchema(_ source: any ByteSource, recordLimit: Int) throws(QueryError) -> Schema {
    let values = try IonValues(source, kind: .sampling)
    var members: [(name: String, type: IonTypeGuess)] = []
    for _ in 0..<recordLimit {
      guard let value = try values.next() else { break }
      if case .structure(let fields) = value {
        IonTypeGuess.add(fields, to: &members)
      } else if case .null = value {
      } else {
        throw values.damaged("a value of the top level is no struct")
      }
    }
    return Schema(members.map { Field($0.name, $0.type.type) })
  }

  package func open(_ source: any ByteSource) throws(QueryError) -> any FormatFile {
    if source.byteCount == 0 { return EmptyFile() }
    return IonFile(source: source, settings: settings)
  }
}

/// What a table says of how its Ion is read.
struct IonSettings: Sendable {
  /// A value that is no value of its column's type is NULL.
  var ignoresMalformed = false
  private var conversion = IonConversion()
  /// By column name.
  private var overflows: [String: Bool] = [:]
  private var paths: [String: [IonPathStep]] = [:]

  /// - Throws: `INVALID_TABLE_PROPERTY` for values that make no sense, `NOT_SUPPORTED` for symbol tables of elsewhere.
  init(_ properties: [String: String]) throws(QueryError) {
    func flag(_ key: String, _ usual: Bool) throws(QueryError) -> Bool {
      switch properties[key]?.lowercased() {
      case nil: return usual
      case "true": return true
      case "false": return false
      case let value?:
        throw QueryError(.invalidTableProperty, "Invalid value for \(key): '\(value)'", hint: "Write 'true' or 'false'.")
      }
    }
    ignoresMalformed = try flag("ion.ignore_malformed", false)
    conversion.failsOnOverflow = try flag("ion.fail_on_overflow", true)
    conversion.isCaseSensitive = try flag("ion.path_extractor.case_sensitive", false)
    for (key, value) in properties where key.hasPrefix("ion.") {
      if key.hasPrefix("ion.catalog.") || key == "ion.symbol_table_imports" {
        throw QueryError.notSupported("Symbol tables outside of Ion files (\(key))")
      }
      if key.hasSuffix(".path_extractor") { paths[String(key.dropFirst(4).dropLast(15))] = try IonPathStep.parse(value, key) }
      if key.hasSuffix(".fail_on_overflow"), key.utf8.count > 21 {
        overflows[String(key.dropFirst(4).dropLast(17))] = try flag(key, true)
      }
    }
  }

  func conversion(of column: String) -> IonConversion {
    var result = conversion
    if let own = overflows[column.lowercased()] { result.failsOnOverflow = own }
    return result
  }

  /// The path declared for a column; nil: its name.
  func path(of column: String) -> [IonPathStep]? { paths[column.lowercased()] }
}

/// A step of a path extractor: `(foo 0 'bar baz')`.
enum IonPathStep: Sendable {
  case field(String)
  case index(Int)

  static func parse(_ text: String, _ key: String) throws(QueryError) -> [IonPathStep] {
    let bytes = Array(text.utf8)
    var symbols = IonSymbols()
    let parsed: IonValue?? = bytes.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return nil }
      var parser = IonTextParser(base, at: 0, end: bytes.count, isFinal: true)
      return try? parser.next(&symbols)
    }
    guard case .list(let steps)?? = parsed else {
      throw QueryError(.invalidTableProperty, "\(key) is no path: '\(text)'", hint: "Write it as '(field 0 other)'.")
    }
    var result: [IonPathStep] = []
    for step in steps {
      switch step {
      case .text(let name) where name == Array("*".utf8):
        throw QueryError.notSupported("Wildcards in paths ('\(text)' in \(key))")
      case .text(let name): result.append(.field(String(decoding: name, as: UTF8.self)))
      case .integer(let index) where index >= 0: result.append(.index(Int(clamping: index)))
      default: throw QueryError(.invalidTableProperty, "\(key) is no path: '\(text)'", hint: "Write it as '(field 0 other)'.")
      }
    }
    return result
  }
}
