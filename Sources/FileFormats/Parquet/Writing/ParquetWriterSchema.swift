import Columnar
import QueryErrors

/// A table's schema as a Parquet file tells it, and the writers of its columns.
///
/// - Source: parquet-format, LogicalTypes.md: lists of three levels, maps of `key_value`.
struct ParquetWriterSchema {
  /// One element of the footer's flattened tree.
  struct Element {
    var name: String
    /// 0 required, 1 optional, 2 repeated; nil for the root.
    var repetition: Int?
    var childCount: Int?
    var leaf: ParquetLeafType?
    /// The converted and the logical type of a group: 3 LIST, 1 MAP.
    var group: (converted: Int, logical: Int)?
  }

  private(set) var elements: [Element]
  private(set) var columns: [ParquetColumnWriter] = []
  /// Names from the top, of each leaf.
  private(set) var paths: [[String]] = []
  private let settings: ParquetWriterSettings
  private let pageBuilder: PageBuilder

  init(_ schema: Schema, _ options: WriterOptions, _ settings: ParquetWriterSettings) throws(QueryError) {
    self.settings = settings
    pageBuilder = PageBuilder(settings.codec, level: settings.level)
    elements = [Element(name: "schema", childCount: schema.fields.count)]
    for (index, field) in schema.fields.enumerated() {
      let node = try add(
        field.type, field.name, ParentLevels(), column: field.name, path: [],
        hasBloomFilter: options.bloomFilterColumns.contains(index))
      columns.append(ParquetColumnWriter(node))
    }
  }

  var chunks: [ColumnChunkWriter] { columns.flatMap(\.chunks) }

  private struct ParentLevels {
    var definition: UInt8 = 0
    var repetition: UInt8 = 0
    var isRequired = false
  }

  private mutating func add(
    _ type: DataType, _ name: String, _ levels: ParentLevels, column: String, path: [String], hasBloomFilter: Bool
  ) throws(QueryError) -> ParquetColumnWriter.Node {
    let path = path + [name]
    guard path.count < 80, levels.definition < 200 else {
      throw QueryError.notSupported("Column '\(column)': a type nested so deeply in Parquet files")
    }
    let repetition = levels.isRequired ? 0 : 1
    let own = levels.definition + UInt8(repetition)
    switch type {
    case .array(let element):
      elements.append(Element(name: name, repetition: repetition, childCount: 1, group: (3, 3)))
      elements.append(Element(name: "list", repetition: 2, childCount: 1))
      let inner = ParentLevels(definition: own + 1, repetition: levels.repetition + 1)
      return .array(
        try add(element, "element", inner, column: column, path: path + ["list"], hasBloomFilter: hasBloomFilter))
    case .map(let key, let value):
      elements.append(Element(name: name, repetition: repetition, childCount: 1, group: (1, 2)))
      elements.append(Element(name: "key_value", repetition: 2, childCount: 2))
      var inner = ParentLevels(definition: own + 1, repetition: levels.repetition + 1, isRequired: true)
      let path = path + ["key_value"]
      let keys = try add(key, "key", inner, column: column, path: path, hasBloomFilter: hasBloomFilter)
      inner.isRequired = false
      return .map(
        key: keys, value: try add(value, "value", inner, column: column, path: path, hasBloomFilter: hasBloomFilter))
    case .row(let fields):
      guard !fields.isEmpty else { throw QueryError.notSupported("Column '\(column)': a row without fields in Parquet files") }
      elements.append(Element(name: name, repetition: repetition, childCount: fields.count))
      var nodes: [ParquetColumnWriter.Node] = []
      for (index, field) in fields.enumerated() {
        nodes.append(
          try add(
            field.type, field.name ?? "field\(index)",
            ParentLevels(definition: own, repetition: levels.repetition), column: column, path: path,
            hasBloomFilter: hasBloomFilter))
      }
      return .row(nodes)
    default:
      let leaf = try ParquetLeafType.make(type, column: column)
      elements.append(Element(name: name, repetition: repetition, leaf: leaf))
      paths.append(path)
      let chunk = ColumnChunkWriter(
        leaf, maxDefinition: own, maxRepetition: levels.repetition, hasBloomFilter: hasBloomFilter, settings, pageBuilder)
      return .leaf(chunk, type, column)
    }
  }
}

extension ParquetWriterSchema.Element {
  func write(_ out: inout ThriftCompactWriter) {
    if let leaf {
      out.field(1, int32: leaf.physical.rawValue)
      if leaf.physical == .fixedByteArray { out.field(2, int32: leaf.fixedByteCount) }
    }
    if let repetition { out.field(3, int32: repetition) }
    out.field(4, string: name)
    if let childCount { out.field(5, int32: childCount) }
    if let converted = leaf?.converted ?? group?.converted { out.field(6, int32: converted) }
    if let decimal = leaf?.decimal {
      out.field(7, int32: decimal.scale)
      out.field(8, int32: decimal.precision)
    }
    if let logical = leaf?.logical {
      out.field(10, structure: logical)
    } else if let group {
      out.field(10, structure: { $0.field(group.logical, structure: { _ in }) })
    }
  }
}
