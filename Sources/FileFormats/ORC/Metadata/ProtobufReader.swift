import Columnar
import ObjectStore
import QueryErrors

/// What is wrong with an ORC file; the place is added where it is known.
struct ORCDamage: Error {
  var reason: String
  /// The error of a read that failed.
  var cause: QueryError?

  init(_ reason: String) { self.reason = reason }

  init(cause: QueryError) {
    reason = cause.message
    self.cause = cause
  }
}

/// Reads the fields of one protocol buffers message.
///
/// - Source: protobuf.dev, "Encoding".
struct ProtobufReader {
  enum Wire: UInt8 {
    case varint = 0
    case fixed64 = 1
    case bytes = 2
    case fixed32 = 5
  }

  private let base: UnsafePointer<UInt8>
  private var at: Int
  private let end: Int

  /// - Parameter bytes: must outlive the reader.
  init(_ bytes: UnsafeRawBufferPointer) {
    base = bytes.baseAddress.map { $0.assumingMemoryBound(to: UInt8.self) } ?? ProtobufReader.nothing
    at = 0
    end = bytes.count
  }

  nonisolated(unsafe) private static let nothing = UnsafePointer(UnsafeMutablePointer<UInt8>.allocate(capacity: 1))

  /// The next field's number and wire type; nil at the end.
  mutating func next() throws(ORCDamage) -> (field: Int, wire: Wire)? {
    guard at < end else { return nil }
    let key = try varint()
    guard let wire = Wire(rawValue: UInt8(key & 7)), key >> 3 > 0 else { throw ORCDamage("metadata holds an unknown wire type") }
    return (Int(truncatingIfNeeded: key >> 3), wire)
  }

  mutating func varint() throws(ORCDamage) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while at < end, shift < 64 {
      let byte = base[at]
      at += 1
      value |= UInt64(byte & 0x7f) &<< shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw ORCDamage("metadata ends within a number")
  }

  /// A varint that must be the field's type.
  mutating func unsigned(_ wire: Wire) throws(ORCDamage) -> UInt64 {
    guard wire == .varint else { throw ORCDamage("metadata holds another type than a number") }
    return try varint()
  }

  /// A non-negative number that fits in an Int.
  mutating func size(_ wire: Wire) throws(ORCDamage) -> Int {
    guard let size = Int(exactly: try unsigned(wire)) else { throw ORCDamage("metadata holds a number that is too large") }
    return size
  }

  /// `sint32`, `sint64`.
  mutating func signed(_ wire: Wire) throws(ORCDamage) -> Int64 {
    let value = try unsigned(wire)
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  mutating func double(_ wire: Wire) throws(ORCDamage) -> Double {
    guard wire == .fixed64, at + 8 <= end else { throw ORCDamage("metadata holds another type than a double") }
    defer { at += 8 }
    return Double(bitPattern: UInt64(littleEndian: UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self)))
  }

  mutating func bytes(_ wire: Wire) throws(ORCDamage) -> UnsafeRawBufferPointer {
    guard wire == .bytes, let count = Int(exactly: try varint()), count <= end - at else {
      throw ORCDamage("metadata ends within a field")
    }
    defer { at += count }
    return UnsafeRawBufferPointer(start: base + at, count: count)
  }

  mutating func string(_ wire: Wire) throws(ORCDamage) -> String { String(decoding: try bytes(wire), as: UTF8.self) }

  /// A repeated number, packed or not: adds this field's values.
  mutating func numbers(_ wire: Wire, into values: inout [UInt64]) throws(ORCDamage) {
    if wire == .varint {
      values.append(try varint())
      return
    }
    var packed = ProtobufReader(try bytes(wire))
    while packed.at < packed.end { values.append(try packed.varint()) }
  }

  mutating func skip(_ wire: Wire) throws(ORCDamage) {
    switch wire {
    case .varint: _ = try varint()
    case .bytes: _ = try bytes(wire)
    case .fixed64, .fixed32:
      at += wire == .fixed64 ? 8 : 4
      guard at <= end else { throw ORCDamage("metadata ends within a field") }
    }
  }
}
