package import QueryEngine

/// csv and tsv: values quoted only where needed; NULL is empty and the empty string is `""`.
package final class DelimitedRenderer: ResultRenderer {
  private let output: OutputStream
  private let separator: UInt8
  private let hasHeader: Bool

  package init(_ output: OutputStream, separator: UInt8, hasHeader: Bool) {
    self.output = output
    self.separator = separator
    self.hasHeader = hasHeader
  }

  package func begin(_ schema: Schema) throws(QueryError) {
    guard hasHeader, schema.count > 0 else { return }
    for (index, field) in schema.fields.enumerated() {
      if index > 0 { output.pending.append(separator) }
      append(Array(field.name.utf8))
    }
    output.pending.append(0x0a)
  }

  package func receive(_ batch: Batch) throws(QueryError) {
    let texts = batch.columns.map(ResultText.init)
    var value: [UInt8] = []
    for row in 0..<batch.rowCount {
      for (index, text) in texts.enumerated() {
        if index > 0 { output.pending.append(separator) }
        if text.isNull(row) { continue }
        value.removeAll(keepingCapacity: true)
        text.append(row, to: &value)
        append(value)
      }
      output.pending.append(0x0a)
      try output.flushIfFull()
    }
  }

  private func append(_ value: [UInt8]) {
    let needsQuotes =
      value.isEmpty || value.contains { $0 == separator || $0 == 0x22 || $0 == 0x0a || $0 == 0x0d }
    if !needsQuotes {
      output.pending.append(contentsOf: value)
      return
    }
    output.pending.append(0x22)
    for byte in value {
      if byte == 0x22 { output.pending.append(0x22) }
      output.pending.append(byte)
    }
    output.pending.append(0x22)
  }

  package func end() throws(QueryError) { try output.flush() }
}
