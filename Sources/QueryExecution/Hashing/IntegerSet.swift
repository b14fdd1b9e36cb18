import CKernels
import Columnar
import Glibc
import QueryErrors

/// A set of integers close together: one bit per integer of their range.
///
/// - Threads: made by all workers at once; immutable afterwards.
final class IntegerSet: @unchecked Sendable {
  let low: Int64
  /// Integers in the range.
  let span: Int
  /// Bit `value - low`, the lowest of a word first.
  let bits: Buffer

  private static let rowsPerTask = 1 << 15
  private static let wordsPerTask = 1 << 14

  /// The keys of rows that can be found.
  init(_ keys: JoinKeys, _ range: ClosedRange<Int64>, _ scheduler: Scheduler) throws(QueryError) {
    low = range.lowerBound
    span = Int(range.upperBound - range.lowerBound) + 1
    let (low, words) = (self.low, (span + 63) / 64)
    let bits = Buffer(byteCount: words * 8)
    self.bits = bits
    try scheduler.forEachRange(of: words, step: IntegerSet.wordsPerTask) { range in
      memset(bits.pointer + range.lowerBound * 8, 0, range.count * 8)
    }
    try scheduler.forEachRange(of: keys.rowCount, step: IntegerSet.rowsPerTask) { rows in
      IntegerSet.add(keys, rows, low, bits.typed(UInt64.self))
    }
  }

  var wordCount: Int { (span + 63) / 64 }

  /// Neighbours share words, and so do tasks: bits of one word are gathered, then set at once.
  private static func add(
    _ keys: JoinKeys, _ rows: Range<Int>, _ low: Int64, _ bits: UnsafeMutablePointer<UInt64>
  ) {
    let (p, flags) = (keys.integers, keys.nullFlags)
    var word = 0
    var gathered: UInt64 = 0
    var row = rows.lowerBound
    while row < rows.upperBound {
      if flags == nil || flags![row] == 0 {
        let at = Int(p[row] &- low)
        if at >> 6 != word {
          if gathered != 0 { ck_atomic_or(bits + word, gathered) }
          word = at >> 6
          gathered = 0
        }
        gathered |= 1 &<< UInt64(truncatingIfNeeded: at & 63)
      }
      row &+= 1
    }
    if gathered != 0 { ck_atomic_or(bits + word, gathered) }
  }
}

/// The place of each integer of a set among all of them in ascending order.
///
/// A word's bits and the count of those before it say it: an eighth of the memory that an entry per integer of the range takes,
/// so that it stays in the caches for sets eight times as large.
///
/// - Source: Jacobson, "Space-efficient static trees and graphs", FOCS 1989.
final class IntegerRanks: @unchecked Sendable {
  private let integers: IntegerSet
  /// Integers in the set.
  let count: Int
  /// Per word of bits: how many are set in those before.
  private let before: Buffer

  init(_ set: IntegerSet) {
    integers = set
    before = Buffer(byteCount: set.wordCount * 4)
    let (bits, out) = (integers.bits.typed(UInt64.self), before.typed(UInt32.self))
    var total: UInt32 = 0
    var word = 0
    let n = set.wordCount
    while word < n {
      out[word] = total
      total &+= UInt32(truncatingIfNeeded: bits[word].nonzeroBitCount)
      word &+= 1
    }
    count = Int(total)
  }

  var byteCount: Int { integers.bits.byteCount + before.byteCount }

  /// The rank of each value, or -1; `entries[rank]` instead where there are entries (one more than ranks).
  @inline(__always)
  private func find(
    _ p: UnsafePointer<Int64>, _ n: Int, _ out: UnsafeMutablePointer<Int32>, _ entry: (Int) -> Int32
  ) {
    let (bits, before) = (integers.bits.typed(UInt64.self), self.before.typed(UInt32.self))
    let (low, span) = (integers.low, UInt64(integers.span))
    var row = 0
    while row < n {
      let at = UInt64(bitPattern: p[row] &- low)
      let isInside = at < span
      // Values out of range read bit 0 and are masked out: no branch, so that many reads are under way at once.
      let index = isInside ? Int(truncatingIfNeeded: at) : 0
      let word = bits[index >> 6]
      let shift = UInt64(truncatingIfNeeded: index & 63)
      let rank = Int(before[index >> 6]) &+ (word & ((1 &<< shift) &- 1)).nonzeroBitCount
      let isFound = Int32(truncatingIfNeeded: (word &>> shift) & 1) & Int32(truncatingIfNeeded: bit(isInside))
      // All bits set where not found.
      out[row] = entry(rank) | (isFound &- 1)
      row &+= 1
    }
  }

  func find(_ p: UnsafePointer<Int64>, _ n: Int, _ out: UnsafeMutablePointer<Int32>) {
    find(p, n, out) { Int32(truncatingIfNeeded: $0) }
  }

  func find(
    _ p: UnsafePointer<Int64>, _ n: Int, entries: UnsafePointer<Int32>, _ out: UnsafeMutablePointer<Int32>
  ) {
    find(p, n, out) { entries[$0] }
  }
}
