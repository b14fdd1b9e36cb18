import CKernels
import Columnar
import Glibc
import QueryErrors
import Synchronization

/// Finds the build rows of a key.
///
///     integers close together   firstRows[rank of key among the keys], or the rank itself   → row
///     other integers            open addressing of (key, row + 1)                          → row + 1, or 0
///     several words             open addressing of (hash tag, row + 1), keys beside        → row + 1, or 0
///     rows with equal keys      next[row]                                                  → row + 1, or 0
///
/// - Nulls: rows flagged in the keys (NULL in a key compared by `=`) are in no chain.
/// - Threads: built by all workers at once, each inserting the rows of its own slots; read-only afterwards.
/// - Source: performance notes, section 5; Leis et al., SIGMOD 2014, section 4.1.
final class JoinTable: @unchecked Sendable {
  let layout: KeyLayout
  let keyedRowCount: Int
  /// Whether no two rows have equal keys.
  private(set) var isUnique = true

  private var ranks: IntegerRanks?
  /// The first row of each rank and one entry more; nil where rows lie in the order of their keys, one each.
  private var firstRows: Buffer?
  /// Keys of all rows, where slots do not hold them, and what they point to.
  private let words: Buffer?
  private let referenced: [Column]
  private var slots = Buffer(byteCount: 0)
  private var slotCount = 0
  /// Slots of one region follow each other in a ring; a region has one writer.
  private var regionMask = 0
  private var next: Buffer?

  /// Every region's worker looks at all rows, so there are no more regions than share the work evenly.
  private static let regionsPerThread = 2
  private static let smallRowCount = 1 << 16
  private static let cachedByteCount = 512 << 10
  private static let prefetchDistance = 16
  private static let rowsPerTask = 1 << 14
  private static let rowsPerBlock = 1024

  /// - Parameter set: the keys' set, where they have one.
  init(_ keys: JoinKeys, _ set: IntegerSet?, _ scheduler: Scheduler) throws(QueryError) {
    layout = keys.layout
    keyedRowCount = keys.keyedRowCount
    words = layout.isInteger ? nil : keys.words
    referenced = keys.referenced
    if keyedRowCount == 0 { return }
    if let set { try rank(keys, set, scheduler) } else { try fillSlots(keys, scheduler) }
  }

  var byteCount: Int {
    (words?.byteCount ?? 0) + (ranks?.byteCount ?? 0) + (firstRows?.byteCount ?? 0) + slots.byteCount
      + (next?.byteCount ?? 0)
  }

  // MARK: Building

  private func rank(_ keys: JoinKeys, _ set: IntegerSet, _ scheduler: Scheduler) throws(QueryError) {
    let ranks = IntegerRanks(set)
    self.ranks = ranks
    isUnique = ranks.count == keyedRowCount
    if isUnique, keys.isAscending { return }
    let firstRows = Buffer(byteCount: (ranks.count + 1) * 4)
    self.firstRows = firstRows
    firstRows.typed(Int32.self)[ranks.count] = 0
    let n = keys.rowCount
    if isUnique {
      try scheduler.forEachRange(of: n, step: JoinTable.rowsPerTask) { range in
        let rows = firstRows.typed(Int32.self)
        JoinTable.forEachRank(keys, ranks, range) { row, rank in rows[rank] = Int32(truncatingIfNeeded: row) }
      }
      return
    }
    let next = Buffer(byteCount: n * 4)
    self.next = next
    if keys.isAscending {
      // Rows with equal keys are neighbours.
      try scheduler.forEachRange(of: n, step: JoinTable.rowsPerTask) { range in
        let (rows, chain, p) = (firstRows.typed(Int32.self), next.typed(Int32.self), keys.integers)
        JoinTable.forEachRank(keys, ranks, range) { row, rank in
          if row == 0 || p[row &- 1] != p[row] { rows[rank] = Int32(truncatingIfNeeded: row) }
          chain[row] = row &+ 1 < n && p[row &+ 1] == p[row] ? Int32(truncatingIfNeeded: row &+ 2) : 0
        }
      }
      return
    }
    let parts = n < JoinTable.smallRowCount ? 1 : scheduler.threads
    let step = (ranks.count + parts - 1) / parts
    try scheduler.forEach(parts) { (part) throws(QueryError) in
      let (rows, chain) = (firstRows.typed(Int32.self), next.typed(Int32.self))
      let first = min(part * step, ranks.count)
      let count = min(step, ranks.count - first)
      memset(rows + first, 0xff, count * 4)
      JoinTable.forEachRank(keys, ranks, 0..<n) { row, rank in
        if UInt(bitPattern: rank &- first) < UInt(bitPattern: count) {
          chain[row] = rows[rank] &+ 1
          rows[rank] = Int32(truncatingIfNeeded: row)
        }
      }
    }
  }

  /// Calls `body` with rows and the ranks of their keys, the last row first, so that chains list rows in their order.
  @inline(__always)
  private static func forEachRank(
    _ keys: JoinKeys, _ ranks: IntegerRanks, _ rows: Range<Int>, _ body: (_ row: Int, _ rank: Int) -> Void
  ) {
    let flags = keys.nullFlags
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: rowsPerBlock) { scratch in
      let found = scratch.baseAddress!
      var end = rows.upperBound
      while end > rows.lowerBound {
        let first = max(rows.lowerBound, end &- rowsPerBlock)
        ranks.find(keys.integers + first, end &- first, found)
        var row = end &- 1
        while row >= first {
          if flags == nil || flags![row] == 0 { body(row, Int(found[row &- first])) }
          row &-= 1
        }
        end = first
      }
    }
  }

  private func fillSlots(_ keys: JoinKeys, _ scheduler: Scheduler) throws(QueryError) {
    next = Buffer.zeroed(byteCount: keys.rowCount * 4)
    let counter = SharedCount(Atomic<Int>(0))
    var size = 64
    while size < keyedRowCount * 8 / 5 { size *= 2 }
    slotCount = size
    var regions = 1
    if keys.rowCount >= JoinTable.smallRowCount, scheduler.threads > 1, !layout.collides {
      while regions < scheduler.threads * JoinTable.regionsPerThread { regions *= 2 }
    }
    if try !fillSlots(keys, regions, scheduler, counter) {
      // A region ran over, which only a very uneven hash can do: one region cannot.
      counter.reset()
      memset(next!.pointer, 0, keys.rowCount * 4)
      _ = try fillSlots(keys, 1, scheduler, counter)
    }
    isUnique = counter.value == 0
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

  /// Fills the slots; false when a region ran over.
  private func fillSlots(
    _ keys: JoinKeys, _ regions: Int, _ scheduler: Scheduler, _ counter: SharedCount
  ) throws(QueryError) -> Bool {
    let regionSize = slotCount / regions
    regionMask = regionSize - 1
    let slotWidth = layout.isInteger ? 16 : 8
    slots = Buffer(byteCount: slotCount * slotWidth)
    let failed = SharedCount(Atomic<Int>(0))
    try scheduler.forEach(regions) { [self] (region) throws(QueryError) in
      let base = region * regionSize
      memset(slots.pointer + base * slotWidth, 0, regionSize * slotWidth)
      let duplicates = layout.isInteger ? insertIntegers(keys, base, regionSize) : insertWords(keys, base, regionSize)
      if let duplicates { counter.add(duplicates) } else { failed.add(1) }
    }
    return failed.value == 0
  }

  private func insertIntegers(_ keys: JoinKeys, _ base: Int, _ size: Int) -> Int? {
    let (p, table, chain) = (keys.integers, slots.typed(Int64.self), next!.typed(Int32.self))
    let (all, ring) = (slotCount &- 1, regionMask)
    let flags = keys.nullFlags
    let collides = layout.collides
    let prefetches = size * 16 > JoinTable.cachedByteCount
    var duplicates = 0
    var used = 0
    var row = keys.rowCount &- 1
    while row >= 0 {
      if prefetches, row >= JoinTable.prefetchDistance {
        let ahead = Int(truncatingIfNeeded: HashKernel.hash(p[row &- JoinTable.prefetchDistance])) & all
        if ahead & ~ring == base { ck_prefetch(table + ahead &* 2) }
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

  private func insertWords(_ keys: JoinKeys, _ base: Int, _ size: Int) -> Int? {
    let (stored, table, chain) = (keys.words.typed(UInt64.self), slots.typed(UInt64.self), next!.typed(Int32.self))
    let rowHashes = keys.hashes!.typed(UInt64.self)
    let (all, ring, w) = (slotCount &- 1, regionMask, layout.wordCount)
    let flags = keys.nullFlags
    let prefetches = size * 8 > JoinTable.cachedByteCount
    var duplicates = 0
    var used = 0
    var row = keys.rowCount &- 1
    while row >= 0 {
      if prefetches, row >= JoinTable.prefetchDistance {
        let ahead = Int(truncatingIfNeeded: rowHashes[row &- JoinTable.prefetchDistance]) & all
        if ahead & ~ring == base { ck_prefetch(table + ahead) }
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
      if let ranks {
        if let firstRows {
          ranks.find(p, n, entries: firstRows.typed(Int32.self), matches)
        } else {
          ranks.find(p, n, matches)
        }
      } else {
        findIntegers(p, n, probe.scratchHashes(n), matches)
      }
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
    let (table, stored) = (slots.typed(UInt64.self), words!.typed(UInt64.self))
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
}
