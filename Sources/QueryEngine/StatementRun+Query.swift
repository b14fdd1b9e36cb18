import FileFormats
import ObjectStore
import QueryExecution
import QueryOptimizer
import QueryPlan
import QueryPlanner
import SQLExpressions
import SQLFunctions
import SQLSyntax
import TableCatalog

/// Binding helpers for statements that are no queries.
enum StatementBinding {
  /// A constant expression, evaluated.
  static func constant(_ syntax: ExpressionSyntax, _ session: SessionContext) throws(QueryError) -> Expression {
    let (value, type) = try Binder.evaluateConstant(syntax, session: session)
    return .constant(value, type)
  }
}

extension StatementRun {
  /// Binds and optimizes a query.
  ///
  /// - Parameter paths: the statement's paths in FROM, for one that may begin anew; else planning alone does.
  func plan(
    _ query: QuerySyntax, _ parameters: [Expression], _ paths: PathRelations
  ) throws(QueryError) -> (bound: BoundQuery, plan: LogicalPlan) {
    while true {
      do throws(QueryError) { return try planOnce(query, parameters, paths) } catch {
        guard try paths.startsAgain(after: error) else { throw error }
      }
    }
  }

  private func planOnce(
    _ query: QuerySyntax, _ parameters: [Expression], _ paths: PathRelations
  ) throws(QueryError) -> (bound: BoundQuery, plan: LogicalPlan) {
    let resolver = CatalogResolver(state: state, meter: meter, paths: paths)
    let bound = try Binder.bind(query, catalog: resolver, session: session, parameters: parameters)
    let context = OptimizerContext(
      session: session, meter: meter, nextColumnID: bound.nextColumnID, nextCommonID: bound.nextCommonID)
    context.isEnabled = !state.configuration.testing.isOptimizerOff
    context.disabledRules = state.configuration.testing.disabledRules
    context.threads = state.configuration.threads
    let plan = try Optimizer.optimize(bound.plan, context)
    statistics.planningMilliseconds = elapsedMilliseconds
    note(plan)
    return (bound, plan)
  }

  /// Runs `body` again while its failures teach something about the files of paths in FROM and nothing was sent.
  func startingAgain(
    _ body: (_ paths: PathRelations, _ hasSent: inout Bool) throws(QueryError) -> Void
  ) throws(QueryError) {
    let paths = PathRelations(state.stores.metered(by: meter), meter: meter)
    var hasSent = false
    while true {
      do throws(QueryError) { return try body(paths, &hasSent) } catch {
        guard !hasSent, try paths.startsAgain(after: error) else { throw error }
        meter.startAgain()
      }
    }
  }

  /// Reads off the plan what its scans will touch.
  private func note(_ plan: LogicalPlan) {
    var partitionsTotal: Int? = 0
    (statistics.columnsRead, statistics.columnsTotal, statistics.filesRead) = (0, 0, 0)
    (statistics.bytesTotal, statistics.partitionsRead) = (0, 0)
    plan.forEach { node in
      guard case .scan(let scan) = node else { return }
      isBilled = true
      let fileColumns = Set(scan.columns.compactMap { if case .file(let index) = $0.source { index } else { nil } })
      statistics.columnsRead += fileColumns.count
      statistics.columnsTotal += scan.table.columns.count
      guard let files = scan.fileSet else { return }
      statistics.filesRead += files.files.count
      statistics.bytesTotal += Int(clamping: files.listing.byteCount)
      statistics.partitionsRead += files.listing.partitionsRead
      partitionsTotal = partitionsTotal.flatMap { total in files.listing.partitionsTotal.map { total + $0 } }
    }
    statistics.partitionsTotal = partitionsTotal
    statistics.filesTotal = statistics.filesRead
  }

  func makeContext() -> QueryContext {
    let configuration = state.configuration
    return QueryContext(
      session: session, threads: configuration.threads,
      batchSize: configuration.testing.batchSize ?? Batch.defaultRowCount,
      memory: MemoryBudget(limit: state.memoryLimit), meter: meter,
      testing: QueryContext.TestSettings(collidesHashes: configuration.testing.collidesHashes))
  }

  func runQuery(
    _ query: QuerySyntax, _ parameters: [Expression], _ consumer: any ResultConsumer
  ) throws(QueryError) {
    if state.configuration.isDryRun {
      try startingAgain { (paths, _) throws(QueryError) in
        try forecast(try plan(query, parameters, paths).plan)
      }
      try consumer.begin(Schema([]))
      return
    }
    try startingAgain { (paths, hasSent) throws(QueryError) in
      let (bound, plan) = try plan(query, parameters, paths)
      try writing(isText: false, consumer) { (output) throws(QueryError) in
        // Nothing is sent before the first rows: until then wider types may turn up.
        try execute(plan, bound.outputs) { (batch) throws(QueryError) in
          if !hasSent {
            hasSent = true
            try output.begin(bound.schema)
          }
          try output.receive(batch)
        }
        if !hasSent { try output.begin(bound.schema) }
        hasSent = true
      }
    }
  }

  /// Executes a plan and notes what it did.
  @discardableResult
  func execute(
    _ plan: LogicalPlan, _ outputs: [ColumnReference], _ receive: (Batch) throws(QueryError) -> Void
  ) throws(QueryError) -> QueryContext {
    let context = makeContext()
    monitor.watch(context)
    let deadline = state.runTimeLimit.map { RunTimeLimit(seconds: $0, monitor.cancellation) }
    defer {
      deadline?.lift()
      statistics.peakMemoryBytes = context.memory.peak
      for root in context.profile.roots { noteRowGroups(root) }
    }
    var rows = 0
    try QueryExecutor.execute(plan, outputs: outputs, context: context) { (batch) throws(QueryError) in
      rows += batch.rowCount
      try receive(batch)
    }
    statistics.rows = rows
    return context
  }

  private func noteRowGroups(_ node: QueryProfile.Node) {
    if let scan = node.scan {
      statistics.rowGroupsRead += scan.blocksRead
      statistics.rowGroupsTotal += scan.blocksTotal
    }
    for child in node.children { noteRowGroups(child) }
  }

  /// What executing the plan would scan at most: the bytes of the splits that pruning leaves.
  private func forecast(_ plan: LogicalPlan) throws(QueryError) {
    var failure: QueryError?
    var total = 0
    let metrics = ScanMetrics()
    statistics.rowGroupsRead = 0
    plan.forEach { node in
      guard failure == nil, case .scan(let scan) = node, let files = scan.fileSet else { return }
      let request = Self.request(scan)
      do throws(QueryError) {
        for index in files.files.indices {
          let file = try files.open(index)
          try scan.table.path?.check(
            file, files.files[index].info, columns: request.columns, all: scan.readsAllFileColumns ? scan.table.columns : nil)
          let splits = try file.scan(request, metrics: metrics).splits(
            targetByteCount: Int(clamping: files.files[index].info.byteCount), unit: .size)
          for split in splits { total += split.scanByteCount }
          if !splits.isEmpty { statistics.rowGroupsRead += splits.reduce(0) { $0 + $1.blockCount } }
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    statistics.rowGroupsTotal = metrics.blocksTotal
    statistics.bytesScanned = total
    statistics.isDryRun = true
  }

  /// What a scan asks of its files, as far as metadata can prune by it.
  private static func request(_ scan: ScanNode) -> ScanRequest {
    var columns: [ScanColumn] = []
    var positions: [ColumnID: Int] = [:]
    for column in scan.columns {
      guard case .file(let ordinal) = column.source else { continue }
      positions[column.reference.id] = columns.count
      let field = scan.table.columns[ordinal]
      columns.append(ScanColumn(name: field.name, type: field.type, ordinal: ordinal))
    }
    let domain = DomainExtraction.rowDomain(of: scan.predicates) { positions[$0.id] }
    return ScanRequest(columns: columns, domain: domain)
  }
}
