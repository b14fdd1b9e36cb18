import ObjectStore
import QueryErrors

/// Sizes and choices of an ORC writer.
struct ORCWriterSettings: Sendable {
  /// Nil: not compressed, and without chunks.
  var codec: CompressionCodec?
  var level: Int32?
  /// A stripe ends after so many rows, or about so many bytes in the file.
  var stripeRowCount = Int(Int32.max)
  var stripeByteCount = 64 << 20
  /// Rows between the entries of the row indexes.
  var rowIndexStride = 10_000
  /// Bytes that are compressed at once.
  var chunkByteCount = 64 << 10
  /// Values after which a dictionary that holds half of them is given up.
  var dictionaryTrial = 1 << 16
  /// Bytes of a dictionary's entries.
  var largestDictionary = 16 << 20

  /// - Throws: `INVALID_TABLE_PROPERTY` for a codec that ORC files do not have.
  init(_ options: WriterOptions) throws(QueryError) {
    switch options.compression?.uppercased() ?? "ZLIB" {
    case "ZLIB": codec = .deflateRaw
    case "SNAPPY": codec = .snappyRaw
    case "LZ4": codec = .lz4Raw
    case "ZSTD": codec = .zstd
    case "NONE", "UNCOMPRESSED": codec = nil
    case let name:
      throw QueryError(
        .invalidTableProperty, "ORC files cannot be written with compression '\(name)'",
        hint: "Use ZLIB, SNAPPY, LZ4, ZSTD or NONE.")
    }
    level = options.level.map(Int32.init)
    if let count = options.blockRowCount { stripeRowCount = max(1, count) }
    if let count = options.blockByteCount { stripeByteCount = max(1, count) }
  }

  /// The codec's number in the format.
  var codecNumber: Int {
    switch codec {
    case .deflateRaw: 1
    case .snappyRaw: 2
    case .lz4Raw: 4
    case .zstd: 5
    default: 0
    }
  }
}
