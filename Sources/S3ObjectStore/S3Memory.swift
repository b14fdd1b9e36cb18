import ObjectStore
import QueryErrors
import Synchronization

/// Bounds the bytes that are fetched ahead and not used up, over all objects of a store.
final class S3ReadAhead: Sendable {
  private let held = Atomic<Int>(0)

  static let limit = 96 << 20

  /// Whether so many bytes more may be fetched ahead; they are counted then.
  func take(_ byteCount: Int) -> Bool {
    let (before, now) = held.wrappingAdd(byteCount, ordering: .relaxed)
    if now <= S3ReadAhead.limit || before == 0 { return true }
    held.wrappingSubtract(byteCount, ordering: .relaxed)
    return false
  }

  func release(_ byteCount: Int) { held.wrappingSubtract(byteCount, ordering: .relaxed) }
}

/// The ends of the objects read last: footers and heads, which a query looks at more than once, as do the queries after it.
///
/// - Threads: any.
final class S3KeptPieces: Sendable {
  struct Key: Hashable {
    var path: String
    /// Without one the object may be another the next time: nothing is kept.
    var version: String?
    var range: Range<UInt64>
  }

  private struct State {
    var pieces: [Key: S3Piece] = [:]
    var order: [Key] = []
    var byteCount = 0
  }

  private let state = Mutex(State())
  private static let limit = 64 << 20

  /// The piece of a key, made where there is none.
  func piece(_ key: Key, _ make: () throws(QueryError) -> S3Piece) throws(QueryError) -> S3Piece {
    if let known = state.withLock({ $0.pieces[key] }), !known.hasFailed { return known }
    let made = try make()
    guard key.version != nil else { return made }
    state.withLock { state in
      if state.pieces.updateValue(made, forKey: key) == nil {
        state.order.append(key)
        state.byteCount += made.byteCount
      }
      while state.byteCount > S3KeptPieces.limit, !state.order.isEmpty {
        if let gone = state.pieces.removeValue(forKey: state.order.removeFirst()) { state.byteCount -= gone.byteCount }
      }
    }
    return made
  }
}
