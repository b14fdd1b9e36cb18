import Columnar
import FileFormats
import QueryErrors
import SQLExpressions
import SQLSyntax

/// The properties of CREATE TABLE AS and UNLOAD: what follows WITH.
///
/// - Source: Athena user guide, "CREATE TABLE AS", "UNLOAD"; Trino `HiveTableProperties`.
struct WriteProperties {
  /// Which statement they stand in.
  enum Owner { case table, unload }

  private(set) var format: WriteFormat?
  private(set) var compression: String?
  private(set) var level: Int?
  private(set) var fieldDelimiter: String?
  private(set) var nullFormat: String?
  private(set) var externalLocation: (value: String, range: SourceRange)?
  private(set) var partitionedBy: [String] = []
  private(set) var bucketedBy: [String] = []
  private(set) var bucketCount: Int?
  private(set) var bloomFilterColumns: [String] = []
  /// Where each property stands.
  private(set) var ranges: [String: SourceRange] = [:]

  private let context: StatementContext

  /// Properties of Iceberg tables alone.
  private static let icebergNames: Set<String> = [
    "location", "partitioning", "vacuum_max_snapshot_age_seconds", "vacuum_min_snapshots_to_keep", "optimize_rewrite_min_data_file_size_bytes",
    "optimize_rewrite_max_data_file_size_bytes", "optimize_rewrite_data_file_threshold", "optimize_rewrite_delete_file_threshold",
    "write_target_data_file_size_bytes", "format_version",
  ]

  private static let tableNames = [
    "table_type", "is_external", "external_location", "format", "write_compression", "parquet_compression", "orc_compression",
    "compression_level", "field_delimiter", "null_format", "partitioned_by", "bucketed_by", "bucket_count",
    "parquet_bloom_filter_columns",
  ]
  private static let unloadNames = ["format", "compression", "compression_level", "field_delimiter", "null_format", "partitioned_by"]

  /// - Throws: `INVALID_TABLE_PROPERTY` for unknown names and values that make no sense, `NOT_SUPPORTED` for what is known and not
  ///   possible here, at the property.
  init(_ list: [PropertySyntax], of owner: Owner, _ context: StatementContext) throws(QueryError) {
    self.context = context
    for property in list {
      let name = property.name.canonicalName
      guard ranges.updateValue(property.range, forKey: name) == nil else {
        throw QueryError(.invalidTableProperty, "Property '\(name)' is given more than once", at: property.range)
      }
      try read(name, property, owner)
    }
    try check(owner)
  }

  // MARK: Reading

  private mutating func read(_ name: String, _ property: PropertySyntax, _ owner: Owner) throws(QueryError) {
    let names = owner == .table ? WriteProperties.tableNames : WriteProperties.unloadNames
    if owner == .table, WriteProperties.icebergNames.contains(name) {
      throw .notSupported("Property '\(name)' belongs to Iceberg tables, which cannot be written yet", at: property.range)
    }
    guard names.contains(name) else {
      throw QueryError(
        .invalidTableProperty, "Catalog 'awsdatacatalog' table property '\(name)' does not exist", at: property.range,
        hint: NameSuggestion.hint(for: name, among: names))
    }
    switch name {
    case "table_type":
      let type = try text(property)
      guard type.uppercased() == "HIVE" else { throw .notSupported("Tables of type \(type.uppercased()) cannot be written yet", at: property.range) }
    case "is_external":
      guard try boolean(property) else {
        throw .notSupported("Tables that are not external are not supported; is_external must be true", at: property.range)
      }
    case "external_location": externalLocation = (try text(property), property.range)
    case "format":
      let text = try text(property)
      format = try WriteFormat(named: text, at: property.range, followsAthena: context.settings.followsAthena)
    case "write_compression", "parquet_compression", "orc_compression", "compression": compression = try text(property).uppercased()
    case "compression_level":
      let number = try integer(property)
      guard (1...22).contains(number) else { throw invalid(property, "\(number)", "it is 1 to 22") }
      level = number
    case "field_delimiter":
      let text = try text(property)
      guard text.utf8.count == 1 else { throw invalid(property, text, "it is a single character of ASCII") }
      fieldDelimiter = text
    case "null_format": nullFormat = try text(property)
    case "partitioned_by": partitionedBy = try texts(property).map { $0.lowercased() }
    case "bucketed_by": bucketedBy = try texts(property).map { $0.lowercased() }
    case "bucket_count":
      let number = try integer(property)
      guard (1...1_000_000).contains(number) else { throw invalid(property, "\(number)", "it is greater than zero") }
      bucketCount = number
    case "parquet_bloom_filter_columns":
      if context.settings.followsAthena {
        throw .notSupported("Property 'parquet_bloom_filter_columns' is an extension that Athena does not have", at: property.range)
      }
      bloomFilterColumns = try texts(property).map { $0.lowercased() }
    default: break
    }
  }

  private func check(_ owner: Owner) throws(QueryError) {
    let codecs = ["write_compression", "parquet_compression", "orc_compression"].filter { ranges[$0] != nil }
    if codecs.count > 1 {
      throw QueryError(
        .invalidTableProperty, "\(codecs[0]) and \(codecs[1]) cannot be given together", at: ranges[codecs[1]])
    }
    let format = format ?? .parquet
    if let range = ranges["parquet_compression"], format != .parquet {
      throw QueryError(.invalidTableProperty, "parquet_compression goes with format = 'PARQUET' only", at: range)
    }
    if let range = ranges["orc_compression"], format != .orc {
      throw QueryError(.invalidTableProperty, "orc_compression goes with format = 'ORC' only", at: range)
    }
    for name in ["field_delimiter", "null_format"] {
      if let range = ranges[name], format != .text {
        throw QueryError(.invalidTableProperty, "\(name) goes with format = 'TEXTFILE' only", at: range)
      }
    }
    if let range = ranges["parquet_bloom_filter_columns"], format != .parquet {
      throw QueryError(.invalidTableProperty, "parquet_bloom_filter_columns goes with format = 'PARQUET' only", at: range)
    }
    if let range = ranges["compression_level"], compression != "ZSTD" {
      throw QueryError(.invalidTableProperty, "compression_level goes with ZSTD compression only", at: range)
    }
    if bucketedBy.isEmpty != (bucketCount == nil) {
      throw QueryError(
        .invalidTableProperty, "bucketed_by and bucket_count must be specified together",
        at: ranges["bucketed_by"] ?? ranges["bucket_count"])
    }
    if owner == .unload, context.settings.followsAthena, compression != nil, compression != "GZIP", format != .parquet, format != .orc,
      let range = ranges["compression"]
    {
      throw .notSupported("Athena takes no compression other than its own when it unloads \(format.label)", at: range)
    }
  }

  // MARK: Values

  private func value(_ property: PropertySyntax) throws(QueryError) -> (Scalar, DataType) {
    let constant = try context.constant(property.value)
    return (constant.constantValue ?? .null, constant.type)
  }

  private func text(_ property: PropertySyntax) throws(QueryError) -> String {
    let (value, type) = try value(property)
    guard type.isCharacter, let text = value.stringValue else { throw mistyped(property, type, "varchar") }
    return text
  }

  private func texts(_ property: PropertySyntax) throws(QueryError) -> [String] {
    let (value, type) = try value(property)
    guard case .array(let items) = value else { throw mistyped(property, type, "array(varchar)") }
    var texts: [String] = []
    for item in items {
      guard let text = item.stringValue else { throw mistyped(property, type, "array(varchar)") }
      texts.append(text)
    }
    return texts
  }

  private func integer(_ property: PropertySyntax) throws(QueryError) -> Int {
    let (value, type) = try value(property)
    guard type.isInteger, let number = value.integerValue else { throw mistyped(property, type, "integer") }
    return Int(number)
  }

  private func boolean(_ property: PropertySyntax) throws(QueryError) -> Bool {
    let (value, type) = try value(property)
    guard let answer = value.booleanValue else { throw mistyped(property, type, "boolean") }
    return answer
  }

  private func mistyped(_ property: PropertySyntax, _ type: DataType, _ wanted: String) -> QueryError {
    QueryError(
      .invalidTableProperty,
      "Invalid value for catalog 'awsdatacatalog' table property '\(property.name.canonicalName)': Cannot convert a value of type \(type) to \(wanted)",
      at: property.value.range)
  }

  private func invalid(_ property: PropertySyntax, _ value: String, _ why: String) -> QueryError {
    QueryError(
      .invalidTableProperty,
      "Invalid value for catalog 'awsdatacatalog' table property '\(property.name.canonicalName)': \(value); \(why)",
      at: property.value.range)
  }
}

/// A format that statements write, and what a table of it is declared as.
enum WriteFormat: Sendable, CaseIterable {
  case parquet, orc, avro, text, json, csv

  /// The format that the catalog calls so; nil for others.
  init?(catalogName: String) {
    guard let format = WriteFormat.allCases.first(where: { $0.catalogName == catalogName }) else { return nil }
    self = format
  }

  /// - Throws: `NOT_SUPPORTED` for formats without a writer, `INVALID_TABLE_PROPERTY` for unknown ones.
  init(named name: String, at range: SourceRange, followsAthena: Bool) throws(QueryError) {
    switch name.uppercased() {
    case "PARQUET": self = .parquet
    case "ORC": self = .orc
    case "AVRO": self = .avro
    case "TEXTFILE": self = .text
    case "JSON": self = .json
    case "CSV" where !followsAthena: self = .csv
    case "ION": throw .notSupported("Writing ION files is not supported", at: range)
    default:
      throw QueryError(
        .invalidTableProperty, "Unknown format '\(name)'", at: range,
        hint: "Use PARQUET, ORC, AVRO, TEXTFILE or JSON" + (followsAthena ? "." : ", or CSV for quoted text."))
    }
  }

  var label: String {
    switch self {
    case .parquet: "PARQUET"
    case .orc: "ORC"
    case .avro: "AVRO"
    case .text: "TEXTFILE"
    case .json: "JSON"
    case .csv: "CSV"
    }
  }

  /// The name that the catalog keeps.
  var catalogName: String {
    switch self {
    case .parquet: "parquet"
    case .orc: "orc"
    case .avro: "avro"
    case .text: "textfile"
    case .json: "json"
    case .csv: "csv"
    }
  }

  var serde: String {
    switch self {
    case .parquet: "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    case .orc: "org.apache.hadoop.hive.ql.io.orc.OrcSerde"
    case .avro: "org.apache.hadoop.hive.serde2.avro.AvroSerDe"
    case .text: "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
    case .json: "org.apache.hive.hcatalog.data.JsonSerDe"
    case .csv: "org.apache.hadoop.hive.serde2.OpenCSVSerde"
    }
  }

  /// The table property that names the codec.
  var compressionProperty: String {
    switch self {
    case .parquet: "parquet.compression"
    case .orc: "orc.compress"
    case .avro, .text, .json, .csv: "write.compression"
    }
  }

  /// What files are compressed with when nothing is said; nil for what the writer takes itself.
  ///
  /// - Source: Athena user guide, "Athena compression support".
  var usualCompression: String? {
    switch self {
    case .orc: "ZLIB"
    case .avro: nil
    case .parquet, .text, .json, .csv: "GZIP"
    }
  }
}
