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
    name: "parquet", storedAs: ["PARQUET"],
    serdes: [
      "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe", "parquet.hive.serde.ParquetHiveSerDe",
    ],
    extensions: ["parquet", "parq", "pq"],
    summary: "Columns in compressed pages with statistics, so that a query reads only what it needs.")

  private let matchesByPosition: Bool

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
    // Columns that differ in case only, or are twice the same, are all there.
    let names = footer.schema.names.distinct
    return Schema(zip(names, footer.schema.columns).map { Field($0, $1.naturalType) })
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
