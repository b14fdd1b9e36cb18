import CBrotli
import CBzip2
import CDeflate
import CKernels
import CLZ4
import CSnappy
import CZstd
import Glibc
package import QueryErrors

/// Compresses blocks of bytes.
///
/// Every result stands alone, and results of one codec may follow one another in a file, except for `lz4Raw`, `snappyRaw`
/// and `brotli`.
///
/// - Threads: one instance per thread.
package final class Compressor {
  private var zstdContext: OpaquePointer?
  private var deflateContexts: [Int32: OpaquePointer] = [:]

  /// Decompressed size of a block in Hadoop's block format.
  private static let hadoopBlockSize = 128 << 10

  package init() {}

  deinit {
    if let zstdContext { ZSTD_freeCCtx(zstdContext) }
    for context in deflateContexts.values { libdeflate_free_compressor(context) }
  }

  /// How many bytes `compress` may write for `count` bytes.
  package func maximumSize(_ codec: CompressionCodec, count: Int) -> Int {
    switch codec {
    case .none: return count
    // Both of these depend little on the level; libdeflate states bounds without a context.
    case .gzip: return libdeflate_gzip_compress_bound(nil, count)
    case .zlib: return libdeflate_zlib_compress_bound(nil, count)
    case .deflateRaw: return libdeflate_deflate_compress_bound(nil, count)
    case .zstd: return ZSTD_compressBound(count)
    case .lz4Raw: return Compressor.lz4Bound(count)
    case .lz4Frame: return LZ4F_compressFrameBound(count, nil)
    case .snappyRaw: return snappy_max_compressed_length(count)
    case .lz4Hadoop, .snappyHadoop:
      let blocks = (count + Compressor.hadoopBlockSize - 1) / Compressor.hadoopBlockSize
      return blocks
        * (8
          + max(
            Compressor.lz4Bound(Compressor.hadoopBlockSize),
            snappy_max_compressed_length(Compressor.hadoopBlockSize)))
    case .snappyFramed:
      let chunks = (count + 65535) / 65536
      return 10 + chunks * (8 + snappy_max_compressed_length(65536))
    case .bzip2: return count + count / 100 + 600
    case .brotli: return max(16, BrotliEncoderMaxCompressedSize(count))
    }
  }

  /// Compresses `count` bytes and returns the size of the result.
  ///
  /// - Parameters:
  ///   - level: nil takes the codec's usual level (gzip 6, zstd 3, brotli 5, bzip2 9).
  ///   - capacity: at least `maximumSize`.
  /// - Throws: `NOT_SUPPORTED` for more than 2 GB at once where the codec cannot take it.
  package func compress(
    _ codec: CompressionCodec, _ source: UnsafeRawPointer, count: Int, into target: UnsafeMutableRawPointer,
    capacity: Int, level: Int32? = nil
  ) throws(QueryError) -> Int {
    let bytes = source.assumingMemoryBound(to: CChar.self)
    let out = target.assumingMemoryBound(to: CChar.self)
    switch codec {
    case .none:
      guard count <= capacity else { throw failure(codec) }
      memcpy(target, source, count)
      return count
    case .gzip, .zlib, .deflateRaw:
      let context = try deflate(level ?? 6)
      let size =
        switch codec {
        case .gzip: libdeflate_gzip_compress(context, source, count, target, capacity)
        case .zlib: libdeflate_zlib_compress(context, source, count, target, capacity)
        default: libdeflate_deflate_compress(context, source, count, target, capacity)
        }
      guard size > 0 else { throw failure(codec) }
      return size
    case .zstd:
      if zstdContext == nil { zstdContext = ZSTD_createCCtx() }
      guard let zstdContext else { throw Decompressor.outOfMemory(.zstd) }
      let size = ZSTD_compressCCtx(zstdContext, target, capacity, source, count, level ?? 3)
      guard ZSTD_isError(size) == 0 else { throw failure(codec) }
      return size
    case .lz4Raw:
      guard count <= Int(LZ4_MAX_INPUT_SIZE) else { throw tooLarge(codec) }
      let size = LZ4_compress_default(bytes, out, Int32(count), Int32(min(capacity, Int(Int32.max))))
      guard size > 0 else { throw failure(codec) }
      return Int(size)
    case .lz4Frame:
      let size = LZ4F_compressFrame(target, capacity, source, count, nil)
      guard LZ4F_isError(size) == 0 else { throw failure(codec) }
      return size
    case .snappyRaw:
      guard count <= Int(UInt32.max) else { throw tooLarge(codec) }
      var size = capacity
      guard snappy_compress(bytes, count, out, &size) == SNAPPY_OK else { throw failure(codec) }
      return size
    case .lz4Hadoop, .snappyHadoop: return try compressHadoop(codec, source, count, target, capacity)
    case .snappyFramed: return try compressSnappyFrames(source, count, target, capacity)
    case .bzip2:
      guard count <= Int(Int32.max) else { throw tooLarge(codec) }
      var size = UInt32(min(capacity, Int(UInt32.max)))
      let result = BZ2_bzBuffToBuffCompress(
        out, &size, UnsafeMutablePointer(mutating: bytes), UInt32(count), level ?? 9, 0, 0)
      guard result == BZ_OK else { throw failure(codec) }
      return Int(size)
    case .brotli:
      var size = capacity
      let done = BrotliEncoderCompress(
        level ?? 5, 22, BROTLI_MODE_GENERIC, count, source.assumingMemoryBound(to: UInt8.self), &size,
        target.assumingMemoryBound(to: UInt8.self))
      guard done != 0 else { throw failure(codec) }
      return size
    }
  }

  /// Compresses bytes into an array.
  package func compress(
    _ codec: CompressionCodec, _ bytes: UnsafeRawBufferPointer, level: Int32? = nil
  ) throws(QueryError) -> [UInt8] {
    let capacity = maximumSize(codec, count: bytes.count)
    var failed: QueryError?
    // The libraries want an address even for no bytes.
    let result = withUnsafeTemporaryAllocation(byteCount: 16, alignment: 16) { empty in
      let source = bytes.baseAddress ?? UnsafeRawPointer(empty.baseAddress!)
      return [UInt8](unsafeUninitializedCapacity: max(capacity, 16)) { buffer, count in
        do throws(QueryError) {
          count = try compress(
            codec, source, count: bytes.count, into: UnsafeMutableRawPointer(buffer.baseAddress!),
            capacity: buffer.count, level: level)
        } catch {
          failed = error
        }
      }
    }
    if let failed { throw failed }
    return result
  }

  // MARK: Containers

  private func compressHadoop(
    _ codec: CompressionCodec, _ source: UnsafeRawPointer, _ count: Int, _ target: UnsafeMutableRawPointer,
    _ capacity: Int
  ) throws(QueryError) -> Int {
    guard capacity >= maximumSize(codec, count: count) else { throw failure(codec) }
    var taken = 0
    var size = 0
    while taken < count {
      let block = min(Compressor.hadoopBlockSize, count - taken)
      let chunk = try compress(
        codec == .lz4Hadoop ? .lz4Raw : .snappyRaw, source + taken, count: block, into: target + size + 8,
        capacity: capacity - size - 8)
      target.storeBytes(of: UInt32(block).bigEndian, toByteOffset: size, as: UInt32.self)
      target.storeBytes(of: UInt32(chunk).bigEndian, toByteOffset: size + 4, as: UInt32.self)
      taken += block
      size += 8 + chunk
    }
    return size
  }

  private func compressSnappyFrames(
    _ source: UnsafeRawPointer, _ count: Int, _ target: UnsafeMutableRawPointer, _ capacity: Int
  ) throws(QueryError) -> Int {
    guard capacity >= maximumSize(.snappyFramed, count: count) else { throw failure(.snappyFramed) }
    target.copyMemory(from: CompressionCodec.snappyFrameMagic, byteCount: 10)
    var taken = 0
    var size = 10
    while taken < count {
      let chunk = min(65536, count - taken)
      var body = try compress(
        .snappyRaw, source + taken, count: chunk, into: target + size + 8, capacity: capacity - size - 8)
      var type: UInt32 = 0
      if body >= chunk {
        type = 1
        body = chunk
        memcpy(target + size + 8, source + taken, chunk)
      }
      let header = type | UInt32(body + 4) << 8
      target.storeBytes(of: header.littleEndian, toByteOffset: size, as: UInt32.self)
      let checksum = SnappyFrameStream.maskedChecksum(source + taken, chunk)
      target.storeBytes(of: checksum.littleEndian, toByteOffset: size + 4, as: UInt32.self)
      taken += chunk
      size += 8 + body
    }
    return size
  }

  private func deflate(_ level: Int32) throws(QueryError) -> OpaquePointer {
    if let context = deflateContexts[level] { return context }
    guard let context = libdeflate_alloc_compressor(level) else { throw failure(.gzip) }
    deflateContexts[level] = context
    return context
  }

  /// - Source: lz4.h, LZ4_COMPRESSBOUND.
  private static func lz4Bound(_ count: Int) -> Int { count + count / 255 + 16 }

  private func failure(_ codec: CompressionCodec) -> QueryError {
    QueryError(.hiveWriterError, "Compression failed (\(codec.name))")
  }

  private func tooLarge(_ codec: CompressionCodec) -> QueryError {
    QueryError.notSupported("\(codec.name) compression of more than 2 GB at once")
  }
}
