package import Columnar
import QueryErrors

/// Hive's bucket of rows: the hash of some columns, without its sign, modulo the number of buckets.
///
/// - Source: Hive `ObjectInspectorUtils.getBucketHashCode` (bucketing version 1); Trino `HiveBucketingV1`.
package final class BucketHasher {
  private let count: Int32

  /// - Throws: `NOT_SUPPORTED` for types that tables cannot be bucketed by.
  init(_ types: [DataType], count: Int) throws(QueryError) {
    self.count = Int32(clamping: count)
    for type in types { guard BucketHasher.isSupported(type) else { throw BucketHasher.refusal(type) } }
  }

  package static func isSupported(_ type: DataType) -> Bool {
    switch type {
    case .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .varchar, .date, .timestamp: true
    case .array(let element): isSupported(element)
    case .map(let key, let value): isSupported(key) && isSupported(value)
    default: false
    }
  }

  private static func refusal(_ type: DataType) -> QueryError {
    QueryError.notSupported("Tables cannot be bucketed by a column of type \(type)")
  }

  /// The bucket of each row, as a column of integers.
  func buckets(_ columns: [Column], rowCount: Int) throws(QueryError) -> Column {
    let result = Buffer(byteCount: max(rowCount, 1) * 4)
    let out = result.typed(Int32.self)
    for row in 0..<rowCount { out[row] = 0 }
    for column in columns {
      let column = column.type.isNested ? column.flattened() : column
      let view = column.view
      for row in 0..<rowCount { out[row] = out[row] &* 31 &+ BucketHasher.hash(column, view, row) }
      withExtendedLifetime(column) {}
    }
    for row in 0..<rowCount { out[row] = (out[row] & Int32.max) % count }
    return Column(flat: .integer, count: rowCount, values: result, validity: nil)
  }

  private static func hash(_ column: Column, _ view: ColumnView, _ row: Int) -> Int32 {
    if column.isNull(row) { return 0 }
    switch column.type {
    case .boolean: return view.value(row, as: UInt8.self) != 0 ? 1 : 0
    case .tinyint: return Int32(view.value(row, as: Int8.self))
    case .smallint: return Int32(view.value(row, as: Int16.self))
    case .integer, .date: return view.value(row, as: Int32.self)
    case .bigint: return fold(view.value(row, as: Int64.self))
    case .real: return Int32(bitPattern: view.value(row, as: Float.self).isNaN ? 0x7fc0_0000 : view.value(row, as: Float.self).bitPattern)
    case .double:
      let value = view.value(row, as: Double.self)
      return fold(Int64(bitPattern: value.isNaN ? 0x7ff8_0000_0000_0000 : value.bitPattern))
    case .varchar:
      return view.value(row, as: StringView.self).withBytes { (bytes, count) in
        var hash: Int32 = 0
        for index in 0..<count { hash = hash &* 31 &+ Int32(bytes.load(fromByteOffset: index, as: Int8.self)) }
        return hash
      }
    case .timestamp(let precision):
      if precision <= DataType.maxShortTimestampPrecision { return timestamp(micros: Int128(view.value(row, as: Int64.self)), nanos: 0) }
      let picos = view.value(row, as: Int128.self)
      let micros = picos >= 0 ? picos / 1_000_000 : (picos - 999_999) / 1_000_000
      return timestamp(micros: micros, nanos: Int64((picos - micros * 1_000_000) / 1000))
    case .array:
      let child = column.children[0].type.isNested ? column.children[0].flattened() : column.children[0]
      return column.elementRange(row).reduce(0) { $0 &* 31 &+ hash(child, child.view, $1) }
    case .map:
      let keys = column.children[0]
      let values = column.children[1].type.isNested ? column.children[1].flattened() : column.children[1]
      return column.elementRange(row).reduce(0) { $0 &+ (hash(keys, keys.view, $1) ^ hash(values, values.view, $1)) }
    default: return 0
    }
  }

  private static func fold(_ value: Int64) -> Int32 { Int32(truncatingIfNeeded: UInt64(bitPattern: value) >> 32 ^ UInt64(bitPattern: value)) }

  /// Seconds and nanoseconds as Hive's `TimestampWritable` packs them.
  private static func timestamp(micros: Int128, nanos: Int64) -> Int32 {
    var seconds = Int64(truncatingIfNeeded: micros / 1_000_000)
    var rest = Int64(truncatingIfNeeded: micros % 1_000_000) * 1000 + nanos
    if rest < 0 {
      rest += 1_000_000_000
      seconds -= 1
    }
    return fold(seconds << 30 | rest)
  }
}
