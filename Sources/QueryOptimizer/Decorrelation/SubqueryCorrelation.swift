import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions

/// Tells which correlated subqueries Athena runs: those whose outer columns stand in filters that can be pulled up
/// through what is above them to become a join's condition, and a few special forms.
///
///     (SELECT max(b) FROM t WHERE t.a < o.a)        runs
///     (SELECT o.a + t.b FROM t WHERE t.a = o.a)     does not: the outer column is in a projection
///     (SELECT b FROM t WHERE t.a < o.a LIMIT 1)     does not: LIMIT would count rows of all outer values together
///
/// Asked only where sqlq is to do as Athena does: the others have one right answer too.
///
/// - Source: Trino 465, `PlanNodeDecorrelator` and the rules that `PlanOptimizers` lists for correlated subqueries.
struct SubqueryCorrelation {
  /// Columns of the rows around the subquery that it uses.
  let outer: Set<ColumnReference>

  /// Checks the subqueries of a plan that are not joins yet.
  ///
  /// - Throws: `UNSUPPORTED_SUBQUERY`.
  static func check(_ plan: LogicalPlan) throws(QueryError) {
    switch plan {
    case .common: return
    case .apply(let node):
      let outer = node.subquery.freeColumns.intersection(node.input.outputs)
      guard outer.isEmpty || SubqueryCorrelation(outer: outer).isSupported(node) else {
        throw QueryError(.unsupportedSubquery, "Given correlated subquery is not supported", at: node.range)
      }
    default: break
    }
    for child in plan.children { try check(child) }
  }

  private func isSupported(_ node: ApplyNode) -> Bool {
    let needed = Set(node.subquery.outputs)
    var plan = node.subquery
    if case .singleRow(let single) = plan { plan = single.input }
    // `SELECT (subquery)` without FROM is that subquery.
    if case .apply(let inner) = withoutProjections(plan), isOneRow(inner.input), inner.input.outputs.isEmpty {
      return isSupported(inner)
    }
    switch node.kind {
    case .scalar:
      return pull(plan, needed) != nil || isGlobalAggregate(plan) || isOneRow(plan) || isUnnest(plan, needed)
        || isAggregatedUnnest(plan)
    case .lateral(let isLeft, let condition):
      if pull(plan, needed) != nil { return true }
      guard condition == nil else { return false }
      return isGlobalAggregate(plan) || isOneRow(plan) || isUnnest(plan, needed) || isAggregatedUnnest(plan)
        || isGroupedAggregate(plan, distinctOnly: isLeft)
    case .exists:
      return isInput(plan, []) || isUnnest(plan, []) || isAggregatedUnnest(plan, isBelow: true) || isOneRow(plan)
        || isGlobalAggregate(plan, ofAny: true)
    case .inSubquery: return isFiltered(plan, needed)
    case .quantified(_, _, let op, let isAll):
      if op == "=" && !isAll || op == "<>" && isAll { return isFiltered(plan, needed) }
      return isInput(plan, needed) || isAggregatedUnnest(plan, isBelow: true)
    }
  }

  private func isCorrelated(_ plan: LogicalPlan) -> Bool { !plan.freeColumns.isDisjoint(with: outer) }
  private func isCorrelated(_ expression: Expression) -> Bool { !expression.columnsUsed.isDisjoint(with: outer) }

  // MARK: Filters pulled up

  /// A plan without its correlated conditions.
  private struct Pulled {
    /// Inner columns that the conditions use, which everything above must let through.
    var propagated: Set<ColumnReference> = []
    /// Inner columns that have one value for each outer row.
    var constants: Set<ColumnReference> = []
    /// Outer columns that some inner column equals.
    var equated: Set<ColumnReference> = []
    /// Whether there is at most one row for each outer row.
    var isSingleRow = false
  }

  /// What is left of a plan when its correlated filters are pulled up; nil where they cannot be.
  ///
  /// - Parameter needed: outputs of the plan that are used.
  private func pull(_ plan: LogicalPlan, _ needed: Set<ColumnReference>) -> Pulled? {
    guard isCorrelated(plan) else { return Pulled() }
    switch plan {
    case .filter(let node):
      guard var pulled = pull(node.input, needed.union(node.predicate.columnsUsed)) else { return nil }
      add(node.predicate, to: &pulled)
      return pulled
    case .join(let node) where node.kind == .inner && !isCorrelated(node.left) && !isCorrelated(node.right):
      var pulled = Pulled()
      if let residual = node.residual { add(residual, to: &pulled) }
      return pulled
    case .project(let node):
      let used = node.assignments.filter { needed.contains($0.reference) }
      guard !used.contains(where: { isCorrelated($0.expression) }) else { return nil }
      let columns = used.reduce(into: Set<ColumnReference>()) { $0.formUnion($1.expression.columnsUsed) }
      guard var pulled = pull(node.input, columns) else { return nil }
      for assignment in used {
        if let column = assignment.expression.columnReference, pulled.constants.contains(column) {
          pulled.constants.insert(assignment.reference)
        }
      }
      return pulled
    case .sort(let node): return pull(node.input, needed)  // Without LIMIT, order in a subquery means nothing.
    case .limit(let node):
      guard node.offset == 0, node.count != 0 else { return nil }
      guard let pulled = pull(node.input, needed) else { return nil }
      return node.count.map { limited(pulled, to: $0, isSorted: isSorted(node.input), needed) } ?? pulled
    case .topN(let node):
      guard node.offset == 0, node.count > 0, !node.withTies, let pulled = pull(node.input, needed) else { return nil }
      return limited(pulled, to: node.count, isSorted: true, needed)
    case .apply(let node):
      guard isFilteredBefore(node) else { return nil }
      return pull(node.input, needed.union(plan.columnsRead))
    case .aggregate(let node): return pull(node)
    default: return nil
    }
  }

  /// A condition of WHERE beside one with a subquery stands below the subquery here, above it in Trino.
  private func isFilteredBefore(_ node: ApplyNode) -> Bool {
    if case .lateral = node.kind { false } else { !isCorrelated(node.subquery) }
  }

  private func add(_ predicate: Expression, to pulled: inout Pulled) {
    for condition in predicate.conjuncts where isCorrelated(condition) {
      pulled.propagated.formUnion(condition.columnsUsed.subtracting(outer))
      guard case .call(let call) = condition, call.function.name == "=", call.arguments.count == 2 else { continue }
      for (inner, other) in [(call.arguments[0], call.arguments[1]), (call.arguments[1], call.arguments[0])] {
        guard let column = injectiveSource(inner), !outer.contains(column), other.isDeterministic,
          other.columnsUsed.isSubset(of: outer)
        else { continue }
        pulled.constants.insert(column)
        if inner.columnReference != nil, let equated = other.columnReference { pulled.equated.insert(equated) }
      }
    }
  }

  /// The column whose value an expression's value tells: the column itself, or one under a cast that loses nothing.
  private func injectiveSource(_ expression: Expression) -> ColumnReference? {
    guard case .cast(let cast) = expression else { return expression.columnReference }
    guard let column = cast.operand.columnReference, TypeCoercion.canCoerce(column.type, to: cast.type) else { return nil }
    switch (column.type, cast.type) {
    case (.bigint, .double), (.bigint, .real), (.integer, .real), (_, .timestampWithTimeZone), (_, .timeWithTimeZone):
      return nil
    case (.decimal(let precision, _), .double): return precision > 15 ? nil : column
    case (.decimal(let precision, _), .real): return precision > 7 ? nil : column
    default: return column
    }
  }

  /// LIMIT becomes a limit for each combination of constants, so all that the conditions use must be constant.
  private func limited(
    _ pulled: Pulled, to count: Int, isSorted: Bool, _ needed: Set<ColumnReference>
  ) -> Pulled? {
    if pulled.isSingleRow { return pulled }
    var result = pulled
    result.isSingleRow = count == 1
    if count == 1, !isSorted {
      let outputs = needed.union(pulled.propagated)
      return !pulled.constants.isEmpty && outputs.isSubset(of: pulled.constants) ? result : nil
    }
    return pulled.propagated.isSubset(of: pulled.constants) ? result : nil
  }

  private func isSorted(_ plan: LogicalPlan) -> Bool {
    switch plan {
    case .sort: true
    case .project(let node): isSorted(node.input)
    default: false
    }
  }

  /// A grouping can take what the conditions use as further keys where that is constant.
  private func pull(_ node: AggregateNode) -> Pulled? {
    let keys = Set(node.keys.map(\.input))
    guard node.groupingSets.count == 1, !keys.isEmpty, keys.isDisjoint(with: outer) else { return nil }
    let columns = LogicalPlan.aggregate(node).columnsRead
    guard var pulled = pull(node.input, columns), columns.intersection(outer).isSubset(of: pulled.equated),
      pulled.propagated.subtracting(keys).isSubset(of: pulled.constants)
    else { return nil }
    pulled.isSingleRow = keys.isSubset(of: pulled.constants)
    return pulled
  }

  // MARK: Special forms

  private func withoutProjections(_ plan: LogicalPlan) -> LogicalPlan {
    guard case .project(let node) = plan else { return plan }
    return withoutProjections(node.input)
  }

  private func isGlobal(_ node: AggregateNode) -> Bool { node.keys.isEmpty && node.groupingSets == [[]] }

  /// A plan whose rows one aggregate over all of them can stand above: its own DISTINCT moves up with the aggregate.
  private func isInput(_ plan: LogicalPlan, _ needed: Set<ColumnReference>) -> Bool {
    if pull(plan, needed) != nil { return true }
    guard case .aggregate(let node) = plan, node.calls.isEmpty, node.groupingSets.count == 1 else { return false }
    return pull(node.input, Set(node.keys.map(\.input))) != nil
  }

  /// - Parameter ofAny: whether it does not matter what is aggregated, since there is one row anyway.
  private func isGlobalAggregate(_ plan: LogicalPlan, ofAny: Bool = false) -> Bool {
    guard case .aggregate(let node) = withoutProjections(plan), isGlobal(node) else { return false }
    return ofAny || isInput(node.input, LogicalPlan.aggregate(node).columnsRead)
  }

  /// In a LATERAL that drops rows without match, any grouping; in others DISTINCT only.
  private func isGroupedAggregate(_ plan: LogicalPlan, distinctOnly: Bool) -> Bool {
    guard case .aggregate(let node) = withoutProjections(plan), node.groupingSets.count == 1, !node.keys.isEmpty,
      node.calls.isEmpty || !distinctOnly
    else { return false }
    return isInput(node.input, LogicalPlan.aggregate(node).columnsRead)
  }

  /// One row made of outer columns: a projection of the outer row.
  private func isOneRow(_ plan: LogicalPlan) -> Bool {
    if case .values(let node) = withoutProjections(plan) { node.rows.count == 1 } else { false }
  }

  /// `UNNEST(outer column)` with projections, ORDER BY and LIMIT above: unnesting of the outer row.
  private func isUnnest(_ plan: LogicalPlan, _ needed: Set<ColumnReference>) -> Bool {
    switch plan {
    case .project(let node):
      let used = node.assignments.filter { needed.contains($0.reference) }
      return isUnnest(node.input, used.reduce(into: []) { $0.formUnion($1.expression.columnsUsed) })
    case .sort(let node): return isUnnest(node.input, needed)
    case .limit(let node): return node.offset == 0 && node.count != 0 && isUnnest(node.input, needed)
    case .topN(let node): return node.offset == 0 && node.count > 0 && isUnnest(node.input, needed)
    case .unnest(let node): return isOneRow(node.input) && needed.subtracting(outer).isDisjoint(with: node.kept)
    default: return false
    }
  }

  /// `UNNEST(outer column)` below projections and aggregates, one of them over all rows.
  ///
  /// - Parameters:
  ///   - isBelow: whether there is such an aggregate above.
  ///   - keys: what an aggregate above groups by, which outer columns may not be.
  private func isAggregatedUnnest(
    _ plan: LogicalPlan, isBelow: Bool = false, keys: Set<ColumnReference> = []
  ) -> Bool {
    switch plan {
    case .project(let node):
      let used = node.assignments.filter { keys.contains($0.reference) }
      guard !used.contains(where: { isCorrelated($0.expression) }) else { return false }
      return isAggregatedUnnest(
        node.input, isBelow: isBelow, keys: used.reduce(into: []) { $0.formUnion($1.expression.columnsUsed) })
    case .aggregate(let node):
      let keys = Set(node.keys.map(\.input))
      guard node.groupingSets.count == 1, keys.isDisjoint(with: outer) else { return false }
      // Aggregates that all have a FILTER are preceded by a filter on what any of them takes.
      if !node.calls.isEmpty, node.calls.allSatisfy({ $0.filter != nil }) { return false }
      return isAggregatedUnnest(node.input, isBelow: isBelow || isGlobal(node), keys: keys)
    case .unnest(let node): return isBelow && isOneRow(node.input)
    default: return false
    }
  }

  /// What IN compares with: rows under filters and projections only.
  private func isFiltered(_ plan: LogicalPlan, _ needed: Set<ColumnReference>) -> Bool {
    guard isCorrelated(plan) else { return true }
    switch plan {
    case .filter(let node): return isFiltered(node.input, needed.union(node.predicate.columnsUsed))
    case .project(let node):
      let used = node.assignments.filter { needed.contains($0.reference) }
      guard !used.contains(where: { isCorrelated($0.expression) }) else { return false }
      return isFiltered(node.input, used.reduce(into: []) { $0.formUnion($1.expression.columnsUsed) })
    case .sort(let node): return isFiltered(node.input, needed)
    case .apply(let node):
      guard isFilteredBefore(node) else { return false }
      return isFiltered(node.input, needed.union(plan.columnsRead))
    case .aggregate(let node) where node.calls.isEmpty && node.groupingSets.count == 1:
      return isFiltered(node.input, Set(node.keys.map(\.input)))
    case .join(let node): return node.kind == .inner && !isCorrelated(node.left) && !isCorrelated(node.right)
    default: return false
    }
  }
}
