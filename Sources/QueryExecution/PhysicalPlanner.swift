import Columnar
import QueryErrors
import QueryPlan
import SQLExpressions
import SQLFunctions

/// A pipeline that still lacks its sink: its branches, and which columns their batches hold.
struct OpenPipeline {
  var branches: [Branch]
  /// The columns of the batches, in order.
  var layout: [ColumnReference]
  var profile: QueryProfile.Node
  /// Whether the morsels' order is one the query asked for.
  var isOrdered = false
  /// Whether one worker must run it.
  var isSequential = false
  /// Whether an operator in it may stop the whole pipeline.
  var hasLimit = false
  /// Columns that are others under new names, by their ids.
  private var originals: [ColumnID: ColumnID] = [:]

  init(branches: [Branch], layout: [ColumnReference], profile: QueryProfile.Node) {
    self.branches = branches
    self.layout = layout
    self.profile = profile
  }

  var types: [DataType] { layout.map(\.type) }

  /// Where a column lies in the batches.
  func position(_ column: ColumnReference) throws(QueryError) -> Int {
    guard let index = layout.firstIndex(of: column) else {
      throw QueryError.internalError("column \(column.name)\(column.id) is missing in the input of an operator")
    }
    return index
  }

  func positions(_ columns: [ColumnReference]) throws(QueryError) -> [Int] {
    var result: [Int] = []
    for column in columns { result.append(try position(column)) }
    return result
  }

  /// Notes that a column is another under a new name.
  mutating func rename(_ column: ColumnID, to new: ColumnID) {
    if column != new { originals[new] = origin(of: column) }
  }

  /// The column that a column was where the pipeline starts; itself when it was made on the way.
  func origin(of column: ColumnID) -> ColumnID { originals[column] ?? column }

  /// The only source, where its morsels may be told apart by values.
  ///
  /// Rows of joins that come back from disk are others' rows again: whoever goes by clusters asks whether there are any.
  var clusterableSource: (any ClusterableSource)? {
    branches.count { $0.spilled == nil } == 1 ? branches[0].source as? any ClusterableSource : nil
  }

  /// Adds an operator behind all branches.
  mutating func append(_ streaming: StreamingOperator) {
    for index in branches.indices { branches[index].operators.append(streaming) }
  }
}

/// Turns a logical plan into pipelines, in the order they must run.
///
///     Aggregate                     pipeline 1: scan → filter → (aggregate)
///       Filter               →      pipeline 2: groups → result
///         Scan
final class PhysicalPlanner {
  let context: QueryContext
  private(set) var stages: [Stage] = []
  /// Shared subplans that have a pipeline, by id.
  var commons: [Int: CollectedBatches] = [:]
  /// Rows of the round before, by recursion id.
  var recursionInputs: [Int: CollectedBatches] = [:]
  private var depth = 0

  init(_ context: QueryContext) { self.context = context }

  /// The pipeline that yields these of a plan's outputs, in this order.
  ///
  /// - Throws: `STACK_OVERFLOW` for plans that nest too deeply.
  func build(_ plan: LogicalPlan, outputs: [ColumnReference]) throws(QueryError) -> OpenPipeline {
    try PlanDepth.withStack(for: plan) { () throws(QueryError) in
      var open = try build(plan, needed: Set(outputs.map(\.id)))
      try select(outputs, in: &open)
      return open
    }
  }

  /// The pipeline that yields a plan's rows.
  ///
  /// - Parameter needed: outputs that somebody uses; others may be missing in the layout.
  func build(_ plan: LogicalPlan, needed: Set<ColumnID>) throws(QueryError) -> OpenPipeline {
    depth += 1
    defer { depth -= 1 }
    if depth > PlanDepth.largestExecutable {
      throw QueryError(.stackOverflow, "The query's plan is nested too deeply")
    }
    switch plan {
    case .scan(let node): return try buildScan(plan, node, needed)
    case .foreignScan(let node): return try buildForeignScan(plan, node, needed)
    case .values(let node):
      let profile = QueryProfile.Node(PlanPrinter.describe(plan))
      let source = ValuesSource(profile, rows: node.rows, types: node.outputs.map(\.type), context)
      return OpenPipeline(branches: [Branch(source: source, operators: [])], layout: node.outputs, profile: profile)
    case .filter(let node): return try buildFilter(plan, node.predicate, node.input, needed)
    case .project(let node): return try buildProject(plan, node, needed)
    case .aggregate(let node): return try buildAggregate(plan, node, needed)
    case .join(let node): return try buildJoin(plan, node, needed)
    case .apply(let node):
      throw QueryError.notSupported("This kind of correlated subquery is not supported", at: node.range)
    case .sort(let node):
      let input = try build(node.input, needed: needed.union(node.keys.map(\.column.id)))
      return sorted(input, by: try specifications(node.keys, input), profile(plan, [input.profile])).0
    case .topN(let node):
      let input = try build(node.input, needed: needed.union(node.keys.map(\.column.id)))
      let result = CollectedBatches()
      let profile = profile(plan, [input.profile])
      let keys = try specifications(node.keys, input)
      if isLarge(node, input.types) {
        var all = sorted(input, by: keys, QueryProfile.Node("Sort", children: [input.profile])).0
        all.isSequential = true
        profile.children = [all.profile]
        all.append(LimitOperator(profile, offset: node.offset, count: node.count))
        all.profile = profile
        all.hasLimit = true
        return all
      }
      var threshold: TopNThreshold?
      if let id = node.dynamicFilter {
        let made = TopNThreshold(node.keys[0].column.type, keys[0].order, rowsNeeded: node.offset + node.count)
        context.dynamicFilters.publish(DynamicFilter(made), id: id)
        threshold = made
      }
      let top = TopNOperator(
        profile, keys: keys, types: input.types, offset: node.offset, count: node.count, withTies: node.withTies,
        publishes: threshold, result: result, context)
      close(input, top)
      var open = source(CollectedSource(profile, result, batchSize: context.batchSize), input.layout)
      open.isOrdered = true
      return open
    case .limit(let node):
      var input = try build(node.input, needed: needed)
      let profile = profile(plan, [input.profile])
      if input.hasLimit { input = materialize(input) }
      if input.isOrdered { input.isSequential = true }
      input.append(LimitOperator(profile, offset: node.offset, count: node.count))
      input.profile = profile
      input.hasLimit = true
      return input
    case .setOperation(let node): return try buildSetOperation(plan, node, needed)
    case .window(let node): return try buildWindow(plan, node, needed)
    case .rowPattern(let node): return try buildRowPattern(plan, node, needed)
    case .unnest(let node): return try buildUnnest(plan, node, needed)
    case .singleRow(let node):
      let input = try build(node.input, needed: needed)
      let result = CollectedBatches()
      let profile = profile(plan, [input.profile])
      close(input, SingleRowOperator(profile, types: input.types, range: node.range, result: result, context))
      return source(CollectedSource(profile, result, batchSize: context.batchSize), input.layout)
    case .common(let node):
      let outputs = node.definition.plan.outputs
      let profile = QueryProfile.Node(PlanPrinter.describe(plan))
      let collected: CollectedBatches
      if let known = commons[node.definition.id] {
        collected = known
      } else {
        var input = try build(node.definition.plan, needed: Set(outputs.map(\.id)))
        try select(outputs, in: &input)
        profile.children = [input.profile]
        collected = CollectedBatches()
        commons[node.definition.id] = collected
        if let clustered = input.clusterableSource {
          collected.origin = .init(source: clustered, columns: outputs.map { input.origin(of: $0.id) })
        }
        close(input, CollectOperator(QueryProfile.Node("Collect"), context, collected, types: input.types))
      }
      return source(
        CollectedSource(profile, collected, batchSize: context.batchSize, columns: node.outputs.map(\.id)), node.outputs)
    case .recursion(let node):
      let profile = QueryProfile.Node(PlanPrinter.describe(plan))
      let result = CollectedBatches()
      stages.append(RecursionStage(node, profile, result, context, commons: commons, inputs: recursionInputs))
      return source(CollectedSource(profile, result, batchSize: context.batchSize), node.outputs)
    case .recursionInput(let node):
      guard let rows = recursionInputs[node.id] else {
        throw QueryError.internalError("recursion input outside its recursion")
      }
      let profile = QueryProfile.Node(PlanPrinter.describe(plan))
      return source(CollectedSource(profile, rows, batchSize: context.batchSize), node.outputs)
    }
  }

  /// Whether the rows of a top-N would take so much memory that all rows are better sorted, which may use the disk.
  private func isLarge(_ node: TopNNode, _ types: [DataType]) -> Bool {
    if node.withTies || node.count == 0 { return false }
    if context.testing.spillsRows { return true }
    let width = types.reduce(0) { $0 + max($1.physicalType.byteWidth, 8) + ($1.physicalType == .string ? 24 : 0) }
    let (rows, overflow) = node.offset.addingReportingOverflow(node.count)
    let (bytes, isHuge) = rows.multipliedReportingOverflow(by: width * context.threads * 2)
    return overflow || isHuge || bytes > context.memory.account.effectiveLimit / 4
  }

  /// Lets go of all pipelines.
  func clear() { stages = [] }

  // MARK: Parts

  func profile(_ plan: LogicalPlan, _ children: [QueryProfile.Node]) -> QueryProfile.Node {
    QueryProfile.Node(PlanPrinter.describe(plan), children: children)
  }

  /// Gives a pipeline its sink.
  func close(_ open: OpenPipeline, _ sink: SinkOperator) {
    stages.append(Pipeline(open.branches, sink, isSequential: open.isSequential))
  }

  /// A pipeline that starts with a source.
  func source(_ source: MorselSource, _ layout: [ColumnReference]) -> OpenPipeline {
    OpenPipeline(branches: [Branch(source: source, operators: [])], layout: layout, profile: source.node)
  }

  /// Ends a pipeline in memory and starts another from there.
  func materialize(_ open: OpenPipeline) -> OpenPipeline {
    let collected = CollectedBatches()
    let node = QueryProfile.Node("Collect", children: [open.profile])
    close(open, CollectOperator(node, context, collected, types: open.types))
    var result = source(CollectedSource(node, collected, batchSize: context.batchSize), open.layout)
    result.isOrdered = open.isOrdered
    return result
  }

  /// A pipeline that yields the rows of another in order, sorted by all workers.
  func sorted(_ input: OpenPipeline, by keys: [SortSpecification], _ profile: QueryProfile.Node) -> (OpenPipeline, SortOperator) {
    let sort = SortOperator(profile, keys: keys, types: input.types, context)
    close(input, sort)
    var result = source(SortedSource(sort, batchSize: context.batchSize), input.layout)
    result.isOrdered = true
    return (result, sort)
  }

  /// Makes the batches hold exactly `columns`, in that order.
  func select(_ columns: [ColumnReference], in open: inout OpenPipeline) throws(QueryError) {
    if columns == open.layout, zip(columns, open.layout).allSatisfy({ $0.type == $1.type }) { return }
    let positions = try open.positions(columns)
    let node = QueryProfile.Node("Select columns")
    open.append(SelectColumnsOperator(node, positions: positions, types: columns.map(\.type)))
    open.layout = columns
  }

  func specifications(_ keys: [SortKey], _ input: OpenPipeline) throws(QueryError) -> [SortSpecification] {
    var result: [SortSpecification] = []
    for key in keys {
      result.append(
        SortSpecification(
          position: try input.position(key.column),
          order: SortKeyOrder(isAscending: key.isAscending, nullsFirst: key.nullsFirst)))
    }
    return result
  }

  // MARK: Scan, filter, project

  /// Scans for so few rows are read by one worker, file by file, so that no more is read than needed.
  private static let smallLimit = 50_000

  private func buildScan(
    _ plan: LogicalPlan, _ node: ScanNode, _ needed: Set<ColumnID>
  ) throws(QueryError) -> OpenPipeline {
    let profile = QueryProfile.Node(PlanPrinter.describe(plan))
    let isLazy = node.limit.map { $0 <= PhysicalPlanner.smallLimit } ?? false
    let scan = try TableScanSource(profile, node, needed: needed, isLazy: isLazy, context: context)
    var open = source(scan, scan.outputs.map(\.reference))
    open.isSequential = isLazy
    if !scan.residual.isEmpty {
      let predicate = Expression.conjunction(scan.residual)
      filter(&open, predicate, QueryProfile.Node("Filter \(predicate)", children: [profile]), needed)
    }
    return open
  }

  private func buildForeignScan(
    _ plan: LogicalPlan, _ node: ForeignScanNode, _ needed: Set<ColumnID>
  ) throws(QueryError) -> OpenPipeline {
    let profile = QueryProfile.Node(PlanPrinter.describe(plan))
    let isSequential = node.limit.map { $0 <= PhysicalPlanner.smallLimit } ?? false
    let scan = ForeignScanSource(profile, node, isSequential: isSequential, context: context)
    var open = source(scan, node.columns.map(\.reference))
    open.isSequential = isSequential
    // No source is trusted: whatever it was asked to drop is looked for again.
    if !node.predicates.isEmpty {
      let predicate = Expression.conjunction(node.predicates)
      filter(&open, predicate, QueryProfile.Node("Filter \(predicate)", children: [profile]), needed)
    }
    return open
  }

  private func buildFilter(
    _ plan: LogicalPlan, _ predicate: Expression, _ input: LogicalPlan, _ needed: Set<ColumnID>
  ) throws(QueryError) -> OpenPipeline {
    var open = try build(input, needed: needed.union(predicate.columnsUsed.map(\.id)))
    filter(&open, predicate, profile(plan, [open.profile]), needed)
    return open
  }

  /// Ends a pipeline so far in a filter, behind which only needed columns go on.
  private func filter(
    _ open: inout OpenPipeline, _ predicate: Expression, _ node: QueryProfile.Node, _ needed: Set<ColumnID>
  ) {
    let kept = open.layout.indices.filter { needed.contains(open.layout[$0].id) }
    open.append(FilterOperator(node, predicate: predicate, inputs: open.layout, kept: kept))
    open.layout = kept.map { open.layout[$0] }
    open.profile = node
  }

  private func buildProject(
    _ plan: LogicalPlan, _ project: ProjectNode, _ needed: Set<ColumnID>
  ) throws(QueryError) -> OpenPipeline {
    let assignments = project.assignments.filter { needed.contains($0.reference.id) }
    var used: Set<ColumnID> = []
    for assignment in assignments { for column in assignment.expression.columnsUsed { used.insert(column.id) } }
    var open = try build(project.input, needed: used)
    let node = profile(plan, [open.profile])
    let plain = assignments.compactMap(\.expression.columnReference)
    if plain.count == assignments.count {
      let positions = try open.positions(plain)
      open.append(SelectColumnsOperator(node, positions: positions, types: assignments.map(\.reference.type)))
    } else {
      open.append(ProjectOperator(node, expressions: assignments.map(\.expression), inputs: open.layout))
    }
    for assignment in assignments {
      if let column = assignment.expression.columnReference { open.rename(column.id, to: assignment.reference.id) }
    }
    open.layout = assignments.map(\.reference)
    open.profile = node
    return open
  }

  // MARK: Unnest

  private func buildUnnest(
    _ plan: LogicalPlan, _ unnest: UnnestNode, _ needed: Set<ColumnID>
  ) throws(QueryError) -> OpenPipeline {
    let kept = unnest.kept.filter { needed.contains($0.id) }
    var open = try build(unnest.input, needed: Set((kept + unnest.items.map(\.column)).map(\.id)))
    let node = profile(plan, [open.profile])
    var items: [(position: Int, outputCount: Int)] = []
    for item in unnest.items { items.append((try open.position(item.column), item.outputs.count)) }
    let specification = UnnestSpecification(
      kept: try open.positions(kept), items: items, hasOrdinality: unnest.ordinality != nil, isLeft: unnest.isLeft)
    open.append(UnnestOperator(node, specification))
    open.layout = kept + unnest.items.flatMap(\.outputs) + (unnest.ordinality.map { [$0] } ?? [])
    open.profile = node
    return open
  }

  /// A call's arguments as positions and constants; lambdas are left out.
  func arguments(
    _ expressions: [Expression], _ input: OpenPipeline, _ range: SourceRange?
  ) throws(QueryError) -> [AggregateSpecification.Call.Argument] {
    var result: [AggregateSpecification.Call.Argument] = []
    for expression in expressions {
      switch expression {
      case .column(let column): result.append(.column(try input.position(column)))
      case .constant(let value, let type): result.append(.constant(.constant(value, type, count: 1)))
      case .lambda: break
      default: throw QueryError.internalError("argument of an aggregate that is not projected: \(expression)", at: range)
      }
    }
    return result
  }

  /// Makes accumulators of a call, with their own lambdas.
  func accumulatorFactory(
    _ overload: AggregateOverload, _ binding: SignatureBinding, _ arguments: [Expression]
  ) -> @Sendable () throws(QueryError) -> any GroupsAccumulator {
    overload.accumulators(binding, arguments, context.session)
  }
}

extension AggregateOverload {
  /// Makes accumulators of a call, with their own lambdas.
  func accumulators(
    _ binding: SignatureBinding, _ arguments: [Expression], _ session: SessionContext
  ) -> @Sendable () throws(QueryError) -> any GroupsAccumulator {
    let lambdas = arguments.compactMap { argument in
      if case .lambda(let lambda) = argument { lambda } else { nil }
    }
    let context = AccumulatorContext(
      binding: binding, session: session,
      makeLambdas: { () throws(QueryError) -> [any LambdaEvaluator] in
        var result: [any LambdaEvaluator] = []
        for lambda in lambdas { result.append(try ExpressionEvaluator.makeLambda(lambda, session: session)) }
        return result
      })
    return { () throws(QueryError) -> any GroupsAccumulator in try makeAccumulator(context) }
  }
}
