import CKernels
import Glibc

/// A block of memory that columns share: 64-byte aligned, with 64 readable and writable bytes after its end.
///
/// - Units: `byteCount` in bytes, without the slack.
/// - Threads: written by one owner before it is shared, read-only afterwards.
public final class Buffer: @unchecked Sendable {
  public let pointer: UnsafeMutableRawPointer
  public let byteCount: Int
  let owner: AnyObject?
  /// Who pays for the memory; nil where it is somebody else's.
  private let account: Unmanaged<MemoryAccount>?
  /// The pool's class the memory belongs to, if any.
  private let poolClass: UInt8?
  /// Whether the kernel had to give its pages anew.
  private let isFresh: Bool
  private var keepsPages = true

  /// Bytes that kernels may read or write after the end.
  public static let slack = 64
  /// From here on memory comes from the kernel with huge pages.
  static let hugePageThreshold = 4 << 20

  /// Uninitialised memory.
  public init(byteCount: Int) {
    precondition(byteCount >= 0)
    self.byteCount = byteCount
    owner = nil
    let wanted = Buffer.allocated(byteCount)
    if wanted < Buffer.hugePageThreshold {
      guard let (block, poolClass) = BlockPool.take(wanted) else { Buffer.fail(wanted) }
      pointer = block
      self.poolClass = poolClass
      isFresh = false
      account = MemoryAccount.charge(BlockPool.byteCount(Int(poolClass)))
    } else {
      guard let extent = ExtentPool.take(wanted) else { Buffer.fail(wanted) }
      pointer = extent.memory
      poolClass = nil
      isFresh = !extent.hasPages
      account = MemoryAccount.charge(ExtentPool.rounded(wanted))
    }
  }

  /// Bytes taken for so many.
  private static func allocated(_ byteCount: Int) -> Int { (byteCount + slack + 63) & ~63 }

  private static func fail(_ byteCount: Int) -> Never { fatalError("out of memory: \(byteCount) bytes") }

  /// Bytes that a buffer of so many takes of an account.
  package static func charged(_ byteCount: Int) -> Int {
    let wanted = allocated(byteCount)
    return wanted < hugePageThreshold ? wanted : ExtentPool.rounded(wanted)
  }

  /// Memory that `owner` keeps alive, with 64 readable bytes after its end.
  public init(borrowing pointer: UnsafeRawPointer, byteCount: Int, owner: AnyObject) {
    self.pointer = UnsafeMutableRawPointer(mutating: pointer)
    self.byteCount = byteCount
    self.owner = owner
    account = nil
    poolClass = nil
    isFresh = false
  }

  deinit {
    if let poolClass {
      BlockPool.give(pointer, class: poolClass)
      if let account { MemoryAccount.giveBack(BlockPool.byteCount(Int(poolClass)), to: account) }
    } else if let account {
      let byteCount = Buffer.allocated(byteCount)
      ExtentPool.give(pointer, byteCount, keepsPages: keepsPages)
      MemoryAccount.giveBack(ExtentPool.rounded(byteCount), to: account)
    }
  }

  /// Gives memory back that was let go and is kept for use again, but for a little: after work that has let much go at once.
  public static func trimUnused() { BlockPool.trim() }

  /// Larger memory takes the place of this one, which goes back to the kernel where that came from there: it would lie about
  /// unused while the larger one grows again.
  public func makeWay(for larger: Buffer) { keepsPages = !larger.isFresh }

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
