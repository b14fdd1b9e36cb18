package import Columnar
package import ObjectStore
package import QueryErrors

/// AWS Glue's GrokSerDe: a pattern of named patterns, found anywhere in a line, whose captures are the columns.
///
///     %{IPORHOST:client} \[%{HTTPDATE:time}\] %{NUMBER:status}
///
/// Captures fill columns of the same names. Where a column has no capture of its name they fill them from the left, as
/// Athena does always, captures that a line lacks left out. Lines that do not match are rows of NULLs.
///
/// - Source: Athena User Guide, "Grok SerDe"; Trino `GrokDeserializer`.
package struct GrokFormat: FileFormat {
  package static let descriptor = FormatDescriptor(
    name: "grok", label: "Grok", storedAs: [], serdes: ["com.amazonaws.glue.serde.GrokSerDe"], extensions: [],
    summary: "Lines that named patterns take apart, Logstash's Grok", isText: true)

  private let settings: PatternSettings
  private let compression: CompressionCodec?

  /// - Throws: `INVALID_TABLE_PROPERTY` without a pattern, or with one that is none.
  package init(_ options: FormatOptions) throws(QueryError) {
    let properties = options.properties
    func flag(_ name: String, _ otherwise: Bool) -> Bool { properties[name].map { $0.lowercased() == "true" } ?? otherwise }
    guard let format = properties["input.format"] else {
      throw QueryError(
        .invalidTableProperty, "Schema does not have required 'input.format' property",
        hint: "Add it: WITH SERDEPROPERTIES ('input.format' = '%{IPORHOST:client} %{GREEDYDATA:rest}').")
    }
    guard format.contains(where: { !$0.isWhitespace }) else {
      throw QueryError(.invalidTableProperty, "Grok compilation failure: {pattern} should not be empty")
    }
    guard flag("grok.strictmode", true) else {
      throw .notSupported("grok.strictMode 'false' is not supported", hint: "Declare the columns' types instead.")
    }
    var library = GrokPatterns()
    library.add(properties["input.grokcustompatterns"] ?? "")
    let expansion = try library.expand(format, namedOnly: flag("grok.namedonlymode", true))
    let pattern = try LinePattern(expansion.pattern, isWhole: false, property: "input.format")
    var captures: [(group: Int, name: String)] = []
    for (group, id) in pattern.groupNames.enumerated() {
      if let id, let name = expansion.names[id], name != GrokPatterns.unwanted { captures.append((group, name)) }
    }
    compression = try TextCoding.compression(properties)
    settings = PatternSettings(
      pattern: pattern, groups: GrokFormat.order(captures, options),
      policy: ValuePolicy(malformedIsNull: flag("grok.nullonparseerror", false)),
      // Athena's GrokSerDe reads header lines as any others.
      skippedLines: options.followsAthena ? 0 : try LineSkipping.count(properties, "skip.header.line.count") ?? 0,
      footerLines: options.followsAthena ? 0 : try LineSkipping.count(properties, "skip.footer.line.count") ?? 0,
      encoding: try CSVFormat.encoding(properties), stripsQuotes: true)
  }

  private static func order(
    _ captures: [(group: Int, name: String)], _ options: FormatOptions
  ) -> PatternSettings.GroupOrder {
    var names: [String] = []
    var groups: [String: [Int]] = [:]
    for (group, name) in captures {
      if groups[name] == nil { names.append(name) }
      groups[name, default: []].append(group)
    }
    let columns = options.schema?.fields.map { $0.name.lowercased() } ?? []
    let byName = Dictionary(names.map { ($0.lowercased(), groups[$0] ?? []) }, uniquingKeysWith: { $0 + $1 })
    if !options.followsAthena, columns.allSatisfy({ byName[$0]?.count == 1 }) {
      return .fixed(columns.map { byName[$0]?.first })
    }
    return .packed(captures.map { ($0.group, names.firstIndex(of: $0.name) ?? 0) })
  }

  /// - Throws: `NOT_SUPPORTED`: a pattern tells no types.
  package func inferSchema(_ source: any ByteSource) throws(QueryError) -> Schema {
    throw .notSupported("A table of GrokSerDe needs its columns declared")
  }

  package func open(_ source: any ByteSource) throws(QueryError) -> any FormatFile {
    try PatternFile(source, try TextCoding.of(source, declared: settings.encoding, compression), settings)
  }
}
