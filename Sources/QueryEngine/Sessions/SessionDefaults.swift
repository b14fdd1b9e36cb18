/// What a session begins with.
public struct SessionDefaults: Sendable {
  /// The database that unqualified names are looked up in.
  public var database = "default"
  /// The session's time zone: `UTC`, `Europe/Berlin`, `+02:00`.
  public var timeZone = "UTC"
  /// Bytes a query may scan, or nil.
  public var scanLimit: Int?
  /// Whether statements leave their results in the results folder.
  public var writesResults = true
  /// The results folder; nil: `results` in the home.
  public var outputLocation: String?
  /// Whether queries also leave their rows as `<id>.parquet`, with types, beside their result file.
  public var writesTypedResults = false
  /// Seconds for which the result of an equal statement on unchanged files is handed out again; nil: never.
  public var reuseMaximumAge: Double?
  /// Plan and price only: no statement has an effect.
  public var isDryRun = false
  /// Whether statements that change the catalog or write data are refused.
  public var isReadOnly = false
  /// What happens with rows of text files that cannot be read.
  public var badRows = BadRowPolicy.fail
  /// Bad rows above which a statement fails all the same, or nil.
  public var badRowLimit: Int?
  /// Whose statements are accepted.
  public var compatibility = Compatibility.none
  /// Whose limits, output location and settings hold.
  public var workgroup = Workgroup.primaryName
  /// What reports and budgets tell statements apart by, besides the tags of the workgroup.
  public var tags: [String: String] = [:]
  /// The user that `current_user` names.
  public var user = "sqlq"

  public init(database: String = "default") { self.database = database }

  /// What happens with rows of text files that cannot be read.
  public enum BadRowPolicy: String, CaseIterable, Sendable {
    /// They fail the statement.
    case fail
    /// Their broken values are NULL.
    case null
    /// They are left out and counted.
    case skip
    /// They are left out and kept for `"t$rejects"`.
    case collect
  }

  /// Whether statements may go beyond what Athena takes.
  public enum Compatibility: String, Sendable {
    /// Extensions are read and Athena's limits do not hold.
    case none
    /// Statements that Athena refuses are refused.
    case athena
  }
}

/// What one statement does otherwise than its session; nil leaves it as it is there.
public struct StatementOptions: Sendable {
  /// The database that unqualified names are looked up in.
  public var database: String?
  /// The results folder.
  public var outputLocation: String?
  public var writesResults: Bool?
  public var writesTypedResults: Bool?
  public var reuseMaximumAge: Double?
  /// Bytes the statement may scan; the session's own limit holds too.
  public var scanLimit: Int?
  public var isDryRun: Bool?
  public var workgroup: String?
  /// Texts of prepared statements that only this statement sees, by name; they come before the workgroup's.
  public var prepared: [String: String] = [:]
  /// Added to the session's.
  public var tags: [String: String] = [:]
  /// Whether the ledger keeps the statement.
  var isRecorded = true
  /// Where the rows go.
  public var delivery = Delivery.batches

  public init() {}

  /// What happens with a statement's rows besides the result file.
  public enum Delivery: Sendable {
    /// They are handed out by `QueryExecution.batches`, which has to be read: a statement waits for its reader.
    case batches
    /// They only go to the result file; nobody has to read anything.
    case resultFile
  }
}
