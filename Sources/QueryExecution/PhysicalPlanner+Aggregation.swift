import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions

extension PhysicalPlanner {
  /// Aggregation, and DISTINCT as aggregation without calls.
  func buildAggregate(
    _ plan: LogicalPlan, _ aggregate: AggregateNode, _ needed: Set<ColumnID>
  ) throws(QueryError) -> OpenPipeline {
    var node = aggregate
    for index in node.calls.indices where node.calls[index].function.ignoresDuplicates {
      node.calls[index].isDistinct = false
    }
    // A single group exists even when nobody reads its values.
    node.calls.removeAll { !needed.contains($0.reference.id) }
    var wanted = Set(node.keys.map(\.input.id))
    for call in node.calls {
      for argument in call.arguments { wanted.formUnion(argument.columnsUsed.map(\.id)) }
      if let filter = call.filter { wanted.insert(filter.id) }
      wanted.formUnion(call.ordering.map(\.column.id))
    }
    let input = try build(node.input, needed: wanted)
    var calls: [AggregateSpecification.Call] = []
    for call in node.calls {
      var filter: Int?
      if let column = call.filter { filter = try input.position(column) }
      calls.append(
        AggregateSpecification.Call(
          makeAccumulator: accumulatorFactory(call.overload, call.binding, call.arguments),
          arguments: try arguments(call.arguments, input, call.range),
          argumentTypes: call.arguments.compactMap { argument in
            if case .lambda = argument { nil } else { argument.type }
          },
          filter: filter, isDistinct: call.isDistinct && !call.arguments.isEmpty,
          ordering: try specifications(call.ordering, input), returnType: call.reference.type))
    }
    let specification = AggregateSpecification(
      keys: try input.positions(node.keys.map(\.input)), keyTypes: node.keys.map(\.output.type),
      sets: node.groupingSets, calls: calls, inputTypes: input.types, hasSetIndex: node.groupingSetIndex != nil,
      collides: context.testing.collidesHashes)
    let sink = HashAggregateOperator(profile(plan, [input.profile]), specification, context)
    if let clustered = clusteredAggregate(node, input, sink) { return clustered }
    close(input, sink)
    return source(HashAggregateSource(sink, context), node.outputs)
  }

  /// An aggregation inside its input's pipeline, when a key's equal values mostly lie in one morsel of its source.
  ///
  /// - Parameter leftover: merges the groups that are not complete with their morsel.
  private func clusteredAggregate(
    _ node: AggregateNode, _ input: OpenPipeline, _ leftover: HashAggregateOperator
  ) -> OpenPipeline? {
    let specification = leftover.specification
    guard !input.isSequential, !input.hasLimit, specification.sets.count == 1,
      specification.sets[0].count == specification.keys.count, !specification.hasSetIndex,
      !specification.calls.contains(where: \.isDeferred), let source = input.clusterableSource,
      let key = node.keys.firstIndex(where: {
        $0.input.type == $0.output.type && source.isClustered(by: input.origin(of: $0.input.id))
      })
    else { return nil }
    source.keepsClusters()
    let aggregate = ClusteredAggregateOperator(
      leftover.node, specification, key: key, column: input.origin(of: node.keys[key].input.id), of: source,
      leftover: leftover, spilled: input.branches.compactMap(\.spilled))
    var open = input
    open.append(aggregate)
    open.branches.append(
      Branch(source: LeftoverGroupsSource(leftover, context), operators: [], startsAfterPrevious: true))
    open.layout = node.outputs
    open.profile = leftover.node
    open.isOrdered = false
    return open
  }

  /// UNION, INTERSECT, EXCEPT.
  func buildSetOperation(
    _ plan: LogicalPlan, _ node: SetOperationNode, _ needed: Set<ColumnID>
  ) throws(QueryError) -> OpenPipeline {
    if case .union = node.kind {
      if !node.isAll {
        var all = node
        all.isAll = true
        let keys = node.outputs.map { AggregateNode.Key(input: $0, output: $0) }
        return try build(
          .aggregate(AggregateNode(input: .setOperation(all), keys: keys, calls: [])), needed: needed)
      }
      let kept = node.outputs.indices.filter { needed.contains(node.outputs[$0].id) }
      return try buildUnion(plan, node, kept: kept, marksInputs: false)
    }
    let union = try buildUnion(plan, node, kept: Array(node.outputs.indices), marksInputs: true)
    let columnCount = node.outputs.count
    let calls = node.inputs.indices.map { input in
      AggregateSpecification.Call(
        makeAccumulator: { () throws(QueryError) -> any GroupsAccumulator in InputCount(input: input) },
        arguments: [.column(columnCount)], argumentTypes: [.integer], filter: nil, isDistinct: false, ordering: [],
        returnType: .bigint)
    }
    let specification = AggregateSpecification(
      keys: Array(0..<columnCount), keyTypes: node.outputs.map(\.type), sets: [Array(0..<columnCount)], calls: calls,
      inputTypes: node.outputs.map(\.type) + [.integer], hasSetIndex: false, collides: context.testing.collidesHashes)
    let profile = union.profile
    let sink = HashAggregateOperator(profile, specification, context)
    close(union, sink)
    var open = source(HashAggregateSource(sink, context), node.outputs)
    open.append(
      RepeatByCountsOperator(
        QueryProfile.Node("Count rows"), kind: node.kind, isAll: node.isAll, columnCount: columnCount,
        inputCount: node.inputs.count))
    return open
  }

  /// The inputs one after the other.
  private func buildUnion(
    _ plan: LogicalPlan, _ node: SetOperationNode, kept: [Int], marksInputs: Bool
  ) throws(QueryError) -> OpenPipeline {
    var branches: [Branch] = []
    var profiles: [QueryProfile.Node] = []
    for (index, input) in node.inputs.enumerated() {
      let outputs = input.outputs
      let wanted = kept.map { outputs[$0] }
      var open = try build(input, needed: Set(wanted.map(\.id)))
      // A limit may not stop its siblings; and its one worker not all of them.
      if open.hasLimit || open.isSequential { open = materialize(open) }
      let selection = QueryProfile.Node("Select columns")
      open.append(
        SelectColumnsOperator(
          selection, positions: try open.positions(wanted), types: kept.map { node.outputs[$0].type }))
      if marksInputs { open.append(MarkInputOperator(QueryProfile.Node("Mark input"), input: index)) }
      branches += open.branches
      profiles.append(open.profile)
    }
    return OpenPipeline(
      branches: branches, layout: kept.map { node.outputs[$0] }, profile: profile(plan, profiles))
  }
}
