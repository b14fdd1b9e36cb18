/// Writes the fields of one protocol buffers message.
///
/// - Source: protobuf.dev, "Encoding".
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  private typealias Wire = ProtobufReader.Wire

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  private mutating func key(_ id: Int, _ wire: Wire) { varint(UInt64(id) << 3 | UInt64(wire.rawValue)) }

  mutating func field(_ id: Int, number value: Int) {
    key(id, .varint)
    varint(UInt64(value))
  }

  mutating func field(_ id: Int, bool value: Bool) { field(id, number: value ? 1 : 0) }

  /// `sint32`, `sint64`.
  mutating func field(_ id: Int, signed value: Int64) {
    key(id, .varint)
    varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
  }

  mutating func field(_ id: Int, double value: Double) {
    key(id, .fixed64)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }

  mutating func field(_ id: Int, bytes value: [UInt8]) {
    key(id, .bytes)
    varint(UInt64(value.count))
    bytes += value
  }

  mutating func field(_ id: Int, string value: String) { field(id, bytes: Array(value.utf8)) }

  mutating func field(_ id: Int, packed values: [Int]) {
    var inner = ProtobufWriter()
    for value in values { inner.varint(UInt64(value)) }
    field(id, bytes: inner.bytes)
  }

  mutating func field(_ id: Int, message write: (inout ProtobufWriter) -> Void) {
    var inner = ProtobufWriter()
    write(&inner)
    field(id, bytes: inner.bytes)
  }
}
