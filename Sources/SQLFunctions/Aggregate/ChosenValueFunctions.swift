import Columnar
import QueryErrors

/// Aggregates that answer one of the values: any of them, or the one that goes with an extreme key.
package enum ChosenValueFunctions: AggregateFamily {
  package static let title = "Chosen values"

  package static let functions: [AggregateFunction] = [
    AggregateFunction(
      "any_value", aliases: ["arbitrary"], summary: "Some value that is not NULL, if there is one.",
      examples: [Example("(SELECT any_value(x) FROM (VALUES NULL, 3) t(x))", "3")], ignoresDuplicates: true,
      overloads: [
        AggregateOverload([.t], returns: .argument(0)) { (context) throws(QueryError) in
          AnyValueAccumulator(context.binding.argumentTypes[0])
        }
      ]),
    extreme("max_by", wantsMax: true, "b", "[b, a]"), extreme("min_by", wantsMax: false, "a", "[a, b]"),
  ]

  private static func extreme(_ name: String, wantsMax: Bool, _ one: String, _ two: String) -> AggregateFunction {
    AggregateFunction(
      name,
      summary:
        "The first argument's value where the second is \(wantsMax ? "largest" : "smallest"), or of the n such rows.",
      examples: [
        Example("(SELECT \(name)(x, y) FROM (VALUES ('a', 1), ('b', 2)) t(x, y))", one),
        Example("(SELECT \(name)(x, y, 2) FROM (VALUES ('a', 1), ('b', 2)) t(x, y))", two),
      ],
      overloads: [
        AggregateOverload([.variable("V"), .orderable("K")], returns: .argument(0)) { (context) throws(QueryError) in
          ChosenByKeyAccumulator(
            valueType: context.binding.argumentTypes[0], keyType: context.binding.argumentTypes[1], wantsMax: wantsMax)
        },
        AggregateOverload(
          [.variable("V"), .orderable("K"), .bigint], returns: .pattern(.array(.variable("V")))
        ) { (context) throws(QueryError) in
          TopRowsAccumulator(
            valueType: context.binding.argumentTypes[0], keyType: context.binding.argumentTypes[1], wantsMax: wantsMax,
            name: name, returnType: context.binding.returnType)
        },
      ])
  }
}

/// The first value of each group that is not NULL.
final class AnyValueAccumulator: GroupsAccumulator {
  private let store: RowStore
  private var openGroups = 0

  init(_ type: DataType) { store = RowStore(type) }

  func resize(groupCount: Int) {
    openGroups += max(0, groupCount - store.locations.count)
    store.resize(groupCount)
  }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    let column = arguments[0]
    if openGroups == 0 || column.isAllNull { return }
    store.beginBatch(column)
    defer { store.endBatch() }
    try forEachRow(column.validity, groups, rowCount) { group, row in
      if store.isEmpty(group) {
        store.set(group, row: row)
        openGroups -= 1
      }
    }
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let other = (other as! AnyValueAccumulator).store
    let offset = store.adoptChunks(of: other)
    try forEachPair(sources, targets, count) { source, target in
      if store.isEmpty(target), !other.isEmpty(source) {
        store.take(target, from: other, source, offset: offset)
        openGroups -= 1
      }
    }
    store.packIfNeeded()
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    store.column(range.count, as: store.type) { range.lowerBound + $0 }
  }

  var byteCount: Int { store.byteCount }
}

/// The value of the row with the largest or smallest key: `max_by`, `min_by`.
///
/// - Nulls: rows whose key is NULL do not count; the value may be NULL. NaN keys lose against all others.
final class ChosenByKeyAccumulator: GroupsAccumulator {
  private enum KeyKind { case integer, floating, other }
  private let kind: KeyKind
  private let keyType: DataType
  private let wantsMax: Bool
  private let values: RowStore
  /// Keys of type `other`.
  private let keys: RowStore
  private var integers = GroupArray<Int64>(empty: 0)
  private var doubles = GroupArray<Double>(empty: .nan)

  init(valueType: DataType, keyType: DataType, wantsMax: Bool) {
    self.keyType = keyType
    self.wantsMax = wantsMax
    values = RowStore(valueType)
    keys = RowStore(keyType, unorderedFirst: wantsMax)
    switch keyType.physicalType {
    case .bool, .int8, .int16, .int32, .int64: kind = .integer
    case .float, .double: kind = .floating
    default: kind = .other
    }
  }

  func resize(groupCount: Int) {
    values.resize(groupCount)
    switch kind {
    case .integer: integers.resize(groupCount)
    case .floating: doubles.resize(groupCount)
    case .other: keys.resize(groupCount)
    }
  }

  func update(_ arguments: [Column], groups: UnsafePointer<Int32>?, rowCount: Int) throws(QueryError) {
    let key = arguments[1]
    if key.isAllNull { return }
    values.beginBatch(arguments[0])
    defer { values.endBatch() }
    switch keyType.physicalType {
    case .bool: try byInteger(UInt8.self, key, groups, rowCount)
    case .int8: try byInteger(Int8.self, key, groups, rowCount)
    case .int16: try byInteger(Int16.self, key, groups, rowCount)
    case .int32: try byInteger(Int32.self, key, groups, rowCount)
    case .int64: try byInteger(Int64.self, key, groups, rowCount)
    case .float: try byDouble(Float.self, key, groups, rowCount)
    case .double: try byDouble(Double.self, key, groups, rowCount)
    default:
      keys.beginBatch(key)
      defer { keys.endBatch() }
      let isNested = keyType.isNested
      try forEachRow(key.validity, groups, rowCount) { (group, row) throws(QueryError) in
        if !keys.isEmpty(group) {
          if isNested, keys.meetsNull(batchRow: row, slot: group) { throw nullElements(keyType) }
          let order = keys.order(batchRow: row, slot: group)
          if wantsMax ? order <= 0 : order >= 0 { return }
        }
        keys.set(group, row: row)
        values.set(group, row: row)
      }
    }
  }

  @inline(__always)
  private func byInteger<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type, _ key: Column, _ groups: UnsafePointer<Int32>?, _ rowCount: Int
  ) throws(QueryError) {
    let (view, best) = (key.view, integers.pointer)
    try forEachRow(key.validity, groups, rowCount) { group, row in
      let value = Int64(truncatingIfNeeded: view.value(row, as: T.self))
      if (wantsMax ? value > best[group] : value < best[group]) || values.isEmpty(group) {
        best[group] = value
        values.set(group, row: row)
      }
    }
    withExtendedLifetime(key) {}
  }

  @inline(__always)
  private func byDouble<T: BinaryFloatingPoint & BitwiseCopyable>(
    _: T.Type, _ key: Column, _ groups: UnsafePointer<Int32>?, _ rowCount: Int
  ) throws(QueryError) {
    let (view, best) = (key.view, doubles.pointer)
    try forEachRow(key.validity, groups, rowCount) { group, row in
      let value = Double(view.value(row, as: T.self))
      if Self.wins(value, best[group], wantsMax) || values.isEmpty(group) {
        best[group] = value
        values.set(group, row: row)
      }
    }
    withExtendedLifetime(key) {}
  }

  @inline(__always)
  private static func wins(_ value: Double, _ best: Double, _ wantsMax: Bool) -> Bool {
    if best.isNaN { return !value.isNaN }
    return wantsMax ? value > best : value < best
  }

  func merge(
    _ other: any GroupsAccumulator, sources: UnsafePointer<Int32>?, targets: UnsafePointer<Int32>?, count: Int
  ) throws(QueryError) {
    let other = other as! ChosenByKeyAccumulator
    let valueOffset = values.adoptChunks(of: other.values)
    let keyOffset = kind == .other ? keys.adoptChunks(of: other.keys) : 0
    try forEachPair(sources, targets, count) { source, target in
      if other.values.isEmpty(source) { return }
      let isFirst = values.isEmpty(target)
      switch kind {
      case .integer:
        let (value, best) = (other.integers.pointer[source], integers.pointer[target])
        guard isFirst || (wantsMax ? value > best : value < best) else { return }
        integers.pointer[target] = value
      case .floating:
        let (value, best) = (other.doubles.pointer[source], doubles.pointer[target])
        guard isFirst || Self.wins(value, best, wantsMax) else { return }
        doubles.pointer[target] = value
      case .other:
        if !isFirst {
          let order = other.keys.order(slot: source, keys, slot: target)
          guard wantsMax ? order > 0 : order < 0 else { return }
        }
        keys.take(target, from: other.keys, source, offset: keyOffset)
      }
      values.take(target, from: other.values, source, offset: valueOffset)
    }
    values.packIfNeeded()
    keys.packIfNeeded()
  }

  func finish(_ range: Range<Int>) throws(QueryError) -> Column {
    values.column(range.count, as: values.type) { range.lowerBound + $0 }
  }

  var byteCount: Int { values.byteCount + keys.byteCount + integers.byteCount + doubles.byteCount }
}
