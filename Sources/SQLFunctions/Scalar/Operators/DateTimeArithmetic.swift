import Columnar
import QueryErrors

/// Arithmetic of dates, times, timestamps and intervals.
///
/// - Units: day-to-second intervals in milliseconds, year-to-month intervals in months.
/// - Source: Trino `DateTimeOperators`, `IntervalDayTimeOperators`, `IntervalYearMonthOperators` and the operator classes
///   of each time type.
enum DateTimeArithmetic {
  private static let dayTime = TypePattern.exact(.intervalDayToSecond)
  private static let yearMonth = TypePattern.exact(.intervalYearToMonth)
  private static let picosPerDay = ZonedTime.picosPerDay
  private static let picosPerMilli: Int64 = 1_000_000_000
  private static let microsPerDay: Int64 = 86_400_000_000

  static let additions: [ScalarOverload] =
    shifts(1) + shifts(1, isReversed: true) + [
      intervalSum(.intervalDayToSecond, Int64.self, "addition", "+") { $0.addingReportingOverflow($1) },
      intervalSum(.intervalYearToMonth, Int32.self, "addition", "+") { $0.addingReportingOverflow($1) },
    ]

  static let subtractions: [ScalarOverload] =
    shifts(-1) + [
      intervalSum(.intervalDayToSecond, Int64.self, "subtraction", "-") { $0.subtractingReportingOverflow($1) },
      intervalSum(.intervalYearToMonth, Int32.self, "subtraction", "-") { $0.subtractingReportingOverflow($1) },
      .binary(.date, .date, returns: .exact(.intervalDayToSecond)) { (a: Int32, b: Int32, _) -> Int64 in
        (Int64(a) &- Int64(b)) &* 86_400_000
      },
      difference(.timestamp), difference(.time), difference(.timestampWithTimeZone), difference(.timeWithTimeZone),
    ]

  static let multiplications: [ScalarOverload] = [
    .binary(dayTime, .bigint, returns: .exact(.intervalDayToSecond)) { (a: Int64, b: Int64, row) -> Int64 in
      multiply(a, b, .intervalDayToSecond, isReversed: false, &row)
    },
    .binary(.bigint, dayTime, returns: .exact(.intervalDayToSecond)) { (a: Int64, b: Int64, row) -> Int64 in
      multiply(b, a, .intervalDayToSecond, isReversed: true, &row)
    },
    .binary(dayTime, .double, returns: .exact(.intervalDayToSecond)) { (a: Int64, b: Double, row) -> Int64 in
      whole(Double(a) * b, a, b, "multiply", .intervalDayToSecond, &row)
    },
    .binary(.double, dayTime, returns: .exact(.intervalDayToSecond)) { (a: Double, b: Int64, row) -> Int64 in
      whole(a * Double(b), b, a, "multiply", .intervalDayToSecond, &row)
    },
    .binary(yearMonth, .bigint, returns: .exact(.intervalYearToMonth)) { (a: Int32, b: Int64, row) -> Int32 in
      Int32(truncatingIfNeeded: multiply(Int64(a), b, .intervalYearToMonth, isReversed: false, &row))
    },
    .binary(.bigint, yearMonth, returns: .exact(.intervalYearToMonth)) { (a: Int64, b: Int32, row) -> Int32 in
      Int32(truncatingIfNeeded: multiply(Int64(b), a, .intervalYearToMonth, isReversed: true, &row))
    },
    .binary(yearMonth, .double, returns: .exact(.intervalYearToMonth)) { (a: Int32, b: Double, row) -> Int32 in
      Int32(truncatingIfNeeded: whole(Double(a) * b, Int64(a), b, "multiply", .intervalYearToMonth, &row))
    },
    .binary(.double, yearMonth, returns: .exact(.intervalYearToMonth)) { (a: Double, b: Int32, row) -> Int32 in
      Int32(truncatingIfNeeded: whole(a * Double(b), Int64(b), a, "multiply", .intervalYearToMonth, &row))
    },
  ]

  static let divisions: [ScalarOverload] = [
    .binary(dayTime, .double, returns: .exact(.intervalDayToSecond)) { (a: Int64, b: Double, row) -> Int64 in
      whole(Double(a) / b, a, b, "divide", .intervalDayToSecond, &row)
    },
    .binary(yearMonth, .double, returns: .exact(.intervalYearToMonth)) { (a: Int32, b: Double, row) -> Int32 in
      Int32(truncatingIfNeeded: whole(Double(a) / b, Int64(a), b, "divide", .intervalYearToMonth, &row))
    },
  ]

  static let negations: [ScalarOverload] = [
    .unary(dayTime, returns: .exact(.intervalDayToSecond)) { (a: Int64, row) -> Int64 in
      if a == Int64.min { row.fail(.numericValueOutOfRange, "interval day to second negation overflow: \(a)") }
      return 0 &- a
    },
    .unary(yearMonth, returns: .exact(.intervalYearToMonth)) { (a: Int32, row) -> Int32 in
      if a == Int32.min { row.fail(.numericValueOutOfRange, "interval year to month negation overflow: \(a)") }
      return 0 &- a
    },
  ]

  // MARK: Intervals

  private static func intervalSum<T: FixedWidthInteger & KernelValue>(
    _ type: DataType, _: T.Type, _ name: String, _ symbol: String,
    _ operation: @escaping @Sendable (T, T) -> (partialValue: T, overflow: Bool)
  ) -> ScalarOverload {
    .binary(.exact(type), .exact(type), returns: .exact(type)) { (a: T, b: T, row) -> T in
      let (result, overflows) = operation(a, b)
      if overflows { row.fail(.numericValueOutOfRange, "\(type) \(name) overflow: \(a) \(symbol) \(b)") }
      return result
    }
  }

  private static func multiply(
    _ interval: Int64, _ factor: Int64, _ type: DataType, isReversed: Bool, _ row: inout RowContext
  ) -> Int64 {
    let (result, overflows) = interval.multipliedReportingOverflow(by: factor)
    if overflows || (type == .intervalYearToMonth && Int32(exactly: result) == nil) {
      let (a, b) = isReversed ? (factor, interval) : (interval, factor)
      row.fail(.numericValueOutOfRange, "\(type) multiplication overflow: \(a) * \(b)")
    }
    return result
  }

  private static func whole(
    _ value: Double, _ interval: Int64, _ factor: Double, _ verb: String, _ type: DataType, _ row: inout RowContext
  ) -> Int64 {
    if value.isNaN || value.isInfinite {
      row.fail(.invalidFunctionArgument, "Cannot \(verb) interval \(interval) by double \(factor)")
      return 0
    }
    let limit = type == .intervalYearToMonth ? 2_147_483_648.0 : 9_223_372_036_854_775_808.0
    guard value > -limit - 1, value >= -limit, value < limit else {
      row.fail(.numericValueOutOfRange, "\(type) overflow: \(interval) \(verb == "divide" ? "/" : "*") \(factor)")
      return 0
    }
    return Int64(value)
  }

  // MARK: Moving points in time

  /// `x ± interval`, or `interval + x`.
  private static func shifts(_ sign: Int64, isReversed: Bool = false) -> [ScalarOverload] {
    let points: [TypePattern] = [.date, .time, .timeWithTimeZone, .timestamp, .timestampWithTimeZone]
    var overloads: [ScalarOverload] = []
    for point in points {
      for interval in [dayTime, yearMonth] {
        // Times of day know no months.
        if interval == yearMonth, point == .time || point == .timeWithTimeZone { continue }
        let pointIndex = isReversed ? 1 : 0
        let returns = ReturnType.computed { (types: [DataType]) throws(QueryError) -> DataType in
          interval == yearMonth ? types[pointIndex] : atLeastMillis(types[pointIndex])
        }
        let signature = Signature(isReversed ? [interval, point] : [point, interval], returns: returns)
        overloads.append(
          ScalarOverload(signature) { (binding: SignatureBinding) throws(QueryError) -> Kernel in
            let type = binding.argumentTypes[pointIndex]
            let isYearMonth = interval == yearMonth
            return { (columns, n, context) throws(QueryError) -> Column in
              let arguments = isReversed ? [columns[1], columns[0]] : columns
              return shift(arguments, n, &context, type, sign, isYearMonth: isYearMonth)
            }
          })
      }
    }
    return overloads
  }

  private static func atLeastMillis(_ type: DataType) -> DataType {
    switch type {
    case .time(let p): .time(precision: max(3, p))
    case .timeWithTimeZone(let p): .timeWithTimeZone(precision: max(3, p))
    case .timestamp(let p): .timestamp(precision: max(3, p))
    case .timestampWithTimeZone(let p): .timestampWithTimeZone(precision: max(3, p))
    default: type
    }
  }

  private static func shift(
    _ columns: [Column], _ n: Int, _ context: inout KernelContext, _ type: DataType, _ sign: Int64, isYearMonth: Bool
  ) -> Column {
    let (x, y) = (columns[0].view, columns[1].view)
    switch (type, isYearMonth) {
    case (.date, true):
      return mapRows(columns, n, &context) { row, rows -> Int32 in
        let months = Int(sign) &* Int(y.value(row, as: Int32.self))
        let days = CalendarDate.adding(months: months, to: Int(x.value(row, as: Int32.self)))
        return narrow(days, &rows)
      }
    case (.date, false):
      return mapRows(columns, n, &context) { row, rows -> Int32 in
        let millis = y.value(row, as: Int64.self)
        if millis % 86_400_000 != 0 {
          rows.fail(.invalidFunctionArgument, "Cannot \(sign > 0 ? "add" : "subtract") hour, minutes or seconds \(sign > 0 ? "to" : "from") a date")
          return 0
        }
        return narrow(Int(x.value(row, as: Int32.self)) &+ Int(sign &* (millis / 86_400_000)), &rows)
      }
    case (.time, _):
      return mapRows(columns, n, &context) { row, _ -> Int64 in
        wrapped(x.value(row, as: Int64.self), sign, y.value(row, as: Int64.self))
      }
    case (.timeWithTimeZone, _):
      return mapRows(columns, n, &context) { row, _ -> Int128 in
        let value = x.value(row, as: Int128.self)
        let local = wrapped(ZonedTime.localPicos(value), sign, y.value(row, as: Int64.self))
        return ZonedTime.pack(localPicos: local, offsetMinutes: ZonedTime.offsetMinutes(value))
      }
    case (.timestamp(let p), let isYearMonth) where p <= DataType.maxShortTimestampPrecision:
      if isYearMonth {
        return mapRows(columns, n, &context) { row, rows -> Int64 in
          let micros = x.value(row, as: Int64.self)
          let days = CalendarDate.floorDivide(micros, microsPerDay)
          let moved = CalendarDate.adding(months: Int(sign) &* Int(y.value(row, as: Int32.self)), to: Int(days))
          return checkedMicros(Int64(moved), micros &- days &* microsPerDay, &rows)
        }
      }
      return mapRows(columns, n, &context) { row, rows -> Int64 in
        let (micros, overflows) = y.value(row, as: Int64.self).multipliedReportingOverflow(by: 1000 &* sign)
        let (sum, carries) = x.value(row, as: Int64.self).addingReportingOverflow(micros)
        if overflows || carries { rows.fail(.numericValueOutOfRange, "timestamp overflow") }
        return sum
      }
    case (.timestamp, true):
      return mapRows(columns, n, &context) { row, _ -> Int128 in
        moved(x.value(row, as: Int128.self), months: Int(sign) &* Int(y.value(row, as: Int32.self)))
      }
    case (.timestamp, false):
      return mapRows(columns, n, &context) { row, _ -> Int128 in
        x.value(row, as: Int128.self) &+ Int128(sign) &* Int128(y.value(row, as: Int64.self)) &* Int128(picosPerMilli)
      }
    case (.timestampWithTimeZone, false):
      return mapRows(columns, n, &context) { row, _ -> Int128 in
        let value = x.value(row, as: Int128.self)
        let millis = Int128(sign) &* Int128(y.value(row, as: Int64.self))
        return ZonedTimestamp.pack(
          utcPicos: ZonedTimestamp.utcPicos(value) &+ millis &* Int128(picosPerMilli), ZonedTimestamp.key(value))
      }
    default:
      var cursor = TimeZoneCursor()
      return mapRows(columns, n, &context) { row, _ -> Int128 in
        let value = x.value(row, as: Int128.self)
        let local = moved(
          ZonedTimestamp.localPicos(value, &cursor), months: Int(sign) &* Int(y.value(row, as: Int32.self)))
        return ZonedTimestamp.pack(localPicos: local, in: cursor.zone(ZonedTimestamp.key(value)))
      }
    }
  }

  private static func narrow(_ days: Int, _ rows: inout RowContext) -> Int32 {
    if let result = Int32(exactly: days) { return result }
    rows.fail(.numericValueOutOfRange, "date overflow: \(days) days")
    return 0
  }

  private static func checkedMicros(_ days: Int64, _ rest: Int64, _ rows: inout RowContext) -> Int64 {
    let (product, overflows) = days.multipliedReportingOverflow(by: microsPerDay)
    let (sum, carries) = product.addingReportingOverflow(rest)
    if overflows || carries { rows.fail(.numericValueOutOfRange, "timestamp overflow") }
    return sum
  }

  /// A time of day moved within its day.
  private static func wrapped(_ picos: Int64, _ sign: Int64, _ millis: Int64) -> Int64 {
    let shift = sign &* (millis % 86_400_000) &* picosPerMilli
    return CalendarDate.floorRemainder(picos &+ shift, picosPerDay)
  }

  /// Picoseconds since 1970-01-01, moved by months.
  private static func moved(_ picos: Int128, months: Int) -> Int128 {
    let perDay = Int128(picosPerDay)
    var (days, rest) = picos.quotientAndRemainder(dividingBy: perDay)
    if rest < 0 {
      days -= 1
      rest += perDay
    }
    return Int128(CalendarDate.adding(months: months, to: Int(truncatingIfNeeded: days))) &* perDay &+ rest
  }

  // MARK: Differences

  /// `x - y` of two points of one kind: an interval, rounded to milliseconds.
  private static func difference(_ pattern: TypePattern) -> ScalarOverload {
    ScalarOverload(Signature([pattern, pattern], returns: .exact(.intervalDayToSecond))) {
      (binding: SignatureBinding) throws(QueryError) -> Kernel in
      let loads = binding.argumentTypes.map(PicosLoader.init)
      return { (columns, n, context) throws(QueryError) -> Column in
        let (x, y) = (columns[0].view, columns[1].view)
        return mapRows(columns, n, &context) { row, rows -> Int64 in
          let picos = loads[0].load(x, row) &- loads[1].load(y, row)
          let millis = TimestampText.round(picos, toPrecision: 3) / Int128(picosPerMilli)
          guard let result = Int64(exactly: millis) else {
            rows.fail(.numericValueOutOfRange, "interval day to second overflow")
            return 0
          }
          return result
        }
      }
    }
  }

  /// Reads any point in time as picoseconds.
  private struct PicosLoader: Sendable {
    enum Kind { case time, timeWithZone, micros, picos, instant }
    let kind: Kind

    init(_ type: DataType) {
      switch type {
      case .time: kind = .time
      case .timeWithTimeZone: kind = .timeWithZone
      case .timestamp(let p): kind = p <= DataType.maxShortTimestampPrecision ? .micros : .picos
      default: kind = .instant
      }
    }

    @inline(__always)
    func load(_ view: ColumnView, _ row: Int) -> Int128 {
      switch kind {
      case .time: Int128(view.value(row, as: Int64.self))
      case .timeWithZone: Int128(ZonedTime.utcPicos(view.value(row, as: Int128.self)))
      case .micros: Int128(view.value(row, as: Int64.self)) &* 1_000_000
      case .picos: view.value(row, as: Int128.self)
      case .instant: ZonedTimestamp.utcPicos(view.value(row, as: Int128.self))
      }
    }
  }
}
