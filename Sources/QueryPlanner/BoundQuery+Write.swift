package import Columnar
import QueryPlan
import SQLExpressions

extension BoundQuery {
  /// A column that rows are written to, and which of the query's columns it takes; NULL where it takes none.
  package struct Target: Sendable {
    package var name: String
    package var type: DataType
    package var source: Int?

    package init(name: String, type: DataType, source: Int?) {
      self.name = name
      self.type = type
      self.source = source
    }
  }

  /// The rows as the columns of a table take them.
  ///
  /// - Precondition: each source's type coerces to its target's, or both are character types.
  package func conformed(to targets: [Target]) -> BoundQuery {
    var result = self
    var assignments: [ProjectNode.Assignment] = []
    for target in targets {
      let reference = ColumnReference(id: ColumnID(result.nextColumnID), name: target.name, type: target.type)
      result.nextColumnID += 1
      let value: Expression = target.source.map { Expression.column(outputs[$0]).coerced(to: target.type) } ?? .constant(.null, target.type)
      assignments.append(ProjectNode.Assignment(reference, value))
    }
    result.plan = .project(ProjectNode(input: plan, assignments: assignments))
    result.outputs = assignments.map(\.reference)
    result.columnNames = targets.map(\.name)
    result.unnamedColumns = []
    return result
  }
}
