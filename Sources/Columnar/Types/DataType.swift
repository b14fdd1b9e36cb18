/// A SQL type, as `typeof` names it.
///
/// How each type lies in memory is its `physicalType`:
///
///     boolean                        UInt8 0 or 1          decimal(p ≤ 18)   Int64, unscaled
///     tinyint smallint integer bigint Int8 … Int64         decimal(p > 18)   Int128, unscaled
///     real double                    Float, Double         date              Int32, days since 1970-01-01
///     varchar char varbinary json    StringView            time(p)           Int64, picoseconds of the day
///     timestamp(p ≤ 6)               Int64, microseconds since 1970-01-01 00:00 (local, no zone)
///     timestamp(p > 6)               Int128, picoseconds since 1970-01-01 00:00
///     timestamp(p) with time zone    Int128, UTC picoseconds << 16 | zone key (`TimeZoneKey`)
///     time(p) with time zone         Int128, picoseconds of the local day << 16 | offset minutes + 840
///     interval year to month         Int32, months         interval day to second  Int64, milliseconds
///     ipaddress uuid                 StringView of 16 bytes, network order
///     Geometry SphericalGeography    StringView of well-known binary (`WKBReader`)
///     BingTile                       Int64, x << 28 | y << 5 | zoom level
///     array map row                  nested columns
public indirect enum DataType: Hashable, Sendable {
  /// The type of a bare NULL.
  case unknown
  case boolean
  case tinyint
  case smallint
  case integer
  case bigint
  case real
  case double
  case decimal(precision: Int, scale: Int)
  /// Length in code points, nil when unbounded.
  case varchar(length: Int?)
  case char(length: Int)
  case varbinary
  case date
  case time(precision: Int)
  case timeWithTimeZone(precision: Int)
  case timestamp(precision: Int)
  case timestampWithTimeZone(precision: Int)
  case intervalYearToMonth
  case intervalDayToSecond
  case array(DataType)
  case map(key: DataType, value: DataType)
  case row([RowField])
  case json
  case ipaddress
  case uuid
  case hyperLogLog
  case p4HyperLogLog
  case setDigest
  case tDigest
  case qDigest(DataType)
  case color
  case jsonPath
  case geometry
  case sphericalGeography
  case bingTile
  /// The type of a lambda; never a column's.
  case function(parameters: [DataType], result: DataType)

  /// One field of a row type; the name is nil when anonymous.
  public struct RowField: Hashable, Sendable {
    public var name: String?
    public var type: DataType

    public init(name: String?, type: DataType) {
      self.name = name
      self.type = type
    }
  }

  /// `varchar` without a length.
  public static let text = DataType.varchar(length: nil)
}

/// The shape of a type's values in memory.
public enum PhysicalType: Hashable, Sendable {
  /// UInt8, 0 or 1.
  case bool
  case int8
  case int16
  case int32
  case int64
  case int128
  case float
  case double
  /// 16-byte `StringView`.
  case string
  case array
  case map
  case row
  /// No values at all: every row is NULL.
  case null

  /// Bytes per value of a flat column; 0 for nested and null.
  public var byteWidth: Int {
    switch self {
    case .bool, .int8: 1
    case .int16: 2
    case .int32, .float: 4
    case .int64, .double: 8
    case .int128, .string: 16
    case .array, .map, .row, .null: 0
    }
  }
}

extension DataType {
  /// How values of this type lie in memory.
  public var physicalType: PhysicalType {
    switch self {
    case .unknown: .null
    case .boolean: .bool
    case .tinyint: .int8
    case .smallint: .int16
    case .integer, .date, .intervalYearToMonth, .color: .int32
    case .bigint, .time, .intervalDayToSecond, .bingTile: .int64
    case .real: .float
    case .double: .double
    case .decimal(let precision, _): precision <= DataType.maxShortDecimalPrecision ? .int64 : .int128
    case .timestamp(let precision): precision <= DataType.maxShortTimestampPrecision ? .int64 : .int128
    case .timeWithTimeZone, .timestampWithTimeZone: .int128
    case .varchar, .char, .varbinary, .json, .ipaddress, .uuid, .hyperLogLog, .p4HyperLogLog, .setDigest, .tDigest,
      .qDigest, .jsonPath, .geometry, .sphericalGeography:
      .string
    case .array: .array
    case .map: .map
    case .row: .row
    case .function: .null
    }
  }

  /// Digits of a decimal that fit in an Int64.
  public static let maxShortDecimalPrecision = 18
  /// Digits of a decimal that fit in an Int128.
  public static let maxDecimalPrecision = 38
  /// Fraction digits of a timestamp kept as Int64 microseconds.
  public static let maxShortTimestampPrecision = 6

  public var isInteger: Bool {
    switch self {
    case .tinyint, .smallint, .integer, .bigint: true
    default: false
    }
  }
  public var isDecimal: Bool { if case .decimal = self { true } else { false } }
  public var isFloating: Bool { self == .real || self == .double }
  public var isNumeric: Bool { isInteger || isDecimal || isFloating }
  public var isVarchar: Bool { if case .varchar = self { true } else { false } }
  public var isChar: Bool { if case .char = self { true } else { false } }
  /// varchar or char.
  public var isCharacter: Bool { isVarchar || isChar }
  public var isNested: Bool {
    switch self {
    case .array, .map, .row: true
    default: false
    }
  }

  /// Whether `=` is defined, so that the type may be grouped and joined on.
  public var isComparable: Bool {
    switch self {
    case .hyperLogLog, .p4HyperLogLog, .setDigest, .tDigest, .qDigest, .jsonPath, .function: false
    case .array(let element): element.isComparable
    case .map(let key, let value): key.isComparable && value.isComparable
    case .row(let fields): fields.allSatisfy(\.type.isComparable)
    default: true
    }
  }

  /// Whether `<` is defined, so that the type may be sorted.
  public var isOrderable: Bool {
    switch self {
    case .map, .json, .hyperLogLog, .p4HyperLogLog, .setDigest, .tDigest, .qDigest, .jsonPath, .function, .color,
      .geometry, .sphericalGeography, .bingTile:
      false
    case .array(let element): element.isOrderable
    case .row(let fields): fields.allSatisfy(\.type.isOrderable)
    default: true
    }
  }

  /// The types of the nested columns: element, key and value, or fields.
  public var childTypes: [DataType] {
    switch self {
    case .array(let element): [element]
    case .map(let key, let value): [key, value]
    case .row(let fields): fields.map(\.type)
    default: []
    }
  }
}
