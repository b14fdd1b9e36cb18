import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions

extension PhysicalPlanner {
  func buildWindow(
    _ plan: LogicalPlan, _ window: WindowNode, _ needed: Set<ColumnID>
  ) throws(QueryError) -> OpenPipeline {
    var input = try build(window.input, needed: needed.union(plan.columnsRead.map(\.id)))
    var presort: SortOperator?
    if window.partitionKeys.isEmpty && !window.ordering.isEmpty {
      let node = QueryProfile.Node("Sort for window", children: [input.profile])
      (input, presort) = sorted(input, by: try specifications(window.ordering, input), node)
    }
    let sink = WindowOperator(
      profile(plan, [input.profile]), partitionKeys: try input.positions(window.partitionKeys),
      ordering: try specifications(window.ordering, input), presort: presort, calls: try self.calls(window.calls, input, window.input),
      types: input.types, context)
    close(input, sink)
    return source(
      PartitionedRowsSource(sink, batchSize: context.batchSize), input.layout + window.calls.map(\.reference))
  }

  func buildRowPattern(
    _ plan: LogicalPlan, _ node: RowPatternNode, _ needed: Set<ColumnID>
  ) throws(QueryError) -> OpenPipeline {
    let input = try build(node.input, needed: needed.union(plan.columnsRead.map(\.id)))
    let kept = node.kept.filter { needed.contains($0.id) }
    let measures = node.pattern.measures.indices.filter { needed.contains(node.pattern.measures[$0].reference.id) }
    let task = RowPatternTask(
      pattern: node.pattern, program: try PatternProgram(node.pattern.pattern, range: node.pattern.range),
      rowsPerMatch: node.rowsPerMatch, layout: input.layout, kept: try input.positions(kept), measures: measures,
      frame: FrameSpecification(unit: .rows, start: .currentRow, end: try bound(node.frameEnd, input)),
      calls: try self.calls(node.calls, input, node.input))
    let sink = RowPatternOperator(
      profile(plan, [input.profile]), partitionKeys: try input.positions(node.partitionKeys),
      ordering: try specifications(node.ordering, input), task: task, types: input.types, context)
    close(input, sink)
    return source(
      PartitionedRowsSource(sink, batchSize: context.batchSize),
      kept + measures.map { node.pattern.measures[$0].reference } + node.calls.map(\.reference))
  }

  private func calls(
    _ calls: [WindowCall], _ input: OpenPipeline, _ plan: LogicalPlan
  ) throws(QueryError) -> [WindowCallSpecification] {
    var result: [WindowCallSpecification] = []
    for call in calls {
      let function: WindowCallSpecification.Function
      var isDistinct = call.isDistinct
      var ordering = call.ordering
      switch call.function {
      case .window(let window): function = .window(window)
      case .aggregate(let aggregate, let overloadIndex):
        function = .aggregate(
          accumulatorFactory(aggregate.overloads[overloadIndex], call.binding, call.arguments))
        if aggregate.ignoresDuplicates { isDistinct = false }
        if !aggregate.isOrderSensitive { ordering = [] }
      }
      var filter: Int?
      if let column = call.filter { filter = try input.position(column) }
      result.append(
        WindowCallSpecification(
          function: function, arguments: try arguments(call.arguments, input, call.range),
          returnType: call.reference.type,
          frame: FrameSpecification(
            unit: call.frame.unit, start: try bound(call.frame.start, input), end: try bound(call.frame.end, input),
            startKey: try call.frame.startKey.map { (key) throws(QueryError) in try input.position(key) },
            endKey: try call.frame.endKey.map { (key) throws(QueryError) in try input.position(key) },
            startOffset: offset(call.frame.start, plan), endOffset: offset(call.frame.end, plan)),
          ignoresNulls: call.ignoresNulls, isDistinct: isDistinct, filter: filter,
          ordering: try specifications(ordering, input), range: call.range))
    }
    return result
  }

  /// The offset of a frame's bound, where it is the same for all rows.
  private func offset(_ bound: WindowFrame.Bound, _ plan: LogicalPlan) -> Int? {
    guard let column = bound.column, case .integer(let value)? = plan.constant(column.id), value >= 0 else { return nil }
    return Int(exactly: value)
  }

  private func bound(
    _ bound: WindowFrame.Bound, _ input: OpenPipeline
  ) throws(QueryError) -> FrameSpecification.Bound {
    switch bound {
    case .unboundedPreceding: .unboundedPreceding
    case .preceding(let column): .preceding(try input.position(column))
    case .currentRow: .currentRow
    case .following(let column): .following(try input.position(column))
    case .unboundedFollowing: .unboundedFollowing
    }
  }
}
