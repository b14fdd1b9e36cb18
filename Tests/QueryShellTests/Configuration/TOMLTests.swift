import Testing

@testable import QueryShell

/// Cases of the specification, toml.io/en/v1.0.0; the whole toml-test suite was run once against Python's tomllib.
@Suite struct TOMLTests {
  private func parse(_ text: String) throws -> TOMLValue { try TOMLParser.parse(Array(text.utf8)) }

  @Test(arguments: [
    ("a = 1", TOMLValue.integer(1)), ("a = -1_000", .integer(-1000)), ("a = 0xDEAD_beef", .integer(0xdead_beef)), ("a = 0o17", .integer(15)),
    ("a = 0b101", .integer(5)), ("a = 1.5e3", .double(1500)), ("a = -inf", .double(-.infinity)), ("a = true # yes", .boolean(true)),
    ("a = 'C:\\x'", .string("C:\\x")), ("a = \"t\\t\\u00e9\\\"\"", .string("t\té\"")),
    ("a = 1979-05-27 07:32:00Z", .dateTime("1979-05-27 07:32:00Z")),
    ("a = 07:32:00.5", .dateTime("07:32:00.5")), ("a = [1, [2, 3,\n# c\n],]", .array([.integer(1), .array([.integer(2), .integer(3)])])),
    ("a = {b.c = 1}", .table(["b": .table(["c": .integer(1)])])), ("a = \"\"\"\nx \\\n   y\"\"\"\"", .string("x y\"")),
    ("[a]\nb = 1", .table(["b": .integer(1)])), ("[[a]]\n[[a]]\nb = 1", .array([.table([:]), .table(["b": .integer(1)])])),
    ("\u{feff}a = 1\r\n", .integer(1)),
  ]) func values(_ text: String, _ value: TOMLValue) throws { #expect(try parse(text)["a"] == value) }

  @Test(arguments: [
    ("a = 1\na = 2", 2, 1), ("a = ", 1, 5), ("a = 01", 1, 5), ("a = 1__0", 1, 5), ("a = \"x", 1, 7), ("a = yes", 1, 5), ("[a]\n[a]", 2, 1),
    ("a = 1 b = 2", 1, 7), ("a = {b = 1}\na.c = 2", 2, 1), ("a = 2024-02-30", 1, 5), ("= 1", 1, 1), ("a = [1 2]", 1, 8), ("[a\n", 1, 3),
    ("a = 99999999999999999999", 1, 5), ("a = \"\\q\"", 1, 6), ("[[a]]\n[a]", 2, 1), ("a = 0x", 1, 5), ("# \u{1}", 1, 3),
  ]) func errors(_ text: String, _ line: Int, _ column: Int) {
    #expect(throws: TOMLError.self) { try parse(text) }
    do { _ = try parse(text) } catch let error as TOMLError { #expect([error.line, error.column] == [line, column], "\(text): \(error)") } catch {}
  }

  /// Nothing of a text, however cut or deep, ends the program.
  @Test func damagedTexts() {
    let text = Array("a.b = [1, {x = \"y\\u00e9\"}] # c\n[t.\"u\"]\nd = '''\nz'''\n[[l]]\nk = 1979-05-27T07:32:00+01:00".utf8)
    for end in 0...text.count { _ = try? TOMLParser.parse(Array(text[..<end])) }
    for place in text.indices { _ = try? TOMLParser.parse(Array(text[..<place]) + [0xff] + Array(text[place...])) }
    _ = try? TOMLParser.parse(Array(("a = " + String(repeating: "[", count: 100_000)).utf8))
    _ = try? TOMLParser.parse(Array(("a = " + String(repeating: "{a=", count: 100_000)).utf8))
  }
}
