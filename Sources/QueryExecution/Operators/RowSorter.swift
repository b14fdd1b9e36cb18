import Columnar
import Glibc
import QueryErrors

/// One sort key of an operator: where its column lies and its direction.
struct SortSpecification: Sendable {
  var position: Int
  var order: SortKeyOrder
}

/// One row of a sort: its current key word and its number.
struct SortEntry: BitwiseCopyable {
  var key: UInt64
  var row: Int32
}

/// Sorts rows by keys: words first, one after the other, and a comparison for what words cannot hold.
///
/// Rows that are equal keep their order.
///
/// - Threads: encoding and sorting of different rows may go on in several threads.
final class RowSorter: @unchecked Sendable {
  private let columns: [Column]
  private let orders: [SortKeyOrder]
  private let kernel: SortKeyKernel
  private let words: Buffer
  let rowCount: Int

  /// - Parameter columns: one per key, all of `rowCount` rows.
  init(_ columns: [Column], _ orders: [SortKeyOrder], rowCount: Int) {
    self.columns = columns
    self.orders = orders
    self.rowCount = rowCount
    kernel = SortKeyKernel(
      types: columns.map(\.type), orders: orders, mayHaveNulls: columns.map { $0.validity != nil },
      longestStrings: columns.map { RowSorter.longestString($0) })
    words = Buffer(byteCount: kernel.wordCount * rowCount * 8)
  }

  /// Most bytes of a string of the column; nil for other types.
  private static func longestString(_ column: Column) -> Int? {
    guard column.type.physicalType == .string, column.count > 0 else { return nil }
    let storage = column.storage
    let p = storage.values!.typed(StringView.self)
    var longest = 0
    var row = 0
    if let validity = storage.validity {
      while row < storage.count {
        if validity[row] { longest = max(longest, p[row].count) }
        row &+= 1
      }
    } else {
      while row < storage.count {
        longest = max(longest, p[row].count)
        row &+= 1
      }
    }
    return longest
  }

  var byteCount: Int { words.byteCount + rowCount * MemoryLayout<SortEntry>.stride * 2 }

  /// Word 0 of each row.
  var firstWords: UnsafePointer<UInt64> { UnsafePointer(words.typed(UInt64.self)) }

  /// Fills in the words of rows `range`; every row must be encoded before it is sorted.
  func encode(_ range: Range<Int>) {
    kernel.encode(columns, range, into: words.typed(UInt64.self), stride: rowCount)
  }

  /// All rows in order, as row numbers.
  func sortAll() -> Buffer {
    encode(0..<rowCount)
    let entries = Buffer(byteCount: rowCount * MemoryLayout<SortEntry>.stride)
    let p = entries.typed(SortEntry.self)
    let first = firstWords
    var row = 0
    while row < rowCount {
      p[row] = SortEntry(key: first[row], row: Int32(truncatingIfNeeded: row))
      row &+= 1
    }
    sort(p, count: rowCount)
    let order = Buffer(byteCount: rowCount * 4)
    let out = order.typed(Int32.self)
    row = 0
    while row < rowCount {
      out[row] = p[row].row
      row &+= 1
    }
    return order
  }

  /// Sorts entries whose `key` is word 0.
  func sort(_ entries: UnsafeMutablePointer<SortEntry>, count: Int) {
    if count < 2 { return }
    let scratch = Buffer(byteCount: count * MemoryLayout<SortEntry>.stride)
    sort(entries, count, word: 0, scratch.typed(SortEntry.self))
  }

  private func sort(
    _ entries: UnsafeMutablePointer<SortEntry>, _ count: Int, word: Int, _ scratch: UnsafeMutablePointer<SortEntry>
  ) {
    RowSorter.sortByKey(entries, count, scratch)
    let isLast = word + 1 == kernel.wordCount
    if isLast, kernel.isExact { return }
    var start = 0
    while start < count {
      var end = start &+ 1
      while end < count, entries[end].key == entries[start].key { end &+= 1 }
      if end - start > 1 {
        if isLast {
          sortByComparison(entries + start, end - start)
        } else {
          let next = words.typed(UInt64.self) + (word + 1) * rowCount
          var i = start
          while i < end {
            entries[i].key = next[Int(entries[i].row)]
            i &+= 1
          }
          sort(entries + start, end - start, word: word + 1, scratch)
        }
      }
      start = end
    }
  }

  /// Sorts rows whose words are equal by the keys that words do not hold whole.
  private func sortByComparison(_ entries: UnsafeMutablePointer<SortEntry>, _ count: Int) {
    let comparison = RowComparison(columns, columns, orders, from: kernel.exactKeyCount)
    var run = UnsafeMutableBufferPointer(start: entries, count: count)
    run.sort { a, b in
      let order = comparison.order(Int(a.row), Int(b.row))
      return order != 0 ? order < 0 : a.row < b.row
    }
  }

  // MARK: Sorting by one word

  private static let smallCount = 1024

  /// Sorts entries by key, equal ones in their order.
  private static func sortByKey(
    _ entries: UnsafeMutablePointer<SortEntry>, _ count: Int, _ scratch: UnsafeMutablePointer<SortEntry>
  ) {
    if count < smallCount { return mergeSort(entries, count, scratch) }
    // Only bytes that differ somewhere are looked at.
    var all: UInt64 = ~0
    var any: UInt64 = 0
    var isSorted = true
    var previous: UInt64 = 0
    var i = 0
    while i < count {
      let key = entries[i].key
      all &= key
      any |= key
      isSorted = isSorted && previous <= key
      previous = key
      i &+= 1
    }
    if isSorted { return }
    let differing = all ^ any
    var from = entries
    var to = scratch
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { offsets in
      for byte in 0..<8 {
        let shift = UInt64(byte * 8)
        if (differing &>> shift) & 0xff == 0 { continue }
        let p = offsets.baseAddress!
        memset(p, 0, 256 * 8)
        var i = 0
        while i < count {
          p[Int(truncatingIfNeeded: (from[i].key &>> shift) & 0xff)] &+= 1
          i &+= 1
        }
        var sum = 0
        for k in 0..<256 {
          let own = p[k]
          p[k] = sum
          sum &+= own
        }
        i = 0
        while i < count {
          let entry = from[i]
          let digit = Int(truncatingIfNeeded: (entry.key &>> shift) & 0xff)
          to[p[digit]] = entry
          p[digit] &+= 1
          i &+= 1
        }
        swap(&from, &to)
      }
    }
    if from != entries { memcpy(entries, from, count * MemoryLayout<SortEntry>.stride) }
  }

  /// Bottom-up merge sort over short runs sorted by insertion.
  private static func mergeSort(
    _ entries: UnsafeMutablePointer<SortEntry>, _ count: Int, _ scratch: UnsafeMutablePointer<SortEntry>
  ) {
    let run = 16
    var start = 0
    while start < count {
      let end = min(start + run, count)
      var i = start + 1
      while i < end {
        let entry = entries[i]
        var j = i
        while j > start, entries[j &- 1].key > entry.key {
          entries[j] = entries[j &- 1]
          j &-= 1
        }
        entries[j] = entry
        i &+= 1
      }
      start = end
    }
    var from = entries
    var to = scratch
    var width = run
    while width < count {
      var start = 0
      while start < count {
        let middle = min(start + width, count)
        let end = min(start + 2 * width, count)
        var (a, b, k) = (start, middle, start)
        while a < middle, b < end {
          let takesRight = from[b].key < from[a].key
          to[k] = takesRight ? from[b] : from[a]
          b &+= bit(takesRight)
          a &+= 1 &- bit(takesRight)
          k &+= 1
        }
        while a < middle {
          to[k] = from[a]
          a &+= 1
          k &+= 1
        }
        while b < end {
          to[k] = from[b]
          b &+= 1
          k &+= 1
        }
        start = end
      }
      swap(&from, &to)
      width *= 2
    }
    if from != entries { memcpy(entries, from, count * MemoryLayout<SortEntry>.stride) }
  }
}

/// Compares rows by several sort keys.
final class RowComparison: @unchecked Sendable {
  private let comparators: [RowComparator]
  private let left: [Column]
  private let right: [Column]
  private let orders: [SortKeyOrder]

  /// - Parameter from: the first key that counts.
  init(_ left: [Column], _ right: [Column], _ orders: [SortKeyOrder], from: Int = 0) {
    self.left = Array(left[from...])
    self.right = Array(right[from...])
    self.orders = Array(orders[from...])
    comparators = zip(self.left, self.right).map { RowComparator($0, $1) }
  }

  /// Below, equal or above zero for row `i` on the left and row `j` on the right.
  func order(_ i: Int, _ j: Int) -> Int {
    for k in comparators.indices {
      let (isLeftNull, isRightNull) = (left[k].isNull(i), right[k].isNull(j))
      if isLeftNull || isRightNull {
        if isLeftNull == isRightNull { continue }
        return isLeftNull == orders[k].nullsFirst ? -1 : 1
      }
      let order = comparators[k].order(i, j)
      if order != 0 { return orders[k].isAscending ? order : -order }
    }
    return 0
  }
}
