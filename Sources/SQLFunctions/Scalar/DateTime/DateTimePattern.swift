import Columnar
import Glibc
import QueryErrors

/// A format of dates and times: writes them, and reads them back.
///
/// - Source: Joda-Time `DateTimeFormatterBuilder`, which Trino makes of every format text.
struct DateTimePattern {
  enum Item {
    case literal([UInt8])
    /// Any year; `maxDigits` counts when reading.
    case year(minDigits: Int, maxDigits: Int)
    case yearOfEra(minDigits: Int, maxDigits: Int)
    /// The last two digits; `pivot` is the middle of the hundred years they stand for.
    case twoDigitYear(pivot: Int, isLenient: Bool)
    case weekYear(minDigits: Int, maxDigits: Int)
    case twoDigitWeekYear(pivot: Int, isLenient: Bool)
    case century(minDigits: Int)
    case era
    case week(minDigits: Int)
    case weekday(minDigits: Int)
    case weekdayName(isShort: Bool)
    case dayOfYear(minDigits: Int)
    case month(minDigits: Int)
    case monthName(isShort: Bool)
    case day(minDigits: Int)
    case halfDay
    /// The hour from `first`, in a cycle of 12 or 24.
    case hour(minDigits: Int, first: Int, cycle: Int)
    case minute(minDigits: Int)
    case second(minDigits: Int)
    case fraction(minDigits: Int, maxDigits: Int)
    case offset(hasColon: Bool)
    case zoneName
    /// A zone's abbreviation.
    case zoneText
  }

  var items: [Item] = []

  static let monthNames = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]
  static let weekdayNames = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

  // MARK: Format texts

  /// A format of MySQL: `%Y-%m-%d`.
  static func mySQL(_ text: [UInt8]) throws(QueryError) -> DateTimePattern {
    var pattern = DateTimePattern()
    var at = 0
    while at < text.count {
      let byte = text[at]
      at += 1
      guard byte == UInt8(ascii: "%"), at < text.count else {
        pattern.append(byte)
        continue
      }
      let letter = text[at]
      at += 1
      switch letter {
      case UInt8(ascii: "a"): pattern.items.append(.weekdayName(isShort: true))
      case UInt8(ascii: "b"): pattern.items.append(.monthName(isShort: true))
      case UInt8(ascii: "c"): pattern.items.append(.month(minDigits: 1))
      case UInt8(ascii: "d"): pattern.items.append(.day(minDigits: 2))
      case UInt8(ascii: "e"): pattern.items.append(.day(minDigits: 1))
      case UInt8(ascii: "f"): pattern.items.append(.fraction(minDigits: 6, maxDigits: 9))
      case UInt8(ascii: "H"): pattern.items.append(.hour(minDigits: 2, first: 0, cycle: 24))
      case UInt8(ascii: "h"), UInt8(ascii: "I"): pattern.items.append(.hour(minDigits: 2, first: 1, cycle: 12))
      case UInt8(ascii: "i"): pattern.items.append(.minute(minDigits: 2))
      case UInt8(ascii: "j"): pattern.items.append(.dayOfYear(minDigits: 3))
      case UInt8(ascii: "k"): pattern.items.append(.hour(minDigits: 1, first: 0, cycle: 24))
      case UInt8(ascii: "l"): pattern.items.append(.hour(minDigits: 1, first: 1, cycle: 12))
      case UInt8(ascii: "M"): pattern.items.append(.monthName(isShort: false))
      case UInt8(ascii: "m"): pattern.items.append(.month(minDigits: 2))
      case UInt8(ascii: "p"): pattern.items.append(.halfDay)
      case UInt8(ascii: "r"):
        pattern.items += [
          .hour(minDigits: 2, first: 1, cycle: 12), .literal([0x3a]), .minute(minDigits: 2), .literal([0x3a]),
          .second(minDigits: 2), .literal([0x20]), .halfDay,
        ]
      case UInt8(ascii: "S"), UInt8(ascii: "s"): pattern.items.append(.second(minDigits: 2))
      case UInt8(ascii: "T"):
        pattern.items += [
          .hour(minDigits: 2, first: 0, cycle: 24), .literal([0x3a]), .minute(minDigits: 2), .literal([0x3a]),
          .second(minDigits: 2),
        ]
      case UInt8(ascii: "v"): pattern.items.append(.week(minDigits: 2))
      case UInt8(ascii: "x"): pattern.items.append(.weekYear(minDigits: 4, maxDigits: 4))
      case UInt8(ascii: "W"): pattern.items.append(.weekdayName(isShort: false))
      case UInt8(ascii: "Y"): pattern.items.append(.year(minDigits: 4, maxDigits: 4))
      case UInt8(ascii: "y"): pattern.items.append(.twoDigitYear(pivot: 2020, isLenient: false))
      case UInt8(ascii: "w"), UInt8(ascii: "U"), UInt8(ascii: "u"), UInt8(ascii: "V"), UInt8(ascii: "X"),
        UInt8(ascii: "D"):
        throw QueryError(
          .invalidFunctionArgument,
          "%\(String(UnicodeScalar(letter))) not currently supported in the date format string")
      default: pattern.append(letter)
      }
    }
    return pattern
  }

  /// A format of Joda-Time: `yyyy-MM-dd HH:mm`.
  static func joda(_ text: [UInt8], thisYear: Int) throws(QueryError) -> DateTimePattern {
    var pattern = DateTimePattern()
    var at = 0
    func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a }
    /// Whether the next token reads digits, so that this one must stop by its own length.
    func isNumber(_ from: Int) -> Bool {
      guard from < text.count else { return false }
      var end = from
      while end < text.count, text[end] == text[from] { end += 1 }
      switch text[from] {
      case 0x30...0x39: return false
      case UInt8(ascii: "M"): return end - from <= 2
      default: return "cCxyYdhHmsSeDFwWkKu".utf8.contains(text[from])
      }
    }
    while at < text.count {
      let letter = text[at]
      if letter == 0x27 {
        at += 1
        if at < text.count, text[at] == 0x27 {
          pattern.append(0x27)
          at += 1
          continue
        }
        while at < text.count {
          if text[at] == 0x27 {
            if at + 1 < text.count, text[at + 1] == 0x27 {
              pattern.append(0x27)
              at += 2
              continue
            }
            break
          }
          pattern.append(text[at])
          at += 1
        }
        at += 1
        continue
      }
      guard isLetter(letter) else {
        pattern.append(letter)
        at += 1
        continue
      }
      let start = at
      while at < text.count, text[at] == letter { at += 1 }
      let count = at - start
      switch letter {
      case UInt8(ascii: "G"): pattern.items.append(.era)
      case UInt8(ascii: "C"): pattern.items.append(.century(minDigits: count))
      case UInt8(ascii: "x"), UInt8(ascii: "y"), UInt8(ascii: "Y"):
        let maxDigits = isNumber(at) ? count : 9
        if count == 2 {
          let isLenient = !isNumber(at)
          pattern.items.append(
            letter == UInt8(ascii: "x")
              ? .twoDigitWeekYear(pivot: thisYear - 30, isLenient: isLenient)
              : .twoDigitYear(pivot: thisYear - 30, isLenient: isLenient))
        } else if letter == UInt8(ascii: "x") {
          pattern.items.append(.weekYear(minDigits: count, maxDigits: maxDigits))
        } else if letter == UInt8(ascii: "y") {
          pattern.items.append(.year(minDigits: count, maxDigits: maxDigits))
        } else {
          pattern.items.append(.yearOfEra(minDigits: count, maxDigits: maxDigits))
        }
      case UInt8(ascii: "M"):
        pattern.items.append(count >= 3 ? .monthName(isShort: count < 4) : .month(minDigits: count))
      case UInt8(ascii: "d"): pattern.items.append(.day(minDigits: count))
      case UInt8(ascii: "a"): pattern.items.append(.halfDay)
      case UInt8(ascii: "h"): pattern.items.append(.hour(minDigits: count, first: 1, cycle: 12))
      case UInt8(ascii: "H"): pattern.items.append(.hour(minDigits: count, first: 0, cycle: 24))
      case UInt8(ascii: "k"): pattern.items.append(.hour(minDigits: count, first: 1, cycle: 24))
      case UInt8(ascii: "K"): pattern.items.append(.hour(minDigits: count, first: 0, cycle: 12))
      case UInt8(ascii: "m"): pattern.items.append(.minute(minDigits: count))
      case UInt8(ascii: "s"): pattern.items.append(.second(minDigits: count))
      case UInt8(ascii: "S"): pattern.items.append(.fraction(minDigits: count, maxDigits: count))
      case UInt8(ascii: "e"): pattern.items.append(.weekday(minDigits: count))
      case UInt8(ascii: "E"): pattern.items.append(.weekdayName(isShort: count < 4))
      case UInt8(ascii: "D"): pattern.items.append(.dayOfYear(minDigits: count))
      case UInt8(ascii: "w"): pattern.items.append(.week(minDigits: count))
      case UInt8(ascii: "z"): pattern.items.append(.zoneText)
      case UInt8(ascii: "Z"): pattern.items.append(count >= 3 ? .zoneName : .offset(hasColon: count == 2))
      default:
        throw QueryError(
          .invalidFunctionArgument, "Illegal pattern component: \(String(decoding: text[start..<at], as: UTF8.self))")
      }
    }
    return pattern
  }

  /// A format of Teradata: `yyyy-mm-dd hh24:mi:ss`.
  static func teradata(_ text: [UInt8], thisYear: Int) throws(QueryError) -> DateTimePattern {
    let tokens: [(String, Item)] = [
      ("yyyy", .year(minDigits: 4, maxDigits: 4)), ("hh24", .hour(minDigits: 2, first: 0, cycle: 24)),
      ("yy", .twoDigitYear(pivot: 2050, isLenient: false)), ("dd", .day(minDigits: 2)),
      ("hh", .hour(minDigits: 2, first: 1, cycle: 12)), ("mi", .minute(minDigits: 2)), ("mm", .month(minDigits: 2)),
      ("ss", .second(minDigits: 2)),
    ]
    var pattern = DateTimePattern()
    let folded = text.map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 }
    var at = 0
    next: while at < text.count {
      for (token, item) in tokens where folded[at...].starts(with: token.utf8) {
        pattern.items.append(item)
        at += token.utf8.count
        continue next
      }
      guard "-/,.;: ".utf8.contains(text[at]) else {
        throw QueryError(
          .invalidFunctionArgument,
          "Failed to tokenize string [\(String(decoding: text, as: UTF8.self))] at offset [\(at)]")
      }
      pattern.append(text[at])
      at += 1
    }
    return pattern
  }

  private mutating func append(_ byte: UInt8) {
    if case .literal(var bytes)? = items.last {
      bytes.append(byte)
      items[items.count - 1] = .literal(bytes)
    } else {
      items.append(.literal([byte]))
    }
  }

  // MARK: Writing

  /// Appends a time.
  ///
  /// - Units: local milliseconds since 1970-01-01; seconds east of UTC.
  /// - Throws: `NOT_SUPPORTED` for abbreviations of zones.
  func append(millis: Int64, zone: TimeZoneRules?, offset: Int, to out: TextBuffer) throws(QueryError) {
    let days = Int(CalendarDate.floorDivide(millis, 86_400_000))
    let ofDay = Int(millis &- Int64(days) &* 86_400_000)
    let (year, month, day) = CalendarDate.civil(days)
    func number(_ value: Int, _ digits: Int) {
      if value < 0 { out.append(0x2d) }
      let room = out.room(NumberText.maxLength + 256)
      let count = NumberText.writeUnsigned(UInt64(value.magnitude), to: room)
      let padding = min(digits, 256) - count
      if padding > 0 {
        memmove(room + padding, room, count)
        memset(room, 0x30, padding)
      }
      out.count += count + max(padding, 0)
    }
    for item in items {
      switch item {
      case .literal(let bytes): bytes.withUnsafeBufferPointer { out.append($0.baseAddress!, $0.count) }
      case .year(let digits, _): number(year, digits)
      case .yearOfEra(let digits, _): number(year <= 0 ? 1 - year : year, digits)
      case .twoDigitYear: number(Int(year.magnitude % 100), 2)
      case .weekYear(let digits, _): number(CalendarDate.isoWeek(days).year, digits)
      case .twoDigitWeekYear: number(Int(CalendarDate.isoWeek(days).year.magnitude % 100), 2)
      case .century(let digits): number(Int(year.magnitude / 100), digits)
      case .era: year > 0 ? out.append("AD") : out.append("BC")
      case .week(let digits): number(CalendarDate.isoWeek(days).week, digits)
      case .weekday(let digits): number(CalendarDate.isoWeekday(days), digits)
      case .weekdayName(let isShort):
        let name = DateTimePattern.weekdayNames[CalendarDate.isoWeekday(days) - 1]
        out.append(isShort ? String(name.prefix(3)) : name)
      case .dayOfYear(let digits): number(CalendarDate.dayOfYear(days), digits)
      case .month(let digits): number(month, digits)
      case .monthName(let isShort):
        let name = DateTimePattern.monthNames[month - 1]
        out.append(isShort ? String(name.prefix(3)) : name)
      case .day(let digits): number(day, digits)
      case .halfDay: ofDay < 43_200_000 ? out.append("AM") : out.append("PM")
      case .hour(let digits, let first, let cycle):
        let hour = ofDay / 3_600_000 % cycle
        number(first == 1 && hour == 0 ? cycle : hour, digits)
      case .minute(let digits): number(ofDay / 60_000 % 60, digits)
      case .second(let digits): number(ofDay / 1000 % 60, digits)
      case .fraction(let digits, _):
        let millisecond = ofDay % 1000
        let text = [UInt8(0x30 + millisecond / 100), UInt8(0x30 + millisecond / 10 % 10), UInt8(0x30 + millisecond % 10)]
        for k in 0..<min(digits, 256) { out.append(k < 3 ? text[k] : 0x30) }
      case .offset(let hasColon):
        let minutes = offset / 60
        let room = out.room(8)
        let count = TimestampText.writeOffset(minutes: minutes, to: room)
        if hasColon {
          out.count += count
        } else {
          room[3] = room[4]
          room[4] = room[5]
          out.count += count - 1
        }
      case .zoneName: out.append(zone?.name ?? "UTC")
      case .zoneText:
        if let zone, zone.key != .utc, zone.key.fixedOffsetMinutes == nil {
          throw QueryError(.notSupported, "Abbreviations of time zones ('z') are not supported in formats")
        }
        out.append(zone?.name ?? "UTC")
      }
    }
  }
}
