package import QueryEngine

/// Aligned columns in a box that fits the terminal.
///
///     ┌─────────┬────────┐
///     │ city    │  trips │
///     │ varchar │ bigint │
///     ├─────────┼────────┤
///     │ Berlin  │     12 │
///     │ NULL    │      3 │
///     └─────────┴────────┘
///
/// Numbers are never cut. Where columns do not fit, long texts are cut with the count of letters left out; where that is not
/// enough, each value gets a line of its own (`DisplayStyle.expanded`). Of large results the first and last rows are shown.
package final class TableRenderer: ResultRenderer {
  private let output: OutputStream
  private let style: DisplayStyle
  private var schema = Schema([])
  private var rows: ShownRows

  /// Columns that texts are cut to at least.
  private static let leastTextWidth = 12

  package init(_ output: OutputStream, _ style: DisplayStyle) {
    self.output = output
    self.style = style
    rows = ShownRows(style)
  }

  package func begin(_ schema: Schema) throws(QueryError) { self.schema = schema }

  package func receive(_ batch: Batch) throws(QueryError) { rows.append(batch) }

  package func end() throws(QueryError) {
    defer { rows = ShownRows(style) }
    guard schema.count > 0 else { return try output.flush() }
    guard let width = style.width else {
      draw(columns: Array(schema.fields.indices), widths: naturalWidths())
      return try output.flush()
    }
    let natural = naturalWidths()
    if style.expanded == .on {
      drawVertically()
    } else if let widths = fit(natural, width) {
      draw(columns: Array(widths.indices), widths: widths)
    } else if style.expanded == .auto {
      drawVertically()
    } else {
      drawSome(natural, width)
    }
    if rows.hiddenCount > 0 {
      output.write(
        style.theme.paint(
          "(\(StatusFooter.grouped(rows.head.count)) first and \(rows.tail.count) last of \(StatusFooter.grouped(rows.rowCount)) rows)\n",
          .hint))
    }
    try output.flush()
  }

  // MARK: Widths

  private var showsTypes: Bool { style.showsTypes && style.width != nil }

  private func text(_ value: String?) -> String { value.map { TerminalText.printable($0) } ?? style.null }

  private func naturalWidths() -> [Int] {
    var widths = schema.fields.map { field in
      max(TerminalText.width(TerminalText.printable(field.name)), showsTypes ? min(12, field.type.description.count) : 0)
    }
    for row in rows.all {
      for (index, value) in row.enumerated() { widths[index] = max(widths[index], TerminalText.width(text(value))) }
    }
    return widths
  }

  private static func total(_ widths: some Collection<Int>) -> Int { widths.reduce(1) { $0 + $1 + 3 } }

  /// Widths that fit the terminal, the widest texts cut first; nil when not even that is enough.
  private func fit(_ natural: [Int], _ total: Int) -> [Int]? {
    if TableRenderer.total(natural) <= total { return natural }
    var widths = natural
    let isText = schema.fields.map { !$0.type.isNumeric }
    let least = natural.indices.map { isText[$0] ? min(natural[$0], TableRenderer.leastTextWidth) : natural[$0] }
    guard TableRenderer.total(least) <= total else { return nil }
    while case let excess = TableRenderer.total(widths) - total, excess > 0 {
      let cuttable = widths.indices.filter { widths[$0] > least[$0] }
      guard let widest = cuttable.max(by: { widths[$0] < widths[$1] }) else { return nil }
      let second = cuttable.filter { $0 != widest }.map { widths[$0] }.max() ?? 0
      widths[widest] = max(least[widest], min(widths[widest] - 1, max(second, widths[widest] - excess)))
    }
    return widths
  }

  // MARK: Drawing

  /// Draws the first and last columns that fit, and says how many are left out.
  private func drawSome(_ natural: [Int], _ total: Int) {
    let widths = natural.map { min($0, max(TableRenderer.leastTextWidth, total / 3)) }
    var shown: [Int] = []
    // From both ends towards the middle, one column kept for the gap.
    var (first, last) = (0, widths.count - 1)
    var used = TableRenderer.total([1])
    while first <= last {
      let next = shown.count % 2 == 0 ? first : last
      if used + widths[next] + 3 > total, !shown.isEmpty { break }
      shown.append(next)
      used += widths[next] + 3
      if next == first { first += 1 } else { last -= 1 }
    }
    draw(columns: shown.sorted(), widths: widths)
    let hidden = widths.count - shown.count
    if hidden > 0 {
      output.write(style.theme.paint("(\(hidden) of \(widths.count) columns do not fit; \\x shows a line a value)\n", .hint))
    }
  }

  /// - Parameter columns: those shown, in order; where one is left out between them stands a gap.
  private func draw(columns: [Int], widths: [Int]) {
    let theme = style.theme
    var cells: [(column: Int?, width: Int)] = []
    for (place, column) in columns.enumerated() {
      if place > 0, columns[place - 1] != column - 1 { cells.append((nil, 1)) }
      cells.append((column, widths[column]))
    }
    if let last = columns.last, last < widths.count - 1 { cells.append((nil, 1)) }
    let isNumber = schema.fields.map(\.type.isNumeric)
    let bar = theme.paint("│", .rule)
    func rule(_ left: String, _ middle: String, _ right: String) {
      let line = left + cells.map { String(repeating: "─", count: $0.width + 2) }.joined(separator: middle) + right
      output.write(theme.paint(line, .rule) + "\n")
    }
    func line(_ text: (Int) -> String, _ role: (Int) -> Theme.Role?) {
      var line = ""
      for (column, width) in cells {
        let value = column.map { TableRenderer.cut(text($0), to: width) } ?? "…"
        let padding = String(repeating: " ", count: max(0, width - TerminalText.width(value)))
        let painted = column.flatMap { role($0) }.map { theme.paint(value, $0) } ?? value
        line += bar + " " + (column.map { isNumber[$0] } ?? false ? padding + painted : painted + padding) + " "
      }
      output.write(line + bar + "\n")
    }
    rule("┌", "┬", "┐")
    line({ TerminalText.printable(schema.fields[$0].name) }, { _ in .header })
    if showsTypes { line({ TerminalText.cut(schema.fields[$0].type.description, to: widths[$0]) }, { _ in .type }) }
    rule("├", "┼", "┤")
    for (place, row) in rows.all.enumerated() {
      if place == rows.head.count, rows.hiddenCount > 0 { line({ _ in "⋮" }, { _ in .hint }) }
      line({ self.text(row[$0]) }, { row[$0] == nil ? .null : nil })
    }
    rule("└", "┴", "┘")
  }

  private func drawVertically() {
    let vertical = VerticalRenderer(output, style)
    vertical.draw(schema, rows)
  }

  /// A text cut to a width, with the count of letters left out where there is room for it: `Lorem ip…+120`.
  static func cut(_ text: String, to width: Int) -> String {
    if TerminalText.width(text) <= width { return text }
    let letterCount = text.count
    let mark = "…+\(letterCount)"
    guard width >= mark.count + 4 else { return TerminalText.cut(text, to: width) }
    var result = ""
    var (used, kept) = (0, 0)
    for letter in text {
      let next = TerminalText.width(letter)
      if used + next > width - mark.count { break }
      result.append(letter)
      (used, kept) = (used + next, kept + 1)
    }
    return result + "…+\(letterCount - kept)"
  }
}
