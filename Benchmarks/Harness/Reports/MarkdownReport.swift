import Foundation

/// A report as Markdown tables.
///
///     | query | answer | rows | sqlq ms | median | duckdb ms | … | best peer | sqlq / best | MB read | sqlq MB | duckdb MB |
struct MarkdownReport {
  private let report: BenchmarkReport

  init(_ report: BenchmarkReport) { self.report = report }

  var text: String {
    var lines = ["## \(report.suite) · \(report.data)", "", heading, ""]
    lines += row(columns) + row(columns.indices.map { $0 < 2 ? "---" : "---:" })
    lines += report.queries.flatMap { row(cells($0)) }
    lines += [""] + summary
    if let startUp = report.startUp { lines += [""] + MarkdownReport.startUp(startUp) }
    let notes = report.queries.flatMap(notes)
    if !notes.isEmpty { lines += ["", "Notes:", ""] + notes.map { "- " + $0 } }
    return lines.joined(separator: "\n") + "\n"
  }

  private var heading: String {
    let versions = report.engines.map { $0.engine == .sqlq ? "sqlq" : "\($0.engine.rawValue) \($0.version)" }
    return "\(report.format.rawValue)\(report.declaresTypes ? ", types declared" : ""), \(report.threads) threads, "
      + "\(report.rounds) warm rounds; \(versions.joined(separator: ", ")). \(report.machine), \(report.date). "
      + "Times are the least of the warm rounds in milliseconds; memory is the peak in a fresh process."
  }

  private var columns: [String] {
    ["query", "answer", "rows", "sqlq ms", "median"] + report.peers.map { "\($0.rawValue) ms" }
      + (report.peers.isEmpty ? [] : ["best peer", "sqlq / best"]) + ["read MB"]
      + report.engines.filter { hasMemory($0.engine) }.map { "\($0.engine.rawValue) MB" }
  }

  private func hasMemory(_ engine: Engine) -> Bool {
    report.queries.contains { $0.results[engine.rawValue]?.peakByteCount != nil }
  }

  private func cells(_ query: QueryReport) -> [String] {
    let own = query.results[Engine.sqlq.rawValue]
    var cells = [query.name, own?.error != nil ? "ERROR" : query.verdict?.rawValue ?? "–"]
    cells += [query.rowCount.map(String.init) ?? "–", Figures.milliseconds(own?.least), Figures.milliseconds(own?.median)]
    cells += report.peers.map { peer in
      let result = query.results[peer.rawValue]
      if result?.error != nil { return "✗" }
      return Figures.milliseconds(result?.least) + (result?.verdict == .different ? " !" : "")
    }
    if !report.peers.isEmpty { cells += [query.bestPeer?.rawValue ?? "–", Figures.ratio(query.ratioToBest)] }
    cells.append(Figures.megabytes(query.counters?.bytesScanned))
    cells += report.engines.filter { hasMemory($0.engine) }.map { Figures.megabytes(query.results[$0.engine.rawValue]?.peakByteCount) }
    return cells
  }

  private var summary: [String] {
    let own = report.queries.compactMap { $0.results[Engine.sqlq.rawValue]?.least }
    let agreed = report.queries.count - report.failures.count
    var lines = ["\(agreed) of \(report.queries.count) answers agree; sqlq's least times sum to \(Figures.milliseconds(own.reduce(0, +))) ms."]
    if report.peers.isEmpty { return lines }
    lines += [""] + row(["sqlq over", "queries", "geometric mean", "worst", "faster in"]) + row(["---"] + Array(repeating: "---:", count: 4))
    for (name, ratios) in report.peers.map({ ($0.rawValue, report.ratios(to: $0)) }) + [("the best peer of each query", report.ratiosToBest)] {
      lines += row([name, "\(ratios.count)", Figures.ratio(ratios.geometricMean), Figures.ratio(ratios.worst), "\(ratios.wins)"])
    }
    return lines
  }

  private static func startUp(_ startUp: [BenchmarkReport.StartUp]) -> [String] {
    ["| whole process | of | least ms | median ms |", "| --- | --- | ---: | ---: |"]
      + startUp.map { entry in
        let result = EngineResult(times: entry.times)
        return
          "| \(entry.work.rawValue) | \(entry.engine.rawValue) | \(Figures.milliseconds(result.least)) | \(Figures.milliseconds(result.median)) |"
      }
  }

  /// Differences and refusals, one a line.
  private func notes(_ query: QueryReport) -> [String] {
    var notes: [String] = []
    if !query.detail.isEmpty { notes.append("\(query.name): \(query.detail)") }
    for engine in report.engines.map(\.engine) {
      guard let result = query.results[engine.rawValue] else { continue }
      if let error = result.error { notes.append("\(query.name): \(engine.rawValue): \(error)") }
    }
    return notes
  }

  private func row(_ cells: [String]) -> [String] { ["| " + cells.joined(separator: " | ") + " |"] }
}
