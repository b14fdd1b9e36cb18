import Foundation

/// Everything a run measured; what `--json` writes and `--baseline` reads.
///
/// - Units: times in milliseconds, sizes in bytes.
struct BenchmarkReport: Codable, Sendable {
  var suite: String
  var data: String
  var format: TableFormat
  var declaresTypes: Bool
  var threads: Int
  var rounds: Int
  var date: String
  var machine: String
  /// The measured engines' versions; sqlq first.
  var engines: [EngineVersion]
  var queries: [QueryReport]
  /// Whole processes, where asked for.
  var startUp: [StartUp]?

  struct EngineVersion: Codable, Sendable {
    var engine: Engine
    var version: String
  }

  struct StartUp: Codable, Sendable {
    var engine: Engine
    var work: StartUpWork
    var times: [Double]
  }

  var peers: [Engine] { engines.map(\.engine).filter { $0 != .sqlq } }

  /// sqlq's least time over `peer`'s, as geometric mean over the queries that both answered, and the worst of them.
  func ratios(to peer: Engine) -> RatioSummary { RatioSummary(queries.compactMap { $0.ratio(to: peer) }) }

  /// The same over each query's fastest peer.
  var ratiosToBest: RatioSummary { RatioSummary(queries.compactMap(\.ratioToBest)) }

  /// Queries on which sqlq and the reference disagree, or that sqlq cannot run.
  var failures: [QueryReport] { queries.filter { $0.verdict == .different || $0.results[Engine.sqlq.rawValue]?.error != nil } }
}

/// What the engines did with one query.
struct QueryReport: Codable, Sendable {
  var name: String
  var title: String
  var rowCount: Int?
  /// How sqlq's rows compare with the reference's; nil: nothing to compare with.
  var verdict: AnswerComparison.Verdict?
  var reference: String?
  /// The first difference, and which engines side with sqlq.
  var detail: String
  /// By engine name.
  var results: [String: EngineResult]
  var counters: ScanCounters?

  /// Peers that gave the reference's rows: a wrong answer is no record to beat.
  func competes(_ peer: Engine) -> Bool {
    guard let result = results[peer.rawValue], result.least != nil else { return false }
    return result.verdict != .different
  }

  func ratio(to peer: Engine) -> Double? {
    guard competes(peer), let own = results[Engine.sqlq.rawValue]?.least, let other = results[peer.rawValue]?.least
    else { return nil }
    return own / other
  }

  /// The peer with the least time.
  var bestPeer: Engine? {
    Engine.peers.filter(competes).min { (results[$0.rawValue]?.least ?? .infinity) < (results[$1.rawValue]?.least ?? .infinity) }
  }

  var ratioToBest: Double? { bestPeer.flatMap(ratio) }
}

/// One engine's times and memory on one query.
struct EngineResult: Codable, Sendable {
  /// Warm runs in order; the first run of the process is not among them.
  var times: [Double] = []
  /// The first run in a fresh process.
  var coldTime: Double?
  /// Peak of anonymous memory of a fresh process, less what it held before.
  var peakByteCount: Int?
  /// A peer's rows against the reference's.
  var verdict: AnswerComparison.Verdict?
  /// Why there are no times: unsupported SQL, a timeout, a crash.
  var error: String?

  var least: Double? { times.min() }

  var median: Double? {
    if times.isEmpty { return nil }
    let sorted = times.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}

/// Ratios over many queries.
struct RatioSummary {
  let count: Int
  let geometricMean: Double?
  let worst: Double?
  /// How many are below 1.
  let wins: Int

  init(_ ratios: [Double]) {
    let usable = ratios.filter { $0.isFinite && $0 > 0 }
    count = usable.count
    geometricMean = usable.isEmpty ? nil : exp(usable.reduce(0) { $0 + log($1) } / Double(usable.count))
    worst = usable.max()
    wins = usable.count { $0 < 1 }
  }
}

/// Numbers as the reports write them.
enum Figures {
  static func milliseconds(_ value: Double?) -> String {
    guard let value else { return "–" }
    return String(format: value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value)
  }

  static func ratio(_ value: Double?) -> String { value.map { String(format: "%.2f", $0) } ?? "–" }

  static func megabytes(_ value: Int?) -> String {
    value.map { String(format: $0 < 10_000_000 ? "%.2f" : "%.0f", Double($0) / 1e6) } ?? "–"
  }
}
