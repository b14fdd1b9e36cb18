import Glibc
import ObjectStore
import Synchronization

/// Parsed footers of the files used last: planning opens a file once for its schema and once for its row groups, and sessions ask
/// the same files again and again.
///
/// Bytes are read and counted whether a footer is known or not, and a known one is only used when it was made of the same bytes:
/// a file that is replaced is never mistaken for what it was.
///
/// - Threads: shared by all.
final class FooterCache: Sendable {
  static let shared = FooterCache()

  private struct Entry {
    var footer: ParquetFooter
    /// When it was used last.
    var tick: Int
  }

  private struct State {
    var entries: [String: Entry] = [:]
    var byteCount = 0
    var tick = 0
  }

  private let state = Mutex(State())
  /// Bytes of footers kept; parsed forms take a few times more.
  private static let largestByteCount = 16 << 20
  /// Smaller ones are parsed as fast as they are found.
  private static let smallestFooter = 8 << 10

  /// The footer at `path` if it was made of `bytes`.
  func footer(_ path: String, _ bytes: ByteSlice) -> ParquetFooter? {
    if bytes.count < FooterCache.smallestFooter { return nil }
    let known = state.withLock { state -> ParquetFooter? in
      guard let footer = state.entries[path]?.footer else { return nil }
      state.tick += 1
      state.entries[path]!.tick = state.tick
      return footer
    }
    guard let known, known.bytes.count == bytes.count,
      withExtendedLifetime(bytes, { memcmp(known.bytes.pointer, bytes.pointer, bytes.count) }) == 0
    else { return nil }
    return known
  }

  /// Keeps a footer, with a copy of its bytes that needs no open file.
  func keep(_ footer: ParquetFooter, _ path: String) {
    let size = footer.bytes.count
    if size < FooterCache.smallestFooter || size > FooterCache.largestByteCount / 2 { return }
    let footer = footer.copyingBytes()
    state.withLock { state in
      if let old = state.entries[path] { state.byteCount -= old.footer.bytes.count }
      state.tick += 1
      state.entries[path] = Entry(footer: footer, tick: state.tick)
      state.byteCount += size
      if state.byteCount <= FooterCache.largestByteCount { return }
      // The half that was not used for longest goes.
      for (path, entry) in state.entries.sorted(by: { $0.value.tick < $1.value.tick }) {
        if state.byteCount <= FooterCache.largestByteCount / 2 { break }
        state.entries[path] = nil
        state.byteCount -= entry.footer.bytes.count
      }
    }
  }
}
