import Columnar
import QueryErrors

/// Records of RFC 4180: a field is quoted where it has to be, or always; NULL is an empty field without quotes, empty text one with.
final class CSVEncoder: RecordEncoder {
  /// How a CSV file is punctuated.
  struct Dialect {
    var separator: UInt8 = 0x2c
    var quote: UInt8 = 0x22
    /// Whether every field that is not NULL is quoted, as in Athena's result files.
    var quotesAll = false
    var lineEnd: [UInt8] = [0x0a]
    var hasHeader = true
  }

  private let dialect: Dialect
  private let schema: Schema

  /// - Throws: `NOT_SUPPORTED` for nested types and others without a text.
  init(_ schema: Schema, _ dialect: Dialect) throws(QueryError) {
    self.schema = schema
    self.dialect = dialect
    for field in schema.fields {
      try ScalarTextWriter.check(field.type, column: field.name, format: "CSV")
      guard !field.type.isNested else {
        throw QueryError.notSupported(
          "Column '\(field.name)': CSV files cannot hold type \(field.type)", hint: "Cast it to json and format that.")
      }
    }
  }

  func appendHeader(to out: TextBuffer) {
    guard dialect.hasHeader else { return }
    for (index, field) in schema.fields.enumerated() {
      if index > 0 { out.append(dialect.separator) }
      var name = field.name
      name.withUTF8 { append($0.baseAddress.map(UnsafeRawPointer.init), $0.count, to: out) }
    }
    endLine(out)
  }

  func append(_ batch: Batch, to out: TextBuffer) {
    let views = batch.columns.map(\.view)
    let types = schema.fields.map(\.type)
    for row in 0..<batch.rowCount {
      for (index, view) in views.enumerated() {
        if index > 0 { out.append(dialect.separator) }
        if view.isNull(row) { continue }
        if ScalarTextWriter.isText(types[index]) {
          view.value(row, as: StringView.self).withBytes { (bytes, count) in append(bytes, count, to: out) }
        } else {
          // Numbers and dates hold nothing to be quoted, unless a separator is one of their own characters.
          let start = out.count
          ScalarTextWriter.append(view, row, types[index], to: out)
          if dialect.quotesAll || needsQuotes(out.pointer + start, out.count - start) { quote(out, from: start) }
        }
      }
      endLine(out)
    }
    withExtendedLifetime(batch) {}
  }

  private func endLine(_ out: TextBuffer) { for byte in dialect.lineEnd { out.append(byte) } }

  private func needsQuotes(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    var i = 0
    while i < count {
      let byte = bytes[i]
      if byte == dialect.separator || byte == dialect.quote || byte == 0x0a || byte == 0x0d { return true }
      i &+= 1
    }
    return false
  }

  private func append(_ bytes: UnsafeRawPointer?, _ count: Int, to out: TextBuffer) {
    guard let bytes, count > 0 else {
      out.append(dialect.quote)
      out.append(dialect.quote)
      return
    }
    let p = bytes.assumingMemoryBound(to: UInt8.self)
    // Blanks around a text, and a text that looks like a comment, survive in quotes only.
    let isOdd = p[0] <= 0x20 || p[count - 1] <= 0x20 || p[0] == 0x23
    guard dialect.quotesAll || isOdd || needsQuotes(p, count) else {
      out.append(bytes, count)
      return
    }
    let target = out.room(count * 2 + 2)
    var to = 1
    target[0] = dialect.quote
    var i = 0
    while i < count {
      if p[i] == dialect.quote {
        target[to] = dialect.quote
        to &+= 1
      }
      target[to] = p[i]
      to &+= 1
      i &+= 1
    }
    target[to] = dialect.quote
    out.count &+= to + 1
  }

  /// Puts quotes around what was written last; it holds none.
  private func quote(_ out: TextBuffer, from start: Int) {
    out.append(dialect.quote)
    var i = out.count - 1
    while i > start {
      out.pointer[i] = out.pointer[i - 1]
      i -= 1
    }
    out.pointer[start] = dialect.quote
    out.append(dialect.quote)
  }
}
