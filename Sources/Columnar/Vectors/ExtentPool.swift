import CKernels
import Glibc
import Synchronization

/// Memory of 4 MB and more, by huge pages, that is used again while the kernel still has its pages here.
///
/// A page that comes anew from the kernel is zeroed first, which takes longer than most uses of it. Extents let go stay as they
/// are, up to a limit, and the next that fits is cut out of them:
///
///     region   |  in use  |   let go, has pages   |  in use  |    let go, without pages    |
///
/// - Threads: any.
enum ExtentPool {
  private static let unused = Mutex(FreeExtents())
  private static let pageSize = 2 << 20
  private static let regionSize = 64 << 20
  /// Unused bytes whose pages are kept: a sixteenth of the memory that the process may have.
  private static var keptByteCount: Int { min(MemoryPool.machineByteCount / 16, MemoryPool.limit / 8) }
  private static let unusedBytes = Atomic<Int>(0)

  /// Bytes let go whose pages are kept.
  static var unusedByteCount: Int { unusedBytes.load(ordering: .relaxed) }

  static func rounded(_ size: Int) -> Int { (size + pageSize - 1) & ~(pageSize - 1) }

  /// At least `size` bytes at an address of whole huge pages, and whether they are there already; nil when memory has run out.
  static func take(_ size: Int) -> (memory: UnsafeMutableRawPointer, hasPages: Bool)? {
    let size = rounded(size)
    return unused.withLock { unused in
      if let start = unused.take(size, hasPages: true) {
        unusedBytes.store(unused.byteCount, ordering: .relaxed)
        return (UnsafeMutableRawPointer(bitPattern: start)!, true)
      }
      if let start = unused.take(size, hasPages: false) { return (UnsafeMutableRawPointer(bitPattern: start)!, false) }
      let region = rounded(max(size, regionSize))
      guard let mapped = ck_map_huge_pages(region, pageSize) else { return nil }
      if region > size {
        unused.insert(.init(start: UInt(bitPattern: mapped + size), byteCount: region - size, hasPages: false))
      }
      return (mapped, false)
    }
  }

  /// Takes memory back.
  ///
  /// - Parameter keepsPages: whether its pages may stay.
  static func give(_ memory: UnsafeMutableRawPointer, _ size: Int, keepsPages: Bool = true) {
    let size = rounded(size)
    let isKept =
      keepsPages
      && unused.withLock { unused in
        guard unused.byteCount + size <= keptByteCount else { return false }
        unused.insert(.init(start: UInt(bitPattern: memory), byteCount: size, hasPages: true))
        unusedBytes.store(unused.byteCount, ordering: .relaxed)
        return true
      }
    if isKept { return }
    ck_drop_pages(memory, size)
    unused.withLock { $0.insert(.init(start: UInt(bitPattern: memory), byteCount: size, hasPages: false)) }
  }

  /// Gives pages of unused extents back to the kernel, of so many bytes at least where there are as many.
  ///
  /// - Returns: the bytes given back.
  static func trim(_ byteCount: Int) -> Int {
    var dropped = 0
    while dropped < byteCount {
      let taken = unused.withLock { unused -> FreeExtents.Extent? in
        defer { unusedBytes.store(unused.byteCount, ordering: .relaxed) }
        return unused.takeLargest(pagesUpTo: rounded(byteCount - dropped))
      }
      guard let taken else { return dropped }
      ck_drop_pages(UnsafeMutableRawPointer(bitPattern: taken.start)!, taken.byteCount)
      unused.withLock { $0.insert(.init(start: taken.start, byteCount: taken.byteCount, hasPages: false)) }
      dropped += taken.byteCount
    }
    return dropped
  }
}

/// Pieces of regions that nobody uses.
struct FreeExtents {
  struct Extent: Equatable {
    var start: UInt
    var byteCount: Int
    /// Whether the kernel has pages behind it, as far as somebody has written there.
    var hasPages: Bool
    var end: UInt { start + UInt(byteCount) }

    fileprivate func precedes(_ next: Extent) -> Bool { end == next.start && hasPages == next.hasPages }
  }

  /// In the order of their addresses; neighbours of one kind are one.
  private(set) var extents: [Extent] = []
  /// Of the extents with pages.
  private(set) var byteCount = 0

  /// The start of `size` bytes cut out of the smallest extent that holds them.
  mutating func take(_ size: Int, hasPages: Bool) -> UInt? {
    var best: Int?
    for index in extents.indices where extents[index].hasPages == hasPages && extents[index].byteCount >= size {
      if best == nil || extents[index].byteCount < extents[best!].byteCount { best = index }
    }
    guard let best else { return nil }
    let start = extents[best].start
    if extents[best].byteCount == size {
      extents.remove(at: best)
    } else {
      extents[best].start += UInt(size)
      extents[best].byteCount -= size
    }
    if hasPages { byteCount -= size }
    return start
  }

  /// The largest extent with pages, or its first `limit` bytes.
  mutating func takeLargest(pagesUpTo limit: Int) -> Extent? {
    guard let index = extents.indices.filter({ extents[$0].hasPages }).max(by: { extents[$0].byteCount < extents[$1].byteCount })
    else { return nil }
    let size = min(extents[index].byteCount, limit)
    let start = extents[index].start
    if extents[index].byteCount == size {
      extents.remove(at: index)
    } else {
      extents[index].start += UInt(size)
      extents[index].byteCount -= size
    }
    byteCount -= size
    return Extent(start: start, byteCount: size, hasPages: true)
  }

  mutating func insert(_ extent: Extent) {
    if extent.hasPages { byteCount += extent.byteCount }
    var (place, end) = (0, extents.count)
    while place < end {
      let middle = (place + end) / 2
      if extents[middle].start < extent.start { place = middle + 1 } else { end = middle }
    }
    var extent = extent
    if place < extents.count, extent.precedes(extents[place]) { extent.byteCount += extents.remove(at: place).byteCount }
    if place > 0, extents[place - 1].precedes(extent) {
      extents[place - 1].byteCount += extent.byteCount
    } else {
      extents.insert(extent, at: place)
    }
  }
}
