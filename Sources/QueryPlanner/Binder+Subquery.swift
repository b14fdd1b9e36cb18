import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import SQLSyntax

extension Binder {
  /// Binds `(query)`, `EXISTS`, `IN (query)` and quantified comparisons to the column that will hold their value.
  func bindSubqueryExpression(_ syntax: ExpressionSyntax, _ place: ExpressionContext) throws(QueryError) -> Expression {
    if !place.lambdas.isEmpty {
      throw .notSupported("Lambda expression cannot contain subqueries", at: syntax.range)
    }
    guard let block = place.block else {
      throw .notSupported("Subqueries are not supported here", at: syntax.range)
    }
    // Equal subqueries of one SELECT are run once.
    let isShared =
      place.caseOperand == nil && place.outputScope == nil && place.aggregateName == nil && place.windowName == nil
      && place.clause != .qualify
    if isShared, let known = block.knownSubqueries[syntax] { return known }
    try checkCount(block.subqueries.count, at: syntax.range)
    let expression = try makeSubquery(syntax, place, block)
    if isShared { block.knownSubqueries[syntax] = expression }
    return expression
  }

  private func makeSubquery(
    _ syntax: ExpressionSyntax, _ place: ExpressionContext, _ block: QueryBlock
  ) throws(QueryError) -> Expression {
    let inner = QueryContext(named: block.context.named, outer: place.scope)
    switch syntax {
    case .subquery(let node):
      let found = try bindQuery(node.query, inner)
      var rows = try singleColumn(found)
      if !yieldsOneRow(rows.plan) { rows.plan = .singleRow(SingleRowNode(input: rows.plan, range: shown(node.range))) }
      let output = rows.columns[0].reference
      block.subqueries.append(.init(kind: .scalar, plan: rows.plan, output: output, range: node.range, syntax: syntax))
      guard found.columns.count > 1, case .row(let fields) = output.type else { return .column(output) }
      // Of several columns no row is a row of NULLs, not NULL: Trino makes a row of the one row's columns.
      let missing = try rowConstructor(fields.map { .null($0.type) }, fields, at: nil)
      return .coalesce([.column(output), missing], output.type)
    case .exists(let node):
      let rows = try bindQuery(node.query, inner)
      let output = newColumn("exists", .boolean)
      block.subqueries.append(.init(kind: .exists, plan: rows.plan, output: output, range: node.range, syntax: syntax))
      return .column(output)
    case .inSubquery(let node):
      let operand = try bind(node.operand, place)
      let rows = try singleColumn(try bindQuery(node.query, inner), besides: operand.type)
      let result = try membership(operand, rows, node.operatorRange, syntax, block)
      return node.isNegated ? try call("not", [result], at: node.operatorRange) : result
    case .quantifiedComparison(let node):
      let operand = try bind(node.operand, place)
      let rows = try singleColumn(try bindQuery(node.query, inner), besides: operand.type)
      switch (node.operator, node.quantifier) {
      case (.equal, .any), (.equal, .some): return try membership(operand, rows, node.operatorRange, syntax, block)
      case (.notEqual, .all):
        return try call("not", [try membership(operand, rows, node.operatorRange, syntax, block)], at: node.operatorRange)
      default: break
      }
      let (probe, conformed, type) = try unify(operand, rows, node.operatorRange)
      let isEquality = node.operator == .equal || node.operator == .notEqual
      guard isEquality ? type.isComparable : type.isOrderable else {
        throw QueryError(
          .typeMismatch,
          "Type [\(type)] must be \(isEquality ? "comparable" : "orderable") in order to be used in quantified comparison",
          at: node.operatorRange)
      }
      let output = newColumn("quantified", .boolean)
      block.subqueries.append(
        .init(
          kind: .quantified(op: node.operator.rawValue, isAll: node.quantifier == .all), plan: conformed, probe: probe,
          output: output, range: node.range, syntax: syntax))
      return .column(output)
    default: throw .internalError("no subquery", at: syntax.range)
    }
  }

  private func membership(
    _ operand: Expression, _ rows: BoundRows, _ range: SourceRange, _ syntax: ExpressionSyntax, _ block: QueryBlock
  ) throws(QueryError) -> Expression {
    let (probe, plan, type) = try unify(operand, rows, range)
    guard type.isComparable else {
      throw QueryError(
        .typeMismatch, "Type [\(type)] must be comparable in order to be used in IN predicate", at: range)
    }
    let output = newColumn("in", .boolean)
    block.subqueries.append(
      .init(kind: .inSubquery, plan: plan, probe: probe, output: output, range: range, syntax: syntax))
    return .column(output)
  }

  /// Brings a value and a subquery's column to one type.
  private func unify(
    _ operand: Expression, _ rows: BoundRows, _ range: SourceRange
  ) throws(QueryError) -> (Expression, LogicalPlan, DataType) {
    let type = rows.columns[0].reference.type
    guard let common = TypeCoercion.commonSuperType(operand.type, type) else {
      throw QueryError(
        .typeMismatch,
        "Value expression and result of subquery must be of the same type: \(operand.type) vs \(type)", at: range)
    }
    return (coerced(operand, to: common), conform(rows, to: [common]), common)
  }

  /// The subquery's rows with all columns packed into one: a row when there are several, or when the value that it is
  /// compared with is a row.
  private func singleColumn(_ rows: BoundRows, besides type: DataType? = nil) throws(QueryError) -> BoundRows {
    var isRowOfOne = false
    if case .row(let fields)? = type, fields.count == 1, rows.columns.count == 1 {
      if case .row = rows.columns[0].reference.type {} else { isRowOfOne = true }
    }
    if rows.columns.count == 1, !isRowOfOne { return ownColumn(rows) }
    let fields = rows.columns.map { DataType.RowField(name: $0.name, type: $0.reference.type) }
    let value = try rowConstructor(rows.columns.map { .column($0.reference) }, fields, at: nil)
    let output = newColumn("row", value.type)
    return BoundRows(
      plan: .project(ProjectNode(input: rows.plan, assignments: [.init(output, value)])),
      columns: [.init(name: nil, reference: output)])
  }

  /// The same rows with a plan that yields the column and nothing else, under an id that no plan outside has.
  private func ownColumn(_ rows: BoundRows) -> BoundRows {
    let column = rows.columns[0].reference
    if rows.plan.outputs == [column] { return rows }
    let output = newColumn(column.name, column.type)
    return BoundRows(
      plan: .project(ProjectNode(input: rows.plan, assignments: [.init(output, .column(column))])),
      columns: [.init(name: rows.columns[0].name, reference: output)])
  }

  /// Whether the plan yields exactly one row whatever the data.
  private func yieldsOneRow(_ plan: LogicalPlan) -> Bool {
    switch plan {
    case .project(let node): yieldsOneRow(node.input)
    case .aggregate(let node): node.keys.isEmpty && node.groupingSets == [[]]
    case .values(let node): node.rows.count == 1
    case .singleRow: true
    case .sort(let node): yieldsOneRow(node.input)
    default: false
    }
  }

  /// Adds the subqueries whose values `expressions` use.
  func attachSubqueries(
    _ block: QueryBlock, to plan: LogicalPlan, neededBy expressions: [Expression]
  ) throws(QueryError) -> LogicalPlan {
    guard block.subqueries.contains(where: { !$0.isAttached }) else { return plan }
    var used: Set<ColumnReference> = []
    for expression in expressions { used.formUnion(expression.columnsUsed) }
    var plan = plan
    for index in block.subqueries.indices {
      let subquery = block.subqueries[index]
      guard !subquery.isAttached, used.contains(subquery.output) else { continue }
      block.subqueries[index].isAttached = true
      if let probe = subquery.probe { plan = try attachSubqueries(block, to: plan, neededBy: [probe]) }
      plan = apply(subquery, to: plan)
    }
    return plan
  }

  private func apply(_ subquery: QueryBlock.Subquery, to plan: LogicalPlan) -> LogicalPlan {
    if case .value = subquery.kind, let value = subquery.probe {
      return .project(
        ProjectNode(
          input: plan,
          assignments: plan.outputs.map { .init($0, .column($0)) } + [.init(subquery.output, value)]))
    }
    var input = plan
    var probe: ColumnReference?
    if let expression = subquery.probe {
      var materializer = Materializer(self, plan)
      probe = materializer.column(expression, name: "probe")
      input = materializer.plan()
    }
    let kind: ApplyNode.Kind =
      switch subquery.kind {
      case .scalar, .value: .scalar
      case .exists: .exists(subquery.output)
      case .inSubquery: .inSubquery(subquery.output, probe: probe!)
      case .quantified(let op, let isAll): .quantified(subquery.output, probe: probe!, op: op, isAll: isAll)
      }
    let query =
      switch subquery.syntax {
      case .subquery(let node): node.query.range
      case .exists(let node): node.query.range
      case .inSubquery(let node): node.query.range
      case .quantifiedComparison(let node): node.query.range
      default: subquery.range
      }
    return .apply(
      ApplyNode(
        kind, input: input, subquery: subquery.plan, correlation: subquery.plan.freeColumns, range: shown(query)))
  }
}
