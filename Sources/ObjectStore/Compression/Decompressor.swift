package import QueryErrors

/// Decompresses whole blocks, such as Parquet pages, whose decompressed size is known.
///
/// - Threads: one instance per thread; it keeps the libraries' contexts between calls.
package final class Decompressor {
  package init() {}

  /// Decompresses one block and returns how many bytes came out.
  ///
  /// Nothing is read outside `source ..< source + count` nor written outside `target ..< target + capacity`,
  /// whatever the bytes are.
  ///
  /// - Throws: `HIVE_BAD_DATA` when the block is damaged or holds more than `capacity` bytes (the caller adds the place).
  package func decompress(
    _ codec: CompressionCodec, _ source: UnsafeRawPointer, count: Int, into target: UnsafeMutableRawPointer,
    capacity: Int
  ) throws(QueryError) -> Int {
    throw QueryError.notSupported("Decompression of \(codec.rawValue)")
  }
}
