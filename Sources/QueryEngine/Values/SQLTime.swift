import QueryErrors

/// A time of day without a zone: SQL's `time`.
public struct SQLTime: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Since midnight.
  public var picoseconds: Int64

  public init(picoseconds: Int64) { self.picoseconds = picoseconds }

  public init(hour: Int, minute: Int, second: Int = 0, nanosecond: Int = 0) {
    picoseconds = Int64((hour * 60 + minute) * 60 + second) * TimestampText.picosPerSecond + Int64(nanosecond) * 1000
  }

  public static func < (a: SQLTime, b: SQLTime) -> Bool { a.picoseconds < b.picoseconds }

  /// `13:05:00.000000000`.
  public var description: String { SQLText.of(scalar, sqlType) }
}

extension SQLTime: ScalarEncodable, ScalarDecodable {
  public static var sqlType: DataType { .time(precision: 9) }
  public var scalar: Scalar { .integer(picoseconds) }

  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) {
    guard case .time = type, case .integer(let value) = scalar else {
      throw DecodingFailure.mismatch(scalar, type, SQLTime.self)
    }
    self.init(picoseconds: value)
  }
}
