import QueryErrors
import SQLExpressions
import SQLSyntax
import TableCatalog

/// `PARTITION (year = 2024, month = '05')`: values of some of a table's partition columns.
struct PartitionSpecification: CustomStringConvertible {
  private let table: TableDefinition
  private let range: SourceRange?
  /// Column number → its value as text; nil for NULL.
  private var given: [Int: String?] = [:]

  /// - Throws: `COLUMN_NOT_FOUND` for columns the table is not partitioned by, `HIVE_INVALID_PARTITION_VALUE`.
  init(_ list: [PartitionValueSyntax], of table: TableDefinition, _ context: StatementContext) throws(QueryError) {
    self.table = table
    range = list.first?.range
    guard !table.partitionColumns.isEmpty else {
      throw QueryError(
        .genericUserError, "Table '\(table.name)' is not partitioned but a partition specification was given", at: range)
    }
    for item in list {
      guard let index = table.partitionColumns.firstIndex(where: { $0.name == item.key.canonicalName }) else {
        throw QueryError(
          .columnNotFound, "'\(item.key.name)' is no partition column of '\(table.name)'", at: item.range,
          hint: NameSuggestion.hint(for: item.key.name, among: table.partitionColumns.map(\.name)))
      }
      guard given[index] == nil else {
        throw QueryError(.genericUserError, "Partition column '\(item.key.name)' is given twice", at: item.range)
      }
      let constant = try context.constant(item.value)
      let isNull = constant.constantValue?.isNull ?? true
      let text = isNull ? nil : ScalarText.text(constant.constantValue ?? .null, constant.type)
      let column = table.partitionColumns[index]
      if let text, PartitionValue.parse(text, column.type) == nil {
        throw QueryError(
          .hiveInvalidPartitionValue, "Invalid partition value '\(text)' for \(column.type) partition key: \(column.name)",
          at: item.range)
      }
      // The default partition's name says NULL, too.
      given[index] = .some(text == PartitionFolder.defaultValue ? nil : text)
    }
  }

  /// The values of all partition columns.
  ///
  /// - Throws: `GENERIC_USER_ERROR` when one is missing.
  func complete() throws(QueryError) -> [String?] {
    var values: [String?] = []
    for (index, column) in table.partitionColumns.enumerated() {
      guard let value = given[index] else {
        throw QueryError(.genericUserError, "The partition specification lacks column '\(column.name)'", at: range)
      }
      values.append(value)
    }
    return values
  }

  /// Whether a partition has the values given, however they are written: `5` and `05` are one number.
  func matches(_ partition: [String?]) -> Bool {
    given.allSatisfy { index, wanted in
      guard let own = partition[index], let wanted else { return partition[index] == nil && wanted == nil }
      let type = table.partitionColumns[index].type
      return own == wanted || PartitionValue.parse(own, type) == PartitionValue.parse(wanted, type)
    }
  }

  var description: String {
    given.sorted { $0.key < $1.key }.map { index, value in
      PartitionFolder.name([table.partitionColumns[index].name], [value])
    }.joined(separator: "/")
  }
}
