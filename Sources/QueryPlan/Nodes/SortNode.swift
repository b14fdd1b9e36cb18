import SQLExpressions

/// Orders rows.
package struct SortNode: Sendable {
  package var input: LogicalPlan
  package var keys: [SortKey]
  package init(input: LogicalPlan, keys: [SortKey]) {
    self.input = input
    self.keys = keys
  }
}

/// Skips `offset` rows and keeps `count` (nil: all the rest), in the input's order.
package struct LimitNode: Sendable {
  package var input: LogicalPlan
  package var offset: Int
  package var count: Int?
  package init(input: LogicalPlan, offset: Int = 0, count: Int?) {
    self.input = input
    self.offset = offset
    self.count = count
  }
}

/// The first rows in an order, after skipping `offset`.
package struct TopNNode: Sendable {
  package var input: LogicalPlan
  package var keys: [SortKey]
  package var offset: Int
  package var count: Int
  /// FETCH FIRST … WITH TIES: also the rows equal to the last one.
  package var withTies: Bool
  /// The dynamic filter by which the scan below learns the first key's value of the last row wanted so far.
  package var dynamicFilter: Int?
  package init(input: LogicalPlan, keys: [SortKey], offset: Int = 0, count: Int, withTies: Bool = false) {
    self.input = input
    self.keys = keys
    self.offset = offset
    self.count = count
    self.withTies = withTies
  }
}
