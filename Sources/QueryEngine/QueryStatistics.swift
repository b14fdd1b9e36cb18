/// What a statement did: the figures of the footer, the ledger and `--stats json`.
///
/// - Units: bytes as stored; times in milliseconds.
public struct QueryStatistics: Sendable {
  public enum State: String, Sendable { case succeeded = "SUCCEEDED", failed = "FAILED", cancelled = "CANCELLED" }

  public var queryID = ""
  public var state = State.succeeded
  public var rows = 0
  public var bytesScanned = 0
  /// Of those, footers and page indexes.
  public var metadataBytes = 0
  /// Bytes of all files of the tables read, before pruning; known after partition pruning.
  public var bytesTotal = 0
  public var bytesBilled = 0
  public var dollars = 0.0
  public var wallMilliseconds = 0.0
  public var planningMilliseconds = 0.0
  public var filesRead = 0
  public var filesTotal = 0
  public var partitionsRead = 0
  /// Nil when pruning spared counting them.
  public var partitionsTotal: Int?
  public var rowGroupsRead = 0
  public var rowGroupsTotal = 0
  public var columnsRead = 0
  public var columnsTotal = 0
  public var peakMemoryBytes = 0
  public var spilledBytes = 0
  public var resultLocation: String?
  /// What the user should know although all went well: files passed over and the like.
  public var notes: [String] = []
  /// `DML`, `DDL` or `UTILITY`.
  public var statementType = "DML"
  /// Whether the figures are a forecast of `--dry-run`.
  public var isDryRun = false
  /// Which base the bill's units have.
  public var unitBase = SessionConfiguration.UnitBase.binary

  public init() {}
}
