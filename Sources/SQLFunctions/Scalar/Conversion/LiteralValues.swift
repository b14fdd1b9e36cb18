package import Columnar
package import QueryErrors

/// The types and values of typed literals.
///
///     TIMESTAMP '2024-01-01 10:00:00.123'   →   timestamp(3)
///     TIME '10:00+02:00'                    →   time(0) with time zone
///
/// - Source: Trino `ExpressionAnalyzer`, `DateTimes`.
package enum LiteralValues {
  /// `DATE 'text'`.
  package static func date(_ text: String) -> Scalar? {
    withBytes(text) { p, n in
      let (start, end) = TimestampText.trimmed(p, n)
      return TimestampText.parseDate(p + start, end - start).map { .integer(Int64($0)) }
    }
  }

  /// `TIMESTAMP 'text'`: with time zone when the text names one.
  ///
  /// - Throws: `INVALID_FUNCTION_ARGUMENT` for more than 12 fraction digits; nil when the text is no timestamp.
  package static func timestamp(_ text: String) throws(QueryError) -> (type: DataType, value: Scalar)? {
    guard let parts = withBytes(text, { p, n in TimestampText.parse(p, n) }) else { return nil }
    let precision = parts.fractionDigits
    try check(precision, parts.zone == nil ? "TIMESTAMP" : "TIMESTAMP WITH TIME ZONE")
    if let range = parts.zone {
      let name = String(decoding: Array(text.utf8)[range], as: UTF8.self)
      guard let key = TimeZoneDatabase.find(name) else { return nil }
      let value = ZonedTimestamp.pack(localPicos: parts.picos(precision: 12), in: TimeZoneDatabase.rules(key))
      guard ZonedTimestamp.fits(value, precision: precision) else { return nil }
      return (.timestampWithTimeZone(precision: precision), .int128(value))
    }
    if precision <= DataType.maxShortTimestampPrecision {
      guard let micros = parts.micros(precision: 6) else { return nil }
      return (.timestamp(precision: precision), .integer(micros))
    }
    return (.timestamp(precision: precision), .int128(parts.picos(precision: 12)))
  }

  /// `TIME 'text'`: with time zone when the text has an offset.
  ///
  /// - Throws: as `timestamp`; nil when the text is no time.
  package static func time(_ text: String) throws(QueryError) -> (type: DataType, value: Scalar)? {
    guard let parts = withBytes(text, { p, n in TimestampText.parseTime(p, n) }) else { return nil }
    let precision = parts.fractionDigits
    try check(precision, parts.zone == nil ? "TIME" : "TIME WITH TIME ZONE")
    let picos = DateTimeCasts.timePicos(parts, 12)
    guard let range = parts.zone else { return (.time(precision: precision), .integer(picos)) }
    let minutes = withBytes(text) { p, _ in TimestampText.parseOffset(p + range.lowerBound, range.count) }
    guard let minutes else { return nil }
    return (
      .timeWithTimeZone(precision: precision), .int128(ZonedTime.pack(localPicos: picos, offsetMinutes: minutes))
    )
  }

  /// `DECIMAL 'text'`, and plain literals such as `1.50`: the precision and scale are those of the text.
  ///
  /// - Returns: nil when the text is no number or has more than 38 digits.
  package static func decimal(_ text: String) -> (type: DataType, value: Scalar)? {
    var digits = Array(text.utf8).filter { $0 != 0x5f }
    var isNegative = false
    if let sign = digits.first, sign == 0x2d || sign == 0x2b {
      isNegative = sign == 0x2d
      digits.removeFirst()
    }
    guard !digits.isEmpty else { return nil }
    var scale = 0
    var precision = 0
    var value: Int128 = 0
    var hasPoint = false
    var count = 0
    for byte in digits {
      if byte == 0x2e {
        if hasPoint { return nil }
        hasPoint = true
        continue
      }
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      count += 1
      if hasPoint { scale += 1 }
      if value != 0 || byte != 0x30 { precision += 1 }
      if precision > DataType.maxDecimalPrecision { return nil }
      value = value * 10 + Int128(byte - 0x30)
    }
    guard count > 0 else { return nil }
    // Leading zeros before the point do not count; digits after it do: 0.05 is decimal(2,2).
    precision = max(precision, scale, 1)
    guard precision <= DataType.maxDecimalPrecision else { return nil }
    if isNegative { value = -value }
    let type = DataType.decimal(precision: precision, scale: scale)
    return (type, precision <= 18 ? .integer(Int64(truncatingIfNeeded: value)) : .int128(value))
  }

  /// `INTERVAL 'text' from TO to`.
  package static func interval(
    _ text: String, isNegative: Bool, from: IntervalText.Unit, to: IntervalText.Unit?
  ) -> (type: DataType, value: Scalar)? {
    guard let value = IntervalText.parse(text, from: from, to: to) else { return nil }
    let signed = isNegative ? 0 &- value : value
    if from.isYearToMonth {
      guard Int32(exactly: signed) != nil else { return nil }
      return (.intervalYearToMonth, .integer(signed))
    }
    return (.intervalDayToSecond, .integer(signed))
  }

  private static func check(_ precision: Int, _ name: String) throws(QueryError) {
    if precision > 12 {
      throw QueryError(.invalidFunctionArgument, "\(name) precision must be in range [0, 12]: \(precision)")
    }
  }

  private static func withBytes<R>(_ text: String, _ body: (UnsafePointer<UInt8>, Int) -> R?) -> R? {
    var copy = text
    return copy.withUTF8 { bytes in bytes.baseAddress.flatMap { body($0, bytes.count) } }
  }
}
