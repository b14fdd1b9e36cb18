import Columnar
import ObjectStore
import Synchronization

/// What readers of files without a declared schema met that no sample had shown, until it is asked for.
///
/// - Threads: shared by all workers.
final class LearnedColumns: Sendable {
  private struct State {
    var untold: [(file: ObjectInfo, columns: [Field])] = []
    /// How often each file failed.
    var failures: [ObjectInfo: Int] = [:]
  }

  private let state = Mutex(State())
  /// A file widens so often at most: once by a value, once by all its values, and where workers meet others meanwhile.
  private static let largestFailureCount = 32

  /// Notes what a file needs; whether the statement may begin anew.
  ///
  /// - Parameter columns: told whether the file fails for the first time.
  func note(_ file: ObjectInfo, _ columns: (_ isFirst: Bool) -> [Field]) -> Bool {
    let count = state.withLock { state in
      let count = state.failures[file, default: 0] + 1
      state.failures[file] = count
      return count
    }
    guard count <= LearnedColumns.largestFailureCount else { return false }
    let found = columns(count == 1)
    state.withLock { $0.untold.append((file, found)) }
    return true
  }

  func take() -> [(file: ObjectInfo, columns: [Field])] {
    state.withLock { state in
      let result = state.untold
      state.untold = []
      return result
    }
  }
}
