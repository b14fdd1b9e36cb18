import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import SQLSyntax

/// The bound GROUP BY clause.
struct Grouping {
  /// Distinct key expressions over the columns of FROM.
  var keys: [Expression]
  /// Each set lists indices into `keys`.
  var sets: [[Int]]
}

extension Binder {
  /// As many grouping sets as one query may have.
  private static let maxGroupingSets = 2048

  func bindGroupBy(
    _ syntax: GroupBySyntax?, _ items: [SelectItem], _ scope: Scope, _ block: QueryBlock
  ) throws(QueryError) -> Grouping? {
    guard let syntax else { return nil }
    var grouping = Grouping(keys: [], sets: [])
    var indices: [Expression: Int] = [:]
    func add(_ expression: Expression) -> Int {
      if let known = indices[expression] { return known }
      indices[expression] = grouping.keys.count
      grouping.keys.append(expression)
      return grouping.keys.count - 1
    }
    if syntax.isEveryItem {
      var set: [Int] = []
      var positions: [String] = []
      for (position, item) in items.enumerated() where !usesAggregates(item.expression, block) {
        if item.expression.columnsUsed.isEmpty { continue }
        positions.append(String(position + 1))
        try checkGroupable(item.expression.type, at: item.range)
        let index = add(item.expression)
        if !set.contains(index) { set.append(index) }
      }
      grouping.sets = [set]
      openExpansion?.replace(syntax.range, [.text(positions.isEmpty ? "()" : positions.joined(separator: ", "))])
      return grouping
    }
    func key(_ expression: ExpressionSyntax) throws(QueryError) -> Int {
      let bound: Expression
      if let position = SyntaxForm.integer(expression) {
        guard position >= 1, position <= items.count else {
          throw QueryError(
            .invalidColumnReference, "GROUP BY position \(position) is not in select list", at: expression.range)
        }
        let item = items[Int(position) - 1]
        if usesAggregates(item.expression, block) {
          throw QueryError(
            .expressionNotScalar,
            "GROUP BY clause cannot contain aggregations, window functions or grouping operations: "
              + "[\(item.syntax?.text ?? "*")]", at: item.range)
        }
        bound = item.expression
      } else {
        let place = ExpressionContext(
          scope: scope, block: block, clause: .other("GROUP BY clause"), clauseRange: expression.errorRange)
        bound = try bind(expression, place)
      }
      try checkGroupable(bound.type, at: expression.errorRange)
      return add(bound)
    }
    func keys(_ expressions: [ExpressionSyntax]) throws(QueryError) -> [Int] {
      var set: [Int] = []
      for expression in expressions {
        let index = try key(expression)
        if !set.contains(index) { set.append(index) }
      }
      return set
    }
    var sets: [[Int]] = [[]]
    for element in syntax.elements {
      var alternatives: [[Int]] = []
      switch element {
      case .simple(let expressions): alternatives = [try keys(expressions)]
      case .groupingSets(let lists): for list in lists { alternatives.append(try keys(list)) }
      case .rollup(let lists):
        var prefix: [Int] = []
        alternatives = [[]]
        for list in lists {
          for index in try keys(list) where !prefix.contains(index) { prefix.append(index) }
          alternatives.insert(prefix, at: 0)
        }
      case .cube(let lists):
        guard lists.count <= 30 else { throw tooManySets(1 << min(lists.count, 62), syntax.range) }
        var groups: [[Int]] = []
        for list in lists { groups.append(try keys(list)) }
        guard 1 << groups.count <= Binder.maxGroupingSets else { throw tooManySets(1 << groups.count, syntax.range) }
        for mask in stride(from: (1 << groups.count) - 1, through: 0, by: -1) {
          var set: [Int] = []
          for (bit, group) in groups.enumerated() where mask & (1 << (groups.count - 1 - bit)) != 0 {
            for index in group where !set.contains(index) { set.append(index) }
          }
          alternatives.append(set)
        }
      }
      guard sets.count * alternatives.count <= Binder.maxGroupingSets else {
        throw tooManySets(sets.count * alternatives.count, syntax.range)
      }
      var product: [[Int]] = []
      for set in sets {
        for alternative in alternatives { product.append(set + alternative.filter { !set.contains($0) }) }
      }
      sets = product
    }
    if syntax.isDistinct {
      var seen: Set<Set<Int>> = []
      sets = sets.filter { seen.insert(Set($0)).inserted }
    }
    grouping.sets = sets
    return grouping
  }

  private func tooManySets(_ count: Int, _ range: SourceRange) -> QueryError {
    QueryError(
      .tooManyGroupingSets,
      "GROUP BY has \(count) grouping sets but can contain at most \(Binder.maxGroupingSets)", at: range)
  }

  private func checkGroupable(_ type: DataType, at range: SourceRange) throws(QueryError) {
    if type.isComparable { return }
    throw QueryError(.typeMismatch, "\(type) is not comparable, and therefore cannot be used in GROUP BY", at: range)
  }

  func usesAggregates(_ expression: Expression, _ block: QueryBlock) -> Bool {
    let used = expression.columnsUsed
    return !used.isDisjoint(with: block.aggregateOutputs) || !used.isDisjoint(with: block.windowOutputs)
      || block.groupings.contains { used.contains($0.output) }
  }

  /// Adds the aggregation a block asks for.
  func aggregate(
    _ input: LogicalPlan, _ grouping: Grouping, _ block: QueryBlock, sourceColumns: Set<ColumnReference>
  ) throws(QueryError) -> Aggregation {
    let needed = grouping.keys + block.aggregates.flatMap(\.expressions)
    let plan = try attachSubqueries(block, to: input, neededBy: needed)
    var materializer = Materializer(self, plan)
    var sourceColumns = sourceColumns
    sourceColumns.formUnion(plan.outputs)

    // Only keys that some set uses; all of them for the ordinary case.
    let hasSets = grouping.sets.count > 1
    var keys: [AggregateNode.Key] = []
    var outputs: [Expression: ColumnReference] = [:]
    for expression in grouping.keys {
      let column = materializer.column(expression)
      let output = hasSets ? newColumn(column.name, column.type) : column
      keys.append(.init(input: column, output: output))
      outputs[expression] = output
    }
    var calls: [AggregateCall] = []
    for aggregate in block.aggregates {
      var arguments: [Expression] = []
      for argument in aggregate.arguments { arguments.append(materializer.argument(argument)) }
      var ordering: [SortKey] = []
      for key in aggregate.ordering {
        if case .constant = key.expression { continue }
        ordering.append(
          SortKey(
            materializer.column(key.expression), isAscending: key.isAscending, nullsFirst: key.nullsFirst))
      }
      var filter: ColumnReference?
      if let condition = aggregate.filter { filter = materializer.column(condition, name: "filter") }
      calls.append(
        AggregateCall(
          aggregate.output, function: aggregate.function, overloadIndex: aggregate.overloadIndex,
          binding: aggregate.binding, arguments: arguments, isDistinct: aggregate.isDistinct, filter: filter,
          ordering: ordering, range: shown(aggregate.range)))
    }
    let setIndex = hasSets && !block.groupings.isEmpty ? newColumn("groupid", .bigint) : nil
    let node = AggregateNode(
      input: materializer.plan(), keys: keys, groupingSets: grouping.sets, calls: calls, groupingSetIndex: setIndex)

    var operations: [ColumnID: Expression] = [:]
    for call in block.groupings {
      operations[call.output.id] = try groupingOperation(call.arguments, call.output.type, call.range, grouping, setIndex)
    }
    return Aggregation(
      plan: .aggregate(node), keyOutputs: outputs, operations: operations, sourceColumns: sourceColumns)
  }

  /// What GROUPING(…) says for each grouping set: a bit per argument, 1 where the set leaves it out.
  private func groupingOperation(
    _ arguments: [(expression: Expression, text: String)], _ type: DataType, _ range: SourceRange, _ grouping: Grouping,
    _ setIndex: ColumnReference?
  ) throws(QueryError) -> Expression {
    var indices: [Int] = []
    for (argument, text) in arguments {
      guard let index = grouping.keys.firstIndex(of: argument) else {
        throw QueryError(
          .invalidArguments,
          "The arguments to GROUPING() must be expressions referenced by the GROUP BY at the associated query level. "
            + "Mismatch due to \(text).",
          at: range)
      }
      indices.append(index)
    }
    func mask(_ set: [Int]) -> Expression {
      var value: Int64 = 0
      for index in indices { value = value << 1 | (set.contains(index) ? 0 : 1) }
      return .constant(.integer(value), type)
    }
    guard let setIndex else { return mask(grouping.sets[0]) }
    var branches: [CaseExpression.Branch] = []
    for (number, set) in grouping.sets.enumerated() {
      let condition = try Expression.equals(.column(setIndex), .constant(.integer(Int64(number)), .bigint))
      branches.append(.init(condition: condition, result: mask(set)))
    }
    return .caseWhen(CaseExpression(branches: branches, otherwise: .null(type), type: type))
  }
}

/// An aggregation, and how expressions over its input become expressions over its output.
struct Aggregation {
  var plan: LogicalPlan
  /// The output columns of the keys, by key expression.
  var keyOutputs: [Expression: ColumnReference]
  /// What GROUPING() calls are computed from.
  var operations: [ColumnID: Expression]
  /// Columns that exist beneath the aggregation only.
  var sourceColumns: Set<ColumnReference>

  /// The expression over the aggregation's output.
  ///
  /// - Parameter error: makes the error for an expression that uses the named column outside of aggregates and keys.
  func rewrite(_ expression: Expression, _ error: (String) -> QueryError) throws(QueryError) -> Expression {
    switch expression {
    case .constant: return expression
    case .column(let column):
      if let operation = operations[column.id] { return operation }
      if let output = keyOutputs[expression] { return .column(output) }
      if sourceColumns.contains(column) { throw error(column.name) }
      return expression
    default:
      if !keyOutputs.isEmpty, let output = keyOutputs[expression] { return .column(output) }
      let children = expression.children
      if children.isEmpty { return expression }
      var rewritten: [Expression] = []
      rewritten.reserveCapacity(children.count)
      for child in children { rewritten.append(try rewrite(child, error)) }
      return expression.withChildren(rewritten)
    }
  }

  /// Lets subqueries that stand above the aggregation read its output.
  func rewriteSubqueries(_ block: QueryBlock) throws(QueryError) {
    for index in block.subqueries.indices where !block.subqueries[index].isAttached {
      let subquery = block.subqueries[index]
      if let probe = subquery.probe {
        block.subqueries[index].probe = try rewrite(probe) { _ in
          QueryError(
            .expressionNotAggregate,
            "'\(subquery.syntax.text)' must be an aggregate expression or appear in GROUP BY clause",
            at: subquery.syntax.errorRange)
        }
      }
      var map: [ColumnID: ColumnReference] = [:]
      for column in subquery.plan.freeColumns {
        if let output = keyOutputs[.column(column)] {
          if output != column { map[column.id] = output }
        } else if sourceColumns.contains(column) {
          throw QueryError(
            .expressionNotAggregate, "Subquery uses '\(column.name)' which must appear in GROUP BY clause",
            at: subquery.range)
        }
      }
      block.subqueries[index].plan = subquery.plan.replacingColumns(map)
    }
  }
}
