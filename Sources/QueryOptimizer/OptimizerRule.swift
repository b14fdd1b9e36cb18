package import QueryErrors
package import QueryPlan

/// One rewrite of a plan into an equal one.
package protocol OptimizerRule: Sendable {
  /// As `EXPLAIN VERBOSE` and settings name it.
  static var name: String { get }
  /// Whether plans cannot be executed without it, so that it runs even with the optimizer off.
  static var isRequired: Bool { get }
  /// Whether it sees a plan with all shared definitions at once, instead of each tree by itself.
  static var isWholePlan: Bool { get }
  init()
  func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan
}

extension OptimizerRule {
  package static var isRequired: Bool { false }
  package static var isWholePlan: Bool { false }
}
