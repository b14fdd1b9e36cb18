import Glibc
package import QueryErrors

/// A file read range by range into fresh memory.
package final class PreadByteSource: ByteSource {
  package let info: ObjectInfo
  private let descriptor: Int32
  private let meter: ScanMeter

  /// Takes over an open file descriptor.
  package init(descriptor: Int32, info: ObjectInfo, meter: ScanMeter) {
    self.descriptor = descriptor
    self.info = info
    self.meter = meter
  }

  deinit { close(descriptor) }

  package func read(_ range: Range<UInt64>, kind: ScanKind) throws(QueryError) -> ByteSlice {
    guard range.upperBound <= byteCount else { throw outOfRange(range) }
    try meter.add(range.count, kind: kind)
    return try readCopy(descriptor, range, path: path)
  }

  package func prefetch(_ ranges: [Range<UInt64>]) {
    for range in ranges where range.upperBound <= byteCount {
      _ = posix_fadvise(descriptor, off_t(range.lowerBound), off_t(range.count), POSIX_FADV_WILLNEED)
    }
  }
}

/// The bytes of a range in memory of their own.
func readCopy(_ descriptor: Int32, _ range: Range<UInt64>, path: String) throws(QueryError) -> ByteSlice {
  guard let buffer = AlignedBuffer(capacity: range.count) else {
    throw MemoryByteSource.outOfMemory(range.count, path)
  }
  try readFully(descriptor, into: buffer.pointer, count: range.count, at: range.lowerBound, path: path)
  return ByteSlice(pointer: buffer.pointer, count: range.count, owner: buffer)
}
