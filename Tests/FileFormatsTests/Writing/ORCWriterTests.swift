import Columnar
import ObjectStore
import QueryErrors
import Testing

@testable import FileFormats

/// What the writer writes reads back the same; pyarrow is asked by check_writers.py.
@Suite struct ORCWriterTests {
  static let types: [DataType] = [
    .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .date, .text, .varchar(length: 60), .varbinary,
    .decimal(precision: 7, scale: 2), .decimal(precision: 15, scale: 0), .decimal(precision: 19, scale: 3),
    .decimal(precision: 38, scale: 10), .timestamp(precision: 0), .timestamp(precision: 3), .timestamp(precision: 6),
    .timestamp(precision: 9), .timestampWithTimeZone(precision: 9), .array(.integer), .array(.array(.text)),
    .map(key: .text, value: .bigint), .row([.init(name: "a", type: .integer), .init(name: "b", type: .text)]),
    .array(
      .row([
        .init(name: "m", type: .map(key: .text, value: .array(.double))),
        .init(name: "r", type: .row([.init(name: "deep", type: .array(.decimal(precision: 20, scale: 2)))])),
      ])),
    .map(key: .integer, value: .row([.init(name: "x", type: .real), .init(name: "y", type: .array(.varbinary))])),
  ]
  private static let schema = Schema(types.enumerated().map { Field("c\($0)", $1) })

  @Test(arguments: [(0, 5), (3, 900), (1, 1), (4, 1_000_000)])
  func everyTypeReadsBack(_ nulls: Int, _ distinct: Int) throws {
    let rows = WriterTesting.rows(Self.schema, 2500, nulls: nulls, distinct: distinct)
    let (bytes, summary) = try WriterTesting.write(rows, Self.schema, WriterOptions(), ORCFormat.self)
    for (index, type) in Self.types.enumerated() where !type.isNested {
      #expect(summary.columns[index].nullCount == rows.count { $0[index].isNull })
    }
    try WriterTesting.check(rows, Self.schema, bytes, ORCFormat.self)
    #expect(try ORCFormat(FormatOptions()).inferSchema(MemoryByteSource(bytes, path: "m", meter: ScanMeter())).fields[8].type == .text)
  }

  @Test(arguments: ["ZLIB", "SNAPPY", "LZ4", "ZSTD", "NONE"])
  func everyCodecReadsBack(_ codec: String) throws {
    let rows = WriterTesting.rows(Self.schema, 700, nulls: 5, distinct: 100_000)
    var options = WriterOptions(compression: codec, level: codec == "ZSTD" ? 9 : nil)
    options.blockRowCount = 300
    let (bytes, _) = try WriterTesting.write(rows, Self.schema, options, ORCFormat.self, batchSize: 128)
    try WriterTesting.check(rows, Self.schema, bytes, ORCFormat.self)
  }

  /// Row groups end within batches, runs and lists; parts of a stripe are found by the row index.
  @Test func rowIndexesLeadToRowGroups() throws {
    let schema = Schema([
      Field("n", .bigint), Field("b", .boolean), Field("s", .text), Field("t", .text), Field("d", .decimal(precision: 20, scale: 2)),
      Field("ts", .timestamp(precision: 9)), Field("a", .array(.row([.init(name: "x", type: .integer), .init(name: "y", type: .text)]))),
      Field("r", .row([.init(name: "f", type: .double), .init(name: "g", type: .tinyint)])),
    ])
    let rows: [[Scalar]] = (0..<170_000).map { row in
      let isNull = row % 11 == 3
      return [
        isNull ? .null : .integer(Int64(row) * 7_919 % 100_003), row % 7 == 0 ? .null : .boolean(row % 3 == 0),
        row % 5 == 0 ? .null : .string("entry \(row % 300)"), .string("text no. \(row), there once only"),
        .int128(Int128(row) * 1_000_003), isNull ? .null : .int128(Int128(row) * 86_399_123_457_000_000),
        isNull ? .null : .array((0..<row % 4).map { .row([.integer(Int64(row + $0)), $0 == 1 ? .null : .string("\($0)")]) }),
        row % 13 == 0 ? .null : .row([.double(Double(row)), .integer(Int64(row % 100))]),
      ]
    }
    for codec in ["ZLIB", "NONE"] {
      let (bytes, _) = try WriterTesting.write(rows, schema, WriterOptions(compression: codec), ORCFormat.self, batchSize: 4096)
      let file = try #require(try WriterTesting.open(bytes, ORCFormat.self) as? ORCFile)
      #expect(file.footer.stripes.count == 1)
      // Each split begins in the midst of the stripe.
      let scan = try file.scan(ScanRequest(columns: WriterTesting.columns(schema)), metrics: ScanMetrics())
      #expect(try scan.splits(targetByteCount: bytes.count / 3, unit: .size).count == 2)
      try WriterTesting.check(rows, schema, bytes, ORCFormat.self, targetByteCount: bytes.count / 3)
    }
  }

  @Test func writtenMetadataPrunes() throws {
    let schema = Schema([Field("id", .bigint), Field("name", .text), Field("odd", .bigint)])
    let rows: [[Scalar]] = (0..<100_000).map { row in
      [.integer(Int64(row)), .string("name-\(row % 1000)"), .integer(Int64((row * 7_919) % 100_003) * 2)]
    }
    var options = WriterOptions()
    options.blockRowCount = 50_000
    options.bloomFilterColumns = [1, 2]
    let (bytes, summary) = try WriterTesting.write(rows, schema, options, ORCFormat.self, batchSize: 4096)
    #expect(summary.columns[0].min == .integer(0) && summary.columns[0].max == .integer(99_999))
    #expect(summary.columns[1].min == .string("name-0") && summary.columns[1].max == .string("name-999"))
    let file = try WriterTesting.open(bytes, ORCFormat.self)
    func find(_ column: Int, _ type: DataType, _ value: Scalar) throws -> (rows: Int, metrics: ScanMetrics) {
      let metrics = ScanMetrics()
      let domain = Domain(type: type, ranges: [.equal(value)], allowsNull: false)
      let batches = try WriterTesting.batches(
        file,
        ScanRequest(
          columns: WriterTesting.columns(schema), domain: RowDomain([column: domain]),
          predicates: [.values(column) { $0 == value }]), metrics: metrics)
      return (batches.reduce(0) { $0 + $1.rowCount }, metrics)
    }
    let (found, metrics) = try find(0, .bigint, .integer(77_777))
    #expect(found == 1 && metrics.blocksRead == 1 && metrics.blocksTotal == 2 && metrics.rowsRead <= 10_000)
    // An odd number, and a name between others, are in no row group, which only the Bloom filters tell.
    #expect(try find(2, .bigint, .integer(77_777)).metrics.rowsRead == 0)
    #expect(try find(2, .bigint, .integer(77_776)).rows == 1)
    #expect(try find(1, .text, .string("name-5x")).metrics.rowsRead == 0)
    #expect(try find(1, .text, .string("name-55")).rows == 100)
  }

  @Test func boundsOfEveryKind() throws {
    let schema = Schema([
      Field("d", .decimal(precision: 20, scale: 3)), Field("f", .double), Field("ts", .timestamp(precision: 6)), Field("day", .date),
      Field("flag", .boolean), Field("long", .text),
    ])
    let low = String(repeating: "a", count: 1023) + "üb"
    let high = String(repeating: "z", count: 2000)
    let rows: [[Scalar]] = [
      [.int128(-5), .double(.nan), .integer(-1_500_000), .integer(-3), .boolean(false), .string(low)],
      [.int128(12_345), .double(2.5), .integer(1_234_567), .integer(9), .boolean(true), .string(high)],
    ]
    let (bytes, summary) = try WriterTesting.write(rows, schema, WriterOptions(), ORCFormat.self)
    #expect(summary.columns[5].min == .string(low) && summary.columns[5].max == .string(high))
    #expect(summary.columns[2].min == .integer(-1_500_000) && summary.columns[1].max == .double(2.5))
    let file = try WriterTesting.open(bytes, ORCFormat.self)
    func statistics(_ column: Int) -> ColumnStatistics? { file.statistics(of: WriterTesting.columns(schema)[column]) }
    #expect(statistics(0)?.min == .int128(-5) && statistics(0)?.max == .int128(12_345))
    #expect(statistics(1)?.min == .double(2.5) && statistics(1)?.nullCount == 0)
    #expect(statistics(3)?.min == .integer(-3) && statistics(3)?.max == .integer(9))
    #expect(statistics(4)?.min == .boolean(false) && statistics(4)?.max == .boolean(true))
    #expect(statistics(5)?.min == .string(String(repeating: "a", count: 1023)))
    #expect(statistics(5)?.max == .string(String(repeating: "z", count: 1023) + "{"))
    let times = try #require(file.statistics(of: WriterTesting.columns(schema)[2]))
    #expect((times.min?.integerValue ?? 0) <= -1_500_000 && (times.max?.integerValue ?? 0) >= 1_234_567)
  }

  /// Every sub-encoding of integers, by values that suit it, and the last second before 1970.
  @Test func integersAndTimesOfEveryShape() throws {
    let shapes: [(Int) -> Int64] = [
      { _ in 42 }, { Int64($0) }, { Int64($0 * $0) }, { -Int64($0 * 3) }, { $0 % 40 == 0 ? 1 << 40 : Int64($0 % 5) },
      { $0 % 300 == 299 ? 1 << 54 : Int64($0 % 7) - 3 }, { Int64($0 % 2 == 0 ? Int64.min : Int64.max) }, { Int64($0 / 7) },
      { Int64(bitPattern: UInt64($0) &* 0x9e37_79b9_7f4a_7c15) }, { $0 < 5 ? Int64($0) : Int64($0 / 5) * -1_000_000_007 },
      { Int64(($0 * 7919) % 1000) + 10_000_000_000 }, { $0 % 2 == 0 ? Int64.max - Int64($0) : Int64.max },
    ]
    for count in [1, 2, 3, 10, 11, 511, 512, 513, 5000] {
      var rows: [[Scalar]] = []
      for row in 0..<count {
        rows.append(shapes.map { .integer($0(row)) } + [.integer(Int64(row) * 250_000 - 2_000_000)])
      }
      let fields = shapes.indices.map { Field("c\($0)", .bigint) } + [Field("ts", .timestamp(precision: 6))]
      let (bytes, _) = try WriterTesting.write(rows, Schema(fields), WriterOptions(), ORCFormat.self)
      try WriterTesting.check(rows, Schema(fields), bytes, ORCFormat.self)
    }
  }

  @Test func stripesEndBySize() throws {
    let schema = Schema([Field("s", .text), Field("k", .text)])
    let rows: [[Scalar]] = (0..<60_000).map { row in
      [.string((0..<6).map { String((row &* 2_654_435_761 &* ($0 + 3)) % 1_000_003) }.joined()), .string("k\(row % 9)")]
    }
    var options = WriterOptions(compression: "NONE")
    options.blockByteCount = 500_000
    let (bytes, _) = try WriterTesting.write(rows, schema, options, ORCFormat.self)
    let file = try #require(try WriterTesting.open(bytes, ORCFormat.self) as? ORCFile)
    #expect((3...8).contains(file.footer.stripes.count))
    try WriterTesting.check(rows, schema, bytes, ORCFormat.self)
  }

  @Test func filesWithoutRows() throws {
    let (bytes, summary) = try WriterTesting.write([], Self.schema, WriterOptions(), ORCFormat.self)
    #expect(summary.rowCount == 0)
    try WriterTesting.check([], Self.schema, bytes, ORCFormat.self)
  }

  @Test(arguments: [
    DataType.intervalDayToSecond, .timestamp(precision: 12), .time(precision: 3), .uuid, .json, .unknown, .row([]), .array(.ipaddress),
  ])
  func otherTypesAreRefusedByName(_ type: DataType) throws {
    let error = #expect(throws: QueryError.self) {
      try ORCFormat(FormatOptions()).makeWriter(Schema([Field("odd", type)]), WriterOptions(), to: WriterTesting.MemoryWriter())
    }
    #expect(error?.code == .notSupported && error?.message.contains("'odd'") == true)
  }
}
