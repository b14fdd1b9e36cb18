package import QueryErrors
import Synchronization

/// What bytes are read for.
package enum ScanKind: Sendable {
  /// Values of a query: counted as scanned.
  case data
  /// Footers, page indexes and other metadata of a format: counted as scanned, and shown apart.
  case metadata
  /// Looking at a file to find its schema: not part of any query's scan.
  case sampling
}

/// Counts what a query reads, at the bottom, once.
///
/// - Units: bytes as stored (compressed).
/// - Threads: shared by all threads of a query.
package final class ScanMeter: Sendable {
  private let data = Atomic<Int>(0)
  private let metadata = Atomic<Int>(0)
  private let sampling = Atomic<Int>(0)
  private let files = Atomic<Int>(0)
  private let listings = Atomic<Int>(0)
  private let listed = Atomic<Int>(0)
  private let noted = Mutex<[String]>([])

  private let requests = RequestCounters()

  /// Looked at before every read.
  package let cancellation: CancellationFlag

  // MARK: The limit

  /// `Int.max` for none.
  private let mostBytes: Atomic<Int>
  private let limitError = Mutex<QueryError?>(nil)

  package init(limit: Int? = nil, cancellation: CancellationFlag = CancellationFlag()) {
    mostBytes = Atomic(limit ?? Int.max)
    self.cancellation = cancellation
  }

  /// The most bytes the query may scan, or nil.
  package var limit: Int? {
    let bytes = mostBytes.load(ordering: .relaxed)
    return bytes == Int.max ? nil : bytes
  }

  /// Sets a limit where it is less than what holds.
  ///
  /// - Parameter error: what passing it throws.
  package func lower(limit: Int, _ error: QueryError) {
    limitError.withLock { known in
      if limit >= mostBytes.load(ordering: .relaxed) { return }
      mostBytes.store(limit, ordering: .relaxed)
      known = error
    }
  }

  /// What passing the limit throws.
  private var overLimit: QueryError {
    limitError.withLock { $0 }
      ?? QueryError(
        .exceededScanLimit, "Bytes scanned limit was exceeded: the query would scan more than \(limit ?? 0) bytes",
        hint: "Select fewer columns, filter on a partition column, or raise the limit.")
  }

  // MARK: Metrics

  /// Bytes of values read.
  package var dataBytes: Int { data.load(ordering: .relaxed) }
  /// Bytes of footers and indexes read.
  package var metadataBytes: Int { metadata.load(ordering: .relaxed) }
  /// Bytes read to infer schemas.
  package var samplingBytes: Int { sampling.load(ordering: .relaxed) }
  /// Bytes the query is charged for: data and metadata.
  package var scannedBytes: Int { dataBytes &+ metadataBytes }
  /// Files opened.
  package var filesOpened: Int { files.load(ordering: .relaxed) }
  /// Directories listed.
  package var listingCalls: Int { listings.load(ordering: .relaxed) }
  /// Names that listings returned.
  package var entriesListed: Int { listed.load(ordering: .relaxed) }

  // MARK: Notes

  private static let largestNoteCount = 20

  /// What the user should know although the query goes on: files passed over and the like. In the order they came.
  package var notes: [String] { noted.withLock { $0 } }

  /// Adds a note, unless it was said before.
  package func note(_ text: String) {
    noted.withLock { notes in
      if notes.count < ScanMeter.largestNoteCount, !notes.contains(text) { notes.append(text) }
    }
  }

  // MARK: Counting

  /// Counts a read, before it happens.
  ///
  /// - Throws: `EXCEEDED_SCAN_LIMIT` when the read passes the limit; `USER_CANCELED`, `EXCEEDED_TIME_LIMIT`.
  package func add(_ byteCount: Int, kind: ScanKind) throws(QueryError) {
    try cancellation.check()
    let total: Int
    switch kind {
    case .data:
      total = data.wrappingAdd(byteCount, ordering: .relaxed).newValue &+ metadata.load(ordering: .relaxed)
    case .metadata:
      total = metadata.wrappingAdd(byteCount, ordering: .relaxed).newValue &+ data.load(ordering: .relaxed)
    case .sampling:
      sampling.wrappingAdd(byteCount, ordering: .relaxed)
      return
    }
    if total > mostBytes.load(ordering: .relaxed) { throw overLimit }
  }

  /// Counts a request to an object service, after its answer came or failed to.
  package func addRequest(_ kind: RequestKind, received: Int, sent: Int) {
    requests.add(kind, received: received, sent: sent)
  }

  /// Requests to object services so far.
  package var requestCounts: RequestCounts { requests.counts }

  /// Says that the query begins anew: what it read so far was for finding out about files.
  package func startAgain() {
    let read = data.exchange(0, ordering: .relaxed) &+ metadata.exchange(0, ordering: .relaxed)
    sampling.wrappingAdd(read, ordering: .relaxed)
  }

  /// Counts an opened file.
  ///
  /// - Throws: `USER_CANCELED`, `EXCEEDED_TIME_LIMIT`.
  package func addFile() throws(QueryError) {
    try cancellation.check()
    files.wrappingAdd(1, ordering: .relaxed)
  }

  /// Counts a listed directory.
  ///
  /// - Throws: `USER_CANCELED`, `EXCEEDED_TIME_LIMIT`.
  package func addListing(entryCount: Int) throws(QueryError) {
    try cancellation.check()
    listings.wrappingAdd(1, ordering: .relaxed)
    listed.wrappingAdd(entryCount, ordering: .relaxed)
  }
}
