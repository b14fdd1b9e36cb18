import Columnar
import ObjectStore
import QueryErrors
import SQLFunctions

/// One aggregate over many frames of the same rows, none of it done row by row where the function allows.
///
/// Frames that do not overlap are groups. Rows that are in the same frames, as those with equal sort keys often are, are
/// aggregated first and then count as one. Frames that only grow are sums of prefixes. Other frames are put together from
/// two pieces, the end of one block of rows and the start of the next, for blocks about as long as the frame:
///
///     block length 4     . . . . | . . . . | . . . .        every row holds the state from its block's start to itself,
///     frame 2..<6            [===|===]                      and from itself to its block's end
///
/// - Source: van Herk 1992, Gil and Werman 1993, for one frame length.
struct FrameAggregate {
  var make: @Sendable () throws(QueryError) -> any GroupsAccumulator
  var arguments: [Column]
  let rowCount: Int
  /// Rows where this is not true do not count.
  var filter: Column?
  /// DISTINCT: per row the nearest counted row before it with equal arguments; -1 when there is none.
  var duplicates: Buffer?
  /// ORDER BY of the call: per row its place among all rows.
  var places: Buffer?
  var returnType: DataType
  var context: QueryContext
  /// Stretches of rows that frames are counted in; nil for rows.
  private var units: Units?

  init(
    make: @escaping @Sendable () throws(QueryError) -> any GroupsAccumulator, arguments: [Column], rowCount: Int,
    filter: Column? = nil, returnType: DataType, context: QueryContext
  ) {
    self.make = make
    self.arguments = arguments
    self.rowCount = rowCount
    self.filter = filter
    self.returnType = returnType
    self.context = context
  }

  /// Rows fed at once.
  private static let chunkSize = 1 << 14
  /// Frames with fewer rows on average are computed from their rows.
  private static let smallFrame = 4

  /// Where a frame's rows are listed, with the group they are fed to.
  private struct Feed {
    var rows: [Int32] = []
    var groups: [Int32] = []
  }

  /// The aggregate of each frame.
  ///
  /// - Shape: `starts`, `ends`: `count` row numbers, half open; crossed bounds mean no rows.
  func evaluate(
    starts: UnsafePointer<Int32>, ends: UnsafePointer<Int32>, count: Int
  ) throws(QueryError) -> Column {
    // Frames one after the other that are the same are computed once.
    var firsts: [Int32] = []
    var lasts: [Int32] = []
    let frameOf = Buffer(byteCount: count * 4)
    let index = frameOf.typed(Int32.self)
    var total = 0
    var areDisjoint = true
    var furthest: Int32 = 0
    for k in 0..<count {
      let start = starts[k]
      let end = max(ends[k], start)
      if k == 0 || start != firsts[firsts.count - 1] || end != lasts[lasts.count - 1] {
        firsts.append(start)
        lasts.append(end)
        total += Int(end - start)
        if end > start {
          if start < furthest { areDisjoint = false }
          furthest = max(furthest, end)
        }
      }
      index[k] = Int32(firsts.count - 1)
    }
    let result = try compute(firsts, lasts, total: total, areDisjoint: areDisjoint).retyped(returnType)
    return firsts.count == count ? result : result.take(index, count: count)
  }

  private func compute(
    _ starts: [Int32], _ ends: [Int32], total: Int, areDisjoint: Bool
  ) throws(QueryError) -> Column {
    if areDisjoint || places != nil { return try fromRows(starts, ends) }
    let mergesByCopy = try make().mergesByCopy
    if units == nil, mergesByCopy, duplicates == nil {
      // Stretches that are in no frame may fail.
      do throws(QueryError) { if let result = try fromUnits(starts, ends) { return result } } catch {
        if error.code != .numericValueOutOfRange { throw error }
      }
    }
    if let isFirst = prefixes(starts, ends) {
      if units != nil { return try growing(starts, ends, isFirst) }
      if mergesByCopy {
        // Prefixes that no frame asks for may fail.
        do throws(QueryError) { return try growing(starts, ends, isFirst) } catch {
          if error.code != .numericValueOutOfRange { throw error }
        }
      }
      return try stepwise(starts, ends)
    }
    if units != nil { return try blockwise(starts, ends) }
    if mergesByCopy, duplicates == nil, total > starts.count * FrameAggregate.smallFrame {
      do throws(QueryError) { return try blockwise(starts, ends) } catch {
        if error.code != .numericValueOutOfRange { throw error }
      }
    }
    return try fromRows(starts, ends)
  }

  // MARK: Units

  /// Rows that are in the same frames are one unit: what lies between neighbouring bounds of frames.
  private struct Units {
    var count: Int
    /// The state of each unit's rows.
    var states: any GroupsAccumulator
  }

  /// The aggregate of frames counted in units of rows; nil where units are not much fewer than the rows.
  private func fromUnits(_ starts: [Int32], _ ends: [Int32]) throws(QueryError) -> Column? {
    guard starts.count * 4 < rowCount else { return nil }
    let bounds = Buffer.zeroed(byteCount: rowCount + 1)
    let marks = bounds.typed(UInt8.self)
    for k in starts.indices where ends[k] > starts[k] {
      marks[Int(starts[k])] = 1
      marks[Int(ends[k])] = 1
    }
    // The first row starts a unit, and so does the end of the rows.
    marks[0] = 0
    marks[rowCount] = 1
    let unitOf = Buffer(byteCount: (rowCount + 1) * 4)
    let unit = unitOf.typed(Int32.self)
    var current: Int32 = 0
    var row = 0
    while row <= rowCount {
      current &+= Int32(marks[row])
      unit[row] = current
      row &+= 1
    }
    let count = Int(current)
    guard count * 4 < rowCount else { return nil }
    var coarse = self
    coarse.units = Units(count: count, states: try states(unit, count))
    let isEmpty = { (k: Int) in ends[k] <= starts[k] }
    return try coarse.compute(
      starts.indices.map { isEmpty($0) ? 0 : unit[Int(starts[$0])] }, starts.indices.map { isEmpty($0) ? 0 : unit[Int(ends[$0])] },
      total: .max, areDisjoint: false)
  }

  /// The state of each unit's rows.
  private func states(_ unitOf: UnsafePointer<Int32>, _ count: Int) throws(QueryError) -> any GroupsAccumulator {
    let accumulator = try make()
    accumulator.resize(groupCount: count)
    if filter == nil {
      try accumulator.update(arguments, groups: unitOf, rowCount: rowCount)
      return accumulator
    }
    var feed = Feed()
    for row in 0..<rowCount where isTrue(row) {
      feed.rows.append(Int32(truncatingIfNeeded: row))
      feed.groups.append(unitOf[row])
      if feed.rows.count >= FrameAggregate.chunkSize { try self.feed(&feed, to: accumulator) }
    }
    try self.feed(&feed, to: accumulator)
    return accumulator
  }

  /// Units, or rows where there are none: what frames count in.
  private var unitCount: Int { units?.count ?? rowCount }

  // MARK: Rows

  private func isTrue(_ row: Int) -> Bool {
    guard let filter else { return true }
    return !filter.isNull(row) && filter.storage.values!.typed(UInt8.self)[filter.position(row)] != 0
  }

  /// Whether a row counts in frames that start at `start`.
  @inline(__always)
  private func counts(_ row: Int, _ start: Int) -> Bool {
    if filter != nil, !isTrue(row) { return false }
    if let duplicates { return Int(duplicates.typed(Int32.self)[row]) < start }
    return true
  }

  private func feed(_ feed: inout Feed, to accumulator: any GroupsAccumulator) throws(QueryError) {
    if feed.rows.isEmpty { return }
    let count = feed.rows.count
    let columns = feed.rows.withUnsafeBufferPointer { p in arguments.map { $0.take(p.baseAddress!, count: count) } }
    let groups = Buffer(byteCount: count * 4)
    feed.groups.withUnsafeBytes { groups.pointer.copyMemory(from: $0.baseAddress!, byteCount: count * 4) }
    try accumulator.update(columns, groups: groups.typed(Int32.self), rowCount: count)
    feed.rows.removeAll(keepingCapacity: true)
    feed.groups.removeAll(keepingCapacity: true)
    try context.cancellation.check()
  }

  // MARK: Frames from their rows

  /// Every frame is a group, and its rows are fed to it.
  private func fromRows(_ starts: [Int32], _ ends: [Int32]) throws(QueryError) -> Column {
    if starts.count == 1, filter == nil, duplicates == nil, places == nil {
      let accumulator = try make()
      accumulator.resize(groupCount: 1)
      let (start, length) = (Int(starts[0]), Int(ends[0] - starts[0]))
      if length > 0 {
        try accumulator.update(
          arguments.map { $0.slice(offset: start, count: length) }, groups: nil, rowCount: length)
      }
      return try accumulator.finish(0..<1)
    }
    var results: [Column] = []
    var feed = Feed()
    var first = 0
    let framesAtOnce = 1 << 16
    while first < starts.count || results.isEmpty {
      let last = min(first + framesAtOnce, starts.count)
      let accumulator = try make()
      accumulator.resize(groupCount: last - first)
      for k in first..<last {
        let (start, end) = (Int(starts[k]), Int(ends[k]))
        let before = feed.rows.count
        var row = start
        while row < end {
          if counts(row, start) {
            feed.rows.append(Int32(truncatingIfNeeded: row))
            feed.groups.append(Int32(truncatingIfNeeded: k - first))
          }
          row &+= 1
          if feed.rows.count >= FrameAggregate.chunkSize, places == nil { try self.feed(&feed, to: accumulator) }
        }
        if let places {
          let place = places.typed(Int32.self)
          feed.rows[before...].sort { place[Int($0)] < place[Int($1)] }
        }
        if feed.rows.count >= FrameAggregate.chunkSize { try self.feed(&feed, to: accumulator) }
      }
      try self.feed(&feed, to: accumulator)
      results.append(try accumulator.finish(0..<(last - first)))
      first = last
    }
    return Column.concatenate(results, type: returnType)
  }

  // MARK: Frames that grow

  /// The rows where frames start, when each frame is what follows the nearest such row; else nil.
  private func prefixes(_ starts: [Int32], _ ends: [Int32]) -> Buffer? {
    let isFirst = Buffer.zeroed(byteCount: unitCount + 1)
    let marks = isFirst.typed(UInt8.self)
    for k in starts.indices where ends[k] > starts[k] { marks[Int(starts[k])] = 1 }
    let nearest = Buffer(byteCount: unitCount * 4)
    let p = nearest.typed(Int32.self)
    var last: Int32 = 0
    for row in 0..<unitCount {
      if marks[row] != 0 { last = Int32(truncatingIfNeeded: row) }
      p[row] = last
    }
    for k in starts.indices where ends[k] > starts[k] && p[Int(ends[k]) - 1] != starts[k] { return nil }
    return isFirst
  }

  /// Gives every unit's group its own rows' state, then adds each to the next, up to the next marked unit; reversed,
  /// unit and group numbers run against each other and states are added to the unit before.
  private func scanned(
    _ isFirst: UnsafePointer<UInt8>, reversed: Bool
  ) throws(QueryError) -> any GroupsAccumulator {
    let n = unitCount
    let accumulator = try make()
    accumulator.resize(groupCount: n + 1)
    let own = Buffer(byteCount: n * 4)
    let before = Buffer(byteCount: n * 4)
    let (p, q) = (own.typed(Int32.self), before.typed(Int32.self))
    for unit in 0..<n { p[unit] = Int32(truncatingIfNeeded: reversed ? n &- 1 &- unit : unit) }
    if let units {
      try accumulator.merge(units.states, sources: nil, targets: p, count: n)
    } else if filter == nil, duplicates == nil {
      try accumulator.update(arguments, groups: p, rowCount: n)
    } else {
      var feed = Feed()
      var start = 0
      for row in 0..<n {
        if isFirst[row] != 0 { start = row }
        if counts(row, start) {
          feed.rows.append(Int32(truncatingIfNeeded: row))
          feed.groups.append(p[row])
        }
      }
      try self.feed(&feed, to: accumulator)
    }
    try context.cancellation.check()
    var count = 0
    for group in 1..<max(n, 1) {
      // Reversed, the group of a block's last row is the first of its stretch.
      let starts = reversed ? isFirst[n - group] != 0 : isFirst[group] != 0
      if starts { continue }
      p[count] = Int32(truncatingIfNeeded: group)
      q[count] = Int32(truncatingIfNeeded: group - 1)
      count += 1
    }
    try accumulator.merge(accumulator, sources: q, targets: p, count: count)
    return accumulator
  }

  private func growing(_ starts: [Int32], _ ends: [Int32], _ isFirst: Buffer) throws(QueryError) -> Column {
    let accumulator = try scanned(UnsafePointer(isFirst.typed(UInt8.self)), reversed: false)
    let groups = zip(starts, ends).map { $1 > $0 ? $1 - 1 : Int32(unitCount) }
    let states = try accumulator.finish(0..<(unitCount + 1))
    return groups.withUnsafeBufferPointer { states.take($0.baseAddress!, count: groups.count) }
  }

  /// One accumulator, read after each frame's end: for functions whose states cannot be copied.
  private func stepwise(_ starts: [Int32], _ ends: [Int32]) throws(QueryError) -> Column {
    let builder = ColumnBuilder(returnType, capacity: starts.count)
    var accumulator = try make()
    accumulator.resize(groupCount: 1)
    var (first, at) = (0, 0)
    var feed = Feed()
    for k in starts.indices {
      let (start, end) = (Int(starts[k]), Int(ends[k]))
      if start != first || end < at {
        accumulator = try make()
        accumulator.resize(groupCount: 1)
        (first, at) = (start, start)
      }
      while at < end {
        if counts(at, start) {
          feed.rows.append(Int32(at))
          feed.groups.append(0)
        }
        at += 1
      }
      try self.feed(&feed, to: accumulator)
      builder.append(try accumulator.finish(0..<1), row: 0)
      if k & 1023 == 0 { try context.cancellation.check() }
    }
    return builder.finish()
  }

  // MARK: Frames of many pieces

  /// Adds the rows to the one group of an accumulator.
  func add(to accumulator: any GroupsAccumulator) throws(QueryError) {
    if filter == nil { return try accumulator.update(arguments, groups: nil, rowCount: rowCount) }
    var feed = Feed()
    for row in 0..<rowCount where isTrue(row) {
      feed.rows.append(Int32(truncatingIfNeeded: row))
      feed.groups.append(0)
    }
    if !feed.rows.isEmpty { try self.feed(&feed, to: accumulator) }
  }

  /// The aggregate of frames that begin with rows of earlier pieces.
  ///
  /// - Shape: `ends`: for each row where its frame ends, never before the row.
  /// - Parameter state: that of all earlier rows; afterwards that of these rows too.
  func continued(ends: [Int32], after state: inout (any GroupsAccumulator)?) throws(QueryError) -> Column {
    let n = rowCount
    let accumulator = try make()
    accumulator.resize(groupCount: n)
    var zero: Int32 = 0
    if let state { try accumulator.merge(state, sources: &zero, targets: &zero, count: 1) }
    let own = Buffer(byteCount: n * 4)
    let before = Buffer(byteCount: n * 4)
    let (p, q) = (own.typed(Int32.self), before.typed(Int32.self))
    for row in 0..<n { p[row] = Int32(truncatingIfNeeded: row) }
    if filter == nil {
      try accumulator.update(arguments, groups: p, rowCount: n)
    } else {
      var feed = Feed()
      for row in 0..<n where isTrue(row) {
        feed.rows.append(Int32(truncatingIfNeeded: row))
        feed.groups.append(Int32(truncatingIfNeeded: row))
      }
      try self.feed(&feed, to: accumulator)
    }
    for row in 0..<n {
      p[row] = Int32(truncatingIfNeeded: row + 1)
      q[row] = Int32(truncatingIfNeeded: row)
    }
    try accumulator.merge(accumulator, sources: q, targets: p, count: n - 1)
    let after = try make()
    after.resize(groupCount: 1)
    var last = Int32(truncatingIfNeeded: n - 1)
    try after.merge(accumulator, sources: &last, targets: &zero, count: 1)
    state = after
    let states = try accumulator.finish(0..<n).retyped(returnType)
    let groups = ends.map { $0 - 1 }
    return groups.withUnsafeBufferPointer { states.take($0.baseAddress!, count: n) }
  }

  // MARK: Frames that slide

  private func blockwise(_ starts: [Int32], _ ends: [Int32]) throws(QueryError) -> Column {
    // The level of a frame: blocks of 2^level rows, such that the frame lies in two of them.
    var levels: [UInt8] = []
    var used: Set<UInt8> = []
    for (start, end) in zip(starts, ends) {
      guard end > start else {
        levels.append(.max)
        continue
      }
      let width = UInt32(bitPattern: end - start)
      var level = width == 1 ? 0 : 32 - (width - 1).leadingZeroBitCount
      // Within one block, a frame longer than half of it passes the middle.
      if level > 0, start >> Int32(level) == (end - 1) >> Int32(level) { level -= 1 }
      levels.append(UInt8(level))
      used.insert(UInt8(level))
    }
    let result = try make()
    result.resize(groupCount: starts.count)
    let isFirst = Buffer(byteCount: unitCount + 1)
    let marks = isFirst.typed(UInt8.self)
    for level in used.sorted() {
      let mask = (1 << Int(level)) - 1
      for row in 0...unitCount { marks[row] = row & mask == 0 ? 1 : 0 }
      var targets: [Int32] = []
      var tails: [Int32] = []
      var frames: [Int32] = []
      var heads: [Int32] = []
      for k in starts.indices where levels[k] == level {
        let last = ends[k] - 1
        targets.append(Int32(k))
        // A frame within one block is a block of one row, or reaches from its start.
        heads.append(last)
        if starts[k] >> Int32(level) != last >> Int32(level) {
          frames.append(Int32(k))
          tails.append(Int32(unitCount - 1) - starts[k])
        }
      }
      // Tails first, so that values come in the order of their rows.
      if !frames.isEmpty {
        let state = try scanned(UnsafePointer(marks), reversed: true)
        try merge(state, tails, into: result, frames)
      }
      let state = try scanned(UnsafePointer(marks), reversed: false)
      try merge(state, heads, into: result, targets)
      try context.cancellation.check()
    }
    return try result.finish(0..<starts.count)
  }

  private func merge(
    _ state: any GroupsAccumulator, _ sources: [Int32], into result: any GroupsAccumulator, _ targets: [Int32]
  ) throws(QueryError) {
    let count = sources.count
    let buffer = Buffer(byteCount: count * 8)
    let p = buffer.typed(Int32.self)
    for k in 0..<count {
      p[k] = sources[k]
      p[count + k] = targets[k]
    }
    try result.merge(state, sources: p, targets: p + count, count: count)
  }

  // MARK: DISTINCT and ORDER BY

  /// Computes `duplicates`: rows that repeat an earlier one count only in frames that start behind that one.
  mutating func keepDistinct() {
    let hashes = Buffer(byteCount: rowCount * 8)
    let h = hashes.typed(UInt64.self)
    HashKernel.hash(arguments, rowCount: rowCount, into: h)
    let previous = Buffer(byteCount: rowCount * 4)
    let out = previous.typed(Int32.self)
    /// By hash the last row of each value.
    var known: [UInt64: [Int32]] = [:]
    for row in 0..<rowCount {
      out[row] = -1
      if !isTrue(row) { continue }
      var candidates = known[h[row]] ?? []
      if let match = candidates.firstIndex(where: { areEqual(Int($0), row) }) {
        out[row] = candidates[match]
        candidates[match] = Int32(row)
      } else {
        candidates.append(Int32(row))
      }
      known[h[row]] = candidates
    }
    duplicates = previous
  }

  private func areEqual(_ a: Int, _ b: Int) -> Bool {
    var (left, right) = (Int32(a), Int32(b))
    var isEqual: UInt8 = 1
    for column in arguments {
      CompareKernel.keepNotDistinct(column, &left, column, &right, count: 1, matches: &isEqual)
    }
    return isEqual != 0
  }

  /// Computes `places` from the call's sort keys.
  mutating func sort(by keys: [Column], _ orders: [SortKeyOrder]) {
    let order = RowSorter(keys, orders, rowCount: rowCount).sortAll()
    let rows = order.typed(Int32.self)
    let places = Buffer(byteCount: rowCount * 4)
    let out = places.typed(Int32.self)
    for k in 0..<rowCount { out[Int(rows[k])] = Int32(truncatingIfNeeded: k) }
    self.places = places
  }
}
