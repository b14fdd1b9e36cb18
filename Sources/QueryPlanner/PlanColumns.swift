import Columnar
import QueryPlan
import SQLExpressions

extension LogicalPlan {
  /// Columns that the plan uses and does not make itself: those of queries around it.
  var freeColumns: Set<ColumnReference> {
    var used: Set<ColumnReference> = []
    var produced: Set<ColumnReference> = []
    collectColumns(&used, &produced)
    return used.subtracting(produced)
  }

  private func collectColumns(_ used: inout Set<ColumnReference>, _ produced: inout Set<ColumnReference>) {
    forEachOwnExpression { used.formUnion($0.columnsUsed) }
    forEachOwnColumn { used.insert($0) }
    switch self {
    case .filter, .sort, .limit, .topN, .singleRow, .join, .apply: break
    default: produced.formUnion(outputs)
    }
    switch self {
    case .join(let node): if let mark = node.mark { produced.insert(mark) }
    case .apply(let node):
      switch node.kind {
      case .exists(let mark), .inSubquery(let mark, _), .quantified(let mark, _, _, _): produced.insert(mark)
      case .scalar, .lateral: break
      }
    default: break
    }
    if case .common = self { return }
    for child in children { child.collectColumns(&used, &produced) }
  }

  /// Whether the plan reads the rows of a recursion around it.
  var readsOpenRecursion: Bool {
    var read: Set<Int> = []
    var closed: Set<Int> = []
    collectRecursions(&read, &closed)
    return !read.isSubset(of: closed)
  }

  private func collectRecursions(_ read: inout Set<Int>, _ closed: inout Set<Int>) {
    switch self {
    case .recursionInput(let node): read.insert(node.id)
    case .recursion(let node): closed.insert(node.id)
    case .common: return
    default: break
    }
    for child in children { child.collectRecursions(&read, &closed) }
  }

  /// Calls `visit` for the expressions this node itself evaluates.
  func forEachOwnExpression(_ visit: (Expression) -> Void) {
    switch self {
    case .scan(let node): node.predicates.forEach(visit)
    case .values(let node): for row in node.rows { row.forEach(visit) }
    case .filter(let node): visit(node.predicate)
    case .project(let node): for assignment in node.assignments { visit(assignment.expression) }
    case .aggregate(let node): for call in node.calls { call.arguments.forEach(visit) }
    case .join(let node): if let residual = node.residual { visit(residual) }
    case .apply(let node): if case .lateral(_, let condition?) = node.kind { visit(condition) }
    case .window(let node): for call in node.calls { call.arguments.forEach(visit) }
    case .rowPattern(let node): for call in node.calls { call.arguments.forEach(visit) }
    default: break
    }
  }

  /// Calls `visit` for the input columns this node itself names outside of expressions.
  func forEachOwnColumn(_ visit: (ColumnReference) -> Void) {
    switch self {
    case .aggregate(let node):
      for key in node.keys { visit(key.input) }
      for call in node.calls {
        if let filter = call.filter { visit(filter) }
        for key in call.ordering { visit(key.column) }
      }
    case .join(let node):
      for key in node.keys {
        visit(key.left)
        visit(key.right)
      }
    case .apply(let node):
      switch node.kind {
      case .inSubquery(_, let probe), .quantified(_, let probe, _, _): visit(probe)
      case .scalar, .exists, .lateral: break
      }
    case .sort(let node): for key in node.keys { visit(key.column) }
    case .topN(let node): for key in node.keys { visit(key.column) }
    case .window(let node):
      node.partitionKeys.forEach(visit)
      for key in node.ordering { visit(key.column) }
      for call in node.calls { call.columns.forEach(visit) }
    case .rowPattern: columnsRead.forEach(visit)
    case .unnest(let node):
      node.kept.forEach(visit)
      for item in node.items { visit(item.column) }
    default: break
    }
  }

  /// The same plan reading other columns; columns the plan makes itself must not be among the keys.
  func replacingFreeColumns(_ map: [ColumnID: ColumnReference]) -> LogicalPlan {
    if map.isEmpty { return self }
    let expressions = map.mapValues { Expression.column($0) }
    return replacingFreeColumns(map, expressions)
  }

  private func replacingFreeColumns(
    _ map: [ColumnID: ColumnReference], _ expressions: [ColumnID: Expression]
  ) -> LogicalPlan {
    func column(_ reference: ColumnReference) -> ColumnReference { map[reference.id] ?? reference }
    func keys(_ keys: [SortKey]) -> [SortKey] {
      keys.map { SortKey(column($0.column), isAscending: $0.isAscending, nullsFirst: $0.nullsFirst) }
    }
    let plan = withChildren(children.map { $0.replacingFreeColumns(map, expressions) })
    switch plan {
    case .values(var node):
      node.rows = node.rows.map { $0.map { $0.replacing(expressions) } }
      return .values(node)
    case .filter(var node):
      node.predicate = node.predicate.replacing(expressions)
      return .filter(node)
    case .project(var node):
      node.assignments = node.assignments.map { .init($0.reference, $0.expression.replacing(expressions)) }
      return .project(node)
    case .aggregate(var node):
      node.calls = node.calls.map { call in
        var call = call
        call.arguments = call.arguments.map { $0.replacing(expressions) }
        return call
      }
      return .aggregate(node)
    case .join(var node):
      node.residual = node.residual?.replacing(expressions)
      return .join(node)
    case .apply(var node):
      node.correlation = Set(node.correlation.map(column))
      switch node.kind {
      case .inSubquery(let mark, let probe): node.kind = .inSubquery(mark, probe: column(probe))
      case .quantified(let mark, let probe, let op, let isAll):
        node.kind = .quantified(mark, probe: column(probe), op: op, isAll: isAll)
      case .lateral(let isLeft, let condition):
        node.kind = .lateral(isLeft: isLeft, condition: condition?.replacing(expressions))
      case .scalar, .exists: break
      }
      return .apply(node)
    case .sort(var node):
      node.keys = keys(node.keys)
      return .sort(node)
    case .topN(var node):
      node.keys = keys(node.keys)
      return .topN(node)
    case .window(var node):
      node.calls = node.calls.map { call in
        var call = call
        call.arguments = call.arguments.map { $0.replacing(expressions) }
        return call
      }
      return .window(node)
    case .rowPattern(var node):
      node.pattern = node.pattern.mapped({ $0 }, inputs: { $0.replacing(expressions) })
      for index in node.calls.indices {
        node.calls[index].arguments = node.calls[index].arguments.map { $0.replacing(expressions) }
      }
      return .rowPattern(node)
    default: return plan
    }
  }
}
