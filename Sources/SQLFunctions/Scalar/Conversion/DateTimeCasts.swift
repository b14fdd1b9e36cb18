import Columnar
import QueryErrors

/// Casts between dates, times and timestamps, and their reading from text.
///
/// - Units: picoseconds unless a name says otherwise.
/// - Source: Trino's cast classes per time type (`TimestampToTimeCast` and its like), release 401.
enum DateTimeCasts {
  typealias Cast = CastRegistry.Cast

  private static let picosPerSecond = ZonedTimestamp.picosPerSecond
  private static let picosPerDay = Int128(ZonedTime.picosPerDay)

  static func cast(_ from: DataType, _ to: DataType) -> Cast? {
    // The four kinds of points meet in "local picoseconds" or "UTC picoseconds".
    switch (from, to) {
    case (.date, .timestamp(let q)) where q <= 6:
      return { (columns, n, context) throws(QueryError) -> Column in
        let x = columns[0].view
        return mapRows(columns, n, &context) { row, rows -> Int64 in
          let (micros, overflows) = Int64(x.value(row, as: Int32.self)).multipliedReportingOverflow(by: 86_400_000_000)
          if overflows { rows.fail(.numericValueOutOfRange, "Out of range for timestamp") }
          return micros
        }
      }
    case (.date, .timestamp):
      return rows(Int32.self, Int128.self) { days, rows in
        let picos = Int128(days) &* picosPerDay
        if Int64(exactly: picos / 1_000_000) == nil { rows.fail(.numericValueOutOfRange, "Out of range for timestamp") }
        return picos
      }
    case (.date, .timestampWithTimeZone(let q)):
      return zoned(Int32.self, Int128.self) { days, zone, rows in
        checked(ZonedTimestamp.pack(localPicos: Int128(days) &* picosPerDay, in: zone), q, &rows)
      }
    case (.timestamp(let p), .date):
      return p <= 6
        ? rows(Int64.self, Int32.self) { value, _ in Int32(truncatingIfNeeded: CalendarDate.floorDivide(value, 86_400_000_000)) }
        : rows(Int128.self, Int32.self) { value, rows in date(floorDays(value), &rows) }
    case (.timestamp(let p), .time(let q)):
      return p <= 6
        ? rows(Int64.self, Int64.self) { value, _ in timeOfDay(Int128(value) &* 1_000_000, q) }
        : rows(Int128.self, Int64.self) { value, _ in timeOfDay(value, q) }
    case (.timestamp(let p), .timestamp(let q)): return betweenTimestamps(p, q)
    case (.timestamp(let p), .timestampWithTimeZone(let q)):
      return p <= 6
        ? zoned(Int64.self, Int128.self) { value, zone, rows in
          let picos = TimestampText.round(Int128(value) &* 1_000_000, toPrecision: q)
          return checked(ZonedTimestamp.pack(localPicos: picos, in: zone), q, &rows)
        }
        : zoned(Int128.self, Int128.self) { value, zone, rows in
          let picos = TimestampText.round(value, toPrecision: q)
          return checked(ZonedTimestamp.pack(localPicos: picos, in: zone), q, &rows)
        }
    case (.timestamp(let p), .timeWithTimeZone(let q)):
      return p <= 6
        ? zoned(Int64.self, Int128.self) { value, zone, _ in
          timeWithZone(ZonedTimestamp.pack(localPicos: Int128(value) &* 1_000_000, in: zone), zone, q)
        }
        : zoned(Int128.self, Int128.self) { value, zone, _ in
          timeWithZone(ZonedTimestamp.pack(localPicos: value, in: zone), zone, q)
        }
    case (.timestampWithTimeZone, .date):
      return local(Int32.self) { value, rows in date(floorDays(value), &rows) }
    case (.timestampWithTimeZone, .time(let q)): return local(Int64.self) { value, _ in timeOfDay(value, q) }
    case (.timestampWithTimeZone, .timestamp(let q)) where q <= 6:
      return local(Int64.self) { value, rows in
        let micros = floorDivide(TimestampText.round(value, toPrecision: q), 1_000_000)
        guard let result = Int64(exactly: micros) else {
          rows.fail(.numericValueOutOfRange, "Out of range for timestamp")
          return 0
        }
        return result
      }
    case (.timestampWithTimeZone, .timestamp(let q)):
      return local(Int128.self) { value, _ in TimestampText.round(value, toPrecision: q) }
    case (.timestampWithTimeZone, .timeWithTimeZone(let q)):
      return { (columns, n, context) throws(QueryError) -> Column in
        let x = columns[0].view
        var cursor = TimeZoneCursor()
        return mapRows(columns, n, &context) { row, _ -> Int128 in
          let value = x.value(row, as: Int128.self)
          return timeWithZone(value, cursor.zone(ZonedTimestamp.key(value)), q)
        }
      }
    case (.timestampWithTimeZone, .timestampWithTimeZone(let q)):
      return rows(Int128.self, Int128.self) { value, rows in
        let picos = TimestampText.round(ZonedTimestamp.utcPicos(value), toPrecision: q)
        return checked(ZonedTimestamp.pack(utcPicos: picos, ZonedTimestamp.key(value)), q, &rows)
      }
    case (.time, .time(let q)): return rows(Int64.self, Int64.self) { value, _ in timeOfDay(Int128(value), q) }
    case (.time, .timeWithTimeZone(let q)):
      return { (columns, n, context) throws(QueryError) -> Column in
        let zone = TimeZoneDatabase.rules(context.session.timeZone)
        let now = CalendarDate.floorDivide(context.session.startMicros, 1_000_000)
        let minutes = zone.offset(utcSeconds: now) / 60
        let x = columns[0].view
        return mapRows(columns, n, &context) { row, _ -> Int128 in
          ZonedTime.pack(localPicos: timeOfDay(Int128(x.value(row, as: Int64.self)), q), offsetMinutes: minutes)
        }
      }
    case (.time, .timestamp(let q)):
      return { (columns, n, context) throws(QueryError) -> Column in
        let today = Int128(sessionDay(context.session)) &* picosPerDay
        let x = columns[0].view
        if q <= 6 {
          return mapRows(columns, n, &context) { row, _ -> Int64 in
            let picos = TimestampText.round(x.value(row, as: Int64.self), toPrecision: q)
            return Int64(truncatingIfNeeded: (today &+ Int128(picos)) / 1_000_000)
          }
        }
        return mapRows(columns, n, &context) { row, _ -> Int128 in
          today &+ Int128(TimestampText.round(x.value(row, as: Int64.self), toPrecision: q))
        }
      }
    case (.time, .timestampWithTimeZone(let q)):
      return { (columns, n, context) throws(QueryError) -> Column in
        let today = Int128(sessionDay(context.session)) &* picosPerDay
        let zone = TimeZoneDatabase.rules(context.session.timeZone)
        let x = columns[0].view
        return mapRows(columns, n, &context) { row, _ -> Int128 in
          let picos = TimestampText.round(x.value(row, as: Int64.self), toPrecision: q)
          return ZonedTimestamp.pack(localPicos: today &+ Int128(picos), in: zone)
        }
      }
    case (.timeWithTimeZone, .time(let q)):
      return rows(Int128.self, Int64.self) { value, _ in timeOfDay(Int128(ZonedTime.localPicos(value)), q) }
    case (.timeWithTimeZone, .timeWithTimeZone(let q)):
      return rows(Int128.self, Int128.self) { value, _ in
        ZonedTime.pack(
          localPicos: timeOfDay(Int128(ZonedTime.localPicos(value)), q), offsetMinutes: ZonedTime.offsetMinutes(value))
      }
    case (.timeWithTimeZone, .timestamp(let q)):
      return { (columns, n, context) throws(QueryError) -> Column in
        let now = CalendarDate.floorDivide(context.session.startMicros, 1_000_000)
        let x = columns[0].view
        func localPicos(_ value: Int128) -> Int128 {
          // Today, where the value's offset holds.
          let day = CalendarDate.floorDivide(now &+ Int64(ZonedTime.offsetMinutes(value)) &* 60, 86_400)
          let picos = TimestampText.round(ZonedTime.localPicos(value), toPrecision: q)
          return Int128(day) &* picosPerDay &+ Int128(picos)
        }
        if q <= 6 {
          return mapRows(columns, n, &context) { row, _ -> Int64 in
            Int64(truncatingIfNeeded: floorDivide(localPicos(x.value(row, as: Int128.self)), 1_000_000))
          }
        }
        return mapRows(columns, n, &context) { row, _ -> Int128 in localPicos(x.value(row, as: Int128.self)) }
      }
    case (.timeWithTimeZone, .timestampWithTimeZone(let q)):
      return { (columns, n, context) throws(QueryError) -> Column in
        let now = CalendarDate.floorDivide(context.session.startMicros, 1_000_000)
        let x = columns[0].view
        return mapRows(columns, n, &context) { row, _ -> Int128 in
          let value = x.value(row, as: Int128.self)
          let minutes = ZonedTime.offsetMinutes(value)
          let day = CalendarDate.floorDivide(now &+ Int64(minutes) &* 60, 86_400)
          let picos = TimestampText.round(ZonedTime.localPicos(value), toPrecision: q)
          let utc = Int128(day) &* picosPerDay &+ Int128(picos) &- Int128(minutes) &* 60 &* picosPerSecond
          return ZonedTimestamp.pack(utcPicos: utc, minutes == 0 ? .utc : TimeZoneKey(offsetMinutes: minutes))
        }
      }
    default: return nil
    }
  }

  // MARK: Loops

  @inline(__always)
  private static func rows<A: KernelValue, R: KernelValue>(
    _: A.Type, _: R.Type, _ body: @escaping @Sendable (A, inout RowContext) -> R
  ) -> Cast {
    { (columns, n, context) throws(QueryError) -> Column in
      let x = columns[0].view
      return mapRows(columns, n, &context) { row, rows -> R in body(x.value(row, as: A.self), &rows) }
    }
  }

  /// Casts that need the session's zone.
  @inline(__always)
  private static func zoned<A: KernelValue, R: KernelValue>(
    _: A.Type, _: R.Type, _ body: @escaping @Sendable (A, TimeZoneRules, inout RowContext) -> R
  ) -> Cast {
    { (columns, n, context) throws(QueryError) -> Column in
      let zone = TimeZoneDatabase.rules(context.session.timeZone)
      let x = columns[0].view
      return mapRows(columns, n, &context) { row, rows -> R in body(x.value(row, as: A.self), zone, &rows) }
    }
  }

  /// Casts of timestamps with time zone that look at the local date and time.
  @inline(__always)
  private static func local<R: KernelValue>(
    _: R.Type, _ body: @escaping @Sendable (Int128, inout RowContext) -> R
  ) -> Cast {
    { (columns, n, context) throws(QueryError) -> Column in
      let x = columns[0].view
      var cursor = TimeZoneCursor()
      return mapRows(columns, n, &context) { row, rows -> R in
        body(ZonedTimestamp.localPicos(x.value(row, as: Int128.self), &cursor), &rows)
      }
    }
  }

  private static func betweenTimestamps(_ p: Int, _ q: Int) -> Cast {
    switch (p <= 6, q <= 6) {
    case (true, true):
      return rows(Int64.self, Int64.self) { value, rows in
        if value > Int64.max - 1_000_000 {
          rows.fail(.numericValueOutOfRange, "Out of range for timestamp")
          return 0
        }
        return TimestampText.round(micros: value, toPrecision: q)
      }
    case (true, false): return rows(Int64.self, Int128.self) { value, _ in Int128(value) &* 1_000_000 }
    case (false, true):
      return rows(Int128.self, Int64.self) { value, rows in
        let micros = floorDivide(TimestampText.round(value, toPrecision: q), 1_000_000)
        guard let result = Int64(exactly: micros) else {
          rows.fail(.numericValueOutOfRange, "Out of range for timestamp")
          return 0
        }
        return result
      }
    case (false, false):
      return rows(Int128.self, Int128.self) { value, _ in TimestampText.round(value, toPrecision: q) }
    }
  }

  // MARK: Parts

  /// A timestamp with time zone, when it is one of this precision.
  @inline(__always)
  private static func checked(_ value: Int128, _ precision: Int, _ rows: inout RowContext) -> Int128 {
    if !ZonedTimestamp.fits(value, precision: precision) {
      let millis = floorDivide(ZonedTimestamp.utcPicos(value), 1_000_000_000)
      rows.fail(.invalidCastArgument, "Out of range for timestamp with time zone: \(millis)")
    }
    return value
  }

  private static func floorDivide(_ a: Int128, _ b: Int128) -> Int128 {
    let (quotient, rest) = a.quotientAndRemainder(dividingBy: b)
    return rest < 0 ? quotient - 1 : quotient
  }

  private static func floorDays(_ picos: Int128) -> Int128 { floorDivide(picos, picosPerDay) }

  private static func date(_ days: Int128, _ rows: inout RowContext) -> Int32 {
    if let result = Int32(exactly: days) { return result }
    rows.fail(.numericValueOutOfRange, "Out of range for date")
    return 0
  }

  /// The time of day at a precision; what rounds up to midnight starts anew.
  private static func timeOfDay(_ picos: Int128, _ precision: Int) -> Int64 {
    let rest = Int64(truncatingIfNeeded: picos &- floorDays(picos) &* picosPerDay)
    return TimestampText.round(rest, toPrecision: precision) % ZonedTime.picosPerDay
  }

  /// - Source: Trino `TimestampWithTimeZoneToTimeWithTimeZoneCast`, which looks the offset up at the local time as if it
  ///   were UTC, so that in the hours around a change of the clocks it is the one before or after it.
  private static func timeWithZone(_ value: Int128, _ zone: TimeZoneRules, _ precision: Int) -> Int128 {
    let seconds = zone.offset(utcSeconds: ZonedTimestamp.utcSeconds(value))
    let local = ZonedTimestamp.utcPicos(value) &+ Int128(seconds) &* picosPerSecond
    let shown = zone.offset(utcSeconds: ZonedTimestamp.floorSeconds(local))
    return ZonedTime.pack(localPicos: timeOfDay(local, precision), offsetMinutes: shown / 60)
  }

  /// Today in the session's zone, days since 1970-01-01.
  static func sessionDay(_ session: SessionContext) -> Int64 {
    let now = CalendarDate.floorDivide(session.startMicros, 1_000_000)
    let offset = TimeZoneDatabase.rules(session.timeZone).offset(utcSeconds: now)
    return CalendarDate.floorDivide(now &+ Int64(offset), 86_400)
  }

  // MARK: From text

  /// Rows of text; the body answers nil for text that does not say a value.
  @inline(__always)
  private static func text<R: KernelValue>(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext, _ name: String,
    _ body: (UnsafePointer<UInt8>, Int) -> R?
  ) -> Column {
    let x = columns[0].view
    let views = x.values.assumingMemoryBound(to: StringView.self)
    return mapRows(columns, n, &context) { row, rows -> R in
      let location = views + x.position(row)
      let bytes = StringView.bytes(at: location).assumingMemoryBound(to: UInt8.self)
      if let value = body(bytes, location.pointee.count) { return value }
      rows.fail(.invalidCastArgument, "Value cannot be cast to \(name): \(location.pointee.string)")
      return R.zero
    }
  }

  static let dateFromText: Cast = { (columns, n, context) throws(QueryError) -> Column in
    text(columns, n, &context, "date") { p, n -> Int32? in
      let (start, end) = TimestampText.trimmed(p, n)
      return TimestampText.parseDate(p + start, end - start)
    }
  }

  static func timeFromText(_ precision: Int) -> Cast {
    { (columns, n, context) throws(QueryError) -> Column in
      text(columns, n, &context, "time") { p, n -> Int64? in
        guard let parts = TimestampText.parseTime(p, n), parts.zone == nil, parts.fractionDigits <= 12 else { return nil }
        return timePicos(parts, precision)
      }
    }
  }

  static func timePicos(_ parts: TimestampText.Parts, _ precision: Int) -> Int64 {
    let picos = Int64(parts.secondsOfDay) * TimestampText.picosPerSecond + parts.fraction(precision: precision)
    return picos % ZonedTime.picosPerDay
  }

  static func timeWithZoneFromText(_ precision: Int) -> Cast {
    { (columns, n, context) throws(QueryError) -> Column in
      let zone = TimeZoneDatabase.rules(context.session.timeZone)
      let now = CalendarDate.floorDivide(context.session.startMicros, 1_000_000)
      let sessionMinutes = zone.offset(utcSeconds: now) / 60
      return text(columns, n, &context, "time with time zone") { p, n -> Int128? in
        guard let parts = TimestampText.parseTime(p, n), parts.fractionDigits <= 12 else { return nil }
        var minutes = sessionMinutes
        if let zone = parts.zone {
          guard let offset = TimestampText.parseOffset(p + zone.lowerBound, zone.count) else { return nil }
          minutes = offset
        }
        return ZonedTime.pack(localPicos: timePicos(parts, precision), offsetMinutes: minutes)
      }
    }
  }

  static func timestampFromText(_ precision: Int) -> Cast {
    { (columns, n, context) throws(QueryError) -> Column in
      if precision <= DataType.maxShortTimestampPrecision {
        return text(columns, n, &context, "timestamp") { p, n -> Int64? in
          guard let parts = TimestampText.parse(p, n), isZone(parts.zone, p) else { return nil }
          return parts.micros(precision: precision)
        }
      }
      return text(columns, n, &context, "timestamp") { p, n -> Int128? in
        guard let parts = TimestampText.parse(p, n), isZone(parts.zone, p) else { return nil }
        return parts.picos(precision: precision)
      }
    }
  }

  /// Whether a time zone stands there, or nothing: the casts to timestamp read over it.
  private static func isZone(_ range: Range<Int>?, _ p: UnsafePointer<UInt8>) -> Bool {
    guard let range else { return true }
    let name = UnsafeBufferPointer(start: p + range.lowerBound, count: range.count)
    return TimeZoneDatabase.find(String(decoding: name, as: UTF8.self)) != nil
  }

  static func timestampWithZoneFromText(_ precision: Int) -> Cast {
    { (columns, n, context) throws(QueryError) -> Column in
      let sessionZone = TimeZoneDatabase.rules(context.session.timeZone)
      if let missing = TimeZoneDatabase.missing { throw missing }
      var lastName: [UInt8] = []
      var lastZone = sessionZone
      return text(columns, n, &context, "timestamp") { p, n -> Int128? in
        guard let parts = TimestampText.parse(p, n) else { return nil }
        var zone = sessionZone
        if let range = parts.zone {
          let name = UnsafeBufferPointer(start: p + range.lowerBound, count: range.count)
          if !lastName.elementsEqual(name) || lastName.isEmpty {
            guard let key = TimeZoneDatabase.find(String(decoding: name, as: UTF8.self)) else { return nil }
            lastName = Array(name)
            lastZone = TimeZoneDatabase.rules(key)
          }
          zone = lastZone
        }
        let value = ZonedTimestamp.pack(localPicos: parts.picos(precision: precision), in: zone)
        return ZonedTimestamp.fits(value, precision: precision) ? value : nil
      }
    }
  }
}
