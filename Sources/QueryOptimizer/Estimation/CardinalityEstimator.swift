import Columnar
import ConnectorSDK
import FileFormats
import ObjectStore
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import TableCatalog

/// How many rows a plan yields, and how many distinct values its columns hold.
struct CardinalityEstimate {
  var rows: Double
  /// Distinct values by column, where something is known.
  var distinct: [ColumnID: Double] = [:]
  /// For columns of which nothing is known: rows of the table they come from.
  var tableRows: [ColumnID: Double] = [:]

  func distinct(_ column: ColumnReference) -> Double {
    min(max(1, distinct[column.id] ?? rows * CardinalityEstimate.unknownDistinctShare), max(1, rows))
  }

  /// What is known of some columns.
  func keeping(_ columns: Set<ColumnID>) -> CardinalityEstimate {
    CardinalityEstimate(
      rows: rows, distinct: distinct.filter { columns.contains($0.key) },
      tableRows: tableRows.filter { columns.contains($0.key) })
  }

  /// Share of rows that are distinct in a column nothing is known of.
  static let unknownDistinctShare = 0.2
}

/// Estimates from file statistics, bottom-up; remembers shared definitions.
struct CardinalityEstimator {
  private var shared: [Int: CardinalityEstimate] = [:]

  /// Selectivity of conditions nothing is known of.
  private static let unknownSelectivity = 0.25
  private static let likeSelectivity = 0.1
  /// Share of rows that hold one value of a column whose distinct values nobody counted.
  private static let unknownEqualitySelectivity = 0.02
  /// Rows of a text file are guessed from its size.
  private static let guessedRowByteCount = 100.0
  /// Files whose footers are looked at, at most; the rest is extrapolated by size.
  private static let sampledFileCount = 16

  mutating func estimate(_ plan: LogicalPlan) -> CardinalityEstimate {
    switch plan {
    case .scan(let node): return estimate(node)
    case .foreignScan(let node): return estimate(node)
    case .values(let node): return CardinalityEstimate(rows: Double(node.rows.count))
    case .filter(let node):
      var input = estimate(node.input)
      let selectivity = CardinalityEstimator.selectivity(node.predicate, input, ranges: [:])
      input.rows = max(1, input.rows * selectivity)
      return input
    case .project(let node):
      let input = estimate(node.input)
      var result = CardinalityEstimate(rows: input.rows)
      for assignment in node.assignments {
        if let column = assignment.expression.columnReference {
          if let distinct = input.distinct[column.id] { result.distinct[assignment.reference.id] = distinct }
          if let rows = input.tableRows[column.id] { result.tableRows[assignment.reference.id] = rows }
        } else if assignment.expression.constantValue != nil {
          result.distinct[assignment.reference.id] = 1
        } else if let column = assignment.expression.columnsUsed.first, assignment.expression.columnsUsed.count == 1,
          let distinct = input.distinct[column.id]
        {
          result.distinct[assignment.reference.id] = distinct
        }
      }
      return result
    case .aggregate(let node):
      let input = estimate(node.input)
      if node.keys.isEmpty { return CardinalityEstimate(rows: 1) }
      var rows = 0.0
      for set in node.groupingSets {
        var groups = 1.0
        for index in set { groups *= input.distinct(node.keys[index].input) }
        rows += min(groups, max(1, input.rows))
      }
      var result = CardinalityEstimate(rows: max(1, rows))
      for key in node.keys { result.distinct[key.output.id] = min(input.distinct(key.input), rows) }
      return result
    case .join(let node): return estimate(node)
    case .apply(let node): return estimate(node.input)
    case .sort(let node): return estimate(node.input)
    case .limit(let node):
      var input = estimate(node.input)
      if let count = node.count { input.rows = min(input.rows, Double(count)) }
      return input
    case .topN(let node):
      var input = estimate(node.input)
      input.rows = min(input.rows, Double(node.count))
      return input
    case .setOperation(let node):
      let inputs = node.inputs.map { plan in estimate(plan) }
      let rows = node.kind == .union ? inputs.reduce(0) { $0 + $1.rows } : inputs[0].rows
      return CardinalityEstimate(rows: node.isAll ? rows : max(1, rows * 0.7))
    case .window(let node): return estimate(node.input)
    case .rowPattern(let node): return estimate(node.input)
    case .unnest(let node):
      let input = estimate(node.input)
      return CardinalityEstimate(rows: input.rows * 5, distinct: input.distinct)
    case .singleRow: return CardinalityEstimate(rows: 1)
    case .common(let node):
      let inner: CardinalityEstimate
      if let known = shared[node.definition.id] {
        inner = known
      } else {
        inner = estimate(node.definition.plan)
        shared[node.definition.id] = inner
      }
      var result = CardinalityEstimate(rows: inner.rows)
      for (own, original) in zip(node.outputs, node.definition.plan.outputs) {
        if let distinct = inner.distinct[original.id] { result.distinct[own.id] = distinct }
        if let rows = inner.tableRows[original.id] { result.tableRows[own.id] = rows }
      }
      return result
    case .recursion(let node): return CardinalityEstimate(rows: estimate(node.initial).rows * 10)
    case .recursionInput: return CardinalityEstimate(rows: 1000)
    }
  }

  // MARK: Scans

  /// Rows of a foreign table whose source tells nothing.
  private static let unknownForeignRowCount = 10_000

  private func estimate(_ node: ForeignScanNode) -> CardinalityEstimate {
    let rows = Double(node.table.rowCountEstimate ?? CardinalityEstimator.unknownForeignRowCount)
    var result = CardinalityEstimate(rows: rows)
    for column in node.columns {
      guard case .column(let index) = column.source else { continue }
      if let count = node.table.distinctCountEstimate(of: index) {
        result.distinct[column.reference.id] = Double(count)
      } else {
        result.tableRows[column.reference.id] = rows
      }
    }
    for predicate in node.predicates {
      result.rows = max(1, result.rows * CardinalityEstimator.selectivity(predicate, result, ranges: [:]))
    }
    return result
  }

  private func estimate(_ node: ScanNode) -> CardinalityEstimate {
    guard let files = node.fileSet, !files.files.isEmpty else {
      return CardinalityEstimate(rows: node.fileSet == nil ? 1000 : 0)
    }
    let step = max(1, files.files.count / CardinalityEstimator.sampledFileCount)
    var rows = 0.0
    var sampledBytes = 0.0
    var ranges: [ColumnID: (min: Double, max: Double)] = [:]
    var merged: [ColumnID: ColumnStatistics] = [:]
    let columns = node.columns.compactMap { column -> (id: ColumnID, type: DataType, scanned: ScanColumn)? in
      guard case .file(let ordinal) = column.source else { return nil }
      let (name, type) = (node.table.columns[ordinal].name, node.table.columns[ordinal].type)
      return (column.reference.id, column.reference.type, ScanColumn(name: name, type: type, ordinal: ordinal))
    }
    for index in stride(from: 0, to: files.files.count, by: step) {
      guard let file = try? files.open(index) else { continue }
      let bytes = Double(files.files[index].info.byteCount)
      var sample: FileSample?
      if file.rowCount == nil {
        // One text file stands for all.
        if sampledBytes > 0 { break }
        sample = files.sample(index, columns.map(\.scanned))
      }
      sampledBytes += bytes
      rows += file.rowCount.map(Double.init) ?? sample?.rowCount ?? bytes / CardinalityEstimator.guessedRowByteCount
      for (position, column) in columns.enumerated() {
        guard let statistics = sample.map({ $0.statistics[position] }) ?? file.statistics(of: column.scanned) else { continue }
        if let distinct = statistics.distinctCount {
          merged[column.id, default: ColumnStatistics()].distinctCount =
            max(distinct, merged[column.id]?.distinctCount ?? 0)
        }
        if let low = CardinalityEstimator.number(statistics.min, column.type),
          let high = CardinalityEstimator.number(statistics.max, column.type)
        {
          let known = ranges[column.id]
          ranges[column.id] = (min(low, known?.min ?? low), max(high, known?.max ?? high))
        }
      }
    }
    if sampledBytes > 0 { rows *= Double(files.listing.byteCount) / sampledBytes }
    var result = CardinalityEstimate(rows: max(1, rows))
    for column in node.columns {
      if let range = ranges[column.reference.id], column.reference.type.isInteger || column.reference.type == .date {
        // Keys rarely fill their range sparsely: as many values as the range has, at most one per row.
        let width = range.max - range.min + 1
        result.distinct[column.reference.id] = min(rows, width, merged[column.reference.id]?.distinctCount.map(Double.init) ?? width)
      } else if let distinct = merged[column.reference.id]?.distinctCount {
        result.distinct[column.reference.id] = min(rows, Double(distinct))
      } else {
        result.tableRows[column.reference.id] = max(1, rows)
      }
    }
    let selectivity = CardinalityEstimator.selectivity(.conjunction(node.predicates), result, ranges: ranges)
    let filtered = max(1, result.rows * selectivity)
    // Fewer rows hold fewer distinct values (each value has rows / distinct rows on average).
    for (id, distinct) in result.distinct {
      let perValue = result.rows / max(1, distinct)
      result.distinct[id] = distinct * (1 - pow1m(selectivity, perValue))
    }
    result.rows = filtered
    return result
  }

  /// (1 − p)ⁿ, for how many of a value's n rows fail to survive.
  private func pow1m(_ selectivity: Double, _ n: Double) -> Double {
    var result = 1.0
    var base = max(0, 1 - selectivity)
    var count = Int(min(n.rounded(), 64))
    if count < 1 { count = 1 }
    while count > 0 {
      if count & 1 == 1 { result *= base }
      base *= base
      count >>= 1
    }
    return result
  }

  static func number(_ scalar: Scalar?, _ type: DataType) -> Double? {
    switch scalar {
    case .integer(let value): Double(value)
    case .int128(let value): Double(value)
    case .real(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }

  // MARK: Conditions

  /// Share of rows that pass.
  static func selectivity(
    _ condition: Expression, _ input: CardinalityEstimate, ranges: [ColumnID: (min: Double, max: Double)]
  ) -> Double {
    switch condition {
    case .constant(.boolean(true), _): return 1
    case .constant: return 0
    case .and:
      // Lower and upper bounds of one column make one range.
      var bounds: [ColumnID: (low: Double?, high: Double?)] = [:]
      var result = 1.0
      for conjunct in condition.conjuncts {
        if let (column, op, value) = comparison(conjunct), ranges[column.id] != nil, op != "=", op != "<>" {
          if op.hasPrefix(">") {
            bounds[column.id, default: (nil, nil)].low = value
          } else {
            bounds[column.id, default: (nil, nil)].high = value
          }
        } else {
          result *= selectivity(conjunct, input, ranges: ranges)
        }
      }
      for (id, bound) in bounds {
        guard let range = ranges[id] else { continue }
        result *= share(range, bound.low, bound.high)
      }
      return result
    case .or(let operands):
      var none = 1.0
      for operand in operands { none *= 1 - selectivity(operand, input, ranges: ranges) }
      return 1 - none
    case .inList(let list):
      guard let column = list.value.columnsUsed.first, list.value.columnsUsed.count == 1 else { return unknownSelectivity }
      return min(1, Double(list.items.count) * equalitySelectivity(column, input))
    case .call(let call):
      if let (column, op, value) = comparison(condition) {
        if op == "=" { return equalitySelectivity(column, input) }
        if op == "<>" { return 1 - equalitySelectivity(column, input) }
        if let range = ranges[column.id] {
          return op.hasPrefix(">") ? share(range, value, nil) : share(range, nil, value)
        }
        return 0.3
      }
      switch call.function.name {
      case "=":
        let columns = call.arguments.compactMap { $0.columnsUsed.count == 1 ? $0.columnsUsed.first : nil }
        if let column = columns.max(by: { input.distinct($0) < input.distinct($1) }) {
          return equalitySelectivity(column, input)
        }
        return unknownSelectivity
      case "<>": return 0.9
      case "not": return max(0, 1 - selectivity(call.arguments[0], input, ranges: ranges))
      case "is_null": return 0.05
      case "like", "$like": return likeSelectivity
      case "<", "<=", ">", ">=": return 0.35
      default: return unknownSelectivity
      }
    default: return unknownSelectivity
    }
  }

  /// Share of rows that hold one given value.
  private static func equalitySelectivity(_ column: ColumnReference, _ input: CardinalityEstimate) -> Double {
    let share = 1 / input.distinct(column)
    return input.distinct[column.id] == nil ? max(share, unknownEqualitySelectivity) : share
  }

  private static func share(_ range: (min: Double, max: Double), _ low: Double?, _ high: Double?) -> Double {
    let width = range.max - range.min
    if width <= 0 { return 1 }
    let from = max(range.min, low ?? range.min)
    let to = min(range.max, high ?? range.max)
    return min(1, max(0.0005, (to - from) / width))
  }

  /// `column <op> constant`, turned so that the column stands left.
  private static func comparison(_ condition: Expression) -> (column: ColumnReference, op: String, value: Double?)? {
    guard case .call(let call) = condition, call.arguments.count == 2 else { return nil }
    let turned = ["=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="]
    guard let back = turned[call.function.name] else { return nil }
    if let column = call.arguments[0].columnReference, case .constant(let value, let type) = call.arguments[1] {
      return (column, call.function.name, number(value, type))
    }
    if let column = call.arguments[1].columnReference, case .constant(let value, let type) = call.arguments[0] {
      return (column, back, number(value, type))
    }
    return nil
  }

  // MARK: Joins

  private mutating func estimate(_ node: JoinNode) -> CardinalityEstimate {
    let (left, right) = (estimate(node.left), estimate(node.right))
    return CardinalityEstimator.join(node, left, right)
  }

  static func join(
    _ node: JoinNode, _ left: CardinalityEstimate, _ right: CardinalityEstimate
  ) -> CardinalityEstimate {
    var result = CardinalityEstimate(
      rows: 0, distinct: left.distinct.merging(right.distinct) { first, _ in first },
      tableRows: left.tableRows.merging(right.tableRows) { first, _ in first })
    var matching = matchingRows(node.keys, left, right)
    for (key, distinct) in matching.keys {
      let kept = min(distinct, left.distinct(key.left), right.distinct(key.right))
      result.distinct[key.left.id] = kept
      result.distinct[key.right.id] = kept
    }
    if let residual = node.residual {
      let both = CardinalityEstimate(rows: matching.rows, distinct: result.distinct)
      matching.rows *= selectivity(residual, both, ranges: [:])
    }
    switch node.kind {
    case .inner: result.rows = max(1, matching.rows)
    case .left: result.rows = max(left.rows, matching.rows)
    case .right: result.rows = max(right.rows, matching.rows)
    case .full: result.rows = max(left.rows + right.rows, matching.rows)
    case .semi, .anti:
      var share = 1.0
      if let key = node.keys.first { share = min(1, right.distinct(key.right) / left.distinct(key.left)) }
      if node.residual != nil { share *= 0.5 }
      result = left
      result.rows = max(1, left.rows * (node.kind == .semi ? share : max(0.1, 1 - share)))
    case .mark: result = left
    }
    for (id, distinct) in result.distinct { result.distinct[id] = min(distinct, result.rows) }
    return result
  }

  /// How many pairs of rows agree in all keys; and each key's distinct values on both sides, the most selective first.
  static func matchingRows(
    _ keys: [JoinNode.Key], _ left: CardinalityEstimate, _ right: CardinalityEstimate
  ) -> (rows: Double, keys: [(key: JoinNode.Key, distinct: Double)]) {
    /// Distinct values on both sides. Where nothing is known the join is taken for one of a key with references to it:
    /// the key is that of the smaller table.
    func keyCount(_ key: JoinNode.Key) -> Double {
      switch (left.distinct[key.left.id], right.distinct[key.right.id]) {
      case (nil, nil):
        guard let a = left.tableRows[key.left.id], let b = right.tableRows[key.right.id] else { break }
        return max(1, min(a, b))
      case (let known?, nil) where right.tableRows[key.right.id] != nil: return max(1, known)
      case (nil, let known?) where left.tableRows[key.left.id] != nil: return max(1, known)
      default: break
      }
      return max(left.distinct(key.left), right.distinct(key.right))
    }
    var rows = left.rows * right.rows
    let counts = keys.map { key in (key: key, distinct: keyCount(key)) }.sorted { $0.distinct > $1.distinct }
    // Several keys are seldom independent: each further one counts less.
    for (position, count) in counts.enumerated() { rows /= position == 0 ? count.distinct : count.distinct.squareRoot() }
    return (rows, counts)
  }
}
