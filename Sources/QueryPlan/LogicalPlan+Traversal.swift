import Columnar
import QueryErrors
package import SQLExpressions

extension LogicalPlan {
  /// Rewrites bottom-up: inputs first, then each node by `transform`. Shared definitions are left alone.
  package func rewritten<E: Error>(_ transform: (LogicalPlan) throws(E) -> LogicalPlan) throws(E) -> LogicalPlan {
    if case .common = self { return try transform(self) }
    let children = self.children
    if children.isEmpty { return try transform(self) }
    var rewritten: [LogicalPlan] = []
    rewritten.reserveCapacity(children.count)
    for child in children { rewritten.append(try child.rewritten(transform)) }
    return try transform(withChildren(rewritten))
  }

  /// Calls `visit` for this node and all below, each shared definition once.
  package func forEach(_ visit: (LogicalPlan) -> Void) {
    _ = contains { node in
      visit(node)
      return false
    }
  }

  /// Whether some node, shared definitions included, satisfies `predicate`.
  ///
  /// Asks nodes before their inputs, left before right. Needs no stack, so that plans may be deep.
  ///
  /// - Parameter entersShared: whether shared definitions count.
  package func contains(entersShared: Bool = true, _ predicate: (LogicalPlan) -> Bool) -> Bool {
    var known: Set<Int> = []
    var waiting = [self]
    while let node = waiting.popLast() {
      if predicate(node) { return true }
      if case .common(let use) = node, !entersShared || !known.insert(use.definition.id).inserted { continue }
      waiting.append(contentsOf: node.children.reversed())
    }
    return false
  }

  /// Whether the plan reads the rows of a recursion around it; shared definitions never do.
  package var readsOpenRecursion: Bool {
    var read: Set<Int> = []
    var closed: Set<Int> = []
    _ = contains(entersShared: false) { node in
      if case .recursionInput(let input) = node { read.insert(input.id) }
      if case .recursion(let recursion) = node { closed.insert(recursion.id) }
      return false
    }
    return !read.isSubset(of: closed)
  }

  /// The node's own expressions; inputs' are left out.
  package var expressions: [Expression] {
    switch self {
    case .scan(let node): node.predicates
    case .foreignScan(let node): node.predicates
    case .values(let node): node.rows.flatMap { $0 }
    case .filter(let node): [node.predicate]
    case .project(let node): node.assignments.map(\.expression)
    case .aggregate(let node): node.calls.flatMap(\.arguments)
    case .join(let node): node.residual.map { [$0] } ?? []
    case .apply(let node):
      if case .lateral(_, let condition?) = node.kind { [condition] } else { [] }
    case .window(let node): node.calls.flatMap(\.arguments)
    case .rowPattern(let node): node.calls.flatMap(\.arguments)
    case .sort, .limit, .topN, .setOperation, .unnest, .singleRow, .common, .recursion, .recursionInput: []
    }
  }

  /// The same node with its own expressions rewritten.
  package func mapExpressions<E: Error>(
    _ transform: (Expression) throws(E) -> Expression
  ) throws(E) -> LogicalPlan {
    func all(_ list: [Expression]) throws(E) -> [Expression] {
      var result: [Expression] = []
      result.reserveCapacity(list.count)
      for item in list { result.append(try transform(item)) }
      return result
    }
    switch self {
    case .scan(var node):
      node.predicates = try all(node.predicates)
      return .scan(node)
    case .foreignScan(var node):
      node.predicates = try all(node.predicates)
      return .foreignScan(node)
    case .values(var node):
      for index in node.rows.indices { node.rows[index] = try all(node.rows[index]) }
      return .values(node)
    case .filter(var node):
      node.predicate = try transform(node.predicate)
      return .filter(node)
    case .project(var node):
      for index in node.assignments.indices {
        node.assignments[index].expression = try transform(node.assignments[index].expression)
      }
      return .project(node)
    case .aggregate(var node):
      for index in node.calls.indices { node.calls[index].arguments = try all(node.calls[index].arguments) }
      return .aggregate(node)
    case .join(var node):
      if let residual = node.residual { node.residual = try transform(residual) }
      return .join(node)
    case .apply(var node):
      if case .lateral(let isLeft, let condition?) = node.kind {
        node.kind = .lateral(isLeft: isLeft, condition: try transform(condition))
      }
      return .apply(node)
    case .window(var node):
      for index in node.calls.indices { node.calls[index].arguments = try all(node.calls[index].arguments) }
      return .window(node)
    case .rowPattern(var node):
      node.pattern = try node.pattern.mapped(transform) { (input) throws(E) in input }
      for index in node.calls.indices { node.calls[index].arguments = try all(node.calls[index].arguments) }
      return .rowPattern(node)
    case .sort, .limit, .topN, .setOperation, .unnest, .singleRow, .common, .recursion, .recursionInput: return self
    }
  }
}
