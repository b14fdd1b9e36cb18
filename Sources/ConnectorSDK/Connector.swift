public import QueryErrors

/// A kind of place where rows live outside of files: what stands behind `USING` in
/// `CREATE CATALOG name USING connector WITH (…)`.
///
/// A connector is asked for tables, says of each what it can do at the source, and yields batches:
///
///     Connector ─ connect ─▶ ForeignCatalog ─ table ─▶ ForeignTable ─ accept, scan ─▶ ForeignScan ─ open ─▶ ForeignReader
///
/// The engine trusts no source with an answer: conditions that a table accepted are tested again on every row it yields, and
/// conditions are sent at all only to connectors that whoever registers them vouches for (`ConnectorRegistration`).
///
/// - Threads: any.
public protocol Connector: Sendable {
  /// The word behind USING, lower case: `sqlite`.
  var name: String { get }
  /// What WITH takes; anything else is refused.
  var properties: [ConnectorProperty] { get }
  /// A connection for one statement; closed when the last reference to it goes.
  ///
  /// What it answers is of one moment, where the source can do so.
  ///
  /// - Parameter values: checked against `properties`: known names only, none that is required missing.
  /// - Throws: `JDBC_ERROR` when the source cannot be reached, `INVALID_CATALOG_PROPERTY` for values that cannot be.
  func connect(_ values: [String: String], _ context: ConnectorContext) throws(QueryError) -> any ForeignCatalog
}

/// One property of a catalog.
public struct ConnectorProperty: Hashable, Sendable {
  /// Lower case.
  public var name: String
  /// One line for messages.
  public var summary: String
  public var isRequired: Bool
  /// Whether the value is a password or the like: shown nowhere and kept out of every record of the statement.
  public var isSecret: Bool
  /// Whether the value is a path; it is made absolute when the catalog is declared.
  public var isPath: Bool

  public init(
    _ name: String, _ summary: String, isRequired: Bool = false, isSecret: Bool = false, isPath: Bool = false
  ) {
    self.name = name
    self.summary = summary
    self.isRequired = isRequired
    self.isSecret = isSecret
    self.isPath = isPath
  }
}

/// What a connection may know of the statement it serves.
public struct ConnectorContext: Sendable {
  /// The catalog's name, for messages.
  public var catalog: String
  /// Whether the statement was stopped: to be asked at least every 50 ms while waiting for a source.
  public var isCancelled: @Sendable () -> Bool

  public init(catalog: String, isCancelled: @escaping @Sendable () -> Bool = { false }) {
    self.catalog = catalog
    self.isCancelled = isCancelled
  }
}

/// A source as one statement sees it: schemas of tables.
///
/// - Threads: any; calls may come at once.
public protocol ForeignCatalog: Sendable {
  func schemaNames() throws(QueryError) -> [String]
  /// Nil when there is no such schema.
  func tableNames(in schema: String) throws(QueryError) -> [String]?
  /// The table; nil when there is none. Names come in lower case, unless they were quoted.
  func table(schema: String, name: String) throws(QueryError) -> (any ForeignTable)?
}

extension QueryError {
  /// A source that fails: cannot be reached, or says no.
  public static func foreign(_ catalog: String, _ message: String, hint: String? = nil) -> QueryError {
    QueryError(.foreignSourceError, "Catalog '\(catalog)': \(message)", hint: hint)
  }
}
