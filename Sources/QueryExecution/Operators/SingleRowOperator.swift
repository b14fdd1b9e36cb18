import Columnar
import QueryErrors

/// Makes of a scalar subquery's rows exactly one: NULLs of none, an error of several.
final class SingleRowOperator: SinkOperator, @unchecked Sendable {
  private let types: [DataType]
  private let range: SourceRange?
  private let result: CollectedBatches
  private let collector: CollectOperator
  private let seen = Counter()

  init(
    _ node: QueryProfile.Node, types: [DataType], range: SourceRange?, result: CollectedBatches, _ context: QueryContext
  ) {
    self.types = types
    self.range = range
    self.result = result
    collector = CollectOperator(node, context, result, types: types)
    super.init(node)
  }

  override func makeWriter(_ worker: Worker) throws(QueryError) -> BatchConsumer {
    Writer(worker, metrics, try collector.makeWriter(worker), seen, range)
  }

  override func finish(_ scheduler: Scheduler) throws(QueryError) {
    try collector.finish(scheduler)
    if result.rowCount == 0 {
      result.set([Batch(columns: types.map { .nulls($0, count: 1) }, rowCount: 1)])
    }
  }

  private final class Writer: BatchConsumer, @unchecked Sendable {
    private let writer: BatchConsumer
    private let seen: Counter
    private let range: SourceRange?

    init(
      _ worker: Worker, _ shared: OperatorMetrics, _ writer: BatchConsumer, _ seen: Counter, _ range: SourceRange?
    ) {
      self.writer = writer
      self.seen = seen
      self.range = range
      super.init(worker, shared)
    }

    override func consume(_ batch: Batch) throws(QueryError) {
      if seen.add(batch.rowCount) + batch.rowCount > 1 {
        throw QueryError(.subqueryMultipleRows, "Scalar sub-query has returned multiple rows", at: range)
      }
      try writer.consume(batch)
    }
  }
}
