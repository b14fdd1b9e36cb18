package import Columnar
package import QueryErrors

/// A partition's own columns against the table's: the files of a partition were written as it declares them.
///
/// - Source: Athena User Guide, "Handle schema updates", "Update tables with partitions".
package enum PartitionSchema {
  /// Which of the table's columns the partition's files lack.
  ///
  /// - Parameter matchesByName: whether files find columns by name (Parquet) rather than by position.
  /// - Throws: `HIVE_PARTITION_SCHEMA_MISMATCH` where a type cannot become the table's.
  package static func absentColumns(
    of partition: [ColumnDefinition], in table: [Field], matchesByName: Bool, _ describe: () -> (table: String, partition: String)
  ) throws(QueryError) -> Set<Int> {
    var absent: Set<Int> = []
    for (index, field) in table.enumerated() {
      let own =
        matchesByName
        ? partition.first { $0.name.lowercased() == field.name.lowercased() } : index < partition.count ? partition[index] : nil
      guard let own else {
        absent.insert(index)
        continue
      }
      guard canBecome(field.type, from: own.type) else {
        let names = describe()
        throw QueryError(
          .hivePartitionSchemaMismatch,
          "There is a mismatch between the table and partition schemas. The types are incompatible and cannot be coerced. The column '\(field.name)' in table '\(names.table)' is declared as type '\(field.type.hiveName)', but partition '\(names.partition)' declared column '\(own.name)' as type '\(own.type.hiveName)'.",
          hint: "Drop and add the partition again, or give it the table's columns by ALTER TABLE … PARTITION (…) REPLACE COLUMNS.")
      }
    }
    return absent
  }

  /// Whether values of a partition's type can be read as the table's.
  private static func canBecome(_ type: DataType, from own: DataType) -> Bool {
    if type == own { return true }
    let widths: [DataType: Int] = [.tinyint: 1, .smallint: 2, .integer: 3, .bigint: 4]
    switch (own, type) {
    case (.varchar, .varchar), (.varchar, .tinyint), (.varchar, .smallint), (.varchar, .integer), (.varchar, .bigint): return true
    case (.real, .double): return true
    case (.decimal(let p, let s), .decimal(let wantedP, let wantedS)): return wantedS >= s && wantedP - wantedS >= p - s
    case (.array(let a), .array(let b)): return canBecome(b, from: a)
    case (.map(let k, let v), .map(let wantedK, let wantedV)): return canBecome(wantedK, from: k) && canBecome(wantedV, from: v)
    case (.row(let a), .row(let b)): return zip(a, b).allSatisfy { canBecome($1.type, from: $0.type) }
    default:
      guard let from = widths[own], let to = widths[type] else { return false }
      return from < to
    }
  }
}
