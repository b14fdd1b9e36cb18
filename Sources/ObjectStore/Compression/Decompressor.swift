import CBrotli
import CBzip2
import CDeflate
import CKernels
import CLZ4
import CZstd
import Glibc
package import QueryErrors

/// Decompresses whole blocks, such as Parquet pages, whose decompressed size is known.
///
/// - Threads: one instance per thread; it keeps the libraries' contexts between calls, which halves the cost of small
///   blocks.
package final class Decompressor {
  private var zstdContext: OpaquePointer?
  private var deflateContext: OpaquePointer?

  package init() {}

  deinit {
    if let zstdContext { ZSTD_freeDCtx(zstdContext) }
    if let deflateContext { libdeflate_free_decompressor(deflateContext) }
  }

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
    precondition(count >= 0 && capacity >= 0)
    if count == 0, capacity == 0 { return 0 }
    switch codec {
    case .none:
      guard count <= capacity else { throw Decompressor.damaged(codec, "more bytes than the block states") }
      memcpy(target, source, count)
      return count
    case .deflateRaw:
      var produced = 0
      let result = libdeflate_deflate_decompress(try deflate(), source, count, target, capacity, &produced)
      guard result == LIBDEFLATE_SUCCESS else {
        throw Decompressor.damaged(
          codec, result == LIBDEFLATE_INSUFFICIENT_SPACE ? "more bytes than the block states" : nil)
      }
      return produced
    case .gzip, .zlib: return try decompressDeflate(codec, source, count, target, capacity)
    case .zstd: return try decompressZstd(source, count, target, capacity)
    case .snappyRaw: return try Decompressor.snappyBlock(source, count, target, capacity)
    case .lz4Raw: return try Decompressor.lz4Block(source, count, target, capacity)
    case .lz4Hadoop:
      // As parquet-cpp: old writers put a bare LZ4 block under this name.
      if let size = try? Decompressor.hadoopBlocks(codec, source, count, target, capacity) { return size }
      return try Decompressor.lz4Block(source, count, target, capacity)
    case .snappyHadoop: return try Decompressor.hadoopBlocks(codec, source, count, target, capacity)
    case .brotli:
      var size = capacity
      let result = BrotliDecoderDecompress(
        count, source.assumingMemoryBound(to: UInt8.self), &size, target.assumingMemoryBound(to: UInt8.self))
      guard result == BROTLI_DECODER_RESULT_SUCCESS else { throw Decompressor.damaged(codec) }
      return size
    case .bzip2, .lz4Frame, .snappyFramed:
      return try decompressStream(codec, source, count, target, capacity)
    }
  }

  // MARK: Codecs

  private func decompressDeflate(
    _ codec: CompressionCodec, _ source: UnsafeRawPointer, _ count: Int, _ target: UnsafeMutableRawPointer,
    _ capacity: Int
  ) throws(QueryError) -> Int {
    let context = try deflate()
    var taken = 0
    var size = 0
    repeat {
      let rest = count - taken
      var consumed = 0
      var produced = 0
      let result: libdeflate_result
      // Parquet's GZIP pages are gzip or, from some writers, zlib.
      if rest >= 2, source.load(fromByteOffset: taken, as: UInt8.self) == 0x1F,
        source.load(fromByteOffset: taken + 1, as: UInt8.self) == 0x8B
      {
        result = libdeflate_gzip_decompress_ex(
          context, source + taken, rest, target + size, capacity - size, &consumed, &produced)
      } else if taken > 0 {
        // Zeros after the last member pad it.
        var index = taken
        while index < count, source.load(fromByteOffset: index, as: UInt8.self) == 0 { index += 1 }
        guard index == count else { throw Decompressor.damaged(codec, "bytes follow the last member", offset: taken) }
        return size
      } else {
        result = libdeflate_zlib_decompress_ex(context, source, rest, target, capacity, &consumed, &produced)
      }
      guard result == LIBDEFLATE_SUCCESS else {
        throw Decompressor.damaged(
          codec, result == LIBDEFLATE_INSUFFICIENT_SPACE ? "more bytes than the block states" : nil, offset: taken)
      }
      taken += consumed
      size += produced
      if consumed == 0 { break }
    } while taken < count
    return size
  }

  private func decompressZstd(
    _ source: UnsafeRawPointer, _ count: Int, _ target: UnsafeMutableRawPointer, _ capacity: Int
  ) throws(QueryError) -> Int {
    if zstdContext == nil { zstdContext = ZSTD_createDCtx() }
    guard let zstdContext else { throw Decompressor.outOfMemory(.zstd) }
    let size = ZSTD_decompressDCtx(zstdContext, target, capacity, source, count)
    if ZSTD_isError(size) != 0 {
      throw Decompressor.damaged(.zstd, String(cString: ZSTD_getErrorName(size)))
    }
    return size
  }

  /// Whether a block can hold so many bytes, as far as that is told without decompressing it: asked before memory is taken.
  package static func mayHold(
    _ size: Int, in codec: CompressionCodec, _ source: UnsafeRawPointer, count: Int
  ) -> Bool {
    switch codec {
    case .snappyRaw: return size <= count &* 64 &+ 1024
    case .lz4Raw, .lz4Hadoop: return size <= count &* 256 &+ 1024
    case .gzip, .zlib: return size <= count &* 1100 &+ 1024
    case .zstd:
      // One frame that tells its size; the walk over its blocks pays for large ones only.
      if size < largestUncheckedSize { return true }
      let frame = ZSTD_findFrameCompressedSize(source, count)
      guard ZSTD_isError(frame) == 0, frame == count else { return true }
      let stated = ZSTD_getFrameContentSize(source, count)
      // The two greatest numbers stand for "unknown" and "damaged".
      return stated >= UInt64.max - 1 || stated >= UInt64(size)
    default: return true
    }
  }

  private static let largestUncheckedSize = 1 << 20

  /// The libdeflate context of this thread.
  func deflate() throws(QueryError) -> OpaquePointer {
    if let deflateContext { return deflateContext }
    guard let context = libdeflate_alloc_decompressor() else { throw Decompressor.outOfMemory(.gzip) }
    deflateContext = context
    return context
  }

  /// Formats that are rare in blocks go through their streams.
  private func decompressStream(
    _ codec: CompressionCodec, _ source: UnsafeRawPointer, _ count: Int, _ target: UnsafeMutableRawPointer,
    _ capacity: Int
  ) throws(QueryError) -> Int {
    let stream = try makeDecompressionStream(codec)
    var taken = 0
    var size = 0
    while true {
      let step = try stream.decode(
        source + taken, count: count - taken, into: target + size, capacity: capacity - size)
      taken += step.consumed
      size += step.produced
      if step.consumed == 0, step.produced == 0 { break }
    }
    guard taken == count, stream.isAtBoundary else {
      throw Decompressor.damaged(
        codec, size == capacity ? "more bytes than the block states" : "unexpected end", offset: taken)
    }
    return size
  }

  /// Where a block of `size` bytes has them as they are, if it does.
  package static func offsetOfStored(
    _ codec: CompressionCodec, _ source: UnsafeRawPointer, count: Int, size: Int
  ) -> Int? {
    switch codec {
    case .none: return count == size ? 0 : nil
    case .snappyRaw:
      let offset = ck_snappy_literal(source, count, size)
      return offset == 0 ? nil : offset
    default: return nil
    }
  }

  static func snappyBlock(
    _ source: UnsafeRawPointer, _ count: Int, _ target: UnsafeMutableRawPointer, _ capacity: Int
  ) throws(QueryError) -> Int {
    let size = ck_snappy_decompress(source, count, target, capacity)
    if size < 0 { throw damaged(.snappyRaw, offset: Int(-1 - size)) }
    return Int(size)
  }

  static func lz4Block(
    _ source: UnsafeRawPointer, _ count: Int, _ target: UnsafeMutableRawPointer, _ capacity: Int
  ) throws(QueryError) -> Int {
    guard count <= Int(Int32.max) else { throw damaged(.lz4Raw, "block of \(count) bytes") }
    let size = LZ4_decompress_safe(
      source.assumingMemoryBound(to: CChar.self), target.assumingMemoryBound(to: CChar.self), Int32(count),
      Int32(min(capacity, Int(Int32.max))))
    if size < 0 { throw damaged(.lz4Raw) }
    return Int(size)
  }

  /// Hadoop's block format:
  ///
  ///     size of the block decompressed (4 bytes, big-endian)
  ///       size of the chunk compressed (4 bytes, big-endian), chunk; more chunks until the block is full
  ///
  /// - Source: Hadoop, `BlockDecompressorStream`.
  static func hadoopBlocks(
    _ codec: CompressionCodec, _ source: UnsafeRawPointer, _ count: Int, _ target: UnsafeMutableRawPointer,
    _ capacity: Int
  ) throws(QueryError) -> Int {
    var taken = 0
    var size = 0
    while taken < count {
      guard count - taken >= 4 else { throw damaged(codec, "unexpected end", offset: taken) }
      var blockRest = Int(loadBigEndian(source + taken))
      taken += 4
      guard blockRest <= capacity - size else {
        throw damaged(codec, "more bytes than the block states", offset: taken - 4)
      }
      while blockRest > 0 {
        guard count - taken >= 4 else { throw damaged(codec, "unexpected end", offset: taken) }
        let chunk = Int(loadBigEndian(source + taken))
        taken += 4
        guard chunk <= count - taken else { throw damaged(codec, "unexpected end", offset: taken - 4) }
        let produced: Int
        if codec == .snappyHadoop {
          produced = try snappyBlock(source + taken, chunk, target + size, blockRest)
        } else {
          produced = try lz4Block(source + taken, chunk, target + size, blockRest)
        }
        taken += chunk
        size += produced
        blockRest -= produced
        // Neither codec has a reason for a chunk of nothing.
        guard produced > 0 else { throw damaged(codec, "empty chunk", offset: taken) }
      }
    }
    return size
  }

  // MARK: Errors

  /// The error for a block or stream that is not what its codec writes.
  static func damaged(_ codec: CompressionCodec, _ reason: String? = nil, offset: Int? = nil) -> QueryError {
    var message = "Compressed data is damaged (\(codec.name))"
    if let reason { message += ": \(reason)" }
    if let offset { message += ", \(offset) bytes into the compressed data" }
    return QueryError(.hiveBadData, message)
  }

  static func outOfMemory(_ codec: CompressionCodec) -> QueryError {
    QueryError(.exceededLocalMemoryLimit, "Out of memory: \(codec.name) decompression")
  }
}

/// The big-endian number at an address of any alignment.
@inline(__always)
func loadBigEndian(_ pointer: UnsafeRawPointer) -> UInt32 {
  UInt32(bigEndian: pointer.loadUnaligned(as: UInt32.self))
}
