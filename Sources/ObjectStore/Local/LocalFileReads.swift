import Glibc
import QueryErrors

extension MemoryByteSource {
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
        throw LocalFileError.make(errno, path, "read")
      }
      if n == 0 { break }
      count += n
    }
    self.init(
      buffer: buffer, info: ObjectInfo(path: path, byteCount: UInt64(count), modificationTime: 0), meter: meter)
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
      throw LocalFileError.make(errno, path, "read")
    }
    if n == 0 {
      throw QueryError(
        .hiveBadData, "File was truncated while it was read",
        data: DataLocation(path: path, byteOffset: Int(offset) + done))
    }
    done += n
  }
}
