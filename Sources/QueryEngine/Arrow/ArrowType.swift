import Columnar
import QueryErrors

/// How a SQL type is an Arrow type.
///
/// - Source: Arrow columnar format, `Schema.fbs` and "The Arrow C data interface".
indirect enum ArrowType: Hashable, Sendable {
  case null
  case bool
  case int(bits: Int)
  case float
  case double
  case decimal(precision: Int, scale: Int)
  case utf8
  case binary
  case date
  /// Nanoseconds since midnight.
  case time
  /// Microseconds, or nanoseconds where the type has more than six digits.
  case timestamp(isNano: Bool, zone: String?)
  /// As months, days and nanoseconds, the only interval of months that pyarrow reads.
  case months
  case milliseconds
  case list(ArrowField)
  case map(key: ArrowField, value: ArrowField)
  case row([ArrowField])
  /// As the text that results have: types that Arrow lacks.
  case text

  /// - Throws: `NOT_SUPPORTED` for types whose digits Arrow cannot hold.
  init(_ type: DataType, column: String) throws(QueryError) {
    func refuse() -> QueryError {
      .notSupported("Column '\(column)': Arrow cannot hold type \(type)", hint: "Cast it to a type of nine digits or fewer.")
    }
    switch type {
    case .unknown: self = .null
    case .boolean: self = .bool
    case .tinyint: self = .int(bits: 8)
    case .smallint: self = .int(bits: 16)
    case .integer: self = .int(bits: 32)
    case .bigint: self = .int(bits: 64)
    case .real: self = .float
    case .double: self = .double
    case .decimal(let precision, let scale): self = .decimal(precision: precision, scale: scale)
    case .varchar, .char, .json: self = .utf8
    case .varbinary, .hyperLogLog, .p4HyperLogLog, .setDigest, .tDigest, .qDigest: self = .binary
    case .date: self = .date
    case .time(let precision):
      guard precision <= 9 else { throw refuse() }
      self = .time
    case .timestamp(let precision):
      guard precision <= 9 else { throw refuse() }
      self = .timestamp(isNano: precision > 6, zone: nil)
    case .timestampWithTimeZone(let precision):
      guard precision <= 9 else { throw refuse() }
      self = .timestamp(isNano: precision > 6, zone: "UTC")
    case .intervalYearToMonth: self = .months
    case .intervalDayToSecond: self = .milliseconds
    case .array(let element): self = .list(try ArrowField("item", element, column: column))
    case .map(let key, let value):
      self = .map(key: try ArrowField("key", key, column: column), value: try ArrowField("value", value, column: column))
    case .row(let fields):
      var list: [ArrowField] = []
      for (index, field) in fields.enumerated() {
        list.append(try ArrowField(field.name ?? "field\(index)", field.type, column: column))
      }
      self = .row(list)
    case .timeWithTimeZone, .ipaddress, .uuid, .color, .jsonPath, .geometry, .sphericalGeography, .bingTile, .function: self = .text
    }
  }

  /// The C data interface's name of the type.
  var format: String {
    switch self {
    case .null: "n"
    case .bool: "b"
    case .int(let bits): bits == 8 ? "c" : bits == 16 ? "s" : bits == 32 ? "i" : "l"
    case .float: "f"
    case .double: "g"
    case .decimal(let precision, let scale): "d:\(precision),\(scale)"
    case .utf8, .text: "u"
    case .binary: "z"
    case .date: "tdD"
    case .time: "ttn"
    case .timestamp(let isNano, let zone): "ts\(isNano ? "n" : "u"):\(zone ?? "")"
    case .months: "tin"
    case .milliseconds: "tDm"
    case .list: "+l"
    case .map: "+m"
    case .row: "+s"
    }
  }
}

/// A named Arrow type.
struct ArrowField: Hashable, Sendable {
  var name: String
  var type: ArrowType

  init(_ name: String, _ type: DataType, column: String) throws(QueryError) {
    self.name = name
    self.type = try ArrowType(type, column: column)
  }

  fileprivate init(_ name: String, _ type: ArrowType) {
    self.name = name
    self.type = type
  }

  /// Keys of maps are never NULL, and the entries neither.
  var children: [(field: ArrowField, isNullable: Bool)] {
    switch type {
    case .list(let item): [(item, true)]
    case .map(let key, let value): [(ArrowField("entries", .row([key, value])), false)]
    case .row(let fields): fields.map { ($0, !(name == "entries" && $0.name == "key")) }
    default: []
    }
  }

  /// The fields of a result.
  static func fields(_ schema: Schema) throws(QueryError) -> [ArrowField] {
    var fields: [ArrowField] = []
    for field in schema.fields { fields.append(try ArrowField(field.name, field.type, column: field.name)) }
    return fields
  }
}
