import Foundation

/// One step of a case file.
struct LogicTestRecord {
  enum Kind {
    /// The statement succeeds; its rows do not matter.
    case ok
    /// The statement fails with this code, and the rendered error contains the text.
    case error(code: String, text: String)
    /// The statement gives these rows; `types` has a letter a column.
    case query(types: String, isSorted: Bool)
    /// The statement's figures are these.
    case statistics([(name: String, value: String)])
    /// The statement in Athena's own SQL is the text given as rows.
    case rewrite
    /// The rest of the file does not count.
    case halt
  }

  var kind: Kind
  var sql: String
  /// Rows as the file holds them, one line each.
  var rows: [String]
  /// Configurations that pass over this record.
  var skipped: Set<String>
  /// The only configurations that run this record; empty: all.
  var only: Set<String>
  var file: URL
  /// Lines of `file`, from 0: where the record begins, and the lines of its rows.
  var line: Int
  var rowLines: Range<Int>
}

/// A case file: `statement`, `query` and `statistics` records, as Tests/README.md describes them.
struct LogicTestFile {
  struct FormatError: Error, CustomStringConvertible {
    var description: String
  }

  var records: [LogicTestRecord] = []

  /// - Parameter root: the folder that `include` starts from.
  init(_ url: URL, root: URL, depth: Int = 0) throws {
    guard depth < 8 else { throw FormatError(description: "\(url.path): includes itself") }
    let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
    var position = 0
    var skipped: Set<String> = []
    var only: Set<String> = []
    while position < lines.count {
      let line = lines[position]
      if line.isEmpty || line.hasPrefix("#") {
        position += 1
        continue
      }
      let words = line.split(separator: " ").map(String.init)
      let start = position
      position += 1
      switch words[0] {
      case "include" where words.count == 2:
        records += try LogicTestFile(root.appending(path: words[1]), root: root, depth: depth + 1).records
      case "skipif" where words.count > 1: skipped.formUnion(words.dropFirst())
      case "onlyif" where words.count > 1: only.formUnion(words.dropFirst())
      case "halt", "statement", "query", "statistics", "rewrite":
        guard let kind = LogicTestFile.kind(line, words) else {
          throw FormatError(description: "\(url.path):\(start + 1): '\(line)' is no record")
        }
        var sql: [String] = []
        while position < lines.count, !lines[position].isEmpty, lines[position] != "----" {
          sql.append(lines[position])
          position += 1
        }
        var rows: [String] = []
        if position < lines.count, lines[position] == "----" {
          position += 1
          while position < lines.count, !lines[position].isEmpty {
            rows.append(lines[position])
            position += 1
          }
        } else if case .query = kind {
          throw FormatError(description: "\(url.path):\(start + 1): a query needs ---- and its rows")
        }
        records.append(
          LogicTestRecord(
            kind: kind, sql: sql.joined(separator: "\n"), rows: rows, skipped: skipped, only: only, file: url,
            line: start, rowLines: (position - rows.count)..<position))
        skipped = []
        only = []
      default: throw FormatError(description: "\(url.path):\(start + 1): '\(line)' begins no record")
      }
    }
  }

  private static func kind(_ line: String, _ words: [String]) -> LogicTestRecord.Kind? {
    switch words[0] {
    case "halt": return words.count == 1 ? .halt : nil
    case "rewrite": return words.count == 1 ? .rewrite : nil
    case "statement":
      if words.count == 2, words[1] == "ok" { return .ok }
      guard words.count >= 3, words[1] == "error" else { return nil }
      let text = words.count > 3 ? line.dropFirst("statement error \(words[2]) ".count) : ""
      return .error(code: words[2], text: String(text))
    case "query":
      guard words.count >= 2, words.count == 2 || words.count == 3 && words[2] == "rowsort" else { return nil }
      return .query(types: words[1], isSorted: words.count == 3)
    default:
      let pairs = words.dropFirst().map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
      guard !pairs.isEmpty, pairs.allSatisfy({ $0.count == 2 }) else { return nil }
      return .statistics(pairs.map { ($0[0], $0[1]) })
    }
  }

  /// Whether a row of the file stands for a row of the result: equal, `<ignore>` standing for any text.
  static func matches(_ expected: String, _ actual: String) -> Bool {
    let parts = expected.components(separatedBy: "<ignore>")
    guard parts.count > 1 else { return expected == actual }
    var rest = Substring(actual)
    guard rest.hasPrefix(parts[0]) else { return false }
    rest = rest.dropFirst(parts[0].count)
    for part in parts[1..<(parts.count - 1)] {
      guard let range = part.isEmpty ? rest.startIndex..<rest.startIndex : rest.range(of: part) else { return false }
      rest = rest[range.upperBound...]
    }
    return rest.hasSuffix(parts[parts.count - 1])
  }
}
