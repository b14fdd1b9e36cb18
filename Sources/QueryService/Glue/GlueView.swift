import Columnar
import S3ObjectStore
import TableCatalog

/// Views as Presto and Athena keep them in Glue: `/* Presto View: … */` around base64 of a JSON text.
///
///     {"originalSql": "SELECT 1 AS a", "catalog": "awsdatacatalog", "schema": "default", "columns": [{"name": "a", "type": "integer"}]}
///
/// - Source: Trino, `TrinoViewHiveMetastore` and `ViewReaderUtil`.
enum GlueView {
  private static let prefix = "/* Presto View: "
  private static let suffix = " */"

  static func text(_ view: StoredView) -> String {
    let columns = view.columns.map { ["name": .string($0.name), "type": .string($0.type.description)] as JSONValue }
    let body: JSONValue = [
      "originalSql": .string(view.sql), "catalog": "awsdatacatalog", "schema": .string(view.database), "columns": .array(columns),
    ]
    return prefix + Digests.base64(body.bytes) + suffix
  }

  static func view(_ input: JSONValue, _ name: TableName) throws -> StoredView {
    let text = input["ViewOriginalText"]?.string ?? ""
    guard text.hasPrefix(prefix), text.hasSuffix(suffix),
      let bytes = Base64.decode(String(text.dropFirst(prefix.count).dropLast(suffix.count))), let body = JSONParser.parse(bytes),
      let sql = body["originalSql"]?.string
    else { throw GlueService.invalid("ViewOriginalText is no view of Presto") }
    let columns = try (body["columns"]?.array ?? []).map { column -> ColumnDefinition in
      let type = column["type"]?.string ?? ""
      guard let known = DataType(parsing: type) else { throw GlueService.invalid("The view has a column of the unknown type '\(type)'") }
      return ColumnDefinition(name: column["name"]?.string ?? "", type: known)
    }
    return StoredView(
      name: name, sql: sql, columns: columns, comment: input["Description"]?.string, database: body["schema"]?.string ?? name.database)
  }
}

/// Base64 as RFC 4648 has it.
enum Base64 {
  static func decode(_ text: String) -> [UInt8]? {
    var out: [UInt8] = []
    var (bits, count) = (UInt32(0), 0)
    for byte in text.utf8 where byte != UInt8(ascii: "=") && byte != 0x0a {
      let value: UInt8
      switch byte {
      case 0x41...0x5a: value = byte - 0x41
      case 0x61...0x7a: value = byte - 0x61 + 26
      case 0x30...0x39: value = byte - 0x30 + 52
      case UInt8(ascii: "+"): value = 62
      case UInt8(ascii: "/"): value = 63
      default: return nil
      }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return out
  }
}
