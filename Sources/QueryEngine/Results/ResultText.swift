import Glibc
import SQLFunctions

/// Renders a column's values as Athena's result files do, or as JSON.
///
/// - Source: Amazon Athena user guide, working with query results; observed output of its drivers.
public final class ResultText {
  private let column: Column
  private let view: ColumnView
  private let storage: Column
  private let children: [ResultText]
  private let writer: ValueText
  private let buffer = TextBuffer()

  /// - Parameter column: the values to render.
  public init(_ column: Column) {
    self.column = column
    view = column.view
    storage = column.storage
    children = column.storage.children.map(ResultText.init)
    writer = ValueText(column.type, .output)
    switch column.type {
    case .varchar, .json: isText = true
    default: isText = false
    }
    isPlain = ResultText.isPlain(column.type)
  }

  /// Whether row `row` is NULL.
  public func isNull(_ row: Int) -> Bool { column.isNull(row) }

  /// Appends the text of row `row`, which is not NULL.
  public func append(_ row: Int, to out: inout [UInt8]) {
    switch column.type {
    case .varchar, .json: out.append(view.value(row, as: StringView.self))
    case .bigint: out.append(integer: view.value(row, as: Int64.self))
    case .integer: out.append(integer: Int64(view.value(row, as: Int32.self)))
    default:
      buffer.count = 0
      writer.append(view, storage, row, to: buffer)
      out.append(contentsOf: UnsafeBufferPointer(start: buffer.pointer, count: buffer.count))
    }
  }

  /// Whether the values are texts as they are stored.
  let isText: Bool
  /// Whether no text of a value is empty or holds quotes, separators or line ends.
  let isPlain: Bool

  /// The text of row `row`, which is not NULL, where `isText`.
  func view(_ row: Int) -> StringView { view.value(row, as: StringView.self) }

  /// Appends the text of row `row`, which is not NULL.
  func append(_ row: Int, to out: TextBuffer) { writer.append(view, storage, row, to: out) }

  /// Whether texts of a type are made of digits, letters and such signs as `-`, `.` and `:`.
  private static func isPlain(_ type: DataType) -> Bool {
    switch type {
    case .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal, .date, .time, .timestamp, .timeWithTimeZone,
      .timestampWithTimeZone, .intervalYearToMonth, .intervalDayToSecond, .uuid, .ipaddress:
      true
    default: false
    }
  }

  /// Appends row `row` as JSON: numbers bare, texts quoted, rows and maps as objects, varbinary as hex without spaces.
  public func appendJSON(_ row: Int, to out: inout [UInt8]) {
    if column.isNull(row) {
      out.append(utf8: "null")
      return
    }
    let at = view.position(row)
    switch column.type {
    case .boolean, .tinyint, .smallint, .integer, .bigint, .decimal: append(row, to: &out)
    case .real, .double:
      let start = out.count
      append(row, to: &out)
      let last = out.last
      // NaN and Infinity have no JSON number.
      if last == UInt8(ascii: "N") || last == UInt8(ascii: "y") {
        out.insert(0x22, at: start)
        out.append(0x22)
      }
    case .varbinary, .hyperLogLog, .p4HyperLogLog, .setDigest, .tDigest, .qDigest:
      out.append(0x22)
      view.value(row, as: StringView.self).withBytes { (bytes, count) in
        let p = bytes.assumingMemoryBound(to: UInt8.self)
        for index in 0..<count { out.append(hex: p[index]) }
      }
      out.append(0x22)
    case .array:
      out.append(0x5b)
      for (index, element) in storage.elementRange(at).enumerated() {
        if index > 0 { out.append(0x2c) }
        children[0].appendJSON(element, to: &out)
      }
      out.append(0x5d)
    case .map(.array, _), .map(.map, _), .map(.row, _):
      // Keys that no member name can hold: entries as pairs.
      out.append(utf8: "{\"$map\":[")
      for (index, entry) in storage.elementRange(at).enumerated() {
        if index > 0 { out.append(0x2c) }
        out.append(0x5b)
        children[0].appendJSON(entry, to: &out)
        out.append(0x2c)
        children[1].appendJSON(entry, to: &out)
        out.append(0x5d)
      }
      out.append(utf8: "]}")
    case .map:
      out.append(0x7b)
      for (index, entry) in storage.elementRange(at).enumerated() {
        if index > 0 { out.append(0x2c) }
        var key: [UInt8] = []
        children[0].append(entry, to: &key)
        out.append(jsonString: key)
        out.append(0x3a)
        children[1].appendJSON(entry, to: &out)
      }
      out.append(0x7d)
    case .row(let fields):
      out.append(0x7b)
      for (index, field) in fields.enumerated() {
        if index > 0 { out.append(0x2c) }
        out.append(jsonString: Array((field.name ?? "field\(index)").utf8))
        out.append(0x3a)
        children[index].appendJSON(at, to: &out)
      }
      out.append(0x7d)
    default:
      var bytes: [UInt8] = []
      append(row, to: &bytes)
      out.append(jsonString: bytes)
    }
  }
}

extension [UInt8] {
  mutating func append(utf8 text: String) { append(contentsOf: text.utf8) }

  mutating func append(_ view: StringView) {
    view.withBytes { (bytes, count) in append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count)) }
  }

  mutating func append(hex byte: UInt8) {
    let (high, low) = (byte >> 4, byte & 15)
    append(high < 10 ? 0x30 + high : 0x57 + high)
    append(low < 10 ? 0x30 + low : 0x57 + low)
  }

  /// Decimal digits of a number.
  mutating func append(integer value: Int64) {
    if value < 0 { append(0x2d) }
    var rest = value.magnitude
    let start = count
    repeat {
      append(0x30 + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0
    self[start...].reverse()
  }

  /// A JSON string of UTF-8 bytes; damaged ones are repaired.
  package mutating func append(jsonString bytes: [UInt8]) {
    append(0x22)
    let isValid = bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
    for byte in isValid ? bytes : Array(String(decoding: bytes, as: UTF8.self).utf8) {
      switch byte {
      case 0x22: append(utf8: "\\\"")
      case 0x5c: append(utf8: "\\\\")
      case 0x0a: append(utf8: "\\n")
      case 0x0d: append(utf8: "\\r")
      case 0x09: append(utf8: "\\t")
      case 0..<0x20:
        append(utf8: "\\u00")
        append(hex: byte)
      default: append(byte)
      }
    }
    append(0x22)
  }
}
