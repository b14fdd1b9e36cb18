import Columnar
package import QueryErrors
package import SQLExpressions
package import SQLFunctions

/// Adds columns computed over windows of one specification.
package struct WindowNode: Sendable {
  package var input: LogicalPlan
  package var partitionKeys: [ColumnReference]
  package var ordering: [SortKey]
  package var calls: [WindowCall]

  package init(input: LogicalPlan, partitionKeys: [ColumnReference], ordering: [SortKey], calls: [WindowCall]) {
    self.input = input
    self.partitionKeys = partitionKeys
    self.ordering = ordering
    self.calls = calls
  }
}

/// One call over a window.
package struct WindowCall: Sendable {
  package enum Function: Sendable {
    case window(WindowFunction)
    case aggregate(AggregateFunction, overloadIndex: Int)
  }
  package var reference: ColumnReference
  package var function: Function
  package var binding: SignatureBinding
  /// Columns, constants or lambdas.
  package var arguments: [Expression]
  package var frame: WindowFrame
  package var ignoresNulls: Bool
  package var isDistinct: Bool
  /// FILTER of an aggregate.
  package var filter: ColumnReference?
  /// ORDER BY inside an aggregate's parentheses.
  package var ordering: [SortKey]
  package var range: SourceRange?

  package init(
    _ reference: ColumnReference, function: Function, binding: SignatureBinding, arguments: [Expression],
    frame: WindowFrame, ignoresNulls: Bool = false, isDistinct: Bool = false, filter: ColumnReference? = nil,
    ordering: [SortKey] = [], range: SourceRange? = nil
  ) {
    self.reference = reference
    self.function = function
    self.binding = binding
    self.arguments = arguments
    self.frame = frame
    self.ignoresNulls = ignoresNulls
    self.isDistinct = isDistinct
    self.filter = filter
    self.ordering = ordering
    self.range = range
  }

  /// Input columns that the call reads beside its arguments.
  package var columns: [ColumnReference] {
    frame.columns + (filter.map { [$0] } ?? []) + ordering.map(\.column)
  }
}

/// Which rows around the current one a call sees.
package struct WindowFrame: Sendable, Hashable {
  package enum Unit: Sendable, Hashable { case rows, range, groups }
  package enum Bound: Sendable, Hashable {
    case unboundedPreceding
    /// ROWS and GROUPS: a column of non-negative bigints. RANGE: a column holding, per row, the limit value itself, the
    /// sort key minus the offset.
    case preceding(ColumnReference)
    case currentRow
    /// As `preceding`; for RANGE the sort key plus the offset.
    case following(ColumnReference)
    case unboundedFollowing

    package var column: ColumnReference? {
      switch self {
      case .preceding(let column), .following(let column): column
      case .unboundedPreceding, .currentRow, .unboundedFollowing: nil
      }
    }
  }
  package var unit: Unit
  package var start: Bound
  package var end: Bound
  /// RANGE with an offset: what the start's limit is compared with, where its type is not that of the sort key; a column
  /// with the sort key's values in the limit's type.
  package var startKey: ColumnReference?
  /// The same for the end.
  package var endKey: ColumnReference?

  package init(
    unit: Unit, start: Bound, end: Bound, startKey: ColumnReference? = nil, endKey: ColumnReference? = nil
  ) {
    self.unit = unit
    self.start = start
    self.end = end
    self.startKey = startKey
    self.endKey = endKey
  }

  /// Columns that the frame reads.
  package var columns: [ColumnReference] { [start.column, end.column, startKey, endKey].compactMap { $0 } }

  /// RANGE UNBOUNDED PRECEDING: the default with ORDER BY (and, as all rows are peers then, without).
  package static let standard = WindowFrame(unit: .range, start: .unboundedPreceding, end: .currentRow)
}
