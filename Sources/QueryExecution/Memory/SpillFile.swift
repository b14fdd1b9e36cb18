import CKernels
import Columnar
import Glibc
import ObjectStore
import QueryErrors
import Synchronization

/// Where a query writes rows for want of memory: one file without a name, whose parts are given back once they have been read.
///
/// Workers write their own parts, each behind the last one; nothing is ever written twice. A crash leaves nothing, because the
/// file's name goes before its first byte is written.
///
/// - Units: bytes.
/// - Threads: any.
package final class SpillFile: Sendable {
  private let folder: String
  /// The most bytes it may take on disk; nil: as many as there are.
  private let limit: Int?
  private let descriptor = Mutex<Int32>(-1)
  private let end = Atomic<Int>(0)
  private let liveBytes = Atomic<Int>(0)
  private let writtenBytes = Atomic<Int>(0)

  /// - Parameter folder: nil: `$TMPDIR`, else `/tmp`.
  package init(folder: String? = nil, limit: Int? = nil) {
    self.folder = folder ?? getenv("TMPDIR").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    self.limit = limit
  }

  deinit { descriptor.withLock { if $0 >= 0 { Glibc.close($0) } } }

  /// All bytes ever written.
  package var written: Int { writtenBytes.load(ordering: .relaxed) }

  /// Where bytes lie.
  struct Place {
    var offset: Int
    var count: Int
  }

  /// Writes bytes.
  ///
  /// - Throws: `GENERIC_INSUFFICIENT_RESOURCES` when the disk is full or the limit is passed.
  func write(_ bytes: UnsafeRawPointer, count: Int) throws(QueryError) -> Place {
    let file = try open()
    let live = liveBytes.wrappingAdd(count, ordering: .relaxed).newValue
    if let limit, live > limit {
      liveBytes.wrappingSubtract(count, ordering: .relaxed)
      throw QueryError(
        .diskFull, "Query exceeded the limit of \(ByteCountText.text(limit)) for rows spilled to disk",
        hint: "Raise --max-spill or --memory-limit.")
    }
    let offset = end.wrappingAdd(SpillFile.rounded(count), ordering: .relaxed).oldValue
    var done = 0
    while done < count {
      let n = pwrite(file, bytes + done, count - done, offset + done)
      if n < 0 {
        if errno == EINTR { continue }
        throw failure(errno, "write")
      }
      done += n
    }
    writtenBytes.wrappingAdd(count, ordering: .relaxed)
    return Place(offset: offset, count: count)
  }

  /// Parts begin at whole pages, so that each can be given back alone.
  private static func rounded(_ count: Int) -> Int { (count + 4095) & ~4095 }

  /// Reads bytes back.
  func read(_ place: Place, into buffer: UnsafeMutableRawPointer) throws(QueryError) {
    let file = try open()
    var done = 0
    while done < place.count {
      let n = pread(file, buffer + done, place.count - done, place.offset + done)
      if n < 0 {
        if errno == EINTR { continue }
        throw failure(errno, "read")
      }
      if n == 0 { throw QueryError.internalError("spilled rows end before their block does") }
      done += n
    }
  }

  /// Tells the system that bytes will be read soon.
  func prefetch(_ place: Place) {
    let file = descriptor.withLock { $0 }
    if file >= 0 { posix_fadvise(file, place.offset, place.count, POSIX_FADV_WILLNEED) }
  }

  /// Gives the space of bytes back that nobody will read again.
  func drop(_ place: Place) {
    liveBytes.wrappingSubtract(place.count, ordering: .relaxed)
    let file = descriptor.withLock { $0 }
    if file >= 0 { ck_punch_hole(file, Int64(place.offset), Int64(SpillFile.rounded(place.count))) }
  }

  private func open() throws(QueryError) -> Int32 {
    try descriptor.withLock { (descriptor) throws(QueryError) -> Int32 in
      if descriptor >= 0 { return descriptor }
      let file = ck_open_unnamed(folder)
      if file < 0 { throw failure(errno, "create a file in") }
      descriptor = file
      return file
    }
  }

  private func failure(_ code: Int32, _ verb: String) -> QueryError {
    let text = String(cString: strerror(code))
    if code == ENOSPC || code == EDQUOT {
      return QueryError(
        .diskFull, "No space left for rows spilled to disk in \(folder)",
        hint: "Choose another folder by --temp-dir, or raise --memory-limit.")
    }
    return QueryError(
      .diskFull, "Cannot \(verb) the folder of temporary files \(folder): \(text)",
      hint: "Choose another folder by --temp-dir, or raise --memory-limit.")
  }
}
