import Columnar
import Glibc
import QueryErrors

/// Rows in partitions, each a list of its own that may go to disk: one worker's, until all are there.
///
/// Rows are copied out of their batches, so that a partition that goes to disk takes its strings with it.
///
/// - Threads: one owner while rows come; afterwards each partition may be another thread's.
final class RowPartitions: @unchecked Sendable {
  let partitions: [RowRuns]
  private let types: [DataType]
  private var pending: [Batch] = []
  private var pendingRows = 0
  /// The partition of each pending row.
  private var numbers = Buffer(byteCount: 0)
  private let detaches: Bool
  private(set) var rowCount = 0
  /// Bytes of rows that are not in their partition yet.
  private var pendingBytes = 0

  /// Rows that are sorted into partitions at once.
  private static let scatterRowCount = 1 << 15
  private static let scatterByteCount = 2 << 20

  init(count: Int, types: [DataType], _ consumer: MemoryConsumer, _ file: SpillFile) {
    self.types = types
    partitions = (0..<count).map { _ in RowRuns(types, consumer, file) }
    detaches = types.contains { type in
      switch type.physicalType {
      case .string, .array, .map, .row: true
      default: false
      }
    }
  }

  /// Whether all rows are in their partitions.
  var isScattered: Bool { pendingRows == 0 }

  var heldBytes: Int { partitions.reduce(pendingBytes) { $0 + $1.heldBytes } }

  /// Adds rows.
  ///
  /// - Parameter assign: writes the partition of each row of the batch.
  func add(_ batch: Batch, _ assign: (UnsafeMutablePointer<UInt8>) -> Void) {
    let n = batch.rowCount
    if numbers.byteCount < pendingRows + n {
      let larger = Buffer(byteCount: max(pendingRows + n, RowPartitions.scatterRowCount + Batch.defaultRowCount))
      memcpy(larger.pointer, numbers.pointer, pendingRows)
      numbers = larger
    }
    assign(numbers.typed(UInt8.self) + pendingRows)
    pending.append(batch)
    pendingRows += n
    rowCount += n
    pendingBytes += batch.approximateByteCount
    if pendingRows >= RowPartitions.scatterRowCount || pendingBytes >= RowPartitions.scatterByteCount { scatter() }
  }

  /// Puts all rows into their partitions.
  func scatter() {
    if pendingRows == 0 { return }
    let n = pendingRows
    let all = BatchCoalescer.concatenate(pending, types: types)
    pending = []
    pendingRows = 0
    pendingBytes = 0
    let own = numbers.typed(UInt8.self)
    let order = Buffer(byteCount: (n + 16) * 4)
    let rows = order.typed(Int32.self)
    var starts = [Int](repeating: 0, count: partitions.count + 1)
    for row in 0..<n { starts[Int(own[row]) + 1] += 1 }
    for k in partitions.indices { starts[k + 1] += starts[k] }
    var next = starts
    next.withUnsafeMutableBufferPointer { next in
      for row in 0..<n {
        let partition = Int(own[row])
        rows[next[partition]] = Int32(truncatingIfNeeded: row)
        next[partition] &+= 1
      }
    }
    for partition in partitions.indices {
      let count = starts[partition + 1] - starts[partition]
      if count == 0 { continue }
      var piece = all.take(rows + starts[partition], count: count)
      var byteCount: Int?
      if detaches {
        let block = BatchCodec.encode(piece)
        byteCount = Buffer.charged(block.byteCount) + types.count { $0.physicalType == .string } * count * 16
        piece = BatchCodec.decode(block, types: types)
      }
      partitions[partition].append(piece, byteCount: byteCount)
    }
  }

  /// Writes rows to disk, those of the last partitions first.
  ///
  /// - Parameter wanted: bytes of memory that are enough; nil: all.
  func spill(_ wanted: Int? = nil) throws(QueryError) {
    scatter()
    var freed = 0
    for partition in partitions.reversed() where wanted.map({ freed < $0 }) ?? true { freed += try partition.spill() }
  }
}
