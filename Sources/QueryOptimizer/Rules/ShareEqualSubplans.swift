package import QueryErrors
package import QueryPlan
import SQLExpressions
import TableCatalog

/// Computes joins and groupings once that a query contains several times, word for word or nearly so.
///
///     … HAVING sum(x) > (SELECT sum(x) / 100 FROM a JOIN b …)   over the same a JOIN b …   →   the join's rows are kept and read twice
///
/// Only where the rows kept are few beside those read for them.
package struct ShareEqualSubplans: OptimizerRule {
  package static let name = "share_equal_subplans"
  package init() {}

  /// Rows that a shared subplan may yield for each row its scans do.
  private static let maximumShare = 0.25

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    let candidates = Candidates(plan)
    var estimator = CardinalityEstimator()
    var replaced = Replacements()
    for (position, candidate) in candidates.found.enumerated() {
      guard !replaced.contain(candidate) else { continue }
      var uses: [(Candidates.Candidate, SubplanMatcher)] = []
      for other in candidates.found.dropFirst(position + 1)
      where other.tables == candidate.tables && !replaced.contain(other)
        && !uses.contains(where: { $0.0.range.contains(other.range.lowerBound) })
        && !candidate.range.contains(other.range.lowerBound)
      {
        var matcher = SubplanMatcher()
        guard matcher.matches(candidate.plan, other.plan) else { continue }
        let images = Set(candidate.plan.outputs.map { matcher.mapped($0) })
        if images.count == candidate.plan.outputs.count, images.isSuperset(of: other.plan.outputs) {
          uses.append((other, matcher))
        }
      }
      guard !uses.isEmpty, ShareEqualSubplans.isWorthKeeping(candidate.plan, &estimator) else { continue }
      let definition = CommonDefinition(id: context.newCommonID(), name: "shared", plan: candidate.plan)
      let own = candidate.plan.outputs.map { context.newColumn($0.name, $0.type) }
      replaced.plans[candidate.range] = .project(
        ProjectNode(
          input: .common(CommonNode(definition: definition, outputs: own)),
          assignments: zip(candidate.plan.outputs, own).map { .init($0, .column($1)) }))
      for (use, matcher) in uses {
        let node = CommonNode(definition: definition, outputs: candidate.plan.outputs.map { matcher.mapped($0) })
        replaced.plans[use.range] = .project(
          ProjectNode(input: .common(node), selecting: use.plan.outputs))
      }
    }
    return replaced.plans.isEmpty ? plan : replaced.applied(to: plan)
  }

  private static func isWorthKeeping(_ plan: LogicalPlan, _ estimator: inout CardinalityEstimator) -> Bool {
    var scanned = 0.0
    plan.forEach { node in
      switch node {
      case .scan, .foreignScan: scanned += estimator.estimate(node).rows
      default: break
      }
    }
    return estimator.estimate(plan).rows <= scanned * maximumShare
  }
}

/// Joins and groupings over tables that a plan scans more than once; places are numbers in preorder.
private struct Candidates {
  struct Candidate {
    var plan: LogicalPlan
    /// Places of the node and all below.
    var range: Range<Int>
    /// Names of the tables scanned, sorted.
    var tables: [String]
  }

  /// Outer ones before inner ones.
  private(set) var found: [Candidate] = []

  init(_ plan: LogicalPlan) {
    var next = 0
    _ = collect(plan, &next)
    found.sort { $0.range.lowerBound < $1.range.lowerBound }
    var counts: [[String]: Int] = [:]
    for candidate in found { counts[candidate.tables, default: 0] += 1 }
    found.removeAll { counts[$0.tables]! < 2 || $0.tables.isEmpty }
  }

  private mutating func collect(_ plan: LogicalPlan, _ next: inout Int) -> [String] {
    let start = next
    next += 1
    var tables: [String] = []
    if case .scan(let node) = plan { tables.append(node.table.name.description) }
    if case .foreignScan(let node) = plan { tables.append(node.name.description) }
    if case .common(let node) = plan { return ["\(node.definition.id)"] }
    for child in plan.children { tables += collect(child, &next) }
    tables.sort()
    switch plan {
    case .join, .aggregate: found.append(Candidate(plan: plan, range: start..<next, tables: tables))
    default: break
    }
    return tables
  }
}

/// Plans to stand at places of another one.
private struct Replacements {
  /// By the places they take.
  var plans: [Range<Int>: LogicalPlan] = [:]

  func contain(_ candidate: Candidates.Candidate) -> Bool {
    plans.keys.contains { $0.contains(candidate.range.lowerBound) }
  }

  func applied(to plan: LogicalPlan) -> LogicalPlan {
    let ranges = Dictionary(plans.keys.map { ($0.lowerBound, $0) }, uniquingKeysWith: { first, _ in first })
    var next = 0
    func visit(_ plan: LogicalPlan) -> LogicalPlan {
      if let range = ranges[next] {
        next = range.upperBound
        return plans[range]!
      }
      next += 1
      if case .common = plan { return plan }
      return plan.withChildren(plan.children.map(visit))
    }
    return visit(plan)
  }
}
