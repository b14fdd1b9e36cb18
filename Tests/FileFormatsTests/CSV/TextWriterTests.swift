import Columnar
import ObjectStore
import QueryErrors
import Testing

@testable import FileFormats

/// What text writers write reads back the same, and looks as other readers want it.
@Suite struct TextWriterTests {
  private static let columns: [(String, DataType, [Scalar])] = [
    ("b", .boolean, [.boolean(true), .boolean(false), .null]),
    ("t", .tinyint, [.integer(-128), .integer(127), .null]),
    ("i", .integer, [.integer(-2_147_483_648), .integer(7), .null]),
    ("n", .bigint, [.integer(.min), .integer(.max), .null]),
    ("r", .real, [.real(1.5), .real(-3.4e38), .null]),
    ("d", .double, [.double(1e-300), .double(.infinity), .null]),
    ("m", .decimal(precision: 38, scale: 3), [.int128(-1), .int128(DecimalMath.power(38) - 1), .null]),
    ("s", .text, [.string("a,b \"quoted\"\nline, \\ and ü"), .string(""), .null]),
    ("y", .date, [.integer(-719_162), .integer(20_000), .null]),
    ("z", .timestamp(precision: 3), [.integer(-1_000), .integer(1_700_000_000_123_000), .null]),
    ("x", .varbinary, [.bytes([0, 255, 10]), .bytes([1, 2, 3, 4]), .null]),
  ]
  private static let nested: [(String, DataType, [Scalar])] = [
    ("l", .array(.integer), [.array([.integer(1), .null]), .array([.integer(2)]), .null]),
    (
      "p", .map(key: .text, value: .array(.bigint)),
      [
        .map([.init(key: .string("k"), value: .array([.integer(1), .integer(2)]))]),
        .map([.init(key: .string("x"), value: .array([.integer(3)])), .init(key: .string("y"), value: .null)]), .null,
      ]
    ),
    (
      "w", .row([.init(name: "a", type: .integer), .init(name: "q", type: .text)]),
      [.row([.integer(1), .string("one")]), .row([.null, .string("two")]), .null]
    ),
  ]

  private static func write(
    _ columns: [(String, DataType, [Scalar])], _ format: any FileFormat, _ options: WriterOptions = WriterOptions()
  ) throws -> (Schema, [UInt8]) {
    let schema = Schema(columns.map { Field($0.0, $0.1) })
    let object = WriterTesting.MemoryWriter()
    let writer = try format.makeWriter(schema, options, to: object)
    let batch = Batch(
      columns: columns.map { name, type, values in
        let builder = ColumnBuilder(type)
        for value in values { builder.append(value) }
        return builder.finish()
      }, rowCount: 3)
    try writer.append(batch)
    let summary = try writer.finish()
    #expect(summary.rowCount == 3 && summary.byteCount == object.bytes.count)
    #expect(summary.columns.allSatisfy { $0.nullCount == 1 })
    return (schema, object.bytes)
  }

  private static func check(
    _ columns: [(String, DataType, [Scalar])], _ schema: Schema, _ bytes: [UInt8], _ format: any FileFormat,
    ending: String = ""
  ) throws {
    let source = try MemoryByteSource(bytes, path: "t.txt" + ending, meter: ScanMeter())
    let scan = try format.open(source).scan(
      ScanRequest(columns: schema.fields.enumerated().map { ScanColumn(name: $1.name, type: $1.type, ordinal: $0) }),
      metrics: ScanMetrics())
    var row = 0
    for split in try scan.splits(targetByteCount: 1 << 20, unit: .size) {
      let reader = try scan.makeReader(split)
      while let batch = try reader.next() {
        for index in 0..<batch.rowCount {
          for (column, expected) in columns.enumerated() {
            let got = batch.columns[column].scalar(index)
            #expect(got == expected.2[row], "\(expected.0), row \(row)")
          }
          row += 1
        }
      }
    }
    #expect(row == 3)
  }

  private static func declared(_ columns: [(String, DataType, [Scalar])], _ properties: [String: String] = [:]) -> FormatOptions {
    FormatOptions(properties: properties, schema: Schema(columns.map { Field($0.0, $0.1) }))
  }

  @Test(arguments: ["NONE", "GZIP", "ZSTD", "BZIP2", "DEFLATE", "SNAPPY", "LZ4"])
  func json(_ codec: String) throws {
    let all = Self.columns + Self.nested
    let format = try JSONFormat(Self.declared(all))
    let options = WriterOptions(compression: codec)
    let (schema, bytes) = try Self.write(all, format, options)
    try Self.check(all, schema, bytes, format, ending: format.fileNameEnding(options))
  }

  @Test func delimitedWithEscapes() throws {
    let texts: [Scalar] = [.string("a,b \"quoted\" \u{2}, \\ and ü\u{3}"), .string(""), .null]
    let all = Self.columns.filter { $0.0 != "s" } + Self.nested + [("s", .text, texts)]
    let format = try DelimitedTextFormat(Self.declared(all, ["field.delim": ",", "escape.delim": "\\"]))
    let (schema, bytes) = try Self.write(all, format)
    #expect(bytes.filter { $0 == 0x0a }.count == 3)
    try Self.check(all, schema, bytes, format)
  }

  /// Without an escape character a text may hold no separator, and never a line end: refused rather than written as two fields.
  @Test func delimitedWithoutEscapes() throws {
    let plain = Self.columns.filter { $0.0 != "s" } + Self.nested
    let format = try DelimitedTextFormat(Self.declared(plain))
    let (schema, bytes) = try Self.write(plain, format)
    try Self.check(plain, schema, bytes, format)
    let comma = ("s", DataType.text, [Scalar.string("a,b"), .null, .string("")])
    for (column, properties) in [(Self.columns[7], ["escape.delim": "\\"]), (comma, ["field.delim": ","])] {
      let error = #expect(throws: QueryError.self) {
        try Self.write([column], DelimitedTextFormat(Self.declared([column], properties)))
      }
      #expect(error?.code == .hiveWriterError)
    }
  }

  @Test func csvQuotesWhatItHasTo() throws {
    let some = Self.columns.filter { ["b", "n", "s", "y"].contains($0.0) }
    let (_, bytes) = try Self.write(some, CSVFormat(FormatOptions()))
    #expect(
      String(decoding: bytes, as: UTF8.self) == """
        b,n,s,y
        true,-9223372036854775808,"a,b ""quoted""
        line, \\ and ü",0001-01-01
        false,9223372036854775807,"",2024-10-04
        ,,,

        """)
    let (_, quoted) = try Self.write(some, CSVFormat(FormatOptions(properties: ["quoteall": "true"])))
    #expect(
      String(decoding: quoted, as: UTF8.self) == """
        "b","n","s","y"
        "true","-9223372036854775808","a,b ""quoted""
        line, \\ and ü","0001-01-01"
        "false","9223372036854775807","","2024-10-04"
        ,,,

        """)
  }

  @Test func csvReadsBack() throws {
    // Empty text and NULL differ in quotes only, which a file without a schema keeps apart.
    let some = Self.columns.filter { !["x", "r"].contains($0.0) }
    let format = try CSVFormat(FormatOptions())
    let (schema, bytes) = try Self.write(some, format)
    let source = try MemoryByteSource(bytes, path: "t.csv", meter: ScanMeter())
    #expect(try format.inferSchema(source).fields.map(\.name) == schema.fields.map(\.name))
    try Self.check(some, schema, bytes, format)
  }

  @Test func nestedTypesNeedAnotherFormat() throws {
    #expect(throws: QueryError.self) { try Self.write(Self.nested, CSVFormat(FormatOptions())) }
  }
}
