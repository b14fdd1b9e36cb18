package import QueryErrors

/// One name in a directory.
package struct ObjectEntry: Hashable, Sendable {
  package var name: String
  package var isDirectory: Bool
  /// Known for files when the listing was asked for details.
  package var byteCount: UInt64?
  /// Nanoseconds since 1970-01-01 UTC; known for files when the listing was asked for details.
  package var modificationTime: Int64?
  /// What tells this state of the object from others, where the store has such a thing (S3's ETag).
  package var version: String?

  package init(
    name: String, isDirectory: Bool, byteCount: UInt64? = nil, modificationTime: Int64? = nil, version: String? = nil
  ) {
    self.name = name
    self.isDirectory = isDirectory
    self.byteCount = byteCount
    self.modificationTime = modificationTime
    self.version = version
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

/// How far below its directory a listing reaches.
package enum ListingDepth: Sendable {
  /// The names in the directory itself: files and directories.
  case oneLevel
  /// The files at any depth, each under its path from the directory: `year=2024/a.csv`.
  case allLevels
}

/// Where objects live: a file system or an object service.
///
/// Paths have no scheme any more; `ObjectStores` takes it off. The module's documentation tells how to implement a store.
///
/// - Threads: all methods may be called from several threads at once.
package protocol ObjectStore: Sendable {
  /// The scheme this store answers to, such as `file`.
  var scheme: String { get }

  /// Whether listing all levels takes no more calls than the keys themselves ask for, as in stores that have no folders.
  /// In others each folder costs a call.
  var isFlat: Bool { get }

  /// How many calls are worth being in flight at once; 1 where a call ends at once.
  var parallelCalls: Int { get }

  /// The same store, with what its calls without a meter cost counted on `meter`.
  func metered(by meter: ScanMeter) -> any ObjectStore

  /// A path as users write it, with the scheme where one is needed.
  func text(of path: String) -> String

  /// What lies below a directory, sorted by name in byte order; hidden names included.
  ///
  /// - Throws: `HIVE_CANNOT_OPEN_SPLIT` when it does not exist, `HIVE_FILESYSTEM_ERROR` when it cannot be read.
  func list(
    _ directory: String, depth: ListingDepth, detail: ListingDetail, meter: ScanMeter
  ) throws(QueryError) -> [ObjectEntry]

  /// What lies below several directories, in their order; nil for one that does not exist.
  ///
  /// Flat stores read the keys of neighbouring directories in one call.
  ///
  /// - Throws: as `list`.
  func list(
    each directories: [String], depth: ListingDepth, detail: ListingDetail, meter: ScanMeter
  ) throws(QueryError) -> [[ObjectEntry]?]

  /// What lies at a path, or nil when nothing does.
  ///
  /// - Throws: `HIVE_FILESYSTEM_ERROR` when it cannot be told.
  func entry(_ path: String) throws(QueryError) -> ObjectEntry?

  /// Opens an object whose size may not be known yet.
  ///
  /// - Throws: `HIVE_CANNOT_OPEN_SPLIT` when it does not exist or is a directory, `HIVE_FILESYSTEM_ERROR` when it cannot
  ///   be read.
  func open(_ path: String, meter: ScanMeter) throws(QueryError) -> any ByteSource

  /// Opens an object that a listing told of; stores that need no more than that ask for nothing.
  ///
  /// - Throws: as `open(_:meter:)`.
  func open(_ info: ObjectInfo, meter: ScanMeter) throws(QueryError) -> any ByteSource

  /// Makes a new object whose bytes appear at `path` all at once, when the writer commits.
  ///
  /// - Parameter replacing: whether an object that lies there gives way; else `commit` throws `ALREADY_EXISTS`, of several
  ///   writers for all but one.
  /// - Throws: `HIVE_FILESYSTEM_ERROR` when the folder cannot be written.
  func makeWriter(_ path: String, replacing: Bool) throws(QueryError) -> any ObjectWriter

  /// Removes one object; nothing happens when there is none.
  func remove(_ path: String) throws(QueryError)

  /// Removes several objects, in as few calls as the store has for it.
  func remove(all paths: [String]) throws(QueryError)

  /// Copies an object within the store, replacing what lies at `path`.
  func copy(_ from: String, to path: String) throws(QueryError)

  /// Gives an object another name within the store, replacing what lies there.
  ///
  /// - Throws: `HIVE_CANNOT_OPEN_SPLIT` when it does not exist.
  func move(_ from: String, to path: String) throws(QueryError)

  /// Waits until objects, and that they lie where they do, would survive the loss of power.
  func sync(_ paths: [String]) throws(QueryError)

  /// Makes a directory and those above it, where the store has directories.
  func makeDirectory(_ path: String) throws(QueryError)

  /// Removes a directory when nothing lies in it, where the store has directories.
  func removeEmptyDirectory(_ path: String) throws(QueryError)

  /// The error for a path where nothing lies, with a hint at near names.
  func missing(_ path: String) -> QueryError
}

extension ObjectStore {
  package var isFlat: Bool { false }
  package var parallelCalls: Int { 1 }
  package func metered(by meter: ScanMeter) -> any ObjectStore { self }
  package func text(of path: String) -> String { scheme + "://" + path }

  /// Makes a new object that replaces what lies at `path`.
  package func makeWriter(_ path: String) throws(QueryError) -> any ObjectWriter { try makeWriter(path, replacing: true) }

  package func remove(all paths: [String]) throws(QueryError) { for path in paths { try remove(path) } }

  package func copy(_ from: String, to path: String) throws(QueryError) {
    let source = try open(from, meter: ScanMeter())
    let writer = try makeWriter(path, replacing: true)
    var start: UInt64 = 0
    while start < source.byteCount {
      let end = min(source.byteCount, start + 8 << 20)
      let slice = try source.read(start..<end, kind: .sampling)
      try slice.withBytes { (bytes) throws(QueryError) in try writer.write(bytes) }
      start = end
    }
    try writer.commit(durable: false)
  }

  package func move(_ from: String, to path: String) throws(QueryError) {
    try copy(from, to: path)
    try remove(from)
  }

  package func sync(_ paths: [String]) throws(QueryError) {}
  package func removeEmptyDirectory(_ path: String) throws(QueryError) {}

  /// Removes all that lies below a directory, and itself; nothing happens when there is none.
  package func removeTree(_ directory: String) throws(QueryError) {
    guard try exists(directory) else { return }
    let entries = try list(directory, depth: .allLevels, detail: .names, meter: ScanMeter())
    try remove(all: entries.map { ObjectPath.join(directory, $0.name) })
    var folders: Set<String> = []
    for entry in entries {
      var folder = ObjectPath.parent(entry.name)
      while folder != ".", folders.insert(folder).inserted { folder = ObjectPath.parent(folder) }
    }
    for folder in folders.sorted(by: { $0.utf8.count > $1.utf8.count }) { try removeEmptyDirectory(ObjectPath.join(directory, folder)) }
    try removeEmptyDirectory(directory)
  }

  package func open(_ info: ObjectInfo, meter: ScanMeter) throws(QueryError) -> any ByteSource {
    try open(info.location.path, meter: meter)
  }

  package func list(
    each directories: [String], depth: ListingDepth, detail: ListingDetail, meter: ScanMeter
  ) throws(QueryError) -> [[ObjectEntry]?] {
    let results = concurrentMap(directories.count, threadCount: max(4, parallelCalls)) {
      (index) throws(QueryError) -> [ObjectEntry]? in
      do throws(QueryError) {
        return try list(directories[index], depth: depth, detail: detail, meter: meter)
      } catch {
        if error.code == .hiveCannotOpenSplit, try !exists(directories[index]) { return nil }
        throw error
      }
    }
    return try results.map { (result) throws(QueryError) in try result.get() }
  }

  /// The names in a directory.
  package func list(_ directory: String, detail: ListingDetail, meter: ScanMeter) throws(QueryError) -> [ObjectEntry] {
    try list(directory, depth: .oneLevel, detail: detail, meter: meter)
  }

  /// What a listing said of an object at `path`.
  package func info(_ entry: ObjectEntry, at path: String) -> ObjectInfo {
    ObjectInfo(
      location: ObjectLocation(store: self, path: path), byteCount: entry.byteCount ?? 0,
      modificationTime: entry.modificationTime ?? 0, version: entry.version)
  }

  /// Size and time of an object.
  ///
  /// - Throws: `HIVE_CANNOT_OPEN_SPLIT` when it does not exist or is a directory.
  package func info(_ path: String) throws(QueryError) -> ObjectInfo {
    guard let entry = try entry(path) else { throw missing(path) }
    guard !entry.isDirectory, entry.byteCount != nil else {
      throw QueryError(.hiveCannotOpenSplit, "Is a directory: \(text(of: path))")
    }
    return info(entry, at: path)
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
