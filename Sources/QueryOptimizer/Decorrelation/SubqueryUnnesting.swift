import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions

/// One Apply being turned into joins.
struct SubqueryUnnesting {
  let context: OptimizerContext

  init(_ context: OptimizerContext) { self.context = context }

  /// A subquery evaluated for all outer values at once.
  struct Unnested {
    var plan: LogicalPlan
    /// Outer column → the plan's column that holds its value.
    var domain: [ColumnReference: ColumnReference]
    /// For plans that lack a row where the original yields one on no input (global aggregates, scalar subqueries): what
    /// their columns are then.
    var defaults: [ColumnReference: Expression]?
    /// How many rows the original has, where more than one is an error. Tested against the outer rows: there may be
    /// values of the domain that no outer row has.
    var check: RowCheck?

    struct RowCheck {
      var count: ColumnReference
      var range: SourceRange?
    }
  }

  // MARK: Kinds of subqueries

  func unnest(_ apply: ApplyNode) throws(QueryError) -> LogicalPlan {
    if case .quantified(let mark, let probe, let op, let isAll) = apply.kind {
      return try quantified(apply, mark, probe, op, isAll)
    }
    let free = apply.subquery.freeColumns
    let outer = Set(apply.input.outputs).intersection(free)
    if outer.isEmpty {
      if case .inSubquery(let mark, let probe) = apply.kind, probe.type.isNested {
        return try nestedMembership(apply, mark, probe)
      }
      return try uncorrelated(apply)
    }
    if let direct = direct(apply, outer) { return direct }
    let columns = outer.sorted { $0.id.rawValue < $1.id.rawValue }
    if let column = columns.first(where: { !$0.type.isComparable }) {
      throw .notSupported(
        "Subqueries that use column '\(column.name)' of the rows around them are not supported: values of type "
          + "\(column.type) cannot be compared", at: apply.range)
    }
    let inputDefinition = CommonDefinition(id: context.newCommonID(), name: "outer", plan: apply.input)
    let domain = SubqueryDomain(columns, input: inputDefinition, context)
    var unnested = try push(apply.subquery, domain)
    if case .scalar = apply.kind {} else { unnested = try completed(unnested, domain) }
    // The outer rows are shared only when the domain was computed from them.
    var input = apply.input
    if domain.isUsed {
      let renamed = apply.input.outputs.map { context.newColumn($0.name, $0.type) }
      // A definition and its uses must not share column ids: the definition keeps the old ones inside, the use maps them.
      input = .project(
        ProjectNode(
          input: .common(CommonNode(definition: inputDefinition, outputs: renamed)),
          assignments: zip(apply.input.outputs, renamed).map { .init($0, .column($1)) }))
    }
    return try join(apply, input, unnested, columns)
  }

  /// EXISTS over a filter whose input needs no outer columns: the filter is the join's condition, whatever it compares.
  func direct(_ apply: ApplyNode, _ outer: Set<ColumnReference>) -> LogicalPlan? {
    guard case .exists(let mark) = apply.kind else { return nil }
    var conditions: [Expression] = []
    var plan = apply.subquery
    // Neither what is computed nor in which order matters to EXISTS.
    while true {
      switch plan {
      case .project(let node) where conditions.isEmpty: plan = node.input
      case .sort(let node): plan = node.input
      case .limit(let node) where conditions.isEmpty && node.offset == 0 && (node.count ?? 1) > 0: plan = node.input
      case .filter(let node) where node.predicate.isDeterministic:
        conditions += node.predicate.conjuncts
        plan = node.input
      default:
        guard !conditions.isEmpty, plan.freeColumns.isDisjoint(with: outer) else { return nil }
        return .join(
          JoinNode(.mark, left: apply.input, right: plan, residual: .conjunction(conditions), mark: mark))
      }
    }
  }

  func uncorrelated(_ apply: ApplyNode) throws(QueryError) -> LogicalPlan {
    switch apply.kind {
    case .scalar: return .join(JoinNode(.inner, left: apply.input, right: apply.subquery))
    case .exists(let mark): return .join(JoinNode(.mark, left: apply.input, right: apply.subquery, mark: mark))
    case .inSubquery(let mark, let probe):
      let key = JoinNode.Key(probe, apply.subquery.outputs[0])
      return .join(
        JoinNode(.mark, left: apply.input, right: apply.subquery, keys: [key], mark: mark, isNullAware: true))
    case .lateral(let isLeft, let condition):
      return .join(JoinNode(isLeft ? .left : .inner, left: apply.input, right: apply.subquery, residual: condition))
    case .quantified: preconditionFailure("rewritten before")
    }
  }

  /// Joins the outer rows with the subquery's rows of the same outer values.
  func join(
    _ apply: ApplyNode, _ input: LogicalPlan, _ unnested: Unnested, _ columns: [ColumnReference]
  ) throws(QueryError) -> LogicalPlan {
    let keys = columns.map { JoinNode.Key($0, unnested.domain[$0]!, nullsEqual: true) }
    switch apply.kind {
    case .scalar: return try scalarJoin(apply, input, unnested, keys)
    case .exists(let mark): return .join(JoinNode(.mark, left: input, right: unnested.plan, keys: keys, mark: mark))
    case .inSubquery(let mark, let probe):
      return try markIn(
        input, unnested.plan, value: apply.subquery.outputs[0], keys: keys, residual: nil, mark: mark, probe: probe)
    case .lateral(let isLeft, let condition):
      let join = LogicalPlan.join(
        JoinNode(isLeft ? .left : .inner, left: input, right: unnested.plan, keys: keys, residual: condition))
      return select(join, apply.outputs)
    case .quantified: preconditionFailure("rewritten before")
    }
  }

  func scalarJoin(
    _ apply: ApplyNode, _ input: LogicalPlan, _ unnested: Unnested, _ keys: [JoinNode.Key]
  ) throws(QueryError) -> LogicalPlan {
    let isNullByDefault = unnested.defaults?.values.allSatisfy { $0.constantValue?.isNull == true } ?? true
    if isNullByDefault {
      let join = LogicalPlan.join(JoinNode(.left, left: input, right: unnested.plan, keys: keys))
      return select(try checked(join, unnested.check), apply.outputs)
    }
    let defaults = unnested.defaults ?? [:]
    let marker = context.newColumn("matched", .boolean)
    // Names for the subquery's own values, so that the result can keep the original ids.
    let raw = Dictionary(
      uniqueKeysWithValues: apply.subquery.outputs.map { ($0, context.newColumn($0.name, $0.type)) })
    var assignments = apply.subquery.outputs.map { ProjectNode.Assignment(raw[$0]!, .column($0)) }
    for key in keys where !assignments.contains(where: { $0.reference == key.right }) {
      assignments.append(.init(key.right, .column(key.right)))
    }
    if let check = unnested.check { assignments.append(.init(check.count, .column(check.count))) }
    assignments.append(.init(marker, .alwaysTrue))
    let right = LogicalPlan.project(ProjectNode(input: unnested.plan, assignments: assignments))
    let join = LogicalPlan.join(JoinNode(.left, left: input, right: right, keys: keys))
    var outputs = input.outputs.map { ProjectNode.Assignment($0, .column($0)) }
    for output in apply.subquery.outputs {
      let value = Expression.column(raw[output]!)
      let fallback = defaults[output] ?? .null(output.type)
      outputs.append(
        .init(
          output,
          .caseWhen(
            CaseExpression(
              branches: [.init(condition: try .call("is_null", [.column(marker)]), result: fallback)],
              otherwise: value, type: output.type))))
    }
    return .project(ProjectNode(input: try checked(join, unnested.check), assignments: outputs))
  }

  /// Outer rows joined with a subquery's, that fail where the subquery has more than one row.
  func checked(_ plan: LogicalPlan, _ check: Unnested.RowCheck?) throws(QueryError) -> LogicalPlan {
    guard let check else { return plan }
    let count = Expression.coalesce([.column(check.count), .constant(.integer(1), .bigint)], .bigint)
    return .filter(FilterNode(input: plan, predicate: try .call("$is_single_row", [count], at: check.range)))
  }

  /// A projection to some of a plan's columns.
  func select(_ plan: LogicalPlan, _ columns: [ColumnReference]) -> LogicalPlan {
    if plan.outputs == columns { return plan }
    var seen: Set<ColumnReference> = []
    let distinct = columns.filter { seen.insert($0).inserted }
    return .project(ProjectNode(input: plan, selecting: distinct))
  }
}
