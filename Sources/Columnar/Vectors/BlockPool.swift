import CKernels
import Glibc
import Synchronization

/// Blocks of memory from 32 KB to 4 MB that are used again and again.
///
/// They come and go with every page and batch. Given back to the allocator each time, they would leave holes in which small
/// blocks settle that live longer, and the next large block would make the heap grow: by three times what is in use.
///
/// - Threads: any.
enum BlockPool {
  /// Sizes that are pooled.
  static let sizes = 32 << 10..<Buffer.hugePageThreshold

  /// Four sizes for each power of two, so that at most a quarter of a block is left unused.
  private static let sizesPerDoubling = 4
  private static let smallestExponent = 15
  private static let classCount = 7 * sizesPerDoubling + 1
  /// Larger blocks that may stand in for one of the size wanted, in classes.
  private static let reach = 3
  /// Bytes of unused blocks from which on blocks are given back.
  private static let keptByteCount = 256 << 20

  private struct Unused {
    var blocks: [[UInt]] = Array(repeating: [], count: classCount)
    var byteCount = 0
  }
  private static let unused = Mutex(Unused())

  /// A block of at least `size` bytes, aligned to 64 bytes, and its class; nil when memory has run out.
  static func take(_ size: Int) -> (block: UnsafeMutableRawPointer, class: UInt8)? {
    let wanted = sizeClass(size)
    let found = unused.withLock { unused -> (UInt, Int)? in
      for index in wanted...min(wanted + reach, classCount - 1) {
        guard let block = unused.blocks[index].popLast() else { continue }
        unused.byteCount -= byteCount(index)
        return (block, index)
      }
      return nil
    }
    if let found { return (UnsafeMutableRawPointer(bitPattern: found.0)!, UInt8(found.1)) }
    var block: UnsafeMutableRawPointer?
    guard posix_memalign(&block, 64, byteCount(wanted)) == 0, let block else { return nil }
    return (block, UInt8(wanted))
  }

  /// Takes a block back.
  static func give(_ block: UnsafeMutableRawPointer, class index: UInt8) {
    let index = Int(index)
    let isKept = unused.withLock { unused -> Bool in
      guard unused.byteCount < keptByteCount else { return false }
      unused.blocks[index].append(UInt(bitPattern: block))
      unused.byteCount += byteCount(index)
      return true
    }
    if !isKept { free(block) }
  }

  /// Gives unused blocks back beyond a few, and their pages to the kernel: after work that has let many go at once.
  static func trim() {
    let dropped = unused.withLock { unused -> [(block: UInt, size: Int)] in
      var dropped: [(UInt, Int)] = []
      for index in unused.blocks.indices.reversed() {
        while unused.byteCount > trimmedByteCount, let block = unused.blocks[index].popLast() {
          unused.byteCount -= byteCount(index)
          dropped.append((block, byteCount(index)))
        }
      }
      return dropped
    }
    for (block, size) in dropped {
      // The allocator writes to the first bytes of what it gets back.
      ck_drop_pages(UnsafeMutableRawPointer(bitPattern: block + 64)!, size - 128)
      free(UnsafeMutableRawPointer(bitPattern: block)!)
    }
  }

  /// Bytes of unused blocks that a trim leaves.
  private static let trimmedByteCount = 8 << 20

  /// The smallest class whose blocks hold `size` bytes.
  private static func sizeClass(_ size: Int) -> Int {
    let exponent = max(smallestExponent, Int.bitWidth - 1 - (size - 1).leadingZeroBitCount)
    let step = 1 << (exponent - 2)
    return (exponent - smallestExponent) * sizesPerDoubling + max(0, (size - (1 << exponent) + step - 1) / step)
  }

  private static func byteCount(_ index: Int) -> Int {
    let exponent = smallestExponent + index / sizesPerDoubling
    return (1 << exponent) + (index % sizesPerDoubling) << (exponent - 2)
  }
}
