import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions

extension SubqueryUnnesting {
  /// `probe IN (subquery)` for correlated subqueries: a match decides; otherwise NULLs on either side make it unknown.
  ///
  /// - Parameters:
  ///   - value: the column of `subquery` that `probe` is compared with.
  ///   - keys: what else must match for a row of the subquery to count.
  ///   - residual: and a condition of such rows, over both sides.
  func markIn(
    _ input: LogicalPlan, _ subquery: LogicalPlan, value: ColumnReference, keys: [JoinNode.Key],
    residual: Expression?, mark: ColumnReference, probe: ColumnReference
  ) throws(QueryError) -> LogicalPlan {
    let definition = CommonDefinition(id: context.newCommonID(), name: "subquery", plan: subquery)
    func use() -> (plan: LogicalPlan, map: [ColumnReference: ColumnReference]) {
      let outputs = subquery.outputs.map { context.newColumn($0.name, $0.type) }
      return (
        .common(CommonNode(definition: definition, outputs: outputs)),
        Dictionary(zip(subquery.outputs, outputs), uniquingKeysWith: { first, _ in first })
      )
    }
    let (matches, matchColumns) = use()
    let (nulls, nullColumns) = use()
    let hasMatch = context.newColumn("has_match", .boolean)
    let hasNull = context.newColumn("has_null", .boolean)
    let matchKeys =
      keys.map { JoinNode.Key($0.left, matchColumns[$0.right]!, nullsEqual: $0.nullsEqual) }
      + [JoinNode.Key(probe, matchColumns[value]!)]
    let isNested = probe.type.isNested
    let first = LogicalPlan.join(
      JoinNode(
        .mark, left: input, right: matches, keys: matchKeys,
        residual: conjunction(
          isNested ? try .equals(.column(probe), .column(matchColumns[value]!)) : nil,
          residual.map { replaced($0, matchColumns) }), mark: hasMatch))
    let nullKeys = keys.map { JoinNode.Key($0.left, nullColumns[$0.right]!, nullsEqual: $0.nullsEqual) }
    let isNull =
      isNested
      ? try isUnknown(.equals(.column(probe), .column(nullColumns[value]!)))
      : Expression.or([
        try .call("is_null", [.column(probe)]), try .call("is_null", [.column(nullColumns[value]!)]),
      ])
    let second = LogicalPlan.join(
      JoinNode(.mark, left: first, right: nulls, keys: nullKeys, residual: isNull, mark: hasNull))
    let result = Expression.caseWhen(
      CaseExpression(
        branches: [
          .init(condition: .column(hasMatch), result: .alwaysTrue),
          .init(condition: .column(hasNull), result: .null(.boolean)),
        ], otherwise: .alwaysFalse, type: .boolean))
    return .project(
      ProjectNode(
        input: second, assignments: input.outputs.map { .init($0, .column($0)) } + [.init(mark, result)]))
  }

  private func conjunction(_ first: Expression?, _ second: Expression?) -> Expression? {
    let conditions = [first, second].compactMap { $0 }
    return conditions.isEmpty ? nil : .conjunction(conditions)
  }

  /// `probe IN (subquery)` where values are rows or arrays: NULLs inside of them leave single comparisons open.
  ///
  /// Three marks: an equal value; a value with NULLs inside that may be equal; for probes with NULLs inside, any value that
  /// may be equal. The second join's right side is mostly empty, the third one finds partners for such probes only.
  func nestedMembership(
    _ apply: ApplyNode, _ mark: ColumnReference, _ probe: ColumnReference
  ) throws(QueryError) -> LogicalPlan {
    let definition = CommonDefinition(id: context.newCommonID(), name: "subquery", plan: apply.subquery)
    func use() -> (plan: LogicalPlan, value: Expression) {
      let outputs = apply.subquery.outputs.map { context.newColumn($0.name, $0.type) }
      return (.common(CommonNode(definition: definition, outputs: outputs)), .column(outputs[0]))
    }
    let value = Expression.column(probe)
    let (matches, possible, all) = (use(), use(), use())
    let marks = ["has_match", "may_match", "may_match"].map { context.newColumn($0, .boolean) }
    var plan = LogicalPlan.join(
      JoinNode(
        .mark, left: apply.input, right: matches.plan, keys: [JoinNode.Key(probe, matches.value.columnReference!)],
        residual: try .equals(value, matches.value), mark: marks[0]))
    let indefinite = LogicalPlan.filter(
      FilterNode(input: possible.plan, predicate: try isUnknown(.equals(possible.value, possible.value))))
    plan = .join(
      JoinNode(
        .mark, left: plan, right: indefinite, residual: try isUnknown(.equals(value, possible.value)), mark: marks[1]))
    let (isOpen, always) = (context.newColumn("is_open", .boolean), context.newColumn("always", .boolean))
    let left = LogicalPlan.project(
      ProjectNode(
        input: plan,
        assignments: plan.outputs.map { .init($0, .column($0)) } + [.init(isOpen, try isUnknown(.equals(value, value)))]))
    let right = LogicalPlan.project(
      ProjectNode(
        input: all.plan,
        assignments: [.init(all.value.columnReference!, all.value), .init(always, .alwaysTrue)]))
    plan = .join(
      JoinNode(
        .mark, left: left, right: right, keys: [JoinNode.Key(isOpen, always)],
        residual: try isUnknown(.equals(value, all.value)), mark: marks[2]))
    let result = Expression.caseWhen(
      CaseExpression(
        branches: [
          .init(condition: .column(marks[0]), result: .alwaysTrue),
          .init(condition: .or([.column(marks[1]), .column(marks[2])]), result: .null(.boolean)),
        ], otherwise: .alwaysFalse, type: .boolean))
    return .project(
      ProjectNode(
        input: plan, assignments: apply.input.outputs.map { .init($0, .column($0)) } + [.init(mark, result)]))
  }

  func isUnknown(_ condition: Expression) throws(QueryError) -> Expression {
    try .call("is_null", [condition])
  }
}
