import CKernels

/// The shortest decimal that reads back as a given floating-point number.
///
/// - Source: Giulietti, "The Schubfach way to render doubles", 2021; powers of ten from Lemire's table of powers of five.
enum ShortestDecimal {
  /// 10^k as 128 bits, rounded up: the table truncates beyond what it holds exactly.
  @inline(__always)
  private static func power(_ k: Int) -> (high: UInt64, low: UInt64)? {
    guard k >= -342, k <= 308 else { return nil }
    let table = ck_powers_of_five().unsafelyUnwrapped
    let (high, low) = (table[2 &* (k &+ 342)], table[2 &* (k &+ 342) &+ 1])
    // Exact for 0 … 55, rounded up already for -27 … -1.
    if k >= -27, k <= 55 { return (high, low) }
    let (sum, carries) = low.addingReportingOverflow(1)
    return (carries ? high &+ 1 : high, sum)
  }

  /// The product's upper bits, with any lost bit kept in the last one.
  @inline(__always)
  private static func roundToOdd(_ g: (high: UInt64, low: UInt64), _ cp: UInt64) -> UInt64 {
    let x = g.low.multipliedFullWidth(by: cp).high
    let (high, low) = g.high.multipliedFullWidth(by: cp)
    let (y, carries) = low.addingReportingOverflow(x)
    return (carries ? high &+ 1 : high) | (y > 1 ? 1 : 0)
  }

  /// `digits` × 10^`exponent` for the number `c` × 2^`q`; nil for the smallest doubles, whose powers are not at hand.
  ///
  /// - Parameter isLowerCloser: whether the number below is half as far away as the one above.
  @inline(__always)
  private static func find(_ c: UInt64, _ q: Int, isLowerCloser: Bool) -> (digits: UInt64, exponent: Int)? {
    let isEven: UInt64 = c & 1 == 0 ? 0 : 1
    let cbl = 4 &* c &- 2 &+ (isLowerCloser ? 1 : 0)
    let cb = 4 &* c
    let cbr = 4 &* c &+ 2
    let k = (q &* 1_262_611 &- (isLowerCloser ? 524_031 : 0)) >> 22
    let h = UInt64(truncatingIfNeeded: q &+ ((-k &* 1_741_647) >> 19) &+ 1)
    guard let g = power(-k) else { return nil }
    let vbl = roundToOdd(g, cbl &<< h)
    let vb = roundToOdd(g, cb &<< h)
    let vbr = roundToOdd(g, cbr &<< h)
    let lower = vbl &+ isEven
    let upper = vbr &- isEven
    let s = vb >> 2
    if s >= 10 {
      let sp = s / 10
      let up = lower <= 40 &* sp
      let wp = 40 &* sp &+ 40 <= upper
      if up != wp { return (sp &+ (wp ? 1 : 0), k &+ 1) }
    }
    let u = lower <= 4 &* s
    let w = 4 &* s &+ 4 <= upper
    if u != w { return (s &+ (w ? 1 : 0), k) }
    let middle = 4 &* s &+ 2
    let roundsUp = vb > middle || (vb == middle && s & 1 != 0)
    return (s &+ (roundsUp ? 1 : 0), k)
  }

  /// - Parameter x: positive and finite.
  static func find(_ x: Double) -> (digits: UInt64, exponent: Int)? {
    let bits = x.bitPattern
    let significand = bits & 0xf_ffff_ffff_ffff
    let exponent = Int(bits >> 52) & 0x7ff
    if exponent == 0 { return find(significand, -1074, isLowerCloser: false) }
    return find(significand | 1 << 52, exponent - 1075, isLowerCloser: significand == 0 && exponent > 1)
  }

  /// - Parameter x: positive and finite.
  static func find(_ x: Float) -> (digits: UInt64, exponent: Int)? {
    let bits = x.bitPattern
    let significand = UInt64(bits & 0x7f_ffff)
    let exponent = Int(bits >> 23) & 0xff
    if exponent == 0 { return find(significand, -149, isLowerCloser: false) }
    return find(significand | 1 << 23, exponent - 150, isLowerCloser: significand == 0 && exponent > 1)
  }
}
