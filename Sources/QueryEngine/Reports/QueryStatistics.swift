/// What a statement did: the figures of the footer, the ledger and `--stats json`.
///
/// - Units: bytes as stored; times in milliseconds.
public struct QueryStatistics: Sendable, Codable {
  public var queryID = ""
  public var state = QueryState.queued
  /// Rows handed out; of statements that write, those written.
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
  /// Nil when partition pruning spared listing them.
  public var filesTotal: Int?
  public var partitionsRead = 0
  /// Nil when pruning spared counting them.
  public var partitionsTotal: Int?
  public var rowGroupsRead = 0
  public var rowGroupsTotal = 0
  public var columnsRead = 0
  public var columnsTotal = 0
  public var peakMemoryBytes = 0
  public var spilledBytes = 0
  /// What INSERT, CREATE TABLE AS and UNLOAD wrote.
  public var rowsWritten = 0
  public var bytesWritten = 0
  public var filesWritten = 0
  /// Requests to object services, failed tries included.
  public var s3Requests = 0
  /// Of those, pages of listings; bytes and heads of objects; writes.
  public var s3ListRequests = 0
  public var s3GetRequests = 0
  public var s3PutRequests = 0
  /// Bytes that came over the wire: more than scanned where near ranges were joined, less where footers were kept.
  public var s3BytesReceived = 0
  public var s3BytesSent = 0
  /// US dollars that Amazon S3 charges for the requests.
  public var s3Dollars = 0.0
  /// Of the wall time: before the statement began, and after its last row until its result was published.
  public var queueMilliseconds = 0.0
  public var publishingMilliseconds = 0.0
  /// Rows of text files that could not be read.
  public var badRows = 0
  public var resultLocation: String?
  /// The columns of the result.
  public var resultColumns: [ResultColumn]?
  /// Bytes of the result file.
  public var resultBytes = 0
  /// The list of the files that INSERT, CREATE TABLE AS and UNLOAD wrote.
  public var manifestLocation: String?
  /// The statement whose result was handed out again.
  public var reusedQueryID: String?
  /// Why no earlier result was, when the statement asked for one.
  public var reuseMiss: String?
  /// What the user should know although all went well: files passed over and the like.
  public var notes: [String] = []
  /// Nil until the statement is read, and when it cannot be.
  public var type: StatementType?
  /// Athena's SubstatementType, such as `CREATE_TABLE`.
  public var substatementType: String?
  /// Whether the figures are a forecast of `--dry-run`.
  public var isDryRun = false
  /// How well a dry run knows what running will scan.
  public var costTier: CostTier?
  /// Whether a dry run's `bytesScanned` is what will be scanned, not only the most.
  public var isExact = false
  /// Which base the bill's units have.
  public var unitBase = EngineConfiguration.UnitBase.binary

  /// What a later statement has to match to be answered with this one's result: statement and session, files read.
  var reuseKey: String?
  var reuseData: String?

  public init() {}

  /// `DML`, `DDL` or `UTILITY`.
  public var statementType: String { type?.rawValue ?? StatementType.dml.rawValue }
}

/// How well it is known what a statement will scan.
public enum CostTier: String, Codable, Sendable {
  /// It will scan just that.
  case exact = "EXACT"
  /// At most that: a LIMIT, a join or a filter within row groups may spare some.
  case upperBound = "UPPER_BOUND"
  /// Only running it tells.
  case unknown = "UNKNOWN"
}

extension EngineConfiguration.UnitBase: Codable {}
