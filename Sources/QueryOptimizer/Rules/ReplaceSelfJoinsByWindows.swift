import Columnar
package import QueryErrors
package import QueryPlan
import SQLExpressions
import SQLFunctions

/// Computes an aggregate over tables that the query joins anyway as a window over the joined rows.
///
///     FROM part, lineitem l WHERE p_partkey = l_partkey AND … AND l_quantity < (SELECT 0.2 * avg(l_quantity) FROM lineitem x
///       WHERE x.l_partkey = p_partkey)
///     →   0.2 * avg(l_quantity) OVER (PARTITION BY l_partkey) over the join of part and lineitem
///
/// That holds when the joined rows of one group are exactly the rows that the aggregate sees, each as often as the others:
/// all other conditions on them are on the grouping keys. It pays when few groups survive.
///
/// - Source: Zuzarte et al., "WinMagic: Subquery Elimination Using Window Aggregation", SIGMOD 2003.
package struct ReplaceSelfJoinsByWindows: OptimizerRule {
  package static let name = "replace_self_joins_by_windows"
  package init() {}

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    var estimator = CardinalityEstimator()
    return try rewrite(plan, context, &estimator)
  }

  private func rewrite(
    _ plan: LogicalPlan, _ context: OptimizerContext, _ estimator: inout CardinalityEstimator
  ) throws(QueryError) -> LogicalPlan {
    guard case .join(let join) = plan, join.kind == .inner else {
      if case .common = plan { return plan }
      var children: [LogicalPlan] = []
      for child in plan.children { children.append(try rewrite(child, context, &estimator)) }
      return plan.withChildren(children)
    }
    var graph = InnerJoinGraph(plan)
    for index in graph.relations.indices { graph.relations[index] = try rewrite(graph.relations[index], context, &estimator) }
    var isChanged = false
    var index = 0
    while index < graph.relations.count {
      if let aggregate = JoinedAggregate(graph, at: index),
        let replaced = try aggregate.replaced(in: graph, context, &estimator)
      {
        graph = replaced
        isChanged = true
        index = 0
      } else {
        index += 1
      }
    }
    guard isChanged else { return plan }
    return .project(ProjectNode(input: graph.joined(), selecting: plan.outputs))
  }
}

/// A relation of a join that groups rows of tables, and what the window has to compute instead.
private struct JoinedAggregate {
  /// Where the relation stands in the join.
  var index: Int
  var aggregate: AggregateNode
  /// The relation's outputs over the aggregate's.
  var outputs: [ProjectNode.Assignment]
  /// What the aggregate groups.
  var grouped: InnerJoinGraph
  /// The aggregate's arguments and keys over the grouped relations' columns.
  var inputs: [ColumnID: Expression]
  /// Grouped columns that a condition keeps from being NULL, where they are keys.
  var nonNull: Set<ColumnID> = []

  /// Rows of the grouped tables for each row of the join, at least.
  private static let minimumReduction = 4.0
  /// Aggregates beside those that ignore duplicates whose outcome stays the same when every row comes equally often.
  private static let scaleFree: Set<String> = ["avg"]

  init?(_ graph: InnerJoinGraph, at index: Int) {
    self.index = index
    switch graph.relations[index] {
    case .aggregate(let node):
      aggregate = node
      outputs = node.outputs.map { .init($0, .column($0)) }
    case .project(let project):
      guard case .aggregate(let node) = project.input, project.assignments.allSatisfy({ $0.expression.isDeterministic })
      else { return nil }
      aggregate = node
      outputs = project.assignments
    default: return nil
    }
    guard !aggregate.keys.isEmpty, aggregate.groupingSets == [Array(aggregate.keys.indices)],
      aggregate.groupingSetIndex == nil, !aggregate.calls.isEmpty, aggregate.calls.allSatisfy(JoinedAggregate.isUniform)
    else { return nil }
    inputs = [:]
    if case .project(let project) = aggregate.input {
      guard project.assignments.allSatisfy({ $0.expression.isDeterministic }) else { return nil }
      for assignment in project.assignments { inputs[assignment.reference.id] = assignment.expression }
      grouped = InnerJoinGraph(project.input)
    } else {
      grouped = InnerJoinGraph(aggregate.input)
    }
    guard grouped.relations.count < graph.relations.count, keyColumns.count == aggregate.keys.count else { return nil }
    takeNullChecks()
  }

  private static func isUniform(_ call: AggregateCall) -> Bool {
    (call.function.ignoresDuplicates || scaleFree.contains(call.function.name)) && call.filter == nil
      && call.ordering.isEmpty && (!call.isDistinct || call.function.ignoresDuplicates)
      && call.arguments.allSatisfy(\.isDeterministic)
  }

  /// The keys as columns of the grouped relations; fewer where some is computed.
  private var keyColumns: [ColumnReference] {
    aggregate.keys.compactMap { key in (inputs[key.input.id] ?? .column(key.input)).columnReference }
  }

  /// Groups of NULL keys match nothing in a join: checks that leave them out need not be found again.
  private mutating func takeNullChecks() {
    let keys = Set(keyColumns)
    var found: Set<ColumnID> = []
    func withoutChecks(_ plan: LogicalPlan) -> LogicalPlan {
      switch plan {
      case .scan(var scan):
        scan.predicates.removeAll { predicate in
          guard let column = predicate.columnKeptFromNull, keys.contains(column) else { return false }
          found.insert(column.id)
          return true
        }
        return .scan(scan)
      case .project(var project) where project.isSelection:
        project.input = withoutChecks(project.input)
        return .project(project)
      default: return plan
      }
    }
    grouped.relations = grouped.relations.map(withoutChecks)
    nonNull = found
  }

  /// The join without the aggregate, the relations that decide its groups joined below a window.
  func replaced(
    in graph: InnerJoinGraph, _ context: OptimizerContext, _ estimator: inout CardinalityEstimator
  ) throws(QueryError) -> InnerJoinGraph? {
    let others = graph.relations.indices.filter { $0 != index }
    var matcher = SubplanMatcher()
    var found: (split: SplitJoin, links: [JoinNode.Key])?
    _ = matcher.assign(grouped.relations, to: others.map { graph.relations[$0] }) { matcher, assigned in
      let matched = Set(assigned.map { others[$0] })
      if let split = SplitJoin(graph, aggregate: index, matched: matched, grouped: grouped, keys: keyColumns, matcher),
        let links = links(in: graph, split, matcher)
      {
        found = (split, links)
      }
      return found != nil
    }
    guard let (split, links) = found else { return nil }
    var lower = split.lower.joined()
    let scanned = split.matched.map { estimator.estimate(graph.relations[$0]).rows }.max() ?? 0
    guard estimator.estimate(lower).rows * JoinedAggregate.minimumReduction <= scanned else { return nil }

    // NULL keys have matched nothing in the join.
    var checks: [Expression] = []
    for (key, link) in zip(keyColumns, links) where !link.nullsEqual || nonNull.contains(key.id) {
      let column = matcher.mapped(key)
      if split.lower.keys.contains(where: { !$0.nullsEqual && ($0.left == column || $0.right == column) }) { continue }
      checks.append(try .not(.call("is_null", [.column(column)])))
    }
    if !checks.isEmpty { lower = .filter(FilterNode(input: lower, predicate: .conjunction(checks))) }
    // What links the keys holds of itself: they are columns of the same rows now.
    let rest = Set(graph.keys).subtracting(links).subtracting(split.lower.keys)
    return try upper(of: graph, split, keys: graph.keys.filter(rest.contains), window(over: lower, matcher, context))
  }

  /// For each grouping key the join key that links it with what it was grouped by; nil when some has none.
  private func links(in graph: InnerJoinGraph, _ split: SplitJoin, _ matcher: SubplanMatcher) -> [JoinNode.Key]? {
    var result: [JoinNode.Key] = []
    for (key, column) in zip(aggregate.keys, keyColumns) {
      let names = Set(outputs.filter { $0.expression == .column(key.output) }.map(\.reference))
      let target = matcher.mapped(column)
      let link = graph.keys.first { key in
        names.contains(key.left) && split.equalities.areEqual(key.right, target)
          || names.contains(key.right) && split.equalities.areEqual(key.left, target)
      }
      guard let link else { return nil }
      result.append(link)
    }
    return result
  }

  /// The window's rows with the aggregate's outputs beside.
  private func window(
    over lower: LogicalPlan, _ matcher: SubplanMatcher, _ context: OptimizerContext
  ) throws(QueryError) -> LogicalPlan {
    var arguments: [ProjectNode.Assignment] = lower.outputs.map { .init($0, .column($0)) }
    var calls: [WindowCall] = []
    for call in aggregate.calls {
      let own = call.arguments.map { argument -> Expression in
        if argument.constantValue != nil { return argument }
        let value = matcher.mapped(argument.replacing(inputs))
        if value.columnReference != nil { return value }
        let column = context.newColumn("argument", value.type)
        arguments.append(.init(column, value))
        return .column(column)
      }
      calls.append(
        WindowCall(
          call.reference, function: .aggregate(call.function, overloadIndex: call.overloadIndex), binding: call.binding,
          arguments: own, frame: .standard, range: call.range))
    }
    let partitionKeys = keyColumns.map { matcher.mapped($0) }
    let window = LogicalPlan.window(
      WindowNode(
        input: .project(ProjectNode(input: lower, assignments: arguments)), partitionKeys: partitionKeys, ordering: [],
        calls: calls))
    let keys = Dictionary(
      zip(aggregate.keys, partitionKeys).map { ($0.output.id, Expression.column($1)) }, uniquingKeysWith: { first, _ in first })
    return .project(
      ProjectNode(
        input: window,
        assignments: lower.outputs.map { .init($0, .column($0)) }
          + outputs.map { .init($0.reference, $0.expression.replacing(keys)) }))
  }

  /// What is left to join with the window's rows.
  private func upper(
    of graph: InnerJoinGraph, _ split: SplitJoin, keys: [JoinNode.Key], _ windowed: LogicalPlan
  ) throws(QueryError) -> InnerJoinGraph {
    var upper = InnerJoinGraph()
    upper.relations =
      [windowed] + graph.relations.indices.filter { $0 != index && !split.members.contains($0) }.map { graph.relations[$0] }
    let own = Set(windowed.outputs)
    var conditions: [Expression] = []
    for key in keys {
      guard own.contains(key.left), own.contains(key.right) else {
        upper.keys.append(key)
        continue
      }
      let (left, right) = (Expression.column(key.left), Expression.column(key.right))
      conditions.append(try key.nullsEqual ? .not(.call("is_distinct_from", [left, right])) : .equals(left, right))
    }
    for condition in graph.conditions where !split.lower.conditions.contains(condition) {
      if condition.columnsUsed.isSubset(of: own) { conditions.append(condition) } else { upper.conditions.append(condition) }
    }
    if !conditions.isEmpty {
      upper.relations[0] = .filter(FilterNode(input: windowed, predicate: .conjunction(conditions)))
    }
    return upper
  }
}

/// The part of a join whose rows, group by group, are those of the aggregate.
private struct SplitJoin {
  /// Relations that the aggregate groups too.
  var matched: Set<Int>
  /// These and the ones that only decide which groups there are.
  var members: Set<Int>
  var lower = InnerJoinGraph()
  /// Columns that are equal in all rows of the whole join.
  var equalities = ColumnEqualities()

  init?(
    _ graph: InnerJoinGraph, aggregate: Int, matched: Set<Int>, grouped: InnerJoinGraph, keys: [ColumnReference],
    _ matcher: SubplanMatcher
  ) {
    self.matched = matched
    members = matched
    let owners = graph.owners
    for key in graph.keys where owners[key.left.id] != aggregate && owners[key.right.id] != aggregate && !key.nullsEqual {
      equalities.add(key.left, key.right)
    }
    // Within a group, what equals a key by the aggregate's own conditions is as good as the key.
    var inner = ColumnEqualities()
    for key in grouped.keys {
      if key.nullsEqual { return nil }
      inner.add(matcher.mapped(key.left), matcher.mapped(key.right))
    }
    let groupKeys = keys.map { matcher.mapped($0) }
    func decidesGroups(_ column: ColumnReference, _ members: Set<Int>) -> Bool {
      guard let owner = owners[column.id], members.contains(owner) else { return false }
      return !matched.contains(owner) || groupKeys.contains { inner.areEqual($0, column) }
    }
    var isGrowing = true
    while isGrowing {
      isGrowing = false
      for key in graph.keys {
        for (near, far) in [(key.left, key.right), (key.right, key.left)] {
          guard decidesGroups(near, members), let owner = owners[far.id], owner != aggregate else { continue }
          if members.insert(owner).inserted { isGrowing = true }
        }
      }
    }
    let order = members.sorted()
    lower.relations = order.map { graph.relations[$0] }
    let mapped = Set(grouped.conditions.map { matcher.mapped($0) })
    lower.keys = graph.keys.filter { key in
      guard let a = owners[key.left.id], let b = owners[key.right.id], members.contains(a), members.contains(b) else {
        return false
      }
      return matched.contains(a) && matched.contains(b) && inner.areEqual(key.left, key.right)
        || decidesGroups(key.left, members) && decidesGroups(key.right, members)
    }
    lower.conditions = graph.conditions.filter { condition in
      mapped.contains(condition)
        || !condition.columnsUsed.isEmpty && condition.columnsUsed.allSatisfy { decidesGroups($0, members) }
    }
    // The aggregate's own conditions must all hold below the window.
    var enforced = ColumnEqualities()
    for key in lower.keys where !key.nullsEqual { enforced.add(key.left, key.right) }
    guard mapped.isSubset(of: lower.conditions), grouped.conditions.allSatisfy(\.isDeterministic),
      grouped.keys.allSatisfy({ enforced.areEqual(matcher.mapped($0.left), matcher.mapped($0.right)) })
    else { return nil }
  }
}

/// Columns known to be equal, as classes.
private struct ColumnEqualities {
  private var parents: [ColumnID: ColumnID] = [:]

  private func root(_ column: ColumnReference) -> ColumnID {
    var id = column.id
    while let parent = parents[id] { id = parent }
    return id
  }

  mutating func add(_ a: ColumnReference, _ b: ColumnReference) {
    let (x, y) = (root(a), root(b))
    if x != y { parents[x] = y }
  }

  func areEqual(_ a: ColumnReference, _ b: ColumnReference) -> Bool { root(a) == root(b) }
}
