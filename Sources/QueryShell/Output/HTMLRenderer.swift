package import QueryEngine

/// A table of HTML; as a file, a whole page.
package final class HTMLRenderer: ResultRenderer {
  private let output: OutputStream
  private let isPage: Bool
  private var isNumber: [Bool] = []

  package init(_ output: OutputStream, isPage: Bool) {
    self.output = output
    self.isPage = isPage
  }

  package func begin(_ schema: Schema) throws(QueryError) {
    isNumber = schema.fields.map(\.type.isNumeric)
    if schema.count == 0 { return }
    if isPage { output.write(HTMLText.pageStart("Result")) }
    output.write("<table>\n<thead><tr>")
    for field in schema.fields {
      output.write("<th title=\"\(HTMLText.escaped(field.type.description))\">\(HTMLText.escaped(field.name))</th>")
    }
    output.write("</tr></thead>\n<tbody>\n")
  }

  package func receive(_ batch: Batch) throws(QueryError) {
    let texts = batch.columns.map(ResultText.init)
    for row in 0..<batch.rowCount {
      output.write("<tr>")
      for (index, text) in texts.enumerated() {
        if text.isNull(row) {
          output.write("<td class=\"null\">NULL</td>")
          continue
        }
        var bytes: [UInt8] = []
        text.append(row, to: &bytes)
        output.write(isNumber[index] ? "<td class=\"number\">" : "<td>")
        output.write(HTMLText.escaped(String(decoding: bytes, as: UTF8.self)) + "</td>")
      }
      output.write("</tr>\n")
      try output.flushIfFull()
    }
  }

  package func end() throws(QueryError) {
    if !isNumber.isEmpty {
      output.write("</tbody>\n</table>\n")
      if isPage { output.write(HTMLText.pageEnd) }
    }
    try output.flush()
  }
}

/// Pieces of HTML.
package enum HTMLText {
  /// Text as it stands between tags and in attributes.
  package static func escaped(_ text: String) -> String {
    guard text.utf8.contains(where: { "<>&\"'".utf8.contains($0) }) else { return text }
    var result = ""
    for letter in text.unicodeScalars {
      switch letter {
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(letter)
      }
    }
    return result
  }

  /// The head of a page that follows the reader's light or dark setting and loads nothing.
  package static func pageStart(_ title: String, style: String = "") -> String {
    """
    <!doctype html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
    <title>\(escaped(title))</title>
    <style>
    :root { color-scheme: light dark; --rule: #8884; --dim: #888; --bar: #4a7dbd; }
    body { font: 14px/1.5 system-ui, sans-serif; margin: 2em; }
    table { border-collapse: collapse; }
    th, td { border: 1px solid var(--rule); padding: .25em .6em; text-align: left; vertical-align: top; white-space: pre-wrap; }
    .number { text-align: right; font-variant-numeric: tabular-nums; }
    .null { color: var(--dim); font-style: italic; }
    \(style)</style></head><body>

    """
  }

  package static let pageEnd = "</body></html>\n"
}
