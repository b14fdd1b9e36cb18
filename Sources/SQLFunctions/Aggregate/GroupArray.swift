import Columnar
import Glibc
import QueryErrors

/// One fixed-width state per group, in memory that grows.
///
/// - Threads: one owner.
struct GroupArray<T: BitwiseCopyable> {
  private(set) var count = 0
  private var capacity = 0
  private var buffer = Buffer(byteCount: 0)
  private let empty: T

  /// - Parameter empty: the state of a group without rows.
  init(empty: T) { self.empty = empty }

  @inline(__always)
  var pointer: UnsafeMutablePointer<T> { buffer.typed(T.self) }

  /// Makes room for `count` groups; new ones are empty.
  mutating func resize(_ count: Int) {
    if count <= self.count { return }
    if count > capacity {
      capacity = max(count, capacity * 2, 16)
      let larger = Buffer(byteCount: capacity * MemoryLayout<T>.stride)
      larger.pointer.copyMemory(from: buffer.pointer, byteCount: self.count * MemoryLayout<T>.stride)
      buffer.makeWay(for: larger)
      buffer = larger
    }
    let p = pointer
    var group = self.count
    while group < count {
      p[group] = empty
      group &+= 1
    }
    self.count = count
  }

  var byteCount: Int { capacity * MemoryLayout<T>.stride }
}

extension Column {
  /// The values, where they lie in the order of the rows and none is NULL.
  var plainValues: Buffer? { encoding == .flat && validity == nil ? values : nil }
}

/// Calls `body` with group and value of every row that is not NULL.
@inline(__always)
func forEachValue<T: BitwiseCopyable>(
  _ column: Column, _: T.Type, _ groups: UnsafePointer<Int32>?, _ rowCount: Int, _ body: (Int, T) -> Void
) {
  if column.isAllNull { return }
  let view = column.view
  let values = view.values.assumingMemoryBound(to: T.self)
  withExtendedLifetime(column) {
    var row = 0
    if view.validity == nil, let groups {
      if view.isFlat {
        while row < rowCount {
          body(Int(groups[row]), values[row])
          row &+= 1
        }
        return
      }
      if let indices = view.indices {
        while row < rowCount {
          body(Int(groups[row]), values[Int(indices[row])])
          row &+= 1
        }
        return
      }
    }
    while row < rowCount {
      if !view.isNull(row) { body(groups.map { Int($0[row]) } ?? 0, values[view.position(row)]) }
      row &+= 1
    }
  }
}

/// Calls `body` with group and row number of every row where `column` is not NULL.
@inline(__always)
func forEachRow(
  _ validity: Bitmap?, _ groups: UnsafePointer<Int32>?, _ rowCount: Int,
  _ body: (Int, Int) throws(QueryError) -> Void
) throws(QueryError) {
  var row = 0
  while row < rowCount {
    if validity.map({ $0[row] }) ?? true { try body(groups.map { Int($0[row]) } ?? 0, row) }
    row &+= 1
  }
}

/// Calls `body` with source and target group of every pair of a merge.
@inline(__always)
func forEachPair(
  _ sources: UnsafePointer<Int32>?, _ targets: UnsafePointer<Int32>?, _ count: Int,
  _ body: (Int, Int) throws(QueryError) -> Void
) throws(QueryError) {
  var k = 0
  while k < count {
    try body(sources.map { Int($0[k]) } ?? k, targets.map { Int($0[k]) } ?? k)
    k &+= 1
  }
}

/// A flat column of one value per group of `range`; nil is NULL.
@inline(__always)
func resultColumn<T: BitwiseCopyable>(
  _ type: DataType, _ range: Range<Int>, heap: StringHeap? = nil, zero: T,
  _ value: (Int) throws(QueryError) -> T?
) throws(QueryError) -> Column {
  let count = range.count
  let values = Buffer(byteCount: count * MemoryLayout<T>.stride)
  let out = values.typed(T.self)
  let valid = Bitmap(count: count, filled: true)
  var hasNulls = false
  var k = 0
  while k < count {
    if let result = try value(range.lowerBound &+ k) {
      out[k] = result
    } else {
      out[k] = zero
      valid.clear(k)
      hasNulls = true
    }
    k &+= 1
  }
  return Column(flat: type, count: count, values: values, validity: hasNulls ? valid : nil, heap: heap)
}
