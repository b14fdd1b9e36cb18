import QueryErrors

/// A date of the proleptic Gregorian calendar: SQL's `date`.
public struct SQLDate: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Since 1970-01-01.
  public var days: Int

  public init(days: Int) { self.days = days }

  /// The date of a year, a month (1 to 12) and a day; days beyond the month's end run on.
  public init(_ year: Int, _ month: Int, _ day: Int) { days = CalendarDate.days(year: year, month: month, day: day) }

  public var year: Int { CalendarDate.civil(days).year }
  public var month: Int { CalendarDate.civil(days).month }
  public var day: Int { CalendarDate.civil(days).day }

  public static func < (a: SQLDate, b: SQLDate) -> Bool { a.days < b.days }

  /// `2024-02-29`.
  public var description: String { SQLText.of(.integer(Int64(days)), .date) }
}

extension SQLDate: ScalarEncodable, ScalarDecodable {
  public static var sqlType: DataType { .date }
  public var scalar: Scalar { .integer(Int64(days)) }

  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) {
    guard case .date = type, case .integer(let days) = scalar else {
      throw DecodingFailure.mismatch(scalar, type, SQLDate.self)
    }
    self.init(days: Int(days))
  }
}

/// A value's text as results have it.
enum SQLText {
  static func of(_ scalar: Scalar, _ type: DataType) -> String {
    let text = ResultText(.constant(scalar, type, count: 1))
    var bytes: [UInt8] = []
    text.append(0, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}
