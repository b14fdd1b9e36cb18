package import QueryEngine

/// One line per value: for wide rows.
package final class VerticalRenderer: ResultRenderer {
  private let output: OutputStream
  private var names: [String] = []
  private var rowCount = 0

  package init(_ output: OutputStream) { self.output = output }

  package func begin(_ schema: Schema) throws(QueryError) {
    names = schema.fields.map { TerminalText.printable($0.name) }
    let width = names.map { TerminalText.width($0) }.max() ?? 0
    names = names.map { String(repeating: " ", count: width - TerminalText.width($0)) + $0 }
  }

  package func receive(_ batch: Batch) throws(QueryError) {
    let texts = batch.columns.map(ResultText.init)
    for row in 0..<batch.rowCount {
      rowCount += 1
      output.write("─── row \(rowCount) ───\n")
      for (index, text) in texts.enumerated() {
        var bytes: [UInt8] = []
        if text.isNull(row) { bytes = Array("NULL".utf8) } else { text.append(row, to: &bytes) }
        output.write(names[index] + ": " + TerminalText.printable(String(decoding: bytes, as: UTF8.self)) + "\n")
      }
      try output.flushIfFull()
    }
  }

  package func end() throws(QueryError) { try output.flush() }
}
