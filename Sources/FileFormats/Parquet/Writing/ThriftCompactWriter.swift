/// Writes Thrift's compact protocol.
///
/// - Source: Apache Thrift, "Thrift Compact protocol encoding".
struct ThriftCompactWriter {
  private typealias Wire = ThriftCompactReader.WireType

  private(set) var bytes: [UInt8] = []
  /// Number of the field written last in each structure that is open.
  private var fields: [Int] = [0]

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  private mutating func zigzag(_ value: Int64) { varint(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

  private mutating func header(_ id: Int, _ type: UInt8) {
    let delta = id - fields[fields.count - 1]
    if delta > 0, delta < 16 {
      bytes.append(UInt8(delta) << 4 | type)
    } else {
      bytes.append(type)
      zigzag(Int64(id))
    }
    fields[fields.count - 1] = id
  }

  mutating func field(_ id: Int, int32 value: Int) {
    header(id, Wire.int32)
    zigzag(Int64(value))
  }

  mutating func field(_ id: Int, int64 value: Int) {
    header(id, Wire.int64)
    zigzag(Int64(value))
  }

  mutating func field(_ id: Int, int16 value: Int) {
    header(id, Wire.int16)
    zigzag(Int64(value))
  }

  mutating func field(_ id: Int, int8 value: Int) {
    header(id, Wire.int8)
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  mutating func field(_ id: Int, bool value: Bool) { header(id, value ? Wire.boolTrue : Wire.boolFalse) }

  mutating func field(_ id: Int, bytes value: [UInt8]) {
    header(id, Wire.binary)
    element(value)
  }

  mutating func field(_ id: Int, string value: String) { field(id, bytes: Array(value.utf8)) }

  mutating func field(_ id: Int, structure body: (inout ThriftCompactWriter) -> Void) {
    header(id, Wire.structure)
    structure(body)
  }

  /// A structure without a field's number: the outermost one, or an element of a list.
  mutating func structure(_ body: (inout ThriftCompactWriter) -> Void) {
    fields.append(0)
    body(&self)
    bytes.append(0)
    fields.removeLast()
  }

  private mutating func list(_ id: Int, _ element: UInt8, count: Int) {
    header(id, Wire.list)
    if count < 15 {
      bytes.append(UInt8(count) << 4 | element)
    } else {
      bytes.append(0xf0 | element)
      varint(UInt64(count))
    }
  }

  private mutating func element(_ value: [UInt8]) {
    varint(UInt64(value.count))
    bytes += value
  }

  mutating func field<T>(_ id: Int, structures values: [T], _ body: (inout ThriftCompactWriter, T) -> Void) {
    list(id, Wire.structure, count: values.count)
    for value in values { structure { body(&$0, value) } }
  }

  mutating func field(_ id: Int, int32s values: [Int]) {
    list(id, Wire.int32, count: values.count)
    for value in values { zigzag(Int64(value)) }
  }

  mutating func field(_ id: Int, int64s values: [Int]) {
    list(id, Wire.int64, count: values.count)
    for value in values { zigzag(Int64(value)) }
  }

  mutating func field(_ id: Int, bools values: [Bool]) {
    list(id, Wire.boolTrue, count: values.count)
    for value in values { bytes.append(value ? Wire.boolTrue : Wire.boolFalse) }
  }

  mutating func field(_ id: Int, byteArrays values: [[UInt8]]) {
    list(id, Wire.binary, count: values.count)
    for value in values { element(value) }
  }

  mutating func field(_ id: Int, strings values: [String]) {
    list(id, Wire.binary, count: values.count)
    for value in values { element(Array(value.utf8)) }
  }
}
