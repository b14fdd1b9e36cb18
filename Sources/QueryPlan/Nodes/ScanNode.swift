import Columnar
package import SQLExpressions
package import TableCatalog

/// Reads a table's files.
package struct ScanNode: Sendable {
  package var table: Table
  package var columns: [Column]
  /// Conjuncts over `columns` that the scan applies itself, all of them deterministic.
  package var predicates: [Expression] = []
  /// At most so many rows are wanted, if any; the scan may yield more.
  package var limit: Int?
  /// Filters that a join's build side will supply while the query runs.
  package var dynamicFilters: [DynamicFilter] = []
  /// What partition pruning listed; nil before that.
  package var fileSet: FileSet?

  package init(table: Table, columns: [Column]) {
    self.table = table
    self.columns = columns
  }

  /// Whether the scan yields each of the table's columns in files, as for `*`.
  package var readsAllFileColumns: Bool {
    let read = Set(columns.compactMap { if case .file(let index) = $0.source { index } else { nil } })
    return read.count == table.columns.count
  }

  /// One column the scan yields.
  package struct Column: Sendable, Hashable {
    package var reference: ColumnReference
    package var source: Source
    package init(_ reference: ColumnReference, _ source: Source) {
      self.reference = reference
      self.source = source
    }
  }

  /// Where a column's values come from.
  package enum Source: Sendable, Hashable {
    /// Index into `table.columns`.
    case file(Int)
    /// Index into `table.partitionColumns`.
    case partition(Int)
    /// Hidden column `$path`, varchar.
    case path
    /// Hidden column `$file_size`, bigint.
    case fileSize
    /// Hidden column `$file_modified_time`, timestamp(3) with time zone.
    case fileModifiedTime
    /// Hidden column `$partition`, varchar: `year=2024/month=05`.
    case partitionName
    /// Hidden column `$bucket`, integer.
    case bucket
  }

  /// The probe column `column` can only match values that the build side `id` has seen.
  package struct DynamicFilter: Sendable, Hashable {
    package var id: Int
    package var column: ColumnReference
    package init(id: Int, column: ColumnReference) {
      self.id = id
      self.column = column
    }
  }
}

/// Rows written in the query itself.
package struct ValuesNode: Sendable {
  package var outputs: [ColumnReference]
  /// Constant expressions (they may be volatile), each row as wide as `outputs`; may be empty.
  package var rows: [[Expression]]

  package init(outputs: [ColumnReference], rows: [[Expression]]) {
    self.outputs = outputs
    self.rows = rows
  }
}
