import Columnar
import QueryErrors

/// A table's schema as an ORC file's tree of types, and the writers of its columns.
struct ORCWriterSchema {
  let root: ORCStructWriter
  /// By their numbers.
  let columns: [ORCColumnWriter]

  init(_ schema: Schema, _ options: WriterOptions, _ compressor: ORCChunkCompressor) throws(QueryError) {
    var next = 1
    var children: [ORCNode] = []
    for field in schema.fields { children.append(try ORCWriterSchema.node(field.type, column: field.name, &next, depth: 1)) }
    let node = ORCNode(
      id: 0, kind: .structure, children: children, fieldNames: schema.fields.map(\.name), maximumLength: 0, precision: 0,
      scale: 0)
    var writers: [ORCColumnWriter] = []
    for (index, field) in schema.fields.enumerated() {
      let writer = ORCWriterSchema.writer(children[index], column: field.name, compressor)
      if options.bloomFilterColumns.contains(index) {
        guard ORCBloomFilterBuilder.isKnown(writer.node.kind) else {
          throw QueryError.notSupported("Column '\(field.name)': Bloom filters of type \(field.type) in ORC files")
        }
        writer.bloomFilter = ORCBloomFilterBuilder()
      }
      writers.append(writer)
    }
    root = ORCStructWriter(node, writers, compressor)
    columns = root.all
  }

  /// - Throws: `NOT_SUPPORTED` for types that ORC has no place for.
  private static func node(
    _ type: DataType, column: String, _ next: inout Int, depth: Int
  ) throws(QueryError) -> ORCNode {
    guard depth < 190 else { throw QueryError.notSupported("Column '\(column)': a type nested so deeply in ORC files") }
    let id = next
    next += 1
    var children: [ORCNode] = []
    var names: [String] = []
    var (length, precision, scale) = (0, 0, 0)
    let kind: ORCNode.Kind
    switch type {
    case .boolean: kind = .boolean
    case .tinyint: kind = .byte
    case .smallint: kind = .short
    case .integer: kind = .int
    case .bigint: kind = .long
    case .real: kind = .float
    case .double: kind = .double
    case .varchar(nil): kind = .string
    case .varchar(let limit?):
      kind = .varchar
      length = limit
    case .char(let limit):
      kind = .char
      length = limit
    case .varbinary: kind = .binary
    case .date: kind = .date
    case .timestamp(let digits) where digits <= 9: kind = .timestamp
    case .timestampWithTimeZone(let digits) where digits <= 9: kind = .timestampInstant
    case .decimal(let digits, let fraction):
      kind = .decimal
      (precision, scale) = (digits, fraction)
    case .array(let element):
      kind = .list
      children = [try node(element, column: column, &next, depth: depth + 1)]
    case .map(let key, let value):
      kind = .map
      children = [try node(key, column: column, &next, depth: depth + 1)]
      children.append(try node(value, column: column, &next, depth: depth + 1))
    case .row(let fields) where !fields.isEmpty:
      kind = .structure
      for (index, field) in fields.enumerated() {
        names.append(field.name ?? "field\(index)")
        children.append(try node(field.type, column: column, &next, depth: depth + 1))
      }
    case .timestamp, .timestampWithTimeZone:
      throw QueryError.notSupported(
        "Column '\(column)': ORC files cannot hold type \(type)", hint: "Cast it to a precision of 9 or less.")
    default:
      throw QueryError.notSupported(
        "Column '\(column)': ORC files cannot hold type \(type)", hint: "Cast it to varchar, for example.")
    }
    return ORCNode(
      id: id, kind: kind, children: children, fieldNames: names, maximumLength: length, precision: precision, scale: scale)
  }

  private static func writer(_ node: ORCNode, column: String, _ compressor: ORCChunkCompressor) -> ORCColumnWriter {
    let children = node.children.map { writer($0, column: column, compressor) }
    switch node.kind {
    case .boolean: return ORCBooleanWriter(node, [], compressor)
    case .byte, .short, .int, .long, .date: return ORCIntegerWriter(node, [], compressor)
    case .float, .double: return ORCFloatWriter(node, [], compressor)
    case .decimal: return ORCDecimalWriter(node, [], compressor)
    case .timestamp, .timestampInstant: return ORCTimestampWriter(node, compressor, name: column)
    case .string, .varchar, .char, .binary: return ORCStringWriter(node, [], compressor)
    case .list, .map: return ORCListWriter(node, children, compressor, name: column)
    case .structure, .union: return ORCStructWriter(node, children, compressor)
    }
  }
}

extension ORCNode {
  /// The footer's message `Type`.
  func write(to out: inout ProtobufWriter) {
    out.field(1, number: kind.rawValue)
    if !children.isEmpty { out.field(2, packed: children.map(\.id)) }
    for name in fieldNames { out.field(3, string: name) }
    if maximumLength > 0 { out.field(4, number: maximumLength) }
    if kind == .decimal {
      out.field(5, number: precision)
      out.field(6, number: scale)
    }
  }
}
