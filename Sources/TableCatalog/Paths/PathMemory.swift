import Columnar
import ObjectStore
import Synchronization

/// What statements learned the hard way about the files below a path in FROM: which of them have columns or types that
/// samples did not show, so that the next statement looks at them first.
///
/// A file counts as long as it is what it was; a statement never believes more than it sees again.
///
/// - Threads: shared by all.
final class PathMemory: Sendable {
  static let shared = PathMemory()

  struct Witnesses {
    /// Files to look at, and types that values deep inside them need.
    var files: [ObjectInfo: [Field]] = [:]
    /// Key paths of partition folders.
    var folders: Set<String> = []
  }

  private let paths = Mutex<[String: Witnesses]>([:])
  private static let largestPathCount = 256
  private static let largestWitnessCount = 256

  func witnesses(of location: String) -> Witnesses { paths.withLock { $0[location] ?? Witnesses() } }

  func note(_ file: ObjectInfo, _ fields: [Field], of location: String) {
    change(location) { witnesses in
      if witnesses.files.count >= PathMemory.largestWitnessCount { return }
      var known = witnesses.files[file] ?? []
      for field in fields {
        known.removeAll { $0.name.lowercased() == field.name.lowercased() }
        known.append(field)
      }
      witnesses.files[file] = known
    }
  }

  func note(folder keyPath: String, of location: String) {
    change(location) { witnesses in
      if witnesses.folders.count < PathMemory.largestWitnessCount { witnesses.folders.insert(keyPath) }
    }
  }

  private func change(_ location: String, _ body: (inout Witnesses) -> Void) {
    paths.withLock { paths in
      if paths[location] == nil, paths.count >= PathMemory.largestPathCount { paths.removeAll() }
      body(&paths[location, default: Witnesses()])
    }
  }
}
