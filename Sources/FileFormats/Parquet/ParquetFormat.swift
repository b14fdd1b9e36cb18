package import Columnar
package import ObjectStore
package import QueryErrors

/// Apache Parquet: columns in compressed pages, with a footer that tells where they are and what they hold.
///
/// Columns are matched by name, case ignored; with the SerDe property `parquet.column.index.access` by position.
///
/// - Source: apache/parquet-format.
package struct ParquetFormat: FileFormat {
  package static let descriptor = FormatDescriptor(
    name: "parquet", label: "Parquet", storedAs: ["PARQUET"],
    serdes: [
      "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe", "parquet.hive.serde.ParquetHiveSerDe",
    ],
    inputFormats: [
      "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat", "parquet.hive.DeprecatedParquetInputFormat",
      "parquet.hive.MapredParquetInputFormat",
    ],
    outputFormats: [
      "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat", "parquet.hive.DeprecatedParquetOutputFormat",
      "parquet.hive.MapredParquetOutputFormat",
    ],
    extensions: ["parquet", "parq", "pq"],
    summary: "Columns in compressed pages with statistics, so that a query reads only what it needs.",
    recognizes: { head in head.starts(with: "PAR1".utf8) ? .magic : .no })

  private let matchesByPosition: Bool
  package var matchesByName: Bool { !matchesByPosition }

  package init(_ options: FormatOptions) throws(QueryError) {
    switch options.properties["parquet.column.index.access"]?.lowercased() {
    case nil, "false": matchesByPosition = false
    case "true": matchesByPosition = true
    case let value?:
      throw QueryError(
        .invalidTableProperty, "Invalid value for parquet.column.index.access: '\(value)'",
        hint: "Write 'true' (columns by position) or 'false' (by name).")
    }
  }

  package func inferSchema(_ source: any ByteSource) throws(QueryError) -> Schema {
    let footer = try ParquetFooter.read(source, kind: .sampling)
    return Schema(footer.schema.namedColumns)
  }

  package func makeWriter(
    _ schema: Schema, _ options: WriterOptions, to object: any ObjectWriter
  ) throws(QueryError) -> any BatchFileWriter {
    try ParquetWriter(schema, options, to: object)
  }

  package func open(_ source: any ByteSource) throws(QueryError) -> any FormatFile {
    // Writers that were stopped leave files of no bytes: no rows, as Hive has it.
    if source.byteCount == 0 { return EmptyFile() }
    return ParquetFile(source, try ParquetFooter.read(source, kind: .metadata), matchesByPosition: matchesByPosition)
  }
}
