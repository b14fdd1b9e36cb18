import FileFormats
import ObjectStore
import QueryErrors
import TableCatalog

/// How files of a table are written, as its properties say.
///
/// - Source: Athena user guide, "Athena compression support".
enum WriteOptions {
  /// - Throws: `INVALID_TABLE_PROPERTY` for a level that is none.
  static func of(_ table: TableDefinition) throws(QueryError) -> WriterOptions {
    var properties: [String: String] = [:]
    for (key, value) in table.serdeProperties { properties[key.lowercased()] = value }
    for (key, value) in table.properties { properties[key.lowercased()] = value }
    let format = WriteFormat(catalogName: FormatRegistry.format(named: table.serde ?? table.format)?.descriptor.name ?? "")
    let compression =
      format.flatMap { properties[$0.compressionProperty] } ?? properties["write.compression"] ?? properties["write_compression"]
      ?? format?.usualCompression
    var options = WriterOptions(compression: compression)
    if let text = properties["compression_level"], compression?.uppercased() == "ZSTD" {
      guard let level = Int(text), (1...22).contains(level) else {
        throw QueryError(.invalidTableProperty, "Invalid value for table property compression_level: '\(text)'", hint: "It is 1 to 22.")
      }
      options.level = level
    }
    return options
  }
}

/// The folder that a statement writes to.
enum WriteFolder {
  /// Whether no query would find anything in it.
  static func isEmpty(_ location: ObjectLocation) throws(QueryError) -> Bool {
    guard try location.exists() else { return true }
    return try location.store.list(location.path, depth: .oneLevel, detail: .names, meter: ScanMeter()).allSatisfy(\.isHidden)
  }
}
