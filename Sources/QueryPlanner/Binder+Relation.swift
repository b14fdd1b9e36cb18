import Columnar
import ConnectorSDK
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions
import SQLSyntax
import TableCatalog

/// A relation of FROM: its plan, and the columns names may mean.
struct BoundRelation {
  var plan: LogicalPlan
  var fields: [ScopeField]
}

extension Binder {
  /// Binds the comma-separated relations of FROM; no relation at all is one row without columns.
  func bindFrom(_ relations: [RelationSyntax], _ context: QueryContext) throws(QueryError) -> BoundRelation {
    guard let first = relations.first else { return BoundRelation(plan: singleRow, fields: []) }
    try checkCount(relations.count, at: first.range)
    var result = try bindRelation(first, context)
    for relation in relations.dropFirst() {
      result = try join(.cross, result, relation, .none, relation.range, context)
    }
    return result
  }

  func bindRelation(_ relation: RelationSyntax, _ context: QueryContext) throws(QueryError) -> BoundRelation {
    try checkStack(relation.range)
    switch relation {
    case .table(let table): return try bindTable(table, context)
    case .file(let file):
      guard let resolved = try catalog.resolve(path: file.path.value, nil, at: file.range) else {
        throw QueryError(.tableNotFound, "No files match '\(file.path.value)'", at: file.range)
      }
      return try relationOf(resolved, nil, file.range)
    case .subquery(let subquery), .lateral(let subquery):
      let rows = try bindQuery(subquery.query, context)
      return BoundRelation(
        plan: rows.plan, fields: rows.columns.map { ScopeField(qualifier: [], name: $0.name, reference: $0.reference) })
    case .unnest(let unnest): return try bindUnnest(unnest, left: nil, isLeft: false, context)
    case .tableFunction(let function): return try bindTableFunction(function, context)
    case .jsonTable(let table): return try bindJSONTable(table, left: nil, isLeft: false, context)
    case .aliased(let aliased): return try alias(try bindRelation(aliased.relation, context), aliased)
    case .sampled(let sampled): return try sample(try bindRelation(sampled.relation, context), sampled, context)
    case .matchRecognize(let match): return try bindMatchRecognize(match, context)
    case .join(let node):
      let left = try bindRelation(node.left, context)
      return try join(node.kind, left, node.right, node.condition, node.range, context)
    }
  }

  // MARK: Tables and views

  func bindTable(_ table: TableSyntax, _ context: QueryContext) throws(QueryError) -> BoundRelation {
    if let period = table.period {
      throw .notSupported("Time travel (FOR \(period.unit.rawValue) AS OF) is not supported", at: period.range)
    }
    let parts = table.name.parts
    if parts.count == 1, let entry = context.named?.find(parts[0].canonicalName) {
      let rows = try use(entry, name: parts[0])
      let qualifier = [parts[0].canonicalName]
      return BoundRelation(
        plan: rows.plan,
        fields: rows.columns.map { ScopeField(qualifier: qualifier, name: $0.name, reference: $0.reference) })
    }
    guard parts.count <= 3 else {
      throw QueryError(.syntaxError, "Too many dots in table name: \(table.name.canonicalName)", at: table.range)
    }
    let name = TableName(
      catalog: parts.count > 2 ? parts[0].canonicalName : session.catalog,
      database: parts.count > 1 ? parts[parts.count - 2].canonicalName : session.database,
      name: parts[parts.count - 1].canonicalName)
    guard let resolved = try catalog.resolve(name) else { throw tableNotFound(name, context, at: table.range) }
    return try relationOf(resolved, name, table.range)
  }

  private func tableNotFound(_ name: TableName, _ context: QueryContext, at range: SourceRange) -> QueryError {
    guard catalog.catalogNames.contains(name.catalog) else {
      return QueryError(
        .catalogNotFound, "Catalog '\(name.catalog)' does not exist", at: range,
        hint: NameSuggestion.hint(for: name.catalog, among: catalog.catalogNames))
    }
    guard let names = catalog.relationNames(catalog: name.catalog, database: name.database) else {
      return QueryError(.schemaNotFound, "Schema '\(name.database)' does not exist", at: range)
    }
    return QueryError(
      .tableNotFound, "Table '\(name)' does not exist", at: range,
      hint: NameSuggestion.hint(for: name.name, among: names))
  }

  func relationOf(
    _ resolved: ResolvedRelation, _ name: TableName?, _ range: SourceRange
  ) throws(QueryError) -> BoundRelation {
    switch resolved {
    case .table(let table): return scan(table, qualifier: name.map { [$0.catalog, $0.database, $0.name] } ?? [])
    case .view(let view): return try expand(view, range)
    case .foreign(let table, let isProven):
      guard let name else { throw .internalError("a foreign table without a name", at: range) }
      let references = table.columns.fields.map { newColumn($0.name, $0.type) }
      let columns = references.enumerated().map { ForeignScanNode.Column($1, .column($0)) }
      return BoundRelation(
        plan: .foreignScan(ForeignScanNode(name: name, table: table, isProven: isProven, columns: columns)),
        fields: references.map { ScopeField(qualifier: [name.catalog, name.database, name.name], name: $0.name, reference: $0) })
    case .rows(let schema, let rows):
      let columns = schema.fields.map { newColumn($0.name, $0.type) }
      let cells = rows.map { row in zip(row, columns).map { Expression.constant($0, $1.type) } }
      let qualifier = name.map { [$0.catalog, $0.database, $0.name] } ?? []
      return BoundRelation(
        plan: .values(ValuesNode(outputs: columns, rows: cells)),
        fields: columns.map { ScopeField(qualifier: qualifier, name: $0.name, reference: $0) })
    }
  }

  private func scan(_ table: Table, qualifier: [String]) -> BoundRelation {
    var columns: [ScanNode.Column] = []
    var fields: [ScopeField] = []
    func add(_ name: String, _ type: DataType, _ source: ScanNode.Source, isHidden: Bool = false) {
      let reference = newColumn(name, type)
      columns.append(.init(reference, source))
      fields.append(ScopeField(qualifier: qualifier, name: name, reference: reference, isHidden: isHidden))
    }
    for (index, field) in table.columns.fields.enumerated() { add(field.name, field.type, .file(index)) }
    for (index, field) in table.partitionColumns.fields.enumerated() { add(field.name, field.type, .partition(index)) }
    add("$path", .text, .path, isHidden: true)
    add("$file_size", .bigint, .fileSize, isHidden: true)
    add("$file_modified_time", .timestampWithTimeZone(precision: 3), .fileModifiedTime, isHidden: true)
    if table.buckets != nil { add("$bucket", .integer, .bucket, isHidden: true) }
    if !table.partitionColumns.fields.isEmpty { add("$partition", .text, .partitionName, isHidden: true) }
    return BoundRelation(plan: .scan(ScanNode(table: table, columns: columns)), fields: fields)
  }

  private func expand(_ view: ViewDefinition, _ range: SourceRange) throws(QueryError) -> BoundRelation {
    if view.name == definedView {
      throw QueryError(.viewIsRecursive, "Statement would create a recursive view", at: range)
    }
    if viewStack.contains(view.name) {
      throw QueryError(.viewIsRecursive, "View is recursive", at: range)
    }
    if let shared = sharedViews[view.name] {
      let name = Identifier(name: view.name.name, range: range)
      return relation(of: view, try use(shared, name: name))
    }
    viewCount += 1
    let outerSession = session
    viewStack.append(view.name)
    session.catalog = view.catalog
    session.database = view.database
    defer {
      session = outerSession
      viewStack.removeLast()
    }
    var rows: BoundRows
    do throws(QueryError) {
      rows = try bindQuery(view.query, QueryContext())
    } catch {
      if definedView != nil, error.code == .viewIsRecursive {
        throw QueryError(.viewIsRecursive, error.message, at: range)
      }
      throw QueryError(
        .invalidView, "Failed analyzing stored view '\(view.name)': \(error.positioned)", at: range, hint: error.hint)
    }
    if let expected = view.columns {
      guard expected.count == rows.columns.count else {
        throw QueryError(
          .viewIsStale,
          "View '\(view.name)' is stale or in invalid state: stored view column count (\(expected.count)) does not match "
            + "column count derived from the view query analysis (\(rows.columns.count))",
          at: range)
      }
      for (index, field) in expected.fields.enumerated() {
        let actual = rows.columns[index].reference.type
        guard TypeCoercion.canCoerce(actual, to: field.type) else {
          throw QueryError(
            .viewIsStale,
            "View '\(view.name)' is stale or in invalid state: column [\(field.name)] of type \(actual) projected from "
              + "query view at position \(index) cannot be coerced to column [\(field.name)] of type \(field.type) stored "
              + "in view definition",
            at: range)
        }
      }
      let plan = conform(rows, to: expected.fields.map(\.type))
      rows = BoundRows(
        plan: plan, columns: zip(expected.fields, plan.outputs).map { .init(name: $0.name, reference: $1) })
    }
    // Views of views of views that each use the one before twice would have exponentially many copies.
    if viewCount > Binder.largestViewCount, isDeterministic(rows.plan) {
      rows = exact(rows)
      let definition = CommonDefinition(id: newCommonID(), name: view.name.name, plan: rows.plan)
      let shared = NamedQueries.Entry.shared(definition, columns: rows.columns)
      sharedViews[view.name] = shared
      rows = try use(shared, name: Identifier(name: view.name.name, range: range))
    }
    return relation(of: view, rows)
  }

  /// Uses of views that a statement has copies for; beyond, a view's rows are computed once for all further uses.
  private static let largestViewCount = 64

  private func isDeterministic(_ plan: LogicalPlan) -> Bool {
    !plan.contains { node in node.expressions.contains { !$0.isDeterministic } }
  }

  private func relation(of view: ViewDefinition, _ rows: BoundRows) -> BoundRelation {
    let qualifier = [view.name.catalog, view.name.database, view.name.name]
    return BoundRelation(
      plan: rows.plan,
      fields: rows.columns.map { ScopeField(qualifier: qualifier, name: $0.name, reference: $0.reference) })
  }

  // MARK: Aliases and samples

  func alias(_ relation: BoundRelation, _ aliased: AliasedRelationSyntax) throws(QueryError) -> BoundRelation {
    let qualifier = [aliased.alias.canonicalName]
    var fields = relation.fields
    if !aliased.columnAliases.isEmpty {
      fields.removeAll(where: \.isHidden)
      guard fields.count == aliased.columnAliases.count else {
        throw QueryError(
          .mismatchedColumnAliases,
          "Column alias list has \(aliased.columnAliases.count) entries but '\(aliased.alias.canonicalName)' has "
            + "\(fields.count) columns available",
          at: aliased.range)
      }
      for (index, alias) in aliased.columnAliases.enumerated() { fields[index].name = alias.name }
    }
    for index in fields.indices { fields[index].qualifier = qualifier }
    return BoundRelation(plan: relation.plan, fields: fields)
  }

  private func sample(
    _ relation: BoundRelation, _ sampled: SampledRelationSyntax, _ context: QueryContext
  ) throws(QueryError) -> BoundRelation {
    let range = sampled.percentage.errorRange
    let place = ExpressionContext(scope: nil, block: nil, clause: .other("TABLESAMPLE"))
    let bound = try bind(sampled.percentage, place)
    guard bound.type.isNumeric || bound.type == .unknown else {
      throw QueryError(.typeMismatch, "Sample percentage should be a numeric expression", at: range)
    }
    let value = try ConstantFolding.evaluate(bound.coerced(to: .double), session: session)
    guard case .double(let percentage) = value else {
      throw QueryError(.invalidArguments, "Sample percentage cannot be NULL", at: range)
    }
    guard percentage >= 0 else {
      throw QueryError(.numericValueOutOfRange, "Sample percentage must be greater than or equal to 0", at: range)
    }
    guard percentage <= 100 else {
      throw QueryError(.numericValueOutOfRange, "Sample percentage must be less than or equal to 100", at: range)
    }
    if percentage == 100 { return relation }
    let chance = try call("random", [], at: range)
    let condition = try call("<", [chance, .constant(.double(percentage / 100), .double)], at: range)
    return BoundRelation(
      plan: .filter(FilterNode(input: relation.plan, predicate: condition)), fields: relation.fields)
  }
}

extension QueryError {
  /// The message with its position, to stand inside of another message.
  var positioned: String {
    range.map { "line \($0.start.line):\($0.start.column): \(message)" } ?? message
  }
}
