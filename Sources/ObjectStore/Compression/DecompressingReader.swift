import CDeflate
import CKernels
import Glibc
package import QueryErrors

/// Reads an object as a stream of decompressed bytes, in pieces of any size.
///
/// - Units: the meter counts compressed bytes, as they are read.
/// - Threads: one thread at a time.
package final class DecompressingReader {
  // MARK: Fixed for the object

  package let source: any ByteSource
  package let codec: CompressionCodec
  private let kind: ScanKind
  private let stream: (any DecompressionStream)?

  // MARK: Changes while reading

  /// Compressed bytes at hand, and how many of them were taken.
  private var input: ByteSlice?
  private var inputPosition = 0
  /// Where the next bytes of the object are read.
  private var readOffset: UInt64 = 0
  /// Bytes before here were asked for ahead.
  private var aheadEnd: UInt64 = 0
  /// The whole object decompressed, when it was decoded at once.
  private var whole: AlignedBuffer?
  private var wholeSize = 0
  private var wholePosition = 0
  private var hasEnded = false

  /// Compressed bytes read at a time.
  package static let inputSize = 512 << 10
  /// Larger gzip files are streamed; smaller ones are decoded at once, which is about twice as fast.
  private static let wholeInputLimit: UInt64 = 48 << 20
  private static let wholeOutputLimit = 160 << 20

  /// - Parameters:
  ///   - codec: nil finds it by the name and first bytes.
  ///   - expectsAll: whether the whole stream will be read; gzip files that are not too large are then decoded at once.
  /// - Throws: the errors of `ByteSource.read`; `HIVE_BAD_DATA` when the object is not what its name says.
  package init(
    _ source: any ByteSource, codec: CompressionCodec? = nil, kind: ScanKind = .data, expectsAll: Bool = true
  ) throws(QueryError) {
    self.source = source
    self.kind = kind
    let found: CompressionCodec
    if let codec {
      found = codec
    } else {
      let named = CompressionCodec.fromExtension(source.path)
      if named == .lz4Hadoop || named == .snappyHadoop, source.byteCount > 0 {
        // The first bytes decide; they stay at hand, so they are counted once.
        let end = min(source.byteCount, UInt64(DecompressingReader.inputSize))
        let slice = try source.read(0..<end, kind: kind)
        input = slice
        readOffset = end
        let detected = CompressionCodec.detect(path: source.path, prefix: slice.bytes)
        let isRaw = detected == .snappyHadoop && !DecompressingReader.looksLikeHadoopSnappy(slice, source.byteCount)
        found = isRaw ? .snappyRaw : detected
      } else {
        found = named
      }
    }
    self.codec = found
    stream = found == .snappyRaw ? nil : try makeDecompressionStream(found)
    if found == .snappyRaw {
      try decodeSnappyBlock()
    } else if found == .gzip, expectsAll, source.byteCount <= DecompressingReader.wholeInputLimit {
      try decodeGzip()
    }
  }

  /// Compressed bytes taken so far.
  package var compressedOffset: UInt64 {
    readOffset - UInt64((input?.count ?? 0) - inputPosition)
  }

  /// Writes the next bytes of the stream and returns their count; fewer than `capacity` only at the end, then 0.
  ///
  /// - Throws: `HIVE_BAD_DATA` with path and compressed byte offset when the stream is damaged or cut off; the errors of
  ///   `ByteSource.read`.
  package func read(into target: UnsafeMutableRawPointer, capacity: Int) throws(QueryError) -> Int {
    if let whole {
      let count = min(capacity, wholeSize - wholePosition)
      memcpy(target, whole.pointer + wholePosition, count)
      wholePosition += count
      return count
    }
    guard let stream, !hasEnded else { return 0 }
    var produced = 0
    while produced < capacity {
      let available = (input?.count ?? 0) - inputPosition
      let step: (consumed: Int, produced: Int)
      do throws(QueryError) {
        step = try stream.decode(
          input.map { $0.pointer + inputPosition } ?? UnsafeRawPointer(target), count: available,
          into: target + produced, capacity: capacity - produced)
      } catch {
        throw error.located(in: place)
      }
      inputPosition += step.consumed
      produced += step.produced
      if step.consumed > 0 || step.produced > 0 { continue }
      guard try fill(stream.neededByteCount) else {
        guard stream.isAtBoundary, compressedOffset == source.byteCount else {
          throw QueryError(
            .hiveBadData, "Compressed file is cut off (\(codec.name))", data: place,
            hint: "Compare its size with the original; it may not have been copied completely.")
        }
        hasEnded = true
        try source.checkUnchanged()
        break
      }
    }
    return produced
  }

  private var place: DataLocation {
    DataLocation(path: source.path, byteOffset: Int(truncatingIfNeeded: compressedOffset))
  }

  /// Reads more compressed bytes behind those at hand; false when there are none, or never enough.
  private func fill(_ needed: Int) throws(QueryError) -> Bool {
    let rest = (input?.count ?? 0) - inputPosition
    let left = source.byteCount - readOffset
    guard left > 0, UInt64(max(0, needed - rest)) <= left else { return false }
    let wanted = max(DecompressingReader.inputSize, needed - rest)
    let end = readOffset + min(left, UInt64(wanted))
    if source.waitsForRequests { readAhead(end) }
    let next = try source.read(readOffset..<end, kind: kind)
    readOffset = end
    if rest == 0 {
      input = next
    } else {
      guard let joined = AlignedBuffer(capacity: rest + next.count) else { throw Decompressor.outOfMemory(codec) }
      memcpy(joined.pointer, input!.pointer + inputPosition, rest)
      next.withBytes { _ = memcpy(joined.pointer + rest, $0.baseAddress!, $0.count) }
      input = ByteSlice(pointer: joined.pointer, count: rest + next.count, owner: joined)
    }
    inputPosition = 0
    return true
  }

  /// Bytes asked for ahead at a time, where a request takes its time: two such pieces are on their way.
  private static let aheadByteCount = UInt64(16 * inputSize)

  private func readAhead(_ end: UInt64) {
    aheadEnd = max(aheadEnd, readOffset)
    while aheadEnd < source.byteCount, aheadEnd < end + DecompressingReader.aheadByteCount {
      let next = min(source.byteCount, aheadEnd + DecompressingReader.aheadByteCount)
      source.prefetch([aheadEnd..<next])
      aheadEnd = next
    }
  }

  // MARK: Whole objects

  /// Decodes a gzip file of one member at once, with the size that its last bytes state; otherwise leaves it to the
  /// stream.
  ///
  /// - Source: RFC 1952, section 2.3.1, ISIZE.
  private func decodeGzip() throws(QueryError) {
    // Header and trailer alone take 18 bytes.
    guard source.byteCount >= 18 else { return }
    let slice = try source.read(0..<source.byteCount, kind: kind)
    input = slice
    readOffset = source.byteCount
    let size = Int(UInt32(littleEndian: (slice.pointer + slice.count - 4).loadUnaligned(as: UInt32.self)))
    // Deflate makes at most 1032 bytes of one.
    guard size > 0, size <= DecompressingReader.wholeOutputLimit, size / 1032 <= slice.count,
      let buffer = AlignedBuffer(capacity: size)
    else { return }
    let decompressor = Decompressor()
    var consumed = 0
    var produced = 0
    let result = libdeflate_gzip_decompress_ex(
      try decompressor.deflate(), slice.pointer, slice.count, buffer.pointer, size, &consumed, &produced)
    guard result == LIBDEFLATE_SUCCESS, consumed == slice.count else { return }
    whole = buffer
    wholeSize = produced
    input = nil
    try source.checkUnchanged()
  }

  /// Decodes a file that is one Snappy block.
  private func decodeSnappyBlock() throws(QueryError) {
    if source.byteCount == 0 {
      whole = AlignedBuffer(capacity: 0)
      return
    }
    let slice: ByteSlice
    if let input, UInt64(input.count) == source.byteCount {
      slice = input
    } else {
      // What is at hand was counted already; only the rest is read.
      _ = try fill(Int(source.byteCount))
      slice = input!
    }
    let size = Int(ck_snappy_size(slice.pointer, slice.count))
    // A copy element of 3 bytes gives at most 64.
    guard size >= 0, size / 64 <= slice.count else {
      throw Decompressor.damaged(codec).located(in: DataLocation(path: source.path, byteOffset: 0))
    }
    guard let buffer = AlignedBuffer(capacity: size) else { throw Decompressor.outOfMemory(codec) }
    do throws(QueryError) {
      wholeSize = try Decompressor.snappyBlock(slice.pointer, slice.count, buffer.pointer, size)
    } catch {
      throw error.located(in: DataLocation(path: source.path))
    }
    whole = buffer
    input = nil
    inputPosition = 0
    try source.checkUnchanged()
  }

  /// Whether a `.snappy` file starts like Hadoop's block format rather than like one Snappy block.
  private static func looksLikeHadoopSnappy(_ slice: ByteSlice, _ byteCount: UInt64) -> Bool {
    guard slice.count >= 9 else { return slice.count == 4 && loadBigEndian(slice.pointer) == 0 }
    let block = Int64(loadBigEndian(slice.pointer))
    let chunk = UInt64(loadBigEndian(slice.pointer + 4))
    let size = ck_snappy_size(slice.pointer + 8, slice.count - 8)
    return chunk > 0 && chunk <= byteCount - 8 && size > 0 && size <= block
  }
}
