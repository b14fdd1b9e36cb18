package import QueryErrors
package import QueryPlan
import SQLExpressions

/// Computes of a shared subplan only the rows that some use keeps, when every use filters.
///
///     WITH y AS (…) SELECT … FROM y a, y b WHERE a.year = 1 AND b.year = 2   →   y is computed WHERE year = 1 OR year = 2
///
/// The uses keep their own conditions.
package struct PushDownSharedFilters: OptimizerRule {
  package static let name = "push_down_shared_filters"
  package static let isWholePlan = true
  package init() {}

  /// Definitions that use others filter them anew once they are filtered themselves.
  private static let roundCount = 2

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    var plan = plan
    var done: Set<Int> = []
    for _ in 0..<PushDownSharedFilters.roundCount {
      var uses = SharedUses()
      uses.collect(plan)
      let conditions = uses.conditions.filter { !done.contains($0.key) }
      if conditions.isEmpty { break }
      done.formUnion(conditions.keys)
      plan = try SharedDefinitions.replacing(plan) { (definition) throws(QueryError) in
        guard let condition = conditions[definition.id] else { return definition.plan }
        let simplified = try ExpressionSimplifier(session: context.session).simplify(condition)
        return try FilterPush(context: context).push(simplified.conjuncts, into: definition.plan)
      }
    }
    return plan
  }
}

/// What the uses of shared subplans filter on.
private struct SharedUses {
  /// By definition: the conditions of each use over the definition's outputs; nil when some use takes all rows.
  private var found: [Int: [Expression]?] = [:]

  /// By definition: what a row must fulfil to be wanted by some use.
  var conditions: [Int: Expression] {
    found.compactMapValues { alternatives in
      guard let alternatives, !alternatives.isEmpty else { return nil }
      return alternatives.count == 1 ? alternatives[0] : .or(alternatives)
    }
  }

  mutating func collect(_ plan: LogicalPlan) {
    switch plan {
    case .filter(let node):
      if case .common(let use) = node.input {
        add(use, node.predicate.conjuncts.filter { $0.isDeterministic && !$0.mayFail && !$0.columnsUsed.isEmpty })
      } else {
        collect(node.input)
      }
    case .common(let use): add(use, [])
    default: for child in plan.children { collect(child) }
    }
  }

  private mutating func add(_ use: CommonNode, _ conditions: [Expression]) {
    let id = use.definition.id
    let isFirst = found[id] == nil
    if isFirst { found[id] = .some([]) }
    let names = Dictionary(
      zip(use.outputs, use.definition.plan.outputs).map { ($0.id, Expression.column($1)) },
      uniquingKeysWith: { first, _ in first })
    let condition = Expression.conjunction(conditions.map { $0.replacing(names) })
    if conditions.isEmpty {
      found[id] = .some(nil)
    } else if case .some(.some(let others)) = found[id], !others.contains(condition) {
      found[id] = .some(others + [condition])
    }
    if isFirst { collect(use.definition.plan) }
  }
}
