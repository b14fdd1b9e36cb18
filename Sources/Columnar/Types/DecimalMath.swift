/// Arithmetic on unscaled decimals.
///
/// - Units: unscaled values; a scale counts digits after the point.
/// - Source: Trino `Int128Math`, `Decimals`.
public enum DecimalMath {
  /// 10⁰ … 10³⁸.
  nonisolated(unsafe) public static let powers: UnsafePointer<Int128> = {
    let table = UnsafeMutablePointer<Int128>.allocate(capacity: 39)
    var power: Int128 = 1
    for k in 0...38 {
      table[k] = power
      if k < 38 { power *= 10 }
    }
    return UnsafePointer(table)
  }()

  /// 10⁰ … 10¹⁸.
  nonisolated(unsafe) public static let shortPowers: UnsafePointer<Int64> = {
    let table = UnsafeMutablePointer<Int64>.allocate(capacity: 19)
    for k in 0...18 { table[k] = Int64(powers[k]) }
    return UnsafePointer(table)
  }()

  /// 10ⁿ; n within 0 … 38.
  public static func power(_ n: Int) -> Int128 { powers[min(max(n, 0), 38)] }

  /// Whether the value has at most `precision` digits.
  @inlinable @inline(__always)
  public static func fits(_ value: Int128, precision: Int) -> Bool {
    let limit = powers[precision]
    return value < limit && value > -limit
  }

  /// a / b, half away from zero; b > 0.
  @inlinable @inline(__always)
  public static func divideRounded(_ a: Int128, by b: Int128) -> Int128 {
    let (quotient, rest) = a.quotientAndRemainder(dividingBy: b)
    let twice = rest.magnitude &* 2
    if twice >= b.magnitude { return a < 0 ? quotient &- 1 : quotient &+ 1 }
    return quotient
  }

  /// a / b, half away from zero; b > 0, b < 2⁶².
  @inlinable @inline(__always)
  public static func divideRounded(_ a: Int64, by b: Int64) -> Int64 {
    let quotient = a / b
    let rest = a &- quotient &* b
    if rest.magnitude &* 2 >= b.magnitude { return a < 0 ? quotient &- 1 : quotient &+ 1 }
    return quotient
  }

  /// The value at another scale, rounded half away from zero; nil when it exceeds 128 bits.
  public static func rescale(_ value: Int128, from: Int, to: Int) -> Int128? {
    if from == to { return value }
    if to > from {
      guard to - from <= 38 else { return value == 0 ? 0 : nil }
      let (result, overflows) = value.multipliedReportingOverflow(by: powers[to - from])
      return overflows ? nil : result
    }
    guard from - to <= 38 else { return 0 }
    return divideRounded(value, by: powers[from - to])
  }

  /// a × 10ⁿ / b, half away from zero; nil when it exceeds 127 bits. b is not 0.
  public static func divide(_ a: Int128, shiftedBy n: Int, by b: Int128) -> Int128? {
    let isNegative = (a < 0) != (b < 0)
    let divisor = b.magnitude
    var (high, low) = (UInt128(0), a.magnitude)
    var digits = n
    while digits > 0 {
      let step = min(digits, 38)
      if high != 0 { return nil }
      (high, low) = low.multipliedFullWidth(by: powers[step].magnitude)
      digits -= step
    }
    if high >= divisor { return nil }
    var (quotient, rest) = divisor.dividingFullWidth((high, low))
    if rest >= divisor - rest {
      let (next, overflows) = quotient.addingReportingOverflow(1)
      if overflows { return nil }
      quotient = next
    }
    if quotient > UInt128(Int128.max) { return nil }
    return isNegative ? -Int128(quotient) : Int128(quotient)
  }

  /// (a × 10ⁿ) mod (b × 10ᵐ), with the sign of a; n or m is 0, b is not 0.
  public static func remainder(_ a: Int128, shiftedBy n: Int, by b: Int128, shiftedBy m: Int) -> Int128? {
    var divisor = b.magnitude
    if m > 0 {
      let (scaled, overflows) = divisor.multipliedReportingOverflow(by: powers[min(m, 38)].magnitude)
      // A divisor beyond 128 bits is larger than any dividend.
      if overflows || m > 38 { return a }
      divisor = scaled
    }
    let (high, low) = a.magnitude.multipliedFullWidth(by: powers[min(n, 38)].magnitude)
    let (_, rest) = divisor.dividingFullWidth((high % divisor, low))
    guard rest <= UInt128(Int128.max) else { return nil }
    return a < 0 ? -Int128(rest) : Int128(rest)
  }
}
