import Columnar
import Glibc
import ObjectStore
import QueryErrors

/// Yields the rows of a range in order: sorted in memory where they fit, else by ranges of their own.
final class SortedRangeReader: BatchReader {
  private let keys: [SortSpecification]
  private let consumer: MemoryConsumer
  private let context: QueryContext
  /// Ranges still to come, the last one first.
  private var pending: [(rows: RowRuns, isUniform: Bool)]
  private var current: (any BatchReader)?
  private let isForced: Bool

  /// Bytes that are sorted in memory, however little of it there is.
  private static let smallByteCount = 2 << 20
  /// Keys that separate the ranges of a range.
  private static let keyCount = 15

  init(
    _ rows: RowRuns, isUniform: Bool, _ keys: [SortSpecification], _ consumer: MemoryConsumer, _ context: QueryContext
  ) {
    self.keys = keys
    self.consumer = consumer
    self.context = context
    isForced = context.testing.spillsRows
    pending = [(rows, isUniform)]
  }

  func next() throws(QueryError) -> Batch? {
    while true {
      if let batch = try current?.next() { return batch }
      current = nil
      guard let (rows, isUniform) = pending.popLast() else { return nil }
      if rows.isEmpty { continue }
      if isUniform {
        current = SlicingStream(rows.consumingReader(), batchSize: context.batchSize)
      } else if mustSplit(rows) {
        try split(rows)
      } else {
        current = try sorted(rows)
      }
    }
  }

  private func mustSplit(_ rows: RowRuns) -> Bool {
    let bytes = rows.storedBytes * 2 + rows.heldBytes + rows.rowCount * 48
    if isForced { return rows.rowCount > 64 && rows.storedBytes > 0 }
    if bytes <= SortedRangeReader.smallByteCount { return false }
    return rows.rowCount >= 1 << 30 || bytes > max(SortedRangeReader.smallByteCount, (consumer.budget.room + consumer.held) / context.threads)
  }

  /// Puts the rows into ranges, all of them on disk where memory does not hold them.
  private func split(_ rows: RowRuns) throws(QueryError) {
    var sample: [Batch] = []
    let entries = rows.entryCount
    let step = max(1, entries / 64)
    for index in stride(from: 0, to: entries, by: step) {
      let batch = try rows.batch(at: index)
      let keys = self.keys
      // Only the keys of some rows are kept of each stretch.
      var columns: [Column] = []
      for column in batch.columns.indices {
        columns.append(
          keys.contains { $0.position == column } ? batch.columns[column] : .nulls(batch.columns[column].type, count: batch.rowCount))
      }
      let thinned = Batch(columns: columns, rowCount: batch.rowCount)
      let count = min(64, batch.rowCount)
      let chosen = (0..<count).map { Int32($0 * batch.rowCount / count) }
      sample.append(chosen.withUnsafeBufferPointer { BatchCodec.detached(thinned.take($0.baseAddress!, count: count)) })
    }
    let ranges = SortRanges(keys, sample, types: rows.types, keyCount: SortedRangeReader.keyCount)
    let assigner = ranges.makeAssigner()
    let parts = RowPartitions(
      count: 2 * SortedRangeReader.keyCount + 1, types: rows.types, consumer, context.spillFile)
    let reader = rows.consumingReader()
    while let batch = try reader.next() {
      try context.cancellation.check()
      parts.add(batch) { assigner.assign(batch, $0) }
      if parts.isScattered, isForced || !consumer.mayGrow(4 << 20) { try parts.spill(parts.heldBytes / 2 + 1) }
    }
    parts.scatter()
    for (index, part) in parts.partitions.enumerated().reversed() {
      pending.append((part, SortRanges.isUniform(index)))
    }
  }

  private func sorted(_ rows: RowRuns) throws(QueryError) -> any BatchReader {
    let types = rows.types
    var batches: [Batch] = []
    let reader = rows.consumingReader()
    while let batch = try reader.next() { batches.append(batch) }
    let all = BatchCoalescer.concatenate(batches, types: types)
    batches = []
    let reservation = MemoryReservation(consumer)
    let sorter = RowSorter(keys.map { all.columns[$0.position] }, keys.map(\.order), rowCount: all.rowCount)
    try reservation.set(all.approximateByteCount + sorter.byteCount)
    let order = sorter.sortAll()
    let batchSize = context.batchSize
    var next = 0
    return GeneratingReader { () throws(QueryError) -> Batch? in
      if next >= all.rowCount { return nil }
      withExtendedLifetime(reservation) {}
      let count = min(batchSize, all.rowCount - next)
      defer { next += count }
      return all.take(order.typed(Int32.self) + next, count: count)
    }
  }
}

/// Yields the batches of a reader in pieces of at most the batch size.
final class SlicingStream: BatchReader {
  private let reader: any BatchReader
  private let batchSize: Int
  private var batch: Batch?
  private var offset = 0

  init(_ reader: any BatchReader, batchSize: Int) {
    self.reader = reader
    self.batchSize = batchSize
  }

  func next() throws(QueryError) -> Batch? {
    while true {
      if let batch {
        if offset < batch.rowCount {
          let count = min(batch.rowCount - offset, batchSize)
          defer { offset += count }
          return batch.slice(offset: offset, count: count)
        }
        self.batch = nil
      }
      guard let next = try reader.next() else { return nil }
      batch = next
      offset = 0
    }
  }
}
