import Columnar
package import QueryErrors
package import QueryPlan
import SQLExpressions
import SQLFunctions
import TableCatalog

/// Lists each scan's files, entering only partitions that its predicates may hold for.
///
/// Any deterministic predicate over partition columns prunes, also through casts and functions: it is evaluated on the
/// partition's values as soon as the walk knows all that it reads.
package struct ListFiles: OptimizerRule {
  package static let name = "list_files"
  package static let isRequired = true
  package init() {}

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    try plan.rewritten { (node) throws(QueryError) -> LogicalPlan in
      guard case .scan(var scan) = node, scan.fileSet == nil else { return node }
      var indices: [ColumnID: Int] = [:]
      for column in scan.columns { if case .partition(let index) = column.source { indices[column.reference.id] = index } }
      let prunable = scan.predicates.filter { predicate in
        let used = predicate.columnsUsed
        return !used.isEmpty && used.allSatisfy { indices[$0.id] != nil } && predicate.isDeterministic
      }
      let predicate =
        prunable.isEmpty
        ? nil : ExpressionPartitionPredicate(prunable, indices: indices, session: context.session)
      let listing = try scan.table.files.list(predicate, meter: context.meter)
      scan.fileSet = FileSet(
        listing: listing, format: scan.table.format, prunedBy: prunable.map(\.description), meter: context.meter)
      // Pruning was exact: the predicates hold for all rows of the files listed.
      scan.predicates.removeAll { prunable.contains($0) }
      return .scan(scan)
    }
  }
}

/// Evaluates conjuncts on partition values.
private struct ExpressionPartitionPredicate: PartitionPredicate {
  private let conjuncts: [(expression: Expression, columns: [ColumnReference])]
  private let indices: [ColumnID: Int]
  private let session: SessionContext

  init(_ conjuncts: [Expression], indices: [ColumnID: Int], session: SessionContext) {
    self.conjuncts = conjuncts.map { ($0, Array($0.columnsUsed)) }
    self.indices = indices
    self.session = session
  }

  func mayMatch(_ values: [Scalar?]) throws(QueryError) -> Bool {
    for (expression, columns) in conjuncts {
      var replacements: [ColumnID: Expression] = [:]
      for column in columns {
        guard let index = indices[column.id], let value = values[index] else { break }
        replacements[column.id] = .constant(value, column.type)
      }
      // Some column is not known yet at this level.
      guard replacements.count == columns.count else { continue }
      let value = try ConstantFolding.evaluate(expression.replacing(replacements), session: session)
      if value != .boolean(true) { return false }
    }
    return true
  }
}
