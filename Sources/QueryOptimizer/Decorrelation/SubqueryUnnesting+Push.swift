import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions

extension SubqueryUnnesting {
  func isCorrelated(_ plan: LogicalPlan, _ domain: SubqueryDomain) -> Bool {
    if !plan.freeColumns.isDisjoint(with: domain.columns) { return true }
    // The rows of a recursion's round before are as correlated as the recursion is.
    return !domain.openRecursions.isEmpty
      && plan.contains { node in
        if case .recursionInput(let input) = node { domain.openRecursions.contains(input.id) } else { false }
      }
  }

  func replaced(_ expression: Expression, _ unnested: [ColumnReference: ColumnReference]) -> Expression {
    expression.replacing(Dictionary(uniqueKeysWithValues: unnested.map { ($0.key.id, .column($0.value)) }))
  }

  /// `plan` for all values of the domain at once.
  func push(_ plan: LogicalPlan, _ domain: SubqueryDomain) throws(QueryError) -> Unnested {
    guard isCorrelated(plan, domain) else {
      let (values, map) = domain.use()
      return Unnested(plan: .join(JoinNode(.inner, left: values, right: plan)), domain: map, defaults: nil)
    }
    switch plan {
    case .filter(let node):
      if let pinned = try pinned(node, domain) { return pinned }
      var inner = try completed(try push(node.input, domain), domain)
      inner.plan = .filter(FilterNode(input: inner.plan, predicate: replaced(node.predicate, inner.domain)))
      return inner
    case .project(let node):
      var inner = try push(node.input, domain)
      var assignments = node.assignments.map {
        ProjectNode.Assignment($0.reference, replaced($0.expression, inner.domain))
      }
      if let defaults = inner.defaults {
        let values = Dictionary(uniqueKeysWithValues: defaults.map { ($0.key.id, $0.value) })
        var own: [ColumnReference: Expression] = [:]
        for assignment in node.assignments {
          let value = assignment.expression.replacing(values)
          // Outer columns stay: the default is computed where the outer row is at hand.
          own[assignment.reference] = try ExpressionSimplifier(session: context.session).simplify(value)
        }
        inner.defaults = own
      }
      var handedOn = domain.columns.map { inner.domain[$0]! }
      if let check = inner.check { handedOn.append(check.count) }
      for column in handedOn where !assignments.contains(where: { $0.reference == column }) {
        assignments.append(.init(column, .column(column)))
      }
      inner.plan = .project(ProjectNode(input: inner.plan, assignments: assignments))
      return inner
    case .aggregate(let node): return try push(node, domain)
    case .join(let node): return try push(node, domain)
    case .sort(let node): return try push(node.input, domain)
    case .limit(let node):
      guard node.offset > 0 || node.count != nil else { return try push(node.input, domain) }
      var keys: [SortKey] = []
      var input = node.input
      if case .sort(let sort) = node.input {
        keys = sort.keys
        input = sort.input
      } else if let count = node.count {
        input = prelimited(input, node.offset.addingReportingOverflow(count).partialValue, domain)
      }
      return try numbered(input, keys, node.offset, node.count, withTies: false, domain)
    case .topN(let node):
      return try numbered(node.input, node.keys, node.offset, node.count, withTies: node.withTies, domain)
    case .setOperation(let node):
      var inputs: [LogicalPlan] = []
      let columns = domain.columns.map { context.newColumn($0.name, $0.type) }
      for input in node.inputs {
        let inner = try completed(try push(input, domain), domain)
        inputs.append(byPosition(inner, input.outputs, domain))
      }
      let union = SetOperationNode(node.kind, isAll: node.isAll, inputs: inputs, outputs: node.outputs + columns)
      return Unnested(
        plan: .setOperation(union), domain: Dictionary(uniqueKeysWithValues: zip(domain.columns, columns)),
        defaults: nil)
    case .window(var node):
      var inner = try completed(try push(node.input, domain), domain)
      node.input = inner.plan
      node.partitionKeys += domain.columns.map { inner.domain[$0]! }
      for index in node.calls.indices {
        node.calls[index].arguments = node.calls[index].arguments.map { replaced($0, inner.domain) }
      }
      inner.plan = .window(node)
      return inner
    case .rowPattern(var node):
      var inner = try completed(try push(node.input, domain), domain)
      node.input = inner.plan
      let columns = domain.columns.map { inner.domain[$0]! }
      node.partitionKeys += columns
      for column in columns where !node.kept.contains(column) { node.kept.append(column) }
      node.pattern = node.pattern.mapped({ $0 }, inputs: { replaced($0, inner.domain) })
      for index in node.calls.indices {
        node.calls[index].arguments = node.calls[index].arguments.map { replaced($0, inner.domain) }
      }
      inner.plan = .rowPattern(node)
      return inner
    case .unnest(var node):
      var inner = try completed(try push(node.input, domain), domain)
      // An outer array is unnested through its copy in the domain.
      node.items = node.items.map { item in
        UnnestNode.Item(column: inner.domain[item.column] ?? item.column, outputs: item.outputs)
      }
      node.kept = node.kept.map { inner.domain[$0] ?? $0 }
      for column in domain.columns.map({ inner.domain[$0]! }) where !node.kept.contains(column) {
        node.kept.append(column)
      }
      node.input = inner.plan
      inner.plan = .unnest(node)
      return inner
    case .singleRow(let node): return try singleRow(node, domain)
    case .values(let node):
      // Rows of outer values: one projection per row over the domain.
      var inputs: [LogicalPlan] = []
      let columns = domain.columns.map { context.newColumn($0.name, $0.type) }
      for row in node.rows {
        let (values, map) = domain.use()
        var assignments: [ProjectNode.Assignment] = []
        var outputs: [ColumnReference] = []
        for (output, expression) in zip(node.outputs, row) {
          let column = context.newColumn(output.name, output.type)
          assignments.append(.init(column, replaced(expression, map)))
          outputs.append(column)
        }
        assignments += domain.columns.map { .init(map[$0]!, .column(map[$0]!)) }
        inputs.append(.project(ProjectNode(input: values, assignments: assignments)))
      }
      let outputs = node.outputs + columns
      let rows: LogicalPlan =
        inputs.count == 1
        ? .project(
          ProjectNode(
            input: inputs[0], assignments: zip(outputs, inputs[0].outputs).map { .init($0, .column($1)) }))
        : .setOperation(SetOperationNode(.union, isAll: true, inputs: inputs, outputs: outputs))
      return Unnested(
        plan: rows, domain: Dictionary(uniqueKeysWithValues: zip(domain.columns, columns)), defaults: nil)
    case .common(let node): return try push(node, domain)
    case .recursion(let node): return try push(node, domain)
    case .recursionInput(let node):
      // The rows of the round before stand beside the outer values that they belong to.
      let columns = domain.columns.map { context.newColumn($0.name, $0.type) }
      return Unnested(
        plan: .recursionInput(RecursionInputNode(id: node.id, outputs: node.outputs + columns)),
        domain: Dictionary(uniqueKeysWithValues: zip(domain.columns, columns)), defaults: nil)
    case .scan, .foreignScan: throw .internalError("a scan that uses outer columns")
    case .apply(let node): throw .internalError("a subquery within a subquery that is no join yet", at: node.range)
    }
  }

  /// A recursion for all outer values at once: each row carries those that it belongs to.
  private func push(_ node: RecursionNode, _ domain: SubqueryDomain) throws(QueryError) -> Unnested {
    let columns = domain.columns.map { context.newColumn($0.name, $0.type) }
    var recursion = node
    domain.openRecursions.insert(node.id)
    defer { domain.openRecursions.remove(node.id) }
    recursion.initial = byPosition(try completed(try push(node.initial, domain), domain), node.initial.outputs, domain)
    recursion.step = byPosition(try completed(try push(node.step, domain), domain), node.step.outputs, domain)
    recursion.outputs += columns
    return Unnested(
      plan: .recursion(recursion), domain: Dictionary(uniqueKeysWithValues: zip(domain.columns, columns)),
      defaults: nil)
  }

  /// Some columns, then those of the domain, each under another id.
  private func byPosition(
    _ unnested: Unnested, _ outputs: [ColumnReference], _ domain: SubqueryDomain
  ) -> LogicalPlan {
    // A column that stands for an outer one may be an output at the same time.
    var seen: Set<ColumnReference> = []
    let assignments = (outputs + domain.columns.map { unnested.domain[$0]! }).map { source in
      ProjectNode.Assignment(
        seen.insert(source).inserted ? source : context.newColumn(source.name, source.type), .column(source))
    }
    return .project(ProjectNode(input: unnested.plan, assignments: assignments))
  }

  /// A use of a shared subplan that reads outer columns: the subplan is evaluated for all outer values, once for all uses.
  func push(_ node: CommonNode, _ domain: SubqueryDomain) throws(QueryError) -> Unnested {
    let old = node.definition
    let shared: SubqueryDomain.Shared
    if let known = domain.shared[old.id] {
      shared = known
    } else {
      let inner = try completed(try push(old.plan, domain), domain)
      let plan = select(inner.plan, old.plan.outputs + domain.columns.map { inner.domain[$0]! })
      shared = SubqueryDomain.Shared(
        definition: CommonDefinition(id: context.newCommonID(), name: old.name, plan: plan), columns: inner.domain)
      domain.shared[old.id] = shared
    }
    // The uses of the old outputs keep their names; columns of the domain get new ones.
    let oldNames = Dictionary(zip(old.plan.outputs, node.outputs), uniquingKeysWith: { first, _ in first })
    let outputs = shared.definition.plan.outputs
    let names = outputs.map { oldNames[$0] ?? context.newColumn($0.name, $0.type) }
    let uses = Dictionary(uniqueKeysWithValues: zip(outputs, names))
    return Unnested(
      plan: .common(CommonNode(definition: shared.definition, outputs: names)),
      domain: shared.columns.mapValues { uses[$0]! }, defaults: nil)
  }

  /// A filter over an uncorrelated input whose equalities pin every outer column: the inner sides stand for the domain.
  func pinned(_ node: FilterNode, _ domain: SubqueryDomain) throws(QueryError) -> Unnested? {
    guard !isCorrelated(node.input, domain) else { return nil }
    let outer = Set(domain.columns)
    var rest: [Expression] = []
    var map: [ColumnReference: Expression] = [:]
    for conjunct in node.predicate.conjuncts {
      if case .call(let call) = conjunct, call.function.name == "=", call.arguments.count == 2 {
        let sides = call.arguments
        var isPin = false
        for (a, b) in [(0, 1), (1, 0)] where !isPin {
          guard let column = sides[a].columnReference, outer.contains(column), map[column] == nil,
            sides[b].columnsUsed.isDisjoint(with: outer), !sides[b].columnsUsed.isEmpty,
            sides[b].columnsUsed.isSubset(of: Set(node.input.outputs)), !column.type.isFloating
          else { continue }
          map[column] = sides[b]
          isPin = true
        }
        if isPin { continue }
      }
      rest.append(conjunct)
    }
    guard map.count == outer.count else { return nil }
    var assignments = node.input.outputs.map { ProjectNode.Assignment($0, .column($0)) }
    var columns: [ColumnReference: ColumnReference] = [:]
    for (column, expression) in map.sorted(by: { $0.key.id.rawValue < $1.key.id.rawValue }) {
      if let inner = expression.columnReference, !columns.values.contains(inner) {
        columns[column] = inner
      } else {
        let copy = context.newColumn(column.name, column.type)
        assignments.append(.init(copy, expression))
        columns[column] = copy
      }
    }
    var plan = node.input
    if assignments.count > node.input.outputs.count {
      plan = .project(ProjectNode(input: plan, assignments: assignments))
    }
    // `outer = inner` is false for NULL: inner NULLs must not meet outer NULLs in the join, which matches them.
    for column in domain.columns.compactMap({ columns[$0] }) { rest.append(try .not(.call("is_null", [.column(column)]))) }
    plan = .filter(
      FilterNode(input: plan, predicate: replaced(.conjunction(rest), columns)))
    return Unnested(plan: plan, domain: columns, defaults: nil)
  }
}
