import Columnar
import Testing

@testable import SQLFunctions

@Suite struct ComparisonFunctionsTests {
  typealias H = FunctionHarness

  @Test func scalars() {
    #expect(H.call("<", (.integer(1), .integer), (.double(1.5), .double)) == "true")
    #expect(H.call("=", (.double(.nan), .double), (.double(.nan), .double)) == "false")
    #expect(H.call("<>", (.double(.nan), .double), (.double(.nan), .double)) == "true")
    #expect(H.call("is_distinct_from", (.double(.nan), .double), (.double(.nan), .double)) == "false")
    #expect(H.call("is_distinct_from", (.null, .bigint), (.integer(1), .bigint)) == "true")
    #expect(H.call("=", (.null, .bigint), (.integer(1), .bigint)) == "NULL")
    #expect(H.call(">=", (.string("a long string of text"), .text), (.string("a long string of"), .text)) == "true")
    #expect(H.call("=", (.string("short"), .text), (.string("short"), .text)) == "true")
    #expect(H.call("is_null", (.null, .unknown)) == "true")
    #expect(H.call("not", (.boolean(true), .boolean)) == "false")
  }

  @Test func charsCountAsPadded() {
    let a = H.value("abc", .char(length: 4))
    #expect(H.call(">", a, H.value("abc\u{0}", .char(length: 4))) == "true")
    #expect(H.call("=", H.value("a ", .char(length: 2)), H.value("a", .char(length: 3))) == "true")
  }

  @Test func instants() {
    let a = H.value("2024-01-01 12:00 Europe/Berlin", .timestampWithTimeZone(precision: 0))
    let b = H.value("2024-01-01 11:00 UTC", .timestampWithTimeZone(precision: 3))
    #expect(H.call("=", a, b) == "true")
    let c = H.value("12:00+02:00", .timeWithTimeZone(precision: 0))
    let d = H.value("10:00+00:00", .timeWithTimeZone(precision: 0))
    #expect(H.call("=", c, d) == "true")
    #expect(H.call("<", c, d) == "false")
  }

  @Test func nested() {
    let type = DataType.array(.bigint)
    #expect(H.call("=", (.array([.integer(1), .null]), type), (.array([.integer(1), .null]), type)) == "NULL")
    #expect(H.call("=", (.array([.integer(1), .null]), type), (.array([.integer(2), .null]), type)) == "false")
    #expect(H.call("<", (.array([.integer(1)]), type), (.array([.integer(1), .integer(0)]), type)) == "true")
    #expect(
      H.call("<", (.array([.null]), type), (.array([.integer(1)]), type))
        == "NULL")
  }

  @Test func extremes() {
    #expect(H.call("greatest", (.double(.nan), .double), (.integer(5), .integer)) == "5.0")
    #expect(H.call("least", (.integer(5), .integer), (.double(.nan), .double)) == "5.0")
    #expect(H.call("greatest", (.string("b"), .varchar(length: 1)), (.string("ab"), .varchar(length: 2))) == "b")
    #expect(H.call("nullif", (.integer(1), .integer), (.integer(1), .bigint)) == "NULL")
    #expect(H.call("nullif", (.integer(1), .integer), (.null, .bigint)) == "1")
    #expect(H.call("typeof", (.integer(1), .decimal(precision: 3, scale: 1))) == "decimal(3,1)")
  }

  @Test(arguments: [
    ("abc", "abc", true), ("abc", "a%", true), ("abc", "%c", true), ("abc", "%b%", true), ("abc", "a_c", true),
    ("aßc", "a_c", true), ("abc", "a_", false), ("", "%", true), ("", "", true), ("a", "", false), ("", "_", false),
    ("special requests here", "%special%requests%", true), ("requests special", "%special%requests%", false),
    ("aab", "%a_", true), ("abab", "ab%ab", true), ("aba", "ab%ab", false), ("xay", "%a%", true),
    ("日本語テキスト", "日_語%", true), ("a%c", "a%%c", true), ("mississippi", "%iss%ip%i", true),
    ("a long text that needs the wide search to be found somewhere in the middle of it", "%somewhere in%", true),
  ])
  func like(text: String, pattern: String, expected: Bool) {
    #expect(H.call("like", (.string(text), .text), (.string(pattern), .text)) == (expected ? "true" : "false"))
  }

  @Test func likeEscape() {
    #expect(H.call("like", (.string("a%c"), .text), (.string("a#%c"), .text), (.string("#"), .text)) == "true")
    #expect(H.call("like", (.string("abc"), .text), (.string("a#%c"), .text), (.string("#"), .text)) == "false")
    #expect(
      H.call("like", (.string("abc"), .text), (.string("a#c"), .text), (.string("#"), .text))
        == "INVALID_FUNCTION_ARGUMENT: Escape character must be followed by '%', '_' or the escape character itself")
    #expect(H.call("like", H.value("foo", .char(length: 5)), (.string("foo  "), .text)) == "true")
  }

  @Test func concatenation() {
    #expect(H.call("concat", (.string("ab"), .text), (.string("a somewhat longer text"), .text)) == "aba somewhat longer text")
    #expect(H.call("concat", (.string(""), .text), (.string(""), .text)) == "")
    #expect(H.call("concat", H.value("a", .char(length: 3)), H.value("b", .char(length: 2))) == "a  b ")
  }
}
