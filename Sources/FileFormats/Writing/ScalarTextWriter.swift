import Columnar
import QueryErrors

/// Writes values that are not nested as text files hold them: numbers and dates as SQL prints them, bytes in base64.
///
/// - Source: Hive's LazySimpleSerDe and JsonSerDe; Trino's text encoders.
enum ScalarTextWriter {
  /// - Throws: `NOT_SUPPORTED` for types that text files have no form for, nested ones within them too.
  static func check(_ type: DataType, column: String, format: String) throws(QueryError) {
    switch type {
    case .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal, .varchar, .char, .varbinary, .date,
      .timestamp, .time, .json, .uuid:
      return
    case .array(let element): try check(element, column: column, format: format)
    case .map(let key, let value):
      guard !key.isNested else {
        throw QueryError.notSupported("Column '\(column)': \(format) files cannot hold maps with keys of type \(key)")
      }
      try check(key, column: column, format: format)
      try check(value, column: column, format: format)
    case .row(let fields): for field in fields { try check(field.type, column: column, format: format) }
    default:
      throw QueryError.notSupported(
        "Column '\(column)': \(format) files cannot hold type \(type)", hint: "Cast it to varchar, for example.")
    }
  }

  /// Whether the text of values may hold characters that mean something to a format; texts are not written here.
  static func isText(_ type: DataType) -> Bool {
    switch type {
    case .varchar, .char, .json: true
    default: false
    }
  }

  /// Appends the value of a row that is not NULL.
  static func append(_ view: ColumnView, _ row: Int, _ type: DataType, to out: TextBuffer) {
    switch type {
    case .boolean: out.append(view.value(row, as: UInt8.self) != 0 ? "true" : "false")
    case .tinyint: append(Int64(view.value(row, as: Int8.self)), to: out)
    case .smallint: append(Int64(view.value(row, as: Int16.self)), to: out)
    case .integer: append(Int64(view.value(row, as: Int32.self)), to: out)
    case .bigint: append(view.value(row, as: Int64.self), to: out)
    case .real: out.count &+= Columnar.NumberText.write(view.value(row, as: Float.self), to: out.room(room))
    case .double: out.count &+= Columnar.NumberText.write(view.value(row, as: Double.self), to: out.room(room))
    case .decimal(let precision, let scale):
      let value =
        precision <= DataType.maxShortDecimalPrecision
        ? Int128(view.value(row, as: Int64.self)) : view.value(row, as: Int128.self)
      out.count &+= Columnar.NumberText.writeDecimal(value, scale: scale, to: out.room(room))
    case .date: out.count &+= TimestampText.writeDate(days: Int(view.value(row, as: Int32.self)), to: out.room(room))
    case .time(let precision):
      out.count &+= TimestampText.writeTime(
        picosOfDay: view.value(row, as: Int64.self), precision: precision, to: out.room(room))
    case .timestamp(let precision) where precision <= DataType.maxShortTimestampPrecision:
      out.count &+= TimestampText.write(
        micros: view.value(row, as: Int64.self), precision: precision, to: out.room(room))
    case .timestamp(let precision):
      out.count &+= TimestampText.write(
        picos: view.value(row, as: Int128.self), precision: precision, to: out.room(room))
    case .varbinary: view.value(row, as: StringView.self).withBytes { (bytes, count) in base64(bytes, count, to: out) }
    case .uuid: view.value(row, as: StringView.self).withBytes { (bytes, count) in uuid(bytes, count, to: out) }
    default: out.append(view.value(row, as: StringView.self))
    }
  }

  /// Bytes that any number or date takes at most.
  private static let room = 64

  @inline(__always)
  private static func append(_ value: Int64, to out: TextBuffer) {
    out.count &+= Columnar.NumberText.write(value, to: out.room(room))
  }

  private static let digits: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

  private static func base64(_ bytes: UnsafeRawPointer, _ count: Int, to out: TextBuffer) {
    let p = bytes.assumingMemoryBound(to: UInt8.self)
    let target = out.room((count + 2) / 3 * 4)
    let digits = digits.utf8Start
    var (from, to) = (0, 0)
    while from < count {
      let n = min(3, count - from)
      var group = UInt32(p[from]) << 16
      if n > 1 { group |= UInt32(p[from + 1]) << 8 }
      if n > 2 { group |= UInt32(p[from + 2]) }
      for place in 0..<4 {
        target[to + place] = place <= n ? digits[Int(group >> UInt32(18 - 6 * place)) & 63] : 0x3d
      }
      from += 3
      to += 4
    }
    out.count &+= to
  }

  private static func uuid(_ bytes: UnsafeRawPointer, _ count: Int, to out: TextBuffer) {
    let p = bytes.assumingMemoryBound(to: UInt8.self)
    for index in 0..<count {
      if index == 4 || index == 6 || index == 8 || index == 10 { out.append(0x2d) }
      for digit in [p[index] >> 4, p[index] & 15] { out.append(digit < 10 ? 0x30 + digit : 0x57 + digit) }
    }
  }
}
