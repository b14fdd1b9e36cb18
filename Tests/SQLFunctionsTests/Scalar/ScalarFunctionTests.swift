import Columnar
import QueryErrors
import Testing

@testable import SQLFunctions

/// Scalar functions against values of Trino's tests.
@Suite struct ScalarFunctionTests {
  private func text(_ value: String) -> (Scalar, DataType) { (.string(value), .text) }
  private func bigint(_ value: Int64) -> (Scalar, DataType) { (.integer(value), .bigint) }
  private func double(_ value: Double) -> (Scalar, DataType) { (.double(value), .double) }
  private func bytes(_ value: [UInt8]) -> (Scalar, DataType) { (.bytes(value), .varbinary) }
  private func date(_ text: String) -> (Scalar, DataType) { (LiteralValues.date(text) ?? .null, .date) }
  private func timestamp(_ text: String) throws -> (Scalar, DataType) {
    let literal = try #require(try LiteralValues.timestamp(text))
    return (literal.value, literal.type)
  }

  @Test func lengthsAndParts() {
    #expect(FunctionHarness.call("length", text("naïve")) == "5")
    #expect(FunctionHarness.call("length", text("信念,爱,希望 and a long tail")) == "23")
    #expect(FunctionHarness.call("substr", text("Quadratically"), bigint(5)) == "ratically")
    #expect(FunctionHarness.call("substr", text("Quadratically"), bigint(5), bigint(6)) == "ratica")
    #expect(FunctionHarness.call("substr", text("Quadratically"), bigint(-7), bigint(4)) == "tica")
    #expect(FunctionHarness.call("substr", text("Quadratically"), bigint(0)) == "")
    #expect(FunctionHarness.call("substr", text("信念,爱,希望"), bigint(4), bigint(50)) == "爱,希望")
    #expect(FunctionHarness.call("trim", text("\t 信念 爱 ")) == "信念 爱")
    #expect(FunctionHarness.call("ltrim", text("  hello  "), text("he ")) == "llo  ")
    #expect(FunctionHarness.call("lpad", text("text"), bigint(9), text("xyz")) == "xyzxytext")
    #expect(FunctionHarness.call("rpad", text("text"), bigint(3), text("xy")) == "tex")
    #expect(
      FunctionHarness.call("lpad", text("abc"), bigint(-1), text("foo"))
        == "INVALID_FUNCTION_ARGUMENT: Target length must be in the range [0..2147483647]")
  }

  @Test func caseAndOrder() {
    #expect(FunctionHarness.call("lower", text("HELLO World, AZ[@`{az")) == "hello world, az[@`{az")
    #expect(FunctionHarness.call("upper", text("straße и ещё ᾀ")) == "STRAßE И ЕЩЁ ᾈ")
    #expect(FunctionHarness.call("lower", text("ÖSTERREICH İ")) == "österreich i")
    #expect(FunctionHarness.call("reverse", text("𐐭end")) == "dne𐐭")
    #expect(FunctionHarness.call("reverse", bytes([])) == "")
  }

  @Test func searching() {
    #expect(FunctionHarness.call("strpos", text("信念,爱,希望"), text("爱")) == "4")
    #expect(FunctionHarness.call("strpos", text("abc/xyz/foo/bar"), text("/"), bigint(-2)) == "8")
    #expect(FunctionHarness.call("replace", text("bar"), text(""), text("x")) == "xbxaxrx")
    #expect(FunctionHarness.call("replace", text("foobar"), text("o"), text("00")) == "f0000bar")
    #expect(FunctionHarness.call("split", text(".a.b.c"), text("."), bigint(3)) == "[, a, b.c]")
    #expect(FunctionHarness.call("split_part", text("abc-@-@-@-def"), text("-@-"), bigint(2)) == "@")
    #expect(FunctionHarness.call("translate", text("Palhoça"), text("ç"), text("c")) == "Palhoca")
    #expect(FunctionHarness.call("split_to_map", text("a=1,b=2"), text(","), text("=")) == "{a=1, b=2}")
    #expect(FunctionHarness.call("levenshtein_distance", text("hello world"), text("hel wold")) == "3")
    #expect(FunctionHarness.call("soundex", text("Tymczak")) == "T522")
  }

  @Test func regularExpressions() {
    #expect(FunctionHarness.call("regexp_like", text("Stephen"), text("Ste(v|ph)en")) == "true")
    #expect(FunctionHarness.call("regexp_replace", text("wxyz"), text("(?<w>w)|(?<xyz>[xyz])"), text("[${w}](${xyz})")) == "[w]()[](x)[](y)[](z)")
    #expect(FunctionHarness.call("regexp_replace", text("1a 2b"), text(""), text("X")) == "X1XaX X2XbX")
    #expect(FunctionHarness.call("regexp_extract", text("rat cat bat dog"), text("ra(.)|blah(.)(.)"), bigint(2)) == "NULL")
    #expect(FunctionHarness.call("regexp_extract_all", text("有朋9来"), text("\\d|朋")) == "[朋, 9]")
    #expect(FunctionHarness.call("regexp_position", text("有朋$%X自9远方9来"), text("\\d"), bigint(10), bigint(1)) == "10")
    #expect(
      FunctionHarness.call("regexp_extract", text("hello"), text("(.)"), bigint(2))
        == "INVALID_FUNCTION_ARGUMENT: Pattern has 1 groups. Cannot access group 2")
  }

  @Test func datesAndTimes() throws {
    #expect(FunctionHarness.call("year", date("-0001-03-01")) == "-1")
    #expect(FunctionHarness.call("day_of_year", date("2024-12-31")) == "366")
    #expect(FunctionHarness.call("year_of_week", date("2005-01-02")) == "2004")
    #expect(FunctionHarness.call("hour", try timestamp("1500-05-10 12:34:56.789")) == "12")
    #expect(FunctionHarness.call("date_trunc", text("week"), try timestamp("1969-12-31 23:59:59")) == "1969-12-29 00:00:00")
    #expect(FunctionHarness.call("date_trunc", text("minute"), try timestamp("1969-12-31 23:59:59.5")) == "1969-12-31 23:59:00.0")
    #expect(FunctionHarness.call("date_add", text("month"), bigint(1), date("2024-01-31")) == "2024-02-29")
    #expect(FunctionHarness.call("date_diff", text("year"), date("1960-05-03"), date("2001-08-22")) == "41")
    #expect(FunctionHarness.call("date_diff", text("month"), date("2024-01-31"), date("2024-02-29")) == "1")
    #expect(
      FunctionHarness.call("date_trunc", text("hour"), date("2024-01-31"))
        == "INVALID_FUNCTION_ARGUMENT: 'hour' is not a valid DATE field")
    #expect(
      FunctionHarness.call("date_format", try timestamp("2001-01-09 13:04:05.321"), text("%a %b %c %j %T %p %x-%v %f"))
        == "Tue Jan 1 009 13:04:05 PM 2001-02 321000")
    #expect(FunctionHarness.call("date_parse", text("2013-05-17 00:35:10"), text("%Y-%m-%d %H:%i:%s")) == "2013-05-17 00:35:10.000")
    #expect(FunctionHarness.call("parse_datetime", text("1960/01/22 03:04 +0500"), text("yyyy/MM/dd HH:mm Z")) == "1960-01-22 03:04:00.000 +05:00")
    #expect(FunctionHarness.call("to_iso8601", try timestamp("2001-08-22 03:04:05.321 +07:09")) == "2001-08-22T03:04:05.321+07:09")
    #expect(FunctionHarness.call("from_unixtime", double(7200), text("Asia/Tokyo")) == "1970-01-01 11:00:00.000 Asia/Tokyo")
    #expect(FunctionHarness.call("human_readable_seconds", double(535333.9513888889)) == "6 days, 4 hours, 42 minutes, 14 seconds")
  }

  /// The fast calendar against the plain one.
  @Test func fastCalendar() {
    var days = -11_999_999
    while days < 4_000_000 {
      let fast = FastCalendar.fields(Int32(days))
      let plain = CalendarDate.civil(days)
      #expect(Int(fast.year) == plain.year && Int(fast.month) == plain.month && Int(fast.day) == plain.day)
      days += 997
    }
  }

  @Test func numbers() {
    #expect(FunctionHarness.call("round", double(-1.5)) == "-2.0")
    #expect(FunctionHarness.call("round", (.integer(123_456), .decimal(precision: 6, scale: 3)), (.integer(1), .integer)) == "123.500")
    #expect(FunctionHarness.call("floor", (.integer(-1), .decimal(precision: 3, scale: 2))) == "-1")
    #expect(FunctionHarness.call("truncate", double(-17.9)) == "-17.0")
    #expect(FunctionHarness.call("to_base", bigint(-255), bigint(16)) == "-ff")
    #expect(FunctionHarness.call("width_bucket", double(3.14), double(4), double(0), bigint(3)) == "1")
    #expect(FunctionHarness.call("bit_count", bigint(-7), bigint(8)) == "6")
    #expect(FunctionHarness.call("bitwise_right_shift", bigint(-1), bigint(60)) == "15")
  }

  @Test func json() {
    #expect(FunctionHarness.call("json_extract_scalar", text("{\"a\": {\"b c\": [1, \"x\\ny\"]}}"), text("$.a[\"b c\"][1]")) == "x\ny")
    #expect(FunctionHarness.call("json_extract", text("{\"b\": 1, \"a\": 1.50}"), text("$")) == "{\"b\":1,\"a\":1.5}")
    #expect(FunctionHarness.call("json_array_get", text("[2, 7, 4]"), bigint(-1)) == "4")
    #expect(FunctionHarness.call("json_array_length", text("{\"a\": 1}")) == "NULL")
    #expect(FunctionHarness.call("json_size", text("{\"x\": {\"a\": 1, \"b\": 2}}"), text("$.x")) == "2")
    #expect(FunctionHarness.call("json_extract", text("{}"), text("a")) == "INVALID_FUNCTION_ARGUMENT: Invalid JSON path: 'a'")
  }

  @Test func urlsAndBytes() {
    #expect(FunctionHarness.call("url_extract_host", text("http://user@example.com:8080/p?q=1#f")) == "example.com")
    #expect(FunctionHarness.call("url_extract_path", text("https://example.com/a%20b?x=1")) == "/a b")
    #expect(FunctionHarness.call("url_extract_parameter", text("http://e.com/?a=1&k1&b=x%26y"), text("b")) == "x&y")
    #expect(FunctionHarness.call("url_extract_host", text("not a url")) == "NULL")
    #expect(FunctionHarness.call("url_decode", text("%2")).hasPrefix("INVALID_FUNCTION_ARGUMENT"))
    #expect(FunctionHarness.call("to_base64", bytes(Array("hello world".utf8))) == "aGVsbG8gd29ybGQ=")
    #expect(FunctionHarness.call("to_base32", bytes(Array("hello".utf8))) == "NBSWY3DP")
    #expect(FunctionHarness.call("xxhash64", bytes(Array("hashme".utf8))) == "f9 d9 6e 0e 11 65 e8 92")
    #expect(FunctionHarness.call("murmur3", bytes(Array("hashme".utf8))) == "93 19 2f e8 05 be 23 04 1c 83 18 f6 7e c4 f2 bc")
  }
}
