import Columnar

/// What a date part function reads from each temporal type.
///
/// - Units: days since 1970-01-01; microseconds or picoseconds of the day.
enum TimeFields {
  static let microsPerDay: Int64 = 86_400_000_000
  static let picosPerDay = Int128(ZonedTime.picosPerDay)
  static let picosPerMilli: Int64 = 1_000_000_000

  /// Calls `body` with each row's day number and makes bigints of its answers; NULL rows may be asked too.
  ///
  /// - Parameter columns: one column of date, timestamp or timestamp with time zone.
  @inline(__always)
  static func days(_ column: Column, _ n: Int, _ body: (Int) -> Int64) -> Column {
    let values = Buffer(byteCount: n * 8)
    let out = values.typed(Int64.self)
    switch column.type {
    case .date: fillUnary(column, n, out) { (days: Int32) in body(Int(days)) }
    case .timestamp(let p) where p <= DataType.maxShortTimestampPrecision:
      fillUnary(column, n, out) { (micros: Int64) in body(Int(floorDay(micros))) }
    case .timestamp: fillUnary(column, n, out) { (picos: Int128) in body(Int(floorDay(picos))) }
    default:
      var cursor = TimeZoneCursor()
      let x = column.view
      var row = 0
      while row < n {
        out[row] = x.isNull(row) ? 0 : body(Int(floorDay(ZonedTimestamp.localPicos(x.value(row, as: Int128.self), &cursor))))
        row &+= 1
      }
    }
    return Column(flat: .bigint, count: n, values: values, validity: column.validity)
  }

  /// Calls `body` with each row's microseconds of the day and makes bigints of its answers.
  ///
  /// - Parameter columns: one column of time, timestamp, either with or without time zone.
  @inline(__always)
  static func timesOfDay(_ column: Column, _ n: Int, _ body: (Int64) -> Int64) -> Column {
    let values = Buffer(byteCount: n * 8)
    let out = values.typed(Int64.self)
    switch column.type {
    case .time: fillUnary(column, n, out) { (picos: Int64) in body(picos / 1_000_000) }
    case .timeWithTimeZone:
      fillUnary(column, n, out) { (value: Int128) in body(ZonedTime.localPicos(value) / 1_000_000) }
    case .timestamp(let p) where p <= DataType.maxShortTimestampPrecision:
      fillUnary(column, n, out) { (micros: Int64) in body(micros &- floorDay(micros) &* microsPerDay) }
    case .timestamp:
      fillUnary(column, n, out) { (picos: Int128) in body(microsOfDay(picos)) }
    default:
      var cursor = TimeZoneCursor()
      let x = column.view
      var row = 0
      while row < n {
        out[row] = x.isNull(row) ? 0 : body(microsOfDay(ZonedTimestamp.localPicos(x.value(row, as: Int128.self), &cursor)))
        row &+= 1
      }
    }
    return Column(flat: .bigint, count: n, values: values, validity: column.validity)
  }

  @inline(__always)
  static func floorDay(_ micros: Int64) -> Int64 { CalendarDate.floorDivide(micros, microsPerDay) }

  /// Days of picoseconds; far from any calendar it saturates.
  @inline(__always)
  static func floorDay(_ picos: Int128) -> Int64 {
    CalendarDate.floorDivide(ZonedTimestamp.floorSeconds(picos), 86_400)
  }

  @inline(__always)
  static func microsOfDay(_ picos: Int128) -> Int64 {
    let rest = picos &- Int128(floorDay(picos)) &* picosPerDay
    return Int64(truncatingIfNeeded: rest) / 1_000_000
  }

  static func floorDivide(_ a: Int128, _ b: Int128) -> Int128 {
    let (quotient, rest) = a.quotientAndRemainder(dividingBy: b)
    return rest < 0 ? quotient - 1 : quotient
  }
}

/// Year and month of day numbers without divisions by variables, for loops that vectorise.
///
/// - Source: Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms", 2022.
enum FastCalendar {
  /// 32-bit arithmetic holds for these day numbers: years −32,800 … 2,906,945 or so.
  private static let cycles: UInt32 = 82
  private static let shift: UInt32 = 719_468 + 146_097 * 82
  private static let yearShift: Int32 = 400 * 82

  /// Whether `fields` may be asked.
  @inline(__always)
  static func holds(_ days: Int) -> Bool { days > -12_000_000 && days < 1_000_000_000 }

  /// Year, month and day.
  @inline(__always)
  static func fields(_ days: Int32) -> (year: Int32, month: Int32, day: Int32) {
    let n = UInt32(bitPattern: days) &+ shift
    // Century.
    let n1 = 4 &* n &+ 3
    let c = n1 / 146_097
    let nc = n1 % 146_097 / 4
    // Year.
    let n2 = 4 &* nc &+ 3
    let p2 = UInt64(2_939_745) &* UInt64(n2)
    let z = UInt32(truncatingIfNeeded: p2 &>> 32)
    let ny = UInt32(truncatingIfNeeded: p2) / 2_939_745 / 4
    let y = 100 &* c &+ z
    // Month and day.
    let n3 = 2141 &* ny &+ 197_913
    let m = n3 &>> 16
    let d = (n3 & 0xffff) / 2141
    let isLate = UInt32(bit(ny >= 306))
    return (
      Int32(bitPattern: y &+ isLate) &- yearShift, Int32(bitPattern: m &- 12 &* isLate), Int32(bitPattern: d &+ 1)
    )
  }
}
