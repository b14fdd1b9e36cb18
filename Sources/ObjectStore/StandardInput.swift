import Glibc
import QueryErrors
import Synchronization

/// Pipes that the process was started with, such as its standard input: read to their end once, when a statement first
/// names them, and kept in memory, since files are read from several places and more than once.
///
/// - Threads: shared by all.
enum StandardInput {
  private static let known = Mutex<[Int32: MemoryByteSource]>([:])

  /// The descriptor that a path names: `/dev/stdin`, `/dev/fd/3`; nil for other paths, and where a plain file is open.
  static func descriptor(_ path: String) -> Int32? {
    var number: Int32?
    if path == "/dev/stdin" { number = 0 }
    for folder in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(folder) { number = Int32(path.dropFirst(folder.count)) }
    guard let number, number >= 0 else { return nil }
    var status = stat()
    guard fstat(number, &status) == 0 else { return nil }
    let type = status.st_mode & S_IFMT
    return type == S_IFIFO || type == S_IFCHR || type == S_IFSOCK ? number : nil
  }

  /// All bytes of it.
  static func source(_ descriptor: Int32, path: String) throws(QueryError) -> MemoryByteSource {
    let result = known.withLock { known -> Result<MemoryByteSource, QueryError> in
      if let source = known[descriptor] { return .success(source) }
      do throws(QueryError) {
        let source = try MemoryByteSource(draining: descriptor, path: path, meter: ScanMeter())
        known[descriptor] = source
        return .success(source)
      } catch { return .failure(error) }
    }
    return try result.get()
  }
}
