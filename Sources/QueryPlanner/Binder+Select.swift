import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import SQLSyntax

/// One column of a SELECT list.
struct SelectItem {
  /// Over the columns of FROM, and what aggregates, windows and subqueries yield.
  var expression: Expression
  var name: String?
  /// Nil for columns that `*` stands for.
  var syntax: ExpressionSyntax?
  var range: SourceRange
  /// The column that carries it.
  var output: ColumnReference
}

extension Binder {
  /// Binds `SELECT … FROM … WHERE … GROUP BY … HAVING …` with the ORDER BY and LIMIT after it.
  func bindSelect(
    _ select: SelectSyntax, orderBy: [SortItemSyntax], tail: QueryTail, _ context: QueryContext
  ) throws(QueryError) -> BoundRows {
    let source = try bindFrom(select.from, context)
    let scope = Scope(fields: source.fields, parent: context.outer)
    let block = QueryBlock(context: context)
    var plan = source.plan
    if let condition = select.where {
      plan = try filter(plan, condition, scope, block, clause: "WHERE")
    }
    try defineWindows(select.windows, scope, block)
    var items = try bindItems(select, source, scope, block)
    var grouping = try bindGroupBy(select.groupBy, items, scope, block)
    var having = try select.having.map { condition throws(QueryError) in
      var place = ExpressionContext(scope: scope, block: block, clause: .having, clauseRange: condition.errorRange)
      place.clauseRange = condition.errorRange
      return try bindCondition(condition, place, "HAVING clause")
    }
    let isMultiSet = (grouping?.sets.count ?? 1) > 1
    // With DISTINCT, ORDER BY must tell the columns of the SELECT list from those of FROM.
    assignOutputs(&items, Set(source.plan.outputs), keepsColumns: !isMultiSet && !select.isDistinct)

    // ORDER BY and QUALIFY see the SELECT list first, then FROM.
    let fields = items.map { ScopeField(qualifier: [], name: $0.name, reference: $0.output) }
    let outputScope = Scope(fields: fields, parent: scope)
    let subqueryCount = block.subqueries.count
    var computesQualify = false
    var qualify = try select.qualify.map { condition throws(QueryError) in
      let place = ExpressionContext(
        scope: Scope(fields: source.fields, parent: outputScope), block: block, clause: .qualify,
        clauseRange: condition.errorRange)
      let bound = try bindCondition(condition, place, "QUALIFY clause")
      computesQualify = block.subqueries.count > subqueryCount || usesAggregates(bound, block)
      return inlineOutputs(bound, items)
    }
    var orderings = try bindOrderBy(orderBy, items, outputScope, block)
    if let expansion = openExpansion, let condition = select.qualify {
      expansion.wrap(
        select, items, qualify: .init(range: condition.range, isComputed: computesQualify),
        orderBy: zip(orderBy, orderings).map { item, ordering in
          SyntaxForm.integer(item.expression) != nil
            ? nil : .init(range: item.expression.range, isComputed: usesAggregates(ordering.expression, block))
        })
    }
    inlineOutputsInWindows(block, items)

    if grouping == nil, let call = block.groupings.first {
      throw QueryError(
        .missingGroupBy,
        "A GROUPING() operation can only be used with a corresponding GROUPING SET/CUBE/ROLLUP/GROUP BY clause",
        at: call.range)
    }
    if grouping != nil || having != nil || !block.aggregates.isEmpty {
      let keys = grouping ?? Grouping(keys: [], sets: [[]])
      grouping = keys
      let aggregation = try aggregate(plan, keys, block, sourceColumns: Set(source.plan.outputs))
      plan = aggregation.plan
      for index in items.indices {
        let item = items[index]
        items[index].expression = try aggregation.rewrite(item.expression) { missing in
          self.notAggregate(item, missing)
        }
      }
      if let condition = having, let syntax = select.having {
        having = try aggregation.rewrite(condition) { _ in self.notAggregate(syntax) }
      }
      if let condition = qualify, let syntax = select.qualify {
        qualify = try aggregation.rewrite(condition) { _ in self.notAggregate(syntax) }
      }
      for index in orderings.indices {
        let syntax = orderBy[index].expression
        orderings[index].expression = try aggregation.rewrite(orderings[index].expression) { _ in
          self.notAggregate(syntax)
        }
      }
      try block.mapWindowExpressions { (expression, range) throws(QueryError) in
        try aggregation.rewrite(expression) { missing in
          QueryError(
            .expressionNotAggregate,
            "'\(missing)' must be an aggregate expression or appear in GROUP BY clause", at: range)
        }
      }
      try aggregation.rewriteSubqueries(block)
    }
    if let condition = having { plan = try filter(plan, bound: condition, block) }

    if !block.windows.isEmpty || !block.patterns.isEmpty {
      plan = try attachSubqueries(block, to: plan, neededBy: block.windowExpressions)
      plan = try attachWindows(block, to: plan)
    }
    if let condition = qualify { plan = try filter(plan, bound: condition, block) }

    let outputs = items.map(\.output)
    let columns = items.map { BoundRows.Column(name: $0.name, reference: $0.output) }
    plan = try attachSubqueries(block, to: plan, neededBy: items.map(\.expression))
    if select.isDistinct {
      try checkDistinct(select, items, orderings, orderBy)
      plan = .project(ProjectNode(input: plan, assignments: items.map { .init($0.output, $0.expression) }))
      let keys = outputs.map { AggregateNode.Key(input: $0, output: $0) }
      plan = .aggregate(AggregateNode(input: plan, keys: keys, calls: []))
      let sortColumns = orderings.map { ordering in
        QueryBlock.Ordering(
          expression: outputMatching(ordering.expression, items) ?? ordering.expression,
          isAscending: ordering.isAscending, nullsFirst: ordering.nullsFirst)
      }
      var keysOfSort: [SortKey] = []
      (plan, keysOfSort) = sortKeys(sortColumns, over: plan)
      return BoundRows(plan: try limited(plan, keysOfSort, tail), columns: columns)
    }
    return try ordered(plan, items, orderings, block, tail, columns)
  }

  /// Projects the items, sorts and cuts.
  private func ordered(
    _ input: LogicalPlan, _ items: [SelectItem], _ orderings: [QueryBlock.Ordering], _ block: QueryBlock,
    _ tail: QueryTail, _ columns: [BoundRows.Column]
  ) throws(QueryError) -> BoundRows {
    var plan = input
    var assignments = items.map { ProjectNode.Assignment($0.output, $0.expression) }
    if orderings.isEmpty {
      plan = .project(ProjectNode(input: plan, assignments: assignments))
      return BoundRows(plan: try limited(plan, [], tail), columns: columns)
    }
    // Sort keys beside the items come from the same projection; those that also read items need a second one.
    let outputs = Set(items.map(\.output))
    let resolved = orderings.map { ordering in
      var ordering = ordering
      ordering.expression = outputMatching(ordering.expression, items) ?? ordering.expression
      return ordering
    }
    let early = resolved.filter { !isLate($0.expression, outputs, block) }
    plan = try attachSubqueries(block, to: plan, neededBy: early.map(\.expression))
    let available = Set(plan.outputs)
    var passed = outputs
    var computed: [Expression: ColumnReference] = [:]
    var late: [QueryBlock.Ordering] = []
    for ordering in resolved {
      let expression = ordering.expression
      var ordering = ordering
      if case .column(let column) = expression, outputs.contains(column) {
        // An item.
      } else if case .constant = expression {
        // No key.
      } else if !isLate(expression, outputs, block) {
        let column: ColumnReference
        if let known = computed[expression] {
          column = known
        } else if case .column(let own) = expression, available.contains(own) {
          column = own
          if passed.insert(own).inserted { assignments.append(.init(own, expression)) }
        } else {
          column = newColumn("sortkey", expression.type)
          assignments.append(.init(column, expression))
          passed.insert(column)
          if expression.isDeterministic { computed[expression] = column }
        }
        ordering.expression = .column(column)
      } else {
        var needed = expression.columnsUsed
        for subquery in block.subqueries where !subquery.isAttached && needed.contains(subquery.output) {
          needed.formUnion(subquery.plan.freeColumns)
          if let probe = subquery.probe { needed.formUnion(probe.columnsUsed) }
        }
        for column in needed.intersection(available).subtracting(passed).sorted(by: { $0.id.rawValue < $1.id.rawValue }) {
          passed.insert(column)
          assignments.append(.init(column, .column(column)))
        }
      }
      late.append(ordering)
    }
    plan = .project(ProjectNode(input: plan, assignments: assignments))
    plan = try attachSubqueries(block, to: plan, neededBy: late.map(\.expression))
    var keys: [SortKey] = []
    (plan, keys) = sortKeys(late, over: plan)
    plan = try limited(plan, keys, tail)
    return BoundRows(plan: plan, columns: columns)
  }

  /// Whether a sort expression reads columns that only the projection of the SELECT list makes.
  private func isLate(_ expression: Expression, _ outputs: Set<ColumnReference>, _ block: QueryBlock) -> Bool {
    let used = expression.columnsUsed
    if !used.isDisjoint(with: outputs) { return true }
    return block.subqueries.contains { subquery in
      !subquery.isAttached && used.contains(subquery.output)
        && (!subquery.plan.freeColumns.isDisjoint(with: outputs)
          || !(subquery.probe?.columnsUsed.isDisjoint(with: outputs) ?? true))
    }
  }

  /// The output column of an item that is the same expression.
  private func outputMatching(_ expression: Expression, _ items: [SelectItem]) -> Expression? {
    if case .constant = expression { return nil }
    guard expression.isDeterministic else { return nil }
    return items.first { $0.expression == expression }.map { .column($0.output) }
  }

  // MARK: SELECT list

  private func bindItems(
    _ select: SelectSyntax, _ source: BoundRelation, _ scope: Scope, _ block: QueryBlock
  ) throws(QueryError) -> [SelectItem] {
    let placeholder = ColumnReference(id: ColumnID(-1), name: "", type: .unknown)
    var items: [SelectItem] = []
    if let expansion = openExpansion, select.trailingComma.start != select.trailingComma.end {
      expansion.replace(select.trailingComma, [])
    }
    for item in select.items {
      switch item {
      case .expression(let item):
        let place = ExpressionContext(scope: scope, block: block, clause: .select)
        let expression = try bind(item.expression, place)
        items.append(
          SelectItem(
            expression: expression, name: item.alias?.name ?? derivedName(item.expression), syntax: item.expression,
            range: item.expression.errorRange, output: placeholder))
      case .star(let star):
        for column in try expandStar(star, select, source, scope, block) {
          items.append(
            SelectItem(
              expression: column.expression, name: column.name, syntax: column.syntax, range: star.range,
              output: placeholder))
        }
      }
    }
    return items
  }

  /// The name of an item without alias: that of the column or field it is.
  func derivedName(_ expression: ExpressionSyntax) -> String? {
    switch expression {
    case .identifier(let identifier): identifier.name
    case .dereference(let dereference): dereference.field.name
    default: nil
    }
  }

  private struct StarColumn {
    var name: String?
    var expression: Expression
    var syntax: ExpressionSyntax?
    /// The relation's name, for columns of FROM.
    var relation: String?
  }

  private func expandStar(
    _ star: SelectStarSyntax, _ select: SelectSyntax, _ source: BoundRelation, _ scope: Scope, _ block: QueryBlock
  ) throws(QueryError) -> [StarColumn] {
    var columns: [StarColumn] = []
    if let qualifier = star.qualifier {
      let parts = qualifier.qualifiedName?.parts
      var current: Scope? = parts == nil ? nil : scope
      while let searched = current, let parts {
        let fields = searched.fields.filter { !$0.isHidden && $0.matches(prefix: parts) }
        if !fields.isEmpty {
          columns = fields.map { StarColumn(name: $0.name, expression: .column($0.reference), relation: $0.qualifier.last) }
          break
        }
        if !searched.localMatches(parts).isEmpty || searched.isColumnPrefix(parts) { break }
        current = searched.parent
      }
      if columns.isEmpty {
        if let parts, try !scope.namesRow(parts, at: qualifier.range) {
          let relations = Set(scope.fields.compactMap(\.qualifier.last)).sorted()
          throw QueryError(
            .tableNotFound, "Unable to resolve reference \(parts.map(\.canonicalName).joined(separator: "."))",
            at: qualifier.range, hint: NameSuggestion.hint(for: parts[parts.count - 1].canonicalName, among: relations))
        }
        let place = ExpressionContext(scope: scope, block: block, clause: .select)
        if let members = try bindJSONAccessor(qualifier, suffix: ".*", place) {
          columns = [StarColumn(name: nil, expression: members)]
        } else {
          let value = try bind(qualifier, place)
          guard case .row(let fields) = value.type else {
            throw QueryError(
              .typeMismatch, "expected expression of type Row", at: qualifier.range)
          }
          columns = fields.enumerated().map { index, field in
            StarColumn(name: field.name, expression: .field(value, index: index, type: field.type))
          }
        }
      }
      if !star.aliases.isEmpty {
        guard star.aliases.count == columns.count else {
          throw QueryError(
            .mismatchedColumnAliases,
            "Column alias list has \(star.aliases.count) entries but relation has \(columns.count) columns", at: star.range)
        }
        for (index, alias) in star.aliases.enumerated() { columns[index].name = alias.name }
      }
    } else {
      if select.from.isEmpty {
        throw QueryError(.columnNotFound, "SELECT * not allowed in queries without FROM clause", at: star.range)
      }
      columns = source.fields.filter { !$0.isHidden }.map {
        StarColumn(name: $0.name, expression: .column($0.reference), relation: $0.qualifier.last)
      }
      if columns.isEmpty {
        throw QueryError(.columnNotFound, "SELECT * not allowed from relation that has no columns", at: star.range)
      }
    }
    for name in star.except {
      let count = columns.count
      columns.removeAll { $0.name?.canonicalIdentifier == name.canonicalName }
      if columns.count == count { throw columnNotFound([name], columns.compactMap(\.name), at: name.range) }
    }
    for replacement in star.replace {
      let matches = columns.indices.filter { columns[$0].name?.canonicalIdentifier == replacement.name.canonicalName }
      if matches.isEmpty {
        throw columnNotFound([replacement.name], columns.compactMap(\.name), at: replacement.name.range)
      }
      let place = ExpressionContext(scope: scope, block: block, clause: .select)
      let expression = try bind(replacement.expression, place)
      for index in matches {
        columns[index].expression = expression
        columns[index].syntax = replacement.expression
      }
    }
    if let expansion = openExpansion, !star.except.isEmpty || !star.replace.isEmpty {
      writeOut(star, columns, expansion)
    }
    return columns
  }

  /// Notes the columns that `* EXCEPT` or `* REPLACE` stands for.
  private func writeOut(_ star: SelectStarSyntax, _ columns: [StarColumn], _ expansion: ExtensionExpansion) {
    let qualifies = Set(columns.map(\.relation)).count > 1 || star.qualifier != nil
    var pieces: [ExtensionExpansion.Piece] = []
    for column in columns {
      guard let name = column.name, star.aliases.isEmpty else {
        return expansion.fail("Columns without names of their own cannot be written out", star.range)
      }
      if !pieces.isEmpty { pieces.append(.text(", ")) }
      let quoted = ExtensionExpansion.quoted(name)
      if let syntax = column.syntax {
        pieces += [.source(syntax.range), .text(" AS \(quoted)")]
      } else if qualifies, let relation = column.relation {
        pieces.append(.text("\(ExtensionExpansion.quoted(relation)).\(quoted)"))
      } else if column.relation == nil, let qualifier = star.qualifier {
        pieces += [.text("("), .source(qualifier.range), .text(").\(quoted)")]
      } else {
        pieces.append(.text(quoted))
      }
    }
    expansion.replace(star.range, pieces)
  }

  /// Gives each item the column that carries it: the source's own where it is one, so that plans stay small.
  private func assignOutputs(_ items: inout [SelectItem], _ source: Set<ColumnReference>, keepsColumns: Bool) {
    var seen: Set<ColumnReference> = []
    for index in items.indices {
      let item = items[index]
      if keepsColumns, case .column(let column) = item.expression, source.contains(column), seen.insert(column).inserted {
        items[index].output = column
      } else {
        items[index].output = newColumn(item.name ?? "_col\(index)", item.expression.type)
      }
    }
  }

  // MARK: Conditions

  /// Binds a condition, which must be boolean.
  func bindCondition(
    _ condition: ExpressionSyntax, _ place: ExpressionContext, _ clause: String
  ) throws(QueryError) -> Expression {
    let expression = try bind(condition, place)
    if expression.type == .boolean { return expression }
    if expression.type == .unknown { return expression.coerced(to: .boolean) }
    throw QueryError(
      .typeMismatch, "\(clause) must evaluate to a boolean: actual type \(expression.type)", at: condition.errorRange)
  }

  private func filter(
    _ plan: LogicalPlan, _ condition: ExpressionSyntax, _ scope: Scope, _ block: QueryBlock, clause: String
  ) throws(QueryError) -> LogicalPlan {
    let place = ExpressionContext(
      scope: scope, block: block, clause: .other("\(clause) clause"), clauseRange: condition.errorRange)
    return try filter(plan, bound: try bindCondition(condition, place, "\(clause) clause"), block)
  }

  /// Keeps rows that satisfy `condition`; what needs no subquery is tested before subqueries are run.
  func filter(_ plan: LogicalPlan, bound condition: Expression, _ block: QueryBlock) throws(QueryError) -> LogicalPlan {
    let pending = Set(block.subqueries.filter { !$0.isAttached }.map(\.output))
    if pending.isEmpty { return .filter(FilterNode(input: plan, predicate: condition)) }
    let conjuncts = condition.conjuncts
    let plain = conjuncts.filter { $0.columnsUsed.isDisjoint(with: pending) }
    let rest = conjuncts.filter { !$0.columnsUsed.isDisjoint(with: pending) }
    var plan = plan
    if !plain.isEmpty { plan = .filter(FilterNode(input: plan, predicate: .conjunction(plain))) }
    if rest.isEmpty { return plan }
    plan = try attachSubqueries(block, to: plan, neededBy: rest)
    return .filter(FilterNode(input: plan, predicate: .conjunction(rest)))
  }

  // MARK: ORDER BY

  private func bindOrderBy(
    _ items: [SortItemSyntax], _ selected: [SelectItem], _ scope: Scope, _ block: QueryBlock
  ) throws(QueryError) -> [QueryBlock.Ordering] {
    var orderings: [QueryBlock.Ordering] = []
    for item in items {
      let expression: Expression
      if let position = SyntaxForm.integer(item.expression) {
        expression = .column(try outputColumn(position, selected.map(\.output), "ORDER BY", item.expression.range))
      } else {
        var place = ExpressionContext(
          scope: scope, block: block, clause: .orderBy, clauseRange: item.expression.errorRange)
        place.outputScope = scope
        expression = try bind(item.expression, place)
      }
      try checkOrderable(expression.type, item, in: "ORDER BY")
      orderings.append(ordering(item, expression))
    }
    return orderings
  }

  /// Output columns replaced by what they are computed from.
  private func inlineOutputs(_ expression: Expression, _ items: [SelectItem]) -> Expression {
    var map: [ColumnID: Expression] = [:]
    for item in items where item.expression != .column(item.output) { map[item.output.id] = item.expression }
    return expression.replacing(map)
  }

  private func inlineOutputsInWindows(_ block: QueryBlock, _ items: [SelectItem]) {
    let outputs = Set(items.filter { $0.expression != .column($0.output) }.map(\.output))
    guard block.windowExpressions.contains(where: { !$0.columnsUsed.isDisjoint(with: outputs) }) else { return }
    try? block.mapWindowExpressions { (expression, _) throws(QueryError) in self.inlineOutputs(expression, items) }
  }

  private func checkDistinct(
    _ select: SelectSyntax, _ items: [SelectItem], _ orderings: [QueryBlock.Ordering], _ orderBy: [SortItemSyntax]
  ) throws(QueryError) {
    for item in items where !item.expression.type.isComparable {
      throw QueryError(
        .typeMismatch, "DISTINCT can only be applied to comparable types (actual: \(item.expression.type))",
        at: item.range)
    }
    let outputs = Set(items.map(\.output))
    for (index, ordering) in orderings.enumerated() {
      if case .column(let column) = ordering.expression, outputs.contains(column) { continue }
      if case .constant = ordering.expression { continue }
      if items.contains(where: { $0.expression == ordering.expression }) { continue }
      throw QueryError(
        .expressionNotInDistinct, "For SELECT DISTINCT, ORDER BY expressions must appear in select list",
        at: select.keywordRange, hint: "'\(orderBy[index].expression.text)' is not in the select list.")
    }
  }

  private func notAggregate(_ item: SelectItem, _ missing: String) -> QueryError {
    guard let syntax = item.syntax else {
      return QueryError(.expressionNotAggregate, "Column '\(missing)' not in GROUP BY clause", at: item.range)
    }
    return notAggregate(syntax)
  }

  private func notAggregate(_ syntax: ExpressionSyntax) -> QueryError {
    QueryError(
      .expressionNotAggregate, "'\(syntax.text)' must be an aggregate expression or appear in GROUP BY clause",
      at: syntax.errorRange)
  }
}
