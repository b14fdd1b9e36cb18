import Columnar
import ObjectStore
import QueryErrors

/// Writes an Avro object container file.
///
///     "Obj" 1 | metadata: schema, codec | marker | blocks: row count, byte count, rows, marker
///
/// - Source: Apache Avro 1.12 Specification, "Object Container Files".
final class AvroWriter: BatchFileWriter {
  private let object: any ObjectWriter
  private let options: WriterOptions
  private let codec: CompressionCodec
  private let codecName: String
  private let level: Int32?
  private let schemaText: String
  private let encoders: [AvroEncoder]
  private let compressor = Compressor()
  private let marker: [UInt8]
  private let blockRowCount: Int
  private let blockByteCount: Int

  // MARK: Changes while writing

  /// The rows of the block that is open.
  private let block = ByteBuilder(capacity: AvroWriter.usualBlockByteCount)
  private var blockRows = 0
  private var target = Buffer(byteCount: 0)
  private var writtenByteCount = 0
  private var rowCount = 0
  private var columns: [FileSummary.Column]

  /// As Avro's own writers have it.
  private static let usualBlockByteCount = 64_000

  init(_ schema: Schema, _ options: WriterOptions, to object: any ObjectWriter) throws(QueryError) {
    self.object = object
    self.options = options
    level = options.level.map(Int32.init)
    guard !schema.fields.isEmpty else { throw QueryError.notSupported("Avro files without columns") }
    if !options.bloomFilterColumns.isEmpty { throw QueryError.notSupported("Bloom filters in Avro files") }
    (codec, codecName) = try AvroWriter.codec(options)
    (schemaText, encoders) = try AvroWriterSchema.make(schema)
    blockRowCount = max(1, options.blockRowCount ?? Int.max)
    blockByteCount = max(1, options.blockByteCount ?? AvroWriter.usualBlockByteCount)
    var random = SystemRandomNumberGenerator()
    marker = (0..<AvroHeader.syncByteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
    columns = Array(repeating: FileSummary.Column(), count: schema.fields.count)
  }

  /// - Throws: `INVALID_TABLE_PROPERTY` for a codec that Avro files do not have.
  private static func codec(_ options: WriterOptions) throws(QueryError) -> (CompressionCodec, String) {
    switch options.compression?.uppercased() ?? "DEFLATE" {
    case "DEFLATE": return (.deflateRaw, "deflate")
    case "SNAPPY": return (.snappyRaw, "snappy")
    case "ZSTD": return (.zstd, "zstandard")
    case "BZIP2": return (.bzip2, "bzip2")
    case "NONE", "UNCOMPRESSED": return (.none, "null")
    case let name:
      throw QueryError(
        .invalidTableProperty, "Avro files cannot be written with compression '\(name)'",
        hint: "Use DEFLATE, SNAPPY, ZSTD, BZIP2 or NONE.")
    }
  }

  var byteCount: Int { writtenByteCount + (codec == .none ? block.count : block.count / 3) }
  var heldByteCount: Int { block.count }

  // MARK: Rows

  func append(_ batch: Batch) throws(QueryError) {
    for (index, column) in batch.columns.enumerated() {
      encoders[index].begin(column)
      columns[index].nullCount += column.nullCount
    }
    for row in 0..<batch.rowCount {
      for encoder in encoders { try encoder.append(row, to: block) }
      blockRows += 1
      if block.count >= blockByteCount || blockRows >= blockRowCount { try finishBlock() }
    }
    rowCount += batch.rowCount
    for encoder in encoders { encoder.end() }
  }

  private func finishBlock() throws(QueryError) {
    try begin()
    if blockRows == 0 { return }
    let head = ByteBuilder()
    head.append(zigzag: Int64(blockRows))
    if codec == .none {
      head.append(zigzag: Int64(block.count))
      try write(head)
      try write(block)
    } else {
      let capacity = compressor.maximumSize(codec, count: block.count) + 4
      if target.byteCount < capacity { target = Buffer(byteCount: capacity) }
      var size = try compressor.compress(
        codec, block.pointer, count: block.count, into: target.pointer, capacity: target.byteCount - 4, level: level)
      if codec == .snappyRaw {
        let checksum = Checksums.crc32(block.pointer, count: block.count)
        target.pointer.storeBytes(of: checksum.bigEndian, toByteOffset: size, as: UInt32.self)
        size += 4
      }
      head.append(zigzag: Int64(size))
      try write(head)
      try write(UnsafeRawBufferPointer(start: target.pointer, count: size))
    }
    try write(marker)
    block.removeAll()
    blockRows = 0
  }

  // MARK: Bytes

  private func write(_ bytes: UnsafeRawBufferPointer) throws(QueryError) {
    try object.write(bytes)
    writtenByteCount += bytes.count
  }

  private func write(_ bytes: ByteBuilder) throws(QueryError) {
    try write(UnsafeRawBufferPointer(start: bytes.pointer, count: bytes.count))
  }

  private func write(_ bytes: [UInt8]) throws(QueryError) {
    let builder = ByteBuilder(capacity: bytes.count)
    builder.append(bytes)
    try write(builder)
  }

  /// Writes the header, once.
  private func begin() throws(QueryError) {
    if writtenByteCount > 0 { return }
    let head = ByteBuilder()
    head.append([0x4f, 0x62, 0x6a, 0x01])
    var metadata = options.keyValues.filter { !$0.key.hasPrefix("avro.") }
    metadata["avro.schema"] = schemaText
    metadata["avro.codec"] = codecName
    head.append(zigzag: Int64(metadata.count))
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      for text in [key, value] {
        let bytes = Array(text.utf8)
        head.append(zigzag: Int64(bytes.count))
        head.append(bytes)
      }
    }
    head.append(byte: 0)
    head.append(marker)
    try write(head)
  }

  func finish() throws(QueryError) -> FileSummary {
    try finishBlock()
    return FileSummary(rowCount: rowCount, byteCount: writtenByteCount, columns: columns)
  }
}
