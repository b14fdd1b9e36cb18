import Columnar
package import SQLExpressions

/// Repeats each row once per element of its arrays and maps; shorter ones are padded with NULL.
package struct UnnestNode: Sendable {
  package var input: LogicalPlan
  /// Input columns that are kept beside the elements.
  package var kept: [ColumnReference]
  package var items: [Item]
  /// WITH ORDINALITY: bigint from 1.
  package var ordinality: ColumnReference?
  /// LEFT JOIN UNNEST … ON TRUE: rows without elements stay, with NULLs.
  package var isLeft: Bool

  package init(
    input: LogicalPlan, kept: [ColumnReference], items: [Item], ordinality: ColumnReference? = nil, isLeft: Bool = false
  ) {
    self.input = input
    self.kept = kept
    self.items = items
    self.ordinality = ordinality
    self.isLeft = isLeft
  }

  /// One array or map column of the input and what it becomes: an element; a row element's fields (array of rows); or
  /// key and value.
  package struct Item: Sendable, Hashable {
    package var column: ColumnReference
    package var outputs: [ColumnReference]
    package init(column: ColumnReference, outputs: [ColumnReference]) {
      self.column = column
      self.outputs = outputs
    }
  }

  package var outputs: [ColumnReference] { kept + items.flatMap(\.outputs) + (ordinality.map { [$0] } ?? []) }
}
