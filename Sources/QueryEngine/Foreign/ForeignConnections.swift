import ConnectorSDK
import Glibc
import ObjectStore
import QueryErrors
import Synchronization
import TableCatalog

/// The foreign catalogs of one statement: each is connected to when it is first named, and let go with the statement.
///
/// - Threads: any.
final class ForeignConnections: Sendable {
  private let engine: Engine
  private let cancellation: CancellationFlag
  private let open = Mutex<[String: Connection]>([:])

  /// A connected catalog.
  struct Connection: Sendable {
    var catalog: any ForeignCatalog
    /// Whether filters and groupings may be left to its source.
    var isProven: Bool
  }

  init(_ engine: Engine, _ cancellation: CancellationFlag) {
    self.engine = engine
    self.cancellation = cancellation
  }

  /// All catalogs' names; none when they cannot be read.
  var names: [String] { (try? engine.openForeignCatalogs().names()) ?? [] }

  /// The catalog; nil when there is none of that name.
  ///
  /// - Throws: `JDBC_ERROR` when its source cannot be reached.
  func connection(_ name: String) throws(QueryError) -> Connection? {
    let name = name.lowercased()
    return try open.withLock { open throws(QueryError) -> Connection? in
      if let known = open[name] { return known }
      guard let definition = try engine.openForeignCatalogs().definition(name) else { return nil }
      let made = try connect(definition)
      open[name] = made
      return made
    }
  }

  /// A new connection of a catalog, declared or about to be.
  func connect(_ definition: ForeignCatalogDefinition) throws(QueryError) -> Connection {
    guard let registration = engine.connectors[definition.connector] else {
      throw QueryError(
        .notFound, "Catalog '\(definition.name)' uses the connector '\(definition.connector)', which does not exist here",
        hint: NameSuggestion.hint(for: definition.connector, among: engine.connectors.keys.sorted()))
    }
    var values: [String: String] = [:]
    for (name, value) in definition.properties { values[name] = try resolved(value, of: name, definition.name) }
    let flag = cancellation
    let context = ConnectorContext(catalog: definition.name, isCancelled: { flag.isRaised })
    return Connection(
      catalog: try registration.connector.connect(values, context), isProven: registration.isProven)
  }

  /// `${ENV:NAME}` stands for an environment variable, so that passwords need not be written down.
  private func resolved(_ value: String, of property: String, _ catalog: String) throws(QueryError) -> String {
    guard value.hasPrefix("${ENV:"), value.hasSuffix("}") else { return value }
    let name = String(value.dropFirst(6).dropLast())
    guard let found = getenv(name) else {
      throw QueryError(
        .invalidCatalogProperty, "Property '\(property)' of catalog '\(catalog)' needs the environment variable \(name), which is not set")
    }
    return String(cString: found)
  }
}
