/// A Swift type whose values can be bound to a statement.
public protocol ScalarEncodable: Sendable {
  /// The SQL type of the type's values, and of a NULL of it.
  static var sqlType: DataType { get }
  /// The SQL type of this value.
  var sqlType: DataType { get }
  /// The value as `sqlType` keeps it.
  var scalar: Scalar { get }
}

extension ScalarEncodable {
  public var sqlType: DataType { Self.sqlType }
}

extension Bool: ScalarEncodable {
  public static var sqlType: DataType { .boolean }
  public var scalar: Scalar { .boolean(self) }
}

extension Int: ScalarEncodable {
  public static var sqlType: DataType { .bigint }
  public var scalar: Scalar { .integer(Int64(self)) }
}

extension Int64: ScalarEncodable {
  public static var sqlType: DataType { .bigint }
  public var scalar: Scalar { .integer(self) }
}

extension Int32: ScalarEncodable {
  public static var sqlType: DataType { .integer }
  public var scalar: Scalar { .integer(Int64(self)) }
}

extension Int16: ScalarEncodable {
  public static var sqlType: DataType { .smallint }
  public var scalar: Scalar { .integer(Int64(self)) }
}

extension Int8: ScalarEncodable {
  public static var sqlType: DataType { .tinyint }
  public var scalar: Scalar { .integer(Int64(self)) }
}

extension Double: ScalarEncodable {
  public static var sqlType: DataType { .double }
  public var scalar: Scalar { .double(self) }
}

extension Float: ScalarEncodable {
  public static var sqlType: DataType { .real }
  public var scalar: Scalar { .real(self) }
}

extension String: ScalarEncodable {
  public static var sqlType: DataType { .text }
  public var scalar: Scalar { .string(self) }
}

extension Substring: ScalarEncodable {
  public static var sqlType: DataType { .text }
  public var scalar: Scalar { .string(String(self)) }
}

extension Optional: ScalarEncodable where Wrapped: ScalarEncodable {
  public static var sqlType: DataType { Wrapped.sqlType }
  public var sqlType: DataType { self?.sqlType ?? Wrapped.sqlType }
  public var scalar: Scalar { self?.scalar ?? .null }
}

/// Elements that lie side by side in SQL: bytes are a varbinary, everything else an array.
extension Array: ScalarEncodable where Element: ScalarEncodable {
  public static var sqlType: DataType { Element.self == UInt8.self ? .varbinary : .array(Element.sqlType) }

  public var sqlType: DataType {
    if Element.self == UInt8.self { return .varbinary }
    // Elements may differ in length or digits: decimals of one scale, rows of one shape.
    guard let common = TypeCoercion.commonSuperType(of: map(\.sqlType)), Set(map(\.sqlType)).count == 1 else {
      return .array(Element.sqlType)
    }
    return .array(common)
  }

  public var scalar: Scalar {
    // An empty array of any type can be cast to any other.
    if Element.self == UInt8.self, let bytes = self as? [UInt8] { return .bytes(bytes) }
    return .array(map(\.scalar))
  }
}

/// Only as an element: `[UInt8]` is a varbinary.
extension UInt8: ScalarEncodable {
  public static var sqlType: DataType { .smallint }
  public var scalar: Scalar { .integer(Int64(self)) }
}

extension Dictionary: ScalarEncodable where Key: ScalarEncodable, Value: ScalarEncodable {
  public static var sqlType: DataType { .map(key: Key.sqlType, value: Value.sqlType) }
  public var scalar: Scalar { .map(map { Scalar.MapEntry(key: $0.key.scalar, value: $0.value.scalar) }) }
}
