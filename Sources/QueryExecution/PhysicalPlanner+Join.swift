import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions

extension PhysicalPlanner {
  /// Builds the side to be hashed first, so that its filters are there when the other side is scanned.
  func buildJoin(
    _ plan: LogicalPlan, _ join: JoinNode, _ needed: Set<ColumnID>
  ) throws(QueryError) -> OpenPipeline {
    var wanted = needed
    for key in join.keys {
      wanted.insert(key.left.id)
      wanted.insert(key.right.id)
    }
    let residualColumns = join.residual?.columnsUsed ?? []
    wanted.formUnion(residualColumns.map(\.id))
    let buildsLeft = join.buildsLeft && PhysicalPlanner.canBuildLeft(join)
    let (buildPlan, probePlan) = buildsLeft ? (join.left, join.right) : (join.right, join.left)
    let buildKeys = join.keys.map { buildsLeft ? $0.left : $0.right }
    let probeKeys = join.keys.map { buildsLeft ? $0.right : $0.left }
    let outcome = PhysicalPlanner.outcome(join.kind, buildsLeft: buildsLeft)

    let buildInput = try build(buildPlan, needed: wanted)
    let build = JoinBuild()
    let read = Set(join.outputs.map(\.id)).intersection(needed).union(residualColumns.map(\.id))
    let specification = JoinBuildSpecification(
      kept: Set(buildInput.layout.indices.filter { read.contains(buildInput.layout[$0].id) }), keys: try buildInput.positions(buildKeys),
      keyTypes: buildKeys.map(\.type),
      nullsEqual: join.keys.map(\.nullsEqual), types: buildInput.types, isNullAware: join.isNullAware,
      marksMatched: outcome.marksBuildRows, dynamicFilters: join.dynamicFilters)
    let buildNode = QueryProfile.Node("Build", children: [buildInput.profile])
    let buildOperator = JoinBuildOperator(buildNode, specification, build, context)
    close(buildInput, buildOperator)

    var probe = try self.build(probePlan, needed: wanted)
    for (left, right) in zip(probeKeys, buildKeys) where left.type.physicalType != right.type.physicalType {
      throw QueryError.internalError("join keys of different types: \(left.type) and \(right.type)")
    }
    let node = profile(plan, [probe.profile, buildNode])
    if probe.hasLimit, outcome.marksBuildRows { probe = materialize(probe) }
    func source(_ column: ColumnReference) throws(QueryError) -> JoinProbeSpecification.Output {
      if let index = probe.layout.firstIndex(of: column) { return .probe(index) }
      return .build(try buildInput.position(column))
    }
    var outputs: [JoinProbeSpecification.Output] = []
    var outputLayout: [ColumnReference] = []
    for column in join.outputs where needed.contains(column.id) {
      if column == join.mark {
        outputs.append(.mark)
      } else {
        outputs.append(try source(column))
      }
      outputLayout.append(column)
    }
    var residualInputs: [(reference: ColumnReference, source: JoinProbeSpecification.Output)] = []
    for column in residualColumns.sorted(by: { $0.id.rawValue < $1.id.rawValue }) {
      residualInputs.append((column, try source(column)))
    }
    let probeSpecification = JoinProbeSpecification(
      outcome: outcome, keys: try probe.positions(probeKeys), nullsEqual: join.keys.map(\.nullsEqual),
      isNullAware: join.isNullAware && (join.kind == .mark || join.kind == .anti), outputs: outputs,
      outputTypes: outputLayout.map(\.type), residual: join.residual, residualInputs: residualInputs)
    let spilled = buildOperator.spilled
    // Rows on disk come later: not where their order or the end of a limit's rows counts; NOT IN has to see all NULLs at once.
    let isPlain = !probeSpecification.isNullAware || (join.residual == nil && probeSpecification.nullsEqual == [false])
    spilled.maySpill = !join.keys.isEmpty && !probe.isOrdered && !probe.hasLimit && isPlain
    spilled.probeKeys = probeSpecification.keys
    spilled.probeTypes = probe.types
    probe.append(JoinProbeOperator(node, probeSpecification, build))
    if outcome.marksBuildRows {
      let rows = JoinBuildRowsSource(
        node, build, outputs: outputs, types: outputLayout.map(\.type), wantsMatched: outcome == .buildSemi,
        batchSize: context.batchSize)
      probe.branches.append(Branch(source: rows, operators: [], startsAfterPrevious: true))
      probe.isOrdered = false
    }
    if spilled.maySpill {
      let rows = SpilledJoinSource(node, spilled, build, buildOperator.builder, probeSpecification)
      probe.branches.append(
        Branch(
          source: rows, operators: [SpilledJoinOperator(node, probeSpecification, rows)], startsAfterPrevious: true, spilled: spilled))
    }
    probe.layout = outputLayout
    probe.profile = node
    return probe
  }

  private static func canBuildLeft(_ join: JoinNode) -> Bool {
    switch join.kind {
    case .inner, .left, .right, .full, .semi: true
    case .anti: !join.isNullAware
    case .mark: false
    }
  }

  private static func outcome(_ kind: JoinNode.Kind, buildsLeft: Bool) -> JoinOutcome {
    switch kind {
    case .inner: .inner
    case .left: buildsLeft ? .buildOuter : .probeOuter
    case .right: buildsLeft ? .probeOuter : .buildOuter
    case .full: .fullOuter
    case .semi: buildsLeft ? .buildSemi : .semi
    case .anti: buildsLeft ? .buildAnti : .anti
    case .mark: .mark
    }
  }
}
