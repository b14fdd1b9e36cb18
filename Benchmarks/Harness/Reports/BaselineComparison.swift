import Foundation

/// This run against an earlier one of the same suite.
///
///     q05   412 →  298 ms   0.72  faster
struct BaselineComparison {
  private let now: BenchmarkReport
  private let then: BenchmarkReport

  /// Ratios within these say nothing on a machine that does other work too.
  private static let noise = 0.93...1.08

  init(_ now: BenchmarkReport, since then: BenchmarkReport) {
    self.now = now
    self.then = then
  }

  var text: String {
    let old = Dictionary(then.queries.map { ($0.name, $0) }) { first, _ in first }
    var lines: [String] = []
    var ratios: [Double] = []
    for query in now.queries {
      guard let before = old[query.name]?.results[Engine.sqlq.rawValue]?.least,
        let after = query.results[Engine.sqlq.rawValue]?.least
      else { continue }
      let ratio = after / before
      ratios.append(ratio)
      let word = BaselineComparison.noise.contains(ratio) ? "" : ratio < 1 ? "faster" : "SLOWER"
      let bytes = BaselineComparison.change(old[query.name]?.counters?.bytesScanned, query.counters?.bytesScanned, "bytes scanned")
      lines.append(
        "\(query.name.padding(toLength: 8, withPad: " ", startingAt: 0)) \(pad(Figures.milliseconds(before))) → "
          + "\(pad(Figures.milliseconds(after))) ms  \(Figures.ratio(ratio))  \(word)\(bytes)")
    }
    let summary = RatioSummary(ratios)
    lines.append(
      "now over \(then.date): geometric mean \(Figures.ratio(summary.geometricMean)), worst \(Figures.ratio(summary.worst)), \(summary.count) queries"
    )
    // The peers did not change: how much they seem to have is how much the machine has.
    for peer in now.peers {
      let drift = RatioSummary(
        now.queries.compactMap { query in
          guard let before = old[query.name]?.results[peer.rawValue]?.least, let after = query.results[peer.rawValue]?.least
          else { return nil }
          return after / before
        })
      if drift.count > 0 { lines.append("\(peer.rawValue) meanwhile: \(Figures.ratio(drift.geometricMean))") }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func pad(_ text: String) -> String { String(repeating: " ", count: max(0, 7 - text.count)) + text }

  private static func change(_ before: Int?, _ after: Int?, _ what: String) -> String {
    guard let before, let after, before != after else { return "" }
    return "  \(what) \(before) → \(after)"
  }
}
