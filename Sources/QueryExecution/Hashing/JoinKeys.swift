import Columnar
import Glibc
import QueryErrors
import Synchronization

/// The keys of all rows of a join's build side, and what their table and filter go by.
///
/// - Shape: `words`: `layout.wordCount` words per row; `hashes`: one per row, unless the layout is an integer's; `nulls`:
///   1 for rows that no key finds (NULL in a key compared by `=`).
/// - Threads: made by all workers at once; immutable afterwards.
final class JoinKeys: @unchecked Sendable {
  let layout: KeyLayout
  let rowCount: Int
  let words: Buffer
  let hashes: Buffer?
  let nulls: Buffer?
  /// Rows that some key finds.
  let keyedRowCount: Int
  /// Range of integer keys; nil without any, and for other keys.
  let range: ClosedRange<Int64>?
  /// Whether each row's key is an integer, and none below that of the row before.
  let isAscending: Bool
  /// Columns that words of strings point into.
  let referenced: [Column]

  private static let rowsPerTask = 1 << 14

  /// - Parameter flagsNulls: per column whether NULL there keeps the row from being found.
  init(
    _ layout: KeyLayout, _ columns: [Column], rowCount n: Int, flagsNulls: [Bool], _ scheduler: Scheduler
  ) throws(QueryError) {
    self.layout = layout
    rowCount = n
    let w = layout.wordCount
    let given = JoinKeys.words(of: columns, layout)
    let words = given ?? Buffer(byteCount: n * w * 8)
    let hashes = layout.isInteger ? nil : Buffer(byteCount: n * 8)
    let nulls = zip(columns, flagsNulls).contains { $0.validity != nil && $1 } ? Buffer(byteCount: n) : nil
    let findsRange = layout.isInteger && !layout.types[0].isFloating
    let parts = Parts()
    try scheduler.forEachRange(of: n, step: JoinKeys.rowsPerTask) { range in
      let (first, count) = (range.lowerBound, range.count)
      var part = Part(first: first, keyedRowCount: count)
      if given == nil {
        let rows = KeyRows(layout, flagsNulls: flagsNulls)
        rows.fill(columns.map { $0.slice(offset: first, count: count) }, rowCount: count, wantsHashes: hashes != nil)
        memcpy(words.pointer + first * w * 8, rows.words, count * w * 8)
        if let hashes { memcpy(hashes.pointer + first * 8, rows.hashes, count * 8) }
        if let nulls {
          let flags = nulls.pointer + first
          if rows.hasNulls { memcpy(flags, rows.nulls, count) } else { memset(flags, 0, count) }
        }
        part.encoded = rows.encoded
      }
      if let nulls { part.countRows(nulls.typed(UInt8.self) + first, count) }
      if findsRange, part.keyedRowCount > 0 {
        part.findRange(words.typed(Int64.self) + first, nulls.map { $0.typed(UInt8.self) + first }, count)
      }
      parts.add(part)
    }
    self.words = words
    self.hashes = hashes
    self.nulls = nulls
    let all = parts.inOrder
    referenced = (layout.hasStrings ? columns : []) + all.flatMap(\.encoded)
    keyedRowCount = all.reduce(0) { $0 + $1.keyedRowCount }
    let ranges = all.compactMap(\.range)
    if let low = ranges.map(\.lowerBound).min(), let high = ranges.map(\.upperBound).max() {
      range = low...high
    } else {
      range = nil
    }
    isAscending =
      findsRange && all.allSatisfy(\.isAscending)
      && zip(all, all.dropFirst()).allSatisfy { $0.range!.upperBound <= $1.range!.lowerBound }
  }

  /// The memory of a column that holds the words already.
  private static func words(of columns: [Column], _ layout: KeyLayout) -> Buffer? {
    guard layout.isInteger, let column = columns.first, column.type.physicalType == .int64, column.validity == nil,
      column.encoding == .flat
    else { return nil }
    return column.values
  }

  /// The keys as integers, for integer layouts.
  var integers: UnsafePointer<Int64> { UnsafePointer(words.typed(Int64.self)) }
  var nullFlags: UnsafePointer<UInt8>? { nulls.map { UnsafePointer($0.typed(UInt8.self)) } }

  /// The integers as a set, where they lie close enough together for one bit per integer of their range.
  func integerSet(_ scheduler: Scheduler) throws(QueryError) -> IntegerSet? {
    guard let range, !layout.collides else { return nil }
    let (span, overflow) = range.upperBound.subtractingReportingOverflow(range.lowerBound)
    guard !overflow, span < Int64(max(JoinKeys.smallSpan, keyedRowCount * JoinKeys.largestSpread)), span < 1 << 31 else {
      return nil
    }
    return try IntegerSet(self, range, scheduler)
  }

  /// Bits of a set that need not pay.
  private static let smallSpan = 1 << 22
  /// Bits per row up to which a set of integers takes less memory than hashed keys.
  private static let largestSpread = 128

  /// Single values when there are few rows.
  var fewValues: [Int64]? {
    if keyedRowCount > 64 || range == nil { return nil }
    let flags = nullFlags
    return Set((0..<rowCount).filter { flags == nil || flags![$0] == 0 }.map { integers[$0] }).sorted()
  }

  /// What the probe side may skip, for a key that is the only one.
  ///
  /// - Parameter set: the keys, where `integerSet` has them.
  func makeFilter(_ set: IntegerSet?) -> DynamicFilter {
    let type = layout.types[0]
    if keyedRowCount == 0 { return DynamicFilter(domain: .none(type), membership: nil) }
    guard let range else {
      let domain = Domain(type: type, ranges: [.init(low: nil, high: nil)], allowsNull: false)
      return DynamicFilter(domain: domain, membership: .bloom(bloom(), layout))
    }
    if type == .boolean {
      let domain = Domain(type: type, ranges: [.init(low: nil, high: nil)], allowsNull: false)
      return DynamicFilter(domain: domain, membership: nil)
    }
    let ranges =
      fewValues?.map { Domain.Range.equal(.integer($0)) }
      ?? [.init(low: .integer(range.lowerBound), high: .integer(range.upperBound))]
    let domain = Domain(type: type, ranges: ranges, allowsNull: false)
    return DynamicFilter(domain: domain, membership: set.map { .integers($0) } ?? .bloom(bloom(), layout))
  }

  private func bloom() -> BloomFilter {
    let filter = BloomFilter(count: keyedRowCount)
    let flags = nullFlags
    var row = 0
    if layout.isInteger {
      let p = integers
      while row < rowCount {
        // As KeyRows hashes one word.
        if flags == nil || flags![row] == 0 {
          filter.add(layout.collides ? KeyRows.collidingHash : HashKernel.mix(UInt64(bitPattern: p[row])))
        }
        row &+= 1
      }
    } else {
      let p = hashes!.typed(UInt64.self)
      while row < rowCount {
        if flags == nil || flags![row] == 0 { filter.add(p[row]) }
        row &+= 1
      }
    }
    return filter
  }

  /// What one task found out about its rows.
  private struct Part {
    var first: Int
    var keyedRowCount: Int
    var range: ClosedRange<Int64>?
    var isAscending = false
    var encoded: [Column] = []

    mutating func countRows(_ flags: UnsafePointer<UInt8>, _ n: Int) {
      var flagged = 0
      var row = 0
      while row < n {
        flagged &+= Int(flags[row])
        row &+= 1
      }
      keyedRowCount = n - flagged
    }

    mutating func findRange(_ p: UnsafePointer<Int64>, _ flags: UnsafePointer<UInt8>?, _ n: Int) {
      var (low, high) = (Int64.max, Int64.min)
      var row = 0
      if let flags, keyedRowCount < n {
        while row < n {
          if flags[row] == 0 {
            low = min(low, p[row])
            high = max(high, p[row])
          }
          row &+= 1
        }
      } else {
        (low, high) = (p[0], p[0])
        var descents = 0
        row = 1
        while row < n {
          let key = p[row]
          descents &+= bit(key < p[row &- 1])
          low = key < low ? key : low
          high = key > high ? key : high
          row &+= 1
        }
        isAscending = descents == 0
      }
      range = low...high
    }
  }

  private final class Parts: Sendable {
    private let parts = Mutex<[Part]>([])
    func add(_ part: Part) { parts.withLock { $0.append(part) } }
    var inOrder: [Part] { parts.withLock { $0.sorted { $0.first < $1.first } } }
  }
}
