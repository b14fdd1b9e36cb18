import QueryErrors

/// Decompresses a stream that arrives and leaves in pieces of any size.
///
/// - Threads: one thread at a time.
protocol DecompressionStream: AnyObject {
  /// Takes bytes from `source` and writes bytes to `target`; both counts 0 means: needs more of one of them.
  ///
  /// - Throws: `HIVE_BAD_DATA` when the stream is damaged; the caller adds the place.
  func decode(
    _ source: UnsafeRawPointer, count: Int, into target: UnsafeMutableRawPointer, capacity: Int
  ) throws(QueryError) -> (consumed: Int, produced: Int)

  /// Whether the stream may end after what was consumed, when nothing is left of its source.
  var isAtBoundary: Bool { get }

  /// How many contiguous bytes the next `decode` needs to get anywhere.
  var neededByteCount: Int { get }
}

/// The stream decoder of a codec.
///
/// - Throws: `NOT_SUPPORTED` for codecs that have no streams.
func makeDecompressionStream(_ codec: CompressionCodec) throws(QueryError) -> any DecompressionStream {
  switch codec {
  case .none: return PlainStream()
  case .gzip, .zlib: return try ZlibStream(codec)
  case .zstd: return try ZstdStream()
  case .bzip2: return try Bzip2Stream()
  case .brotli: return try BrotliStream()
  case .lz4Frame: return try LZ4FrameStream()
  case .snappyFramed: return SnappyFrameStream()
  case .lz4Hadoop, .snappyHadoop: return HadoopBlockStream(codec)
  case .lz4Raw, .snappyRaw, .deflateRaw:
    throw QueryError.notSupported("Files of a single \(codec.name) block")
  }
}

/// Bytes as they are.
final class PlainStream: DecompressionStream {
  func decode(
    _ source: UnsafeRawPointer, count: Int, into target: UnsafeMutableRawPointer, capacity: Int
  ) throws(QueryError) -> (consumed: Int, produced: Int) {
    let n = min(count, capacity)
    target.copyMemory(from: source, byteCount: n)
    return (n, n)
  }

  var isAtBoundary: Bool { true }
  var neededByteCount: Int { 1 }
}
