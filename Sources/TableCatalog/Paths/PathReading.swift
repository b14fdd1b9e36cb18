import FileFormats

/// How a query says that a path is to be read: `FROM TABLE(read_csv('x.csv', delimiter => ';'))`.
package struct PathReading: Hashable, Sendable {
  /// As `FormatRegistry.format(named:)` knows it.
  package var format: String
  /// For the format's reader.
  package var properties: [String: String]

  package init(format: String, properties: [String: String]) {
    self.format = format
    self.properties = properties
  }
}

/// The table functions that read files, and their options.
package struct ReadFunction: Sendable {
  package var name: String
  package var format: String
  package var options: [Option]

  package struct Option: Sendable {
    package enum Kind: Sendable { case text, character, flag, count, types }

    package var name: String
    package var kind: Kind
    /// The reader's property that it sets.
    package var property: String
  }

  package static let all: [ReadFunction] = [
    ReadFunction(
      name: "read_csv", format: "csv",
      options: [
        Option(name: "delimiter", kind: .character, property: "delimiter"),
        Option(name: "quote", kind: .character, property: "quotechar"),
        Option(name: "escape", kind: .character, property: "escapechar"),
        Option(name: "header", kind: .flag, property: "header"),
        Option(name: "skip", kind: .count, property: "skip"),
        Option(name: "comment", kind: .character, property: "comment"),
        Option(name: "nullstr", kind: .text, property: "serialization.null.format"),
        Option(name: "all_varchar", kind: .flag, property: "all_varchar"),
        Option(name: "date_format", kind: .text, property: "date.format"),
      ] + common),
    ReadFunction(
      name: "read_json", format: "json",
      options: [Option(name: "ignore_malformed", kind: .flag, property: "ignore.malformed.json")] + common),
    ReadFunction(
      name: "read_parquet", format: "parquet",
      options: [Option(name: "by_position", kind: .flag, property: "parquet.column.index.access")]),
  ]

  private static let common: [Option] = [
    Option(name: "encoding", kind: .text, property: "encoding"),
    Option(name: "compression", kind: .text, property: "compression"),
    Option(name: "columns", kind: .types, property: "columns"),
    Option(name: "types", kind: .types, property: "types"),
    Option(name: "timestamp_format", kind: .text, property: "timestamp.formats"),
    Option(name: "sample_size", kind: .count, property: "sample_size"),
  ]
}
