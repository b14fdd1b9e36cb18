import Columnar
import QueryErrors
import QueryPlan

/// Sorted rows of whole partitions, and where partitions and peers lie.
///
/// - Shape: all arrays have `rowCount` entries; positions count over all rows.
final class WindowLayout {
  let rowCount: Int
  let partitionStart: Buffer
  let partitionEnd: Buffer
  let peerStart: Buffer
  let peerEnd: Buffer
  /// Number of the row's peer group, counted over all rows.
  let peerGroup: Buffer
  /// First row of each peer group, and the end.
  private(set) var groupStarts: [Int32] = []
  /// First row of each partition, and the end.
  private(set) var partitionStarts: [Int32] = []

  /// - Parameter partitionKeys, orderKeys: columns of the sorted rows.
  init(partitionKeys: [Column], orderKeys: [Column], rowCount n: Int) {
    rowCount = n
    partitionStart = Buffer(byteCount: n * 4)
    partitionEnd = Buffer(byteCount: n * 4)
    peerStart = Buffer(byteCount: n * 4)
    peerEnd = Buffer(byteCount: n * 4)
    peerGroup = Buffer(byteCount: n * 4)
    let samePartition = WindowLayout.sameAsBefore(partitionKeys, n)
    let samePeers = WindowLayout.sameAsBefore(orderKeys, n)
    let (p, q) = (samePartition.typed(UInt8.self), samePeers.typed(UInt8.self))
    let group = peerGroup.typed(Int32.self)
    for row in 0..<n {
      let startsPartition = row == 0 || p[row] == 0
      if startsPartition { partitionStarts.append(Int32(row)) }
      if startsPartition || q[row] == 0 { groupStarts.append(Int32(row)) }
      group[row] = Int32(groupStarts.count - 1)
    }
    partitionStarts.append(Int32(n))
    groupStarts.append(Int32(n))
    WindowLayout.spread(partitionStarts, partitionStart, partitionEnd)
    WindowLayout.spread(groupStarts, peerStart, peerEnd)
  }

  /// Per row 1 when its keys are those of the row before.
  private static func sameAsBefore(_ columns: [Column], _ n: Int) -> Buffer {
    let same = Buffer(byteCount: n + 1)
    let p = same.typed(UInt8.self)
    for row in 0..<n { p[row] = 1 }
    if n < 2 { return same }
    let before = Buffer(byteCount: n * 4)
    let after = Buffer(byteCount: n * 4)
    for row in 0..<(n - 1) {
      before.typed(Int32.self)[row] = Int32(row)
      after.typed(Int32.self)[row] = Int32(row + 1)
    }
    for column in columns {
      CompareKernel.keepNotDistinct(
        column, before.typed(Int32.self), column, after.typed(Int32.self), count: n - 1, matches: p + 1)
    }
    return same
  }

  private static func spread(_ starts: [Int32], _ start: Buffer, _ end: Buffer) {
    let (a, b) = (start.typed(Int32.self), end.typed(Int32.self))
    for k in 0..<(starts.count - 1) {
      for row in Int(starts[k])..<Int(starts[k + 1]) {
        a[row] = starts[k]
        b[row] = starts[k + 1]
      }
    }
  }
}

/// A frame with columns as positions.
struct FrameSpecification: Hashable {
  enum Bound: Hashable {
    case unboundedPreceding
    case preceding(Int)
    case currentRow
    case following(Int)
    case unboundedFollowing
  }
  var unit: WindowFrame.Unit
  var start: Bound
  var end: Bound
  /// Where RANGE limits are compared with another column than the sort key.
  var startKey: Int?
  var endKey: Int?
  /// ROWS: the offsets, where they are the same for all rows.
  var startOffset: Int?
  var endOffset: Int?
}

/// Where each row's frame starts and ends.
struct WindowFrames {
  let start: Buffer
  let end: Buffer

  /// Frames known from elsewhere.
  init(start: Buffer, end: Buffer) {
    self.start = start
    self.end = end
  }

  /// - Parameter columns: the sorted rows' columns; `orderKeys`: the sort keys and their directions.
  /// - Throws: `INVALID_WINDOW_FRAME` for negative or NULL offsets.
  init(
    _ frame: FrameSpecification, _ layout: WindowLayout, columns: [Column], orderKeys: [Column], orders: [SortKeyOrder],
    range: SourceRange?
  ) throws(QueryError) {
    let n = layout.rowCount
    start = Buffer(byteCount: n * 4)
    end = Buffer(byteCount: n * 4)
    let startKey = frame.startKey.map { columns[$0] } ?? orderKeys.first
    let endKey = frame.endKey.map { columns[$0] } ?? orderKeys.first
    try WindowFrames.fill(start, frame.start, frame.unit, isStart: true, layout, columns, startKey, orders, range)
    try WindowFrames.fill(end, frame.end, frame.unit, isStart: false, layout, columns, endKey, orders, range)
  }

  private static func fill(
    _ buffer: Buffer, _ bound: FrameSpecification.Bound, _ unit: WindowFrame.Unit, isStart: Bool,
    _ layout: WindowLayout, _ columns: [Column], _ key: Column?, _ orders: [SortKeyOrder], _ range: SourceRange?
  ) throws(QueryError) {
    let n = layout.rowCount
    let out = buffer.typed(Int32.self)
    let (first, last) = (layout.partitionStart.typed(Int32.self), layout.partitionEnd.typed(Int32.self))
    switch bound {
    case .unboundedPreceding: for row in 0..<n { out[row] = first[row] }
    case .unboundedFollowing: for row in 0..<n { out[row] = last[row] }
    case .currentRow:
      switch unit {
      case .rows: for row in 0..<n { out[row] = Int32(isStart ? row : row + 1) }
      case .range, .groups:
        let from = (isStart ? layout.peerStart : layout.peerEnd).typed(Int32.self)
        for row in 0..<n { out[row] = from[row] }
      }
    case .preceding(let position), .following(let position):
      var sign = 1
      if case .preceding = bound { sign = -1 }
      switch unit {
      case .rows:
        try offsets(columns[position], n, isStart: isStart, range) { row, offset in
          let target = row + sign * offset + (isStart ? 0 : 1)
          out[row] = Int32(min(max(target, Int(first[row])), Int(last[row])))
        }
      case .groups:
        let group = layout.peerGroup.typed(Int32.self)
        try offsets(columns[position], n, isStart: isStart, range) { row, offset in
          let firstGroup = Int(group[Int(first[row])])
          let lastGroup = Int(group[Int(last[row]) - 1])
          let target = Int(group[row]) + sign * offset
          if target < firstGroup {
            out[row] = first[row]
          } else if target > lastGroup {
            out[row] = last[row]
          } else {
            out[row] = layout.groupStarts[isStart ? target : target + 1]
          }
        }
      case .range:
        guard let key, let order = orders.first else {
          throw QueryError.internalError("RANGE frame with an offset but without a sort key")
        }
        limits(out, key, order, columns[position], isStart: isStart, layout)
      }
    }
  }

  /// Calls `body` with each row's offset, clamped to what positions can be.
  private static func offsets(
    _ column: Column, _ n: Int, isStart: Bool, _ range: SourceRange?, _ body: (Int, Int) -> Void
  ) throws(QueryError) {
    let flat = column.flattened()
    let limit = Int64(Int32.max)
    for row in 0..<n {
      let value: Int64
      if flat.isNull(row) {
        value = -1
      } else {
        switch flat.type.physicalType {
        case .int8: value = Int64(flat.values!.typed(Int8.self)[row])
        case .int16: value = Int64(flat.values!.typed(Int16.self)[row])
        case .int32: value = Int64(flat.values!.typed(Int32.self)[row])
        case .int64: value = flat.values!.typed(Int64.self)[row]
        case .int128: value = Int64(clamping: flat.values!.typed(Int128.self)[row])
        default: throw QueryError.internalError("window frame offset of type \(flat.type)")
        }
      }
      if value < 0 {
        throw QueryError(
          .invalidWindowFrame, "Window frame \(isStart ? "starting" : "ending") offset must not be negative or null",
          at: range)
      }
      body(row, Int(min(value, limit)))
    }
  }

  /// Bounds by value: the first row at or past the limit for a start, the first beyond it for an end.
  private static func limits(
    _ out: UnsafeMutablePointer<Int32>, _ key: Column, _ order: SortKeyOrder, _ limit: Column, isStart: Bool,
    _ layout: WindowLayout
  ) {
    let comparator = RowComparator(key, limit)
    /// Whether a row lies before the bound that another row's limit makes.
    func isBefore(_ other: Int, _ row: Int) -> Bool {
      let way = order.isAscending ? comparator.order(other, row) : -comparator.order(other, row)
      return isStart ? way < 0 : way <= 0
    }
    let n = layout.rowCount
    let (first, last) = (layout.partitionStart.typed(Int32.self), layout.partitionEnd.typed(Int32.self))
    let peers = (isStart ? layout.peerStart : layout.peerEnd).typed(Int32.self)
    var low = 0
    var high = 0
    var partition: Int32 = -1
    // The last row's bound: the next one's is most often the same or a little further on.
    var near = 0
    for row in 0..<n {
      if first[row] != partition {
        // NULL keys lie at one end of the partition and are nobody's neighbours but their own.
        partition = first[row]
        low = Int(first[row])
        high = Int(last[row])
        while low < high, key.isNull(low) { low += 1 }
        while high > low, key.isNull(high - 1) { high -= 1 }
        near = low
      }
      if key.isNull(row) || limit.isNull(row) {
        out[row] = peers[row]
        continue
      }
      var (a, b) = (low, near)
      if near == low || isBefore(near - 1, row) {
        // At `near` or behind it: in steps that double.
        (a, b) = (near, near)
        var step = 1
        while b < high, isBefore(b, row) {
          a = b + 1
          b = min(high, b + step)
          step *= 2
        }
      }
      while a < b {
        let middle = (a + b) / 2
        if isBefore(middle, row) { a = middle + 1 } else { b = middle }
      }
      near = a
      out[row] = Int32(a)
    }
  }
}
