import Columnar

/// Dates and timestamps written in ASCII.
///
/// All functions read up to 16 bytes past the text, which its memory has to allow.
enum DateTimeText {
  /// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
  ///
  /// - Source: Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
  @inline(__always)
  static func days(year: Int, month: Int, day: Int) -> Int {
    let y = month <= 2 ? year &- 1 : year
    let era = (y >= 0 ? y : y &- 399) / 400
    let yearOfEra = y &- era &* 400
    let dayOfYear = (153 &* (month > 2 ? month &- 3 : month &+ 9) &+ 2) / 5 &+ day &- 1
    let dayOfEra = yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear
    return era &* 146_097 &+ dayOfEra &- 719_468
  }

  @inline(__always)
  static func isDay(year: Int, month: Int, day: Int) -> Bool {
    if month < 1 || month > 12 || day < 1 { return false }
    if day <= 28 { return true }
    if month == 2 { return day == 29 && (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0) }
    return day <= 30 &+ ((month ^ (month &>> 3)) & 1)
  }

  /// The days of `YYYY-MM-DD`, exactly ten bytes at `p`.
  @inline(__always)
  static func isoDate(_ p: UnsafePointer<UInt8>, _ ok: inout Bool) -> Int {
    let raw = UnsafeRawPointer(p)
    let word =
      UInt64(raw.loadUnaligned(as: UInt32.self).littleEndian)
      | (UInt64((raw + 5).loadUnaligned(as: UInt16.self).littleEndian) &<< 32)
      | (UInt64((raw + 8).loadUnaligned(as: UInt16.self).littleEndian) &<< 48)
    if p[4] != 0x2d || p[7] != 0x2d || !NumberText.areDigits(word) {
      ok = false
      return 0
    }
    let number = Int(NumberText.eightDigits(word))
    let year = number / 10_000
    let month = number / 100 % 100
    let day = number % 100
    if !isDay(year: year, month: month, day: day) { ok = false }
    return days(year: year, month: month, day: day)
  }

  /// The days of a date.
  ///
  /// - Parameter isStrict: only `YYYY-MM-DD`; else also `y-M-d` with a sign and years of other lengths.
  @inline(__always)
  static func date(_ p: UnsafePointer<UInt8>, _ n: Int, isStrict: Bool, _ ok: inout Bool) -> Int32 {
    if n == 10 {
      var isISO = true
      let days = isoDate(p, &isISO)
      if isISO { return Int32(truncatingIfNeeded: days) }
    }
    if isStrict {
      ok = false
      return 0
    }
    return lenientDate(p, n, &ok)
  }

  @inline(never)
  private static func lenientDate(_ p: UnsafePointer<UInt8>, _ n: Int, _ ok: inout Bool) -> Int32 {
    var at = 0
    var days = 0
    ok = ok && leadingDate(p, n, &at, &days) && at == n
    return Int32(truncatingIfNeeded: days)
  }

  /// A date of any width from `at` on, which is moved behind it.
  private static func leadingDate(_ p: UnsafePointer<UInt8>, _ n: Int, _ at: inout Int, _ days: inout Int) -> Bool {
    var isNegative = false
    if at < n, p[at] == 0x2d || p[at] == 0x2b {
      isNegative = p[at] == 0x2d
      at &+= 1
    }
    guard let year = number(p, n, &at, 1...9), at < n, p[at] == 0x2d else { return false }
    at &+= 1
    guard let month = number(p, n, &at, 1...2), at < n, p[at] == 0x2d else { return false }
    at &+= 1
    guard let day = number(p, n, &at, 1...2) else { return false }
    let signed = isNegative ? 0 &- year : year
    guard isDay(year: abs(signed), month: month, day: day) else { return false }
    days = DateTimeText.days(year: signed, month: month, day: day)
    return days >= Int(Int32.min) && days <= Int(Int32.max)
  }

  private static func number(_ p: UnsafePointer<UInt8>, _ n: Int, _ at: inout Int, _ width: ClosedRange<Int>) -> Int? {
    var value = 0
    let start = at
    while at < n, at &- start < width.upperBound {
      let digit = p[at] &- 0x30
      if digit > 9 { break }
      value = value &* 10 &+ Int(digit)
      at &+= 1
    }
    return at &- start >= width.lowerBound ? value : nil
  }

  /// Days from 1970 whose microseconds fit in 64 bits.
  private static let maxTimestampDays = 106_000_000

  /// What a timestamp's text says.
  struct Instant {
    var days: Int
    /// Whole seconds of the day.
    var seconds: Int
    /// Picoseconds of the second.
    var picoseconds: Int
    /// Digits written after the point.
    var fractionDigits: Int
  }

  /// A timestamp `YYYY-MM-DD HH:MM[:SS[.fraction]]`, blank or `T` between; a lone date means midnight.
  ///
  /// - Parameter isStrict: two digits everywhere; else the parts of date and time may be shorter.
  @inline(__always)
  static func timestamp(_ p: UnsafePointer<UInt8>, _ n: Int, isStrict: Bool, _ ok: inout Bool) -> Instant {
    if n >= 19, p[10] == 0x20 || p[10] == 0x54, p[13] == 0x3a, p[16] == 0x3a {
      var isISO = true
      let days = isoDate(p, &isISO)
      let raw = UnsafeRawPointer(p)
      let word =
        UInt64((raw + 11).loadUnaligned(as: UInt16.self).littleEndian)
        | (UInt64((raw + 14).loadUnaligned(as: UInt16.self).littleEndian) &<< 16)
        | (UInt64((raw + 17).loadUnaligned(as: UInt16.self).littleEndian) &<< 32) | 0x3030_0000_0000_0000
      if isISO, NumberText.areDigits(word) {
        let number = Int(NumberText.eightDigits(word)) / 100
        let hour = number / 10_000
        let minute = number / 100 % 100
        let second = number % 100
        if hour < 24, minute < 60, second < 60 {
          let seconds = hour &* 3600 &+ minute &* 60 &+ second
          if n == 19 { return Instant(days: days, seconds: seconds, picoseconds: 0, fractionDigits: 0) }
          let digits = n &- 20
          if p[19] == 0x2e, digits >= 1, digits <= 12 {
            var isFraction = true
            let fraction = NumberText.upTo16(p + 20, digits, &isFraction)
            if isFraction {
              return Instant(
                days: days, seconds: seconds,
                picoseconds: Int(fraction &* NumberText.powersOfTen[12 &- digits]), fractionDigits: digits)
            }
          }
        }
      }
    }
    return slowTimestamp(p, n, isStrict, &ok)
  }

  @inline(never)
  private static func slowTimestamp(_ p: UnsafePointer<UInt8>, _ n: Int, _ isStrict: Bool, _ ok: inout Bool) -> Instant {
    var result = Instant(days: 0, seconds: 0, picoseconds: 0, fractionDigits: 0)
    var at = 0
    guard leadingDate(p, n, &at, &result.days), abs(result.days) <= maxTimestampDays else {
      ok = false
      return result
    }
    if isStrict, at != 10 || p[4] != 0x2d || p[7] != 0x2d {
      ok = false
      return result
    }
    if at == n { return result }
    let width = isStrict ? 2...2 : 1...2
    guard p[at] == 0x20 || p[at] == 0x54 else {
      ok = false
      return result
    }
    at &+= 1
    guard let hour = number(p, n, &at, width), hour < 24, at < n, p[at] == 0x3a else {
      ok = false
      return result
    }
    at &+= 1
    guard let minute = number(p, n, &at, width), minute < 60 else {
      ok = false
      return result
    }
    var second = 0
    if at < n, p[at] == 0x3a {
      at &+= 1
      guard let value = number(p, n, &at, width), value < 60 else {
        ok = false
        return result
      }
      second = value
      if at < n, p[at] == 0x2e {
        at &+= 1
        let start = at
        guard let fraction = number(p, n, &at, 1...12) else {
          ok = false
          return result
        }
        result.fractionDigits = at &- start
        result.picoseconds = fraction &* Int(NumberText.powersOfTen[12 &- (at &- start)])
      }
    }
    if at != n { ok = false }
    result.seconds = hour &* 3600 &+ minute &* 60 &+ second
    return result
  }

  /// A timestamp with `Z` or an offset `±hh:mm` behind it, as UTC; or 10 digits of seconds or 13 of milliseconds since 1970.
  ///
  /// - Parameter ok: set to whether the text is one of these.
  @inline(never)
  static func instant(_ p: UnsafePointer<UInt8>, _ n: Int, _ ok: inout Bool) -> Instant {
    var result = Instant(days: 0, seconds: 0, picoseconds: 0, fractionDigits: 0)
    ok = true
    if n == 10 || n == 13 {
      var isNumber = true
      let number = Int(NumberText.integer(p, n, isStrict: true, &isNumber))
      if isNumber {
        let millis = n == 10 ? number &* 1000 : number
        result.days = Int((Double(millis) / 86_400_000).rounded(.down))
        let rest = millis &- result.days &* 86_400_000
        result.seconds = rest / 1000
        result.picoseconds = rest % 1000 &* 1_000_000_000
        return result
      }
    }
    var end = n
    var offset = 0
    if n > 1, p[n - 1] | 0x20 == 0x7a {
      end = n - 1
      if p[end - 1] == 0x20 { end -= 1 }
    } else if n > 6, p[n - 3] == 0x3a, p[n - 6] == 0x2b || p[n - 6] == 0x2d {
      var at = n - 5
      guard let hours = number(p, n, &at, 2...2), hours <= 18 else {
        ok = false
        return result
      }
      at += 1
      guard let minutes = number(p, n, &at, 2...2), minutes < 60 else {
        ok = false
        return result
      }
      offset = (hours &* 60 &+ minutes) &* 60
      if p[n - 6] == 0x2d { offset = 0 &- offset }
      end = n - 6
    } else {
      ok = false
      return result
    }
    result = timestamp(p, end, isStrict: false, &ok)
    result.seconds &-= offset
    return result
  }

  /// A timestamp with its zone: `Z`, `UTC`, `±hh`, `±hhmm` or `±hh:mm` behind the time of day; nil for all else.
  ///
  ///     2024-01-05T10:00:00Z   2024-01-05 10:00:00.25+02:00   2024-01-05 10:00:00 UTC
  ///
  /// - Returns: the local time and the zone.
  @inline(never)
  static func zoned(_ p: UnsafePointer<UInt8>, _ n: Int) -> (local: Instant, zone: TimeZoneKey)? {
    guard n >= 14, p[10] == 0x54 || p[10] == 0x20, p[13] == 0x3a else { return nil }
    var end = n
    var zone = TimeZoneKey.utc
    if p[n - 1] | 0x20 == 0x7a {
      end = n - 1
    } else if n > 16, p[n - 1] | 0x20 == 0x63, p[n - 2] | 0x20 == 0x74, p[n - 3] | 0x20 == 0x75 {
      end = n - 3
    } else {
      var sign = n - 1
      while sign > 13, p[sign] != 0x2b, p[sign] != 0x2d { sign -= 1 }
      guard sign > 13 else { return nil }
      var at = sign + 1
      guard let hours = number(p, n, &at, 2...2) else { return nil }
      var minutes = 0
      if at < n {
        if p[at] == 0x3a { at += 1 }
        guard let value = number(p, n, &at, 2...2), value < 60 else { return nil }
        minutes = value
      }
      guard at == n, hours * 60 + minutes <= 840 else { return nil }
      let offset = hours * 60 + minutes
      zone = TimeZoneKey(offsetMinutes: p[sign] == 0x2d ? 0 - offset : offset)
      end = sign
    }
    while end > 14, p[end - 1] == 0x20 { end -= 1 }
    var ok = true
    let local = timestamp(p, end, isStrict: true, &ok)
    return ok && end > 13 ? (local, zone) : nil
  }

  /// Microseconds since 1970, rounded half up to `precision` ≤ 6 digits; `isExact` turns false when digits were lost.
  @inline(__always)
  static func microseconds(_ t: Instant, precision: Int, _ isExact: inout Bool) -> Int64 {
    let unit = Int(NumberText.powersOfTen[12 &- precision])
    var units = t.picoseconds / unit
    let rest = t.picoseconds &- units &* unit
    if rest != 0 {
      isExact = false
      if rest &* 2 >= unit { units &+= 1 }
    }
    let micros = units &* Int(NumberText.powersOfTen[6 &- precision])
    return Int64((t.days &* 86_400 &+ t.seconds) &* 1_000_000 &+ micros)
  }

  /// Picoseconds since 1970, rounded half up to `precision` digits.
  static func picoseconds(_ t: Instant, precision: Int, _ isExact: inout Bool) -> Int128 {
    let unit = Int(NumberText.powersOfTen[12 &- precision])
    var units = t.picoseconds / unit
    let rest = t.picoseconds &- units &* unit
    if rest != 0 {
      isExact = false
      if rest &* 2 >= unit { units &+= 1 }
    }
    return Int128(t.days &* 86_400 &+ t.seconds) &* 1_000_000_000_000 &+ Int128(units &* unit)
  }
}
