import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions

extension SubqueryUnnesting {
  /// A join for all values of the domain: each side that needs outer columns gets the domain's, and rows of both sides
  /// meet only for the same outer values.
  func push(_ node: JoinNode, _ domain: SubqueryDomain) throws(QueryError) -> Unnested {
    let leftNeeds = isCorrelated(node.left, domain)
    let rightNeeds = isCorrelated(node.right, domain)
    var join = node
    switch node.kind {
    case .inner, .left, .semi, .anti, .mark:
      // Only the left side, or only the condition, uses outer columns.
      if !rightNeeds {
        let left = try completed(try push(node.left, domain), domain)
        join.left = left.plan
        join.residual = node.residual.map { replaced($0, left.domain) }
        return Unnested(plan: .join(join), domain: left.domain, defaults: nil)
      }
      if node.kind == .inner, !leftNeeds { return try pushRight(node, domain) }
    case .right: if !leftNeeds { return try pushRight(node, domain) }
    case .full: break
    }
    let left = try completed(try push(node.left, domain), domain)
    let right = try completed(try push(node.right, domain), domain)
    let keys = domain.columns.map { JoinNode.Key(left.domain[$0]!, right.domain[$0]!, nullsEqual: true) }
    if node.isNullAware, let mark = node.mark ?? (node.kind == .anti ? context.newColumn("in", .boolean) : nil) {
      return try pushMembership(node, left, right, keys, mark)
    }
    join.left = left.plan
    join.right = right.plan
    join.keys += keys
    join.residual = node.residual.map { replaced($0, node.kind == .right ? right.domain : left.domain) }
    if node.kind == .full { return fullJoin(join, left.domain, right.domain, domain) }
    return Unnested(plan: .join(join), domain: node.kind == .right ? right.domain : left.domain, defaults: nil)
  }

  private func pushRight(_ node: JoinNode, _ domain: SubqueryDomain) throws(QueryError) -> Unnested {
    var join = node
    let right = try completed(try push(node.right, domain), domain)
    join.right = right.plan
    join.residual = node.residual.map { replaced($0, right.domain) }
    return Unnested(plan: .join(join), domain: right.domain, defaults: nil)
  }

  /// `IN` against a subquery that has other rows for each outer value: one join can tell an unknown outcome only by all
  /// of its right side.
  private func pushMembership(
    _ node: JoinNode, _ left: Unnested, _ right: Unnested, _ keys: [JoinNode.Key], _ mark: ColumnReference
  ) throws(QueryError) -> Unnested {
    guard node.keys.count == 1 else { throw .internalError("a null-aware join with \(node.keys.count) keys") }
    let marked = try markIn(
      left.plan, right.plan, value: node.keys[0].right, keys: keys,
      residual: node.residual.map { replaced($0, left.domain) }, mark: mark, probe: node.keys[0].left)
    guard node.kind == .anti else { return Unnested(plan: marked, domain: left.domain, defaults: nil) }
    let unmatched = LogicalPlan.filter(FilterNode(input: marked, predicate: try .not(.column(mark))))
    return Unnested(plan: select(unmatched, left.plan.outputs), domain: left.domain, defaults: nil)
  }

  /// Rows of either side may stay without partner: the side that is there tells the outer values.
  private func fullJoin(
    _ join: JoinNode, _ left: [ColumnReference: ColumnReference], _ right: [ColumnReference: ColumnReference],
    _ domain: SubqueryDomain
  ) -> Unnested {
    var map: [ColumnReference: ColumnReference] = [:]
    var assignments: [ProjectNode.Assignment] = []
    var seen: Set<ColumnReference> = []
    for column in LogicalPlan.join(join).outputs where seen.insert(column).inserted {
      assignments.append(.init(column, .column(column)))
    }
    for column in domain.columns {
      let both = context.newColumn(column.name, column.type)
      assignments.append(.init(both, .coalesce([.column(left[column]!), .column(right[column]!)], column.type)))
      map[column] = both
    }
    return Unnested(
      plan: .project(ProjectNode(input: .join(join), assignments: assignments)), domain: map, defaults: nil)
  }
}
