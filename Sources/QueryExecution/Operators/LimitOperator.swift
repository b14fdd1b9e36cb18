import Columnar
import QueryErrors
import Synchronization

/// Skips rows, hands on so many, and then stops the pipeline.
///
/// Which rows these are is the input's order when one worker runs the pipeline, and any otherwise.
final class LimitOperator: StreamingOperator, @unchecked Sendable {
  private let offset: Int
  private let count: Int?
  private let seen = Counter()

  init(_ node: QueryProfile.Node, offset: Int, count: Int?) {
    self.offset = offset
    self.count = count
    super.init(node)
  }

  override var yieldsNothing: Bool { count == 0 }

  override func makeTransform(_ worker: Worker, next: BatchConsumer) throws(QueryError) -> BatchTransform {
    Transform(worker, metrics, next: next, seen, offset: offset, count: count)
  }

  private final class Transform: BatchTransform, @unchecked Sendable {
    private let seen: Counter
    private let offset: Int
    /// The number of the first row that is no longer wanted.
    private let end: Int

    init(
      _ worker: Worker, _ shared: OperatorMetrics, next: BatchConsumer, _ seen: Counter, offset: Int, count: Int?
    ) {
      self.seen = seen
      self.offset = offset
      let (end, overflow) = offset.addingReportingOverflow(count ?? Int.max)
      self.end = overflow ? Int.max : end
      super.init(worker, shared, next: next)
    }

    override func consume(_ batch: Batch) throws(QueryError) {
      if seen.current >= end { return worker.control.stop() }
      let first = seen.add(batch.rowCount)
      let last = first + batch.rowCount
      let low = max(first, offset)
      let high = min(last, end)
      if low < high { try emit(batch.slice(offset: low - first, count: high - low)) }
      if last >= end {
        try next.flush()
        worker.control.stop()
      }
    }
  }
}
