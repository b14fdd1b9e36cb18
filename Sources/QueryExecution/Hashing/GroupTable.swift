import CKernels
import Columnar
import Glibc
import QueryErrors

/// Gives each distinct key a dense group number 0, 1, 2 … in the order keys are met.
///
///     keys  ["a", "z", "a"]  →  groups [0, 1, 0],  groupCount 2
///
/// Three ways, chosen by the data: an array indexed by the key when integers lie close together; open addressing with
/// the key in the slot for other integers; open addressing of (hash tag, group) with keys stored as words for the rest.
/// Batches whose keys are dictionaries go through a table of code → group.
///
/// - Nulls: a NULL key is a group of its own.
/// - Threads: one owner.
/// - Source: performance notes, sections 4 and 10; Leis et al., "Morsel-Driven Parallelism", SIGMOD 2014.
final class GroupTable: @unchecked Sendable {
  let layout: KeyLayout
  private(set) var groupCount = 0
  /// Scratch for the keys of a batch.
  let rows: KeyRows

  // MARK: Keys by group
  private var keyWords = Buffer(byteCount: 0)
  private var keyHashes = Buffer(byteCount: 0)
  private var keyCapacity = 0
  private var arena = StringArena()
  private var heaps: [StringHeap] = []
  private var encodedBuilders: [ColumnBuilder] = []
  /// Encoded columns' values by group, once sealed.
  private var sealed: [Column]?
  /// Integer layouts: the group of NULL, or -1.
  private(set) var nullGroup: Int32 = -1

  // MARK: Index
  /// Integer layouts: pairs (key, group + 1). Others: tag << 32 | group + 1.
  private var slots = Buffer(byteCount: 0)
  private var slotCount = 0
  private var direct: Buffer?
  private var directBase: Int64 = 0
  private var directCount = 0
  private var isDirectGivenUp: Bool
  /// Whether the array, once given up, stays so: it was outgrown, or taken up a second time already.
  private var isDirectRetired = false

  // MARK: Codes
  private var codeBases: [Column] = []
  private var codeGroups = Buffer(byteCount: 0)
  private var codeCount = 0
  /// Batches that came with the codes known, and with others.
  private var codeHits = 0
  private var codeChanges = 0
  private var codeScratch = Buffer(byteCount: 0)
  private var missingRows = Buffer(byteCount: 0)
  private var missingGroups = Buffer(byteCount: 0)

  /// Arrays indexed by key may always have so many entries.
  private static let smallDirectCount = 1 << 18
  private static let largestDirectCount = 1 << 26
  private static let smallestSlotCount = 1 << 10
  /// Entries per group that an array may have beyond the small ones.
  private static let largestSpread = 8
  /// Tables of fewer bytes are not worth prefetching.
  private static let cachedByteCount = 128 << 10
  private static let prefetchDistance = 16
  /// Most entries of a code → group table.
  private static let largestCodeCount = 1 << 18

  init(_ layout: KeyLayout, expectedGroups: Int = 0) {
    self.layout = layout
    rows = KeyRows(layout)
    isDirectGivenUp = !layout.isInteger || layout.types[0].isFloating || layout.collides
    encodedBuilders = layout.encodedColumns.map { ColumnBuilder(layout.types[$0]) }
    if expectedGroups > 0 {
      reserveKeys(expectedGroups)
      if isDirectGivenUp || expectedGroups > GroupTable.smallDirectCount / 4 {
        isDirectGivenUp = true
        growSlots(toHold: expectedGroups)
      }
    }
  }

  /// Whether groups are found by indexing an array with the key.
  var isDirect: Bool { direct != nil }

  /// Roughly the bytes held.
  var byteCount: Int {
    keyWords.byteCount + keyHashes.byteCount + slots.byteCount + (direct?.byteCount ?? 0) + arena.byteCount
      + codeGroups.byteCount + rows.byteCount
  }

  private var words: UnsafeMutablePointer<UInt64> { keyWords.typed(UInt64.self) }

  /// Whether `n` new groups would make memory grow by its double.
  func mayGrow(_ n: Int) -> Bool {
    groupCount + n > keyCapacity || (direct == nil && GroupTable.slots(toHold: groupCount + n) > slotCount)
  }

  // MARK: Assigning

  /// Writes the group of each row, making groups for new keys.
  ///
  /// - Shape: `columns` as in the layout; `groups` has room for `rowCount`.
  func assign(_ columns: [Column], rowCount: Int, into groups: UnsafeMutablePointer<Int32>) throws(QueryError) {
    if try assignByCode(columns, rowCount, groups) { return }
    try assignByValue(columns, rowCount, groups)
  }

  private func assignByValue(
    _ columns: [Column], _ rowCount: Int, _ groups: UnsafeMutablePointer<Int32>
  ) throws(QueryError) {
    rows.fill(columns, rowCount: rowCount, wantsHashes: !layout.isInteger)
    let before = groupCount
    try assign(rows, copiesStrings: layout.hasStrings && !keepHeaps(of: columns), into: groups)
    appendEncoded(columns, rowCount, groups, from: before)
  }

  /// Keeps the values of encoded columns of new groups.
  private func appendEncoded(
    _ columns: [Column], _ rowCount: Int, _ groups: UnsafePointer<Int32>, from before: Int
  ) {
    if encodedBuilders.isEmpty || groupCount == before { return }
    var next = before
    var row = 0
    while row < rowCount {
      if Int(groups[row]) == next {
        for (builder, index) in zip(encodedBuilders, layout.encodedColumns) { builder.append(columns[index], row: row) }
        next += 1
      }
      row += 1
    }
  }

  /// Groups for keys that lie in `source` as words.
  func assign(
    _ source: KeyRows, copiesStrings: Bool, into groups: UnsafeMutablePointer<Int32>
  ) throws(QueryError) {
    if layout.isInteger {
      try assignIntegers(
        UnsafeMutableRawPointer(source.words).assumingMemoryBound(to: Int64.self),
        nulls: source.hasNulls ? source.nulls : nil, source.rowCount, groups)
    } else {
      try assignWords(source.words, source.hashes, source.rowCount, copiesStrings, groups)
    }
  }

  /// Groups for integer keys.
  ///
  /// - Parameter nulls: 1 where the key is NULL.
  func assignIntegers(
    _ keys: UnsafePointer<Int64>, nulls: UnsafePointer<UInt8>?, _ n: Int, _ groups: UnsafeMutablePointer<Int32>
  ) throws(QueryError) {
    if n == 0 { return }
    try checkRoom(n)
    reserveKeys(groupCount + n)
    if let nulls {
      if nullGroup < 0, memchr(nulls, 1, n) != nil {
        nullGroup = Int32(groupCount)
        words[groupCount] = 0
        groupCount += 1
      }
    }
    if !isDirectGivenUp, coverDirectly(keys, nulls, n) {
      let table = direct!.typed(Int32.self)
      let base = directBase
      let stored = UnsafeMutableRawPointer(words).assumingMemoryBound(to: Int64.self)
      var count = groupCount
      var row = 0
      if let nulls {
        let null = nullGroup
        while row < n {
          if nulls[row] != 0 {
            groups[row] = null
          } else {
            let at = Int(keys[row] &- base)
            var group = table[at]
            if group == 0 {
              stored[count] = keys[row]
              count &+= 1
              group = Int32(truncatingIfNeeded: count)
              table[at] = group
            }
            groups[row] = group &- 1
          }
          row &+= 1
        }
      } else {
        let prefetches = directCount * 4 > GroupTable.cachedByteCount
        while row < n {
          if prefetches, row &+ GroupTable.prefetchDistance < n {
            ck_prefetch(table + Int(keys[row &+ GroupTable.prefetchDistance] &- base))
          }
          let at = Int(keys[row] &- base)
          var group = table[at]
          if group == 0 {
            stored[count] = keys[row]
            count &+= 1
            group = Int32(truncatingIfNeeded: count)
            table[at] = group
          }
          groups[row] = group &- 1
          row &+= 1
        }
      }
      groupCount = count
      return
    }
    if GroupTable.slots(toHold: groupCount + n) > slotCount {
      growSlots(toHold: groupCount + n)
      if direct != nil { return try assignIntegers(keys, nulls: nulls, n, groups) }
    }
    let table = slots.typed(Int64.self)
    let mask = slotCount &- 1
    let stored = UnsafeMutableRawPointer(words).assumingMemoryBound(to: Int64.self)
    let collides = layout.collides
    let prefetches = slotCount * 16 > GroupTable.cachedByteCount
    let hashes = rows.scratchHashes(n)
    var row = 0
    if collides {
      while row < n {
        hashes[row] = KeyRows.collidingHash
        row &+= 1
      }
    } else {
      while row < n {
        hashes[row] = HashKernel.hash(keys[row])
        row &+= 1
      }
    }
    var count = groupCount
    let null = nullGroup
    row = 0
    while row < n {
      if prefetches, row &+ GroupTable.prefetchDistance < n {
        ck_prefetch(table + (Int(truncatingIfNeeded: hashes[row &+ GroupTable.prefetchDistance]) & mask) &* 2)
      }
      if let nulls, nulls[row] != 0 {
        groups[row] = null
        row &+= 1
        continue
      }
      let key = keys[row]
      var at = Int(truncatingIfNeeded: hashes[row]) & mask
      while true {
        let group = table[at &* 2 &+ 1]
        if group == 0 {
          stored[count] = key
          count &+= 1
          table[at &* 2] = key
          table[at &* 2 &+ 1] = Int64(count)
          groups[row] = Int32(truncatingIfNeeded: count &- 1)
          break
        }
        if table[at &* 2] == key {
          groups[row] = Int32(truncatingIfNeeded: group &- 1)
          break
        }
        at = (at &+ 1) & mask
      }
      row &+= 1
    }
    groupCount = count
  }

  /// Groups for keys of several words.
  func assignWords(
    _ source: UnsafePointer<UInt64>, _ hashes: UnsafePointer<UInt64>, _ n: Int, _ copiesStrings: Bool,
    _ groups: UnsafeMutablePointer<Int32>
  ) throws(QueryError) {
    if n == 0 { return }
    try checkRoom(n)
    reserveKeys(groupCount + n)
    if GroupTable.slots(toHold: groupCount + n) > slotCount { growSlots(toHold: groupCount + n) }
    let table = slots.typed(UInt64.self)
    let mask = slotCount &- 1
    let (stored, storedHashes) = (words, keyHashes.typed(UInt64.self))
    let w = layout.wordCount
    let hasStrings = layout.hasStrings
    let isOneString = hasStrings && w == 2
    let prefetches = slotCount * 8 > GroupTable.cachedByteCount
    var count = groupCount
    var row = 0
    while row < n {
      if prefetches, row &+ GroupTable.prefetchDistance < n {
        ck_prefetch(table + Int(truncatingIfNeeded: hashes[row &+ GroupTable.prefetchDistance]) & mask)
        // Half way: the slot has come, and says which key will be looked at.
        let slot = table[Int(truncatingIfNeeded: hashes[row &+ GroupTable.prefetchDistance / 2]) & mask]
        if slot != 0 { ck_prefetch(stored + (Int(truncatingIfNeeded: slot & 0xffff_ffff) &- 1) &* w) }
        if isOneString {
          // Nearer still: the key has come, and says where its bytes are.
          let slot = table[Int(truncatingIfNeeded: hashes[row &+ GroupTable.prefetchDistance / 4]) & mask]
          if slot != 0 {
            let key = stored + (Int(truncatingIfNeeded: slot & 0xffff_ffff) &- 1) &* 2
            if key[0] & 0xffff_ffff > 12, let bytes = UnsafeRawPointer(bitPattern: UInt(key[1])) { ck_prefetch(bytes) }
          }
        }
      }
      let hash = hashes[row]
      let tag = hash & 0xffff_ffff_0000_0000
      let key = source + row &* w
      var at = Int(truncatingIfNeeded: hash) & mask
      while true {
        let slot = table[at]
        if slot == 0 {
          let to = stored + count &* w
          var k = 0
          while k < w {
            to[k] = key[k]
            k &+= 1
          }
          if hasStrings, copiesStrings { copyStrings(to) }
          storedHashes[count] = hash
          count &+= 1
          table[at] = tag | UInt64(truncatingIfNeeded: count)
          groups[row] = Int32(truncatingIfNeeded: count &- 1)
          break
        }
        if slot & 0xffff_ffff_0000_0000 == tag {
          let group = Int(truncatingIfNeeded: slot & 0xffff_ffff) &- 1
          let isEqual =
            w == 2
            ? (isOneString
              ? StringView(low: stored[group &* 2], high: stored[group &* 2 &+ 1])
                == StringView(low: key[0], high: key[1])
              : (stored[group &* 2] == key[0]) && (stored[group &* 2 &+ 1] == key[1]))
            : layout.areEqual(stored + group &* w, key)
          if isEqual {
            groups[row] = Int32(truncatingIfNeeded: group)
            break
          }
        }
        at = (at &+ 1) & mask
      }
      row &+= 1
    }
    groupCount = count
  }

  /// Moves the bytes of a stored key's long strings into the table's own memory.
  @inline(never)
  private func copyStrings(_ key: UnsafeMutablePointer<UInt64>) {
    var w = 0
    while w < layout.stringWordCount {
      let view = StringView(low: key[w], high: key[w &+ 1])
      if !view.isInline { key[w &+ 1] = arena.add(view).high }
      w &+= 2
    }
  }

  // MARK: From another table

  /// Groups for keys of another table of the same layout, whose strings are shared.
  ///
  /// - Shape: `sources`: `count` groups of `other`; `targets` has room for `count`.
  func assign(
    from other: GroupTable, _ sources: UnsafePointer<Int32>, count n: Int, into targets: UnsafeMutablePointer<Int32>
  ) throws(QueryError) {
    if n == 0 { return }
    let w = layout.wordCount
    let before = groupCount
    let copy = Buffer(byteCount: n * w * 8)
    let to = copy.typed(UInt64.self)
    let from = other.words
    var i = 0
    while i < n {
      if i &+ GroupTable.prefetchDistance < n {
        ck_prefetch(from + Int(sources[i &+ GroupTable.prefetchDistance]) &* w)
      }
      let key = from + Int(sources[i]) &* w
      var k = 0
      while k < w {
        to[i &* w &+ k] = key[k]
        k &+= 1
      }
      i &+= 1
    }
    if layout.isInteger {
      var nulls: Buffer?
      if other.nullGroup >= 0 {
        let flags = Buffer.zeroed(byteCount: n)
        let p = flags.typed(UInt8.self)
        for k in 0..<n where sources[k] == other.nullGroup { p[k] = 1 }
        nulls = flags
      }
      try assignIntegers(
        UnsafePointer(copy.typed(Int64.self)), nulls: nulls.map { UnsafePointer($0.typed(UInt8.self)) }, n, targets)
      return
    }
    let hashCopy = Buffer(byteCount: n * 8)
    let (toHashes, fromHashes) = (hashCopy.typed(UInt64.self), other.keyHashes.typed(UInt64.self))
    i = 0
    while i < n {
      if i &+ GroupTable.prefetchDistance < n {
        ck_prefetch(fromHashes + Int(sources[i &+ GroupTable.prefetchDistance]))
      }
      toHashes[i] = fromHashes[Int(sources[i])]
      i &+= 1
    }
    try assignWords(to, toHashes, n, false, targets)
    if layout.hasStrings { keep(other.heap) }
    if !encodedBuilders.isEmpty {
      let values = other.encodedValues
      var next = before
      for k in 0..<n where Int(targets[k]) == next {
        for (builder, column) in zip(encodedBuilders, values) { builder.append(column, row: Int(sources[k])) }
        next += 1
      }
    }
  }

  /// Keeps the bytes that the columns' strings point to, if these stay in memory anyway; false where keys have to be copied.
  private func keepHeaps(of columns: [Column]) -> Bool {
    guard encodedBuilders.isEmpty else { return false }
    let owners = columns.compactMap(\.storage.heap)
    guard owners.allSatisfy(\.outlivesBatches) else { return false }
    for owner in owners where !heaps.contains(where: { $0 === owner }) { heaps.append(owner) }
    return true
  }

  /// Keeps alive what keys taken without copying point to.
  func keep(_ heap: StringHeap?) {
    if let heap, heaps.last !== heap { heaps.append(heap) }
  }

  /// Keeps the bytes of the keys alive.
  var heap: StringHeap? {
    let own = arena.heap
    if heaps.isEmpty { return own }
    return StringHeap(heaps + (own.map { [$0] } ?? []))
  }

  /// The hash of a group's key; its top bits say the partition.
  @inline(__always)
  func hash(of group: Int) -> UInt64 {
    if layout.isInteger {
      if Int32(truncatingIfNeeded: group) == nullGroup { return 0 }
      if layout.collides { return KeyRows.collidingHash }
      return HashKernel.mix(words[group])
    }
    return keyHashes.typed(UInt64.self)[group]
  }

  /// The values of encoded columns by group; the table must not grow afterwards.
  private var encodedValues: [Column] {
    if let sealed { return sealed }
    let columns = encodedBuilders.map { $0.finish() }
    sealed = columns
    return columns
  }

  /// Fixes the values of encoded columns, so that several threads may read the table; it must not grow afterwards.
  func seal() { if !encodedBuilders.isEmpty { _ = encodedValues } }

  /// The key columns of groups `range`.
  func keyColumns(_ range: Range<Int>) -> [Column] {
    let decoded = KeyRows.columns(
      layout, words + range.lowerBound * layout.wordCount, count: range.count, heap: layout.hasStrings ? heap : nil,
      nullRow: Int(nullGroup) >= range.lowerBound ? Int(nullGroup) - range.lowerBound : -1)
    if encodedBuilders.isEmpty { return decoded.map { $0! } }
    var encoded = encodedValues.makeIterator()
    return decoded.map { $0 ?? encoded.next()!.slice(offset: range.lowerBound, count: range.count) }
  }

  // MARK: Growing

  private func checkRoom(_ n: Int) throws(QueryError) {
    if groupCount + n >= Int(Int32.max) - 1 {
      throw QueryError(.exceededLocalMemoryLimit, "More than 2147483646 groups in one partition of an aggregation")
    }
  }

  private func reserveKeys(_ count: Int) {
    if count <= keyCapacity { return }
    let capacity = max(count, keyCapacity * 2, 256)
    let larger = Buffer(byteCount: capacity * layout.wordCount * 8)
    memcpy(larger.pointer, keyWords.pointer, groupCount * layout.wordCount * 8)
    keyWords.makeWay(for: larger)
    keyWords = larger
    if !layout.isInteger {
      let hashes = Buffer(byteCount: capacity * 8)
      memcpy(hashes.pointer, keyHashes.pointer, groupCount * 8)
      keyHashes.makeWay(for: hashes)
      keyHashes = hashes
    }
    keyCapacity = capacity
  }

  /// Slots that so many groups need at least: five of eight are filled at most.
  @inline(__always)
  private static func slots(toHold count: Int) -> Int { count * 8 / 5 }

  /// Makes the index larger and puts all groups in again; or changes over to an array, where integers have come to lie close
  /// together.
  private func growSlots(toHold count: Int) {
    if indexDirectly() { return }
    var size = max(slotCount, GroupTable.smallestSlotCount)
    while size < GroupTable.slots(toHold: count) { size *= 2 }
    if size == slotCount { return }
    slotCount = size
    let mask = size &- 1
    // The old index goes before the new one is written to: all groups are put in again from their keys.
    let larger = Buffer(byteCount: size * (layout.isInteger ? 16 : 8))
    slots.makeWay(for: larger)
    slots = larger
    memset(slots.pointer, 0, slots.byteCount)
    if layout.isInteger {
      let table = slots.typed(Int64.self)
      let keys = UnsafeMutableRawPointer(words).assumingMemoryBound(to: Int64.self)
      var group = 0
      while group < groupCount {
        if group &+ GroupTable.prefetchDistance < groupCount {
          let ahead = HashKernel.hash(keys[group &+ GroupTable.prefetchDistance])
          ck_prefetch(table + (Int(truncatingIfNeeded: ahead) & mask) &* 2)
        }
        if Int32(truncatingIfNeeded: group) != nullGroup {
          var at = Int(truncatingIfNeeded: layout.collides ? KeyRows.collidingHash : HashKernel.hash(keys[group])) & mask
          while table[at &* 2 &+ 1] != 0 { at = (at &+ 1) & mask }
          table[at &* 2] = keys[group]
          table[at &* 2 &+ 1] = Int64(group &+ 1)
        }
        group &+= 1
      }
      return
    }
    let table = slots.typed(UInt64.self)
    let hashes = keyHashes.typed(UInt64.self)
    var group = 0
    while group < groupCount {
      if group &+ GroupTable.prefetchDistance < groupCount {
        ck_prefetch(table + Int(truncatingIfNeeded: hashes[group &+ GroupTable.prefetchDistance]) & mask)
      }
      let hash = hashes[group]
      var at = Int(truncatingIfNeeded: hash) & mask
      while table[at] != 0 { at = (at &+ 1) & mask }
      table[at] = (hash & 0xffff_ffff_0000_0000) | UInt64(group &+ 1)
      group &+= 1
    }
  }

  /// Indexes an array with the keys that are there, if they lie close together: the first keys of many in no order never do.
  private func indexDirectly() -> Bool {
    guard layout.isInteger, isDirectGivenUp, !isDirectRetired, groupCount > GroupTable.smallDirectCount / 4,
      !layout.types[0].isFloating, !layout.collides
    else { return false }
    let keys = UnsafeMutableRawPointer(words).assumingMemoryBound(to: Int64.self)
    var (low, high) = (Int64.max, Int64.min)
    for group in 0..<groupCount where Int32(truncatingIfNeeded: group) != nullGroup {
      low = min(low, keys[group])
      high = max(high, keys[group])
    }
    let (span, overflow) = high.subtractingReportingOverflow(low)
    guard !overflow, span >= 0, span < Int64(min(GroupTable.largestDirectCount, groupCount * GroupTable.largestSpread)) else {
      return false
    }
    isDirectGivenUp = false
    isDirectRetired = true
    makeDirect(low, span, room: 4)
    if isDirectGivenUp { return false }
    slots = Buffer(byteCount: 0)
    slotCount = 0
    return true
  }

  /// Whether the array indexed by key covers these keys, after growing it if that pays.
  private func coverDirectly(_ keys: UnsafePointer<Int64>, _ nulls: UnsafePointer<UInt8>?, _ n: Int) -> Bool {
    var low = Int64.max
    var high = Int64.min
    var row = 0
    if let nulls {
      while row < n {
        if nulls[row] == 0 {
          low = min(low, keys[row])
          high = max(high, keys[row])
        }
        row &+= 1
      }
      if low > high { (low, high) = direct == nil ? (0, 0) : (directBase, directBase) }
    } else {
      while row < n {
        let key = keys[row]
        low = key < low ? key : low
        high = key > high ? key : high
        row &+= 1
      }
    }
    if direct != nil, low >= directBase, high &- directBase < Int64(directCount) { return true }
    if direct != nil {
      low = min(low, directBase)
      high = max(high, directBase &+ Int64(directCount &- 1))
    }
    let (span, overflow) = high.subtractingReportingOverflow(low)
    let allowed = min(
      GroupTable.largestDirectCount, max(GroupTable.smallDirectCount, (groupCount + n) * GroupTable.largestSpread))
    if overflow || span < 0 || span >= Int64(allowed) {
      isDirectGivenUp = true
      isDirectRetired = direct != nil
      direct = nil
      growSlots(toHold: groupCount + n)
      return false
    }
    // A growing range is not to copy often.
    makeDirect(low, span, room: 1)
    if isDirectGivenUp { growSlots(toHold: groupCount + n) }
    return !isDirectGivenUp
  }

  /// Makes the array for a range of keys, or gives up where numbers end.
  ///
  /// - Parameter room: the range's part that is added to it, to both sides as far as numbers go.
  private func makeDirect(_ low: Int64, _ span: Int64, room part: Int) {
    let wanted = max(Int(span) + 1, 64)
    let count = min(wanted + wanted / part, GroupTable.largestDirectCount * 2)
    let room = Int64(count) - (span + 1)
    let base = low < Int64.min + room / 2 ? Int64.min : (low >= 0 && low < room ? 0 : low - room / 2)
    if base > Int64.max - Int64(count) {
      isDirectGivenUp = true
      direct = nil
      return
    }
    let table = Buffer.zeroed(byteCount: count * 4)
    let entries = table.typed(Int32.self)
    let stored = UnsafeMutableRawPointer(words).assumingMemoryBound(to: Int64.self)
    for group in 0..<groupCount where Int32(group) != nullGroup {
      entries[Int(stored[group] - base)] = Int32(group + 1)
    }
    direct = table
    directBase = base
    directCount = count
  }

  // MARK: Dictionary codes

  /// Groups through the codes of dictionary columns; false when the batch does not suit.
  private func assignByCode(
    _ columns: [Column], _ n: Int, _ groups: UnsafeMutablePointer<Int32>
  ) throws(QueryError) -> Bool {
    var size = 1
    for column in columns {
      switch column.encoding {
      case .flat: return false
      case .constant: size *= 2
      case .dictionary:
        if column.base!.count > GroupTable.largestCodeCount { return false }
        size *= column.base!.count + 1
      }
      if size > GroupTable.largestCodeCount { return false }
    }
    if columns.isEmpty { return false }
    let isKnown =
      codeBases.count == columns.count
      && zip(codeBases, columns).allSatisfy { $0 === $1.storage } && codeCount == size
    if isKnown {
      codeHits += 1
    } else {
      // A table that is larger than the batch pays only if the dictionary comes again.
      if size > 2 * n, codeChanges > 4, codeChanges * 8 > codeHits { return false }
      codeChanges += 1
      codeBases = columns.map(\.storage)
      codeCount = size
      codeGroups = Buffer.zeroed(byteCount: size * 4)
    }
    if codeScratch.byteCount < n * 4 {
      codeScratch = Buffer(byteCount: n * 4)
      missingRows = Buffer(byteCount: n * 4)
      missingGroups = Buffer(byteCount: n * 4)
    }
    let codes = codeScratch.typed(Int32.self)
    var stride: Int32 = 1
    for (index, column) in columns.enumerated() {
      let entries = column.encoding == .constant ? 1 : column.base!.count
      let nullCode = Int32(entries)
      let view = column.view
      var row = 0
      if index == 0 {
        if view.validity == nil {
          if let indices = view.indices {
            memcpy(codes, indices, n * 4)
          } else {
            memset(codes, 0, n * 4)
          }
        } else {
          while row < n {
            codes[row] = view.isNull(row) ? nullCode : Int32(truncatingIfNeeded: view.position(row))
            row &+= 1
          }
        }
      } else if view.validity == nil, let indices = view.indices {
        while row < n {
          codes[row] = codes[row] &+ indices[row] &* stride
          row &+= 1
        }
      } else {
        while row < n {
          let code = view.isNull(row) ? nullCode : Int32(truncatingIfNeeded: view.position(row))
          codes[row] = codes[row] &+ code &* stride
          row &+= 1
        }
      }
      stride = stride &* (nullCode &+ 1)
    }
    let table = codeGroups.typed(Int32.self)
    let missing = missingRows.typed(Int32.self)
    var missingCount = 0
    var row = 0
    while row < n {
      let group = table[Int(codes[row])]
      groups[row] = group &- 1
      missing[missingCount] = Int32(truncatingIfNeeded: row)
      missingCount &+= bit(group == 0)
      row &+= 1
    }
    if missingCount == 0 { return true }
    // Each code once: later rows find what the first one stored.
    var distinct = 0
    for k in 0..<missingCount {
      let code = Int(codes[Int(missing[k])])
      if table[code] == 0 {
        table[code] = -1
        missing[distinct] = missing[k]
        distinct += 1
      }
    }
    let found = missingGroups.typed(Int32.self)
    try assignByValue(columns.map { $0.take(missing, count: distinct) }, distinct, found)
    for k in 0..<distinct { table[Int(codes[Int(missing[k])])] = found[k] &+ 1 }
    row = 0
    while row < n {
      groups[row] = table[Int(codes[row])] &- 1
      row &+= 1
    }
    return true
  }
}

extension KeyRows {
  /// Room for `count` hashes, for tables that hash by themselves.
  func scratchHashes(_ count: Int) -> UnsafeMutablePointer<UInt64> {
    reserveForHashes(count)
    return hashes
  }
}
