import ObjectStore
import QueryErrors
import Synchronization

/// What lies below a folder, each folder listed once, when it is first asked for: finding out the partition keys and
/// listing the files of a statement share the calls.
final class FolderTree: Sendable {
  private let walker: DirectoryWalker
  private let known = Mutex<[String: [ObjectEntry]]>([:])

  init(_ walker: DirectoryWalker) { self.walker = walker }

  /// The entries of several folders, given by key path (`""` is the root), hidden ones left out.
  func list(_ keyPaths: [String]) throws(QueryError) -> [[ObjectEntry]] {
    let missing = known.withLock { known in keyPaths.filter { known[$0] == nil } }
    if !missing.isEmpty {
      let listed = try walker.list(missing, detail: .infos)
      known.withLock { known in
        for (keyPath, entries) in zip(missing, listed) { known[keyPath] = entries.filter { !$0.isHidden } }
      }
    }
    return known.withLock { known in keyPaths.map { known[$0] ?? [] } }
  }

  /// A file with its place.
  func listed(_ keyPath: String, _ entry: ObjectEntry) -> ListedObject { walker.listed(keyPath, entry) }
}
