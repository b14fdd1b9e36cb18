import QueryEngine

/// A chart that a user asks for.
package struct ChartRequest: Sendable {
  package var kind: ChartKind
  /// Across first, then up; empty: chosen by types.
  package var columns: [String] = []
  /// A file that `ChartFile` writes; nil: the terminal.
  package var file: String?

  package init(_ kind: ChartKind, file: String? = nil) {
    self.kind = kind
    self.file = file
  }

  /// Draws into the file, or returns the drawing for a terminal.
  func draw(_ schema: Schema, _ batches: [Batch], _ theme: Theme, title: String) throws(QueryError) -> String? {
    let data = try ChartData(kind, schema, batches, columns: columns)
    guard let file else {
      return TerminalChart(width: Terminal.width - 1, height: min(24, max(10, Terminal.height - 2)), theme: theme).draw(data)
    }
    try ChartFile.write(data, title: title, to: file)
    return nil
  }
}

/// Draws a result as a chart.
final class ChartRenderer: ResultRenderer {
  private let request: ChartRequest
  private let output: OutputStream
  private let theme: Theme
  private let title: String
  private let rows = LastResult()

  init(_ request: ChartRequest, _ output: OutputStream, _ theme: Theme, title: String) {
    (self.request, self.output, self.theme, self.title) = (request, output, theme, title)
  }

  func begin(_ schema: Schema) throws(QueryError) { rows.begin(schema) }
  func receive(_ batch: Batch) throws(QueryError) { rows.add(batch) }

  func end() throws(QueryError) {
    if rows.isEmpty { return }
    if rows.isCut { throw QueryError(.invalidArguments, "The result is too large for a chart", hint: "Group its rows, or sample them.") }
    if let drawing = try request.draw(rows.schema, rows.batches, theme, title: title) { output.write(drawing + "\n") }
    try output.flush()
  }
}
