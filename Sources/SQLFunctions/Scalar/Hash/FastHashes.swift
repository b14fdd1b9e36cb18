import Glibc

/// Hashes that are not cryptographic, of byte strings.
enum FastHashes {
  @inline(__always)
  private static func rotated(_ x: UInt64, _ k: UInt64) -> UInt64 { (x &<< k) | (x &>> (64 &- k)) }

  @inline(__always)
  private static func word(_ p: UnsafeRawPointer, _ at: Int) -> UInt64 { p.loadUnaligned(fromByteOffset: at, as: UInt64.self) }

  @inline(__always)
  private static func half(_ p: UnsafeRawPointer, _ at: Int) -> UInt64 {
    UInt64(p.loadUnaligned(fromByteOffset: at, as: UInt32.self))
  }

  /// - Source: Collet, xxHash specification: XXH64 with seed 0.
  static func xxHash64(_ p: UnsafeRawPointer, _ n: Int) -> UInt64 {
    let p1: UInt64 = 0x9e37_79b1_85eb_ca87
    let p2: UInt64 = 0xc2b2_ae3d_27d4_eb4f
    let p3: UInt64 = 0x1656_67b1_9e37_79f9
    let p4: UInt64 = 0x85eb_ca77_c2b2_ae63
    let p5: UInt64 = 0x27d4_eb2f_1656_67c5
    func round(_ acc: UInt64, _ lane: UInt64) -> UInt64 { rotated(acc &+ lane &* p2, 31) &* p1 }
    func merge(_ h: UInt64, _ acc: UInt64) -> UInt64 { (h ^ round(0, acc)) &* p1 &+ p4 }
    var at = 0
    var h: UInt64
    if n >= 32 {
      var a = p1 &+ p2
      var b = p2
      var c: UInt64 = 0
      var d = 0 &- p1
      while at &+ 32 <= n {
        a = round(a, word(p, at))
        b = round(b, word(p, at &+ 8))
        c = round(c, word(p, at &+ 16))
        d = round(d, word(p, at &+ 24))
        at &+= 32
      }
      h = rotated(a, 1) &+ rotated(b, 7) &+ rotated(c, 12) &+ rotated(d, 18)
      h = merge(merge(merge(merge(h, a), b), c), d)
    } else {
      h = p5
    }
    h = h &+ UInt64(n)
    while at &+ 8 <= n {
      h = rotated(h ^ round(0, word(p, at)), 27) &* p1 &+ p4
      at &+= 8
    }
    if at &+ 4 <= n {
      h = rotated(h ^ (half(p, at) &* p1), 23) &* p2 &+ p3
      at &+= 4
    }
    while at < n {
      h = rotated(h ^ (UInt64(p.load(fromByteOffset: at, as: UInt8.self)) &* p5), 11) &* p1
      at &+= 1
    }
    h = (h ^ (h &>> 33)) &* p2
    h = (h ^ (h &>> 29)) &* p3
    return h ^ (h &>> 32)
  }

  /// - Source: Appleby, MurmurHash3_x64_128 with seed 0.
  static func murmur3(_ p: UnsafeRawPointer, _ n: Int) -> (UInt64, UInt64) {
    let c1: UInt64 = 0x87c3_7b91_1142_53d5
    let c2: UInt64 = 0x4cf5_ad43_2745_937f
    var (h1, h2): (UInt64, UInt64) = (0, 0)
    var at = 0
    while at &+ 16 <= n {
      h1 ^= rotated(word(p, at) &* c1, 31) &* c2
      h1 = (rotated(h1, 27) &+ h2) &* 5 &+ 0x52dc_e729
      h2 ^= rotated(word(p, at &+ 8) &* c2, 33) &* c1
      h2 = (rotated(h2, 31) &+ h1) &* 5 &+ 0x3849_5ab5
      at &+= 16
    }
    var (k1, k2): (UInt64, UInt64) = (0, 0)
    var k = 0
    while at &+ k < n {
      let byte = UInt64(p.load(fromByteOffset: at &+ k, as: UInt8.self))
      if k < 8 { k1 |= byte &<< UInt64(k &* 8) } else { k2 |= byte &<< UInt64((k &- 8) &* 8) }
      k &+= 1
    }
    h2 ^= rotated(k2 &* c2, 33) &* c1
    h1 ^= rotated(k1 &* c1, 31) &* c2
    h1 ^= UInt64(n)
    h2 ^= UInt64(n)
    h1 = h1 &+ h2
    h2 = h2 &+ h1
    func final(_ x: UInt64) -> UInt64 {
      var x = (x ^ (x &>> 33)) &* 0xff51_afd7_ed55_8ccd
      x = (x ^ (x &>> 33)) &* 0xc4ce_b9fe_1a85_ec53
      return x ^ (x &>> 33)
    }
    h1 = final(h1)
    h2 = final(h2)
    h1 = h1 &+ h2
    return (h1, h2 &+ h1)
  }

  /// - Source: Jenkins, SpookyHash V2 with seeds 0: the first 64 of its 128 bits.
  static func spookyV2(_ p: UnsafeRawPointer, _ n: Int) -> UInt64 {
    n < 192 ? spookyShort(p, n) : spookyLong(p, n)
  }

  private static let spookyConstant: UInt64 = 0xdead_beef_dead_beef

  private static func spookyShort(_ p: UnsafeRawPointer, _ n: Int) -> UInt64 {
    var (a, b, c, d): (UInt64, UInt64, UInt64, UInt64) = (0, 0, spookyConstant, spookyConstant)
    func mix(_ h0: inout UInt64, _ h1: inout UInt64, _ h2: inout UInt64, _ h3: inout UInt64) {
      func step(_ x: inout UInt64, _ k: UInt64, _ y: UInt64, _ z: inout UInt64) {
        x = rotated(x, k) &+ y
        z ^= x
      }
      step(&h2, 50, h3, &h0)
      step(&h3, 52, h0, &h1)
      step(&h0, 30, h1, &h2)
      step(&h1, 41, h2, &h3)
      step(&h2, 54, h3, &h0)
      step(&h3, 48, h0, &h1)
      step(&h0, 38, h1, &h2)
      step(&h1, 37, h2, &h3)
      step(&h2, 62, h3, &h0)
      step(&h3, 34, h0, &h1)
      step(&h0, 5, h1, &h2)
      step(&h1, 36, h2, &h3)
    }
    var at = 0
    var rest = n % 32
    while at &+ 32 <= n {
      c = c &+ word(p, at)
      d = d &+ word(p, at &+ 8)
      mix(&a, &b, &c, &d)
      a = a &+ word(p, at &+ 16)
      b = b &+ word(p, at &+ 24)
      at &+= 32
    }
    if rest >= 16 {
      c = c &+ word(p, at)
      d = d &+ word(p, at &+ 8)
      mix(&a, &b, &c, &d)
      at &+= 16
      rest &-= 16
    }
    d = d &+ (UInt64(n) &<< 56)
    if rest == 0 {
      c = c &+ spookyConstant
      d = d &+ spookyConstant
    } else {
      // The rest as two little-endian words.
      var k = 0
      while k < rest {
        let byte = UInt64(p.load(fromByteOffset: at &+ k, as: UInt8.self))
        if k < 8 { c = c &+ (byte &<< UInt64(k &* 8)) } else { d = d &+ (byte &<< UInt64((k &- 8) &* 8)) }
        k &+= 1
      }
    }
    func step(_ x: inout UInt64, _ y: inout UInt64, _ k: UInt64) {
      x ^= y
      y = rotated(y, k)
      x = x &+ y
    }
    step(&d, &c, 15)
    step(&a, &d, 52)
    step(&b, &a, 26)
    step(&c, &b, 51)
    step(&d, &c, 28)
    step(&a, &d, 9)
    step(&b, &a, 47)
    step(&c, &b, 54)
    step(&d, &c, 32)
    step(&a, &d, 25)
    step(&b, &a, 63)
    return a
  }

  private static let spookyMixRotations: [UInt64] = [11, 32, 43, 31, 17, 28, 39, 57, 55, 54, 22, 46]
  private static let spookyEndRotations: [UInt64] = [44, 15, 34, 21, 38, 33, 10, 13, 38, 53, 42, 54]

  private static func spookyLong(_ p: UnsafeRawPointer, _ n: Int) -> UInt64 {
    var h: [UInt64] = []
    for _ in 0..<4 { h += [0, 0, spookyConstant] }
    var at = 0
    while at &+ 96 <= n {
      for i in 0..<12 {
        h[i] = h[i] &+ word(p, at &+ i &* 8)
        h[(i + 2) % 12] ^= h[(i + 10) % 12]
        h[(i + 11) % 12] ^= h[i]
        h[i] = rotated(h[i], spookyMixRotations[i])
        h[(i + 11) % 12] = h[(i + 11) % 12] &+ h[(i + 1) % 12]
      }
      at &+= 96
    }
    var last = [UInt8](repeating: 0, count: 96)
    for k in 0..<n &- at { last[k] = p.load(fromByteOffset: at &+ k, as: UInt8.self) }
    last[95] = UInt8(n &- at)
    last.withUnsafeBytes { q in for i in 0..<12 { h[i] = h[i] &+ word(q.baseAddress!, i &* 8) } }
    for _ in 0..<3 {
      for i in 0..<12 {
        let (x, y, z) = ((i + 11) % 12, (i + 1) % 12, (i + 2) % 12)
        h[x] = h[x] &+ h[y]
        h[z] ^= h[x]
        h[y] = rotated(h[y], spookyEndRotations[i])
      }
    }
    return h[0]
  }

  /// - Source: ISO 3309: CRC-32 with polynomial 0xEDB88320.
  static func crc32(_ p: UnsafeRawPointer, _ n: Int) -> UInt32 {
    var crc: UInt32 = 0xffff_ffff
    crcTable.withUnsafeBufferPointer { table in
      var i = 0
      while i < n {
        crc = table[Int((crc ^ UInt32(p.load(fromByteOffset: i, as: UInt8.self))) & 0xff)] ^ (crc &>> 8)
        i &+= 1
      }
    }
    return ~crc
  }

  private static let crcTable: [UInt32] = (0..<256).map { index in
    var value = UInt32(index)
    for _ in 0..<8 { value = value & 1 == 1 ? 0xedb8_8320 ^ (value >> 1) : value >> 1 }
    return value
  }
}
