package import QueryErrors

/// A constant written in the text.
package struct LiteralSyntax: Hashable, Sendable {
  package var value: LiteralValue
  @Positional package var range: SourceRange

  package init(value: LiteralValue, range: SourceRange) {
    self.value = value
    self.range = range
  }
}

/// What a literal stands for.
///
/// A minus directly before a number belongs to the literal, as in Trino, so `-9223372036854775808` is one integer.
package enum LiteralValue: Hashable, Sendable {
  case null
  case boolean(Bool)
  /// `1`, `1_000`, `0xFF`; Trino's type is INTEGER when it fits 32 bits, else BIGINT.
  case integer(Int64)
  /// `1.50`, `.5`, `-1.`: the digits as written without underscores; precision and scale follow from them.
  case decimal(String)
  /// `1e3`, `1.5E-7`: the text as written.
  case double(String)
  /// `'it''s'` and `U&'…'`, escapes undone.
  case string(String)
  /// `X'65 FF'`, decoded.
  case binary([UInt8])
  /// `DATE '2024-01-01'`, `DECIMAL '1.2'`, `JSON '{}'`, `TIMESTAMP '…'`, any type name followed by a string.
  case typed(TypeSyntax, String)
  case interval(IntervalLiteralSyntax)
}

/// `INTERVAL [+|-] 'text' from [TO to]`.
package struct IntervalLiteralSyntax: Hashable, Sendable {
  package var isNegative: Bool
  package var text: String
  package var from: IntervalField
  package var to: IntervalField?
  @Positional package var range: SourceRange

  package init(isNegative: Bool, text: String, from: IntervalField, to: IntervalField?, range: SourceRange) {
    self.isNegative = isNegative
    self.text = text
    self.from = from
    self.to = to
    self.range = range
  }
}

/// A unit of an interval; raw values are the SQL words.
package enum IntervalField: String, Hashable, Sendable, CaseIterable {
  case year = "YEAR"
  case month = "MONTH"
  case day = "DAY"
  case hour = "HOUR"
  case minute = "MINUTE"
  case second = "SECOND"
}

/// What EXTRACT can take out of a date, time, timestamp or interval; raw values are the SQL words.
package enum ExtractField: String, Hashable, Sendable, CaseIterable {
  case year = "YEAR"
  case quarter = "QUARTER"
  case month = "MONTH"
  case week = "WEEK"
  case day = "DAY"
  case dayOfMonth = "DAY_OF_MONTH"
  case dayOfWeek = "DAY_OF_WEEK"
  case dow = "DOW"
  case dayOfYear = "DAY_OF_YEAR"
  case doy = "DOY"
  case yearOfWeek = "YEAR_OF_WEEK"
  case yow = "YOW"
  case hour = "HOUR"
  case minute = "MINUTE"
  case second = "SECOND"
  case timezoneHour = "TIMEZONE_HOUR"
  case timezoneMinute = "TIMEZONE_MINUTE"
}
