/// Dates, times and timestamps as text and back, byte by byte.
///
/// Writers put the text at `p` and answer its length; `NumberText.maxLength` bytes are enough for all of them.
public enum TimestampText {
  public static let picosPerSecond: Int64 = 1_000_000_000_000

  // MARK: Writing

  @inlinable @inline(__always)
  static func two(_ value: Int, _ p: UnsafeMutablePointer<UInt8>) {
    p[0] = 0x30 &+ UInt8(truncatingIfNeeded: value / 10)
    p[1] = 0x30 &+ UInt8(truncatingIfNeeded: value % 10)
  }

  /// `2024-02-29`; years of more than four digits get a sign.
  public static func writeDate(days: Int, to p: UnsafeMutablePointer<UInt8>) -> Int {
    let (year, month, day) = CalendarDate.civil(days)
    var at: Int
    if year >= 0, year <= 9999 {
      two(year / 100, p)
      two(year % 100, p + 2)
      at = 4
    } else {
      p[0] = year < 0 ? 0x2d : 0x2b
      let magnitude = UInt64(year.magnitude)
      if magnitude <= 9999 {
        NumberText.writePadded(magnitude, digits: 4, to: p + 1)
        at = 5
      } else {
        at = 1 + NumberText.writeUnsigned(magnitude, to: p + 1)
      }
    }
    p[at] = 0x2d
    two(month, p + at + 1)
    p[at + 3] = 0x2d
    two(day, p + at + 4)
    at += 6
    return at
  }

  /// `03:04:05.678`.
  ///
  /// - Units: `seconds` of the day, `picos` of the second.
  public static func writeTime(seconds: Int, picos: Int64, precision: Int, to p: UnsafeMutablePointer<UInt8>) -> Int {
    two(seconds / 3600, p)
    p[2] = 0x3a
    two(seconds / 60 % 60, p + 3)
    p[5] = 0x3a
    two(seconds % 60, p + 6)
    if precision == 0 { return 8 }
    p[8] = 0x2e
    NumberText.writePadded(
      UInt64(picos / DecimalMath.shortPowers[12 - precision]), digits: precision, to: p + 9)
    return 9 + precision
  }

  /// A `time(p)`: picoseconds of the day.
  public static func writeTime(picosOfDay: Int64, precision: Int, to p: UnsafeMutablePointer<UInt8>) -> Int {
    writeTime(
      seconds: Int(picosOfDay / picosPerSecond), picos: picosOfDay % picosPerSecond, precision: precision, to: p)
  }

  /// `2024-02-29 03:04:05.678`.
  ///
  /// - Units: local seconds since 1970-01-01, picoseconds of the second.
  public static func write(seconds: Int64, picos: Int64, precision: Int, to p: UnsafeMutablePointer<UInt8>) -> Int {
    let days = CalendarDate.floorDivide(seconds, 86_400)
    let n = writeDate(days: Int(days), to: p)
    p[n] = 0x20
    return n + 1
      + writeTime(seconds: Int(seconds &- days &* 86_400), picos: picos, precision: precision, to: p + n + 1)
  }

  /// A `timestamp(p)` of p ≤ 6: microseconds.
  public static func write(micros: Int64, precision: Int, to p: UnsafeMutablePointer<UInt8>) -> Int {
    let seconds = CalendarDate.floorDivide(micros, 1_000_000)
    return write(
      seconds: seconds, picos: (micros &- seconds &* 1_000_000) &* 1_000_000, precision: precision, to: p)
  }

  /// A `timestamp(p)` of p > 6: picoseconds.
  public static func write(picos: Int128, precision: Int, to p: UnsafeMutablePointer<UInt8>) -> Int {
    let (seconds, rest) = split(picos)
    return write(seconds: seconds, picos: rest, precision: precision, to: p)
  }

  /// Whole seconds, rounded down, and the picoseconds that remain.
  public static func split(_ picos: Int128) -> (seconds: Int64, picos: Int64) {
    var (seconds, rest) = picos.quotientAndRemainder(dividingBy: Int128(picosPerSecond))
    if rest < 0 {
      seconds -= 1
      rest += Int128(picosPerSecond)
    }
    return (Int64(clamping: seconds), Int64(rest))
  }

  /// `+05:30`: the six bytes of an offset.
  public static func writeOffset(minutes: Int, to p: UnsafeMutablePointer<UInt8>) -> Int {
    p[0] = minutes < 0 ? 0x2d : 0x2b
    two(abs(minutes) / 60, p + 1)
    p[3] = 0x3a
    two(abs(minutes) % 60, p + 4)
    return 6
  }

  // MARK: Reading

  /// The fields of a date with or without a time and zone.
  public struct Parts: Sendable {
    public var year = 1970
    public var month = 1
    public var day = 1
    public var hour = 0
    public var minute = 0
    public var second = 0
    /// Picoseconds of the second, rounded half up from the text's digits.
    public var picos: Int64 = 0
    /// Digits after the point in the text.
    public var fractionDigits = 0
    public var hasTime = false
    /// Where the zone's name stands in the text.
    public var zone: Range<Int>?

    public init() {}

    /// Local seconds since 1970-01-01.
    public var seconds: Int64 {
      Int64(CalendarDate.days(year: year, month: month, day: day)) &* 86_400
        &+ Int64(hour &* 3600 &+ minute &* 60 &+ second)
    }
    /// Seconds of the day.
    public var secondsOfDay: Int { hour &* 3600 &+ minute &* 60 &+ second }

    /// Local picoseconds since 1970-01-01 at a precision, rounded half up.
    public func picos(precision: Int) -> Int128 {
      Int128(seconds) * Int128(TimestampText.picosPerSecond) + Int128(fraction(precision: precision))
    }

    /// Local microseconds since 1970-01-01 at a precision of at most 6; nil when they exceed 64 bits.
    public func micros(precision: Int) -> Int64? {
      let (whole, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000)
      let (sum, carries) = whole.addingReportingOverflow(fraction(precision: precision) / 1_000_000)
      return overflows || carries ? nil : sum
    }

    /// Picoseconds of the second at a precision; may round up to a whole second.
    public func fraction(precision: Int) -> Int64 { TimestampText.round(picos, toPrecision: precision) }
  }

  /// Non-negative picoseconds at a precision, half up.
  public static func round(_ picos: Int64, toPrecision precision: Int) -> Int64 {
    if precision >= 12 { return picos }
    let unit = DecimalMath.shortPowers[12 - precision]
    return (picos &+ unit / 2) / unit &* unit
  }

  /// Any picoseconds at a precision, half towards later.
  public static func round(_ picos: Int128, toPrecision precision: Int) -> Int128 {
    if precision >= 12 { return picos }
    let unit = DecimalMath.powers[12 - precision]
    return roundedDivision(picos, unit) &* unit
  }

  /// Any microseconds at a precision of at most 6, half towards later.
  public static func round(micros: Int64, toPrecision precision: Int) -> Int64 {
    if precision >= 6 { return micros }
    let unit = DecimalMath.shortPowers[6 - precision]
    let quotient = CalendarDate.floorDivide(micros &+ unit / 2, unit)
    return quotient &* unit
  }

  /// a / b, half towards greater; b > 0 and even or 1.
  static func roundedDivision(_ a: Int128, _ b: Int128) -> Int128 {
    let sum = a + b / 2
    let (quotient, rest) = sum.quotientAndRemainder(dividingBy: b)
    return rest < 0 ? quotient - 1 : quotient
  }

  /// `[+-]y+-m-d`: days since 1970-01-01; spaces around it are the caller's to trim.
  ///
  /// - Source: Joda `ISODateTimeFormat.date()`, which takes one or two digits for month and day.
  public static func parseDate(_ p: UnsafePointer<UInt8>, _ n: Int) -> Int32? {
    if n == 10, p[4] == 0x2d, p[7] == 0x2d {
      let year = digits(p, 0, 4)
      let month = digits(p, 5, 2)
      let day = digits(p, 8, 2)
      if year >= 0, month >= 0, day >= 0 {
        guard CalendarDate.isValid(year: year, month: month, day: day) else { return nil }
        return Int32(CalendarDate.days(year: year, month: month, day: day))
      }
    }
    var at = 0
    var parts = Parts()
    guard date(p, n, &at, &parts, minYearDigits: 1), at == n else { return nil }
    return Int32(exactly: CalendarDate.days(year: parts.year, month: parts.month, day: parts.day))
  }

  /// `count` digits as a number, or a negative number.
  @inline(__always)
  private static func digits(_ p: UnsafePointer<UInt8>, _ from: Int, _ count: Int) -> Int {
    var value = 0
    var k = from
    while k < from &+ count {
      let digit = p[k] &- 0x30
      if digit > 9 { return -1 }
      value = value &* 10 &+ Int(digit)
      k &+= 1
    }
    return value
  }

  /// A number of at least one and at most `most` digits.
  private static func number(_ p: UnsafePointer<UInt8>, _ n: Int, _ at: inout Int, _ most: Int) -> Int? {
    let start = at
    var value = 0
    while at < n, at - start < most, p[at] &- 0x30 <= 9 {
      value = value * 10 + Int(p[at] - 0x30)
      at += 1
    }
    return at > start ? value : nil
  }

  private static func date(
    _ p: UnsafePointer<UInt8>, _ n: Int, _ at: inout Int, _ parts: inout Parts, minYearDigits: Int
  ) -> Bool {
    var isNegative = false
    if at < n, p[at] == 0x2d || p[at] == 0x2b {
      isNegative = p[at] == 0x2d
      at += 1
    }
    let start = at
    guard let year = number(p, n, &at, 9), at - start >= minYearDigits, at < n, p[at] == 0x2d else { return false }
    at += 1
    guard let month = number(p, n, &at, 2), at < n, p[at] == 0x2d else { return false }
    at += 1
    guard let day = number(p, n, &at, 2) else { return false }
    parts.year = isNegative ? -year : year
    parts.month = month
    parts.day = day
    return CalendarDate.isValid(year: parts.year, month: month, day: day)
  }

  /// `h:m[:s[.f]]`; whether there was one, nil when it is damaged.
  private static func time(_ p: UnsafePointer<UInt8>, _ n: Int, _ at: inout Int, _ parts: inout Parts) -> Bool? {
    let start = at
    guard let hour = number(p, n, &at, 2), at < n, p[at] == 0x3a else {
      at = start
      return false
    }
    at += 1
    guard let minute = number(p, n, &at, 2) else { return nil }
    parts.hour = hour
    parts.minute = minute
    if at < n, p[at] == 0x3a {
      at += 1
      guard let second = number(p, n, &at, 2) else { return nil }
      parts.second = second
      if at < n, p[at] == 0x2e {
        at += 1
        let first = at
        var value: Int64 = 0
        while at < n, p[at] &- 0x30 <= 9 {
          if at - first < 12 { value = value * 10 + Int64(p[at] - 0x30) }
          at += 1
        }
        parts.fractionDigits = at - first
        if at == first { return nil }
        if parts.fractionDigits < 12 {
          value *= DecimalMath.shortPowers[12 - parts.fractionDigits]
        } else if parts.fractionDigits > 12, p[first + 12] >= 0x35 {
          value += 1
        }
        parts.picos = value
      }
    }
    parts.hasTime = true
    guard hour < 24, minute < 60, parts.second < 60 else { return nil }
    return true
  }

  /// `y-m-d[ h:m[:s[.f]]][ zone]`, spaces around it left out.
  ///
  /// - Source: Trino `DateTimes.DATETIME_PATTERN`.
  public static func parse(_ p: UnsafePointer<UInt8>, _ n: Int) -> Parts? {
    let (start, end) = trimmed(p, n)
    var at = start
    var parts = Parts()
    guard date(p, end, &at, &parts, minYearDigits: 4) else { return nil }
    if at == end { return parts }
    if p[at] == 0x20 {
      at += 1
      guard time(p, end, &at, &parts) != nil else { return nil }
    }
    while at < end, isSpace(p[at]) { at += 1 }
    if at < end { parts.zone = at..<end }
    return parts
  }

  /// `h:m[:s[.f]][[+-]hh:mm]`, spaces around it left out; `zone` spans the offset.
  public static func parseTime(_ p: UnsafePointer<UInt8>, _ n: Int) -> Parts? {
    let (start, end) = trimmed(p, n)
    var at = start
    var parts = Parts()
    guard time(p, end, &at, &parts) == true else { return nil }
    while at < end, isSpace(p[at]) { at += 1 }
    if at < end { parts.zone = at..<end }
    return parts
  }

  /// Minutes of `[+-]hh:mm`, −14:00 to +14:00.
  public static func parseOffset(_ p: UnsafePointer<UInt8>, _ n: Int) -> Int? {
    guard n == 6, p[0] == 0x2d || p[0] == 0x2b, p[3] == 0x3a else { return nil }
    let (hours, minutes) = (digits(p, 1, 2), digits(p, 4, 2))
    guard hours >= 0, minutes >= 0, minutes < 60, hours &* 60 &+ minutes <= 840 else { return nil }
    return (p[0] == 0x2d ? -1 : 1) * (hours * 60 + minutes)
  }

  @inline(__always)
  static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (byte >= 9 && byte <= 13) || (byte >= 0x1c && byte <= 0x1f) }

  /// The text without spaces around it.
  public static func trimmed(_ p: UnsafePointer<UInt8>, _ n: Int) -> (start: Int, end: Int) {
    var (start, end) = (0, n)
    while start < end, isSpace(p[start]) { start += 1 }
    while end > start, isSpace(p[end - 1]) { end -= 1 }
    return (start, end)
  }
}
