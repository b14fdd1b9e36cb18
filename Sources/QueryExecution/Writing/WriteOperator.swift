import Columnar
import ObjectStore
import QueryErrors
import Synchronization

/// Writes rows to files: all workers at once, each to files of its own.
///
///     few partitions     a file for each partition and worker
///     many               rows of those beyond the first ones wait, by the hash of their partition and on disk where memory is
///                        short; at the end each hash's partitions are written one after the other
///     buckets            all rows wait, so that each bucket becomes one file
///
/// So memory is bounded by the files that are open at once, not by rows or partitions.
final class WriteOperator: SinkOperator, @unchecked Sendable {
  private let context: QueryContext
  private let layout: FileLayout
  private let target: any FileTarget
  private let consumer: MemoryConsumer
  private let waiting = Mutex<[RowPartitions]>([])

  /// Files of partitions that a worker keeps open while rows come.
  private static let openFileCount = 128
  /// Hashes that rows wait by.
  private static let hashCount = 256
  /// Bytes that rows which wait may hold, and files: all workers' together.
  private static let (waitingByteCount, heldByteCount) = (256 << 20, 512 << 20)

  init(_ node: QueryProfile.Node, _ context: QueryContext, _ layout: FileLayout, _ target: any FileTarget) {
    self.context = context
    self.layout = layout
    self.target = target
    consumer = context.memory.register(node)
    super.init(node)
  }

  private var fileLimit: Int {
    if layout.buckets != nil { return 0 }
    return context.testing.spillsRows ? 1 : WriteOperator.openFileCount
  }

  /// Bytes that the files of one worker may hold.
  private var heldLimit: Int {
    max(8 << 20, min(WriteOperator.heldByteCount, context.memory.account.effectiveLimit / 4) / context.threads)
  }

  private func makeFiles(fileLimit: Int) -> OpenFiles {
    OpenFiles(
      layout, target, fileLimit: fileLimit, heldLimit: heldLimit, collidesHashes: context.testing.collidesHashes)
  }

  override func makeWriter(_ worker: Worker) throws(QueryError) -> BatchConsumer {
    consumer.begin()
    return Writer(worker, metrics, self, makeFiles(fileLimit: fileLimit))
  }

  override func finish(_ scheduler: Scheduler) throws(QueryError) {
    let parts = waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
    guard !parts.isEmpty else { return }
    try scheduler.forEach(WriteOperator.hashCount) { [self] (hash) throws(QueryError) in
      guard parts.contains(where: { !$0.partitions[hash].isEmpty }) else { return }
      let files = makeFiles(fileLimit: Int.max)
      for part in parts {
        let reader = part.partitions[hash].consumingReader()
        while let batch = try reader.next() {
          try context.cancellation.check()
          try files.append(batch) { _, _ in }
        }
      }
      try files.close { _, _ in }
    }
  }

  final class Writer: BatchConsumer, @unchecked Sendable {
    private let sink: WriteOperator
    private let files: OpenFiles
    private var rows: RowPartitions?

    init(_ worker: Worker, _ shared: OperatorMetrics, _ sink: WriteOperator, _ files: OpenFiles) {
      self.sink = sink
      self.files = files
      super.init(worker, shared)
    }

    override func consume(_ batch: Batch) throws(QueryError) {
      metrics.rowsOut &+= batch.rowCount
      try files.append(batch) { (rows, hashes) throws(QueryError) in try wait(rows, hashes) }
    }

    private func wait(_ batch: Batch, _ hashes: UnsafePointer<UInt8>) throws(QueryError) {
      let context = sink.context
      let rows =
        self.rows ?? RowPartitions(count: WriteOperator.hashCount, types: sink.layout.types, sink.consumer, context.spillFile)
      self.rows = rows
      rows.add(batch) { $0.update(from: hashes, count: batch.rowCount) }
      if context.testing.spillsRows {
        try rows.spill()
      } else if rows.heldBytes > WriteOperator.waitingByteCount / context.threads || !sink.consumer.mayGrow(sink.consumer.smallByteCount) {
        try rows.spill(rows.heldBytes / 2)
      }
    }

    override func close() throws(QueryError) {
      try files.close { (rows, hashes) throws(QueryError) in try wait(rows, hashes) }
      if let rows {
        rows.scatter()
        sink.waiting.withLock { $0.append(rows) }
      }
      try super.close()
    }
  }
}
