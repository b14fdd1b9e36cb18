/// Makes a FlatBuffer: tables, vectors and strings, written from the end to the front.
///
/// - Source: flatbuffers.dev, "FlatBuffers Internals". Only what Arrow's messages need.
struct FlatBufferBuilder {
  /// The buffer's bytes in reverse.
  private var reversed: [UInt8] = []
  private var maxAlignment = 1

  /// The place of an object: its distance from the buffer's end.
  struct Offset { fileprivate var fromEnd: Int }

  /// A table's field before it is written.
  enum Field {
    case bool(Bool)
    case uint8(UInt8)
    case int16(Int16)
    case int32(Int32)
    case int64(Int64)
    case offset(Offset)
  }

  private mutating func align(_ size: Int, after byteCount: Int = 0) {
    maxAlignment = max(maxAlignment, size)
    while (reversed.count + byteCount) % size != 0 { reversed.append(0) }
  }

  private mutating func push<T: FixedWidthInteger>(_ value: T) {
    for shift in stride(from: T.bitWidth - 8, through: 0, by: -8) { reversed.append(UInt8(truncatingIfNeeded: value >> T(shift))) }
  }

  private mutating func pushOffset(_ offset: Offset) {
    align(4)
    push(UInt32(reversed.count + 4 - offset.fromEnd))
  }

  mutating func string(_ text: String) -> Offset {
    let bytes = Array(text.utf8)
    align(4, after: bytes.count + 1)
    reversed.append(0)
    reversed.append(contentsOf: bytes.reversed())
    push(UInt32(bytes.count))
    return Offset(fromEnd: reversed.count)
  }

  mutating func vector(_ items: [Offset]) -> Offset {
    align(4, after: items.count * 4)
    for item in items.reversed() { pushOffset(item) }
    push(UInt32(items.count))
    return Offset(fromEnd: reversed.count)
  }

  /// A vector of structs that hold 64-bit words only.
  mutating func vector(structs: [[Int64]]) -> Offset {
    let byteCount = structs.reduce(0) { $0 + $1.count * 8 }
    align(8, after: byteCount)
    for item in structs.reversed() { for word in item.reversed() { push(word) } }
    align(4)
    push(UInt32(structs.count))
    return Offset(fromEnd: reversed.count)
  }

  /// - Parameter fields: by their number in the schema.
  mutating func table(_ fields: [(id: Int, field: Field)]) -> Offset {
    let start = reversed.count
    var places: [Int: Int] = [:]
    // Wide fields first, so that little is padded.
    func width(_ field: Field) -> Int {
      switch field {
      case .bool, .uint8: 1
      case .int16: 2
      case .int32, .offset: 4
      case .int64: 8
      }
    }
    for (id, field) in fields.sorted(by: { width($0.field) < width($1.field) }) {
      align(width(field))
      switch field {
      case .bool(let value): push(UInt8(value ? 1 : 0))
      case .uint8(let value): push(value)
      case .int16(let value): push(value)
      case .int32(let value): push(value)
      case .int64(let value): push(value)
      case .offset(let value): pushOffset(value)
      }
      places[id] = reversed.count
    }
    let count = (fields.map(\.id).max() ?? -1) + 1
    align(4)
    // The vtable lies before the table; the table begins with the distance to it.
    let table = reversed.count + 4
    let vtableByteCount = 4 + 2 * count
    push(Int32(vtableByteCount))
    for id in stride(from: count - 1, through: 0, by: -1) { push(UInt16(places[id].map { table - $0 } ?? 0)) }
    push(UInt16(table - start))
    push(UInt16(vtableByteCount))
    return Offset(fromEnd: table)
  }

  /// The finished buffer, whose root is `root`.
  mutating func finish(_ root: Offset) -> [UInt8] {
    align(max(maxAlignment, 8), after: 4)
    pushOffset(root)
    return reversed.reversed()
  }
}
