import Columnar

/// One node of an ORC file's type tree; its number is its place in pre-order, and the column number of its streams.
struct ORCNode: Sendable {
  enum Kind: Int, Sendable {
    case boolean, byte, short, int, long, float, double, string, binary, timestamp, list, map, structure, union, decimal,
      date, varchar, char, timestampInstant
  }

  var id: Int
  var kind: Kind
  var children: [ORCNode]
  /// Names of a structure's children.
  var fieldNames: [String]
  var maximumLength: Int
  var precision: Int
  var scale: Int

  /// What a file's own schema calls it, for messages: `struct<a:int>`.
  var description: String {
    switch kind {
    case .boolean, .int, .float, .double, .string, .binary, .timestamp, .date: "\(kind)"
    case .byte: "tinyint"
    case .short: "smallint"
    case .long: "bigint"
    case .timestampInstant: "timestamp with local time zone"
    case .decimal: "decimal(\(precision),\(scale))"
    case .varchar: "varchar(\(maximumLength))"
    case .char: "char(\(maximumLength))"
    case .list: "array<\(children[0].description)>"
    case .map: "map<\(children[0].description),\(children[1].description)>"
    case .structure: "struct<\(zip(fieldNames, children).map { "\($0):\($1.description)" }.joined(separator: ","))>"
    case .union: "uniontype<\(children.map(\.description).joined(separator: ","))>"
    }
  }

  /// The type that keeps all of the node's values as they are.
  var naturalType: DataType {
    switch kind {
    case .boolean: .boolean
    case .byte: .tinyint
    case .short: .smallint
    case .int: .integer
    case .long: .bigint
    case .float: .real
    case .double: .double
    case .string: .text
    case .varchar: maximumLength > 0 ? .varchar(length: maximumLength) : .text
    case .char: .char(length: max(1, maximumLength))
    case .binary: .varbinary
    case .timestamp: .timestamp(precision: 9)
    case .timestampInstant: .timestampWithTimeZone(precision: 9)
    case .decimal: .decimal(precision: precision, scale: scale)
    case .date: .date
    case .list: .array(children[0].naturalType)
    case .map: .map(key: children[0].naturalType, value: children[1].naturalType)
    case .structure:
      .row(zip(fieldNames, children).map { DataType.RowField(name: $0, type: $1.naturalType) })
    case .union:
      // As Trino reads Hive's unions.
      .row(
        [DataType.RowField(name: "tag", type: .tinyint)]
          + children.enumerated().map { DataType.RowField(name: "field\($0)", type: $1.naturalType) })
    }
  }

  /// The tree of a footer's list of types.
  ///
  /// - Throws: when children do not follow their parents, or are missing.
  static func tree(_ types: [ORCFooter.TypeEntry]) throws(ORCDamage) -> ORCNode {
    guard !types.isEmpty else { throw ORCDamage("the footer has no types") }
    return try node(0, types, depth: 0)
  }

  private static func node(_ id: Int, _ types: [ORCFooter.TypeEntry], depth: Int) throws(ORCDamage) -> ORCNode {
    guard depth < 200 else { throw ORCDamage("types are nested too deep") }
    let entry = types[id]
    guard let kind = Kind(rawValue: entry.kind) else { throw ORCDamage("column \(id) has the unknown type \(entry.kind)") }
    var children: [ORCNode] = []
    for child in entry.subtypes {
      guard child > id, child < types.count else { throw ORCDamage("the children of column \(id) do not follow it") }
      children.append(try node(child, types, depth: depth + 1))
    }
    switch kind {
    case .list: guard children.count == 1 else { throw ORCDamage("list column \(id) has \(children.count) children") }
    case .map: guard children.count == 2 else { throw ORCDamage("map column \(id) has \(children.count) children") }
    case .structure:
      guard entry.fieldNames.count == children.count else { throw ORCDamage("struct column \(id) has other names than children") }
    case .union: guard (1...256).contains(children.count) else { throw ORCDamage("union column \(id) has \(children.count) children") }
    default: guard children.isEmpty else { throw ORCDamage("column \(id) has children") }
    }
    // Files older than Hive 0.13 do not state a decimal's precision.
    let precision = kind == .decimal && entry.precision == 0 ? 38 : entry.precision
    let scale = kind == .decimal && entry.precision == 0 ? 18 : entry.scale
    if kind == .decimal {
      guard (1...38).contains(precision), (0...precision).contains(scale) else {
        throw ORCDamage("column \(id) is a decimal(\(precision),\(scale))")
      }
    }
    return ORCNode(
      id: id, kind: kind, children: children, fieldNames: entry.fieldNames, maximumLength: entry.maximumLength,
      precision: precision, scale: scale)
  }
}
