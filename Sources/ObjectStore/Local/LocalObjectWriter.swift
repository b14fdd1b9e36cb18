import Glibc
package import QueryErrors
import Synchronization

/// Writes a file beside its final place and renames it there on `commit`.
package final class LocalObjectWriter: ObjectWriter {
  package let path: String
  package private(set) var byteCount: UInt64 = 0
  private let temporaryPath: String
  private let replaces: Bool
  private var descriptor: Int32

  private static let serial = Atomic<Int>(0)

  /// - Throws: `HIVE_CANNOT_OPEN_SPLIT` when the folder does not exist, `HIVE_FILESYSTEM_ERROR` when it cannot be written.
  package init(_ path: String, replaces: Bool = true) throws(QueryError) {
    self.path = path
    self.replaces = replaces
    let number = LocalObjectWriter.serial.wrappingAdd(1, ordering: .relaxed).newValue
    // Hidden, so that no table sees half a file.
    let name = "._\(ObjectPath.lastName(path).prefix(80)).\(getpid()).\(number).tmp"
    temporaryPath = ObjectPath.join(ObjectPath.parent(path), name)
    descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    if descriptor < 0 {
      let code = errno
      if code == ENOENT || code == ENOTDIR { throw LocalFileError.missing(ObjectPath.parent(path)) }
      throw LocalFileError.make(code, path, "write")
    }
    LocalTemporaryFiles.add(temporaryPath)
  }

  deinit { abort() }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(QueryError) {
    guard descriptor >= 0 else { throw QueryError.internalError("Write after commit: \(path)") }
    var done = 0
    while done < bytes.count {
      let n = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if n < 0 {
        if errno == EINTR { continue }
        throw LocalFileError.make(errno, path, "write")
      }
      done += n
    }
    byteCount += UInt64(bytes.count)
  }

  package func commit(durable: Bool) throws(QueryError) {
    guard descriptor >= 0 else { throw QueryError.internalError("Commit after commit: \(path)") }
    if durable, fsync(descriptor) != 0 { throw LocalFileError.make(errno, path, "write") }
    let closed = close(descriptor)
    descriptor = -1
    defer { LocalTemporaryFiles.remove(temporaryPath) }
    if closed != 0, errno != EINTR {
      let code = errno
      unlink(temporaryPath)
      throw LocalFileError.make(code, path, "write")
    }
    if !replaces {
      // A link is made for one of several writers only.
      let linked = link(temporaryPath, path) == 0
      let code = errno
      unlink(temporaryPath)
      if !linked, code == EEXIST { throw QueryError(.alreadyExists, "The file exists already: \(path)") }
      if !linked { throw LocalFileError.make(code, path, "write") }
    } else if rename(temporaryPath, path) != 0 {
      let code = errno
      unlink(temporaryPath)
      throw LocalFileError.make(code, path, "write")
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
    LocalTemporaryFiles.remove(temporaryPath)
  }
}
