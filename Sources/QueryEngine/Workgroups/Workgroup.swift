/// A workgroup: where results go, what a query may scan, and what its statements begin with.
///
/// `primary` always exists; it has the defaults until somebody changes it.
public struct Workgroup: Hashable, Codable, Sendable {
  public static let primaryName = "primary"

  public var name: String
  public var description: String?
  /// A disabled workgroup runs nothing.
  public var isEnabled = true
  /// Where results go: always when `isEnforced`, else when neither statement nor session says it.
  public var outputLocation: String?
  /// Whether what the workgroup says overrides statement and session.
  public var isEnforced = false
  /// Bytes after which a query is stopped; a smaller limit of the session or the statement holds too.
  public var bytesScannedCutoff: Int?
  /// Session properties that its statements begin with, such as `query_max_run_time`; SET SESSION overrides them.
  public var engineSettings: [String: String] = [:]
  /// For reports and budgets by tag.
  public var tags: [String: String] = [:]
  /// What Athena's API keeps of a workgroup and hands out again although it means nothing here (encryption, metrics,
  /// engine version): a text of the service's own.
  public var serviceDetails: String?
  /// Microseconds since 1970-01-01 UTC; 0 for a `primary` that was never changed. Set by the store.
  public internal(set) var createdAtMicros: Int64 = 0

  public init(_ name: String) { self.name = name }

  /// Session properties a workgroup may set: all but the time zone, which belongs to who asks.
  public static var engineSettingNames: [String] { SessionProperty.all.map(\.name).filter { $0 != "time_zone_id" } }

  /// - Throws: `INVALID_ARGUMENTS` for names, limits and settings that cannot be.
  func check() throws(QueryError) {
    func isNameLetter(_ byte: UInt8) -> Bool {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2e, 0x5f, 0x2d: true
      default: false
      }
    }
    guard (1...128).contains(name.utf8.count), name.utf8.allSatisfy(isNameLetter) else {
      throw QueryError(
        .invalidArguments, "'\(name)' cannot name a workgroup",
        hint: "Names have 1 to 128 letters, digits, dots, underscores and hyphens.")
    }
    if let bytesScannedCutoff, bytesScannedCutoff < 1 {
      throw QueryError(.invalidArguments, "The cutoff of workgroup '\(name)' must be a number of bytes above 0")
    }
    for (key, value) in engineSettings {
      guard Workgroup.engineSettingNames.contains(key) else {
        throw QueryError(
          .invalidArguments, "Workgroups have no setting '\(key)'",
          hint: NameSuggestion.hint(for: key, among: Workgroup.engineSettingNames)
            ?? "Settings: " + Workgroup.engineSettingNames.joined(separator: ", "))
      }
      let isGood = key == "query_max_run_time" ? SessionProperty.seconds(value) != nil : SessionProperty.byteCount(value) != nil
      if !isGood { throw QueryError(.invalidArguments, "\(key) is invalid: \(value)") }
    }
  }
}

/// A query saved under a name.
public struct NamedQuery: Hashable, Codable, Sendable {
  /// A random UUID.
  public internal(set) var id: String
  public var name: String
  public var description: String?
  public var database: String
  public var sql: String
  public internal(set) var workgroup: String
  /// Microseconds since 1970-01-01 UTC.
  public internal(set) var createdAtMicros: Int64 = 0

  public init(_ name: String, sql: String, database: String = "default", workgroup: String = Workgroup.primaryName, description: String? = nil) {
    id = QueryID.make()
    self.name = name
    self.sql = sql
    self.database = database
    self.workgroup = workgroup
    self.description = description
  }
}

/// A statement that PREPARE keeps in a workgroup.
public struct WorkgroupStatement: Hashable, Codable, Sendable {
  /// As written; looked up in lower case.
  public var name: String
  public var sql: String
  public var description: String?
  /// Microseconds since 1970-01-01 UTC.
  public internal(set) var modifiedAtMicros: Int64 = 0

  public init(_ name: String, sql: String, description: String? = nil) {
    self.name = name
    self.sql = sql
    self.description = description
  }
}
