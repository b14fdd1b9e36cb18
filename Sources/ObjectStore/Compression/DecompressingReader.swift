package import QueryErrors

/// Reads an object as a stream of decompressed bytes, in pieces of any size.
///
/// - Units: the meter counts compressed bytes, as they are read.
/// - Threads: one thread at a time.
package final class DecompressingReader {
  package let source: any ByteSource
  package let codec: CompressionCodec

  /// - Parameters:
  ///   - codec: nil finds it by the name and first bytes.
  ///   - expectsAll: whether the whole stream will be read; small gzip files are then decoded at once, which is faster.
  package init(
    _ source: any ByteSource, codec: CompressionCodec? = nil, kind: ScanKind = .data, expectsAll: Bool = true
  ) throws(QueryError) {
    self.source = source
    self.codec = codec ?? .none
  }

  /// Writes the next bytes of the stream and returns their count; fewer than `capacity` only at the end, then 0.
  ///
  /// - Throws: `HIVE_BAD_DATA` with path and compressed byte offset when the stream is damaged or cut off; the errors of
  ///   `ByteSource.read`.
  package func read(into target: UnsafeMutableRawPointer, capacity: Int) throws(QueryError) -> Int {
    throw QueryError.notSupported("Decompression of \(codec.rawValue)")
  }

  /// Compressed bytes taken so far.
  package var compressedOffset: UInt64 { 0 }
}
