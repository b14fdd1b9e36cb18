import Columnar
import QueryErrors
import SQLExpressions

/// Computes columns.
final class ProjectOperator: StreamingOperator, @unchecked Sendable {
  private let expressions: [Expression]
  private let inputs: [ColumnReference]

  init(_ node: QueryProfile.Node, expressions: [Expression], inputs: [ColumnReference]) {
    self.expressions = expressions
    self.inputs = inputs
    super.init(node)
  }

  override func makeTransform(_ worker: Worker, next: BatchConsumer) throws(QueryError) -> BatchTransform {
    let evaluator = try ExpressionEvaluator(expressions, inputs: inputs, session: worker.context.session)
    return Transform(worker, metrics, next: next, evaluator)
  }

  private final class Transform: BatchTransform, @unchecked Sendable {
    private let evaluator: ExpressionEvaluator

    init(_ worker: Worker, _ shared: OperatorMetrics, next: BatchConsumer, _ evaluator: ExpressionEvaluator) {
      self.evaluator = evaluator
      super.init(worker, shared, next: next)
    }

    override func consume(_ batch: Batch) throws(QueryError) {
      try emit(Batch(columns: try evaluator.evaluate(batch), rowCount: batch.rowCount))
    }
  }
}

/// Hands on some columns of each batch, in another order.
final class SelectColumnsOperator: StreamingOperator, @unchecked Sendable {
  private let positions: [Int]
  /// The types the columns are handed on as.
  private let types: [DataType]

  init(_ node: QueryProfile.Node, positions: [Int], types: [DataType]) {
    self.positions = positions
    self.types = types
    super.init(node)
  }

  override func makeTransform(_ worker: Worker, next: BatchConsumer) throws(QueryError) -> BatchTransform {
    Transform(worker, metrics, next: next, positions, types)
  }

  private final class Transform: BatchTransform, @unchecked Sendable {
    private let positions: [Int]
    private let types: [DataType]

    init(_ worker: Worker, _ shared: OperatorMetrics, next: BatchConsumer, _ positions: [Int], _ types: [DataType]) {
      self.positions = positions
      self.types = types
      super.init(worker, shared, next: next)
    }

    override func consume(_ batch: Batch) throws(QueryError) {
      var columns: [Column] = []
      columns.reserveCapacity(positions.count)
      for (position, type) in zip(positions, types) { columns.append(batch.columns[position].retyped(type)) }
      try emit(Batch(columns: columns, rowCount: batch.rowCount))
    }
  }
}
