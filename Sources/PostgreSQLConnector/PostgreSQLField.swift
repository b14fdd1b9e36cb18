import CKernels
import Columnar
import Glibc

/// One column of the rows that come, decoded value by value.
///
/// - Threads: one.
final class PostgreSQLField {
  let name: String
  let type: DataType
  let kind: PostgreSQLType
  /// Whether the server computes it from many rows.
  let isAggregate: Bool
  private let width: Int

  // The column under way: values of a fixed width, or views of texts.
  private var values = Buffer(byteCount: 16)
  private var next = UnsafeMutableRawPointer(bitPattern: 16)!
  private var count = 0
  private var nullRows: [Int32] = []
  private var arena = StringArena()
  /// Arrays take the slower way.
  private var builder: ColumnBuilder?
  private let element: PostgreSQLField?

  init(name: String, _ kind: PostgreSQLType, _ type: DataType, isAggregate: Bool = false) {
    self.name = name
    self.isAggregate = isAggregate
    self.kind = kind
    self.type = type
    width = type.physicalType.byteWidth
    if case .array(let inner, _) = kind { element = PostgreSQLField(name: name, inner, inner.type) } else { element = nil }
  }

  func begin(_ capacity: Int) {
    count = 0
    nullRows.removeAll(keepingCapacity: true)
    if element != nil {
      builder = ColumnBuilder(type, capacity: capacity)
    } else {
      values = Buffer(byteCount: max(16, capacity * width))
      next = values.pointer
      arena = StringArena()
    }
  }

  func finish(_ rowCount: Int) -> Column {
    if let builder { return builder.finish() }
    var validity: Bitmap?
    if !nullRows.isEmpty {
      let bitmap = Bitmap(count: rowCount, filled: true)
      for row in nullRows { bitmap.clear(Int(row)) }
      validity = bitmap
    }
    return Column(flat: type, count: rowCount, values: values, validity: validity, heap: arena.heap)
  }

  @inline(__always)
  private func put<T: BitwiseCopyable>(_ value: T) {
    next.storeBytes(of: value, as: T.self)
    next += width
    count &+= 1
  }

  func appendNull() {
    if let builder { return builder.appendNull() }
    nullRows.append(Int32(truncatingIfNeeded: count))
    memset(next, 0, width)
    next += width
    count &+= 1
  }

  /// Decodes a value of `length` bytes; false when it is none of this type.
  @inline(__always)
  func append(_ p: UnsafeRawPointer, _ length: Int) -> Bool {
    switch kind {
    case .boolean:
      guard length == 1 else { return false }
      put(p.load(as: UInt8.self) == 0 ? UInt8(0) : 1)
    case .smallint:
      guard length == 2 else { return false }
      put(Int16(bitPattern: PostgreSQLReader.load(p, UInt16.self)))
    case .integer:
      guard length == 4 else { return false }
      put(Int32(bitPattern: PostgreSQLReader.load(p, UInt32.self)))
    case .unsigned:
      guard length == 4 else { return false }
      put(Int64(PostgreSQLReader.load(p, UInt32.self)))
    case .bigint:
      guard length == 8 else { return false }
      put(PostgreSQLReader.load(p, Int64.self))
    case .real:
      guard length == 4 else { return false }
      put(Float(bitPattern: PostgreSQLReader.load(p, UInt32.self)))
    case .double:
      guard length == 8 else { return false }
      put(Double(bitPattern: PostgreSQLReader.load(p, UInt64.self)))
    case .numeric(let precision, let scale):
      if width == 8 {
        guard let value = PostgreSQLNumeric.short(p, length, scale: scale) else { return false }
        guard DecimalMath.fits(Int128(value), precision: precision) else { return false }
        put(value)
      } else {
        guard let value = PostgreSQLNumeric.wide(p, length, scale: scale), DecimalMath.fits(value, precision: precision) else {
          return false
        }
        put(value)
      }
    case .bytes: put(arena.add(p, length))
    case .text, .json, .enumeration:
      guard PostgreSQLField.isText(p, length) else { return false }
      put(arena.add(p, length))
    case .jsonb:
      guard length >= 1, p.load(as: UInt8.self) == 1, PostgreSQLField.isText(p + 1, length - 1) else { return false }
      put(arena.add(p + 1, length - 1))
    case .char:
      // Blanks up to the length are no part of the value.
      var end = length
      guard PostgreSQLField.isText(p, length) else { return false }
      while end > 0, p.load(fromByteOffset: end - 1, as: UInt8.self) == 0x20 { end -= 1 }
      put(arena.add(p, end))
    case .uuid:
      guard length == 16 else { return false }
      put(arena.add(p, 16))
    case .date:
      let days = Int32(bitPattern: length == 4 ? PostgreSQLReader.load(p, UInt32.self) : UInt32(bitPattern: .max))
      // The ends stand for infinity.
      guard length == 4, days != .max, days != .min else { return false }
      put(days &+ PostgreSQLType.epochDays)
    case .time:
      guard length == 8 else { return false }
      let micros = PostgreSQLReader.load(p, Int64.self)
      // 24:00:00 is a time there.
      guard micros >= 0, micros < 86_400_000_000 else { return false }
      put(micros &* 1_000_000)
    case .timestamp:
      guard length == 8, let micros = PostgreSQLField.micros(p) else { return false }
      put(micros)
    case .timestampWithTimeZone:
      guard length == 8, let micros = PostgreSQLField.micros(p) else { return false }
      put(ZonedTimestamp.pack(utcPicos: Int128(micros) * 1_000_000, .utc))
    case .array: return appendArray(p, length)
    }
    return true
  }

  /// Databases of the encoding SQL_ASCII hold any bytes.
  @inline(__always)
  private static func isText(_ p: UnsafeRawPointer, _ length: Int) -> Bool {
    ck_utf8_valid_prefix(p.assumingMemoryBound(to: UInt8.self), length) == length
  }

  /// Microseconds since 1970; nil for infinity and what passes 64 bits.
  @inline(__always)
  private static func micros(_ p: UnsafeRawPointer) -> Int64? {
    let value = PostgreSQLReader.load(p, Int64.self)
    if value == .max || value == .min { return nil }
    let (sum, overflows) = value.addingReportingOverflow(PostgreSQLType.epochMicros)
    return overflows ? nil : sum
  }

  /// `dimensions:4 hasNulls:4 elementType:4 (count:4 lowerBound:4) (length:4 bytes)…`.
  private func appendArray(_ p: UnsafeRawPointer, _ length: Int) -> Bool {
    guard let builder, let element, case .array(_, let oid) = kind, length >= 12 else { return false }
    func number(_ at: Int) -> Int { Int(Int32(bitPattern: PostgreSQLReader.load(p + at, UInt32.self))) }
    guard number(8) == oid else { return false }
    if number(0) == 0 {
      builder.endNested()
      return true
    }
    guard number(0) == 1, length >= 20 else { return false }
    let size = number(12)
    var at = 20
    guard size >= 0, size <= length else { return false }
    element.begin(size)
    for _ in 0..<size {
      guard at + 4 <= length else { return false }
      let bytes = number(at)
      at += 4
      guard bytes >= -1, at + max(0, bytes) <= length else { return false }
      if bytes < 0 { element.appendNull() } else if !element.append(p + at, bytes) { return false }
      at += max(0, bytes)
    }
    guard at == length else { return false }
    let items = element.finish(size)
    for row in 0..<size { builder.children[0].append(items, row: row) }
    builder.endNested()
    return true
  }
}

/// `digits:2 weight:2 sign:2 scale:2`, then digits in base 10000, the first of them times 10000^weight.
enum PostgreSQLNumeric {
  private static let negative: UInt16 = 0x4000
  private static let powers: [Int64] = (0..<19).map { exponent in (0..<exponent).reduce(1) { value, _ in value * 10 } }

  /// The unscaled value; nil for NaN, infinity, and what 64 bits do not hold.
  @inline(__always)
  static func short(_ p: UnsafeRawPointer, _ length: Int, scale: Int) -> Int64? {
    guard length >= 8 else { return nil }
    let count = Int(PostgreSQLReader.load(p, UInt16.self))
    let weight = Int(Int16(bitPattern: PostgreSQLReader.load(p + 2, UInt16.self)))
    let sign = PostgreSQLReader.load(p + 4, UInt16.self)
    guard length == 8 + 2 * count, sign == 0 || sign == negative else { return nil }
    if count == 0 { return 0 }
    var exponent = 4 * weight + scale
    // 9999 times more would not fit.
    guard exponent <= 14 else { return wide(p, length, scale: scale).flatMap { Int64(exactly: $0) } }
    var value: Int64 = 0
    var index = 0
    while index < count {
      let digit = Int64(PostgreSQLReader.load(p + 8 + 2 * index, UInt16.self))
      guard digit < 10_000 else { return nil }
      if exponent >= 0 {
        value &+= digit &* powers[exponent]
      } else {
        // Digits behind the scale would be lost.
        guard exponent > -4, digit % powers[-exponent] == 0 else { return nil }
        value &+= digit / powers[-exponent]
      }
      exponent &-= 4
      index &+= 1
    }
    return sign == negative ? 0 &- value : value
  }

  /// As `short`, for 128 bits.
  static func wide(_ p: UnsafeRawPointer, _ length: Int, scale: Int) -> Int128? {
    guard length >= 8 else { return nil }
    let count = Int(PostgreSQLReader.load(p, UInt16.self))
    let weight = Int(Int16(bitPattern: PostgreSQLReader.load(p + 2, UInt16.self)))
    let sign = PostgreSQLReader.load(p + 4, UInt16.self)
    guard length == 8 + 2 * count, sign == 0 || sign == negative else { return nil }
    var exponent = 4 * weight + scale
    guard exponent <= 38 else { return count == 0 ? 0 : nil }
    var value: Int128 = 0
    for index in 0..<count {
      var digit = Int128(PostgreSQLReader.load(p + 8 + 2 * index, UInt16.self))
      guard digit < 10_000 else { return nil }
      if exponent >= 0 {
        for _ in 0..<exponent {
          let (product, overflows) = digit.multipliedReportingOverflow(by: 10)
          if overflows { return nil }
          digit = product
        }
      } else {
        guard exponent > -4, digit % Int128(powers[-exponent]) == 0 else { return nil }
        digit /= Int128(powers[-exponent])
      }
      let (sum, overflows) = value.addingReportingOverflow(digit)
      if overflows { return nil }
      value = sum
      exponent -= 4
    }
    return sign == negative ? -value : value
  }
}
