package import QueryErrors

/// A location with its scheme resolved: the store, and the path within it.
package struct ObjectLocation: Sendable {
  package var store: any ObjectStore
  package var path: String

  package init(store: any ObjectStore, path: String) {
    self.store = store
    self.path = path
  }
}

/// Finds the store of a location by its scheme.
///
///     data/trips.csv          the local store, as it stands
///     ~/trips.csv             the local store, in the home folder
///     file:///data/trips.csv  the local store; %20 and the like stay as they stand, as in Hive's partition names
///     s3://bucket/key         the store registered for s3
package struct ObjectStores: Sendable {
  private var stores: [String: any ObjectStore] = [:]

  /// Only local files.
  package static let standard = ObjectStores()

  package init() {
    register(LocalObjectStore())
  }

  /// Adds a store under its scheme.
  package mutating func register(_ store: any ObjectStore) { stores[store.scheme] = store }

  /// The store and path of a location.
  ///
  /// - Throws: `NOT_SUPPORTED` for a scheme without a store.
  package func resolve(_ location: String) throws(QueryError) -> ObjectLocation {
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
    if let store = stores[scheme] { return store }
    switch scheme {
    case "s3", "s3a", "s3n":
      throw QueryError.notSupported(
        "Reading from Amazon S3 is not supported: \(scheme)://", hint: "Copy the files to a local folder first.")
    default: throw QueryError.notSupported("No object store for scheme '\(scheme)'")
    }
  }
}

extension ObjectStores {
  /// Opens a listed object.
  ///
  /// - Throws: as `ObjectStore.open`.
  package static func open(_ info: ObjectInfo, meter: ScanMeter) throws(QueryError) -> any ByteSource {
    let location = try standard.resolve(info.path)
    return try location.store.open(location.path, meter: meter)
  }
}
