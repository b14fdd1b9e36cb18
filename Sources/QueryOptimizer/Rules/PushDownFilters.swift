import Columnar
package import QueryErrors
package import QueryPlan
import SQLExpressions
import SQLFunctions

/// Moves conditions towards the scans, turns conditions over two inputs into join keys, marks that are filtered on into
/// semi and anti joins, and outer joins whose NULL rows a condition or a join's key drops into inner ones.
package struct PushDownFilters: OptimizerRule {
  package static let name = "push_down_filters"
  package init() {}

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    try FilterPush(context: context).push([], into: plan)
  }
}

/// Carries conditions down a plan.
struct FilterPush {
  let context: OptimizerContext

  /// `plan` filtered by `conditions`.
  ///
  /// - Parameter notNull: columns whose NULLs nobody above wants: rows that have one may be missing.
  func push(
    _ conditions: [Expression], into plan: LogicalPlan, notNull: Set<ColumnReference> = []
  ) throws(QueryError) -> LogicalPlan {
    switch plan {
    case .filter(let node):
      let (movable, fixed) = split(node.predicate.conjuncts) { $0.isDeterministic }
      // The inner conditions first: what is above may fail for rows that they drop. A volatile condition stays where it
      // is, above it only what does not change how often it is evaluated.
      if fixed.isEmpty {
        return try push(movable + conditions.filter { !movable.contains($0) }, into: node.input, notNull: notNull)
      }
      return filter(
        .filter(FilterNode(input: try push(movable, into: node.input), predicate: .conjunction(fixed))), conditions)
    case .project(let node):
      let definitions = Dictionary(
        node.assignments.map { ($0.reference.id, $0.expression) }, uniquingKeysWith: { first, _ in first })
      // Conditions over costly or volatile expressions stay above, where the value is at hand.
      let (movable, kept) = split(conditions) { condition in
        condition.columnsUsed.allSatisfy { column in
          guard let expression = definitions[column.id] else { return true }
          return expression.isDeterministic
        }
      }
      var moved: [Expression] = []
      for condition in movable {
        // A column that is a constant here may decide the condition: one branch of a UNION ALL, say.
        let simplified = try simplifier.simplify(asCondition(condition.replacing(definitions)))
        if simplified == .alwaysFalse || simplified == .null(.boolean) {
          return .values(ValuesNode(outputs: plan.outputs, rows: []))
        }
        moved += simplified.conjuncts
      }
      var result = node
      result.input = try push(
        moved, into: node.input, notNull: strictColumns(notNull.compactMap { definitions[$0.id] }))
      return filter(.project(result), kept)
    case .aggregate(let node):
      let keys = Dictionary(
        node.keys.enumerated().map { ($1.output.id, $0) }, uniquingKeysWith: { first, _ in first })
      let commonKeys = Set(
        node.keys.map(\.output).filter { key in node.groupingSets.allSatisfy { $0.contains(keys[key.id] ?? -1) } })
      let (certain, kept) = split(conditions) { !$0.columnsUsed.isEmpty && $0.columnsUsed.isSubset(of: commonKeys) }
      let movable = certain + kept.flatMap { weakened($0, to: commonKeys) }
      let inputs = Dictionary(
        node.keys.map { ($0.output.id, Expression.column($0.input)) }, uniquingKeysWith: { first, _ in first })
      var result = node
      result.input = try push(
        movable.map { $0.replacing(inputs) }, into: node.input,
        notNull: strictColumns(notNull.intersection(commonKeys).compactMap { inputs[$0.id] }))
      return filter(.aggregate(result), kept)
    case .join(let node): return try push(conditions, into: node, notNull: notNull)
    case .setOperation(let node):
      // A row passes a set operation's condition when it passes in the inputs (all inputs must see it for EXCEPT's left).
      var result = node
      for index in node.inputs.indices {
        let map = Dictionary(
          zip(node.outputs, node.inputs[index].outputs).map { ($0.id, Expression.column($1)) },
          uniquingKeysWith: { first, _ in first })
        result.inputs[index] = try push(
          conditions.filter(\.isDeterministic).map { $0.replacing(map) }, into: node.inputs[index])
      }
      return filter(.setOperation(result), conditions.filter { !$0.isDeterministic })
    case .window(let node):
      let partition = Set(node.partitionKeys)
      let (movable, kept) = split(conditions) { condition in
        let used = condition.columnsUsed
        return !used.isEmpty && used.isSubset(of: partition) && condition.isDeterministic
      }
      var result = node
      result.input = try push(
        movable + kept.flatMap { weakened($0, to: partition) }, into: node.input,
        notNull: notNull.intersection(partition))
      return filter(.window(result), kept)
    case .rowPattern(let node):
      let partition = Set(node.partitionKeys)
      let (movable, kept) = split(conditions) { condition in
        let used = condition.columnsUsed
        return !used.isEmpty && used.isSubset(of: partition) && condition.isDeterministic
      }
      var result = node
      result.input = try push(movable, into: node.input)
      return filter(.rowPattern(result), kept)
    case .unnest(let node):
      let keptColumns = Set(node.kept)
      let (movable, kept) = split(conditions) { condition in
        !condition.columnsUsed.isEmpty && condition.columnsUsed.isSubset(of: keptColumns) && condition.isDeterministic
      }
      var result = node
      result.input = try push(movable, into: node.input)
      return filter(.unnest(result), kept)
    case .sort(var node):
      node.input = try push(conditions, into: node.input, notNull: notNull)
      return .sort(node)
    case .scan(var node):
      let (movable, kept) = split(conditions) { $0.isDeterministic && !$0.columnsUsed.isEmpty }
      for condition in movable where !node.predicates.contains(condition) { node.predicates.append(condition) }
      return filter(.scan(node), kept)
    case .foreignScan(var node):
      let (movable, kept) = split(conditions) { $0.isDeterministic && !$0.columnsUsed.isEmpty }
      for condition in movable where !node.predicates.contains(condition) { node.predicates.append(condition) }
      return filter(.foreignScan(node), kept)
    case .limit, .topN, .singleRow, .values, .common, .recursion, .recursionInput, .apply:
      var children: [LogicalPlan] = []
      if case .common = plan { return filter(plan, conditions) }
      for child in plan.children { children.append(try push([], into: child)) }
      return filter(plan.withChildren(children), conditions)
    }
  }

  /// A condition of which only matters when it is true: of `CASE WHEN a THEN true WHEN b THEN NULL ELSE false END` that
  /// is `a`.
  private func asCondition(_ expression: Expression) -> Expression {
    guard case .caseWhen(let node) = expression, node.otherwise.isFalseOrNull else { return expression }
    let first = node.branches.prefix { $0.result == .alwaysTrue }
    guard !first.isEmpty, node.branches.dropFirst(first.count).allSatisfy({ $0.result.isFalseOrNull && !$0.condition.mayFail })
    else { return expression }
    return first.count == 1 ? first[0].condition : .or(first.map(\.condition))
  }

  private var simplifier: ExpressionSimplifier { ExpressionSimplifier(session: context.session) }

  /// What a disjunction says of `columns` alone, when each of its alternatives says something.
  ///
  ///     (a = 1 AND b = 2) OR (a = 3 AND b = 4)   of a:   a = 1 OR a = 3
  private func weakened(_ condition: Expression, to columns: Set<ColumnReference>) -> [Expression] {
    guard case .or = condition, condition.isDeterministic else { return [] }
    var alternatives: [Expression] = []
    for disjunct in condition.disjuncts {
      let known = disjunct.conjuncts.filter {
        !$0.mayFail && !$0.columnsUsed.isEmpty && $0.columnsUsed.isSubset(of: columns)
      }
      if known.isEmpty { return [] }
      let alternative = Expression.conjunction(known)
      if !alternatives.contains(alternative) { alternatives.append(alternative) }
    }
    return alternatives.count == 1 ? alternatives[0].conjuncts : [.or(alternatives)]
  }

  private func filter(_ plan: LogicalPlan, _ conditions: [Expression]) -> LogicalPlan {
    conditions.isEmpty ? plan : .filter(FilterNode(input: plan, predicate: .conjunction(conditions)))
  }

  private func split(
    _ conditions: [Expression], _ isMovable: (Expression) -> Bool
  ) -> (movable: [Expression], kept: [Expression]) {
    (conditions.filter(isMovable), conditions.filter { !isMovable($0) })
  }

  // MARK: Joins

  private func push(
    _ conditions: [Expression], into join: JoinNode, notNull: Set<ColumnReference>
  ) throws(QueryError) -> LogicalPlan {
    var node = join
    var conditions = conditions
    if node.kind == .mark, let turned = try markToSemi(node, conditions, notNull) { return turned }
    let (left, right) = (Set(node.left.outputs), Set(node.right.outputs))
    let dropsRight = dropsNullRows(conditions, right) || !notNull.isDisjoint(with: right)
    let dropsLeft = dropsNullRows(conditions, left) || !notNull.isDisjoint(with: left)
    switch node.kind {
    case .left where dropsRight: node.kind = .inner
    case .right where dropsLeft: node.kind = .inner
    case .full:
      if dropsRight && dropsLeft { node.kind = .inner } else if dropsRight { node.kind = .right } else if dropsLeft { node.kind = .left }
    default: break
    }
    var toLeft: [Expression] = []
    var toRight: [Expression] = []
    var above: [Expression] = []
    var residual = node.residual?.conjuncts ?? []
    if node.kind == .inner {
      residual += conditions.filter(\.isDeterministic)
      conditions = conditions.filter { !$0.isDeterministic }
      above = conditions
    } else {
      // Conditions behind the join may move to the side whose rows are all kept.
      for condition in conditions {
        let used = condition.columnsUsed
        if condition.isDeterministic, !used.isEmpty, used.isSubset(of: left), [.left, .semi, .anti, .mark].contains(node.kind) {
          // Left and mark joins keep every row, so that nothing fails that would not fail behind them.
          let dropsRows = node.kind == .semi || node.kind == .anti
          if dropsRows, condition.mayFail { above.append(condition) }
          toLeft.append(dropsRows ? lenient(condition) : condition)
        } else if condition.isDeterministic, !used.isEmpty, used.isSubset(of: right), node.kind == .right {
          toRight.append(condition)
        } else {
          above.append(condition)
        }
      }
    }
    // The join's own conditions may move to the side whose rows they only help to match.
    var kept: [Expression] = []
    for condition in residual {
      let used = condition.columnsUsed
      if condition.isDeterministic, used.isSubset(of: right), !used.isEmpty,
        [.inner, .left, .semi].contains(node.kind) || ((node.kind == .anti || node.kind == .mark) && !node.isNullAware)
      {
        if condition.mayFail { kept.append(condition) }
        toRight.append(lenient(condition))
      } else if condition.isDeterministic, used.isSubset(of: left), !used.isEmpty, [.inner, .right, .semi].contains(node.kind) {
        if condition.mayFail { kept.append(condition) }
        toLeft.append(lenient(condition))
      } else if let key = try equality(condition, left, right), !node.isNullAware {
        node.left = extended(node.left, key.left)
        node.right = extended(node.right, key.right)
        let leftColumn = key.left.reference
        let rightColumn = key.right.reference
        if !node.keys.contains(where: { $0.left == leftColumn && $0.right == rightColumn }) {
          node.keys.append(.init(leftColumn, rightColumn, nullsEqual: key.nullsEqual))
        }
      } else {
        kept.append(condition)
        if [.inner, .left, .semi].contains(node.kind) { toRight += weakened(condition, to: right) }
        if [.inner, .right, .semi].contains(node.kind) { toLeft += weakened(condition, to: left) }
      }
    }
    node.residual = kept.isEmpty ? nil : .conjunction(kept)
    // What one key column must fulfil, its partner must too.
    if [.inner, .semi, .left, .right].contains(node.kind) {
      let (known, other) = (toLeft, toRight)
      if node.kind != .right { toRight += implied(known, node.keys.map { ($0.left, $0.right) }) }
      if node.kind == .inner || node.kind == .semi || node.kind == .right {
        toLeft += implied(other, node.keys.map { ($0.right, $0.left) })
      }
    }
    let (notNullLeft, notNullRight) = notNullInputs(of: node, notNull)
    node.left = try push(toLeft, into: node.left, notNull: notNullLeft)
    node.right = try push(toRight, into: node.right, notNull: notNullRight)
    let outputs = join.outputs
    var result = LogicalPlan.join(node)
    if result.outputs.count != outputs.count || result.outputs != outputs {
      // Key columns were added below; hide them.
      result = .project(ProjectNode(input: result, selecting: outputs))
    }
    return filter(result, above)
  }

  /// The columns of a join's inputs whose NULLs nobody wants: those that nobody above wants, of the sides whose rows the
  /// join does not make up; and those that its own conditions let match nothing, where that drops the row.
  private func notNullInputs(
    of join: JoinNode, _ notNull: Set<ColumnReference>
  ) -> (left: Set<ColumnReference>, right: Set<ColumnReference>) {
    var matched = strictColumns(join.residual?.conjuncts ?? [])
    for key in join.keys where !key.nullsEqual { matched.formUnion([key.left, key.right]) }
    let (left, right) = (Set(join.left.outputs), Set(join.right.outputs))
    let (above, both) = (notNull, notNull.union(matched))
    switch join.kind {
    case .inner: return (both.intersection(left), both.intersection(right))
    case .left: return (above.intersection(left), matched.intersection(right))
    case .right: return (matched.intersection(left), above.intersection(right))
    case .semi: return (both.intersection(left), matched.intersection(right))
    case .anti, .mark: return (above.intersection(left), join.isNullAware ? [] : matched.intersection(right))
    default: return ([], [])
    }
  }

  /// The columns that make some expression NULL when they are.
  private func strictColumns(_ expressions: [Expression]) -> Set<ColumnReference> {
    var result: Set<ColumnReference> = []
    for expression in expressions where expression.isDeterministic {
      for column in expression.columnsUsed where isStrict(expression, [column]) { result.insert(column) }
    }
    return result
  }

  /// What may be tested before a join in place of `condition`: the same where it cannot fail, else a test that lets rows
  /// pass for which it fails, since the join may drop them; `condition` itself is tested behind the join.
  private func lenient(_ condition: Expression) -> Expression {
    condition.mayFail ? .coalesce([.tryCatch(condition), .alwaysTrue], .boolean) : condition
  }

  /// A side's key: a column it has, or an expression to be added to it.
  private struct KeySide {
    var reference: ColumnReference
    var expression: Expression
  }

  private func equality(
    _ condition: Expression, _ left: Set<ColumnReference>, _ right: Set<ColumnReference>
  ) throws(QueryError) -> (left: KeySide, right: KeySide, nullsEqual: Bool)? {
    var condition = condition
    var nullsEqual = false
    if case .call(let call) = condition, call.function.name == "not", case .call(let inner) = call.arguments[0],
      inner.function.name == "is_distinct_from"
    {
      condition = call.arguments[0]
      nullsEqual = true
    }
    guard case .call(let call) = condition, call.arguments.count == 2,
      call.function.name == (nullsEqual ? "is_distinct_from" : "="), condition.isDeterministic
    else { return nil }
    let (a, b) = (call.arguments[0], call.arguments[1])
    guard a.type == b.type, a.type.isComparable, !a.type.isNested, !a.columnsUsed.isEmpty, !b.columnsUsed.isEmpty else { return nil }
    func side(_ expression: Expression) -> KeySide {
      if let column = expression.columnReference { return KeySide(reference: column, expression: expression) }
      return KeySide(reference: context.newColumn("key", expression.type), expression: expression)
    }
    if a.columnsUsed.isSubset(of: left), b.columnsUsed.isSubset(of: right) { return (side(a), side(b), nullsEqual) }
    if b.columnsUsed.isSubset(of: left), a.columnsUsed.isSubset(of: right) { return (side(b), side(a), nullsEqual) }
    return nil
  }

  private func extended(_ plan: LogicalPlan, _ key: KeySide) -> LogicalPlan {
    if key.expression.columnReference != nil { return plan }
    return .project(
      ProjectNode(
        input: plan, assignments: plan.outputs.map { .init($0, .column($0)) } + [.init(key.reference, key.expression)]))
  }

  /// Conditions on one column that hold for its partner as well.
  private func implied(
    _ conditions: [Expression], _ pairs: [(ColumnReference, ColumnReference)]
  ) -> [Expression] {
    var result: [Expression] = []
    for condition in conditions where !condition.mayFail && condition.isDeterministic {
      let used = condition.columnsUsed
      guard used.count == 1, let column = used.first, rejectsNull(condition, used) else { continue }
      for (from, to) in pairs where from == column && from.type == to.type {
        result.append(condition.replacing([from.id: .column(to)]))
      }
    }
    return result
  }

  /// Whether some condition is never true when all columns of `side` are NULL.
  private func dropsNullRows(_ conditions: [Expression], _ side: Set<ColumnReference>) -> Bool {
    conditions.contains { rejectsNull($0, side) }
  }

  /// Whether `condition` is not true when all of `columns` are NULL.
  private func rejectsNull(_ condition: Expression, _ columns: Set<ColumnReference>) -> Bool {
    let used = condition.columnsUsed.intersection(columns)
    guard !used.isEmpty, condition.isDeterministic else { return false }
    let nulls = Dictionary(uniqueKeysWithValues: used.map { ($0.id, Expression.null($0.type)) })
    guard let value = try? ExpressionSimplifier(session: context.session).simplify(condition.replacing(nulls)) else {
      return false
    }
    if let constant = value.constantValue { return constant != .boolean(true) }
    return isNotTrue(condition, used)
  }

  /// Whether the condition is NULL or false where `columns` are NULL.
  private func isNotTrue(_ condition: Expression, _ columns: Set<ColumnReference>) -> Bool {
    switch condition {
    case .and(let operands): operands.contains { isNotTrue($0, columns) }
    case .or(let operands): operands.allSatisfy { isNotTrue($0, columns) }
    default: isStrict(condition, columns)
    }
  }

  /// Whether an expression is NULL where `columns` are.
  private func isStrict(_ condition: Expression, _ columns: Set<ColumnReference>) -> Bool {
    switch condition {
    case .column(let column): columns.contains(column)
    case .call(let call): call.overload.propagatesNulls && call.arguments.contains { isStrict($0, columns) }
    case .cast(let cast): isStrict(cast.operand, columns)
    case .inList(let list): isStrict(list.value, columns)
    case .field(let operand, _, _): isStrict(operand, columns)
    case .or(let operands), .and(let operands): operands.allSatisfy { isStrict($0, columns) }
    case .constant, .caseWhen, .coalesce, .tryCatch, .lambda: false
    }
  }

  /// `WHERE mark` keeps the rows with a match, `WHERE NOT mark` those without: no mark is needed.
  private func markToSemi(
    _ join: JoinNode, _ conditions: [Expression], _ notNull: Set<ColumnReference>
  ) throws(QueryError) -> LogicalPlan? {
    guard let mark = join.mark else { return nil }
    for (index, condition) in conditions.enumerated() {
      let kind: JoinNode.Kind
      if condition == .column(mark) {
        kind = .semi
      } else if case .call(let call) = condition, call.function.name == "not", call.arguments[0] == .column(mark) {
        kind = .anti
      } else {
        continue
      }
      var rest = conditions
      rest.remove(at: index)
      var node = join
      node.kind = kind
      node.mark = nil
      if kind == .semi { node.isNullAware = false }
      let pushed = try push(rest.filter { !$0.columnsUsed.contains(mark) }, into: node, notNull: notNull)
      // The mark is true or false for all rows left; keep it for nodes that still name it.
      let marked = LogicalPlan.project(
        ProjectNode(
          input: pushed,
          assignments: join.left.outputs.map { .init($0, .column($0)) }
            + [.init(mark, .constant(.boolean(kind == .semi), .boolean))]))
      return filter(marked, rest.filter { $0.columnsUsed.contains(mark) })
    }
    return nil
  }
}

extension Expression {
  /// Whether it is a constant that no condition accepts.
  fileprivate var isFalseOrNull: Bool { constantValue.map { $0.isNull || $0 == .boolean(false) } ?? false }
}
