import Columnar
import QueryErrors
import QueryPlanner
import SQLExpressions
import SQLSyntax

/// The columns of a query as a table, or files of one, can have them.
struct HiveColumns {
  let context: StatementContext

  /// The query's rows with the names and types that the table declares.
  ///
  /// - Parameter aliases: names that CREATE TABLE t (a, b) gives; empty when it gives none.
  /// - Throws: `MISSING_COLUMN_NAME`, `DUPLICATE_COLUMN_NAME`, `MISMATCHED_COLUMN_ALIASES`, `COLUMN_TYPE_UNKNOWN`, `NOT_SUPPORTED`
  ///   for types that Hive does not have.
  func conformed(_ bound: BoundQuery, aliases: [Identifier] = [], at range: SourceRange) throws(QueryError) -> BoundQuery {
    let fields = try fields(of: bound, aliases: aliases, at: range)
    return bound.conformed(to: fields.enumerated().map { BoundQuery.Target(name: $1.name, type: $1.type, source: $0) })
  }

  private func fields(of bound: BoundQuery, aliases: [Identifier], at range: SourceRange) throws(QueryError) -> [Field] {
    if !aliases.isEmpty, aliases.count != bound.outputs.count {
      throw QueryError(
        .mismatchedColumnAliases,
        "Column alias list has \(aliases.count) entries but relation has \(bound.outputs.count) columns", at: range)
    }
    var fields: [Field] = []
    var seen: Set<String> = []
    for (index, output) in bound.outputs.enumerated() {
      if aliases.isEmpty, bound.unnamedColumns.contains(index) {
        throw QueryError(
          .missingColumnName, "Column name not specified at position \(index + 1)", at: range, hint: "Give the expression a name with AS.")
      }
      let name = (aliases.isEmpty ? bound.columnNames[index] : aliases[index].canonicalName).lowercased()
      guard seen.insert(name).inserted else {
        throw QueryError(.duplicateColumnName, "Column name '\(name)' specified more than once", at: range)
      }
      if output.type == .unknown {
        throw QueryError(
          .columnTypeUnknown, "Column type is unknown at position \(index + 1)", at: range, hint: "Write CAST(NULL AS type).")
      }
      try check(output.type, column: name, at: range)
      fields.append(Field(name, HiveColumns.stored(output.type)))
    }
    return fields
  }

  /// The type that a table declares for a column of a query: text of any length is `string`.
  private static func stored(_ type: DataType) -> DataType {
    switch type {
    case .varchar: .text
    case .array(let element): .array(stored(element))
    case .map(let key, let value): .map(key: stored(key), value: stored(value))
    case .row(let members): .row(members.map { DataType.RowField(name: $0.name, type: stored($0.type)) })
    default: type
    }
  }

  private func check(_ type: DataType, column: String, at range: SourceRange) throws(QueryError) {
    switch type {
    case .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal, .varchar, .char, .varbinary, .date: return
    case .timestamp(let precision):
      if context.settings.followsAthena, precision != 3 {
        throw .notSupported(
          "Incorrect timestamp precision for \(type); the configured precision is MILLISECONDS", at: range,
          hint: "Cast column '\(column)' to timestamp(3).")
      }
      guard precision <= 9 else {
        throw .notSupported("Unsupported Hive type: \(type)", at: range, hint: "Cast column '\(column)' to timestamp(9) or less.")
      }
    case .array(let element): try check(element, column: column, at: range)
    case .map(let key, let value):
      try check(key, column: column, at: range)
      try check(value, column: column, at: range)
    case .row(let members):
      for member in members {
        guard member.name != nil else {
          throw .notSupported(
            "Anonymous row type is not supported in Hive. Please give each field a name: \(type)", at: range,
            hint: "Cast column '\(column)' to a row type whose fields have names.")
        }
        try check(member.type, column: column, at: range)
      }
    default:
      throw .notSupported("Unsupported Hive type: \(type)", at: range, hint: "Cast column '\(column)' to varchar, for example.")
    }
  }

  /// Splits columns at those that folders are named by.
  ///
  /// - Throws: `INVALID_TABLE_PROPERTY` for names that are none of the columns', `HIVE_COLUMN_ORDER_MISMATCH` when they are not last.
  func split(
    _ fields: [Field], partitionedBy names: [String], at range: SourceRange?
  ) throws(QueryError) -> (columns: [Field], partitionColumns: [Field]) {
    let missing = names.filter { name in !fields.contains { $0.name == name } }
    guard missing.isEmpty else {
      throw QueryError(
        .invalidTableProperty, "Partition columns [\(missing.joined(separator: ", "))] not present in schema", at: range,
        hint: NameSuggestion.hint(for: missing[0], among: fields.map(\.name)))
    }
    guard names.count < fields.count else {
      throw QueryError(.invalidTableProperty, "Table contains only partition columns", at: range)
    }
    guard fields.suffix(names.count).map(\.name) == names else {
      throw QueryError(
        .hiveColumnOrderMismatch,
        "Partition keys must be the last columns in the table and in the same order as the table properties: [\(names.joined(separator: ", "))]",
        at: range, hint: "Name them last in the SELECT list.")
    }
    let partitionColumns = Array(fields.suffix(names.count))
    for column in partitionColumns {
      switch column.type {
      case .boolean, .tinyint, .smallint, .integer, .bigint, .real, .double, .decimal, .varchar, .char, .date, .timestamp: break
      default: throw .notSupported("Unsupported type [\(column.type)] for partition: \(column.name)", at: range)
      }
    }
    return (Array(fields.dropLast(names.count)), partitionColumns)
  }
}
