import QueryPlan
import SQLExpressions
import SQLFunctions
import TableCatalog

/// Finds out whether a plan computes the same rows as another under other column names.
///
/// Inner joins match in any order. Plans whose rows depend on chance or on a limit match nothing, nor do kinds of nodes
/// that nobody has asked for yet.
struct SubplanMatcher {
  /// The target's columns, by the pattern's column that holds the same.
  private(set) var columns: [ColumnID: ColumnReference] = [:]

  /// Assignments of relations to relations that are tried at most: self-joins of many have very many.
  private static let maximumTryCount = 1000

  /// The pattern's expression over the target's columns.
  func mapped(_ expression: Expression) -> Expression { expression.replacing(columns.mapValues(Expression.column)) }

  func mapped(_ column: ColumnReference) -> ColumnReference { columns[column.id] ?? column }

  /// Whether `target` yields what `pattern` does; if so the pattern's columns are known from then on.
  mutating func matches(_ pattern: LogicalPlan, _ target: LogicalPlan) -> Bool {
    switch (pattern, target) {
    case (.project(let a), _) where a.isSelection: return matches(a.input, target)
    case (_, .project(let b)) where b.isSelection: return matches(pattern, b.input)
    case (.scan(let a), .scan(let b)): return matches(a, b)
    case (.foreignScan(let a), .foreignScan(let b)): return matches(a, b)
    case (.filter(let a), .filter(let b)):
      return matches(a.input, b.input) && areEqual(a.predicate.conjuncts, b.predicate.conjuncts)
    case (.project(let a), .project(let b)): return matches(a, b)
    case (.aggregate(let a), .aggregate(let b)): return matches(a, b)
    case (.join(let a), .join(let b)) where a.kind == .inner && b.kind == .inner:
      let (x, y) = (InnerJoinGraph(pattern), InnerJoinGraph(target))
      guard x.relations.count == y.relations.count, x.keys.count == y.keys.count else { return false }
      return assign(x.relations, to: y.relations) { matcher, _ in
        let keys = Set(y.keys.map(UnorderedKey.init))
        return x.keys.allSatisfy { keys.contains(UnorderedKey(matcher.mapped($0))) }
          && matcher.areEqual(x.conditions, y.conditions)
      }
    case (.join(let a), .join(let b)): return matches(a, b)
    case (.common(let a), .common(let b)):
      guard a.definition.id == b.definition.id else { return false }
      for (x, y) in zip(a.outputs, b.outputs) { columns[x.id] = y }
      return true
    default: return false
    }
  }

  /// Assigns each of `patterns` a target of its own; the first assignment that `accept` likes is kept.
  ///
  /// - Parameter accept: gets the targets' indices.
  mutating func assign(
    _ patterns: [LogicalPlan], to targets: [LogicalPlan], accept: (SubplanMatcher, [Int]) -> Bool
  ) -> Bool {
    var tryCount = 0
    func search(_ matcher: SubplanMatcher, _ assigned: [Int]) -> SubplanMatcher? {
      if assigned.count == patterns.count { return accept(matcher, assigned) ? matcher : nil }
      for index in targets.indices where !assigned.contains(index) && tryCount < SubplanMatcher.maximumTryCount {
        tryCount += 1
        var next = matcher
        guard next.matches(patterns[assigned.count], targets[index]) else { continue }
        if let found = search(next, assigned + [index]) { return found }
      }
      return nil
    }
    guard let found = search(self, []) else { return false }
    self = found
    return true
  }

  func mapped(_ key: JoinNode.Key) -> JoinNode.Key {
    JoinNode.Key(mapped(key.left), mapped(key.right), nullsEqual: key.nullsEqual)
  }

  /// Whether two lists of conjuncts say the same, each time they are asked.
  private func areEqual(_ patterns: [Expression], _ targets: [Expression]) -> Bool {
    let targets = Set(targets)
    return targets.count == Set(patterns).count
      && patterns.allSatisfy { $0.isDeterministic && targets.contains(mapped($0)) }
  }

  private mutating func matches(_ a: ScanNode, _ b: ScanNode) -> Bool {
    guard a.table.name == b.table.name, a.fileSet?.files == b.fileSet?.files, a.limit == nil, b.limit == nil,
      a.dynamicFilters.isEmpty, b.dynamicFilters.isEmpty
    else { return false }
    for column in a.columns {
      guard let same = b.columns.first(where: { $0.source == column.source }) else { return false }
      columns[column.reference.id] = same.reference
    }
    return areEqual(a.predicates, b.predicates)
  }

  private mutating func matches(_ a: ForeignScanNode, _ b: ForeignScanNode) -> Bool {
    guard a.name == b.name, a.limit == nil, b.limit == nil, a.dynamicFilters.isEmpty, b.dynamicFilters.isEmpty else {
      return false
    }
    for column in a.columns {
      guard let same = b.columns.first(where: { $0.source == column.source }) else { return false }
      columns[column.reference.id] = same.reference
    }
    return areEqual(a.predicates, b.predicates)
  }

  private mutating func matches(_ a: ProjectNode, _ b: ProjectNode) -> Bool {
    guard matches(a.input, b.input) else { return false }
    for assignment in a.assignments {
      let expression = mapped(assignment.expression)
      guard expression.isDeterministic, let same = b.assignments.first(where: { $0.expression == expression }) else {
        return false
      }
      columns[assignment.reference.id] = same.reference
    }
    return true
  }

  private mutating func matches(_ a: AggregateNode, _ b: AggregateNode) -> Bool {
    guard a.groupingSets == [Array(a.keys.indices)], b.groupingSets == [Array(b.keys.indices)],
      a.groupingSetIndex == nil, b.groupingSetIndex == nil, a.keys.count == b.keys.count, matches(a.input, b.input)
    else { return false }
    for key in a.keys {
      guard let same = b.keys.first(where: { $0.input == mapped(key.input) }) else { return false }
      columns[key.output.id] = same.output
    }
    for call in a.calls {
      let arguments = call.arguments.map(mapped)
      let ordering = call.ordering.map { SortKey(mapped($0.column), isAscending: $0.isAscending, nullsFirst: $0.nullsFirst) }
      let same = b.calls.first { other in
        other.function.name == call.function.name && other.overloadIndex == call.overloadIndex
          && other.isDistinct == call.isDistinct && other.arguments == arguments && other.ordering == ordering
          && other.filter == call.filter.map(mapped)
      }
      guard let same, arguments.allSatisfy(\.isDeterministic) else { return false }
      columns[call.reference.id] = same.reference
    }
    return true
  }

  /// Outer, semi, anti and mark joins.
  private mutating func matches(_ a: JoinNode, _ b: JoinNode) -> Bool {
    guard a.kind == b.kind, a.isNullAware == b.isNullAware, matches(a.left, b.left), matches(a.right, b.right),
      Set(a.keys.map(mapped)) == Set(b.keys), areEqual(a.residual?.conjuncts ?? [], b.residual?.conjuncts ?? [])
    else { return false }
    if let mark = a.mark { columns[mark.id] = b.mark }
    return true
  }
}

/// A join key whose sides may be turned.
private struct UnorderedKey: Hashable {
  var columns: Set<ColumnReference>
  var nullsEqual: Bool

  init(_ key: JoinNode.Key) {
    columns = [key.left, key.right]
    nullsEqual = key.nullsEqual
  }
}
