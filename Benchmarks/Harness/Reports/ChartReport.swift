import Foundation

/// A report as a dot plot: a row a query, a dot an engine, least time on a logarithmic axis.
///
///     q01  ──●────○─────────□──
///     q02  ───────○──●────□────
struct ChartReport {
  private let report: BenchmarkReport

  private static let rowHeight = 20.0
  private static let top = 74.0
  private static let left = 110.0
  private static let plotWidth = 760.0
  private static let colors: [Engine: String] = [
    .sqlq: "#d6336c", .duckdb: "#b08900", .datafusion: "#1c7ed6", .chdb: "#e8590c", .polars: "#2b8a3e",
  ]

  init(_ report: BenchmarkReport) { self.report = report }

  /// The picture alone.
  var svg: String {
    let times = report.queries.flatMap { query in query.results.values.compactMap(\.least) }
    let low = floor(log10(max(times.min() ?? 1, 0.01)))
    let high = max(ceil(log10(max(times.max() ?? 10, 0.01))), low + 1)
    let x = { (value: Double) in
      ChartReport.left + (log10(max(value, 0.01)) - low) / (high - low) * ChartReport.plotWidth
    }
    let bottom = ChartReport.top + Double(report.queries.count) * ChartReport.rowHeight
    var parts = [
      """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 \(Int(bottom) + 30)" font-family="system-ui, sans-serif" font-size="12">
      <style>text { fill: #343a40 } .grid { stroke: #dee2e6 } .row { stroke: #f1f3f5 }
      @media (prefers-color-scheme: dark) { text { fill: #dee2e6 } .grid { stroke: #495057 } .row { stroke: #343a40 } }</style>
      <text x="10" y="22" font-size="16">\(ChartReport.escaped("\(report.suite) · \(report.data)"))</text>
      <text x="10" y="40">\(ChartReport.escaped("least warm time in ms, \(report.threads) threads; a ring: answer differs"))</text>
      """
    ]
    for (index, entry) in report.engines.enumerated() {
      let at = 400.0 + Double(index) * 100
      parts.append(dot(entry.engine, at, 22, isRing: false) + "<text x=\"\(at + 10)\" y=\"26\">\(entry.engine.rawValue)</text>")
    }
    for exponent in Int(low)...Int(high) {
      let at = x(pow(10, Double(exponent)))
      let label = exponent < 0 ? String(pow(10, Double(exponent))) : "\(Int(pow(10, Double(exponent))))"
      parts.append(
        "<line class=\"grid\" x1=\"\(at)\" y1=\"\(ChartReport.top - 8)\" x2=\"\(at)\" y2=\"\(bottom)\"/>"
          + "<text x=\"\(at)\" y=\"\(ChartReport.top - 14)\" text-anchor=\"middle\">\(label)</text>")
    }
    for (index, query) in report.queries.enumerated() {
      let y = ChartReport.top + (Double(index) + 0.5) * ChartReport.rowHeight
      parts.append(
        "<line class=\"row\" x1=\"\(ChartReport.left)\" y1=\"\(y)\" x2=\"\(ChartReport.left + ChartReport.plotWidth)\" y2=\"\(y)\"/>"
          + "<text x=\"\(ChartReport.left - 8)\" y=\"\(y + 4)\" text-anchor=\"end\">\(ChartReport.escaped(query.name))"
          + "<title>\(ChartReport.escaped(query.title))</title></text>")
      for engine in report.engines.map(\.engine).reversed() {
        guard let result = query.results[engine.rawValue], let least = result.least else { continue }
        let isWrong = engine == .sqlq ? query.verdict == .different : result.verdict == .different
        parts.append(dot(engine, x(least), y, isRing: isWrong, title: "\(engine.rawValue) \(Figures.milliseconds(least)) ms"))
      }
    }
    return parts.joined(separator: "\n") + "\n</svg>\n"
  }

  /// A page with the picture and the summary.
  var html: String {
    let best = report.ratiosToBest
    let line =
      report.peers.isEmpty
      ? "" : "sqlq over the best peer of each query: geometric mean \(Figures.ratio(best.geometricMean)), worst \(Figures.ratio(best.worst))."
    return """
      <!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark">
      <title>\(ChartReport.escaped(report.suite))</title>
      <body style="max-width: 920px; margin: 2em auto; font-family: system-ui, sans-serif">
      \(svg)<p>\(ChartReport.escaped(line))</p>
      <p>\(ChartReport.escaped("\(report.machine), \(report.date)"))</p>

      """
  }

  private func dot(_ engine: Engine, _ x: Double, _ y: Double, isRing: Bool, title: String = "") -> String {
    let color = ChartReport.colors[engine] ?? "#868e96"
    let look = isRing ? "fill=\"none\" stroke=\"\(color)\" stroke-width=\"2\"" : "fill=\"\(color)\" fill-opacity=\"0.85\""
    return "<circle cx=\"\(String(format: "%.1f", x))\" cy=\"\(String(format: "%.1f", y))\" r=\"\(engine == .sqlq ? 6 : 4.5)\" \(look)>"
      + (title.isEmpty ? "" : "<title>\(title)</title>") + "</circle>"
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}
