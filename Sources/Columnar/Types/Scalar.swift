/// One SQL value without its type; what each case holds follows from the type's `physicalType`.
///
/// - Units: as in `DataType`: `integer` carries every type kept in 8 to 64 bits (short decimals unscaled, dates in days,
///   timestamps(p ≤ 6) in microseconds, times in picoseconds), `int128` every type kept in 128 bits.
public indirect enum Scalar: Hashable, Sendable {
  case null
  case boolean(Bool)
  case integer(Int64)
  case int128(Int128)
  case real(Float)
  case double(Double)
  /// Bytes of varchar, char, json (UTF-8), varbinary, uuid, ipaddress and the sketches.
  case bytes([UInt8])
  case array([Scalar])
  case map([MapEntry])
  case row([Scalar])

  /// One entry of a map value.
  public struct MapEntry: Hashable, Sendable {
    public var key: Scalar
    public var value: Scalar
    public init(key: Scalar, value: Scalar) {
      self.key = key
      self.value = value
    }
  }

  /// A varchar value.
  public static func string(_ text: String) -> Scalar { .bytes(Array(text.utf8)) }

  public var isNull: Bool { self == .null }

  /// The bytes as text, damaged UTF-8 repaired; nil for other cases.
  public var stringValue: String? { if case .bytes(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil } }
  public var integerValue: Int64? { if case .integer(let value) = self { value } else { nil } }
  public var booleanValue: Bool? { if case .boolean(let value) = self { value } else { nil } }
}
