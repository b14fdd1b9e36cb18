import Columnar
import Glibc

/// Input rows of an aggregation set aside by the hash of their keys: the keys as words, and the calls' arguments.
///
/// A worker turns to this when grouping at once does not make fewer rows; each partition is then grouped on its own, in
/// a table that fits the caches.
///
/// - Threads: one owner while it is filled; then each partition is read by one worker.
/// - Source: performance notes, section 4; Leis et al., SIGMOD 2014, section 4.4.
final class PartitionedRows: @unchecked Sendable {
  static let bits: UInt64 = 8
  static let count = 256

  private let layout: KeyLayout
  private let types: [DataType]
  private(set) var partitions: [[Chunk]] = Array(repeating: [], count: PartitionedRows.count)
  /// The last chunk of each partition, which the partition keeps alive.
  private var last: [Unmanaged<Chunk>?] = Array(repeating: nil, count: PartitionedRows.count)
  private let rows: KeyRows
  private var arena = StringArena()
  private(set) var byteCount = 0
  private(set) var rowCount = 0

  // MARK: A batch in the order of its partitions
  private var order = Buffer(byteCount: 0)
  private var partitionOf = Buffer(byteCount: 0)
  /// The words, then the arguments.
  private var sorted: [Buffer] = []

  private static let firstChunkRows = 512
  private static let chunkRows = 4096

  init(_ layout: KeyLayout, types: [DataType]) {
    self.layout = layout
    self.types = types
    rows = KeyRows(layout)
  }

  /// Some rows of one partition.
  final class Chunk: @unchecked Sendable {
    let capacity: Int
    fileprivate(set) var count = 0
    let words: Buffer
    /// Integer layouts: 1 where the key is NULL.
    fileprivate(set) var nulls: Buffer?
    private let values: [Buffer]
    private var validity: [Bitmap?]
    /// Where the words and the arguments begin.
    private let starts: UnsafeMutablePointer<UnsafeMutableRawPointer>

    fileprivate init(_ capacity: Int, _ layout: KeyLayout, _ types: [DataType]) {
      self.capacity = capacity
      words = Buffer(byteCount: capacity * layout.wordCount * 8)
      values = types.map { Buffer(byteCount: capacity * $0.physicalType.byteWidth) }
      validity = Array(repeating: nil, count: types.count)
      starts = .allocate(capacity: types.count + 1)
      starts[0] = words.pointer
      for (index, buffer) in values.enumerated() { starts[index + 1] = buffer.pointer }
    }

    deinit { starts.deallocate() }

    /// Copies rows `first..<first + n` of all columns to the end.
    @inline(__always)
    fileprivate func append(_ columns: UnsafeBufferPointer<SortedColumn>, _ first: Int, _ n: Int) {
      for index in columns.indices {
        let (source, width) = (columns[index].values, columns[index].byteWidth)
        memcpy(starts[index] + count &* width, source + first &* width, n &* width)
      }
      count &+= n
    }

    /// Notes which of the last `n` rows have a NULL as key or argument.
    ///
    /// - Parameter list: the rows' places in the batch.
    fileprivate func noteNulls(_ rows: KeyRows, _ arguments: [Column], _ list: UnsafePointer<Int32>, _ n: Int) {
      if rows.hasNulls {
        let nulls = nulls ?? .zeroed(byteCount: capacity)
        self.nulls = nulls
        let flags = nulls.typed(UInt8.self) + (count - n)
        for i in 0..<n { flags[i] = rows.nulls[Int(list[i])] }
      }
      for (index, column) in arguments.enumerated() where column.validity != nil {
        let bits = validity[index] ?? Bitmap(count: capacity, filled: true)
        validity[index] = bits
        let view = column.view
        for i in 0..<n where view.isNull(Int(list[i])) { bits.clear(count - n + i) }
      }
    }

    /// The argument columns.
    func columns(_ types: [DataType], heap: StringHeap?) -> [Column] {
      types.enumerated().map { index, type in
        Column(
          flat: type, count: count, values: values[index],
          validity: validity[index].flatMap { $0.count == count ? $0 : $0.slice(offset: 0, count: count) },
          heap: type.physicalType == .string ? heap : nil)
      }
    }
  }

  /// A column of a batch in the order of the partitions.
  fileprivate struct SortedColumn {
    var values: UnsafeMutableRawPointer
    var byteWidth: Int
  }

  /// Takes the rows of a partition away.
  func take(_ partition: Int) -> [Chunk] {
    let chunks = partitions[partition]
    partitions[partition] = []
    last[partition] = nil
    byteCount -= chunks.reduce(0) { $0 + $1.capacity * rowByteCount }
    return chunks
  }

  private var rowByteCount: Int { layout.wordCount * 8 + types.reduce(0) { $0 + $1.physicalType.byteWidth } }

  /// Keeps the bytes of long strings alive.
  var heap: StringHeap? { arena.heap }

  /// Adds a batch: key columns and argument columns.
  func add(_ keys: [Column], _ arguments: [Column], rowCount n: Int) {
    rows.fill(keys, rowCount: n)
    rowCount += n
    reserve(n)
    let (order, partition) = (order.typed(Int32.self), partitionOf.typed(Int32.self))
    let hashes = rows.hashes
    if rows.hasNulls {
      // As GroupTable.hash(of:) has it.
      for row in 0..<n where rows.nulls[row] != 0 { hashes[row] = 0 }
    }
    withUnsafeTemporaryAllocation(of: Int.self, capacity: PartitionedRows.count + 1) { offsets in
      let starts = offsets.baseAddress!
      memset(starts, 0, (PartitionedRows.count + 1) * 8)
      var row = 0
      while row < n {
        let own = Int(truncatingIfNeeded: hashes[row] &>> (64 &- PartitionedRows.bits))
        partition[row] = Int32(truncatingIfNeeded: own)
        starts[own &+ 1] &+= 1
        row &+= 1
      }
      for k in 0..<PartitionedRows.count { starts[k + 1] &+= starts[k] }
      row = 0
      while row < n {
        let own = Int(partition[row])
        order[starts[own]] = Int32(truncatingIfNeeded: row)
        starts[own] &+= 1
        row &+= 1
      }
      sort(arguments, order, n)
      withUnsafeTemporaryAllocation(of: SortedColumn.self, capacity: sorted.count) { columns in
        columns[0] = SortedColumn(values: sorted[0].pointer, byteWidth: layout.wordCount * 8)
        for (index, type) in types.enumerated() {
          columns[index + 1] = SortedColumn(values: sorted[index + 1].pointer, byteWidth: type.physicalType.byteWidth)
        }
        let hasNulls = rows.hasNulls || arguments.contains { $0.validity != nil }
        // Every start has moved to the next one's place.
        var first = 0
        for k in 0..<PartitionedRows.count {
          let end = starts[k]
          while first < end {
            let chunk = chunk(k)
            let count = chunk._withUnsafeGuaranteedRef { chunk in
              let count = min(end &- first, chunk.capacity &- chunk.count)
              chunk.append(UnsafeBufferPointer(columns), first, count)
              return count
            }
            if hasNulls { chunk.takeUnretainedValue().noteNulls(rows, arguments, order + first, count) }
            first += count
          }
        }
      }
    }
  }

  private func reserve(_ n: Int) {
    if n * 4 <= order.byteCount { return }
    order = Buffer(byteCount: n * 4)
    partitionOf = Buffer(byteCount: n * 4)
    sorted = [Buffer(byteCount: n * layout.wordCount * 8)] + types.map { Buffer(byteCount: n * $0.physicalType.byteWidth) }
  }

  /// The chunk of a partition that takes the next row.
  @inline(__always)
  private func chunk(_ partition: Int) -> Unmanaged<Chunk> {
    if let last = last[partition], last._withUnsafeGuaranteedRef({ $0.count < $0.capacity }) { return last }
    return makeChunk(partition)
  }

  @inline(never)
  private func makeChunk(_ partition: Int) -> Unmanaged<Chunk> {
    let capacity = partitions[partition].isEmpty ? PartitionedRows.firstChunkRows : PartitionedRows.chunkRows
    let chunk = Chunk(capacity, layout, types)
    partitions[partition].append(chunk)
    byteCount += capacity * rowByteCount
    let reference = Unmanaged.passUnretained(chunk)
    last[partition] = reference
    return reference
  }

  /// Puts the batch's words and arguments in the order of the partitions.
  private func sort(_ arguments: [Column], _ list: UnsafePointer<Int32>, _ n: Int) {
    let w = layout.wordCount
    let (from, to) = (rows.words, sorted[0].typed(UInt64.self))
    var i = 0
    if w == 1 {
      while i < n {
        to[i] = from[Int(list[i])]
        i &+= 1
      }
    } else {
      while i < n {
        let source = from + Int(list[i]) &* w
        var k = 0
        while k < w {
          to[i &* w &+ k] = source[k]
          k &+= 1
        }
        i &+= 1
      }
      for word in stride(from: 0, to: layout.stringWordCount, by: 2) {
        i = 0
        while i < n {
          let view = StringView(low: to[i &* w &+ word], high: to[i &* w &+ word &+ 1])
          if !view.isInline { to[i &* w &+ word &+ 1] = add(view).high }
          i &+= 1
        }
      }
    }
    for (index, column) in arguments.enumerated() {
      let view = column.view
      let values = sorted[index + 1]
      withExtendedLifetime(column) {
        switch types[index].physicalType.byteWidth {
        case 1: PartitionedRows.gather(view, list, n, values.typed(UInt8.self))
        case 2: PartitionedRows.gather(view, list, n, values.typed(UInt16.self))
        case 4: PartitionedRows.gather(view, list, n, values.typed(UInt32.self))
        case 8: PartitionedRows.gather(view, list, n, values.typed(UInt64.self))
        default:
          if types[index].physicalType == .string {
            let p = view.values.assumingMemoryBound(to: StringView.self)
            let out = values.typed(StringView.self)
            var i = 0
            while i < n {
              let row = Int(list[i])
              out[i] = view.isNull(row) ? StringView() : add(p[view.position(row)])
              i &+= 1
            }
          } else {
            PartitionedRows.gather(view, list, n, values.typed(Int128.self))
          }
        }
      }
    }
  }

  @inline(__always)
  private func add(_ view: StringView) -> StringView {
    if view.isInline { return view }
    byteCount += view.count
    return arena.add(view)
  }

  @inline(__always)
  private static func gather<T: BitwiseCopyable>(
    _ view: ColumnView, _ list: UnsafePointer<Int32>, _ n: Int, _ out: UnsafeMutablePointer<T>
  ) {
    let p = view.values.assumingMemoryBound(to: T.self)
    var i = 0
    while i < n {
      out[i] = p[view.position(Int(list[i]))]
      i &+= 1
    }
  }
}
