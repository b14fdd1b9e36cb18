import CKernels
import Glibc

/// Memory of a fixed size, aligned to 64 bytes, with `ByteSlice.padding` readable bytes behind it.
package final class AlignedBuffer: @unchecked Sendable {
  package let pointer: UnsafeMutableRawPointer
  package let capacity: Int

  /// Buffers from this size on ask for huge pages.
  static let hugePageLimit = 4 << 20

  /// Memory whose bytes are unspecified, or nil when there is none left.
  package init?(capacity: Int) {
    guard capacity >= 0, capacity <= Int.max - 4 << 20 else { return nil }
    var memory: UnsafeMutableRawPointer?
    let isHuge = capacity >= AlignedBuffer.hugePageLimit
    let alignment = isHuge ? 2 << 20 : 64
    let byteCount = (capacity + ByteSlice.padding + 63) & ~63
    guard posix_memalign(&memory, alignment, byteCount) == 0, let memory else { return nil }
    if isHuge { ck_advise_huge_pages(memory, byteCount) }
    pointer = memory
    self.capacity = capacity
    memset(memory + capacity, 0, ByteSlice.padding)
  }

  deinit { free(pointer) }
}
