/// Arithmetic of the proleptic Gregorian calendar.
///
/// - Units: days since 1970-01-01.
/// - Source: Hinnant, "chrono-Compatible Low-Level Date Algorithms".
public enum CalendarDate {
  /// The day number of a date; the month within 1 to 12, the day may run over.
  @inlinable @inline(__always)
  public static func days(year: Int, month: Int, day: Int) -> Int {
    let y = month <= 2 ? year &- 1 : year
    let era = (y >= 0 ? y : y &- 399) / 400
    let yearOfEra = y &- era &* 400
    let dayOfYear = (153 &* (month &+ (month > 2 ? -3 : 9)) &+ 2) / 5 &+ day &- 1
    return era &* 146_097 &+ yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear &- 719_468
  }

  /// The date of a day number.
  @inlinable @inline(__always)
  public static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
    let z = days &+ 719_468
    let era = (z >= 0 ? z : z &- 146_096) / 146_097
    let dayOfEra = z &- era &* 146_097
    let yearOfEra = (dayOfEra &- dayOfEra / 1460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
    let shifted = (5 &* dayOfYear &+ 2) / 153
    let month = shifted < 10 ? shifted &+ 3 : shifted &- 9
    let day = dayOfYear &- (153 &* shifted &+ 2) / 5 &+ 1
    return (yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0), month, day)
  }

  @inlinable
  public static func isLeap(_ year: Int) -> Bool { year & 3 == 0 && (year % 100 != 0 || year % 400 == 0) }

  @inlinable
  public static func daysInMonth(year: Int, month: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Whether the fields name a day.
  @inlinable
  public static func isValid(year: Int, month: Int, day: Int) -> Bool {
    month >= 1 && month <= 12 && day >= 1 && (day <= 28 || day <= daysInMonth(year: year, month: month))
  }

  /// Monday 1 to Sunday 7.
  @inlinable
  public static func isoWeekday(_ days: Int) -> Int {
    let r = (days &+ 3) % 7
    return (r < 0 ? r &+ 7 : r) &+ 1
  }

  /// 1 to 366.
  @inlinable
  public static func dayOfYear(_ days: Int) -> Int {
    days &- self.days(year: civil(days).year, month: 1, day: 1) &+ 1
  }

  /// The week of the ISO calendar and the year it belongs to.
  ///
  /// - Source: ISO 8601: the week with the year's first Thursday is week 1.
  @inlinable
  public static func isoWeek(_ days: Int) -> (year: Int, week: Int) {
    let thursday = days &- isoWeekday(days) &+ 4
    let year = civil(thursday).year
    return (year, (thursday &- self.days(year: year, month: 1, day: 1)) / 7 &+ 1)
  }

  /// The same day `months` later, at the latest the last of that month.
  @inlinable
  public static func adding(months: Int, to days: Int) -> Int {
    let (year, month, day) = civil(days)
    let total = year &* 12 &+ (month &- 1) &+ months
    let newYear = total >= 0 ? total / 12 : (total &- 11) / 12
    let newMonth = total &- newYear &* 12 &+ 1
    return self.days(
      year: newYear, month: newMonth, day: min(day, daysInMonth(year: newYear, month: newMonth)))
  }

  /// Division that rounds down.
  @inlinable @inline(__always)
  public static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
    let quotient = a / b
    return a % b < 0 ? quotient &- 1 : quotient
  }

  /// What `floorDivide` leaves, 0 ..< b.
  @inlinable @inline(__always)
  public static func floorRemainder(_ a: Int64, _ b: Int64) -> Int64 {
    let rest = a % b
    return rest < 0 ? rest &+ b : rest
  }
}
