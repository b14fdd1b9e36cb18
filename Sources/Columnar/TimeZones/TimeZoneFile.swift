import Glibc

/// The offsets of one zone through time, read from a TZif file.
///
/// Offsets change at `transitions[i]` to `offsets[i]`; before the first they are `firstOffset`. The footer's rule is
/// unrolled over one Gregorian cycle of 400 years; later times are mapped back by whole cycles.
///
/// - Units: seconds; offsets east of UTC.
/// - Source: RFC 8536.
struct TimeZoneFile: Sendable {
  var firstOffset = 0
  var transitions: [Int64] = []
  var offsets: [Int32] = []
  /// Whether the last 400 years of `transitions` repeat for ever.
  var repeats = false

  /// 400 Gregorian years.
  static let cycleSeconds: Int64 = 146_097 * 86_400

  /// Nil when the bytes are not a sound TZif file.
  init?(_ data: [UInt8]) {
    var reader = Reader(data: data, at: 0)
    guard let first = reader.header() else { return nil }
    if first.version >= 0x32 {
      // The version 1 block has 32-bit times; the second block has all.
      guard reader.skip(first.byteCount(timeSize: 4)), let second = reader.header(),
        reader.read(second, timeSize: 8, into: &self)
      else { return nil }
      if let rule = reader.footer() { unroll(rule) }
    } else {
      guard reader.read(first, timeSize: 4, into: &self) else { return nil }
    }
  }

  // MARK: Reading

  private struct Header {
    var version: UInt8
    var isUTCCount, isStandardCount, leapCount, timeCount, typeCount, nameByteCount: Int

    func byteCount(timeSize: Int) -> Int {
      timeCount * (timeSize + 1) + typeCount * 6 + nameByteCount + leapCount * (timeSize + 4) + isStandardCount
        + isUTCCount
    }
  }

  private struct Reader {
    let data: [UInt8]
    var at: Int

    mutating func skip(_ count: Int) -> Bool {
      guard count >= 0, count <= data.count - at else { return false }
      at += count
      return true
    }

    func number(_ position: Int, _ size: Int) -> Int64 {
      var value: Int64 = Int64(Int8(bitPattern: data[position]))
      for k in 1..<size { value = (value << 8) | Int64(data[position + k]) }
      return value
    }

    mutating func header() -> Header? {
      guard data.count - at >= 44, Array(data[at..<at + 4]) == Array("TZif".utf8) else { return nil }
      let counts = (0..<6).map { Int(number(at + 20 + $0 * 4, 4)) }
      guard counts.allSatisfy({ $0 >= 0 && $0 < 1 << 20 }) else { return nil }
      let header = Header(
        version: data[at + 4], isUTCCount: counts[0], isStandardCount: counts[1], leapCount: counts[2],
        timeCount: counts[3], typeCount: counts[4], nameByteCount: counts[5])
      at += 44
      return header
    }

    mutating func read(_ header: Header, timeSize: Int, into file: inout TimeZoneFile) -> Bool {
      guard header.typeCount > 0, header.byteCount(timeSize: timeSize) <= data.count - at else { return false }
      let types = at + header.timeCount * (timeSize + 1)
      func offset(_ type: Int) -> Int { Int(number(types + type * 6, 4)) }
      for k in 0..<header.timeCount {
        let type = Int(data[at + header.timeCount * timeSize + k])
        guard type < header.typeCount else { return false }
        let time = number(at + k * timeSize, timeSize)
        if let last = file.transitions.last, time <= last { return false }
        guard abs(offset(type)) < 200_000 else { return false }
        file.transitions.append(time)
        file.offsets.append(Int32(offset(type)))
      }
      guard abs(offset(0)) < 200_000 else { return false }
      file.firstOffset = offset(0)
      // A first transition at the beginning of time stands for "always".
      at += header.byteCount(timeSize: timeSize)
      return true
    }

    /// The rule between the two newlines after the second block.
    func footer() -> PosixTimeZoneRule? {
      guard at < data.count, data[at] == 10, let end = data[(at + 1)...].firstIndex(of: 10) else { return nil }
      return PosixTimeZoneRule(Array(data[(at + 1)..<end]))
    }
  }

  private mutating func unroll(_ rule: PosixTimeZoneRule) {
    guard let summer = rule.summer else {
      if transitions.isEmpty { firstOffset = rule.standardOffset }
      return
    }
    let last = transitions.last ?? Int64.min
    let lastOffset = offsets.last.map(Int.init) ?? firstOffset
    var current = lastOffset
    var year = 1970
    if last > 0 { year = 1970 + Int(last / 31_556_952) - 1 }
    let endYear = year + 402
    while year <= endYear {
      let start = (summer.start.time(year: year) - Int64(rule.standardOffset), summer.offset)
      let end = (summer.end.time(year: year) - Int64(summer.offset), rule.standardOffset)
      for (time, offset) in start.0 < end.0 ? [start, end] : [end, start] where time > (transitions.last ?? last) {
        if offset == current { continue }
        transitions.append(time)
        offsets.append(Int32(offset))
        current = offset
      }
      year += 1
    }
    repeats = true
  }
}

/// The rule for the far future at the end of a TZif file: `CET-1CEST,M3.5.0,M10.5.0/3`.
///
/// - Source: POSIX.1-2017, 8.3 "TZ"; RFC 8536, 3.3.1.
struct PosixTimeZoneRule {
  /// Seconds east of UTC.
  var standardOffset: Int
  var summer: (offset: Int, start: Day, end: Day)?

  enum Day {
    /// Day 1 to 365, 29 February never counted.
    case julian(Int, seconds: Int)
    /// Day 0 to 365.
    case zeroBased(Int, seconds: Int)
    case weekday(month: Int, week: Int, day: Int, seconds: Int)

    /// Local seconds since 1970-01-01.
    func time(year: Int) -> Int64 {
      let start = PosixTimeZoneRule.days(year, 1, 1)
      switch self {
      case .julian(let day, let seconds):
        let isLeap = PosixTimeZoneRule.days(year, 3, 1) - start == 60
        return Int64(start + day - 1 + (isLeap && day >= 60 ? 1 : 0)) * 86_400 + Int64(seconds)
      case .zeroBased(let day, let seconds): return Int64(start + day) * 86_400 + Int64(seconds)
      case .weekday(let month, let week, let day, let seconds):
        let first = PosixTimeZoneRule.days(year, month, 1)
        let firstWeekday = ((first + 4) % 7 + 7) % 7
        var at = first + (day - firstWeekday + 7) % 7 + (week - 1) * 7
        let next = month == 12 ? PosixTimeZoneRule.days(year + 1, 1, 1) : PosixTimeZoneRule.days(year, month + 1, 1)
        while at >= next { at -= 7 }
        return Int64(at) * 86_400 + Int64(seconds)
      }
    }
  }

  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yoe = y - era * 400
    let doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
  }

  init?(_ text: [UInt8]) {
    var at = 0
    func peek() -> UInt8 { at < text.count ? text[at] : 0 }
    func name() -> Bool {
      let start = at
      if peek() == UInt8(ascii: "<") {
        while at < text.count, text[at] != UInt8(ascii: ">") { at += 1 }
        at += 1
        return at <= text.count
      }
      while (peek() | 0x20) >= 0x61 && (peek() | 0x20) <= 0x7a { at += 1 }
      return at - start >= 3
    }
    func number() -> Int? {
      let start = at
      var value = 0
      while peek() >= 0x30 && peek() <= 0x39, at - start < 4 {
        value = value * 10 + Int(peek() - 0x30)
        at += 1
      }
      return at > start ? value : nil
    }
    func seconds() -> Int? {
      var sign = 1
      if peek() == UInt8(ascii: "-") || peek() == UInt8(ascii: "+") {
        sign = peek() == UInt8(ascii: "-") ? -1 : 1
        at += 1
      }
      guard let hours = number() else { return nil }
      var total = hours * 3600
      for unit in [60, 1] where peek() == UInt8(ascii: ":") {
        at += 1
        guard let part = number() else { return nil }
        total += part * unit
      }
      return sign * total
    }
    func day() -> Day? {
      guard peek() == UInt8(ascii: ",") else { return nil }
      at += 1
      var parsed: (Int) -> Day
      if peek() == UInt8(ascii: "M") {
        at += 1
        guard let month = number(), (1...12).contains(month), peek() == UInt8(ascii: ".") else { return nil }
        at += 1
        guard let week = number(), (1...5).contains(week), peek() == UInt8(ascii: ".") else { return nil }
        at += 1
        guard let weekday = number(), (0...6).contains(weekday) else { return nil }
        parsed = { .weekday(month: month, week: week, day: weekday, seconds: $0) }
      } else if peek() == UInt8(ascii: "J") {
        at += 1
        guard let n = number(), (1...365).contains(n) else { return nil }
        parsed = { .julian(n, seconds: $0) }
      } else {
        guard let n = number(), (0...365).contains(n) else { return nil }
        parsed = { .zeroBased(n, seconds: $0) }
      }
      guard peek() == UInt8(ascii: "/") else { return parsed(7200) }
      at += 1
      guard let time = seconds() else { return nil }
      return parsed(time)
    }

    guard name(), let standard = seconds() else { return nil }
    standardOffset = -standard
    if at == text.count { return }
    guard name() else { return nil }
    var summerOffset = standardOffset + 3600
    if peek() != UInt8(ascii: ",") {
      guard let offset = seconds() else { return nil }
      summerOffset = -offset
    }
    guard let start = day(), let end = day(), at == text.count else { return nil }
    summer = (summerOffset, start, end)
  }
}
