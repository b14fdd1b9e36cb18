import CKernels
import Columnar
import Glibc
import QueryErrors
import Synchronization

/// Finds the build rows of a key.
///
///     integers close together   heads[key - low]                            → row + 1, or 0
///     other integers            open addressing of (key, row + 1)           → row + 1, or 0
///     several words             open addressing of (hash tag, row + 1), keys beside
///     rows with equal keys      next[row]                                   → row + 1, or 0
///
/// - Nulls: rows flagged by the layout's rows (NULL in a key compared by `=`) are in no chain.
/// - Threads: built by all workers at once, each inserting the rows of its own slots; read-only afterwards.
/// - Source: performance notes, section 5; Leis et al., SIGMOD 2014, section 4.1.
final class JoinTable: @unchecked Sendable {
  let layout: KeyLayout
  let rowCount: Int
  /// Whether no two rows have equal keys.
  private(set) var isUnique = true
  /// Range of integer keys; nil without any.
  private(set) var keyRange: ClosedRange<Int64>?
  /// Rows that are in some chain.
  private(set) var keyedRowCount = 0

  private var words: Buffer
  private let hashes: Buffer?
  private let nulls: Buffer?
  private let heap: AnyObject?
  private var heads: Buffer?
  private var low: Int64 = 0
  private var headCount = 0
  private var slots = Buffer(byteCount: 0)
  private var slotCount = 0
  /// Slots of one region follow each other in a ring; a region has one writer.
  private var regionMask = 0
  private var next: Buffer?

  /// Every region's worker looks at all rows, so there are no more regions than share the work evenly.
  private static let regionsPerThread = 2
  private static let smallRowCount = 1 << 16
  private static let smallHeadCount = 1 << 16
  private static let largestHeadCount = 1 << 28
  private static let cachedByteCount = 512 << 10
  private static let prefetchDistance = 16

  /// - Parameter words: keys of all rows; `hashes`: unless the layout is an integer's; `nulls`: 1 for rows to leave out.
  init(
    _ layout: KeyLayout, rowCount: Int, words: Buffer, hashes: Buffer?, nulls: Buffer?, heap: AnyObject?,
    scheduler: Scheduler
  ) throws(QueryError) {
    self.layout = layout
    self.rowCount = rowCount
    self.words = words
    self.hashes = hashes
    self.nulls = nulls
    self.heap = heap
    if let nulls {
      let p = nulls.typed(UInt8.self)
      var flagged = 0
      var row = 0
      while row < rowCount {
        flagged &+= Int(p[row])
        row &+= 1
      }
      keyedRowCount = rowCount - flagged
    } else {
      keyedRowCount = rowCount
    }
    if keyedRowCount == 0 { return }
    if layout.isInteger, !layout.types[0].isFloating { findRange() }
    try build(scheduler)
  }

  var byteCount: Int {
    words.byteCount + (hashes?.byteCount ?? 0) + (heads?.byteCount ?? 0) + slots.byteCount + (next?.byteCount ?? 0)
  }

  private var keys: UnsafePointer<Int64> { UnsafePointer(words.typed(Int64.self)) }

  private func findRange() {
    let p = keys
    var low = Int64.max
    var high = Int64.min
    var row = 0
    if let flags = nulls?.typed(UInt8.self) {
      while row < rowCount {
        if flags[row] == 0 {
          low = min(low, p[row])
          high = max(high, p[row])
        }
        row &+= 1
      }
    } else {
      while row < rowCount {
        let key = p[row]
        low = key < low ? key : low
        high = key > high ? key : high
        row &+= 1
      }
    }
    keyRange = low...high
  }

  // MARK: Building

  private func build(_ scheduler: Scheduler) throws(QueryError) {
    next = Buffer.zeroed(byteCount: rowCount * 4)
    let isSmall = rowCount < JoinTable.smallRowCount || scheduler.context.threads == 1
    let duplicates = Atomic<Int>(0)
    let counter = SharedCount(duplicates)
    if let range = keyRange, !layout.collides {
      let (span, overflow) = range.upperBound.subtractingReportingOverflow(range.lowerBound)
      let allowed = min(JoinTable.largestHeadCount, max(JoinTable.smallHeadCount, keyedRowCount * 6))
      if !overflow, span >= 0, span < Int64(allowed) {
        headCount = Int(span) + 1
        low = range.lowerBound
        heads = Buffer.zeroed(byteCount: headCount * 4)
        let parts = isSmall ? 1 : scheduler.context.threads
        let step = (headCount + parts - 1) / parts
        try scheduler.forEach(parts) { [self] (part) throws(QueryError) in
          counter.add(insertHeads(part * step..<min((part + 1) * step, headCount)))
        }
        finish(counter.value)
        return
      }
    }
    var size = 64
    while size < keyedRowCount * 2 { size *= 2 }
    slotCount = size
    var regions = 1
    if !isSmall, !layout.collides {
      while regions < scheduler.context.threads * JoinTable.regionsPerThread { regions *= 2 }
    }
    if try buildSlots(regions, scheduler, counter) { return finish(counter.value) }
    // A region ran over, which only a very uneven hash can do: one region cannot.
    counter.reset()
    memset(next!.pointer, 0, rowCount * 4)
    _ = try buildSlots(1, scheduler, counter)
    finish(counter.value)
  }

  private func finish(_ duplicates: Int) {
    isUnique = duplicates == 0
    if isUnique { next = nil }
  }

  /// A number several builders add to.
  private final class SharedCount: Sendable {
    private let count: Atomic<Int>
    init(_ count: consuming Atomic<Int>) { self.count = count }
    var value: Int { count.load(ordering: .relaxed) }
    func add(_ amount: Int) { count.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { count.store(0, ordering: .relaxed) }
  }

  /// Inserts rows whose keys lie in `range` of the heads; returns how many had been there already.
  private func insertHeads(_ range: Range<Int>) -> Int {
    if range.isEmpty { return 0 }
    let (p, table, chain) = (keys, heads!.typed(Int32.self), next!.typed(Int32.self))
    let first = low &+ Int64(range.lowerBound)
    let count = UInt64(range.count)
    let start = table + range.lowerBound
    let flags = nulls?.typed(UInt8.self)
    var duplicates = 0
    let prefetches = range.count * 4 > JoinTable.cachedByteCount
    // Backwards, so that chains list rows in their order.
    var row = rowCount &- 1
    while row >= 0 {
      if prefetches, row >= JoinTable.prefetchDistance {
        let ahead = UInt64(bitPattern: p[row &- JoinTable.prefetchDistance] &- first)
        if ahead < count { ck_prefetch(start + Int(ahead)) }
      }
      let at = UInt64(bitPattern: p[row] &- first)
      if at < count, flags == nil || flags![row] == 0 {
        let head = start[Int(at)]
        duplicates &+= bit(head != 0)
        chain[row] = head
        start[Int(at)] = Int32(truncatingIfNeeded: row &+ 1)
      }
      row &-= 1
    }
    return duplicates
  }

  /// Fills the slots; false when a region ran over.
  private func buildSlots(_ regions: Int, _ scheduler: Scheduler, _ counter: SharedCount) throws(QueryError) -> Bool {
    let regionSize = slotCount / regions
    regionMask = regionSize - 1
    slots = Buffer.zeroed(byteCount: slotCount * (layout.isInteger ? 16 : 8))
    let failed = SharedCount(Atomic<Int>(0))
    try scheduler.forEach(regions) { [self] (region) throws(QueryError) in
      let base = region * regionSize
      let duplicates = layout.isInteger ? insertIntegers(base, regionSize) : insertWords(base, regionSize)
      if let duplicates { counter.add(duplicates) } else { failed.add(1) }
    }
    return failed.value == 0
  }

  /// Slot of a hash: the region from the top bits, the place within it from the low ones.
  @inline(__always)
  private func slot(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (slotCount &- 1) }

  @inline(__always)
  private func hashOfKey(_ key: Int64) -> UInt64 { layout.collides ? KeyRows.collidingHash : HashKernel.hash(key) }

  private func insertIntegers(_ base: Int, _ size: Int) -> Int? {
    let (p, table, chain) = (keys, slots.typed(Int64.self), next!.typed(Int32.self))
    let (all, ring) = (slotCount &- 1, regionMask)
    let flags = nulls?.typed(UInt8.self)
    let collides = layout.collides
    let prefetches = size * 16 > JoinTable.cachedByteCount
    var duplicates = 0
    var used = 0
    var row = rowCount &- 1
    while row >= 0 {
      if prefetches, row >= JoinTable.prefetchDistance {
        let ahead = HashKernel.hash(p[row &- JoinTable.prefetchDistance])
        ck_prefetch(table + (Int(truncatingIfNeeded: ahead) & all) &* 2)
      }
      let key = p[row]
      let hash = collides ? KeyRows.collidingHash : HashKernel.hash(key)
      var at = Int(truncatingIfNeeded: hash) & all
      if at & ~ring == base, flags == nil || flags![row] == 0 {
        while true {
          let head = table[at &* 2 &+ 1]
          if head == 0 {
            used &+= 1
            if used >= size { return nil }
            table[at &* 2] = key
            table[at &* 2 &+ 1] = Int64(row &+ 1)
            break
          }
          if table[at &* 2] == key {
            chain[row] = Int32(truncatingIfNeeded: head)
            table[at &* 2 &+ 1] = Int64(row &+ 1)
            duplicates &+= 1
            break
          }
          at = base | ((at &+ 1) & ring)
        }
      }
      row &-= 1
    }
    return duplicates
  }

  private func insertWords(_ base: Int, _ size: Int) -> Int? {
    let (stored, table, chain) = (words.typed(UInt64.self), slots.typed(UInt64.self), next!.typed(Int32.self))
    let rowHashes = hashes!.typed(UInt64.self)
    let (all, ring, w) = (slotCount &- 1, regionMask, layout.wordCount)
    let flags = nulls?.typed(UInt8.self)
    let prefetches = size * 8 > JoinTable.cachedByteCount
    var duplicates = 0
    var used = 0
    var row = rowCount &- 1
    while row >= 0 {
      if prefetches, row >= JoinTable.prefetchDistance {
        ck_prefetch(table + Int(truncatingIfNeeded: rowHashes[row &- JoinTable.prefetchDistance]) & all)
      }
      let hash = rowHashes[row]
      var at = Int(truncatingIfNeeded: hash) & all
      if at & ~ring == base, flags == nil || flags![row] == 0 {
        let tag = hash & 0xffff_ffff_0000_0000
        while true {
          let slot = table[at]
          if slot == 0 {
            used &+= 1
            if used >= size { return nil }
            table[at] = tag | UInt64(truncatingIfNeeded: row &+ 1)
            break
          }
          if slot & 0xffff_ffff_0000_0000 == tag {
            let head = Int(truncatingIfNeeded: slot & 0xffff_ffff)
            if layout.areEqual(stored + (head &- 1) &* w, stored + row &* w) {
              chain[row] = Int32(truncatingIfNeeded: head)
              table[at] = tag | UInt64(truncatingIfNeeded: row &+ 1)
              duplicates &+= 1
              break
            }
          }
          at = base | ((at &+ 1) & ring)
        }
      }
      row &-= 1
    }
    return duplicates
  }

  /// Lets go of what only `makeFilter` needs still: where keys are integers, heads and slots say all.
  func dropKeys() {
    if layout.isInteger { words = Buffer(byteCount: 0) }
  }

  // MARK: Probing

  /// The first build row of each probe key, or -1.
  ///
  /// - Shape: `probe`: filled with the probe side's keys (hashes are needed unless the layout is an integer's);
  ///   `matches` has room for its rows.
  func find(_ probe: KeyRows, _ matches: UnsafeMutablePointer<Int32>) {
    let n = probe.rowCount
    if keyedRowCount == 0 {
      memset(matches, 0xff, n * 4)
      return
    }
    if layout.isInteger {
      let p = UnsafeMutableRawPointer(probe.words).assumingMemoryBound(to: Int64.self)
      if heads != nil { findHeads(p, n, matches) } else { findIntegers(p, n, probe.scratchHashes(n), matches) }
    } else {
      findWords(probe.words, probe.hashes, n, matches)
    }
    if probe.hasNulls {
      let flags = probe.nulls
      var row = 0
      while row < n {
        if flags[row] != 0 { matches[row] = -1 }
        row &+= 1
      }
    }
  }

  private func findHeads(_ p: UnsafePointer<Int64>, _ n: Int, _ matches: UnsafeMutablePointer<Int32>) {
    let table = heads!.typed(Int32.self)
    let (first, count) = (low, UInt64(headCount))
    var row = 0
    if headCount * 4 > JoinTable.cachedByteCount {
      while row < n {
        if row &+ 32 < n {
          let ahead = UInt64(bitPattern: p[row &+ 32] &- first)
          ck_prefetch(table + Int(truncatingIfNeeded: min(ahead, count &- 1)))
        }
        let at = UInt64(bitPattern: p[row] &- first)
        matches[row] = at < count ? table[Int(truncatingIfNeeded: at)] &- 1 : -1
        row &+= 1
      }
      return
    }
    while row < n {
      let at = UInt64(bitPattern: p[row] &- first)
      let isInside = at < count
      let head = table[isInside ? Int(truncatingIfNeeded: at) : 0]
      matches[row] = isInside ? head &- 1 : -1
      row &+= 1
    }
  }

  private func findIntegers(
    _ p: UnsafePointer<Int64>, _ n: Int, _ scratch: UnsafeMutablePointer<UInt64>,
    _ matches: UnsafeMutablePointer<Int32>
  ) {
    let table = slots.typed(Int64.self)
    let (all, ring) = (slotCount &- 1, regionMask)
    let collides = layout.collides
    var row = 0
    while row < n {
      scratch[row] = collides ? KeyRows.collidingHash : HashKernel.hash(p[row])
      row &+= 1
    }
    let prefetches = slotCount * 16 > JoinTable.cachedByteCount
    row = 0
    while row < n {
      if prefetches, row &+ JoinTable.prefetchDistance < n {
        ck_prefetch(table + (Int(truncatingIfNeeded: scratch[row &+ JoinTable.prefetchDistance]) & all) &* 2)
      }
      let key = p[row]
      var at = Int(truncatingIfNeeded: scratch[row]) & all
      var found: Int32 = -1
      while true {
        let head = table[at &* 2 &+ 1]
        if head == 0 { break }
        if table[at &* 2] == key {
          found = Int32(truncatingIfNeeded: head &- 1)
          break
        }
        at = (at & ~ring) | ((at &+ 1) & ring)
      }
      matches[row] = found
      row &+= 1
    }
  }

  private func findWords(
    _ probe: UnsafePointer<UInt64>, _ probeHashes: UnsafePointer<UInt64>, _ n: Int,
    _ matches: UnsafeMutablePointer<Int32>
  ) {
    let (table, stored) = (slots.typed(UInt64.self), words.typed(UInt64.self))
    let (all, ring, w) = (slotCount &- 1, regionMask, layout.wordCount)
    let prefetches = slotCount * 8 > JoinTable.cachedByteCount
    let isPair = w == 2 && !layout.hasStrings
    var row = 0
    while row < n {
      if prefetches, row &+ JoinTable.prefetchDistance < n {
        ck_prefetch(table + Int(truncatingIfNeeded: probeHashes[row &+ JoinTable.prefetchDistance]) & all)
        let slot = table[Int(truncatingIfNeeded: probeHashes[row &+ JoinTable.prefetchDistance / 2]) & all]
        if slot != 0 { ck_prefetch(stored + (Int(truncatingIfNeeded: slot & 0xffff_ffff) &- 1) &* w) }
      }
      let hash = probeHashes[row]
      let tag = hash & 0xffff_ffff_0000_0000
      let key = probe + row &* w
      var at = Int(truncatingIfNeeded: hash) & all
      var found: Int32 = -1
      while true {
        let slot = table[at]
        if slot == 0 { break }
        if slot & 0xffff_ffff_0000_0000 == tag {
          let head = Int(truncatingIfNeeded: slot & 0xffff_ffff) &- 1
          let isEqual =
            isPair
            ? (stored[head &* 2] == key[0]) && (stored[head &* 2 &+ 1] == key[1])
            : layout.areEqual(stored + head &* w, key)
          if isEqual {
            found = Int32(truncatingIfNeeded: head)
            break
          }
        }
        at = (at & ~ring) | ((at &+ 1) & ring)
      }
      matches[row] = found
      row &+= 1
    }
  }

  /// Next row of a chain: `chain[row]` is row + 1, or 0; nil when keys are unique.
  var chain: UnsafePointer<Int32>? { next.map { UnsafePointer($0.typed(Int32.self)) } }

  // MARK: Dynamic filters

  /// What the probe side may skip, for a key that is the only one.
  func makeFilter() -> DynamicFilter {
    let type = layout.types[0]
    if keyedRowCount == 0 { return DynamicFilter(domain: .none(type), membership: nil) }
    if layout.isInteger, let range = keyRange {
      let low = Scalar.integer(range.lowerBound)
      let high = Scalar.integer(range.upperBound)
      let domain: Domain
      if type == .boolean {
        domain = Domain(type: type, ranges: [.init(low: nil, high: nil)], allowsNull: false)
        return DynamicFilter(domain: domain, membership: nil)
      }
      domain = Domain(type: type, ranges: distinctRanges() ?? [.init(low: low, high: high)], allowsNull: false)
      let (span, overflow) = range.upperBound.subtractingReportingOverflow(range.lowerBound)
      if !overflow, span >= 0, span < Int64(max(1 << 20, keyedRowCount * 32)), span < 1 << 31 {
        return DynamicFilter(domain: domain, membership: .bits(low: range.lowerBound, count: Int(span) + 1, bits(range)))
      }
      return DynamicFilter(domain: domain, membership: .bloom(bloom(), layout))
    }
    let domain = Domain(type: type, ranges: [.init(low: nil, high: nil)], allowsNull: false)
    return DynamicFilter(domain: domain, membership: .bloom(bloom(), layout))
  }

  /// Single values when there are few rows.
  private func distinctRanges() -> [Domain.Range]? {
    if keyedRowCount > 64 { return nil }
    var values: Set<Int64> = []
    let flags = nulls?.typed(UInt8.self)
    for row in 0..<rowCount where flags == nil || flags![row] == 0 { values.insert(keys[row]) }
    return values.sorted().map { .equal(.integer($0)) }
  }

  private func bits(_ range: ClosedRange<Int64>) -> Buffer {
    let count = Int(range.upperBound - range.lowerBound) + 1
    let buffer = Buffer.zeroed(byteCount: (count + 63) / 64 * 8)
    let out = buffer.typed(UInt64.self)
    let (p, flags) = (keys, nulls?.typed(UInt8.self))
    var row = 0
    while row < rowCount {
      if flags == nil || flags![row] == 0 {
        let at = Int(p[row] &- range.lowerBound)
        out[at >> 6] |= 1 &<< UInt64(at & 63)
      }
      row &+= 1
    }
    return buffer
  }

  private func bloom() -> BloomFilter {
    let filter = BloomFilter(count: keyedRowCount)
    let flags = nulls?.typed(UInt8.self)
    var row = 0
    if layout.isInteger {
      let p = keys
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
}
