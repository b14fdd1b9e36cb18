import CKernels
import Glibc

/// Numbers as text and back, byte by byte.
///
/// Writers put the text at `to` and answer its length; they need at most `maxLength` bytes of room.
public enum NumberText {
  /// Room that any writer here may use.
  public static let maxLength = 64

  // MARK: Integers

  @inlinable
  public static func write(_ value: Int64, to p: UnsafeMutablePointer<UInt8>) -> Int {
    if value < 0 {
      p[0] = 0x2d
      return writeUnsigned(value.magnitude, to: p + 1) &+ 1
    }
    return writeUnsigned(UInt64(value), to: p)
  }

  @inlinable
  public static func writeUnsigned(_ value: UInt64, to p: UnsafeMutablePointer<UInt8>) -> Int {
    if value < 10 {
      p[0] = 0x30 &+ UInt8(truncatingIfNeeded: value)
      return 1
    }
    // Digits from the number of bits: 1233 / 4096 is log₁₀ 2.
    let bits = 64 &- value.leadingZeroBitCount
    var digits = (bits &* 1233) >> 12
    if value >= powerOfTen(digits) { digits &+= 1 }
    var rest = value
    var k = digits
    while rest >= 100 {
      let next = rest / 100
      let pair = rest &- next &* 100
      k &-= 2
      p[k] = 0x30 &+ UInt8(truncatingIfNeeded: pair / 10)
      p[k &+ 1] = 0x30 &+ UInt8(truncatingIfNeeded: pair % 10)
      rest = next
    }
    if rest >= 10 {
      p[1] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    p[0] = 0x30 &+ UInt8(truncatingIfNeeded: rest)
    return digits
  }

  /// 10ⁿ for n up to 19.
  @usableFromInline
  static func powerOfTen(_ n: Int) -> UInt64 { unsignedPowers[n] }

  nonisolated(unsafe) private static let unsignedPowers: UnsafePointer<UInt64> = {
    let table = UnsafeMutablePointer<UInt64>.allocate(capacity: 20)
    var power: UInt64 = 1
    for k in 0..<20 {
      table[k] = power
      if k < 19 { power *= 10 }
    }
    return UnsafePointer(table)
  }()

  public static func write(_ value: Int128, to p: UnsafeMutablePointer<UInt8>) -> Int {
    if let small = Int64(exactly: value) { return write(small, to: p) }
    var at = 0
    if value < 0 {
      p[0] = 0x2d
      at = 1
    }
    let (high, low) = value.magnitude.quotientAndRemainder(dividingBy: 10_000_000_000_000_000_000)
    if high == 0 { return at + writeUnsigned(UInt64(low), to: p + at) }
    if high < 10_000_000_000_000_000_000 {
      at += writeUnsigned(UInt64(high), to: p + at)
    } else {
      let (top, middle) = high.quotientAndRemainder(dividingBy: 10_000_000_000_000_000_000)
      at += writeUnsigned(UInt64(top), to: p + at)
      writePadded(UInt64(middle), digits: 19, to: p + at)
      at += 19
    }
    writePadded(UInt64(low), digits: 19, to: p + at)
    return at + 19
  }

  /// Exactly `digits` digits, with leading zeros.
  @inlinable @inline(__always)
  public static func writePadded(_ value: UInt64, digits: Int, to p: UnsafeMutablePointer<UInt8>) {
    var rest = value
    var k = digits
    while k > 0 {
      k &-= 1
      p[k] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }

  /// `-12.50`: an unscaled decimal.
  public static func writeDecimal(_ unscaled: Int128, scale: Int, to p: UnsafeMutablePointer<UInt8>) -> Int {
    if scale == 0 { return write(unscaled, to: p) }
    if let short = Int64(exactly: unscaled), scale <= 18 {
      var at = 0
      if short < 0 {
        p[0] = 0x2d
        at = 1
      }
      let power = powerOfTen(scale)
      let whole = short.magnitude / power
      at += writeUnsigned(whole, to: p + at)
      p[at] = 0x2e
      writePadded(short.magnitude &- whole &* power, digits: scale, to: p + at + 1)
      return at + 1 + scale
    }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 48) { digits in
      let d = digits.baseAddress!
      var n: Int
      if let small = Int64(exactly: unscaled), small != Int64.min {
        n = writeUnsigned(small.magnitude, to: d)
      } else {
        n = write(unscaled < 0 ? -unscaled : unscaled, to: d)
      }
      var at = 0
      if unscaled < 0 {
        p[0] = 0x2d
        at = 1
      }
      if n <= scale {
        p[at] = 0x30
        p[at + 1] = 0x2e
        at += 2
        var k = n
        while k < scale {
          p[at] = 0x30
          at += 1
          k += 1
        }
        memcpy(p + at, d, n)
        return at + n
      }
      memcpy(p + at, d, n - scale)
      at += n - scale
      p[at] = 0x2e
      memcpy(p + at + 1, d + (n - scale), scale)
      n = at + 1 + scale
      return n
    }
  }

  /// The number of `[+-]digits`; nil when it is none or exceeds 64 bits.
  public static func parseInteger(_ p: UnsafePointer<UInt8>, _ n: Int) -> Int64? {
    var at = 0
    var isNegative = false
    if n > 0, p[0] == 0x2d || p[0] == 0x2b {
      isNegative = p[0] == 0x2d
      at = 1
    }
    if at == n { return nil }
    var value: UInt64 = 0
    if n &- at <= 18 {
      while at < n {
        let digit = p[at] &- 0x30
        if digit > 9 { return nil }
        value = value &* 10 &+ UInt64(digit)
        at &+= 1
      }
      return isNegative ? 0 &- Int64(value) : Int64(value)
    }
    while at < n {
      let digit = p[at] &- 0x30
      if digit > 9 { return nil }
      let (product, overflows) = value.multipliedReportingOverflow(by: 10)
      let (sum, carries) = product.addingReportingOverflow(UInt64(digit))
      if overflows || carries { return nil }
      value = sum
      at &+= 1
    }
    if isNegative { return value <= Int64.min.magnitude ? Int64(truncatingIfNeeded: 0 &- value) : nil }
    return Int64(exactly: value)
  }

  /// What a decimal's text means.
  public enum ParsedDecimal: Equatable, Sendable {
    case value(Int128)
    case notANumber
    case tooLarge
  }

  /// The unscaled value of `[+-]digits[.digits][e[+-]digits]` at `scale`, rounded half up.
  ///
  /// - Source: Java `BigDecimal(String)`.
  public static func parseDecimal(_ p: UnsafePointer<UInt8>, _ n: Int, precision: Int, scale: Int) -> ParsedDecimal {
    if let value = parsePlainDecimal(p, n, scale), precision <= 18 {
      return DecimalMath.fits(Int128(value), precision: precision) ? .value(Int128(value)) : .tooLarge
    }
    guard let parts = DecimalParts(p, n) else { return .notANumber }
    // The value is digits × 10^(exponent − fractionCount).
    let shift = parts.exponent - parts.fractionDigits + scale
    if parts.isZero { return .value(0) }
    var value: Int128 = 0
    var dropped = 0
    var firstDropped: UInt8 = 0
    var seen = 0
    // Keep the digits before position `significant + shift`.
    let total = parts.significantDigits
    let wanted = total + shift
    if wanted > 39 { return .tooLarge }
    if wanted < 0 { return .value(0) }
    var k = parts.start
    while k < parts.end {
      let digit = p[k] &- 0x30
      k += 1
      if digit > 9 { continue }
      if seen == 0, digit == 0, parts.skipsLeadingZero { continue }
      if seen < wanted {
        let (product, overflows) = value.multipliedReportingOverflow(by: 10)
        let (sum, carries) = product.addingReportingOverflow(Int128(digit))
        if overflows || carries { return .tooLarge }
        value = sum
      } else {
        if dropped == 0 { firstDropped = digit }
        dropped += 1
      }
      seen += 1
    }
    while seen < wanted {
      let (product, overflows) = value.multipliedReportingOverflow(by: 10)
      if overflows { return .tooLarge }
      value = product
      seen += 1
    }
    if dropped > 0, firstDropped >= 5 { value += 1 }
    guard DecimalMath.fits(value, precision: precision) else { return .tooLarge }
    return .value(parts.isNegative ? -value : value)
  }

  /// `[+-]digits[.digits]` of at most 18 digits that need no more after rescaling; nil for all else.
  private static func parsePlainDecimal(_ p: UnsafePointer<UInt8>, _ n: Int, _ scale: Int) -> Int64? {
    guard n <= 19, scale <= 18 else { return nil }
    var at = 0
    var isNegative = false
    if n > 0, p[0] == 0x2d || p[0] == 0x2b {
      isNegative = p[0] == 0x2d
      at = 1
    }
    let start = at
    var value: Int64 = 0
    while at < n {
      let digit = p[at] &- 0x30
      if digit > 9 { break }
      value = value &* 10 &+ Int64(digit)
      at &+= 1
    }
    var digits = at &- start
    var fraction = 0
    if at < n {
      if p[at] != 0x2e { return nil }
      at &+= 1
      let first = at
      while at < n {
        let digit = p[at] &- 0x30
        if digit > 9 { return nil }
        value = value &* 10 &+ Int64(digit)
        at &+= 1
      }
      fraction = at &- first
      digits &+= fraction
    }
    if digits == 0 || digits > 18 || digits &+ max(0, scale &- fraction) > 18 { return nil }
    if fraction <= scale {
      value &*= DecimalMath.shortPowers[scale &- fraction]
    } else {
      value = DecimalMath.divideRounded(value, by: DecimalMath.shortPowers[fraction &- scale])
    }
    return isNegative ? 0 &- value : value
  }

  /// The parts of a decimal's text.
  private struct DecimalParts {
    var isNegative = false
    /// Where the digits begin and end.
    var start = 0
    var end = 0
    /// Digits after the point.
    var fractionDigits = 0
    /// Digits without leading zeros.
    var significantDigits = 0
    var exponent = 0
    let skipsLeadingZero = true
    var isZero: Bool { significantDigits == 0 }

    init?(_ p: UnsafePointer<UInt8>, _ n: Int) {
      var at = 0
      if n > 0, p[0] == 0x2d || p[0] == 0x2b {
        isNegative = p[0] == 0x2d
        at = 1
      }
      start = at
      var digits = 0
      var hasPoint = false
      while at < n {
        let byte = p[at]
        if byte == 0x2e, !hasPoint {
          hasPoint = true
        } else if byte &- 0x30 <= 9 {
          digits += 1
          if hasPoint { fractionDigits += 1 }
          if significantDigits > 0 || byte != 0x30 { significantDigits += 1 }
        } else {
          break
        }
        at += 1
      }
      end = at
      if digits == 0 { return nil }
      if at == n { return }
      guard p[at] | 0x20 == 0x65 else { return nil }
      at += 1
      guard let value = NumberText.parseInteger(p + at, n - at), value > -100_000, value < 100_000 else { return nil }
      exponent = Int(value)
    }
  }

  // MARK: Floating point

  /// The shortest digits that read back as the same number: value = 0.d₁d₂… × 10^pointAt.
  struct Digits {
    var count = 0
    var pointAt = 0
  }

  /// The digits of a positive finite number.
  static func digits(of x: Double, to d: UnsafeMutablePointer<UInt8>) -> Digits {
    // Numbers that people write: at most 15 digits, few of them after the point. Both products and quotients are
    // exact enough there, and a decimal of at most 15 digits that reads back is the shortest one.
    if x < 1e15, x >= 1e-5 {
      var scale = 1.0
      var k = 0
      while k <= 8 {
        let scaled = x * scale
        if scaled >= 1e15 { break }
        let whole = scaled.rounded(.toNearestOrEven)
        if whole == scaled, whole / scale == x { return wholeDigits(UInt64(whole), fraction: k, to: d) }
        scale *= 10
        k &+= 1
      }
    }
    if x < 0x1p-1067, let found = twoDigits(x, to: d, isSame: { $0 == x }) { return found }
    if let (value, exponent) = ShortestDecimal.find(x) { return shortDigits(value, exponent, to: d) }
    return describedDigits(x.description, to: d)
  }

  static func digits(of x: Float, to d: UnsafeMutablePointer<UInt8>) -> Digits {
    if x < 0x1p-142, let found = twoDigits(Double(x), to: d, isSame: { Float($0) == x }) { return found }
    if let (value, exponent) = ShortestDecimal.find(x) { return shortDigits(value, exponent, to: d) }
    return describedDigits(x.description, to: d)
  }

  /// The two digits nearest to one of the smallest numbers, where they read back: Java has two where one would do.
  ///
  /// - Source: `Double.toString`: of decimals with one digit or two, the one closest to the number.
  private static func twoDigits(
    _ x: Double, to d: UnsafeMutablePointer<UInt8>, isSame: (Double) -> Bool
  ) -> Digits? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { text in
      let p = text.baseAddress!
      _ = withVaList([x]) { vsnprintf(p, 32, "%.1e", $0) }
      guard isSame(strtod(p, nil)) else { return nil }
      d[0] = UInt8(bitPattern: p[0])
      d[1] = UInt8(bitPattern: p[2])
      return Digits(count: d[1] == 0x30 ? 1 : 2, pointAt: Int(atoi(p + 4)) + 1)
    }
  }

  private static func shortDigits(_ value: UInt64, _ exponent: Int, to d: UnsafeMutablePointer<UInt8>) -> Digits {
    var n = writeUnsigned(value, to: d)
    let pointAt = n + exponent
    while n > 1, d[n - 1] == 0x30 { n -= 1 }
    return Digits(count: n, pointAt: pointAt)
  }

  private static func wholeDigits(_ value: UInt64, fraction: Int, to d: UnsafeMutablePointer<UInt8>) -> Digits {
    var n = writeUnsigned(value, to: d)
    let pointAt = n - fraction
    while n > 1, d[n - 1] == 0x30 { n -= 1 }
    return Digits(count: n, pointAt: pointAt)
  }

  /// The digits of what `description` says: `1.25e-07`, `100.0`, `5e-324`.
  private static func describedDigits(_ text: String, to d: UnsafeMutablePointer<UInt8>) -> Digits {
    var text = text
    return text.withUTF8 { bytes in
      let p = bytes.baseAddress!
      var result = Digits()
      var beforePoint = 0
      var leadingZeros = 0
      var hasPoint = false
      var at = 0
      while at < bytes.count, p[at] | 0x20 != 0x65 {
        let byte = p[at]
        at += 1
        if byte == 0x2e {
          hasPoint = true
          continue
        }
        if byte &- 0x30 > 9 { continue }
        if result.count == 0, byte == 0x30 {
          if hasPoint { leadingZeros += 1 }
          continue
        }
        d[result.count] = byte
        result.count += 1
        if !hasPoint { beforePoint += 1 }
      }
      var exponent = 0
      if at < bytes.count { exponent = Int(parseInteger(p + at + 1, bytes.count - at - 1) ?? 0) }
      while result.count > 1, d[result.count - 1] == 0x30 { result.count -= 1 }
      result.pointAt = (beforePoint > 0 ? beforePoint : -leadingZeros) + exponent
      return result
    }
  }

  /// As Java prints doubles: `1.0`, `0.001`, `1.0E10`, `NaN`, `-Infinity`.
  public static func write(_ x: Double, to p: UnsafeMutablePointer<UInt8>) -> Int {
    if let n = writeSpecial(x, zero: "0.0", to: p) { return n }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 40) { d in
      let found = digits(of: x.magnitude, to: d.baseAddress!)
      return writeJava(found, d.baseAddress!, x < 0, to: p)
    }
  }

  /// As Java prints floats.
  public static func write(_ x: Float, to p: UnsafeMutablePointer<UInt8>) -> Int {
    if let n = writeSpecial(Double(x), zero: "0.0", to: p) { return n }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 40) { d in
      let found = digits(of: x.magnitude, to: d.baseAddress!)
      return writeJava(found, d.baseAddress!, x < 0, to: p)
    }
  }

  /// As `CAST(double AS varchar)` has it: `1.0E0`, `1.25E-3`, `NaN`.
  public static func writeScientific(_ x: Double, to p: UnsafeMutablePointer<UInt8>) -> Int {
    if let n = writeSpecial(x, zero: "0E0", to: p) { return n }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 40) { d in
      let found = digits(of: x.magnitude, to: d.baseAddress!)
      return writeScientific(found, d.baseAddress!, x < 0, to: p)
    }
  }

  /// As `CAST(real AS varchar)` has it: at most seven digits.
  ///
  /// - Source: Trino `RealOperators`: the shortest digits as a double in `DecimalFormat("0.0#####E0")`, which rounds the
  ///   double's own value, halves to even.
  public static func writeScientific(_ x: Float, to p: UnsafeMutablePointer<UInt8>) -> Int {
    if let n = writeSpecial(Double(x), zero: "0E0", to: p) { return n }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 40) { d in
      var found = digits(of: x.magnitude, to: d.baseAddress!)
      if found.count > maxRealDigits {
        let count = writeScientific(found, d.baseAddress!, false, to: p)
        found = digits(of: parseDouble(p, count) ?? Double(x.magnitude), upTo: maxRealDigits, to: d.baseAddress!)
      }
      return writeScientific(found, d.baseAddress!, x < 0, to: p)
    }
  }

  private static let maxRealDigits = 7

  /// A number's first digits, rounded, halves to even, without zeros at their end.
  private static func digits(of x: Double, upTo most: Int, to d: UnsafeMutablePointer<UInt8>) -> Digits {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 40) { text in
      let length = withVaList([Int32(most - 1), x]) { vsnprintf(text.baseAddress!, 40, "%.*e", $0) }
      var (count, exponent, isNegative) = (0, 0, false)
      var at = 0
      while at < Int(length), text[at] != 0x65 {
        if text[at] >= 0x30 {
          d[count] = UInt8(bitPattern: text[at])
          count += 1
        }
        at += 1
      }
      at += 1
      while at < Int(length) {
        if text[at] == 0x2d { isNegative = true }
        if text[at] >= 0x30 { exponent = exponent * 10 + Int(text[at] - 0x30) }
        at += 1
      }
      while count > 1, d[count - 1] == 0x30 { count -= 1 }
      return Digits(count: count, pointAt: (isNegative ? -exponent : exponent) + 1)
    }
  }

  private static func writeSpecial(_ x: Double, zero: StaticString, to p: UnsafeMutablePointer<UInt8>) -> Int? {
    let text: StaticString
    if x.isNaN {
      text = "NaN"
    } else if x.isInfinite {
      text = x < 0 ? "-Infinity" : "Infinity"
    } else if x == 0 {
      var at = 0
      if x.sign == .minus {
        p[0] = 0x2d
        at = 1
      }
      memcpy(p + at, zero.utf8Start, zero.utf8CodeUnitCount)
      return at + zero.utf8CodeUnitCount
    } else {
      return nil
    }
    memcpy(p, text.utf8Start, text.utf8CodeUnitCount)
    return text.utf8CodeUnitCount
  }

  private static func writeJava(
    _ digits: Digits, _ d: UnsafePointer<UInt8>, _ isNegative: Bool, to p: UnsafeMutablePointer<UInt8>
  ) -> Int {
    // Java: plain from 10⁻³ up to 10⁷, else scientific with a digit after the point.
    if digits.pointAt < -2 || digits.pointAt > 7 {
      return writeScientific(digits, d, isNegative, to: p)
    }
    var at = 0
    if isNegative {
      p[0] = 0x2d
      at = 1
    }
    let (n, point) = (digits.count, digits.pointAt)
    if point <= 0 {
      p[at] = 0x30
      p[at + 1] = 0x2e
      at += 2
      for _ in 0..<(-point) {
        p[at] = 0x30
        at += 1
      }
      memcpy(p + at, d, n)
      return at + n
    }
    if n <= point {
      memcpy(p + at, d, n)
      at += n
      for _ in n..<point {
        p[at] = 0x30
        at += 1
      }
      p[at] = 0x2e
      p[at + 1] = 0x30
      return at + 2
    }
    memcpy(p + at, d, point)
    at += point
    p[at] = 0x2e
    memcpy(p + at + 1, d + point, n - point)
    return at + 1 + n - point
  }

  private static func writeScientific(
    _ digits: Digits, _ d: UnsafePointer<UInt8>, _ isNegative: Bool, to p: UnsafeMutablePointer<UInt8>
  ) -> Int {
    var at = 0
    if isNegative {
      p[0] = 0x2d
      at = 1
    }
    p[at] = d[0]
    at += 1
    if digits.count > 1 {
      p[at] = 0x2e
      memcpy(p + at + 1, d + 1, digits.count - 1)
      at += digits.count
    } else {
      p[at] = 0x2e
      p[at + 1] = 0x30
      at += 2
    }
    p[at] = 0x45
    return at + 1 + write(Int64(digits.pointAt - 1), to: p + at + 1)
  }

  /// A double as Java reads it: spaces around it, `NaN`, `Infinity`, an exponent, a trailing `d` or `f`.
  public static func parseDouble(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Double? {
    var (p, n) = (bytes, count)
    while n > 0, p[0] <= 0x20 {
      p += 1
      n -= 1
    }
    while n > 0, p[n - 1] <= 0x20 { n -= 1 }
    if n == 0 { return nil }
    var at = 0
    let isNegative = p[0] == 0x2d
    if isNegative || p[0] == 0x2b { at = 1 }
    // Clinger's fast path: up to 19 digits and a power of ten that doubles hold exactly.
    var mantissa: UInt64 = 0
    var digits = 0
    var fraction = 0
    var hasPoint = false
    var start = at
    while at < n {
      let byte = p[at]
      if byte &- 0x30 <= 9 {
        if digits < 19 { mantissa = mantissa &* 10 &+ UInt64(byte &- 0x30) }
        if digits > 0 || byte != 0x30 { digits &+= 1 }
        if hasPoint { fraction &+= 1 }
      } else if byte == 0x2e, !hasPoint {
        hasPoint = true
      } else {
        break
      }
      at &+= 1
    }
    let digitBytes = at &- start &- (hasPoint ? 1 : 0)
    if digitBytes == 0 { return parseSpecial(p + start, n - start, isNegative) }
    start = at
    var exponent = 0
    if at < n, p[at] | 0x20 == 0x65 {
      guard at + 1 < n else { return nil }
      var end = n
      if p[n - 1] | 0x20 == 0x64 || p[n - 1] | 0x20 == 0x66 { end -= 1 }
      guard let value = parseInteger(p + at + 1, end - at - 1) else {
        return isExponentText(p + at + 1, end - at - 1) ? parseSlow(p, end) : nil
      }
      exponent = Int(clamping: value)
      n = end
    } else if at < n {
      guard at == n - 1, p[at] | 0x20 == 0x64 || p[at] | 0x20 == 0x66 else {
        return mantissa == 0 && p[at] | 0x20 == 0x78 ? parseHexadecimal(p, n) : nil
      }
      n = at
    }
    if digits <= 15 || (digits <= 19 && mantissa <= 1 << 53) {
      let (power, overflows) = exponent.subtractingReportingOverflow(fraction)
      if !overflows, power >= -22, power <= 22 {
        var value = Double(mantissa)
        if power < 0 { value /= powersOfTen[-power] } else { value *= powersOfTen[power] }
        return isNegative ? -value : value
      }
      if mantissa == 0 { return isNegative ? -0.0 : 0.0 }
    }
    return parseSlow(p, n)
  }

  nonisolated(unsafe) private static let powersOfTen: UnsafePointer<Double> = {
    let table = UnsafeMutablePointer<Double>.allocate(capacity: 23)
    var power = 1.0
    for k in 0...22 {
      table[k] = power
      power *= 10
    }
    return UnsafePointer(table)
  }()

  private static func isExponentText(_ p: UnsafePointer<UInt8>, _ n: Int) -> Bool {
    var at = n > 0 && (p[0] == 0x2d || p[0] == 0x2b) ? 1 : 0
    if at == n { return false }
    while at < n {
      if p[at] &- 0x30 > 9 { return false }
      at += 1
    }
    return true
  }

  private static func parseSpecial(_ p: UnsafePointer<UInt8>, _ n: Int, _ isNegative: Bool) -> Double? {
    if n == 3, memcmp(p, "NaN", 3) == 0 { return .nan }
    if n == 8, memcmp(p, "Infinity", 8) == 0 { return isNegative ? -.infinity : .infinity }
    return nil
  }

  /// `0x1.8p3`; Java wants the exponent.
  private static func parseHexadecimal(_ p: UnsafePointer<UInt8>, _ n: Int) -> Double? {
    let bytes = UnsafeBufferPointer(start: p, count: n)
    return bytes.contains(0x70) || bytes.contains(0x50) ? parseSlow(p, n) : nil
  }

  private static func parseSlow(_ p: UnsafePointer<UInt8>, _ n: Int) -> Double? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: n + 1) { text in
      memcpy(text.baseAddress!, p, n)
      text[n] = 0
      var end: UnsafeMutablePointer<CChar>?
      let value = strtod(text.baseAddress!, &end)
      return end == text.baseAddress! + n ? value : nil
    }
  }

  /// A real, with the same forms as `parseDouble`.
  public static func parseReal(_ p: UnsafePointer<UInt8>, _ n: Int) -> Float? {
    guard let value = parseDouble(p, n) else { return nil }
    // Rounding twice is wrong only for texts beyond a double's digits; those are read again.
    if n <= 15 || !value.isFinite { return Float(value) }
    var (start, count) = (p, n)
    while count > 0, start[0] <= 0x20 {
      start += 1
      count -= 1
    }
    while count > 0, start[count - 1] <= 0x20 || start[count - 1] | 0x20 == 0x66 || start[count - 1] | 0x20 == 0x64 {
      count -= 1
    }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) { text in
      memcpy(text.baseAddress!, start, count)
      text[count] = 0
      var end: UnsafeMutablePointer<CChar>?
      let single = strtof(text.baseAddress!, &end)
      return end == text.baseAddress! + count ? single : Float(value)
    }
  }
}
