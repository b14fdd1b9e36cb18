import Glibc
import QueryErrors
import Synchronization

/// The files this process is writing beside their final place, and the folders that hold nothing but such files.
package enum LocalTemporaryFiles {
  private static let paths = Mutex<Set<String>>([])
  private static let folders = Mutex<Set<String>>([])

  static func add(_ path: String) { paths.withLock { _ = $0.insert(path) } }
  static func remove(_ path: String) { paths.withLock { _ = $0.remove(path) } }

  package static func add(folder: String) { folders.withLock { _ = $0.insert(folder) } }
  package static func remove(folder: String) { folders.withLock { _ = $0.remove(folder) } }

  /// Removes them all: for a process that ends without waiting for the threads that write them.
  package static func removeAll() {
    paths.withLock { paths in
      for path in paths { unlink(path) }
      paths = []
    }
    folders.withLock { folders in
      for folder in folders { _ = try? LocalObjectStore().removeTree(folder) }
      folders = []
    }
  }
}
