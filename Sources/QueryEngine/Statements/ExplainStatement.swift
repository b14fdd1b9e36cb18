import ObjectStore
import QueryExecution
import QueryOptimizer
import QueryPlan
import QueryPlanner
import SQLExpressions
import SQLSyntax

extension StatementRun {
  /// EXPLAIN prints the optimized plan; EXPLAIN ANALYZE runs it and prints what its operators did.
  func explain(
    _ node: ExplainSyntax, _ parameters: [Expression], _ consumer: any ResultConsumer
  ) throws(QueryError) {
    statistics.statementType = "UTILITY"
    guard case .query(let query) = node.statement else {
      throw .notSupported("EXPLAIN of this statement is not supported yet", at: node.statement.range)
    }
    if let format = node.format, format != .text {
      throw .notSupported("EXPLAIN (FORMAT \(format.rawValue)) is not supported yet", at: node.range)
    }
    let (bound, plan) = try plan(query, parameters)
    if node.kind == .validate {
      try writingText(consumer) { (output) throws(QueryError) in
        try output.receive(rows: [["true"]], columns: ["Valid"])
      }
      isBilled = false
      return
    }
    var lines: [String] = []
    if node.isAnalyze {
      let context = try execute(plan, bound.outputs) { (_) throws(QueryError) in }
      lines += context.profile.text.split(separator: "\n").map(String.init)
      lines += summary(rows: statistics.rows)
      lines.append("")
    } else {
      isBilled = false
    }
    lines += Optimizer.explain(plan).split(separator: "\n").map(String.init)
    statistics.rows = lines.count
    try writingText(consumer) { (output) throws(QueryError) in
      try output.receive(rows: lines.map { [$0] }, columns: ["Query Plan"])
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
