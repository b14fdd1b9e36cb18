import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import SQLSyntax

extension Binder {
  /// Joins a bound relation with one still to bind, which may see the left one's columns when it is lateral.
  func join(
    _ kind: JoinSyntax.Kind, _ left: BoundRelation, _ rightSyntax: RelationSyntax, _ condition: JoinSyntax.Condition,
    _ range: SourceRange, _ context: QueryContext
  ) throws(QueryError) -> BoundRelation {
    guard isLateral(rightSyntax) else {
      let right = try bindRelation(rightSyntax, context)
      return try join(kind, left, right, condition, range, context)
    }
    if kind == .cross || isTrue(condition), kind == .cross || kind == .inner || kind == .left,
      let joined = try joinUnnest(left, rightSyntax, isLeft: kind == .left, context)
    {
      return joined
    }
    let leftScope = Scope(fields: left.fields, parent: context.outer)
    let right = try bindRelation(rightSyntax, QueryContext(named: context.named, outer: leftScope))
    let free = right.plan.freeColumns
    if free.isDisjoint(with: left.plan.outputs) { return try join(kind, left, right, condition, range, context) }
    guard kind != .right, kind != .full else {
      throw QueryError(
        .invalidColumnReference, "LATERAL reference not allowed in \(kind.rawValue) JOIN", at: rightSyntax.range)
    }
    let fields = left.fields + right.fields
    let block = QueryBlock(context: context)
    var bound: Expression?
    switch condition {
    case .none: break
    case .on(let syntax):
      bound = try bindOn(syntax, fields, block, context)
      if !block.subqueries.isEmpty, let condition = bound {
        let plan = try lateral(isLeft: kind == .left, left.plan, right.plan, condition, block, range)
        return BoundRelation(plan: plan, fields: fields)
      }
    case .using, .natural:
      throw .notSupported("JOIN USING and NATURAL JOIN with a lateral relation are not supported", at: range)
    }
    let node = ApplyNode(
      .lateral(isLeft: kind == .left, condition: bound == .alwaysTrue ? nil : bound), input: left.plan,
      subquery: right.plan, correlation: free, range: range)
    return BoundRelation(plan: .apply(node), fields: fields)
  }

  /// UNNEST or JSON_TABLE beside a relation, straight over its rows; nil when the relation is something else.
  private func joinUnnest(
    _ left: BoundRelation, _ right: RelationSyntax, isLeft: Bool, _ context: QueryContext
  ) throws(QueryError) -> BoundRelation? {
    switch right {
    case .unnest(let unnest):
      var joined = try bindUnnest(unnest, left: left, isLeft: isLeft, context)
      joined.fields = left.fields + joined.fields
      return joined
    case .jsonTable(let table):
      var joined = try bindJSONTable(table, left: left, isLeft: isLeft, context)
      joined.fields = left.fields + joined.fields
      return joined
    case .aliased(let aliased):
      let joined: BoundRelation
      switch aliased.relation {
      case .unnest(let unnest): joined = try bindUnnest(unnest, left: left, isLeft: isLeft, context)
      case .jsonTable(let table): joined = try bindJSONTable(table, left: left, isLeft: isLeft, context)
      default: return nil
      }
      let renamed = try alias(joined, aliased)
      return BoundRelation(plan: renamed.plan, fields: left.fields + renamed.fields)
    default: return nil
    }
  }

  private func isLateral(_ relation: RelationSyntax) -> Bool {
    switch relation {
    case .unnest, .jsonTable, .lateral: true
    case .aliased(let node): isLateral(node.relation)
    case .sampled(let node): isLateral(node.relation)
    // `FROM a, b LEFT JOIN LATERAL (…)`: in Athena the lateral relation sees b only.
    case .join(let node): !session.followsAthena && (isLateral(node.left) || isLateral(node.right))
    default: false
    }
  }

  private func isTrue(_ condition: JoinSyntax.Condition) -> Bool {
    if case .on(.literal(let literal)) = condition, literal.value == .boolean(true) { return true }
    return false
  }

  private func bindOn(
    _ condition: ExpressionSyntax, _ fields: [ScopeField], _ block: QueryBlock, _ context: QueryContext
  ) throws(QueryError) -> Expression {
    let place = ExpressionContext(
      scope: Scope(fields: fields, parent: context.outer), block: block, clause: .other("JOIN clause"),
      clauseRange: condition.errorRange)
    return try bindCondition(condition, place, "JOIN ON clause")
  }

  private func join(
    _ kind: JoinSyntax.Kind, _ left: BoundRelation, _ right: BoundRelation, _ condition: JoinSyntax.Condition,
    _ range: SourceRange, _ context: QueryContext
  ) throws(QueryError) -> BoundRelation {
    let planKind: JoinNode.Kind =
      switch kind {
      case .cross, .inner: .inner
      case .left: .left
      case .right: .right
      case .full: .full
      }
    let fields = left.fields + right.fields
    switch condition {
    case .none:
      return BoundRelation(plan: .join(JoinNode(planKind, left: left.plan, right: right.plan)), fields: fields)
    case .on(let syntax):
      let block = QueryBlock(context: context)
      let bound = try bindOn(syntax, fields, block, context)
      let plan = try joinOn(planKind, left.plan, right.plan, bound, block)
      return BoundRelation(plan: plan, fields: fields)
    case .using(let names): return try joinUsing(planKind, left, right, names, range)
    case .natural:
      var names: [Identifier] = []
      let rightNames = Set(right.fields.compactMap { $0.isHidden ? nil : $0.name?.canonicalIdentifier })
      for field in left.fields where !field.isHidden {
        guard let name = field.name, rightNames.contains(name.canonicalIdentifier) else { continue }
        let identifier = Identifier(name: name, range: range)
        if !names.contains(identifier) { names.append(identifier) }
      }
      if names.isEmpty {
        return BoundRelation(plan: .join(JoinNode(planKind, left: left.plan, right: right.plan)), fields: fields)
      }
      return try joinUsing(planKind, left, right, names, range)
    }
  }

  /// A join on a condition that may hold subqueries.
  private func joinOn(
    _ kind: JoinNode.Kind, _ left: LogicalPlan, _ right: LogicalPlan, _ condition: Expression, _ block: QueryBlock
  ) throws(QueryError) -> LogicalPlan {
    if block.subqueries.isEmpty {
      let residual = condition == .alwaysTrue ? nil : condition
      return .join(JoinNode(kind, left: left, right: right, residual: residual))
    }
    if kind == .inner {
      let pending = Set(block.subqueries.map(\.output))
      let plain = condition.conjuncts.filter { $0.columnsUsed.isDisjoint(with: pending) }
      let rest = condition.conjuncts.filter { !$0.columnsUsed.isDisjoint(with: pending) }
      let joined = LogicalPlan.join(
        JoinNode(kind, left: left, right: right, residual: plain.isEmpty ? nil : .conjunction(plain)))
      return try filter(joined, bound: .conjunction(rest), block)
    }
    // Outer joins: each subquery runs on the side it refers to; one that refers to both makes the side whose rows may be
    // missing a lateral subquery.
    let leftColumns = Set(left.outputs)
    let rightColumns = Set(right.outputs)
    var (left, right) = (left, right)
    for subquery in block.subqueries where !subquery.isAttached {
      let used = subquery.plan.freeColumns.union(subquery.probe?.columnsUsed ?? [])
      if used.isDisjoint(with: leftColumns) {
        right = try attachSubqueries(block, to: right, neededBy: [.column(subquery.output)])
      } else if used.isDisjoint(with: rightColumns) {
        left = try attachSubqueries(block, to: left, neededBy: [.column(subquery.output)])
      } else if kind == .full {
        throw .notSupported(
          "Subqueries in the condition of a full join that refer to both sides are not supported", at: subquery.range)
      } else {
        return kind == .left
          ? try lateral(isLeft: true, left, right, condition, block, subquery.range)
          : try lateral(isLeft: true, right, left, condition, block, subquery.range)
      }
    }
    return .join(JoinNode(kind, left: left, right: right, residual: condition))
  }

  /// Each row of `outer` with the rows of `inner` that pass the condition, whose subqueries may refer to both.
  private func lateral(
    isLeft: Bool, _ outer: LogicalPlan, _ inner: LogicalPlan, _ condition: Expression, _ block: QueryBlock,
    _ range: SourceRange
  ) throws(QueryError) -> LogicalPlan {
    let matching = project(try filter(inner, bound: condition, block), inner.outputs)
    return .apply(
      ApplyNode(
        .lateral(isLeft: isLeft, condition: nil), input: outer, subquery: matching, correlation: matching.freeColumns,
        range: shown(range)))
  }

  /// `JOIN … USING (a, b)`: the named columns come first and once.
  private func joinUsing(
    _ kind: JoinNode.Kind, _ left: BoundRelation, _ right: BoundRelation, _ names: [Identifier], _ range: SourceRange
  ) throws(QueryError) -> BoundRelation {
    var conditions: [Expression] = []
    var merged: [(name: Identifier, expression: Expression)] = []
    var used: Set<ColumnReference> = []
    var seen: Set<String> = []
    let leftScope = Scope(fields: left.fields, parent: nil)
    let rightScope = Scope(fields: right.fields, parent: nil)
    for name in names {
      guard seen.insert(name.canonicalName).inserted else {
        throw QueryError(
          .duplicateColumnName, "Column '\(name.canonicalName)' appears multiple times in USING clause", at: name.range)
      }
      guard let l = try leftScope.resolve([name], at: name.range)?.field.reference else {
        throw QueryError(
          .columnNotFound, "Column '\(name.canonicalName)' is missing from left side of join", at: name.range,
          hint: NameSuggestion.hint(for: name.canonicalName, among: leftScope.columnNames))
      }
      guard let r = try rightScope.resolve([name], at: name.range)?.field.reference else {
        throw QueryError(
          .columnNotFound, "Column '\(name.canonicalName)' is missing from right side of join", at: name.range,
          hint: NameSuggestion.hint(for: name.canonicalName, among: rightScope.columnNames))
      }
      guard let common = TypeCoercion.commonSuperType(l.type, r.type), common.isComparable else {
        throw QueryError(
          .typeMismatch, "Cannot apply operator: \(l.type) = \(r.type)", at: name.range)
      }
      let (a, b) = (Expression.column(l).coerced(to: common), Expression.column(r).coerced(to: common))
      conditions.append(try call("=", [a, b], at: name.range))
      used.formUnion([l, r])
      switch kind {
      case .right: merged.append((name, b))
      case .full: merged.append((name, .coalesce([a, b], common)))
      default: merged.append((name, a))
      }
    }
    var plan = LogicalPlan.join(
      JoinNode(kind, left: left.plan, right: right.plan, residual: .conjunction(conditions)))
    var materializer = Materializer(self, plan)
    let columns = merged.map { item in
      ScopeField(
        qualifier: [], name: item.name.name, reference: materializer.column(item.expression, name: item.name.name))
    }
    plan = materializer.plan()
    let others = (left.fields + right.fields).filter { !used.contains($0.reference) }
    return BoundRelation(plan: plan, fields: columns + others)
  }
}
