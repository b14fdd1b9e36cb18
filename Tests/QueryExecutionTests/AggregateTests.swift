import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import Testing

@testable import QueryExecution

@Suite struct HashAggregateTests {
  static let table: TestTable = {
    var random = TestRandom(state: 42)
    var rows: [Row] = []
    for _ in 0..<1500 {
      let k = Int64.random(in: 0...30, using: &random)
      let s: Scalar = k % 7 == 0 ? .null : .string(k % 2 == 0 ? "short\(k % 5)" : "quite a long text \(k % 5)")
      let x: Scalar = Int.random(in: 0...9, using: &random) == 0 ? .null : .integer(.random(in: -50...50, using: &random))
      rows.append([.integer(k), s, x, .boolean(Bool.random(using: &random))])
    }
    return TestTable([("k", .bigint), ("s", .text), ("x", .bigint), ("f", .boolean)], firstID: 0, rows: rows)
  }()

  static func integer(_ value: Scalar) -> Int64? { value.integerValue }

  /// Groups by the given columns: [key…, count(*), count(x), sum(x), count(distinct x), sum(x) where f].
  static func reference(_ keys: [Int]) -> [Row] {
    var groups: [[Scalar]: [Row]] = [:]
    for row in table.rows { groups[keys.map { row[$0] }, default: []].append(row) }
    if keys.isEmpty, groups.isEmpty { groups[[]] = [] }
    return groups.map { key, rows in
      let xs = rows.compactMap { integer($0[2]) }
      let filtered = rows.filter { $0[3] == .boolean(true) }.compactMap { integer($0[2]) }
      return key + [
        .integer(Int64(rows.count)), .integer(Int64(xs.count)), xs.isEmpty ? .null : .integer(xs.reduce(0, +)),
        .integer(Int64(Set(xs).count)), filtered.isEmpty ? .null : .integer(filtered.reduce(0, +)),
      ]
    }
  }

  static func calls(withDistinct: Bool = true) throws -> [AggregateCall] {
    let x = Expression.column(table["x"])
    var calls = [
      try aggregate("count", [], id: 100), try aggregate("count", [x], id: 101), try aggregate("sum", [x], id: 102),
    ]
    if withDistinct { calls.append(try aggregate("count", [x], id: 103, isDistinct: true)) }
    calls.append(try aggregate("sum", [x], id: 104, filter: table["f"]))
    return calls
  }

  @Test(arguments: TestConfiguration.all, [[], [0], [1], [0, 1], [1, 3, 0]])
  func matchesReference(_ configuration: TestConfiguration, _ keys: [Int]) throws {
    let table = HashAggregateTests.table
    let keyColumns = keys.map { AggregateNode.Key(input: table.columns[$0], output: table.columns[$0]) }
    for withDistinct in [true, false] {
      let node = AggregateNode(
        input: table.scan(), keys: keyColumns, calls: try HashAggregateTests.calls(withDistinct: withDistinct))
      var expected = HashAggregateTests.reference(keys)
      if !withDistinct { for index in expected.indices { expected[index].remove(at: keys.count + 3) } }
      let actual = bag(try configuration.run(.aggregate(node)))
      #expect(actual == bag(expected))
    }
  }

  @Test(arguments: TestConfiguration.all)
  func distinctAlone(_ configuration: TestConfiguration) throws {
    let table = HashAggregateTests.table
    let x = Expression.column(table["x"])
    let node = AggregateNode(
      input: table.scan(), keys: [.init(input: table["k"], output: table["k"])],
      calls: [
        try aggregate("count", [x], id: 100, isDistinct: true), try aggregate("sum", [x], id: 101, isDistinct: true),
      ])
    var groups: [Scalar: Set<Int64>] = [:]
    for row in table.rows {
      groups[row[0], default: []].formUnion(row[2].integerValue.map { [$0] } ?? [])
    }
    let expected = groups.map { key, xs -> Row in [key, .integer(Int64(xs.count)), .integer(xs.reduce(0, +))] }
    #expect(bag(try configuration.run(.aggregate(node))) == bag(expected))
  }

  @Test(arguments: TestConfiguration.all)
  func groupingSets(_ configuration: TestConfiguration) throws {
    let table = HashAggregateTests.table
    let node = AggregateNode(
      input: table.scan(),
      keys: [
        .init(input: table["k"], output: column(50, "k", .bigint)), .init(input: table["s"], output: column(51, "s", .text)),
      ], groupingSets: [[0], [1], []], calls: [try aggregate("count", [], id: 100)],
      groupingSetIndex: column(60, "set", .bigint))
    var expected: [Row] = []
    var counts: [Row: Int64] = [:]
    for row in table.rows {
      counts[[row[0], .null, .integer(0)], default: 0] += 1
      counts[[.null, row[1], .integer(1)], default: 0] += 1
      counts[[.null, .null, .integer(2)], default: 0] += 1
    }
    for (key, count) in counts { expected.append([key[0], key[1], .integer(count), key[2]]) }
    #expect(bag(try configuration.run(.aggregate(node))) == bag(expected))
  }

  @Test(arguments: TestConfiguration.all)
  func orderWithinCall(_ configuration: TestConfiguration) throws {
    let table = HashAggregateTests.table
    for isDistinct in [false, true] {
      let node = AggregateNode(
        input: table.scan(), keys: [.init(input: table["k"], output: table["k"])],
        calls: [
          try aggregate(
            "array_agg", [.column(table["x"])], id: 100, isDistinct: isDistinct,
            ordering: [SortKey(table["x"], isAscending: false, nullsFirst: true)])
        ])
      var groups: [Scalar: [Scalar]] = [:]
      for row in table.rows { groups[row[0], default: []].append(row[2]) }
      let expected = groups.map { key, values -> Row in
        var sorted = values.sorted { a, b in
          guard let x = a.integerValue else { return b.integerValue != nil }
          guard let y = b.integerValue else { return false }
          return x > y
        }
        if isDistinct {
          var seen: Set<Scalar> = []
          sorted = sorted.filter { seen.insert($0).inserted }
        }
        return [key, .array(sorted)]
      }
      #expect(bag(try configuration.run(.aggregate(node))) == bag(expected))
    }
  }

  @Test(arguments: TestConfiguration.all)
  func noRows(_ configuration: TestConfiguration) throws {
    let table = TestTable([("k", .bigint), ("x", .bigint)], firstID: 0, rows: [])
    let global = AggregateNode(input: table.scan(), keys: [], calls: [try aggregate("count", [], id: 100)])
    #expect(try configuration.run(.aggregate(global)) == [[.integer(0)]])
    let grouped = AggregateNode(
      input: table.scan(), keys: [.init(input: table["k"], output: table["k"])],
      calls: [try aggregate("count", [], id: 100)])
    #expect(try configuration.run(.aggregate(grouped)).isEmpty)
  }

  @Test func memoryLimit() throws {
    let table = HashAggregateTests.table
    let node = AggregateNode(
      input: table.scan(), keys: [.init(input: table["k"], output: table["k"])],
      calls: [try aggregate("array_agg", [.column(table["s"])], id: 100)])
    let context = TestConfiguration(threads: 2, batchSize: 100).context(memoryLimit: 1000)
    let error = #expect(throws: QueryError.self) {
      _ = try QueryExecutor.collect(.aggregate(node), outputs: node.outputs, context: context)
    }
    #expect(error?.code == .exceededLocalMemoryLimit)
    #expect(error?.message == "Query exceeded per-node memory limit of 1000B")
  }
}
