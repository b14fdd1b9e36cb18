import Columnar
import Glibc

/// Narrows down which types the sampled texts of some columns could have.
struct ColumnGuesses {
  // MARK: Kinds of text

  static let boolean: UInt8 = 1
  static let bigint: UInt8 = 2
  static let wideInteger: UInt8 = 4
  static let double: UInt8 = 8
  static let date: UInt8 = 16
  static let timestamp: UInt8 = 32
  /// A timestamp with a zone.
  static let instant: UInt8 = 64

  private struct Guess {
    var kinds: UInt8 = 0xff
    var valueCount = 0
    var numberCount = 0
    var quotedCount = 0
    var fractionDigits = 0
  }

  private var guesses: [Guess]
  /// Whether every text seen was quoted: quotes then say nothing about types.
  private var sawUnquoted = false

  /// Forms of dates and timestamps besides ISO's.
  private let dates: [DateTimePattern]
  private let timestamps: [DateTimePattern]

  init(width: Int, dates: [DateTimePattern] = [], timestamps: [DateTimePattern] = []) {
    guesses = Array(repeating: Guess(), count: width)
    self.dates = dates
    self.timestamps = timestamps
  }

  var width: Int { guesses.count }

  /// What types a text could have, none for plain text, and how many fraction digits of a second it has.
  static func kinds(_ text: UnsafePointer<UInt8>, _ count: Int) -> (kinds: UInt8, fractionDigits: Int, isNumber: Bool) {
    var p = text
    var n = count
    while n > 0, p[0] == 0x20 || p[0] == 0x09 {
      p += 1
      n -= 1
    }
    while n > 0, p[n - 1] == 0x20 || p[n - 1] == 0x09 { n -= 1 }
    if n == 0 { return (0, 0, false) }
    var ok = true
    let c = p[0]
    if c | 0x20 == 0x74 || c | 0x20 == 0x66 {
      _ = ValueConverter.boolean(p, n, &ok)
      return (ok ? boolean : 0, 0, false)
    }
    if c == 0x4e || c == 0x49 {
      // NaN and Infinity are numbers among numbers only.
      _ = NumberText.slowDouble(p, n, &ok)
      return (ok ? double : 0, 0, false)
    }
    guard c &- 0x30 <= 9 || c == 0x2d || c == 0x2e else { return (0, 0, false) }
    if n >= 10, p[4] == 0x2d, p[7] == 0x2d {
      if n == 10 {
        _ = DateTimeText.isoDate(p, &ok)
        return (ok ? date | timestamp : 0, 0, false)
      }
      let local = DateTimeText.timestamp(p, n, isStrict: true, &ok)
      if ok { return (timestamp, local.fractionDigits, false) }
      if let zoned = DateTimeText.zoned(p, n) { return (instant, zoned.local.fractionDigits, false) }
      return (0, 0, false)
    }
    if ValueConverter.hasLostForm(p, n) { return (0, 0, false) }
    _ = NumberText.integer(p, n, isStrict: true, &ok)
    if ok { return (bigint | wideInteger | double, 0, true) }
    ok = true
    let digits = c == 0x2d ? 1 : 0
    var isInteger = n > digits
    for i in digits..<n where p[i] &- 0x30 > 9 { isInteger = false }
    if isInteger { return (n - digits <= 38 ? wideInteger | double : double, 0, true) }
    _ = NumberText.double(p, n, &ok)
    return (ok ? double : 0, 0, ok)
  }

  /// Adds the text of a value; -1 for NULL.
  @inline(__always)
  mutating func note(_ column: Int, _ text: UnsafePointer<UInt8>, _ count: Int, isQuoted: Bool) {
    if !isQuoted, count > 0 { sawUnquoted = true }
    if count < 0 { return }
    guesses[column].valueCount += 1
    if count == 0 { return }
    if isQuoted { guesses[column].quotedCount += 1 }
    // Of a column that is text nothing more is to be learned.
    if guesses[column].kinds == 0 { return }
    narrow(column, text, count)
  }

  private mutating func narrow(_ column: Int, _ text: UnsafePointer<UInt8>, _ count: Int) {
    var (kinds, fractionDigits, isNumber) = ColumnGuesses.kinds(text, count)
    if !dates.isEmpty, dates.contains(where: { $0.parse(text, count) != nil }) {
      kinds |= ColumnGuesses.date
    } else if !timestamps.isEmpty, let instant = timestamps.lazy.compactMap({ $0.parse(text, count) }).first {
      kinds |= ColumnGuesses.timestamp
      fractionDigits = max(fractionDigits, instant.picoseconds % 1_000_000_000 == 0 ? 0 : instant.picoseconds % 1_000_000 == 0 ? 6 : 9)
    }
    if kinds & (ColumnGuesses.date | ColumnGuesses.timestamp) != 0, !dates.isEmpty || !timestamps.isEmpty {
      // Forms that were declared go before numbers.
      kinds &= ~(ColumnGuesses.bigint | ColumnGuesses.wideInteger | ColumnGuesses.double)
    }
    guesses[column].kinds &= kinds
    if isNumber { guesses[column].numberCount += 1 }
    guesses[column].fractionDigits = max(guesses[column].fractionDigits, fractionDigits)
  }

  func hasValues(_ column: Int) -> Bool { guesses[column].valueCount > 0 && guesses[column].kinds != 0xff }

  /// Values seen, empty ones too.
  func valueCount(_ column: Int) -> Int { guesses[column].valueCount }

  /// Whether a text of these kinds fits the column's type.
  func accepts(_ column: Int, _ kinds: UInt8) -> Bool { guesses[column].kinds & kinds != 0 }

  /// The narrowest type of all texts seen; `unknown` where all were NULL.
  func type(of column: Int) -> DataType {
    let guess = guesses[column]
    let kinds = guess.kinds
    if guess.valueCount == 0 { return .unknown }
    if kinds == 0xff || kinds == 0 { return .text }
    // A writer that quotes some numbers but not all fields means text.
    if guess.quotedCount > 0, sawUnquoted { return .text }
    if kinds == ColumnGuesses.double, guess.numberCount == 0 { return .text }
    return ColumnGuesses.type(of: kinds, guess.fractionDigits)
  }

  /// The narrowest types of all columns.
  var types: [DataType] { (0..<guesses.count).map { type(of: $0) } }

  /// The narrowest type for these kinds of text.
  static func type(of kinds: UInt8, _ fractionDigits: Int) -> DataType {
    if kinds & boolean != 0 { return .boolean }
    if kinds & bigint != 0 { return .bigint }
    if kinds & wideInteger != 0 { return .decimal(precision: 38, scale: 0) }
    if kinds & double != 0 { return .double }
    if kinds & date != 0 { return .date }
    if kinds & timestamp != 0 { return .timestamp(precision: precision(fractionDigits)) }
    if kinds & instant != 0 { return .timestampWithTimeZone(precision: precision(fractionDigits)) }
    return .text
  }

  /// The timestamp precision for so many fraction digits: 3, 6, 9 or 12.
  static func precision(_ fractionDigits: Int) -> Int { max(3, (fractionDigits + 2) / 3 * 3) }
}
