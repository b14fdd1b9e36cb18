import CKernels
import Glibc

/// Addresses that can be written to without taking memory: what is written is lost.
///
/// Loops that cannot fail write here once memory has been refused to them, until somebody who can fail looks.
final class MemorySink {
  let pointer: UnsafeMutableRawPointer
  let byteCount: Int

  /// At least `size` bytes and a buffer's slack; nil when there are no addresses left.
  init?(_ size: Int) {
    let mapped = (size + Buffer.slack + MemorySink.pageSize - 1) & ~(MemorySink.pageSize - 1)
    guard let pointer = ck_map_sink(UInt64(mapped)) else { return nil }
    self.pointer = pointer
    byteCount = mapped - Buffer.slack
  }

  deinit { munmap(pointer, byteCount + Buffer.slack) }

  private static let pageSize = 2 << 20
}
