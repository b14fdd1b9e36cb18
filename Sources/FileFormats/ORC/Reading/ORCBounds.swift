import Columnar

/// What statistics tell of a column in the type that a query asked for.
enum ORCBounds {
  /// How many values are NULL, as far as statistics tell; only for columns that no other column holds.
  static func nullCount(_ statistics: ORCColumnStatistics, rowCount: Int) -> Int? {
    if let valueCount = statistics.valueCount, valueCount <= rowCount { return rowCount - valueCount }
    return statistics.hasNull ? nil : 0
  }

  static func bounds(_ statistics: ORCColumnStatistics, _ node: ORCNode, as type: DataType) -> ValueBounds {
    switch (statistics.bounds, type) {
    case (.integers(let low, let high), _) where type.isInteger:
      return ValueBounds(min: .integer(low), max: .integer(high), isExact: true)
    case (.dates(let low, let high), .date):
      return ValueBounds(min: .integer(Int64(low)), max: .integer(Int64(high)), isExact: true)
    case (.doubles(let low, let high), .double):
      return ValueBounds(min: .double(zeroBelow(low)), max: .double(zeroAbove(high)), isExact: low != 0 && high != 0)
    case (.doubles(let low, let high), .real):
      return ValueBounds(min: .real(Float(zeroBelow(low))), max: .real(Float(zeroAbove(high))), isExact: low != 0 && high != 0)
    case (.strings(let low?, let high?), .varchar(nil)):
      return ValueBounds(min: .bytes(low), max: .bytes(high))
    case (.decimals(let low, let high), .decimal(_, let scale)) where scale == node.scale:
      guard let low = unscaled(low, scale), let high = unscaled(high, scale) else { return .unknown }
      if type.physicalType == .int64 {
        guard let low = Int64(exactly: low), let high = Int64(exactly: high) else { return .unknown }
        return ValueBounds(min: .integer(low), max: .integer(high), isExact: true)
      }
      return ValueBounds(min: .int128(low), max: .int128(high), isExact: true)
    case (.timestamps(let low, let high), .timestamp(let precision))
    where precision <= DataType.maxShortTimestampPrecision && node.kind == .timestamp:
      // Milliseconds, cut off; values are rounded to the type's precision, by half a second at most.
      let slack: Int64 = precision < 3 ? 500_001 : 1000
      guard low.magnitude < 1 << 52, high.magnitude < 1 << 52 else { return .unknown }
      return ValueBounds(min: .integer(low * 1000 - slack), max: .integer(high * 1000 + slack))
    case (.trues(let count), .boolean):
      guard let valueCount = statistics.valueCount, valueCount > 0, count <= valueCount else { return .unknown }
      return ValueBounds(min: .boolean(count == valueCount), max: .boolean(count > 0), isExact: true)
    default: return .unknown
    }
  }

  /// Writers may note 0 for −0, and the other way round.
  private static func zeroBelow(_ value: Double) -> Double { value == 0 ? -0.0 : value }
  private static func zeroAbove(_ value: Double) -> Double { value == 0 ? 0.0 : value }

  /// `12.5` at scale 2 → 1250.
  private static func unscaled(_ text: String, _ scale: Int) -> Int128? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2 else { return nil }
    var digits = String(parts[0])
    let fraction = parts.count == 2 ? String(parts[1]) : ""
    guard fraction.count <= scale else { return nil }
    digits += fraction + String(repeating: "0", count: scale - fraction.count)
    return Int128(digits)
  }
}
