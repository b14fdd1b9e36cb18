import Columnar
package import QueryErrors
package import QueryPlan
import SQLExpressions
import SQLFunctions
import Synchronization
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
      var listing = try scan.table.files.list(predicate, meter: context.meter)
      context.listings.append(listing)
      var prunedBy = prunable.map(\.description)
      if let buckets = buckets(of: scan), let count = scan.table.buckets?.count {
        listing.files.removeAll { file in file.bucket.map { !buckets.contains($0) } ?? false }
        prunedBy.append("$bucket: \(buckets.count) of \(count)")
      }
      scan.fileSet = FileSet(listing: listing, format: scan.table.format, prunedBy: prunedBy, meter: context.meter)
      // Pruning was exact: the predicates hold for all rows of the files listed.
      scan.predicates.removeAll { prunable.contains($0) }
      return .scan(scan)
    }
  }

  /// The buckets that rows which pass the scan's predicates can be in; nil when that is not known.
  private func buckets(of scan: ScanNode) -> Set<Int>? {
    guard let buckets = scan.table.buckets, !buckets.columns.isEmpty else { return nil }
    var domains = [Domain?](repeating: nil, count: buckets.columns.count)
    for predicate in scan.predicates where predicate.isDeterministic {
      for (reference, domain) in DomainExtraction.domains(of: predicate) {
        guard let column = scan.columns.first(where: { $0.reference.id == reference.id }), case .file(let index) = column.source,
          let place = buckets.columns.firstIndex(of: index), domain.type == buckets.types[place]
        else { continue }
        domains[place] = domains[place]?.intersection(domain) ?? domain
      }
    }
    return buckets.buckets(holding: domains)
  }
}

/// Evaluates conjuncts on partition values.
///
/// - Threads: any; one evaluation at a time.
private final class ExpressionPartitionPredicate: PartitionPredicate, @unchecked Sendable {
  /// A conjunct, compiled when first needed.
  private struct Conjunct {
    var expression: Expression
    var columns: [ColumnReference]
    /// Where the columns stand among a partition's values.
    var indices: [Int]
    var evaluator: PredicateEvaluator?
    /// The values it saw last, which one folder's subfolders share, and whether it held.
    var latest: (values: [Scalar], holds: Bool)?
  }
  private let lock = Mutex(())
  private var conjuncts: [Conjunct]
  private let session: SessionContext
  private let selection = Buffer(byteCount: 17 * 4)

  init(_ conjuncts: [Expression], indices: [ColumnID: Int], session: SessionContext) {
    self.conjuncts = conjuncts.map { expression in
      let columns = Array(expression.columnsUsed)
      return Conjunct(expression: expression, columns: columns, indices: columns.map { indices[$0.id]! })
    }
    self.session = session
  }

  func mayMatch(_ values: [Scalar?]) throws(QueryError) -> Bool {
    try lock.withLock { _ throws(QueryError) in
      for index in conjuncts.indices {
        let known = conjuncts[index].indices.compactMap { values[$0] }
        // Some column is not known yet at this level.
        if known.count < conjuncts[index].columns.count { continue }
        if try !holds(&conjuncts[index], known) { return false }
      }
      return true
    }
  }

  func domain(ofPartitionColumn index: Int) -> Domain? {
    lock.withLock { _ in
      var result: Domain?
      for conjunct in conjuncts {
        for (column, domain) in DomainExtraction.domains(of: conjunct.expression) {
          guard let at = conjunct.columns.firstIndex(where: { $0.id == column.id }), conjunct.indices[at] == index else {
            continue
          }
          result = result?.intersection(domain) ?? domain
        }
      }
      return result
    }
  }

  private func holds(_ conjunct: inout Conjunct, _ values: [Scalar]) throws(QueryError) -> Bool {
    if let latest = conjunct.latest, latest.values == values { return latest.holds }
    let evaluator: PredicateEvaluator
    if let made = conjunct.evaluator {
      evaluator = made
    } else {
      evaluator = try PredicateEvaluator(conjunct.expression, inputs: conjunct.columns, session: session)
      conjunct.evaluator = evaluator
    }
    let columns = zip(values, conjunct.columns).map { Column.constant($0, $1.type, count: 1) }
    let holds = try evaluator.select(Batch(columns: columns, rowCount: 1), into: selection.typed(Int32.self)) == 1
    conjunct.latest = (values, holds)
    return holds
  }
}
