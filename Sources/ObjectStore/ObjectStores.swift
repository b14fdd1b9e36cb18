package import QueryErrors
import Synchronization

/// The stores of an engine; finds that of a location by its scheme.
///
///     data/trips.csv          the local store, as it stands
///     ~/trips.csv             the local store, in the home folder
///     -                       standard input, as /dev/stdin
///     file:///data/trips.csv  the local store; %20 and the like stay as they stand, as in Hive's partition names
///     s3://bucket/key         the store registered for s3
///
/// A value: the engine makes it once and hands it to whoever turns text into a location.
package struct ObjectStores: Sendable {
  private var stores: [String: StoreOnDemand] = [:]
  private var meter: ScanMeter?

  /// Only local files.
  package static let local = ObjectStores()

  package init() {
    register(["file"]) { LocalObjectStore() }
  }

  /// Adds a store under schemes of its own, made when the first of its locations is resolved.
  package mutating func register(_ schemes: [String], _ make: @escaping @Sendable () throws(QueryError) -> any ObjectStore) {
    let store = StoreOnDemand(make)
    for scheme in schemes { stores[scheme] = store }
  }

  /// The same stores for one query, whose meter counts what their calls cost.
  package func metered(by meter: ScanMeter) -> ObjectStores {
    var copy = self
    copy.meter = meter
    return copy
  }

  /// The store and path of a location.
  ///
  /// - Throws: `NOT_SUPPORTED` for a scheme without a store.
  package func resolve(_ location: String) throws(QueryError) -> ObjectLocation {
    if location == "-" { return ObjectLocation(store: try store("file"), path: "/dev/stdin") }
    guard let (scheme, rest) = ObjectPath.splitScheme(location) else {
      return ObjectLocation(store: try store("file"), path: ObjectPath.expandHome(location))
    }
    let store = try store(scheme)
    if scheme == "file" {
      // file:///a and file:/a both mean /a; file://host/a is not ours to reach.
      guard rest.hasPrefix("//") else { return ObjectLocation(store: store, path: rest) }
      let path = String(rest.dropFirst(2))
      if path.hasPrefix("localhost/") { return ObjectLocation(store: store, path: String(path.dropFirst(9))) }
      guard path.hasPrefix("/") else {
        throw QueryError.notSupported("File location on another host: \(location)", hint: "Write file:///path.")
      }
      return ObjectLocation(store: store, path: path)
    }
    return ObjectLocation(store: store, path: rest.hasPrefix("//") ? String(rest.dropFirst(2)) : rest)
  }

  private func store(_ scheme: String) throws(QueryError) -> any ObjectStore {
    guard let known = stores[scheme] else {
      throw QueryError.notSupported("No object store for scheme '\(scheme)'")
    }
    let store = try known.store()
    return meter.map(store.metered) ?? store
  }
}

/// A store that is made when it is first asked for.
private final class StoreOnDemand: Sendable {
  private let make: @Sendable () throws(QueryError) -> any ObjectStore
  private let made = Mutex<(any ObjectStore)?>(nil)

  init(_ make: @escaping @Sendable () throws(QueryError) -> any ObjectStore) { self.make = make }

  func store() throws(QueryError) -> any ObjectStore {
    try made.withLock { (made) throws(QueryError) in
      if let made { return made }
      let store = try make()
      made = store
      return store
    }
  }
}
