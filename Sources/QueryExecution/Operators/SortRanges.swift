import Columnar
import Glibc
import QueryErrors

/// Puts rows into ranges of their sort keys, by keys sampled from some of them.
///
///     ranges     0: < a     1: = a     2: a < … < b     3: = b     4: > b
///
/// The rows of a range of equal keys need no sorting, however many there are.
///
/// - Threads: immutable; each worker makes an assigner of its own.
final class SortRanges: @unchecked Sendable {
  private let keys: [SortSpecification]
  private let orders: [SortKeyOrder]
  private let kernel: SortKeyKernel
  /// The keys that separate ranges: their columns, and their words, one after the other.
  private let columns: [Column]
  private let words: [UInt64]
  private let count: Int

  /// Keys that separate ranges, at most.
  static let largestKeyCount = 127
  static let rangeCount = 2 * largestKeyCount + 1
  private static let samplesPerKey = 24

  /// - Parameter batches: rows to take samples of.
  init(_ keys: [SortSpecification], _ batches: [Batch], types: [DataType], keyCount: Int = largestKeyCount) {
    self.keys = keys
    orders = keys.map(\.order)
    kernel = SortKeyKernel(
      types: keys.map { types[$0.position] }, orders: orders, mayHaveNulls: keys.map { _ in true },
      longestStrings: keys.map { _ in nil })
    let sample = SortRanges.sample(keys, batches, count: keyCount * SortRanges.samplesPerKey)
    let n = sample.first?.count ?? 0
    let order = RowSorter(sample, orders, rowCount: n).sortAll()
    let sorted = order.typed(Int32.self)
    let comparison = RowComparison(sample, sample, orders)
    var chosen: [Int32] = []
    for k in 1...keyCount where n > 0 {
      let row = sorted[min(n - 1, k * n / (keyCount + 1))]
      if let last = chosen.last, comparison.order(Int(last), Int(row)) == 0 { continue }
      chosen.append(row)
    }
    let count = chosen.count
    self.count = count
    // Flattened, so that a few keys do not keep the sample alive.
    let kept = chosen.withUnsafeBufferPointer { rows in
      BatchCodec.detached(
        Batch(columns: sample.map { rows.isEmpty ? .empty($0.type) : $0.take(rows.baseAddress!, count: count) }, rowCount: count))
    }
    columns = kept.columns
    let w = kernel.wordCount
    let encoded = Buffer(byteCount: max(1, count * w) * 8)
    kernel.encode(columns, 0..<count, into: encoded.typed(UInt64.self), stride: max(1, count))
    words = (0..<count).flatMap { key in (0..<w).map { encoded.typed(UInt64.self)[$0 * count + key] } }
  }

  /// Key columns of some rows, spread evenly.
  private static func sample(_ keys: [SortSpecification], _ batches: [Batch], count: Int) -> [Column] {
    let total = batches.reduce(0) { $0 + $1.rowCount }
    let step = max(1, total / max(1, count))
    var pieces: [[Column]] = keys.map { _ in [] }
    var next = 0
    var seen = 0
    for batch in batches {
      var rows: [Int32] = []
      while next < seen + batch.rowCount {
        rows.append(Int32(next - seen))
        next += step
      }
      seen += batch.rowCount
      rows.withUnsafeBufferPointer { rows in
        guard let p = rows.baseAddress, !rows.isEmpty else { return }
        for (index, key) in keys.enumerated() { pieces[index].append(batch.columns[key.position].take(p, count: rows.count).flattened()) }
      }
    }
    return zip(keys, pieces).map { key, pieces in
      pieces.isEmpty ? .empty(batches.first?.columns[key.position].type ?? .unknown) : .concatenate(pieces, type: pieces[0].type)
    }
  }

  /// Whether all rows of a range have equal keys.
  static func isUniform(_ range: Int) -> Bool { range & 1 == 1 }

  func makeAssigner() -> any PartitionAssigner { Assigner(self) }

  private final class Assigner: PartitionAssigner {
    private let ranges: SortRanges
    private var scratch = Buffer(byteCount: 0)

    init(_ ranges: SortRanges) { self.ranges = ranges }

    func assign(_ batch: Batch, _ numbers: UnsafeMutablePointer<UInt8>) {
      let n = batch.rowCount
      let w = ranges.kernel.wordCount
      if scratch.byteCount < n * w * 8 { scratch = Buffer(byteCount: n * w * 8) }
      let own = scratch.typed(UInt64.self)
      let columns = ranges.keys.map { batch.columns[$0.position] }
      ranges.kernel.encode(columns, 0..<n, into: own, stride: n)
      let comparison = ranges.kernel.isExact ? nil : RowComparison(columns, ranges.columns, ranges.orders)
      ranges.words.withUnsafeBufferPointer { words in
        for row in 0..<n {
          // The number of keys below the row, and whether the next one is equal.
          var (low, high, isEqual) = (0, ranges.count, false)
          while low < high {
            let middle = (low &+ high) / 2
            var order = 0
            var k = 0
            while k < w {
              let (a, b) = (own[k &* n &+ row], words[middle &* w &+ k])
              if a != b {
                order = a < b ? -1 : 1
                break
              }
              k &+= 1
            }
            if order == 0, let comparison { order = comparison.order(row, middle) }
            if order == 0 {
              isEqual = true
              low = middle
              break
            }
            if order > 0 { low = middle &+ 1 } else { high = middle }
          }
          numbers[row] = UInt8(truncatingIfNeeded: low &* 2 &+ (isEqual ? 1 : 0))
        }
      }
    }
  }
}
