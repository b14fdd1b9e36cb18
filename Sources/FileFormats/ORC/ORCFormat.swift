package import Columnar
package import ObjectStore
package import QueryErrors

/// Apache ORC: stripes of columns in compressed streams, with statistics of the file, its stripes and every 10,000 rows.
///
/// Columns are matched by position, as Athena's engine does, with the SerDe property `orc.column.index.access` = `false` by
/// name, case ignored. Files read by path are matched by name.
///
/// - Source: ORC Specification v1.
package struct ORCFormat: FileFormat {
  package static let descriptor = FormatDescriptor(
    name: "orc", storedAs: ["ORC", "ORCFILE"],
    serdes: ["org.apache.hadoop.hive.ql.io.orc.OrcSerde"],
    inputFormats: ["org.apache.hadoop.hive.ql.io.orc.OrcInputFormat"],
    outputFormats: ["org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat"], extensions: ["orc"],
    summary: "Stripes of compressed columns with statistics, Hive's own columnar format.",
    recognizes: { head in head.starts(with: "ORC".utf8) ? .magic : .no })

  private let matchesByPosition: Bool
  package var matchesByName: Bool { !matchesByPosition }

  package init(_ options: FormatOptions) throws(QueryError) {
    switch options.properties["orc.column.index.access"]?.lowercased() {
    case nil: matchesByPosition = options.schema != nil
    case "true": matchesByPosition = true
    case "false": matchesByPosition = false
    case let value?:
      throw QueryError(
        .invalidTableProperty, "Invalid value for orc.column.index.access: '\(value)'",
        hint: "Write 'true' (columns by position) or 'false' (by name).")
    }
  }

  package func inferSchema(_ source: any ByteSource) throws(QueryError) -> Schema {
    Schema(try ORCFooter.read(source, kind: .sampling).namedColumns)
  }

  package func makeWriter(
    _ schema: Schema, _ options: WriterOptions, to object: any ObjectWriter
  ) throws(QueryError) -> any BatchFileWriter {
    try ORCWriter(schema, options, to: object)
  }

  package func open(_ source: any ByteSource) throws(QueryError) -> any FormatFile {
    // Writers that were stopped leave files of no bytes: no rows, as Hive has it.
    if source.byteCount == 0 { return EmptyFile() }
    return ORCFile(source, try ORCFooter.read(source, kind: .metadata), matchesByPosition: matchesByPosition)
  }
}

extension ORCFooter {
  /// The columns with the SQL types that hold their values.
  var namedColumns: [Field] {
    guard root.kind == .structure else { return [Field("_col0", root.naturalType)] }
    return zip(root.fieldNames, root.children).map { Field($0, $1.naturalType) }
  }
}
