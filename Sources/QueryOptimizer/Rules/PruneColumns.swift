import Columnar
package import QueryErrors
package import QueryPlan
import SQLExpressions

/// Drops columns nobody reads, so that scans read no others; merges projections. Of a shared subplan stays what all its
/// uses together read.
package struct PruneColumns: OptimizerRule {
  package static let name = "prune_columns"
  package static let isWholePlan = true
  package init() {}

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    var pruning = ColumnPruning()
    let pruned = pruning.exactly(plan)
    // A definition comes after all that use it, so that its needs are complete.
    let definitions = PruneColumns.definitions(plan)
    var plans: [Int: LogicalPlan] = [:]
    for definition in definitions {
      let outputs = pruning.kept(definition)
      plans[definition.id] = pruning.exactly(definition.plan, outputs: outputs)
    }
    var narrowed: [Int: CommonDefinition] = [:]
    func withNarrowedUses(_ plan: LogicalPlan) -> LogicalPlan {
      plan.rewritten { node in
        guard case .common(var use) = node, let definition = narrowed[use.definition.id] else { return node }
        use.outputs = pruning.keptPositions(use.definition).map { use.outputs[$0] }
        use.definition = definition
        return .common(use)
      }
    }
    for old in definitions.reversed() {
      narrowed[old.id] = CommonDefinition(id: old.id, name: old.name, plan: withNarrowedUses(plans[old.id]!))
    }
    return withNarrowedUses(pruned)
  }

  /// All shared definitions of a plan, those that use others before them.
  private static func definitions(_ plan: LogicalPlan) -> [CommonDefinition] {
    var seen: Set<Int> = []
    var found: [CommonDefinition] = []
    func visit(_ plan: LogicalPlan) {
      if case .common(let use) = plan {
        guard seen.insert(use.definition.id).inserted else { return }
        visit(use.definition.plan)
        found.append(use.definition)
      } else {
        for child in plan.children { visit(child) }
      }
    }
    visit(plan)
    return found.reversed()
  }
}

private struct ColumnPruning {
  /// Positions of shared definitions' outputs that some use reads, by definition.
  private var needs: [Int: Set<Int>] = [:]

  func keptPositions(_ definition: CommonDefinition) -> [Int] { needs[definition.id, default: []].sorted() }

  func kept(_ definition: CommonDefinition) -> [ColumnReference] {
    let outputs = definition.plan.outputs
    return keptPositions(definition).map { outputs[$0] }
  }

  /// The plan without outputs that are not in `needed`, as far as its node can drop them.
  mutating func prune(_ plan: LogicalPlan, keeping needed: Set<ColumnReference>) -> LogicalPlan {
    switch plan {
    case .scan(var node):
      var used = needed
      for predicate in node.predicates { used.formUnion(predicate.columnsUsed) }
      node.columns = node.columns.filter { used.contains($0.reference) }
      return .scan(node)
    case .foreignScan(var node):
      // What a grouping source yields is settled.
      if node.isGrouped { return plan }
      var used = needed
      for predicate in node.predicates { used.formUnion(predicate.columnsUsed) }
      node.columns = node.columns.filter { used.contains($0.reference) }
      return .foreignScan(node)
    case .values(var node):
      let kept = node.outputs.indices.filter { needed.contains(node.outputs[$0]) }
      if kept.count == node.outputs.count { return plan }
      node.rows = node.rows.map { row in kept.map { row[$0] } }
      node.outputs = kept.map { node.outputs[$0] }
      return .values(node)
    case .project(var node):
      node.assignments = node.assignments.filter { needed.contains($0.reference) }
      var used: Set<ColumnReference> = []
      for assignment in node.assignments { used.formUnion(assignment.expression.columnsUsed) }
      node.input = prune(node.input, keeping: used)
      return merged(node)
    case .filter(var node):
      node.input = prune(node.input, keeping: needed.union(node.predicate.columnsUsed))
      return narrowed(.filter(node), needed)
    case .aggregate(var node):
      node.calls = node.calls.filter { needed.contains($0.reference) }
      if let index = node.groupingSetIndex, !needed.contains(index) { node.groupingSetIndex = nil }
      node.input = prune(node.input, keeping: LogicalPlan.aggregate(node).columnsRead)
      return .aggregate(node)
    case .join(var node):
      var used = needed.union(LogicalPlan.join(node).columnsRead)
      if let mark = node.mark { used.remove(mark) }
      node.left = prune(node.left, keeping: used)
      node.right = prune(node.right, keeping: used)
      if node.kind == .mark, let mark = node.mark, !needed.contains(mark) { return narrowed(node.left, needed) }
      return narrowed(.join(node), needed)
    case .window(var node):
      node.calls = node.calls.filter { needed.contains($0.reference) }
      if node.calls.isEmpty { return prune(node.input, keeping: needed) }
      let used = LogicalPlan.window(node).columnsRead
      let own = Set(node.calls.map(\.reference))
      node.input = prune(node.input, keeping: needed.subtracting(own).union(used))
      return .window(node)
    case .rowPattern(var node):
      node.kept = node.kept.filter { needed.contains($0) }
      node.calls = node.calls.filter { needed.contains($0.reference) }
      node.pattern.measures = node.pattern.measures.filter { needed.contains($0.reference) }
      if node.rowsPerMatch == .window, node.calls.isEmpty, node.pattern.measures.isEmpty {
        return prune(node.input, keeping: needed)
      }
      node.input = prune(node.input, keeping: LogicalPlan.rowPattern(node).columnsRead.union(node.kept))
      return .rowPattern(node)
    case .unnest(var node):
      node.kept = node.kept.filter { needed.contains($0) }
      if let ordinality = node.ordinality, !needed.contains(ordinality) { node.ordinality = nil }
      node.input = prune(node.input, keeping: Set(node.kept + node.items.map(\.column)))
      return .unnest(node)
    case .setOperation(var node):
      let isBag = node.kind == .union && node.isAll
      let kept = node.outputs.indices.filter { !isBag || needed.contains(node.outputs[$0]) }
      for index in node.inputs.indices {
        let outputs = node.inputs[index].outputs
        node.inputs[index] = exactly(node.inputs[index], outputs: kept.map { outputs[$0] })
      }
      node.outputs = kept.map { node.outputs[$0] }
      return .setOperation(node)
    case .sort(var node):
      node.input = prune(node.input, keeping: needed.union(node.keys.map(\.column)))
      return .sort(node)
    case .topN(var node):
      node.input = prune(node.input, keeping: needed.union(node.keys.map(\.column)))
      return .topN(node)
    case .limit(var node):
      node.input = prune(node.input, keeping: needed)
      return .limit(node)
    case .singleRow(var node):
      node.input = prune(node.input, keeping: needed)
      return .singleRow(node)
    case .common(let node):
      needs[node.definition.id, default: []].formUnion(node.outputs.indices.filter { needed.contains(node.outputs[$0]) })
      return narrowed(plan, needed)
    case .recursion(var node):
      node.initial = exactly(node.initial)
      node.step = exactly(node.step)
      return .recursion(node)
    case .recursionInput, .apply: return plan
    }
  }

  /// The plan with exactly these outputs, all of its own unless said otherwise.
  mutating func exactly(_ plan: LogicalPlan, outputs: [ColumnReference]? = nil) -> LogicalPlan {
    let outputs = outputs ?? plan.outputs
    let pruned = prune(plan, keeping: Set(outputs))
    if pruned.outputs == outputs { return pruned }
    return merged(ProjectNode(input: pruned, selecting: outputs))
  }

  /// The plan under a projection that drops what was needed only below.
  private func narrowed(_ plan: LogicalPlan, _ needed: Set<ColumnReference>) -> LogicalPlan {
    let kept = plan.outputs.filter { needed.contains($0) }
    if kept.count == plan.outputs.count { return plan }
    return .project(ProjectNode(input: plan, selecting: kept))
  }

  /// Merges a projection with the one below it where that duplicates no work.
  private func merged(_ node: ProjectNode) -> LogicalPlan {
    // A projection that changes nothing.
    if node.assignments.count == node.input.outputs.count,
      zip(node.assignments, node.input.outputs).allSatisfy({ $0.reference == $1 && $0.expression == .column($1) })
    {
      return node.input
    }
    guard case .project(let inner) = node.input else { return .project(node) }
    var uses: [ColumnID: Int] = [:]
    for assignment in node.assignments {
      assignment.expression.forEach { part in if case .column(let column) = part { uses[column.id, default: 0] += 1 } }
    }
    var map: [ColumnID: Expression] = [:]
    for assignment in inner.assignments {
      switch assignment.expression {
      case .column, .constant: break
      default:
        // Used once or not at all, or volatile: merge only when it is computed at most as often as before.
        if uses[assignment.reference.id, default: 0] > 1 || !assignment.expression.isDeterministic { return .project(node) }
        if node.assignments.contains(where: { isInsideConditional(assignment.reference, $0.expression) }) {
          return .project(node)
        }
      }
      map[assignment.reference.id] = assignment.expression
    }
    return merged(
      ProjectNode(
        input: inner.input, assignments: node.assignments.map { .init($0.reference, $0.expression.replacing(map)) }))
  }

  /// Lambdas evaluate their bodies many times: what they capture stays computed outside.
  private func isInsideConditional(_ column: ColumnReference, _ expression: Expression) -> Bool {
    expression.contains { node in
      if case .lambda(let lambda) = node { return lambda.body.columnsUsed.contains(column) }
      if case .tryCatch(let operand) = node { return operand.columnsUsed.contains(column) }
      return false
    }
  }
}
