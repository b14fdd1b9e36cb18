import QueryPlan
import SQLExpressions

/// The relations under a tree of inner joins, and all conditions between them: the tree without its order.
struct InnerJoinGraph {
  var relations: [LogicalPlan] = []
  var keys: [JoinNode.Key] = []
  /// Conjuncts beside the keys.
  var conditions: [Expression] = []

  init() {}

  /// Projections of plain columns and deterministic filters between the joins are looked through; a plan that is no inner
  /// join is the only relation.
  init(_ plan: LogicalPlan) { add(plan) }

  private mutating func add(_ plan: LogicalPlan) {
    switch plan {
    case .join(let node) where node.kind == .inner:
      add(node.left)
      add(node.right)
      keys += node.keys
      conditions += node.residual?.conjuncts ?? []
    case .project(let node) where node.isSelection && InnerJoinGraph.isInnerJoin(node.input): add(node.input)
    case .filter(let node) where InnerJoinGraph.isInnerJoin(node.input) && node.predicate.isDeterministic:
      add(node.input)
      conditions += node.predicate.conjuncts
    default: relations.append(plan)
    }
  }

  private static func isInnerJoin(_ plan: LogicalPlan) -> Bool {
    switch plan {
    case .join(let node): node.kind == .inner
    case .project(let node): node.isSelection && isInnerJoin(node.input)
    default: false
    }
  }

  /// Columns of keys and conditions: what is known of others does not matter to the order.
  var comparedColumns: Set<ColumnID> {
    var compared = Set(conditions.flatMap { $0.columnsUsed.map(\.id) })
    for key in keys { compared.formUnion([key.left.id, key.right.id]) }
    return compared
  }

  /// Which relation yields each column.
  var owners: [ColumnID: Int] {
    var owners: [ColumnID: Int] = [:]
    for (index, relation) in relations.enumerated() { for column in relation.outputs { owners[column.id] = index } }
    return owners
  }

  /// All relations joined one after the other, those first that a key connects with what is joined already; every
  /// condition stands as low as it can.
  func joined() -> LogicalPlan {
    let owners = owners
    var plan = relations[0]
    var done: Set<Int> = [0]
    var (keysLeft, conditionsLeft) = (keys, conditions)
    func isDecidable(_ columns: Set<ColumnReference>) -> Bool { columns.allSatisfy { done.contains(owners[$0.id] ?? 0) } }
    while done.count < relations.count {
      let waiting = relations.indices.filter { !done.contains($0) }
      let next = waiting.first { index in
        keysLeft.contains { key in
          let (a, b) = (owners[key.left.id]!, owners[key.right.id]!)
          return a == index && done.contains(b) || b == index && done.contains(a)
        }
      }
      let index = next ?? waiting[0]
      done.insert(index)
      let decided = keysLeft.filter { isDecidable([$0.left, $0.right]) }
      keysLeft.removeAll { decided.contains($0) }
      let residual = conditionsLeft.filter { isDecidable($0.columnsUsed) }
      conditionsLeft.removeAll { residual.contains($0) }
      plan = .join(
        JoinNode(
          .inner, left: plan, right: relations[index],
          keys: decided.map { owners[$0.right.id] == index ? $0 : .init($0.right, $0.left, nullsEqual: $0.nullsEqual) },
          residual: residual.isEmpty ? nil : .conjunction(residual)))
    }
    return conditionsLeft.isEmpty ? plan : .filter(FilterNode(input: plan, predicate: .conjunction(conditionsLeft)))
  }
}
