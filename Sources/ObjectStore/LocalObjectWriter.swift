import Glibc
package import QueryErrors
import Synchronization

/// Writes a file beside its final place and renames it there on `commit`.
package final class LocalObjectWriter: ObjectWriter {
  package let path: String
  package private(set) var byteCount: UInt64 = 0
  private let temporaryPath: String
  private var descriptor: Int32

  private static let serial = Atomic<Int>(0)

  /// - Throws: `HIVE_CANNOT_OPEN_SPLIT` when the folder does not exist, `HIVE_FILESYSTEM_ERROR` when it cannot be written.
  package init(_ path: String) throws(QueryError) {
    self.path = path
    let number = LocalObjectWriter.serial.wrappingAdd(1, ordering: .relaxed).newValue
    // Hidden, so that no table sees half a file.
    let name = "._\(ObjectPath.lastName(path).prefix(80)).\(getpid()).\(number).tmp"
    temporaryPath = ObjectPath.join(ObjectPath.parent(path), name)
    descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    if descriptor < 0 {
      let code = errno
      if code == ENOENT || code == ENOTDIR { throw LocalObjectStore().missing(ObjectPath.parent(path)) }
      throw LocalObjectStore().failure(code, path, "write")
    }
    TemporaryFiles.add(temporaryPath)
  }

  deinit { abort() }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(QueryError) {
    guard descriptor >= 0 else { throw QueryError.internalError("Write after commit: \(path)") }
    var done = 0
    while done < bytes.count {
      let n = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if n < 0 {
        if errno == EINTR { continue }
        throw LocalObjectStore().failure(errno, path, "write")
      }
      done += n
    }
    byteCount += UInt64(bytes.count)
  }

  package func commit(durable: Bool) throws(QueryError) {
    guard descriptor >= 0 else { throw QueryError.internalError("Commit after commit: \(path)") }
    if durable, fsync(descriptor) != 0 { throw LocalObjectStore().failure(errno, path, "write") }
    let closed = close(descriptor)
    descriptor = -1
    defer { TemporaryFiles.remove(temporaryPath) }
    if closed != 0, errno != EINTR {
      let code = errno
      unlink(temporaryPath)
      throw LocalObjectStore().failure(code, path, "write")
    }
    if rename(temporaryPath, path) != 0 {
      let code = errno
      unlink(temporaryPath)
      throw LocalObjectStore().failure(code, path, "write")
    }
    if durable {
      let folder = open(ObjectPath.parent(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      if folder >= 0 {
        fsync(folder)
        close(folder)
      }
    }
  }

  package func abort() {
    guard descriptor >= 0 else { return }
    close(descriptor)
    descriptor = -1
    unlink(temporaryPath)
    TemporaryFiles.remove(temporaryPath)
  }
}
