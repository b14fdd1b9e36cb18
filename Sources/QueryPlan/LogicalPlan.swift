package import SQLExpressions

/// What a query computes, as a tree of relational nodes; every node names its output columns by `ColumnID`.
package indirect enum LogicalPlan: Sendable {
  case scan(ScanNode)
  case values(ValuesNode)
  case filter(FilterNode)
  case project(ProjectNode)
  case aggregate(AggregateNode)
  case join(JoinNode)
  /// A subquery not decorrelated yet; gone after optimization.
  case apply(ApplyNode)
  case sort(SortNode)
  case limit(LimitNode)
  case topN(TopNNode)
  case setOperation(SetOperationNode)
  case window(WindowNode)
  case rowPattern(RowPatternNode)
  case unnest(UnnestNode)
  case singleRow(SingleRowNode)
  case common(CommonNode)
  case recursion(RecursionNode)
  case recursionInput(RecursionInputNode)
}

extension LogicalPlan {
  /// The columns the node yields, in order.
  package var outputs: [ColumnReference] {
    switch self {
    case .scan(let node): node.columns.map(\.reference)
    case .values(let node): node.outputs
    case .filter(let node): node.input.outputs
    case .project(let node): node.assignments.map(\.reference)
    case .aggregate(let node): node.outputs
    case .join(let node): node.outputs
    case .apply(let node): node.outputs
    case .sort(let node): node.input.outputs
    case .limit(let node): node.input.outputs
    case .topN(let node): node.input.outputs
    case .setOperation(let node): node.outputs
    case .window(let node): node.input.outputs + node.calls.map(\.reference)
    case .rowPattern(let node): node.outputs
    case .unnest(let node): node.outputs
    case .singleRow(let node): node.input.outputs
    case .common(let node): node.outputs
    case .recursion(let node): node.outputs
    case .recursionInput(let node): node.outputs
    }
  }

  /// The inputs, in order.
  package var children: [LogicalPlan] {
    switch self {
    case .scan, .values, .recursionInput: []
    case .filter(let node): [node.input]
    case .project(let node): [node.input]
    case .aggregate(let node): [node.input]
    case .join(let node): [node.left, node.right]
    case .apply(let node): [node.input, node.subquery]
    case .sort(let node): [node.input]
    case .limit(let node): [node.input]
    case .topN(let node): [node.input]
    case .setOperation(let node): node.inputs
    case .window(let node): [node.input]
    case .rowPattern(let node): [node.input]
    case .unnest(let node): [node.input]
    case .singleRow(let node): [node.input]
    case .common(let node): [node.definition.plan]
    case .recursion(let node): [node.initial, node.step]
    }
  }

  /// The same node over other inputs, as many as `children`; a `common` node's shared definition is left as it is.
  package func withChildren(_ children: [LogicalPlan]) -> LogicalPlan {
    switch self {
    case .scan, .values, .recursionInput, .common: return self
    case .filter(var node):
      node.input = children[0]
      return .filter(node)
    case .project(var node):
      node.input = children[0]
      return .project(node)
    case .aggregate(var node):
      node.input = children[0]
      return .aggregate(node)
    case .join(var node):
      node.left = children[0]
      node.right = children[1]
      return .join(node)
    case .apply(var node):
      node.input = children[0]
      node.subquery = children[1]
      return .apply(node)
    case .sort(var node):
      node.input = children[0]
      return .sort(node)
    case .limit(var node):
      node.input = children[0]
      return .limit(node)
    case .topN(var node):
      node.input = children[0]
      return .topN(node)
    case .setOperation(var node):
      node.inputs = children
      return .setOperation(node)
    case .window(var node):
      node.input = children[0]
      return .window(node)
    case .rowPattern(var node):
      node.input = children[0]
      return .rowPattern(node)
    case .unnest(var node):
      node.input = children[0]
      return .unnest(node)
    case .singleRow(var node):
      node.input = children[0]
      return .singleRow(node)
    case .recursion(var node):
      node.initial = children[0]
      node.step = children[1]
      return .recursion(node)
    }
  }
}
