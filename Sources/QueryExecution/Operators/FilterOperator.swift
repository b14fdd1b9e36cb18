import Columnar
import QueryErrors
import SQLExpressions

/// Keeps the rows for which a predicate is true.
final class FilterOperator: StreamingOperator, @unchecked Sendable {
  private let predicate: Expression
  private let inputs: [ColumnReference]
  /// Positions of the columns that are handed on.
  private let kept: [Int]

  init(_ node: QueryProfile.Node, predicate: Expression, inputs: [ColumnReference], kept: [Int]) {
    self.predicate = predicate
    self.inputs = inputs
    self.kept = kept
    super.init(node)
  }

  override func makeTransform(_ worker: Worker, next: BatchConsumer) throws(QueryError) -> BatchTransform {
    let evaluator = try PredicateEvaluator(predicate, inputs: inputs, session: worker.context.session)
    let isIdentity = kept == Array(inputs.indices)
    return Transform(
      worker, metrics, next: next, evaluator, kept: isIdentity ? nil : kept, types: kept.map { inputs[$0].type })
  }

  private final class Transform: BatchTransform, @unchecked Sendable {
    private let evaluator: PredicateEvaluator
    private let kept: [Int]?
    private let coalescer: BatchCoalescer
    private let smallRowCount: Int
    private var selection = Buffer(byteCount: (Batch.defaultRowCount + 16) * 4)

    init(
      _ worker: Worker, _ shared: OperatorMetrics, next: BatchConsumer, _ evaluator: PredicateEvaluator, kept: [Int]?,
      types: [DataType]
    ) {
      self.evaluator = evaluator
      self.kept = kept
      coalescer = BatchCoalescer(types, batchSize: worker.context.batchSize)
      smallRowCount = worker.context.batchSize / 4
      super.init(worker, shared, next: next)
    }

    override func consume(_ batch: Batch) throws(QueryError) {
      if selection.byteCount < (batch.rowCount + 16) * 4 { selection = Buffer(byteCount: (batch.rowCount + 16) * 4) }
      let rows = selection.typed(Int32.self)
      let count = try evaluator.select(batch, into: rows)
      if count == 0 { return }
      var result = batch
      if let kept { result.columns = kept.map { batch.columns[$0] } }
      if count < batch.rowCount { result = result.take(rows, count: count) }
      if count >= smallRowCount, coalescer.isEmpty { return try emit(result) }
      if coalescer.add(result), let batch = coalescer.take() { try emit(batch) }
    }

    override func flush() throws(QueryError) {
      if let batch = coalescer.take() { try emit(batch) }
      try next.flush()
    }
  }
}
