package import Columnar
import ObjectStore
package import QueryErrors

/// Encodes `<id>.csv.metadata`: Athena's description of a result's columns, as protobuf.
///
///     message { string query_id = 1; repeated Column column = 4; }
///     Column  { string catalog = 1; string schema = 2; string table = 3; string name = 4; string label = 5;
///               string type = 6; int32 precision = 7; int32 scale = 8; int32 nullable = 9; bool case_sensitive = 10; }
///
/// Zeros and empty texts are left out, so that schema and table never stand there.
///
/// - Source: a hexdump of Athena's own file (stackoverflow.com/questions/55991018); type names, precision and scale as its API
///   reports them.
package enum ResultMetadata {
  /// `nullable` as Athena always says: unknown.
  private static let nullableUnknown = 3

  /// - Parameter queryID: the engine's own id, `20190423_125128_00001_ehtur`.
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

  /// A column of a result as its metadata tell it.
  package struct ColumnDescription: Hashable, Sendable {
    package var name: String
    package var type: String
    package var precision: Int
    package var scale: Int
    package var isCaseSensitive: Bool

    package init(name: String, type: String, precision: Int, scale: Int, isCaseSensitive: Bool) {
      (self.name, self.type, self.precision, self.scale) = (name, type, precision, scale)
      self.isCaseSensitive = isCaseSensitive
    }
  }

  /// The columns as Athena's API reports them.
  package static func columns(of schema: Schema) -> [ColumnDescription] {
    schema.fields.map { field in
      let (type, precision, scale) = describe(field.type)
      return ColumnDescription(
        name: field.name, type: type, precision: precision, scale: scale, isCaseSensitive: field.type.isCharacter)
    }
  }

  /// The columns that encoded metadata describe.
  ///
  /// - Throws: `HIVE_BAD_DATA`.
  package static func decode(_ bytes: [UInt8], _ location: String) throws(QueryError) -> [ColumnDescription] {
    func damaged() -> QueryError { QueryError(.hiveBadData, "The metadata of \(location) are damaged") }
    guard let fields = fields(bytes[...]) else { throw damaged() }
    var columns: [ColumnDescription] = []
    for case (4, .bytes(let message)) in fields {
      guard let parts = ResultMetadata.fields(message) else { throw damaged() }
      var column = ColumnDescription(name: "", type: "", precision: 0, scale: 0, isCaseSensitive: false)
      for part in parts {
        switch part {
        case (4, .bytes(let text)): column.name = String(decoding: text, as: UTF8.self)
        case (6, .bytes(let text)): column.type = String(decoding: text, as: UTF8.self)
        case (7, .number(let value)): column.precision = Int(clamping: value)
        case (8, .number(let value)): column.scale = Int(clamping: value)
        case (10, .number(let value)): column.isCaseSensitive = value != 0
        default: break
        }
      }
      columns.append(column)
    }
    return columns
  }

  private enum FieldValue {
    case number(UInt64)
    case bytes(ArraySlice<UInt8>)
  }

  /// A message's fields by number, or nil when it is none.
  private static func fields(_ bytes: ArraySlice<UInt8>) -> [(Int, FieldValue)]? {
    var rest = bytes
    func varint() -> UInt64? {
      var (value, shift) = (UInt64(0), UInt64(0))
      while let byte = rest.popFirst(), shift < 64 {
        value |= UInt64(byte & 0x7f) << shift
        if byte < 0x80 { return value }
        shift += 7
      }
      return nil
    }
    var fields: [(Int, FieldValue)] = []
    while !rest.isEmpty {
      guard let tag = varint(), let value = varint() else { return nil }
      switch tag & 7 {
      case 0: fields.append((Int(clamping: tag >> 3), .number(value)))
      case 2:
        guard value <= UInt64(rest.count) else { return nil }
        fields.append((Int(clamping: tag >> 3), .bytes(rest.prefix(Int(value)))))
        rest = rest.dropFirst(Int(value))
      default: return nil
      }
    }
    return fields
  }

  private static func append(field: Int, _ text: String, to out: inout [UInt8]) {
    if text.isEmpty { return }
    varint(UInt64(field << 3 | 2), to: &out)
    varint(UInt64(text.utf8.count), to: &out)
    out += text.utf8
  }

  private static func append(field: Int, _ value: Int, to out: inout [UInt8]) {
    if value == 0 { return }
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

extension ResultMetadata {
  /// The columns that the `.metadata` beside a result tells; types whose parts it leaves out (arrays, maps, rows) as text.
  ///
  /// - Throws: `NOT_FOUND` when there is none.
  static func schema(at result: ObjectLocation) throws(QueryError) -> Schema {
    let location = ObjectLocation(store: result.store, path: result.path + ".metadata")
    guard try location.exists() else {
      throw QueryError(.notFound, "The columns of a result are not known: \(location.description) is gone")
    }
    let bytes = try location.store.open(location.path, meter: ScanMeter()).readAll(kind: .sampling).withBytes { Array($0) }
    var fields: [Field] = []
    for field in messages(bytes[...]) where field.number == 4 {
      var (name, type, precision, scale) = ("", "", 0, 0)
      for part in messages(field.bytes) {
        switch part.number {
        case 4: name = String(decoding: part.bytes, as: UTF8.self)
        case 6: type = String(decoding: part.bytes, as: UTF8.self)
        case 7: precision = part.value
        case 8: scale = part.value
        default: break
        }
      }
      fields.append(Field(name, dataType(type, precision, scale)))
    }
    return Schema(fields)
  }

  /// The type that `describe` named.
  private static func dataType(_ name: String, _ precision: Int, _ scale: Int) -> DataType {
    switch name {
    case "float": .real
    case "decimal": .decimal(precision: precision, scale: scale)
    case "varchar": .varchar(length: precision == Int(Int32.max) ? nil : precision)
    case "char": .char(length: precision)
    case "varbinary": .varbinary
    case "timestamp": .timestamp(precision: precision)
    case "timestamp with time zone": .timestampWithTimeZone(precision: precision)
    case "time": .time(precision: precision)
    case "time with time zone": .timeWithTimeZone(precision: precision)
    default: DataType(parsing: name) ?? .text
    }
  }

  /// The fields of a message; what is cut off or of other wire types ends it.
  private static func messages(_ bytes: ArraySlice<UInt8>) -> [(number: Int, value: Int, bytes: ArraySlice<UInt8>)] {
    var rest = bytes
    var found: [(number: Int, value: Int, bytes: ArraySlice<UInt8>)] = []
    func varint() -> Int? {
      var value: UInt64 = 0
      var shift: UInt64 = 0
      while let byte = rest.popFirst(), shift < 64 {
        value |= UInt64(byte & 0x7f) << shift
        if byte < 0x80 { return Int(truncatingIfNeeded: value) }
        shift += 7
      }
      return nil
    }
    while let key = varint(), let value = varint() {
      switch key & 7 {
      case 0: found.append((key >> 3, value, []))
      case 2:
        guard value >= 0, value <= rest.count else { return found }
        found.append((key >> 3, 0, rest.prefix(value)))
        rest = rest.dropFirst(value)
      default: return found
      }
    }
    return found
  }
}
