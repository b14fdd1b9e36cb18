public import Glibc

/// Grows blocks of bytes for long strings and hands out views into them.
///
/// - Threads: one owner.
public struct StringArena {
  private var blocks: [Buffer] = []
  @usableFromInline var next: UnsafeMutableRawPointer?
  @usableFromInline var room = 0
  private static let firstBlock = 4 << 10
  private static let largestBlock = 1 << 20

  public init() {}

  /// A view of a copy of the bytes.
  @inlinable @inline(__always)
  public mutating func add(_ source: UnsafeRawBufferPointer) -> StringView {
    guard let start = source.baseAddress else { return StringView() }
    return add(start, source.count)
  }

  @inlinable @inline(__always)
  public mutating func add(_ source: UnsafeRawPointer, _ count: Int) -> StringView {
    if count <= 12 { return StringView(source, count: count) }
    let to = reserve(count)
    memcpy(to, source, count)
    return StringView(to, count: count)
  }

  /// A view that outlives its source: long strings are copied.
  @inlinable @inline(__always)
  public mutating func add(_ view: StringView) -> StringView {
    if view.isInline { return view }
    return view.withBytes { (p, n) in add(p, n) }
  }

  /// Room for `count` bytes, to be written by the caller; with slack behind it.
  @inlinable @inline(__always)
  public mutating func reserve(_ count: Int) -> UnsafeMutableRawPointer {
    if count > room { grow(count) }
    let to = next.unsafelyUnwrapped
    next = to + count
    room &-= count
    return to
  }

  @usableFromInline
  mutating func grow(_ count: Int) {
    let size = max(count, min(StringArena.largestBlock, StringArena.firstBlock << min(blocks.count, 8)))
    begin(size)
  }

  private mutating func begin(_ size: Int) {
    let block: Buffer
    if size >= StringArena.checkedBlock, MemoryAccount.current.refuses(size) {
      // Nobody here can fail: the bytes are lost, and the next check ends the query.
      MemoryAccount.refuse()
      block = sink(size)
    } else {
      block = Buffer(byteCount: size)
    }
    blocks.append(block)
    next = block.pointer
    room = size
  }

  /// Blocks from this size on are asked for.
  private static let checkedBlock = 64 << 10

  /// Memory of so many bytes that takes none.
  private mutating func sink(_ size: Int) -> Buffer {
    if let last = blocks.last, last.owner is MemorySink, last.byteCount >= size { return blocks.removeLast() }
    guard let sink = MemorySink(max(size, StringArena.largestBlock)) else { return Buffer(byteCount: size) }
    return Buffer(borrowing: sink.pointer, byteCount: sink.byteCount, owner: sink)
  }

  /// Makes room for `count` bytes that are about to be added, and for no more.
  public mutating func prepare(_ count: Int) {
    if count > room { begin(count) }
  }

  /// Gives back the last `count` reserved bytes.
  @inlinable @inline(__always)
  public mutating func unreserve(_ count: Int) {
    next = next.unsafelyUnwrapped - count
    room &+= count
  }

  /// Keeps all blocks alive; nil when there are none.
  public var heap: StringHeap? { blocks.isEmpty ? nil : StringHeap(blocks) }

  /// Bytes held.
  public var byteCount: Int { blocks.reduce(0) { $0 + $1.byteCount } }
}
