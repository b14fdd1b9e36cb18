import Columnar

/// How Parquet stores a leaf's values.
///
/// - Source: parquet-format, Encodings.md, "Plain".
enum ParquetPhysicalType: Int, Sendable {
  case boolean = 0
  case int32 = 1
  case int64 = 2
  case int96 = 3
  case float = 4
  case double = 5
  case byteArray = 6
  case fixedByteArray = 7

  var name: String {
    switch self {
    case .boolean: "BOOLEAN"
    case .int32: "INT32"
    case .int64: "INT64"
    case .int96: "INT96"
    case .float: "FLOAT"
    case .double: "DOUBLE"
    case .byteArray: "BYTE_ARRAY"
    case .fixedByteArray: "FIXED_LEN_BYTE_ARRAY"
    }
  }
}

/// The resolution of Parquet's times and timestamps.
enum ParquetTimeUnit: Int, Sendable { case millis, micros, nanos }

/// What a leaf's values mean: logical types, and the converted types of older writers.
///
/// - Source: parquet-format, LogicalTypes.md.
enum ParquetAnnotation: Hashable, Sendable {
  case none
  case string
  case `enum`
  case json
  case bson
  case uuid
  case float16
  case interval
  case unknown
  case date
  case decimal(precision: Int, scale: Int)
  case time(ParquetTimeUnit)
  case timestamp(ParquetTimeUnit)
  case integer(bits: Int, isSigned: Bool)
  case list
  case map
  case variant

  var name: String? {
    switch self {
    case .none: nil
    case .string: "STRING"
    case .enum: "ENUM"
    case .json: "JSON"
    case .bson: "BSON"
    case .uuid: "UUID"
    case .float16: "FLOAT16"
    case .interval: "INTERVAL"
    case .unknown: "UNKNOWN"
    case .date: "DATE"
    case .decimal(let precision, let scale): "DECIMAL(\(precision),\(scale))"
    case .time(let unit): "TIME(\(unit))"
    case .timestamp(let unit): "TIMESTAMP(\(unit))"
    case .integer(let bits, let isSigned): (isSigned ? "INT_" : "UINT_") + "\(bits)"
    case .list: "LIST"
    case .map: "MAP"
    case .variant: "VARIANT"
    }
  }
}

/// One column of values in the file.
struct ParquetLeaf: Sendable {
  var index: Int
  /// Names from the top, joined with dots.
  var path: String
  var physical: ParquetPhysicalType
  /// Bytes per value of FIXED_LEN_BYTE_ARRAY.
  var fixedByteCount: Int
  var annotation: ParquetAnnotation
  var maxDefinition: UInt8
  var maxRepetition: UInt8
  /// Whether timestamps are instants, not times of the clock.
  var isUTC = false

  /// `INT32 (DATE)`, for messages.
  var typeName: String {
    let base = physical == .fixedByteArray ? "\(physical.name)(\(fixedByteCount))" : physical.name
    return annotation.name.map { "\(base) (\($0))" } ?? base
  }

  /// The SQL type that holds every value of the leaf; nil when this reader has none.
  var naturalType: DataType? {
    switch (annotation, physical) {
    case (.variant, _): return nil
    case (.unknown, _): return .unknown
    case (.decimal(let precision, let scale), .int32), (.decimal(let precision, let scale), .int64),
      (.decimal(let precision, let scale), .byteArray), (.decimal(let precision, let scale), .fixedByteArray):
      guard precision > 0, precision <= DataType.maxDecimalPrecision, scale >= 0, scale <= precision,
        fixedByteCount <= ParquetLeaf.maxNumberBytes
      else { return nil }
      return .decimal(precision: precision, scale: scale)
    case (_, .boolean): return .boolean
    case (_, .int96): return .timestamp(precision: 9)
    case (_, .float): return .real
    case (_, .double): return .double
    case (.date, .int32): return .date
    case (.time(.millis), .int32): return .time(precision: 3)
    case (.time(.micros), .int64): return .time(precision: 6)
    case (.time(.nanos), .int64): return .time(precision: 9)
    case (.timestamp(let unit), .int64):
      return .timestamp(precision: unit == .millis ? 3 : unit == .micros ? 6 : 9)
    case (.integer(8, true), .int32): return .tinyint
    case (.integer(16, true), .int32), (.integer(8, false), .int32): return .smallint
    case (.integer(16, false), .int32): return .integer
    case (.integer(32, false), .int32): return .bigint
    case (.integer(64, false), .int64): return .decimal(precision: 20, scale: 0)
    case (_, .int32): return .integer
    case (_, .int64): return .bigint
    case (.string, .byteArray), (.enum, .byteArray), (.json, .byteArray), (.string, .fixedByteArray),
      (.json, .fixedByteArray), (.enum, .fixedByteArray):
      return .text
    case (.uuid, .fixedByteArray) where fixedByteCount == 16: return .uuid
    case (.float16, .fixedByteArray) where fixedByteCount == 2: return .real
    case (_, .byteArray), (_, .fixedByteArray): return .varbinary
    }
  }

  /// Widest number of FIXED_LEN_BYTE_ARRAY that is decoded.
  static let maxNumberBytes = 64
}

/// A column, field, element, key or value of the file's schema.
///
/// Levels say at which definition level something exists:
///
///     optional group tags (LIST)        notNull 1
///       repeated group list             repeated 2, repetition 1
///         optional binary element       slot 2, notNull 3
///
/// - Source: Melnik et al., "Dremel", VLDB 2010; parquet-format, README.md, "Nested Encoding".
final class ParquetNode: Sendable {
  enum Content: Sendable {
    case leaf(ParquetLeaf)
    case row([ParquetNode])
    case array(ParquetNode)
    case map(key: ParquetNode, value: ParquetNode)
  }

  let name: String
  let content: Content
  /// Repetition level of the innermost repeated ancestor.
  let slotRepetition: UInt8
  /// Definition level from which on there is a value or NULL for this node.
  let slotDefinition: UInt8
  /// Definition level from which on this node is not NULL.
  let notNullDefinition: UInt8
  /// Arrays and maps: definition level from which on there is an element.
  let repeatedDefinition: UInt8
  /// Whether the group's columns hold a VARIANT, which reads as JSON.
  let isVariant: Bool

  init(
    name: String, content: Content, slotRepetition: UInt8, slotDefinition: UInt8, notNullDefinition: UInt8,
    repeatedDefinition: UInt8 = 0, isVariant: Bool = false
  ) {
    self.name = name
    self.content = content
    self.slotRepetition = slotRepetition
    self.slotDefinition = slotDefinition
    self.notNullDefinition = notNullDefinition
    self.repeatedDefinition = repeatedDefinition
    self.isVariant = isVariant
  }

  /// The SQL type of the node's values; unreadable leaves count as varbinary.
  var naturalType: DataType {
    switch content {
    case .leaf(let leaf): leaf.naturalType ?? .varbinary
    case .row where isVariant: .json
    case .row: groupType
    case .array(let element): .array(element.naturalType)
    case .map(let key, let value): .map(key: key.naturalType, value: value.naturalType)
    }
  }

  /// The type of a group's own columns, of a variant's too.
  var groupType: DataType {
    guard case .row(let fields) = content else { return naturalType }
    return .row(fields.map { DataType.RowField(name: $0.name, type: $0.naturalType) })
  }

  /// Some leaf below.
  var firstLeaf: ParquetLeaf? {
    switch content {
    case .leaf(let leaf): return leaf
    case .row(let fields):
      for field in fields { if let leaf = field.firstLeaf { return leaf } }
      return nil
    case .array(let element): return element.firstLeaf
    case .map(let key, _): return key.firstLeaf
    }
  }

  /// `INT32 (DATE)`, `LIST`, `MAP` or `GROUP`.
  var typeName: String {
    switch content {
    case .leaf(let leaf): leaf.typeName
    case .row: isVariant ? "VARIANT" : "GROUP"
    case .array: "LIST"
    case .map: "MAP"
    }
  }
}

/// The columns of a file as a tree, and its leaves in file order.
struct ParquetSchema: Sendable {
  let columns: [ParquetNode]
  let leaves: [ParquetLeaf]
  /// `columns` by name.
  let names: ParquetNames

  static let maxDepth = 100

  /// One element of the footer's flattened tree.
  struct Element {
    var physical: ParquetPhysicalType?
    var fixedByteCount = 0
    /// 0 required, 1 optional, 2 repeated.
    var repetition = 0
    var name = ""
    var childCount: Int?
    var annotation = ParquetAnnotation.none
    var isKeyValue = false
    var isUTC = false

    init(_ reader: inout ThriftCompactReader) throws(ParquetDamage) {
      var converted: Int?
      var (scale, precision) = (0, 0)
      var logical: ParquetAnnotation?
      var id = 0
      while let type = try reader.nextField(&id) {
        switch id {
        case 1:
          let number = Int(try reader.integer(type))
          guard let known = ParquetPhysicalType(rawValue: number) else {
            throw ParquetDamage("the schema holds the unknown physical type \(number)")
          }
          physical = known
        case 2: fixedByteCount = try reader.size(type)
        case 3: repetition = Int(try reader.integer(type))
        case 4: name = try reader.string(type)
        case 5: childCount = try reader.size(type)
        case 6: converted = Int(try reader.integer(type))
        case 7: scale = Int(try reader.integer(type))
        case 8: precision = Int(try reader.integer(type))
        case 10:
          try reader.expectStructure(type)
          logical = try Element.logicalType(&reader, &isUTC)
        default: try reader.skip(type)
        }
      }
      guard repetition >= 0, repetition <= 2 else { throw ParquetDamage("the schema holds an unknown repetition") }
      if physical == .fixedByteArray, fixedByteCount == 0 || fixedByteCount > 1 << 28 {
        throw ParquetDamage("the schema holds a FIXED_LEN_BYTE_ARRAY of \(fixedByteCount) bytes")
      }
      if physical != .fixedByteArray { fixedByteCount = 0 }
      isKeyValue = converted == 2
      annotation = logical ?? Element.convertedType(converted, precision: precision, scale: scale)
    }

    private static func convertedType(_ number: Int?, precision: Int, scale: Int) -> ParquetAnnotation {
      switch number {
      case 0: .string
      case 1, 2: .map
      case 3: .list
      case 4: .enum
      case 5: .decimal(precision: precision, scale: scale)
      case 6: .date
      case 7: .time(.millis)
      case 8: .time(.micros)
      case 9: .timestamp(.millis)
      case 10: .timestamp(.micros)
      case 11: .integer(bits: 8, isSigned: false)
      case 12: .integer(bits: 16, isSigned: false)
      case 13: .integer(bits: 32, isSigned: false)
      case 14: .integer(bits: 64, isSigned: false)
      case 15: .integer(bits: 8, isSigned: true)
      case 16: .integer(bits: 16, isSigned: true)
      case 17: .integer(bits: 32, isSigned: true)
      case 18: .integer(bits: 64, isSigned: true)
      case 19: .json
      case 20: .bson
      case 21: .interval
      default: .none
      }
    }

    /// The member of the union that is set; nil when none is.
    private static func logicalType(
      _ reader: inout ThriftCompactReader, _ isUTC: inout Bool
    ) throws(ParquetDamage) -> ParquetAnnotation? {
      var result: ParquetAnnotation?
      var id = 0
      while let type = try reader.nextField(&id) {
        guard type == ThriftCompactReader.WireType.structure else {
          try reader.skip(type)
          continue
        }
        switch id {
        case 1: result = .string
        case 2: result = .map
        case 3: result = .list
        case 4: result = .enum
        case 6: result = .date
        case 11: result = .unknown
        case 12: result = .json
        case 13: result = .bson
        case 14: result = .uuid
        case 15: result = .float16
        case 16: result = .variant
        case 5, 7, 8, 10:
          result = try parameters(&reader, of: id, &isUTC)
          continue
        default: break
        }
        try reader.skip(type)
      }
      return result
    }

    /// The parameters of DECIMAL, TIME, TIMESTAMP and INTEGER.
    private static func parameters(
      _ reader: inout ThriftCompactReader, of kind: Int, _ isUTC: inout Bool
    ) throws(ParquetDamage) -> ParquetAnnotation {
      var (first, second) = (0, 0)
      var unit = ParquetTimeUnit.millis
      var flag = false
      var id = 0
      while let type = try reader.nextField(&id) {
        switch (kind, id) {
        case (5, 1): first = Int(try reader.integer(type))
        case (5, 2): second = Int(try reader.integer(type))
        case (10, 1): first = Int(try reader.integer(type))
        case (10, 2): flag = try reader.boolean(type)
        case (8, 1): isUTC = try reader.optionalBoolean(type) ?? false
        case (7, 2), (8, 2):
          try reader.expectStructure(type)
          var member = 0
          while let inner = try reader.nextField(&member) {
            unit = member == 1 ? .millis : member == 2 ? .micros : .nanos
            try reader.skip(inner)
          }
        default: try reader.skip(type)
        }
      }
      switch kind {
      case 5: return .decimal(precision: second, scale: first)
      case 7: return .time(unit)
      case 8: return .timestamp(unit)
      default: return .integer(bits: first, isSigned: flag)
      }
    }
  }

  // MARK: Building the tree

  /// - Parameter elements: depth first, the root first.
  init(_ elements: [Element]) throws(ParquetDamage) {
    guard let root = elements.first else { throw ParquetDamage("the footer has no schema") }
    var builder = Builder(elements: elements)
    var columns: [ParquetNode] = []
    // Every child needs an element of its own.
    let count = root.childCount ?? 0
    guard count <= elements.count else { throw ParquetDamage("the schema's root has more columns than elements") }
    for _ in 0..<count {
      columns.append(try builder.field(definition: 0, repetition: 0, slot: 0, path: "", depth: 1))
    }
    guard builder.next == elements.count else { throw ParquetDamage("the schema has elements outside its root") }
    self.columns = columns
    names = ParquetNames(columns)
    leaves = builder.leaves
  }

  private struct Builder {
    var elements: [Element]
    var next = 1
    var leaves: [ParquetLeaf] = []

    private mutating func take() throws(ParquetDamage) -> Element {
      guard next < elements.count else { throw ParquetDamage("the schema ends too early") }
      defer { next += 1 }
      return elements[next]
    }

    /// The next element as a field of a group, with its own repetition.
    ///
    /// - Parameters:
    ///   - definition: level at which the parent exists.
    ///   - slot: level at which the innermost repeated ancestor has an element.
    mutating func field(
      definition: UInt8, repetition: UInt8, slot: UInt8, path: String, depth: Int
    ) throws(ParquetDamage) -> ParquetNode {
      guard depth < ParquetSchema.maxDepth else { throw ParquetDamage("the schema is nested too deeply") }
      let element = try take()
      let path = path.isEmpty ? element.name : path + "." + element.name
      if element.repetition == 2 {
        // A repeated field outside LIST and MAP: a required list of required elements.
        let child = try body(
          element, definition: definition + 1, repetition: repetition + 1, slot: definition + 1, path: path,
          depth: depth)
        return ParquetNode(
          name: element.name, content: .array(child), slotRepetition: repetition, slotDefinition: slot,
          notNullDefinition: definition, repeatedDefinition: definition + 1)
      }
      let own = definition + (element.repetition == 1 ? 1 : 0)
      return try body(element, definition: own, repetition: repetition, slot: slot, path: path, depth: depth)
    }

    /// What `element` holds, itself existing from `definition` on.
    mutating func body(
      _ element: Element, definition: UInt8, repetition: UInt8, slot: UInt8, path: String, depth: Int
    ) throws(ParquetDamage) -> ParquetNode {
      guard depth < ParquetSchema.maxDepth else { throw ParquetDamage("the schema is nested too deeply") }
      guard let childCount = element.childCount, element.physical == nil else {
        guard let physical = element.physical, element.childCount ?? 0 == 0 else {
          throw ParquetDamage("the schema holds an element that is neither group nor column")
        }
        let leaf = ParquetLeaf(
          index: leaves.count, path: path, physical: physical, fixedByteCount: element.fixedByteCount,
          annotation: element.annotation, maxDefinition: definition, maxRepetition: repetition, isUTC: element.isUTC)
        leaves.append(leaf)
        return ParquetNode(
          name: element.name, content: .leaf(leaf), slotRepetition: repetition, slotDefinition: slot,
          notNullDefinition: definition)
      }
      guard childCount <= elements.count - next else { throw ParquetDamage("the schema ends too early") }
      if childCount == 1, next < elements.count, elements[next].repetition == 2 {
        if element.annotation == .list {
          return try list(element, definition: definition, repetition: repetition, slot: slot, path: path, depth: depth)
        }
        if element.annotation == .map, elements[next].physical == nil, elements[next].childCount == 2 {
          return try map(element, definition: definition, repetition: repetition, slot: slot, path: path, depth: depth)
        }
      }
      var fields: [ParquetNode] = []
      for _ in 0..<childCount {
        fields.append(
          try field(definition: definition, repetition: repetition, slot: slot, path: path, depth: depth + 1))
      }
      return ParquetNode(
        name: element.name, content: .row(fields), slotRepetition: repetition, slotDefinition: slot,
        notNullDefinition: definition, isVariant: element.annotation == .variant)
    }

    /// A LIST group; its repeated child is a wrapper around the element or, from older writers, the element.
    ///
    /// - Source: parquet-format, LogicalTypes.md, "Lists", backward-compatibility rules.
    private mutating func list(
      _ element: Element, definition: UInt8, repetition: UInt8, slot: UInt8, path: String, depth: Int
    ) throws(ParquetDamage) -> ParquetNode {
      let repeated = try take()
      let inner = path + "." + repeated.name
      let (level, rank) = (definition + 1, repetition + 1)
      let isElement: Bool
      if repeated.physical != nil || repeated.childCount != 1 {
        isElement = true
      } else if repeated.name == "array" || repeated.name == element.name + "_tuple" {
        isElement = true
      } else {
        isElement = next < elements.count && elements[next].repetition == 2
      }
      let child: ParquetNode
      if isElement {
        child = try body(
          repeated, definition: level, repetition: rank, slot: level, path: inner, depth: depth + 1)
      } else {
        child = try field(definition: level, repetition: rank, slot: level, path: inner, depth: depth + 2)
      }
      return ParquetNode(
        name: element.name, content: .array(child), slotRepetition: repetition, slotDefinition: slot,
        notNullDefinition: definition, repeatedDefinition: level)
    }

    private mutating func map(
      _ element: Element, definition: UInt8, repetition: UInt8, slot: UInt8, path: String, depth: Int
    ) throws(ParquetDamage) -> ParquetNode {
      let repeated = try take()
      let inner = path + "." + repeated.name
      let (level, rank) = (definition + 1, repetition + 1)
      let key = try field(definition: level, repetition: rank, slot: level, path: inner, depth: depth + 2)
      let value = try field(definition: level, repetition: rank, slot: level, path: inner, depth: depth + 2)
      return ParquetNode(
        name: element.name, content: .map(key: key, value: value), slotRepetition: repetition, slotDefinition: slot,
        notNullDefinition: definition, repeatedDefinition: level)
    }
  }
}
