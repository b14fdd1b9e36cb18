import QueryEngine

/// Compares a result with expected rows, as values of the result's types, and shows what differs.
struct RowComparison {
  private let expectedNames: [String]
  private let names: [String]
  /// Texts, nil for NULL.
  private let expected: [[String?]]
  private let rows: [[String?]]
  private var problem: String?

  /// Rows that are shown of a difference.
  private static let shownCount = 20

  /// - Parameter expected: a header, then rows.
  init(expected: [[String?]], _ result: ResultCollector) {
    names = result.schema.fields.map(\.name)
    expectedNames = (expected.first ?? []).map { $0 ?? "" }
    var rows: [[String?]] = []
    for batch in result.batches {
      let texts = batch.columns.map(ResultText.init)
      for row in 0..<batch.rowCount {
        rows.append(
          texts.map { text in
            if text.isNull(row) { return nil }
            var bytes: [UInt8] = []
            text.append(row, to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
          })
      }
    }
    self.rows = rows
    let width = expectedNames.count
    let body = expected.dropFirst()
    if expectedNames != names {
      problem = "expected columns \(expectedNames.joined(separator: ", "))\n     but got     \(names.joined(separator: ", "))"
    } else if let (index, row) = body.enumerated().first(where: { $0.element.count != width }).map({ ($0.offset, $0.element) }) {
      problem = "expected row \(index + 1) has \(row.count) fields, its header \(width)"
    }
    guard problem == nil else {
      self.expected = []
      return
    }
    // What is written in another way is the same value: 10.5 and 10.50.
    var columns: [[String?]] = []
    for (index, field) in result.schema.fields.enumerated() { columns.append(ResultValues.canonical(body.map { $0[index] }, field.type)) }
    self.expected = body.indices.map { row in columns.map { $0[row - body.startIndex] } }
  }

  func differences(inOrder: Bool) -> [String] {
    if let problem { return [problem] }
    if expected == rows { return [] }
    var missing: [[String?]] = []
    var counts: [[String?]: Int] = [:]
    for row in rows { counts[row, default: 0] += 1 }
    for row in expected {
      if let count = counts[row], count > 0 { counts[row] = count - 1 } else { missing.append(row) }
    }
    var unexpected: [[String?]] = []
    for row in rows.reversed() where (counts[row] ?? 0) > 0 {
      counts[row]! -= 1
      unexpected.insert(row, at: 0)
    }
    if missing.isEmpty, unexpected.isEmpty {
      if !inOrder { return [] }
      let first = zip(expected, rows).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? 0
      return [
        table(
          "rows are in another order, from row \(first + 1) on",
          [("-", expected[first]), ("+", rows[first])])
      ]
    }
    let head = "rows differ: \(missing.count) missing, \(unexpected.count) unexpected (\(expected.count) expected, \(rows.count) given)"
    return [table(head, missing.map { ("-", $0) } + unexpected.map { ("+", $0) })]
  }

  private func table(_ head: String, _ lines: [(sign: String, row: [String?])]) -> String {
    func text(_ value: String?) -> String { value.map { $0.isEmpty ? "''" : $0.replacing("\n", with: "⏎") } ?? "NULL" }
    let shown = lines.prefix(RowComparison.shownCount)
    var widths = names.map(\.count)
    for (_, row) in shown { for (index, value) in row.enumerated() { widths[index] = max(widths[index], text(value).count) } }
    func line(_ sign: String, _ values: [String]) -> String {
      let padded = zip(values, widths).map { $0 + String(repeating: " ", count: max(0, $1 - $0.count)) }
      return (sign + " " + padded.joined(separator: " | ")).trimmedEnd
    }
    var texts = [head, line(" ", names)]
    for (sign, row) in shown { texts.append(line(sign, row.map(text))) }
    if lines.count > shown.count { texts.append("  … \(lines.count - shown.count) more") }
    return texts.joined(separator: "\n")
  }
}

extension String {
  fileprivate var trimmedEnd: String { String(reversed().drop(while: \.isWhitespace).reversed()) }
}
