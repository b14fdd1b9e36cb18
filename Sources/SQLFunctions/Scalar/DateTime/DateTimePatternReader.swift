import Columnar
import QueryErrors

/// Reads a date and time by a pattern.
///
/// - Source: Joda-Time `DateTimeParserBucket`: fields that the text lacks are those of 1970-01-01 00:00, the year 2000
///   when it has a month or day only.
struct DateTimePatternReader {
  private let p: UnsafePointer<UInt8>
  private let n: Int
  private var at = 0

  private var year: Int?
  private var weekYear: Int?
  private var century: Int?
  private var isBeforeChrist = false
  private var week: Int?
  private var weekday: Int?
  private var dayOfYear: Int?
  private var month: Int?
  private var day: Int?
  private var isAfternoon: Bool?
  private var hour: Int?
  private var hasHalfDayHour = false
  private var minute = 0
  private var second = 0
  private var millis = 0

  /// What the text says of the zone.
  private(set) var zone: TimeZoneKey?

  init(_ p: UnsafePointer<UInt8>, _ n: Int) {
    self.p = p
    self.n = n
  }

  /// Local milliseconds since 1970-01-01.
  ///
  /// - Throws: `INVALID_FUNCTION_ARGUMENT`, worded as Joda-Time does.
  mutating func read(_ pattern: DateTimePattern) throws(QueryError) -> Int64 {
    for item in pattern.items { if !read(item) { throw malformed() } }
    if at < n { throw malformed() }
    return try total()
  }

  private var text: String { String(decoding: UnsafeBufferPointer(start: p, count: n), as: UTF8.self) }

  private func malformed() -> QueryError {
    let message: String
    if at <= 0 {
      message = "Invalid format: \"\(text)\""
    } else if at >= n {
      message = "Invalid format: \"\(text)\" is too short"
    } else {
      let rest = String(decoding: UnsafeBufferPointer(start: p + at, count: n - at), as: UTF8.self)
      message = "Invalid format: \"\(text)\" is malformed at \"\(rest)\""
    }
    return QueryError(.invalidFunctionArgument, message)
  }

  // MARK: Items

  private mutating func read(_ item: DateTimePattern.Item) -> Bool {
    switch item {
    case .literal(let bytes):
      guard n - at >= bytes.count else { return false }
      for (k, byte) in bytes.enumerated() where folded(p[at + k]) != folded(byte) { return false }
      at += bytes.count
      return true
    case .year(_, let most), .yearOfEra(_, let most): return number(most, signed: true) { $0.year = $1 }
    case .weekYear(_, let most): return number(most, signed: true) { $0.weekYear = $1 }
    case .twoDigitYear(let pivot, let isLenient): return twoDigits(pivot, isLenient) { $0.year = $1 }
    case .twoDigitWeekYear(let pivot, let isLenient): return twoDigits(pivot, isLenient) { $0.weekYear = $1 }
    case .century: return number(9, signed: true) { $0.century = $1 }
    case .era:
      guard n - at >= 2, folded(p[at + 1]) == 0x64 || folded(p[at + 1]) == 0x63 else { return false }
      isBeforeChrist = folded(p[at]) == 0x62
      at += 2
      return true
    case .week: return number(2) { $0.week = $1 }
    case .weekday: return number(1) { $0.weekday = $1 }
    case .weekdayName: return name(DateTimePattern.weekdayNames) { $0.weekday = $1 }
    case .dayOfYear: return number(3) { $0.dayOfYear = $1 }
    case .month: return number(2) { $0.month = $1 }
    case .monthName: return name(DateTimePattern.monthNames) { $0.month = $1 }
    case .day: return number(2) { $0.day = $1 }
    case .halfDay:
      guard n - at >= 2, folded(p[at + 1]) == 0x6d, folded(p[at]) == 0x61 || folded(p[at]) == 0x70 else { return false }
      isAfternoon = folded(p[at]) == 0x70
      at += 2
      return true
    case .hour(_, let first, let cycle):
      hasHalfDayHour = hasHalfDayHour || cycle == 12
      return number(2) { $0.hour = $1 == cycle && first == 1 ? 0 : $1 - (first == 1 && $1 == 0 ? 100 : 0) }
    case .minute: return number(2) { $0.minute = $1 }
    case .second: return number(2) { $0.second = $1 }
    case .fraction(_, let most):
      let start = at
      var unit = 100
      while at < n, at - start < most, p[at] >= 0x30, p[at] <= 0x39 {
        millis += Int(p[at] - 0x30) * unit
        unit /= 10
        at += 1
      }
      return at > start
    case .offset: return offset()
    case .zoneName, .zoneText:
      let start = at
      while at < n {
        let byte = p[at]
        let isNameByte =
          folded(byte) >= 0x61 && folded(byte) <= 0x7a || (byte >= 0x30 && byte <= 0x39) || byte == 0x2f || byte == 0x5f
          || byte == 0x2b || byte == 0x2d || byte == 0x3a
        if !isNameByte { break }
        at += 1
      }
      let name = String(decoding: UnsafeBufferPointer(start: p + start, count: at - start), as: UTF8.self)
      guard let key = TimeZoneDatabase.find(name) else {
        at = start
        return false
      }
      zone = key
      return true
    }
  }

  private func folded(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte }

  private mutating func digits(_ most: Int) -> Int? {
    var value = 0
    let start = at
    while at < n, at - start < min(most, 9), p[at] >= 0x30, p[at] <= 0x39 {
      value = value * 10 + Int(p[at] - 0x30)
      at += 1
    }
    return at > start ? value : nil
  }

  private mutating func number(_ most: Int, signed: Bool = false, _ store: (inout Self, Int) -> Void) -> Bool {
    let start = at
    var isNegative = false
    if signed, at + 1 < n, p[at] == 0x2d || p[at] == 0x2b, p[at + 1] >= 0x30, p[at + 1] <= 0x39 {
      isNegative = p[at] == 0x2d
      at += 1
    }
    guard let value = digits(most) else {
      at = start
      return false
    }
    store(&self, isNegative ? -value : value)
    return true
  }

  private mutating func twoDigits(_ pivot: Int, _ isLenient: Bool, _ store: (inout Self, Int) -> Void) -> Bool {
    let start = at
    if isLenient {
      var end = at
      if end < n, p[end] == 0x2d || p[end] == 0x2b { end += 1 }
      while end < n, p[end] >= 0x30, p[end] <= 0x39 { end += 1 }
      if end - at != 2 || p[at] == 0x2d || p[at] == 0x2b { return number(9, signed: true, store) }
    }
    guard let value = digits(2), at - start == 2 else {
      at = start
      return false
    }
    // The year of the hundred from pivot − 50 on.
    let low = pivot - 50
    let base = low - (low % 100 + 100) % 100
    store(&self, base + value + (value < low - base ? 100 : 0))
    return true
  }

  private mutating func name(_ names: [String], _ store: (inout Self, Int) -> Void) -> Bool {
    for isFull in [true, false] {
      for (index, name) in names.enumerated() {
        let bytes = Array((isFull ? name : String(name.prefix(3))).utf8)
        guard n - at >= bytes.count else { continue }
        if bytes.indices.allSatisfy({ folded(p[at + $0]) == folded(bytes[$0]) }) {
          at += bytes.count
          store(&self, index + 1)
          return true
        }
      }
    }
    return false
  }

  private mutating func offset() -> Bool {
    guard at < n else { return false }
    if p[at] == UInt8(ascii: "Z") {
      at += 1
      zone = .utc
      return true
    }
    guard p[at] == 0x2b || p[at] == 0x2d else { return false }
    let start = at
    let isNegative = p[at] == 0x2d
    at += 1
    guard let hours = digits(2), at - start == 3 else {
      at = start
      return false
    }
    if at < n, p[at] == 0x3a { at += 1 }
    let mark = at
    var minutes = 0
    if let value = digits(2) {
      if at - mark != 2 || value > 59 { return false }
      minutes = value
    }
    let total = (hours * 60 + minutes) * (isNegative ? -1 : 1)
    guard total >= -840, total <= 840 else {
      at = start
      return false
    }
    zone = total == 0 ? .utc : TimeZoneKey(offsetMinutes: total)
    return true
  }

  // MARK: The time meant

  private func check(_ value: Int?, _ range: ClosedRange<Int>, _ name: String) throws(QueryError) {
    guard let value, !range.contains(value) else { return }
    throw QueryError(
      .invalidFunctionArgument,
      "Cannot parse \"\(text)\": Value \(value) for \(name) must be in the range [\(range.lowerBound),\(range.upperBound)]")
  }

  private func total() throws(QueryError) -> Int64 {
    // Milliseconds of these years fit 64 bits.
    try check(year, -292_275_054...292_278_993, "year")
    try check(weekYear, -292_275_054...292_278_992, "weekyear")
    try check(century, 0...2_922_789, "centuryOfEra")
    try check(month, 1...12, "monthOfYear")
    try check(week, 1...53, "weekOfWeekyear")
    try check(weekday, 1...7, "dayOfWeek")
    try check(hour, hasHalfDayHour ? 0...11 : 0...23, hasHalfDayHour ? "clockhourOfHalfday" : "hourOfDay")
    try check(minute, 0...59, "minuteOfHour")
    try check(second, 0...59, "secondOfMinute")
    var days: Int
    if weekYear != nil || week != nil {
      let january4 = CalendarDate.days(year: weekYear ?? year ?? 1970, month: 1, day: 4)
      // Without a day: that of 1970-01-01, a Thursday.
      days = january4 - CalendarDate.isoWeekday(january4) + ((week ?? 1) - 1) * 7 + (weekday ?? (week == nil ? 4 : 1))
    } else {
      var calendarYear = year ?? century.map { $0 * 100 } ?? (month != nil || day != nil || dayOfYear != nil ? 2000 : 1970)
      if isBeforeChrist { calendarYear = 1 - calendarYear }
      if let dayOfYear {
        try check(dayOfYear, 1...(CalendarDate.isLeap(calendarYear) ? 366 : 365), "dayOfYear")
        days = CalendarDate.days(year: calendarYear, month: 1, day: 1) + dayOfYear - 1
      } else {
        let last = CalendarDate.daysInMonth(year: calendarYear, month: month ?? 1)
        try check(day, 1...last, "dayOfMonth")
        days = CalendarDate.days(year: calendarYear, month: month ?? 1, day: day ?? 1)
        if let weekday, day == nil { days += weekday - CalendarDate.isoWeekday(days) }
      }
    }
    var hours = hour ?? 0
    if hasHalfDayHour || hour == nil, isAfternoon == true { hours += 12 }
    let (ofDays, overflows) = Int64(days).multipliedReportingOverflow(by: 86_400_000)
    let ofDay = Int64(((hours * 60 + minute) * 60 + second) * 1000 + millis)
    let (total, carries) = ofDays.addingReportingOverflow(ofDay)
    if overflows || carries { throw QueryError(.invalidFunctionArgument, "Cannot parse \"\(text)\": long overflow") }
    return total
  }
}
