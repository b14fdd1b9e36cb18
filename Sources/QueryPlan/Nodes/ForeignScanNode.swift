package import Columnar
package import ConnectorSDK
package import SQLExpressions
package import TableCatalog

/// Reads a table of a foreign catalog.
///
/// What the source is asked for is in `request`; the predicates are all evaluated here again, whatever it did.
package struct ForeignScanNode: Sendable {
  package var name: TableName
  package var table: any ForeignTable
  /// Whether filters, limits and groupings may be left to the source.
  package var isProven: Bool
  package var columns: [Column]
  /// Conjuncts over `columns`, all of them deterministic.
  package var predicates: [Expression] = []
  /// At most so many rows are wanted, if any; the scan may yield more.
  package var limit: Int?
  /// Filters that a join's build side will supply while the query runs.
  package var dynamicFilters: [ScanNode.DynamicFilter] = []
  /// What the source accepted; nil until it was asked.
  package var request: ForeignRequest?

  package init(name: TableName, table: any ForeignTable, isProven: Bool, columns: [Column]) {
    self.name = name
    self.table = table
    self.isProven = isProven
    self.columns = columns
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
    /// Index into the table's columns.
    case column(Int)
    /// Computed by the source for each combination of the other columns.
    case aggregate(ForeignAggregate)
  }

  /// Whether the source groups rows.
  package var isGrouped: Bool { request?.aggregates != nil }

  /// What to ask for: what was accepted, or the columns alone.
  package var effectiveRequest: ForeignRequest {
    request ?? ForeignRequest(columns: columns.compactMap { if case .column(let index) = $0.source { index } else { nil } })
  }

  /// The table's column behind an output.
  package func tableColumn(of id: ColumnID) -> Int? {
    guard let column = columns.first(where: { $0.reference.id == id }), case .column(let index) = column.source else { return nil }
    return index
  }
}

extension ForeignFilter {
  package init(column: Int, _ domain: Domain) {
    self.init(
      column: column,
      ranges: domain.ranges.map {
        Range(low: $0.low, includesLow: $0.lowInclusive, high: $0.high, includesHigh: $0.highInclusive)
      },
      allowsNull: domain.allowsNull)
  }
}
