import Glibc
package import QueryErrors

/// Bytes held in memory: small files, pipes, and bytes that were never a file.
package final class MemoryByteSource: ByteSource {
  package let info: ObjectInfo
  private let buffer: AlignedBuffer
  private let meter: ScanMeter

  /// A copy of `bytes` under a name.
  package init(_ bytes: UnsafeRawBufferPointer, path: String, meter: ScanMeter) throws(QueryError) {
    buffer = try MemoryByteSource.allocate(bytes.count, path)
    if let base = bytes.baseAddress, bytes.count > 0 { memcpy(buffer.pointer, base, bytes.count) }
    info = ObjectInfo(path: path, byteCount: UInt64(bytes.count), modificationTime: 0)
    self.meter = meter
  }

  /// A copy of `bytes` under a name.
  package convenience init(_ bytes: [UInt8], path: String, meter: ScanMeter) throws(QueryError) {
    let buffer = bytes.withUnsafeBytes { source -> AlignedBuffer? in
      guard let buffer = AlignedBuffer(capacity: source.count) else { return nil }
      if source.count > 0 { memcpy(buffer.pointer, source.baseAddress!, source.count) }
      return buffer
    }
    guard let buffer else { throw MemoryByteSource.outOfMemory(bytes.count, path) }
    self.init(
      buffer: buffer, info: ObjectInfo(path: path, byteCount: UInt64(bytes.count), modificationTime: 0), meter: meter)
  }

  init(buffer: AlignedBuffer, info: ObjectInfo, meter: ScanMeter) {
    self.buffer = buffer
    self.info = info
    self.meter = meter
  }

  /// The same bytes under another meter and name.
  convenience init(sharing other: MemoryByteSource, path: String, meter: ScanMeter) {
    self.init(
      buffer: other.buffer, info: ObjectInfo(path: path, byteCount: other.byteCount, modificationTime: 0), meter: meter)
  }

  package func read(_ range: Range<UInt64>, kind: ScanKind) throws(QueryError) -> ByteSlice {
    guard range.upperBound <= byteCount else { throw outOfRange(range) }
    try meter.add(range.count, kind: kind)
    return ByteSlice(pointer: buffer.pointer + Int(range.lowerBound), count: range.count, owner: buffer)
  }

  static func allocate(_ byteCount: Int, _ path: String) throws(QueryError) -> AlignedBuffer {
    guard let buffer = AlignedBuffer(capacity: byteCount) else { throw outOfMemory(byteCount, path) }
    return buffer
  }

  static func outOfMemory(_ byteCount: Int, _ path: String) -> QueryError {
    QueryError(.exceededLocalMemoryLimit, "Out of memory: \(byteCount) bytes to read \(path)")
  }
}
