package import Columnar
package import SQLExpressions

/// Which columns a plan reads, makes and lacks. No `default:` here: a new node has to say so before it compiles.
extension LogicalPlan {
  /// Columns of the inputs that this node itself reads (not what it merely hands on).
  package var columnsRead: Set<ColumnReference> {
    var used: Set<ColumnReference> = []
    for expression in expressions { used.formUnion(expression.columnsUsed) }
    switch self {
    case .scan, .foreignScan, .values, .filter, .project, .limit, .singleRow, .common, .recursionInput: break
    case .aggregate(let node):
      used.formUnion(node.keys.map(\.input))
      for call in node.calls {
        if let filter = call.filter { used.insert(filter) }
        used.formUnion(call.ordering.map(\.column))
      }
    case .join(let node):
      for key in node.keys {
        used.insert(key.left)
        used.insert(key.right)
      }
    case .apply(let node):
      used.formUnion(node.correlation)
      switch node.kind {
      case .inSubquery(_, let probe), .quantified(_, let probe, _, _): used.insert(probe)
      case .scalar, .exists, .lateral: break
      }
    case .sort(let node): used.formUnion(node.keys.map(\.column))
    case .topN(let node): used.formUnion(node.keys.map(\.column))
    case .setOperation(let node): for input in node.inputs { used.formUnion(input.outputs) }
    case .window(let node):
      used.formUnion(node.partitionKeys)
      used.formUnion(node.ordering.map(\.column))
      for call in node.calls { used.formUnion(call.columns) }
    case .rowPattern(let node):
      used.formUnion(node.partitionKeys)
      used.formUnion(node.ordering.map(\.column))
      for call in node.calls { used.formUnion(call.columns) }
      if let column = node.frameEnd.column { used.insert(column) }
      for expression in node.pattern.inputExpressions { used.formUnion(expression.columnsUsed) }
      used.remove(node.pattern.classifier)
      used.remove(node.pattern.matchNumber)
    case .unnest(let node):
      used.formUnion(node.kept)
      used.formUnion(node.items.map(\.column))
    case .recursion(let node):
      used.formUnion(node.initial.outputs)
      used.formUnion(node.step.outputs)
    }
    return used
  }

  /// Columns that this node itself makes: those of its outputs that it does not take from an input.
  package var columnsMade: [ColumnReference] {
    switch self {
    case .scan(let node): node.columns.map(\.reference)
    case .foreignScan(let node): node.columns.map(\.reference)
    case .values(let node): node.outputs
    case .project(let node): node.assignments.map(\.reference)
    case .aggregate(let node): node.outputs
    case .join(let node): node.mark.map { [$0] } ?? []
    case .apply(let node):
      switch node.kind {
      case .exists(let mark), .inSubquery(let mark, _), .quantified(let mark, _, _, _): [mark]
      case .scalar, .lateral: []
      }
    case .setOperation(let node): node.outputs
    case .window(let node): node.calls.map(\.reference)
    case .rowPattern(let node): node.pattern.measures.map(\.reference) + node.calls.map(\.reference)
    case .unnest(let node): node.items.flatMap(\.outputs) + (node.ordinality.map { [$0] } ?? [])
    case .common(let node): node.outputs
    case .recursion(let node): node.outputs
    case .recursionInput(let node): node.outputs
    case .filter, .sort, .limit, .topN, .singleRow: []
    }
  }

  /// Columns that the plan, shared definitions included, reads and does not make: those of queries around it.
  package var freeColumns: Set<ColumnReference> {
    var used: Set<ColumnReference> = []
    var made: Set<ColumnReference> = []
    forEach { node in
      switch node {
      // What it is correlated on stands in its subquery.
      case .apply(var apply):
        apply.correlation = []
        used.formUnion(LogicalPlan.apply(apply).columnsRead)
      default: used.formUnion(node.columnsRead)
      }
      made.formUnion(node.columnsMade)
    }
    return used.subtracting(made)
  }

  /// Whether the plan reads a column of the rows around it that is among `columns`.
  package func isCorrelated(on columns: Set<ColumnReference>) -> Bool { !freeColumns.isDisjoint(with: columns) }

  /// The same plan reading other columns; columns that the plan makes itself must not be among the keys. Shared
  /// definitions stay as they are.
  package func replacingColumns(_ map: [ColumnID: ColumnReference]) -> LogicalPlan {
    if map.isEmpty { return self }
    let expressions = map.mapValues { Expression.column($0) }
    return rewritten { $0.replacingOwnColumns(map, expressions) }
  }

  private func replacingOwnColumns(
    _ map: [ColumnID: ColumnReference], _ expressions: [ColumnID: Expression]
  ) -> LogicalPlan {
    func column(_ reference: ColumnReference) -> ColumnReference { map[reference.id] ?? reference }
    func keys(_ keys: [SortKey]) -> [SortKey] {
      keys.map { SortKey(column($0.column), isAscending: $0.isAscending, nullsFirst: $0.nullsFirst) }
    }
    func bound(_ bound: WindowFrame.Bound) -> WindowFrame.Bound {
      switch bound {
      case .preceding(let reference): .preceding(column(reference))
      case .following(let reference): .following(column(reference))
      case .unboundedPreceding, .currentRow, .unboundedFollowing: bound
      }
    }
    func calls(_ calls: [WindowCall]) -> [WindowCall] {
      calls.map { call in
        var call = call
        call.frame.start = bound(call.frame.start)
        call.frame.end = bound(call.frame.end)
        call.frame.startKey = call.frame.startKey.map(column)
        call.frame.endKey = call.frame.endKey.map(column)
        call.filter = call.filter.map(column)
        call.ordering = keys(call.ordering)
        return call
      }
    }
    switch mapExpressions({ $0.replacing(expressions) }) {
    case .aggregate(var node):
      for index in node.keys.indices { node.keys[index].input = column(node.keys[index].input) }
      for index in node.calls.indices {
        node.calls[index].filter = node.calls[index].filter.map(column)
        node.calls[index].ordering = keys(node.calls[index].ordering)
      }
      return .aggregate(node)
    case .join(var node):
      node.keys = node.keys.map { .init(column($0.left), column($0.right), nullsEqual: $0.nullsEqual) }
      return .join(node)
    case .apply(var node):
      node.correlation = Set(node.correlation.map(column))
      switch node.kind {
      case .inSubquery(let mark, let probe): node.kind = .inSubquery(mark, probe: column(probe))
      case .quantified(let mark, let probe, let op, let isAll):
        node.kind = .quantified(mark, probe: column(probe), op: op, isAll: isAll)
      case .scalar, .exists, .lateral: break
      }
      return .apply(node)
    case .sort(var node):
      node.keys = keys(node.keys)
      return .sort(node)
    case .topN(var node):
      node.keys = keys(node.keys)
      return .topN(node)
    case .window(var node):
      node.partitionKeys = node.partitionKeys.map(column)
      node.ordering = keys(node.ordering)
      node.calls = calls(node.calls)
      return .window(node)
    case .rowPattern(var node):
      node.partitionKeys = node.partitionKeys.map(column)
      node.ordering = keys(node.ordering)
      node.kept = node.kept.map(column)
      node.frameEnd = bound(node.frameEnd)
      node.calls = calls(node.calls)
      node.pattern = node.pattern.mapped({ $0 }, inputs: { $0.replacing(expressions) })
      return .rowPattern(node)
    case .unnest(var node):
      node.kept = node.kept.map(column)
      for index in node.items.indices { node.items[index].column = column(node.items[index].column) }
      return .unnest(node)
    case .scan(let node): return .scan(node)
    case .foreignScan(let node): return .foreignScan(node)
    case .values(let node): return .values(node)
    case .filter(let node): return .filter(node)
    case .project(let node): return .project(node)
    case .limit(let node): return .limit(node)
    case .setOperation(let node): return .setOperation(node)
    case .singleRow(let node): return .singleRow(node)
    case .common(let node): return .common(node)
    case .recursion(let node): return .recursion(node)
    case .recursionInput(let node): return .recursionInput(node)
    }
  }
}

extension LogicalPlan {
  /// The value that a column of the output has in all rows, where the plan says so.
  package func constant(_ id: ColumnID) -> Scalar? {
    switch self {
    case .project(let node):
      guard let assignment = node.assignments.first(where: { $0.reference.id == id }) else { return nil }
      switch assignment.expression {
      case .constant(let value, _): return value
      case .column(let column): return node.input.constant(column.id)
      default: return nil
      }
    case .window(let node): return node.input.constant(id)
    case .filter(let node): return node.input.constant(id)
    case .sort(let node): return node.input.constant(id)
    default: return nil
    }
  }
}
