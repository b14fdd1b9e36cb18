import CKernels
import Columnar
import ConnectorSDK
import Glibc
import HTTPConnector
package import ObjectStore
import PostgreSQLConnector
import S3ObjectStore
import SQLSyntax
import SQLiteConnector
import Synchronization
package import TableCatalog

/// One home and all that its queries share: catalog, ledger, object stores, caches, memory and prices.
///
///     let engine = try Engine()
///     let session = try engine.session()
///     for (year, count) in try await session.query("SELECT year, count(*) FROM 'sales/' GROUP BY 1", as: (Int, Int).self) { … }
///
/// - Threads: any. Several engines and several processes may share a home.
public final class Engine: Sendable {
  public let configuration: EngineConfiguration
  /// Who may run, where not all may at once.
  let admission: StatementAdmission?
  /// Where objects are read and written.
  package let stores: ObjectStores
  /// The home's SQLite file, opened when first needed.
  private let opened = Mutex(Opened())
  /// Functions and tables of the program that embeds the engine.
  let host = Mutex(HostObjects())
  /// Executions that have not ended, by id.
  private let live = Mutex<[String: LiveExecution]>([:])

  /// Kinds of foreign catalogs, by name.
  let connectors: [String: ConnectorRegistration]

  private struct Opened {
    var database: SQLiteDatabase?
    var catalog: Catalog?
    var ledger: Ledger?
    var workgroups: WorkgroupStore?
  }

  /// An execution in the list of those that have not ended.
  private struct LiveExecution {
    weak var execution: StatementExecution?
  }

  /// Nothing is opened or made before a statement needs it.
  public init(_ configuration: EngineConfiguration = EngineConfiguration()) throws(QueryError) {
    ck_tune_allocator()
    self.configuration = configuration
    admission = configuration.runningLimit.map { StatementAdmission(limit: $0) }
    MemoryPool.setLimit(configuration.memoryLimit)
    var stores = ObjectStores()
    let s3 = configuration.s3
    if let folder = s3.folder {
      for scheme in S3ObjectStore.schemes { stores.register([scheme]) { FolderObjectStore(scheme: scheme, folder: folder) } }
    } else {
      stores.register(S3ObjectStore.schemes) { () throws(QueryError) in try S3ObjectStore(s3.configuration) }
    }
    self.stores = stores
    var connectors: [String: ConnectorRegistration] = [:]
    for connector in Engine.builtInConnectors { connectors[connector.name] = ConnectorRegistration(connector, isProven: true) }
    for registration in configuration.connectors { connectors[registration.connector.name] = registration }
    self.connectors = connectors
  }

  /// A session; sessions are cheap and know nothing of each other.
  ///
  /// - Throws: `INVALID_SESSION_PROPERTY` for an unknown time zone.
  public func session(_ defaults: SessionDefaults = SessionDefaults()) throws(QueryError) -> Session {
    Session(self, try SessionSettings(defaults))
  }

  /// Databases, tables and columns, as values.
  public var catalog: CatalogReader { CatalogReader(engine: self) }

  /// Statements that ran in this home, and those that run.
  public var history: QueryHistory { QueryHistory(engine: self) }

  /// Workgroups, and the named queries, prepared statements and budgets that belong to them.
  public var workgroups: Workgroups { Workgroups(engine: self) }

  // MARK: The home

  /// The home folder, made if absent; nil when nothing is kept on disk.
  func homeFolder() throws(QueryError) -> String? {
    guard let home = configuration.home else { return nil }
    let path = try stores.resolve(home).path
    try makePrivate(path)
    return path
  }

  /// The folder of results, made if absent; nil when nothing is kept on disk.
  func homeResultsFolder() throws(QueryError) -> String? {
    guard let home = try homeFolder() else { return nil }
    let path = ObjectPath.join(home, "results")
    try makePrivate(path)
    // Results of the home are its owner's, whoever made the folder.
    chmod(path, 0o700)
    return path
  }

  /// Makes a folder that only its owner enters: what statements say and find is nobody else's business.
  private func makePrivate(_ path: String) throws(QueryError) {
    if access(path, F_OK) == 0 { return }
    try LocalObjectStore().makeDirectory(ObjectPath.parent(path))
    if mkdir(path, 0o700) != 0 { try LocalObjectStore().makeDirectory(path) }
  }

  /// The catalog; in memory when there is no home.
  package func openCatalog() throws(QueryError) -> Catalog {
    try opened.withLock { opened throws(QueryError) -> Catalog in
      if let catalog = opened.catalog { return catalog }
      return try catalog(&opened)
    }
  }

  /// The catalog; files of writes that were cut off after they had been committed go to their places.
  private func catalog(_ opened: inout Opened) throws(QueryError) -> Catalog {
    let catalog = try Catalog(try open(&opened))
    opened.catalog = catalog
    // Where that fails now, it is tried again by whoever reads those tables.
    if try !catalog.writeState().isSettled { try? PendingWrites(catalog: catalog, stores: stores).settle() }
    return catalog
  }

  /// Catalogs whose tables lie elsewhere.
  func openForeignCatalogs() throws(QueryError) -> ForeignCatalogStore {
    try opened.withLock { opened throws(QueryError) in ForeignCatalogStore(try open(&opened)) }
  }

  /// Those whose filters and groupings the tests prove.
  private static let builtInConnectors: [any Connector] = [SQLiteConnector(), PostgreSQLConnector(), HTTPConnector()]

  /// Properties of catalogs that may be shown.
  private var publicCatalogProperties: Set<String> {
    Set(connectors.values.flatMap { $0.connector.properties.filter { !$0.isSecret }.map(\.name) })
  }

  /// The ledger, or nil when there is no home or it cannot be written.
  func openLedger() throws(QueryError) -> Ledger? {
    if configuration.home == nil { return nil }
    return try opened.withLock { opened throws(QueryError) -> Ledger? in
      if let ledger = opened.ledger { return ledger }
      let database = try open(&opened)
      let ledger = try Ledger(database)
      opened.ledger = ledger
      try ledger.sweepLeftovers(home: ObjectPath.parent(database.path))
      if opened.catalog == nil { _ = try catalog(&opened) }
      return ledger
    }
  }

  /// Workgroups and what belongs to them; in memory when there is no home.
  func openWorkgroups() throws(QueryError) -> WorkgroupStore {
    try opened.withLock { opened throws(QueryError) -> WorkgroupStore in
      if let workgroups = opened.workgroups { return workgroups }
      let workgroups = try WorkgroupStore(try open(&opened))
      opened.workgroups = workgroups
      return workgroups
    }
  }

  /// Whether something of the home was opened, or there is something to open: else every answer is the default.
  var hasDatabase: Bool {
    if opened.withLock({ $0.database != nil }) { return true }
    guard let home = configuration.home else { return false }
    return (try? stores.resolve(ObjectPath.join(home, Catalog.fileName))).map { access($0.path, F_OK) == 0 } ?? false
  }

  /// The home's SQLite file, for tables of a service's own.
  package func openDatabase() throws(QueryError) -> SQLiteDatabase {
    try opened.withLock { opened throws(QueryError) -> SQLiteDatabase in try open(&opened) }
  }

  private func open(_ opened: inout Opened) throws(QueryError) -> SQLiteDatabase {
    if let database = opened.database { return database }
    let path = try homeFolder().map { ObjectPath.join($0, Catalog.fileName) } ?? ":memory:"
    let database = try SQLiteDatabase(path: path)
    opened.database = database
    return database
  }

  /// A statement as histories may keep it: the values that CREATE CATALOG is given are masked, but for public ones.
  public func recordable(_ sql: String) -> String {
    SecretText.masked(sql, publicProperties: publicCatalogProperties)
  }

  // MARK: Executions

  func register(_ execution: StatementExecution) {
    live.withLock { $0[execution.id] = LiveExecution(execution: execution) }
  }

  func unregister(_ id: String) { live.withLock { _ = $0.removeValue(forKey: id) } }

  /// The execution of that id, when it has not ended.
  func liveExecution(_ id: String) -> StatementExecution? { live.withLock { $0[id]?.execution } }

  /// All that have not ended.
  func liveExecutions() -> [StatementExecution] { live.withLock { $0.values.compactMap(\.execution) } }
}
