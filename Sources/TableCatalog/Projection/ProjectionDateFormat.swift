import Columnar
import QueryErrors

/// A date pattern of `projection.<column>.format`, as Java's `DateTimeFormatter` reads and writes it.
///
/// Known letters: y u (year), M (month, `MMM` and `MMMM` by English name), d (day), D (day of the year), H k h K (hour),
/// a (AM, PM), m s (minute, second), S (fraction), text in single quotes; other signs stand for themselves.
///
/// - Units: instants are microseconds since 1970-01-01 UTC.
struct ProjectionDateFormat: Sendable {
  /// The smallest unit that the pattern tells apart, coarsest first.
  enum Precision: Int, Sendable, Comparable {
    case year, month, day, hour, minute, second, fraction
    static func < (a: Precision, b: Precision) -> Bool { a.rawValue < b.rawValue }
  }

  private struct Part: Sendable {
    /// The pattern letter, or nil for literal text.
    var letter: Character?
    var width: Int
    var literal: String = ""
  }

  let pattern: String
  let precision: Precision
  private let parts: [Part]

  private static let precisions: [Character: Precision] = [
    "y": .year, "u": .year, "M": .month, "L": .month, "d": .day, "D": .day, "H": .hour, "k": .hour, "h": .hour,
    "K": .hour, "a": .hour, "m": .minute, "s": .second, "S": .fraction,
  ]

  /// - Throws: `INVALID_TABLE_PROPERTY` for a letter it does not know, or a pattern without a year.
  init(_ pattern: String, column: String) throws(QueryError) {
    var parts: [Part] = []
    var precision = Precision.year
    let characters = Array(pattern)
    var at = 0
    while at < characters.count {
      let character = characters[at]
      if character == "'" {
        var literal = ""
        at += 1
        if at < characters.count, characters[at] == "'" { literal = "'" }
        while at < characters.count, characters[at] != "'" {
          literal.append(characters[at])
          at += 1
        }
        at += 1
        parts.append(Part(letter: nil, width: 0, literal: literal))
        continue
      }
      guard character.isASCII, character.isLetter else {
        parts.append(Part(letter: nil, width: 0, literal: String(character)))
        at += 1
        continue
      }
      guard let known = ProjectionDateFormat.precisions[character] else {
        throw QueryError(
          .invalidTableProperty,
          "Invalid value for property 'projection.\(column).format': letter '\(character)' of pattern '\(pattern)' is not supported",
          hint: "Put text that stands for itself in single quotes.")
      }
      var end = at
      while end < characters.count, characters[end] == character { end += 1 }
      parts.append(Part(letter: character, width: end - at))
      precision = max(precision, known)
      at = end
    }
    guard parts.contains(where: { $0.letter == "y" || $0.letter == "u" }) else {
      throw QueryError(
        .invalidTableProperty, "Invalid value for property 'projection.\(column).format': pattern '\(pattern)' has no year")
    }
    self.pattern = pattern
    self.parts = parts
    self.precision = precision
  }

  private static let monthNames = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]

  // MARK: Writing

  func format(_ micros: Int64) -> String {
    let dayLength: Int64 = 86_400_000_000
    let days = CalendarDate.floorDivide(micros, dayLength)
    let inDay = CalendarDate.floorRemainder(micros, dayLength)
    let (year, month, day) = CalendarDate.civil(Int(days))
    let hour = Int(inDay / 3_600_000_000)
    var text = ""
    for part in parts {
      guard let letter = part.letter else {
        text += part.literal
        continue
      }
      switch letter {
      case "y", "u": text += part.width == 2 ? padded(abs(year) % 100, 2) : padded(year, part.width)
      case "M", "L":
        let name = ProjectionDateFormat.monthNames[month - 1]
        text += part.width >= 4 ? name : (part.width == 3 ? String(name.prefix(3)) : padded(month, part.width))
      case "d": text += padded(day, part.width)
      case "D": text += padded(CalendarDate.dayOfYear(Int(days)), part.width)
      case "H": text += padded(hour, part.width)
      case "k": text += padded(hour == 0 ? 24 : hour, part.width)
      case "K": text += padded(hour % 12, part.width)
      case "h": text += padded(hour % 12 == 0 ? 12 : hour % 12, part.width)
      case "a": text += hour < 12 ? "AM" : "PM"
      case "m": text += padded(Int(inDay / 60_000_000 % 60), part.width)
      case "s": text += padded(Int(inDay / 1_000_000 % 60), part.width)
      default:  // "S": the fraction's first digits.
        let digits = padded(Int(inDay % 1_000_000), 6) + String(repeating: "0", count: max(0, part.width - 6))
        text += String(digits.prefix(part.width))
      }
    }
    return text
  }

  private func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(abs(value))
    let zeros = String(repeating: "0", count: max(0, width - digits.count))
    return (value < 0 ? "-" : "") + zeros + digits
  }

  // MARK: Reading

  /// The beginning of the stretch that a text names, or nil when it is not of the pattern.
  func parse(_ text: String) -> Int64? {
    let characters = Array(text)
    var at = 0
    var (year, month, day, dayOfYear) = (1970, 1, 1, 0)
    var (hour, minute, second, micros) = (0, 0, 0, 0)
    var isAfternoon: Bool?
    for (index, part) in parts.enumerated() {
      guard let letter = part.letter else {
        for character in part.literal {
          guard at < characters.count, characters[at] == character else { return nil }
          at += 1
        }
        continue
      }
      if letter == "a" {
        let word = String(characters[at..<min(at + 2, characters.count)]).uppercased()
        guard word == "AM" || word == "PM" else { return nil }
        isAfternoon = word == "PM"
        at += 2
        continue
      }
      if letter == "M" || letter == "L", part.width >= 3 {
        guard let (number, length) = monthName(characters[at...], isFull: part.width >= 4) else { return nil }
        month = number
        at += length
        continue
      }
      // Fields that touch each other have exactly their pattern's width.
      let touches = index + 1 < parts.count && parts[index + 1].letter != nil
      guard let value = number(characters, &at, letter, part.width, touches) else { return nil }
      switch letter {
      case "y", "u": year = part.width == 2 ? 2000 + value : value
      case "M", "L": month = value
      case "d": day = value
      case "D": dayOfYear = value
      case "H": hour = value
      case "k": hour = value % 24
      case "h", "K": hour = value % 12
      case "m": minute = value
      case "s": second = value
      default:
        micros = value
        for _ in min(part.width, 6)..<6 { micros *= 10 }
        for _ in 6..<max(6, part.width) { micros /= 10 }
      }
    }
    guard at == characters.count, (0..<60).contains(minute), (0..<60).contains(second), (0..<24).contains(hour) else {
      return nil
    }
    if isAfternoon == true { hour += 12 }
    if dayOfYear > 0 {
      guard dayOfYear <= (CalendarDate.isLeap(year) ? 366 : 365) else { return nil }
    } else {
      guard CalendarDate.isValid(year: year, month: month, day: day) else { return nil }
    }
    let days =
      dayOfYear > 0
      ? CalendarDate.days(year: year, month: 1, day: 1) + dayOfYear - 1
      : CalendarDate.days(year: year, month: month, day: day)
    return (Int64(days) * 86400 + Int64(hour * 3600 + minute * 60 + second)) * 1_000_000 + Int64(micros)
  }

  private func number(
    _ characters: [Character], _ at: inout Int, _ letter: Character, _ width: Int, _ touches: Bool
  ) -> Int? {
    let isYear = letter == "y" || letter == "u"
    let most = touches || letter == "S" ? width : (isYear ? 9 : max(width, 2) + (letter == "D" ? 1 : 0))
    let start = at
    while at < characters.count, at - start < most, characters[at].isASCII, characters[at].isNumber { at += 1 }
    let least = width == 1 ? 1 : (isYear && width > 4 ? 4 : width)
    guard at - start >= least else { return nil }
    return Int(String(characters[start..<at]))
  }

  private func monthName(_ rest: ArraySlice<Character>, isFull: Bool) -> (Int, Int)? {
    for (index, name) in ProjectionDateFormat.monthNames.enumerated() {
      let wanted = isFull ? name : String(name.prefix(3))
      if String(rest.prefix(wanted.count)).lowercased() == wanted.lowercased() { return (index + 1, wanted.count) }
    }
    return nil
  }

  /// The instant cut off to what the pattern tells apart: what a text of it stands for.
  func truncated(_ micros: Int64) -> Int64 { parse(format(micros)) ?? micros }
}
