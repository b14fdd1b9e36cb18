import Columnar
import ObjectStore
import QueryErrors
import Testing

@testable import FileFormats

/// The text files of `sample-data`, which other tools wrote.
@Suite struct SampleDataTests {
  private let root: String = {
    "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/") + "/sample-data/"
  }()

  private func rows(_ path: String, columns: [String]? = nil, splitByteCount: Int = 1 << 20) throws -> [[String?]] {
    let type = try #require(FormatRegistry.format(forFileNamed: path.split(separator: "/").last.map(String.init)!))
    let format = try type.init(FormatOptions())
    let source = try LocalObjectStore().open(root + path, meter: ScanMeter())
    let schema = try format.inferSchema(source)
    let all = schema.fields.enumerated().map { ScanColumn(name: $1.name, type: $1.type, ordinal: $0) }
    let asked =
      try columns?.map { name in try #require(all.first { $0.name.lowercased() == name.lowercased() }) } ?? all
    return try TextTesting.rows(try format.open(source), ScanRequest(columns: asked), splitByteCount: splitByteCount)
  }

  @Test(arguments: [
    "cities.csv.bz2", "cities.csv.deflate", "cities.csv.gz", "cities.csv.lz4", "cities.csv.snappy", "cities.csv.zst",
    "cities_hadoop.csv.lz4",
  ]) func everyCompression(_ name: String) throws {
    let plain = try rows("compressed/cities.csv")
    #expect(plain.count == 1200)
    #expect(try rows("compressed/" + name) == plain)
  }

  @Test func compressedJSON() throws {
    let first = try rows("compressed/cities.json.bz2")
    #expect(first.count == 1200)
    #expect(try rows("compressed/cities.json.snappy") == first)
    #expect(try rows("compressed/cities.json.zst") == first)
  }

  @Test func delimiters() throws {
    let pipe = try rows("delimited/pipe.csv")
    #expect(pipe.count == 4)
    #expect(pipe[0] == ["1", "00501", "Ann", "1.5", "19724"])
    #expect(pipe[2] == ["3", nil, "Zoë", nil, nil])
    #expect(try rows("delimited/semicolon.csv") == pipe)
    #expect(try rows("delimited/tab.tsv") == pipe)
    #expect(try rows("delimited/no_header.csv").count == 20)
    #expect(try rows("delimited/header_only.csv") == [])
    #expect(try rows("delimited/empty.csv") == [])
    #expect(
      try rows("delimited/crlf_bom.csv") == [
        ["1", "a \"quoted\" name"], ["2", "two\r\nlines"], ["3", nil], ["4", ""],
      ])
  }

  @Test func eventsOfAllDays() throws {
    var total = 0
    for day in 1...7 {
      let folder = "events/dt=2024-06-0\(day)"
      for entry in try LocalObjectStore().list(root + folder, detail: .names, meter: ScanMeter()) where !entry.isHidden {
        let found = try rows(folder + "/" + entry.name, columns: ["eventId", "user", "total"], splitByteCount: 5000)
        #expect(found.allSatisfy { $0[0] != nil })
        total += found.count
      }
    }
    #expect(total == 2240)
    #expect(try rows("catalog/catalog.json").count == 12)
  }

  @Test(arguments: [
    "array_not_closed.json", "bad_escape.json", "malformed.json", "trailing_garbage.json", "bad_utf8.csv",
    "too_many_fields.csv", "truncated.csv.gz", "truncated.csv.zst", "unclosed_quote.csv", "wrong_checksum.csv.gz",
    "not_gzip.csv.gz",
  ]) func brokenFilesAreErrors(_ name: String) throws {
    let error = TextTesting.failure { _ = try rows("broken/" + name) }
    #expect(error?.code == .hiveBadData)
    #expect(error?.data?.path.hasSuffix(name) == true)
  }

  @Test func oddFilesThatCanBeRead() throws {
    #expect(try rows("broken/too_few_fields.csv")[1] == ["2", "b", nil])
    #expect(try rows("broken/lone_surrogate.json").isEmpty == false)
    _ = try rows("broken/nul_bytes.csv")
    _ = try rows("broken/bad_number.csv")
    _ = TextTesting.failure { _ = try rows("broken/deep.json") }
  }
}
