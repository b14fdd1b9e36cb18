import Columnar

/// Puts shredded variants together again: what has a column of its own, and what is left in encoded form.
///
/// - Source: parquet-format, VariantShredding.md.
enum VariantColumn {
  /// A column of JSON texts from the group's columns.
  ///
  /// - Parameter group: `metadata`, and `value` or `typed_value` or both.
  static func json(_ group: Column, _ node: ParquetNode, type: DataType) throws(ParquetDamage) -> Column {
    guard case .row(let nodes) = node.content, let metadata = nodes.firstIndex(where: { $0.name == "metadata" }) else {
      throw ParquetDamage("a variant has no metadata")
    }
    let builder = ColumnBuilder(type)
    let out = TextBuffer()
    for row in 0..<group.count {
      guard case .row(let fields) = group.scalar(row) else {
        builder.append(.null)
        continue
      }
      guard case .bytes(let names) = fields[metadata] else { throw ParquetDamage("a variant has no metadata") }
      out.removeAll()
      let text = try VariantText(metadata: names, out)
      if try !append(fields, nodes, text) { out.append("null") }
      builder.append(.bytes(Array(UnsafeBufferPointer(start: out.pointer, count: out.count))))
    }
    return builder.finish()
  }

  /// Appends what `value` and `typed_value` of a group hold; false when there is neither.
  private static func append(
    _ fields: [Scalar], _ nodes: [ParquetNode], _ text: VariantText
  ) throws(ParquetDamage) -> Bool {
    var encoded: [UInt8]?
    if let index = nodes.firstIndex(where: { $0.name == "value" }), case .bytes(let bytes) = fields[index] { encoded = bytes }
    guard let index = nodes.firstIndex(where: { $0.name == "typed_value" }), fields[index] != .null else {
      guard let encoded else { return false }
      try text.append(encoded)
      return true
    }
    switch (nodes[index].content, fields[index]) {
    case (.row(let names), .row(let values)):
      try appendObject(values, names, encoded, text)
      return true
    case _ where encoded != nil: throw ParquetDamage("a variant has both a value and a typed value")
    case (.array(let element), .array(let elements)):
      guard case .row(let inner) = element.content else { throw ParquetDamage("elements of a variant are no groups") }
      text.out.append(0x5b)
      for (place, value) in elements.enumerated() {
        if place > 0 { text.out.append(0x2c) }
        guard case .row(let own) = value else { throw ParquetDamage("an element of a variant is missing") }
        if try !append(own, inner, text) { text.out.append("null") }
      }
      text.out.append(0x5d)
    case (.leaf(let leaf), let value):
      guard let type = leaf.naturalType else { throw ParquetDamage("a variant's typed value is of an unknown type") }
      if type.isVarchar, case .bytes(let bytes) = value {
        text.appendText(bytes)
      } else {
        text.append(value, type, isUTC: leaf.isUTC)
      }
    default: throw ParquetDamage("a variant's typed value is neither object, list nor value")
    }
    return true
  }

  /// An object of which some fields have columns, and others are encoded.
  private static func appendObject(
    _ values: [Scalar], _ names: [ParquetNode], _ encoded: [UInt8]?, _ text: VariantText
  ) throws(ParquetDamage) {
    let out = text.out
    out.append(0x7b)
    var isFirst = true
    for (name, value) in zip(names, values) {
      guard case .row(let inner) = name.content, case .row(let own) = value else { continue }
      let start = out.count
      if !isFirst { out.append(0x2c) }
      text.appendText(Array(name.name.utf8))
      out.append(0x3a)
      if try append(own, inner, text) { isFirst = false } else { out.count = start }
    }
    if let encoded {
      guard let rest = try text.fields(encoded, 0) else {
        throw ParquetDamage("a variant has both a typed object and a value that is none")
      }
      for field in rest {
        // A field that has a column is read from there.
        if names.contains(where: { Array($0.name.utf8) == field.name }) { continue }
        if !isFirst { out.append(0x2c) }
        isFirst = false
        text.appendText(field.name)
        out.append(0x3a)
        try text.append(encoded, field.at)
      }
    }
    out.append(0x7d)
  }
}
