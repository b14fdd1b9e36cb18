import Columnar
package import QueryErrors
package import SQLExpressions

/// Combines rows of two inputs.
package struct JoinNode: Sendable {
  package enum Kind: Sendable, Hashable {
    case inner, left, right, full
    /// Left rows with a match; yields left columns only.
    case semi
    /// Left rows without a match; yields left columns only.
    case anti
    /// Left rows with a boolean `mark`: true, false, or NULL as `IN` defines when `markIsNullAware`.
    case mark
  }

  package var kind: Kind
  package var left: LogicalPlan
  package var right: LogicalPlan
  /// Pairs of columns that must be equal (never NULL = NULL unless `nullsEqual`); same type on both sides.
  package var keys: [Key]
  /// A further condition over both inputs' columns.
  package var residual: Expression?
  /// The boolean column of a mark join.
  package var mark: ColumnReference?
  /// Mark and anti joins: whether NULL keys make the outcome unknown (`NOT IN`), or just not equal (`NOT EXISTS`).
  package var isNullAware: Bool
  /// Filters that this join's build side publishes: id → key index. Filled by the optimizer.
  package var dynamicFilters: [Int: Int] = [:]
  /// Which side the optimizer wants hashed; the right one unless it says otherwise.
  package var buildsLeft = false

  package init(
    _ kind: Kind, left: LogicalPlan, right: LogicalPlan, keys: [Key] = [], residual: Expression? = nil,
    mark: ColumnReference? = nil, isNullAware: Bool = false
  ) {
    self.kind = kind
    self.left = left
    self.right = right
    self.keys = keys
    self.residual = residual
    self.mark = mark
    self.isNullAware = isNullAware
  }

  package struct Key: Sendable, Hashable {
    package var left: ColumnReference
    package var right: ColumnReference
    /// `IS NOT DISTINCT FROM` instead of `=`.
    package var nullsEqual: Bool
    package init(_ left: ColumnReference, _ right: ColumnReference, nullsEqual: Bool = false) {
      self.left = left
      self.right = right
      self.nullsEqual = nullsEqual
    }
  }

  package var outputs: [ColumnReference] { LogicalPlan.join(self).outputs }
}

/// For each row of `input`, what a subquery that may use the row's columns yields; the binder's form of every subquery.
///
/// The optimizer turns it into joins (Neumann and Kemper, "Unnesting Arbitrary Queries", BTW 2015).
package struct ApplyNode: Sendable {
  package enum Kind: Sendable, Hashable {
    /// Adds the subquery's columns; the subquery yields one row (`SingleRowNode` or a global aggregate).
    case scalar
    /// Adds a boolean: whether there is a row.
    case exists(ColumnReference)
    /// Adds a boolean: `probe = ANY (subquery's only column)` with SQL's NULL rules.
    case inSubquery(ColumnReference, probe: ColumnReference)
    /// Adds a boolean: `probe <op> ALL/ANY (subquery)`; `op` is a comparison's symbol.
    case quantified(ColumnReference, probe: ColumnReference, op: String, isAll: Bool)
    /// LATERAL: every row combined with every row of the subquery that passes `condition`; `isLeft` keeps rows without any.
    case lateral(isLeft: Bool, condition: Expression?)
  }

  package var kind: Kind
  package var input: LogicalPlan
  package var subquery: LogicalPlan
  /// Columns of `input` (or of nodes further out) that the subquery uses.
  package var correlation: Set<ColumnReference>
  package var range: SourceRange?

  package init(
    _ kind: Kind, input: LogicalPlan, subquery: LogicalPlan, correlation: Set<ColumnReference>, range: SourceRange?
  ) {
    self.kind = kind
    self.input = input
    self.subquery = subquery
    self.correlation = correlation
    self.range = range
  }

  package var outputs: [ColumnReference] { LogicalPlan.apply(self).outputs }
}
