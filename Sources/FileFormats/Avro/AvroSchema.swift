import Columnar
import QueryErrors

/// A type of an Avro schema, its names resolved.
///
/// - Source: Apache Avro 1.12 Specification, "Schema Declaration" and "Logical Types".
indirect enum AvroSchema: Sendable {
  enum LogicalType: Sendable {
    case date
    /// Units a second.
    case time(Int64)
    case timestamp(Int64)
    case decimal(precision: Int, scale: Int)
  }

  struct Member: Sendable {
    var name: String
    var aliases: [String]
    var schema: AvroSchema
    var defaultValue: AvroJSON?
  }

  case null
  case boolean
  case int(LogicalType?)
  case long(LogicalType?)
  case float
  case double
  case bytes(LogicalType?)
  case string
  case fixed(Int, LogicalType?)
  case enumeration([String])
  case array(AvroSchema)
  case map(AvroSchema)
  case union([AvroSchema])
  case record(String, [Member])

  /// - Throws: `HIVE_BAD_DATA` for what is no schema, `NOT_SUPPORTED` for recursive ones.
  init(parsing text: String, path: String?) throws(QueryError) {
    guard let json = AvroJSON(text) else { throw AvroSchema.bad("the schema is not JSON", path) }
    var names: [String: AvroSchema?] = [:]
    self = try AvroSchema.make(json, namespace: "", &names, path)
  }

  private static func bad(_ reason: String, _ path: String?) -> QueryError {
    QueryError(.hiveBadData, "Corrupt Avro schema: \(reason)", data: path.map { DataLocation(path: $0) })
  }

  /// - Parameter names: types by full name; nil while they are being made.
  private static func make(
    _ json: AvroJSON, namespace: String, _ names: inout [String: AvroSchema?], _ path: String?
  ) throws(QueryError) -> AvroSchema {
    switch json {
    case .string(let name): return try named(name, namespace, names, path)
    case .array(let members):
      var schemas: [AvroSchema] = []
      for member in members { schemas.append(try make(member, namespace: namespace, &names, path)) }
      guard !schemas.isEmpty else { throw bad("a union without members", path) }
      return .union(schemas)
    case .object:
      guard let kind = json["type"] else { throw bad("a type without 'type'", path) }
      guard case .string(let name) = kind else { return try make(kind, namespace: namespace, &names, path) }
      return try complex(name, json, namespace, &names, path)
    default: throw bad("a type that is neither a name, a list nor an object", path)
    }
  }

  private static func named(
    _ name: String, _ namespace: String, _ names: [String: AvroSchema?], _ path: String?
  ) throws(QueryError) -> AvroSchema {
    switch name {
    case "null": return .null
    case "boolean": return .boolean
    case "int": return .int(nil)
    case "long": return .long(nil)
    case "float": return .float
    case "double": return .double
    case "bytes": return .bytes(nil)
    case "string": return .string
    default:
      let full = name.contains(".") || namespace.isEmpty ? name : namespace + "." + name
      guard let known = names[full] ?? names[name] else { throw bad("the type '\(name)' is not defined", path) }
      if let known { return known }
      throw QueryError(
        .notSupported, "Avro schemas that contain themselves are not supported: '\(name)'",
        data: path.map { DataLocation(path: $0) })
    }
  }

  private static func complex(
    _ kind: String, _ json: AvroJSON, _ namespace: String, _ names: inout [String: AvroSchema?], _ path: String?
  ) throws(QueryError) -> AvroSchema {
    let logical = logicalType(json)
    switch kind {
    case "int": return .int(logical)
    case "long": return .long(logical)
    case "bytes": return .bytes(logical)
    case "array":
      guard let items = json["items"] else { throw bad("an array without 'items'", path) }
      return .array(try make(items, namespace: namespace, &names, path))
    case "map":
      guard let values = json["values"] else { throw bad("a map without 'values'", path) }
      return .map(try make(values, namespace: namespace, &names, path))
    case "record", "error", "enum", "fixed":
      guard let name = json["name"]?.text else { throw bad("a \(kind) without 'name'", path) }
      var space = json["namespace"]?.text ?? namespace
      if let dot = name.lastIndex(of: ".") { space = String(name[..<dot]) }
      let full = name.contains(".") || space.isEmpty ? name : space + "." + name
      names[full] = .some(nil)
      let made: AvroSchema
      switch kind {
      case "enum":
        guard let symbols = json["symbols"]?.elements?.compactMap(\.text) else { throw bad("an enum without 'symbols'", path) }
        made = .enumeration(symbols)
      case "fixed":
        guard let size = json["size"]?.integer, size >= 0 else { throw bad("a fixed without 'size'", path) }
        made = .fixed(size, logical)
      default:
        var members: [Member] = []
        for field in json["fields"]?.elements ?? [] {
          guard let fieldName = field["name"]?.text, let type = field["type"] else { throw bad("a field without name or type", path) }
          // A field's logical type may stand beside its type's name.
          let schema: AvroSchema
          if case .string(let plain) = type, field["logicalType"] != nil, ["int", "long", "bytes"].contains(plain) {
            schema = try complex(plain, field, space, &names, path)
          } else {
            schema = try make(type, namespace: space, &names, path)
          }
          members.append(
            Member(
              name: fieldName, aliases: field["aliases"]?.elements?.compactMap(\.text) ?? [], schema: schema,
              defaultValue: field["default"]))
        }
        made = .record(name, members)
      }
      names[full] = made
      return made
    default: return try named(kind, namespace, names, path)
    }
  }

  /// Logical types that are not known, or that do not go with their type, are left out, as the specification asks.
  private static func logicalType(_ json: AvroJSON) -> LogicalType? {
    switch json["logicalType"]?.text {
    case "date": return .date
    case "time-millis": return .time(1000)
    case "time-micros": return .time(1_000_000)
    case "timestamp-millis", "local-timestamp-millis": return .timestamp(1000)
    case "timestamp-micros", "local-timestamp-micros": return .timestamp(1_000_000)
    case "timestamp-nanos", "local-timestamp-nanos": return .timestamp(1_000_000_000)
    case "decimal":
      let scale = json["scale"]?.integer ?? 0
      guard let precision = json["precision"]?.integer, (1...38).contains(precision), (0...precision).contains(scale) else {
        return nil
      }
      return .decimal(precision: precision, scale: scale)
    default: return nil
    }
  }

  // MARK: SQL types

  /// The type that keeps all values as they are.
  var naturalType: DataType {
    switch self {
    case .null: .text
    case .boolean: .boolean
    case .int(.date?): .date
    case .int(.time?): .time(precision: 3)
    case .int: .integer
    case .long(.time?): .time(precision: 6)
    case .long(.timestamp(let units)?): .timestamp(precision: units == 1000 ? 3 : (units == 1_000_000 ? 6 : 9))
    case .long: .bigint
    case .float: .real
    case .double: .double
    case .bytes(.decimal(let precision, let scale)?), .fixed(_, .decimal(let precision, let scale)?):
      .decimal(precision: precision, scale: scale)
    case .bytes, .fixed: .varbinary
    case .string, .enumeration: .text
    case .array(let element): .array(element.naturalType)
    case .map(let value): .map(key: .text, value: value.naturalType)
    case .record(_, let members): .row(members.map { DataType.RowField(name: $0.name, type: $0.schema.naturalType) })
    case .union(let members): AvroSchema.unionType(members.filter { !$0.isNull })
    }
  }

  var isNull: Bool { if case .null = self { true } else { false } }

  /// One member: its type. Numbers: the widest. Others, as Trino reads Hive's unions: a row of the tag and a field a member.
  private static func unionType(_ members: [AvroSchema]) -> DataType {
    guard let first = members.first else { return .text }
    if members.count == 1 { return first.naturalType }
    let types = members.map(\.naturalType)
    let order: [DataType] = [.integer, .bigint, .real, .double]
    let places = types.compactMap { order.firstIndex(of: $0) }
    if places.count == types.count {
      let widest = places.max() ?? 0
      return widest == 2 && places.contains(1) ? .double : order[widest]
    }
    return .row(
      [DataType.RowField(name: "tag", type: .tinyint)]
        + types.enumerated().map { DataType.RowField(name: "field\($0)", type: $1) })
  }

  /// For messages.
  var description: String {
    switch self {
    case .null: "null"
    case .boolean: "boolean"
    case .int: "int"
    case .long: "long"
    case .float: "float"
    case .double: "double"
    case .bytes: "bytes"
    case .string: "string"
    case .fixed(let size, _): "fixed(\(size))"
    case .enumeration: "enum"
    case .array(let element): "array<\(element.description)>"
    case .map(let value): "map<\(value.description)>"
    case .union(let members): "union<\(members.map(\.description).joined(separator: ","))>"
    case .record(let name, _): "record \(name)"
    }
  }
}
