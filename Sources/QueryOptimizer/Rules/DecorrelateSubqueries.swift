package import QueryErrors
package import QueryPlan
import SQLFunctions

/// Turns every subquery into joins.
///
///     Apply exists (o_orderkey = outer.o_orderkey)   →  MarkJoin on o_orderkey = l_orderkey
///
/// A correlated subquery is evaluated for all values of the outer columns at once: the distinct outer values (the
/// domain) are pushed down through the subquery's operators until no operator needs outer columns any more; where a
/// condition `outer = inner` pins the domain, the inner column stands for it and the domain is not needed at all.
///
/// - Source: Neumann and Kemper, "Unnesting Arbitrary Queries", BTW 2015.
package struct DecorrelateSubqueries: OptimizerRule {
  package static let name = "decorrelate_subqueries"
  package static let isRequired = true
  package init() {}

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    // Athena runs fewer subqueries; which of them must not depend on whether the optimizer is on.
    if context.session.followsAthena {
      try SubqueryCorrelation.check(context.isEnabled ? plan : SimplifyExpressions().rewrite(plan, context))
    }
    return try plan.rewritten { (node) throws(QueryError) -> LogicalPlan in
      guard case .apply(let apply) = node else { return node }
      return try SubqueryUnnesting(context).unnest(apply)
    }
  }
}
