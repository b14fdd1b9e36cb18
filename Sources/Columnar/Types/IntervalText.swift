/// Intervals as text and back.
public enum IntervalText {
  /// A field that interval literals name.
  public enum Unit: Int, Comparable, Sendable {
    case year, month, week, day, hour, minute, second
    public static func < (a: Unit, b: Unit) -> Bool { a.rawValue < b.rawValue }
    public var isYearToMonth: Bool { self <= .month }
    /// Milliseconds of one, months for year and month.
    var factor: Int64 {
      switch self {
      case .year: 12
      case .month: 1
      case .week: 604_800_000
      case .day: 86_400_000
      case .hour: 3_600_000
      case .minute: 60_000
      case .second: 1000
      }
    }
  }

  /// `2 12:00:00.000`.
  ///
  /// - Units: milliseconds.
  public static func writeDayToSecond(_ millis: Int64, to p: UnsafeMutablePointer<UInt8>) -> Int {
    var at = 0
    if millis < 0 {
      p[0] = 0x2d
      at = 1
    }
    let magnitude = millis.magnitude
    at += NumberText.writeUnsigned(magnitude / 86_400_000, to: p + at)
    p[at] = 0x20
    let rest = Int(magnitude % 86_400_000)
    return at + 1
      + TimestampText.writeTime(
        seconds: rest / 1000, picos: Int64(rest % 1000) * 1_000_000_000, precision: 3, to: p + at + 1)
  }

  /// `1-6`.
  public static func writeYearToMonth(_ months: Int32, to p: UnsafeMutablePointer<UInt8>) -> Int {
    var at = 0
    if months < 0 {
      p[0] = 0x2d
      at = 1
    }
    at += NumberText.writeUnsigned(UInt64(months.magnitude / 12), to: p + at)
    p[at] = 0x2d
    return at + 1 + NumberText.writeUnsigned(UInt64(months.magnitude % 12), to: p + at + 1)
  }

  /// The value of an interval literal: months, or milliseconds.
  ///
  ///     '2' DAY   '1 02:03:04.5' DAY TO SECOND   '-1-6' YEAR TO MONTH
  ///
  /// - Parameter to: the last field of `a TO b`; nil for a single field.
  /// - Returns: nil when the text does not fit its fields or exceeds the range.
  public static func parse(_ text: String, from first: Unit, to last: Unit?) -> Int64? {
    let last = last ?? first
    guard first <= last, first.isYearToMonth == last.isYearToMonth else { return nil }
    let p = Array(text.utf8)
    var at = 0
    var isNegative = false
    if let sign = p.first, sign == 0x2d || sign == 0x2b {
      isNegative = sign == 0x2d
      at = 1
    }
    var total: Int64 = 0
    var unit = first
    while true {
      let start = at
      var value: Int64 = 0
      while at < p.count, p[at] &- 0x30 <= 9 {
        let (product, overflows) = value.multipliedReportingOverflow(by: 10)
        let (sum, carries) = product.addingReportingOverflow(Int64(p[at] - 0x30))
        if overflows || carries { return nil }
        value = sum
        at += 1
      }
      if at == start { return nil }
      let (scaled, overflows) = value.multipliedReportingOverflow(by: unit.factor)
      let (sum, carries) = total.addingReportingOverflow(scaled)
      if overflows || carries { return nil }
      total = sum
      if unit == .second, at < p.count, p[at] == 0x2e {
        at += 1
        let point = at
        var millis: Int64 = 0
        while at < p.count, p[at] &- 0x30 <= 9 {
          if at - point < 3 { millis = millis * 10 + Int64(p[at] - 0x30) }
          at += 1
        }
        if at == point { return nil }
        for _ in min(at - point, 3)..<3 { millis *= 10 }
        let (sum, carries) = total.addingReportingOverflow(millis)
        if carries { return nil }
        total = sum
      }
      if at == p.count || unit == last { break }
      let separator: UInt8
      switch unit {
      case .year:
        separator = 0x2d
        unit = .month
      case .day:
        separator = 0x20
        unit = .hour
      case .hour:
        separator = 0x3a
        unit = .minute
      case .minute:
        separator = 0x3a
        unit = .second
      default: return nil
      }
      guard p[at] == separator else { return nil }
      at += 1
    }
    guard at == p.count else { return nil }
    let value = isNegative ? -total : total
    if first.isYearToMonth, Int32(exactly: value) == nil { return nil }
    return value
  }
}
