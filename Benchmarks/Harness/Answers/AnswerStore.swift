import Foundation

/// Answers kept in files, so that sqlq can be checked without the peer that gave them: a JSON array of values a line.
struct AnswerStore {
  private let folder: String

  init(_ folder: String) { self.folder = folder }

  /// Nil when there is none.
  func load(_ query: String) throws -> [[String?]]? {
    guard let text = try? String(contentsOfFile: path(query), encoding: .utf8) else { return nil }
    return try text.split(separator: "\n").map { try JSONDecoder().decode([String?].self, from: Data($0.utf8)) }
  }

  func save(_ query: String, _ rows: [[String?]]) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    let lines = try rows.map { String(decoding: try encoder.encode($0), as: UTF8.self) + "\n" }
    try lines.joined().write(toFile: path(query), atomically: true, encoding: .utf8)
  }

  private func path(_ query: String) -> String { folder + "/" + query + ".jsonl" }
}
