import Columnar
import Testing

@testable import SQLFunctions

@Suite struct CastRegistryTests {
  typealias H = FunctionHarness

  @Test func textToNumbers() {
    #expect(H.cast("123", .bigint) == "123")
    #expect(H.cast("-9223372036854775808", .bigint) == "-9223372036854775808")
    #expect(H.cast("9223372036854775808", .bigint) == "INVALID_CAST_ARGUMENT: Cannot cast '9223372036854775808' to BIGINT")
    #expect(H.cast("abc", .integer) == "INVALID_CAST_ARGUMENT: Cannot cast 'abc' to INT")
    #expect(H.cast(" 1.5e3 ", .double) == "1500.0")
    #expect(H.cast("1e400", .double) == "Infinity")
    #expect(H.cast("0.1", .real) == "0.1")
    #expect(H.cast("NaN", .double) == "NaN")
    #expect(H.cast("1e", .double) == "INVALID_CAST_ARGUMENT: Cannot cast '1e' to DOUBLE")
    #expect(H.cast("12.345", .decimal(precision: 4, scale: 2)) == "12.35")
    #expect(H.cast("1.5E1", .decimal(precision: 4, scale: 2)) == "15.00")
    #expect(H.cast(".05", .decimal(precision: 2, scale: 1)) == "0.1")
    #expect(H.cast("999.99", .decimal(precision: 3, scale: 1)).hasSuffix("Value too large."))
    #expect(H.cast("TRUE", .boolean) == "true")
  }

  @Test func numbers() {
    #expect(H.cast(.double(2.5), .double, .bigint) == "3")
    #expect(H.cast(.double(-2.5), .double, .bigint) == "-3")
    #expect(H.cast(.double(1e300), .double, .bigint).hasPrefix("NUMERIC_VALUE_OUT_OF_RANGE"))
    #expect(
      H.cast(.integer(9_223_372_036_854_775_807), .bigint, .integer) == "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for integer: 9223372036854775807")
    #expect(H.cast(.integer(12345), .decimal(precision: 5, scale: 2), .integer) == "123")
    #expect(H.cast(.integer(12350), .decimal(precision: 5, scale: 2), .integer) == "124")
    #expect(H.cast(.integer(-12345), .decimal(precision: 5, scale: 2), .double) == "-123.45")
    #expect(H.cast(.double(0.1), .double, .decimal(precision: 10, scale: 5)) == "0.10000")
    #expect(H.cast(.integer(5), .bigint, .decimal(precision: 38, scale: 10)) == "5.0000000000")
    #expect(H.cast(.boolean(true), .boolean, .double) == "1.0")
  }

  @Test func toText() {
    #expect(H.cast(.double(37.7), .double, .text) == "3.77E1")
    #expect(H.cast(.double(12_345_678.9), .double, .text) == "1.23456789E7")
    #expect(H.cast(.double(0), .double, .text) == "0E0")
    #expect(H.cast(.double(1200), .double, .varchar(length: 4)) == "INVALID_CAST_ARGUMENT: Value 1200.0 (1.2E3) cannot be represented as varchar(4)")
    #expect(H.cast(.integer(123), .bigint, .varchar(length: 2)) == "INVALID_CAST_ARGUMENT: Value 123 cannot be represented as varchar(2)")
    #expect(H.cast(.boolean(true), .boolean, .varchar(length: 3)) == "INVALID_CAST_ARGUMENT: Cannot cast 'true' to varchar(3)")
    #expect(H.cast("hello", .varchar(length: 3)) == "hel")
    #expect(H.cast("a  ", .char(length: 5)) == "a    ")
    #expect(H.cast(.integer(-5), .decimal(precision: 3, scale: 3), .text) == "-0.005")
  }

  @Test func output() {
    #expect(H.cast("1e7", .double) == "1.0E7")
    #expect(H.cast("9999999", .double) == "9999999.0")
    #expect(H.cast("0.001", .double) == "0.001")
    #expect(H.cast("0.0001", .double) == "1.0E-4")
    #expect(H.cast("5e-324", .double) == "4.9E-324")
    #expect(H.cast("123456.789", .double) == "123456.789")
    #expect(H.cast("3.4028235e38", .real) == "3.4028235E38")
  }

  @Test func datesAndTimes() {
    #expect(H.cast("13-2-2", .date) == "0013-02-02")
    #expect(H.cast("2024-02-30", .date) == "INVALID_CAST_ARGUMENT: Value cannot be cast to date: 2024-02-30")
    #expect(
      H.cast("2022-01-01 25:00:00", .timestamp(precision: 3)) == "INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp: 2022-01-01 25:00:00")
    #expect(H.cast("2001-1-22 03:04:05.3219", .timestamp(precision: 3)) == "2001-01-22 03:04:05.322")
    #expect(H.cast("1969-12-31 23:59:59.9999999", .timestamp(precision: 6)) == "1970-01-01 00:00:00.000000")
    #expect(H.cast("-12001-05-01 12:34:56.111111111111", .timestamp(precision: 12)) == "-12001-05-01 12:34:56.111111111111")
    #expect(H.cast("23:59:59.9999", .time(precision: 3)) == "00:00:00.000")
    #expect(H.cast("12:34+05:45", .timeWithTimeZone(precision: 0)) == "12:34:00+05:45")
    #expect(H.cast("2024-03-31 02:30 Europe/Berlin", .timestampWithTimeZone(precision: 0)) == "2024-03-31 03:30:00 Europe/Berlin")
    #expect(H.cast("2011-12-30 12:00 Pacific/Apia", .timestampWithTimeZone(precision: 0)) == "2011-12-31 12:00:00 Pacific/Apia")
    let (zoned, type) = H.value("2024-10-27 02:30:00 Europe/Berlin", .timestampWithTimeZone(precision: 0))
    #expect(H.cast(zoned, type, .timeWithTimeZone(precision: 0)) == "02:30:00+01:00")
    #expect(H.cast(zoned, type, .date) == "2024-10-27")
    #expect(H.cast(zoned, type, .timestamp(precision: 9)) == "2024-10-27 02:30:00.000000000")
    #expect(H.cast(H.value("2024-01-01", .date).0, .date, .timestampWithTimeZone(precision: 3)) == "2024-01-01 00:00:00.000 Pacific/Apia")
    let (timestamp, _) = H.value("2024-01-01 10:11:12.5", .timestamp(precision: 1))
    #expect(H.cast(timestamp, .timestamp(precision: 1), .timestamp(precision: 0)) == "2024-01-01 10:11:13")
  }

  @Test func json() {
    let map = DataType.map(key: .text, value: .bigint)
    #expect(H.cast(.map([.init(key: .string("b"), value: .integer(1)), .init(key: .string("a"), value: .null)]), map, .json) == #"{"a":null,"b":1}"#)
    #expect(H.cast(.string("a\"b"), .text, .json) == #""a\"b""#)
    #expect(H.cast(.double(.nan), .double, .json) == #""NaN""#)
    #expect(H.cast(.string("128.9"), .json, .bigint) == "129")
    #expect(H.cast(.string("\"12\""), .json, .integer) == "12")
    #expect(H.cast(.string("null"), .json, .integer) == "NULL")
    #expect(H.cast(.string("1e309"), .json, .bigint).hasPrefix("INVALID_CAST_ARGUMENT"))
    #expect(H.cast(.string("[1,null,\"3\"]"), .json, .array(.bigint)) == "[1, null, 3]")
    #expect(H.cast(.string("[1, 2, 3"), .json, .array(.bigint)).hasPrefix("INVALID_CAST_ARGUMENT: Cannot cast to array(bigint)."))
    #expect(H.cast(.string("{\"k\":[1],\"m\":{}}"), .json, .map(key: .text, value: .json)) == "{k=[1], m={}}")
    let row = DataType.row([.init(name: "a", type: .bigint), .init(name: "b", type: .text)])
    #expect(H.cast(.string("{\"B\":\"x\",\"a\":1,\"c\":[2]}"), .json, row) == "{a=1, b=x}")
    #expect(H.cast(.string("[1,\"x\"]"), .json, row) == "{a=1, b=x}")
    #expect(H.cast(.row([.integer(1), .string("x")]), row, .json) == #"{"a":1,"b":"x"}"#)
    #expect(
      H.cast(.string("[[1], {}]"), .json, .array(.array(.bigint))).hasPrefix(
        "INVALID_CAST_ARGUMENT: Cannot cast to array(array(bigint)). Expected a json array, but got {"))
  }

  @Test func canonicalJSON() {
    func canonical(_ text: String) -> String? {
      let out = TextBuffer()
      var copy = text
      return copy.withUTF8 { JSONText.appendCanonical($0.baseAddress!, $0.count, to: out) } ? out.string : nil
    }
    #expect(canonical(#" { "b" : 1.50 , "a" : "\u0041\n", "b":2 } "#) == #"{"a":"A\n","b":2}"#)
    #expect(canonical("[1e10, 01]") == nil)
    #expect(canonical("[1e10,true,null]") == "[1.0E10,true,null]")
    #expect(canonical("null 123") == nil)
    #expect(canonical(String(repeating: "[", count: 5000)) == nil)
    #expect(canonical(#""\ud83d\ude00""#) == "\"😀\"")
  }

  @Test func nested() {
    #expect(H.cast(.array([.integer(1), .null]), .array(.bigint), .array(.text)) == "[1, null]")
    #expect(H.cast(.array([.string("x")]), .array(.text), .array(.bigint)) == "INVALID_CAST_ARGUMENT: Cannot cast 'x' to BIGINT")
    #expect(H.cast(.row([.integer(1)]), .row([.init(name: nil, type: .integer)]), .row([.init(name: "a", type: .double)])) == "{a=1.0}")
    #expect(!CastRegistry.canCast(.integer, to: .date))
  }

  @Test func addresses() {
    #expect(H.cast("2001:0db8:0000:0000:0000:ff00:0042:8329", .ipaddress) == "2001:db8::ff00:42:8329")
    #expect(H.cast("2001:db8:0:0:1:0:0:1", .ipaddress) == "2001:db8::1:0:0:1")
    #expect(H.cast("1.2.3.4", .ipaddress) == "1.2.3.4")
    #expect(H.cast("789.1.1.1", .ipaddress) == "INVALID_CAST_ARGUMENT: Cannot cast value to IPADDRESS: 789.1.1.1")
    #expect(H.cast("12151fd2-7586-11e9-8f9e-2a86e4085a59", .uuid) == "12151fd2-7586-11e9-8f9e-2a86e4085a59")
    #expect(H.cast("1-2-3-4-1", .uuid) == "INVALID_CAST_ARGUMENT: Invalid UUID string length: 9")
  }

  @Test func zones() throws {
    #expect(TimeZoneDatabase.find("gmt") == .utc)
    #expect(TimeZoneDatabase.find("europe/berlin").map(TimeZoneDatabase.name) == "Europe/Berlin")
    #expect(TimeZoneDatabase.find("UTC+5").map(TimeZoneDatabase.name) == "+05:00")
    #expect(TimeZoneDatabase.find("Etc/GMT-5").map(TimeZoneDatabase.name) == "+05:00")
    #expect(TimeZoneDatabase.find("+15:00") == nil)
    #expect(TimeZoneDatabase.find("../../etc/passwd") == nil)
    let berlin = TimeZoneDatabase.rules(try #require(TimeZoneDatabase.find("Europe/Berlin")))
    #expect(berlin.offset(utcSeconds: 1_720_000_000) == 7200)
    #expect(berlin.offset(utcSeconds: 1_720_000_000 + 4 * 12_622_780_800) == 7200)
    #expect(berlin.offset(utcSeconds: -3_000_000_000) == 3208)
  }
}
