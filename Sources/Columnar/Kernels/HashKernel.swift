/// Hashes columns for joins, grouping and sets: equal values have equal hashes.
///
/// Equal means not distinct: NULLs hash alike, NaNs alike, -0.0 as 0.0, values with time zone by their instant.
///
/// - Source: Wang Yi, wyhash: products of 64 × 64 bits folded into 64.
public enum HashKernel {
  public static let nullHash: UInt64 = 0x7fb5_d329_728e_a185
  @usableFromInline static let k0: UInt64 = 0xa076_1d64_78bd_642f
  @usableFromInline static let k1: UInt64 = 0xe703_7ed1_a0b4_28db
  @usableFromInline static let k2: UInt64 = 0x8ebc_6af0_9c88_c6e3
  @usableFromInline static let k3: UInt64 = 0x5895_65c6_8a4d_35f5

  /// Spreads the bits of one word.
  @inlinable @inline(__always)
  public static func mix(_ x: UInt64) -> UInt64 { fold(x ^ 0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db) }

  /// The two halves of a product, combined.
  @inlinable @inline(__always)
  public static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }

  /// The hash of a row from that of its first columns and of the next.
  @inlinable @inline(__always)
  public static func combine(_ hash: UInt64, _ next: UInt64) -> UInt64 {
    mix((hash &* 0x9e37_79b9_7f4a_7c15) ^ next)
  }

  @inlinable @inline(__always)
  public static func hash(_ value: StringView) -> UInt64 {
    if value.isInline { return fold(value.low ^ 0x8ebc_6af0_9c88_c6e3, value.high ^ 0x5895_65c6_8a4d_35f5) }
    return hashLong(value)
  }

  @usableFromInline
  static func hashLong(_ value: StringView) -> UInt64 {
    value.withBytes { (p, n) in hash(bytes: p, count: n) }
  }

  /// The hash of more than 12 bytes.
  public static func hash(bytes p: UnsafeRawPointer, count n: Int) -> UInt64 {
    if n <= 12 { return hash(StringView(p, count: n)) }
    var seed = k0 ^ UInt64(truncatingIfNeeded: n)
    var at = 0
    while n &- at > 16 {
      seed = fold(
        (p + at).loadUnaligned(as: UInt64.self) ^ k1, (p + at + 8).loadUnaligned(as: UInt64.self) ^ seed)
      at &+= 16
    }
    // The last 16 bytes, or for 13 to 15 the first and last eight.
    let a: UInt64
    let b = (p + (n &- 8)).loadUnaligned(as: UInt64.self)
    if n >= 16 {
      a = (p + (n &- 16)).loadUnaligned(as: UInt64.self)
    } else {
      a = p.loadUnaligned(as: UInt64.self)
    }
    return fold(k2 ^ fold(a ^ k1, b ^ seed), k3 ^ UInt64(truncatingIfNeeded: n))
  }

  @inlinable @inline(__always)
  public static func hash(_ value: Double) -> UInt64 {
    mix(value != value ? 0x7ff8_0000_0000_0000 : (value + 0.0).bitPattern)
  }

  @inlinable @inline(__always)
  public static func hash(_ value: Float) -> UInt64 {
    mix(UInt64(value != value ? 0x7fc0_0000 : (value + 0.0).bitPattern))
  }

  @inlinable @inline(__always)
  public static func hash(_ value: Int64) -> UInt64 { mix(UInt64(bitPattern: value)) }

  @inlinable @inline(__always)
  public static func hash(_ value: Int128) -> UInt64 {
    fold(
      UInt64(truncatingIfNeeded: value) ^ 0x8ebc_6af0_9c88_c6e3,
      UInt64(truncatingIfNeeded: value &>> 64) ^ 0x5895_65c6_8a4d_35f5)
  }

  /// The hashes of whole rows.
  ///
  /// - Shape: `columns` of `rowCount` rows each; `hashes`: room for `rowCount` words.
  public static func hash(_ columns: [Column], rowCount: Int, into hashes: UnsafeMutablePointer<UInt64>) {
    if columns.isEmpty {
      var row = 0
      while row < rowCount {
        hashes[row] = k0
        row &+= 1
      }
    }
    for (index, column) in columns.enumerated() { hash(column, into: hashes, combining: index > 0) }
  }

  /// The hashes of one column's rows, alone or combined with those already in `hashes`.
  public static func hash(_ column: Column, into hashes: UnsafeMutablePointer<UInt64>, combining: Bool) {
    let n = column.count
    if n == 0 { return }
    switch column.encoding {
    case .constant:
      var one = nullHash
      if column.validity == nil { flat(column.base!, into: &one) }
      store(hashes, n, combining) { _ in one }
    case .dictionary:
      let base = column.base!
      let indices = UnsafePointer(column.indices!.typed(Int32.self))
      if base.count > n, base.type.physicalType.byteWidth > 0 {
        let taken = base.take(indices, count: n).withValidity(column.validity)
        return hash(taken, into: hashes, combining: combining)
      }
      withUnsafeTemporaryAllocation(of: UInt64.self, capacity: max(base.count, 1)) { entries in
        let p = entries.baseAddress!
        flat(base, into: p)
        if let validity = column.validity {
          let words = validity.words
          store(hashes, n, combining) { row in
            (words[row >> 6] &>> UInt64(row & 63)) & 1 != 0 ? p[Int(indices[row])] : nullHash
          }
        } else {
          store(hashes, n, combining) { row in p[Int(indices[row])] }
        }
      }
    case .flat:
      if !combining { return flat(column, into: hashes) }
      withUnsafeTemporaryAllocation(of: UInt64.self, capacity: n) { own in
        let p = own.baseAddress!
        flat(column, into: p)
        store(hashes, n, true) { row in p[row] }
      }
    }
  }

  @inline(__always)
  private static func store(
    _ hashes: UnsafeMutablePointer<UInt64>, _ n: Int, _ combining: Bool, _ value: (Int) -> UInt64
  ) {
    var row = 0
    if combining {
      while row < n {
        hashes[row] = combine(hashes[row], value(row))
        row &+= 1
      }
    } else {
      while row < n {
        hashes[row] = value(row)
        row &+= 1
      }
    }
  }

  /// The hashes of a flat column.
  private static func flat(_ column: Column, into hashes: UnsafeMutablePointer<UInt64>) {
    let n = column.count
    func p<T: BitwiseCopyable>(_: T.Type) -> UnsafePointer<T> { UnsafePointer(column.values!.typed(T.self)) }
    switch (column.type, column.type.physicalType) {
    case (.timestampWithTimeZone, _):
      let x = p(Int128.self)
      store(hashes, n, false) { hash(x[$0] &>> 16) }
    case (.timeWithTimeZone, _):
      let x = p(Int128.self)
      store(hashes, n, false) { hash(ZonedTime.utcPicos(x[$0])) }
    case (_, .bool):
      let x = p(UInt8.self)
      store(hashes, n, false) { mix(UInt64(x[$0])) }
    case (_, .int8):
      let x = p(Int8.self)
      store(hashes, n, false) { hash(Int64(x[$0])) }
    case (_, .int16):
      let x = p(Int16.self)
      store(hashes, n, false) { hash(Int64(x[$0])) }
    case (_, .int32):
      let x = p(Int32.self)
      store(hashes, n, false) { hash(Int64(x[$0])) }
    case (_, .int64):
      let x = p(Int64.self)
      store(hashes, n, false) { hash(x[$0]) }
    case (_, .int128):
      let x = p(Int128.self)
      store(hashes, n, false) { hash(x[$0]) }
    case (_, .float):
      let x = p(Float.self)
      store(hashes, n, false) { hash(x[$0]) }
    case (_, .double):
      let x = p(Double.self)
      store(hashes, n, false) { hash(x[$0]) }
    case (_, .string):
      let x = p(StringView.self)
      store(hashes, n, false) { hash(x[$0]) }
    case (_, .null): store(hashes, n, false) { _ in nullHash }
    case (_, .row):
      store(hashes, n, false) { _ in k3 }
      for child in column.children { hash(child, into: hashes, combining: true) }
    case (_, .array):
      let elements = Buffer(byteCount: column.children[0].count * 8).typed(UInt64.self, of: column.children[0])
      let (e, offsets) = (elements.pointer.assumingMemoryBound(to: UInt64.self), column.offsets!.typed(Int32.self))
      store(hashes, n, false) { row in
        var at = Int(offsets[row])
        let end = Int(offsets[row &+ 1])
        var value = k2 ^ UInt64(truncatingIfNeeded: end &- at)
        while at < end {
          value = combine(value, e[at])
          at &+= 1
        }
        return value
      }
    case (_, .map):
      let keys = Buffer(byteCount: column.children[0].count * 8).typed(UInt64.self, of: column.children[0])
      let values = Buffer(byteCount: column.children[1].count * 8).typed(UInt64.self, of: column.children[1])
      let (k, v) = (
        keys.pointer.assumingMemoryBound(to: UInt64.self), values.pointer.assumingMemoryBound(to: UInt64.self)
      )
      let offsets = column.offsets!.typed(Int32.self)
      store(hashes, n, false) { row in
        // A sum, because equal maps may list their entries in any order.
        var at = Int(offsets[row])
        let end = Int(offsets[row &+ 1])
        var value = k1 ^ UInt64(truncatingIfNeeded: end &- at)
        while at < end {
          value &+= combine(k[at], v[at])
          at &+= 1
        }
        return mix(value)
      }
    }
    if let validity = column.validity {
      let words = validity.words
      var row = 0
      while row < n {
        if (words[row >> 6] &>> UInt64(row & 63)) & 1 == 0 { hashes[row] = nullHash }
        row &+= 1
      }
    }
  }
}

extension Buffer {
  /// Fills the buffer with the hashes of `column`.
  fileprivate func typed(_: UInt64.Type, of column: Column) -> Buffer {
    HashKernel.hash(column, into: typed(UInt64.self), combining: false)
    return self
  }
}
