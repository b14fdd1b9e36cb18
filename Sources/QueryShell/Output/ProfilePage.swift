import QueryEngine

/// A page that shows where a query's time, rows and bytes went: the plan as a tree, a bar of time for each operator.
enum ProfilePage {
  static func page(_ sql: String, _ figures: QueryStatistics, _ roots: [OperatorProfile]) -> String {
    let total = max(roots.reduce(0) { $0 + sum($1) }, 0.001)
    var body = HTMLText.pageStart("Query profile", style: style)
    body += "<h1>Query profile</h1>\n<pre class=\"sql\">\(HTMLText.escaped(sql))</pre>\n"
    body += "<p>\(HTMLText.escaped(StatusFooter.text(figures)))</p>\n<table class=\"figures\">\n"
    for (name, value) in facts(figures) { body += "<tr><th>\(name)</th><td class=\"number\">\(HTMLText.escaped(value))</td></tr>\n" }
    body += "</table>\n<h2>Operators</h2>\n<table class=\"plan\">\n"
    let titles = ["operator", "time of all threads", "rows in", "rows out", "held", "spilled", ""]
    body += "<thead><tr>" + titles.map { "<th>\($0)</th>" }.joined() + "</tr></thead>\n"
    for root in roots { rows(root, depth: 0, total, figures.unitBase, &body) }
    if roots.isEmpty { body += "<tr><td colspan=\"7\">The statement has no plan.</td></tr>\n" }
    return body + "</table>\n" + HTMLText.pageEnd
  }

  private static let style = """
    h1 { font-size: 1.3em } h2 { font-size: 1.1em } .sql { padding: .6em; border: 1px solid var(--rule); overflow-x: auto }
    .plan td:first-child { font-family: ui-monospace, monospace; font-size: 12px }
    .time { position: relative; min-width: 12em; text-align: right } .time i { position: absolute; inset: 2px auto 2px 0; background: var(--bar); opacity: .45 }
    .facts { color: var(--dim); font-size: 12px }
    """

  private static func sum(_ node: OperatorProfile) -> Double { node.inputs.reduce(node.milliseconds) { $0 + sum($1) } }

  private static func facts(_ figures: QueryStatistics) -> [(String, String)] {
    let base = figures.unitBase
    var facts = [
      ("rows", StatusFooter.grouped(figures.rows)), ("total time", StatusFooter.seconds(figures.wallMilliseconds)),
      ("planning", StatusFooter.seconds(figures.planningMilliseconds)), ("bytes scanned", StatusFooter.bytes(figures.bytesScanned, base)),
      ("of all files", StatusFooter.bytes(figures.bytesTotal, base)), ("billed", StatusFooter.bytes(figures.bytesBilled, base)),
      ("cost", StatusFooter.dollars(figures.dollars)), ("peak memory", StatusFooter.bytes(figures.peakMemoryBytes, base)),
      ("spilled", StatusFooter.bytes(figures.spilledBytes, base)),
      ("files", "\(StatusFooter.grouped(figures.filesRead))" + (figures.filesTotal.map { " of \(StatusFooter.grouped($0))" } ?? "")),
      ("partitions", "\(StatusFooter.grouped(figures.partitionsRead))" + (figures.partitionsTotal.map { " of \(StatusFooter.grouped($0))" } ?? "")),
      ("columns", "\(figures.columnsRead) of \(figures.columnsTotal)"),
    ]
    if figures.rowGroupsTotal > 0 {
      facts.append(("row groups", "\(StatusFooter.grouped(figures.rowGroupsRead)) of \(StatusFooter.grouped(figures.rowGroupsTotal))"))
    }
    return facts
  }

  private static func rows(
    _ node: OperatorProfile, depth: Int, _ total: Double, _ base: EngineConfiguration.UnitBase, _ body: inout String
  ) {
    let share = node.milliseconds / total * 100
    let facts = node.facts.map { "\($0.name) \($0.value)" }.joined(separator: " · ")
    body += "<tr><td style=\"padding-left:\(depth)em\">\(HTMLText.escaped(node.name))</td>"
    body += "<td class=\"time\"><i style=\"width:\(StatusFooter.fixed(share, digits: 1))%\"></i>"
    body += "\(StatusFooter.fixed(node.milliseconds, digits: 1)) ms · \(StatusFooter.fixed(share, digits: 0)) %</td>"
    body += "<td class=\"number\">\(node.inputs.isEmpty ? "" : StatusFooter.grouped(node.inputRows))</td>"
    body += "<td class=\"number\">\(StatusFooter.grouped(node.outputRows))</td>"
    body += "<td class=\"number\">\(node.stateBytes > 0 ? StatusFooter.bytes(node.stateBytes, base) : "")</td>"
    body += "<td class=\"number\">\(node.spilledBytes > 0 ? StatusFooter.bytes(node.spilledBytes, base) : "")</td>"
    body += "<td class=\"facts\">\(HTMLText.escaped(facts))</td></tr>\n"
    for input in node.inputs { rows(input, depth: depth + 1, total, base, &body) }
  }
}
