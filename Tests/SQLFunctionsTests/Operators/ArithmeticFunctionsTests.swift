import Columnar
import QueryErrors
import Testing

@testable import SQLFunctions

@Suite struct ArithmeticFunctionsTests {
  typealias H = FunctionHarness

  @Test func integers() {
    #expect(H.call("+", (.integer(3), .integer), (.integer(4), .bigint)) == "7")
    #expect(H.call("-", (.integer(-128), .tinyint), (.integer(1), .tinyint)) == "NUMERIC_VALUE_OUT_OF_RANGE: tinyint subtraction overflow: -128 - 1")
    #expect(
      H.call("*", (.integer(.max), .bigint), (.integer(2), .bigint))
        == "NUMERIC_VALUE_OUT_OF_RANGE: bigint multiplication overflow: 9223372036854775807 * 2")
    #expect(
      H.call("/", (.integer(.min), .bigint), (.integer(-1), .bigint))
        == "NUMERIC_VALUE_OUT_OF_RANGE: bigint division overflow: -9223372036854775808 / -1")
    #expect(H.call("/", (.integer(17), .integer), (.integer(0), .integer)) == "DIVISION_BY_ZERO: Division by zero")
    #expect(H.call("/", (.integer(-7), .integer), (.integer(2), .integer)) == "-3")
    #expect(H.call("%", (.integer(.min), .bigint), (.integer(-1), .bigint)) == "0")
    #expect(
      H.call("negate", (.integer(Int64(Int32.min)), .integer))
        == "NUMERIC_VALUE_OUT_OF_RANGE: integer negation overflow: -2147483648")
    #expect(H.call("+", (.null, .integer), (.integer(1), .integer)) == "NULL")
  }

  @Test func floatingPoint() {
    #expect(H.call("/", (.double(1), .double), (.double(0), .double)) == "Infinity")
    #expect(H.call("%", (.double(7.5), .double), (.double(2), .double)) == "1.5")
    #expect(H.call("+", (.integer(1), .bigint), (.real(0.5), .real)) == "1.5")
  }

  @Test func decimals() {
    func d(_ text: String, _ p: Int, _ s: Int) -> (Scalar, DataType) { H.value(text, .decimal(precision: p, scale: s)) }
    #expect(H.call("+", d("37.7", 3, 1), d("17.1", 3, 1)) == "54.8")
    #expect(H.call("+", d("99999999999999999.9", 18, 1), d("0.11", 3, 2)) == "100000000000000000.01")
    #expect(H.call("-", d("1.5", 2, 1), (.integer(2), .bigint)) == "-0.5")
    #expect(H.call("*", d("1.50", 3, 2), d("-2.5", 2, 1)) == "-3.750")
    #expect(
      H.call("*", d("99999999999999999999999999999999999999", 38, 0), d("2", 1, 0))
        == "NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow")
    #expect(H.call("/", d("1.0", 2, 1), d("3.0", 2, 1)) == "0.3")
    #expect(H.call("/", d("5.00", 3, 2), d("-3", 1, 0)) == "-1.67")
    #expect(H.call("/", d("1", 1, 0), d("12345678901234567890.5", 21, 1)) == "0.0")
    #expect(H.call("%", d("7.5", 2, 1), d("2.25", 3, 2)) == "0.75")
    #expect(H.call("%", d("-12345678901234567890.5", 21, 1), d("7", 1, 0)) == "-1.5")
    #expect(H.call("/", d("1", 1, 0), d("0", 1, 0)) == "DIVISION_BY_ZERO: Division by zero")
    #expect(H.call("negate", d("1.25", 3, 2)) == "-1.25")
  }

  @Test func datesAndIntervals() {
    let day = DataType.intervalDayToSecond
    let month = DataType.intervalYearToMonth
    #expect(H.call("+", H.value("2024-01-31", .date), (.integer(1), month)) == "2024-02-29")
    #expect(H.call("-", H.value("2024-03-01", .date), (.integer(86_400_000), day)) == "2024-02-29")
    #expect(H.call("-", H.value("2024-03-01", .date), H.value("2024-02-01", .date)) == "29 00:00:00.000")
    #expect(H.call("+", (.integer(10_800_000), day), H.value("2001-01-22 03:04:05", .timestamp(precision: 0))) == "2001-01-22 06:04:05.000")
    #expect(H.call("+", H.value("2001-01-22 03:04:05.123456789", .timestamp(precision: 9)), (.integer(-1), month)) == "2000-12-22 03:04:05.123456789")
    #expect(H.call("-", H.value("01:00", .time(precision: 0)), (.integer(7_200_000), day)) == "23:00:00.000")
    #expect(H.call("*", (.integer(86_400_000), day), (.double(2.5), .double)) == "2 12:00:00.000")
    #expect(H.call("/", (.integer(36), month), (.integer(2), .integer)) == "1-6")
    #expect(
      H.call("*", (.integer(2), month), (.integer(2_000_000_000), .integer))
        == "NUMERIC_VALUE_OUT_OF_RANGE: interval year to month multiplication overflow: 2 * 2000000000")
    // Winter time begins between: 25 hours, yet one day later on the clock.
    #expect(
      H.call("+", H.value("2024-10-20 12:00 Europe/Berlin", .timestampWithTimeZone(precision: 0)), (.integer(1), month))
        == "2024-11-20 12:00:00 Europe/Berlin")
  }

  @Test func errors() {
    #expect(H.call("+", (.integer(1), .integer), (.string("a"), .varchar(length: 1))) == "TYPE_MISMATCH: Cannot apply operator: integer + varchar(1)")
    #expect(H.call("negate", (.string("a"), .varchar(length: 1))) == "TYPE_MISMATCH: Cannot negate varchar(1)")
  }
}
