package import Columnar
package import QueryErrors

/// The union of several files' columns, by name without regard to case; types that differ become one that holds both.
///
/// Columns stand in the order in which files brought them. A column that had no value anywhere so far (`unknown`) takes
/// any type. Only text formats fall back to varchar, where a value always is the text that stands in the file.
package struct SchemaMerge {
  /// What is known of one column.
  private struct Column {
    var name: String
    var type: DataType?
    /// The types files gave it, in the order met, with how many files did so and the first of them.
    var seen: [(type: DataType, count: Int, paths: [String])] = []
  }

  private let isText: Bool
  private var columns: [Column] = []
  /// Whether the types of some column have nothing in common.
  package private(set) var hasConflict = false
  /// Where a column stands in `columns`, by its name in lower case.
  private var places: [String: Int] = [:]

  /// Files of a rare type that an error names.
  private static let namedFileCount = 3

  /// - Parameter isText: whether types were told from text, so that varchar holds all values.
  package init(isText: Bool) { self.isText = isText }

  /// Adds what one file holds.
  package mutating func add(_ schema: Schema, path: String) {
    for field in schema.fields {
      let name = field.name.lowercased()
      let index: Int
      if let known = places[name] {
        index = known
      } else {
        index = columns.count
        places[name] = index
        columns.append(Column(name: field.name, type: .unknown))
      }
      note(index, field.type, path)
    }
  }

  private mutating func note(_ index: Int, _ type: DataType, _ path: String) {
    if let place = columns[index].seen.firstIndex(where: { $0.type == type }) {
      columns[index].seen[place].count += 1
      if columns[index].seen[place].paths.count < SchemaMerge.namedFileCount {
        columns[index].seen[place].paths.append(path)
      }
      return
    }
    columns[index].seen.append((type, 1, [path]))
    columns[index].type = columns[index].type.flatMap { SchemaMerge.merge($0, type, isText: isText) }
    if columns[index].type == nil { hasConflict = true }
  }

  /// The columns of all files added. Where a column's types have nothing in common it has that of most files.
  package var schema: Schema {
    Schema(columns.map { Field($0.name, $0.type ?? $0.seen.max { $0.count < $1.count }!.type) })
  }

  /// `HIVE_PARTITION_SCHEMA_MISMATCH` for a column whose types have nothing in common; it names the rarer types and some
  /// of their files. Nil for others.
  package func conflict(of name: String) -> QueryError? {
    guard let place = places[name.lowercased()], columns[place].type == nil else { return nil }
    return mismatch(columns[place])
  }

  private func mismatch(_ column: Column) -> QueryError {
    let types = column.seen.sorted { $0.count > $1.count }
    func text(_ entry: (type: DataType, count: Int, paths: [String])) -> String {
      "\(entry.type) in \(entry.count) file\(entry.count == 1 ? "" : "s")"
    }
    let rarer = types.dropFirst().map { entry in
      let more = entry.count > entry.paths.count ? ", …" : ""
      return text(entry) + " (" + entry.paths.joined(separator: ", ") + more + ")"
    }
    return QueryError(
      .hivePartitionSchemaMismatch,
      "Column '\(column.name)' is \(text(types[0])) but " + rarer.joined(separator: " and "),
      data: types.last.map { DataLocation(path: $0.paths[0], column: column.name) },
      hint: "Leave those files out with a pattern, or declare the table with CREATE EXTERNAL TABLE.")
  }

  // MARK: Types

  /// The type that holds the values of both, nil when none does; rows get the fields of both.
  package static func merge(_ a: DataType, _ b: DataType, isText: Bool) -> DataType? {
    if a == b { return a }
    switch (a, b) {
    case (.unknown, _): return b
    case (_, .unknown): return a
    case (.row(let left), .row(let right)):
      if let fields = merge(left, right, isText: isText) { return .row(fields) }
    case (.array(let left), .array(let right)):
      if let element = merge(left, right, isText: isText) { return .array(element) }
    case (.map(let leftKey, let leftValue), .map(let rightKey, let rightValue)):
      if let key = merge(leftKey, rightKey, isText: isText), let value = merge(leftValue, rightValue, isText: isText) {
        return .map(key: key, value: value)
      }
    // Both are bytes in the file; older writers do not say which of them are text.
    case (.varchar, .varbinary), (.varbinary, .varchar): return .text
    case (.varchar, .varchar): return TypeCoercion.commonSuperType(a, b)
    // A real holds whole numbers up to 2²⁴ only.
    case (.real, _) where b.isInteger || (isText && b.isDecimal): return .double
    case (_, .real) where a.isInteger || (isText && a.isDecimal): return .double
    case (.real, .decimal), (.decimal, .real): break
    default:
      if isWidening(a, b, isText: isText), let common = TypeCoercion.commonSuperType(a, b) { return common }
    }
    return isText ? .text : nil
  }

  private static func merge(
    _ left: [DataType.RowField], _ right: [DataType.RowField], isText: Bool
  ) -> [DataType.RowField]? {
    var fields = left
    for field in right {
      let name = field.name?.lowercased()
      if let index = fields.firstIndex(where: { $0.name?.lowercased() == name }) {
        guard let type = merge(fields[index].type, field.type, isText: isText) else { return nil }
        fields[index].type = type
      } else {
        fields.append(field)
      }
    }
    return fields
  }

  /// Whether readers turn values of one of the two types into the other's common super type. Text does it with all; those
  /// of typed files know no fractions of decimals as floating-point numbers and no dates as times.
  private static func isWidening(_ a: DataType, _ b: DataType, isText: Bool) -> Bool {
    switch (a, b) {
    case (.timestamp, .timestamp), (.timestampWithTimeZone, .timestampWithTimeZone), (.time, .time): return true
    case (.date, .timestamp), (.timestamp, .date): return isText
    case (.decimal, .double), (.double, .decimal): return isText
    default: return a.isNumeric && b.isNumeric
    }
  }

  /// Whether a column read as `type` holds all values of a file's column of type `own`. Fields that only one side has do
  /// not matter: they read as NULL or are not read.
  package static func holds(_ type: DataType, _ own: DataType, isText: Bool) -> Bool {
    switch (type, own) {
    case (.row(let wanted), .row(let fields)):
      return wanted.allSatisfy { field in
        let name = field.name?.lowercased()
        guard let other = fields.first(where: { $0.name?.lowercased() == name }) else { return true }
        return holds(field.type, other.type, isText: isText)
      }
    case (.array(let a), .array(let b)): return holds(a, b, isText: isText)
    case (.map(let aKey, let aValue), .map(let bKey, let bValue)):
      return holds(aKey, bKey, isText: isText) && holds(aValue, bValue, isText: isText)
    default: return merge(type, own, isText: isText) == type
    }
  }

  /// Whether a file's column of type `own` has fields that `type` lacks.
  package static func hasMoreFields(_ own: DataType, than type: DataType) -> Bool {
    switch (own, type) {
    case (.row(let fields), .row(let known)):
      return fields.contains { field in
        let name = field.name?.lowercased()
        guard let other = known.first(where: { $0.name?.lowercased() == name }) else { return true }
        return hasMoreFields(field.type, than: other.type)
      }
    case (.array(let a), .array(let b)): return hasMoreFields(a, than: b)
    case (.map(_, let a), .map(_, let b)): return hasMoreFields(a, than: b)
    default: return false
    }
  }

  /// The type with varchar wherever no file had a value, and for objects without a key: their text.
  package static func settled(_ type: DataType) -> DataType {
    switch type {
    case .unknown: .text
    case .array(let element): .array(settled(element))
    case .map(let key, let value): .map(key: settled(key), value: settled(value))
    case .row(let fields):
      fields.isEmpty ? .text : .row(fields.map { DataType.RowField(name: $0.name, type: settled($0.type)) })
    default: type
    }
  }
}
