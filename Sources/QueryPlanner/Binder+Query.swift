import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import SQLSyntax

extension Binder {
  /// Binds `[WITH …] body [ORDER BY …] [OFFSET …] [LIMIT …]`.
  func bindQuery(_ query: QuerySyntax, _ outer: QueryContext) throws(QueryError) -> BoundRows {
    try checkStack(query.range)
    let rows = try bindCheckedQuery(query, outer)
    try PlanDepth.check(rows.plan, at: query.range)
    return rows
  }

  private func bindCheckedQuery(_ query: QuerySyntax, _ outer: QueryContext) throws(QueryError) -> BoundRows {
    var context = outer
    if let with = query.with { context.named = try bindWith(with, context) }
    let tail = try bindTail(query, context)
    if case .select(let select) = query.body {
      return try bindSelect(select, orderBy: query.orderBy, tail: tail, context)
    }
    let rows = try bindBody(query.body, context)
    if query.orderBy.isEmpty { return BoundRows(plan: try limited(rows.plan, [], tail), columns: rows.columns) }
    return try sorted(rows, by: query.orderBy, tail, context)
  }

  /// Binds what yields a query's rows.
  func bindBody(_ body: QueryBodySyntax, _ context: QueryContext) throws(QueryError) -> BoundRows {
    switch body {
    case .select(let select): try bindSelect(select, orderBy: [], tail: QueryTail(), context)
    case .values(let values): try bindValues(values, context)
    case .table(let table): try bindTableBody(table, context)
    case .query(let query): try bindQuery(query, context)
    case .setOperation(let operation): try bindSetOperation(operation, context)
    }
  }

  private func bindTableBody(_ table: TableSyntax, _ context: QueryContext) throws(QueryError) -> BoundRows {
    let relation = try bindTable(table, context)
    let visible = relation.fields.filter { !$0.isHidden }
    return BoundRows(
      plan: relation.plan, columns: visible.map { BoundRows.Column(name: $0.name, reference: $0.reference) })
  }

  // MARK: OFFSET, LIMIT, FETCH

  /// What follows ORDER BY.
  struct QueryTail {
    var offset = 0
    var count: Int?
    var isWithTies = false
    var isEmpty: Bool { offset == 0 && count == nil }
  }

  private func bindTail(_ query: QuerySyntax, _ context: QueryContext) throws(QueryError) -> QueryTail {
    var tail = QueryTail()
    if let offset = query.offset {
      let (value, range) = try rowCount(offset, clause: "OFFSET")
      guard let value, value >= 0 else {
        throw QueryError(
          .numericValueOutOfRange,
          "OFFSET row count must be greater or equal to 0 (actual value: \(value.map(String.init) ?? "null"))", at: range)
      }
      tail.offset = value
    }
    switch query.limit {
    case nil, .all?: break
    case .limit(let count)?:
      let (value, range) = try rowCount(count, clause: "LIMIT")
      // A NULL parameter means no limit, as LIMIT ALL.
      if let value {
        guard value >= 0 else {
          throw QueryError(
            .numericValueOutOfRange, "LIMIT row count must be greater or equal to 0 (actual value: \(value))", at: range)
        }
        tail.count = value
      }
    case .fetchFirst(let count, let isWithTies)?:
      tail.count = 1
      tail.isWithTies = isWithTies
      if let count {
        let (value, range) = try rowCount(count, clause: "FETCH FIRST")
        guard let value, value > 0 else {
          throw QueryError(
            .numericValueOutOfRange,
            "FETCH FIRST row count must be positive (actual value: \(value.map(String.init) ?? "null"))", at: range)
        }
        tail.count = value
      }
      if isWithTies, query.orderBy.isEmpty {
        throw QueryError(.missingOrderBy, "FETCH FIRST WITH TIES clause requires ORDER BY", at: query.range)
      }
    }
    return tail
  }

  private func rowCount(_ count: RowCountSyntax, clause: String) throws(QueryError) -> (Int?, SourceRange) {
    switch count {
    case .integer(let value, let position): return (Int(value), position.wrappedValue)
    case .parameter(let parameter):
      let bound = try bindParameter(parameter)
      let wanted =
        bound.type == .unknown
        ? bound.coerced(to: .bigint)
        : try coerce(bound, to: .bigint, at: parameter.range) {
          "\(clause) parameter must be of type bigint: actual type \($0)"
        }
      let value = try ConstantFolding.evaluate(wanted, session: session)
      return (value.integerValue.map { Int($0) }, parameter.range)
    }
  }

  /// The plan's rows in the order of `keys`, cut as `tail` says.
  func limited(_ plan: LogicalPlan, _ keys: [SortKey], _ tail: QueryTail) throws(QueryError) -> LogicalPlan {
    var plan = plan
    if session.followsAthena, !keys.isEmpty, let count = tail.count, count > Int(Int32.max) {
      throw .notSupported("ORDER BY LIMIT > \(Int32.max) is not supported")
    }
    if !keys.isEmpty {
      if tail.isWithTies, let count = tail.count {
        return .topN(TopNNode(input: plan, keys: keys, offset: tail.offset, count: count, withTies: true))
      }
      plan = .sort(SortNode(input: plan, keys: keys))
    }
    if !tail.isEmpty { plan = .limit(LimitNode(input: plan, offset: tail.offset, count: tail.count)) }
    return plan
  }

  // MARK: ORDER BY over set operations, VALUES and parentheses

  private func sorted(
    _ rows: BoundRows, by items: [SortItemSyntax], _ tail: QueryTail, _ context: QueryContext
  ) throws(QueryError) -> BoundRows {
    let fields = rows.columns.map { ScopeField(qualifier: [], name: $0.name, reference: $0.reference) }
    let scope = Scope(fields: fields, parent: context.outer)
    let block = QueryBlock(context: context)
    var orderings: [QueryBlock.Ordering] = []
    for item in items {
      let expression: Expression
      if let position = SyntaxForm.integer(item.expression) {
        expression = .column(try outputColumn(position, rows.columns.map(\.reference), "ORDER BY", item.expression.range))
      } else {
        let place = ExpressionContext(
          scope: scope, block: block, clause: .other("ORDER BY clause"), clauseRange: item.expression.errorRange)
        expression = try bind(item.expression, place)
      }
      try checkOrderable(expression.type, item, in: "ORDER BY")
      orderings.append(ordering(item, expression))
    }
    var plan = try attachSubqueries(block, to: rows.plan, neededBy: orderings.map(\.expression))
    var keys: [SortKey] = []
    (plan, keys) = sortKeys(orderings, over: plan)
    plan = try limited(plan, keys, tail)
    return BoundRows(plan: plan, columns: rows.columns)
  }

  /// The key an item of ORDER BY means.
  func ordering(_ item: SortItemSyntax, _ expression: Expression) -> QueryBlock.Ordering {
    QueryBlock.Ordering(
      expression: expression, isAscending: !item.isDescending, nullsFirst: item.isNullsFirst ?? false)
  }

  /// The output column that ORDER BY 2 means.
  func outputColumn(
    _ position: Int64, _ columns: [ColumnReference], _ clause: String, _ range: SourceRange
  ) throws(QueryError) -> ColumnReference {
    guard position >= 1, position <= columns.count else {
      throw QueryError(.invalidColumnReference, "\(clause) position \(position) is not in select list", at: range)
    }
    return columns[Int(position) - 1]
  }

  func checkOrderable(_ type: DataType, _ item: SortItemSyntax, in clause: String) throws(QueryError) {
    if type.isOrderable { return }
    throw QueryError(
      .typeMismatch,
      "Type \(type) is not orderable, and therefore cannot be used in \(clause): \(item.expression.text)",
      at: item.expression.errorRange)
  }

  /// Makes columns of sort expressions; constants are no keys.
  func sortKeys(_ orderings: [QueryBlock.Ordering], over plan: LogicalPlan) -> (LogicalPlan, [SortKey]) {
    var materializer = Materializer(self, plan)
    var keys: [SortKey] = []
    for ordering in orderings {
      if case .constant = ordering.expression { continue }
      let column = materializer.column(ordering.expression)
      if keys.contains(where: { $0.column == column }) { continue }
      keys.append(SortKey(column, isAscending: ordering.isAscending, nullsFirst: ordering.nullsFirst))
    }
    return (materializer.plan(), keys)
  }

  // MARK: Set operations

  private func bindSetOperation(_ operation: SetOperationSyntax, _ context: QueryContext) throws(QueryError) -> BoundRows {
    var result = try bindBody(operation.first, context)
    var index = 0
    let terms = operation.terms
    while index < terms.count {
      let first = terms[index]
      var inputs = [result]
      inputs.append(try bindBody(first.body, context))
      index += 1
      // UNIONs of the same kind in a row become one node, and so do long chains of the others: few of them are cheaper
      // one after the other, since each leaves fewer rows for the next.
      let chain = terms[(index - 1)...].prefix { $0.operator == first.operator && $0.isAll == first.isAll }
      let largest =
        first.operator == .union
        ? Int.max : chain.count > Binder.longChainLength ? Binder.largestChainNode : 2
      while inputs.count < largest, index < terms.count, terms[index].operator == first.operator,
        terms[index].isAll == first.isAll
      {
        inputs.append(try bindBody(terms[index].body, context))
        index += 1
      }
      result = try combine(first.operator, isAll: first.isAll, inputs, at: first.operatorRange)
    }
    return result
  }

  /// Operations of one kind in a row that get a node each.
  private static let longChainLength = 16
  /// Inputs of a node for a part of a long chain: each row is looked at once for each.
  private static let largestChainNode = 200

  private func combine(
    _ op: SetOperationSyntax.Operator, isAll: Bool, _ inputs: [BoundRows], at range: SourceRange
  ) throws(QueryError) -> BoundRows {
    let width = inputs[0].columns.count
    var types = inputs[0].columns.map(\.reference.type)
    for input in inputs.dropFirst() {
      guard input.columns.count == width else {
        throw QueryError(
          .typeMismatch, "\(op.rawValue) query has different number of fields: \(width), \(input.columns.count)", at: range)
      }
      for (index, column) in input.columns.enumerated() {
        guard let common = TypeCoercion.commonSuperType(types[index], column.reference.type) else {
          throw QueryError(
            .typeMismatch,
            "column \(index + 1) in \(op.rawValue) query has incompatible types: \(types[index]), \(column.reference.type)",
            at: range)
        }
        types[index] = common
      }
    }
    if op != .union || !isAll {
      for type in types where !type.isComparable {
        throw QueryError(
          .typeMismatch, "Type \(type) is not comparable and therefore cannot be used in \(op.rawValue)\(isAll ? " ALL" : "")",
          at: range)
      }
    }
    let kind: SetOperationNode.Kind =
      switch op {
      case .union: .union
      case .except: .except
      case .intersect: .intersect
      }
    let outputs = zip(inputs[0].columns, types).map { newColumn($0.name ?? $0.reference.name, $1) }
    let node = SetOperationNode(
      kind, isAll: isAll, inputs: inputs.map { conform($0, to: types) }, outputs: outputs)
    let columns = zip(inputs[0].columns, outputs).map { BoundRows.Column(name: $0.name, reference: $1) }
    return BoundRows(plan: .setOperation(node), columns: columns)
  }

  /// Rows whose plan yields exactly the columns, cast to `types`.
  func conform(_ rows: BoundRows, to types: [DataType]) -> LogicalPlan {
    let references = rows.columns.map(\.reference)
    if references.map(\.type) == types, rows.plan.outputs == references { return rows.plan }
    var seen: Set<ColumnID> = []
    var assignments: [ProjectNode.Assignment] = []
    for (reference, type) in zip(references, types) {
      if reference.type == type, seen.insert(reference.id).inserted {
        assignments.append(.init(reference, .column(reference)))
      } else {
        assignments.append(.init(newColumn(reference.name, type), Expression.column(reference).coerced(to: type)))
      }
    }
    return .project(ProjectNode(input: rows.plan, assignments: assignments))
  }

  // MARK: VALUES

  private func bindValues(_ values: ValuesSyntax, _ context: QueryContext) throws(QueryError) -> BoundRows {
    let block = QueryBlock(context: context)
    let place = ExpressionContext(scope: context.outer, block: block, clause: .other("VALUES"))
    var rows: [[Expression]] = []
    rows.reserveCapacity(values.rows.count)
    var types: [DataType] = []
    for row in values.rows {
      var cells: [Expression] = []
      if case .row(let syntax) = row {
        cells.reserveCapacity(syntax.fields.count)
        for field in syntax.fields { cells.append(try bind(field.value, place)) }
      } else {
        let value = try bind(row, place)
        if case .row(let fields) = value.type {
          for (index, field) in fields.enumerated() { cells.append(.field(value, index: index, type: field.type)) }
        } else {
          cells = [value]
        }
      }
      if rows.isEmpty {
        types = cells.map(\.type)
      } else {
        guard cells.count == types.count else {
          throw QueryError(
            .typeMismatch, "Values rows have mismatched sizes: \(types.count) vs \(cells.count)", at: row.range)
        }
        for (index, cell) in cells.enumerated() where cell.type != types[index] {
          guard let common = TypeCoercion.commonSuperType(types[index], cell.type) else {
            throw QueryError(
              .typeMismatch,
              "Values rows have mismatched types: \(DataType.row(types.map { .init(name: nil, type: $0) })) vs "
                + "\(DataType.row(cells.map { .init(name: nil, type: $0.type) }))",
              at: row.range)
          }
          types[index] = common
        }
      }
      rows.append(cells)
    }
    for row in rows.indices {
      for column in types.indices where rows[row][column].type != types[column] {
        rows[row][column] = coerced(rows[row][column], to: types[column])
      }
    }
    let outputs = types.enumerated().map { newColumn("_col\($0)", $1) }
    let columns = outputs.map { BoundRows.Column(name: nil, reference: $0) }
    if block.subqueries.isEmpty, !rows.contains(where: { $0.contains { !$0.columnsUsed.isEmpty } }) {
      return BoundRows(plan: .values(ValuesNode(outputs: outputs, rows: rows)), columns: columns)
    }
    // Rows that depend on other queries: a UNION ALL of one projection each.
    var inputs: [LogicalPlan] = []
    for row in rows {
      let plan = try attachSubqueries(block, to: singleRow, neededBy: row)
      let assignments = row.map { ProjectNode.Assignment(newColumn("_col", $0.type), $0) }
      inputs.append(.project(ProjectNode(input: plan, assignments: assignments)))
    }
    if inputs.count == 1 {
      return BoundRows(
        plan: inputs[0], columns: inputs[0].outputs.map { BoundRows.Column(name: nil, reference: $0) })
    }
    return BoundRows(
      plan: .setOperation(SetOperationNode(.union, isAll: true, inputs: inputs, outputs: outputs)), columns: columns)
  }

  /// One row without columns.
  var singleRow: LogicalPlan { .values(ValuesNode(outputs: [], rows: [[]])) }

  // MARK: WITH

  private func bindWith(_ with: WithSyntax, _ context: QueryContext) throws(QueryError) -> NamedQueries {
    if with.isRecursive, context.named?.isInRecursion == true {
      throw QueryError(.nestedRecursive, "nested recursive WITH query", at: with.range)
    }
    let named = NamedQueries(parent: context.named)
    let inner = QueryContext(named: named, outer: context.outer)
    var seen: Set<String> = []
    for query in with.queries {
      let name = query.name.canonicalName
      guard seen.insert(name).inserted else {
        throw QueryError(
          .duplicateNamedQuery, "WITH query name '\(name)' specified more than once", at: query.name.range)
      }
      var place = inner
      if with.isRecursive {
        if query.columnAliases.isEmpty {
          throw QueryError(
            .missingColumnAliases, "missing column aliases in recursive WITH query", at: query.name.range)
        }
        if let rows = try bindRecursive(query, named, inner) {
          named.set(name, .shared(CommonDefinition(id: newCommonID(), name: name, plan: rows.plan), columns: rows.columns))
          continue
        }
        place.named = NamedQueries(parent: named, isInRecursion: true)
        place.named?.set(name, .recursion(RecursionMarker(name: name, id: newCommonID())))
      }
      let rows = try bindNamedQuery(query, place)
      if rows.plan.readsOpenRecursion {
        named.set(name, .step(RecursiveStepQuery(rows)))
        continue
      }
      if inner.outer != nil, !rows.plan.freeColumns.isEmpty {
        // Later queries may shadow names this one means, so it keeps what it saw.
        let snapshot = NamedQueries(parent: context.named)
        for earlier in with.queries {
          if earlier.name == query.name { break }
          if let entry = named.find(earlier.name.canonicalName) { snapshot.set(earlier.name.canonicalName, entry) }
        }
        named.set(name, .correlated(query, QueryContext(named: snapshot, outer: context.outer)))
      } else {
        try PlanDepth.check(rows.plan, at: query.range)
        named.set(name, .shared(CommonDefinition(id: newCommonID(), name: name, plan: rows.plan), columns: rows.columns))
      }
    }
    return named
  }

  /// Binds a WITH query; its plan yields exactly its columns.
  private func bindNamedQuery(_ query: NamedQuerySyntax, _ context: QueryContext) throws(QueryError) -> BoundRows {
    var rows = try bindQuery(query.query, context)
    rows = exact(rows)
    try rename(&rows.columns, query)
    return rows
  }

  private func rename(_ columns: inout [BoundRows.Column], _ query: NamedQuerySyntax) throws(QueryError) {
    if query.columnAliases.isEmpty { return }
    var seen: Set<String> = []
    for alias in query.columnAliases where !seen.insert(alias.canonicalName).inserted {
      throw QueryError(.duplicateColumnName, "Column name '\(alias.name)' specified more than once", at: alias.range)
    }
    guard query.columnAliases.count == columns.count else {
      throw QueryError(
        .mismatchedColumnAliases,
        "WITH column alias list has \(query.columnAliases.count) entries but WITH query(\(query.name.canonicalName)) has "
          + "\(columns.count) columns",
        at: query.range)
    }
    for (index, alias) in query.columnAliases.enumerated() { columns[index].name = alias.name }
  }

  /// The same rows with a plan that yields the columns and nothing else.
  func exact(_ rows: BoundRows) -> BoundRows {
    let references = rows.columns.map(\.reference)
    if rows.plan.outputs == references { return rows }
    var seen: Set<ColumnID> = []
    var columns = rows.columns
    var assignments: [ProjectNode.Assignment] = []
    for (index, reference) in references.enumerated() {
      if !seen.insert(reference.id).inserted {
        columns[index].reference = newColumn(reference.name, reference.type)
      }
      assignments.append(.init(columns[index].reference, .column(reference)))
    }
    return BoundRows(plan: .project(ProjectNode(input: rows.plan, assignments: assignments)), columns: columns)
  }

  /// The rows of a WITH query where it is used.
  func use(_ entry: NamedQueries.Entry, name: Identifier) throws(QueryError) -> BoundRows {
    switch entry {
    case .shared(let definition, let columns):
      let outputs = columns.map { newColumn($0.name ?? $0.reference.name, $0.reference.type) }
      return BoundRows(
        plan: .common(CommonNode(definition: definition, outputs: outputs)),
        columns: zip(columns, outputs).map { BoundRows.Column(name: $0.name, reference: $1) })
    case .correlated(let query, let context): return try bindNamedQuery(query, context)
    case .step(let query):
      if query.isUsed {
        throw QueryError(
          .invalidRecursiveReference, "multiple recursive references in the step relation of recursion", at: name.range)
      }
      query.isUsed = true
      return query.rows
    case .recursion(let marker):
      marker.uses.append(name.range)
      guard let columns = marker.columns else {
        throw QueryError(
          .invalidRecursiveReference,
          marker.isInAnchor
            ? "WITH table name is referenced in the base relation of recursion"
            : "recursive reference not allowed in this context", at: name.range)
      }
      if marker.uses.count > 1 {
        throw QueryError(
          .invalidRecursiveReference, "multiple recursive references in the step relation of recursion", at: name.range)
      }
      let outputs = columns.map { newColumn($0.name ?? $0.reference.name, $0.reference.type) }
      return BoundRows(
        plan: .recursionInput(RecursionInputNode(id: marker.id, outputs: outputs)),
        columns: zip(columns, outputs).map { BoundRows.Column(name: $0.name, reference: $1) })
    }
  }

  /// Binds a query that refers to itself.
  ///
  /// - Returns: nil when it does not, so that it is an ordinary one.
  private func bindRecursive(
    _ query: NamedQuerySyntax, _ named: NamedQueries, _ context: QueryContext
  ) throws(QueryError) -> BoundRows? {
    let name = query.name.canonicalName
    var body = query.query.body
    // Parentheses around the whole.
    while case .query(let inner) = body, inner.with == nil, inner.orderBy.isEmpty, inner.limit == nil, inner.offset == nil {
      body = inner.body
    }
    guard case .setOperation(let operation) = body, operation.terms[0].operator == .union else { return nil }
    let marker = RecursionMarker(name: name, id: newCommonID())
    let scope = NamedQueries(parent: named, isInRecursion: true)
    scope.set(name, .recursion(marker))
    var inner = QueryContext(named: scope, outer: context.outer)
    if let with = query.query.with { inner.named = try bindWith(with, inner) }

    var base = operation
    let last = base.terms.removeLast()
    let baseBody: QueryBodySyntax = base.terms.isEmpty ? base.first : .setOperation(base)
    marker.isInAnchor = true
    var anchor = exact(try bindBody(baseBody, inner))
    try rename(&anchor.columns, query)
    marker.isInAnchor = false
    marker.columns = anchor.columns
    let step = try bindBody(last.body, inner)
    guard let use = marker.uses.first else { return nil }
    try checkStep(last.body, step.plan, use)
    try checkRecursive(query.query)
    guard step.columns.count == anchor.columns.count else {
      throw QueryError(
        .typeMismatch,
        "base and step relations of recursion have different number of fields: \(anchor.columns.count), "
          + "\(step.columns.count)",
        at: last.body.range)
    }
    for (index, column) in step.columns.enumerated() {
      let wanted = anchor.columns[index].reference.type
      guard TypeCoercion.canCoerce(column.reference.type, to: wanted) else {
        throw QueryError(
          .typeMismatch,
          "recursion step relation output type (\(column.reference.type)) is not coercible to recursion base relation "
            + "output type (\(wanted)) at column \(index + 1)",
          at: last.body.range)
      }
    }
    let types = anchor.columns.map(\.reference.type)
    let outputs = anchor.columns.map { newColumn($0.name ?? $0.reference.name, $0.reference.type) }
    let node = RecursionNode(
      id: marker.id, name: name, initial: anchor.plan, step: conform(step, to: types), outputs: outputs,
      isDistinct: !last.isAll, range: query.range)
    return BoundRows(
      plan: .recursion(node),
      columns: zip(anchor.columns, outputs).map { BoundRows.Column(name: $0.name, reference: $1) })
  }

  /// A recursive query has no clauses around its UNION.
  private func checkRecursive(_ query: QuerySyntax) throws(QueryError) {
    func immediate(_ clause: String, _ code: ErrorCode, at range: SourceRange) -> QueryError {
      QueryError(code, "immediate \(clause) clause in recursive query", at: range)
    }
    if let with = query.with { throw immediate("WITH", .notSupported, at: with.range) }
    if let item = query.orderBy.first { throw immediate("ORDER BY", .notSupported, at: item.expression.range) }
    if query.offset != nil { throw immediate("OFFSET", .notSupported, at: query.range) }
    if query.limit != nil { throw immediate("FETCH FIRST / LIMIT", .invalidLimitClause, at: query.range) }
  }

  /// A recursion's step is a SELECT without LIMIT that reads the rows of the round before in its FROM, where each of them
  /// makes rows of its own.
  ///
  /// - Parameter use: where the query's name stands in the step.
  /// - Source: Trino `StatementAnalyzer.tryProcessRecursiveQuery`, `validateFromClauseOfRecursiveTerm`.
  private func checkStep(_ syntax: QueryBodySyntax, _ plan: LogicalPlan, _ use: SourceRange) throws(QueryError) {
    func invalid(_ message: String) -> QueryError { QueryError(.invalidRecursiveReference, message, at: use) }
    var body = syntax
    while case .query(let query) = body {
      if query.limit != nil {
        throw QueryError(
          .invalidLimitClause, "FETCH FIRST / LIMIT clause in the step relation of recursion", at: query.range)
      }
      body = query.body
    }
    let outside = "recursive reference outside of FROM clause of the step relation of recursion"
    guard case .select(let select) = body, !select.from.isEmpty else { throw invalid(outside) }

    func check(_ plan: LogicalPlan) throws(QueryError) {
      func reads(_ plan: LogicalPlan) -> Bool { plan.readsOpenRecursion }
      switch plan {
      case .apply(let node) where reads(node.subquery):
        guard case .lateral(let isLeft, _) = node.kind else { throw invalid(outside) }
        if isLeft { throw invalid("recursive reference in right source of LEFT join") }
      case .join(let node):
        let name = node.kind == .left ? "LEFT" : node.kind == .right ? "RIGHT" : node.kind == .full ? "FULL" : nil
        guard let name else { break }
        if node.kind != .left, reads(node.left) {
          throw invalid("recursive reference in left source of \(name) join")
        }
        if node.kind != .right, reads(node.right) {
          throw invalid("recursive reference in right source of \(name) join")
        }
      case .setOperation(let node):
        let all = node.isAll ? "ALL" : "DISTINCT"
        if node.kind == .intersect, node.isAll, node.inputs.contains(where: reads) {
          throw invalid("recursive reference in INTERSECT ALL")
        }
        guard node.kind == .except else { break }
        if node.inputs.dropFirst().contains(where: reads) {
          throw invalid("recursive reference in right relation of EXCEPT \(all)")
        }
        if node.isAll, reads(node.inputs[0]) { throw invalid("recursive reference in left relation of EXCEPT ALL") }
      default: break
      }
      for child in plan.children { try check(child) }
    }
    try check(plan)
  }

  /// Refuses lists whose items become nodes one above the other.
  func checkCount(_ count: Int, at range: SourceRange) throws(QueryError) {
    guard count > PlanDepth.largest else { return }
    throw QueryError(.stackOverflow, "statement is too large (its plan is nested too deeply)", at: range)
  }

  func checkStack(_ range: SourceRange) throws(QueryError) {
    if stackGuard.remainingByteCount < 192 * 1024 {
      throw QueryError(.stackOverflow, "statement is too large (stack overflow during analysis)", at: range)
    }
  }
}
