import Glibc

/// Bytes that grow: where text output is put together.
///
/// - Threads: one owner.
public final class TextBuffer {
  public private(set) var pointer: UnsafeMutablePointer<UInt8>
  public var count = 0
  @usableFromInline var capacity: Int

  public init(capacity: Int = 256) {
    self.capacity = max(capacity, 64)
    pointer = UnsafeMutablePointer<UInt8>.allocate(capacity: self.capacity)
  }

  deinit { pointer.deallocate() }

  /// The address of `count` more bytes of room; add what was written to `count`.
  @inline(__always)
  public func room(_ wanted: Int) -> UnsafeMutablePointer<UInt8> {
    if capacity &- count < wanted { grow(wanted) }
    return pointer + count
  }

  @inline(never)
  private func grow(_ wanted: Int) {
    let larger = max(capacity * 2, count + wanted)
    let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    memcpy(moved, pointer, count)
    pointer.deallocate()
    pointer = moved
    capacity = larger
  }

  @inline(__always)
  public func append(_ byte: UInt8) {
    room(1)[0] = byte
    count &+= 1
  }

  @inline(__always)
  public func append(_ bytes: UnsafeRawPointer, _ length: Int) {
    memcpy(room(length), bytes, length)
    count &+= length
  }

  public func append(_ view: StringView) { view.withBytes { (p, n) in append(p, n) } }

  public func append(_ text: StaticString) { append(text.utf8Start, text.utf8CodeUnitCount) }

  public func append(_ text: String) {
    var text = text
    text.withUTF8 { if let p = $0.baseAddress { append(p, $0.count) } }
  }

  public func removeAll() { count = 0 }

  /// The bytes as text, damaged UTF-8 repaired.
  public var string: String { String(decoding: UnsafeBufferPointer(start: pointer, count: count), as: UTF8.self) }

  /// A view of the bytes; valid until the buffer changes.
  public var view: StringView { StringView(pointer, count: count) }
}
