import Columnar
import Foundation
import ObjectStore
import QueryErrors
import Testing

@testable import FileFormats

/// What the writer writes reads back the same; fastavro is asked by check_writers.py.
@Suite struct AvroWriterTests {
  static let types: [DataType] = [
    .boolean, .integer, .bigint, .real, .double, .date, .text, .varchar(length: 60), .char(length: 60), .varbinary,
    .decimal(precision: 7, scale: 2), .decimal(precision: 15, scale: 0), .decimal(precision: 38, scale: 10),
    .time(precision: 3), .time(precision: 6), .timestamp(precision: 0), .timestamp(precision: 3), .timestamp(precision: 6),
    .timestamp(precision: 9), .array(.integer), .array(.array(.text)), .map(key: .text, value: .bigint),
    .row([.init(name: "a", type: .integer), .init(name: "b", type: .text)]),
    .array(
      .row([
        .init(name: "m", type: .map(key: .text, value: .array(.double))),
        .init(name: "r", type: .row([.init(name: "deep", type: .array(.decimal(precision: 20, scale: 2)))])),
      ])),
  ]
  private static let schema = Schema(types.enumerated().map { Field("c\($0)", $1) })

  @Test(arguments: [(0, 5), (3, 900), (1, 1), (4, 1_000_000)])
  func everyTypeReadsBack(_ nulls: Int, _ distinct: Int) throws {
    let rows = WriterTesting.rows(Self.schema, 2500, nulls: nulls, distinct: distinct)
    let (bytes, summary) = try WriterTesting.write(rows, Self.schema, WriterOptions(), AvroFormat.self)
    for index in Self.types.indices { #expect(summary.columns[index].nullCount == rows.count { $0[index].isNull }) }
    try WriterTesting.check(rows, Self.schema, bytes, AvroFormat.self)
    try WriterTesting.check(rows, Self.schema, bytes, AvroFormat.self, targetByteCount: bytes.count / 5)
  }

  @Test(arguments: ["DEFLATE", "SNAPPY", "ZSTD", "BZIP2", "NONE"])
  func everyCodecReadsBack(_ codec: String) throws {
    let rows = WriterTesting.rows(Self.schema, 700, nulls: 5, distinct: 100_000)
    var options = WriterOptions(compression: codec)
    options.blockRowCount = 300
    let (bytes, _) = try WriterTesting.write(rows, Self.schema, options, AvroFormat.self, batchSize: 128)
    try WriterTesting.check(rows, Self.schema, bytes, AvroFormat.self)
  }

  @Test func filesWithoutRows() throws {
    let (bytes, summary) = try WriterTesting.write([], Self.schema, WriterOptions(), AvroFormat.self)
    #expect(summary.rowCount == 0)
    try WriterTesting.check([], Self.schema, bytes, AvroFormat.self)
  }

  /// A damaged block of a Snappy file is told by its checksum.
  @Test func checksumsAreLookedAt() throws {
    let schema = Schema([Field("s", .text)])
    let rows: [[Scalar]] = (0..<50).map { [.string("value \($0)")] }
    var (bytes, _) = try WriterTesting.write(rows, schema, WriterOptions(compression: "SNAPPY"), AvroFormat.self)
    // Before the last marker lies the checksum.
    bytes[bytes.count - 17] ^= 1
    let error = #expect(throws: QueryError.self) { try WriterTesting.check(rows, schema, bytes, AvroFormat.self) }
    #expect(error?.code == .hiveBadData && error?.message.contains("checksum") == true)
  }

  @Test(arguments: [
    DataType.tinyint, .smallint, .intervalDayToSecond, .timestamp(precision: 12), .json, .unknown, .row([]), .map(key: .bigint, value: .text),
    .row([.init(name: "no name", type: .integer)]),
  ])
  func otherTypesAreRefusedByName(_ type: DataType) throws {
    let error = #expect(throws: QueryError.self) {
      try AvroFormat(FormatOptions()).makeWriter(Schema([Field("odd", type)]), WriterOptions(), to: WriterTesting.MemoryWriter())
    }
    #expect(error?.code == .notSupported && error?.message.contains("'odd'") == true)
  }

  /// Writes the files that check_writers.py asks for: lines of input, output, format, codec, rows a block.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["WRITE_FILES"] != nil))
  func writesFilesForOthers() throws {
    let list = try String(contentsOfFile: ProcessInfo.processInfo.environment["WRITE_FILES"]!, encoding: .utf8)
    for line in list.split(separator: "\n") {
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      let source = try LocalObjectStore().open(cells[0], meter: ScanMeter())
      let input = try ParquetFormat(FormatOptions())
      let schema = try input.inferSchema(source)
      var options = WriterOptions(compression: cells[3])
      options.blockRowCount = Int(cells[4])
      options.bloomFilterColumns = cells[2] == "orc" ? [0] : []
      let object = try LocalObjectStore().makeWriter(cells[1])
      let format = try #require(FormatRegistry.format(named: cells[2]))
      let writer = try format.init(FormatOptions()).makeWriter(schema, options, to: object)
      let request = ScanRequest(columns: WriterTesting.columns(schema))
      for batch in try WriterTesting.batches(try input.open(source), request) { try writer.append(batch) }
      _ = try writer.finish()
      try object.commit(durable: false)
    }
  }
}
