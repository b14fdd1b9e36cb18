import QueryErrors

/// One pattern of `timestamp.formats`: a subset of Java's `DateTimeFormatter` patterns, or `millis`.
///
/// Known letters: y u (year), M d H m s S, h with a, X x Z (offset), text in single quotes; everything else stands for
/// itself. `MMM` and `MMMM` are English month names.
struct DateTimePattern: Sendable {
  private enum Part: Sendable {
    case year(Int)
    case month(Int)
    case monthName
    case day(Int)
    case hour(Int)
    case halfDayHour(Int)
    case halfDay
    case minute(Int)
    case second(Int)
    case fraction, offset
    case literal(UInt8)
  }

  private let parts: [Part]
  private let isMillis: Bool

  /// - Throws: `NOT_SUPPORTED` for pattern letters other than the known ones.
  init(_ pattern: String) throws(QueryError) {
    isMillis = pattern == "millis"
    var parts: [Part] = []
    let bytes = Array(pattern.utf8)
    var i = isMillis ? bytes.count : 0
    while i < bytes.count {
      let c = bytes[i]
      if c == 0x27 {
        i += 1
        if i < bytes.count, bytes[i] == 0x27 { parts.append(.literal(0x27)) }
        while i < bytes.count, bytes[i] != 0x27 {
          parts.append(.literal(bytes[i]))
          i += 1
        }
        i += 1
        continue
      }
      var end = i
      while end < bytes.count, bytes[end] == c { end += 1 }
      let width = end - i
      guard (c | 0x20) &- 0x61 < 26 else {
        parts.append(.literal(c))
        i += 1
        continue
      }
      switch c {
      case 0x79, 0x75: parts.append(.year(width))
      case 0x4d: parts.append(width >= 3 ? .monthName : .month(width))
      case 0x64: parts.append(.day(width))
      case 0x48: parts.append(.hour(width))
      case 0x68: parts.append(.halfDayHour(width))
      case 0x61: parts.append(.halfDay)
      case 0x6d: parts.append(.minute(width))
      case 0x73: parts.append(.second(width))
      case 0x53: parts.append(.fraction)
      case 0x58, 0x78, 0x5a: parts.append(.offset)
      // Java needs quotes around T; many tables lack them.
      case 0x54: parts.append(.literal(c))
      default:
        throw QueryError.notSupported("Letter '\(String(UnicodeScalar(c)))' in timestamp.formats pattern '\(pattern)'")
      }
      i = end
    }
    self.parts = parts
  }

  /// The patterns of a comma-separated list.
  static func list(_ text: String?) throws(QueryError) -> [DateTimePattern] {
    var result: [DateTimePattern] = []
    for pattern in (text ?? "").split(separator: ",") { result.append(try DateTimePattern(String(pattern))) }
    return result
  }

  /// The timestamp that a text of this pattern says, or nil.
  func parse(_ p: UnsafePointer<UInt8>, _ n: Int) -> DateTimeText.Instant? {
    if isMillis {
      var ok = n > 0
      let millis = ok ? Int(NumberText.integer(p, n, isStrict: false, &ok)) : 0
      guard ok, abs(millis / 1000) < 1 << 40 else { return nil }
      let day = 86_400_000
      let rest = ((millis % day) + day) % day
      return DateTimeText.Instant(
        days: (millis - rest) / day, seconds: rest / 1000, picoseconds: rest % 1000 * 1_000_000_000, fractionDigits: 3)
    }
    var (year, month, day, hour, minute, second, offset) = (1970, 1, 1, 0, 0, 0, 0)
    var picoseconds = 0
    var digits = 0
    var isAfternoon: Bool?
    var at = 0
    func number(_ width: Int, _ most: Int) -> Int? {
      let limit = width >= 2 ? max(width, 2) : most
      var value = 0
      let start = at
      while at < n, at - start < limit, p[at] &- 0x30 <= 9 {
        value = value * 10 + Int(p[at] - 0x30)
        at += 1
      }
      return at - start >= max(1, min(width, most)) ? value : nil
    }
    for part in parts {
      switch part {
      case .year(let width):
        guard let value = number(min(width, 9), 4) else { return nil }
        year = width == 2 ? 2000 + value : value
      case .month(let width):
        guard let value = number(width, 2) else { return nil }
        month = value
      case .monthName:
        guard let value = monthNumber(p, n, &at) else { return nil }
        month = value
      case .day(let width):
        guard let value = number(width, 2) else { return nil }
        day = value
      case .hour(let width):
        guard let value = number(width, 2), value < 24 else { return nil }
        hour = value
      case .halfDayHour(let width):
        guard let value = number(width, 2), value >= 1, value <= 12 else { return nil }
        hour = value % 12
      case .halfDay:
        guard at + 1 < n, p[at + 1] | 0x20 == 0x6d, p[at] | 0x20 == 0x61 || p[at] | 0x20 == 0x70 else { return nil }
        isAfternoon = p[at] | 0x20 == 0x70
        at += 2
      case .minute(let width):
        guard let value = number(width, 2), value < 60 else { return nil }
        minute = value
      case .second(let width):
        guard let value = number(width, 2), value < 60 else { return nil }
        second = value
      case .fraction:
        let start = at
        while at < n, at - start < 12, p[at] &- 0x30 <= 9 {
          picoseconds = picoseconds * 10 + Int(p[at] - 0x30)
          at += 1
        }
        guard at > start else { return nil }
        digits = at - start
        for _ in digits..<12 { picoseconds *= 10 }
      case .offset:
        if at < n, p[at] | 0x20 == 0x7a {
          at += 1
          continue
        }
        guard at < n, p[at] == 0x2b || p[at] == 0x2d else { return nil }
        let isNegative = p[at] == 0x2d
        at += 1
        guard let hours = number(2, 2), hours <= 18 else { return nil }
        if at < n, p[at] == 0x3a { at += 1 }
        let minutes = number(2, 2) ?? 0
        offset = (hours * 60 + minutes) * (isNegative ? -60 : 60)
      case .literal(let c):
        guard at < n, p[at] == c else { return nil }
        at += 1
      }
    }
    if let isAfternoon { hour += isAfternoon ? 12 : 0 }
    guard at == n, hour < 24, year <= 290_000, DateTimeText.isDay(year: year, month: month, day: day) else {
      return nil
    }
    return DateTimeText.Instant(
      days: DateTimeText.days(year: year, month: month, day: day), seconds: hour * 3600 + minute * 60 + second - offset,
      picoseconds: picoseconds, fractionDigits: digits)
  }

  private func monthNumber(_ p: UnsafePointer<UInt8>, _ n: Int, _ at: inout Int) -> Int? {
    let names = [
      "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
      "december",
    ]
    var letters: [UInt8] = []
    while at < n, (p[at] | 0x20) &- 0x61 < 26 {
      letters.append(p[at] | 0x20)
      at += 1
    }
    let word = String(decoding: letters, as: UTF8.self)
    return names.firstIndex { $0 == word || $0.prefix(3) == word }.map { $0 + 1 }
  }
}
