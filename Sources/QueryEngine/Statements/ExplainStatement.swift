import ObjectStore
import QueryExecution
import QueryOptimizer
import QueryPlan
import QueryPlanner
import SQLExpressions
import SQLSyntax
import TableCatalog

extension StatementRun {
  /// EXPLAIN prints the optimized plan; EXPLAIN ANALYZE runs it and prints what its operators did.
  func explain(
    _ node: ExplainSyntax, _ parameters: [Expression], _ consumer: any ResultConsumer
  ) throws(QueryError) {
    statistics.statementType = "UTILITY"
    guard case .query(let query) = node.statement else {
      throw .notSupported("EXPLAIN of this statement is not supported yet", at: node.statement.range)
    }
    if node.isAnalyze {
      var ran: (plan: LogicalPlan, context: QueryContext)?
      try startingAgain { (paths, _) throws(QueryError) in
        let (bound, plan) = try self.plan(query, parameters, paths)
        ran = (plan, try execute(plan, bound.outputs) { (_) throws(QueryError) in })
      }
      guard let (plan, context) = ran else { return }
      let lines =
        node.format == .json
        ? text(PlanDocument.json(context.profile))
        : text(context.profile.text) + summary(rows: statistics.rows) + [""] + text(Optimizer.explain(plan))
      return try write(lines, "Query Plan", consumer)
    }
    let (bound, plan) = try self.plan(query, parameters, PathRelations(state.stores.metered(by: meter), meter: meter))
    isBilled = false
    switch (node.kind, node.format) {
    case (.validate, _):
      statistics.rows = 1
      try writingText(consumer) { (output) throws(QueryError) in
        try output.begin(Schema([Field("Valid", .boolean)]))
        try output.receive(Batch(columns: [.constant(.boolean(true), .boolean, count: 1)], rowCount: 1))
      }
    case (.io, nil), (.io, .json): try write(text(PlanDocument.inputs(plan)), "Query Plan", consumer)
    case (.io, _):
      throw QueryError(
        .notSupported, "Unsupported explain format \(node.format?.rawValue ?? "") for IO", at: node.range,
        hint: "Only EXPLAIN (TYPE IO, FORMAT JSON) exists.")
    case (.distributed, .json):
      try write(text(.object([("0", PlanDocument.json(plan))])), "Query Plan", consumer)
    case (_, .json): try write(text(PlanDocument.json(plan)), "Query Plan", consumer)
    case (.distributed, .graphviz): try write(text(PlanDocument.graph(plan, name: "distributed_plan")), "Query Plan", consumer)
    case (_, .graphviz): try write(text(PlanDocument.graph(plan, name: "logical_plan")), "Query Plan", consumer)
    case (.distributed, _):
      // One process runs all of it: a single fragment.
      let outputs = bound.schema.fields.map { "\($0.name):\($0.type)" }.joined(separator: ", ")
      let lines = text(Optimizer.explain(plan)).map { "    " + $0 }
      try write(["Fragment 0 [SINGLE]", "    Output layout: [\(outputs)]"] + lines, "Query Plan", consumer)
    case (_, _): try write(text(Optimizer.explain(plan)), "Query Plan", consumer)
    }
  }

  private func text(_ document: JSONDocument) -> [String] { text(document.text) }

  private func text(_ text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  private func write(_ lines: [String], _ column: String, _ consumer: any ResultConsumer) throws(QueryError) {
    statistics.rows = lines.count
    try writingText(consumer) { (output) throws(QueryError) in
      try output.receive(rows: lines.map { [$0] }, columns: [column])
    }
  }

  private func summary(rows: Int) -> [String] {
    let total = statistics.partitionsTotal.map { "/\($0)" } ?? ""
    return [
      "",
      "Rows: \(rows), planning \(Int(statistics.planningMilliseconds)) ms, total \(Int(elapsedMilliseconds)) ms, peak memory \(statistics.peakMemoryBytes) bytes",
      "Scanned: data bytes=\(meter.dataBytes) metadata bytes=\(meter.metadataBytes) files=\(statistics.filesRead) partitions=\(statistics.partitionsRead)\(total) row_groups=\(statistics.rowGroupsRead)/\(statistics.rowGroupsTotal) columns=\(statistics.columnsRead)/\(statistics.columnsTotal)",
    ]
  }
}
