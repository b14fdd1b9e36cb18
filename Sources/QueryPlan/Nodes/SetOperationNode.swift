package import SQLExpressions

/// UNION, INTERSECT or EXCEPT.
package struct SetOperationNode: Sendable {
  package enum Kind: Sendable, Hashable { case union, intersect, except }
  package var kind: Kind
  /// ALL keeps duplicates.
  package var isAll: Bool
  /// Two or more inputs whose output types equal those of `outputs`, by position.
  package var inputs: [LogicalPlan]
  package var outputs: [ColumnReference]

  package init(_ kind: Kind, isAll: Bool, inputs: [LogicalPlan], outputs: [ColumnReference]) {
    self.kind = kind
    self.isAll = isAll
    self.inputs = inputs
    self.outputs = outputs
  }
}
