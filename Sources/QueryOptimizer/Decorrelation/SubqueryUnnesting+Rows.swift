import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions

extension SubqueryUnnesting {
  /// The same rows with the uncorrelated sides of cross products cut: `count` rows of one side yield as many of the
  /// product, whichever they are.
  func prelimited(_ plan: LogicalPlan, _ count: Int, _ domain: SubqueryDomain) -> LogicalPlan {
    guard count > 0 else { return plan }
    switch plan {
    case .project(var node) where node.assignments.allSatisfy(\.expression.isDeterministic):
      node.input = prelimited(node.input, count, domain)
      return .project(node)
    case .join(var node) where node.kind == .inner && node.keys.isEmpty && node.residual == nil:
      node.left = prelimited(node.left, count, domain)
      node.right = prelimited(node.right, count, domain)
      return .join(node)
    default:
      if isCorrelated(plan, domain) { return plan }
      return .limit(LimitNode(input: plan, offset: 0, count: count))
    }
  }

  /// LIMIT inside a subquery holds per outer value: rows are numbered within it.
  func numbered(
    _ input: LogicalPlan, _ keys: [SortKey], _ offset: Int, _ count: Int?, withTies: Bool, _ domain: SubqueryDomain
  ) throws(QueryError) -> Unnested {
    var inner = try completed(try push(input, domain), domain)
    var calls: [WindowCall] = []
    var conditions: [Expression] = []
    func number(_ name: String) throws(QueryError) -> Expression {
      guard let function = FunctionRegistry.window(name) else { throw .internalError("\(name) is missing") }
      let column = context.newColumn(name, .bigint)
      calls.append(
        WindowCall(
          column, function: .window(function), binding: SignatureBinding(argumentTypes: [], returnType: .bigint),
          arguments: [], frame: .standard))
      return .column(column)
    }
    var row: Expression?
    if offset > 0 || !withTies { row = try number("row_number") }
    if offset > 0, let row { conditions.append(try .call(">", [row, .constant(.integer(Int64(offset)), .bigint)])) }
    if let count {
      let last = Int64(clamping: offset.addingReportingOverflow(count).partialValue)
      let place = withTies ? try number("rank") : row!
      conditions.append(try .call("<=", [place, .constant(.integer(last), .bigint)]))
    }
    let window = WindowNode(
      input: inner.plan, partitionKeys: domain.columns.map { inner.domain[$0]! }, ordering: keys, calls: calls)
    let filtered = LogicalPlan.filter(FilterNode(input: .window(window), predicate: .conjunction(conditions)))
    inner.plan = select(filtered, inner.plan.outputs)
    return inner
  }

  /// A scalar subquery: at most one row per outer value.
  func singleRow(_ node: SingleRowNode, _ domain: SubqueryDomain) throws(QueryError) -> Unnested {
    var inner = try push(node.input, domain)
    if inner.defaults != nil { return inner }
    let nulls = Dictionary(
      node.input.outputs.map { ($0, Expression.null($0.type)) }, uniquingKeysWith: { first, _ in first })
    if isSingleRow(node.input) {
      inner.defaults = nulls
      return inner
    }
    // Rows are counted per outer value; where an outer row meets a second one, the query fails.
    let count = try context.aggregate("count", [])
    let keys = domain.columns.map { AggregateNode.Key(input: inner.domain[$0]!, output: inner.domain[$0]!) }
    var calls = [count]
    var outputs: [ProjectNode.Assignment] = []
    for output in node.input.outputs where !inner.domain.values.contains(output) {
      let any = try context.aggregate("arbitrary", [.column(output)])
      calls.append(any)
      outputs.append(.init(output, .column(any.reference)))
    }
    let grouped = LogicalPlan.aggregate(AggregateNode(input: inner.plan, keys: keys, calls: calls))
    outputs += Set(inner.domain.values).sorted { $0.id.rawValue < $1.id.rawValue }.map { .init($0, .column($0)) }
    outputs.append(.init(count.reference, .column(count.reference)))
    inner.plan = .project(ProjectNode(input: grouped, assignments: outputs))
    inner.defaults = nulls
    inner.check = .init(count: count.reference, range: node.range)
    return inner
  }

  /// Whether a plan yields at most one row per outer value by its form.
  func isSingleRow(_ plan: LogicalPlan) -> Bool {
    switch plan {
    case .aggregate(let node): node.groupingSets == [[]]
    case .project(let node): isSingleRow(node.input)
    case .filter(let node): isSingleRow(node.input)
    case .limit(let node): node.count.map { $0 <= 1 } ?? false || isSingleRow(node.input)
    case .topN(let node): node.count <= 1 && !node.withTies
    case .values(let node): node.rows.count <= 1
    case .singleRow: true
    case .sort(let node): isSingleRow(node.input)
    default: false
    }
  }

  /// Adds the rows that a global aggregate yields for outer values without input.
  func completed(_ unnested: Unnested, _ domain: SubqueryDomain) throws(QueryError) -> Unnested {
    guard let defaults = unnested.defaults else { return unnested }
    let (values, map) = domain.use()
    let columns = domain.columns
    let marker = context.newColumn("matched", .boolean)
    // An output may stand for an outer column at the same time.
    let inner = unnested.plan.outputs.filter { $0 != unnested.check?.count }
    let raw = Dictionary(
      inner.map { ($0, context.newColumn($0.name, $0.type)) }, uniquingKeysWith: { first, _ in first })
    var assignments = inner.map { ProjectNode.Assignment(raw[$0]!, .column($0)) }
    assignments += Set(unnested.domain.values).sorted { $0.id.rawValue < $1.id.rawValue }.map { .init($0, .column($0)) }
    if let check = unnested.check { assignments.append(.init(check.count, .column(check.count))) }
    assignments.append(.init(marker, .alwaysTrue))
    let right = LogicalPlan.project(ProjectNode(input: unnested.plan, assignments: assignments))
    let keys = columns.map { JoinNode.Key(map[$0]!, unnested.domain[$0]!, nullsEqual: true) }
    let join = LogicalPlan.join(JoinNode(.left, left: values, right: right, keys: keys))
    var outputs = columns.map { ProjectNode.Assignment(map[$0]!, .column(map[$0]!)) }
    for column in inner {
      let fallback = replaced(defaults[column] ?? .null(column.type), map)
      outputs.append(
        .init(
          column,
          .caseWhen(
            CaseExpression(
              branches: [.init(condition: try .call("is_null", [.column(marker)]), result: fallback)],
              otherwise: .column(raw[column]!), type: column.type))))
    }
    let plan = try checked(join, unnested.check)
    return Unnested(plan: .project(ProjectNode(input: plan, assignments: outputs)), domain: map, defaults: nil)
  }
}
