import Columnar
import QueryErrors

/// Aggregates written as lambdas.
package enum ReduceFunctions: AggregateFamily {
  package static let title = "Lambdas"

  package static let functions: [AggregateFunction] = [
    AggregateFunction(
      "reduce_agg",
      summary:
        "Folds values into states with one lambda and combines states with another, starting from a neutral state.",
      examples: [
        Example("(SELECT reduce_agg(x, 0, (s, v) -> s + v, (s, t) -> s + t) FROM (VALUES 1, 2, 3) t(x))", "6")
      ],
      overloads: [
        AggregateOverload(
          [
            .t, .variable("S"), .function([.variable("S"), .t], .variable("S")),
            .function([.variable("S"), .variable("S")], .variable("S")),
          ], returns: .pattern(.variable("S"))
        ) { (context) throws(QueryError) in
          try ReduceAccumulator(context.binding.returnType, context.makeLambdas())
        }
      ])
  ]
}

/// `reduce_agg`: folds every value into the initial state, then combines the states of each group pairwise, so that each
/// lambda runs on many rows at once.
final class ReduceAccumulator: GroupsAccumulator {
  private let input: any LambdaEvaluator
  private let combine: any LambdaEvaluator
  private let states: RowStore

  init(_ type: DataType, _ lambdas: [any LambdaEvaluator]) throws(QueryError) {
    guard lambdas.count == 2 else { throw .internalError("reduce_agg needs two lambdas, got \(lambdas.count)") }
    input = lambdas[0]
    combine = lambdas[1]
    states = RowStore(type)
  }

  func resize(groupCount: Int) { states.resize(groupCount) }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    // Rows of equal groups side by side, in their order.
    var rows: [Int32] = []
    for row in 0..<rowCount where !arguments[0].isNull(row) { rows.append(Int32(truncatingIfNeeded: row)) }
    if rows.isEmpty { return }
    if let groups { rows.sort { (groups[Int($0)], $0) < (groups[Int($1)], $1) } }
    let folded = try evaluate(
      input, [arguments[1].take(rows, count: rows.count), arguments[0].take(rows, count: rows.count)], rows.count)
    try add(folded, rows.map { row in groups.map { $0[Int(row)] } ?? 0 })
  }

  private func evaluate(_ lambda: any LambdaEvaluator, _ columns: [Column], _ count: Int) throws(QueryError) -> Column {
    let outer = Array(repeating: Int32(0), count: count)
    var errors = RowErrors()
    let result = try lambda.evaluate(columns, outerRows: outer, rowCount: count, errors: &errors)
    if let first = errors.first { throw first.error }
    return result
  }

  /// Adds states whose groups are given, equal groups side by side.
  private func add(_ column: Column, _ groups: [Int32]) throws(QueryError) {
    var (column, groups) = (column, groups)
    while true {
      var (lefts, rights, rest): ([Int32], [Int32], [Int32]) = ([], [], [])
      var next: [Int32] = []
      /// For each kept state: its place among the combined ones, or ~place among the rest.
      var source: [Int32] = []
      var k = 0
      while k < groups.count {
        if k + 1 < groups.count, groups[k] == groups[k + 1] {
          source.append(Int32(lefts.count))
          lefts.append(Int32(k))
          rights.append(Int32(k + 1))
          next.append(groups[k])
          k += 2
        } else {
          source.append(~Int32(rest.count))
          rest.append(Int32(k))
          next.append(groups[k])
          k += 1
        }
      }
      if lefts.isEmpty { break }
      let combined = try evaluate(
        combine, [column.take(lefts, count: lefts.count), column.take(rights, count: rights.count)], lefts.count)
      let all = Column.concatenate([combined, column.takeOrNull(rest)], type: states.type)
      column = all.takeOrNull(source.map { $0 >= 0 ? $0 : Int32(lefts.count) + ~$0 })
      groups = next
    }
    let known = groups.indices.filter { !states.isEmpty(Int(groups[$0])) }
    if !known.isEmpty {
      let before = states.column(known.count, as: states.type) { Int(groups[known[$0]]) }
      let picks = known.map { Int32($0) }
      let combined = try evaluate(combine, [before, column.takeOrNull(picks)], known.count)
      let all = Column.concatenate([column, combined], type: states.type)
      var places = groups.indices.map { Int32($0) }
      for (k, index) in known.enumerated() { places[index] = Int32(column.count + k) }
      column = all.takeOrNull(places)
    }
    states.beginBatch(column)
    for (k, group) in groups.enumerated() { states.set(Int(group), row: k) }
    states.endBatch()
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let other = (other as! ReduceAccumulator).states
    var pairs: [(target: Int32, source: Int32)] = []
    try forEachPair(sources, targets, count) { source, target in
      if !other.isEmpty(source) { pairs.append((Int32(target), Int32(source))) }
    }
    if pairs.isEmpty { return }
    pairs.sort { $0.target < $1.target }
    try add(other.column(pairs.count, as: other.type) { Int(pairs[$0].source) }, pairs.map(\.target))
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    states.column(range.count, as: states.type) { range.lowerBound + $0 }
  }

  var byteCount: Int { states.byteCount }
}
