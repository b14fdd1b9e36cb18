package import QueryErrors

/// Where an object or a directory lies: the store, and the path within it.
///
/// Locations are made once, by `ObjectStores.resolve`, a listing or `appending`; nothing turns them into text to find their
/// store again.
package struct ObjectLocation: Sendable {
  package let store: any ObjectStore
  package let path: String

  package init(store: any ObjectStore, path: String) {
    self.store = store
    self.path = path
  }

  /// What lies below this one under a relative path.
  package func appending(_ path: String) -> ObjectLocation {
    ObjectLocation(store: store, path: ObjectPath.join(self.path, path))
  }

  /// What lies there, or nil when nothing does.
  package func entry() throws(QueryError) -> ObjectEntry? { try store.entry(path) }

  /// Whether anything lies there.
  package func exists() throws(QueryError) -> Bool { try store.exists(path) }
}

extension ObjectLocation: Hashable, CustomStringConvertible {
  /// An engine has one store for a scheme.
  package static func == (a: ObjectLocation, b: ObjectLocation) -> Bool {
    a.path == b.path && a.store.scheme == b.store.scheme
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(path) }

  /// As users write it: `data/a.csv`, `s3://bucket/a.csv`.
  package var description: String { store.text(of: path) }
}

/// An object's place, size and last change.
///
/// - Units: `modificationTime` in nanoseconds since 1970-01-01 UTC.
package struct ObjectInfo: Hashable, Sendable {
  package var location: ObjectLocation
  package var byteCount: UInt64
  package var modificationTime: Int64
  /// What tells this state of the object from others, where the store has such a thing (S3's ETag).
  package var version: String?

  package init(location: ObjectLocation, byteCount: UInt64, modificationTime: Int64, version: String? = nil) {
    self.location = location
    self.byteCount = byteCount
    self.modificationTime = modificationTime
    self.version = version
  }

  /// Of a local file, or of bytes in memory under a name.
  package init(path: String, byteCount: UInt64, modificationTime: Int64) {
    self.init(
      location: ObjectLocation(store: LocalObjectStore(), path: path), byteCount: byteCount,
      modificationTime: modificationTime)
  }

  /// The object's place as users write it.
  package var path: String { location.description }

  /// Opens the object.
  ///
  /// - Throws: as `ObjectStore.open`.
  package func open(meter: ScanMeter) throws(QueryError) -> any ByteSource {
    try location.store.open(self, meter: meter)
  }
}
