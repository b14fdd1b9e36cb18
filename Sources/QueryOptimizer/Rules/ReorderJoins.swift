import Columnar
package import QueryErrors
package import QueryPlan
import SQLExpressions

/// Finds a cheap order for trees of inner joins: exhaustively for few relations, greedily for many.
///
/// Cost is the sum of all intermediate results' rows, with the hashed side counted again.
///
/// - Source: Moerkotte and Neumann, "Dynamic Programming Strikes Back", SIGMOD 2008 (subset enumeration); greedy operator
///   ordering beyond.
package struct ReorderJoins: OptimizerRule {
  package static let name = "reorder_joins"
  package init() {}

  /// Relations up to which all orders are looked at.
  static let maximumExhaustiveCount = 10

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    var estimator = CardinalityEstimator()
    return try reorder(plan, &estimator)
  }

  private func reorder(_ plan: LogicalPlan, _ estimator: inout CardinalityEstimator) throws(QueryError) -> LogicalPlan {
    guard case .join(let join) = plan, join.kind == .inner else {
      var children: [LogicalPlan] = []
      if case .common = plan { return plan }
      for child in plan.children { children.append(try reorder(child, &estimator)) }
      return plan.withChildren(children)
    }
    var graph = InnerJoinGraph(plan)
    for index in graph.relations.indices { graph.relations[index] = try reorder(graph.relations[index], &estimator) }
    guard graph.relations.count > 2 else {
      // Its two sides are the relations.
      return plan.withChildren(graph.relations)
    }
    let estimates = graph.relations.map { relation in estimator.estimate(relation) }
    let ordered: LogicalPlan
    if graph.relations.count <= ReorderJoins.maximumExhaustiveCount {
      ordered = JoinOrderSearch(graph, estimates).exhaustive()
    } else {
      var greedy = GreedyJoinOrder(graph, estimates)
      ordered = greedy.joined()
    }
    guard ordered.outputs != plan.outputs else { return ordered }
    return .project(ProjectNode(input: ordered, selecting: plan.outputs))
  }
}

/// Compares all orders in which a few relations can be joined; sets of relations are bits of a word.
private struct JoinOrderSearch {
  private let graph: InnerJoinGraph
  private let estimates: [CardinalityEstimate]
  /// The relations that each key's sides come from, as bits.
  private let keyOwners: [(left: Int, right: Int)]
  /// The relations that each condition needs, as bits.
  private let conditionOwners: [Int]

  /// - Parameter estimates: one for each relation.
  init(_ graph: InnerJoinGraph, _ estimates: [CardinalityEstimate]) {
    self.graph = graph
    let owners = graph.owners.mapValues { 1 << $0 }
    keyOwners = graph.keys.map { (owners[$0.left.id] ?? 0, owners[$0.right.id] ?? 0) }
    conditionOwners = graph.conditions.map { $0.columnsUsed.reduce(0) { $0 | (owners[$1.id] ?? 0) } }
    let compared = graph.comparedColumns
    self.estimates = estimates.map { $0.keeping(compared) }
  }

  /// A joined subset.
  struct Part {
    var plan: LogicalPlan
    var estimate: CardinalityEstimate
    var cost: Double
    var members: Int
  }

  private func part(_ index: Int) -> Part {
    Part(plan: graph.relations[index], estimate: estimates[index], cost: 0, members: 1 << index)
  }

  /// The join of two parts under all conditions that become decidable; nil where it costs `limit` or more, and for cross
  /// products unless they are allowed.
  private func join(_ a: Part, _ b: Part, allowsCross: Bool, below limit: Double = .infinity) -> Part? {
    let members = a.members | b.members
    // The larger side first: it is probed.
    let (left, right) = a.estimate.rows >= b.estimate.rows ? (a, b) : (b, a)
    var own: [JoinNode.Key] = []
    for (key, owner) in zip(graph.keys, keyOwners) {
      if owner.left & left.members != 0, owner.right & right.members != 0 {
        own.append(key)
      } else if owner.right & left.members != 0, owner.left & right.members != 0 {
        own.append(.init(key.right, key.left, nullsEqual: key.nullsEqual))
      }
    }
    if own.isEmpty, !allowsCross { return nil }
    let known = a.cost + b.cost + right.estimate.rows * 1.5 + left.estimate.rows * 0.2
    guard known < limit else { return nil }
    let residual = zip(graph.conditions, conditionOwners).compactMap { condition, needed in
      needed & ~members == 0 && needed & ~a.members != 0 && needed & ~b.members != 0 ? condition : nil
    }
    let node = JoinNode(
      .inner, left: left.plan, right: right.plan, keys: own, residual: residual.isEmpty ? nil : .conjunction(residual))
    let estimate = CardinalityEstimator.join(node, left.estimate, right.estimate)
    let cost = own.isEmpty ? (known + estimate.rows) * 10 : known + estimate.rows
    return cost < limit ? Part(plan: .join(node), estimate: estimate, cost: cost, members: members) : nil
  }

  func exhaustive() -> LogicalPlan {
    let all = (1 << graph.relations.count) - 1
    var best: [Part?] = Array(repeating: nil, count: all + 1)
    for index in graph.relations.indices { best[1 << index] = part(index) }
    for members in 1...all where members & (members - 1) != 0 {
      // Each split once: the half with the lowest member stands first.
      let lowest = members & -members
      for allowsCross in [false, true] where best[members] == nil {
        var half = (members - 1) & members
        while half > 0 {
          if half & lowest != 0, let a = best[half], let b = best[members & ~half],
            let joined = join(a, b, allowsCross: allowsCross, below: best[members]?.cost ?? .infinity)
          {
            best[members] = joined
          }
          half = (half - 1) & members
        }
      }
    }
    return finished(best[all]!)
  }

  /// Conditions over one relation or none still have to be applied.
  private func finished(_ part: Part) -> LogicalPlan {
    let rest = zip(graph.conditions, conditionOwners).compactMap { condition, needed in
      needed & (needed - 1) == 0 ? condition : nil
    }
    if rest.isEmpty { return part.plan }
    return .filter(FilterNode(input: part.plan, predicate: .conjunction(rest)))
  }
}
