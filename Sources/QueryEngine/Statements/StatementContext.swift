import Columnar
import FileFormats
import ObjectStore
import QueryErrors
import QueryExecution
import QueryOptimizer
import QueryPlan
import QueryPlanner
import SQLExpressions
import SQLFunctions
import SQLSyntax
import TableCatalog

/// What a statement sees of the engine and of the session as it was when the statement was started.
///
/// Nothing in it changes: figures go to `report`, changes of the session to `session`.
struct StatementContext: Sendable {
  let engine: Engine
  /// The session itself, for statements that change it.
  let session: Session
  let settings: SessionSettings
  let options: StatementOptions
  let workgroup: Workgroup
  /// The query's id, which EXECUTE's inner statement shares.
  let id: String
  /// The text that the syntax's ranges are places of.
  let sql: String
  /// What stands for each `?`: constants.
  let parameters: [Expression]
  let environment: SessionContext
  let meter: ScanMeter
  let report: StatementReport
  let clock: StatementClock
  /// What planning and running hold.
  let memory: MemoryBudget
  /// The paths in FROM, which stay known while the statement begins anew.
  let paths: PathRelations
  /// What binding the statement looked up.
  let relations: RelationLog
  /// The foreign catalogs, connected to when they are named.
  let foreign: ForeignConnections

  /// The same for another text: the statement that EXECUTE names.
  private func with(sql: String, parameters: [Expression]) -> StatementContext {
    StatementContext(
      engine: engine, session: session, settings: settings, options: options, workgroup: workgroup, id: id, sql: sql, parameters: parameters,
      environment: environment, meter: meter, report: report, clock: clock, memory: memory, paths: paths,
      relations: relations, foreign: foreign)
  }

  // MARK: Preparing

  /// Parses, binds and checks the statement that the user sent.
  func prepare(_ statement: SQLStatement) throws(QueryError) -> PreparedStatement {
    let bound = try statement.withPositionalParameters()
    if settings.followsAthena { try AthenaLimits.check(parameters: bound.texts) }
    let (syntax, count) = try parse(statement.text, as: bound.text)
    var values: [Expression] = []
    for parameter in bound.parameters { values.append(try constant(of: parameter)) }
    return try prepare(syntax, parameterCount: count, sql: bound.text, parameters: values)
  }

  /// Parses, binds and checks the text of an EXECUTE: same query, same figures. Without USING its values are those that
  /// came with the statement, as Athena's ExecutionParameters do.
  func prepare(prepared text: String, arguments: [ExpressionSyntax]) throws(QueryError) -> PreparedStatement {
    var values = arguments.isEmpty ? parameters : []
    for argument in arguments { values.append(try constant(argument)) }
    let (syntax, count) = try parse(text, as: text)
    switch syntax {
    case .execute, .executeImmediate: throw .notSupported("EXECUTE of an EXECUTE is not supported", at: syntax.range)
    default: return try prepare(syntax, parameterCount: count, sql: text, parameters: values)
    }
  }

  private func prepare(
    _ syntax: StatementSyntax, parameterCount: Int, sql: String, parameters: [Expression]
  ) throws(QueryError) -> PreparedStatement {
    let kind = syntax.kind
    report.note(kind)
    if settings.defaults.isReadOnly, !syntax.onlyReads {
      throw QueryError(
        .readOnlyViolation, "\(kind.name) is refused: the session only reads", at: syntax.range,
        hint: "It was started with --read-only.")
    }
    // The parameters of a PREPARE are its EXECUTE's, and those of an EXECUTE without USING its prepared statement's.
    let areOthers =
      switch syntax {
      case .prepare: true
      case .execute(let node): node.arguments.isEmpty
      default: false
      }
    if !areOthers, parameters.count != parameterCount {
      throw QueryError(
        .invalidParameterUsage,
        "Incorrect number of parameters: expected \(parameterCount) but found \(parameters.count)", at: syntax.range)
    }
    return try kind.statement.prepare(with(sql: sql, parameters: parameters))
  }

  /// Parses a statement as the session's compatibility asks for.
  private func parse(
    _ original: String, as sql: String
  ) throws(QueryError) -> (statement: StatementSyntax, parameterCount: Int) {
    settings.followsAthena ? try AthenaLimits.parse(sql) : try Parser.parseParameterized(sql, allowsExtensions: true)
  }

  /// The statement's own text of a range.
  func text(of range: SourceRange) -> String {
    let bytes = Array(sql.utf8)
    return String(decoding: bytes[range.start.offset..<min(range.end.offset, bytes.count)], as: UTF8.self)
  }

  // MARK: Binding

  /// Answers questions about names.
  var resolver: CatalogResolver {
    CatalogResolver(
      engine: engine, meter: meter, paths: paths, log: relations, followsAthena: settings.followsAthena, foreign: foreign)
  }

  /// Refuses a table whose format does not know its options.
  func check(_ table: TableDefinition) throws(QueryError) { _ = try resolver.table(table, try catalog()) }

  /// The engine's stores, metered by the query.
  var stores: ObjectStores { engine.stores.metered(by: meter) }

  func catalog() throws(QueryError) -> Catalog { try engine.openCatalog() }

  /// A constant expression, evaluated.
  func constant(_ syntax: ExpressionSyntax) throws(QueryError) -> Expression {
    let (value, type) = try Binder.evaluateConstant(syntax, session: environment)
    return .constant(value, type)
  }

  private func constant(of parameter: SQLParameter) throws(QueryError) -> Expression {
    switch parameter {
    case .value(let scalar, let type): .constant(scalar, type)
    case .expression(let text): try constant(Parser.parseExpression(text))
    }
  }

  /// Binds and optimizes a query; again while its failures teach something about the files of paths in FROM.
  ///
  /// - Parameter change: what else is to be done with the rows.
  func plan(
    _ query: QuerySyntax, _ change: (BoundQuery) throws(QueryError) -> BoundQuery = { (bound) throws(QueryError) in bound }
  ) throws(QueryError) -> (bound: BoundQuery, plan: LogicalPlan) {
    while true {
      do throws(QueryError) { return try planOnce(query, change) } catch {
        guard try paths.startsAgain(after: error) else { throw error }
      }
    }
  }

  private func planOnce(
    _ query: QuerySyntax, _ change: (BoundQuery) throws(QueryError) -> BoundQuery
  ) throws(QueryError) -> (bound: BoundQuery, plan: LogicalPlan) {
    // Constants are folded while planning, which may take memory, too.
    let payer = MemoryAccount.bind(memory.account)
    defer { MemoryAccount.bind(payer) }
    let configuration = engine.configuration
    relations.begin()
    let bound = try change(try Binder.bind(query, catalog: resolver, session: environment, parameters: parameters))
    let context = OptimizerContext(
      session: environment, meter: meter, nextColumnID: bound.nextColumnID, nextCommonID: bound.nextCommonID)
    context.isEnabled = !configuration.testing.isOptimizerOff
    context.disabledRules = configuration.testing.disabledRules
    context.threads = configuration.threads
    let plan = try Optimizer.optimize(bound.plan, context)
    relations.note(context.listings)
    report.note(plan)
    return (bound, plan)
  }

  // MARK: Running

  /// Executes a plan; what it did is in the profile of the answer and in the report.
  @discardableResult
  func execute(
    _ plan: LogicalPlan, _ outputs: [ColumnReference], into sink: RowSink
  ) throws(QueryError) -> QueryContext {
    let configuration = engine.configuration
    let context = QueryContext(
      session: environment, threads: configuration.threads,
      batchSize: configuration.testing.batchSize ?? Batch.defaultRowCount,
      memory: memory, meter: meter,
      spillFile: SpillFile(folder: configuration.temporaryFolder, limit: configuration.spillLimit),
      testing: QueryContext.TestSettings(
        collidesHashes: configuration.testing.collidesHashes, spillsRows: configuration.testing.spillsRows))
    context.badRows = badRows
    report.watch(context)
    do throws(QueryError) {
      try QueryExecutor.execute(plan, outputs: outputs, context: context, into: sink)
    } catch {
      try saveRejects(context.badRows)
      throw error
    }
    try saveRejects(context.badRows)
    return context
  }

  /// What happens with rows that cannot be read; nil: they fail the query.
  private var badRows: BadRows? {
    let limit = settings.defaults.badRowLimit
    switch settings.defaults.badRows {
    case .fail: return nil
    case .null: return BadRows(.null, limit: limit)
    case .skip: return BadRows(.skip, limit: limit)
    case .collect: return BadRows(.collect, limit: limit)
    }
  }

  /// Keeps the rows of `collect` for `"t$rejects"`, in place of those of the statement before.
  private func saveRejects(_ badRows: BadRows?) throws(QueryError) {
    guard let badRows, badRows.action == .collect else { return }
    try RejectedRows(engine: engine).save(badRows.rows, queryID: id)
  }

  // MARK: Names

  /// The full name of a relation of the home's own catalog, the session's database filled in.
  ///
  /// - Throws: `NOT_SUPPORTED` for relations of foreign catalogs, `CATALOG_NOT_FOUND`.
  func tableName(_ name: QualifiedName) throws(QueryError) -> TableName {
    let full = try anyTableName(name)
    if try foreignConnection(full.catalog, at: name.range) != nil {
      throw .notSupported("This statement on tables of the foreign catalog '\(full.catalog)' is not supported", at: name.range)
    }
    return full
  }

  /// A foreign catalog; nil for the home's own.
  ///
  /// - Throws: `CATALOG_NOT_FOUND`; `JDBC_ERROR` when its source cannot be reached.
  func foreignConnection(_ catalog: String, at range: SourceRange) throws(QueryError) -> ForeignConnections.Connection? {
    if CatalogResolver.isKnown(catalog: catalog.lowercased()) { return nil }
    if let connection = try foreign.connection(catalog) { return connection }
    throw QueryError(
      .catalogNotFound, "Catalog '\(catalog)' does not exist", at: range,
      hint: NameSuggestion.hint(for: catalog, among: resolver.catalogNames))
  }

  /// The full name of a relation of any catalog, the session's catalog and database filled in.
  func anyTableName(_ name: QualifiedName) throws(QueryError) -> TableName {
    // DDL also accepts `db.table` in one pair of backticks.
    var parts = name.parts.map(\.canonicalName)
    if parts.count == 1, name.parts[0].isDelimited, parts[0].contains(".") {
      parts = parts[0].split(separator: ".").map(String.init)
    }
    switch parts.count {
    case 1: return TableName(catalog: settings.catalog, database: settings.database, name: parts[0])
    case 2: return TableName(catalog: settings.catalog, database: parts[0], name: parts[1])
    case 3: return TableName(catalog: parts[0], database: parts[1], name: parts[2])
    default: throw QueryError(.syntaxError, "Too many parts in the name '\(name.canonicalName)'", at: name.range)
    }
  }

  /// The text that PREPARE keeps under a name in the workgroup, or nil.
  func preparedStatement(_ name: String) throws(QueryError) -> String? {
    if let own = options.prepared.first(where: { $0.key.lowercased() == name.lowercased() }) { return own.value }
    return try engine.workgroups.statement(name, in: workgroup.name)?.sql
  }

  func requireDatabase(_ name: String, at range: SourceRange) throws(QueryError) {
    let catalog = try catalog()
    if try !catalog.hasDatabase(name) {
      throw QueryError(
        .schemaNotFound, "Schema '\(name)' does not exist", at: range,
        hint: NameSuggestion.hint(for: name, among: try catalog.databases().map(\.name)))
    }
  }

  func requireTable(_ name: QualifiedName) throws(QueryError) -> TableDefinition {
    let full = try tableName(name)
    let catalog = try catalog()
    if let table = try catalog.table(full) { return table }
    throw QueryError(
      .tableNotFound, "Table '\(full)' does not exist", at: name.range,
      hint: NameSuggestion.hint(for: full.name, among: try catalog.relations(in: full.database).map(\.name)))
  }

  /// Where results go; nil when none are written.
  func resultsFolder() throws(QueryError) -> String? {
    guard options.writesResults ?? settings.defaults.writesResults else { return nil }
    if let location = settings.outputLocation(options, workgroup) { return location }
    return try engine.homeResultsFolder()
  }

  /// Where tables without a location of their own have their files, each in a folder named by its query; nil when nothing is
  /// kept on disk.
  func tablesFolder() throws(QueryError) -> String? {
    let given = options.outputLocation ?? settings.defaults.outputLocation
    guard let location = given == nil ? try engine.homeResultsFolder() : given else { return nil }
    return ObjectPath.join(location, "tables")
  }
}
