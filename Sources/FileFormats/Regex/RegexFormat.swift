package import Columnar
package import ObjectStore
package import QueryErrors

/// Hive's RegexSerDe: the groups of a pattern that matches the whole line are the columns, in order.
///
/// Lines that do not match are rows of NULLs, and so are values that do not fit their column's type.
///
/// - Source: Hive `RegexSerDe`; Athena User Guide, "Regex SerDe".
package struct RegexFormat: FileFormat {
  package static let descriptor = FormatDescriptor(
    name: "regex", label: "Regex", storedAs: [],
    serdes: ["org.apache.hadoop.hive.serde2.RegexSerDe", "org.apache.hadoop.hive.contrib.serde2.RegexSerDe"], extensions: [],
    summary: "Lines that a regular expression takes apart (Hive's RegexSerDe)", isText: true)

  private let settings: PatternSettings
  private let columnCount: Int
  private let compression: CompressionCodec?

  /// - Throws: `INVALID_TABLE_PROPERTY` without a pattern, or with one that is none.
  package init(_ options: FormatOptions) throws(QueryError) {
    let properties = options.properties
    guard let text = properties["input.regex"] else {
      throw QueryError(
        .invalidTableProperty, "This table does not have serde property \"input.regex\"!",
        hint: "Add it: WITH SERDEPROPERTIES ('input.regex' = '([^ ]*) (.*)'), a group for each column.")
    }
    let pattern = try LinePattern(
      text, isWhole: true, ignoresCase: properties["input.regex.case.insensitive"]?.lowercased() == "true",
      property: "input.regex")
    columnCount = options.schema?.count ?? pattern.groupCount
    compression = try TextCoding.compression(properties)
    settings = PatternSettings(
      pattern: pattern, groups: .fixed((0..<columnCount).map { $0 < pattern.groupCount ? $0 + 1 : nil }),
      policy: ValuePolicy(malformedIsNull: true, timestampPatterns: try DateTimePattern.list(properties["timestamp.formats"])),
      // Athena's RegexSerDe reads header lines as any others.
      skippedLines: options.followsAthena ? 0 : try LineSkipping.count(properties, "skip.header.line.count") ?? 0,
      footerLines: options.followsAthena ? 0 : try LineSkipping.count(properties, "skip.footer.line.count") ?? 0,
      encoding: try CSVFormat.encoding(properties))
  }

  /// - Throws: `NOT_SUPPORTED`: a pattern tells no names and no types.
  package func inferSchema(_ source: any ByteSource) throws(QueryError) -> Schema {
    throw .notSupported("A table of RegexSerDe needs its columns declared")
  }

  /// - Throws: `HIVE_CURSOR_ERROR` when there are fewer or more groups than columns.
  package func open(_ source: any ByteSource) throws(QueryError) -> any FormatFile {
    guard columnCount == settings.pattern.groupCount else {
      throw QueryError(
        .hiveCursorError, "Number of matching groups doesn't match the number of columns",
        hint: "input.regex has \(settings.pattern.groupCount) groups, the table \(columnCount) columns; (?:…) groups without being a column.")
    }
    return try PatternFile(source, try TextCoding.of(source, declared: settings.encoding, compression), settings)
  }
}
