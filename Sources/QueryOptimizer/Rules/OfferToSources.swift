import Columnar
import ConnectorSDK
package import QueryErrors
package import QueryPlan
import SQLExpressions
import SQLFunctions

/// Offers foreign sources what stands above their scans: filters, limits, groupings.
///
///     Aggregate by [k] [n := count(*)]                 Aggregate by [k] [n := sum(part)]
///       ForeignScan t where k > 3                 →      ForeignScan t [k, part] where k > 3
///                                                          sends SELECT k, count(*) FROM t WHERE k > 3 GROUP BY k
///
/// Predicates stay in the scan and are evaluated on what comes back, so that a filter is only ever a help. Groupings are
/// offered where the predicates can still be evaluated on the groups.
package struct OfferToSources: OptimizerRule {
  package static let name = "offer_to_sources"
  package init() {}

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    try plan.rewritten { (node) throws(QueryError) -> LogicalPlan in
      switch node {
      case .foreignScan(var scan) where scan.request == nil:
        var offer = scan.effectiveRequest
        if scan.isProven {
          offer.filters = filters(scan)
          if scan.predicates.isEmpty { offer.limit = scan.limit }
          offer = accepted(offer, by: scan)
        }
        scan.request = offer
        return .foreignScan(scan)
      case .aggregate(let aggregate): return try grouped(aggregate, context) ?? node
      default: return node
      }
    }
  }

  /// What the predicates demand of single columns.
  private func filters(_ scan: ForeignScanNode) -> [ForeignFilter] {
    let domains = DomainExtraction.rowDomain(of: scan.predicates) { scan.tableColumn(of: $0.id) }
    return domains.domains.filter { !$0.value.isAll }.sorted { $0.key < $1.key }.map { ForeignFilter(column: $0.key, $0.value) }
      + scan.predicates.flatMap { instants($0, scan) }
  }

  /// What a predicate demands of a timestamp with time zone, whose zone does not matter.
  ///
  /// A packed value is the moment and behind it the zone, so that all values of one moment lie side by side.
  private func instants(_ predicate: Expression, _ scan: ForeignScanNode) -> [ForeignFilter] {
    guard case .call(let call) = predicate, let first = call.arguments.first else { return [] }
    if call.function.name == "between", call.arguments.count == 3 {
      return [instant(first, ">=", call.arguments[1], scan), instant(first, "<=", call.arguments[2], scan)].compactMap(\.self)
    }
    guard call.arguments.count == 2 else { return [] }
    let flipped = ["<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="]
    let name = call.function.name
    let filter =
      instant(first, name, call.arguments[1], scan)
      ?? flipped[name].flatMap { instant(call.arguments[1], $0, first, scan) }
    return filter.map { [$0] } ?? []
  }

  private func instant(
    _ operand: Expression, _ comparison: String, _ constant: Expression, _ scan: ForeignScanNode
  ) -> ForeignFilter? {
    var operand = operand
    // More digits of a second change no moment.
    if case .cast(let cast) = operand, case .timestampWithTimeZone(let to) = cast.type,
      case .timestampWithTimeZone(let from) = cast.operand.type, to >= from
    {
      operand = cast.operand
    }
    guard let reference = operand.columnReference, case .timestampWithTimeZone = reference.type,
      case .timestampWithTimeZone = constant.type, case .int128(let packed)? = constant.constantValue,
      let column = scan.tableColumn(of: reference.id)
    else { return nil }
    let zones: Int128 = 0xffff
    let (first, last) = (Scalar.int128(packed & ~zones), Scalar.int128(packed | zones))
    let range: ForeignFilter.Range
    switch comparison {
    case "=": range = .init(low: first, high: last)
    case "<": range = .init(low: nil, high: first, includesHigh: false)
    case "<=": range = .init(low: nil, high: last)
    case ">": range = .init(low: last, includesLow: false, high: nil)
    case ">=": range = .init(low: first, high: nil)
    default: return nil
    }
    return ForeignFilter(column: column, ranges: [range])
  }

  /// What the source accepts; answers that were not offered count as nothing.
  private func accepted(_ offer: ForeignRequest, by scan: ForeignScanNode) -> ForeignRequest {
    let answer = scan.table.accept(offer)
    guard answer.columns == offer.columns else { return ForeignRequest(columns: offer.columns) }
    var result = ForeignRequest(columns: offer.columns)
    result.filters = answer.filters.filter { offer.filters.contains($0) }
    if answer.limit == offer.limit { result.limit = answer.limit }
    if answer.aggregates == offer.aggregates { result.aggregates = answer.aggregates }
    return result
  }

  // MARK: Groupings

  /// Values of a column that is grouped by for a predicate's sake alone, at most: each makes groups of its own.
  private static let largestExtraValueCount = 100

  private func isSmall(_ column: ForeignScanNode.Column, _ scan: ForeignScanNode) -> Bool {
    guard case .column(let index) = column.source, let count = scan.table.distinctCountEstimate(of: index) else { return false }
    return count <= OfferToSources.largestExtraValueCount
  }

  private func grouped(_ node: AggregateNode, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan? {
    guard node.groupingSets == [Array(node.keys.indices)], node.groupingSetIndex == nil,
      let (scan, names) = source(node.input), scan.isProven, !scan.isGrouped, scan.limit == nil, scan.dynamicFilters.isEmpty
    else { return nil }
    // Keys first, then columns that predicates read.
    var keys: [ForeignScanNode.Column] = []
    func key(_ id: ColumnID) -> ForeignScanNode.Column? {
      guard let column = scan.columns.first(where: { $0.reference.id == id }), isGroupable(column.reference.type) else { return nil }
      if !keys.contains(column) { keys.append(column) }
      return column
    }
    for item in node.keys {
      guard let column = names[item.input.id], key(column.id) != nil else { return nil }
    }
    let ownCount = keys.count
    for predicate in scan.predicates { for column in predicate.columnsUsed where key(column.id) == nil { return nil } }
    guard !(keys.isEmpty && node.calls.isEmpty), keys.dropFirst(ownCount).allSatisfy({ isSmall($0, scan) }) else { return nil }
    var parts: [ForeignScanNode.Column] = []
    var calls: [AggregateCall] = []
    var assignments = node.keys.map { ProjectNode.Assignment($0.output, .column($0.output)) }
    for call in node.calls {
      guard let part = partial(call, names, scan) else { return nil }
      let column = context.newColumn(call.reference.name, part.type)
      parts.append(.init(column, .aggregate(part)))
      let isCount = part.function == .count || part.function == .countRows
      let name = isCount || part.function == .sum ? "sum" : part.function.rawValue
      let merged = try context.aggregate(name, [.column(column)])
      guard merged.reference.type == call.reference.type else { return nil }
      calls.append(merged)
      // A sum of no parts is NULL, a count of no rows is not.
      let value = Expression.column(merged.reference)
      assignments.append(
        ProjectNode.Assignment(call.reference, isCount ? .coalesce([value, .constant(.integer(0), .bigint)], .bigint) : value))
    }
    var result = scan
    result.columns = keys + parts
    var offer = ForeignRequest(
      columns: keys.compactMap { if case .column(let index) = $0.source { index } else { nil } })
    offer.filters = filters(scan)
    offer.aggregates = parts.compactMap { if case .aggregate(let aggregate) = $0.source { aggregate } else { nil } }
    let answer = accepted(offer, by: scan)
    guard answer.aggregates != nil else { return nil }
    result.request = answer
    let inner = node.keys.compactMap { item in names[item.input.id].map { AggregateNode.Key(input: $0, output: item.output) } }
    return .project(
      ProjectNode(input: .aggregate(AggregateNode(input: .foreignScan(result), keys: inner, calls: calls)), assignments: assignments))
  }

  /// The scan below plain projections, and what each projected column is in it.
  private func source(_ plan: LogicalPlan) -> (ForeignScanNode, [ColumnID: ColumnReference])? {
    switch plan {
    case .foreignScan(let scan):
      return (scan, Dictionary(uniqueKeysWithValues: scan.columns.map { ($0.reference.id, $0.reference) }))
    case .project(let node):
      guard let (scan, columns) = source(node.input) else { return nil }
      var own: [ColumnID: ColumnReference] = [:]
      for assignment in node.assignments {
        if let column = assignment.expression.columnReference { own[assignment.reference.id] = columns[column.id] }
      }
      return (scan, own)
    default: return nil
    }
  }

  /// Types whose values are equal at a source when they are here.
  private func isGroupable(_ type: DataType) -> Bool {
    switch type {
    case .boolean, .tinyint, .smallint, .integer, .bigint, .decimal, .varchar, .date, .timestamp: true
    default: false
    }
  }

  /// The source's share of a call; nil where parts do not add up to the whole.
  private func partial(
    _ call: AggregateCall, _ names: [ColumnID: ColumnReference], _ scan: ForeignScanNode
  ) -> ForeignAggregate? {
    guard call.filter == nil, call.ordering.isEmpty, !call.isDistinct || call.function.ignoresDuplicates else { return nil }
    if call.function.name == "count", call.arguments.isEmpty { return ForeignAggregate(.countRows, column: nil, type: .bigint) }
    guard call.arguments.count == 1, let argument = call.arguments[0].columnReference, let column = names[argument.id],
      let index = scan.tableColumn(of: column.id)
    else { return nil }
    switch call.function.name {
    case "count": return ForeignAggregate(.count, column: index, type: .bigint)
    case "min", "max":
      guard isGroupable(column.type), let function = ForeignAggregate.Function(rawValue: call.function.name) else { return nil }
      return ForeignAggregate(function, column: index, type: call.reference.type)
    case "sum" where column.type.isInteger || column.type.isDecimal:
      return ForeignAggregate(.sum, column: index, type: call.reference.type)
    default: return nil
    }
  }
}
