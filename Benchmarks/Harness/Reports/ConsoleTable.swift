import Foundation

/// The report as it grows, on stdout.
///
///     query   answer    rows   sqlq ms    median  duckdb ms  …  best peer   / best   sqlq MB  duckdb MB   read MB
struct ConsoleTable {
  private let report: BenchmarkReport

  init(_ report: BenchmarkReport) { self.report = report }

  private static let width = 10

  func printHeading() {
    let versions = report.engines.map { $0.engine == .sqlq ? "sqlq" : "\($0.engine.rawValue) \($0.version)" }
    write(
      "\(report.suite) · \(report.data) · \(report.format.rawValue)\(report.declaresTypes ? " declared" : "") · "
        + "\(report.threads) threads · \(versions.joined(separator: ", "))")
    let peers = report.peers.map { "\($0.rawValue) ms" } + (report.peers.isEmpty ? [] : ["best peer", "sqlq/best"])
    line(
      ["query", "answer", "rows", "sqlq ms", "median"] + peers + ["read MB", "sqlq MB"] + (report.peers.first.map { ["\($0.rawValue) MB"] } ?? []))
  }

  func print(_ query: QueryReport) {
    let own = query.results[Engine.sqlq.rawValue]
    let memory = { (engine: Engine) in Figures.megabytes(query.results[engine.rawValue]?.peakByteCount) }
    let peers = report.peers.map { peer in
      let result = query.results[peer.rawValue]
      return result?.error != nil ? "✗" : Figures.milliseconds(result?.least) + (result?.verdict == .different ? "!" : "")
    }
    line(
      [query.name, own?.error != nil ? "ERROR" : query.verdict?.rawValue ?? "–", query.rowCount.map(String.init) ?? "–"]
        + [Figures.milliseconds(own?.least), Figures.milliseconds(own?.median)] + peers
        + (report.peers.isEmpty ? [] : [query.bestPeer?.rawValue ?? "–", Figures.ratio(query.ratioToBest)])
        + [Figures.megabytes(query.counters?.bytesScanned), memory(.sqlq)] + (report.peers.first.map { [memory($0)] } ?? []))
    if !query.detail.isEmpty { write("        \(query.detail)") }
    for engine in report.engines.map(\.engine) {
      if let error = query.results[engine.rawValue]?.error { write("        \(engine.rawValue): \(error)") }
    }
  }

  func printSummary() {
    for (name, ratios) in report.peers.map({ ($0.rawValue, report.ratios(to: $0)) })
      + (report.peers.isEmpty ? [] : [("best peer of each query", report.ratiosToBest)])
    {
      write(
        "sqlq / \(name): geometric mean \(Figures.ratio(ratios.geometricMean)), worst \(Figures.ratio(ratios.worst)), "
          + "faster in \(ratios.wins) of \(ratios.count)")
    }
    for entry in report.startUp ?? [] {
      write(
        "whole process of \(entry.work.rawValue), \(entry.engine.rawValue): least \(Figures.milliseconds(entry.times.min())) ms, "
          + "median \(Figures.milliseconds(EngineResult(times: entry.times).median)) ms")
    }
    write("\(report.queries.count - report.failures.count) of \(report.queries.count) answers agree")
  }

  private func line(_ cells: [String]) {
    let padded = cells.enumerated().map { index, cell in
      let width = index == 0 ? 8 : max(ConsoleTable.width, cell.count)
      let fill = String(repeating: " ", count: max(0, width - cell.count))
      return index == 0 ? cell + fill : fill + cell
    }
    write(padded.joined(separator: " "))
  }

  private func write(_ text: String) {
    try? FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8))
  }
}
