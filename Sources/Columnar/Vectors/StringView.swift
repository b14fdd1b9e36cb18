public import CKernels

/// A string or byte string of up to 2³¹ bytes in 16 bytes: short ones lie inside, long ones are pointed to.
///
///     bytes 0–3  length      bytes 4–15  the bytes themselves, zero-padded   (length ≤ 12)
///     bytes 0–3  length      bytes 4–7   the first four bytes, 8–15 pointer  (length > 12)
///
/// The bytes of a long string are kept alive by the column's `heap`.
///
/// - Source: Neumann and Freitag, "Umbra: A Disk-Based System with In-Memory Performance", CIDR 2020.
@frozen
public struct StringView: BitwiseCopyable, @unchecked Sendable {
  /// Length in the low half, first four bytes in the high half.
  public var low: UInt64
  /// Bytes 4 to 11, or the address.
  public var high: UInt64

  /// Bytes that fit inside the view.
  @inlinable public static var inlineCapacity: Int { 12 }

  @inlinable @inline(__always)
  public init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// Whether this is the same view: then, while what it points to lives, the same bytes. Others may have them, too.
  @inlinable @inline(__always)
  public func isIdentical(to other: StringView) -> Bool { low == other.low && high == other.high }

  /// The empty string.
  @inlinable @inline(__always)
  public init() {
    low = 0
    high = 0
  }

  /// A view of `count` bytes; longer ones than 12 stay where they are and must outlive the view.
  @inlinable @inline(__always)
  public init(_ bytes: UnsafeRawPointer, count: Int) {
    if count > 12 {
      let prefix = UInt64(bytes.loadUnaligned(as: UInt32.self))
      low = UInt64(truncatingIfNeeded: count) | (prefix &<< 32)
      high = UInt64(UInt(bitPattern: bytes))
    } else if count >= 8 {
      let a = bytes.loadUnaligned(as: UInt64.self)
      let b = (bytes + count - 8).loadUnaligned(as: UInt64.self)
      low = UInt64(count) | (a &<< 32)
      // Bytes 4–11: the first load gives 4–7, the second the last eight bytes.
      let shift = UInt64(12 &- count) &* 8
      high = count == 8 ? a &>> 32 : ((a &>> 32) & 0xffff_ffff) | ((b &>> shift) & ~0xffff_ffff)
    } else if count >= 4 {
      let a = UInt64(bytes.loadUnaligned(as: UInt32.self))
      let b = UInt64((bytes + count - 4).loadUnaligned(as: UInt32.self))
      low = UInt64(count) | (a &<< 32)
      high = count == 4 ? 0 : b &>> (UInt64(8 &- count) &* 8)
    } else {
      var word: UInt64 = 0
      if count > 0 {
        let p = bytes.assumingMemoryBound(to: UInt8.self)
        word = UInt64(p[0])
        if count > 1 { word |= UInt64(p[1]) &<< 8 }
        if count > 2 { word |= UInt64(p[2]) &<< 16 }
      }
      low = UInt64(count) | (word &<< 32)
      high = 0
    }
  }

  @inlinable @inline(__always)
  public var count: Int { Int(truncatingIfNeeded: low & 0xffff_ffff) }

  @inlinable @inline(__always)
  public var isInline: Bool { low & 0xffff_ffff <= 12 }

  /// Address of a long string's bytes.
  @inlinable @inline(__always)
  var address: UnsafeRawPointer { UnsafeRawPointer(bitPattern: UInt(high)).unsafelyUnwrapped }

  /// Calls `body` with the bytes, which are valid during the call.
  @inlinable @inline(__always)
  public func withBytes<R, E: Error>(_ body: (UnsafeRawPointer, Int) throws(E) -> R) throws(E) -> R {
    if isInline {
      let copy = self
      return try withUnsafePointer(to: copy) { (p) throws(E) -> R in try body(UnsafeRawPointer(p) + 4, copy.count) }
    }
    return try body(address, count)
  }

  /// The bytes of the view stored at `location`; valid while that memory and the heap live.
  @inlinable @inline(__always)
  public static func bytes(at location: UnsafePointer<StringView>) -> UnsafeRawPointer {
    location.pointee.isInline ? UnsafeRawPointer(location) + 4 : location.pointee.address
  }

  /// Equality of bytes.
  @inlinable @inline(__always)
  public static func == (a: StringView, b: StringView) -> Bool {
    if a.low != b.low { return false }
    if a.high == b.high { return true }
    if a.isInline { return false }
    return ck_compare_bytes(a.address, b.address, a.count) == 0
  }

  /// Below, equal or above zero, by bytes as unsigned numbers (for UTF-8: by code points).
  @inlinable
  public static func compare(_ a: StringView, _ b: StringView) -> Int {
    let pa = UInt32(truncatingIfNeeded: a.low &>> 32).byteSwapped
    let pb = UInt32(truncatingIfNeeded: b.low &>> 32).byteSwapped
    if pa != pb { return pa < pb ? -1 : 1 }
    let (na, nb) = (a.count, b.count)
    let order = a.withBytes { (p, _) in b.withBytes { (q, _) in Int(ck_compare_bytes(p, q, min(na, nb))) } }
    return order != 0 ? order : na &- nb
  }

  @inlinable
  public static func < (a: StringView, b: StringView) -> Bool { compare(a, b) < 0 }

  /// The bytes as text, damaged UTF-8 repaired.
  public var string: String {
    withBytes { (p, n) in String(decoding: UnsafeRawBufferPointer(start: p, count: n), as: UTF8.self) }
  }

  /// A copy of the bytes.
  public var bytes: [UInt8] { withBytes { (p, n) in Array(UnsafeRawBufferPointer(start: p, count: n)) } }
}

/// What keeps the bytes of long strings alive: the buffers that views of a column point into.
public final class StringHeap: @unchecked Sendable {
  public let owners: [AnyObject]
  /// Whether an operator keeps the bytes as long as batches with them come, so that nobody saves memory by copying some; set by
  /// that operator before it hands any on.
  public var outlivesBatches = false

  public init(_ owners: [AnyObject]) { self.owners = owners }

  /// A heap that keeps everything both keep.
  public static func union(_ a: StringHeap?, _ b: StringHeap?) -> StringHeap? {
    guard let a else { return b }
    guard let b else { return a }
    if a === b { return a }
    return StringHeap([a, b])
  }
}
