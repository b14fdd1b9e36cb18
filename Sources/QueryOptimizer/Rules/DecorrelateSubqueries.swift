import Columnar
package import QueryErrors
package import QueryPlan
import SQLExpressions
import SQLFunctions

/// Turns every subquery into joins.
///
///     Apply exists (o_orderkey = outer.o_orderkey)   →  MarkJoin on o_orderkey = l_orderkey
///
/// A correlated subquery is evaluated for all values of the outer columns at once: the distinct outer values (the
/// domain) are pushed down through the subquery's operators until no operator needs outer columns any more; where a
/// condition `outer = inner` pins the domain, the inner column stands for it and the domain is not needed at all.
///
/// - Source: Neumann and Kemper, "Unnesting Arbitrary Queries", BTW 2015.
package struct DecorrelateSubqueries: OptimizerRule {
  package static let name = "decorrelate_subqueries"
  package static let isRequired = true
  package init() {}

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    // What is refused must not depend on whether the optimizer is on.
    try SubqueryCorrelation.check(context.isEnabled ? plan : SimplifyExpressions().rewrite(plan, context))
    return try plan.rewritten { (node) throws(QueryError) -> LogicalPlan in
      guard case .apply(let apply) = node else { return node }
      return try SubqueryUnnesting(context).unnest(apply)
    }
  }
}

/// One Apply being turned into joins.
struct SubqueryUnnesting {
  let context: OptimizerContext

  init(_ context: OptimizerContext) { self.context = context }

  /// A subquery evaluated for all outer values at once.
  struct Unnested {
    var plan: LogicalPlan
    /// Outer column → the plan's column that holds its value.
    var domain: [ColumnReference: ColumnReference]
    /// For plans that lack a row where the original yields one on no input (global aggregates): what their columns are
    /// then.
    var defaults: [ColumnReference: Expression]?
  }

  /// Where the distinct outer values come from, made only when needed.
  final class Domain {
    let columns: [ColumnReference]
    let input: CommonDefinition
    private(set) var isUsed = false
    /// Shared subplans evaluated for the domain's values, by the id of the original.
    var shared: [Int: Shared] = [:]

    /// A shared subplan with the domain's columns beside its own.
    struct Shared {
      var definition: CommonDefinition
      /// Outer column → the definition's column that holds its value.
      var columns: [ColumnReference: ColumnReference]
    }
    private var definition: CommonDefinition?
    private let context: OptimizerContext

    init(_ columns: [ColumnReference], input: CommonDefinition, _ context: OptimizerContext) {
      self.columns = columns
      self.input = input
      self.context = context
    }

    /// A use of the distinct outer values under names of its own.
    func use() -> (plan: LogicalPlan, map: [ColumnReference: ColumnReference]) {
      isUsed = true
      if definition == nil {
        let source = LogicalPlan.common(
          CommonNode(definition: input, outputs: input.plan.outputs.map { context.newColumn($0.name, $0.type) }))
        let indices = columns.map { column in input.plan.outputs.firstIndex(of: column)! }
        let keys = indices.map { source.outputs[$0] }
        let distinct = AggregateNode(
          input: source, keys: keys.map { AggregateNode.Key(input: $0, output: $0) }, calls: [])
        let projected = ProjectNode(input: .aggregate(distinct), selecting: keys)
        definition = CommonDefinition(id: context.newCommonID(), name: "domain", plan: .project(projected))
      }
      let outputs = columns.map { context.newColumn($0.name, $0.type) }
      let node = CommonNode(definition: definition!, outputs: outputs)
      return (.common(node), Dictionary(uniqueKeysWithValues: zip(columns, outputs)))
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
    let inputDefinition = CommonDefinition(id: context.newCommonID(), name: "outer", plan: apply.input)
    let domain = Domain(columns, input: inputDefinition, context)
    let unnested = try push(apply.subquery, domain)
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
  private func direct(_ apply: ApplyNode, _ outer: Set<ColumnReference>) -> LogicalPlan? {
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

  private func uncorrelated(_ apply: ApplyNode) throws(QueryError) -> LogicalPlan {
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
  private func join(
    _ apply: ApplyNode, _ input: LogicalPlan, _ unnested: Unnested, _ columns: [ColumnReference]
  ) throws(QueryError) -> LogicalPlan {
    let keys = columns.map { JoinNode.Key($0, unnested.domain[$0]!, nullsEqual: true) }
    switch apply.kind {
    case .scalar: return try scalarJoin(apply, input, unnested, keys)
    case .exists(let mark):
      let complete = try completed(unnested, input, columns)
      return .join(JoinNode(.mark, left: input, right: complete.plan, keys: keys.rekeyed(complete), mark: mark))
    case .inSubquery(let mark, let probe):
      let complete = try completed(unnested, input, columns)
      return try markIn(apply, input, complete, keys.rekeyed(complete), mark, probe)
    case .lateral(let isLeft, let condition):
      let complete = try completed(unnested, input, columns)
      let join = LogicalPlan.join(
        JoinNode(
          isLeft ? .left : .inner, left: input, right: complete.plan, keys: keys.rekeyed(complete), residual: condition))
      return select(join, apply.outputs)
    case .quantified: preconditionFailure("rewritten before")
    }
  }

  private func scalarJoin(
    _ apply: ApplyNode, _ input: LogicalPlan, _ unnested: Unnested, _ keys: [JoinNode.Key]
  ) throws(QueryError) -> LogicalPlan {
    guard let defaults = unnested.defaults else {
      let join = LogicalPlan.join(JoinNode(.left, left: input, right: unnested.plan, keys: keys))
      return select(join, apply.outputs)
    }
    let needsMarker = defaults.contains { $0.value.constantValue?.isNull != true }
    if !needsMarker {
      return select(.join(JoinNode(.left, left: input, right: unnested.plan, keys: keys)), apply.outputs)
    }
    let marker = context.newColumn("matched", .boolean)
    // Names for the subquery's own values, so that the result can keep the original ids.
    let raw = Dictionary(
      uniqueKeysWithValues: apply.subquery.outputs.map { ($0, context.newColumn($0.name, $0.type)) })
    var assignments = apply.subquery.outputs.map { ProjectNode.Assignment(raw[$0]!, .column($0)) }
    for key in keys where !assignments.contains(where: { $0.reference == key.right }) {
      assignments.append(.init(key.right, .column(key.right)))
    }
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
    return .project(ProjectNode(input: join, assignments: outputs))
  }

  /// `probe IN (subquery)` for correlated subqueries: a match decides; otherwise NULLs on either side make it unknown.
  private func markIn(
    _ apply: ApplyNode, _ input: LogicalPlan, _ unnested: Unnested, _ keys: [JoinNode.Key], _ mark: ColumnReference,
    _ probe: ColumnReference
  ) throws(QueryError) -> LogicalPlan {
    let value = apply.subquery.outputs[0]
    let definition = CommonDefinition(id: context.newCommonID(), name: "subquery", plan: unnested.plan)
    func use() -> (plan: LogicalPlan, map: [ColumnReference: ColumnReference]) {
      let outputs = unnested.plan.outputs.map { context.newColumn($0.name, $0.type) }
      return (
        .common(CommonNode(definition: definition, outputs: outputs)),
        Dictionary(zip(unnested.plan.outputs, outputs), uniquingKeysWith: { first, _ in first })
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
        residual: isNested ? try .equals(.column(probe), .column(matchColumns[value]!)) : nil, mark: hasMatch))
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

  /// `probe IN (subquery)` where values are rows or arrays: NULLs inside of them leave single comparisons open.
  ///
  /// Three marks: an equal value; a value with NULLs inside that may be equal; for probes with NULLs inside, any value that
  /// may be equal. The second join's right side is mostly empty, the third one finds partners for such probes only.
  private func nestedMembership(
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

  private func isUnknown(_ condition: Expression) throws(QueryError) -> Expression {
    try .call("is_null", [condition])
  }

  /// `probe <op> ALL/ANY (subquery)` where values are rows or arrays: each comparison may be unknown, so all are made.
  private func quantifiedOneByOne(
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
  private func quantified(
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
    // Trino compares minimum and maximum first, so that NULL = ALL (1, 2) is false; by the standard it is unknown.
    case ("=", _):
      let other = context.session.followsAthena ? maximum : x
      comparison = .and([try .call("=", [minimum, other]), try .call("=", [x, maximum])])
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

  // MARK: Pushing the domain down

  private func isCorrelated(_ plan: LogicalPlan, _ domain: Domain) -> Bool {
    !plan.freeColumns.isDisjoint(with: domain.columns)
  }

  private func replaced(_ expression: Expression, _ unnested: [ColumnReference: ColumnReference]) -> Expression {
    expression.replacing(Dictionary(uniqueKeysWithValues: unnested.map { ($0.key.id, .column($0.value)) }))
  }

  /// `plan` for all values of the domain at once.
  private func push(_ plan: LogicalPlan, _ domain: Domain) throws(QueryError) -> Unnested {
    guard isCorrelated(plan, domain) else {
      let (values, map) = domain.use()
      return Unnested(plan: .join(JoinNode(.inner, left: values, right: plan)), domain: map, defaults: nil)
    }
    switch plan {
    case .filter(let node):
      if let pinned = try pinned(node, domain) { return pinned }
      var inner = try completed(try push(node.input, domain), domain)
      inner.plan = .filter(FilterNode(input: inner.plan, predicate: replaced(node.predicate, inner.domain)))
      return inner
    case .project(let node):
      var inner = try push(node.input, domain)
      var assignments = node.assignments.map {
        ProjectNode.Assignment($0.reference, replaced($0.expression, inner.domain))
      }
      if let defaults = inner.defaults {
        let values = Dictionary(uniqueKeysWithValues: defaults.map { ($0.key.id, $0.value) })
        var own: [ColumnReference: Expression] = [:]
        for assignment in node.assignments {
          let value = assignment.expression.replacing(values)
          // Outer columns stay: the default is computed where the outer row is at hand.
          own[assignment.reference] = try ExpressionSimplifier(session: context.session).simplify(value)
        }
        inner.defaults = own
      }
      for column in inner.domain.values where !assignments.contains(where: { $0.reference == column }) {
        assignments.append(.init(column, .column(column)))
      }
      inner.plan = .project(ProjectNode(input: inner.plan, assignments: assignments))
      return inner
    case .aggregate(let node): return try push(node, domain)
    case .join(let node): return try push(node, domain)
    case .sort(let node): return try push(node.input, domain)
    case .limit(let node):
      guard node.offset > 0 || node.count != nil else { return try push(node.input, domain) }
      var keys: [SortKey] = []
      var input = node.input
      if case .sort(let sort) = node.input {
        keys = sort.keys
        input = sort.input
      } else if let count = node.count {
        input = prelimited(input, node.offset.addingReportingOverflow(count).partialValue, domain)
      }
      return try numbered(input, keys, node.offset, node.count, withTies: false, domain)
    case .topN(let node):
      return try numbered(node.input, node.keys, node.offset, node.count, withTies: node.withTies, domain)
    case .setOperation(let node):
      var inputs: [LogicalPlan] = []
      let columns = domain.columns.map { context.newColumn($0.name, $0.type) }
      for input in node.inputs {
        let inner = try completed(try push(input, domain), domain)
        inputs.append(select(inner.plan, input.outputs + domain.columns.map { inner.domain[$0]! }))
      }
      let union = SetOperationNode(node.kind, isAll: node.isAll, inputs: inputs, outputs: node.outputs + columns)
      return Unnested(
        plan: .setOperation(union), domain: Dictionary(uniqueKeysWithValues: zip(domain.columns, columns)),
        defaults: nil)
    case .window(var node):
      var inner = try completed(try push(node.input, domain), domain)
      node.input = inner.plan
      node.partitionKeys += domain.columns.map { inner.domain[$0]! }
      for index in node.calls.indices {
        node.calls[index].arguments = node.calls[index].arguments.map { replaced($0, inner.domain) }
      }
      inner.plan = .window(node)
      return inner
    case .rowPattern(var node):
      var inner = try completed(try push(node.input, domain), domain)
      node.input = inner.plan
      let columns = domain.columns.map { inner.domain[$0]! }
      node.partitionKeys += columns
      for column in columns where !node.kept.contains(column) { node.kept.append(column) }
      node.pattern = node.pattern.mapped({ $0 }, inputs: { replaced($0, inner.domain) })
      for index in node.calls.indices {
        node.calls[index].arguments = node.calls[index].arguments.map { replaced($0, inner.domain) }
      }
      inner.plan = .rowPattern(node)
      return inner
    case .unnest(var node):
      var inner = try completed(try push(node.input, domain), domain)
      // An outer array is unnested through its copy in the domain.
      node.items = node.items.map { item in
        UnnestNode.Item(column: inner.domain[item.column] ?? item.column, outputs: item.outputs)
      }
      node.kept = node.kept.map { inner.domain[$0] ?? $0 }
      for column in inner.domain.values where !node.kept.contains(column) { node.kept.append(column) }
      node.input = inner.plan
      inner.plan = .unnest(node)
      return inner
    case .singleRow(let node): return try singleRow(node, domain)
    case .values(let node):
      // Rows of outer values: one projection per row over the domain.
      var inputs: [LogicalPlan] = []
      let columns = domain.columns.map { context.newColumn($0.name, $0.type) }
      for row in node.rows {
        let (values, map) = domain.use()
        var assignments: [ProjectNode.Assignment] = []
        var outputs: [ColumnReference] = []
        for (output, expression) in zip(node.outputs, row) {
          let column = context.newColumn(output.name, output.type)
          assignments.append(.init(column, replaced(expression, map)))
          outputs.append(column)
        }
        assignments += domain.columns.map { .init(map[$0]!, .column(map[$0]!)) }
        inputs.append(.project(ProjectNode(input: values, assignments: assignments)))
      }
      let outputs = node.outputs + columns
      let rows: LogicalPlan =
        inputs.count == 1
        ? .project(
          ProjectNode(
            input: inputs[0], assignments: zip(outputs, inputs[0].outputs).map { .init($0, .column($1)) }))
        : .setOperation(SetOperationNode(.union, isAll: true, inputs: inputs, outputs: outputs))
      return Unnested(
        plan: rows, domain: Dictionary(uniqueKeysWithValues: zip(domain.columns, columns)), defaults: nil)
    case .common(let node): return try push(node, domain)
    case .scan, .recursion, .recursionInput, .apply:
      throw .notSupported("This form of correlated subquery is not supported")
    }
  }

  /// A use of a shared subplan that reads outer columns: the subplan is evaluated for all outer values, once for all uses.
  private func push(_ node: CommonNode, _ domain: Domain) throws(QueryError) -> Unnested {
    let old = node.definition
    let shared: Domain.Shared
    if let known = domain.shared[old.id] {
      shared = known
    } else {
      let inner = try completed(try push(old.plan, domain), domain)
      let plan = select(inner.plan, old.plan.outputs + domain.columns.map { inner.domain[$0]! })
      shared = Domain.Shared(
        definition: CommonDefinition(id: context.newCommonID(), name: old.name, plan: plan), columns: inner.domain)
      domain.shared[old.id] = shared
    }
    // The uses of the old outputs keep their names; columns of the domain get new ones.
    let oldNames = Dictionary(zip(old.plan.outputs, node.outputs), uniquingKeysWith: { first, _ in first })
    let outputs = shared.definition.plan.outputs
    let names = outputs.map { oldNames[$0] ?? context.newColumn($0.name, $0.type) }
    let uses = Dictionary(uniqueKeysWithValues: zip(outputs, names))
    return Unnested(
      plan: .common(CommonNode(definition: shared.definition, outputs: names)),
      domain: shared.columns.mapValues { uses[$0]! }, defaults: nil)
  }

  /// A filter over an uncorrelated input whose equalities pin every outer column: the inner sides stand for the domain.
  private func pinned(_ node: FilterNode, _ domain: Domain) throws(QueryError) -> Unnested? {
    guard !isCorrelated(node.input, domain) else { return nil }
    let outer = Set(domain.columns)
    var rest: [Expression] = []
    var map: [ColumnReference: Expression] = [:]
    for conjunct in node.predicate.conjuncts {
      if case .call(let call) = conjunct, call.function.name == "=", call.arguments.count == 2 {
        let sides = call.arguments
        var isPin = false
        for (a, b) in [(0, 1), (1, 0)] where !isPin {
          guard let column = sides[a].columnReference, outer.contains(column), map[column] == nil,
            sides[b].columnsUsed.isDisjoint(with: outer), !sides[b].columnsUsed.isEmpty,
            sides[b].columnsUsed.isSubset(of: Set(node.input.outputs)), !column.type.isFloating
          else { continue }
          map[column] = sides[b]
          isPin = true
        }
        if isPin { continue }
      }
      rest.append(conjunct)
    }
    guard map.count == outer.count else { return nil }
    var assignments = node.input.outputs.map { ProjectNode.Assignment($0, .column($0)) }
    var columns: [ColumnReference: ColumnReference] = [:]
    for (column, expression) in map.sorted(by: { $0.key.id.rawValue < $1.key.id.rawValue }) {
      if let inner = expression.columnReference, !columns.values.contains(inner) {
        columns[column] = inner
      } else {
        let copy = context.newColumn(column.name, column.type)
        assignments.append(.init(copy, expression))
        columns[column] = copy
      }
    }
    var plan = node.input
    if assignments.count > node.input.outputs.count {
      plan = .project(ProjectNode(input: plan, assignments: assignments))
    }
    // `outer = inner` is false for NULL: inner NULLs must not meet outer NULLs in the join, which matches them.
    for column in columns.values { rest.append(try .not(.call("is_null", [.column(column)]))) }
    plan = .filter(
      FilterNode(input: plan, predicate: replaced(.conjunction(rest), columns)))
    return Unnested(plan: plan, domain: columns, defaults: nil)
  }

  private func push(_ node: AggregateNode, _ domain: Domain) throws(QueryError) -> Unnested {
    let inner = try completed(try push(node.input, domain), domain)
    var aggregate = node
    aggregate.input = inner.plan
    let isGlobal = node.groupingSets.count == 1 && node.keys.isEmpty
    if !isGlobal, node.groupingSets.contains(where: \.isEmpty) {
      throw .notSupported("A correlated subquery with an empty grouping set is not supported")
    }
    // The domain's columns become keys of every grouping set.
    var map: [ColumnReference: ColumnReference] = [:]
    let first = aggregate.keys.count
    for column in domain.columns {
      let input = inner.domain[column]!
      let output = node.keys.contains { $0.output == input } ? context.newColumn(column.name, column.type) : input
      aggregate.keys.append(.init(input: input, output: output))
      map[column] = output
    }
    let added = Array(first..<aggregate.keys.count)
    aggregate.groupingSets = aggregate.groupingSets.map { $0 + added }
    for index in aggregate.calls.indices {
      aggregate.calls[index].arguments = aggregate.calls[index].arguments.map { argument in
        replaced(argument, inner.domain)
      }
    }
    var defaults: [ColumnReference: Expression]?
    if isGlobal {
      var values: [ColumnReference: Expression] = [:]
      for call in node.calls {
        let accumulator = try call.overload.makeAccumulator(
          AccumulatorContext(binding: call.binding, session: context.session))
        accumulator.resize(groupCount: 1)
        values[call.reference] = .constant(try accumulator.finish(0..<1).scalar(0), call.reference.type)
      }
      defaults = values
    }
    return Unnested(plan: .aggregate(aggregate), domain: map, defaults: defaults)
  }

  private func push(_ node: JoinNode, _ domain: Domain) throws(QueryError) -> Unnested {
    var join = node
    let leftNeeds = isCorrelated(node.left, domain)
    let rightNeeds = isCorrelated(node.right, domain)
    switch node.kind {
    case .inner where !rightNeeds, .left where !rightNeeds, .semi where !rightNeeds, .anti where !rightNeeds,
      .mark where !rightNeeds:
      // Only the left side, or only the condition, uses outer columns.
      let left = try completed(try push(node.left, domain), domain)
      join.left = left.plan
      join.residual = node.residual.map { replaced($0, left.domain) }
      return Unnested(plan: .join(join), domain: left.domain, defaults: nil)
    case .inner where !leftNeeds:
      let right = try completed(try push(node.right, domain), domain)
      join.right = right.plan
      join.residual = node.residual.map { replaced($0, right.domain) }
      return Unnested(plan: .join(join), domain: right.domain, defaults: nil)
    case .right where !leftNeeds:
      let right = try completed(try push(node.right, domain), domain)
      join.right = right.plan
      join.residual = node.residual.map { replaced($0, right.domain) }
      return Unnested(plan: .join(join), domain: right.domain, defaults: nil)
    case .full: throw .notSupported("FULL JOIN inside a correlated subquery is not supported")
    case .inner, .left, .semi, .anti, .mark, .right:
      let left = try completed(try push(node.left, domain), domain)
      let right = try completed(try push(node.right, domain), domain)
      join.left = left.plan
      join.right = right.plan
      join.keys += domain.columns.map { JoinNode.Key(left.domain[$0]!, right.domain[$0]!, nullsEqual: true) }
      join.residual = node.residual.map { replaced($0, left.domain) }
      return Unnested(plan: .join(join), domain: node.kind == .right ? right.domain : left.domain, defaults: nil)
    }
  }

  /// The same rows with the uncorrelated sides of cross products cut: `count` rows of one side yield as many of the
  /// product, whichever they are.
  private func prelimited(_ plan: LogicalPlan, _ count: Int, _ domain: Domain) -> LogicalPlan {
    guard count > 0 else { return plan }
    switch plan {
    case .project(var node) where node.assignments.allSatisfy(\.expression.isDeterministic):
      node.input = prelimited(node.input, count, domain)
      return .project(node)
    case .join(var node) where node.kind == .inner && node.keys.isEmpty && node.residual == nil:
      node.left = prelimited(node.left, count, domain)
      node.right = prelimited(node.right, count, domain)
      return .join(node)
    default:
      if isCorrelated(plan, domain) { return plan }
      return .limit(LimitNode(input: plan, offset: 0, count: count))
    }
  }

  /// LIMIT inside a subquery holds per outer value: rows are numbered within it.
  private func numbered(
    _ input: LogicalPlan, _ keys: [SortKey], _ offset: Int, _ count: Int?, withTies: Bool, _ domain: Domain
  ) throws(QueryError) -> Unnested {
    var inner = try completed(try push(input, domain), domain)
    guard let function = FunctionRegistry.window(withTies ? "rank" : "row_number") else {
      throw .internalError("row_number is missing")
    }
    let number = context.newColumn("row_number", .bigint)
    let call = WindowCall(
      number, function: .window(function), binding: SignatureBinding(argumentTypes: [], returnType: .bigint),
      arguments: [], frame: .standard)
    let window = WindowNode(
      input: inner.plan, partitionKeys: domain.columns.map { inner.domain[$0]! }, ordering: keys, calls: [call])
    var conditions: [Expression] = []
    if offset > 0 {
      conditions.append(try .call(">", [.column(number), .constant(.integer(Int64(offset)), .bigint)]))
    }
    if let count {
      let last = Int64(clamping: offset.addingReportingOverflow(count).partialValue)
      conditions.append(try .call("<=", [.column(number), .constant(.integer(last), .bigint)]))
    }
    let filtered = LogicalPlan.filter(FilterNode(input: .window(window), predicate: .conjunction(conditions)))
    inner.plan = select(filtered, inner.plan.outputs)
    return inner
  }

  /// A scalar subquery: at most one row per outer value.
  private func singleRow(_ node: SingleRowNode, _ domain: Domain) throws(QueryError) -> Unnested {
    var inner = try push(node.input, domain)
    if inner.defaults != nil || isSingleRow(node.input) { return inner }
    inner = try completed(inner, domain)
    // Count rows per outer value; a second one fails the query.
    let check = try context.aggregate("count", [])
    let keys = domain.columns.map { AggregateNode.Key(input: inner.domain[$0]!, output: inner.domain[$0]!) }
    var calls = [check]
    var outputs: [(ColumnReference, ColumnReference)] = []
    for output in node.input.outputs where !inner.domain.values.contains(output) {
      let any = try context.aggregate("arbitrary", [.column(output)])
      calls.append(any)
      outputs.append((output, any.reference))
    }
    let grouped = LogicalPlan.aggregate(AggregateNode(input: inner.plan, keys: keys, calls: calls))
    let checked = LogicalPlan.filter(
      FilterNode(input: grouped, predicate: try .call("$is_single_row", [.column(check.reference)], at: node.range)))
    var assignments = outputs.map { ProjectNode.Assignment($0.0, .column($0.1)) }
    assignments += domain.columns.map { .init(inner.domain[$0]!, .column(inner.domain[$0]!)) }
    inner.plan = .project(ProjectNode(input: checked, assignments: assignments))
    return inner
  }

  /// Whether a plan yields at most one row per outer value by its form.
  private func isSingleRow(_ plan: LogicalPlan) -> Bool {
    switch plan {
    case .aggregate(let node): node.keys.isEmpty
    case .project(let node): isSingleRow(node.input)
    case .filter(let node): isSingleRow(node.input)
    case .limit(let node): node.count.map { $0 <= 1 } ?? false || isSingleRow(node.input)
    case .topN(let node): node.count <= 1 && !node.withTies
    case .values(let node): node.rows.count <= 1
    case .singleRow: true
    case .sort(let node): isSingleRow(node.input)
    default: false
    }
  }

  /// Adds the rows that a global aggregate yields for outer values without input.
  private func completed(_ unnested: Unnested, _ domain: Domain) throws(QueryError) -> Unnested {
    guard let defaults = unnested.defaults else { return unnested }
    let (values, map) = domain.use()
    return try completed(unnested, defaults, values, map, domain.columns)
  }

  /// The same, against the outer rows themselves, for uses at the top.
  private func completed(
    _ unnested: Unnested, _ input: LogicalPlan, _ columns: [ColumnReference]
  ) throws(QueryError) -> Unnested {
    guard let defaults = unnested.defaults else { return unnested }
    let definition = CommonDefinition(id: context.newCommonID(), name: "outer", plan: input)
    let domain = Domain(columns, input: definition, context)
    let (values, map) = domain.use()
    return try completed(unnested, defaults, values, map, columns)
  }

  private func completed(
    _ unnested: Unnested, _ defaults: [ColumnReference: Expression], _ values: LogicalPlan,
    _ map: [ColumnReference: ColumnReference], _ columns: [ColumnReference]
  ) throws(QueryError) -> Unnested {
    let marker = context.newColumn("matched", .boolean)
    let inner = unnested.plan.outputs.filter { !unnested.domain.values.contains($0) }
    let raw = Dictionary(uniqueKeysWithValues: inner.map { ($0, context.newColumn($0.name, $0.type)) })
    var assignments = inner.map { ProjectNode.Assignment(raw[$0]!, .column($0)) }
    assignments += Set(unnested.domain.values).map { .init($0, .column($0)) }
    assignments.append(.init(marker, .alwaysTrue))
    let right = LogicalPlan.project(ProjectNode(input: unnested.plan, assignments: assignments))
    let keys = columns.map { JoinNode.Key(map[$0]!, unnested.domain[$0]!, nullsEqual: true) }
    let join = LogicalPlan.join(JoinNode(.left, left: values, right: right, keys: keys))
    var outputs = columns.map { ProjectNode.Assignment(map[$0]!, .column(map[$0]!)) }
    for column in inner {
      let fallback = replaced(defaults[column] ?? .null(column.type), map)
      outputs.append(
        .init(
          column,
          .caseWhen(
            CaseExpression(
              branches: [.init(condition: try .call("is_null", [.column(marker)]), result: fallback)],
              otherwise: .column(raw[column]!), type: column.type))))
    }
    return Unnested(plan: .project(ProjectNode(input: join, assignments: outputs)), domain: map, defaults: nil)
  }

  /// A projection to some of a plan's columns.
  private func select(_ plan: LogicalPlan, _ columns: [ColumnReference]) -> LogicalPlan {
    if plan.outputs == columns { return plan }
    var seen: Set<ColumnReference> = []
    let distinct = columns.filter { seen.insert($0).inserted }
    return .project(ProjectNode(input: plan, selecting: distinct))
  }
}

extension [JoinNode.Key] {
  /// The same outer columns against another plan's domain columns.
  fileprivate func rekeyed(_ unnested: SubqueryUnnesting.Unnested) -> [JoinNode.Key] {
    map { JoinNode.Key($0.left, unnested.domain[$0.left] ?? $0.right, nullsEqual: $0.nullsEqual) }
  }
}
