package import SQLExpressions

/// What a query computes, as a tree of relational nodes; every node names its output columns by `ColumnID`.
package indirect enum LogicalPlan: Sendable {
  case scan(ScanNode)
  case foreignScan(ForeignScanNode)
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
  ///
  /// Takes time for the nodes that hand columns on and for the columns, whatever the plan's shape, and no stack.
  package var outputs: [ColumnReference] {
    // Most nodes hand on what one below them makes.
    var plan = self
    while true {
      switch plan {
      case .filter(let node): plan = node.input
      case .sort(let node): plan = node.input
      case .limit(let node): plan = node.input
      case .topN(let node): plan = node.input
      case .singleRow(let node): plan = node.input
      case .scan(let node): return node.columns.map(\.reference)
      case .project(let node): return node.assignments.map(\.reference)
      case .values(let node): return node.outputs
      case .aggregate(let node): return node.outputs
      case .common(let node): return node.outputs
      case .setOperation(let node): return node.outputs
      default: return plan.combinedOutputs
      }
    }
  }

  /// What the node puts together from its inputs' columns and its own.
  private var combinedOutputs: [ColumnReference] {
    var backwards: [ColumnReference] = []
    // Nodes are looked at from the last column to the first: what a node adds stands behind its input's columns.
    var waiting = [self]
    while let plan = waiting.popLast() {
      switch plan {
      case .scan(let node): for column in node.columns.reversed() { backwards.append(column.reference) }
      case .foreignScan(let node): for column in node.columns.reversed() { backwards.append(column.reference) }
      case .values(let node): backwards.append(contentsOf: node.outputs.reversed())
      case .filter(let node): waiting.append(node.input)
      case .project(let node): for item in node.assignments.reversed() { backwards.append(item.reference) }
      case .aggregate(let node): backwards.append(contentsOf: node.outputs.reversed())
      case .join(let node):
        if node.kind == .mark, let mark = node.mark { backwards.append(mark) }
        waiting.append(node.left)
        switch node.kind {
        case .inner, .left, .right, .full: waiting.append(node.right)
        case .semi, .anti, .mark: break
        }
      case .apply(let node):
        waiting.append(node.input)
        switch node.kind {
        case .scalar, .lateral: waiting.append(node.subquery)
        case .exists(let mark), .inSubquery(let mark, _), .quantified(let mark, _, _, _): backwards.append(mark)
        }
      case .sort(let node): waiting.append(node.input)
      case .limit(let node): waiting.append(node.input)
      case .topN(let node): waiting.append(node.input)
      case .setOperation(let node): backwards.append(contentsOf: node.outputs.reversed())
      case .window(let node):
        for call in node.calls.reversed() { backwards.append(call.reference) }
        waiting.append(node.input)
      case .rowPattern(let node): backwards.append(contentsOf: node.outputs.reversed())
      case .unnest(let node): backwards.append(contentsOf: node.outputs.reversed())
      case .singleRow(let node): waiting.append(node.input)
      case .common(let node): backwards.append(contentsOf: node.outputs.reversed())
      case .recursion(let node): backwards.append(contentsOf: node.outputs.reversed())
      case .recursionInput(let node): backwards.append(contentsOf: node.outputs.reversed())
      }
    }
    backwards.reverse()
    return backwards
  }

  /// The inputs, in order.
  package var children: [LogicalPlan] {
    switch self {
    case .scan, .foreignScan, .values, .recursionInput: []
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
    case .scan, .foreignScan, .values, .recursionInput, .common: return self
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
