import CKernels
import Glibc
import QueryErrors

/// Bytes of a chunk that did not fit into the caller's memory.
private struct PendingBytes {
  private var buffer: AlignedBuffer?
  private var position = 0
  private var end = 0

  var isEmpty: Bool { position == end }

  /// Memory for a chunk of up to `byteCount` bytes.
  mutating func prepare(_ byteCount: Int, _ codec: CompressionCodec) throws(QueryError) -> UnsafeMutableRawPointer {
    if buffer == nil || buffer!.capacity < byteCount {
      guard let larger = AlignedBuffer(capacity: max(byteCount, 64 << 10)) else { throw Decompressor.outOfMemory(codec) }
      buffer = larger
    }
    position = 0
    end = 0
    return buffer!.pointer
  }

  /// Says how many bytes were written to the prepared memory.
  mutating func fill(_ byteCount: Int) { end = byteCount }

  /// Moves bytes to the caller.
  mutating func take(_ target: UnsafeMutableRawPointer, _ capacity: Int) -> Int {
    let count = min(capacity, end - position)
    if count > 0 { memcpy(target, buffer!.pointer + position, count) }
    position += count
    return count
  }
}

/// Decodes the Snappy framing format.
///
///     type (1 byte), length (3 bytes, little-endian), body; compressed and plain bodies start with a checksum
///
/// - Source: google/snappy, framing_format.txt.
final class SnappyFrameStream: DecompressionStream {
  private var pending = PendingBytes()
  private var hasIdentifier = false
  private(set) var neededByteCount = 4

  private static let maximumChunkSize = 65536

  var isAtBoundary: Bool { pending.isEmpty }

  func decode(
    _ source: UnsafeRawPointer, count: Int, into target: UnsafeMutableRawPointer, capacity: Int
  ) throws(QueryError) -> (consumed: Int, produced: Int) {
    if !pending.isEmpty { return (0, pending.take(target, capacity)) }
    neededByteCount = 4
    guard count >= 4 else { return (0, 0) }
    let header = UInt32(littleEndian: source.loadUnaligned(as: UInt32.self))
    let type = header & 0xFF
    let length = Int(header >> 8)
    guard hasIdentifier || type == 0xFF else { throw Decompressor.damaged(.snappyFramed, "no stream identifier") }
    guard count >= 4 + length else {
      neededByteCount = 4 + length
      return (0, 0)
    }
    let body = source + 4
    switch type {
    case 0xFF:
      guard length == 6, memcmp(body, "sNaPpY", 6) == 0 else {
        throw Decompressor.damaged(.snappyFramed, "no stream identifier")
      }
      hasIdentifier = true
      return (4 + length, 0)
    case 0x80...0xFE: return (4 + length, 0)
    case 0x00, 0x01: break
    default: throw Decompressor.damaged(.snappyFramed, "unknown chunk type \(type)")
    }
    guard length >= 4 else { throw Decompressor.damaged(.snappyFramed, "chunk without checksum") }
    let content = body + 4
    let size = type == 0 ? Int(ck_snappy_size(content, length - 4)) : length - 4
    guard size >= 0, size <= SnappyFrameStream.maximumChunkSize else {
      throw Decompressor.damaged(.snappyFramed, "chunk larger than 64 KB")
    }
    let isDirect = size <= capacity
    let memory = isDirect ? target : try pending.prepare(size, .snappyFramed)
    if type == 0 {
      _ = try Decompressor.snappyBlock(content, length - 4, memory, size)
    } else {
      memcpy(memory, content, size)
    }
    let stated = UInt32(littleEndian: body.loadUnaligned(as: UInt32.self))
    guard SnappyFrameStream.maskedChecksum(memory, size) == stated else {
      throw Decompressor.damaged(.snappyFramed, "checksum does not match")
    }
    if isDirect { return (4 + length, size) }
    pending.fill(size)
    return (4 + length, pending.take(target, capacity))
  }

  /// - Source: framing_format.txt, section 3.
  static func maskedChecksum(_ pointer: UnsafeRawPointer, _ count: Int) -> UInt32 {
    let crc = ck_crc32c(pointer, count)
    return ((crc >> 15) | (crc << 17)) &+ 0xA282_EAD8
  }
}

/// Decodes Hadoop's block format around LZ4 or Snappy blocks; `Decompressor.hadoopBlocks` shows the layout.
final class HadoopBlockStream: DecompressionStream {
  private let codec: CompressionCodec
  private var pending = PendingBytes()
  /// Decompressed bytes that the current block still owes.
  private var blockRest = 0
  private(set) var neededByteCount = 4

  init(_ codec: CompressionCodec) { self.codec = codec }

  var isAtBoundary: Bool { pending.isEmpty && blockRest == 0 }

  func decode(
    _ source: UnsafeRawPointer, count: Int, into target: UnsafeMutableRawPointer, capacity: Int
  ) throws(QueryError) -> (consumed: Int, produced: Int) {
    if !pending.isEmpty { return (0, pending.take(target, capacity)) }
    neededByteCount = 4
    guard count >= 4 else { return (0, 0) }
    let number = Int(loadBigEndian(source))
    if blockRest == 0 {
      blockRest = number
      return (4, 0)
    }
    guard count >= 4 + number else {
      neededByteCount = 4 + number
      return (0, 0)
    }
    // What a chunk can hold at most, so that a false block size asks for no memory.
    let bound: Int
    if codec == .snappyHadoop {
      let size = Int(ck_snappy_size(source + 4, number))
      guard size > 0, size <= blockRest, size <= number * 64 else {
        throw Decompressor.damaged(codec, "chunk size")
      }
      bound = size
    } else {
      bound = min(blockRest, number * 255 + 16)
    }
    let isDirect = bound <= capacity
    let memory = isDirect ? target : try pending.prepare(bound, codec)
    let produced =
      codec == .snappyHadoop
      ? try Decompressor.snappyBlock(source + 4, number, memory, bound)
      : try Decompressor.lz4Block(source + 4, number, memory, bound)
    guard produced > 0 else { throw Decompressor.damaged(codec, "empty chunk") }
    blockRest -= produced
    if isDirect { return (4 + number, produced) }
    pending.fill(produced)
    return (4 + number, pending.take(target, capacity))
  }
}
