import Glibc
import ObjectStore
import QueryErrors
import S3ObjectStore
import SQLFunctions
import TableCatalog

/// What a session remembers between statements. Guarded by the session's lock.
final class SessionState: @unchecked Sendable {
  let configuration: SessionConfiguration
  var database: String
  var timeZone: TimeZoneKey
  /// Session properties set by SET SESSION.
  var properties: [String: String] = [:]
  /// Where objects are read and written.
  let stores: ObjectStores
  private var openedCatalog: Catalog?

  init(_ configuration: SessionConfiguration) throws(QueryError) {
    self.configuration = configuration
    var stores = ObjectStores()
    let s3 = configuration.s3
    stores.register(S3ObjectStore.schemes) { () throws(QueryError) in try S3ObjectStore(s3.configuration) }
    self.stores = stores
    database = configuration.database.lowercased()
    timeZone =
      configuration.timeZone == "UTC" ? .utc : try SessionState.timeZone(named: configuration.timeZone)
  }

  static func timeZone(named name: String) throws(QueryError) -> TimeZoneKey {
    do throws(QueryError) { return try TimeZoneDatabase.key(named: name) } catch {
      throw QueryError(
        .invalidSessionProperty, "Time zone not supported: \(name)",
        hint: "Use a name such as Europe/Berlin, or an offset such as +02:00.")
    }
  }

  /// The home folder, made if absent.
  func homeFolder() throws(QueryError) -> String? {
    guard let home = configuration.home else { return nil }
    let resolved = try stores.resolve(home)
    try resolved.store.makeDirectory(resolved.path)
    return resolved.path
  }

  /// The catalog, opened when first needed; in memory when there is no home.
  func catalog() throws(QueryError) -> Catalog {
    if let openedCatalog { return openedCatalog }
    let path = try homeFolder().map { ObjectPath.join($0, Catalog.fileName) } ?? ":memory:"
    let catalog = try Catalog(path: path)
    openedCatalog = catalog
    return catalog
  }

  /// Bytes a query may scan: what SET SESSION says, but not more than the configuration allows.
  var scanLimit: Int? { limit("query_max_scan_physical_bytes", configuration.scanLimit) }

  /// Bytes a query's states may hold, likewise.
  var memoryLimit: Int? { limit("query_max_memory", configuration.memoryLimit) }

  private func limit(_ property: String, _ configured: Int?) -> Int? {
    [properties[property].flatMap(SessionProperty.byteCount), configured].compactMap { $0 }.min()
  }

  /// Seconds a query may run.
  var runTimeLimit: Int? {
    let own = properties["query_max_run_time"].flatMap(SessionProperty.seconds)
    let athena = configuration.compatibility == .athena ? AthenaLimits.queryTimeoutSeconds : nil
    return [own, athena].compactMap { $0 }.min()
  }

  /// Where results go.
  func resultsFolder() throws(QueryError) -> String? {
    if let location = configuration.outputLocation { return location }
    return try homeFolder().map { ObjectPath.join($0, "results") }
  }

  func completionNames() -> [String] {
    guard let catalog = try? catalog(), let databases = try? catalog.databases() else { return [] }
    var names: Set<String> = []
    for known in databases {
      names.insert(known.name)
      guard let relations = try? catalog.relations(in: known.name) else { continue }
      for relation in relations {
        names.insert(relation.name)
        let name = TableName(database: known.name, name: relation.name)
        let columns =
          relation.isView
          ? (try? catalog.view(name))??.columns ?? []
          : ((try? catalog.table(name)) ?? nil).map { $0.columns + $0.partitionColumns } ?? []
        for column in columns { names.insert(column.name) }
      }
    }
    return names.sorted()
  }
}
