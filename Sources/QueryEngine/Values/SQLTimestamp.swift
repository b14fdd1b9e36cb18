import QueryErrors

/// A date and a time without a zone: SQL's `timestamp`.
public struct SQLTimestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Microseconds since 1970-01-01 00:00 as the clock on the wall counts them.
  public var microseconds: Int64
  /// Of the microsecond, 0 to 999,999.
  public var picoseconds: Int32

  public init(microseconds: Int64, picoseconds: Int32 = 0) {
    self.microseconds = microseconds
    self.picoseconds = picoseconds
  }

  public init(_ date: SQLDate, hour: Int = 0, minute: Int = 0, second: Int = 0, microsecond: Int = 0) {
    let seconds = ((date.days * 24 + hour) * 60 + minute) * 60 + second
    self.init(microseconds: Int64(seconds) * 1_000_000 + Int64(microsecond))
  }

  public var date: SQLDate { SQLDate(days: Int(CalendarDate.floorDivide(microseconds, 86_400_000_000))) }

  public static func < (a: SQLTimestamp, b: SQLTimestamp) -> Bool {
    (a.microseconds, a.picoseconds) < (b.microseconds, b.picoseconds)
  }

  /// `2024-02-29 13:05:00.000000`.
  public var description: String { SQLText.of(scalar, sqlType) }
}

extension SQLTimestamp: ScalarEncodable, ScalarDecodable {
  public static var sqlType: DataType { .timestamp(precision: 6) }
  public var sqlType: DataType { .timestamp(precision: picoseconds == 0 ? 6 : 12) }

  public var scalar: Scalar {
    picoseconds == 0 ? .integer(microseconds) : .int128(Int128(microseconds) * 1_000_000 + Int128(picoseconds))
  }

  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) {
    switch (type, scalar) {
    case (.timestamp, .integer(let micros)): self.init(microseconds: micros)
    case (.timestamp, .int128(let picos)):
      let (micros, rest) = picos.quotientAndRemainder(dividingBy: 1_000_000)
      self.init(microseconds: Int64(rest < 0 ? micros - 1 : micros), picoseconds: Int32(rest < 0 ? rest + 1_000_000 : rest))
    default: throw DecodingFailure.mismatch(scalar, type, SQLTimestamp.self)
    }
  }
}

/// A moment, and the zone it is to be shown in: SQL's `timestamp with time zone`.
public struct SQLInstant: Hashable, Sendable, Codable, CustomStringConvertible {
  /// Microseconds since 1970-01-01 00:00 UTC.
  public var microseconds: Int64
  /// `UTC`, `Europe/Berlin`, `+02:00`.
  public var zone: String

  /// - Note: a zone that does not exist shows as UTC.
  public init(microseconds: Int64, zone: String = "UTC") {
    self.microseconds = microseconds
    self.zone = zone
  }

  /// `2024-02-29 13:05:00.000000 Europe/Berlin`.
  public var description: String { SQLText.of(scalar, sqlType) }
}

extension SQLInstant: ScalarEncodable, ScalarDecodable {
  public static var sqlType: DataType { .timestampWithTimeZone(precision: 6) }

  public var scalar: Scalar {
    let key = (try? SessionSettings.timeZone(named: zone)) ?? .utc
    return .int128(Int128(microseconds) * 1_000_000 << 16 | Int128(key.rawValue))
  }

  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) {
    guard case .timestampWithTimeZone = type, case .int128(let bits) = scalar else {
      throw DecodingFailure.mismatch(scalar, type, SQLInstant.self)
    }
    let text = SQLText.of(scalar, type)
    let (micros, rest) = (bits >> 16).quotientAndRemainder(dividingBy: 1_000_000)
    self.init(
      microseconds: Int64(rest < 0 ? micros - 1 : micros), zone: text.split(separator: " ").last.map(String.init) ?? "UTC")
  }
}
