import Columnar
import QueryErrors
import Synchronization

/// Rows in an order, as batches in memory and blocks on disk: what operators keep instead of one large batch.
///
///     batch │ batch │ block on disk │ batch │ …
///
/// Any stretch of batches may go to disk and keeps its place; whoever reads meets the rows in their order again.
///
/// - Threads: any; every call locks.
final class RowRuns: Sendable {
  let types: [DataType]
  private let consumer: MemoryConsumer
  private let file: SpillFile
  private let state = Mutex(State())

  /// One stretch of rows.
  enum Entry {
    case held(Batch, byteCount: Int)
    case stored(Block)
  }

  /// Rows on disk.
  struct Block {
    var place: SpillFile.Place
    /// Bytes before they were compressed; nil: they are not.
    var plainByteCount: Int?
    var rowCount: Int
  }

  private struct State {
    var entries: [Entry] = []
    var rowCount = 0
    var heldBytes = 0
    /// Bytes that the stored rows take in memory.
    var storedBytes = 0
    /// The first entry that may be held.
    var firstHeld = 0
  }

  /// Bytes of a block, as they lie in memory.
  static let blockByteCount = 512 << 10
  /// Rows of a batch below which several become one before they are written.
  private static let smallRowCount = 2048
  private static let blockRowCount = 16_384

  init(_ types: [DataType], _ consumer: MemoryConsumer, _ file: SpillFile) {
    self.types = types
    self.consumer = consumer
    self.file = file
  }

  deinit { clear() }

  var rowCount: Int { state.withLock { $0.rowCount } }
  /// Bytes held in memory.
  var heldBytes: Int { state.withLock { $0.heldBytes } }
  /// Bytes that the rows on disk take when they are read back.
  var storedBytes: Int { state.withLock { $0.storedBytes } }
  var isEmpty: Bool { rowCount == 0 }

  /// Adds rows at the end.
  ///
  /// - Parameter byteCount: what they hold; nil: as their columns tell.
  func append(_ batch: Batch, byteCount: Int? = nil) {
    if batch.rowCount == 0 { return }
    let bytes = byteCount ?? batch.approximateByteCount
    state.withLock { state in
      state.entries.append(.held(batch, byteCount: bytes))
      state.rowCount += batch.rowCount
      state.heldBytes += bytes
    }
    consumer.add(bytes)
  }

  /// Takes over all rows of another list, behind the own ones.
  func append(contentsOf other: RowRuns) {
    let taken = other.state.withLock { state in
      defer { state = State() }
      return state
    }
    state.withLock { state in
      state.entries += taken.entries
      state.rowCount += taken.rowCount
      state.heldBytes += taken.heldBytes
      state.storedBytes += taken.storedBytes
    }
    if other.consumer !== consumer {
      consumer.add(taken.heldBytes)
      other.consumer.add(-taken.heldBytes)
    }
  }

  /// Lets all rows go.
  func clear() {
    let taken = state.withLock { state in
      defer { state = State() }
      return state
    }
    consumer.add(-taken.heldBytes)
    for case .stored(let block) in taken.entries { file.drop(block.place) }
  }

  // MARK: Writing to disk

  /// Writes held rows to disk, the first ones first.
  ///
  /// - Parameter wanted: bytes that are enough; nil: all.
  /// - Returns: the bytes of memory given up.
  @discardableResult
  func spill(_ wanted: Int? = nil) throws(QueryError) -> Int {
    var freed = 0
    while wanted.map({ freed < $0 }) ?? true {
      guard let taken = takeStretch() else { break }
      let block = try store(taken.batches)
      consumer.addSpilled(block.place.count)
      state.withLock { state in
        state.entries[taken.first] = .stored(block)
        state.entries.removeSubrange(taken.first + 1..<taken.end)
        state.firstHeld = taken.first + 1
        state.heldBytes -= taken.byteCount
        state.storedBytes += taken.byteCount
      }
      consumer.add(-taken.byteCount)
      freed += taken.byteCount
    }
    return freed
  }

  /// The next held batches that make a block. Only one thread spills a list at a time.
  private func takeStretch() -> (first: Int, end: Int, batches: [Batch], byteCount: Int)? {
    state.withLock { state in
      var first = state.firstHeld
      while first < state.entries.count, case .stored = state.entries[first] { first += 1 }
      state.firstHeld = first
      if first == state.entries.count { return nil }
      var (end, bytes, rows) = (first, 0, 0)
      var batches: [Batch] = []
      while end < state.entries.count, bytes < RowRuns.blockByteCount, rows < RowRuns.blockRowCount,
        case .held(let batch, let byteCount) = state.entries[end]
      {
        batches.append(batch)
        bytes += byteCount
        rows += batch.rowCount
        end += 1
      }
      return (first, end, batches, bytes)
    }
  }

  private func store(_ batches: [Batch]) throws(QueryError) -> Block {
    let batch = batches.count == 1 ? batches[0] : BatchCoalescer.concatenate(batches, types: types)
    let plain = BatchCodec.encode(batch)
    if let (bytes, count) = BatchCodec.compress(plain) {
      return Block(
        place: try file.write(bytes.pointer, count: count), plainByteCount: plain.byteCount, rowCount: batch.rowCount)
    }
    return Block(place: try file.write(plain.pointer, count: plain.byteCount), plainByteCount: nil, rowCount: batch.rowCount)
  }

  // MARK: Reading

  private func load(_ block: Block) throws(QueryError) -> Batch {
    let bytes = Buffer(byteCount: block.place.count)
    try file.read(block.place, into: bytes.pointer)
    guard let plainByteCount = block.plainByteCount else { return BatchCodec.decode(bytes, types: types) }
    let plain = try BatchCodec.decompress(bytes.pointer, block.place.count, byteCount: plainByteCount)
    return BatchCodec.decode(plain, types: types)
  }

  /// The number of stretches.
  var entryCount: Int { state.withLock { $0.entries.count } }

  /// The rows of a stretch, which stay.
  func batch(at index: Int) throws(QueryError) -> Batch {
    let (entry, next) = state.withLock { state in
      (state.entries[index], index + RowRuns.readAhead < state.entries.count ? state.entries[index + RowRuns.readAhead] : nil)
    }
    if case .stored(let block)? = next { file.prefetch(block.place) }
    switch entry {
    case .held(let batch, _): return batch
    case .stored(let block): return try load(block)
    }
  }

  /// Blocks that are asked for before they are read.
  private static let readAhead = 4

  /// Yields all rows; what has been yielded is let go.
  func consumingReader() -> any BatchReader {
    let taken = state.withLock { state in
      defer { state = State() }
      return state
    }
    return ConsumingReader(self, taken.entries)
  }

  /// Yields all rows, which stay.
  func makeReader() -> any BatchReader {
    var index = 0
    return GeneratingReader { [self] () throws(QueryError) -> Batch? in
      guard index < entryCount else { return nil }
      defer { index += 1 }
      return try batch(at: index)
    }
  }

  private final class ConsumingReader: BatchReader {
    private let runs: RowRuns
    private var entries: [Entry]
    private var index = 0

    init(_ runs: RowRuns, _ entries: [Entry]) {
      self.runs = runs
      self.entries = entries
      for case .stored(let block) in entries.prefix(RowRuns.readAhead) { runs.file.prefetch(block.place) }
    }

    deinit {
      for entry in entries[index...] {
        switch entry {
        case .held(_, let byteCount): runs.consumer.add(-byteCount)
        case .stored(let block): runs.file.drop(block.place)
        }
      }
    }

    func next() throws(QueryError) -> Batch? {
      guard index < entries.count else { return nil }
      if index + RowRuns.readAhead < entries.count, case .stored(let block) = entries[index + RowRuns.readAhead] {
        runs.file.prefetch(block.place)
      }
      let entry = entries[index]
      index += 1
      switch entry {
      case .held(let batch, let byteCount):
        // The batch is the caller's from now on.
        entries[index - 1] = .held(Batch(columns: [], rowCount: 0), byteCount: 0)
        runs.consumer.add(-byteCount)
        return batch
      case .stored(let block):
        let batch = try runs.load(block)
        runs.file.drop(block.place)
        return batch
      }
    }
  }
}
