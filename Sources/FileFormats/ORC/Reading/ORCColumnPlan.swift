import Columnar
import ObjectStore
import QueryErrors

/// How one requested column comes out of a file's type tree.
indirect enum ORCColumnPlan: Sendable {
  /// The file has no such column: NULL.
  case null(DataType)
  case leaf(DataType, ORCNode, ORCConversion)
  case row(DataType, ORCNode, [ORCColumnPlan])
  /// A union, as a row of its tag and one field a member.
  case union(DataType, ORCNode, [ORCColumnPlan])
  case array(DataType, ORCNode, ORCColumnPlan)
  case map(DataType, ORCNode, ORCColumnPlan, ORCColumnPlan)

  /// - Throws: `HIVE_BAD_DATA` when the file's type cannot be read as the declared one.
  static func make(
    _ type: DataType, _ node: ORCNode, column: String, path: String
  ) throws(QueryError) -> ORCColumnPlan {
    switch (type, node.kind) {
    case (.row(let fields), .structure):
      var plans: [ORCColumnPlan] = []
      for (index, field) in fields.enumerated() {
        let place = field.name.map { name in node.fieldNames.firstIndex { $0.lowercased() == name.lowercased() } } ?? index
        guard let place, place < node.children.count else {
          plans.append(.null(field.type))
          continue
        }
        plans.append(
          try make(field.type, node.children[place], column: column + "." + (field.name ?? "\(index)"), path: path))
      }
      return .row(type, node, plans)
    case (.row(let fields), .union) where fields.count == node.children.count + 1 && fields[0].type == .tinyint:
      var plans: [ORCColumnPlan] = []
      for (field, child) in zip(fields.dropFirst(), node.children) {
        plans.append(try make(field.type, child, column: column + "." + (field.name ?? ""), path: path))
      }
      return .union(type, node, plans)
    case (.array(let element), .list):
      return .array(type, node, try make(element, node.children[0], column: column + ".element", path: path))
    case (.map(let key, let value), .map):
      return .map(
        type, node, try make(key, node.children[0], column: column + ".key", path: path),
        try make(value, node.children[1], column: column + ".value", path: path))
    default:
      if type == .unknown { return .null(type) }
      guard let conversion = ORCConversion(node, type) else {
        throw QueryError(
          .hiveBadData,
          "Column '\(column)' is declared as \(type), but the ORC file declares it as \(node.description)",
          data: DataLocation(path: path, column: column))
      }
      return .leaf(type, node, conversion)
    }
  }

  var type: DataType {
    switch self {
    case .null(let type), .leaf(let type, _, _), .row(let type, _, _), .union(let type, _, _), .array(let type, _, _),
      .map(let type, _, _, _):
      type
    }
  }

  /// The file's columns whose streams it reads.
  var columnNumbers: [Int] {
    switch self {
    case .null: []
    case .leaf(_, let node, _): [node.id]
    case .row(_, let node, let fields), .union(_, let node, let fields): [node.id] + fields.flatMap(\.columnNumbers)
    case .array(_, let node, let element): [node.id] + element.columnNumbers
    case .map(_, let node, let key, let value): [node.id] + key.columnNumbers + value.columnNumbers
    }
  }

  /// The node of a column without nested ones.
  var leafNode: ORCNode? { if case .leaf(_, let node, _) = self { node } else { nil } }
}

/// How a leaf's values become those of the declared type.
enum ORCConversion: Sendable {
  /// Values are made as they are, or cut to a narrower integer that must hold them.
  case none
  case floatToDouble
  /// Unscaled decimals from the file's scale to another.
  case decimal(scale: Int, precision: Int)
  case timestamp(precision: Int)
  case instant(precision: Int)
  /// Bytes cut off after so many code points; `isChar` also drops spaces at the end.
  case text(limit: Int, isChar: Bool)

  /// - Source: Trino 401, `io.trino.orc.reader`: which types are read as which.
  init?(_ node: ORCNode, _ type: DataType) {
    switch (node.kind, type) {
    case (.boolean, .boolean), (.float, .real), (.double, .double), (.date, .date), (.binary, .varbinary): self = .none
    case (.byte, _) where type.isInteger, (.short, _) where type.isInteger, (.int, _) where type.isInteger,
      (.long, _) where type.isInteger:
      self = .none
    case (.float, .double): self = .floatToDouble
    case (.decimal, .decimal(let precision, let scale)): self = .decimal(scale: scale, precision: precision)
    case (.timestamp, .timestamp(let precision)): self = .timestamp(precision: precision)
    case (.timestampInstant, .timestamp(let precision)): self = .timestamp(precision: precision)
    case (.timestampInstant, .timestampWithTimeZone(let precision)): self = .instant(precision: precision)
    case (.string, .varchar(let length)), (.varchar, .varchar(let length)), (.char, .varchar(let length)):
      if let length, node.kind != .varchar || node.maximumLength > length || node.maximumLength == 0 {
        self = .text(limit: length, isChar: false)
      } else {
        self = .none
      }
    case (.string, .char(let length)), (.varchar, .char(let length)), (.char, .char(let length)):
      self = .text(limit: length, isChar: true)
    case (.string, .varbinary), (.binary, .varchar(nil)): self = .none
    default: return nil
    }
  }
}
