package import QueryErrors
package import QueryPlan

/// One rewrite of a plan into an equal one.
package protocol OptimizerRule: Sendable {
  /// As `EXPLAIN VERBOSE` and settings name it.
  static var name: String { get }
  /// Whether plans cannot be executed without it, so that it runs even with the optimizer off.
  static var isRequired: Bool { get }
  init()
  func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan
}

extension OptimizerRule {
  package static var isRequired: Bool { false }
}
