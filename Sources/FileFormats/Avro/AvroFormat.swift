package import Columnar
package import ObjectStore
package import QueryErrors

/// Apache Avro object container files: rows one after the other in compressed blocks, with the schema they were written by.
///
/// Columns are matched by name, case ignored, also by the aliases of a reader's schema in `avro.schema.literal`, whose
/// defaults stand in for columns that a file lacks.
///
/// - Source: Apache Avro 1.12 Specification, "Object Container Files".
package struct AvroFormat: FileFormat {
  package static let descriptor = FormatDescriptor(
    name: "avro", label: "Avro", storedAs: ["AVRO"], serdes: ["org.apache.hadoop.hive.serde2.avro.AvroSerDe"],
    inputFormats: ["org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat"],
    outputFormats: ["org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat"], extensions: ["avro"],
    summary: "Rows with a schema, in compressed blocks.",
    recognizes: { head in head.starts(with: [0x4f, 0x62, 0x6a, 0x01]) ? .magic : .no })

  /// What the table says of its columns beside their types.
  private let readerMembers: [AvroSchema.Member]

  package init(_ options: FormatOptions) throws(QueryError) {
    if let url = options.properties["avro.schema.url"] {
      throw QueryError.notSupported(
        "avro.schema.url ('\(url)') is not supported", hint: "Put the schema itself in avro.schema.literal.")
    }
    guard let literal = options.properties["avro.schema.literal"] else {
      readerMembers = []
      return
    }
    guard case .record(_, let members) = try AvroSchema(parsing: literal, path: nil) else {
      throw QueryError(.invalidTableProperty, "avro.schema.literal is not the schema of a record")
    }
    readerMembers = members
  }

  package func inferSchema(_ source: any ByteSource) throws(QueryError) -> Schema {
    Schema(try AvroHeader.read(source, kind: .sampling).namedColumns)
  }

  package func makeWriter(
    _ schema: Schema, _ options: WriterOptions, to object: any ObjectWriter
  ) throws(QueryError) -> any BatchFileWriter {
    try AvroWriter(schema, options, to: object)
  }

  package func open(_ source: any ByteSource) throws(QueryError) -> any FormatFile {
    // Writers that were stopped leave files of no bytes: no rows, as Hive has it.
    if source.byteCount == 0 { return EmptyFile() }
    return AvroFile(source, try AvroHeader.read(source, kind: .metadata), readerMembers)
  }
}

/// The beginning of a file: its schema, how its blocks are compressed, and the marker that stands behind each.
struct AvroHeader: Sendable {
  var schema: AvroSchema
  var codec: CompressionCodec
  /// Snappy blocks end with a checksum of four bytes.
  var isSnappy: Bool
  var sync: [UInt8]
  /// Where the first block begins.
  var byteCount: UInt64

  /// The columns with the SQL types that hold their values.
  var namedColumns: [Field] {
    guard case .record(_, let members) = schema else { return [Field("_col0", schema.naturalType)] }
    return members.map { Field($0.name, $0.schema.naturalType) }
  }

  static let syncByteCount = 16
  private static let firstReadByteCount: UInt64 = 64 << 10

  static func read(_ source: any ByteSource, kind: ScanKind) throws(QueryError) -> AvroHeader {
    func bad(_ message: String) -> QueryError {
      QueryError(.hiveBadData, message, data: DataLocation(path: source.path))
    }
    var wanted = min(source.byteCount, firstReadByteCount)
    while true {
      let bytes = try source.read(0..<wanted, kind: kind)
      defer { withExtendedLifetime(bytes) {} }
      guard bytes.count >= 4, bytes.bytes.prefix(4).elementsEqual([0x4f, 0x62, 0x6a, 0x01]) else {
        throw bad("Not an Avro file: it does not begin with the magic bytes Obj1")
      }
      do throws(AvroDamage) {
        let (metadata, sync, end) = try parse(bytes)
        return try header(metadata, sync, UInt64(end), source.path)
      } catch {
        // A schema may be longer than what was read.
        if let cause = error.cause { throw cause }
        guard wanted < source.byteCount else { throw bad("Corrupt Avro file: \(error.reason)") }
        wanted = min(source.byteCount, wanted * 8)
      }
    }
  }

  private static func parse(_ bytes: ByteSlice) throws(AvroDamage) -> ([String: String], [UInt8], Int) {
    let start = bytes.pointer.assumingMemoryBound(to: UInt8.self)
    var cursor = AvroCursor(start + 4, count: bytes.count - 4)
    var metadata: [String: String] = [:]
    while true {
      let count = try cursor.blockCount()
      if count == 0 { break }
      for _ in 0..<count {
        let (key, keyLength) = try cursor.sized()
        let (value, valueLength) = try cursor.sized()
        metadata[String(decoding: UnsafeRawBufferPointer(start: key, count: keyLength), as: UTF8.self)] =
          String(decoding: UnsafeRawBufferPointer(start: value, count: valueLength), as: UTF8.self)
      }
    }
    let sync = Array(UnsafeRawBufferPointer(start: try cursor.bytes(syncByteCount), count: syncByteCount))
    return (metadata, sync, cursor.at - start)
  }

  private static func header(
    _ metadata: [String: String], _ sync: [UInt8], _ end: UInt64, _ path: String
  ) throws(AvroDamage) -> AvroHeader {
    guard let text = metadata["avro.schema"] else { throw AvroDamage("the header has no schema") }
    let codec: CompressionCodec
    switch metadata["avro.codec"] ?? "null" {
    case "null": codec = .none
    case "deflate": codec = .deflateRaw
    case "snappy": codec = .snappyRaw
    case "zstandard": codec = .zstd
    case "bzip2": codec = .bzip2
    case let name:
      throw AvroDamage(
        QueryError(.notSupported, "Avro files compressed with '\(name)' are not supported", data: DataLocation(path: path)))
    }
    do throws(QueryError) {
      return AvroHeader(
        schema: try AvroSchema(parsing: text, path: path), codec: codec, isSnappy: codec == .snappyRaw, sync: sync,
        byteCount: end)
    } catch { throw AvroDamage(error) }
  }
}
