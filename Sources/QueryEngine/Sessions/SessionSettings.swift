import QueryErrors
import SQLFunctions

/// What a session's statements see of it: a value, so that a running statement keeps what it began with.
struct SessionSettings: Sendable {
  let defaults: SessionDefaults
  /// The catalog that names without one are looked up in.
  var catalog = CatalogResolver.catalogName
  /// The database that unqualified names are looked up in.
  var database: String
  var timeZone: TimeZoneKey
  /// Properties set by SET SESSION.
  var properties: [String: String] = [:]

  /// - Throws: `INVALID_SESSION_PROPERTY` for an unknown time zone.
  init(_ defaults: SessionDefaults) throws(QueryError) {
    self.defaults = defaults
    database = defaults.database.lowercased()
    timeZone = try SessionSettings.timeZone(named: defaults.timeZone)
  }

  /// - Throws: `INVALID_SESSION_PROPERTY`.
  static func timeZone(named name: String) throws(QueryError) -> TimeZoneKey {
    if name == "UTC" { return .utc }
    do throws(QueryError) { return try TimeZoneDatabase.key(named: name) } catch {
      throw QueryError(
        .invalidSessionProperty, "Time zone not supported: \(name)",
        hint: "Use a name such as Europe/Berlin, or an offset such as +02:00.")
    }
  }

  var followsAthena: Bool { defaults.compatibility == .athena }

  /// Takes what the workgroup sets and nobody has set otherwise.
  mutating func apply(_ workgroup: Workgroup) { properties.merge(workgroup.engineSettings) { own, _ in own } }

  /// Where results go; nil for the home's own folder.
  func outputLocation(_ options: StatementOptions, _ workgroup: Workgroup) -> String? {
    if workgroup.isEnforced, let location = workgroup.outputLocation { return location }
    return options.outputLocation ?? defaults.outputLocation ?? workgroup.outputLocation
  }

  /// Bytes a query may scan: the least that SET SESSION, the session, the statement's options and its workgroup say.
  func scanLimit(_ options: StatementOptions, _ workgroup: Workgroup) -> Int? {
    let own = properties["query_max_scan_physical_bytes"].flatMap(SessionProperty.byteCount)
    return [own, defaults.scanLimit, options.scanLimit, workgroup.bytesScannedCutoff].compactMap { $0 }.min()
  }

  /// Bytes a query's states may hold: what SET SESSION says, but not more than the engine allows.
  func memoryLimit(_ configuration: EngineConfiguration) -> Int? {
    [properties["query_max_memory"].flatMap(SessionProperty.byteCount), configuration.memoryLimit].compactMap { $0 }.min()
  }

  /// Seconds a query may run.
  var runTimeLimit: Int? {
    let own = properties["query_max_run_time"].flatMap(SessionProperty.seconds)
    let athena = followsAthena ? AthenaLimits.queryTimeoutSeconds : nil
    return [own, athena].compactMap { $0 }.min()
  }
}
