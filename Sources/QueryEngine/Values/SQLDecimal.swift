import QueryErrors

/// A number with so many digits behind the point: SQL's `decimal`.
public struct SQLDecimal: Hashable, Sendable, CustomStringConvertible {
  /// The number times 10 to the power of `scale`.
  public var unscaled: Int128
  /// Digits behind the point, 0 to 38.
  public var scale: Int

  public init(unscaled: Int128, scale: Int) {
    self.unscaled = unscaled
    self.scale = min(max(scale, 0), DataType.maxDecimalPrecision)
  }

  /// `12.50`; nil for anything else than digits with a sign and a point, 38 of them at most.
  public init?(_ text: String) {
    var value: Int128 = 0
    var scale: Int?
    var digits = 0
    var rest = text.utf8[...]
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
    for byte in rest {
      if byte == UInt8(ascii: "."), scale == nil {
        scale = 0
        continue
      }
      guard byte >= 0x30, byte <= 0x39, digits < DataType.maxDecimalPrecision else { return nil }
      value = value * 10 + Int128(byte - 0x30)
      if value != 0 { digits += 1 }
      scale? += 1
    }
    guard rest.contains(where: { $0 != UInt8(ascii: ".") }), scale ?? 0 <= DataType.maxDecimalPrecision else { return nil }
    self.init(unscaled: isNegative ? -value : value, scale: scale ?? 0)
  }

  /// `12.50`.
  public var description: String { SQLText.of(scalar, sqlType) }
}

extension SQLDecimal: ScalarEncodable, ScalarDecodable {
  public static var sqlType: DataType { .decimal(precision: DataType.maxDecimalPrecision, scale: 0) }
  public var sqlType: DataType { .decimal(precision: precision, scale: scale) }

  public var scalar: Scalar {
    precision <= DataType.maxShortDecimalPrecision ? .integer(Int64(unscaled)) : .int128(unscaled)
  }

  /// Digits in all, those behind the point at least.
  private var precision: Int {
    var digits = max(scale, 1)
    while digits < DataType.maxDecimalPrecision, !DecimalMath.fits(unscaled, precision: digits) { digits += 1 }
    return digits
  }

  /// Reads decimals and whole numbers.
  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) {
    switch (type, scalar) {
    case (.decimal(_, let scale), .integer(let value)): self.init(unscaled: Int128(value), scale: scale)
    case (.decimal(_, let scale), .int128(let value)): self.init(unscaled: value, scale: scale)
    case (.tinyint, .integer(let value)), (.smallint, .integer(let value)), (.integer, .integer(let value)),
      (.bigint, .integer(let value)):
      self.init(unscaled: Int128(value), scale: 0)
    default: throw DecodingFailure.mismatch(scalar, type, SQLDecimal.self)
    }
  }
}
