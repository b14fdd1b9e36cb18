package import QueryErrors
package import SQLExpressions

/// Keeps rows for which `predicate` is true.
package struct FilterNode: Sendable {
  package var input: LogicalPlan
  package var predicate: Expression

  package init(input: LogicalPlan, predicate: Expression) {
    self.input = input
    self.predicate = predicate
  }
}

/// Computes columns; its outputs are exactly its assignments.
package struct ProjectNode: Sendable {
  package var input: LogicalPlan
  package var assignments: [Assignment]

  package init(input: LogicalPlan, assignments: [Assignment]) {
    self.input = input
    self.assignments = assignments
  }

  /// Some of the input's columns, in the order given.
  package init(input: LogicalPlan, selecting columns: [ColumnReference]) {
    self.init(input: input, assignments: columns.map { Assignment($0, .column($0)) })
  }

  /// Whether it only leaves out or reorders columns.
  package var isSelection: Bool { assignments.allSatisfy { $0.expression == .column($0.reference) } }

  /// One output and what it is computed from.
  package struct Assignment: Sendable, Hashable {
    package var reference: ColumnReference
    package var expression: Expression
    package init(_ reference: ColumnReference, _ expression: Expression) {
      self.reference = reference
      self.expression = expression
    }
  }
}

/// Fails with `SUBQUERY_MULTIPLE_ROWS` on more than one row; yields one row of NULLs on none.
package struct SingleRowNode: Sendable {
  package var input: LogicalPlan
  package var range: SourceRange?

  package init(input: LogicalPlan, range: SourceRange?) {
    self.input = input
    self.range = range
  }
}
