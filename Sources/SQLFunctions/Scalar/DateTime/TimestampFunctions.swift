import Columnar
import Glibc
import QueryErrors

/// The present, Unix times, time zones and ISO 8601.
///
/// - Source: Trino `DateTimeFunctions`.
package enum TimestampFunctions: FunctionFamily {
  package static let title = "Timestamps and time zones"

  private static let text = TypePattern.exact(.text)
  private static let instantType = DataType.timestampWithTimeZone(precision: 3)
  private static let nanosType = DataType.timestampWithTimeZone(precision: 9)

  package static let functions: [ScalarFunction] = present + unixTimes + zones + isoTexts

  // MARK: The present

  private static let present: [ScalarFunction] = [
    ScalarFunction(
      "now", aliases: ["current_timestamp"], summary: "The time at which the query began.",
      examples: [Example("typeof(now())", "timestamp(3) with time zone")], determinism: .stable,
      overloads: [sessionValue(instantType) { .int128(zonedNow($0, precision: 3)) }]),
    ScalarFunction(
      "current_date", summary: "The day on which the query began.",
      examples: [Example("typeof(current_date)", "date")], determinism: .stable,
      overloads: [sessionValue(.date) { .integer(localMicros($0) / TimeFields.microsPerDay) }]),
    ScalarFunction(
      "current_time", summary: "The time of day at which the query began.",
      examples: [Example("typeof(current_time)", "time(3) with time zone")], determinism: .stable,
      overloads: [
        sessionValue(.timeWithTimeZone(precision: 3)) { session in
          let zone = TimeZoneDatabase.rules(session.timeZone)
          let minutes = zone.offset(utcSeconds: CalendarDate.floorDivide(session.startMicros, 1_000_000)) / 60
          return .int128(ZonedTime.pack(localPicos: timeOfDay(session), offsetMinutes: minutes))
        }
      ]),
    ScalarFunction(
      "localtime", summary: "The time of day at which the query began, without zone.",
      examples: [Example("typeof(localtime)", "time(3)")], determinism: .stable,
      overloads: [sessionValue(.time(precision: 3)) { .integer(timeOfDay($0)) }]),
    ScalarFunction(
      "localtimestamp", summary: "The local time at which the query began, without zone.",
      examples: [Example("typeof(localtimestamp)", "timestamp(3)")], determinism: .stable,
      overloads: [
        sessionValue(.timestamp(precision: 3)) { .integer(TimestampText.round(micros: localMicros($0), toPrecision: 3)) }
      ]),
    ScalarFunction(
      "current_timezone", summary: "The session's time zone.",
      examples: [Example("current_timezone()", "UTC")], determinism: .stable,
      overloads: [sessionValue(.text) { .string(TimeZoneDatabase.name($0.timeZone)) }]),
  ]

  private static func sessionValue(
    _ type: DataType, _ body: @escaping @Sendable (SessionContext) -> Scalar
  ) -> ScalarOverload {
    .columns([], returns: .exact(type)) { (_, n, context) throws(QueryError) -> Column in
      .constant(body(context.session), type, count: n)
    }
  }

  private static func zonedNow(_ session: SessionContext, precision: Int) -> Int128 {
    let picos = TimestampText.round(Int128(session.startMicros) * 1_000_000, toPrecision: precision)
    return ZonedTimestamp.pack(utcPicos: picos, session.timeZone)
  }

  private static func localMicros(_ session: SessionContext) -> Int64 {
    let seconds = CalendarDate.floorDivide(session.startMicros, 1_000_000)
    return session.startMicros &+ Int64(TimeZoneDatabase.rules(session.timeZone).offset(utcSeconds: seconds)) &* 1_000_000
  }

  private static func timeOfDay(_ session: SessionContext) -> Int64 {
    let micros = CalendarDate.floorRemainder(localMicros(session), TimeFields.microsPerDay)
    return TimestampText.round(micros &* 1_000_000, toPrecision: 3) % ZonedTime.picosPerDay
  }

  // MARK: Unix times

  private static let unixTimes: [ScalarFunction] = [
    ScalarFunction(
      "from_unixtime", summary: "The time so many seconds after 1970-01-01 00:00 UTC, in a zone or an offset of hours and minutes.",
      examples: [Example("from_unixtime(1e9, 'UTC')", "2001-09-09 01:46:40.000 UTC")],
      overloads: [
        .columns([.double], returns: .exact(instantType)) { (columns, n, context) throws(QueryError) -> Column in
          let x = columns[0].view
          let key = context.session.timeZone
          return mapRows(columns, n, &context) { row, rows -> Int128 in
            ZonedTimestamp.pack(utcPicos: picos(x.value(row, as: Double.self), &rows), key)
          }
        },
        .columns([.double, text], returns: .exact(instantType)) { (columns, n, context) throws(QueryError) -> Column in
          let x = columns[0].view
          var zones = ZoneArgument(columns[1])
          return mapRows(columns, n, &context) { row, rows -> Int128 in
            guard let key = zones.key(row, &rows) else { return 0 }
            return ZonedTimestamp.pack(utcPicos: picos(x.value(row, as: Double.self), &rows), key)
          }
        },
        .ternary(.double, .bigint, .bigint, returns: .exact(instantType)) {
          (seconds: Double, hours: Int64, minutes: Int64, rows) -> Int128 in
          let (offset, overflows) = hours.multipliedReportingOverflow(by: 60)
          let (total, carries) = offset.addingReportingOverflow(minutes)
          guard !overflows, !carries, total >= -840, total <= 840 else {
            rows.fail(.invalidFunctionArgument, "Invalid offset minutes \(total)")
            return 0
          }
          return ZonedTimestamp.pack(
            utcPicos: picos(seconds, &rows), total == 0 ? .utc : TimeZoneKey(offsetMinutes: Int(total)))
        },
      ]),
    ScalarFunction(
      "from_unixtime_nanos", summary: "The time so many nanoseconds after 1970-01-01 00:00 UTC.",
      examples: [
        Example("from_unixtime_nanos(1500000000123456789) AT TIME ZONE 'UTC'", "2017-07-14 02:40:00.123456789 UTC")
      ],
      overloads: [
        .columns([.bigint], returns: .exact(nanosType)) { (columns, n, context) throws(QueryError) -> Column in
          let x = columns[0].view
          let key = context.session.timeZone
          return mapRows(columns, n, &context) { row, _ -> Int128 in
            ZonedTimestamp.pack(utcPicos: Int128(x.value(row, as: Int64.self)) &* 1000, key)
          }
        },
        .columns([.decimal], returns: .exact(nanosType)) { (columns, n, context) throws(QueryError) -> Column in
          guard case .decimal(_, let scale) = columns[0].type else { return .nulls(nanosType, count: n) }
          let load = DecimalColumn(columns[0])
          let unit = DecimalMath.power(scale)
          let key = context.session.timeZone
          return mapRows(columns, n, &context) { row, rows -> Int128 in
            let nanos = DecimalMath.divideRounded(load[row], by: unit)
            // Milliseconds must fit in 64 bits.
            guard TimeFields.floorDivide(nanos, 1_000_000_000).magnitude <= UInt128(Int64.max / 1000) else {
              rows.fail(.invalidFunctionArgument, "long overflow")
              return 0
            }
            return ZonedTimestamp.pack(utcPicos: nanos &* 1000, key)
          }
        },
      ]),
    ScalarFunction(
      "to_unixtime", summary: "The seconds from 1970-01-01 00:00 UTC to the time.",
      examples: [Example("to_unixtime(TIMESTAMP '2001-09-09 01:46:40 UTC')", "1.0E9")],
      overloads: [
        // A timestamp without zone is taken as one in the session's zone.
        .unary(.timestampWithTimeZone, returns: .double) { (value: Int128, _) -> Double in
          seconds(ZonedTimestamp.utcPicos(value))
        }
      ]),
  ]

  private static func seconds(_ picos: Int128) -> Double {
    let millis = TimeFields.floorDivide(picos, Int128(TimeFields.picosPerMilli))
    let rest = Int64(truncatingIfNeeded: picos &- millis &* Int128(TimeFields.picosPerMilli))
    return Double(Int64(clamping: millis)) / 1000 + Double(rest) / 1e12
  }

  /// Whole milliseconds, as picoseconds.
  private static func picos(_ seconds: Double, _ rows: inout RowContext) -> Int128 {
    if seconds.isNaN { return 0 }
    let millis = (seconds * 1000 + 0.5).rounded(.down)
    // 51 bits hold a packed timestamp's milliseconds.
    guard millis.magnitude < 2_251_799_813_685_248 else {
      rows.fail(.invalidFunctionArgument, "Millis overflow: \(millis > 9e18 ? Int64.max : millis < -9e18 ? Int64.min : Int64(millis))")
      return 0
    }
    return Int128(Int64(millis)) * 1_000_000_000
  }

  // MARK: Time zones

  private static let zones: [ScalarFunction] = [
    ScalarFunction(
      "at_timezone", aliases: ["$at_timezone"], summary: "The same instant in another time zone.",
      examples: [Example("at_timezone(TIMESTAMP '2024-01-01 12:00:00 UTC', '+02:00')", "2024-01-01 14:00:00 +02:00")],
      overloads: [
        .columns([.timestampWithTimeZone, text], returns: .argument(0)) { (columns, n, context) throws(QueryError) -> Column in
          let x = columns[0].view
          var zones = ZoneArgument(columns[1])
          return mapRows(columns, n, &context) { row, rows -> Int128 in
            guard let key = zones.key(row, &rows) else { return 0 }
            return ZonedTimestamp.pack(utcPicos: ZonedTimestamp.utcPicos(x.value(row, as: Int128.self)), key)
          }
        },
        .binary(.timestampWithTimeZone, .exact(.intervalDayToSecond), returns: .argument(0)) {
          (value: Int128, offset: Int64, rows) -> Int128 in
          guard let minutes = offsetMinutes(offset, &rows) else { return 0 }
          return ZonedTimestamp.pack(
            utcPicos: ZonedTimestamp.utcPicos(value), minutes == 0 ? .utc : TimeZoneKey(offsetMinutes: minutes))
        },
        .columns([.timeWithTimeZone, text], returns: .argument(0)) { (columns, n, context) throws(QueryError) -> Column in
          let x = columns[0].view
          var zones = ZoneArgument(columns[1])
          let now = CalendarDate.floorDivide(context.session.startMicros, 1_000_000)
          return mapRows(columns, n, &context) { row, rows -> Int128 in
            guard let key = zones.key(row, &rows) else { return 0 }
            let minutes = TimeZoneDatabase.rules(key).offset(utcSeconds: now) / 60
            return moved(x.value(row, as: Int128.self), minutes)
          }
        },
        .binary(.timeWithTimeZone, .exact(.intervalDayToSecond), returns: .argument(0)) {
          (value: Int128, offset: Int64, rows) -> Int128 in
          guard let minutes = offsetMinutes(offset, &rows) else { return 0 }
          return moved(value, minutes)
        },
      ]),
    ScalarFunction(
      "with_timezone", summary: "The local time as a time in a zone.",
      examples: [Example("with_timezone(TIMESTAMP '2024-01-01 12:00:00', 'Asia/Tokyo')", "2024-01-01 12:00:00 Asia/Tokyo")],
      overloads: [
        .columns([.timestamp, text], returns: .computed(zonedType)) { (columns, n, context) throws(QueryError) -> Column in
          let x = columns[0].view
          let isShort = columns[0].type.physicalType == .int64
          var zones = ZoneArgument(columns[1])
          return mapRows(columns, n, &context) { row, rows -> Int128 in
            guard let key = zones.key(row, &rows) else { return 0 }
            let local = isShort ? Int128(x.value(row, as: Int64.self)) &* 1_000_000 : x.value(row, as: Int128.self)
            return ZonedTimestamp.pack(localPicos: local, in: TimeZoneDatabase.rules(key))
          }
        }
      ]),
  ]

  private static let zonedType: @Sendable ([DataType]) throws(QueryError) -> DataType = {
    (types: [DataType]) throws(QueryError) -> DataType in
    guard case .timestamp(let precision) = types[0] else { return types[0] }
    return .timestampWithTimeZone(precision: precision)
  }

  private static func offsetMinutes(_ millis: Int64, _ rows: inout RowContext) -> Int? {
    if millis % 60_000 != 0 {
      rows.fail(.invalidFunctionArgument, "Invalid time zone offset interval: interval contains seconds")
      return nil
    }
    let minutes = millis / 60_000
    if minutes < -840 || minutes > 840 {
      rows.fail(.invalidFunctionArgument, "Invalid offset minutes \(minutes)")
      return nil
    }
    return Int(minutes)
  }

  /// The same instant of the day at another offset.
  private static func moved(_ value: Int128, _ minutes: Int) -> Int128 {
    let local = ZonedTime.utcPicos(value) &+ Int64(minutes) &* 60_000_000_000_000
    return ZonedTime.pack(localPicos: CalendarDate.floorRemainder(local, ZonedTime.picosPerDay), offsetMinutes: minutes)
  }

  /// The zone argument of a call; keeps the last one found.
  private struct ZoneArgument {
    private let view: ColumnView
    private var name: [UInt8] = []
    private var found: TimeZoneKey?

    init(_ column: Column) { view = column.view }

    mutating func key(_ row: Int, _ rows: inout RowContext) -> TimeZoneKey? {
      let wanted = view.value(row, as: StringView.self)
      if let found, wanted.count == name.count,
        wanted.withUTF8({ p, n in name.withUnsafeBufferPointer { n == 0 || memcmp($0.baseAddress!, p, n) == 0 } })
      {
        return found
      }
      guard let key = TimeZoneDatabase.find(wanted.string) else {
        rows.fail(.invalidFunctionArgument, "'\(wanted.string)' is not a valid time zone")
        return nil
      }
      name = wanted.bytes
      found = key
      return key
    }
  }

  // MARK: ISO 8601

  private static let isoTexts: [ScalarFunction] = [
    ScalarFunction(
      "to_iso8601", summary: "The value in the form of ISO 8601.",
      examples: [
        Example("to_iso8601(DATE '2024-02-29')", "2024-02-29"),
        Example("to_iso8601(TIMESTAMP '2024-02-29 12:00:00.5')", "2024-02-29T12:00:00.5"),
      ],
      overloads: [
        .unary(.date, returns: .exact(.varchar(length: 16))) { (days: Int32, rows) -> StringView in
          let room = rows.arena.reserve(NumberText.maxLength).assumingMemoryBound(to: UInt8.self)
          return rows.made(room, TimestampText.writeDate(days: Int(days), to: room), of: NumberText.maxLength)
        },
        .columns([.timestamp], returns: .computed(isoType)) { (columns, n, context) throws(QueryError) -> Column in
          guard case .timestamp(let precision) = columns[0].type else { return .nulls(.text, count: n) }
          let x = columns[0].view
          return mapRows(columns, n, &context) { row, rows -> StringView in
            let room = rows.arena.reserve(NumberText.maxLength).assumingMemoryBound(to: UInt8.self)
            let count =
              precision <= DataType.maxShortTimestampPrecision
              ? TimestampText.write(micros: x.value(row, as: Int64.self), precision: precision, to: room)
              : TimestampText.write(picos: x.value(row, as: Int128.self), precision: precision, to: room)
            separate(room, count)
            return rows.made(room, count, of: NumberText.maxLength)
          }
        },
        .columns([.timestampWithTimeZone], returns: .computed(isoType)) { (columns, n, context) throws(QueryError) -> Column in
          guard case .timestampWithTimeZone(let precision) = columns[0].type else { return .nulls(.text, count: n) }
          let x = columns[0].view
          var cursor = TimeZoneCursor()
          let most = NumberText.maxLength + 8
          return mapRows(columns, n, &context) { row, rows -> StringView in
            let room = rows.arena.reserve(most).assumingMemoryBound(to: UInt8.self)
            let value = x.value(row, as: Int128.self)
            let offset = cursor.offset(ZonedTimestamp.key(value), utcSeconds: ZonedTimestamp.utcSeconds(value))
            let local = ZonedTimestamp.utcPicos(value) &+ Int128(offset) &* ZonedTimestamp.picosPerSecond
            var count = TimestampText.write(picos: local, precision: precision, to: room)
            separate(room, count)
            if offset == 0 {
              room[count] = UInt8(ascii: "Z")
              count += 1
            } else {
              count += TimestampText.writeOffset(minutes: Int(offset / 60), to: room + count)
            }
            return rows.made(room, count, of: most)
          }
        },
      ]),
    ScalarFunction(
      "from_iso8601_timestamp", summary: "The time that an ISO 8601 text names.",
      examples: [Example("from_iso8601_timestamp('2020-05-11T11:15:05Z')", "2020-05-11 11:15:05.000 UTC")],
      overloads: [isoTimestamp(precision: 3)]),
    ScalarFunction(
      "from_iso8601_timestamp_nanos", summary: "The time that an ISO 8601 text names, to the nanosecond.",
      examples: [
        Example(
          "from_iso8601_timestamp_nanos('2020-05-11T11:15:05.123456789Z')", "2020-05-11 11:15:05.123456789 UTC")
      ],
      overloads: [isoTimestamp(precision: 9)]),
    ScalarFunction(
      "from_iso8601_date", summary: "The day that an ISO 8601 text names: a date, a week date or an ordinal date.",
      examples: [Example("from_iso8601_date('2020-05-11')", "2020-05-11"), Example("from_iso8601_date('2020-W10')", "2020-03-02")],
      overloads: [
        .unary(text, returns: .date) { (text: StringView, rows) -> Int32 in
          let parsed = text.withUTF8 { p, n -> Int? in
            var reader = ISO8601Reader(p, n)
            guard let days = reader.date(), reader.isAtEnd else { return nil }
            return days
          }
          if let parsed, let days = Int32(exactly: parsed) { return days }
          rows.fail(.invalidFunctionArgument, "Invalid format: \"\(text.string)\"")
          return 0
        }
      ]),
    ScalarFunction(
      "date", summary: "The day of a text or time.", examples: [Example("date('2024-02-29')", "2024-02-29")],
      overloads: [.varchar, .timestamp, .timestampWithTimeZone].map { (type: TypePattern) in
        ScalarOverload(Signature([type], returns: .date)) { (binding: SignatureBinding) throws(QueryError) -> Kernel in
          guard let factory = CastRegistry.makeKernel(from: binding.argumentTypes[0], to: .date) else {
            throw QueryError(.typeMismatch, "Cannot cast \(binding.argumentTypes[0]) to date")
          }
          return try factory(binding)
        }
      }
        + [.columns([.date], returns: .date) { (columns, _, _) throws(QueryError) -> Column in columns[0] }]),
  ]

  /// Puts the T between date and time.
  private static func separate(_ p: UnsafeMutablePointer<UInt8>, _ n: Int) {
    var k = 0
    while k < n, p[k] != 0x20 { k &+= 1 }
    if k < n { p[k] = UInt8(ascii: "T") }
  }

  private static let isoType: @Sendable ([DataType]) throws(QueryError) -> DataType = {
    (types: [DataType]) throws(QueryError) -> DataType in
    switch types[0] {
    case .timestamp(let p): .varchar(length: 26 + p)
    case .timestampWithTimeZone(let p): .varchar(length: 29 + p)
    default: .text
    }
  }

  private static func isoTimestamp(precision: Int) -> ScalarOverload {
    let type = DataType.timestampWithTimeZone(precision: precision)
    return .columns([text], returns: .exact(type)) { (columns, n, context) throws(QueryError) -> Column in
      let x = columns[0].view
      let sessionZone = TimeZoneDatabase.rules(context.session.timeZone)
      return mapRows(columns, n, &context) { row, rows -> Int128 in
        let text = x.value(row, as: StringView.self)
        let value = text.withUTF8 { p, n -> Int128? in
          var reader = ISO8601Reader(p, n)
          return reader.timestamp(precision, sessionZone)
        }
        if let value, ZonedTimestamp.fits(value, precision: precision) { return value }
        rows.fail(.invalidFunctionArgument, "Invalid format: \"\(text.string)\"")
        return 0
      }
    }
  }
}

/// Reads dates and times of ISO 8601.
///
///     2024-02-29   2024-W09-4   2024-060   2024-02   2024   …T12:30:45.678+02:00
///
/// - Source: Joda-Time `ISODateTimeFormat.dateTimeParser`.
struct ISO8601Reader {
  private let p: UnsafePointer<UInt8>
  private let n: Int
  private var at = 0

  init(_ p: UnsafePointer<UInt8>, _ n: Int) {
    self.p = p
    self.n = n
  }

  var isAtEnd: Bool { at == n }

  private mutating func accept(_ byte: UInt8) -> Bool {
    guard at < n, p[at] == byte else { return false }
    at += 1
    return true
  }

  /// One to `most` digits.
  private mutating func number(_ most: Int) -> Int? {
    var value = 0
    let start = at
    while at < n, at - start < most, p[at] >= 0x30, p[at] <= 0x39 {
      value = value * 10 + Int(p[at] - 0x30)
      at += 1
    }
    return at > start ? value : nil
  }

  /// Days since 1970-01-01.
  mutating func date() -> Int? {
    var isNegative = false
    if at < n, p[at] == 0x2b || p[at] == 0x2d {
      isNegative = p[at] == 0x2d
      at += 1
    }
    guard var year = number(9) else { return nil }
    if isNegative { year = -year }
    guard at < n, p[at] == 0x2d else { return CalendarDate.days(year: year, month: 1, day: 1) }
    at += 1
    if accept(UInt8(ascii: "W")) {
      guard let week = number(2), week >= 1, week <= 53 else { return nil }
      var day = 1
      if accept(0x2d) {
        guard let number = number(1), number >= 1, number <= 7 else { return nil }
        day = number
      }
      let january4 = CalendarDate.days(year: year, month: 1, day: 4)
      return january4 - CalendarDate.isoWeekday(january4) + (week - 1) * 7 + day
    }
    let start = at
    guard let month = number(3) else { return nil }
    if at - start == 3 {
      guard month >= 1, month <= (CalendarDate.isLeap(year) ? 366 : 365) else { return nil }
      return CalendarDate.days(year: year, month: 1, day: 1) + month - 1
    }
    guard month >= 1, month <= 12 else { return nil }
    guard accept(0x2d) else { return CalendarDate.days(year: year, month: month, day: 1) }
    guard let day = number(2), CalendarDate.isValid(year: year, month: month, day: day) else { return nil }
    return CalendarDate.days(year: year, month: month, day: day)
  }

  /// A packed timestamp with time zone; without an offset in the zone given.
  mutating func timestamp(_ precision: Int, _ zone: TimeZoneRules) -> Int128? {
    var days = 0
    if at < n, p[at] != UInt8(ascii: "T") {
      guard let date = date() else { return nil }
      days = date
    }
    var picosOfDay: Int64 = 0
    if accept(UInt8(ascii: "T")), at < n, p[at] != UInt8(ascii: "Z"), p[at] != 0x2b, p[at] != 0x2d {
      guard let time = time() else { return nil }
      picosOfDay = time
    }
    let local = Int128(days) * TimeFields.picosPerDay + Int128(TimestampText.round(picosOfDay, toPrecision: precision))
    if isAtEnd { return ZonedTimestamp.pack(localPicos: local, in: zone) }
    if accept(UInt8(ascii: "Z")) { return isAtEnd ? ZonedTimestamp.pack(utcPicos: local, .utc) : nil }
    guard let minutes = offset(), isAtEnd, minutes >= -840, minutes <= 840 else { return nil }
    return ZonedTimestamp.pack(
      utcPicos: local - Int128(minutes) * 60 * ZonedTimestamp.picosPerSecond,
      minutes == 0 ? .utc : TimeZoneKey(offsetMinutes: minutes))
  }

  /// `hh[:mm[:ss[.fff]]]`: picoseconds of the day.
  private mutating func time() -> Int64? {
    guard let hour = number(2), hour < 24 else { return nil }
    var (minute, second): (Int, Int) = (0, 0)
    if at < n, p[at] == 0x3a {
      at += 1
      guard let number = number(2), number < 60 else { return nil }
      minute = number
      if at < n, p[at] == 0x3a {
        at += 1
        guard let seconds = self.number(2), seconds < 60 else { return nil }
        second = seconds
      }
    }
    var picos = Int64((hour * 60 + minute) * 60 + second) * TimestampText.picosPerSecond
    if at < n, p[at] == 0x2e || p[at] == 0x2c {
      at += 1
      var unit = TimestampText.picosPerSecond / 10
      let start = at
      while at < n, p[at] >= 0x30, p[at] <= 0x39 {
        picos += Int64(p[at] - 0x30) * unit
        unit /= 10
        at += 1
      }
      if at == start { return nil }
    }
    return picos
  }

  /// `+hh[[:]mm]`: minutes.
  private mutating func offset() -> Int? {
    let isNegative = at < n && p[at] == 0x2d
    guard accept(0x2b) || accept(0x2d), let hours = number(2) else { return nil }
    var minutes = 0
    if !isAtEnd {
      _ = accept(0x3a)
      guard let number = number(2), number < 60 else { return nil }
      minutes = number
    }
    return isNegative ? -(hours * 60 + minutes) : hours * 60 + minutes
  }
}
