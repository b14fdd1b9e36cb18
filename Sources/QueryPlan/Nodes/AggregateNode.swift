import Columnar
package import QueryErrors
package import SQLExpressions
package import SQLFunctions

/// Groups rows by keys and computes aggregates; without keys there is one group, even of no rows.
package struct AggregateNode: Sendable {
  package var input: LogicalPlan
  /// Keys are plain columns: the binder projects expressions first. An output key keeps its input column's id when there
  /// is one grouping set; with several it has its own id and is NULL in sets that leave it out.
  package var keys: [Key]
  /// Each set lists indices into `keys`. One set of all keys is the ordinary GROUP BY.
  package var groupingSets: [[Int]]
  package var calls: [AggregateCall]
  /// Which grouping set a row comes from (index, bigint), when asked for; the binder computes GROUPING() from it.
  package var groupingSetIndex: ColumnReference?

  package init(
    input: LogicalPlan, keys: [Key], groupingSets: [[Int]]? = nil, calls: [AggregateCall],
    groupingSetIndex: ColumnReference? = nil
  ) {
    self.input = input
    self.keys = keys
    self.groupingSets = groupingSets ?? [Array(keys.indices)]
    self.calls = calls
    self.groupingSetIndex = groupingSetIndex
  }

  /// A grouping key: the input column, and the output column that carries it.
  package struct Key: Sendable, Hashable {
    package var input: ColumnReference
    package var output: ColumnReference
    package init(input: ColumnReference, output: ColumnReference) {
      self.input = input
      self.output = output
    }
  }

  package var outputs: [ColumnReference] {
    keys.map(\.output) + calls.map(\.reference) + (groupingSetIndex.map { [$0] } ?? [])
  }
}

/// One aggregate of an `AggregateNode` or over a window frame.
package struct AggregateCall: Sendable {
  /// The output column.
  package var reference: ColumnReference
  package var function: AggregateFunction
  package var overloadIndex: Int
  package var binding: SignatureBinding
  /// Columns, constants or lambdas; anything else is projected first.
  package var arguments: [Expression]
  package var isDistinct: Bool
  /// FILTER (WHERE …): a boolean column.
  package var filter: ColumnReference?
  /// ORDER BY inside the call.
  package var ordering: [SortKey]
  package var range: SourceRange?

  package init(
    _ reference: ColumnReference, function: AggregateFunction, overloadIndex: Int, binding: SignatureBinding,
    arguments: [Expression], isDistinct: Bool = false, filter: ColumnReference? = nil, ordering: [SortKey] = [],
    range: SourceRange? = nil
  ) {
    self.reference = reference
    self.function = function
    self.overloadIndex = overloadIndex
    self.binding = binding
    self.arguments = arguments
    self.isDistinct = isDistinct
    self.filter = filter
    self.ordering = ordering
    self.range = range
  }

  package var overload: AggregateOverload { function.overloads[overloadIndex] }
}

/// One key of an ORDER BY: a column and its direction.
package struct SortKey: Sendable, Hashable {
  package var column: ColumnReference
  package var isAscending: Bool
  package var nullsFirst: Bool

  /// - Parameter nullsFirst: Trino's default is nulls last in both directions.
  package init(_ column: ColumnReference, isAscending: Bool = true, nullsFirst: Bool = false) {
    self.column = column
    self.isAscending = isAscending
    self.nullsFirst = nullsFirst
  }
}
