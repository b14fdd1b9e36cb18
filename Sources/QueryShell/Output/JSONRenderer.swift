package import QueryEngine

/// json (one array of objects), jsonl (an object a row) and jsonl_compact (an array a row).
package final class JSONRenderer: ResultRenderer {
  package enum Style { case array, lines, compactLines }

  private let output: OutputStream
  private let style: Style
  private var names: [[UInt8]] = []
  private var rowCount = 0
  private var hasColumns = false

  package init(_ output: OutputStream, style: Style) {
    self.output = output
    self.style = style
  }

  package func begin(_ schema: Schema) throws(QueryError) {
    hasColumns = schema.count > 0
    names = schema.fields.map { JSONText.quoted($0.name) }
    if style == .array, hasColumns { output.write("[") }
  }

  package func receive(_ batch: Batch) throws(QueryError) {
    let texts = batch.columns.map(ResultText.init)
    for row in 0..<batch.rowCount {
      if style == .array { output.write(rowCount == 0 ? "\n" : ",\n") }
      output.pending.append(style == .compactLines ? 0x5b : 0x7b)
      for (index, text) in texts.enumerated() {
        if index > 0 { output.pending.append(0x2c) }
        if style != .compactLines {
          output.pending.append(contentsOf: names[index])
          output.pending.append(0x3a)
        }
        text.appendJSON(row, to: &output.pending)
      }
      output.pending.append(style == .compactLines ? 0x5d : 0x7d)
      if style != .array { output.pending.append(0x0a) }
      rowCount += 1
      try output.flushIfFull()
    }
  }

  package func end() throws(QueryError) {
    if style == .array, hasColumns { output.write(rowCount == 0 ? "]\n" : "\n]\n") }
    try output.flush()
  }
}

/// JSON strings.
package enum JSONText {
  package static func quoted(_ text: String) -> [UInt8] {
    var out: [UInt8] = []
    out.append(jsonString: Array(text.utf8))
    return out
  }
}
