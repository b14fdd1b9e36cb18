import Columnar
import QueryErrors
import Synchronization

/// How one requested column is put together from the file's leaves.
indirect enum ColumnPlan: Sendable {
  /// Every row is NULL: the file has no such column or field, or only NULLs.
  case null(DataType)
  case leaf(DataType, ParquetNode, ParquetLeaf, RawLayout, ValueConversion)
  case array(DataType, ParquetNode, ColumnPlan)
  case map(DataType, ParquetNode, key: ColumnPlan, value: ColumnPlan)
  case row(DataType, ParquetNode, [ColumnPlan])
  /// JSON from the columns of a variant's group.
  case variant(DataType, ParquetNode, ColumnPlan)

  /// Matches a requested type with a column of the file, nested fields by name.
  ///
  /// - Throws: `HIVE_BAD_DATA` when the types do not go together, `NOT_SUPPORTED` for types without a reader.
  static func make(
    _ type: DataType, _ node: ParquetNode, column: String, path: String
  ) throws(QueryError) -> ColumnPlan {
    func mismatch() -> QueryError {
      QueryError(
        .hiveBadData,
        "Unsupported column type: column '\(column)' is declared as \(type), but the Parquet file declares it as "
          + "\(node.typeName)" + (node.name.lowercased() == column.lowercased() ? "" : " (field '\(node.name)')"),
        data: DataLocation(path: path, column: column))
    }
    if node.isVariant {
      guard type == .json || type == .text else { throw mismatch() }
      return .variant(type, node, try fields(node, node.groupType, column: column, path: path))
    }
    switch (node.content, type) {
    case (.leaf(let leaf), _):
      guard leaf.naturalType != nil else {
        throw QueryError(
          .notSupported, "Parquet columns of type \(leaf.typeName) are not supported",
          data: DataLocation(path: path, column: column))
      }
      guard let (layout, conversion) = leaf.conversion(to: type) else { throw mismatch() }
      if case .alwaysNull = conversion { return .null(type) }
      return .leaf(type, node, leaf, layout, conversion)
    case (.array(let element), .array(let elementType)):
      return .array(type, node, try make(elementType, element, column: column, path: path))
    case (.map(let key, let value), .map(let keyType, let valueType)):
      return .map(
        type, node, key: try make(keyType, key, column: column, path: path),
        value: try make(valueType, value, column: column, path: path))
    case (.row, .row): return try fields(node, type, column: column, path: path)
    default: throw mismatch()
    }
  }

  /// The plan of a group's fields, by name.
  private static func fields(
    _ node: ParquetNode, _ type: DataType, column: String, path: String
  ) throws(QueryError) -> ColumnPlan {
    guard case .row(let fields) = node.content, case .row(let wanted) = type, node.firstLeaf != nil else {
      return .null(type)
    }
    var plans: [ColumnPlan] = []
    let names = ParquetNames(fields)
    for (position, field) in wanted.enumerated() {
      let found = field.name.map { names.node($0) } ?? (position < fields.count ? fields[position] : nil)
      plans.append(
        try found.map { (node) throws(QueryError) in try make(field.type, node, column: column, path: path) }
          ?? .null(field.type))
    }
    return .row(type, node, plans)
  }

  var type: DataType {
    switch self {
    case .null(let type), .leaf(let type, _, _, _, _), .array(let type, _, _), .map(let type, _, _, _),
      .row(let type, _, _), .variant(let type, _, _):
      type
    }
  }

  /// The leaf of a column that is not nested.
  var flatLeaf: ParquetLeaf? {
    if case .leaf(_, _, let leaf, _, _) = self, leaf.maxRepetition == 0, leaf.maxDefinition <= 1 { return leaf }
    return nil
  }

  /// A leaf below whose values are read, the first one.
  private var firstRead: ParquetLeaf? {
    switch self {
    case .null: return nil
    case .leaf(_, _, let leaf, _, _): return leaf
    case .array(_, _, let element), .variant(_, _, let element): return element.firstRead
    case .map(_, _, let key, let value): return key.firstRead ?? value.firstRead
    case .row(_, _, let fields):
      for field in fields { if let leaf = field.firstRead { return leaf } }
      return nil
    }
  }

  /// The leaf whose levels tell where this node's values are; one read anyway if there is one.
  var levelLeaf: ParquetLeaf? {
    if let leaf = firstRead { return leaf }
    switch self {
    case .null: return nil
    case .leaf(_, let node, _, _, _), .array(_, let node, _), .map(_, let node, _, _), .row(_, let node, _),
      .variant(_, let node, _):
      return node.firstLeaf
    }
  }

  /// Leaves that reading the column touches; those only for their levels too.
  var leaves: [ParquetLeaf] {
    var result: [ParquetLeaf] = []
    collect(&result)
    return result
  }

  private func collect(_ result: inout [ParquetLeaf]) {
    switch self {
    case .null: return
    case .leaf(_, _, let leaf, _, _):
      result.append(leaf)
      return
    case .array(_, _, let element), .variant(_, _, let element): element.collect(&result)
    case .map(_, _, let key, let value):
      key.collect(&result)
      value.collect(&result)
    case .row(_, _, let fields): for field in fields { field.collect(&result) }
    }
    if let leaf = levelLeaf, !result.contains(where: { $0.index == leaf.index }) { result.append(leaf) }
  }

  /// Relative cost of decoding and testing a value.
  var cost: Double {
    switch self {
    case .null: 0.1
    case .leaf(let type, _, _, _, let conversion):
      (type.physicalType == .string ? 6 : 1) + (conversion.isIdentity ? 0 : 1)
    case .array(_, _, let element): 10 + element.cost * 4
    case .variant(_, _, let group): 50 + group.cost
    case .map(_, _, let key, let value): 10 + (key.cost + value.cost) * 4
    case .row(_, _, let fields): fields.reduce(5) { $0 + $1.cost }
    }
  }
}

/// Finds columns or fields by name.
///
/// Few names are looked through, which allocates nothing; many are indexed when the first one is looked for.
final class ParquetNames: Sendable {
  private struct Index {
    var exact: [String: Int] = [:]
    var lowerCase: [String: Int] = [:]
  }

  private let nodes: [ParquetNode]
  private let index = Mutex<Index?>(nil)
  private static let largestList = 64

  init(_ nodes: [ParquetNode]) { self.nodes = nodes }

  /// The node of that name: exactly if there is one, else case ignored. Columns of equal name, case ignored, also bear the names
  /// that `inferSchema` gives them.
  func node(_ name: String) -> ParquetNode? {
    if nodes.count <= ParquetNames.largestList, let exact = nodes.first(where: { $0.name == name }) { return exact }
    return index.withLock { index in
      if index == nil { index = makeIndex() }
      return (index!.exact[name] ?? index!.lowerCase[name.lowercased()]).map { nodes[$0] }
    }
  }

  /// The columns' names as queries see them: later ones of equal name, case ignored, are numbered.
  var distinct: [String] {
    let names = nodes.map(\.name)
    return areDistinct ? names : ColumnNames.distinct(names)
  }

  /// Whether a short look tells that all names differ; false when unsure.
  private var areDistinct: Bool {
    guard nodes.count <= ParquetNames.largestList else { return false }
    var place = 0
    while place < nodes.count {
      let name = nodes[place].name
      if ParquetNames.isOdd(name) { return false }
      var other = 0
      while other < place {
        if ParquetNames.mayBeSame(nodes[other].name, name) { return false }
        other += 1
      }
      place += 1
    }
    return true
  }

  /// Whether a name is empty, has blanks around it or letters beyond ASCII.
  private static func isOdd(_ name: String) -> Bool {
    var last: UInt8 = 0x20
    for byte in name.utf8 {
      if byte >= 0x80 || (byte <= 0x20 && last == 0x20) { return true }
      last = byte
    }
    return last <= 0x20
  }

  /// Whether two names without letters beyond ASCII may be equal, case ignored.
  private static func mayBeSame(_ a: String, _ b: String) -> Bool {
    guard a.utf8.count == b.utf8.count else { return false }
    var other = b.utf8.makeIterator()
    for byte in a.utf8 {
      guard let next = other.next() else { return true }
      if byte | 0x20 != next | 0x20 { return false }
    }
    return true
  }

  private func makeIndex() -> Index {
    var index = Index()
    let names = distinct
    for (place, node) in nodes.enumerated() {
      if index.exact[node.name] == nil { index.exact[node.name] = place }
      let lowerCase = node.name.lowercased()
      if index.lowerCase[lowerCase] == nil { index.lowerCase[lowerCase] = place }
    }
    for (place, name) in names.enumerated() where name != nodes[place].name {
      if index.exact[name] == nil { index.exact[name] = place }
      let lowerCase = name.lowercased()
      if index.lowerCase[lowerCase] == nil { index.lowerCase[lowerCase] = place }
    }
    return index
  }
}
