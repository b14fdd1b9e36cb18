import CKernels
import Glibc

/// Numbers written in ASCII, parsed eight digits at a time.
///
/// All functions read up to 16 bytes past the text, which its memory has to allow.
enum NumberText {
  // MARK: Digits

  /// Whether all eight bytes are ASCII digits.
  @inline(__always)
  static func areDigits(_ x: UInt64) -> Bool {
    (x & 0xf0f0_f0f0_f0f0_f0f0) | (((x &+ 0x0606_0606_0606_0606) & 0xf0f0_f0f0_f0f0_f0f0) &>> 4)
      == 0x3333_3333_3333_3333
  }

  /// The number that eight ASCII digits spell, first byte lowest.
  @inline(__always)
  static func eightDigits(_ x: UInt64) -> UInt64 {
    var v = x &- 0x3030_3030_3030_3030
    v = (v &* 10) &+ (v &>> 8)
    let a = (v & 0x0000_00ff_0000_00ff) &* 0x000f_4240_0000_0064
    let b = ((v &>> 16) & 0x0000_00ff_0000_00ff) &* 0x0000_2710_0000_0001
    return (a &+ b) &>> 32
  }

  /// Up to eight bytes as a word of eight digits, zeros put before them.
  @inline(__always)
  static func word(_ p: UnsafePointer<UInt8>, _ n: Int) -> UInt64 {
    let x = UnsafeRawPointer(p).loadUnaligned(as: UInt64.self).littleEndian
    let free = UInt64(truncatingIfNeeded: (8 &- n) &* 8)
    // n = 0 would shift by 64.
    if n == 0 { return 0x3030_3030_3030_3030 }
    return (x &<< free) | (0x3030_3030_3030_3030 & ((1 &<< free) &- 1))
  }

  /// The number of 0 to 16 digits; `ok` turns false when a byte is no digit.
  @inline(__always)
  static func upTo16(_ p: UnsafePointer<UInt8>, _ n: Int, _ ok: inout Bool) -> UInt64 {
    if n <= 8 {
      let x = word(p, n)
      ok = ok && areDigits(x)
      return eightDigits(x)
    }
    let low = word(p + (n &- 8), 8)
    let high = word(p, n &- 8)
    ok = ok && areDigits(low) && areDigits(high)
    return eightDigits(high) &* 100_000_000 &+ eightDigits(low)
  }

  // MARK: Integers

  /// The integer of an optional sign and digits, or nil in `ok`.
  ///
  /// - Parameter isStrict: refuses a plus sign and leading zeros, which a number type would lose.
  @inline(__always)
  static func integer(_ text: UnsafePointer<UInt8>, _ count: Int, isStrict: Bool, _ ok: inout Bool) -> Int64 {
    var p = text
    var n = count
    let first = p[0]
    let isNegative = first == 0x2d
    if isNegative || (first == 0x2b && !isStrict) {
      p += 1
      n &-= 1
    }
    if isStrict, n > 1, p[0] == 0x30 { ok = false }
    if n <= 16 {
      if n <= 0 {
        ok = false
        return 0
      }
      let value = Int64(bitPattern: upTo16(p, n, &ok))
      return isNegative ? 0 &- value : value
    }
    return longInteger(p, n, isNegative, &ok)
  }

  @inline(never)
  private static func longInteger(_ text: UnsafePointer<UInt8>, _ count: Int, _ isNegative: Bool, _ ok: inout Bool)
    -> Int64
  {
    var p = text
    var n = count
    while n > 1, p[0] == 0x30 {
      p += 1
      n &-= 1
    }
    if n > 19 {
      ok = false
      return 0
    }
    var value: UInt64 = 0
    var i = 0
    while i < n {
      let digit = p[i] &- 0x30
      if digit > 9 {
        ok = false
        return 0
      }
      value = value &* 10 &+ UInt64(digit)
      i &+= 1
    }
    if isNegative {
      if value > 1 << 63 { ok = false }
      return 0 &- Int64(bitPattern: value)
    }
    if value >= 1 << 63 { ok = false }
    return Int64(bitPattern: value)
  }

  // MARK: Fractions

  /// A number as `digits · 10^exponent`.
  struct Parts {
    var digits: UInt64
    var exponent: Int
    var isNegative: Bool
    /// Whether more digits followed than `digits` holds.
    var isTruncated: Bool
  }

  /// Where the first `.` lies among the first `n` ≤ 16 bytes, or n.
  @inline(__always)
  static func dot(_ p: UnsafePointer<UInt8>, _ n: Int) -> Int {
    let a = UnsafeRawPointer(p).loadUnaligned(as: UInt64.self).littleEndian ^ 0x2e2e_2e2e_2e2e_2e2e
    let zeroA = (a &- 0x0101_0101_0101_0101) & ~a & 0x8080_8080_8080_8080
    if zeroA != 0 { return min(n, zeroA.trailingZeroBitCount &>> 3) }
    if n <= 8 { return n }
    let b = UnsafeRawPointer(p + 8).loadUnaligned(as: UInt64.self).littleEndian ^ 0x2e2e_2e2e_2e2e_2e2e
    let zeroB = (b &- 0x0101_0101_0101_0101) & ~b & 0x8080_8080_8080_8080
    return zeroB == 0 ? n : min(n, 8 &+ (zeroB.trailingZeroBitCount &>> 3))
  }

  /// The same of 1 to 8 bytes without a sign: the dot is shifted out of the word and all digits are read at once.
  @inline(__always)
  private static func shortParts(_ p: UnsafePointer<UInt8>, _ n: Int, _ isNegative: Bool, _ parts: inout Parts) -> Bool {
    let x = UnsafeRawPointer(p).loadUnaligned(as: UInt64.self).littleEndian
    let inside = ~(0 as UInt64) &>> UInt64(truncatingIfNeeded: (8 &- n) &* 8)
    let y = x ^ 0x2e2e_2e2e_2e2e_2e2e
    let found = (y &- 0x0101_0101_0101_0101) & ~y & 0x8080_8080_8080_8080 & inside
    var digits = x
    var count = n
    var exponent = 0
    if found != 0 {
      // Bits before the dot's byte stay, those behind it move down by one byte.
      let before = (found & (0 &- found)) &>> 7 &- 1
      digits = (x & before) | ((x &>> 8) & ~before)
      let at = found.trailingZeroBitCount &>> 3
      count = n &- 1
      exponent = at &- count
      if count == 0 { return false }
    }
    let free = UInt64(truncatingIfNeeded: (8 &- count) &* 8)
    let word = (digits &<< free) | (0x3030_3030_3030_3030 & ((1 &<< free) &- 1))
    parts = Parts(digits: eightDigits(word), exponent: exponent, isNegative: isNegative, isTruncated: false)
    return areDigits(word)
  }

  /// `123.45` without an exponent and of at most 17 bytes; false when it is something else.
  @inline(__always)
  static func simpleParts(_ text: UnsafePointer<UInt8>, _ count: Int, _ parts: inout Parts) -> Bool {
    var p = text
    var n = count
    let isNegative = n > 0 && p[0] == 0x2d
    if isNegative {
      p += 1
      n &-= 1
    }
    if n <= 0 || n > 16 { return false }
    if n <= 8 { return shortParts(p, n, isNegative, &parts) }
    let at = dot(p, n)
    var ok = true
    let whole = upTo16(p, at, &ok)
    if at == n {
      parts = Parts(digits: whole, exponent: 0, isNegative: isNegative, isTruncated: false)
      return ok
    }
    let fractionCount = n &- at &- 1
    let fraction = upTo16(p + (at &+ 1), fractionCount, &ok)
    if n == 1 { return false }
    parts = Parts(
      digits: whole &* powersOfTen[fractionCount] &+ fraction, exponent: 0 &- fractionCount, isNegative: isNegative,
      isTruncated: false)
    return ok
  }

  /// Sign, digits, fraction and exponent of any length; false when the text is no number.
  @inline(never)
  static func anyParts(_ text: UnsafePointer<UInt8>, _ count: Int, _ parts: inout Parts) -> Bool {
    var i = 0
    var isNegative = false
    if i < count, text[i] == 0x2d || text[i] == 0x2b {
      isNegative = text[i] == 0x2d
      i &+= 1
    }
    var digits: UInt64 = 0
    var significant = 0
    var exponent = 0
    var digitCount = 0
    var isTruncated = false
    var hasDot = false
    while i < count {
      let c = text[i]
      if c == 0x2e, !hasDot {
        hasDot = true
        i &+= 1
        continue
      }
      let digit = c &- 0x30
      if digit > 9 { break }
      digitCount &+= 1
      if significant == 0, digit == 0 {
        if hasDot { exponent &-= 1 }
      } else if significant < 19 {
        digits = digits &* 10 &+ UInt64(digit)
        significant &+= 1
        if hasDot { exponent &-= 1 }
      } else {
        if digit != 0 { isTruncated = true }
        if !hasDot { exponent &+= 1 }
      }
      i &+= 1
    }
    if digitCount == 0 { return false }
    if i < count, text[i] | 0x20 == 0x65 {
      i &+= 1
      var isMinus = false
      if i < count, text[i] == 0x2d || text[i] == 0x2b {
        isMinus = text[i] == 0x2d
        i &+= 1
      }
      if i == count { return false }
      var value = 0
      while i < count {
        let digit = text[i] &- 0x30
        if digit > 9 { return false }
        if value < 100_000_000 { value = value &* 10 &+ Int(digit) }
        i &+= 1
      }
      exponent &+= isMinus ? 0 &- value : value
    }
    parts = Parts(digits: digits, exponent: exponent, isNegative: isNegative, isTruncated: isTruncated)
    return i == count
  }

  // MARK: Doubles

  /// The double nearest to the text's number (as `strtod`), or anything and `ok` false.
  @inline(__always)
  static func double(_ text: UnsafePointer<UInt8>, _ count: Int, _ ok: inout Bool) -> Double {
    var parts = Parts(digits: 0, exponent: 0, isNegative: false, isTruncated: false)
    if simpleParts(text, count, &parts) {
      // At most 16 digits with a dot may pass 2^53.
      if parts.digits <= 1 << 53 {
        let value = Double(parts.digits) / exactPowersOfTen[0 &- parts.exponent]
        return parts.isNegative ? -value : value
      }
    }
    return slowDouble(text, count, &ok)
  }

  @inline(never)
  static func slowDouble(_ text: UnsafePointer<UInt8>, _ count: Int, _ ok: inout Bool) -> Double {
    var parts = Parts(digits: 0, exponent: 0, isNegative: false, isTruncated: false)
    guard anyParts(text, count, &parts) else {
      if let special = specialDouble(text, count) { return special }
      ok = false
      return 0
    }
    if !parts.isTruncated, parts.digits <= 1 << 53, parts.exponent >= -22, parts.exponent <= 22 {
      let m = Double(parts.digits)
      let value =
        parts.exponent < 0 ? m / exactPowersOfTen[0 &- parts.exponent] : m * exactPowersOfTen[parts.exponent]
      return parts.isNegative ? -value : value
    }
    var bits = eiselLemire(parts.digits, parts.exponent)
    if parts.isTruncated, bits != eiselLemire(parts.digits &+ 1, parts.exponent) { bits = exactBits(text, count) }
    return Double(bitPattern: bits | (parts.isNegative ? 1 << 63 : 0))
  }

  /// The magnitude of a number by the C library, for more digits than 19 next to a tie.
  private static func exactBits(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) { copy in
      memcpy(copy.baseAddress!, text, count)
      copy[count] = 0
      return strtod(copy.baseAddress!, nil).magnitude.bitPattern
    }
  }

  /// `NaN`, `Infinity` and `-Infinity` as Java writes them.
  private static func specialDouble(_ text: UnsafePointer<UInt8>, _ count: Int) -> Double? {
    var p = text
    var n = count
    var isNegative = false
    if n > 0, p[0] == 0x2d || p[0] == 0x2b {
      isNegative = p[0] == 0x2d
      p += 1
      n -= 1
    }
    if n == 3, memcmp(p, "NaN", 3) == 0 { return .nan }
    if n == 8, memcmp(p, "Infinity", 8) == 0 { return isNegative ? -.infinity : .infinity }
    return nil
  }

  /// The bits of the double nearest to `w · 10^q`.
  ///
  /// - Source: Lemire, "Number parsing at a gigabyte per second", 2021; Mushtak and Lemire, "Fast number parsing without
  ///   fallback", 2023; the steps of fast_float's `compute_float`.
  static func eiselLemire(_ digits: UInt64, _ q: Int) -> UInt64 {
    if digits == 0 || q < -342 { return 0 }
    if q > 308 { return 0x7ff0_0000_0000_0000 }
    let table = ck_powers_of_five()!
    let shift = digits.leadingZeroBitCount
    let w = digits &<< UInt64(shift)
    let index = 2 &* (q &+ 342)
    let first = w.multipliedFullWidth(by: table[index])
    var high = first.high
    var low = first.low
    if high & 0x1ff == 0x1ff {
      let second = w.multipliedFullWidth(by: table[index &+ 1])
      low = low &+ second.high
      if second.high > low { high = high &+ 1 }
    }
    let upper = Int(high &>> 63)
    var mantissa = high &>> UInt64(upper &+ 64 &- 52 &- 3)
    var power = (((152170 &+ 65536) &* q) >> 16) &+ 63 &+ upper &- shift &+ 1023
    if power <= 0 {
      if 1 &- power >= 64 { return 0 }
      mantissa = mantissa &>> UInt64(1 &- power)
      mantissa = mantissa &+ (mantissa & 1)
      mantissa = mantissa &>> 1
      return mantissa < 1 << 52 ? mantissa : (1 << 52) | (mantissa & ((1 << 52) &- 1))
    }
    if low <= 1, q >= -4, q <= 23, mantissa & 3 == 1 {
      if (mantissa &<< UInt64(upper &+ 64 &- 52 &- 3)) == high { mantissa &= ~1 }
    }
    mantissa = mantissa &+ (mantissa & 1)
    mantissa = mantissa &>> 1
    if mantissa >= 2 << 52 {
      mantissa = 1 << 52
      power &+= 1
    }
    mantissa &= ~(1 << 52)
    if power >= 0x7ff { return 0x7ff0_0000_0000_0000 }
    return mantissa | (UInt64(power) &<< 52)
  }

  /// The float nearest to the text's number, or anything and `ok` false.
  @inline(__always)
  static func float(_ text: UnsafePointer<UInt8>, _ count: Int, _ ok: inout Bool) -> Float {
    let wide = double(text, count, &ok)
    // Rounding twice errs only where the double lies half way between two floats, or among subnormal floats.
    if wide.bitPattern & 0x1fff_ffff == 0x1000_0000 || (wide.magnitude < 0x1p-125 && wide != 0) {
      return ok ? exactFloat(text, count) : 0
    }
    return Float(wide)
  }

  @inline(never)
  private static func exactFloat(_ text: UnsafePointer<UInt8>, _ count: Int) -> Float {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) { copy in
      memcpy(copy.baseAddress!, text, count)
      copy[count] = 0
      return strtof(copy.baseAddress!, nil)
    }
  }

  // MARK: Decimals

  /// How a decimal's digits came out.
  enum DecimalOutcome: UInt8 {
    case exact
    /// Digits past the scale were rounded half up.
    case rounded
    case notANumber
    case overflow
  }

  /// The unscaled value of a decimal of up to 18 digits; `outcome` other than exact or rounded: no value.
  @inline(__always)
  static func decimal64(
    _ text: UnsafePointer<UInt8>, _ count: Int, precision: Int, scale: Int, _ outcome: inout DecimalOutcome
  ) -> Int64 {
    var parts = Parts(digits: 0, exponent: 0, isNegative: false, isTruncated: false)
    if simpleParts(text, count, &parts) {
      let missing = scale &+ parts.exponent
      // digits < 10^16, so the product stays exact where 10^missing < 10^3 only; else multiply with a check.
      if missing >= 0 {
        let (value, isOver) = parts.digits.multipliedReportingOverflow(by: powersOfTen[missing])
        if !isOver, value < powersOfTen[precision] {
          let signed = Int64(bitPattern: value)
          return parts.isNegative ? 0 &- signed : signed
        }
        outcome = .overflow
        return 0
      }
    }
    return Int64(truncatingIfNeeded: decimal128(text, count, precision: precision, scale: scale, &outcome))
  }

  /// The unscaled value of a decimal of up to 38 digits; `outcome` other than exact or rounded: no value.
  @inline(never)
  static func decimal128(
    _ text: UnsafePointer<UInt8>, _ count: Int, precision: Int, scale: Int, _ outcome: inout DecimalOutcome
  ) -> Int128 {
    var parts = Parts(digits: 0, exponent: 0, isNegative: false, isTruncated: false)
    guard anyParts(text, count, &parts) else {
      outcome = .notANumber
      return 0
    }
    // The exponent written behind the digits; `anyParts` checked the form.
    var end = 0
    while end < count, text[end] | 0x20 != 0x65 { end &+= 1 }
    var exponent = 0
    if end < count {
      var i = end &+ 1
      let isMinus = text[i] == 0x2d
      if isMinus || text[i] == 0x2b { i &+= 1 }
      while i < count {
        if exponent < 100_000_000 { exponent = exponent &* 10 &+ Int(text[i] &- 0x30) }
        i &+= 1
      }
      if isMinus { exponent = 0 &- exponent }
    }
    var start = 0
    if text[0] == 0x2d || text[0] == 0x2b { start = 1 }
    var wholeCount = 0
    while start &+ wholeCount < end, text[start &+ wholeCount] != 0x2e { wholeCount &+= 1 }
    // Weight of the first digit; digits from weight -scale upwards count, the next one rounds.
    var weight = wholeCount &- 1 &+ exponent
    var value: UInt128 = 0
    var significant = 0
    var roundsUp = false
    var i = start
    while i < end {
      let c = text[i]
      i &+= 1
      if c == 0x2e { continue }
      let digit = c &- 0x30
      if weight >= 0 &- scale {
        if significant > 0 || digit != 0 {
          significant &+= 1
          if significant > 38 {
            outcome = .overflow
            return 0
          }
          value = value &* 10 &+ UInt128(digit)
        }
      } else {
        if weight == 0 &- scale &- 1, digit >= 5 { roundsUp = true }
        if digit != 0 { outcome = .rounded }
      }
      weight &-= 1
    }
    // Zeros that the exponent adds behind the digits.
    if value != 0 {
      while weight >= 0 &- scale {
        significant &+= 1
        if significant > 38 {
          outcome = .overflow
          return 0
        }
        value = value &* 10
        weight &-= 1
      }
    }
    if roundsUp { value = value &+ 1 }
    if value >= wideLimits[precision] {
      outcome = .overflow
      return 0
    }
    let signed = Int128(truncatingIfNeeded: value)
    return parts.isNegative ? 0 &- signed : signed
  }

  /// 10^0 to 10^19.
  @inline(__always)
  static var powersOfTen: UnsafePointer<UInt64> { ck_powers_of_ten() }

  /// 10^0 to 10^22, all exact.
  @inline(__always)
  static var exactPowersOfTen: UnsafePointer<Double> { ck_exact_powers_of_ten() }

  /// 10^0 to 10^38: what a decimal of so many digits stays below.
  nonisolated(unsafe) static let wideLimits: UnsafePointer<UInt128> = {
    let p = UnsafeMutablePointer<UInt128>.allocate(capacity: 39)
    var value: UInt128 = 1
    for k in 0..<39 {
      p[k] = value
      value = value &* 10
    }
    return UnsafePointer(p)
  }()
}
