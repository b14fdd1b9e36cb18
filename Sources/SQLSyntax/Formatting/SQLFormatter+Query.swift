// MARK: - Queries

extension SQLFormatter {
  /// Writes `(query)`, indented when laid out in lines.
  mutating func writeParenthesized(_ query: QuerySyntax) {
    text += "("
    if layout == .lines {
      indent += 1
      writeBreak()
      write(query)
      indent -= 1
      writeBreak()
    } else {
      write(query)
    }
    text += ")"
  }

  mutating func write(_ query: QuerySyntax) {
    if let with = query.with {
      text += with.isRecursive ? "WITH RECURSIVE " : "WITH "
      for (position, named) in with.queries.enumerated() {
        if position > 0 {
          text += ","
          writeBreak()
        }
        write(named.name)
        if !named.columnAliases.isEmpty {
          text += " "
          writeNames(named.columnAliases)
        }
        text += " AS "
        writeParenthesized(named.query)
      }
      writeBreak()
    }
    write(query.body)
    if !query.orderBy.isEmpty {
      writeBreak()
      writeOrderBy(query.orderBy)
    }
    if let offset = query.offset {
      writeBreak()
      text += "OFFSET "
      write(offset)
      text += " ROWS"
    }
    switch query.limit {
    case .all:
      writeBreak()
      text += "LIMIT ALL"
    case .limit(let count):
      writeBreak()
      text += "LIMIT "
      write(count)
    case .fetchFirst(let count, let isWithTies):
      writeBreak()
      text += "FETCH FIRST "
      if let count {
        write(count)
        text += " "
      }
      text += isWithTies ? "ROWS WITH TIES" : "ROWS ONLY"
    case nil: break
    }
  }

  private mutating func write(_ count: RowCountSyntax) {
    switch count {
    case .integer(let value, _): text += String(value)
    case .parameter: text += "?"
    }
  }

  private mutating func write(_ body: QueryBodySyntax) {
    switch body {
    case .select(let select): write(select)
    case .values(let values):
      text += "VALUES "
      if layout == .lines {
        indent += 1
        for (position, row) in values.rows.enumerated() {
          writeBreak()
          text += position > 0 ? ", " : "  "
          write(row)
        }
        indent -= 1
      } else {
        writeExpressions(values.rows)
      }
    case .table(let table):
      text += "TABLE "
      write(table.name)
    case .query(let query): writeParenthesized(query)
    case .setOperation(let operation):
      write(operation.first)
      for term in operation.terms {
        writeBreak()
        text += term.operator.rawValue + (term.isAll ? " ALL" : "")
        writeBreak()
        write(term.body)
      }
    }
  }

  mutating func writeOrderBy(_ items: [SortItemSyntax]) {
    text += "ORDER BY "
    writeList(items) { $0.write($1) }
  }

  mutating func write(_ item: SortItemSyntax) {
    write(item.expression)
    if item.isDescending { text += " DESC" }
    if let isNullsFirst = item.isNullsFirst { text += isNullsFirst ? " NULLS FIRST" : " NULLS LAST" }
  }

  private mutating func write(_ select: SelectSyntax) {
    text += select.isDistinct ? "SELECT DISTINCT" : "SELECT"
    writeColumn(select.items) { $0.write($1) }
    if !select.from.isEmpty {
      writeBreak()
      text += "FROM"
      writeColumn(select.from) { $0.write($1) }
    }
    if let condition = select.where {
      writeBreak()
      text += "WHERE "
      write(condition)
    }
    if let groupBy = select.groupBy {
      writeBreak()
      text += "GROUP BY "
      write(groupBy)
    }
    if let having = select.having {
      writeBreak()
      text += "HAVING "
      write(having)
    }
    if !select.windows.isEmpty {
      writeBreak()
      text += "WINDOW "
      writeList(select.windows) { formatter, window in
        formatter.write(window.name)
        formatter.write(" AS ")
        formatter.write(window.specification)
      }
    }
    if let qualify = select.qualify {
      writeBreak()
      text += "QUALIFY "
      write(qualify)
    }
  }

  /// Writes a list one element a line, commas first; or on the same line.
  private mutating func writeColumn<Element>(_ list: [Element], _ body: (inout SQLFormatter, Element) -> Void) {
    guard layout == .lines else {
      text += " "
      writeList(list, body)
      return
    }
    for (position, element) in list.enumerated() {
      writeBreak()
      text += position > 0 ? ", " : "  "
      indent += 1
      body(&self, element)
      indent -= 1
    }
  }

  private mutating func write(_ item: SelectItemSyntax) {
    switch item {
    case .expression(let item):
      write(item.expression)
      if let alias = item.alias {
        text += " AS "
        write(alias)
      }
    case .star(let star):
      if let qualifier = star.qualifier {
        let needsParentheses =
          switch qualifier {
          case .identifier, .dereference, .functionCall, .subscript, .cast, .row, .array, .subquery: false
          default: true
          }
        if needsParentheses { text += "(" }
        write(qualifier)
        if needsParentheses { text += ")" }
        text += "."
      }
      text += "*"
      if !star.aliases.isEmpty {
        text += " AS "
        writeNames(star.aliases)
      }
      if !star.except.isEmpty {
        text += " EXCEPT "
        writeNames(star.except)
      }
      if !star.replace.isEmpty {
        text += " REPLACE ("
        writeList(star.replace) { formatter, replacement in
          formatter.write(replacement.expression)
          formatter.write(" AS ")
          formatter.write(replacement.name)
        }
        text += ")"
      }
    }
  }

  private mutating func write(_ groupBy: GroupBySyntax) {
    if groupBy.isEveryItem {
      text += "ALL"
      return
    }
    if groupBy.isDistinct { text += "DISTINCT " }
    writeList(groupBy.elements) { formatter, element in
      switch element {
      case .simple(let expressions): formatter.writeGroupingSet(expressions)
      case .rollup(let sets): formatter.writeGroupingSets("ROLLUP", sets)
      case .cube(let sets): formatter.writeGroupingSets("CUBE", sets)
      case .groupingSets(let sets): formatter.writeGroupingSets("GROUPING SETS", sets)
      }
    }
  }

  private mutating func writeGroupingSet(_ expressions: [ExpressionSyntax]) {
    if expressions.count == 1 {
      write(expressions[0])
    } else {
      text += "("
      writeExpressions(expressions)
      text += ")"
    }
  }

  private mutating func writeGroupingSets(_ word: String, _ sets: [[ExpressionSyntax]]) {
    text += word + " ("
    writeList(sets) { $0.writeGroupingSet($1) }
    text += ")"
  }
}

// MARK: - Relations

extension SQLFormatter {
  /// Writes a relation that an alias, a sample or a pattern may follow.
  private mutating func writePrimary(_ relation: RelationSyntax) {
    switch relation {
    case .join, .sampled, .aliased, .matchRecognize:
      text += "("
      write(relation)
      text += ")"
    default: write(relation)
    }
  }

  mutating func write(_ relation: RelationSyntax) {
    switch relation {
    case .table(let table):
      write(table.name)
      if let period = table.period {
        text += " FOR \(period.unit.rawValue) AS OF "
        write(period.end)
      }
    case .file(let file): write(file.path)
    case .subquery(let subquery): writeParenthesized(subquery.query)
    case .lateral(let subquery):
      text += "LATERAL "
      writeParenthesized(subquery.query)
    case .unnest(let unnest):
      text += "UNNEST("
      writeExpressions(unnest.expressions)
      text += unnest.isWithOrdinality ? ") WITH ORDINALITY" : ")"
    case .tableFunction(let function):
      text += "TABLE("
      write(function)
      text += ")"
    case .jsonTable(let table): write(table)
    case .aliased(let aliased):
      if case .matchRecognize = aliased.relation {
        write(aliased.relation)
      } else {
        writePrimary(aliased.relation)
      }
      writeAlias(aliased.alias, aliased.columnAliases)
    case .sampled(let sampled):
      if case .aliased = sampled.relation {
        write(sampled.relation)
      } else {
        writePrimary(sampled.relation)
      }
      text += " TABLESAMPLE \(sampled.method.rawValue) ("
      write(sampled.percentage)
      text += ")"
    case .matchRecognize(let match): write(match)
    case .join(let join): write(join)
    }
  }

  private mutating func writeAlias(_ alias: Identifier, _ columns: [Identifier]) {
    text += " AS "
    write(alias)
    if !columns.isEmpty {
      text += " "
      writeNames(columns)
    }
  }

  private mutating func write(_ join: JoinSyntax) {
    write(join.left)
    writeBreak()
    if case .natural = join.condition { text += "NATURAL " }
    text += join.kind.rawValue + " JOIN "
    if case .join = join.right {
      text += "("
      write(join.right)
      text += ")"
    } else {
      write(join.right)
    }
    switch join.condition {
    case .none, .natural: break
    case .on(let condition):
      text += " ON "
      write(condition)
    case .using(let columns):
      text += " USING "
      writeNames(columns)
    }
  }

  private mutating func write(_ function: TableFunctionSyntax) {
    write(function.name)
    text += "("
    writeList(function.arguments) { formatter, argument in
      if let name = argument.name {
        formatter.write(name)
        formatter.write(" => ")
      }
      switch argument.value {
      case .table(let table): formatter.write(table)
      case .descriptor(let fields):
        formatter.write("DESCRIPTOR(")
        formatter.writeList(fields) { formatter, field in
          formatter.write(field.name)
          if let type = field.type {
            formatter.write(" ")
            formatter.write(type)
          }
        }
        formatter.write(")")
      case .nullDescriptor: formatter.write("CAST(NULL AS DESCRIPTOR)")
      case .expression(let expression): formatter.write(expression)
      }
    }
    if !function.copartitions.isEmpty {
      text += " COPARTITION "
      writeList(function.copartitions) { formatter, names in
        formatter.write("(")
        formatter.writeList(names) { $0.write($1) }
        formatter.write(")")
      }
    }
    text += ")"
  }

  private mutating func write(_ argument: TableArgumentSyntax) {
    var relation = argument.relation
    var alias: AliasedRelationSyntax?
    if case .aliased(let aliased) = relation {
      alias = aliased
      relation = aliased.relation
    }
    text += "TABLE"
    if case .table(let table) = relation {
      text += "("
      write(table.name)
      text += ")"
    } else {
      write(relation)
    }
    if let alias { writeAlias(alias.alias, alias.columnAliases) }
    if let partitionBy = argument.partitionBy {
      text += " PARTITION BY ("
      writeExpressions(partitionBy)
      text += ")"
    }
    if let isPrune = argument.isPruneWhenEmpty { text += isPrune ? " PRUNE WHEN EMPTY" : " KEEP WHEN EMPTY" }
    if !argument.orderBy.isEmpty {
      text += " ORDER BY ("
      writeList(argument.orderBy) { $0.write($1) }
      text += ")"
    }
  }

  private mutating func write(_ table: JSONTableSyntax) {
    text += "JSON_TABLE("
    write(table.path)
    text += " "
    write(table.columns)
    switch table.plan {
    case .default(let isOuter, let isUnion):
      text += " PLAN DEFAULT (\(isOuter ? "OUTER" : "INNER"), \(isUnion ? "UNION" : "CROSS"))"
    case .some(let plan):
      text += " PLAN ("
      write(plan)
      text += ")"
    case nil: break
    }
    if let isError = table.isErrorOnError { text += isError ? " ERROR ON ERROR" : " EMPTY ON ERROR" }
    text += ")"
  }

  private mutating func write(_ columns: [JSONTableColumnSyntax]) {
    text += "COLUMNS ("
    writeList(columns) { $0.write($1) }
    text += ")"
  }

  private mutating func write(_ column: JSONTableColumnSyntax) {
    switch column {
    case .ordinality(let name):
      write(name)
      text += " FOR ORDINALITY"
    case .value(let column):
      write(column.name)
      text += " "
      write(column.type)
      writePath(column.path)
      writeBehavior(column.onEmpty, "EMPTY")
      writeBehavior(column.onError, "ERROR")
    case .query(let column):
      write(column.name)
      text += " "
      write(column.type)
      text += " FORMAT " + column.format.rawValue
      writePath(column.path)
      if let wrapper = column.wrapper { text += " \(wrapper.rawValue) WRAPPER" }
      if let quotes = column.quotes { write(quotes) }
      writeBehavior(column.onEmpty, "EMPTY")
      writeBehavior(column.onError, "ERROR")
    case .nested(let nested):
      text += "NESTED PATH "
      write(nested.path)
      if let name = nested.pathName {
        text += " AS "
        write(name)
      }
      text += " "
      write(nested.columns)
    }
  }

  private mutating func writePath(_ path: StringSyntax?) {
    guard let path else { return }
    text += " PATH "
    write(path)
  }

  private mutating func write(_ plan: JSONTablePlanSyntax) {
    switch plan {
    case .leaf(let name): write(name)
    case .join(let parent, let isOuter, let child):
      write(parent)
      text += isOuter ? " OUTER " : " INNER "
      writePlanPrimary(child)
    case .union(let plans): writeList(plans, separator: " UNION ") { $0.writePlanPrimary($1) }
    case .cross(let plans): writeList(plans, separator: " CROSS ") { $0.writePlanPrimary($1) }
    case .default: break
    }
  }

  private mutating func writePlanPrimary(_ plan: JSONTablePlanSyntax) {
    if case .leaf(let name) = plan {
      write(name)
    } else {
      text += "("
      write(plan)
      text += ")"
    }
  }
}

// MARK: - Row patterns

extension SQLFormatter {
  private mutating func write(_ match: MatchRecognizeSyntax) {
    if case .aliased = match.input {
      write(match.input)
    } else {
      writePrimary(match.input)
    }
    text += " MATCH_RECOGNIZE ("
    if !match.partitionBy.isEmpty {
      text += "PARTITION BY "
      writeExpressions(match.partitionBy)
      text += " "
    }
    if !match.orderBy.isEmpty {
      writeOrderBy(match.orderBy)
      text += " "
    }
    if !match.measures.isEmpty {
      writeMeasures(match.measures)
      text += " "
    }
    if let rows = match.rowsPerMatch { text += rows.rawValue + " " }
    if let afterMatch = match.afterMatch {
      write(afterMatch)
      text += " "
    }
    if let mode = match.searchMode { text += mode.rawValue + " " }
    text += "PATTERN ("
    write(match.pattern)
    text += ") "
    if !match.subsets.isEmpty {
      writeSubsets(match.subsets)
      text += " "
    }
    writeDefinitions(match.definitions)
    text += ")"
  }

  mutating func writeMeasures(_ measures: [MeasureDefinitionSyntax]) {
    text += "MEASURES "
    writeList(measures) { formatter, measure in
      formatter.write(measure.expression)
      formatter.write(" AS ")
      formatter.write(measure.name)
    }
  }

  mutating func writeSubsets(_ subsets: [SubsetDefinitionSyntax]) {
    text += "SUBSET "
    writeList(subsets) { formatter, subset in
      formatter.write(subset.name)
      formatter.write(" = ")
      formatter.writeNames(subset.members)
    }
  }

  mutating func writeDefinitions(_ definitions: [VariableDefinitionSyntax]) {
    text += "DEFINE "
    writeList(definitions) { formatter, definition in
      formatter.write(definition.name)
      formatter.write(" AS ")
      formatter.write(definition.condition)
    }
  }

  mutating func write(_ skip: SkipToSyntax) {
    text += "AFTER MATCH SKIP "
    switch skip {
    case .nextRow: text += "TO NEXT ROW"
    case .pastLastRow: text += "PAST LAST ROW"
    case .first(let name):
      text += "TO FIRST "
      write(name)
    case .last(let name):
      text += "TO LAST "
      write(name)
    }
  }

  mutating func write(_ pattern: RowPatternSyntax) {
    switch pattern {
    case .variable(let name): write(name)
    case .empty: text += "()"
    case .partitionStart: text += "^"
    case .partitionEnd: text += "$"
    case .concatenation(let parts): writeList(parts, separator: " ") { $0.writePart($1) }
    case .alternation(let parts):
      writeList(parts, separator: " | ") { formatter, part in
        if case .alternation = part { formatter.writeGroup(part) } else { formatter.write(part) }
      }
    case .permutation(let parts):
      text += "PERMUTE("
      writeList(parts) { $0.write($1) }
      text += ")"
    case .exclusion(let part, _):
      text += "{- "
      write(part)
      text += " -}"
    case .quantified(let part, let quantifier):
      switch part {
      case .concatenation, .alternation, .quantified: writeGroup(part)
      default: write(part)
      }
      write(quantifier)
    }
  }

  /// Writes a part of a concatenation.
  private mutating func writePart(_ pattern: RowPatternSyntax) {
    switch pattern {
    case .concatenation, .alternation: writeGroup(pattern)
    default: write(pattern)
    }
  }

  private mutating func writeGroup(_ pattern: RowPatternSyntax) {
    text += "("
    write(pattern)
    text += ")"
  }

  private mutating func write(_ quantifier: RowPatternQuantifier) {
    switch (quantifier.atLeast, quantifier.atMost) {
    case (0, nil): text += "*"
    case (1, nil): text += "+"
    case (0, 1): text += "?"
    case (let least, let most) where least == most: text += "{\(least)}"
    case (let least, let most?): text += "{\(least),\(most)}"
    case (let least, nil): text += "{\(least),}"
    }
    if quantifier.isReluctant { text += "?" }
  }
}
