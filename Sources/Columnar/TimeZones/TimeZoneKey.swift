/// A time zone in 16 bits, as values with time zone carry it.
///
///     0            UTC
///     1 … 1681     fixed offsets of −14:00 … +14:00: offset minutes + 841
///     2048 …       named zones, numbered as the process meets them (`TimeZoneDatabase`)
package struct TimeZoneKey: Hashable, Sendable, BitwiseCopyable {
  package var rawValue: UInt16
  package init(rawValue: UInt16) { self.rawValue = rawValue }

  package static let utc = TimeZoneKey(rawValue: 0)
  package static let firstNamed: UInt16 = 2048

  /// A fixed offset; 0 gives `+00:00`, which is not the zone `UTC`.
  ///
  /// - Units: minutes east of UTC, −840 … 840.
  package init(offsetMinutes: Int) { rawValue = UInt16(offsetMinutes + 841) }

  /// Minutes east of UTC when the offset is fixed.
  package var fixedOffsetMinutes: Int? {
    rawValue == 0 ? 0 : (rawValue <= 1681 ? Int(rawValue) - 841 : nil)
  }
}
