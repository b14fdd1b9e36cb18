import Columnar
import ObjectStore
import QueryErrors
import Synchronization

/// Reads ranges of a file; readers of parts of one block share what they read, so that no byte counts twice.
struct RangeReader {
  let source: any ByteSource
  /// Set when several readers share a block.
  let shared: SharedReads?

  func read(_ range: Range<UInt64>, kind: ScanKind) throws(QueryError) -> ByteSlice {
    if let shared { return try shared.read(range, kind: kind, from: source) }
    return try source.read(range, kind: kind)
  }
}

/// What the readers of one block's parts have read of it; the scan's.
///
/// - Threads: all workers of a scan.
final class SharedReads: Sendable {
  private struct State {
    var slices: [Range<UInt64>: SharedSlice] = [:]
    var dictionaries: [Int: (entries: Column, count: Int)] = [:]
    var isCounted = false
    var rowsDone = 0
  }

  private let state = Mutex(State())
  private let rowCount: Int

  init(rowCount: Int) { self.rowCount = rowCount }

  func read(_ range: Range<UInt64>, kind: ScanKind, from source: any ByteSource) throws(QueryError) -> ByteSlice {
    let place = state.withLock { state in
      if let known = state.slices[range] { return known }
      let made = SharedSlice()
      state.slices[range] = made
      return made
    }
    // A second reader of the range has to wait for the bytes anyway; those of others do not.
    return try place.bytes.withLock { (bytes) throws(QueryError) in
      if let bytes { return bytes }
      let read = try source.read(range, kind: kind)
      bytes = read
      return read
    }
  }

  /// A range's bytes, once the first of its readers has them.
  private final class SharedSlice: Sendable {
    let bytes = Mutex<ByteSlice?>(nil)
  }

  /// The decoded dictionary of a column of the file, by the format's own number, when a reader has left it here.
  func dictionary(_ column: Int) -> (entries: Column, count: Int)? { state.withLock { $0.dictionaries[column] } }

  func keep(_ dictionary: (entries: Column, count: Int), _ column: Int) {
    state.withLock { $0.dictionaries[column] = dictionary }
  }

  /// Whether this is the first reader that reads pages of the block.
  func countsAsRead() -> Bool {
    state.withLock { state in
      defer { state.isCounted = true }
      return !state.isCounted
    }
  }

  /// Whether with these rows all parts are read.
  func finish(_ rows: Range<Int>) -> Bool {
    state.withLock { state in
      state.rowsDone += rows.count
      return state.rowsDone >= rowCount
    }
  }
}
