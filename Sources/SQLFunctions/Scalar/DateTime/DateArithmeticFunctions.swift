import Columnar
import QueryErrors

/// `date_add` and `date_diff`.
///
/// Both count in milliseconds; what a value has below them is carried along by `date_add` and left out by `date_diff`.
///
/// - Source: Trino `DateTimeFunctions`, `DateAdd`, `DateDiff` of each type; Joda-Time's fields.
package enum DateArithmeticFunctions: FunctionFamily {
  package static let title = "Date and time arithmetic"

  private static let types: [TypePattern] = [.date, .timestamp, .timestampWithTimeZone, .time, .timeWithTimeZone]

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "date_add", summary: "The value so many units later.",
      examples: [
        Example("date_add('month', 1, DATE '2024-01-31')", "2024-02-29"),
        Example("date_add('second', -86, TIMESTAMP '2020-03-01 00:00:00')", "2020-02-29 23:58:34"),
      ],
      overloads: types.map { (type: TypePattern) in
        .columns([.exact(.text), .bigint, type], returns: .argument(2)) {
          (columns, n, context) throws(QueryError) -> Column in added(columns, n, &context)
        }
      }),
    ScalarFunction(
      "date_diff", summary: "The number of whole units from the first value to the second.",
      examples: [
        Example("date_diff('day', DATE '2020-03-01', DATE '2020-03-02')", "1"),
        Example("date_diff('hour', TIMESTAMP '2020-03-01 10:59:00', TIMESTAMP '2020-03-01 12:00:00')", "1"),
      ],
      overloads: types.map { (type: TypePattern) in
        .columns([.exact(.text), type, type], returns: .bigint) { (columns, n, context) throws(QueryError) -> Column in
          differences(columns, n, &context)
        }
      }),
  ]

  // MARK: Adding

  private static func added(_ columns: [Column], _ n: Int, _ context: inout KernelContext) -> Column {
    let type = columns[2].type
    var units = DateUnitArgument(columns[0], DateUnit.Rules(type))
    let (y, x) = (columns[1].view, columns[2].view)
    switch type {
    case .date:
      return mapRows(columns, n, &context) { row, rows -> Int32 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        let days = Int(x.value(row, as: Int32.self))
        let amount = y.value(row, as: Int64.self)
        let moved: Int?
        if unit.months != 0 {
          moved = months(amount, unit).map { CalendarDate.adding(months: $0, to: days) }
        } else {
          let (product, overflows) = amount.multipliedReportingOverflow(by: unit == .week ? 7 : 1)
          let (sum, carries) = Int64(days).addingReportingOverflow(product)
          moved = overflows || carries ? nil : Int(sum)
        }
        if let moved, let result = Int32(exactly: moved) { return result }
        rows.fail(.invalidFunctionArgument, "Date is out of range: \(amount) \(unit)s after \(days) days")
        return 0
      }
    case .time(let precision):
      return mapRows(columns, n, &context) { row, rows -> Int64 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        return shifted(x.value(row, as: Int64.self), y.value(row, as: Int64.self), unit, precision)
      }
    case .timeWithTimeZone(let precision):
      return mapRows(columns, n, &context) { row, rows -> Int128 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        let value = x.value(row, as: Int128.self)
        return ZonedTime.pack(
          localPicos: shifted(ZonedTime.localPicos(value), y.value(row, as: Int64.self), unit, precision),
          offsetMinutes: ZonedTime.offsetMinutes(value))
      }
    case .timestamp(let precision) where precision <= DataType.maxShortTimestampPrecision:
      return mapRows(columns, n, &context) { row, rows -> Int64 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        let value = x.value(row, as: Int64.self)
        let amount = y.value(row, as: Int64.self)
        if unit.months != 0 {
          let days = TimeFields.floorDay(value)
          if let months = months(amount, unit) {
            let moved = Int64(CalendarDate.adding(months: months, to: Int(days)))
            let (product, overflows) = moved.multipliedReportingOverflow(by: TimeFields.microsPerDay)
            let (sum, carries) = product.addingReportingOverflow(value &- days &* TimeFields.microsPerDay)
            if !overflows, !carries { return sum }
          }
        } else {
          let (product, overflows) = amount.multipliedReportingOverflow(by: unit.micros)
          let (sum, carries) = value.addingReportingOverflow(product)
          if !overflows, !carries, sum < Int64.max - 1_000_000 {
            return precision < 3 && unit == .millisecond ? TimestampText.round(micros: sum, toPrecision: precision) : sum
          }
        }
        rows.fail(.invalidFunctionArgument, "long overflow")
        return 0
      }
    case .timestamp(let precision):
      return mapRows(columns, n, &context) { row, rows -> Int128 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        return picos(x.value(row, as: Int128.self), y.value(row, as: Int64.self), unit, precision, &rows)
      }
    case .timestampWithTimeZone(let precision):
      var cursor = TimeZoneCursor()
      return mapRows(columns, n, &context) { row, rows -> Int128 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        let value = x.value(row, as: Int128.self)
        let amount = y.value(row, as: Int64.self)
        let key = ZonedTimestamp.key(value)
        if unit.isOfDay {
          return ZonedTimestamp.pack(
            utcPicos: picos(ZonedTimestamp.utcPicos(value), amount, unit, precision, isZoned: true, &rows), key)
        }
        let offset = cursor.offset(key, utcSeconds: ZonedTimestamp.utcSeconds(value))
        let shift = Int128(offset) &* ZonedTimestamp.picosPerSecond
        let local = picos(
          ZonedTimestamp.utcPicos(value) &+ shift, amount, unit, precision, isZoned: true, &rows)
        // Where clocks were set back, the offset that the value had is kept.
        let zone = cursor.zone(key)
        if Int64(zone.offset(utcSeconds: ZonedTimestamp.floorSeconds(local &- shift))) == offset {
          return ZonedTimestamp.pack(utcPicos: local &- shift, key)
        }
        return ZonedTimestamp.pack(localPicos: local, in: zone)
      }
    default: return .nulls(type, count: n)
    }
  }

  /// The amount as months; nil when it is out of range.
  private static func months(_ amount: Int64, _ unit: DateUnit) -> Int? {
    guard let amount = Int32(exactly: amount) else { return nil }
    return Int(amount) * Int(unit.months)
  }

  /// A time of day, moved within the day.
  private static func shifted(_ picos: Int64, _ amount: Int64, _ unit: DateUnit, _ precision: Int) -> Int64 {
    let perDay = 86_400_000 / unit.millis
    let sum = picos &+ (amount % perDay) &* unit.millis &* TimeFields.picosPerMilli
    let wrapped = CalendarDate.floorRemainder(sum, ZonedTime.picosPerDay)
    return precision < 3 ? TimestampText.round(wrapped, toPrecision: precision) % ZonedTime.picosPerDay : wrapped
  }

  private static func picos(
    _ value: Int128, _ amount: Int64, _ unit: DateUnit, _ precision: Int, isZoned: Bool = false, _ rows: inout RowContext
  ) -> Int128 {
    // What 64 bits of microseconds hold; with time zone, 51 bits of milliseconds.
    let limit = isZoned ? Int128(2_251_799_813_685_248) * 1_000_000_000 : Int128(Int64.max) * 1_000_000
    var result: Int128?
    if unit.months != 0 {
      if let months = months(amount, unit) {
        let days = TimeFields.floorDay(value)
        let moved = Int128(CalendarDate.adding(months: months, to: Int(days)))
        result = value &+ (moved &- Int128(days)) &* TimeFields.picosPerDay
      }
    } else {
      let (millis, overflows) = amount.multipliedReportingOverflow(by: unit.millis)
      if !overflows { result = value &+ Int128(millis) &* Int128(TimeFields.picosPerMilli) }
    }
    guard let result, result < limit, result > -limit else {
      rows.fail(.invalidFunctionArgument, "long overflow")
      return 0
    }
    return precision < 3 && unit == .millisecond ? TimestampText.round(result, toPrecision: precision) : result
  }

  // MARK: Differences

  private static func differences(_ columns: [Column], _ n: Int, _ context: inout KernelContext) -> Column {
    let type = columns[1].type
    var units = DateUnitArgument(columns[0], DateUnit.Rules(type))
    let (x, y) = (columns[1].view, columns[2].view)
    switch type {
    case .date:
      return mapRows(columns, n, &context) { row, rows -> Int64 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        let from = Int64(x.value(row, as: Int32.self))
        let to = Int64(y.value(row, as: Int32.self))
        if unit == .day { return to &- from }
        return difference(from &* 86_400_000, to &* 86_400_000, unit)
      }
    case .time:
      return mapRows(columns, n, &context) { row, rows -> Int64 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        return (y.value(row, as: Int64.self) &- x.value(row, as: Int64.self)) / (unit.millis &* TimeFields.picosPerMilli)
      }
    case .timeWithTimeZone:
      return mapRows(columns, n, &context) { row, rows -> Int64 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        let picos = ZonedTime.utcPicos(y.value(row, as: Int128.self)) &- ZonedTime.utcPicos(x.value(row, as: Int128.self))
        return picos / (unit.millis &* TimeFields.picosPerMilli)
      }
    case .timestamp(let p) where p <= DataType.maxShortTimestampPrecision:
      return mapRows(columns, n, &context) { row, rows -> Int64 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        return difference(
          CalendarDate.floorDivide(x.value(row, as: Int64.self), 1000),
          CalendarDate.floorDivide(y.value(row, as: Int64.self), 1000), unit)
      }
    case .timestamp:
      return mapRows(columns, n, &context) { row, rows -> Int64 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        return difference(millis(x.value(row, as: Int128.self)), millis(y.value(row, as: Int128.self)), unit)
      }
    default:
      var cursor = TimeZoneCursor()
      return mapRows(columns, n, &context) { row, rows -> Int64 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        let (a, b) = (x.value(row, as: Int128.self), y.value(row, as: Int128.self))
        let (from, to) = (millis(ZonedTimestamp.utcPicos(a)), millis(ZonedTimestamp.utcPicos(b)))
        if unit.isOfDay { return difference(from, to, unit) }
        // Both seen in the first value's zone.
        let key = ZonedTimestamp.key(a)
        let before = cursor.offset(key, utcSeconds: CalendarDate.floorDivide(from, 1000))
        let after = cursor.offset(key, utcSeconds: CalendarDate.floorDivide(to, 1000))
        return difference(from &+ before &* 1000, to &+ after &* 1000, unit)
      }
    }
  }

  /// Whole milliseconds, rounded down.
  private static func millis(_ picos: Int128) -> Int64 {
    Int64(clamping: TimeFields.floorDivide(picos, Int128(TimeFields.picosPerMilli)))
  }

  /// Whole units from one local time to another.
  ///
  /// - Units: milliseconds since 1970-01-01.
  private static func difference(_ from: Int64, _ to: Int64, _ unit: DateUnit) -> Int64 {
    switch unit {
    case .millisecond: return to &- from
    case .second: return (to &- from) / 1000
    case .minute: return (to &- from) / 60_000
    case .hour: return (to &- from) / 3_600_000
    case .day: return (to &- from) / 86_400_000
    case .week: return (to &- from) / 604_800_000
    case .month: return months(from, to)
    case .quarter: return months(from, to) / 3
    case .year: return to < from ? 0 &- years(to, from) : years(from, to)
    }
  }

  private static func months(_ from: Int64, _ to: Int64) -> Int64 {
    if to < from { return 0 &- months(to, from) }
    let (startDays, endDays) = (CalendarDate.floorDivide(from, 86_400_000), CalendarDate.floorDivide(to, 86_400_000))
    let start = CalendarDate.civil(Int(startDays))
    let end = CalendarDate.civil(Int(endDays))
    var startDay = start.day
    // A day that the last month does not have counts as its last day.
    if end.day == CalendarDate.daysInMonth(year: end.year, month: end.month), startDay > end.day { startDay = end.day }
    let startRest = Int64(startDay) &* 86_400_000 &+ from &- startDays &* 86_400_000
    let endRest = Int64(end.day) &* 86_400_000 &+ to &- endDays &* 86_400_000
    let difference = Int64((end.year &- start.year) &* 12 &+ end.month &- start.month)
    return endRest < startRest ? difference &- 1 : difference
  }

  private static func years(_ from: Int64, _ to: Int64) -> Int64 {
    let february29: Int64 = 59 * 86_400_000
    let start = CalendarDate.civil(Int(CalendarDate.floorDivide(from, 86_400_000))).year
    let end = CalendarDate.civil(Int(CalendarDate.floorDivide(to, 86_400_000))).year
    var startRest = from &- Int64(CalendarDate.days(year: start, month: 1, day: 1)) &* 86_400_000
    var endRest = to &- Int64(CalendarDate.days(year: end, month: 1, day: 1)) &* 86_400_000
    // From 29 February on, leap years are a day ahead.
    if startRest >= february29 {
      if CalendarDate.isLeap(start) {
        if !CalendarDate.isLeap(end) { startRest &-= 86_400_000 }
      } else if endRest >= february29, CalendarDate.isLeap(end) {
        endRest &-= 86_400_000
      }
    }
    let difference = Int64(end &- start)
    return endRest < startRest ? difference &- 1 : difference
  }
}
