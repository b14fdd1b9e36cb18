import CKernels
import Columnar
import Glibc

/// Memory of a fixed size, aligned to 64 bytes, with `ByteSlice.padding` readable bytes behind it.
package final class AlignedBuffer: @unchecked Sendable {
  package let pointer: UnsafeMutableRawPointer
  package let capacity: Int
  /// Who pays for the memory.
  private let account: MemoryAccount

  /// Buffers from this size on ask for huge pages.
  static let hugePageLimit = 4 << 20

  /// Memory whose bytes are unspecified, or nil when there is none left or the memory limit does not allow it.
  package init?(capacity: Int) {
    guard capacity >= 0, capacity <= Int.max - 4 << 20 else { return nil }
    var memory: UnsafeMutableRawPointer?
    let isHuge = capacity >= AlignedBuffer.hugePageLimit
    let alignment = isHuge ? 2 << 20 : 64
    let byteCount = (capacity + ByteSlice.padding + 63) & ~63
    account = MemoryAccount.current
    if byteCount >= AlignedBuffer.checkedByteCount, account.refuses(byteCount) { return nil }
    guard posix_memalign(&memory, alignment, byteCount) == 0, let memory else { return nil }
    if isHuge { ck_advise_huge_pages(memory, byteCount) }
    pointer = memory
    self.capacity = capacity
    account.add(byteCount)
    memset(memory + capacity, 0, ByteSlice.padding)
  }

  /// Memory from this size on is asked for.
  private static let checkedByteCount = 1 << 20

  deinit {
    free(pointer)
    account.add(-((capacity + ByteSlice.padding + 63) & ~63))
  }
}
