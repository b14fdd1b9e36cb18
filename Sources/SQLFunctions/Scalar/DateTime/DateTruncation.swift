import Columnar
import QueryErrors

/// `date_trunc`.
package enum DateTruncation: FunctionFamily {
  package static let title = "Date and time truncation"

  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "date_trunc", summary: "The value with all fields below a unit cleared: second to year.",
      examples: [
        Example("date_trunc('hour', TIMESTAMP '2024-02-29 13:45:59')", "2024-02-29 13:00:00"),
        Example("date_trunc('month', DATE '2024-02-29')", "2024-02-01"),
      ],
      overloads: [.date, .timestamp, .timestampWithTimeZone, .time, .timeWithTimeZone].map { (type: TypePattern) in
        .columns([.exact(.text), type], returns: .argument(1)) { (columns, n, context) throws(QueryError) -> Column in
          truncated(columns, n, &context)
        }
      })
  ]

  private static func truncated(_ columns: [Column], _ n: Int, _ context: inout KernelContext) -> Column {
    let type = columns[1].type
    let rules = DateUnit.Rules(type)
    if columns[0].encoding == .constant, !columns[0].isAllNull,
      let unit = DateUnit.named(columns[0].view.value(0, as: StringView.self)), rules.allows(unit),
      let column = truncated(columns[1], n, unit)
    {
      return column
    }
    var units = DateUnitArgument(columns[0], rules)
    let x = columns[1].view
    switch type {
    case .date:
      return mapRows(columns, n, &context) { row, rows -> Int32 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        return Int32(truncatingIfNeeded: day(Int(x.value(row, as: Int32.self)), unit))
      }
    case .time:
      return mapRows(columns, n, &context) { row, rows -> Int64 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        let picos = x.value(row, as: Int64.self)
        return picos &- picos % (unit.millis &* TimeFields.picosPerMilli)
      }
    case .timeWithTimeZone:
      return mapRows(columns, n, &context) { row, rows -> Int128 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        let value = x.value(row, as: Int128.self)
        let picos = ZonedTime.localPicos(value)
        return ZonedTime.pack(
          localPicos: picos &- picos % (unit.millis &* TimeFields.picosPerMilli),
          offsetMinutes: ZonedTime.offsetMinutes(value))
      }
    case .timestamp(let p) where p <= DataType.maxShortTimestampPrecision:
      return mapRows(columns, n, &context) { row, rows -> Int64 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        return micros(x.value(row, as: Int64.self), unit)
      }
    case .timestamp:
      return mapRows(columns, n, &context) { row, rows -> Int128 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        return picos(x.value(row, as: Int128.self), unit)
      }
    default:
      var cursor = TimeZoneCursor()
      return mapRows(columns, n, &context) { row, rows -> Int128 in
        guard let unit = units.unit(row, &rows) else { return 0 }
        let value = x.value(row, as: Int128.self)
        let local = ZonedTimestamp.localPicos(value, &cursor)
        let floor = picos(local, unit)
        // Units of a day keep the offset; longer ones ask for it anew.
        if unit.isOfDay {
          return ZonedTimestamp.pack(
            utcPicos: ZonedTimestamp.utcPicos(value) &- (local &- floor), ZonedTimestamp.key(value))
        }
        return ZonedTimestamp.pack(localPicos: floor, in: cursor.zone(ZonedTimestamp.key(value)))
      }
    }
  }

  /// A whole column by one unit, for the types that need no zone.
  private static func truncated(_ column: Column, _ n: Int, _ unit: DateUnit) -> Column? {
    switch column.type {
    case .date:
      let values = Buffer(byteCount: n * 4)
      let out = values.typed(Int32.self)
      switch unit {
      case .week: fillUnary(column, n, out) { (days: Int32) in Int32(truncatingIfNeeded: day(Int(days), .week)) }
      case .month: fillUnary(column, n, out) { (days: Int32) in Int32(truncatingIfNeeded: day(Int(days), .month)) }
      case .quarter: fillUnary(column, n, out) { (days: Int32) in Int32(truncatingIfNeeded: day(Int(days), .quarter)) }
      case .year: fillUnary(column, n, out) { (days: Int32) in Int32(truncatingIfNeeded: day(Int(days), .year)) }
      default: return column
      }
      return Column(flat: column.type, count: n, values: values, validity: column.validity)
    case .timestamp(let p) where p <= DataType.maxShortTimestampPrecision:
      let values = Buffer(byteCount: n * 8)
      let out = values.typed(Int64.self)
      switch unit {
      case .millisecond: fillUnary(column, n, out) { (x: Int64) in floor(x, 1000) }
      case .second: fillUnary(column, n, out) { (x: Int64) in floor(x, 1_000_000) }
      case .minute: fillUnary(column, n, out) { (x: Int64) in floor(x, 60_000_000) }
      case .hour: fillUnary(column, n, out) { (x: Int64) in floor(x, 3_600_000_000) }
      case .day: fillUnary(column, n, out) { (x: Int64) in floor(x, TimeFields.microsPerDay) }
      case .week: fillUnary(column, n, out) { (x: Int64) in micros(x, .week) }
      case .month: fillUnary(column, n, out) { (x: Int64) in micros(x, .month) }
      case .quarter: fillUnary(column, n, out) { (x: Int64) in micros(x, .quarter) }
      case .year: fillUnary(column, n, out) { (x: Int64) in micros(x, .year) }
      }
      return Column(flat: column.type, count: n, values: values, validity: column.validity)
    default: return nil
    }
  }

  /// x rounded down to a multiple of `unit`.
  @inline(__always)
  private static func floor(_ x: Int64, _ unit: Int64) -> Int64 { x &- CalendarDate.floorRemainder(x, unit) }

  @inline(__always)
  private static func micros(_ x: Int64, _ unit: DateUnit) -> Int64 {
    if unit.isOfDay { return floor(x, unit.micros) }
    return Int64(day(Int(TimeFields.floorDay(x)), unit)) &* TimeFields.microsPerDay
  }

  private static func picos(_ x: Int128, _ unit: DateUnit) -> Int128 {
    if unit.isOfDay {
      let width = Int128(unit.millis) &* Int128(TimeFields.picosPerMilli)
      return TimeFields.floorDivide(x, width) &* width
    }
    return Int128(day(Int(TimeFields.floorDay(x)), unit)) &* TimeFields.picosPerDay
  }

  /// The first day of the unit that a day lies in.
  @inline(__always)
  private static func day(_ days: Int, _ unit: DateUnit) -> Int {
    switch unit {
    case .week: return days &- CalendarDate.isoWeekday(days) &+ 1
    case .month:
      if FastCalendar.holds(days) {
        return days &- Int(FastCalendar.fields(Int32(truncatingIfNeeded: days)).day) &+ 1
      }
      return days &- CalendarDate.civil(days).day &+ 1
    case .quarter:
      let (year, month, _) = CalendarDate.civil(days)
      return CalendarDate.days(year: year, month: (month &- 1) / 3 &* 3 &+ 1, day: 1)
    case .year: return CalendarDate.days(year: CalendarDate.civil(days).year, month: 1, day: 1)
    default: return days
    }
  }
}
