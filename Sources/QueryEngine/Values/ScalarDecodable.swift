import QueryErrors

/// A Swift type that values of a result can be read as.
public protocol ScalarDecodable: Sendable {
  /// - Parameter type: how `scalar` is kept.
  /// - Throws: `TYPE_MISMATCH` when the type does not fit, `NUMERIC_VALUE_OUT_OF_RANGE` when the value does not.
  init(_ scalar: Scalar, of type: DataType) throws(QueryError)
}

/// What decoding throws.
enum DecodingFailure {
  static func mismatch<T>(_ scalar: Scalar, _ type: DataType, _ wanted: T.Type) -> QueryError {
    scalar.isNull
      ? QueryError(
        .typeMismatch, "NULL cannot be read as \(wanted)", hint: "Read the column as \(wanted)?.")
      : QueryError(.typeMismatch, "A value of type \(type) cannot be read as \(wanted)")
  }

  static func range<T>(_ value: some CustomStringConvertible, _ wanted: T.Type) -> QueryError {
    QueryError(.numericValueOutOfRange, "\(value) is out of the range of \(wanted)")
  }
}

extension ScalarDecodable where Self: FixedWidthInteger {
  fileprivate init(whole scalar: Scalar, of type: DataType) throws(QueryError) {
    guard type.isInteger, case .integer(let value) = scalar else {
      throw DecodingFailure.mismatch(scalar, type, Self.self)
    }
    guard let narrow = Self(exactly: value) else { throw DecodingFailure.range(value, Self.self) }
    self = narrow
  }
}

extension Int: ScalarDecodable {
  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) { try self.init(whole: scalar, of: type) }
}

extension Int64: ScalarDecodable {
  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) { try self.init(whole: scalar, of: type) }
}

extension Int32: ScalarDecodable {
  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) { try self.init(whole: scalar, of: type) }
}

extension Int16: ScalarDecodable {
  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) { try self.init(whole: scalar, of: type) }
}

extension Int8: ScalarDecodable {
  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) { try self.init(whole: scalar, of: type) }
}

/// Only as an element: `[UInt8]` reads varbinary.
extension UInt8: ScalarDecodable {
  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) { try self.init(whole: scalar, of: type) }
}

extension Bool: ScalarDecodable {
  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) {
    guard case .boolean(let value) = scalar else { throw DecodingFailure.mismatch(scalar, type, Bool.self) }
    self = value
  }
}

/// Reads every numeric type.
extension Double: ScalarDecodable {
  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) {
    switch (type, scalar) {
    case (_, .double(let value)): self = value
    case (_, .real(let value)): self = Double(value)
    case (.tinyint, .integer(let value)), (.smallint, .integer(let value)), (.integer, .integer(let value)),
      (.bigint, .integer(let value)):
      self = Double(value)
    case (.decimal, _):
      let decimal = try SQLDecimal(scalar, of: type)
      self = Double(decimal.description)!
    default: throw DecodingFailure.mismatch(scalar, type, Double.self)
    }
  }
}

extension Float: ScalarDecodable {
  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) {
    guard case .real(let value) = scalar else { throw DecodingFailure.mismatch(scalar, type, Float.self) }
    self = value
  }
}

/// Reads texts as they are, and every other type as Athena's results write it.
extension String: ScalarDecodable {
  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) {
    if scalar.isNull { throw DecodingFailure.mismatch(scalar, type, String.self) }
    if case .varchar = type, case .bytes(let bytes) = scalar {
      self = String(decoding: bytes, as: UTF8.self)
      return
    }
    let text = ResultText(.constant(scalar, type, count: 1))
    var bytes: [UInt8] = []
    text.append(0, to: &bytes)
    self = String(decoding: bytes, as: UTF8.self)
  }
}

/// NULL is nil.
extension Optional: ScalarDecodable where Wrapped: ScalarDecodable {
  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) {
    self = scalar.isNull ? nil : try Wrapped(scalar, of: type)
  }
}

/// Arrays, and varbinary as `[UInt8]`.
extension Array: ScalarDecodable where Element: ScalarDecodable {
  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) {
    switch (type, scalar) {
    case (.array(let element), .array(let values)):
      var decoded: [Element] = []
      decoded.reserveCapacity(values.count)
      for value in values { decoded.append(try Element(value, of: element)) }
      self = decoded
    case (.varbinary, .bytes(let bytes)):
      guard Element.self == UInt8.self, let decoded = bytes as? [Element] else { throw DecodingFailure.mismatch(scalar, type, Self.self) }
      self = decoded
    default: throw DecodingFailure.mismatch(scalar, type, Self.self)
    }
  }
}

extension Dictionary: ScalarDecodable where Key: ScalarDecodable, Value: ScalarDecodable {
  public init(_ scalar: Scalar, of type: DataType) throws(QueryError) {
    guard case .map(let keyType, let valueType) = type, case .map(let entries) = scalar else {
      throw DecodingFailure.mismatch(scalar, type, Self.self)
    }
    self.init(minimumCapacity: entries.count)
    for entry in entries { self[try Key(entry.key, of: keyType)] = try Value(entry.value, of: valueType) }
  }
}
