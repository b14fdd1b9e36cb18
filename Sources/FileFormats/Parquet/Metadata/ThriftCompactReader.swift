import QueryErrors

/// Why bytes of a Parquet file cannot be what they claim to be; the caller adds path, column and row group.
///
/// Errors from below (reading, cancellation) travel in it unchanged.
struct ParquetDamage: Error {
  var reason: String
  var cause: QueryError?

  init(_ reason: String) { self.reason = reason }

  init(_ cause: QueryError) {
    reason = cause.message
    self.cause = cause
  }
}

/// Reads Thrift's compact protocol from untrusted bytes.
///
/// Every read is checked against the end, lists against the bytes left, nesting against `maxDepth`.
///
/// - Source: Apache Thrift, "Thrift Compact protocol encoding".
struct ThriftCompactReader {
  /// A field's or element's type on the wire.
  enum WireType {
    static let stop: UInt8 = 0
    static let boolTrue: UInt8 = 1
    static let boolFalse: UInt8 = 2
    static let int8: UInt8 = 3
    static let int16: UInt8 = 4
    static let int32: UInt8 = 5
    static let int64: UInt8 = 6
    static let double: UInt8 = 7
    static let binary: UInt8 = 8
    static let list: UInt8 = 9
    static let set: UInt8 = 10
    static let map: UInt8 = 11
    static let structure: UInt8 = 12
    static let uuid: UInt8 = 13
  }

  let base: UnsafePointer<UInt8>
  private(set) var position: Int
  let end: Int
  static let maxDepth = 48

  /// - Lifetime: the bytes must outlive the reader.
  init(_ base: UnsafeRawPointer, position: Int = 0, end: Int) {
    self.base = base.assumingMemoryBound(to: UInt8.self)
    self.position = position
    self.end = end
  }

  var remaining: Int { end &- position }

  @inline(__always)
  mutating func byte() throws(ParquetDamage) -> UInt8 {
    guard position < end else { throw ParquetDamage("metadata ends too early") }
    let value = base[position]
    position &+= 1
    return value
  }

  @inline(__always)
  mutating func varint() throws(ParquetDamage) -> UInt64 {
    let first = try byte()
    if first < 0x80 { return UInt64(first) }
    var value = UInt64(first & 0x7f)
    var shift: UInt64 = 7
    while true {
      let next = try byte()
      value |= UInt64(next & 0x7f) &<< shift
      if next < 0x80 { return value }
      shift &+= 7
      if shift > 63 { throw ParquetDamage("metadata holds a number of more than 64 bits") }
    }
  }

  @inline(__always)
  private mutating func zigzag() throws(ParquetDamage) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// The type of the next field and its number in `id`, or nil at the end of the structure.
  ///
  /// - Parameter id: the number of the field before; 0 at the start.
  @inline(__always)
  mutating func nextField(_ id: inout Int) throws(ParquetDamage) -> UInt8? {
    let head = try byte()
    if head == 0 { return nil }
    let delta = Int(head >> 4)
    if delta != 0 {
      id &+= delta
    } else {
      id = Int(truncatingIfNeeded: try zigzag())
    }
    return head & 0x0f
  }

  @inline(__always)
  mutating func integer(_ type: UInt8) throws(ParquetDamage) -> Int64 {
    switch type {
    case WireType.int32, WireType.int64, WireType.int16: return try zigzag()
    case WireType.int8: return Int64(Int8(bitPattern: try byte()))
    default: throw ParquetDamage("metadata holds another type than an integer")
    }
  }

  /// The same of an optional member: nil, and passed over, when it is of another wire type, as Thrift's own readers do.
  /// Vendors use numbers for members of their own that the standard gave away later.
  mutating func optionalInteger(_ type: UInt8) throws(ParquetDamage) -> Int64? {
    guard type >= WireType.int8, type <= WireType.int64 else {
      try skip(type)
      return nil
    }
    return try integer(type)
  }

  mutating func optionalBoolean(_ type: UInt8) throws(ParquetDamage) -> Bool? {
    guard type == WireType.boolTrue || type == WireType.boolFalse else {
      try skip(type)
      return nil
    }
    return type == WireType.boolTrue
  }

  mutating func optionalByteArray(_ type: UInt8) throws(ParquetDamage) -> [UInt8]? {
    guard type == WireType.binary else {
      try skip(type)
      return nil
    }
    return try byteArray(type)
  }

  /// Passes over an optional string of another wire type.
  mutating func skipped(_ type: UInt8) throws(ParquetDamage) -> String {
    try skip(type)
    return ""
  }

  /// A number that has to be a size, count or offset.
  mutating func size(_ type: UInt8) throws(ParquetDamage) -> Int {
    let value = try integer(type)
    guard value >= 0 else { throw ParquetDamage("metadata holds the negative size \(value)") }
    return Int(value)
  }

  mutating func boolean(_ type: UInt8) throws(ParquetDamage) -> Bool {
    guard type == WireType.boolTrue || type == WireType.boolFalse else {
      throw ParquetDamage("metadata holds another type than a boolean")
    }
    return type == WireType.boolTrue
  }

  /// The place of a byte string.
  mutating func binary(_ type: UInt8) throws(ParquetDamage) -> Range<Int> {
    guard type == WireType.binary else { throw ParquetDamage("metadata holds another type than a string") }
    return try bytes()
  }

  private mutating func bytes() throws(ParquetDamage) -> Range<Int> {
    let count = try varint()
    guard count <= UInt64(remaining) else { throw ParquetDamage("metadata holds a string that passes its end") }
    let start = position
    position &+= Int(count)
    return start..<position
  }

  mutating func string(_ type: UInt8) throws(ParquetDamage) -> String {
    let range = try binary(type)
    return String(decoding: UnsafeBufferPointer(start: base + range.lowerBound, count: range.count), as: UTF8.self)
  }

  mutating func byteArray(_ type: UInt8) throws(ParquetDamage) -> [UInt8] {
    let range = try binary(type)
    return Array(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
  }

  /// The element type and count of a list; the count is at most the bytes left.
  mutating func list(_ type: UInt8) throws(ParquetDamage) -> (element: UInt8, count: Int) {
    guard type == WireType.list || type == WireType.set else {
      throw ParquetDamage("metadata holds another type than a list")
    }
    let head = try byte()
    var count = UInt64(head >> 4)
    if count == 15 { count = try varint() }
    guard count <= UInt64(remaining) else { throw ParquetDamage("metadata holds a list that passes its end") }
    return (head & 0x0f, Int(count))
  }

  /// The same for a list of structures.
  mutating func structureList(_ type: UInt8) throws(ParquetDamage) -> Int {
    let (element, count) = try list(type)
    guard element == WireType.structure || count == 0 else {
      throw ParquetDamage("metadata holds a list of another type than structures")
    }
    return count
  }

  func expectStructure(_ type: UInt8) throws(ParquetDamage) {
    guard type == WireType.structure else { throw ParquetDamage("metadata holds another type than a structure") }
  }

  /// An element of a list of booleans.
  mutating func booleanElement() throws(ParquetDamage) -> Bool { try byte() == WireType.boolTrue }

  /// Passes over the fields left of a structure.
  mutating func skipStructure(depth: Int = 0) throws(ParquetDamage) {
    guard depth < ThriftCompactReader.maxDepth else { throw ParquetDamage("metadata is nested too deeply") }
    while true {
      let head = try byte()
      if head == 0 { return }
      if head >> 4 == 0 { _ = try varint() }
      try skip(head & 0x0f, depth: depth)
    }
  }

  /// Passes over one value.
  mutating func skip(_ type: UInt8, depth: Int = 0) throws(ParquetDamage) {
    switch type {
    case WireType.boolTrue, WireType.boolFalse: break
    case WireType.int8: _ = try byte()
    case WireType.int16, WireType.int32, WireType.int64: _ = try varint()
    case WireType.double: try advance(8)
    case WireType.uuid: try advance(16)
    case WireType.binary: _ = try bytes()
    case WireType.list, WireType.set:
      guard depth < ThriftCompactReader.maxDepth else { throw ParquetDamage("metadata is nested too deeply") }
      let (element, count) = try list(type)
      var i = 0
      while i < count {
        try skipElement(element, depth: depth &+ 1)
        i &+= 1
      }
    case WireType.map:
      guard depth < ThriftCompactReader.maxDepth else { throw ParquetDamage("metadata is nested too deeply") }
      let count = try varint()
      if count == 0 { return }
      guard count <= UInt64(remaining) else { throw ParquetDamage("metadata holds a map that passes its end") }
      let types = try byte()
      var i: UInt64 = 0
      while i < count {
        try skipElement(types >> 4, depth: depth &+ 1)
        try skipElement(types & 0x0f, depth: depth &+ 1)
        i &+= 1
      }
    case WireType.structure: try skipStructure(depth: depth &+ 1)
    default: throw ParquetDamage("metadata holds the unknown wire type \(type)")
    }
  }

  private mutating func skipElement(_ type: UInt8, depth: Int) throws(ParquetDamage) {
    // Booleans take a byte in lists.
    if type == WireType.boolTrue || type == WireType.boolFalse {
      _ = try byte()
    } else {
      try skip(type, depth: depth)
    }
  }

  private mutating func advance(_ count: Int) throws(ParquetDamage) {
    guard count <= remaining else { throw ParquetDamage("metadata ends too early") }
    position &+= count
  }
}
