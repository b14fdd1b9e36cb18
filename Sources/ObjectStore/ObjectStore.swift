package import QueryErrors

/// An object's place, size and last change.
///
/// - Units: `modificationTime` in nanoseconds since 1970-01-01 UTC.
package struct ObjectInfo: Hashable, Sendable {
  package var path: String
  package var byteCount: UInt64
  package var modificationTime: Int64

  package init(path: String, byteCount: UInt64, modificationTime: Int64) {
    self.path = path
    self.byteCount = byteCount
    self.modificationTime = modificationTime
  }
}

/// One name in a directory.
package struct ObjectEntry: Hashable, Sendable {
  package var name: String
  package var isDirectory: Bool
  /// Known for files when the listing was asked for details.
  package var byteCount: UInt64?
  /// Nanoseconds since 1970-01-01 UTC; known for files when the listing was asked for details.
  package var modificationTime: Int64?

  package init(name: String, isDirectory: Bool, byteCount: UInt64? = nil, modificationTime: Int64? = nil) {
    self.name = name
    self.isDirectory = isDirectory
    self.byteCount = byteCount
    self.modificationTime = modificationTime
  }

  /// Whether tables skip it, as Hive does: names that start with `_` or `.`.
  package var isHidden: Bool { ObjectPath.isHidden(name) }
}

/// How much a listing has to find out.
package enum ListingDetail: Sendable {
  /// Names and whether they are directories: no call per file.
  case names
  /// Also size and time of every file.
  case infos
}

/// Where objects live: a file system or an object service.
///
/// Paths have no scheme any more; `ObjectStores` takes it off.
///
/// - Threads: all methods may be called from several threads at once.
package protocol ObjectStore: Sendable {
  /// The scheme this store answers to, such as `file`.
  var scheme: String { get }

  /// One level of a directory, sorted by name in byte order; hidden names included.
  ///
  /// - Throws: `HIVE_CANNOT_OPEN_SPLIT` when it does not exist, `HIVE_FILESYSTEM_ERROR` when it cannot be read.
  func list(_ directory: String, detail: ListingDetail, meter: ScanMeter) throws(QueryError) -> [ObjectEntry]

  /// What lies at a path, or nil when nothing does.
  ///
  /// - Throws: `HIVE_FILESYSTEM_ERROR` when it cannot be told.
  func entry(_ path: String) throws(QueryError) -> ObjectEntry?

  /// Opens an object whose size may not be known yet.
  ///
  /// - Throws: `HIVE_CANNOT_OPEN_SPLIT` when it does not exist or is a directory, `HIVE_FILESYSTEM_ERROR` when it cannot
  ///   be read.
  func open(_ path: String, meter: ScanMeter) throws(QueryError) -> any ByteSource

  /// Makes a new object whose bytes appear at `path` all at once, when the writer commits.
  ///
  /// - Throws: `HIVE_FILESYSTEM_ERROR` when the folder cannot be written.
  func makeWriter(_ path: String) throws(QueryError) -> any ObjectWriter

  /// Removes one object; nothing happens when there is none.
  func remove(_ path: String) throws(QueryError)

  /// Makes a directory and those above it, where the store has directories.
  func makeDirectory(_ path: String) throws(QueryError)

  /// The error for a path where nothing lies, with a hint at near names.
  func missing(_ path: String) -> QueryError
}

extension ObjectStore {
  /// Size and time of an object.
  ///
  /// - Throws: `HIVE_CANNOT_OPEN_SPLIT` when it does not exist or is a directory.
  package func info(_ path: String) throws(QueryError) -> ObjectInfo {
    guard let entry = try entry(path) else { throw missing(path) }
    guard !entry.isDirectory, let byteCount = entry.byteCount else {
      throw QueryError(.hiveCannotOpenSplit, "Is a directory: \(path)")
    }
    return ObjectInfo(path: path, byteCount: byteCount, modificationTime: entry.modificationTime ?? 0)
  }

  /// Whether anything lies at a path.
  package func exists(_ path: String) throws(QueryError) -> Bool { try entry(path) != nil }

  /// Whether a directory lies at a path.
  package func isDirectory(_ path: String) throws(QueryError) -> Bool { try entry(path)?.isDirectory ?? false }
}

/// Writes one object; nothing is visible before `commit`.
///
/// - Threads: one thread at a time.
package protocol ObjectWriter: AnyObject {
  var path: String { get }
  /// Bytes written so far.
  var byteCount: UInt64 { get }
  /// Adds bytes at the end.
  func write(_ bytes: UnsafeRawBufferPointer) throws(QueryError)
  /// Makes the object visible under its path, replacing what was there.
  ///
  /// - Parameter durable: whether to wait until the bytes are on the disk.
  func commit(durable: Bool) throws(QueryError)
  /// Drops what was written; also happens when a writer goes away without `commit`.
  func abort()
}
