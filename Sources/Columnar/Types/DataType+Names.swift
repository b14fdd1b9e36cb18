extension DataType: CustomStringConvertible {
  /// The name as `typeof` prints it: `decimal(12,2)`, `row(a bigint, b varchar)`, `timestamp(3) with time zone`.
  ///
  /// - Source: Trino `TypeSignature.toString` and `Type.getDisplayName`.
  public var description: String {
    switch self {
    case .unknown: "unknown"
    case .boolean: "boolean"
    case .tinyint: "tinyint"
    case .smallint: "smallint"
    case .integer: "integer"
    case .bigint: "bigint"
    case .real: "real"
    case .double: "double"
    case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
    case .varchar(nil): "varchar"
    case .varchar(let length?): "varchar(\(length))"
    case .char(let length): "char(\(length))"
    case .varbinary: "varbinary"
    case .date: "date"
    case .time(let precision): "time(\(precision))"
    case .timeWithTimeZone(let precision): "time(\(precision)) with time zone"
    case .timestamp(let precision): "timestamp(\(precision))"
    case .timestampWithTimeZone(let precision): "timestamp(\(precision)) with time zone"
    case .intervalYearToMonth: "interval year to month"
    case .intervalDayToSecond: "interval day to second"
    case .array(let element): "array(\(element))"
    case .map(let key, let value): "map(\(key), \(value))"
    case .row(let fields):
      "row("
        + fields.map { field in
          field.name.map { DataType.fieldName($0) + " " + field.type.description } ?? field.type.description
        }.joined(separator: ", ") + ")"
    case .json: "json"
    case .ipaddress: "ipaddress"
    case .uuid: "uuid"
    case .hyperLogLog: "HyperLogLog"
    case .p4HyperLogLog: "P4HyperLogLog"
    case .setDigest: "SetDigest"
    case .tDigest: "tdigest"
    case .qDigest(let element): "qdigest(\(element))"
    case .color: "color"
    case .jsonPath: "JsonPath"
    case .geometry: "Geometry"
    case .sphericalGeography: "SphericalGeography"
    case .bingTile: "BingTile"
    case .function(let parameters, let result):
      "function(\((parameters + [result]).map(\.description).joined(separator: ",")))"
    }
  }

  /// A row field's name, in double quotes where it is not a plain lower-case identifier.
  static func fieldName(_ name: String) -> String {
    let isPlain = name.utf8.enumerated().allSatisfy { index, byte in
      (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || byte == 0x5f
        || (index > 0 && byte >= 0x30 && byte <= 0x39)
    }
    if isPlain, !name.isEmpty { return name }
    return "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }

  /// The name without parameters: `decimal`, `varchar`, `row`.
  public var baseName: String {
    switch self {
    case .decimal: "decimal"
    case .varchar: "varchar"
    case .char: "char"
    case .time: "time"
    case .timeWithTimeZone: "time with time zone"
    case .timestamp: "timestamp"
    case .timestampWithTimeZone: "timestamp with time zone"
    case .array: "array"
    case .map: "map"
    case .row: "row"
    case .qDigest: "qdigest"
    case .function: "function"
    default: description
    }
  }
}
