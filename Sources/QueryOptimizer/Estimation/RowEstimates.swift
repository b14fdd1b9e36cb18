package import QueryPlan

/// How many rows plans are thought to yield; remembers what it read of files.
package struct RowEstimates {
  private var estimator = CardinalityEstimator()

  package init() {}

  package mutating func rowCount(of plan: LogicalPlan) -> Double { estimator.estimate(plan).rows }
}
