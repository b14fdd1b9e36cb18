import Columnar
import QueryErrors
import SQLExpressions

/// Yields rows written in the query.
final class ValuesSource: MorselSource, @unchecked Sendable {
  private let rows: [[Expression]]
  private let types: [DataType]
  private let context: QueryContext
  private var batches: [Batch] = []

  init(_ node: QueryProfile.Node, rows: [[Expression]], types: [DataType], _ context: QueryContext) {
    self.rows = rows
    self.types = types
    self.context = context
    super.init(node)
  }

  override func prepare(_ scheduler: Scheduler) throws(QueryError) {
    batches = []
    if rows.isEmpty { return }
    if types.isEmpty {
      batches = [Batch(columns: [], rowCount: rows.count)]
      return
    }
    for row in rows where row.count != types.count {
      throw .internalError("A row of \(row.count) values stands under \(types.count) columns")
    }
    let one = Batch(columns: [], rowCount: 1)
    let builders = types.map { ColumnBuilder($0, capacity: rows.count) }
    for row in rows {
      var pending: [(Int, Expression)] = []
      for (index, expression) in row.enumerated() {
        if let value = expression.constantValue {
          builders[index].append(value)
        } else {
          pending.append((index, expression))
        }
      }
      if pending.isEmpty { continue }
      let evaluator = try ExpressionEvaluator(pending.map(\.1), inputs: [], session: context.session)
      for ((index, _), column) in zip(pending, try evaluator.evaluate(one)) { builders[index].append(column, row: 0) }
    }
    batches = [Batch(columns: builders.map { $0.finish() }, rowCount: rows.count)]
  }

  override var morselCount: Int { batches.count }

  override func open(_ morsel: Int, _ worker: Worker) throws(QueryError) -> any BatchReader {
    SlicingReader([batches[morsel]], batchSize: context.batchSize)
  }
}
