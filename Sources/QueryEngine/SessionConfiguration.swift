import Glibc
import S3ObjectStore

/// How a session works: its home, limits and defaults.
public struct SessionConfiguration: Sendable {
  /// Folder of catalog, history and ledger; made when first needed. Nil: nothing is kept on disk.
  public var home: String?
  /// The database that unqualified names are looked up in.
  public var database = "default"
  /// The session's time zone: `UTC`, `Europe/Berlin`, `+02:00`.
  public var timeZone = "UTC"
  /// Worker threads of a query.
  public var threads = SessionConfiguration.processorCount
  /// Bytes a query's states may hold, or nil.
  public var memoryLimit: Int?
  /// Bytes a query may scan, or nil.
  public var scanLimit: Int?
  /// Whether SELECT leaves its result in the results folder.
  public var writesResults = true
  /// The results folder; nil: `results` in the home.
  public var outputLocation: String?
  /// Plan and price only.
  public var isDryRun = false
  /// What a terabyte and a megabyte are for the bill.
  public var unitBase = UnitBase.binary
  /// US dollars per terabyte scanned.
  public var dollarsPerTerabyte = 5.0
  /// Whose statements are accepted.
  public var compatibility = Compatibility.none
  /// How s3:// locations are reached, where it differs from the environment and AWS' configuration files.
  public var s3 = S3Access()
  /// The user that `current_user` names.
  public var user = "sqlq"
  /// Settings for tests only.
  public var testing = Testing()

  public init() {}

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
    public init() {}

    var configuration: S3Configuration {
      S3Configuration(
        endpoint: endpoint, region: region, profile: profile, isAnonymous: isAnonymous,
        isRequesterPaying: isRequesterPaying)
    }
  }

  /// Whether byte units count in powers of 1024 or of 1000.
  public enum UnitBase: String, CaseIterable, Sendable { case binary, decimal }

  /// Whether statements may go beyond what Athena takes.
  public enum Compatibility: String, Sendable {
    /// Extensions are read and Athena's limits do not hold.
    case none
    /// Statements that Athena refuses are refused.
    case athena
  }

  /// Odd configurations under which every result must stay the same.
  public struct Testing: Sendable {
    /// Rows per batch, or nil for the default.
    public var batchSize: Int?
    public var isOptimizerOff = false
    public var collidesHashes = false
    /// Optimizer rules left out, by name; those that make plans executable run all the same.
    public var disabledRules: Set<String> = []
    public init() {}
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
