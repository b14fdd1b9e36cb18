import Columnar

/// What a file, stripe or row index entry tells of one column's values.
struct ORCColumnStatistics: Sendable {
  enum Bounds: Sendable {
    case none
    case integers(Int64, Int64)
    case doubles(Double, Double)
    /// Bounds, not always values: long strings are cut. Either may be missing.
    case strings([UInt8]?, [UInt8]?)
    case decimals(String, String)
    case dates(Int32, Int32)
    /// Milliseconds since 1970-01-01 00:00 of the local time read as UTC.
    case timestamps(Int64, Int64)
    /// How many are true.
    case trues(Int)
  }

  /// Values that are not NULL.
  var valueCount: Int?
  /// Files of old writers do not tell, and may have NULLs.
  var hasNull = true
  var bounds = Bounds.none

  init() {}

  init(_ bytes: UnsafeRawBufferPointer) throws(ORCDamage) {
    var reader = ProtobufReader(bytes)
    while let (field, wire) = try reader.next() {
      switch field {
      case 1: valueCount = try reader.size(wire)
      case 2:
        if let (low, high) = try ORCColumnStatistics.pair(try reader.bytes(wire), 1, 2, { (r, w) throws(ORCDamage) in try r.signed(w) }) {
          bounds = .integers(low, high)
        }
      case 3:
        if let (low, high) = try ORCColumnStatistics.pair(try reader.bytes(wire), 1, 2, { (r, w) throws(ORCDamage) in try r.double(w) }),
          !low.isNaN, !high.isNaN
        {
          bounds = .doubles(low, high)
        }
      case 4: bounds = try ORCColumnStatistics.strings(try reader.bytes(wire))
      case 5:
        var counts: [UInt64] = []
        var bucket = ProtobufReader(try reader.bytes(wire))
        while let (field, wire) = try bucket.next() {
          if field == 1 { try bucket.numbers(wire, into: &counts) } else { try bucket.skip(wire) }
        }
        if let count = counts.first { bounds = .trues(Int(clamping: count)) }
      case 6:
        if let (low, high) = try ORCColumnStatistics.pair(try reader.bytes(wire), 1, 2, { (r, w) throws(ORCDamage) in try r.string(w) }) {
          bounds = .decimals(low, high)
        }
      case 7:
        if let (low, high) = try ORCColumnStatistics.pair(try reader.bytes(wire), 1, 2, { (r, w) throws(ORCDamage) in try r.signed(w) }) {
          bounds = .dates(Int32(clamping: low), Int32(clamping: high))
        }
      case 9:
        // Only the bounds in UTC: the older ones are off by the writer's zone (ORC-135).
        if let (low, high) = try ORCColumnStatistics.pair(try reader.bytes(wire), 3, 4, { (r, w) throws(ORCDamage) in try r.signed(w) }) {
          bounds = .timestamps(low, high)
        }
      case 10: hasNull = try reader.unsigned(wire) != 0
      default: try reader.skip(wire)
      }
    }
  }

  private static func pair<Value>(
    _ bytes: UnsafeRawBufferPointer, _ low: Int, _ high: Int,
    _ read: (inout ProtobufReader, ProtobufReader.Wire) throws(ORCDamage) -> Value
  ) throws(ORCDamage) -> (Value, Value)? {
    var reader = ProtobufReader(bytes)
    var (first, second): (Value?, Value?) = (nil, nil)
    while let (field, wire) = try reader.next() {
      if field == low {
        first = try read(&reader, wire)
      } else if field == high {
        second = try read(&reader, wire)
      } else {
        try reader.skip(wire)
      }
    }
    guard let first, let second else { return nil }
    return (first, second)
  }

  private static func strings(_ bytes: UnsafeRawBufferPointer) throws(ORCDamage) -> Bounds {
    var reader = ProtobufReader(bytes)
    var (low, high): ([UInt8]?, [UInt8]?) = (nil, nil)
    while let (field, wire) = try reader.next() {
      switch field {
      case 1, 4: low = Array(try reader.bytes(wire))
      case 2, 5: high = Array(try reader.bytes(wire))
      default: try reader.skip(wire)
      }
    }
    return low == nil && high == nil ? .none : .strings(low, high)
  }
}
