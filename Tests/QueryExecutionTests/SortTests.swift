import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import Testing

@testable import QueryExecution

@Suite struct SortTests {
  static let table: TestTable = {
    var random = TestRandom(state: 5)
    var rows: [Row] = []
    for i in 0..<2000 {
      func maybe(_ value: Scalar) -> Scalar { Int.random(in: 0...8, using: &random) == 0 ? .null : value }
      let doubles: [Double] = [.nan, 0, -0.0, -1.5, 7, .infinity, -.infinity]
      let texts = ["", "a", "ab", "a\u{0}", "long string with one end", "long string with other end", "zz", "long string"]
      rows.append([
        maybe(.integer(.random(in: -3...3, using: &random))), maybe(.string(texts.randomElement(using: &random)!)),
        maybe(.double(doubles.randomElement(using: &random)!)),
        maybe(.int128(Int128(Int64.random(in: -2...2, using: &random)) << 65)),
        maybe(.array([.integer(.random(in: 0...2, using: &random))])), .integer(Int64(i)),
      ])
    }
    return TestTable(
      [
        ("i", .integer), ("s", .text), ("d", .double), ("w", .decimal(precision: 38, scale: 0)),
        ("a", .array(.integer)), ("n", .bigint),
      ], firstID: 0, rows: rows)
  }()

  static func order(_ a: Scalar, _ b: Scalar) -> Int {
    switch (a, b) {
    case (.double(let x), .double(let y)):
      if x.isNaN || y.isNaN { return (x.isNaN ? 1 : 0) - (y.isNaN ? 1 : 0) }
      return x < y ? -1 : (x == y ? 0 : 1)
    case (.array(let x), .array(let y)): return Scalar.order(x[0], y[0])!
    default: return Scalar.order(a, b)!
    }
  }

  static func order(_ a: Row, _ b: Row, _ keys: [(Int, Bool, Bool)]) -> Int {
    for (index, isAscending, nullsFirst) in keys {
      let (x, y) = (a[index], b[index])
      if x.isNull || y.isNull {
        if x.isNull == y.isNull { continue }
        return x.isNull == nullsFirst ? -1 : 1
      }
      let order = order(x, y)
      if order != 0 { return isAscending ? order : -order }
    }
    return 0
  }

  static let keyLists: [[(Int, Bool, Bool)]] = [
    [(0, true, false)], [(0, false, true), (1, true, false)], [(1, false, false), (2, true, true)],
    [(2, false, true), (3, true, false), (0, true, true)], [(3, false, false), (1, true, true)],
    [(4, false, true), (0, true, false)], [(5, false, false)],
  ]

  @Test(arguments: TestConfiguration.all, keyLists.indices)
  func sorted(_ configuration: TestConfiguration, _ list: Int) throws {
    let table = SortTests.table
    let keys = SortTests.keyLists[list]
    let sortKeys = keys.map { SortKey(table.columns[$0.0], isAscending: $0.1, nullsFirst: $0.2) }
    let rows = try configuration.run(.sort(SortNode(input: table.scan(), keys: sortKeys)))
    #expect(rows.count == table.rows.count)
    // Dictionaries make one entry of 0.0 and -0.0.
    func texts(_ rows: [Row]) -> [String] { rows.map { $0.map(SortTests.text).joined(separator: "|") }.sorted() }
    #expect(texts(rows) == texts(table.rows))
    for (a, b) in zip(rows, rows.dropFirst()) { #expect(SortTests.order(a, b, keys) <= 0) }
    let expected = table.rows.sorted { SortTests.order($0, $1, keys) < 0 }
    for (offset, count) in [(0, 1), (0, 10), (5, 20), (0, 5000), (1990, 100), (0, 0), (3000, 5)] {
      func keysOf(_ rows: some Sequence<Row>) -> [String] {
        rows.map { row in keys.map { SortTests.text(row[$0.0]) }.joined(separator: "|") }
      }
      let top = try configuration.run(
        .topN(TopNNode(input: table.scan(), keys: sortKeys, offset: offset, count: count)))
      #expect(keysOf(top) == keysOf(expected.dropFirst(offset).prefix(count)))
      let limited = try configuration.run(
        .limit(LimitNode(input: .sort(SortNode(input: table.scan(), keys: sortKeys)), offset: offset, count: count)))
      #expect(keysOf(limited) == keysOf(expected.dropFirst(offset).prefix(count)))
      let ties = try configuration.run(
        .topN(TopNNode(input: table.scan(), keys: sortKeys, offset: 0, count: count, withTies: true)))
      var end = min(count, expected.count)
      while end > 0, end < expected.count, SortTests.order(expected[end - 1], expected[end], keys) == 0 { end += 1 }
      #expect(ties.count == end)
    }
  }

  static func text(_ value: Scalar) -> String {
    if case .double(let x) = value { return "\(x + 0.0)" }
    return "\(value)"
  }

  @Test func manyRows() throws {
    var random = TestRandom(state: 9)
    let rows = (0..<150_000).map { _ -> Row in [.integer(Int64(bitPattern: random.next()) >> 20)] }
    let table = TestTable([("x", .bigint)], firstID: 0, rows: rows)
    let plan = LogicalPlan.sort(SortNode(input: table.scan(rowsPerSplit: 20_000), keys: [SortKey(table["x"])]))
    let sorted = try TestConfiguration(threads: 3, batchSize: 4096).run(plan).map { $0[0].integerValue! }
    #expect(sorted == rows.map { $0[0].integerValue! }.sorted())
  }
}
