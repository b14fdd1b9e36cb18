import Columnar
import Glibc
import QueryErrors

/// Dates and times in formats of MySQL, Joda-Time and Teradata, and durations as text.
package enum DateTimeFormatFunctions: FunctionFamily {
  package static let title = "Date and time formats"

  private static let text = TypePattern.exact(.text)
  private static let instantType = DataType.timestampWithTimeZone(precision: 3)

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "date_format", summary: "The time in a format of MySQL's date_format.",
      examples: [Example("date_format(TIMESTAMP '2024-02-29 13:45:09', '%Y/%m/%d %h:%i %p')", "2024/02/29 01:45 PM")],
      overloads: formatting(.mySQL)),
    ScalarFunction(
      "date_parse", summary: "The time that a text gives in a format of MySQL's date_format.",
      examples: [Example("date_parse('2024/02/29 13:45', '%Y/%m/%d %H:%i')", "2024-02-29 13:45:00.000")],
      overloads: [
        overload([text, text], returns: .exact(.timestamp(precision: 3)), .mySQL) { columns, n, context, cache in
          parsed(columns, n, &context, cache) { millis, _, rows -> Int64 in micros(millis, &rows) }
        }
      ]),
    ScalarFunction(
      "format_datetime", summary: "The time in a format of Joda-Time.",
      examples: [Example("format_datetime(TIMESTAMP '2024-02-29 13:45:09', 'dd.MM.yyyy HH:mm')", "29.02.2024 13:45")],
      overloads: formatting(.joda)),
    ScalarFunction(
      "parse_datetime", summary: "The time that a text gives in a format of Joda-Time.",
      examples: [Example("parse_datetime('29.02.2024 +02:00', 'dd.MM.yyyy ZZ')", "2024-02-29 00:00:00.000 +02:00")],
      overloads: [
        overload([text, text], returns: .exact(instantType), .joda) { columns, n, context, cache in
          let sessionZone = context.session.timeZone
          return parsed(columns, n, &context, cache) { millis, zone, _ -> Int128 in
            ZonedTimestamp.pack(
              localPicos: Int128(millis) * 1_000_000_000, in: TimeZoneDatabase.rules(zone ?? sessionZone))
          }
        }
      ]),
    ScalarFunction(
      "to_char", summary: "The time in a format of Teradata.",
      examples: [Example("to_char(TIMESTAMP '2024-02-29 13:45:09', 'yyyy-mm-dd hh24:mi')", "2024-02-29 13:45")],
      overloads: formatting(.teradata)),
    ScalarFunction(
      "to_timestamp", summary: "The time that a text gives in a format of Teradata.",
      examples: [Example("to_timestamp('2024-02-29 13:45', 'yyyy-mm-dd hh24:mi')", "2024-02-29 13:45:00.000")],
      overloads: [
        overload([text, text], returns: .exact(.timestamp(precision: 3)), .teradata) { columns, n, context, cache in
          parsed(columns, n, &context, cache) { millis, _, rows -> Int64 in micros(millis, &rows) }
        }
      ]),
    ScalarFunction(
      "to_date", summary: "The day that a text gives in a format of Teradata.",
      examples: [Example("to_date('2024/02/29', 'yyyy/mm/dd')", "2024-02-29")],
      overloads: [
        overload([text, text], returns: .date, .teradata) { columns, n, context, cache in
          parsed(columns, n, &context, cache) { millis, _, _ -> Int32 in
            Int32(truncatingIfNeeded: CalendarDate.floorDivide(millis, 86_400_000))
          }
        }
      ]),
    ScalarFunction(
      "human_readable_seconds", summary: "A number of seconds in weeks, days, hours, minutes and seconds.",
      examples: [Example("human_readable_seconds(3762)", "1 hour, 2 minutes, 42 seconds")],
      overloads: [
        .unary(.double, returns: .varchar) { (seconds: Double, rows) -> StringView in
          guard seconds.isFinite else {
            rows.fail(.invalidFunctionArgument, "Invalid argument found: \(NumericCasts.javaText(seconds))")
            return StringView()
          }
          return rows.string(readable(seconds))
        }
      ]),
    ScalarFunction(
      "parse_duration", summary: "The interval that a text such as 42.5ms or 3 h names; rounded to milliseconds.",
      examples: [Example("parse_duration('1.5d')", "1 12:00:00.000")],
      overloads: [
        .unary(text, returns: .exact(.intervalDayToSecond)) { (text: StringView, rows) -> Int64 in
          duration(text, &rows)
        }
      ]),
  ]

  // MARK: Patterns

  private enum Language { case mySQL, joda, teradata }

  /// The format argument of a call; keeps the last format read.
  ///
  /// - Threads: one owner.
  private final class Cache {
    private let language: Language
    private var text: [UInt8]?
    private var pattern: DateTimePattern?
    /// What values were written as by the one pattern of a call.
    let texts = FormattedTexts()

    init(_ language: Language) { self.language = language }

    func pattern(_ view: StringView, _ rows: inout RowContext) -> DateTimePattern? {
      if let text, let pattern, view.count == text.count,
        view.withUTF8({ p, n in text.withUnsafeBufferPointer { n == 0 || memcmp($0.baseAddress!, p, n) == 0 } })
      {
        return pattern
      }
      let bytes = view.bytes
      texts.forget()
      let now = Int(CalendarDate.floorDivide(rows.session.startMicros, TimeFields.microsPerDay))
      let thisYear = CalendarDate.civil(now).year
      do throws(QueryError) {
        switch language {
        case .mySQL: pattern = try .mySQL(bytes)
        case .joda: pattern = try .joda(bytes, thisYear: thisYear)
        case .teradata: pattern = try .teradata(bytes, thisYear: thisYear)
        }
        text = bytes
        return pattern
      } catch {
        rows.errors.record(rows.row, error)
        return nil
      }
    }
  }

  private static func overload(
    _ parameters: [TypePattern], returns: ReturnType, _ language: Language,
    _ body: @escaping @Sendable ([Column], Int, inout KernelContext, Cache) -> Column
  ) -> ScalarOverload {
    ScalarOverload(Signature(parameters, returns: returns)) { (_: SignatureBinding) throws(QueryError) -> Kernel in
      let cache = Cache(language)
      return { (columns: [Column], n: Int, context: inout KernelContext) throws(QueryError) -> Column in
        body(columns, n, &context, cache)
      }
    }
  }

  // MARK: Writing

  private static func formatting(_ language: Language) -> [ScalarOverload] {
    [.timestamp, .timestampWithTimeZone].map { (type: TypePattern) in
      overload([type, text], returns: .varchar, language) { columns, n, context, cache in
        let (x, y) = (columns[0].view, columns[1].view)
        let out = TextBuffer()
        var cursor = TimeZoneCursor()
        let isShort = columns[0].type.physicalType == .int64
        var hasZone = false
        if case .timestampWithTimeZone = columns[0].type { hasZone = true }
        let isZoned = hasZone
        let utc = TimeZoneDatabase.rules(.utc)
        // One pattern for all rows, as is usual: equal values without a zone have equal texts.
        let remembers = columns[1].encoding == .constant && !isZoned
        var isPatternKnown = false
        if remembers { cache.texts.beginBatch() }
        return mapRows(columns, n, &context) { row, rows -> StringView in
          var zone = utc
          var offset: Int64 = 0
          let millis: Int64
          if isShort {
            let micros = x.value(row, as: Int64.self)
            millis = CalendarDate.floorDivide(micros &+ (micros < Int64.max &- 500 ? 500 : 0), 1000)
          } else {
            var picos = x.value(row, as: Int128.self)
            if isZoned {
              let key = ZonedTimestamp.key(picos)
              offset = cursor.offset(key, utcSeconds: ZonedTimestamp.utcSeconds(picos))
              zone = cursor.zone(key)
              picos = ZonedTimestamp.utcPicos(picos) &+ Int128(offset) &* ZonedTimestamp.picosPerSecond
            }
            picos = TimestampText.round(picos, toPrecision: 3)
            millis = Int64(clamping: TimeFields.floorDivide(picos, Int128(TimeFields.picosPerMilli)))
          }
          if isPatternKnown, let text = cache.texts.text(of: millis) { return text }
          guard let pattern = cache.pattern(y.value(row, as: StringView.self), &rows) else { return StringView() }
          isPatternKnown = remembers
          out.removeAll()
          do throws(QueryError) {
            try pattern.append(millis: millis, zone: zone, offset: Int(offset), to: out)
          } catch {
            rows.errors.record(row, error)
            return StringView()
          }
          let text = rows.string(out)
          if remembers { cache.texts.note(millis, text) }
          return text
        }
      }
    }
  }

  // MARK: Reading

  private static func micros(_ millis: Int64, _ rows: inout RowContext) -> Int64 {
    let (micros, overflows) = millis.multipliedReportingOverflow(by: 1000)
    if overflows { rows.fail(.numericValueOutOfRange, "Out of range for timestamp") }
    return micros
  }

  @inline(__always)
  private static func parsed<R: KernelValue>(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext, _ cache: Cache,
    _ body: (Int64, TimeZoneKey?, inout RowContext) -> R
  ) -> Column {
    let (x, y) = (columns[0].view, columns[1].view)
    return mapRows(columns, n, &context) { row, rows -> R in
      guard let pattern = cache.pattern(y.value(row, as: StringView.self), &rows) else { return R.zero }
      return x.value(row, as: StringView.self).withUTF8 { p, n -> R in
        var reader = DateTimePatternReader(p, n)
        do throws(QueryError) {
          let millis = try reader.read(pattern)
          return body(millis, reader.zone, &rows)
        } catch {
          rows.errors.record(row, error)
          return R.zero
        }
      }
    }
  }

  // MARK: Durations

  private static func readable(_ seconds: Double) -> String {
    var rest = UInt64(min(seconds.magnitude.rounded(), 9e18))
    var parts: [String] = []
    for (name, unit) in [("week", UInt64(604_800)), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)] {
      let count = rest / unit
      rest %= unit
      if count > 0 || (unit == 1 && parts.isEmpty) { parts.append("\(count) \(name)\(count == 1 ? "" : "s")") }
    }
    return parts.joined(separator: ", ")
  }

  private static func duration(_ text: StringView, _ rows: inout RowContext) -> Int64 {
    let units: [(String, Double)] = [
      ("ns", 1e-6), ("us", 1e-3), ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]
    let bytes = text.bytes
    var end = 0
    while end < bytes.count, bytes[end] >= 0x30 && bytes[end] <= 0x39 || bytes[end] == 0x2e { end += 1 }
    let number = bytes[..<end].withUnsafeBufferPointer { p in
      p.baseAddress.flatMap { NumberText.parseDouble($0, p.count) }
    }
    var start = end
    while start < bytes.count, TimestampText.trimmed([bytes[start]], 1).start == 1 { start += 1 }
    let name = String(decoding: bytes[start...], as: UTF8.self)
    guard let number, end > 0, !name.isEmpty, name.utf8.allSatisfy({ $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7a }) else {
      rows.fail(.invalidFunctionArgument, "duration is not a valid data duration string: \(text.string)")
      return 0
    }
    guard let unit = units.first(where: { $0.0 == name }) else {
      rows.fail(.invalidFunctionArgument, "Unknown time unit: \(name)")
      return 0
    }
    let millis = (number * unit.1 + 0.5).rounded(.down)
    guard let result = Int64(exactly: millis) else {
      rows.fail(.invalidFunctionArgument, "value is too large: \(text.string)")
      return 0
    }
    return result
  }
}
