import Columnar
import ObjectStore
import QueryErrors
import Testing

@testable import FileFormats

private typealias Opened = ParquetTesting.Opened

@Suite struct ParquetPruningTests {
  private static let file = ParquetTesting.fixtures + "pruning.parquet"

  private static func domain(_ type: DataType, _ values: Scalar...) -> Domain {
    Domain(type: type, ranges: values.map { .equal($0) }, allowsNull: false)
  }

  @Test func statisticsDropRowGroups() throws {
    let opened = try Opened(Self.file)
    let column = opened.column("sorted")
    let metrics = ScanMetrics()
    let range = Domain(
      type: .bigint, ranges: [.init(low: .integer(1999), high: .integer(2001), highInclusive: false)], allowsNull: false
    )
    let rows = try opened.read(
      ScanRequest(
        columns: [column], domain: RowDomain([0: range]),
        predicates: [.values(0) { $0.integerValue! >= 1999 && $0.integerValue! < 2001 }]), metrics: metrics)
    #expect(rows == [["1999", "2000"]])
    #expect(metrics.blocksTotal == 4)
    #expect(metrics.blocksRead == 2)
  }

  /// Only the page with the row is read, of every column.
  @Test func pageIndexDropsPages() throws {
    let opened = try Opened(Self.file)
    let columns = ["sorted", "name", "group", "number"].map(opened.column)
    let metrics = ScanMetrics()
    let rows = try opened.read(
      ScanRequest(
        columns: columns, domain: RowDomain([0: Self.domain(.bigint, .integer(1234))]),
        predicates: [.values(0) { $0 == .integer(1234) }]), metrics: metrics)
    #expect(rows[0] == ["1234"])
    #expect(rows[1] == [ParquetTesting.render(.string("name-00234"), .text)])
    #expect(metrics.rowsRead < 200)
    #expect(metrics.pagesPruned > 20)
    #expect(opened.meter.dataBytes < opened.file.scanByteCount(of: columns) / 20)
  }

  /// A column without a domain prunes no page, but pages of other columns without survivors are not read.
  @Test func survivorsDropPages() throws {
    let opened = try Opened(Self.file)
    let columns = [opened.column("shuffled"), opened.column("name")]
    let wanted: Set<Int64> = [17, 3333]
    let metrics = ScanMetrics()
    let rows = try opened.read(
      ScanRequest(columns: columns, predicates: [.values(0) { wanted.contains($0.integerValue!) }]), metrics: metrics)
    #expect(Set(rows[0]) == ["17", "3333"])
    #expect(metrics.rowsRead == 4000)
    #expect(metrics.rowsPassed == 2)
    let first = opened.file.scanByteCount(of: [columns[0]])
    #expect(opened.meter.dataBytes > first && opened.meter.dataBytes < first + 5000)
  }

  @Test func dictionariesDropRowGroups() throws {
    let opened = try Opened(Self.file)
    let columns = [opened.column("group"), opened.column("number")]
    let metrics = ScanMetrics()
    let rows = try opened.read(
      ScanRequest(columns: columns, predicates: [.values(0) { $0.stringValue == "g5" }]), metrics: metrics)
    #expect(rows[0].count == (2500..<3000).count { $0 % 97 != 0 })
    #expect(metrics.rowsRead == 1000)
    let nulls = try opened.read(ScanRequest(columns: columns, predicates: [.values(0) { $0.isNull }]))
    #expect(nulls[0].count == (0..<4000).count { $0 % 97 == 0 })
    #expect(nulls[1].first == "0000000000000000")
  }

  @Test func bloomFiltersDropRowGroups() throws {
    let opened = try Opened(ParquetTesting.fixtures + "duckdb_bloom.parquet")
    let column = opened.column("name")
    let name = "user-\(7919 * 700 % 100000)"
    let metrics = ScanMetrics()
    let request = ScanRequest(
      columns: [opened.column("id"), column], domain: RowDomain([1: Self.domain(.text, .string(name))]),
      predicates: [.values(1) { $0.stringValue == name }])
    #expect(try opened.read(request, metrics: metrics)[0] == ["700"])
    let sample = try Opened("sample-data/types/bloom_and_page_index.parquet")
    let absent = ScanRequest(
      columns: [sample.column("id")], domain: RowDomain([0: Self.domain(sample.column("id").type, .integer(3))]))
    let batches = try sample.batches(absent)
    let present = batches.contains { batch in
      (0..<batch.rowCount).contains { batch.columns[0].scalar($0) == .integer(3) }
    }
    let all = try sample.read(ScanRequest(columns: [sample.column("id")]))[0]
    #expect(present == all.contains("3"))
  }

  /// Every value that is there is found through statistics, bloom filters and page index.
  @Test func prunesNothingThatIsThere() throws {
    for (file, names) in [
      (ParquetTesting.fixtures + "duckdb_bloom.parquet", ["id", "name", "code"]),
      ("sample-data/types/bloom_and_page_index.parquet", ["id", "name", "sorted"]),
      (Self.file, ["sorted", "shuffled", "name", "number", "group"]),
    ] {
      let opened = try Opened(file)
      for name in names {
        let column = opened.column(name)
        var values: [Scalar] = []
        for batch in try opened.batches(ScanRequest(columns: [column])) {
          for row in stride(from: 0, to: batch.rowCount, by: 211) { values.append(batch.columns[0].scalar(row)) }
        }
        for value in values where !value.isNull {
          let request = ScanRequest(
            columns: [column], domain: RowDomain([0: Self.domain(column.type, value)]),
            predicates: [.values(0) { $0 == value }])
          #expect(try opened.read(request)[0].count > 0, "\(file) \(name) \(value)")
        }
      }
    }
  }

  @Test func dynamicDomainsTakeEffectLate() throws {
    let opened = try Opened(Self.file)
    let column = opened.column("sorted")
    let looks = Counter()
    let late = DynamicDomain(column: 0) { looks.next() > 12 ? Self.domain(.bigint, .integer(3500)) : nil }
    let rows = try opened.read(ScanRequest(columns: [column], dynamicDomains: [late], batchSize: 50))[0]
    #expect(rows.contains("3500"))
    #expect(rows.count < 2000)
    let none = DynamicDomain(column: 0) { .none(.bigint) }
    #expect(try opened.read(ScanRequest(columns: [column], dynamicDomains: [none]))[0].isEmpty)
  }

  @Test func notEqualKeepsNaN() throws {
    let opened = try Opened(ParquetTesting.fixtures + "floats.parquet")
    let column = opened.column("f")
    let domain = Domain(
      type: .real,
      ranges: [
        .init(low: nil, high: .real(1), highInclusive: false), .init(low: .real(1), lowInclusive: false, high: nil),
      ], allowsNull: false)
    #expect(try opened.read(ScanRequest(columns: [column], domain: RowDomain([0: domain])))[0].contains("nan"))
  }
}

private final class Counter: @unchecked Sendable {
  private var value = 0
  func next() -> Int {
    value += 1
    return value
  }
}
