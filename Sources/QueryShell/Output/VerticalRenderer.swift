package import QueryEngine

/// One line per value: for wide rows.
///
///     ─── row 1 ───
///      city: Berlin
///     trips: 12
package final class VerticalRenderer: ResultRenderer {
  private let output: OutputStream
  private let style: DisplayStyle
  private var names: [String] = []
  private var rowCount = 0

  package init(_ output: OutputStream, _ style: DisplayStyle) {
    self.output = output
    self.style = style
  }

  package func begin(_ schema: Schema) throws(QueryError) {
    names = schema.fields.map { TerminalText.printable($0.name) }
    let width = names.map { TerminalText.width($0) }.max() ?? 0
    names = names.map { String(repeating: " ", count: width - TerminalText.width($0)) + $0 }
  }

  package func receive(_ batch: Batch) throws(QueryError) {
    let texts = batch.columns.map(ResultText.init)
    for row in 0..<batch.rowCount {
      rowCount += 1
      drawTitle(rowCount)
      for (index, text) in texts.enumerated() {
        var bytes: [UInt8] = []
        if !text.isNull(row) { text.append(row, to: &bytes) }
        draw(index, text.isNull(row) ? nil : String(decoding: bytes, as: UTF8.self))
      }
      try output.flushIfFull()
    }
  }

  package func end() throws(QueryError) { try output.flush() }

  /// Draws rows that were kept.
  func draw(_ schema: Schema, _ rows: ShownRows) {
    do throws(QueryError) { try begin(schema) } catch { return }
    for (place, row) in rows.all.enumerated() {
      if place == rows.head.count, rows.hiddenCount > 0 { output.write(style.theme.paint("⋮\n", .hint)) }
      drawTitle(rows.number(place))
      for (index, value) in row.enumerated() { draw(index, value) }
    }
  }

  private func drawTitle(_ number: Int) { output.write(style.theme.paint("─── row \(number) ───", .rule) + "\n") }

  private func draw(_ index: Int, _ value: String?) {
    output.write(style.theme.paint(names[index], .header) + ": ")
    output.write((value.map { TerminalText.printable($0) } ?? style.theme.paint(style.null, .null)) + "\n")
  }
}
