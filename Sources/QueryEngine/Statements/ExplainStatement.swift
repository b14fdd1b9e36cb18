import ObjectStore
import QueryErrors
import QueryExecution
import QueryOptimizer
import QueryPlan
import QueryPlanner
import SQLExpressions
import SQLSyntax
import TableCatalog

/// EXPLAIN prints the optimized plan; EXPLAIN ANALYZE runs it and prints what its operators did.
struct ExplainStatement: Statement {
  private let node: ExplainSyntax
  init(_ node: ExplainSyntax) { self.node = node }

  func prepare(_ context: StatementContext) throws(QueryError) -> PreparedStatement {
    guard case .query(let query) = node.statement else {
      throw .notSupported("EXPLAIN of this statement is not supported yet", at: node.statement.range)
    }
    let (bound, plan) = try context.plan(query)
    if node.kind == .cost { return try CostExplanation(node, plan, context).prepared() }
    if node.isAnalyze {
      return PreparedStatement(schema: ExplainStatement.schema, plan: plan) { (output) throws(QueryError) in
        let lines = try analyze(plan, bound, context)
        try output.receive(rows: lines.map { [$0] })
      }
    }
    if node.kind == .validate {
      return PreparedStatement(schema: Schema([Field("Valid", .boolean)])) { (output) throws(QueryError) in
        try output.receive(Batch(columns: [.constant(.boolean(true), .boolean, count: 1)], rowCount: 1))
      }
    }
    let lines = try lines(plan, bound)
    return PreparedStatement(schema: ExplainStatement.schema) { (output) throws(QueryError) in
      try output.receive(rows: lines.map { [$0] })
    }
  }

  private static let schema = Schema([Field("Query Plan", .text)])

  /// The plan in the format asked for.
  private func lines(_ plan: LogicalPlan, _ bound: BoundQuery) throws(QueryError) -> [String] {
    switch (node.kind, node.format) {
    case (.io, nil), (.io, .json): return text(PlanDocument.inputs(plan))
    case (.io, _):
      throw QueryError(
        .notSupported, "Unsupported explain format \(node.format?.rawValue ?? "") for IO", at: node.range,
        hint: "Only EXPLAIN (TYPE IO, FORMAT JSON) exists.")
    case (.distributed, .json): return text(.object([("0", PlanDocument.json(plan))]))
    case (_, .json): return text(PlanDocument.json(plan))
    case (.distributed, .graphviz): return text(PlanDocument.graph(plan, name: "distributed_plan"))
    case (_, .graphviz): return text(PlanDocument.graph(plan, name: "logical_plan"))
    case (.distributed, _):
      // One process runs all of it: a single fragment.
      let outputs = bound.schema.fields.map { "\($0.name):\($0.type)" }.joined(separator: ", ")
      let lines = text(Optimizer.explain(plan)).map { "    " + $0 }
      return ["Fragment 0 [SINGLE]", "    Output layout: [\(outputs)]"] + lines
    case (_, _): return text(Optimizer.explain(plan))
    }
  }

  /// Runs the plan, its rows dropped, and says what its operators did.
  private func analyze(
    _ plan: LogicalPlan, _ bound: BoundQuery, _ context: StatementContext
  ) throws(QueryError) -> [String] {
    var rows = 0
    let query = try context.execute(
      plan, bound.outputs, into: .inOrder { (batch) throws(QueryError) in rows += batch.rowCount })
    if node.format == .json { return text(PlanDocument.json(query.profile)) }
    return text(query.profile.text) + (node.isVerbose ? files(plan) : []) + summary(context.report.statistics(.running, nil), rows: rows) + [""]
      + text(Optimizer.explain(plan))
  }

  /// What VERBOSE adds: the files of each scan.
  private func files(_ plan: LogicalPlan) -> [String] {
    var lines: [String] = []
    _ = plan.contains { node in
      guard case .scan(let scan) = node, let set = scan.fileSet else { return false }
      lines.append("Files of \(scan.table.name.name):")
      lines += set.files.map { "    \($0.info.path) (\($0.info.byteCount) bytes)" }
      return false
    }
    return lines
  }

  private func text(_ document: JSONDocument) -> [String] { text(document.text) }

  private func text(_ text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  private func summary(_ figures: QueryStatistics, rows: Int) -> [String] {
    let total = figures.partitionsTotal.map { "/\($0)" } ?? ""
    let data = figures.bytesScanned - figures.metadataBytes
    return [
      "",
      "Rows: \(rows), planning \(Int(figures.planningMilliseconds)) ms, total \(Int(figures.wallMilliseconds)) ms, peak memory \(figures.peakMemoryBytes) bytes",
      "Scanned: data bytes=\(data) metadata bytes=\(figures.metadataBytes) files=\(figures.filesRead) partitions=\(figures.partitionsRead)\(total) row_groups=\(figures.rowGroupsRead)/\(figures.rowGroupsTotal) columns=\(figures.columnsRead)/\(figures.columnsTotal)",
    ]
  }
}
