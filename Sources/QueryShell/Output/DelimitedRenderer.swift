package import QueryEngine

/// csv and tsv: values quoted only where needed; NULL is empty and the empty string is `""`.
package final class DelimitedRenderer: ResultRenderer {
  private let output: OutputStream
  private let form: DelimitedText
  private let hasHeader: Bool

  package init(_ output: OutputStream, separator: UInt8, hasHeader: Bool) {
    self.output = output
    form = DelimitedText(separator: separator, quoting: .needed)
    self.hasHeader = hasHeader
  }

  package var text: DelimitedText? { form }

  package func begin(_ schema: Schema) throws(QueryError) {
    if hasHeader, schema.count > 0 { try receive(form.header(schema.fields.map(\.name))) }
  }

  package func receive(_ batch: Batch) throws(QueryError) { try receive(form.text(batch)) }

  package func receive(_ text: TextBuffer) throws(QueryError) {
    try output.write(UnsafeRawBufferPointer(start: text.pointer, count: text.count))
  }

  package func end() throws(QueryError) { try output.flush() }
}
