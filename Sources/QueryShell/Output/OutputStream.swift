import Glibc
package import QueryEngine

/// Buffered writing to a file descriptor.
package final class OutputStream {
  private let descriptor: Int32
  package var pending: [UInt8] = []
  private static let flushByteCount = 1 << 16

  package init(_ descriptor: Int32) { self.descriptor = descriptor }

  package func flushIfFull() throws(QueryError) { if pending.count >= OutputStream.flushByteCount { try flush() } }

  /// - Throws: `HIVE_FILESYSTEM_ERROR`; a closed pipe ends the program quietly, as other filters do.
  package func flush() throws(QueryError) {
    var written = 0
    while written < pending.count {
      let count = pending.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written) }
      if count < 0 {
        if errno == EINTR { continue }
        if errno == EPIPE { exit(0) }
        let reason = String(cString: strerror(errno))
        pending.removeAll()
        throw QueryError(.hiveFilesystemError, "Cannot write output: \(reason)")
      }
      written += count
    }
    pending.removeAll(keepingCapacity: true)
  }

  package func write(_ text: String) { pending.append(contentsOf: text.utf8) }
}
