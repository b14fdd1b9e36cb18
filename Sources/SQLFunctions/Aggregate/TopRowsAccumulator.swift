import Columnar
import QueryErrors

/// The n first values by a key: `min(x, n)`, `max(x, n)`, `min_by(x, y, n)`, `max_by(x, y, n)`.
///
/// Each group keeps a heap of slots, the worst kept key on top.
///
/// - Nulls: rows whose key is NULL are skipped.
/// - Source: Trino `TypedHeap`, `MinMaxNStateFactory`.
final class TopRowsAccumulator: GroupsAccumulator {
  private let keys: RowStore
  /// The values that go with the keys; nil when the keys themselves are wanted.
  private let values: RowStore?
  private let wantsMax: Bool
  private let name: String
  private let returnType: DataType
  private let keyType: DataType
  /// Slots of each group, as a heap.
  private var heaps: [[Int32]] = []
  private var limits: [Int] = []
  private var slotCount = 0
  private static let largestLimit = 10_000

  init(valueType: DataType?, keyType: DataType, wantsMax: Bool, name: String, returnType: DataType) {
    keys = RowStore(keyType)
    values = valueType.map { RowStore($0) }
    self.wantsMax = wantsMax
    self.name = name
    self.returnType = returnType
    self.keyType = keyType
  }

  func resize(groupCount: Int) {
    while heaps.count < groupCount {
      heaps.append([])
      limits.append(-1)
    }
  }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    let keyColumn = arguments[values == nil ? 0 : 1]
    let limitColumn = arguments[values == nil ? 1 : 2]
    let limitView = limitColumn.view
    // Keys seen in this batch are compared through a column that holds them together with those kept before.
    var kept: [Int32] = []
    for heap in heaps { kept += heap }
    let before = keys.column(kept.count, as: keyType) { Int(kept[$0]) }
    let all = Column.concatenate([before, keyColumn], type: keyType)
    let comparator = RowComparator(all, all)
    var place = Array(repeating: Int32(0), count: slotCount)
    for (index, slot) in kept.enumerated() { place[Int(slot)] = Int32(index) }
    let offset = kept.count
    keys.beginBatch(keyColumn)
    values?.beginBatch(arguments[0])
    defer {
      keys.endBatch()
      values?.endBatch()
    }
    let isFloating = keyType.isFloating
    try withExtendedLifetime((keyColumn, limitColumn)) { () throws(QueryError) in
      try forEachRow(keyColumn.validity, groups, rowCount) { (group, row) throws(QueryError) in
        if limits[group] < 0 {
          guard !limitView.isNull(row) else {
            throw QueryError(.invalidFunctionArgument, "third argument of max_n/min_n must not be null")
          }
          let limit = limitView.value(row, as: Int64.self)
          let position = values == nil ? "second" : "third"
          guard limit > 0 else {
            throw QueryError(.invalidFunctionArgument, "\(position) argument of max_n/min_n must be a positive integer")
          }
          guard limit <= Int64(Self.largestLimit) else {
            throw QueryError(
              .invalidFunctionArgument,
              "\(position) argument of max_n/min_n must be less than or equal to \(Self.largestLimit); found \(limit)")
          }
          limits[group] = Int(limit)
        }
        let isNaN = isFloating && keyColumn.scalar(row).isNaN
        if heaps[group].count < limits[group] {
          let slot = slotCount
          slotCount += 1
          keys.resize(slotCount)
          values?.resize(slotCount)
          place.append(Int32(offset + row))
          keys.set(slot, row: row)
          values?.set(slot, row: row)
          heaps[group].append(Int32(slot))
          siftUp(group, place, comparator, all, isFloating)
        } else if let top = heaps[group].first {
          if isNaN { return }
          if !isBetter(offset + row, Int(place[Int(top)]), comparator, all, isFloating) { return }
          place[Int(top)] = Int32(offset + row)
          keys.set(Int(top), row: row)
          values?.set(Int(top), row: row)
          siftDown(group, place, comparator, all, isFloating)
        }
      }
    }
  }

  /// Whether row `a` comes before row `b` in the answer; NaN comes last either way.
  private func isBetter(_ a: Int, _ b: Int, _ comparator: RowComparator, _ all: Column, _ isFloating: Bool) -> Bool {
    if isFloating {
      let (isNaN, isOtherNaN) = (all.scalar(a).isNaN, all.scalar(b).isNaN)
      if isNaN || isOtherNaN { return !isNaN && isOtherNaN }
    }
    let order = comparator.order(a, b)
    return wantsMax ? order > 0 : order < 0
  }

  private func siftUp(_ group: Int, _ place: [Int32], _ comparator: RowComparator, _ all: Column, _ isFloating: Bool) {
    var k = heaps[group].count - 1
    while k > 0 {
      let parent = (k - 1) / 2
      let (a, b) = (Int(heaps[group][parent]), Int(heaps[group][k]))
      if !isBetter(Int(place[a]), Int(place[b]), comparator, all, isFloating) { return }
      heaps[group].swapAt(k, parent)
      k = parent
    }
  }

  private func siftDown(
    _ group: Int, _ place: [Int32], _ comparator: RowComparator, _ all: Column, _ isFloating: Bool
  ) {
    var k = 0
    let n = heaps[group].count
    while true {
      var worst = k
      for child in [2 * k + 1, 2 * k + 2] where child < n {
        let (a, b) = (Int(heaps[group][worst]), Int(heaps[group][child]))
        if isBetter(Int(place[a]), Int(place[b]), comparator, all, isFloating) { worst = child }
      }
      if worst == k { return }
      heaps[group].swapAt(k, worst)
      k = worst
    }
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let other = other as! TopRowsAccumulator
    var slots: [Int32] = []
    var groups: [Int32] = []
    var limitValues: [Int64] = []
    try forEachPair(sources, targets, count) { source, target in
      for slot in other.heaps[source] {
        slots.append(slot)
        groups.append(Int32(target))
        limitValues.append(Int64(other.limits[source]))
      }
    }
    if slots.isEmpty { return }
    let limitBuffer = Buffer(byteCount: slots.count * 8)
    for (k, limit) in limitValues.enumerated() { limitBuffer.typed(Int64.self)[k] = limit }
    var arguments = [other.keys.column(slots.count, as: keyType) { Int(slots[$0]) }]
    if let values = other.values {
      arguments.insert(values.column(slots.count, as: values.type) { Int(slots[$0]) }, at: 0)
    }
    arguments.append(Column(flat: .bigint, count: slots.count, values: limitBuffer, validity: nil))
    try update(arguments, groups: groups, rowCount: slots.count)
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    var slots: [Int32] = []
    let offsets = Buffer(byteCount: (range.count + 1) * 4)
    let out = offsets.typed(Int32.self)
    out[0] = 0
    let valid = Bitmap(count: range.count, filled: true)
    var hasNulls = false
    for (k, group) in range.enumerated() {
      if heaps[group].isEmpty {
        valid.clear(k)
        hasNulls = true
      } else {
        let heap = heaps[group]
        let column = keys.column(heap.count, as: keyType) { Int(heap[$0]) }
        let comparator = RowComparator(column, column)
        let isFloating = keyType.isFloating
        let order = heap.indices.sorted { isBetter($0, $1, comparator, column, isFloating) }
        for index in order { slots.append(heap[index]) }
      }
      out[k + 1] = Int32(slots.count)
    }
    let elements = (values ?? keys).column(slots.count, as: (values ?? keys).type) { Int(slots[$0]) }
    return Column(
      nested: returnType, count: range.count, offsets: offsets, children: [elements],
      validity: hasNulls ? valid : nil)
  }

  var byteCount: Int { keys.byteCount + (values?.byteCount ?? 0) + slotCount * 4 + heaps.count * 32 }
}

extension Scalar {
  var isNaN: Bool {
    switch self {
    case .double(let value): value.isNaN
    case .real(let value): value.isNaN
    default: false
    }
  }
}
