import Columnar
import QueryErrors

/// What decorrelated subqueries need: not for users.
package enum SubqueryFunctions: FunctionFamily {
  package static let title = "Subqueries"
  package static let functions: [ScalarFunction] = [
    ScalarFunction(
      "$is_single_row", summary: "True; fails when a scalar subquery has more than one row.", isHidden: true,
      overloads: [
        .unary(.bigint, returns: .boolean) { (count: Int64, rows: inout RowContext) -> Bool in
          if count > 1 { rows.fail(.subqueryMultipleRows, "Scalar sub-query has returned multiple rows") }
          return true
        }
      ])
  ]
}
