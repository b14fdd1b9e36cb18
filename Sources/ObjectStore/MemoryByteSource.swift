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

  private init(buffer: AlignedBuffer, info: ObjectInfo, meter: ScanMeter) {
    self.buffer = buffer
    self.info = info
    self.meter = meter
  }

  /// A small regular file, read at once.
  convenience init(whole descriptor: Int32, info: ObjectInfo, meter: ScanMeter) throws(QueryError) {
    let byteCount = Int(info.byteCount)
    let buffer = try MemoryByteSource.allocate(byteCount, info.path)
    try readFully(descriptor, into: buffer.pointer, count: byteCount, at: 0, path: info.path)
    self.init(buffer: buffer, info: info, meter: meter)
  }

  /// A pipe or device, read to its end.
  convenience init(draining descriptor: Int32, path: String, meter: ScanMeter) throws(QueryError) {
    var buffer = try MemoryByteSource.allocate(64 << 10, path)
    var count = 0
    while true {
      try meter.cancellation.check()
      if count == buffer.capacity {
        let larger = try MemoryByteSource.allocate(buffer.capacity * 2, path)
        memcpy(larger.pointer, buffer.pointer, count)
        buffer = larger
      }
      let n = Glibc.read(descriptor, buffer.pointer + count, buffer.capacity - count)
      if n < 0 {
        if errno == EINTR { continue }
        throw LocalObjectStore().failure(errno, path, "read")
      }
      if n == 0 { break }
      count += n
    }
    self.init(
      buffer: buffer, info: ObjectInfo(path: path, byteCount: UInt64(count), modificationTime: 0), meter: meter)
  }

  package func read(_ range: Range<UInt64>, kind: ScanKind) throws(QueryError) -> ByteSlice {
    guard range.upperBound <= byteCount else { throw outOfRange(range) }
    try meter.add(range.count, kind: kind)
    return ByteSlice(pointer: buffer.pointer + Int(range.lowerBound), count: range.count, owner: buffer)
  }

  private static func allocate(_ byteCount: Int, _ path: String) throws(QueryError) -> AlignedBuffer {
    guard let buffer = AlignedBuffer(capacity: byteCount) else { throw outOfMemory(byteCount, path) }
    return buffer
  }

  static func outOfMemory(_ byteCount: Int, _ path: String) -> QueryError {
    QueryError(.exceededLocalMemoryLimit, "Out of memory: \(byteCount) bytes to read \(path)")
  }
}

/// Reads exactly `count` bytes at an offset.
///
/// - Throws: `HIVE_BAD_DATA` when the file ends before, `HIVE_FILESYSTEM_ERROR` when reading fails.
func readFully(
  _ descriptor: Int32, into target: UnsafeMutableRawPointer, count: Int, at offset: UInt64, path: String
) throws(QueryError) {
  var done = 0
  while done < count {
    let n = pread(descriptor, target + done, count - done, off_t(offset) + off_t(done))
    if n < 0 {
      if errno == EINTR { continue }
      throw LocalObjectStore().failure(errno, path, "read")
    }
    if n == 0 {
      throw QueryError(
        .hiveBadData, "File was truncated while it was read",
        data: DataLocation(path: path, byteOffset: Int(offset) + done))
    }
    done += n
  }
}
