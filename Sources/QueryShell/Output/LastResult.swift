package import QueryEngine

/// The rows of the statement that ran last, so that they can be shown, saved and drawn again without running it.
package final class LastResult {
  package private(set) var schema = Schema([])
  package private(set) var batches: [Batch] = []
  package private(set) var rowCount = 0
  /// Whether there were more rows than are kept.
  package private(set) var isCut = false
  package var statistics: QueryStatistics?

  /// Values that are kept at most.
  private static let valueLimit = 10_000_000

  package init() {}

  var isEmpty: Bool { schema.count == 0 }

  func clear() { (schema, batches, rowCount, isCut, statistics) = (Schema([]), [], 0, false, nil) }

  func begin(_ schema: Schema) {
    clear()
    self.schema = schema
  }

  func add(_ batch: Batch) {
    rowCount += batch.rowCount
    if isCut { return }
    if rowCount * max(1, schema.count) > LastResult.valueLimit {
      isCut = true
      batches = []
    } else {
      batches.append(batch)
    }
  }
}

/// Hands rows to a renderer and keeps them.
final class ResultTee: ResultConsumer {
  private let renderer: any ResultRenderer
  private let kept: LastResult

  init(_ renderer: any ResultRenderer, _ kept: LastResult) {
    self.renderer = renderer
    self.kept = kept
  }

  func begin(_ schema: Schema) throws(QueryError) {
    kept.begin(schema)
    try renderer.begin(schema)
  }

  func receive(_ batch: Batch) throws(QueryError) {
    kept.add(batch)
    try renderer.receive(batch)
  }
}

/// Lines of a text as they are: plans and definitions.
final class LinesRenderer: ResultRenderer {
  private let output: OutputStream
  init(_ output: OutputStream) { self.output = output }

  func begin(_ schema: Schema) throws(QueryError) {}

  func receive(_ batch: Batch) throws(QueryError) {
    let texts = batch.columns.map(ResultText.init)
    for row in 0..<batch.rowCount {
      for (index, text) in texts.enumerated() where !text.isNull(row) {
        if index > 0 { output.write("  ") }
        var bytes: [UInt8] = []
        text.append(row, to: &bytes)
        output.write(TerminalText.printable(String(decoding: bytes, as: UTF8.self), keepsLines: true))
      }
      output.write("\n")
      try output.flushIfFull()
    }
  }

  func end() throws(QueryError) { try output.flush() }
}
