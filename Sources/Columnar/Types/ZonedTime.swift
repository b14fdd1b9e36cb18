/// Packs and unpacks `time with time zone` values: picoseconds of the local day << 16 | offset minutes + 840.
public enum ZonedTime {
  public static let picosPerDay: Int64 = 86_400_000_000_000_000

  @inlinable @inline(__always)
  public static func pack(localPicos: Int64, offsetMinutes: Int) -> Int128 {
    (Int128(localPicos) &<< 16) | Int128(offsetMinutes &+ 840)
  }

  @inlinable @inline(__always)
  public static func localPicos(_ value: Int128) -> Int64 { Int64(truncatingIfNeeded: value &>> 16) }

  @inlinable @inline(__always)
  public static func offsetMinutes(_ value: Int128) -> Int { Int(truncatingIfNeeded: value & 0xffff) &- 840 }

  /// The time of day in UTC: what comparisons look at.
  @inlinable @inline(__always)
  public static func utcPicos(_ value: Int128) -> Int64 {
    let utc = (localPicos(value) &- Int64(offsetMinutes(value)) &* 60_000_000_000_000) % picosPerDay
    return utc < 0 ? utc &+ picosPerDay : utc
  }
}
