import CKernels
import Testing

@testable import FileFormats

/// Calls `body` with the text's bytes, readable for 64 more.
func withText<T>(_ text: String, _ body: (UnsafePointer<UInt8>, Int) -> T) -> T {
  let bytes = Array(text.utf8) + [UInt8](repeating: 0x39, count: 64)
  return bytes.withUnsafeBufferPointer { body($0.baseAddress!, text.utf8.count) }
}

@Suite struct NumberTextTests {
  @Test func integers() {
    func parse(_ text: String, strict: Bool = false) -> Int64? {
      withText(text) { p, n in
        var ok = true
        let value = NumberText.integer(p, n, isStrict: strict, &ok)
        return ok ? value : nil
      }
    }
    for value in [
      0, 1, 9, 10, 12_345_678, 123_456_789, 9_999_999_999_999_999, 12_345_678_901_234_567, Int64.max, -1, -99,
      Int64.min,
    ] {
      #expect(parse(String(value)) == value)
    }
    #expect(parse("9223372036854775808") == nil)
    #expect(parse("-9223372036854775809") == nil)
    #expect(parse("99999999999999999999") == nil)
    #expect(parse("0000000000000000000000012") == 12)
    #expect(parse("+5") == 5)
    for bad in ["-", "+", "1-", "1 ", "1.0", "abc", "12345678x", "x12345678", "--1", "1234567890123456x", "/", ":"] {
      #expect(parse(bad) == nil, "\(bad)")
    }
    #expect(parse("007", strict: true) == nil)
    #expect(parse("+7", strict: true) == nil)
    #expect(parse("0", strict: true) == 0)
    #expect(parse("-0", strict: true) == 0)
  }

  /// Bits as glibc's strtod and strtof give them.
  @Test func doublesAndFloats() {
    let lines = String(decoding: TextTesting.fixture("doubles.txt"), as: UTF8.self).split(separator: "\n")
    #expect(lines.count > 2000)
    for line in lines {
      let parts = line.split(separator: " ").map(String.init)
      withText(parts[0]) { p, n in
        var ok = true
        #expect(NumberText.double(p, n, &ok).bitPattern == UInt64(parts[1])!, "\(parts[0])")
        #expect(NumberText.float(p, n, &ok).bitPattern == UInt32(parts[2])!, "\(parts[0])")
        #expect(ok)
      }
    }
    for bad in ["", ".", "-", "e5", "1e", "1e+", "1.2.3", "0x10", "1,5", "nan", "inf", "1 "] {
      let ok = withText(bad) { p, n in
        var ok = true
        _ = NumberText.double(p, n, &ok)
        return ok
      }
      #expect(!ok, "\(bad)")
    }
  }

  @Test func decimals() {
    func parse(_ text: String, _ precision: Int, _ scale: Int) -> String {
      withText(text) { p, n in
        var outcome = NumberText.DecimalOutcome.exact
        let value = NumberText.decimal128(p, n, precision: precision, scale: scale, &outcome)
        var narrow = NumberText.DecimalOutcome.exact
        if precision <= 18 {
          let short = NumberText.decimal64(p, n, precision: precision, scale: scale, &narrow)
          if narrow != outcome || (outcome != .overflow && outcome != .notANumber && Int128(short) != value) {
            return "64 and 128 bits differ: \(short) \(value) \(narrow) \(outcome)"
          }
        }
        return outcome == .overflow || outcome == .notANumber
          ? "\(outcome)" : "\(value)" + (outcome == .rounded ? "~" : "")
      }
    }
    #expect(parse("1.5", 5, 2) == "150")
    #expect(parse("-1.5", 5, 2) == "-150")
    #expect(parse("1.005", 5, 2) == "101~")
    #expect(parse("-1.005", 5, 2) == "-101~")
    #expect(parse("1.0049", 5, 2) == "100~")
    #expect(parse("1.500", 5, 2) == "150")
    #expect(parse("999.99", 5, 2) == "99999")
    #expect(parse("999.995", 5, 2) == "overflow")
    #expect(parse("1000", 5, 2) == "overflow")
    #expect(parse("1e2", 5, 2) == "10000")
    #expect(parse("123e-2", 5, 2) == "123")
    #expect(parse("1e-9", 5, 2) == "0~")
    #expect(parse("5e-3", 5, 2) == "1~")
    #expect(parse("0e99999999", 5, 2) == "0")
    #expect(parse("1e99999999", 5, 2) == "overflow")
    #expect(parse("0000000000000000000000000000000000000000000000001.25", 5, 2) == "125")
    #expect(parse(".5", 5, 2) == "50")
    #expect(parse("5.", 5, 2) == "500")
    #expect(parse("", 5, 2) == "notANumber")
    #expect(parse("1a", 5, 2) == "notANumber")
    #expect(parse("99999999999999999999999999999999999999", 38, 0) == "99999999999999999999999999999999999999")
    #expect(parse("99999999999999999999999999999999999999.5", 38, 0) == "overflow")
    #expect(parse("-12345678901234567890.123456789012345678", 38, 18) == "-12345678901234567890123456789012345678")
    #expect(parse("123456789012345678", 18, 0) == "123456789012345678")
  }

  @Test func dates() {
    func parse(_ text: String, strict: Bool = true) -> Int32? {
      withText(text) { p, n in
        var ok = true
        let days = DateTimeText.date(p, n, isStrict: strict, &ok)
        return ok ? days : nil
      }
    }
    // Days by Python's date.toordinal() - 719163.
    #expect(parse("1970-01-01") == 0)
    #expect(parse("2024-02-29") == 19782)
    #expect(parse("0001-01-01") == -719162)
    #expect(parse("9999-12-31") == 2_932_896)
    #expect(parse("1900-02-29") == nil)
    #expect(parse("2000-02-29") == 11016)
    #expect(parse("2024-04-31") == nil)
    #expect(parse("2024-1-2") == nil)
    #expect(parse("2024-1-2", strict: false) == 19724)
    #expect(parse("20240102", strict: false) == nil)
    #expect(parse("2024-00-10") == nil)
  }

  @Test func timestamps() {
    func parse(_ text: String, _ precision: Int = 6, strict: Bool = true) -> Int64? {
      withText(text) { p, n in
        var ok = true
        var isExact = true
        let instant = DateTimeText.timestamp(p, n, isStrict: strict, &ok)
        let micros = DateTimeText.microseconds(instant, precision: precision, &isExact)
        return ok ? micros : nil
      }
    }
    #expect(parse("2024-01-02 03:04:05") == 1_704_164_645_000_000)
    #expect(parse("2024-01-02T03:04:05.123456") == 1_704_164_645_123_456)
    #expect(parse("2024-01-02 03:04:05.1235", 3) == 1_704_164_645_124_000)
    #expect(parse("2024-01-02 03:04") == 1_704_164_640_000_000)
    #expect(parse("2024-01-02") == 1_704_153_600_000_000)
    #expect(parse("1969-12-31 23:59:59.999") == -1000)
    #expect(parse("2024-01-02 24:00:00") == nil)
    #expect(parse("2024-01-02 03:60:00") == nil)
    #expect(parse("2024-01-02 03:04:05.") == nil)
    #expect(parse("2024-01-02 03:04:05Z") == nil)
    #expect(parse("2024-1-2 3:4:5.6", strict: false) == 1_704_164_645_600_000)
    #expect(parse("2024-1-2 3:4:5.6") == nil)
  }

  @Test func structuralScannersAgree() {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("\",\n\r\\ab".utf8)
    for _ in 0..<200 {
      let bytes = (0..<400).map { _ in alphabet.randomElement(using: &generator)! }
      var dialect = ck_text_dialect(
        separator: 0x2c, quote: 0x22, escape: 0x5c, has_quote: 1, has_escape: Bool.random() ? 1 : 0)
      var (a, b) = (ck_text_state(), ck_text_state())
      var (fa, ra, fb, rb) = (
        [UInt32](repeating: 0, count: 600), [UInt32](repeating: 0, count: 600), [UInt32](repeating: 0, count: 600),
        [UInt32](repeating: 0, count: 600)
      )
      ck_text_scan(bytes, 0, 300, 300, &dialect, &a, &fa, &ra)
      ck_text_scan_portable(bytes, 0, 300, 300, &dialect, &b, &fb, &rb)
      #expect(a.field_count == b.field_count && a.row_count == b.row_count && a.state == b.state)
      #expect(fa[0..<a.field_count] == fb[0..<b.field_count] && ra[0..<a.row_count] == rb[0..<b.row_count])
      var (j, k) = (ck_json_state(), ck_json_state())
      ck_json_scan(bytes, 0, 300, 1, &j, &fa, &ra)
      ck_json_scan_portable(bytes, 0, 300, 1, &k, &fb, &rb)
      #expect(j.token_count == k.token_count && fa[0..<j.token_count] == fb[0..<k.token_count])
    }
  }
}
