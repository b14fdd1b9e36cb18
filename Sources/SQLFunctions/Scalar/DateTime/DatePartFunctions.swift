import Columnar
import QueryErrors

/// Single fields of dates, times, timestamps and intervals: what EXTRACT reads.
package enum DatePartFunctions: FunctionFamily {
  package static let title = "Date and time fields"

  private static let withDays: [TypePattern] = [.date, .timestamp, .timestampWithTimeZone]
  private static let withTimes: [TypePattern] = [.time, .timeWithTimeZone, .timestamp, .timestampWithTimeZone]

  package static let functions: [ScalarFunction] = [
    dayPart("year", summary: "The year.", example: Example("year(DATE '2024-02-29')", "2024"), months: { $0 / 12 }) {
      year($0)
    },
    dayPart("quarter", summary: "The quarter of the year, 1 to 4.", example: Example("quarter(DATE '2024-05-01')", "2")) {
      (month($0) &+ 2) / 3
    },
    dayPart("month", summary: "The month, 1 to 12.", example: Example("month(DATE '2024-02-29')", "2"), months: { $0 % 12 }) {
      month($0)
    },
    dayPart(
      "week", aliases: ["week_of_year"], summary: "The week of the ISO year, 1 to 53.",
      example: Example("week(DATE '2024-01-08')", "2")
    ) { Int64(CalendarDate.isoWeek($0).week) },
    dayPart(
      "year_of_week", aliases: ["yow"], summary: "The year of the ISO week.",
      example: Example("year_of_week(DATE '2024-12-30')", "2025")
    ) { Int64(CalendarDate.isoWeek($0).year) },
    dayPart(
      "day", aliases: ["day_of_month"], summary: "The day of the month, 1 to 31.",
      example: Example("day(DATE '2024-02-29')", "29"), millis: { $0 / 86_400_000 }
    ) { day($0) },
    dayPart(
      "day_of_week", aliases: ["dow"], summary: "The day of the week: Monday 1 to Sunday 7.",
      example: Example("day_of_week(DATE '2024-02-29')", "4")
    ) { Int64(CalendarDate.isoWeekday($0)) },
    dayPart(
      "day_of_year", aliases: ["doy"], summary: "The day of the year, 1 to 366.",
      example: Example("day_of_year(DATE '2024-02-29')", "60")
    ) { days in Int64(days &- CalendarDate.days(year: Int(year(days)), month: 1, day: 1) &+ 1) },
    timePart(
      "hour", summary: "The hour, 0 to 23.", example: Example("hour(TIMESTAMP '2024-01-01 13:45:59')", "13"),
      millis: { $0 % 86_400_000 / 3_600_000 }
    ) { $0 / 3_600_000_000 },
    timePart(
      "minute", summary: "The minute, 0 to 59.", example: Example("minute(TIMESTAMP '2024-01-01 13:45:59')", "45"),
      millis: { $0 % 3_600_000 / 60_000 }
    ) { $0 / 60_000_000 % 60 },
    timePart(
      "second", summary: "The second, 0 to 59.", example: Example("second(TIMESTAMP '2024-01-01 13:45:59')", "59"),
      millis: { $0 % 60_000 / 1000 }
    ) { $0 / 1_000_000 % 60 },
    timePart(
      "millisecond", summary: "The millisecond, 0 to 999.",
      example: Example("millisecond(TIMESTAMP '2024-01-01 13:45:59.123')", "123"), millis: { $0 % 1000 }
    ) { $0 / 1000 % 1000 },
    zonePart(
      "timezone_hour", summary: "The hours of the time zone's offset.",
      example: Example("timezone_hour(TIMESTAMP '2024-01-01 10:00:00 -05:30')", "-5")
    ) { $0 / 60 },
    zonePart(
      "timezone_minute", summary: "The minutes of the time zone's offset.",
      example: Example("timezone_minute(TIMESTAMP '2024-01-01 10:00:00 -05:30')", "-30")
    ) { $0 % 60 },
    ScalarFunction(
      "timezone", summary: "The name of the time zone.",
      examples: [
        Example("timezone(TIMESTAMP '2024-01-01 10:00:00 Europe/Berlin')", "Europe/Berlin"),
        Example("timezone(TIME '10:00:00-05:30')", "-05:30"),
      ],
      isExtension: true,
      overloads: [
        .unary(.timestampWithTimeZone, returns: .varchar) { (value: Int128, rows) -> StringView in
          rows.string(TimeZoneDatabase.name(ZonedTimestamp.key(value)))
        },
        .unary(.timeWithTimeZone, returns: .varchar) { (value: Int128, rows) -> StringView in
          rows.string(TimeZoneDatabase.offsetName(ZonedTime.offsetMinutes(value)))
        },
      ]),
    ScalarFunction(
      "last_day_of_month", summary: "The last day of the month.",
      examples: [Example("last_day_of_month(DATE '2024-02-10')", "2024-02-29")],
      overloads: withDays.map { (type: TypePattern) in
        .columns([type], returns: .date) { (columns, n, context) throws(QueryError) -> Column in
          let days = TimeFields.days(columns[0], n) { days in
            let (y, m, _) = CalendarDate.civil(days)
            return Int64(CalendarDate.days(year: y, month: m, day: CalendarDate.daysInMonth(year: y, month: m)))
          }
          let values = Buffer(byteCount: n * 4)
          fillUnary(days, n, values.typed(Int32.self)) { (day: Int64) in Int32(truncatingIfNeeded: day) }
          return Column(flat: .date, count: n, values: values, validity: columns[0].validity)
        }
      }),
    ScalarFunction(
      "to_milliseconds", summary: "The milliseconds of an interval.",
      examples: [Example("to_milliseconds(INTERVAL '1' SECOND)", "1000")],
      overloads: [.unary(.exact(.intervalDayToSecond), returns: .bigint) { (millis: Int64, _) -> Int64 in millis }]),
  ]

  // MARK: Fields of a day

  @inline(__always)
  private static func year(_ days: Int) -> Int64 {
    FastCalendar.holds(days)
      ? Int64(FastCalendar.fields(Int32(truncatingIfNeeded: days)).year) : Int64(CalendarDate.civil(days).year)
  }

  @inline(__always)
  private static func month(_ days: Int) -> Int64 {
    FastCalendar.holds(days)
      ? Int64(FastCalendar.fields(Int32(truncatingIfNeeded: days)).month) : Int64(CalendarDate.civil(days).month)
  }

  @inline(__always)
  private static func day(_ days: Int) -> Int64 {
    FastCalendar.holds(days)
      ? Int64(FastCalendar.fields(Int32(truncatingIfNeeded: days)).day) : Int64(CalendarDate.civil(days).day)
  }

  // MARK: Making the functions

  /// - Parameters:
  ///   - millis: the field of an interval day to second.
  ///   - months: the field of an interval year to month.
  @inline(__always)
  private static func dayPart(
    _ name: String, aliases: [String] = [], summary: String, example: Example,
    millis: (@Sendable (Int64) -> Int64)? = nil, months: (@Sendable (Int64) -> Int64)? = nil,
    _ body: @escaping @Sendable (Int) -> Int64
  ) -> ScalarFunction {
    var overloads: [ScalarOverload] = withDays.map { (type: TypePattern) in
      .columns([type], returns: .bigint) { (columns, n, context) throws(QueryError) -> Column in
        TimeFields.days(columns[0], n, body)
      }
    }
    if let millis {
      overloads.append(
        .unary(.exact(.intervalDayToSecond), returns: .bigint) { (value: Int64, _) -> Int64 in millis(value) })
    }
    if let months {
      overloads.append(
        .unary(.exact(.intervalYearToMonth), returns: .bigint) { (value: Int32, _) -> Int64 in months(Int64(value)) })
    }
    return ScalarFunction(name, aliases: aliases, summary: summary, examples: [example], overloads: overloads)
  }

  @inline(__always)
  private static func timePart(
    _ name: String, summary: String, example: Example, millis: @escaping @Sendable (Int64) -> Int64,
    _ body: @escaping @Sendable (Int64) -> Int64
  ) -> ScalarFunction {
    var overloads: [ScalarOverload] = withTimes.map { (type: TypePattern) in
      .columns([type], returns: .bigint) { (columns, n, context) throws(QueryError) -> Column in
        TimeFields.timesOfDay(columns[0], n, body)
      }
    }
    overloads.append(
      .unary(.exact(.intervalDayToSecond), returns: .bigint) { (value: Int64, _) -> Int64 in millis(value) })
    return ScalarFunction(name, summary: summary, examples: [example], overloads: overloads)
  }

  private static func zonePart(
    _ name: String, summary: String, example: Example, _ body: @escaping @Sendable (Int64) -> Int64
  ) -> ScalarFunction {
    ScalarFunction(
      name, summary: summary, examples: [example],
      overloads: [
        .columns([.timestampWithTimeZone], returns: .bigint) { (columns, n, context) throws(QueryError) -> Column in
          let x = columns[0].view
          var cursor = TimeZoneCursor()
          return mapRows(columns, n, &context) { row, _ -> Int64 in
            let value = x.value(row, as: Int128.self)
            let seconds = cursor.offset(ZonedTimestamp.key(value), utcSeconds: ZonedTimestamp.utcSeconds(value))
            return body(seconds / 60)
          }
        },
        .unary(.timeWithTimeZone, returns: .bigint) { (value: Int128, _) -> Int64 in
          body(Int64(ZonedTime.offsetMinutes(value)))
        },
      ])
  }
}
