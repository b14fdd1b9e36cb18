extension DataType {
  /// The type as Hive's DDL writes it: `string`, `int`, `struct<a:int>`.
  public var hiveName: String {
    switch self {
    case .integer: "int"
    case .real: "float"
    case .varchar(nil): "string"
    case .varbinary: "binary"
    case .timestamp: "timestamp"
    case .array(let element): "array<\(element.hiveName)>"
    case .map(let key, let value): "map<\(key.hiveName),\(value.hiveName)>"
    case .row(let fields):
      "struct<\(fields.enumerated().map { "\($1.name ?? "col\($0)"):\($1.type.hiveName)" }.joined(separator: ","))>"
    default: description
    }
  }
}
