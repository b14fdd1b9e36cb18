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
  private static let keptByteCount = memoryByteCount / 16

  /// The machine's memory, or what its control group (version 2) leaves of it.
  private static var memoryByteCount: Int {
    let physical = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    guard let file = fopen("/sys/fs/cgroup/memory.max", "r") else { return physical }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 32)
    guard fgets(&line, Int32(line.count), file) != nil else { return physical }
    let limit = strtol(line, nil, 10)  // "max" reads as 0.
    return limit > 0 ? min(physical, limit) : physical
  }

  private static func rounded(_ size: Int) -> Int { (size + pageSize - 1) & ~(pageSize - 1) }

  /// At least `size` bytes at an address of whole huge pages, and whether they are there already; nil when memory has run out.
  static func take(_ size: Int) -> (memory: UnsafeMutableRawPointer, hasPages: Bool)? {
    let size = rounded(size)
    return unused.withLock { unused in
      if let start = unused.take(size, hasPages: true) { return (UnsafeMutableRawPointer(bitPattern: start)!, true) }
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
    let isKept = keepsPages && unused.withLock { unused in
      guard unused.byteCount + size <= keptByteCount else { return false }
      unused.insert(.init(start: UInt(bitPattern: memory), byteCount: size, hasPages: true))
      return true
    }
    if isKept { return }
    ck_drop_pages(memory, size)
    unused.withLock { $0.insert(.init(start: UInt(bitPattern: memory), byteCount: size, hasPages: false)) }
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
