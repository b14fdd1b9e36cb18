import Columnar
import FileFormats
import ObjectStore
package import QueryErrors
package import QueryPlan
import SQLExpressions
import SQLFunctions
import TableCatalog

/// count(*), min and max of whole files from their footers, where those are exact.
package struct AnswerFromMetadata: OptimizerRule {
  package static let name = "answer_from_metadata"
  package init() {}

  package func rewrite(_ plan: LogicalPlan, _ context: OptimizerContext) throws(QueryError) -> LogicalPlan {
    try plan.rewritten { (node) throws(QueryError) -> LogicalPlan in
      guard case .aggregate(let aggregate) = node, aggregate.keys.isEmpty, aggregate.groupingSets.count == 1,
        !aggregate.calls.isEmpty, let (scan, columns) = source(aggregate.input), scan.predicates.isEmpty,
        scan.limit == nil, let files = scan.fileSet
      else { return node }
      var values: [Scalar] = []
      for call in aggregate.calls {
        guard call.filter == nil, call.ordering.isEmpty, let value = try answer(call, scan, columns, files) else { return node }
        values.append(value)
      }
      let row = zip(values, aggregate.calls).map { Expression.constant($0, $1.reference.type) }
      return .values(ValuesNode(outputs: aggregate.outputs, rows: [row]))
    }
  }

  /// The scan below plain projections, and what each projected column is in it.
  private func source(_ plan: LogicalPlan) -> (ScanNode, [ColumnID: ColumnReference])? {
    switch plan {
    case .scan(let scan):
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

  private func answer(
    _ call: AggregateCall, _ scan: ScanNode, _ columns: [ColumnID: ColumnReference], _ files: FileSet
  ) throws(QueryError) -> Scalar? {
    switch (call.function.name, call.arguments.count) {
    case ("count", 0):
      if call.isDistinct { return nil }
      var rows = 0
      for index in files.files.indices {
        guard let count = try files.open(index).rowCount else { return nil }
        rows += count
      }
      return .integer(Int64(rows))
    case ("count", 1):
      guard !call.isDistinct, let column = scanColumn(call.arguments[0], scan, columns, files) else { return nil }
      var rows = 0
      for index in files.files.indices {
        let file = try files.open(index)
        guard let count = file.rowCount, let nulls = file.statistics(of: column)?.nullCount else { return nil }
        rows += count - nulls
      }
      return .integer(Int64(rows))
    case ("min", 1), ("max", 1):
      guard let column = scanColumn(call.arguments[0], scan, columns, files), isExactlyOrdered(column.type) else { return nil }
      let wantsMin = call.function.name == "min"
      var best: Scalar = .null
      for index in files.files.indices {
        let file = try files.open(index)
        if file.rowCount == 0 { continue }
        guard let statistics = file.statistics(of: column), statistics.isExact,
          let value = wantsMin ? statistics.min : statistics.max
        else { return nil }
        if best.isNull {
          best = value
        } else if let order = Scalar.order(value, best), wantsMin ? order < 0 : order > 0 {
          best = value
        }
      }
      return best
    default: return nil
    }
  }

  /// Types whose footer order is SQL's: no NaN, no truncated strings.
  private func isExactlyOrdered(_ type: DataType) -> Bool {
    type.isInteger || type.isDecimal || type == .date || type == .boolean
      || {
        if case .timestamp = type { true } else { false }
      }()
  }

  private func scanColumn(
    _ expression: Expression, _ scan: ScanNode, _ columns: [ColumnID: ColumnReference], _ files: FileSet
  ) -> ScanColumn? {
    guard let reference = expression.columnReference.flatMap({ columns[$0.id] }),
      case .file(let ordinal)? = scan.columns.first(where: { $0.reference == reference })?.source,
      !files.files.contains(where: { $0.absentColumns.contains(ordinal) })
    else { return nil }
    let field = scan.table.columns[ordinal]
    return ScanColumn(name: field.name, type: field.type, ordinal: ordinal)
  }
}
