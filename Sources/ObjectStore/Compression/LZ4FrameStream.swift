import CLZ4
import QueryErrors

/// Decodes LZ4 frames that follow one another, skippable ones included.
///
/// - Source: LZ4 frame format description 1.6.1.
final class LZ4FrameStream: DecompressionStream {
  private let context: OpaquePointer
  private(set) var isAtBoundary = true
  let neededByteCount = 1

  init() throws(QueryError) {
    var context: OpaquePointer?
    let result = LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))
    guard LZ4F_isError(result) == 0, let context else { throw Decompressor.outOfMemory(.lz4Frame) }
    self.context = context
  }

  deinit { LZ4F_freeDecompressionContext(context) }

  func decode(
    _ source: UnsafeRawPointer, count: Int, into target: UnsafeMutableRawPointer, capacity: Int
  ) throws(QueryError) -> (consumed: Int, produced: Int) {
    if isAtBoundary, count == 0 { return (0, 0) }
    var consumed = count
    var produced = capacity
    let result = LZ4F_decompress(context, target, &produced, source, &consumed, nil)
    if LZ4F_isError(result) != 0 {
      throw Decompressor.damaged(.lz4Frame, String(cString: LZ4F_getErrorName(result)))
    }
    isAtBoundary = result == 0
    return (consumed, produced)
  }
}
