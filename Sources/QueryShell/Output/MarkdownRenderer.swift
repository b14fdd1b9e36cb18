package import QueryEngine

/// A Markdown table; numbers are aligned right.
package final class MarkdownRenderer: ResultRenderer {
  private let output: OutputStream

  package init(_ output: OutputStream) { self.output = output }

  package func begin(_ schema: Schema) throws(QueryError) {
    if schema.count == 0 { return }
    output.write("| " + schema.fields.map { escaped($0.name) }.joined(separator: " | ") + " |\n")
    output.write("|" + schema.fields.map { $0.type.isNumeric ? " ---: |" : " --- |" }.joined() + "\n")
  }

  package func receive(_ batch: Batch) throws(QueryError) {
    let texts = batch.columns.map(ResultText.init)
    for row in 0..<batch.rowCount {
      output.write("|")
      for text in texts {
        var bytes: [UInt8] = []
        if text.isNull(row) { bytes = Array("NULL".utf8) } else { text.append(row, to: &bytes) }
        output.write(" " + escaped(String(decoding: bytes, as: UTF8.self)) + " |")
      }
      output.write("\n")
      try output.flushIfFull()
    }
  }

  private func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "|": result += "\\|"
      case "\n", "\r\n": result += "<br>"
      default: result.append(character)
      }
    }
    return result
  }

  package func end() throws(QueryError) { try output.flush() }
}
