import Columnar
import QueryErrors

/// Writes the values of a column one at a time.
///
/// `begin` takes a column, `append` its rows in any order, `end` lets it go.
///
/// - Threads: one.
class AvroEncoder {
  func begin(_ column: Column) { preconditionFailure("abstract") }
  func append(_ row: Int, to out: ByteBuilder) throws(QueryError) { preconditionFailure("abstract") }
  func end() {}
}

/// A union of null and a type.
final class AvroOptionalEncoder: AvroEncoder {
  private let value: AvroEncoder
  private var validity: Bitmap?

  init(_ value: AvroEncoder) { self.value = value }

  override func begin(_ column: Column) {
    validity = column.validity
    value.begin(column)
  }

  override func append(_ row: Int, to out: ByteBuilder) throws(QueryError) {
    if let validity, !validity[row] {
      out.append(byte: 0)
      return
    }
    out.append(byte: 2)
    try value.append(row, to: out)
  }

  override func end() {
    validity = nil
    value.end()
  }
}

/// Values of a fixed width.
final class AvroFixedEncoder<Value: BitwiseCopyable>: AvroEncoder {
  private let encode: (Value, ByteBuilder) -> Void
  private var column: Column?

  init(_ encode: @escaping (Value, ByteBuilder) -> Void) { self.encode = encode }

  override func begin(_ column: Column) { self.column = column.flattened() }
  override func append(_ row: Int, to out: ByteBuilder) throws(QueryError) {
    if let values = column?.values { encode(values.typed(Value.self)[row], out) }
  }
  override func end() { column = nil }
}

/// Strings and bytes behind their lengths.
final class AvroStringEncoder: AvroEncoder {
  private var column: Column?

  override func begin(_ column: Column) { self.column = column }
  override func append(_ row: Int, to out: ByteBuilder) throws(QueryError) {
    guard let column, let values = column.storage.values else { return }
    let view = UnsafePointer(values.typed(StringView.self)) + column.position(row)
    out.append(zigzag: Int64(view.pointee.count))
    out.append(StringView.bytes(at: view), count: view.pointee.count)
  }
  override func end() { column = nil }
}

/// Keys of maps, which cannot be NULL.
final class AvroKeyEncoder: AvroEncoder {
  private let keys = AvroStringEncoder()
  private let name: String
  private var validity: Bitmap?

  /// - Parameter column: the table's column, for messages.
  init(column: String) { name = column }

  override func begin(_ column: Column) {
    validity = column.validity
    keys.begin(column)
  }

  override func append(_ row: Int, to out: ByteBuilder) throws(QueryError) {
    if let validity, !validity[row] {
      throw QueryError(.invalidFunctionArgument, "map key is NULL in column '\(name)'")
    }
    try keys.append(row, to: out)
  }

  override func end() {
    validity = nil
    keys.end()
  }
}

/// UUIDs as text.
final class AvroUUIDEncoder: AvroEncoder {
  private var column: Column?

  override func begin(_ column: Column) { self.column = column }
  override func append(_ row: Int, to out: ByteBuilder) throws(QueryError) {
    guard let column, let values = column.storage.values else { return }
    let view = UnsafePointer(values.typed(StringView.self)) + column.position(row)
    let bytes = UnsafeRawBufferPointer(start: StringView.bytes(at: view), count: view.pointee.count)
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for (index, byte) in bytes.enumerated() {
      if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    out.append(zigzag: Int64(text.count))
    out.append(text)
  }
  override func end() { column = nil }
}

/// Arrays and maps: one block of items, and an empty one.
final class AvroListEncoder: AvroEncoder {
  private let keys: AvroEncoder?
  private let items: AvroEncoder
  private var column: Column?

  init(keys: AvroEncoder?, _ items: AvroEncoder) {
    self.keys = keys
    self.items = items
  }

  override func begin(_ column: Column) {
    let flat = column.flattened()
    self.column = flat
    if let keys { keys.begin(flat.children[0]) }
    items.begin(flat.children[flat.children.count - 1])
  }

  override func append(_ row: Int, to out: ByteBuilder) throws(QueryError) {
    guard let range = column?.elementRange(row) else { return }
    if !range.isEmpty {
      out.append(zigzag: Int64(range.count))
      for element in range {
        try keys?.append(element, to: out)
        try items.append(element, to: out)
      }
    }
    out.append(byte: 0)
  }

  override func end() {
    column = nil
    keys?.end()
    items.end()
  }
}

/// Records: their fields one after the other.
final class AvroRecordEncoder: AvroEncoder {
  private let fields: [AvroEncoder]

  init(_ fields: [AvroEncoder]) { self.fields = fields }

  override func begin(_ column: Column) {
    let flat = column.flattened()
    for (field, child) in zip(fields, flat.children) { field.begin(child) }
  }

  override func append(_ row: Int, to out: ByteBuilder) throws(QueryError) {
    for field in fields { try field.append(row, to: out) }
  }

  override func end() { for field in fields { field.end() } }
}
