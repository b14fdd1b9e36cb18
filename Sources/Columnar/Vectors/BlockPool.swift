import CKernels
import Glibc
import Synchronization

/// Blocks of memory up to 4 MB that are used again and again.
///
/// They come and go with every page and batch. Given back to the allocator each time, large ones would leave holes in which
/// small blocks settle that live longer, and the next large block would make the heap grow: by three times what is in use.
/// Small ones would be cut out of others at their alignment and melted together again, which costs more than their use.
///
///     below 32 KB   lists of each thread, linked through the blocks
///     from 32 KB    lists that all threads share
///
/// - Threads: any.
enum BlockPool {
  /// Four sizes for each power of two, so that at most a quarter of a block is left unused.
  private static let sizesPerDoubling = 4
  private static let smallestExponent = 6
  /// Classes below this one are each thread's own.
  private static let firstShared = 9 * sizesPerDoubling
  private static let classCount = 16 * sizesPerDoubling + 1
  /// Larger blocks that may stand in for one of the size wanted, in classes.
  private static let reach = 3
  /// Bytes of unused blocks from which on blocks are given back: of all threads, and of one thread's own.
  private static var keptByteCount: Int { min(256 << 20, MemoryPool.limit / 16) }
  private static let keptThreadByteCount = 1 << 20
  private static let unusedBytes = Atomic<Int>(0)

  /// Bytes of unused blocks that all threads share.
  static var unusedByteCount: Int { unusedBytes.load(ordering: .relaxed) }

  private struct Unused {
    var blocks: [[UInt]] = Array(repeating: [], count: classCount)
    var byteCount = 0
  }
  private static let unused = Mutex(Unused())

  /// A block of at least `size` bytes, aligned to 64 bytes, and its class; nil when memory has run out.
  ///
  /// - Parameter size: below `Buffer.hugePageThreshold`.
  static func take(_ size: Int) -> (block: UnsafeMutableRawPointer, class: UInt8)? {
    let wanted = sizeClass(size)
    if let (block, index) = wanted < firstShared ? takeOwn(wanted) : takeShared(wanted) { return (block, UInt8(index)) }
    var block: UnsafeMutableRawPointer?
    guard posix_memalign(&block, 64, byteCount(wanted)) == 0, let block else { return nil }
    return (block, UInt8(wanted))
  }

  /// Takes a block back.
  static func give(_ block: UnsafeMutableRawPointer, class index: UInt8) {
    let index = Int(index)
    let isKept = index < firstShared ? keepOwn(block, index) : keepShared(block, index)
    if !isKept { free(block) }
  }

  // MARK: Large blocks

  private static func takeShared(_ wanted: Int) -> (UnsafeMutableRawPointer, Int)? {
    let found = unused.withLock { unused -> (UInt, Int)? in
      for index in wanted...min(wanted + reach, classCount - 1) {
        guard let block = unused.blocks[index].popLast() else { continue }
        unused.byteCount -= byteCount(index)
        unusedBytes.store(unused.byteCount, ordering: .relaxed)
        return (block, index)
      }
      return nil
    }
    return found.map { (UnsafeMutableRawPointer(bitPattern: $0.0)!, $0.1) }
  }

  private static func keepShared(_ block: UnsafeMutableRawPointer, _ index: Int) -> Bool {
    let address = UInt(bitPattern: block)
    return unused.withLock { unused in
      guard unused.byteCount < keptByteCount else { return false }
      unused.blocks[index].append(address)
      unused.byteCount += byteCount(index)
      unusedBytes.store(unused.byteCount, ordering: .relaxed)
      return true
    }
  }

  // MARK: Small blocks

  /// One thread's unused blocks: their bytes, and the first block of each class; a block begins with the next one's address.
  private typealias Lists = UnsafeMutablePointer<UInt>

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key) { BlockPool.freeLists($0!) }
    return key
  }()

  private static var lists: Lists {
    if let known = pthread_getspecific(key) { return known.assumingMemoryBound(to: UInt.self) }
    let made = Lists.allocate(capacity: 1 + firstShared)
    made.initialize(repeating: 0, count: 1 + firstShared)
    pthread_setspecific(key, made)
    return made
  }

  /// A thread ends.
  private static func freeLists(_ memory: UnsafeMutableRawPointer) {
    let lists = memory.assumingMemoryBound(to: UInt.self)
    for index in 1...firstShared {
      while let block = UnsafeMutableRawPointer(bitPattern: lists[index]) {
        lists[index] = block.load(as: UInt.self)
        free(block)
      }
    }
    lists.deallocate()
  }

  private static func takeOwn(_ wanted: Int) -> (UnsafeMutableRawPointer, Int)? {
    let lists = lists
    guard let block = UnsafeMutableRawPointer(bitPattern: lists[1 + wanted]) else { return nil }
    lists[1 + wanted] = block.load(as: UInt.self)
    lists[0] -= UInt(byteCount(wanted))
    return (block, wanted)
  }

  private static func keepOwn(_ block: UnsafeMutableRawPointer, _ index: Int) -> Bool {
    let lists = lists
    guard lists[0] < keptThreadByteCount else { return false }
    block.storeBytes(of: lists[1 + index], as: UInt.self)
    lists[1 + index] = UInt(bitPattern: block)
    lists[0] += UInt(byteCount(index))
    return true
  }

  // MARK: Giving back

  /// Gives unused blocks back beyond a few, and their pages to the kernel: after work that has let many go at once.
  ///
  /// - Parameter kept: bytes of them that stay.
  static func trim(to kept: Int = trimmedByteCount) {
    let dropped = unused.withLock { unused -> [(block: UInt, size: Int)] in
      var dropped: [(UInt, Int)] = []
      for index in unused.blocks.indices.reversed() {
        while unused.byteCount > kept, let block = unused.blocks[index].popLast() {
          unused.byteCount -= byteCount(index)
          dropped.append((block, byteCount(index)))
        }
      }
      unusedBytes.store(unused.byteCount, ordering: .relaxed)
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

  static func byteCount(_ index: Int) -> Int {
    let exponent = smallestExponent + index / sizesPerDoubling
    return (1 << exponent) + (index % sizesPerDoubling) << (exponent - 2)
  }
}
