package import Columnar
package import QueryErrors

/// The union of several files' columns, by name; types that differ become their common super type.
package struct SchemaMerge {
  package private(set) var fields: [Field] = []
  /// Where a column stands in `fields`, by its name in lower case.
  private var places: [String: Int] = [:]

  package init() {}

  /// - Throws: `HIVE_PARTITION_SCHEMA_MISMATCH` when a column's types have nothing in common.
  package mutating func add(_ schema: Schema, path: String) throws(QueryError) {
    for field in schema.fields {
      let name = field.name.lowercased()
      guard let index = places[name] else {
        places[name] = fields.count
        fields.append(field)
        continue
      }
      let known = fields[index].type
      if known == field.type { continue }
      guard let common = SchemaMerge.merge(known, field.type) else {
        throw QueryError(
          .hivePartitionSchemaMismatch,
          "Column '\(field.name)' is \(known) in other files but \(field.type) in this one",
          data: DataLocation(path: path, column: field.name),
          hint: "Declare the table with CREATE EXTERNAL TABLE and the type that fits all files.")
      }
      fields[index].type = common
    }
  }

  /// The type that holds the values of both; rows get the fields of both.
  static func merge(_ a: DataType, _ b: DataType) -> DataType? {
    if a == b { return a }
    switch (a, b) {
    case (.row(let left), .row(let right)):
      var fields = left
      for field in right {
        if let index = fields.firstIndex(where: { $0.name?.lowercased() == field.name?.lowercased() }) {
          guard let type = merge(fields[index].type, field.type) else { return nil }
          fields[index].type = type
        } else {
          fields.append(field)
        }
      }
      return .row(fields)
    case (.array(let left), .array(let right)): return merge(left, right).map { .array($0) }
    case (.map(let leftKey, let leftValue), .map(let rightKey, let rightValue)):
      guard let key = merge(leftKey, rightKey), let value = merge(leftValue, rightValue) else { return nil }
      return .map(key: key, value: value)
    case (.varchar, _), (_, .varchar):
      // Text files whose samples disagree: everything reads as text.
      return a.isNested || b.isNested ? nil : .text
    default:
      return TypeCoercion.commonSuperType(a, b)
    }
  }
}
