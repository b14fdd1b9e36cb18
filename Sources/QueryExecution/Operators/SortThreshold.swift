import Columnar
import Synchronization

/// The sort keys of the last row wanted so far, as far as one word tells: rows whose word is above sort after it.
///
/// - Threads: shared by all workers; it only ever falls.
final class SortThreshold: Sendable {
  private let kernel: SortKeyKernel
  /// The first word of the keys; `UInt64.max` while not known.
  private let word = Atomic<UInt64>(UInt64.max)

  /// Batches come one by one: what their columns hold is not known beforehand. Only the first word is compared, which a number
  /// and its NULL bit overrun.
  init(types: [DataType], orders: [SortKeyOrder]) {
    kernel = SortKeyKernel(
      types: types, orders: orders, mayHaveNulls: types.map { _ in true }, longestStrings: types.map { _ in nil },
      maxWords: 2)
  }

  var isKnown: Bool { word.load(ordering: .relaxed) != UInt64.max }

  /// - Parameter keys: the keys of the last row wanted, one row each.
  /// - Note: not `Atomic.min`, which compares unsigned numbers as signed ones (Swift 6.3).
  /// - Returns: whether the threshold fell.
  @discardableResult
  func lower(to keys: [Column]) -> Bool {
    let new = withUnsafeTemporaryAllocation(of: UInt64.self, capacity: kernel.wordCount) { words in
      kernel.encode(keys, 0..<1, into: words.baseAddress!, stride: 1)
      return words[0]
    }
    var current = word.load(ordering: .relaxed)
    while new < current {
      let (done, original) = word.weakCompareExchange(expected: current, desired: new, ordering: .relaxed)
      if done { return true }
      current = original
    }
    return false
  }

  /// Writes the numbers of the rows that do not sort after the threshold and returns how many; nil while it is not known.
  ///
  /// - Shape: `selection` has room for `rowCount` plus 16; `words` is scratch of the caller.
  func select(
    _ keys: [Column], rowCount n: Int, into selection: UnsafeMutablePointer<Int32>, _ words: inout Buffer
  ) -> Int? {
    let limit = word.load(ordering: .relaxed)
    if limit == UInt64.max { return nil }
    let byteCount = n * kernel.wordCount * 8
    if words.byteCount < byteCount { words = Buffer(byteCount: byteCount) }
    let p = words.typed(UInt64.self)
    kernel.encode(keys, 0..<n, into: p, stride: n)
    var count = 0
    var row = 0
    while row < n {
      selection[count] = Int32(truncatingIfNeeded: row)
      count &+= bit(p[row] <= limit)
      row &+= 1
    }
    return count
  }
}

/// What a top-N tells its scan: the first sort key of the last row wanted so far.
///
/// - Threads: shared by all workers; it only ever tightens.
final class TopNThreshold: Sendable {
  let type: DataType
  let firstKey: SortThreshold
  /// Rows after which the threshold is known.
  let rowsNeeded: Int
  private let order: SortKeyOrder
  private let currentDomain = Mutex<Domain?>(nil)

  init(_ type: DataType, _ order: SortKeyOrder, rowsNeeded: Int) {
    self.type = type
    self.order = order
    self.rowsNeeded = rowsNeeded
    firstKey = SortThreshold(types: [type], orders: [order])
  }

  /// What values do not sort after the key; nil while not known.
  var domain: Domain? { currentDomain.withLock { $0 } }

  /// - Parameter key: the first key of the last row wanted, one row.
  func tighten(to key: Column) {
    currentDomain.withLock { domain in
      if firstKey.lower(to: [key]) || domain == nil { domain = domainUpTo(key.scalar(0)) }
    }
  }

  private func domainUpTo(_ value: Scalar) -> Domain {
    if value.isNull {
      // NULLs first: nothing but NULL counts.
      return order.nullsFirst ? Domain(type: type, ranges: [], allowsNull: true) : .all(type)
    }
    switch type {
    case .boolean, .tinyint, .smallint, .integer, .bigint, .date, .timestamp, .decimal, .varchar: break
    // Statistics leave out NaN, which is the largest.
    case .real, .double: if !order.isAscending || Scalar.order(value, value) == nil { return .all(type) }
    default: return .all(type)
    }
    let range = order.isAscending ? Domain.Range(low: nil, high: value) : Domain.Range(low: value, high: nil)
    return Domain(type: type, ranges: [range], allowsNull: order.nullsFirst)
  }
}
