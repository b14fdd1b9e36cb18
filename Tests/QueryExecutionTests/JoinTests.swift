import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import Testing

@testable import QueryExecution

@Suite struct JoinTests {
  static func table(_ seed: UInt64, firstID: Int, rows: Int, keys: Int64, type: DataType) -> TestTable {
    var random = TestRandom(state: seed)
    var result: [Row] = []
    for i in 0..<rows {
      let k = Int64.random(in: 0...keys, using: &random)
      let key: Scalar
      switch (Int.random(in: 0...11, using: &random), type) {
      case (0, _): key = .null
      case (_, .varchar): key = .string(k % 2 == 0 ? "k\(k)" : "a key that is long \(k)")
      case (_, .double): key = .double(Double(k) / 2)
      default: key = .integer(k)
      }
      let second: Scalar = Int.random(in: 0...7, using: &random) == 0 ? .null : .integer(.random(in: 0...2, using: &random))
      result.append([key, second, .integer(Int64(i))])
    }
    return TestTable([("k", type), ("j", .integer), ("v", .bigint)], firstID: firstID, rows: result)
  }

  struct Case: Sendable, CustomStringConvertible {
    var kind: JoinNode.Kind
    var keyCount: Int
    var nullsEqual = false
    /// The second key matches NULLs, the first does not.
    var isCorrelated = false
    var isNullAware = false
    var hasResidual = false
    var buildsLeft = false
    var type: DataType = .bigint
    var buildRows = 120
    var keys: Int64 = 40
    var description: String {
      "\(kind) keys \(keyCount) \(type) residual \(hasResidual) left \(buildsLeft) nullsEqual \(nullsEqual) aware \(isNullAware) correlated \(isCorrelated) rows \(buildRows)"
    }
  }

  static let cases: [Case] = {
    var result: [Case] = []
    for kind in [JoinNode.Kind.inner, .left, .right, .full, .semi, .anti, .mark] {
      for hasResidual in [false, true] {
        for buildsLeft in [false, true] {
          result.append(Case(kind: kind, keyCount: 1, hasResidual: hasResidual, buildsLeft: buildsLeft))
          result.append(Case(kind: kind, keyCount: 2, hasResidual: hasResidual, buildsLeft: buildsLeft, type: .text))
        }
        result.append(Case(kind: kind, keyCount: 0, hasResidual: hasResidual, buildRows: 30))
        result.append(Case(kind: kind, keyCount: 1, nullsEqual: true, hasResidual: hasResidual))
        result.append(Case(kind: kind, keyCount: 1, hasResidual: hasResidual, type: .double))
        result.append(Case(kind: kind, keyCount: 1, hasResidual: hasResidual, buildRows: 0))
        result.append(Case(kind: kind, keyCount: 1, hasResidual: hasResidual, buildRows: 1))
        result.append(Case(kind: kind, keyCount: 1, hasResidual: hasResidual, keys: 400_000))
      }
      result.append(Case(kind: kind, keyCount: 0, buildRows: 1))
    }
    for kind in [JoinNode.Kind.anti, .mark] {
      for hasResidual in [false, true] {
        for keyCount in [1, 2] {
          for rows in [0, 3, 120] {
            for isCorrelated in keyCount == 2 ? [false, true] : [false] {
              result.append(
                Case(
                  kind: kind, keyCount: keyCount, isCorrelated: isCorrelated, isNullAware: true,
                  hasResidual: hasResidual, buildRows: rows, keys: 6))
            }
          }
        }
      }
    }
    return result
  }()

  /// Three-valued equality of keys of a pair of rows.
  static func match(_ a: Row, _ b: Row, _ test: Case) -> Bool? {
    var isUnknown = false
    for k in 0..<test.keyCount {
      if a[k].isNull || b[k].isNull {
        if test.nullsEqual || (test.isCorrelated && k == 1) {
          if a[k] != b[k] { return false }
        } else {
          isUnknown = true
        }
      } else if a[k] != b[k] {
        return false
      }
    }
    return isUnknown ? nil : true
  }

  static func reference(_ left: TestTable, _ right: TestTable, _ test: Case) -> [Row] {
    func residual(_ a: Row, _ b: Row) -> Bool { !test.hasResidual || a[2].integerValue! < b[2].integerValue! * 3 }
    var result: [Row] = []
    var rightMatched = Array(repeating: false, count: right.rows.count)
    let nulls: Row = [.null, .null, .null]
    for a in left.rows {
      var isMatched = false
      var isUnknown = false
      for (index, b) in right.rows.enumerated() where residual(a, b) {
        switch match(a, b, test) {
        case true?:
          isMatched = true
          rightMatched[index] = true
          if [.inner, .left, .right, .full].contains(test.kind) { result.append(a + b) }
        case nil: isUnknown = true
        default: break
        }
      }
      if !test.isNullAware { isUnknown = false }
      switch test.kind {
      case .left, .full: if !isMatched { result.append(a + nulls) }
      case .semi: if isMatched { result.append(a) }
      case .anti: if !isMatched && !isUnknown { result.append(a) }
      case .mark: result.append(a + [isMatched ? .boolean(true) : (isUnknown ? .null : .boolean(false))])
      default: break
      }
    }
    if test.kind == .right || test.kind == .full {
      for (index, b) in right.rows.enumerated() where !rightMatched[index] { result.append(nulls + b) }
    }
    return result
  }

  @Test(arguments: cases)
  func matchesReference(_ test: Case) throws {
    let left = JoinTests.table(1, firstID: 0, rows: 300, keys: test.keys, type: test.type)
    let right = JoinTests.table(2, firstID: 10, rows: test.buildRows, keys: test.keys, type: test.type)
    let keys = (0..<test.keyCount).map {
      JoinNode.Key(
        left.columns[$0], right.columns[$0], nullsEqual: test.nullsEqual || (test.isCorrelated && $0 == 1))
    }
    var residual: Expression?
    if test.hasResidual {
      let product = try Expression.call("*", [.column(right["v"]), .constant(.integer(3), .bigint)])
      residual = try Expression.call("<", [.column(left["v"]), product])
    }
    let expected = bag(JoinTests.reference(left, right, test))
    for configuration in [TestConfiguration.all[1], TestConfiguration.all[3], TestConfiguration.all[4]] {
      var node = JoinNode(
        test.kind, left: left.scan(), right: right.scan(), keys: keys, residual: residual,
        mark: test.kind == .mark ? column(30, "mark", .boolean) : nil, isNullAware: test.isNullAware)
      node.buildsLeft = test.buildsLeft
      #expect(bag(try configuration.run(.join(node))) == expected, "\(configuration)")
    }
  }

  @Test(arguments: TestConfiguration.all, [DataType.bigint, .text])
  func dynamicFilter(_ configuration: TestConfiguration, _ type: DataType) throws {
    let left = JoinTests.table(1, firstID: 0, rows: 500, keys: 100, type: type)
    let right = JoinTests.table(2, firstID: 10, rows: 10, keys: 100, type: type)
    guard case .scan(var scan) = left.scan() else { return }
    scan.dynamicFilters = [.init(id: 1, column: left["k"])]
    var node = JoinNode(.inner, left: .scan(scan), right: right.scan(), keys: [.init(left["k"], right["k"])])
    node.dynamicFilters = [1: 0]
    let expected = JoinTests.reference(left, right, Case(kind: .inner, keyCount: 1))
    #expect(bag(try configuration.run(.join(node))) == bag(expected))
  }
}
