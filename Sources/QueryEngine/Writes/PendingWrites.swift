import ObjectStore
import QueryErrors
import TableCatalog

/// Finishes what statements left that were killed while they wrote, and shows and removes what cannot be finished.
struct PendingWrites {
  let catalog: Catalog
  let stores: ObjectStores

  /// Moves the files of all committed writes into their places.
  ///
  /// Several processes may do it at once: a file that is not where it was is where it goes.
  func settle() throws(QueryError) {
    if catalog.database.isReadOnly { return }
    for write in try catalog.pendingWrites() where write.isCommitted {
      try finish(write.id, folder: write.folder, try catalog.moves(of: write.id))
    }
  }

  /// Moves one committed write's files and forgets it.
  func finish(_ id: String, folder: String, _ moves: [PendingMove]) throws(QueryError) {
    let staging = try stores.resolve(folder)
    let places = try moves.map { (move) throws(QueryError) in (try stores.resolve(move.source), try stores.resolve(move.target)) }
    let results = concurrentMap(places.count, threadCount: max(1, staging.store.parallelCalls)) { (index) throws(QueryError) -> Void in
      let (source, target) = places[index]
      do throws(QueryError) { try source.store.move(source.path, to: target.path) } catch {
        guard try !source.exists(), try target.exists() else { throw error }
      }
    }
    for result in results { try result.get() }
    var folders: Set<String> = []
    var first: [String] = []
    for (_, target) in places where folders.insert(ObjectPath.parent(target.path)).inserted { first.append(target.path) }
    try places.first?.1.store.sync(first)
    try staging.store.removeTree(staging.path)
    try catalog.end(write: id)
  }

  /// What dead processes were writing and nobody will ever see.
  func debris() throws(QueryError) -> [WriteDebris] {
    var found: [WriteDebris] = []
    for write in try catalog.pendingWrites() where !write.isCommitted {
      if ProcessIdentity(id: write.process, start: write.processStart).isAlive { continue }
      let folder = try stores.resolve(write.folder)
      var debris = WriteDebris(queryID: write.id, folder: write.folder, fileCount: 0, byteCount: 0)
      if try folder.exists() {
        for entry in try folder.store.list(folder.path, depth: .allLevels, detail: .infos, meter: ScanMeter()) {
          debris.fileCount += 1
          debris.byteCount += Int(entry.byteCount ?? 0)
        }
      }
      found.append(debris)
    }
    return found
  }

  func remove(_ debris: WriteDebris) throws(QueryError) {
    let folder = try stores.resolve(debris.folder)
    try folder.store.removeTree(folder.path)
    try catalog.end(write: debris.queryID)
  }
}

/// Files of a statement whose process was killed before it made them visible.
public struct WriteDebris: Hashable, Codable, Sendable {
  public var queryID: String
  /// The hidden folder that holds them.
  public var folder: String
  public var fileCount: Int
  public var byteCount: Int
}

extension Engine {
  /// What killed statements of this home have left in the folders of tables; no query sees it.
  ///
  /// - Throws: `HIVE_METASTORE_ERROR`, `HIVE_FILESYSTEM_ERROR`.
  public func writeDebris() throws(QueryError) -> [WriteDebris] {
    let pending = PendingWrites(catalog: try openCatalog(), stores: stores)
    try pending.settle()
    return try pending.debris()
  }

  /// Removes what `writeDebris` has found.
  public func remove(_ debris: WriteDebris) throws(QueryError) {
    try PendingWrites(catalog: try openCatalog(), stores: stores).remove(debris)
  }
}
