import Columnar
import Glibc

/// The 64-bit hashes that Trino's sketches and checksums are made of.
///
/// - Source: Yann Collet, xxHash specification, XXH64; Austin Appleby, MurmurHash3 x64 128, first half; seed 0.
enum SketchHash {
  private static let p1: UInt64 = 0x9e37_79b1_85eb_ca87
  private static let p2: UInt64 = 0xc2b2_ae3d_27d4_eb4f
  private static let p3: UInt64 = 0x1656_67b1_9e37_79f9
  private static let p4: UInt64 = 0x85eb_ca77_c2b2_ae63
  private static let p5: UInt64 = 0x27d4_eb2f_1656_67c5

  @inline(__always)
  private static func rotate(_ x: UInt64, _ n: UInt64) -> UInt64 { (x &<< n) | (x &>> (64 &- n)) }

  @inline(__always)
  private static func round(_ accumulator: UInt64, _ lane: UInt64) -> UInt64 {
    rotate(accumulator &+ lane &* p2, 31) &* p1
  }

  @inline(__always)
  private static func avalanche(_ x: UInt64) -> UInt64 {
    var h = x
    h = (h ^ (h &>> 33)) &* p2
    h = (h ^ (h &>> 29)) &* p3
    return h ^ (h &>> 32)
  }

  /// XXH64 of the eight bytes of a word, lowest first.
  @inline(__always)
  static func xx(_ value: Int64) -> Int64 {
    var h = p5 &+ 8
    h = rotate(h ^ round(0, UInt64(bitPattern: value)), 27) &* p1 &+ p4
    return Int64(bitPattern: avalanche(h))
  }

  /// XXH64 of some bytes.
  static func xx(_ p: UnsafeRawPointer, _ count: Int) -> Int64 {
    var at = 0
    var h: UInt64
    if count >= 32 {
      var (a, b, c, d) = (p1 &+ p2, p2, UInt64(0), 0 &- p1)
      while at &+ 32 <= count {
        a = round(a, (p + at).loadUnaligned(as: UInt64.self))
        b = round(b, (p + at + 8).loadUnaligned(as: UInt64.self))
        c = round(c, (p + at + 16).loadUnaligned(as: UInt64.self))
        d = round(d, (p + at + 24).loadUnaligned(as: UInt64.self))
        at &+= 32
      }
      h = rotate(a, 1) &+ rotate(b, 7) &+ rotate(c, 12) &+ rotate(d, 18)
      for lane in [a, b, c, d] { h = (h ^ round(0, lane)) &* p1 &+ p4 }
    } else {
      h = p5
    }
    h = h &+ UInt64(count)
    while at &+ 8 <= count {
      h = rotate(h ^ round(0, (p + at).loadUnaligned(as: UInt64.self)), 27) &* p1 &+ p4
      at &+= 8
    }
    if at &+ 4 <= count {
      h = rotate(h ^ (UInt64((p + at).loadUnaligned(as: UInt32.self)) &* p1), 23) &* p2 &+ p3
      at &+= 4
    }
    while at < count {
      h = rotate(h ^ (UInt64(p.load(fromByteOffset: at, as: UInt8.self)) &* p5), 11) &* p1
      at &+= 1
    }
    return Int64(bitPattern: avalanche(h))
  }

  /// MurmurHash3 of some bytes.
  static func murmur(_ p: UnsafeRawPointer, _ count: Int) -> Int64 {
    let (c1, c2): (UInt64, UInt64) = (0x87c3_7b91_1142_53d5, 0x4cf5_ad43_2745_937f)
    func mix1(_ k: UInt64) -> UInt64 { rotate(k &* c1, 31) &* c2 }
    func mix2(_ k: UInt64) -> UInt64 { rotate(k &* c2, 33) &* c1 }
    func final(_ x: UInt64) -> UInt64 {
      var k = x
      k = (k ^ (k &>> 33)) &* 0xff51_afd7_ed55_8ccd
      k = (k ^ (k &>> 33)) &* 0xc4ce_b9fe_1a85_ec53
      return k ^ (k &>> 33)
    }
    var (h1, h2): (UInt64, UInt64) = (0, 0)
    var at = 0
    while at &+ 16 <= count {
      h1 ^= mix1((p + at).loadUnaligned(as: UInt64.self))
      h1 = (rotate(h1, 27) &+ h2) &* 5 &+ 0x52dc_e729
      h2 ^= mix2((p + at + 8).loadUnaligned(as: UInt64.self))
      h2 = (rotate(h2, 31) &+ h1) &* 5 &+ 0x3849_5ab5
      at &+= 16
    }
    var (k1, k2): (UInt64, UInt64) = (0, 0)
    var k = at
    while k < count {
      let byte = UInt64(p.load(fromByteOffset: k, as: UInt8.self))
      let place = k &- at
      if place < 8 { k1 |= byte &<< UInt64(place &* 8) } else { k2 |= byte &<< UInt64((place &- 8) &* 8) }
      k &+= 1
    }
    if count &- at > 8 { h2 ^= mix2(k2) }
    if count &- at > 0 { h1 ^= mix1(k1) }
    h1 ^= UInt64(count)
    h2 ^= UInt64(count)
    h1 = h1 &+ h2
    h2 = h2 &+ h1
    h1 = final(h1)
    h2 = final(h2)
    return Int64(bitPattern: h1 &+ h2)
  }

  /// MurmurHash3 of the eight bytes of a word.
  static func murmur(_ value: Int64) -> Int64 {
    withUnsafeBytes(of: value.littleEndian) { murmur($0.baseAddress!, 8) }
  }

  /// The hash of every row as Trino's types define it over XXH64; NULL rows hash to 0.
  ///
  /// - Source: Trino, `XX_HASH_64` operators of the types.
  static func xx(_ column: Column) -> [Int64] {
    let n = column.count
    if column.isAllNull { return Array(repeating: 0, count: n) }
    let base = flatHashes(column.storage)
    return (0..<n).map { row in column.isNull(row) ? 0 : base[column.position(row)] }
  }

  private static func flatHashes(_ column: Column) -> [Int64] {
    let n = column.count
    func values<T: BitwiseCopyable>(_: T.Type) -> UnsafeMutablePointer<T> { column.values!.typed(T.self) }
    func wide(_ value: Int128, _ unit: Int128) -> Int64 {
      var (quotient, rest) = value.quotientAndRemainder(dividingBy: unit)
      if rest < 0 {
        quotient -= 1
        rest += unit
      }
      return xx(Int64(truncatingIfNeeded: quotient)) ^ xx(Int64(truncatingIfNeeded: rest))
    }
    switch (column.type, column.type.physicalType) {
    case (.timestampWithTimeZone(let precision), _):
      return (0..<n).map { row in
        let picos = values(Int128.self)[row] &>> 16
        return precision <= 3
          ? xx(Int64(truncatingIfNeeded: floorDivide(picos, 1_000_000_000))) : wide(picos, 1_000_000_000)
      }
    case (.timeWithTimeZone, _): return (0..<n).map { xx(ZonedTime.utcPicos(values(Int128.self)[$0])) }
    case (.timestamp, .int128): return (0..<n).map { wide(values(Int128.self)[$0], 1_000_000) }
    case (.ipaddress, _), (.uuid, _):
      return (0..<n).map { row in
        values(StringView.self)[row].withBytes { (p, count) in
          count < 16 ? xx(p, count) : xx(p.loadUnaligned(as: Int64.self)) ^ xx((p + 8).loadUnaligned(as: Int64.self))
        }
      }
    case (_, .bool): return (0..<n).map { xx(Int64(values(UInt8.self)[$0])) }
    case (_, .int8): return (0..<n).map { xx(Int64(values(Int8.self)[$0])) }
    case (_, .int16): return (0..<n).map { xx(Int64(values(Int16.self)[$0])) }
    case (_, .int32): return (0..<n).map { xx(Int64(values(Int32.self)[$0])) }
    case (_, .int64): return (0..<n).map { xx(values(Int64.self)[$0]) }
    case (_, .int128):
      return (0..<n).map { row in
        let value = values(Int128.self)[row]
        return xx(Int64(truncatingIfNeeded: value)) ^ xx(Int64(truncatingIfNeeded: value &>> 64))
      }
    case (_, .float):
      return (0..<n).map { row in
        let value = values(Float.self)[row]
        let bits = value.isNaN ? 0x7fc0_0000 : (value == 0 ? Float(0) : value).bitPattern
        return xx(Int64(Int32(bitPattern: bits)))
      }
    case (_, .double):
      return (0..<n).map { row in
        let value = values(Double.self)[row]
        let bits = value.isNaN ? 0x7ff8_0000_0000_0000 : (value == 0 ? 0.0 : value).bitPattern
        return xx(Int64(bitPattern: bits))
      }
    case (_, .string): return (0..<n).map { values(StringView.self)[$0].withBytes { (p, count) in xx(p, count) } }
    case (_, .null): return Array(repeating: 0, count: n)
    case (_, .array):
      let elements = xx(column.children[0])
      return (0..<n).map { row in column.elementRange(row).reduce(Int64(0)) { $0 &* 31 &+ elements[$1] } }
    case (_, .map):
      let (keys, items) = (xx(column.children[0]), xx(column.children[1]))
      return (0..<n).map { row in column.elementRange(row).reduce(Int64(0)) { $0 &+ (keys[$1] ^ items[$1]) } }
    case (_, .row):
      let fields = column.children.map { xx($0) }
      return (0..<n).map { row in fields.reduce(Int64(1)) { $0 &* 31 &+ $1[row] } }
    }
  }

  private static func floorDivide(_ a: Int128, _ b: Int128) -> Int128 {
    let (quotient, rest) = a.quotientAndRemainder(dividingBy: b)
    return rest < 0 ? quotient - 1 : quotient
  }
}
