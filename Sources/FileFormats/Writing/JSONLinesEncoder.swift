import Columnar
import QueryErrors

/// One JSON object a line, as Hive's JsonSerDe writes and Athena's JSON SerDes read: NULL as `null`, dates and timestamps as
/// text, bytes in base64, keys of maps as text.
final class JSONLinesEncoder: RecordEncoder {
  private let schema: Schema
  /// `"name":` of each column.
  private let prefixes: [[UInt8]]

  /// - Throws: `NOT_SUPPORTED` for types without a text.
  init(_ schema: Schema) throws(QueryError) {
    self.schema = schema
    for field in schema.fields { try ScalarTextWriter.check(field.type, column: field.name, format: "JSON") }
    prefixes = schema.fields.map { JSONLinesEncoder.prefix($0.name) }
  }

  private static func prefix(_ name: String) -> [UInt8] {
    let out = TextBuffer()
    var name = name
    name.withUTF8 { quote($0.baseAddress.map(UnsafeRawPointer.init), $0.count, to: out) }
    out.append(0x3a)
    return Array(UnsafeBufferPointer(start: out.pointer, count: out.count))
  }

  func appendHeader(to out: TextBuffer) {}

  func append(_ batch: Batch, to out: TextBuffer) {
    let columns = batch.columns.map { $0.type.isNested ? $0.flattened() : $0 }
    let views = columns.map(\.view)
    for row in 0..<batch.rowCount {
      out.append(0x7b)
      for index in columns.indices {
        if index > 0 { out.append(0x2c) }
        prefixes[index].withUnsafeBytes { out.append($0.baseAddress!, $0.count) }
        append(columns[index], views[index], row, to: out)
      }
      out.append("}\n")
    }
    withExtendedLifetime(columns) {}
  }

  private func append(_ column: Column, _ view: ColumnView, _ row: Int, to out: TextBuffer) {
    if column.isNull(row) {
      out.append("null")
      return
    }
    switch column.type {
    case .array:
      let child = column.children[0].type.isNested ? column.children[0].flattened() : column.children[0]
      let childView = child.view
      out.append(0x5b)
      for (index, element) in column.elementRange(row).enumerated() {
        if index > 0 { out.append(0x2c) }
        append(child, childView, element, to: out)
      }
      out.append(0x5d)
    case .map:
      let keys = column.children[0]
      let values = column.children[1].type.isNested ? column.children[1].flattened() : column.children[1]
      let (keyView, valueView) = (keys.view, values.view)
      out.append(0x7b)
      for (index, entry) in column.elementRange(row).enumerated() {
        if index > 0 { out.append(0x2c) }
        appendQuoted(keyView, entry, keys.type, to: out)
        out.append(0x3a)
        append(values, valueView, entry, to: out)
      }
      out.append(0x7d)
    case .row(let fields):
      out.append(0x7b)
      for (index, field) in fields.enumerated() {
        if index > 0 { out.append(0x2c) }
        JSONLinesEncoder.prefix(field.name ?? "field\(index)").withUnsafeBytes { out.append($0.baseAddress!, $0.count) }
        let child = column.children[index].type.isNested ? column.children[index].flattened() : column.children[index]
        append(child, child.view, row, to: out)
      }
      out.append(0x7d)
    case .boolean, .tinyint, .smallint, .integer, .bigint, .decimal:
      ScalarTextWriter.append(view, row, column.type, to: out)
    case .real where view.value(row, as: Float.self).isFinite, .double where view.value(row, as: Double.self).isFinite:
      ScalarTextWriter.append(view, row, column.type, to: out)
    default: appendQuoted(view, row, column.type, to: out)
    }
  }

  /// A value in quotes; NaN and infinities too, for which JSON has no number.
  private func appendQuoted(_ view: ColumnView, _ row: Int, _ type: DataType, to out: TextBuffer) {
    if ScalarTextWriter.isText(type) {
      view.value(row, as: StringView.self).withBytes { (bytes, count) in JSONLinesEncoder.quote(bytes, count, to: out) }
      return
    }
    out.append(0x22)
    ScalarTextWriter.append(view, row, type, to: out)
    out.append(0x22)
  }

  /// A JSON string of UTF-8 bytes.
  static func quote(_ bytes: UnsafeRawPointer?, _ count: Int, to out: TextBuffer) {
    out.append(0x22)
    if let p = bytes?.assumingMemoryBound(to: UInt8.self) {
      var start = 0
      var i = 0
      while i < count {
        let byte = p[i]
        if byte >= 0x20, byte != 0x22, byte != 0x5c {
          i &+= 1
          continue
        }
        if i > start { out.append(p + start, i - start) }
        switch byte {
        case 0x22: out.append("\\\"")
        case 0x5c: out.append("\\\\")
        case 0x0a: out.append("\\n")
        case 0x0d: out.append("\\r")
        case 0x09: out.append("\\t")
        default:
          out.append("\\u00")
          for digit in [byte >> 4, byte & 15] { out.append(digit < 10 ? 0x30 + digit : 0x57 + digit) }
        }
        i &+= 1
        start = i
      }
      if count > start { out.append(p + start, count - start) }
    }
    out.append(0x22)
  }
}
