import CZlib
import QueryErrors

/// Decodes gzip members and zlib streams that follow one another.
///
/// - Source: RFC 1952, section 2.2 (members); RFC 1950.
final class ZlibStream: DecompressionStream {
  private let codec: CompressionCodec
  private let state: UnsafeMutablePointer<z_stream>
  private(set) var isAtBoundary = true
  private var hasMember = false
  let neededByteCount = 1

  init(_ codec: CompressionCodec) throws(QueryError) {
    self.codec = codec
    // At its place on the heap from the start: zlib keeps a pointer to it.
    state = .allocate(capacity: 1)
    state.initialize(to: z_stream())
    let windowBits: Int32 = codec == .gzip ? 15 + 16 : 15
    guard inflateInit2_(state, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      state.deallocate()
      throw Decompressor.outOfMemory(codec)
    }
  }

  deinit {
    inflateEnd(state)
    state.deallocate()
  }

  func decode(
    _ source: UnsafeRawPointer, count: Int, into target: UnsafeMutableRawPointer, capacity: Int
  ) throws(QueryError) -> (consumed: Int, produced: Int) {
    if isAtBoundary {
      if count == 0 { return (0, 0) }
      if hasMember {
        // Zeros pad the last member.
        var zeros = 0
        while zeros < count, source.load(fromByteOffset: zeros, as: UInt8.self) == 0 { zeros += 1 }
        if zeros > 0 { return (zeros, 0) }
        if codec == .gzip, source.load(as: UInt8.self) != 0x1F {
          throw Decompressor.damaged(codec, "bytes that are not a member follow the last one")
        }
        inflateReset(state)
      } else if codec == .gzip, source.load(as: UInt8.self) != 0x1F {
        throw QueryError(
          .hiveBadData, "File is not gzip: it does not start with 1f 8b",
          hint: "Rename the file when it is not compressed.")
      }
      isAtBoundary = false
      hasMember = true
    }
    let available = min(count, 1 << 30)
    let room = min(capacity, 1 << 30)
    state.pointee.next_in = UnsafeMutablePointer(mutating: source.assumingMemoryBound(to: UInt8.self))
    state.pointee.avail_in = UInt32(available)
    state.pointee.next_out = target.assumingMemoryBound(to: UInt8.self)
    state.pointee.avail_out = UInt32(room)
    let result = inflate(state, Z_NO_FLUSH)
    switch result {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: isAtBoundary = true
    case Z_MEM_ERROR: throw Decompressor.outOfMemory(codec)
    default:
      let reason = state.pointee.msg.map { String(cString: $0) } ?? (result == Z_NEED_DICT ? "preset dictionary" : nil)
      throw Decompressor.damaged(codec, reason)
    }
    return (available - Int(state.pointee.avail_in), room - Int(state.pointee.avail_out))
  }
}
