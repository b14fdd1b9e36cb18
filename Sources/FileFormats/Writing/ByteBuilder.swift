import Columnar

/// Bytes that grow at the end.
///
/// - Threads: one owner.
final class ByteBuilder {
  private(set) var buffer: Buffer
  private(set) var count = 0

  init(capacity: Int = 0) { buffer = Buffer(byteCount: max(capacity, 64)) }

  var pointer: UnsafeMutableRawPointer { buffer.pointer }

  func removeAll() { count = 0 }

  /// Takes back memory of a size that is seldom needed.
  func shrink(to capacity: Int) {
    if buffer.byteCount > capacity, count == 0 { buffer = Buffer(byteCount: max(64, capacity)) }
  }

  /// Room for `byteCount` more bytes at the place returned; they count at once.
  @inline(__always)
  func extend(_ byteCount: Int) -> UnsafeMutableRawPointer {
    if count &+ byteCount > buffer.byteCount { grow(byteCount) }
    let place = buffer.pointer + count
    count &+= byteCount
    return place
  }

  @inline(never)
  private func grow(_ byteCount: Int) {
    let larger = Buffer(byteCount: max(count + byteCount, buffer.byteCount * 2))
    larger.pointer.copyMemory(from: buffer.pointer, byteCount: count)
    buffer = larger
  }

  /// Gives back bytes at the end that `extend` made room for.
  func drop(_ byteCount: Int) { count &-= byteCount }

  @inline(__always)
  func append(_ bytes: UnsafeRawPointer, count: Int) {
    if count == 0 { return }
    extend(count).copyMemory(from: bytes, byteCount: count)
  }

  func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { if let base = $0.baseAddress { append(base, count: $0.count) } } }

  @inline(__always)
  func append(byte: UInt8) { extend(1).storeBytes(of: byte, as: UInt8.self) }

  @inline(__always)
  func append<T: BitwiseCopyable>(_ value: T) { extend(MemoryLayout<T>.size).storeBytes(of: value, as: T.self) }

  func append(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(byte: UInt8(truncatingIfNeeded: rest) | 0x80)
      rest &>>= 7
    }
    append(byte: UInt8(truncatingIfNeeded: rest))
  }

  func append(zigzag value: Int64) { append(varint: UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))) }

  func array() -> [UInt8] { Array(UnsafeRawBufferPointer(start: pointer, count: count)) }
}
