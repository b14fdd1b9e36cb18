import Columnar
import QueryErrors

/// An array or map column of any encoding, as ranges of its child columns.
struct ArrayInput {
  let column: Column
  /// Elements, or the keys of a map.
  let elements: Column
  private let storage: Column
  private let view: ColumnView
  private let offsets: UnsafeMutablePointer<Int32>

  init(_ column: Column) {
    self.column = column
    storage = column.storage
    view = column.view
    elements = storage.children[0]
    offsets = storage.offsets!.typed(Int32.self)
  }

  /// The values of a map.
  var values: Column { storage.children[1] }

  @inline(__always)
  func isNull(_ row: Int) -> Bool { view.isNull(row) }

  /// The element positions of a row; empty for NULL.
  @inline(__always)
  func range(_ row: Int) -> Range<Int> {
    if view.isNull(row) { return 0..<0 }
    let position = view.position(row)
    return Range(uncheckedBounds: (Int(offsets[position]), Int(offsets[position &+ 1])))
  }

  @inline(__always)
  func length(_ row: Int) -> Int { range(row).count }
}

/// All elements of a batch's arrays, row by row: what lambdas are evaluated on.
struct ElementList {
  /// Element positions in the child columns; nil when they are `first`, `first` + 1 ….
  private let picks: [Int32]?
  private let first: Int
  let count: Int
  /// The row each element belongs to.
  let outerRows: Buffer
  /// Where each row's elements start, `rowCount` + 1 of them.
  let offsets: Buffer

  init(_ input: ArrayInput, rowCount: Int) throws(QueryError) {
    offsets = Buffer(byteCount: (rowCount + 1) * 4)
    let starts = offsets.typed(Int32.self)
    var total = 0
    starts[0] = 0
    for row in 0..<rowCount {
      total += input.length(row)
      starts[row + 1] = Int32(truncatingIfNeeded: total)
    }
    try checkElementCount(total)
    count = total
    outerRows = Buffer(byteCount: total * 4)
    let rows = outerRows.typed(Int32.self)
    var k = 0
    for row in 0..<rowCount {
      let end = Int(starts[row + 1])
      while k < end {
        rows[k] = Int32(truncatingIfNeeded: row)
        k &+= 1
      }
    }
    if input.column.encoding == .flat, input.column.validity == nil {
      picks = nil
      first = rowCount == 0 ? 0 : input.range(0).lowerBound
    } else {
      var list: [Int32] = []
      list.reserveCapacity(total)
      for row in 0..<rowCount { for at in input.range(row) { list.append(Int32(truncatingIfNeeded: at)) } }
      picks = list
      first = 0
    }
  }

  /// The elements of a child column in this order.
  func column(_ child: Column) -> Column {
    if let picks { return child.takeOrNull(picks) }
    return child.slice(offset: first, count: count)
  }

  var rowPointer: UnsafePointer<Int32> { UnsafePointer(outerRows.typed(Int32.self)) }

  func range(_ row: Int) -> Range<Int> {
    let starts = offsets.typed(Int32.self)
    return Int(starts[row])..<Int(starts[row + 1])
  }
}

/// Makes an array or map column from element positions, row by row.
struct ListBuilder {
  private(set) var picks: [Int32] = []
  private let offsets: Buffer
  private var row = 0
  /// Elements that memory is known to allow.
  private var checkedCount = 1 << 17

  init(rowCount: Int, elementCount: Int = 0) {
    offsets = Buffer(byteCount: (rowCount + 1) * 4)
    offsets.typed(Int32.self)[0] = 0
    picks.reserveCapacity(elementCount)
  }

  /// Adds an element; −1 is NULL.
  @inline(__always)
  mutating func add(_ position: Int) { picks.append(Int32(truncatingIfNeeded: position)) }

  mutating func add(_ positions: Range<Int>) {
    if picks.count + positions.count > checkedCount, !mayHold(picks.count + positions.count) { return }
    for at in positions { add(at) }
  }

  /// Looks whether memory allows so many elements; where it does not, the batch is lost.
  @inline(never)
  private mutating func mayHold(_ count: Int) -> Bool {
    if MemoryAccount.hasRefused(count * 12) { return false }
    checkedCount = count * 2
    return true
  }

  /// Ends the row.
  @inline(__always)
  mutating func end() {
    row &+= 1
    offsets.typed(Int32.self)[row] = Int32(truncatingIfNeeded: picks.count)
  }

  /// - Parameter children: what the positions count in, one per child of the type.
  func finish(_ type: DataType, _ children: Column..., validity: Bitmap?) throws(QueryError) -> Column {
    try MemoryAccount.checkRefused()
    try checkElementCount(picks.count)
    let taken = zip(children, type.childTypes).map { $0.takeOrNull(picks).retyped($1) }
    return Column(nested: type, count: row, offsets: offsets, children: taken, validity: validity)
  }
}

/// - Throws: when a batch's arrays hold more elements than offsets can count.
func checkElementCount(_ count: Int) throws(QueryError) {
  if count >= Int(Int32.max) {
    throw QueryError(.exceededFunctionMemoryLimit, "arrays of one batch hold more than 2147483647 elements")
  }
  // Their positions and values, of eight bytes at least.
  try MemoryAccount.require(count * 12)
}

extension Column {
  /// The rows at `picks`; −1 is NULL.
  func takeOrNull(_ picks: [Int32]) -> Column {
    let n = picks.count
    if n == 0 { return .empty(type) }
    if count == 0 || isAllNull { return .nulls(type, count: n) }
    guard picks.contains(-1) else {
      return picks.withUnsafeBufferPointer { take($0.baseAddress!, count: n) }
    }
    let valid = Bitmap(count: n, filled: true)
    var rows = picks
    for k in 0..<n where picks[k] < 0 {
      valid.clear(k)
      rows[k] = 0
    }
    let taken = rows.withUnsafeBufferPointer { take($0.baseAddress!, count: n) }
    return taken.withValidity(Bitmap.intersection(valid, taken.validity))
  }

  /// A flat boolean column.
  static func booleans(_ count: Int, validity: Bitmap? = nil, _ value: (Int) -> Bool) -> Column {
    let values = Buffer(byteCount: count)
    let out = values.typed(UInt8.self)
    for row in 0..<count { out[row] = byte(value(row)) }
    return Column(flat: .boolean, count: count, values: values, validity: validity)
  }
}

/// A set of the elements of one row at a time, by position in a column; NULLs and NaNs equal themselves.
struct ElementSet {
  private let comparator: RowComparator
  private let hashes: Buffer
  private var slots: [UInt64] = []
  private var generation: UInt32 = 0
  private var mask = 0

  init(_ elements: Column) {
    comparator = RowComparator(elements, elements)
    hashes = Buffer(byteCount: elements.count * 8)
    HashKernel.hash(elements, into: hashes.typed(UInt64.self), combining: false)
  }

  /// Forgets all elements; the set will hold at most `count`.
  mutating func clear(count: Int) {
    var wanted = 16
    while wanted < count * 2 { wanted *= 2 }
    if wanted > slots.count || generation == .max {
      slots = Array(repeating: 0, count: max(wanted, slots.count))
      generation = 0
    }
    // Small rows look at few slots even after a large one.
    mask = wanted - 1
    generation += 1
  }

  /// The position of the equal element held, or nil after adding this one.
  @inline(__always)
  mutating func insert(_ position: Int) -> Int? {
    let at = find(position)
    if at.found >= 0 { return at.found }
    slots[at.slot] = UInt64(generation) << 32 | UInt64(UInt32(truncatingIfNeeded: position))
    return nil
  }

  func contains(_ position: Int) -> Bool { find(position).found >= 0 }

  /// The position of the equal element held.
  func equal(to position: Int) -> Int? {
    let found = find(position).found
    return found < 0 ? nil : found
  }

  @inline(__always)
  private func find(_ position: Int) -> (found: Int, slot: Int) {
    let hash = hashes.typed(UInt64.self)[position]
    var slot = Int(truncatingIfNeeded: hash &>> 20) & mask
    while true {
      let entry = slots[slot]
      if entry >> 32 != UInt64(generation) { return (-1, slot) }
      let held = Int(UInt32(truncatingIfNeeded: entry))
      if hashes.typed(UInt64.self)[held] == hash, !comparator.isDistinct(held, position) { return (held, slot) }
      slot = (slot &+ 1) & mask
    }
  }
}

/// What a function says about nested elements that hold NULLs.
func indeterminate(_ function: String) -> QueryError {
  .notSupported("\(function) does not support arrays with elements that are null or contain null")
}
