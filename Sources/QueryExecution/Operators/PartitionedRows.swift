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
  private let rows: KeyRows
  private var arena = StringArena()
  private var order = Buffer(byteCount: 0)
  private var partitionOf = Buffer(byteCount: 0)
  private(set) var byteCount = 0
  private(set) var rowCount = 0

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
    fileprivate let values: [Buffer]
    fileprivate var validity: [Bitmap?]

    fileprivate init(_ capacity: Int, _ layout: KeyLayout, _ types: [DataType]) {
      self.capacity = capacity
      words = Buffer(byteCount: capacity * layout.wordCount * 8)
      values = types.map { Buffer(byteCount: capacity * $0.physicalType.byteWidth) }
      validity = Array(repeating: nil, count: types.count)
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

  /// Takes the rows of a partition away.
  func take(_ partition: Int) -> [Chunk] {
    let chunks = partitions[partition]
    partitions[partition] = []
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
    if order.byteCount < n * 4 {
      order = Buffer(byteCount: n * 4)
      partitionOf = Buffer(byteCount: n * 4)
    }
    let (sorted, partition) = (order.typed(Int32.self), partitionOf.typed(Int32.self))
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
        sorted[starts[own]] = Int32(truncatingIfNeeded: row)
        starts[own] &+= 1
        row &+= 1
      }
      // Every start has moved to the next one's place.
      var first = 0
      for k in 0..<PartitionedRows.count {
        let end = starts[k]
        if end > first { append(sorted + first, end - first, to: k, arguments) }
        first = end
      }
    }
  }

  /// Copies rows to the end of a partition.
  private func append(_ list: UnsafePointer<Int32>, _ total: Int, to partition: Int, _ arguments: [Column]) {
    var done = 0
    while done < total {
      if partitions[partition].last.map({ $0.count == $0.capacity }) ?? true {
        let capacity = partitions[partition].isEmpty ? PartitionedRows.firstChunkRows : PartitionedRows.chunkRows
        partitions[partition].append(Chunk(capacity, layout, types))
        byteCount += capacity * rowByteCount
      }
      let chunk = partitions[partition].last!
      let count = min(total - done, chunk.capacity - chunk.count)
      copy(list + done, count, chunk, arguments)
      chunk.count += count
      done += count
    }
  }

  private func copy(_ list: UnsafePointer<Int32>, _ n: Int, _ chunk: Chunk, _ arguments: [Column]) {
    let w = layout.wordCount
    let at = chunk.count
    let (from, to) = (rows.words, chunk.words.typed(UInt64.self) + at * w)
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
    if rows.hasNulls || chunk.nulls != nil {
      if chunk.nulls == nil { chunk.nulls = Buffer.zeroed(byteCount: chunk.capacity) }
      let flags = chunk.nulls!.typed(UInt8.self) + at
      let has = rows.hasNulls
      i = 0
      while i < n {
        flags[i] = has ? rows.nulls[Int(list[i])] : 0
        i &+= 1
      }
    }
    for (index, column) in arguments.enumerated() {
      let view = column.view
      let values = chunk.values[index]
      withExtendedLifetime(column) {
        switch types[index].physicalType.byteWidth {
        case 1: PartitionedRows.gather(view, list, n, values.typed(UInt8.self) + at)
        case 2: PartitionedRows.gather(view, list, n, values.typed(UInt16.self) + at)
        case 4: PartitionedRows.gather(view, list, n, values.typed(UInt32.self) + at)
        case 8: PartitionedRows.gather(view, list, n, values.typed(UInt64.self) + at)
        default:
          if types[index].physicalType == .string {
            let p = view.values.assumingMemoryBound(to: StringView.self)
            let out = values.typed(StringView.self) + at
            var i = 0
            while i < n {
              let row = Int(list[i])
              out[i] = view.isNull(row) ? StringView() : add(p[view.position(row)])
              i &+= 1
            }
          } else {
            PartitionedRows.gather(view, list, n, values.typed(Int128.self) + at)
          }
        }
        if view.validity != nil {
          if chunk.validity[index] == nil { chunk.validity[index] = Bitmap(count: chunk.capacity, filled: true) }
          let bits = chunk.validity[index]!
          var i = 0
          while i < n {
            if view.isNull(Int(list[i])) { bits.clear(at &+ i) }
            i &+= 1
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
