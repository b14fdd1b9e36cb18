import Foundation

/// A query of a suite: `q01.sql`, with other texts for engines that spell it differently, `q01.polars.sql`, and for all
/// peers, `q01.peers.sql`.
struct SuiteQuery {
  let name: String
  let text: String
  private let variants: [Engine: String]
  private let peersText: String?

  /// The first comment line.
  var title: String {
    text.split(separator: "\n").first.map { $0.hasPrefix("--") ? $0.drop { "- ".contains($0) } : "" }.map(String.init) ?? ""
  }

  func text(for engine: Engine) -> String { variants[engine] ?? (engine == .sqlq ? nil : peersText) ?? text }

  /// Whether only the number of rows is promised (`-- compare: count`).
  var comparesCount: Bool { text.contains("-- compare: count") }

  /// Whether the whole query has an ORDER BY.
  var isOrdered: Bool {
    let bare = text.replacing(/--[^\n]*|'[^']*'/, with: "")
    var depth = 0
    let outermost = bare.filter { letter in
      if letter == ")" { depth -= 1 }
      defer { if letter == "(" { depth += 1 } }
      return depth == 0
    }
    return outermost.contains(/(?i)\border\s+by\b/)
  }

  /// The queries of a folder by name, of which `wanted` remain: `q01,q05-q09`.
  static func load(_ folder: String, wanted: String?) throws -> [SuiteQuery] {
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".sql") }
    let bases = files.map { String($0.dropLast(4)) }.filter { !$0.contains(".") }.sorted()
    let queries = try bases.filter { wanted.map(Selection.init)?.contains($0) ?? true }.map { base in
      var variants: [Engine: String] = [:]
      for engine in Engine.allCases where files.contains("\(base).\(engine.rawValue).sql") {
        variants[engine] = try String(contentsOfFile: "\(folder)/\(base).\(engine.rawValue).sql", encoding: .utf8)
      }
      return SuiteQuery(
        name: base, text: try String(contentsOfFile: "\(folder)/\(base).sql", encoding: .utf8), variants: variants,
        peersText: try? String(contentsOfFile: "\(folder)/\(base).peers.sql", encoding: .utf8))
    }
    if queries.isEmpty {
      throw ReportedError("No queries in \(folder)" + (wanted.map { " match \($0)." } ?? ": it holds no .sql files."))
    }
    return queries
  }

  /// Names and ranges of names, by their numbers.
  private struct Selection {
    private let parts: [Substring]
    init(_ text: String) { parts = text.split(separator: ",") }

    func contains(_ name: String) -> Bool {
      parts.contains { part in
        let ends = part.split(separator: "-", maxSplits: 1)
        guard ends.count == 2, let low = number(ends[0]), let high = number(ends[1]), let own = number(Substring(name)) else {
          return part == name || (number(part).map { part.allSatisfy(\.isNumber) && $0 == number(Substring(name)) } ?? false)
        }
        return (low...max(low, high)).contains(own)
      }
    }

    private func number(_ text: Substring) -> Int? { Int(text.filter(\.isNumber)) }
  }
}
