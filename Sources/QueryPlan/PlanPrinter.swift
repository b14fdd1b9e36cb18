import ConnectorSDK
import SQLExpressions
import SQLFunctions
import TableCatalog

/// Prints a logical plan as EXPLAIN shows it, one node a line.
package enum PlanPrinter {
  /// - Parameter annotation: text behind a node's line (estimates, metrics), or nil.
  package static func print(_ plan: LogicalPlan, annotation: (LogicalPlan) -> String? = { _ in nil }) -> String {
    var lines: [String] = []
    var shared: Set<Int> = []
    append(plan, 0, &lines, &shared, annotation)
    return lines.joined(separator: "\n")
  }

  private static func append(
    _ plan: LogicalPlan, _ depth: Int, _ lines: inout [String], _ shared: inout Set<Int>,
    _ annotation: (LogicalPlan) -> String?
  ) {
    var line = String(repeating: "  ", count: depth) + describe(plan)
    if let text = annotation(plan) { line += "  " + text }
    lines.append(line)
    if case .common(let node) = plan, !shared.insert(node.definition.id).inserted { return }
    for child in plan.children { append(child, depth + 1, &lines, &shared, annotation) }
  }

  /// The node in one line, without its inputs.
  package static func describe(_ plan: LogicalPlan) -> String {
    switch plan {
    case .scan(let node):
      var text = "Scan \(node.table.name.database.isEmpty ? "'\(node.table.name.name)'" : node.table.name.description)"
      text += " [\(names(node.columns.map(\.reference)))]"
      if !node.predicates.isEmpty { text += " where \(Expression.conjunction(node.predicates))" }
      if let files = node.fileSet {
        let total = files.listing.partitionsTotal.map { "/\($0)" } ?? ""
        text += " files=\(files.files.count) partitions=\(files.listing.partitionsRead)\(total)"
        if !files.prunedBy.isEmpty { text += " pruned by \(files.prunedBy.joined(separator: " AND "))" }
      }
      if !node.dynamicFilters.isEmpty {
        text += " dynamic filters {\(describe(node.dynamicFilters))}"
      }
      if let limit = node.limit { text += " limit=\(limit)" }
      return text
    case .foreignScan(let node):
      var text = "ForeignScan \(node.name) [\(names(node.columns.map(\.reference)))]"
      if !node.predicates.isEmpty { text += " where \(Expression.conjunction(node.predicates))" }
      if !node.dynamicFilters.isEmpty { text += " dynamic filters {\(describe(node.dynamicFilters))}" }
      if let limit = node.limit { text += " limit=\(limit)" }
      return text + " sends \(node.table.text(of: node.effectiveRequest))"
    case .values(let node): return "Values [\(names(node.outputs))] \(node.rows.count) rows"
    case .filter(let node): return "Filter \(node.predicate)"
    case .project(let node):
      return "Project ["
        + node.assignments.map { assignment in
          assignment.expression == .column(assignment.reference)
            ? assignment.reference.name : "\(assignment.reference.name) := \(assignment.expression)"
        }.joined(separator: ", ") + "]"
    case .aggregate(let node):
      var text = "Aggregate"
      if !node.keys.isEmpty { text += " by [\(names(node.keys.map(\.output)))]" }
      if node.groupingSets.count > 1 {
        let sets = node.groupingSets.map { set in "(" + names(set.map { node.keys[$0].output }) + ")" }
        text += " grouping sets (\(sets.joined(separator: ", ")))"
      }
      let calls = node.calls.map { "\($0.reference.name) := \(describe($0))" }
      if !calls.isEmpty { text += " [\(calls.joined(separator: ", "))]" }
      return text
    case .join(let node):
      let keys = node.keys.map { "\($0.left.name) \($0.nullsEqual ? "IS NOT DISTINCT FROM" : "=") \($0.right.name)" }
      var text = keys.isEmpty && node.residual == nil ? "CrossJoin" : "\(node.kind)".capitalizedFirst + "Join"
      if !keys.isEmpty { text += " on " + keys.joined(separator: " AND ") }
      if let residual = node.residual { text += (keys.isEmpty ? " on " : " and ") + "\(residual)" }
      if node.buildsLeft { text += " (build left)" }
      if !node.dynamicFilters.isEmpty {
        text += " publishes {\(node.dynamicFilters.keys.sorted().map { "#df\($0)" }.joined(separator: ", "))}"
      }
      return text
    case .apply(let node): return "Apply \(node.kind) correlated on [\(names(node.correlation.sorted { $0.id.rawValue < $1.id.rawValue }))]"
    case .sort(let node): return "Sort [\(describe(node.keys))]"
    case .limit(let node):
      return "Limit" + (node.count.map { " \($0)" } ?? "") + (node.offset > 0 ? " offset \(node.offset)" : "")
    case .topN(let node):
      return "TopN \(node.count)" + (node.offset > 0 ? " offset \(node.offset)" : "")
        + (node.withTies ? " with ties" : "") + " [\(describe(node.keys))]"
        + (node.dynamicFilter.map { " publishes {#df\($0)}" } ?? "")
    case .setOperation(let node): return "\(node.kind)".capitalizedFirst + (node.isAll ? " all" : " distinct")
    case .window(let node):
      var text = "Window"
      if !node.partitionKeys.isEmpty { text += " partition by [\(names(node.partitionKeys))]" }
      if !node.ordering.isEmpty { text += " order by [\(describe(node.ordering))]" }
      return text + " [\(node.calls.map { "\($0.reference.name) := \(describe($0))" }.joined(separator: ", "))]"
    case .rowPattern(let node):
      var text = "RowPattern"
      if !node.partitionKeys.isEmpty { text += " partition by [\(names(node.partitionKeys))]" }
      if !node.ordering.isEmpty { text += " order by [\(describe(node.ordering))]" }
      switch node.rowsPerMatch {
      case .one: text += " one row per match"
      case .all(let showsEmpty, let showsUnmatched):
        text += " all rows per match" + (showsUnmatched ? " with unmatched rows" : showsEmpty ? "" : " omit empty matches")
      case .window: text += " rows from current row to \(describe(node.frameEnd))"
      }
      text += node.pattern.isInitial ? "" : " seek"
      text += " pattern (\(describe(node.pattern.pattern, node.pattern.variables)))"
      let values = node.pattern.measures.map { "\($0.reference.name) := \($0.value.expression)" }
      return text + " [\((values + node.calls.map { "\($0.reference.name) := \(describe($0))" }).joined(separator: ", "))]"
    case .unnest(let node):
      return "Unnest [\(names(node.items.map(\.column)))]" + (node.ordinality == nil ? "" : " with ordinality")
        + (node.isLeft ? " left" : "")
    case .singleRow: return "SingleRow"
    case .common(let node): return "Common \(node.definition.name) #\(node.definition.id)"
    case .recursion(let node): return "Recursion \(node.name)"
    case .recursionInput(let node): return "RecursionInput #\(node.id)"
    }
  }

  private static func describe(_ filters: [ScanNode.DynamicFilter]) -> String {
    filters.map { "\($0.column.name) = #df\($0.id)" }.joined(separator: ", ")
  }

  private static func names(_ columns: [ColumnReference]) -> String { columns.map(\.name).joined(separator: ", ") }

  private static func describe(_ keys: [SortKey]) -> String {
    keys.map { "\($0.column.name) \($0.isAscending ? "asc" : "desc") nulls \($0.nullsFirst ? "first" : "last")" }
      .joined(separator: ", ")
  }

  private static func describe(_ call: AggregateCall) -> String {
    let arguments = call.arguments.map(\.description).joined(separator: ", ")
    var text = "\(call.function.name)(\(call.isDistinct ? "DISTINCT " : "")\(arguments.isEmpty && call.function.name == "count" ? "*" : arguments)"
    if !call.ordering.isEmpty { text += " ORDER BY \(describe(call.ordering))" }
    text += ")"
    if let filter = call.filter { text += " FILTER (WHERE \(filter.name))" }
    return text
  }

  private static func describe(_ call: WindowCall) -> String {
    let name =
      switch call.function {
      case .window(let function): function.name
      case .aggregate(let function, _): function.name
      }
    var text = "\(name)(\(call.isDistinct ? "DISTINCT " : "")\(call.arguments.map(\.description).joined(separator: ", "))"
    if !call.ordering.isEmpty { text += " ORDER BY \(describe(call.ordering))" }
    return text + ") \(call.frame.unit) \(describe(call.frame.start)) to \(describe(call.frame.end))"
  }

  private static func describe(_ bound: WindowFrame.Bound) -> String {
    switch bound {
    case .unboundedPreceding: "unbounded preceding"
    case .preceding(let column): "\(column.name) preceding"
    case .currentRow: "current row"
    case .following(let column): "\(column.name) following"
    case .unboundedFollowing: "unbounded following"
    }
  }

  private static func describe(_ pattern: RowPattern, _ variables: [String]) -> String {
    func all(_ parts: [RowPattern], _ separator: String) -> String {
      parts.map { describe($0, variables) }.joined(separator: separator)
    }
    switch pattern {
    case .variable(let variable): return variables[variable]
    case .empty: return "()"
    case .partitionStart: return "^"
    case .partitionEnd: return "$"
    case .concatenation(let parts): return all(parts, " ")
    case .alternation(let parts): return "(" + all(parts, " | ") + ")"
    case .permutation(let parts): return "PERMUTE(" + all(parts, ", ") + ")"
    case .exclusion(let part): return "{- " + describe(part, variables) + " -}"
    case .quantified(let part, let atLeast, let atMost, let isReluctant):
      var text = describe(part, variables)
      if case .concatenation = part { text = "(\(text))" }
      if case .quantified = part { text = "(\(text))" }
      switch (atLeast, atMost) {
      case (0, nil): text += "*"
      case (1, nil): text += "+"
      case (0, 1): text += "?"
      default: text += "{\(atLeast),\(atMost.map(String.init) ?? "")}"
      }
      return text + (isReluctant ? "?" : "")
    }
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
