import Columnar
import Glibc
import ObjectStore
import QueryErrors

/// How a file's streams and footers are compressed: in chunks of at most `blockSize` bytes, each with a header of three.
///
///     length << 1 | isOriginal, little-endian      isOriginal: the chunk's bytes are not compressed
///
/// - Source: ORC Specification v1, "Compression".
struct ORCCompression: Sendable {
  /// Nil: not compressed, and without chunks.
  var codec: CompressionCodec?
  var blockSize: Int

  init(code: Int, blockSize: Int) throws(ORCDamage) {
    self.blockSize = blockSize
    switch code {
    case 0: codec = nil
    case 1: codec = .deflateRaw
    case 2: codec = .snappyRaw
    case 3: throw ORCDamage(cause: QueryError(.notSupported, "ORC files compressed with LZO are not supported"))
    case 4: codec = .lz4Raw
    case 5: codec = .zstd
    case 6: codec = .brotli
    default: throw ORCDamage("it is compressed with the unknown codec \(code)")
    }
  }

  /// All bytes of a compressed section.
  func expand(_ slice: ByteSlice, _ decompressor: Decompressor) throws(ORCDamage) -> ByteSlice {
    guard codec != nil else { return slice }
    let stream = ORCStream(slice, self, decompressor)
    var wanted = blockSize
    // Asking for more than there is gives all there is.
    while try stream.ensure(wanted) == wanted { wanted *= 2 }
    let count = stream.available
    let buffer = Buffer(byteCount: count)
    buffer.pointer.copyMemory(from: stream.next, byteCount: count)
    return ByteSlice(pointer: buffer.pointer, count: count, owner: buffer)
  }
}

/// One stream of a stripe, decompressed chunk by chunk as it is read.
///
/// Readers ask for as many contiguous bytes as they need and take them from `next`; `padding` bytes behind the last may be
/// read too.
///
/// - Threads: one.
final class ORCStream {
  static let padding = 64
  private let slice: ByteSlice
  private let compression: ORCCompression
  private let decompressor: Decompressor
  /// Decompressed bytes; nil for streams without chunks, which are read where they lie.
  private var window: Buffer?
  /// Where the next chunk's header lies in `slice`.
  private var nextChunk = 0
  private(set) var next: UnsafePointer<UInt8>
  private(set) var available: Int

  init(_ slice: ByteSlice, _ compression: ORCCompression, _ decompressor: Decompressor) {
    self.slice = slice
    self.compression = compression
    self.decompressor = decompressor
    next = slice.pointer.assumingMemoryBound(to: UInt8.self)
    available = compression.codec == nil ? slice.count : 0
  }

  @inline(__always)
  func advance(_ count: Int) {
    next += count
    available &-= count
  }

  /// Makes `count` bytes contiguous at `next`, or all that are left.
  ///
  /// - Returns: how many of the `count` there are.
  @inline(__always)
  func ensure(_ count: Int) throws(ORCDamage) -> Int {
    if available >= count { return count }
    return try refill(count)
  }

  /// Makes `count` bytes contiguous.
  ///
  /// - Throws: when the stream ends before.
  @inline(__always)
  func require(_ count: Int) throws(ORCDamage) {
    if available < count, try refill(count) < count { throw ORCDamage("a stream ends too early") }
  }

  @inline(never)
  private func refill(_ count: Int) throws(ORCDamage) -> Int {
    guard let codec = compression.codec else { return available }
    while available < count, nextChunk < slice.count {
      guard slice.count - nextChunk >= 3 else { throw ORCDamage("a compressed stream ends within a chunk's header") }
      let head = slice.pointer + nextChunk
      let word =
        Int(head.load(as: UInt8.self)) | Int(head.load(fromByteOffset: 1, as: UInt8.self)) << 8
        | Int(head.load(fromByteOffset: 2, as: UInt8.self)) << 16
      let (length, isOriginal) = (word >> 1, word & 1 == 1)
      guard length <= slice.count - nextChunk - 3 else { throw ORCDamage("a compressed chunk passes its stream's end") }
      guard length <= compression.blockSize || !isOriginal else { throw ORCDamage("a chunk is larger than the block size") }
      makeRoom(isOriginal ? length : compression.blockSize)
      let target = UnsafeMutableRawPointer(mutating: next + available)
      if isOriginal {
        target.copyMemory(from: head + 3, byteCount: length)
        available += length
      } else {
        do {
          available += try decompressor.decompress(
            codec, head + 3, count: length, into: target, capacity: compression.blockSize)
        } catch { throw ORCDamage(error.message) }
      }
      nextChunk += 3 + length
    }
    withExtendedLifetime(slice) {}
    return min(available, count)
  }

  /// Makes room for `count` bytes behind the unread ones, which move to the window's start.
  private func makeRoom(_ count: Int) {
    let needed = available + count
    if let window, window.byteCount >= needed {
      if window.pointer + window.byteCount - UnsafeMutableRawPointer(mutating: next + available) >= count { return }
      memmove(window.pointer, next, available)
      next = UnsafePointer(window.typed(UInt8.self))
      return
    }
    let larger = Buffer(byteCount: max(needed, compression.blockSize + 16 << 10, (window?.byteCount ?? 0) * 2))
    if available > 0 { memcpy(larger.pointer, next, available) }
    next = UnsafePointer(larger.typed(UInt8.self))
    window = larger
  }

  /// Goes to a place that a row index states.
  ///
  /// - Parameters:
  ///   - chunk: where the chunk's header lies in the stream; for streams without chunks the place itself.
  ///   - offset: decompressed bytes from the chunk's start; 0 without chunks.
  func seek(chunk: Int, offset: Int) throws(ORCDamage) {
    guard chunk >= 0, chunk <= slice.count, offset >= 0 else { throw ORCDamage("a row index points behind its stream") }
    if compression.codec == nil {
      next = slice.pointer.assumingMemoryBound(to: UInt8.self) + chunk
      available = slice.count - chunk
      return
    }
    nextChunk = chunk
    available = 0
    if let window { next = UnsafePointer(window.typed(UInt8.self)) }
    if offset > 0 {
      try require(offset)
      advance(offset)
    }
  }

  /// Passes over bytes.
  func skip(_ count: Int) throws(ORCDamage) {
    var rest = count
    while rest > 0 {
      let step = min(rest, compression.blockSize)
      try require(step)
      advance(step)
      rest -= step
    }
  }
}
