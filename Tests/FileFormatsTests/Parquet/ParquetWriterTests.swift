import Columnar
import Foundation
import ObjectStore
import QueryErrors
import Testing

@testable import FileFormats

/// What the writer writes reads back the same; other readers are asked by check_writer.py.
@Suite struct ParquetWriterTests {
  static let types: [DataType] = [
    .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .date, .text, .varchar(length: 60), .varbinary,
    .uuid, .decimal(precision: 7, scale: 2), .decimal(precision: 15, scale: 0), .decimal(precision: 19, scale: 3),
    .decimal(precision: 38, scale: 10), .time(precision: 3), .time(precision: 6), .time(precision: 9),
    .timestamp(precision: 0), .timestamp(precision: 3), .timestamp(precision: 6), .timestamp(precision: 9),
    .array(.integer), .array(.array(.text)), .map(key: .text, value: .bigint),
    .row([.init(name: "a", type: .integer), .init(name: "b", type: .text)]),
    .array(
      .row([
        .init(name: "m", type: .map(key: .text, value: .array(.double))),
        .init(name: "r", type: .row([.init(name: "deep", type: .array(.decimal(precision: 20, scale: 2)))])),
      ])),
    .map(key: .integer, value: .row([.init(name: "x", type: .real), .init(name: "y", type: .array(.varbinary))])),
  ]

  private static func rows(_ schema: Schema, _ count: Int, nulls: Int, distinct: Int) -> [[Scalar]] {
    WriterTesting.rows(schema, count, nulls: nulls, distinct: distinct)
  }

  private static func write(
    _ rows: [[Scalar]], _ schema: Schema, _ options: WriterOptions, batchSize: Int = 1000
  ) throws -> (bytes: [UInt8], summary: FileSummary) {
    try WriterTesting.write(rows, schema, options, ParquetFormat.self, batchSize: batchSize)
  }

  private static func check(_ rows: [[Scalar]], _ schema: Schema, _ bytes: [UInt8]) throws {
    try WriterTesting.check(rows, schema, bytes, ParquetFormat.self)
  }

  private static let schema = Schema(types.enumerated().map { Field("c\($0)", $1) })

  @Test(arguments: [(0, 5), (3, 900), (1, 1), (4, 1_000_000)])
  func everyTypeReadsBack(_ nulls: Int, _ distinct: Int) throws {
    let rows = Self.rows(Self.schema, 2500, nulls: nulls, distinct: distinct)
    let (bytes, summary) = try Self.write(rows, Self.schema, WriterOptions())
    #expect(summary.rowCount == rows.count && summary.byteCount == bytes.count)
    for (index, type) in Self.types.enumerated() where !type.isNested {
      #expect(summary.columns[index].nullCount == rows.count { $0[index].isNull })
    }
    try Self.check(rows, Self.schema, bytes)
  }

  @Test(arguments: ["SNAPPY", "GZIP", "ZSTD", "LZ4", "BROTLI", "NONE"])
  func everyCodecReadsBack(_ codec: String) throws {
    let rows = Self.rows(Self.schema, 700, nulls: 5, distinct: 100_000)
    var options = WriterOptions(compression: codec, level: codec == "ZSTD" ? 9 : nil)
    options.blockRowCount = 300
    options.encodings = .all
    let (bytes, _) = try Self.write(rows, Self.schema, options, batchSize: 128)
    try Self.check(rows, Self.schema, bytes)
  }

  /// Dictionaries that grow too large are given up in the middle of a row group.
  @Test func dictionariesAreGivenUp() throws {
    let schema = Schema([Field("n", .bigint), Field("s", .text), Field("a", .array(.text)), Field("d", .double)])
    var rows: [[Scalar]] = []
    for row in 0..<150_000 {
      let text = Scalar.string("a text of some length that is there once only: \(row)")
      rows.append([
        row % 5 == 0 ? .null : .integer(Int64(row) * 7_919), text, .array(row % 3 == 0 ? [] : [text, .null]),
        .double(Double(row) * 1.5),
      ])
    }
    for encodings in [WriterOptions.Encodings.plain, .common, .all] {
      var options = WriterOptions()
      options.encodings = encodings
      let (bytes, _) = try Self.write(rows, schema, options, batchSize: 4096)
      try Self.check(rows, schema, bytes)
    }
  }

  /// Dictionary columns keep their entries over row groups of the file they go to, whose dictionaries begin anew.
  @Test func dictionaryColumnsCrossRowGroups() throws {
    let schema = Schema([Field("s", .text), Field("l", .array(.text))])
    let rows: [[Scalar]] = (0..<9000).map { row in
      let text = Scalar.string("value-\((row / 700) * 13 % 29)-\(row % 3)")
      return [row % 17 == 0 ? .null : text, .array([text, .null])]
    }
    let opened = try ParquetTesting.Opened(Self.write(rows, schema, WriterOptions()).bytes)
    var options = WriterOptions()
    options.blockRowCount = 1000
    let object = WriterTesting.MemoryWriter()
    let writer = try ParquetFormat(FormatOptions()).makeWriter(schema, options, to: object)
    for batch in try opened.batches(ScanRequest(columns: opened.columns)) {
      #expect(batch.columns[0].encoding == .dictionary)
      try writer.append(batch)
    }
    _ = try writer.finish()
    try Self.check(rows, schema, object.bytes)
  }

  /// Row groups, pages and bloom filters spare what holds no wanted rows.
  @Test func writtenMetadataPrunes() throws {
    let schema = Schema([Field("id", .bigint), Field("name", .text), Field("odd", .bigint)])
    let rows: [[Scalar]] = (0..<100_000).map { row in
      [.integer(Int64(row)), .string("name-\(row % 1000)"), .integer(Int64((row * 7_919) % 100_003) * 2)]
    }
    var options = WriterOptions()
    options.blockRowCount = 50_000
    options.bloomFilterColumns = [2]
    options.sortedBy = [0]
    let (bytes, summary) = try Self.write(rows, schema, options, batchSize: 4096)
    #expect(summary.columns[0].min == .integer(0) && summary.columns[0].max == .integer(99_999))
    #expect(summary.columns[1].min == .string("name-0") && summary.columns[1].max == .string("name-999"))
    let opened = try ParquetTesting.Opened(bytes)
    let metrics = ScanMetrics()
    let wanted = Domain(type: .bigint, ranges: [.equal(.integer(77_777))], allowsNull: false)
    let found = try opened.read(
      ScanRequest(
        columns: opened.columns, domain: RowDomain([0: wanted]), predicates: [.values(0) { $0 == .integer(77_777) }]),
      metrics: metrics)
    #expect(found[0] == ["77777"])
    #expect(metrics.blocksRead == 1 && metrics.blocksTotal == 2)
    #expect(metrics.rowsRead <= 20_480)
    #expect(metrics.notes.isEmpty)
    // An odd number is in no row group, which only the bloom filter tells.
    let none = ScanMetrics()
    let odd = Domain(type: .bigint, ranges: [.equal(.integer(77_777))], allowsNull: false)
    _ = try opened.read(
      ScanRequest(columns: opened.columns, domain: RowDomain([2: odd]), predicates: [.values(2) { $0 == .integer(77_777) }]),
      metrics: none)
    #expect(none.blocksRead == 0)
  }

  @Test func longBoundsAreCutOff() throws {
    let low = String(repeating: "a", count: 63) + "üb"
    let high = String(repeating: "z", count: 100)
    let schema = Schema([Field("s", .text)])
    let (bytes, summary) = try Self.write([[.string(low)], [.string(high)]], schema, WriterOptions())
    #expect(summary.columns[0].min == .string(low) && summary.columns[0].max == .string(high))
    let opened = try ParquetTesting.Opened(bytes)
    let statistics = opened.file.statistics(of: opened.column("s"))
    #expect(statistics?.min == .string(String(repeating: "a", count: 63)))
    #expect(statistics?.max == .string(String(repeating: "z", count: 63) + "{"))
    #expect(statistics?.isExact == false)
  }

  @Test func filesWithoutRows() throws {
    let (bytes, summary) = try Self.write([], Self.schema, WriterOptions())
    #expect(summary.rowCount == 0)
    try Self.check([], Self.schema, bytes)
  }

  @Test(arguments: [
    DataType.intervalDayToSecond, .timestamp(precision: 12), .timeWithTimeZone(precision: 3), .ipaddress, .unknown,
    .row([]), .array(.hyperLogLog),
  ])
  func otherTypesAreRefusedByName(_ type: DataType) throws {
    let error = #expect(throws: QueryError.self) {
      try ParquetFormat(FormatOptions()).makeWriter(Schema([Field("odd", type)]), WriterOptions(), to: WriterTesting.MemoryWriter())
    }
    #expect(error?.code == .notSupported)
    #expect(error?.message.contains("'odd'") == true)
  }

  /// Writes the files that check_writer.py asks for: lines of input, output, codec, level, encodings, rows a row group.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["WRITE_PARQUET"] != nil))
  func writesFilesForOthers() throws {
    let list = try String(contentsOfFile: ProcessInfo.processInfo.environment["WRITE_PARQUET"]!, encoding: .utf8)
    for line in list.split(separator: "\n") {
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      let format = try ParquetFormat(FormatOptions())
      let source = try LocalObjectStore().open(cells[0], meter: ScanMeter())
      let schema = try format.inferSchema(source)
      var options = WriterOptions(compression: cells[2], level: Int(cells[3]))
      options.encodings = cells[4] == "plain" ? .plain : cells[4] == "all" ? .all : .common
      options.blockRowCount = Int(cells[5])
      let object = try LocalObjectStore().makeWriter(cells[1])
      let writer = try format.makeWriter(schema, options, to: object)
      let scan = try format.open(source).scan(
        ScanRequest(columns: schema.fields.enumerated().map { ScanColumn(name: $1.name, type: $1.type, ordinal: $0) }),
        metrics: ScanMetrics())
      for split in try scan.splits(targetByteCount: .max, unit: .size) {
        let reader = try scan.makeReader(split)
        while let batch = try reader.next() { try writer.append(batch) }
      }
      _ = try writer.finish()
      try object.commit(durable: false)
    }
  }
}
