import CKernels
import Columnar
import ObjectStore
import QueryErrors
import Testing

@testable import FileFormats

private typealias Opened = ParquetTesting.Opened

@Suite struct ParquetReaderTests {
  static let files: [String] = {
    var names: [String] = []
    for expectation in ParquetTesting.expectations where names.last != expectation.file {
      names.append(expectation.file)
    }
    return names
  }()

  static func matches(_ rows: [String], _ expected: ParquetTesting.Expectation) -> Bool {
    rows.count == expected.rowCount && ParquetTesting.hash(rows) == expected.hash
  }

  @Test(arguments: files)
  func readsWhatPyarrowReads(_ name: String) throws {
    let opened = try Opened(name)
    for expected in ParquetTesting.expectations where expected.file == name {
      for batchSize in [4096, 7] {
        let request = ScanRequest(columns: [opened.column(expected.column)], batchSize: batchSize)
        let rows = try opened.read(request)[0]
        #expect(
          Self.matches(rows, expected), "\(name) \(expected.column) in batches of \(batchSize): \(rows.prefix(12))")
      }
    }
  }

  /// Late materialization gives the rows a full read gives, however many survive.
  @Test(arguments: files)
  func survivorsAreTheSameRows(_ name: String) throws {
    let opened = try Opened(name)
    guard !opened.columns.isEmpty else { return }
    let readable = opened.columns
    let all = try opened.read(ScanRequest(columns: readable))
    let count = all[0].count
    let patterns: [@Sendable (Int) -> Bool] = [
      { _ in true }, { _ in false }, { $0 % 2 == 0 }, { $0 % 97 == 13 }, { ($0 * 2_654_435_761) & 1023 < 600 },
      { $0 / 100 % 3 == 1 },
    ]
    for (number, pattern) in patterns.enumerated() {
      for batchSize in [4096, 64] {
        let request = ScanRequest(columns: readable, predicates: [.rows(0, pattern)], batchSize: batchSize)
        let rows = try opened.read(request)
        for (index, column) in readable.enumerated() {
          let expected = (0..<count).filter(pattern).map { all[index][$0] }
          #expect(rows[index] == expected, "\(name) \(column.name), pattern \(number), batches of \(batchSize)")
        }
      }
    }
  }

  @Test(arguments: files)
  func statisticsHold(_ name: String) throws {
    let opened = try Opened(name)
    for column in opened.columns {
      guard let statistics = opened.file.statistics(of: column) else { continue }
      var values: [Scalar] = []
      for batch in try opened.batches(ScanRequest(columns: [column])) {
        for row in 0..<batch.rowCount { values.append(batch.columns[0].scalar(row)) }
      }
      if let nulls = statistics.nullCount { #expect(nulls == values.count(where: \.isNull), "\(name) \(column.name)") }
      let known = values.filter { !$0.isNull }
      for value in known {
        if let low = statistics.min, let order = Scalar.order(low, value) {
          #expect(order <= 0, "\(name) \(column.name)")
        }
        if let high = statistics.max, let order = Scalar.order(value, high) {
          #expect(order <= 0, "\(name) \(column.name)")
        }
      }
      if statistics.isExact {
        #expect(known.contains(statistics.min!) && known.contains(statistics.max!), "\(name) \(column.name)")
      }
    }
  }

  /// Reading everything meters exactly the chunks' stored sizes.
  @Test(arguments: files)
  func metersStoredBytesOnce(_ name: String) throws {
    for byPage in [false, true] {
      let opened = try Opened(name)
      let predicates = byPage && !opened.columns.isEmpty ? [ScanPredicate.rows(0) { _ in true }] : []
      let request = ScanRequest(columns: opened.columns, predicates: predicates)
      #expect(opened.meter.dataBytes == 0)
      try opened.batches(request)
      #expect(opened.meter.dataBytes == opened.file.scanByteCount(of: opened.columns), "\(name)")
    }
  }

  /// Readers of parts of one row group see every row once, and every byte is metered once.
  @Test(arguments: ["parts_index", "parts_sequential"])
  func partsOfARowGroup(_ name: String) throws {
    let opened = try Opened(ParquetTesting.fixtures + name + ".parquet")
    let metrics = ScanMetrics()
    let request = ScanRequest(columns: opened.columns)
    let scan = try opened.file.scan(request, metrics: metrics)
    let splits = try scan.splits(targetByteCount: 1, unit: .size)
    #expect(splits.count == 2)
    #expect(splits.reduce(0) { $0 + $1.scanByteCount } == opened.file.scanByteCount(of: opened.columns))
    let rows = try opened.read(splits, scan, request)
    for expected in ParquetTesting.expectations where expected.file.hasSuffix("/\(name).parquet") {
      let index = opened.columns.firstIndex { $0.name == expected.column }!
      #expect(Self.matches(rows[index], expected), "\(expected.column)")
    }
    #expect(opened.meter.dataBytes == opened.file.scanByteCount(of: opened.columns))
    #expect(metrics.blocksRead == 1)
    #expect(metrics.blocksTotal == 1)
  }

  /// A row group cut where pages start: the same rows, and every byte once.
  @Test func partsWherePagesStart() throws {
    let names = ["l_orderkey", "l_extendedprice", "l_shipmode", "l_comment"]
    for onlySome in [false, true] {
      let whole = try Opened("sample-data/tpch/lineitem.parquet")
      let cut = try Opened("sample-data/tpch/lineitem.parquet")
      let columns = names.map { cut.column($0) }
      let request = ScanRequest(
        columns: columns,
        predicates: onlySome ? [.values(2) { $0.stringValue == "AIR" }, .values(0) { ($0.integerValue ?? 0) > 900 }] : [],
        batchSize: 3000)
      let metrics = ScanMetrics()
      let scan = try cut.file.scan(request, metrics: metrics)
      let splits = try scan.splits(targetByteCount: .max, unit: .size)
      let parts = try splits.flatMap { try scan.parts(of: $0, count: 4) }
      #expect(splits.count == 1)
      #expect(parts.count == 4)
      #expect(parts.reduce(0) { $0 + $1.rowCount! } == 60_175)
      let ranges = parts.map { if case .rows(let rows, 0) = $0.place { rows } else { 0..<0 } }
      #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
      #expect(parts.reduce(0) { $0 + $1.scanByteCount } == splits[0].scanByteCount)
      // The last part first: parts are read in any order.
      let last = try cut.read([parts[3]], scan, request)
      let first = try cut.read(Array(parts[..<3]), scan, request)
      let expected = try whole.read(request)
      let areSame = zip(first, last).map { $0 + $1 } == expected
      #expect(areSame)
      #expect(expected[0].count == (onlySome ? 8_379 : 60_175))
      if !onlySome { #expect(cut.meter.dataBytes == whole.meter.dataBytes) }
      #expect(metrics.blocksRead == 1)
    }
    // Too few rows for a part each.
    let small = try Opened("sample-data/tpch/orders.parquet")
    let request = ScanRequest(columns: [small.column("o_orderpriority")])
    let metrics = ScanMetrics()
    let scan = try small.file.scan(request, metrics: metrics)
    let splits = try scan.splits(targetByteCount: .max, unit: .size)
    #expect(try scan.parts(of: splits[0], count: 4) == splits)
  }

  @Test func countsWithoutReading() throws {
    let opened = try Opened("sample-data/types/many_row_groups.parquet")
    let batches = try opened.batches(ScanRequest(columns: [], batchSize: 64))
    #expect(batches.reduce(0) { $0 + $1.rowCount } == 1000)
    #expect(opened.file.rowCount == 1000)
    #expect(opened.meter.dataBytes == 0)
  }

  @Test func limitStops() throws {
    let opened = try Opened(ParquetTesting.fixtures + "pruning.parquet")
    let rows = try Self.rowsOfOneReader(opened, ScanRequest(columns: [opened.column("sorted")], limit: 5))
    #expect(rows == ["0", "1", "2", "3", "4"])
    #expect(opened.meter.dataBytes < 2000)
    let some = try Self.rowsOfOneReader(
      opened,
      ScanRequest(columns: [opened.column("sorted")], predicates: [.values(0) { $0.integerValue! % 10 == 3 }], limit: 3)
    )
    #expect(some == ["3", "13", "23"])
  }

  private static func rowsOfOneReader(_ opened: Opened, _ request: ScanRequest) throws -> [String] {
    let metrics = ScanMetrics()
    let scan = try opened.file.scan(request, metrics: metrics)
    let reader = try scan.makeReader(scan.splits(targetByteCount: .max, unit: .size)[0])
    var rows: [String] = []
    while let batch = try reader.next() {
      for row in 0..<batch.rowCount {
        rows.append(ParquetTesting.render(batch.columns[0].scalar(row), batch.columns[0].type))
      }
    }
    return rows
  }

  // MARK: Types

  private func numbers(_ name: String, as type: DataType) throws -> [String] {
    let opened = try Opened(ParquetTesting.fixtures + "numbers.parquet")
    return try opened.read(ScanRequest(columns: [ScanColumn(name: name, type: type, ordinal: 0)]))[0]
  }

  @Test func readsAsDeclared() throws {
    #expect(try numbers("I8", as: .bigint) == ["-128", "127", "~"])
    #expect(try numbers("u8", as: .double) == ["0000000000000000", "406fe00000000000", "~"])
    #expect(try numbers("u32", as: .decimal(precision: 12, scale: 2)) == ["0", "429496729500", "~"])
    #expect(
      try numbers("i64", as: .decimal(precision: 38, scale: 1)) == [
        "-92233720368547758080", "92233720368547758070", "~",
      ])
    #expect(try numbers("d5", as: .decimal(precision: 20, scale: 4)) == ["-9999900", "1234000", "~"])
    #expect(try numbers("ts", as: .timestamp(precision: 3)) == ["-1000", "2000", "~"])
    #expect(try numbers("ts", as: .timestamp(precision: 9)) == ["-1500000000", "1500000000", "~"])
    #expect(try numbers("tms", as: .timestamp(precision: 6)) == ["-1000", "1000", "~"])
    #expect(try numbers("tns", as: .timestamp(precision: 6)) == ["-1", "2", "~"])
    #expect(try numbers("s", as: .varchar(length: 5)) == ["68c3a96c6c6f.", "782020.", "~"])
    #expect(try numbers("s", as: .char(length: 5)) == ["68c3a96c6c6f.", "78.", "~"])
    #expect(try numbers("s", as: .varbinary).count == 3)
    #expect(try numbers("missing", as: .array(.bigint)) == ["~", "~", "~"])
    let opened = try Opened(ParquetTesting.fixtures + "floats.parquet")
    #expect(
      try opened.read(ScanRequest(columns: [ScanColumn(name: "f", type: .double, ordinal: 0)]))[0].first
        == "3ff0000000000000")
  }

  @Test func refusesWhatDoesNotFit() {
    let expectations: [(String, DataType, String)] = [
      ("i64", .integer, "does not fit"), ("u64", .bigint, "does not fit"), ("u16", .smallint, "does not fit"),
      ("d5", .decimal(precision: 5, scale: 1), "fraction digits"),
      ("d38", .decimal(precision: 37, scale: 0), "does not fit"),
      ("s", .bigint, "column 's' is declared as bigint, but the Parquet file declares it as BYTE_ARRAY (STRING)"),
      ("i64", .text, "column 'i64' is declared as varchar"), ("i64", .array(.bigint), "is declared as array(bigint)"),
    ]
    for (name, type, message) in expectations {
      let error = #expect(throws: QueryError.self) { try numbers(name, as: type) }
      #expect(error?.code == .hiveBadData)
      #expect(error?.message.contains(message) == true, "\(name): \(error.map(String.init(describing:)) ?? "no error")")
    }
  }

  @Test func nestedFieldsMatchByName() throws {
    let opened = try Opened(ParquetTesting.fixtures + "nested_v1.parquet")
    let full = try opened.read(ScanRequest(columns: [opened.column("st")]))[0]
    let type = DataType.row([
      .init(name: "W", type: .integer), .init(name: "none", type: .text),
      .init(name: "x", type: .row([.init(name: "z", type: .double)])),
    ])
    let some = try opened.read(ScanRequest(columns: [ScanColumn(name: "ST", type: type, ordinal: 0)]))[0]
    #expect(full.count == some.count)
    for (a, b) in zip(full, some) where a == "~" || b == "~" { #expect(a == b) }
    #expect(some.allSatisfy { $0 == "~" || $0.contains(",~,") })
    // Only missing fields: the group's own NULLs still show.
    let none = DataType.row([.init(name: "none", type: .text)])
    let empty = try opened.read(ScanRequest(columns: [ScanColumn(name: "st", type: none, ordinal: 0)]))[0]
    #expect(empty == full.map { $0 == "~" ? "~" : "(~)" })
    let element = DataType.array(.row([.init(name: "none", type: .text)]))
    let lists = try opened.read(ScanRequest(columns: [ScanColumn(name: "lol", type: .array(element), ordinal: 0)]))[0]
    #expect(lists.count == full.count)
  }

  @Test func encryptedAndForeignFilesAreNamed() throws {
    for (name, code) in [
      ("encrypted_magic", ErrorCode.notSupported), ("not_parquet", .hiveBadData), ("empty", .hiveBadData),
      ("only_magic", .hiveBadData), ("footer_length_negative", .hiveBadData), ("footer_length_too_long", .hiveBadData),
      ("corrupted_footer", .hiveBadData), ("truncated_footer", .hiveBadData), ("truncated_data", .hiveBadData),
      ("corrupted_page", .hiveBadData), ("corrupted_page_header", .hiveBadData),
    ] {
      let path = "sample-data/broken/\(name).parquet"
      let error = #expect(throws: QueryError.self, "\(name)") {
        let opened = try Opened(path)
        try opened.batches(ScanRequest(columns: opened.columns))
      }
      #expect(error?.code == code, "\(name): \(error.map(String.init(describing:)) ?? "")")
      #expect(error?.data?.path == path)
    }
  }
}
