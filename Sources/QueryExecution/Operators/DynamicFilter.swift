import CKernels
import Columnar
import FileFormats
import QueryErrors
import Synchronization

/// The filters that joins' build sides and top-Ns have published, by id.
///
/// - Threads: shared by all workers.
final class DynamicFilterRegistry: Sendable {
  private let filters = Mutex<[Int: DynamicFilter]>([:])

  init() {}

  func publish(_ filter: DynamicFilter, id: Int) { filters.withLock { $0[id] = filter } }

  /// The filter, once its build side is done.
  func filter(_ id: Int) -> DynamicFilter? { filters.withLock { $0[id] } }
}

/// What values of one column count: those of a join's build side as their range and a set that may hold a few values more,
/// or those that may still come first.
///
/// - Threads: immutable once published, but for a threshold.
final class DynamicFilter: @unchecked Sendable {
  private let range: Domain
  private let membership: Membership?

  /// How membership is tested.
  enum Membership {
    /// Exact.
    case integers(IntegerSet)
    /// A blocked bloom filter over hashes.
    case bloom(BloomFilter, KeyLayout)
    /// Up to the last row a top-N wants.
    case threshold(TopNThreshold)
  }

  init(domain: Domain, membership: Membership?) {
    range = domain
    self.membership = membership
  }

  init(_ threshold: TopNThreshold) {
    range = .all(threshold.type)
    membership = .threshold(threshold)
  }

  /// The range of the values; nil while not known.
  var domain: Domain? {
    if case .threshold(let threshold)? = membership { return threshold.domain }
    return range
  }

  /// Rows after which a threshold is known.
  var rowsNeeded: Int? {
    if case .threshold(let threshold)? = membership { return threshold.rowsNeeded }
    return nil
  }

  /// The values in ascending order, where they are integers and few.
  func integers(atMost limit: Int) -> [Int64]? {
    guard case .integers(let set)? = membership else { return nil }
    let words = set.bits.typed(UInt64.self)
    var values: [Int64] = []
    for index in 0..<set.wordCount where words[index] != 0 {
      var word = words[index]
      if values.count + word.nonzeroBitCount > limit { return nil }
      while word != 0 {
        values.append(set.low &+ Int64(index * 64 + word.trailingZeroBitCount))
        word &= word &- 1
      }
    }
    return values
  }

  /// Whether equal values fare alike however late they are asked.
  var isDictionarySafe: Bool {
    if case .threshold? = membership { return false }
    return true
  }

  /// Whether rows may be tested one by one, beyond the range.
  var testsRows: Bool { membership != nil }

  /// An evaluator for one reader.
  func makeEvaluator() -> any ScanPredicateEvaluator { Evaluator(self) }

  /// Tests rows of the probe column; gives up testing when nearly all pass.
  private final class Evaluator: ScanPredicateEvaluator {
    private let filter: DynamicFilter
    private var tested = 0
    private var passed = 0
    private var isGivenUp = false
    private let rows: KeyRows?
    /// Scratch of a threshold.
    private var words = Buffer(byteCount: 0)

    /// Rows after which it is known whether testing pays.
    private static let trialRowCount = 65_536

    init(_ filter: DynamicFilter) {
      self.filter = filter
      if case .bloom(_, let layout)? = filter.membership {
        rows = KeyRows(layout)
      } else {
        rows = nil
      }
    }

    func select(
      _ columns: [Column], rowCount n: Int, into selection: UnsafeMutablePointer<Int32>
    ) throws(QueryError) -> Int {
      guard let membership = filter.membership, !isGivenUp else { return selectAll(n, selection) }
      let column = columns[0]
      let count: Int
      switch membership {
      case .integers(let set):
        let (bits, low, size) = (UnsafePointer(set.bits.typed(UInt64.self)), set.low, set.span)
        let view = column.view
        count = withExtendedLifetime(column) {
          switch column.type.physicalType {
          case .int8: Evaluator.test(view, n, Int8.self, bits, low, size, selection)
          case .int16: Evaluator.test(view, n, Int16.self, bits, low, size, selection)
          case .int32: Evaluator.test(view, n, Int32.self, bits, low, size, selection)
          default:
            view.isFlat && view.validity == nil
              ? ck_select_members(
                view.values.assumingMemoryBound(to: Int64.self), n, low, UInt64(size), bits, selection)
              : Evaluator.test(view, n, Int64.self, bits, low, size, selection)
          }
        }
      case .bloom(let bloom, let layout):
        let rows = self.rows!
        rows.fill([column], rowCount: n)
        let hashes = rows.hashes
        let skipsNulls = column.validity != nil
        var kept = 0
        var row = 0
        while row < n {
          selection[kept] = Int32(truncatingIfNeeded: row)
          let passes = bloom.mayContain(hashes[row]) && !(skipsNulls && column.isNull(row))
          kept &+= bit(passes)
          row &+= 1
        }
        _ = layout
        count = kept
      case .threshold(let threshold):
        // It tightens as rows come: testing is never given up.
        return threshold.firstKey.select([column], rowCount: n, into: selection, &words) ?? selectAll(n, selection)
      }
      tested += n
      passed += count
      if tested >= Evaluator.trialRowCount {
        if passed * 10 > tested * 9 { isGivenUp = true }
        tested /= 2
        passed /= 2
      }
      return count
    }

    private func selectAll(_ n: Int, _ selection: UnsafeMutablePointer<Int32>) -> Int {
      var row = 0
      while row < n {
        selection[row] = Int32(truncatingIfNeeded: row)
        row &+= 1
      }
      return n
    }

    @inline(__always)
    private static func test<T: FixedWidthInteger & BitwiseCopyable>(
      _ view: ColumnView, _ n: Int, _: T.Type, _ bits: UnsafePointer<UInt64>, _ low: Int64, _ size: Int,
      _ selection: UnsafeMutablePointer<Int32>
    ) -> Int {
      let p = view.values.assumingMemoryBound(to: T.self)
      let limit = UInt64(size)
      var kept = 0
      var row = 0
      if view.validity == nil {
        while row < n {
          selection[kept] = Int32(truncatingIfNeeded: row)
          let at = UInt64(bitPattern: Int64(p[view.position(row)]) &- low)
          // Values out of range read bit 0 and are masked out.
          let isInside = at < limit
          let index = isInside ? Int(truncatingIfNeeded: at) : 0
          kept &+= Int(truncatingIfNeeded: (bits[index >> 6] &>> UInt64(index & 63)) & 1) & bit(isInside)
          row &+= 1
        }
      } else {
        while row < n {
          selection[kept] = Int32(truncatingIfNeeded: row)
          let at = UInt64(bitPattern: Int64(p[view.position(row)]) &- low)
          let isInside = at < limit && !view.isNull(row)
          let index = isInside ? Int(truncatingIfNeeded: at) : 0
          kept &+= Int(truncatingIfNeeded: (bits[index >> 6] &>> UInt64(index & 63)) & 1) & bit(isInside)
          row &+= 1
        }
      }
      return kept
    }
  }
}

/// A set of hashes that answers "no" surely and "yes" mostly: one 64-bit block per hash, four bits in it.
///
/// - Source: Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters", 2007.
final class BloomFilter: @unchecked Sendable {
  private let blocks: Buffer
  private let mask: Int

  /// - Parameter count: how many hashes will be added.
  init(count: Int) {
    var size = 64
    // About 16 bits per entry: 0.5 % of strangers pass.
    while size * 4 < count { size *= 2 }
    blocks = Buffer.zeroed(byteCount: size * 8)
    mask = size - 1
  }

  @inline(__always)
  private static func pattern(_ hash: UInt64) -> UInt64 {
    (1 &<< ((hash &>> 32) & 63)) | (1 &<< ((hash &>> 38) & 63)) | (1 &<< ((hash &>> 44) & 63))
      | (1 &<< ((hash &>> 50) & 63))
  }

  @inline(__always)
  func add(_ hash: UInt64) {
    blocks.typed(UInt64.self)[Int(truncatingIfNeeded: hash) & mask] |= BloomFilter.pattern(hash)
  }

  /// Adds what another filter of the same size holds.
  func formUnion(_ other: BloomFilter) {
    let (own, others) = (blocks.typed(UInt64.self), other.blocks.typed(UInt64.self))
    for block in 0...mask { own[block] |= others[block] }
  }

  @inline(__always)
  func mayContain(_ hash: UInt64) -> Bool {
    let pattern = BloomFilter.pattern(hash)
    return blocks.typed(UInt64.self)[Int(truncatingIfNeeded: hash) & mask] & pattern == pattern
  }
}
