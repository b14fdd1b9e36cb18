import Columnar
package import QueryErrors
package import QueryPlan
import SQLExpressions

/// Lets a join's build side tell the scan that feeds its probe side which key values can match, and a top-N tell its scan
/// which values can still come first.
package struct AddDynamicFilters: OptimizerRule {
  package static let name = "add_dynamic_filters"
  package init() {}

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    var estimator = CardinalityEstimator()
    return plan.rewritten { node in
      if case .topN(let top) = node { return .topN(AddDynamicFilters.withThreshold(top, context)) }
      guard case .join(var join) = node, !join.keys.isEmpty else { return node }
      // Rows of the probe side without a match must not be needed.
      let buildsLeft = join.buildsLeft
      switch join.kind {
      case .inner, .semi: break
      case .left where buildsLeft, .anti where buildsLeft, .right where !buildsLeft: break
      default: return node
      }
      let probe = buildsLeft ? join.right : join.left
      let build = buildsLeft ? join.left : join.right
      // A build side that keeps nearly all probe rows is not worth asking.
      if !AddDynamicFilters.isSelective(build), estimator.estimate(build).rows * 2 > estimator.estimate(probe).rows { return node }
      var changed = probe
      for (index, key) in join.keys.enumerated() where !key.nullsEqual {
        let column = buildsLeft ? key.right : key.left
        let id = context.newDynamicFilterID()
        if let filtered = AddDynamicFilters.attach(id, column, to: changed, .buildSide) {
          changed = filtered
          join.dynamicFilters[id] = index
        }
      }
      if buildsLeft { join.right = changed } else { join.left = changed }
      return .join(join)
    }
  }

  /// Rows above which a top-N keeps so much that its scan need not know of it.
  private static let largestThresholdCount = 1 << 16

  private static func withThreshold(_ node: TopNNode, _ context: OptimizerContext) -> TopNNode {
    var top = node
    let (wanted, overflows) = top.offset.addingReportingOverflow(top.count)
    guard let key = top.keys.first, !overflows, wanted > 0, wanted <= largestThresholdCount else { return top }
    let id = context.newDynamicFilterID()
    guard let input = attach(id, key.column, to: top.input, .threshold) else { return top }
    top.input = input
    top.dynamicFilter = id
    return top
  }

  /// Whether some condition narrows the plan's rows.
  private static func isSelective(_ plan: LogicalPlan) -> Bool {
    plan.contains { node in
      switch node {
      case .filter, .limit, .topN, .aggregate, .values: true
      case .scan(let scan): !scan.predicates.isEmpty || !scan.dynamicFilters.isEmpty
      case .foreignScan(let scan): !scan.predicates.isEmpty || !scan.dynamicFilters.isEmpty
      case .join(let join): join.kind == .semi || join.kind == .anti
      default: false
      }
    }
  }

  /// Who publishes a filter.
  private enum Publisher {
    case buildSide
    /// A top-N, from the rows the scan itself yields: they have to stream up to it, and none that could fail may be dropped.
    case threshold
  }

  /// The plan with the filter on the scan that `column` comes from; nil when it does not come from one unchanged.
  private static func attach(
    _ id: Int, _ column: ColumnReference, to plan: LogicalPlan, _ publisher: Publisher
  ) -> LogicalPlan? {
    func hasFailing(_ expressions: [Expression]) -> Bool {
      publisher == .threshold && expressions.contains(where: \.mayFail)
    }
    switch plan {
    case .scan(var node):
      guard let source = node.columns.first(where: { $0.reference == column })?.source, case .file = source,
        !hasFailing(node.predicates)
      else { return nil }
      node.dynamicFilters.append(.init(id: id, column: column))
      return .scan(node)
    case .foreignScan(var node):
      // A source is asked once, before a top-N knows anything.
      guard publisher == .buildSide, !node.isGrouped, node.isProven, node.tableColumn(of: column.id) != nil else { return nil }
      node.dynamicFilters.append(.init(id: id, column: column))
      return .foreignScan(node)
    case .filter(var node):
      guard !hasFailing([node.predicate]), let input = attach(id, column, to: node.input, publisher) else { return nil }
      node.input = input
      return .filter(node)
    case .project(var node):
      guard !hasFailing(node.assignments.map(\.expression)),
        let source = node.assignments.first(where: { $0.reference == column })?.expression.columnReference,
        let input = attach(id, source, to: node.input, publisher)
      else { return nil }
      node.input = input
      return .project(node)
    case .join(var node):
      // Rows dropped early must not be ones the join would have kept with NULLs.
      let inLeft = node.left.outputs.contains(column)
      switch node.kind {
      case .inner: break
      case .left, .semi, .anti, .mark: if !inLeft { return nil }
      case .right: if inLeft { return nil }
      case .full: return nil
      }
      // Build sides are read whole before the first row comes out.
      if publisher == .threshold, inLeft == node.buildsLeft || hasFailing(node.residual.map { [$0] } ?? []) { return nil }
      var isAttached = false
      if let input = attach(id, column, to: inLeft ? node.left : node.right, publisher) {
        if inLeft { node.left = input } else { node.right = input }
        isAttached = true
      }
      // Rows of the other side join those alone that the filter lets through: through `column = other` it is theirs too.
      if publisher == .buildSide, !node.isNullAware, node.kind == .inner || node.kind == .semi || node.kind == .left {
        for key in node.keys where (inLeft ? key.left : key.right) == column {
          let other = inLeft ? key.right : key.left
          guard let input = attach(id, other, to: inLeft ? node.right : node.left, publisher) else { continue }
          if inLeft { node.right = input } else { node.left = input }
          isAttached = true
        }
      }
      return isAttached ? .join(node) : nil
    case .aggregate(var node):
      // An aggregation's first row comes out after its last one went in.
      guard publisher == .buildSide, node.groupingSets.count == 1,
        let key = node.keys.first(where: { $0.output == column }),
        let input = attach(id, key.input, to: node.input, publisher)
      else { return nil }
      node.input = input
      return .aggregate(node)
    default: return nil
    }
  }
}
