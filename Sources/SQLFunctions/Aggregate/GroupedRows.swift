import Columnar
import QueryErrors

/// All rows of some columns, by group, in the order they came: the state of `array_agg` and its like.
///
/// - Threads: one owner.
final class GroupedRows {
  let types: [DataType]
  private(set) var groupCount = 0
  private(set) var rowCount = 0
  private var chunks: [(columns: [Column], groups: Buffer, count: Int)] = []
  private var sorted: Sorted?

  /// The rows of all groups, group after group.
  struct Sorted {
    var columns: [Column]
    /// Where groups begin in `order`, one more than there are groups.
    var starts: [Int32]
    /// Row numbers of `columns`.
    var order: [Int32]

    func rows(_ group: Int) -> ArraySlice<Int32> { order[Int(starts[group])..<Int(starts[group + 1])] }
  }

  init(_ types: [DataType]) { self.types = types }

  func resize(_ count: Int) {
    if count > groupCount {
      groupCount = count
      sorted = nil
    }
  }

  /// - Parameter validity: rows to take; nil for all.
  func add(
    _ columns: [Column], _ groups: UnsafePointer<Int32>?, rowCount: Int, where validity: Bitmap? = nil
  ) throws(QueryError) {
    var kept = rowCount
    var columns = columns
    let numbers = Buffer(byteCount: rowCount * 4)
    let out = numbers.typed(Int32.self)
    if let validity {
      kept = 0
      let rows = Buffer(byteCount: rowCount * 4)
      let list = rows.typed(Int32.self)
      for row in 0..<rowCount where validity[row] {
        list[kept] = Int32(row)
        out[kept] = groups.map { $0[row] } ?? 0
        kept += 1
      }
      if kept == 0 { return }
      if kept < rowCount { columns = columns.map { $0.take(list, count: kept) } }
    } else {
      for row in 0..<rowCount { out[row] = groups.map { $0[row] } ?? 0 }
    }
    try append(columns, numbers, kept)
  }

  private func append(_ columns: [Column], _ groups: Buffer, _ count: Int) throws(QueryError) {
    if count == 0 { return }
    try checkElementCount(rowCount + count)
    chunks.append((columns, groups, count))
    rowCount += count
    sorted = nil
  }

  func merge(
    _ other: GroupedRows, _ sources: UnsafePointer<Int32>?, _ targets: UnsafePointer<Int32>?, _ count: Int
  ) throws(QueryError) {
    var mapping = Array(repeating: Int32(-1), count: other.groupCount)
    var isWhole = true
    try forEachPair(sources, targets, count) { source, target in mapping[source] = Int32(target) }
    if mapping.contains(-1) { isWhole = false }
    for chunk in other.chunks {
      let groups = chunk.groups.typed(Int32.self)
      let mapped = Buffer(byteCount: chunk.count * 4)
      let out = mapped.typed(Int32.self)
      if isWhole {
        for row in 0..<chunk.count { out[row] = mapping[Int(groups[row])] }
        try append(chunk.columns, mapped, chunk.count)
      } else {
        let rows = Buffer(byteCount: chunk.count * 4)
        let list = rows.typed(Int32.self)
        var kept = 0
        for row in 0..<chunk.count where mapping[Int(groups[row])] >= 0 {
          list[kept] = Int32(row)
          out[kept] = mapping[Int(groups[row])]
          kept += 1
        }
        try append(chunk.columns.map { $0.take(list, count: kept) }, mapped, kept)
      }
    }
  }

  /// Puts the rows in order of their groups, once until more rows come.
  func sort() -> Sorted {
    if let sorted { return sorted }
    var starts = Array(repeating: Int32(0), count: groupCount + 1)
    for chunk in chunks {
      let groups = chunk.groups.typed(Int32.self)
      for row in 0..<chunk.count { starts[Int(groups[row]) + 1] += 1 }
    }
    for group in 0..<groupCount { starts[group + 1] += starts[group] }
    var next = starts
    var order = Array(repeating: Int32(0), count: rowCount)
    var base = 0
    for chunk in chunks {
      let groups = chunk.groups.typed(Int32.self)
      for row in 0..<chunk.count {
        let group = Int(groups[row])
        order[Int(next[group])] = Int32(base + row)
        next[group] += 1
      }
      base += chunk.count
    }
    let columns = types.indices.map { index in
      chunks.isEmpty ? Column.empty(types[index]) : .concatenate(chunks.map { $0.columns[index] }, type: types[index])
    }
    if chunks.count > 1 {
      // One chunk from now on, so that the rows are held once.
      let groups = Buffer(byteCount: rowCount * 4)
      var end = 0
      for chunk in chunks {
        (groups.pointer + end * 4).copyMemory(from: chunk.groups.pointer, byteCount: chunk.count * 4)
        end += chunk.count
      }
      chunks = [(columns, groups, rowCount)]
    }
    let result = Sorted(columns: columns, starts: starts, order: order)
    sorted = result
    return result
  }

  /// Replaces all rows.
  func replace(_ columns: [Column], _ groups: Buffer, _ count: Int) {
    chunks = count == 0 ? [] : [(columns, groups, count)]
    rowCount = count
    sorted = nil
  }

  var byteCount: Int {
    chunks.reduce(rowCount * 4) { total, chunk in chunk.columns.reduce(total) { $0 + $1.approximateByteCount } }
  }
}

/// Rows of which each group keeps one per distinct first column, with a count.
///
/// Repetitions are dropped from time to time, so memory follows the distinct rows.
final class DistinctGroupedRows {
  let rows: GroupedRows
  private var compactedCount = 0
  private static let smallestCompaction = 1 << 16

  /// - Parameter types: key, then what goes with it; a count is kept beside.
  init(_ types: [DataType]) { rows = GroupedRows(types + [.bigint]) }

  func add(
    _ columns: [Column], _ groups: UnsafePointer<Int32>?, rowCount: Int, where validity: Bitmap?,
    counts: Column? = nil
  ) throws(QueryError) {
    let counts = counts ?? .constant(.integer(1), .bigint, count: rowCount)
    try rows.add(columns + [counts], groups, rowCount: rowCount, where: validity)
    if rows.rowCount > max(Self.smallestCompaction, 2 * compactedCount) { compact() }
  }

  func merge(
    _ other: DistinctGroupedRows, _ sources: UnsafePointer<Int32>?, _ targets: UnsafePointer<Int32>?, _ count: Int
  ) throws(QueryError) {
    try rows.merge(other.rows, sources, targets, count)
    if rows.rowCount > max(Self.smallestCompaction, 2 * compactedCount) { compact() }
  }

  /// Keeps the first row of each distinct key per group and adds up the counts.
  func compact() {
    let sorted = rows.sort()
    var set = ElementSet(sorted.columns[0])
    let groups = Buffer(byteCount: rows.rowCount * 4)
    var kept: [Int32] = []
    var totals: [Int64] = []
    let counts = sorted.columns[sorted.columns.count - 1].view
    var place: [Int: Int] = [:]
    for group in 0..<rows.groupCount {
      let list = sorted.rows(group)
      if list.isEmpty { continue }
      set.clear(count: list.count)
      place.removeAll(keepingCapacity: true)
      for row in list {
        let count = counts.value(Int(row), as: Int64.self)
        if let held = set.insert(Int(row)) {
          totals[place[held]!] &+= count
        } else {
          place[Int(row)] = kept.count
          groups.typed(Int32.self)[kept.count] = Int32(group)
          kept.append(row)
          totals.append(count)
        }
      }
    }
    let values = Buffer(byteCount: totals.count * 8)
    for (k, total) in totals.enumerated() { values.typed(Int64.self)[k] = total }
    var columns = sorted.columns.dropLast().map { $0.takeOrNull(kept).detached() }
    columns.append(Column(flat: .bigint, count: totals.count, values: values, validity: nil))
    rows.replace(columns, groups, kept.count)
    compactedCount = kept.count
  }
}
