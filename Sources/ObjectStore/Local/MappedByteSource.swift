import CKernels
import Glibc
package import QueryErrors
import Synchronization

/// A file mapped into memory: ranges are handed out without a copy.
///
/// A page behind the mapping keeps the bytes after the last slice readable. When the file has another size than at
/// `open`, ranges are copied out with `pread` instead, so a file cut off between two reads is an error; the size is asked
/// for once a tick of the kernel's clock. When the file is cut off while a slice is in use, the SIGBUS handler of CKernels
/// puts zero pages in place of the lost ones and marks the mapping; `checkUnchanged` and the next `read` then throw.
package final class MappedByteSource: ByteSource, @unchecked Sendable {
  package let info: ObjectInfo
  private let descriptor: Int32
  private let meter: ScanMeter
  private let mapping: FileMapping
  /// When the size was last what it was at `open`.
  private let lastLook = Atomic<Int>(0)

  /// Shorter ranges are not worth a call that starts reading ahead.
  private static let adviceLimit = 128 << 10

  /// Takes over an open file descriptor, of the file that is mapped.
  init(_ mapping: FileMapping, descriptor: Int32, info: ObjectInfo, meter: ScanMeter) {
    self.mapping = mapping
    self.descriptor = descriptor
    self.info = info
    self.meter = meter
  }

  deinit { close(descriptor) }

  package func read(_ range: Range<UInt64>, kind: ScanKind) throws(QueryError) -> ByteSlice {
    guard range.upperBound <= byteCount else { throw outOfRange(range) }
    try meter.add(range.count, kind: kind)
    if !hasSameSize() || mapping.isDamaged { return try readCopy(descriptor, range, path: path) }
    if range.count >= MappedByteSource.adviceLimit { advise(range) }
    return ByteSlice(pointer: mapping.pointer + Int(range.lowerBound), count: range.count, owner: mapping)
  }

  /// Whether the file was as large as at `open` within the last milliseconds: most pages are read within one, and asking
  /// the kernel costs as much as decoding hundreds of values.
  private func hasSameSize() -> Bool {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
    let now = time.tv_sec &* 1_000_000_000 &+ time.tv_nsec
    if lastLook.load(ordering: .relaxed) == now { return true }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size == off_t(byteCount) else { return false }
    lastLook.store(now, ordering: .relaxed)
    return true
  }

  package func prefetch(_ ranges: [Range<UInt64>]) {
    for range in ranges where range.upperBound <= byteCount && range.count >= MappedByteSource.adviceLimit {
      advise(range)
    }
  }

  package func checkUnchanged() throws(QueryError) {
    var status = stat()
    if mapping.isDamaged || (fstat(descriptor, &status) == 0 && status.st_size < off_t(byteCount)) {
      throw QueryError(
        .hiveBadData, "File was truncated while it was read", data: DataLocation(path: path),
        hint: "Write new files beside the old ones and rename them into place.")
    }
  }

  private func advise(_ range: Range<UInt64>) {
    let start = Int(range.lowerBound) & ~(FileMapping.pageSize - 1)
    madvise(mapping.pointer + start, Int(range.upperBound) - start, MADV_WILLNEED)
  }
}

/// The memory of one mapped file; slices keep it alive.
final class FileMapping: @unchecked Sendable {
  let pointer: UnsafeMutableRawPointer
  private let byteCount: Int
  private let slot: Int32

  static let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))

  /// Maps a whole file for reading, or returns nil.
  init?(descriptor: Int32, byteCount: UInt64) {
    let pageSize = FileMapping.pageSize
    guard byteCount > 0, byteCount < UInt64(Int.max) / 2 else { return nil }
    let fileBytes = (Int(byteCount) + pageSize - 1) & ~(pageSize - 1)
    // One page more when the last page leaves too little room behind the file.
    let total = fileBytes - Int(byteCount) < ByteSlice.padding ? fileBytes + pageSize : fileBytes
    let memory: UnsafeMutableRawPointer?
    if total == fileBytes {
      memory = mmap(nil, total, PROT_READ, MAP_PRIVATE, descriptor, 0)
    } else {
      memory = mmap(nil, total, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      if let memory, memory != MAP_FAILED,
        mmap(memory, fileBytes, PROT_READ, MAP_PRIVATE | MAP_FIXED, descriptor, 0) == MAP_FAILED
      {
        munmap(memory, total)
        return nil
      }
    }
    guard let memory, memory != MAP_FAILED else { return nil }
    // Without a guard slot a truncated file would end the process.
    let slot = ck_guard_mapping(memory, fileBytes)
    guard slot >= 0 else {
      munmap(memory, total)
      return nil
    }
    pointer = memory
    self.byteCount = total
    self.slot = slot
  }

  deinit {
    ck_unguard_mapping(slot)
    munmap(pointer, byteCount)
  }

  /// Whether the file was cut off under the mapping.
  var isDamaged: Bool { ck_mapping_is_damaged(slot) != 0 }
}
