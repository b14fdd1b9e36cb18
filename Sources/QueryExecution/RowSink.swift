package import Columnar
package import QueryErrors

/// Where a plan's rows go.
package enum RowSink {
  /// One batch after the other, on the calling thread and in the plan's order; throwing ends the query.
  case inOrder((Batch) throws(QueryError) -> Void)
  /// The same, each batch first made into what is handed over, by all workers at once.
  case prepared(@Sendable (Batch) -> PreparedBatch, (PreparedBatch) throws(QueryError) -> Void)
  /// By all workers at once, in no order: what writes files.
  case parallel(any ParallelRowSink)
  /// Into files, by all workers at once.
  case files(FileLayout, any FileTarget)
}

/// A batch, or what a worker made of it.
package struct PreparedBatch: @unchecked Sendable {
  package var batch: Batch?
  package var texts: [TextBuffer]
  package var rowCount: Int

  package init(batch: Batch?, texts: [TextBuffer] = [], rowCount: Int) {
    self.batch = batch
    self.texts = texts
    self.rowCount = rowCount
  }

  /// What it holds, about.
  var byteCount: Int { (batch?.approximateByteCount ?? 0) + texts.reduce(0) { $0 + $1.count } }
}

/// Takes a plan's rows by all workers at once.
///
/// To implement one: `makeWriter` is called once a worker, on that worker's thread, and the writer then used by that
/// worker alone; what workers share needs a lock. `finish` is called once, after every writer has finished; when the
/// query fails, neither is, and whoever called `QueryExecutor.execute` cleans up.
package protocol ParallelRowSink: AnyObject, Sendable {
  func makeWriter() throws(QueryError) -> any ParallelRowWriter
  func finish() throws(QueryError)
}

/// One worker's end of a `ParallelRowSink`.
package protocol ParallelRowWriter: AnyObject {
  func write(_ batch: Batch) throws(QueryError)
  /// The worker has no more rows.
  func finish() throws(QueryError)
}

/// Hands the rows of a pipeline to a `ParallelRowSink`.
final class ParallelSinkOperator: SinkOperator, @unchecked Sendable {
  private let sink: any ParallelRowSink

  init(_ node: QueryProfile.Node, _ sink: any ParallelRowSink) {
    self.sink = sink
    super.init(node)
  }

  override func makeWriter(_ worker: Worker) throws(QueryError) -> BatchConsumer {
    Writer(worker, metrics, try sink.makeWriter())
  }

  override func finish(_ scheduler: Scheduler) throws(QueryError) { try sink.finish() }

  private final class Writer: BatchConsumer, @unchecked Sendable {
    private let writer: any ParallelRowWriter

    init(_ worker: Worker, _ shared: OperatorMetrics, _ writer: any ParallelRowWriter) {
      self.writer = writer
      super.init(worker, shared)
    }

    override func consume(_ batch: Batch) throws(QueryError) {
      metrics.rowsOut &+= batch.rowCount
      try writer.write(batch)
    }

    override func close() throws(QueryError) {
      try writer.finish()
      try super.close()
    }
  }
}
