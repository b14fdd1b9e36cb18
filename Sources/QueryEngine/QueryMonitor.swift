import ObjectStore
import QueryExecution
import Synchronization

/// Watches a running statement and stops it; any thread may use it.
public final class QueryMonitor: Sendable {
  let cancellation = CancellationFlag()
  private let running = Mutex<QueryContext?>(nil)
  private let unitBase: SessionConfiguration.UnitBase
  private let dollarsPerTerabyte: Double

  public init(_ configuration: SessionConfiguration = SessionConfiguration()) {
    unitBase = configuration.unitBase
    dollarsPerTerabyte = configuration.dollarsPerTerabyte
  }

  /// Stops the statement; it fails with `USER_CANCELED` within milliseconds.
  public func cancel() { cancellation.cancel() }

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
