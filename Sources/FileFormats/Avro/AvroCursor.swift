import Columnar
import QueryErrors

/// What is wrong with an Avro file.
struct AvroDamage: Error {
  var reason: String
  /// An error that is to be told as it is.
  var cause: QueryError?

  init(_ reason: String) { self.reason = reason }

  init(_ cause: QueryError) {
    reason = cause.message
    self.cause = cause
  }
}

/// Reads binary-encoded values one after the other; up to 16 bytes behind the end may be read.
///
/// - Source: Apache Avro 1.12 Specification, "Binary Encoding".
struct AvroCursor {
  private(set) var at: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>

  init(_ start: UnsafePointer<UInt8>, count: Int) {
    at = start
    end = start + count
  }

  var isAtEnd: Bool { at >= end }
  var left: Int { end - at }

  /// int and long: zigzag varints.
  @inline(__always)
  mutating func long() throws(AvroDamage) -> Int64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while at < end {
      let byte = at.pointee
      at += 1
      value |= UInt64(byte & 0x7f) &<< shift
      if byte < 0x80 { return Int64(bitPattern: value &>> 1) ^ -Int64(bitPattern: value & 1) }
      shift &+= 7
      if shift > 63 { break }
    }
    throw AvroDamage("a number passes the block's end")
  }

  @inline(__always)
  mutating func raw<T: BitwiseCopyable>(_: T.Type) throws(AvroDamage) -> T {
    let size = MemoryLayout<T>.size
    guard end - at >= size else { throw AvroDamage("a value passes the block's end") }
    defer { at += size }
    return UnsafeRawPointer(at).loadUnaligned(as: T.self)
  }

  @inline(__always)
  mutating func bytes(_ count: Int) throws(AvroDamage) -> UnsafeRawPointer {
    guard count >= 0, count <= end - at else { throw AvroDamage("a value passes the block's end") }
    defer { at += count }
    return UnsafeRawPointer(at)
  }

  /// A length and as many bytes.
  @inline(__always)
  mutating func sized() throws(AvroDamage) -> (UnsafeRawPointer, Int) {
    let count = try long()
    guard count >= 0, count <= end - at else { throw AvroDamage("a value of \(count) bytes passes the block's end") }
    defer { at += Int(count) }
    return (UnsafeRawPointer(at), Int(count))
  }

  /// The items of the next block of an array or map; 0 at the end.
  ///
  /// - Parameter isSkipping: passes over blocks that tell their size, so that only others are handed out.
  mutating func blockCount(isSkipping: Bool = false) throws(AvroDamage) -> Int {
    while true {
      let count = try long()
      if count >= 0 {
        // Items take a byte at least, but for those without any value.
        guard count < 1 << 31 else { throw AvroDamage("a block of \(count) items") }
        return Int(count)
      }
      let size = try long()
      if isSkipping {
        _ = try bytes(Int(clamping: size))
        continue
      }
      guard count > -(1 << 31) else { throw AvroDamage("a block of \(count) items") }
      return Int(-count)
    }
  }

  /// Passes over a value.
  mutating func skip(_ schema: AvroSchema) throws(AvroDamage) {
    switch schema {
    case .null: break
    case .boolean: _ = try bytes(1)
    case .int, .long, .enumeration: _ = try long()
    case .float: _ = try bytes(4)
    case .double: _ = try bytes(8)
    case .bytes, .string: _ = try sized()
    case .fixed(let size, _): _ = try bytes(size)
    case .array(let element):
      while true {
        let count = try blockCount(isSkipping: true)
        if count == 0 { return }
        for _ in 0..<count { try skip(element) }
      }
    case .map(let value):
      while true {
        let count = try blockCount(isSkipping: true)
        if count == 0 { return }
        for _ in 0..<count {
          _ = try sized()
          try skip(value)
        }
      }
    case .union(let members): try skip(members[try tag(members.count)])
    case .record(_, let members): for member in members { try skip(member.schema) }
    }
  }

  /// Which member of a union follows.
  @inline(__always)
  mutating func tag(_ count: Int) throws(AvroDamage) -> Int {
    let tag = try long()
    guard tag >= 0, tag < count else { throw AvroDamage("a union has the tag \(tag)") }
    return Int(tag)
  }
}
