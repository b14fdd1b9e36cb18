import Columnar
import Testing

@Suite struct TypeCoercionTests {
  @Test func numbers() {
    #expect(TypeCoercion.canCoerce(.integer, to: .bigint))
    #expect(TypeCoercion.canCoerce(.bigint, to: .decimal(precision: 19, scale: 0)))
    #expect(!TypeCoercion.canCoerce(.bigint, to: .decimal(precision: 18, scale: 0)))
    #expect(!TypeCoercion.canCoerce(.double, to: .real))
    #expect(TypeCoercion.commonSuperType(.integer, .decimal(precision: 3, scale: 1)) == .decimal(precision: 11, scale: 1))
    #expect(TypeCoercion.commonSuperType(.bigint, .real) == .real)
    #expect(TypeCoercion.commonSuperType(.integer, .varchar(length: 1)) == nil)
  }

  @Test func textsAndTimes() {
    #expect(TypeCoercion.canCoerce(.varchar(length: 3), to: .text))
    #expect(!TypeCoercion.canCoerce(.text, to: .varchar(length: 3)))
    #expect(TypeCoercion.commonSuperType(.char(length: 5), .varchar(length: 3)) == .char(length: 5))
    #expect(TypeCoercion.canCoerce(.date, to: .timestampWithTimeZone(precision: 3)))
    #expect(TypeCoercion.commonSuperType(.timestamp(precision: 3), .date) == .timestamp(precision: 3))
    #expect(TypeCoercion.commonSuperType(.array(.unknown), .array(.bigint)) == .array(.bigint))
  }

  @Test func calendar() {
    for day in stride(from: -1_000_000, through: 1_000_000, by: 12_347) {
      let (y, m, d) = CalendarDate.civil(day)
      #expect(CalendarDate.days(year: y, month: m, day: d) == day)
    }
    #expect(CalendarDate.isoWeek(CalendarDate.days(year: 2021, month: 1, day: 3)) == (2020, 53))
    #expect(CalendarDate.isoWeekday(0) == 4)
    #expect(CalendarDate.civil(CalendarDate.adding(months: -1, to: CalendarDate.days(year: 2024, month: 3, day: 31))) == (2024, 2, 29))
  }

  @Test func intervals() {
    #expect(IntervalText.parse("1 02:03:04.5", from: .day, to: .second) == 93_784_500)
    #expect(IntervalText.parse("-1-6", from: .year, to: .month) == -18)
    #expect(IntervalText.parse("2.5", from: .second, to: nil) == 2500)
    #expect(IntervalText.parse("x", from: .day, to: nil) == nil)
  }

  @Test func wideDivision() {
    #expect(DecimalMath.divide(1, shiftedBy: 37, by: 3) == 3_333_333_333_333_333_333_333_333_333_333_333_333)
    #expect(DecimalMath.divide(DecimalMath.power(37), shiftedBy: 30, by: DecimalMath.power(36) * 3) == 3_333_333_333_333_333_333_333_333_333_333)
    #expect(DecimalMath.remainder(DecimalMath.power(37) + 1, shiftedBy: 10, by: 7, shiftedBy: 0) != nil)
  }
}
