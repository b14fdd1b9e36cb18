import Glibc
package import QueryEngine

/// Aligned columns in a box, cut to fit the terminal.
///
///     ┌────────┬───────┐
///     │ city   │ trips │
///     ├────────┼───────┤
///     │ Berlin │    12 │
///     └────────┴───────┘
///
/// Rows are kept until all are known, so that columns are as wide as their values; of large results the first and last
/// rows are shown.
package final class TableRenderer: ResultRenderer {
  private let output: OutputStream
  private let width: Int?
  private var schema = Schema([])
  private var rows: [[String?]] = []
  private var tail: [[String?]] = []
  private var rowCount = 0

  /// Rows shown at the start and at the end of larger results on a terminal.
  private static let shownRowCount = 100
  private static let shownTailCount = 20
  /// Letters a column keeps at least when columns are narrowed.
  private static let minimumWidth = 6

  package init(_ output: OutputStream, width: Int?) {
    self.output = output
    self.width = width
  }

  package func begin(_ schema: Schema) throws(QueryError) { self.schema = schema }

  package func receive(_ batch: Batch) throws(QueryError) {
    let texts = batch.columns.map(ResultText.init)
    for row in 0..<batch.rowCount {
      rowCount += 1
      let isKept = width == nil || rows.count < TableRenderer.shownRowCount
      // Of a large result only the last rows are of interest from here on.
      if !isKept, batch.rowCount - row > TableRenderer.shownTailCount { continue }
      let line = texts.map { text -> String? in
        if text.isNull(row) { return nil }
        var bytes: [UInt8] = []
        text.append(row, to: &bytes)
        return TerminalText.printable(String(decoding: bytes, as: UTF8.self))
      }
      if isKept {
        rows.append(line)
      } else {
        tail.append(line)
        if tail.count > TableRenderer.shownTailCount { tail.removeFirst(tail.count - TableRenderer.shownTailCount) }
      }
    }
  }

  package func end() throws(QueryError) {
    defer { rows = [] }
    guard schema.count > 0 else { return try output.flush() }
    let header = schema.fields.map { TerminalText.printable($0.name) }
    let shown = rows + tail
    var widths = header.map { TerminalText.width($0) }
    for row in shown { for (index, value) in row.enumerated() { widths[index] = max(widths[index], TerminalText.width(value ?? "NULL")) } }
    var visible = widths.count
    if let width { (widths, visible) = TableRenderer.fit(widths, into: width) }
    let isNumber = schema.fields.map(\.type.isNumeric)
    func rule(_ left: String, _ middle: String, _ right: String) {
      output.write(left)
      for index in 0..<visible {
        if index > 0 { output.write(middle) }
        output.write(String(repeating: "─", count: widths[index] + 2))
      }
      output.write(right + "\n")
    }
    func line(_ values: [String?], alignsRight: Bool) {
      for index in 0..<visible {
        let text = TerminalText.cut(values[index] ?? "NULL", to: widths[index])
        let padding = String(repeating: " ", count: max(0, widths[index] - TerminalText.width(text)))
        output.write("│ " + (alignsRight && isNumber[index] ? padding + text : text + padding) + " ")
      }
      output.write("│\n")
    }
    rule("┌", "┬", "┐")
    line(header, alignsRight: false)
    rule("├", "┼", "┤")
    for row in rows { line(row, alignsRight: true) }
    let hidden = rowCount - rows.count - tail.count
    if hidden > 0 { line(header.indices.map { $0 == 0 ? "… \(hidden) rows" : "…" }, alignsRight: false) }
    for row in tail { line(row, alignsRight: true) }
    rule("└", "┴", "┘")
    if visible < widths.count {
      output.write("(\(widths.count - visible) of \(widths.count) columns do not fit; --output-format vertical shows all)\n")
    }
    try output.flush()
  }

  /// Widths that fit the terminal, the widest columns narrowed first; and how many columns are shown.
  static func fit(_ widths: [Int], into total: Int) -> ([Int], Int) {
    var widths = widths
    var visible = widths.count
    func needed() -> Int { widths[..<visible].reduce(1) { $0 + $1 + 3 } }
    while visible > 1, widths[..<visible].reduce(1, { $0 + min($1, minimumWidth) + 3 }) > total { visible -= 1 }
    while needed() > total {
      guard let widest = widths[..<visible].indices.max(by: { widths[$0] < widths[$1] }), widths[widest] > minimumWidth
      else { break }
      let second = widths[..<visible].enumerated().filter { $0.offset != widest }.map(\.element).max() ?? minimumWidth
      widths[widest] = max(minimumWidth, min(widths[widest] - 1, max(second, widths[widest] - (needed() - total))))
    }
    return (widths, visible)
  }
}
