import Columnar

/// The template of a path's `datetime("…")`: fields and literal text.
///
///     YYYY-MM-DD"T"HH24:MI:SS.FF3   →   timestamp(3)
///
/// - Source: ISO/IEC 9075-2 §9.52; Trino `JsonDateTimeTemplateParser`, `JsonDateTimeValueParser`.
struct JSONDatetimeTemplate: Sendable {
  /// Why a text is no template, or a value does not fit one.
  struct Failure: Error { var message: String }

  private enum Field: String, Sendable {
    case year
    case roundedYear = "rounded year"
    case month, day
    case dayOfYear = "day of year"
    case hour12 = "12-hour field"
    case hour24 = "24-hour field"
    case minute, second
    case secondOfDay = "second-of-day"
    case fraction
    case half = "AM/PM"
    case zoneHour = "time zone hour"
    case zoneMinute = "time zone minute"
  }

  private enum Segment: Sendable {
    case literal([UInt8])
    /// `isDelimited`: between literals, so that fewer digits do.
    case field(Field, width: Int, isDelimited: Bool)
  }

  private var segments: [Segment] = []
  private(set) var type = DataType.date
  private var precision = 0

  /// Longest names first.
  private static let names: [(name: String, field: Field, width: Int)] = [
    ("SSSSS", .secondOfDay, 5), ("YYYY", .year, 4), ("RRRR", .roundedYear, 4), ("HH24", .hour24, 2),
    ("HH12", .hour12, 2), ("A.M.", .half, 0), ("P.M.", .half, 0), ("YYY", .year, 3), ("DDD", .dayOfYear, 3),
    ("TZH", .zoneHour, 3), ("TZM", .zoneMinute, 2), ("YY", .year, 2), ("RR", .roundedYear, 2), ("MM", .month, 2),
    ("DD", .day, 2), ("HH", .hour12, 2), ("MI", .minute, 2), ("SS", .second, 2), ("Y", .year, 1),
  ]

  init(_ template: String) throws(Failure) {
    let upper = Array(template.utf8.map { $0 >= 0x61 && $0 <= 0x7a ? $0 - 0x20 : $0 })
    let text = Array(template.utf8)
    func failure(_ reason: String) -> Failure { Failure(message: "datetime() format template \(reason)") }
    if text.isEmpty { throw failure("is empty") }
    var seen: Set<String> = []
    var isAfterDelimiter = false
    var at = 0
    while at < text.count {
      if text[at] == UInt8(ascii: "\"") {
        var literal: [UInt8] = []
        at += 1
        while at < text.count {
          if text[at] == UInt8(ascii: "\"") {
            guard at + 1 < text.count, text[at + 1] == UInt8(ascii: "\"") else { break }
            at += 1
          }
          literal.append(text[at])
          at += 1
        }
        guard at < text.count else { throw failure("has an unclosed quoted literal") }
        at += 1
        if literal.isEmpty { throw failure("cannot contain empty quoted literal") }
        segments.append(.literal(literal))
        isAfterDelimiter = false
        continue
      }
      if "-./,';: ".utf8.contains(text[at]) {
        if isAfterDelimiter { throw failure("cannot contain consecutive delimiters") }
        segments.append(.literal([text[at]]))
        isAfterDelimiter = true
        at += 1
        continue
      }
      isAfterDelimiter = false
      var field: Field
      var width: Int
      if upper[at...].starts(with: "FF".utf8) {
        at += 2
        width = 0
        field = .fraction
        let start = at
        while at < text.count, text[at] >= 0x30, text[at] <= 0x39, width < 100 {
          width = width * 10 + Int(text[at] - 0x30)
          at += 1
        }
        guard at > start, (1...12).contains(width) else {
          throw Failure(message: "invalid datetime() format template fraction width: FF\(width)")
        }
        precision = width
      } else {
        guard let known = JSONDatetimeTemplate.names.first(where: { upper[at...].starts(with: $0.name.utf8) }) else {
          throw Failure(message: "invalid datetime() format template at position \(at)")
        }
        (field, width) = (known.field, known.width)
        at += known.name.utf8.count
      }
      guard seen.insert(field.rawValue).inserted else {
        throw failure("contains duplicate \(field.rawValue) field")
      }
      segments.append(.field(field, width: width, isDelimited: false))
    }
    try validate(Set(seen.compactMap { Field(rawValue: $0) }))
    for index in segments.indices {
      guard case .field(let field, let width, _) = segments[index] else { continue }
      let isDelimited = isBoundary(index - 1) && isBoundary(index + 1)
      segments[index] = .field(field, width: width, isDelimited: isDelimited)
    }
  }

  private func isBoundary(_ index: Int) -> Bool {
    guard segments.indices.contains(index) else { return true }
    if case .literal = segments[index] { return true }
    return false
  }

  private mutating func validate(_ fields: Set<Field>) throws(Failure) {
    func failure(_ reason: String) -> Failure { Failure(message: "datetime() format template \(reason)") }
    func has(_ field: Field) -> Bool { fields.contains(field) }
    if fields.isEmpty { throw failure("must contain at least one datetime field") }
    if has(.year), has(.roundedYear) { throw failure("cannot contain both year and rounded year fields") }
    if has(.dayOfYear), has(.month) || has(.day) { throw failure("with DDD cannot contain MM or DD") }
    if has(.hour24), has(.hour12) || has(.half) { throw failure("with HH24 cannot contain HH, HH12, A.M. or P.M.") }
    if has(.hour12), !has(.half) { throw failure("with HH or HH12 requires A.M. or P.M.") }
    if has(.half), !has(.hour12) { throw failure("with A.M. or P.M. requires HH or HH12") }
    if has(.secondOfDay), !fields.isDisjoint(with: [.hour12, .hour24, .minute, .second, .half]) {
      throw failure("with SSSSS cannot contain HH, HH12, HH24, MI, SS, A.M. or P.M.")
    }
    if has(.zoneMinute), !has(.zoneHour) { throw failure("with TZM requires TZH") }
    let hasDate = !fields.isDisjoint(with: [.year, .roundedYear, .month, .day, .dayOfYear])
    let hasTime = !fields.isDisjoint(with: [.hour12, .hour24, .minute, .second, .secondOfDay, .fraction, .half])
    let hasZone = has(.zoneHour)
    switch (hasDate, hasTime, hasZone) {
    case (true, _, true): type = .timestampWithTimeZone(precision: precision)
    case (true, true, false): type = .timestamp(precision: precision)
    case (true, false, false): type = .date
    case (false, _, true): type = .timeWithTimeZone(precision: precision)
    case (false, _, false): type = .time(precision: precision)
    }
  }

  // MARK: Values

  /// The year that stands for what a value does not say.
  private static let referenceYear = 1970

  /// A value in SQL's own notation, to be read as `type`.
  func literal(_ value: [UInt8]) throws(Failure) -> String {
    var at = 0
    var numbers: [Field: Int] = [:]
    var digitCounts: [Field: Int] = [:]
    var isNegativeZone = false
    var isAfternoon = false
    for segment in segments {
      switch segment {
      case .literal(let text):
        guard value[at...].starts(with: text) else {
          throw Failure(message: "expected '\(String(decoding: text, as: UTF8.self))' at position \(at)")
        }
        at += text.count
      case .field(.half, _, _):
        guard at + 4 <= value.count, value[at + 1] == 0x2e, value[at + 2] | 0x20 == 0x6d, value[at + 3] == 0x2e,
          value[at] | 0x20 == 0x61 || value[at] | 0x20 == 0x70
        else { throw Failure(message: "invalid AM/PM marker at position \(at)") }
        isAfternoon = value[at] | 0x20 == 0x70
        at += 4
      case .field(let field, var width, let isDelimited):
        if field == .zoneHour {
          guard at < value.count, [0x20, 0x2b, 0x2d].contains(value[at]) else {
            throw Failure(message: "time zone hour must start with '+', '-' or space at position \(at)")
          }
          isNegativeZone = value[at] == 0x2d
          at += 1
          width -= 1
        }
        let start = at
        var number = 0
        while at < value.count, at - start < width, value[at] >= 0x30, value[at] <= 0x39 {
          number = number * 10 + Int(value[at] - 0x30)
          at += 1
        }
        guard at - start >= (isDelimited ? 1 : width) else {
          throw Failure(message: "expected digits at position \(at)")
        }
        try check(field, number)
        numbers[field] = number
        digitCounts[field] = at - start
      }
    }
    guard at == value.count else { throw Failure(message: "unexpected trailing input") }
    return try text(numbers, digitCounts, isAfternoon: isAfternoon, isNegativeZone: isNegativeZone)
  }

  private func check(_ field: Field, _ number: Int) throws(Failure) {
    let range: ClosedRange<Int>? =
      switch field {
      case .hour12: 1...12
      case .secondOfDay: 0...86_399
      case .zoneMinute, .minute, .second: 0...59
      case .hour24: 0...23
      case .month: 1...12
      case .day: 1...31
      case .dayOfYear: 1...366
      default: nil
      }
    if let range, !range.contains(number) {
      throw Failure(message: "\(field.rawValue) value out of range [\(range.lowerBound), \(range.upperBound)]: \(number)")
    }
  }

  private func year(_ numbers: [Field: Int], _ digitCounts: [Field: Int]) -> Int {
    let reference = JSONDatetimeTemplate.referenceYear
    if let year = numbers[.year] {
      let digits = digitCounts[.year] ?? 4
      if digits >= 4 { return year }
      let scale = [1, 10, 100, 1000][digits]
      return reference / scale * scale + year
    }
    guard let year = numbers[.roundedYear] else { return reference }
    if (digitCounts[.roundedYear] ?? 4) > 2 { return year }
    // Two digits: the year of those digits that is nearest to the reference year.
    return year < 50 ? reference / 100 * 100 + 100 + year : reference / 100 * 100 + year
  }

  private func text(
    _ numbers: [Field: Int], _ digitCounts: [Field: Int], isAfternoon: Bool, isNegativeZone: Bool
  ) throws(Failure) -> String {
    func padded(_ number: Int, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let year = year(numbers, digitCounts)
    var (month, day) = (numbers[.month] ?? 1, numbers[.day] ?? 1)
    if let dayOfYear = numbers[.dayOfYear] {
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      if dayOfYear == 366, !isLeap { throw Failure(message: "Invalid date 'DayOfYear 366' as '\(year)' is not a leap year") }
      let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
      (month, day) = (1, dayOfYear)
      while day > lengths[month - 1] {
        day -= lengths[month - 1]
        month += 1
      }
    }
    let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    if type == .date { return date }
    var (hour, minute, second) = (numbers[.hour24] ?? 0, numbers[.minute] ?? 0, numbers[.second] ?? 0)
    if let half = numbers[.hour12] { hour = half % 12 + (isAfternoon ? 12 : 0) }
    if let total = numbers[.secondOfDay] { (hour, minute, second) = (total / 3600, total / 60 % 60, total % 60) }
    var time = "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))"
    if precision > 0 {
      let fraction = numbers[.fraction].map { padded($0, digitCounts[.fraction] ?? 0) } ?? ""
      time += "." + fraction + String(repeating: "0", count: precision - fraction.count)
    }
    if let zoneHour = numbers[.zoneHour] {
      time += "\(isNegativeZone ? "-" : "+")\(padded(zoneHour, 2)):\(padded(numbers[.zoneMinute] ?? 0, 2))"
    }
    switch type {
    case .time, .timeWithTimeZone: return time
    default: return "\(date) \(time)"
    }
  }
}
