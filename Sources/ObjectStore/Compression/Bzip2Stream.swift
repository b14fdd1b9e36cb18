import CBzip2
import QueryErrors

/// Decodes bzip2 streams that follow one another.
final class Bzip2Stream: DecompressionStream {
  private let state: UnsafeMutablePointer<bz_stream>
  private var isOpen = false
  let neededByteCount = 1

  init() throws(QueryError) {
    state = .allocate(capacity: 1)
    state.initialize(to: bz_stream())
  }

  deinit {
    if isOpen { BZ2_bzDecompressEnd(state) }
    state.deallocate()
  }

  var isAtBoundary: Bool { !isOpen }

  func decode(
    _ source: UnsafeRawPointer, count: Int, into target: UnsafeMutableRawPointer, capacity: Int
  ) throws(QueryError) -> (consumed: Int, produced: Int) {
    if !isOpen {
      if count == 0 { return (0, 0) }
      state.pointee = bz_stream()
      guard BZ2_bzDecompressInit(state, 0, 0) == BZ_OK else { throw Decompressor.outOfMemory(.bzip2) }
      isOpen = true
    }
    let available = min(count, 1 << 30)
    let room = min(capacity, 1 << 30)
    state.pointee.next_in = UnsafeMutablePointer(mutating: source.assumingMemoryBound(to: CChar.self))
    state.pointee.avail_in = UInt32(available)
    state.pointee.next_out = target.assumingMemoryBound(to: CChar.self)
    state.pointee.avail_out = UInt32(room)
    let result = BZ2_bzDecompress(state)
    let step = (available - Int(state.pointee.avail_in), room - Int(state.pointee.avail_out))
    switch result {
    case BZ_OK: break
    case BZ_STREAM_END:
      BZ2_bzDecompressEnd(state)
      isOpen = false
    case BZ_MEM_ERROR: throw Decompressor.outOfMemory(.bzip2)
    case BZ_DATA_ERROR_MAGIC: throw Decompressor.damaged(.bzip2, "no bzip2 header")
    default: throw Decompressor.damaged(.bzip2)
    }
    return step
  }
}
