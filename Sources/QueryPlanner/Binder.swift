package import Columnar
package import QueryErrors
package import QueryPlan
package import SQLExpressions
package import SQLFunctions
package import SQLSyntax
package import TableCatalog

/// A query with every name resolved.
package struct BoundQuery: Sendable {
  /// Its outputs are `outputs`, in order.
  package var plan: LogicalPlan
  /// As results are headed: aliases and names as written, `_col0` where there is none; duplicates may occur.
  package var columnNames: [String]
  /// Indices of columns without a name of their own.
  package var unnamedColumns: Set<Int> = []
  package var outputs: [ColumnReference]
  /// A number from which on `ColumnID`s are free.
  package var nextColumnID: Int
  /// A number from which on ids of common definitions and recursions are free.
  package var nextCommonID: Int

  package var schema: Schema { Schema(zip(columnNames, outputs).map { Field($0, $1.type) }) }
}

/// Resolves names, picks overloads, writes casts out, and turns a query's syntax into a plan.
///
/// - Threads: one query each.
/// - Source: Trino `StatementAnalyzer`, `ExpressionAnalyzer`, `QueryPlanner`, `SubqueryPlanner`.
package final class Binder {
  let catalog: any RelationResolver
  var session: SessionContext
  let parameters: [Expression]
  private var nextColumnID: Int
  private var nextCommonID = 0
  /// Views being bound, outermost first.
  var viewStack: [TableName] = []
  /// Views bound so far, and those that are shared from then on: see `expand`.
  var viewCount = 0
  var sharedViews: [TableName: NamedQueries.Entry] = [:]
  /// The view whose definition is being bound: it may not read itself.
  var definedView: TableName?
  let stackGuard = StackGuard()
  /// Where extensions are to be written in Athena's SQL, if they are.
  private var expansion: ExtensionExpansion?
  /// Overloads picked before.
  var resolvedCalls: [CallKey: ResolvedCall] = [:]
  /// Parameters of lambdas, the same for equal lambdas so that equal expressions stay equal.
  var lambdaParameters: [LambdaKey: [ColumnReference]] = [:]

  init(catalog: any RelationResolver, session: SessionContext, parameters: [Expression], firstColumnID: Int = 0) {
    self.catalog = catalog
    self.session = session
    self.parameters = parameters
    nextColumnID = firstColumnID
  }

  /// Binds a whole query.
  ///
  /// - Parameters:
  ///   - parameters: what stands for each `?`, as constants.
  ///   - view: the view that the query is to define.
  package static func bind(
    _ query: QuerySyntax, catalog: any RelationResolver, session: SessionContext, parameters: [Expression] = [],
    defining view: TableName? = nil
  ) throws(QueryError) -> BoundQuery {
    let binder = Binder(catalog: catalog, session: session, parameters: parameters)
    binder.definedView = view
    let rows = try binder.bindQuery(query, QueryContext())
    return try binder.finish(rows)
  }

  /// Binds `DELETE`/`UPDATE`-style conditions and other expressions over a table's columns.
  ///
  /// - Returns: the expression and the columns it may read, one per field of `schema`.
  package static func bindExpression(
    _ expression: ExpressionSyntax, over schema: Schema, qualifier: [String], catalog: any RelationResolver,
    session: SessionContext, parameters: [Expression] = []
  ) throws(QueryError) -> (expression: Expression, columns: [ColumnReference]) {
    let binder = Binder(catalog: catalog, session: session, parameters: parameters)
    let columns = schema.fields.map { binder.newColumn($0.name, $0.type) }
    let fields = columns.map { ScopeField(qualifier: qualifier, name: $0.name, reference: $0) }
    let context = ExpressionContext(scope: Scope(fields: fields, parent: nil), block: nil, clause: .other("Expression"))
    return (try binder.bind(expression, context), columns)
  }

  /// Binds an expression that uses no columns and no subqueries.
  package static func bindConstant(
    _ expression: ExpressionSyntax, session: SessionContext, parameters: [Expression] = []
  ) throws(QueryError) -> Expression {
    let binder = Binder(catalog: EmptyResolver(), session: session, parameters: parameters)
    let context = ExpressionContext(scope: nil, block: nil, clause: .other("Constant expression"))
    return try binder.bind(expression, context)
  }

  /// Binds and evaluates an expression that uses no columns.
  package static func evaluateConstant(
    _ expression: ExpressionSyntax, session: SessionContext, parameters: [Expression] = []
  ) throws(QueryError) -> (value: Scalar, type: DataType) {
    let bound = try bindConstant(expression, session: session, parameters: parameters)
    return (try ConstantFolding.evaluate(bound, session: session), bound.type)
  }

  /// Binds a query for the sake of its extensions; they are noted in `expansion`.
  package static func expand(
    _ query: QuerySyntax, catalog: any RelationResolver, session: SessionContext, parameters: [Expression],
    into expansion: ExtensionExpansion
  ) throws(QueryError) {
    let binder = Binder(catalog: catalog, session: session, parameters: parameters)
    binder.expansion = expansion
    _ = try binder.bindQuery(query, QueryContext())
  }

  /// The expansion of the statement's own text: none for views.
  var openExpansion: ExtensionExpansion? { viewStack.isEmpty ? expansion : nil }

  /// The range as errors at run time may show it: none inside of a view, whose text is not the statement's.
  func shown(_ range: SourceRange?) -> SourceRange? { viewStack.isEmpty ? range : nil }

  // MARK: Numbering

  func newColumn(_ name: String, _ type: DataType) -> ColumnReference {
    defer { nextColumnID += 1 }
    return ColumnReference(id: ColumnID(nextColumnID), name: name, type: type)
  }

  func newCommonID() -> Int {
    defer { nextCommonID += 1 }
    return nextCommonID
  }

  private func finish(_ rows: BoundRows) throws(QueryError) -> BoundQuery {
    let outputs = rows.columns.map(\.reference)
    var plan = rows.plan
    if plan.outputs.map(\.id) != outputs.map(\.id) { plan = project(plan, outputs) }
    let names = rows.columns.enumerated().map { index, column in column.name ?? "_col\(index)" }
    let unnamed = Set(rows.columns.indices.filter { rows.columns[$0].name == nil })
    let inlined = try PlanDepth.withStack(for: plan) { CommonInliner.inline(plan) }
    return BoundQuery(
      plan: inlined, columnNames: names, unnamedColumns: unnamed, outputs: outputs, nextColumnID: nextColumnID,
      nextCommonID: nextCommonID)
  }

  /// A projection to some of the plan's own columns.
  func project(_ plan: LogicalPlan, _ columns: [ColumnReference]) -> LogicalPlan {
    .project(ProjectNode(input: plan, selecting: columns))
  }
}

/// The rows of a query or relation: a plan, and which of its columns results show under which names.
struct BoundRows {
  struct Column {
    var name: String?
    var reference: ColumnReference
  }
  var plan: LogicalPlan
  var columns: [Column]
}

/// What a query may see of the queries around it.
struct QueryContext {
  var named: NamedQueries?
  var outer: Scope?

  init(named: NamedQueries? = nil, outer: Scope? = nil) {
    self.named = named
    self.outer = outer
  }
}

/// A resolver that knows nothing, for constants.
private struct EmptyResolver: RelationResolver {
  func resolve(_ name: TableName) throws(QueryError) -> ResolvedRelation? { nil }
  func resolve(path: String, _ reading: PathReading?, at range: SourceRange) throws(QueryError) -> ResolvedRelation? { nil }
  func relationNames(catalog: String, database: String) -> [String]? { nil }
  var catalogNames: [String] { [] }
}
