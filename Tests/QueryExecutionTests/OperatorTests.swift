import Columnar
import ObjectStore
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import Testing

@testable import QueryExecution

@Suite struct OperatorTests {
  static func numbers(_ n: Int, firstID: Int = 0) -> TestTable {
    TestTable([("n", .bigint)], firstID: firstID, rows: (0..<n).map { [.integer(Int64($0))] })
  }

  @Test(arguments: TestConfiguration.all)
  func resultsKeepTheScansOrder(_ configuration: TestConfiguration) throws {
    let table = OperatorTests.numbers(1000)
    let filter = FilterNode(
      input: table.scan(rowsPerSplit: 30),
      predicate: try .call("<>", [.column(table["n"]), .constant(.integer(500), .bigint)]))
    let rows = try configuration.run(.filter(filter)).map { $0[0].integerValue! }
    #expect(rows == (0..<1000).filter { $0 != 500 }.map { Int64($0) })
  }

  @Test(arguments: TestConfiguration.all)
  func limitStops(_ configuration: TestConfiguration) throws {
    let table = OperatorTests.numbers(1000)
    let rows = try configuration.run(.limit(LimitNode(input: table.scan(), offset: 10, count: 25)))
    #expect(rows.count == 25)
    let union = LogicalPlan.setOperation(
      SetOperationNode(
        .union, isAll: true,
        inputs: [
          .limit(LimitNode(input: table.scan(), count: 5)),
          .limit(LimitNode(input: OperatorTests.numbers(100, firstID: 20).scan(), count: 7)),
        ], outputs: [column(40, "n", .bigint)]))
    #expect(try configuration.run(union).count == 12)
  }

  @Test(arguments: TestConfiguration.all)
  func consumerEndsTheQuery(_ configuration: TestConfiguration) throws {
    let table = OperatorTests.numbers(5000)
    var seen = 0
    let error = #expect(throws: QueryError.self) {
      try QueryExecutor.execute(
        table.scan(), outputs: table.columns, context: configuration.context(),
        into: .inOrder { (batch) throws(QueryError) in
          seen += 1
          throw QueryError(.userCanceled, "enough")
        })
    }
    #expect(error?.message == "enough")
    #expect(seen == 1)
  }

  @Test(arguments: TestConfiguration.all)
  func firstErrorWins(_ configuration: TestConfiguration) throws {
    let table = OperatorTests.numbers(1000)
    let quotient = try Expression.call(
      "/", [.constant(.integer(1), .bigint), .call("-", [.column(table["n"]), .constant(.integer(700), .bigint)])])
    let project = ProjectNode(input: table.scan(), assignments: [.init(column(9, "q", .bigint), quotient)])
    let error = #expect(throws: QueryError.self) { _ = try configuration.run(.project(project)) }
    #expect(error?.code == .divisionByZero)
  }

  @Test(arguments: TestConfiguration.all)
  func cancellation(_ configuration: TestConfiguration) throws {
    let table = OperatorTests.numbers(1000)
    let context = configuration.context()
    context.cancellation.cancel()
    let error = #expect(throws: QueryError.self) {
      _ = try QueryExecutor.collect(table.scan(), outputs: table.columns, context: context)
    }
    #expect(error?.code == .userCanceled)
  }

  @Test(arguments: TestConfiguration.all, [SetOperationNode.Kind.union, .intersect, .except])
  func setOperations(_ configuration: TestConfiguration, _ kind: SetOperationNode.Kind) throws {
    for isAll in [false, true] { try setOperation(configuration, kind, isAll) }
  }

  private func setOperation(
    _ configuration: TestConfiguration, _ kind: SetOperationNode.Kind, _ isAll: Bool
  ) throws {
    func table(_ seed: UInt64, _ id: Int) -> TestTable {
      var random = TestRandom(state: seed)
      return TestTable(
        [("a", .integer), ("b", .text)], firstID: id,
        rows: (0..<120).map { _ in
          [.integer(.random(in: 0...4, using: &random)), Bool.random(using: &random) ? .null : .string("x")]
        })
    }
    let (left, right) = (table(1, 0), table(2, 10))
    let plan = LogicalPlan.setOperation(
      SetOperationNode(
        kind, isAll: isAll, inputs: [left.scan(rowsPerSplit: 20), right.scan(rowsPerSplit: 20)],
        outputs: [column(20, "a", .integer), column(21, "b", .text)]))
    func counts(_ rows: [Row]) -> [Row: Int] { rows.reduce(into: [:]) { $0[$1, default: 0] += 1 } }
    let (l, r) = (counts(left.rows), counts(right.rows))
    var expected: [Row] = []
    for key in Set(l.keys).union(r.keys) {
      let (a, b) = (l[key] ?? 0, r[key] ?? 0)
      let n: Int
      switch kind {
      case .union: n = isAll ? a + b : 1
      case .intersect: n = isAll ? min(a, b) : (a > 0 && b > 0 ? 1 : 0)
      case .except: n = isAll ? max(0, a - b) : (a > 0 && b == 0 ? 1 : 0)
      }
      expected += Array(repeating: key, count: n)
    }
    #expect(bag(try configuration.run(plan)) == bag(expected))
  }

  @Test(arguments: TestConfiguration.all)
  func unnest(_ configuration: TestConfiguration) throws {
    let table = TestTable(
      [("k", .bigint), ("a", .array(.integer)), ("m", .map(key: .text, value: .bigint))], firstID: 0,
      rows: [
        [.integer(1), .array([.integer(1), .null, .integer(3)]), .map([.init(key: .string("x"), value: .integer(9))])],
        [.integer(2), .null, .map([])], [.integer(3), .array([]), .null],
        [.integer(4), .array([.integer(7)]), .map([.init(key: .string("y"), value: .null)])],
      ])
    for isLeft in [false, true] {
      let node = UnnestNode(
        input: table.scan(rowsPerSplit: 2), kept: [table["k"]],
        items: [
          .init(column: table["a"], outputs: [column(10, "e", .integer)]),
          .init(column: table["m"], outputs: [column(11, "mk", .text), column(12, "mv", .bigint)]),
        ], ordinality: column(13, "o", .bigint), isLeft: isLeft)
      var expected: [Row] = [
        [.integer(1), .integer(1), .string("x"), .integer(9), .integer(1)],
        [.integer(1), .null, .null, .null, .integer(2)], [.integer(1), .integer(3), .null, .null, .integer(3)],
        [.integer(4), .integer(7), .string("y"), .null, .integer(1)],
      ]
      if isLeft {
        expected.append([.integer(2), .null, .null, .null, .null])
        expected.append([.integer(3), .null, .null, .null, .null])
      }
      #expect(bag(try configuration.run(.unnest(node))) == bag(expected))
    }
  }

  @Test(arguments: TestConfiguration.all)
  func singleRow(_ configuration: TestConfiguration) throws {
    func plan(_ n: Int) -> LogicalPlan {
      .singleRow(SingleRowNode(input: OperatorTests.numbers(n).scan(), range: nil))
    }
    #expect(try configuration.run(plan(0)) == [[.null]])
    #expect(try configuration.run(plan(1)) == [[.integer(0)]])
    let error = #expect(throws: QueryError.self) { _ = try configuration.run(plan(2)) }
    #expect(error?.message == "Scalar sub-query has returned multiple rows")
  }

  @Test(arguments: TestConfiguration.all)
  func recursion(_ configuration: TestConfiguration) throws {
    let n = column(1, "n", .bigint)
    let previous = column(2, "n", .bigint)
    let next = column(3, "n", .bigint)
    func plan(limit: Int64, isDistinct: Bool) throws -> LogicalPlan {
      let filtered = LogicalPlan.filter(
        FilterNode(
          input: .recursionInput(RecursionInputNode(id: 7, outputs: [previous])),
          predicate: try .call("<", [.column(previous), .constant(.integer(limit), .bigint)])))
      let step = LogicalPlan.project(
        ProjectNode(
          input: filtered,
          assignments: [
            .init(next, try .call("+", [.column(previous), .constant(.integer(1), .bigint)]))
          ]))
      return .recursion(
        RecursionNode(
          id: 7, name: "t",
          initial: .values(ValuesNode(outputs: [n], rows: [[.constant(.integer(1), .bigint)]])), step: step,
          outputs: [column(4, "n", .bigint)], isDistinct: isDistinct))
    }
    #expect(try configuration.run(plan(limit: 5, isDistinct: false)) == (1...5).map { [.integer($0)] })
    #expect(try configuration.run(plan(limit: 5, isDistinct: true)) == (1...5).map { [.integer($0)] })
    #expect(throws: QueryError.self) { _ = try configuration.run(plan(limit: 50, isDistinct: false)) }
  }

  @Test(arguments: TestConfiguration.all)
  func common(_ configuration: TestConfiguration) throws {
    let table = OperatorTests.numbers(200)
    let definition = CommonDefinition(id: 1, name: "c", plan: table.scan())
    let (a, b) = (column(30, "a", .bigint), column(31, "b", .bigint))
    let join = JoinNode(
      .inner, left: .common(CommonNode(definition: definition, outputs: [a])),
      right: .common(CommonNode(definition: definition, outputs: [b])), keys: [.init(a, b)])
    #expect(try configuration.run(.join(join)).count == 200)
  }
}

@Suite struct WindowTests {
  static let table: TestTable = {
    var random = TestRandom(state: 77)
    var rows: [Row] = []
    for i in 0..<400 {
      let p = Int64.random(in: 0...9, using: &random)
      let o: Scalar = Int.random(in: 0...9, using: &random) == 0 ? .null : .integer(.random(in: 0...12, using: &random))
      rows.append([
        .integer(p), o, .integer(.random(in: -9...9, using: &random)), .integer(Int64(i)),
        .integer(.random(in: 0...3, using: &random)),
      ])
    }
    return TestTable(
      [("p", .bigint), ("o", .bigint), ("x", .bigint), ("i", .bigint), ("w", .bigint)], firstID: 0, rows: rows)
  }()

  static let bounds: [(WindowFrame.Unit, Int, Int)] = {
    var result: [(WindowFrame.Unit, Int, Int)] = []
    // 0 unbounded preceding, 1 w preceding, 2 current row, 3 w following, 4 unbounded following
    for unit in [WindowFrame.Unit.rows, .groups, .range] {
      for (start, end) in [(0, 2), (0, 4), (1, 2), (1, 3), (2, 4), (3, 4), (0, 1), (1, 1), (3, 3), (2, 2)] {
        if unit == .range, [start, end].contains(where: { $0 == 1 || $0 == 3 }) { continue }
        result.append((unit, start, end))
      }
    }
    return result
  }()

  @Test(arguments: TestConfiguration.all)
  func framesMatchReference(_ configuration: TestConfiguration) throws {
    let table = WindowTests.table
    for (unit, start, end) in WindowTests.bounds {
      func bound(_ k: Int) -> WindowFrame.Bound {
        [.unboundedPreceding, .preceding(table["w"]), .currentRow, .following(table["w"]), .unboundedFollowing][k]
      }
      let sum = try aggregate("sum", [.column(table["x"])], id: 50)
      let window = WindowNode(
        input: table.scan(), partitionKeys: [table["p"]],
        ordering: [SortKey(table["o"]), SortKey(table["i"])].prefix(unit == .rows ? 2 : 1).map { $0 },
        calls: [
          WindowCall(
            sum.reference, function: .aggregate(sum.function, overloadIndex: sum.overloadIndex), binding: sum.binding,
            arguments: sum.arguments, frame: WindowFrame(unit: unit, start: bound(start), end: bound(end)))
        ])
      var expected: [Row] = []
      for rows in Dictionary(grouping: table.rows, by: { $0[0] }).values {
        let sorted = rows.sorted { a, b in
          let (x, y) = (a[1].integerValue ?? Int64.max, b[1].integerValue ?? Int64.max)
          return x != y ? x < y : a[3].integerValue! < b[3].integerValue!
        }
        var group: [Int] = []
        for (k, row) in sorted.enumerated() {
          group.append(k == 0 ? 0 : group[k - 1] + (sorted[k - 1][1] == row[1] ? 0 : 1))
        }
        for (k, row) in sorted.enumerated() {
          let w = Int(row[4].integerValue!)
          let included = sorted.indices.filter { j in
            let place = unit == .rows ? j - k : group[j] - group[k]
            let low = [Int.min, -w, 0, w, Int.max][start]
            let high = [Int.min, -w, 0, w, Int.max][end]
            return place >= low && place <= high
          }
          let xs = included.map { sorted[$0][2].integerValue! }
          expected.append(row + [xs.isEmpty ? .null : .integer(xs.reduce(0, +))])
        }
      }
      #expect(bag(try configuration.run(.window(window))) == bag(expected), "\(unit) \(start) \(end)")
    }
  }

  @Test(arguments: TestConfiguration.all)
  func rangeWithOffsets(_ configuration: TestConfiguration) throws {
    let table = WindowTests.table
    for isAscending in [true, false] {
      let (low, high) = (column(60, "low", .bigint), column(61, "high", .bigint))
      let two = Expression.constant(.integer(2), .bigint)
      let o = Expression.column(table["o"])
      let project = ProjectNode(
        input: table.scan(),
        assignments: table.columns.map { .init($0, .column($0)) } + [
          .init(low, try .call(isAscending ? "-" : "+", [o, two])),
          .init(high, try .call(isAscending ? "+" : "-", [o, two])),
        ])
      let count = try aggregate("count", [], id: 50)
      let window = WindowNode(
        input: .project(project), partitionKeys: [table["p"]],
        ordering: [SortKey(table["o"], isAscending: isAscending, nullsFirst: !isAscending)],
        calls: [
          WindowCall(
            count.reference, function: .aggregate(count.function, overloadIndex: count.overloadIndex),
            binding: count.binding, arguments: [],
            frame: WindowFrame(unit: .range, start: .preceding(low), end: .following(high)))
        ])
      let expected = table.rows.map { row -> Row in
        let n = table.rows.filter { other in
          guard other[0] == row[0] else { return false }
          guard let x = row[1].integerValue else { return other[1].isNull }
          guard let y = other[1].integerValue else { return false }
          return abs(x - y) <= 2
        }.count
        return [row[3], .integer(Int64(n))]
      }
      let rows = try configuration.run(.window(window), [table["i"], count.reference])
      #expect(bag(rows) == bag(expected))
    }
  }

  @Test func negativeOffset() throws {
    let table = TestTable([("o", .bigint), ("w", .bigint)], firstID: 0, rows: [[.integer(1), .integer(-1)]])
    let count = try aggregate("count", [], id: 50)
    let window = WindowNode(
      input: table.scan(), partitionKeys: [], ordering: [SortKey(table["o"])],
      calls: [
        WindowCall(
          count.reference, function: .aggregate(count.function, overloadIndex: count.overloadIndex),
          binding: count.binding, arguments: [],
          frame: WindowFrame(unit: .rows, start: .preceding(table["w"]), end: .currentRow))
      ])
    let error = #expect(throws: QueryError.self) {
      _ = try TestConfiguration(threads: 1, batchSize: 10).run(.window(window))
    }
    #expect(error?.code == .invalidWindowFrame)
    #expect(error?.message == "Window frame starting offset must not be negative or null")
  }
}
