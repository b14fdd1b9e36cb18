/// How bytes are compressed: the algorithm and the container around it.
package enum CompressionCodec: String, Sendable, CaseIterable {
  case none
  /// RFC 1952, members may follow one another.
  case gzip
  /// RFC 1950; Hadoop's DefaultCodec (`.deflate`).
  case zlib
  /// RFC 1951, without a container: ORC's ZLIB, Avro's deflate.
  case deflateRaw
  /// RFC 8878, frames may follow one another.
  case zstd
  /// One LZ4 block: Parquet's LZ4_RAW.
  case lz4Raw
  /// Hadoop's block format around LZ4 blocks: Parquet's LZ4, `.lz4` files of Hive.
  case lz4Hadoop
  /// The LZ4 frame format: `.lz4` files of the lz4 tool.
  case lz4Frame
  /// One Snappy block: Parquet's SNAPPY.
  case snappyRaw
  /// Hadoop's block format around Snappy blocks: `.snappy` files of Hive.
  case snappyHadoop
  /// The Snappy framing format: `.sz` files.
  case snappyFramed
  /// Streams may follow one another.
  case bzip2
  /// RFC 7932.
  case brotli

  /// The codec a file name ends in; `none` for every other name.
  ///
  /// `.lz4` and `.snappy` stand for Hadoop's formats, as in Athena; `detect` also looks at the bytes.
  package static func fromExtension(_ path: String) -> CompressionCodec {
    switch pathExtension(path) {
    case "gz", "gzip", "bgz": .gzip
    case "deflate", "zlib", "zz": .zlib
    case "zst", "zstd": .zstd
    case "lz4": .lz4Hadoop
    case "snappy": .snappyHadoop
    case "sz": .snappyFramed
    case "bz2", "bzip2": .bzip2
    case "br": .brotli
    default: .none
    }
  }

  /// The codec of a file, from its name and its first bytes.
  ///
  /// The bytes decide between formats that share an ending; a name without a known ending is not compressed.
  ///
  /// - Parameter prefix: the first bytes of the file, 16 if it has as many.
  package static func detect(path: String, prefix: UnsafeRawBufferPointer) -> CompressionCodec {
    let named = fromExtension(path)
    switch named {
    case .lz4Hadoop, .lz4Raw, .lz4Frame:
      return startsWith(prefix, lz4FrameMagic) || startsWithSkippableFrame(prefix) ? .lz4Frame : .lz4Hadoop
    case .snappyHadoop, .snappyFramed, .snappyRaw:
      return startsWith(prefix, snappyFrameMagic) ? .snappyFramed : named
    default: return named
    }
  }

  /// The path without the ending that names a codec: `a.csv` of `a.csv.gz`, so that the format's ending shows.
  package static func withoutExtension(_ path: String) -> String {
    guard fromExtension(path) != .none, let dot = path.utf8.lastIndex(of: UInt8(ascii: ".")) else { return path }
    return String(path[..<dot])
  }

  /// Whether a reader can start inside a compressed file; no stream here can, so such a file is one split.
  package var isSplittable: Bool { self == .none }

  /// The codec's name as messages say it.
  package var name: String {
    switch self {
    case .none: "uncompressed"
    case .gzip, .zlib, .zstd, .bzip2, .brotli: rawValue
    case .deflateRaw: "deflate"
    case .lz4Raw: "LZ4"
    case .lz4Hadoop: "LZ4, Hadoop blocks"
    case .lz4Frame: "LZ4 frames"
    case .snappyRaw: "Snappy"
    case .snappyHadoop: "Snappy, Hadoop blocks"
    case .snappyFramed: "Snappy frames"
    }
  }

  /// The ending of files written with this codec, with its dot.
  package var fileExtension: String {
    switch self {
    case .none: ""
    case .gzip: ".gz"
    case .zlib, .deflateRaw: ".deflate"
    case .zstd: ".zst"
    case .lz4Raw, .lz4Hadoop, .lz4Frame: ".lz4"
    case .snappyRaw, .snappyHadoop: ".snappy"
    case .snappyFramed: ".sz"
    case .bzip2: ".bz2"
    case .brotli: ".br"
    }
  }

  static let lz4FrameMagic: [UInt8] = [0x04, 0x22, 0x4D, 0x18]
  static let snappyFrameMagic: [UInt8] = [0xFF, 0x06, 0x00, 0x00, 0x73, 0x4E, 0x61, 0x50, 0x70, 0x59]

  private static func startsWith(_ prefix: UnsafeRawBufferPointer, _ magic: [UInt8]) -> Bool {
    prefix.count >= magic.count && prefix.prefix(magic.count).elementsEqual(magic)
  }

  /// - Source: LZ4 frame format, skippable frames: magic 0x184D2A50 to 0x184D2A5F.
  private static func startsWithSkippableFrame(_ prefix: UnsafeRawBufferPointer) -> Bool {
    prefix.count >= 4 && prefix[0] & 0xF0 == 0x50 && prefix[1] == 0x2A && prefix[2] == 0x4D && prefix[3] == 0x18
  }

  /// The ending after the last dot of the last name, in lower case.
  private static func pathExtension(_ path: String) -> String {
    let name = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[path.index(after: $0)...] } ?? path[...]
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return "" }
    return name[name.index(after: dot)...].lowercased()
  }
}
