import Columnar
import QueryErrors

/// Casts of UUIDs, IP addresses and the serialised sketches.
enum BinaryCasts {
  typealias Cast = CastRegistry.Cast

  static func cast(_ from: DataType, _ to: DataType) -> Cast? {
    switch (from, to) {
    case (.ipaddress, .varbinary):
      // All 16 bytes, of mapped IPv4 addresses too.
      return { (columns, _, _) throws(QueryError) -> Column in columns[0].retyped(.varbinary) }
    case (.varbinary, .uuid):
      return { (columns, n, context) throws(QueryError) -> Column in
        let x = columns[0].view
        return mapRows(columns, n, &context) { row, rows -> StringView in
          let value = x.value(row, as: StringView.self)
          if value.count != 16 { rows.fail(.invalidCastArgument, "Invalid UUID binary length: \(value.count)") }
          return value
        }
      }
    case (.varbinary, .ipaddress):
      return { (columns, n, context) throws(QueryError) -> Column in
        let x = columns[0].view
        return mapRows(columns, n, &context) { row, rows -> StringView in
          let value = x.value(row, as: StringView.self)
          switch value.count {
          case 16: return value
          case 4:
            var bytes = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]
            bytes += value.bytes
            return rows.string(bytes)
          default:
            rows.fail(.invalidCastArgument, "Invalid IP address binary length: \(value.count)")
            return StringView()
          }
        }
      }
    default:
      return { (columns, _, context) throws(QueryError) -> Column in columns[0].retyped(to) }
    }
  }

  static let uuidFromText: Cast = { (columns, n, context) throws(QueryError) -> Column in
    let x = columns[0].view
    return mapRows(columns, n, &context) { row, rows -> StringView in
      let value = x.value(row, as: StringView.self)
      let out = rows.arena.reserve(16)
      let isValid = value.withBytes { (p, n) in
        NetworkText.parseUUID(
          p.assumingMemoryBound(to: UInt8.self), n, to: out.assumingMemoryBound(to: UInt8.self))
      }
      if !isValid {
        rows.fail(
          .invalidCastArgument,
          value.count == 36
            ? "Cannot cast value to UUID: \(value.string)" : "Invalid UUID string length: \(value.count)")
      }
      return StringView(out, count: 16)
    }
  }

  static let ipaddressFromText: Cast = { (columns, n, context) throws(QueryError) -> Column in
    let x = columns[0].view
    return mapRows(columns, n, &context) { row, rows -> StringView in
      let value = x.value(row, as: StringView.self)
      let out = rows.arena.reserve(16)
      let isValid = value.withBytes { (p, n) in
        NetworkText.parseIPAddress(
          p.assumingMemoryBound(to: UInt8.self), n, to: out.assumingMemoryBound(to: UInt8.self))
      }
      if !isValid { rows.fail(.invalidCastArgument, "Cannot cast value to IPADDRESS: \(value.string)") }
      return StringView(out, count: 16)
    }
  }
}
