import Columnar

/// Writes values of Parquet's VARIANT type as JSON.
///
/// - Source: parquet-format, VariantEncoding.md and VariantShredding.md.
struct VariantText {
  /// The field names that objects refer to by number.
  private let names: [[UInt8]]
  let out: TextBuffer

  private static let deepest = 500

  /// - Parameter metadata: the variant's own dictionary of names.
  init(metadata: [UInt8], _ out: TextBuffer) throws(ParquetDamage) {
    self.out = out
    guard let header = metadata.first, header & 0x0f == 1 else {
      throw ParquetDamage("a variant's metadata is of an unknown version")
    }
    let size = Int(header >> 6) + 1
    let count = try VariantText.number(metadata, 1, size)
    guard count >= 0, count <= metadata.count, 1 + size * (count + 2) <= metadata.count else {
      throw ParquetDamage("a variant's metadata ends too early")
    }
    let start = 1 + size * (count + 2)
    var names: [[UInt8]] = []
    names.reserveCapacity(count)
    for index in 0..<count {
      let from = start + (try VariantText.number(metadata, 1 + size * (index + 1), size))
      let to = start + (try VariantText.number(metadata, 1 + size * (index + 2), size))
      guard from <= to, to <= metadata.count else { throw ParquetDamage("a variant's names lie outside its metadata") }
      names.append(Array(metadata[from..<to]))
    }
    self.names = names
  }

  /// A little-endian number without sign.
  private static func number(_ bytes: [UInt8], _ at: Int, _ size: Int) throws(ParquetDamage) -> Int {
    guard at >= 0, size <= 8, at <= bytes.count - size else { throw ParquetDamage("a variant ends too early") }
    var value: UInt64 = 0
    for index in 0..<size { value |= UInt64(bytes[at + index]) << UInt64(8 * index) }
    guard let result = Int(exactly: value) else { throw ParquetDamage("a variant ends too early") }
    return result
  }

  private static func signed(_ bytes: [UInt8], _ at: Int, _ size: Int) throws(ParquetDamage) -> Int128 {
    guard at >= 0, at <= bytes.count - size else { throw ParquetDamage("a variant ends too early") }
    var value: UInt128 = bytes[at + size - 1] & 0x80 != 0 ? .max : 0
    for index in stride(from: size - 1, through: 0, by: -1) { value = value << 8 | UInt128(bytes[at + index]) }
    return Int128(truncatingIfNeeded: value)
  }

  // MARK: Encoded values

  /// The fields of an encoded object: names and where their values start.
  func fields(_ bytes: [UInt8], _ at: Int) throws(ParquetDamage) -> [(name: [UInt8], at: Int)]? {
    guard at < bytes.count else { throw ParquetDamage("a variant ends too early") }
    guard bytes[at] & 3 == 2 else { return nil }
    let header = bytes[at] >> 2
    let (offsetSize, idSize) = (Int(header & 3) + 1, Int(header >> 2 & 3) + 1)
    let countSize = header >> 4 & 1 == 1 ? 4 : 1
    let count = try VariantText.number(bytes, at + 1, countSize)
    let ids = at + 1 + countSize
    guard count <= bytes.count, ids + count * idSize + (count + 1) * offsetSize <= bytes.count else {
      throw ParquetDamage("a variant object ends too early")
    }
    let offsets = ids + count * idSize
    let values = offsets + (count + 1) * offsetSize
    var result: [(name: [UInt8], at: Int)] = []
    for index in 0..<count {
      let id = try VariantText.number(bytes, ids + index * idSize, idSize)
      guard id < names.count else { throw ParquetDamage("a variant refers to a name that its metadata does not hold") }
      result.append((names[id], values + (try VariantText.number(bytes, offsets + index * offsetSize, offsetSize))))
    }
    return result
  }

  func append(_ bytes: [UInt8], _ at: Int = 0, depth: Int = 0) throws(ParquetDamage) {
    guard at < bytes.count else { throw ParquetDamage("a variant ends too early") }
    guard depth < VariantText.deepest else { throw ParquetDamage("a variant is nested too deeply") }
    let header = bytes[at] >> 2
    switch bytes[at] & 3 {
    case 0: try appendPrimitive(Int(header), bytes, at + 1)
    case 1: try appendText(bytes, at + 1, Int(header))
    case 2:
      out.append(0x7b)
      for (index, field) in try fields(bytes, at)!.enumerated() {
        if index > 0 { out.append(0x2c) }
        appendText(field.name)
        out.append(0x3a)
        try append(bytes, field.at, depth: depth + 1)
      }
      out.append(0x7d)
    default:
      let offsetSize = Int(header & 3) + 1
      let countSize = header >> 2 & 1 == 1 ? 4 : 1
      let count = try VariantText.number(bytes, at + 1, countSize)
      let offsets = at + 1 + countSize
      guard count <= bytes.count, offsets + (count + 1) * offsetSize <= bytes.count else {
        throw ParquetDamage("a variant array ends too early")
      }
      let values = offsets + (count + 1) * offsetSize
      out.append(0x5b)
      for index in 0..<count {
        if index > 0 { out.append(0x2c) }
        let place = try VariantText.number(bytes, offsets + index * offsetSize, offsetSize)
        try append(bytes, values + place, depth: depth + 1)
      }
      out.append(0x5d)
    }
  }

  private func appendPrimitive(_ kind: Int, _ bytes: [UInt8], _ at: Int) throws(ParquetDamage) {
    func integer(_ size: Int) throws(ParquetDamage) -> Int64 { Int64(truncatingIfNeeded: try VariantText.signed(bytes, at, size)) }
    switch kind {
    case 0: out.append("null")
    case 1: out.append("true")
    case 2: out.append("false")
    case 3: try append(.integer(integer(1)), .bigint)
    case 4: try append(.integer(integer(2)), .bigint)
    case 5: try append(.integer(integer(4)), .bigint)
    case 6: try append(.integer(integer(8)), .bigint)
    case 7: try append(.double(Double(bitPattern: UInt64(bitPattern: integer(8)))), .double)
    case 8, 9, 10:
      guard at < bytes.count, bytes[at] <= 38 else { throw ParquetDamage("a variant's decimal has an unknown scale") }
      let value = try VariantText.signed(bytes, at + 1, kind == 8 ? 4 : kind == 9 ? 8 : 16)
      out.count &+= Columnar.NumberText.writeDecimal(value, scale: Int(bytes[at]), to: out.room(64))
    case 11: try append(.integer(integer(4)), .date)
    case 12: try append(.integer(integer(8)), .timestamp(precision: 6), isUTC: true)
    case 13: try append(.integer(integer(8)), .timestamp(precision: 6))
    case 14: try append(.real(Float(bitPattern: UInt32(truncatingIfNeeded: integer(4)))), .real)
    case 15:
      let count = try VariantText.number(bytes, at, 4)
      guard at + 4 + count <= bytes.count else { throw ParquetDamage("a variant ends too early") }
      append(.bytes(Array(bytes[at + 4..<at + 4 + count])), .varbinary)
    case 16: try appendText(bytes, at + 4, try VariantText.number(bytes, at, 4))
    case 17: try append(.integer(integer(8) &* 1_000_000), .time(precision: 6))
    case 18: try append(.int128(Int128(integer(8)) * 1000), .timestamp(precision: 9), isUTC: true)
    case 19: try append(.int128(Int128(integer(8)) * 1000), .timestamp(precision: 9))
    case 20:
      guard at + 16 <= bytes.count else { throw ParquetDamage("a variant ends too early") }
      append(.bytes(Array(bytes[at..<at + 16])), .uuid)
    default: throw ParquetDamage("a variant holds the unknown type \(kind)")
    }
  }

  private func appendText(_ bytes: [UInt8], _ at: Int, _ count: Int) throws(ParquetDamage) {
    guard count >= 0, at + count <= bytes.count else { throw ParquetDamage("a variant ends too early") }
    appendText(Array(bytes[at..<at + count]))
  }

  func appendText(_ text: [UInt8]) {
    text.withUnsafeBytes { JSONLinesEncoder.quote($0.baseAddress, $0.count, to: out) }
  }

  // MARK: Values of SQL types

  /// A value that is not nested, NULL or text as JSON: numbers bare, the others in quotes.
  func append(_ value: Scalar, _ type: DataType, isUTC: Bool = false) {
    let column = Column.constant(value, type, count: 1)
    var isQuoted = true
    switch (type, value) {
    case (.boolean, _), (.tinyint, _), (.smallint, _), (.integer, _), (.bigint, _), (.decimal, _): isQuoted = false
    case (.real, .real(let x)): isQuoted = !x.isFinite
    case (.double, .double(let x)): isQuoted = !x.isFinite
    default: break
    }
    if isQuoted { out.append(0x22) }
    ScalarTextWriter.append(column.view, 0, type, to: out)
    if isUTC { out.append("+00:00") }
    if isQuoted { out.append(0x22) }
    withExtendedLifetime(column) {}
  }
}
