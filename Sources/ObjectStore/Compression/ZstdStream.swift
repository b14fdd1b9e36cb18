import CZstd
import QueryErrors

/// Decodes Zstandard frames that follow one another, skippable ones included.
///
/// - Source: RFC 8878; windows above 128 MB are refused, as the zstd tool does.
final class ZstdStream: DecompressionStream {
  private let context: OpaquePointer
  private(set) var isAtBoundary = true
  let neededByteCount = 1

  init() throws(QueryError) {
    guard let context = ZSTD_createDCtx() else { throw Decompressor.outOfMemory(.zstd) }
    self.context = context
  }

  deinit { ZSTD_freeDCtx(context) }

  func decode(
    _ source: UnsafeRawPointer, count: Int, into target: UnsafeMutableRawPointer, capacity: Int
  ) throws(QueryError) -> (consumed: Int, produced: Int) {
    if isAtBoundary, count == 0 { return (0, 0) }
    var input = ZSTD_inBuffer(src: source, size: count, pos: 0)
    var output = ZSTD_outBuffer(dst: target, size: capacity, pos: 0)
    let result = ZSTD_decompressStream(context, &output, &input)
    if ZSTD_isError(result) != 0 {
      throw Decompressor.damaged(.zstd, String(cString: ZSTD_getErrorName(result)))
    }
    isAtBoundary = result == 0
    return (input.pos, output.pos)
  }
}
