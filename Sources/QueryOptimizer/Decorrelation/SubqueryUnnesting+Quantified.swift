import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions

extension SubqueryUnnesting {
  /// `probe <op> ALL/ANY (subquery)` where values are rows or arrays: each comparison may be unknown, so all are made.
  func quantifiedOneByOne(
    _ apply: ApplyNode, _ mark: ColumnReference, _ probe: ColumnReference, _ op: String, _ isAll: Bool
  ) throws(QueryError) -> LogicalPlan {
    let comparison = context.newColumn("comparison", .boolean)
    let compared = LogicalPlan.project(
      ProjectNode(
        input: apply.subquery,
        assignments: [.init(comparison, try .call(op, [.column(probe), .column(apply.subquery.outputs[0])]))]))
    let decisive = try context.aggregate(isAll ? "bool_and" : "bool_or", [.column(comparison)])
    let (all, known) = (try context.aggregate("count", []), try context.aggregate("count", [.column(comparison)]))
    let counted = LogicalPlan.aggregate(AggregateNode(input: compared, keys: [], calls: [decisive, all, known]))
    let scalar = ApplyNode(
      .scalar, input: apply.input, subquery: counted, correlation: counted.freeColumns, range: apply.range)
    let hasUnknown = try Expression.call("<>", [.column(all.reference), .column(known.reference)])
    let isDecided = Expression.coalesce(
      [isAll ? try .not(.column(decisive.reference)) : .column(decisive.reference), .alwaysFalse], .boolean)
    let result = Expression.caseWhen(
      CaseExpression(
        branches: [
          .init(condition: isDecided, result: isAll ? .alwaysFalse : .alwaysTrue),
          .init(condition: hasUnknown, result: .null(.boolean)),
        ], otherwise: isAll ? .alwaysTrue : .alwaysFalse, type: .boolean))
    return .project(
      ProjectNode(
        input: try unnest(scalar),
        assignments: apply.input.outputs.map { .init($0, .column($0)) } + [.init(mark, result)]))
  }

  /// `probe <op> ALL/ANY (subquery)` through the subquery's minimum, maximum and counts.
  ///
  /// - Source: Trino `TransformQuantifiedComparisonApplyToLateralJoin`.
  func quantified(
    _ apply: ApplyNode, _ mark: ColumnReference, _ probe: ColumnReference, _ op: String, _ isAll: Bool
  ) throws(QueryError) -> LogicalPlan {
    if op == "=", !isAll {
      var node = apply
      node.kind = .inSubquery(mark, probe: probe)
      return try unnest(node)
    }
    if op == "<>", isAll {
      let inMark = context.newColumn("in", .boolean)
      var node = apply
      node.kind = .inSubquery(inMark, probe: probe)
      return .project(
        ProjectNode(
          input: try unnest(node),
          assignments: apply.input.outputs.map { .init($0, .column($0)) }
            + [.init(mark, try .not(.column(inMark)))]))
    }
    if op == "<>" {
      let allMark = context.newColumn("all", .boolean)
      return .project(
        ProjectNode(
          input: try quantified(apply, allMark, probe, "=", true),
          assignments: apply.input.outputs.map { .init($0, .column($0)) }
            + [.init(mark, try .not(.column(allMark)))]))
    }
    let value = apply.subquery.outputs[0]
    if value.type.isNested { return try quantifiedOneByOne(apply, mark, probe, op, isAll) }
    let low = try context.aggregate("min", [.column(value)])
    let high = try context.aggregate("max", [.column(value)])
    let all = try context.aggregate("count", [])
    let known = try context.aggregate("count", [.column(value)])
    let counted = LogicalPlan.aggregate(
      AggregateNode(input: apply.subquery, keys: [], calls: [low, high, all, known]))
    let scalar = ApplyNode(
      .scalar, input: apply.input, subquery: counted, correlation: apply.correlation, range: apply.range)
    let input = try unnest(scalar)
    let (x, minimum, maximum) = (
      Expression.column(probe), Expression.column(low.reference), Expression.column(high.reference)
    )
    let comparison: Expression
    switch (op, isAll) {
    case ("=", _):
      // Trino compares the bounds with each other first, so that NULL = ALL (VALUES 1, 2) is false there.
      comparison = .and([
        try .call("=", [context.session.followsAthena ? maximum : x, minimum]), try .call("=", [x, maximum]),
      ])
    case ("<", true), ("<=", true), (">", false), (">=", false): comparison = try .call(op, [x, minimum])
    default: comparison = try .call(op, [x, maximum])
    }
    let isEmpty = try Expression.call("=", [.column(all.reference), .constant(.integer(0), .bigint)])
    let hasNull = try Expression.call("<>", [.column(all.reference), .column(known.reference)])
    let unknown: Expression =
      isAll ? .and([comparison, .null(.boolean)]) : .or([comparison, .null(.boolean)])
    let result = Expression.caseWhen(
      CaseExpression(
        branches: [
          .init(condition: isEmpty, result: isAll ? .alwaysTrue : .alwaysFalse),
          .init(condition: hasNull, result: unknown),
        ], otherwise: comparison, type: .boolean))
    return .project(
      ProjectNode(
        input: input, assignments: apply.input.outputs.map { .init($0, .column($0)) } + [.init(mark, result)]))
  }
}
