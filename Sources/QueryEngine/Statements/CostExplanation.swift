import ObjectStore
import QueryErrors
import QueryPlan
import SQLSyntax

/// EXPLAIN (TYPE COST): what running the query would scan and cost, table by table, and how well that is known.
struct CostExplanation {
  private let node: ExplainSyntax
  private let forecast: ScanForecast
  private let context: StatementContext
  private let bill: ScanBill
  private let bytes: Int

  /// - Throws: what opening the files throws; `NOT_SUPPORTED` for EXPLAIN ANALYZE.
  init(_ node: ExplainSyntax, _ plan: LogicalPlan, _ context: StatementContext) throws(QueryError) {
    if node.isAnalyze { throw .notSupported("EXPLAIN ANALYZE (TYPE COST): ANALYZE tells what the query did cost", at: node.range) }
    if node.format == .graphviz { throw .notSupported("EXPLAIN (TYPE COST, FORMAT GRAPHVIZ)", at: node.range) }
    self.node = node
    self.context = context
    forecast = try ScanForecast(plan, threads: context.engine.configuration.threads)
    bytes = forecast.dataBytes + context.meter.metadataBytes
    let configuration = context.engine.configuration
    bill = ScanBill(
      bytesScanned: bytes, isFree: plan.scans.isEmpty, unitBase: configuration.unitBase,
      dollarsPerTerabyte: configuration.dollarsPerTerabyte)
  }

  func prepared() -> PreparedStatement {
    let text = node.format == .json ? document.text : lines.joined(separator: "\n")
    return .listing(["Query Plan"], text.split(separator: "\n", omittingEmptySubsequences: false).map { [String($0)] })
  }

  private var lines: [String] {
    var lines = [
      "Would scan \(bytes) bytes (\(forecast.tier.rawValue)), billed \(bill.bytesBilled) bytes: \(DollarText.text(bill.dollars))"
    ]
    for part in forecast.parts {
      let scan = part.scan
      let total = scan.partitionsTotal.map { "/\($0)" } ?? ""
      var text = "  \(scan.table): \(part.dataBytes) of \(scan.bytes) bytes, \(scan.files) files, \(scan.partitions.count)\(total) partitions"
      if scan.partitions.isEmpty { text = "  \(scan.table): \(part.dataBytes) of \(scan.bytes) bytes, \(scan.files) files" }
      if part.rowGroupsTotal > 0 { text += ", \(part.rowGroupsRead)/\(part.rowGroupsTotal) row groups" }
      text += ", \(scan.columns.count)/\(scan.columnsTotal) columns (\((part.isExact ? CostTier.exact : .upperBound).rawValue))"
      lines.append(text)
    }
    if context.meter.metadataBytes > 0 { lines.append("  metadata: \(context.meter.metadataBytes) bytes") }
    return lines
  }

  private var document: JSONDocument {
    func number(_ value: Int?) -> JSONDocument { .literal(value.map(String.init) ?? "null") }
    let tables = forecast.parts.map { part -> JSONDocument in
      .object([
        ("table", .string(part.scan.table)), ("bytes", number(part.dataBytes)), ("bytesTotal", number(part.scan.bytes)),
        ("files", number(part.scan.files)), ("partitions", .array(part.scan.partitions.map { .string($0) })),
        ("partitionsTotal", number(part.scan.partitionsTotal)), ("columns", .array(part.scan.columns.map { .string($0) })),
        ("columnsTotal", number(part.scan.columnsTotal)), ("rowGroups", number(part.rowGroupsRead)),
        ("rowGroupsTotal", number(part.rowGroupsTotal)), ("tier", .string((part.isExact ? CostTier.exact : .upperBound).rawValue)),
      ])
    }
    return .object([
      ("tier", .string(forecast.tier.rawValue)), ("bytes", number(bytes)), ("metadataBytes", number(context.meter.metadataBytes)),
      ("bytesBilled", number(bill.bytesBilled)), ("dollars", .literal("\(bill.dollars)")), ("tables", .array(tables)),
    ])
  }
}
