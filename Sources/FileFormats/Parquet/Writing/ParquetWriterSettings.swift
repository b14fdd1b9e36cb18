import ObjectStore
import QueryErrors

/// Sizes and choices of a Parquet writer.
struct ParquetWriterSettings: Sendable {
  var codec: CompressionCodec
  var level: Int?
  /// A row group ends after so many rows, or bytes held or written.
  var rowGroupRowCount = 1 << 20
  var rowGroupByteCount = 128 << 20
  /// A page ends after so many rows, or bytes of values.
  var pageRowCount = 20_480
  var pageByteCount = 1 << 20
  /// Bytes of a dictionary's entries.
  var largestDictionary = 1 << 20
  /// Values after which a dictionary that holds half of them is given up.
  var dictionaryTrial = 1 << 16
  var encodings = WriterOptions.Encodings.common

  /// - Throws: `INVALID_TABLE_PROPERTY` for a codec that Parquet files do not have.
  init(_ options: WriterOptions) throws(QueryError) {
    switch options.compression?.uppercased() ?? "SNAPPY" {
    case "SNAPPY": codec = .snappyRaw
    case "GZIP": codec = .gzip
    case "ZSTD": codec = .zstd
    case "LZ4", "LZ4_RAW": codec = .lz4Raw
    case "BROTLI": codec = .brotli
    case "NONE", "UNCOMPRESSED": codec = .none
    case let name:
      throw QueryError(
        .invalidTableProperty, "Parquet files cannot be written with compression '\(name)'",
        hint: "Use SNAPPY, GZIP, ZSTD, LZ4, BROTLI or NONE.")
    }
    level = options.level
    if let count = options.blockRowCount { rowGroupRowCount = max(1, count) }
    if let count = options.blockByteCount { rowGroupByteCount = max(1, count) }
    encodings = options.encodings
  }

  /// The codec's number in the format.
  var codecNumber: Int {
    switch codec {
    case .snappyRaw: 1
    case .gzip: 2
    case .brotli: 4
    case .zstd: 6
    case .lz4Raw: 7
    default: 0
    }
  }
}

extension WriterOptions.Encodings {
  /// Encodings to try beside PLAIN for values that are not in a dictionary.
  func others(_ type: ParquetPhysicalType) -> [ParquetEncoding] {
    switch (self, type) {
    case (.plain, _): []
    case (_, .int32), (_, .int64): [.deltaBinaryPacked]
    case (.common, .byteArray): [.deltaLengthByteArray]
    case (.all, .byteArray): [.deltaLengthByteArray, .deltaByteArray]
    case (.all, .float), (.all, .double): [.byteStreamSplit]
    default: []
    }
  }
}
