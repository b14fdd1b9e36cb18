import CBrotli
import QueryErrors

/// Decodes one Brotli stream.
///
/// - Source: RFC 7932.
final class BrotliStream: DecompressionStream {
  private let state: OpaquePointer
  private var hasStarted = false
  private var hasEnded = false
  let neededByteCount = 1

  init() throws(QueryError) {
    guard let state = BrotliDecoderCreateInstance(nil, nil, nil) else { throw Decompressor.outOfMemory(.brotli) }
    self.state = state
  }

  deinit { BrotliDecoderDestroyInstance(state) }

  var isAtBoundary: Bool { hasEnded || !hasStarted }

  func decode(
    _ source: UnsafeRawPointer, count: Int, into target: UnsafeMutableRawPointer, capacity: Int
  ) throws(QueryError) -> (consumed: Int, produced: Int) {
    if hasEnded {
      if count == 0 { return (0, 0) }
      throw Decompressor.damaged(.brotli, "bytes follow the end of the stream")
    }
    if !hasStarted, count == 0 { return (0, 0) }
    hasStarted = true
    var available = count
    var next: UnsafePointer<UInt8>? = source.assumingMemoryBound(to: UInt8.self)
    var room = capacity
    var nextOut: UnsafeMutablePointer<UInt8>? = target.assumingMemoryBound(to: UInt8.self)
    switch BrotliDecoderDecompressStream(state, &available, &next, &room, &nextOut, nil) {
    case BROTLI_DECODER_RESULT_SUCCESS: hasEnded = true
    case BROTLI_DECODER_RESULT_ERROR:
      throw Decompressor.damaged(.brotli, String(cString: BrotliDecoderErrorString(BrotliDecoderGetErrorCode(state))))
    default: break
    }
    return (count - available, capacity - room)
  }
}
