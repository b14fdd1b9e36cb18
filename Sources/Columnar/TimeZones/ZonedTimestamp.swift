/// Packs and unpacks `timestamp with time zone` values: UTC picoseconds << 16 | zone key.
package enum ZonedTimestamp {
  package static let picosPerSecond: Int128 = 1_000_000_000_000

  @inline(__always)
  package static func pack(utcPicos: Int128, _ key: TimeZoneKey) -> Int128 { (utcPicos &<< 16) | Int128(key.rawValue) }

  /// UTC picoseconds since 1970-01-01: what comparisons look at.
  @inline(__always)
  package static func utcPicos(_ value: Int128) -> Int128 { value &>> 16 }

  @inline(__always)
  package static func key(_ value: Int128) -> TimeZoneKey { TimeZoneKey(rawValue: UInt16(truncatingIfNeeded: value)) }

  /// Whether a value is within the range of its type: up to 3 fraction digits, 52 bits of milliseconds.
  ///
  /// - Source: Trino `DateTimeEncoding`.
  package static func fits(_ value: Int128, precision: Int) -> Bool {
    precision > 3 || utcPicos(value).magnitude < 1_000_000_000 << 51
  }

  /// UTC seconds, rounded down.
  @inline(__always)
  package static func utcSeconds(_ value: Int128) -> Int64 { floorSeconds(value &>> 16) }

  /// The local date and time in the value's zone, as picoseconds since 1970-01-01 00:00.
  package static func localPicos(_ value: Int128, _ cursor: inout TimeZoneCursor) -> Int128 {
    let utc = value &>> 16
    return utc &+ Int128(cursor.offset(key(value), utcSeconds: floorSeconds(utc))) &* picosPerSecond
  }

  /// The value for a local date and time in a zone.
  package static func pack(localPicos: Int128, in zone: TimeZoneRules) -> Int128 {
    let seconds = floorSeconds(localPicos)
    let shift = Int128(zone.utcSeconds(localSeconds: seconds) &- seconds)
    return pack(utcPicos: localPicos &+ shift &* picosPerSecond, zone.key)
  }

  /// Picoseconds → whole seconds, rounded down; saturates far outside the calendar.
  @inline(__always)
  package static func floorSeconds(_ picos: Int128) -> Int64 {
    // 2¹² divides a million million, so that the division often fits in 64 bits.
    if let small = Int64(exactly: picos) {
      let quotient = small / 1_000_000_000_000
      return small % 1_000_000_000_000 < 0 ? quotient &- 1 : quotient
    }
    var quotient = picos / picosPerSecond
    if quotient * picosPerSecond > picos { quotient -= 1 }
    return Int64(clamping: quotient)
  }
}
