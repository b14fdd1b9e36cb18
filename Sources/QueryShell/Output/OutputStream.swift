import Glibc
package import QueryEngine

/// Buffered writing to a file descriptor.
package final class OutputStream {
  private let descriptor: Int32
  package var pending: [UInt8] = []
  /// Whether control letters of values are shown as visible ones: for formats without colours of their own on a terminal.
  package var showsControls = false
  /// Whether nobody reads what is written any more.
  package private(set) var isClosed = false
  private static let flushByteCount = 1 << 16
  /// Bytes kept back for a pager; nil when they are written as they come.
  private var held: [UInt8]?
  /// A result longer than this is not worth a pager: it is written as it comes.
  private static let heldByteLimit = 8 << 20

  package init(_ descriptor: Int32) { self.descriptor = descriptor }

  package func flushIfFull() throws(QueryError) { if pending.count >= OutputStream.flushByteCount { try flush() } }

  /// Writes what waits; called between rows.
  ///
  /// - Throws: `USER_CANCELED` when the reader of a pipe has gone, which then stops the statement like Ctrl-C;
  ///   `GENERIC_INSUFFICIENT_RESOURCES` for a full disk, else `HIVE_FILESYSTEM_ERROR`.
  package func flush() throws(QueryError) {
    if held != nil, held!.count + pending.count <= OutputStream.heldByteLimit {
      held! += pending
      pending.removeAll(keepingCapacity: true)
      return
    }
    if let first = held {
      held = nil
      pending = first + pending
    }
    if showsControls { pending = Array(TerminalText.printable(String(decoding: pending, as: UTF8.self), keepsLines: true).utf8) }
    let failure = pending.withUnsafeBytes { Descriptor.write($0, to: descriptor) }
    pending.removeAll(keepingCapacity: true)
    try check(failure)
  }

  /// Writes behind what waits; long texts at once.
  package func write(_ bytes: UnsafeRawBufferPointer) throws(QueryError) {
    if showsControls || bytes.count < OutputStream.flushByteCount {
      pending.append(contentsOf: bytes)
      return try flushIfFull()
    }
    try flush()
    try check(Descriptor.write(bytes, to: descriptor))
  }

  private func check(_ failure: Int32?) throws(QueryError) {
    switch failure {
    case nil: return
    case EPIPE:
      isClosed = true
      throw QueryError(.userCanceled, "Query was canceled: nobody reads its output any more")
    case ENOSPC?, EDQUOT?: throw QueryError(.diskFull, "Cannot write output: No space left on device")
    case let code?: throw QueryError(.hiveFilesystemError, "Cannot write output: \(String(cString: strerror(code)))")
    }
  }

  /// Keeps what is written from now on, until `takeHeld`.
  func holdBack() { held = [] }

  /// What was kept back; nil when it became too much and was written.
  func takeHeld() -> [UInt8]? {
    defer { held = nil }
    return held
  }

  package func write(_ text: String) { pending.append(contentsOf: text.utf8) }
}

/// Plain writing to file descriptors.
package enum Descriptor {
  /// Writes all bytes, waiting for room where the descriptor does not wait by itself.
  ///
  /// - Returns: the `errno` of a failure.
  @discardableResult
  package static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
    bytes.withUnsafeBytes { write($0, to: descriptor) }
  }

  /// Writes all bytes, waiting for room where the descriptor does not wait by itself.
  ///
  /// - Returns: the `errno` of a failure.
  package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32? {
    var written = 0
    while written < bytes.count {
      let count = Glibc.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
      if count >= 0 {
        written += count
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&wanted, 1, -1)
      case let code: return code
      }
    }
    return nil
  }

  /// Writes a line; nobody is told when that fails.
  package static func print(_ text: String, to descriptor: Int32) {
    write(Array((text.hasSuffix("\n") ? text : text + "\n").utf8), to: descriptor)
  }
}
