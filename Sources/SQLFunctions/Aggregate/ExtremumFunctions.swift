import Columnar
import QueryErrors

/// Smallest and largest values.
package enum ExtremumFunctions: AggregateFamily {
  package static let title = "Smallest and largest"

  package static let functions: [AggregateFunction] = [
    AggregateFunction(
      "min", summary: "The smallest value, or an array of the n smallest, ascending.",
      examples: [
        Example("(SELECT min(x) FROM (VALUES 3, 1, 2) t(x))", "1"),
        Example("(SELECT min(x, 2) FROM (VALUES 3, 1, 2) t(x))", "[1, 2]"),
      ], ignoresDuplicates: true, overloads: forms(wantsMax: false)),
    AggregateFunction(
      "max", summary: "The largest value, or an array of the n largest, descending.",
      examples: [
        Example("(SELECT max(x) FROM (VALUES 3, 1, 2) t(x))", "3"),
        Example("(SELECT max(x, 2) FROM (VALUES 3, 1, 2) t(x))", "[3, 2]"),
      ], ignoresDuplicates: true, overloads: forms(wantsMax: true)),
  ]

  private static func forms(wantsMax: Bool) -> [AggregateOverload] {
    [
      AggregateOverload([.orderable("T")], returns: .argument(0)) { (context) throws(QueryError) in
        let type = context.binding.argumentTypes[0]
        if NumericExtremumAccumulator.handles(type) { return NumericExtremumAccumulator(type, wantsMax: wantsMax) }
        if type.physicalType == .string, !type.isChar { return StringExtremumAccumulator(type, wantsMax: wantsMax) }
        return RowExtremumAccumulator(type, wantsMax: wantsMax)
      },
      AggregateOverload([.orderable("T"), .bigint], returns: .pattern(.array(.variable("T")))) {
        (context) throws(QueryError) in
        TopRowsAccumulator(
          valueType: nil, keyType: context.binding.argumentTypes[0], wantsMax: wantsMax,
          name: wantsMax ? "max" : "min", returnType: context.binding.returnType)
      },
    ]
  }
}

/// min and max of types whose values compare as numbers.
///
/// - Nulls: skipped. NaN loses against every number.
final class NumericExtremumAccumulator: GroupsAccumulator {
  private let type: DataType
  private let physical: PhysicalType
  private let wantsMax: Bool
  private var values: Buffer
  private var seen = GroupArray<UInt8>(empty: 0)
  private var capacity = 0

  /// Types ordered by their stored numbers.
  static func handles(_ type: DataType) -> Bool {
    switch type {
    case .timestampWithTimeZone, .timeWithTimeZone: return false
    default:
      switch type.physicalType {
      case .bool, .int8, .int16, .int32, .int64, .int128, .float, .double: return true
      default: return false
      }
    }
  }

  init(_ type: DataType, wantsMax: Bool) {
    self.type = type
    physical = type.physicalType
    self.wantsMax = wantsMax
    values = Buffer(byteCount: 0)
  }

  func resize(groupCount: Int) {
    let known = seen.count
    seen.resize(groupCount)
    if groupCount > capacity {
      capacity = max(groupCount, capacity * 2, 16)
      let larger = Buffer(byteCount: capacity * physical.byteWidth)
      larger.pointer.copyMemory(from: values.pointer, byteCount: known * physical.byteWidth)
      values = larger
    }
    if groupCount > known {
      switch physical {
      case .bool: fill(UInt8.self, known, groupCount, wantsMax ? 0 : .max)
      case .int8: fill(Int8.self, known, groupCount, wantsMax ? .min : .max)
      case .int16: fill(Int16.self, known, groupCount, wantsMax ? .min : .max)
      case .int32: fill(Int32.self, known, groupCount, wantsMax ? .min : .max)
      case .int64: fill(Int64.self, known, groupCount, wantsMax ? .min : .max)
      case .int128: fill(Int128.self, known, groupCount, wantsMax ? .min : .max)
      // NaN, so that a group of nothing but NaN answers NaN.
      case .float: fill(Float.self, known, groupCount, .nan)
      default: fill(Double.self, known, groupCount, .nan)
      }
    }
  }

  @inline(__always)
  private func fill<T: BitwiseCopyable>(_: T.Type, _ from: Int, _ to: Int, _ value: T) {
    let p = values.typed(T.self)
    var group = from
    while group < to {
      p[group] = value
      group &+= 1
    }
  }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    if rowCount == 0 { return }
    let column = arguments[0]
    switch physical {
    case .bool: fold(UInt8.self, column, groups, rowCount)
    case .int8: fold(Int8.self, column, groups, rowCount)
    case .int16: fold(Int16.self, column, groups, rowCount)
    case .int32: fold(Int32.self, column, groups, rowCount)
    case .int64: fold(Int64.self, column, groups, rowCount)
    case .int128: fold(Int128.self, column, groups, rowCount)
    case .float: foldFloating(Float.self, column, groups, rowCount)
    default: foldFloating(Double.self, column, groups, rowCount)
    }
  }

  @inline(__always)
  private func fold<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type, _ column: Column, _ groups: UnsafePointer<Int32>?, _ rowCount: Int
  ) {
    let (best, seen) = (values.typed(T.self), seen.pointer)
    if groups == nil, let buffer = column.plainValues {
      let p = buffer.typed(T.self)
      var m = best[0]
      var row = 0
      if wantsMax {
        while row < rowCount {
          m = p[row] > m ? p[row] : m
          row &+= 1
        }
      } else {
        while row < rowCount {
          m = p[row] < m ? p[row] : m
          row &+= 1
        }
      }
      best[0] = m
      seen[0] = 1
    } else if wantsMax {
      forEachValue(column, T.self, groups, rowCount) { group, value in
        let old = best[group]
        best[group] = value > old ? value : old
        seen[group] = 1
      }
    } else {
      forEachValue(column, T.self, groups, rowCount) { group, value in
        let old = best[group]
        best[group] = value < old ? value : old
        seen[group] = 1
      }
    }
  }

  @inline(__always)
  private func foldFloating<T: BinaryFloatingPoint & BitwiseCopyable>(
    _: T.Type, _ column: Column, _ groups: UnsafePointer<Int32>?, _ rowCount: Int
  ) {
    let (best, seen) = (values.typed(T.self), seen.pointer)
    if wantsMax {
      forEachValue(column, T.self, groups, rowCount) { group, value in
        let old = best[group]
        best[group] = old >= value || value != value ? old : value
        seen[group] = 1
      }
    } else {
      forEachValue(column, T.self, groups, rowCount) { group, value in
        let old = best[group]
        best[group] = old <= value || value != value ? old : value
        seen[group] = 1
      }
    }
  }

  var mergesByCopy: Bool { true }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let other = other as! NumericExtremumAccumulator
    switch physical {
    case .bool: try join(UInt8.self, other, sources, targets, count)
    case .int8: try join(Int8.self, other, sources, targets, count)
    case .int16: try join(Int16.self, other, sources, targets, count)
    case .int32: try join(Int32.self, other, sources, targets, count)
    case .int64: try join(Int64.self, other, sources, targets, count)
    case .int128: try join(Int128.self, other, sources, targets, count)
    case .float: try join(Float.self, other, sources, targets, count)
    default: try join(Double.self, other, sources, targets, count)
    }
  }

  @inline(__always)
  private func join<T: Comparable & BitwiseCopyable>(
    _: T.Type, _ other: NumericExtremumAccumulator, _ sources: UnsafePointer<Int32>?,
    _ targets: UnsafePointer<Int32>?, _ count: Int
  ) throws(QueryError) {
    let (own, theirs) = (values.typed(T.self), other.values.typed(T.self))
    let (ownSeen, theirSeen) = (seen.pointer, other.seen.pointer)
    let wantsMax = wantsMax
    try forEachPair(sources, targets, count) { source, target in
      if theirSeen[source] == 0 { return }
      let (a, b) = (own[target], theirs[source])
      // Written so that NaN on the own side gives way and on the other side loses.
      let keeps = wantsMax ? a >= b : a <= b
      if !keeps, b == b { own[target] = b }
      ownSeen[target] = 1
    }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    let count = range.count
    let width = physical.byteWidth
    let copy = Buffer(byteCount: count * width)
    copy.pointer.copyMemory(from: values.pointer + range.lowerBound * width, byteCount: count * width)
    let flags = seen.pointer + range.lowerBound
    let valid = Bitmap(count: count, filled: true)
    var hasNulls = false
    for k in 0..<count where flags[k] == 0 {
      valid.clear(k)
      hasNulls = true
    }
    return Column(flat: type, count: count, values: copy, validity: hasNulls ? valid : nil)
  }

  var byteCount: Int { capacity * (physical.byteWidth + 1) }
}

/// min and max of strings compared by their bytes.
final class StringExtremumAccumulator: GroupsAccumulator {
  private let type: DataType
  private let wantsMax: Bool
  private var values = GroupArray<StringView>(empty: StringView())
  private var seen = GroupArray<UInt8>(empty: 0)
  private var arena = StringArena()
  /// Arena size from which on replaced strings are dropped.
  private var packingSize = 1 << 20

  init(_ type: DataType, wantsMax: Bool) {
    self.type = type
    self.wantsMax = wantsMax
  }

  func resize(groupCount: Int) {
    values.resize(groupCount)
    seen.resize(groupCount)
  }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    let column = arguments[0]
    let (best, seen) = (values.pointer, seen.pointer)
    if groups == nil {
      // Find the batch's own best first: one string is copied instead of every improvement.
      var m = StringView()
      var found = false
      let wantsMax = wantsMax
      forEachValue(column, StringView.self, nil, rowCount) { _, value in
        if !found {
          m = value
          found = true
        } else {
          let order = StringView.compare(value, m)
          if wantsMax ? order > 0 : order < 0 { m = value }
        }
      }
      if found, wins(m, best[0], seen[0]) {
        best[0] = arena.add(m)
        seen[0] = 1
      }
    } else if wantsMax {
      forEachValue(column, StringView.self, groups, rowCount) { group, value in
        if seen[group] == 0 || StringView.compare(value, best[group]) > 0 {
          best[group] = arena.add(value)
          seen[group] = 1
        }
      }
    } else {
      forEachValue(column, StringView.self, groups, rowCount) { group, value in
        if seen[group] == 0 || StringView.compare(value, best[group]) < 0 {
          best[group] = arena.add(value)
          seen[group] = 1
        }
      }
    }
    withExtendedLifetime(column) { if arena.byteCount > packingSize { pack() } }
  }

  private func wins(_ value: StringView, _ best: StringView, _ seen: UInt8) -> Bool {
    if seen == 0 { return true }
    let order = StringView.compare(value, best)
    return wantsMax ? order > 0 : order < 0
  }

  /// Copies the strings still held and lets go of the rest.
  private func pack() {
    var fresh = StringArena()
    let p = values.pointer
    for group in 0..<values.count { p[group] = fresh.add(p[group]) }
    arena = fresh
    packingSize = max(1 << 20, 4 * arena.byteCount)
  }

  var mergesByCopy: Bool { true }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let other = other as! StringExtremumAccumulator
    let (own, theirs) = (values.pointer, other.values.pointer)
    let (ownSeen, theirSeen) = (seen.pointer, other.seen.pointer)
    try forEachPair(sources, targets, count) { source, target in
      if theirSeen[source] != 0, wins(theirs[source], own[target], ownSeen[target]) {
        own[target] = arena.add(theirs[source])
        ownSeen[target] = 1
      }
    }
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    let (best, seen) = (values.pointer, seen.pointer)
    return try resultColumn(type, range, heap: arena.heap, zero: StringView()) { group in
      seen[group] == 0 ? nil : best[group]
    }
  }

  var byteCount: Int { values.byteCount + seen.byteCount + arena.byteCount }
}

/// min and max of everything else: char, values with time zone, arrays and rows.
final class RowExtremumAccumulator: GroupsAccumulator {
  private let type: DataType
  private let wantsMax: Bool
  private let store: RowStore

  init(_ type: DataType, wantsMax: Bool) {
    self.type = type
    self.wantsMax = wantsMax
    store = RowStore(type, unorderedFirst: wantsMax)
  }

  func resize(groupCount: Int) { store.resize(groupCount) }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    let column = arguments[0]
    if column.isAllNull { return }
    let isNested = type.isNested
    store.beginBatch(column)
    defer { store.endBatch() }
    try forEachRow(column.validity, groups, rowCount) { (group, row) throws(QueryError) in
      if store.isEmpty(group) { return store.set(group, row: row) }
      if isNested, store.meetsNull(batchRow: row, slot: group) { throw nullElements(type) }
      let order = store.order(batchRow: row, slot: group)
      if wantsMax ? order > 0 : order < 0 { store.set(group, row: row) }
    }
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let other = (other as! RowExtremumAccumulator).store
    let offset = store.adoptChunks(of: other)
    try forEachPair(sources, targets, count) { source, target in
      if other.isEmpty(source) { return }
      if !store.isEmpty(target) {
        let order = other.order(slot: source, store, slot: target)
        if wantsMax ? order <= 0 : order >= 0 { return }
      }
      store.take(target, from: other, source, offset: offset)
    }
    store.packIfNeeded()
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    store.column(range.count, as: type) { range.lowerBound + $0 }
  }

  var byteCount: Int { store.byteCount }
}

/// What comparing nested values with NULL elements throws.
func nullElements(_ type: DataType) -> QueryError {
  if case .row = type {
    return .notSupported("ROW comparison not supported for fields with null elements")
  }
  return .notSupported("ARRAY comparison not supported for arrays with null elements")
}
