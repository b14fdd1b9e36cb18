/// Encodes `<id>.csv.metadata`: Athena's description of a result's columns, as protobuf.
///
///     message { string query_id = 1; repeated Column column = 4; }
///     Column  { string catalog = 1; string schema = 2; string table = 3; string name = 4; string label = 5;
///               string type = 6; int32 precision = 7; int32 scale = 8; int32 nullable = 9; bool case_sensitive = 10; }
///
/// - Source: reverse-engineered from Athena's own files; type names, precision and scale as its API reports them.
enum ResultMetadata {
  /// `nullable` as Athena always says: unknown.
  private static let nullableUnknown = 3

  static func encode(queryID: String, _ schema: Schema) -> [UInt8] {
    var out: [UInt8] = []
    append(field: 1, queryID, to: &out)
    for column in schema.fields {
      var message: [UInt8] = []
      let (type, precision, scale) = describe(column.type)
      append(field: 1, "hive", to: &message)
      append(field: 4, column.name, to: &message)
      append(field: 5, column.name, to: &message)
      append(field: 6, type, to: &message)
      append(field: 7, precision, to: &message)
      append(field: 8, scale, to: &message)
      append(field: 9, nullableUnknown, to: &message)
      append(field: 10, column.type.isCharacter ? 1 : 0, to: &message)
      varint(UInt64(4 << 3 | 2), to: &out)
      varint(UInt64(message.count), to: &out)
      out += message
    }
    return out
  }

  /// The type's name, precision and scale as Athena's API reports them.
  static func describe(_ type: DataType) -> (name: String, precision: Int, scale: Int) {
    switch type {
    case .tinyint: ("tinyint", 3, 0)
    case .smallint: ("smallint", 5, 0)
    case .integer: ("integer", 10, 0)
    case .bigint: ("bigint", 19, 0)
    case .real: ("float", 17, 0)
    case .double: ("double", 17, 0)
    case .decimal(let precision, let scale): ("decimal", precision, scale)
    case .varchar(let length): ("varchar", length ?? Int(Int32.max), 0)
    case .char(let length): ("char", length, 0)
    case .varbinary: ("varbinary", 1 << 30, 0)
    case .timestamp: ("timestamp", 3, 0)
    case .timestampWithTimeZone: ("timestamp with time zone", 3, 0)
    case .time: ("time", 3, 0)
    case .timeWithTimeZone: ("time with time zone", 3, 0)
    default: (type.baseName, 0, 0)
    }
  }

  private static func append(field: Int, _ text: String, to out: inout [UInt8]) {
    varint(UInt64(field << 3 | 2), to: &out)
    varint(UInt64(text.utf8.count), to: &out)
    out += text.utf8
  }

  private static func append(field: Int, _ value: Int, to out: inout [UInt8]) {
    varint(UInt64(field << 3), to: &out)
    varint(UInt64(value), to: &out)
  }

  private static func varint(_ value: UInt64, to out: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      out.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    out.append(UInt8(rest))
  }
}
