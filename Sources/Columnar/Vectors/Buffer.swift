import CKernels
import Glibc

/// A block of memory that columns share: 64-byte aligned, with 64 readable and writable bytes after its end.
///
/// - Units: `byteCount` in bytes, without the slack.
/// - Threads: written by one owner before it is shared, read-only afterwards.
public final class Buffer: @unchecked Sendable {
  public let pointer: UnsafeMutableRawPointer
  public let byteCount: Int
  private let owner: AnyObject?
  /// The pool's class the memory belongs to, if any.
  private let poolClass: UInt8?

  /// Bytes that kernels may read or write after the end.
  public static let slack = 64
  /// From here on memory comes from the kernel with huge pages.
  static let hugePageThreshold = 4 << 20

  /// Uninitialised memory.
  public init(byteCount: Int) {
    precondition(byteCount >= 0)
    self.byteCount = byteCount
    owner = nil
    let wanted = (byteCount + Buffer.slack + 63) & ~63
    if wanted < Buffer.hugePageThreshold {
      guard let (block, poolClass) = BlockPool.take(wanted) else { Buffer.fail(wanted) }
      pointer = block
      self.poolClass = poolClass
    } else {
      var raw: UnsafeMutableRawPointer?
      guard posix_memalign(&raw, 2 << 20, wanted) == 0, let raw else { Buffer.fail(wanted) }
      ck_advise_huge_pages(raw, wanted)
      pointer = raw
      poolClass = nil
    }
  }

  private static func fail(_ byteCount: Int) -> Never { fatalError("out of memory: \(byteCount) bytes") }

  /// Memory that `owner` keeps alive, with 64 readable bytes after its end.
  public init(borrowing pointer: UnsafeRawPointer, byteCount: Int, owner: AnyObject) {
    self.pointer = UnsafeMutableRawPointer(mutating: pointer)
    self.byteCount = byteCount
    self.owner = owner
    poolClass = nil
  }

  deinit {
    if let poolClass { BlockPool.give(pointer, class: poolClass) } else if owner == nil { free(pointer) }
  }

  /// Gives memory back that was let go and is kept for use again, but for a little: after work that has let much go at once.
  public static func trimUnused() { BlockPool.trim() }

  /// Gives the pages of large memory back at once: nobody will read it again, and what takes its place is larger still, so that
  /// it would lie about unused.
  public func dropPages() {
    // The allocator writes to the first bytes of what it gets back.
    if owner == nil, byteCount >= Buffer.smallestDrop { ck_drop_pages(pointer + Buffer.slack, byteCount - Buffer.slack) }
  }

  /// Bytes that are worth a call of the kernel, and the page faults when the block is used again.
  private static let smallestDrop = 1 << 20

  /// Zeroed memory.
  public static func zeroed(byteCount: Int) -> Buffer {
    let buffer = Buffer(byteCount: byteCount)
    memset(buffer.pointer, 0, byteCount + slack)
    return buffer
  }

  @inlinable @inline(__always)
  public func typed<T: BitwiseCopyable>(_: T.Type) -> UnsafeMutablePointer<T> {
    pointer.assumingMemoryBound(to: T.self)
  }
}
