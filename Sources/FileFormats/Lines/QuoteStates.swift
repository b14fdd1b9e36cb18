import CKernels
import ObjectStore
import QueryErrors
import Synchronization

/// The exact scanner state at the starts of a file's splits, so that each split knows whether it starts inside quotes.
///
/// States are found in file order by scanning once, without writing places, from the nearest known place before; a reader
/// that has scanned its split anyway reports where it ended.
///
/// - Threads: shared by all readers of a file.
final class QuoteStates: Sendable {
  private let source: any ByteSource
  private let dialect: DelimitedDialect
  private let known: Mutex<(offsets: [UInt64], states: [UInt32])>

  private static let stepByteCount: UInt64 = 4 << 20

  /// - Parameter start: where the first record starts.
  init(_ source: any ByteSource, _ dialect: DelimitedDialect, start: UInt64) {
    self.source = source
    self.dialect = dialect
    known = Mutex((offsets: [start], states: [UInt32(CK_TEXT_FIELD_START)]))
  }

  /// The state before the byte at `offset`, which lies at or behind the first record's start.
  func state(at offset: UInt64) throws(QueryError) -> UInt32 {
    let result = known.withLock { known -> Result<UInt32, QueryError> in
      var (low, high) = (0, known.offsets.count)
      while low < high {
        let middle = (low + high) / 2
        if known.offsets[middle] <= offset { low = middle + 1 } else { high = middle }
      }
      var at = known.offsets[low - 1]
      var state = ck_text_state()
      state.state = known.states[low - 1]
      if at == offset { return .success(state.state) }
      var scanned = dialect.scanned
      do throws(QueryError) {
        while at < offset {
          let to = min(offset, at + QuoteStates.stepByteCount)
          // One byte more shows whether a CR at the end belongs to a CR LF.
          let slice = try source.read(at..<min(to + 1, source.byteCount), kind: .sampling)
          slice.withBytes { bytes in
            let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
            ck_text_scan(base, 0, Int(to - at), bytes.count, &scanned, &state, nil, nil)
          }
          at = to
        }
      } catch {
        return .failure(error)
      }
      known.offsets.insert(offset, at: low)
      known.states.insert(state.state, at: low)
      return .success(state.state)
    }
    return try result.get()
  }

  /// Records a state that a reader came to.
  func report(_ state: UInt32, at offset: UInt64) {
    known.withLock { known in
      var low = known.offsets.count
      while low > 0, known.offsets[low - 1] > offset { low -= 1 }
      if low > 0, known.offsets[low - 1] == offset { return }
      known.offsets.insert(offset, at: low)
      known.states.insert(state, at: low)
    }
  }
}

/// Counts the records of a file before a place; for error messages.
enum RecordCounter {
  /// Line ends outside quotes in `start ..< end` of a plain file.
  static func lines(
    _ source: any ByteSource, _ dialect: DelimitedDialect, from start: UInt64, to end: UInt64
  ) throws(QueryError) -> Int {
    var at = start
    var state = ck_text_state()
    var scanned = dialect.scanned
    while at < end {
      let to = min(end, at + 4 << 20)
      let slice = try source.read(at..<min(to + 1, source.byteCount), kind: .sampling)
      slice.withBytes { bytes in
        let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
        ck_text_scan(base, 0, Int(to - at), bytes.count, &scanned, &state, nil, nil)
      }
      at = to
    }
    return state.line_count
  }
}
