public import ConnectorSDK
import Glibc
import S3ObjectStore

/// How an engine works: its home, its resources and its prices.
public struct EngineConfiguration: Sendable {
  /// Folder of catalog, history and ledger; made when first needed. Nil: nothing is kept on disk.
  public var home: String?
  /// Worker threads of a query.
  public var threads = EngineConfiguration.processorCount
  /// Statements that run at once, besides short ones; further ones wait, QUEUED. Nil: all that are started.
  public var runningLimit: Int?
  /// Bytes the process may hold, shared by the queries that run; nil: 60 % of the machine's memory or its control group's.
  public var memoryLimit: Int?
  /// Folder of rows that memory does not hold; nil: `$TMPDIR`, else `/tmp`.
  public var temporaryFolder: String?
  /// Bytes of disk that the rows of one query may take there, or nil.
  public var spillLimit: Int?
  /// What a terabyte and a megabyte are for the bill.
  public var unitBase = UnitBase.binary
  /// US dollars per terabyte scanned.
  public var dollarsPerTerabyte = 5.0
  /// How s3:// locations are reached, where it differs from the environment and AWS' configuration files.
  public var s3 = S3Access()
  /// Further kinds of foreign catalogs; one of the name of a built-in kind takes its place.
  public var connectors: [ConnectorRegistration] = []
  /// Settings for tests only.
  package var testing = Testing()

  /// - Parameter home: nil keeps nothing on disk; `EngineConfiguration.defaultHome` is the command line's.
  public init(home: String? = nil) { self.home = home }

  /// How s3:// locations are reached. What is nil is told by the environment and the profile, as for AWS' own clients.
  public struct S3Access: Sendable {
    /// `http://host:port` of a service that speaks S3's protocol.
    public var endpoint: String?
    public var region: String?
    /// A profile of `~/.aws/config` and `~/.aws/credentials`.
    public var profile: String?
    /// Requests are not signed: for public buckets.
    public var isAnonymous = false
    /// This user pays for requests to buckets of that kind.
    public var isRequesterPaying = false
    /// A local folder whose folders are the buckets; then no service is asked at all.
    public var folder: String?
    public init() {}

    var configuration: S3Configuration {
      S3Configuration(
        endpoint: endpoint, region: region, profile: profile, isAnonymous: isAnonymous,
        isRequesterPaying: isRequesterPaying)
    }
  }

  /// Whether byte units count in powers of 1024 or of 1000.
  public enum UnitBase: String, CaseIterable, Sendable { case binary, decimal }

  /// Odd configurations under which every result must stay the same.
  package struct Testing: Sendable {
    /// Rows per batch, or nil for the default.
    package var batchSize: Int?
    package var isOptimizerOff = false
    package var collidesHashes = false
    /// Optimizer rules left out, by name; those that make plans executable run all the same.
    package var disabledRules: Set<String> = []
    /// Operators write their rows to disk as if there were no memory left.
    package var spillsRows = false
    package init() {}
  }

  /// Processors this process may use.
  public static var processorCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// `$SQLQ_HOME`, else `~/.sqlq`.
  public static var defaultHome: String {
    if let home = getenv("SQLQ_HOME") { return String(cString: home) }
    if let home = getenv("HOME") { return String(cString: home) + "/.sqlq" }
    return ".sqlq"
  }
}
