import ObjectStore
import QueryExecution
import Synchronization

/// Watches a running statement and stops it; any thread may use it.
public final class QueryMonitor: Sendable {
  let cancellation = CancellationFlag()
  private let running = Mutex<QueryContext?>(nil)
  private let ending = Mutex(Ending.none)
  private let unitBase: SessionConfiguration.UnitBase
  private let dollarsPerTerabyte: Double

  public init(_ configuration: SessionConfiguration = SessionConfiguration()) {
    unitBase = configuration.unitBase
    dollarsPerTerabyte = configuration.dollarsPerTerabyte
  }

  /// Stops the statement; it fails with `USER_CANCELED` within milliseconds.
  public func cancel() { cancellation.cancel() }

  /// Who ends the statement in the ledger.
  private enum Ending {
    case none
    case open(@Sendable () -> QueryStatistics)
    case taken
  }

  /// Begins a statement; `record` writes it to the ledger as cancelled, from any thread.
  func begin(_ record: @escaping @Sendable () -> QueryStatistics) { ending.withLock { $0 = .open(record) } }

  /// Whether the caller is the first who ends the statement, and so the one who records it.
  func claimEnding() -> Bool {
    ending.withLock { ending in
      if case .taken = ending { return false }
      ending = .taken
      return true
    }
  }

  /// Records the running statement as cancelled and removes its unfinished files, without waiting for its threads.
  ///
  /// For a process that ends right after: the statement's own threads never return.
  ///
  /// - Returns: nil when the statement has ended by itself.
  public func abandon() -> QueryStatistics? {
    let record = ending.withLock { ending -> (@Sendable () -> QueryStatistics)? in
      guard case .open(let record) = ending else { return nil }
      ending = .taken
      return record
    }
    guard let record else { return nil }
    let statistics = record()
    LocalTemporaryFiles.removeAll()
    return statistics
  }

  func watch(_ context: QueryContext?) { running.withLock { $0 = context } }

  /// How far a running query is.
  public struct Progress: Sendable {
    /// Bytes the plan will scan at most; 0 when not known yet.
    public var bytesPlanned: Int
    public var bytesScanned: Int
    /// What has been scanned so far would be billed as.
    public var dollars: Double
  }

  /// Nil when nothing is being executed.
  public var progress: Progress? {
    running.withLock { context in
      guard let context else { return nil }
      let scanned = context.meter.scannedBytes
      let bill = ScanBill(
        bytesScanned: scanned, isFree: false, unitBase: unitBase, dollarsPerTerabyte: dollarsPerTerabyte)
      return Progress(bytesPlanned: context.progress.plannedBytes, bytesScanned: scanned, dollars: bill.dollars)
    }
  }
}
