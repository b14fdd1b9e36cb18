import Columnar
package import FileFormats
package import ObjectStore
import QueryErrors
package import SQLFunctions
import Synchronization

/// All that the operators of one running query share.
///
/// - Threads: shared by all workers.
package final class QueryContext: @unchecked Sendable {
  // MARK: Fixed for the query
  package let session: SessionContext
  /// Workers, the caller's thread included.
  package let threads: Int
  /// Rows per batch.
  package let batchSize: Int
  package let memory: MemoryBudget
  package let meter: ScanMeter
  /// Where rows go for want of memory.
  package let spillFile: SpillFile
  /// Settings of tests only.
  package let testing: TestSettings
  /// What happens with rows of text files that cannot be read; nil: they fail the query. Set before it runs.
  package var badRows: BadRows?

  // MARK: Metrics
  package let profile = QueryProfile()
  package let progress = QueryProgress()

  // MARK: Changes while running
  let dynamicFilters = DynamicFilterRegistry()

  package init(
    session: SessionContext, threads: Int = 1, batchSize: Int = Batch.defaultRowCount,
    memory: MemoryBudget = MemoryBudget(), meter: ScanMeter = ScanMeter(), spillFile: SpillFile = SpillFile(),
    testing: TestSettings = TestSettings()
  ) {
    self.session = session
    self.threads = max(1, threads)
    self.batchSize = max(1, batchSize)
    self.memory = memory
    self.meter = meter
    self.spillFile = spillFile
    self.testing = testing
  }

  /// Stops the query when its flag is raised.
  package var cancellation: CancellationFlag { meter.cancellation }

  /// Odd settings under which every query must give the same answer.
  package struct TestSettings: Sendable {
    /// All hashes are equal.
    package var collidesHashes: Bool
    /// Aggregates partition their input after so many groups, instead of when it pays.
    package var partitionsAggregatesAfter: Int?
    /// Operators act as if there were no memory left after their first rows.
    package var spillsRows: Bool

    package init(collidesHashes: Bool = false, partitionsAggregatesAfter: Int? = nil, spillsRows: Bool = false) {
      self.collidesHashes = collidesHashes
      self.partitionsAggregatesAfter = partitionsAggregatesAfter
      self.spillsRows = spillsRows
    }
  }
}

/// How far a query is, for progress lines.
///
/// - Units: bytes as stored; compare `plannedBytes` with the meter's scanned bytes.
package final class QueryProgress: Sendable {
  private let planned = Atomic<Int>(0)
  private let splitsPlanned = Atomic<Int>(0)
  private let splitsDone = Atomic<Int>(0)

  package init() {}

  /// Bytes that the scans started so far will read, as far as known.
  package var plannedBytes: Int { planned.load(ordering: .relaxed) }
  package var plannedSplits: Int { splitsPlanned.load(ordering: .relaxed) }
  package var finishedSplits: Int { splitsDone.load(ordering: .relaxed) }

  func plan(byteCount: Int, splits: Int) {
    planned.wrappingAdd(byteCount, ordering: .relaxed)
    splitsPlanned.wrappingAdd(splits, ordering: .relaxed)
  }

  func finishSplit() { splitsDone.wrappingAdd(1, ordering: .relaxed) }
}
