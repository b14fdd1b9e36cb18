import Columnar
import QueryErrors

/// Hive's LazySimpleSerDe: no quotes, one separator per level of nesting, `\N` for NULL, an escape character if one is declared.
///
/// - Source: Hive, `LazySimpleSerDe`; Trino, `TextColumnEncodingFactory`.
final class DelimitedEncoder: RecordEncoder {
  private let schema: Schema
  /// Outermost first: fields, then elements, then keys of maps, and so on.
  private let separators: [UInt8]
  private let escape: UInt8?
  private let nullText: [UInt8]
  private let hasHeader: Bool
  /// Bytes that end something, or the escape itself.
  private let special: [Bool]

  /// - Throws: `NOT_SUPPORTED` for types without a text, and for nesting deeper than there are separators.
  init(_ schema: Schema, separators: [UInt8], escape: UInt8?, nullText: [UInt8], hasHeader: Bool = false) throws(QueryError) {
    self.schema = schema
    self.separators = separators
    self.escape = escape
    self.nullText = nullText
    self.hasHeader = hasHeader
    var special = [Bool](repeating: false, count: 256)
    var deepest = 1
    for field in schema.fields {
      try ScalarTextWriter.check(field.type, column: field.name, format: "Text")
      let depth = DelimitedEncoder.depth(field.type) + 1
      guard depth <= separators.count else {
        throw QueryError.notSupported("Column '\(field.name)': more than \(separators.count) levels of nesting in text files")
      }
      deepest = max(deepest, depth)
    }
    for separator in separators.prefix(deepest) { special[Int(separator)] = true }
    if let escape { special[Int(escape)] = true }
    special[0x0a] = true
    special[0x0d] = true
    self.special = special
  }

  /// Separators that a type needs below a field's.
  private static func depth(_ type: DataType) -> Int {
    switch type {
    case .array(let element): 1 + depth(element)
    case .map(_, let value): 2 + depth(value)
    case .row(let fields): 1 + (fields.map { depth($0.type) }.max() ?? 0)
    default: 0
    }
  }

  func appendHeader(to out: TextBuffer) {
    guard hasHeader else { return }
    let names = schema.fields.map(\.name).joined(separator: String(UnicodeScalar(separators[0])))
    for byte in names.utf8 { out.append(byte) }
    out.append(0x0a)
  }

  func append(_ batch: Batch, to out: TextBuffer) throws(QueryError) {
    let columns = batch.columns.map { $0.type.isNested ? $0.flattened() : $0 }
    let views = columns.map(\.view)
    for row in 0..<batch.rowCount {
      for index in columns.indices {
        if index > 0 { out.append(separators[0]) }
        try append(columns[index], views[index], row, level: 1, schema.fields[index].name, to: out)
      }
      out.append(0x0a)
    }
    withExtendedLifetime(columns) {}
  }

  private func appendNull(_ out: TextBuffer) { nullText.withUnsafeBytes { if let p = $0.baseAddress { out.append(p, $0.count) } } }

  /// - Parameter level: index of the separator of the value's elements.
  private func append(
    _ column: Column, _ view: ColumnView, _ row: Int, level: Int, _ name: String, to out: TextBuffer
  ) throws(QueryError) {
    if column.isNull(row) {
      appendNull(out)
      return
    }
    switch column.type {
    case .array:
      let child = column.children[0].type.isNested ? column.children[0].flattened() : column.children[0]
      for (index, element) in column.elementRange(row).enumerated() {
        if index > 0 { out.append(separators[level]) }
        try append(child, child.view, element, level: level + 1, name, to: out)
      }
    case .map:
      let keys = column.children[0]
      let values = column.children[1].type.isNested ? column.children[1].flattened() : column.children[1]
      for (index, entry) in column.elementRange(row).enumerated() {
        if index > 0 { out.append(separators[level]) }
        try append(keys, keys.view, entry, level: level + 2, name, to: out)
        out.append(separators[level + 1])
        try append(values, values.view, entry, level: level + 2, name, to: out)
      }
    case .row:
      for (index, field) in column.children.enumerated() {
        if index > 0 { out.append(separators[level]) }
        let field = field.type.isNested ? field.flattened() : field
        try append(field, field.view, row, level: level + 1, name, to: out)
      }
    default:
      let start = out.count
      ScalarTextWriter.append(view, row, column.type, to: out)
      if ScalarTextWriter.isText(column.type) { try escape(out, from: start, name) }
    }
  }

  /// Escapes what would end something in the text written last.
  private func escape(_ out: TextBuffer, from start: Int, _ name: String) throws(QueryError) {
    var found = 0
    var hasLineEnd = false
    var i = start
    while i < out.count {
      let byte = out.pointer[i]
      if special[Int(byte)] {
        found += 1
        // Readers find lines before they look at escapes.
        if byte == 0x0a || byte == 0x0d { hasLineEnd = true }
      }
      i &+= 1
    }
    if found == 0 { return }
    if hasLineEnd {
      throw QueryError(
        .hiveWriterError, "Column '\(name)' holds a text with a line end, which delimited text files cannot keep",
        hint: "Replace line ends, or write PARQUET or JSON.")
    }
    guard let escape else {
      throw QueryError(
        .hiveWriterError,
        "Column '\(name)' holds a text with a separator, which text files without ESCAPED BY cannot keep",
        hint: "Declare ESCAPED BY, choose another field delimiter, or write PARQUET or JSON.")
    }
    _ = out.room(found)
    var from = out.count - 1
    var to = from + found
    out.count += found
    while from >= start {
      let byte = out.pointer[from]
      out.pointer[to] = byte
      to -= 1
      if special[Int(byte)] {
        out.pointer[to] = escape
        to -= 1
      }
      from -= 1
    }
  }
}
