import Columnar
import ObjectStore
import Synchronization

/// What a format found out about JSON files whose schema is inferred, so that readers take them as inference did.
///
/// - Threads: shared by all workers.
final class JSONMemory: Sendable {
  struct File: Sendable {
    var layout: JSONLayout
    var readsValues: Bool
  }

  private struct State {
    var files: [ObjectInfo: File] = [:]
    var readsValues = false
    var origins: [String: JSONKeyOrigin] = [:]
  }

  let learned = LearnedColumns()
  private let state = Mutex(State())
  private static let maxFileCount = 4096

  /// Keeps what a file's survey found; the file's columns.
  func note(_ info: ObjectInfo, _ survey: JSONSurvey) -> [Field] {
    let origins = survey.readsValues ? [:] : survey.root.columnOrigins
    state.withLock { state in
      if state.files.count < JSONMemory.maxFileCount {
        state.files[info] = File(layout: survey.layout, readsValues: survey.readsValues)
      }
      if survey.readsValues { state.readsValues = true }
      state.origins.merge(origins) { old, _ in old }
    }
    return survey.columns
  }

  func add(_ guess: JSONTypeGuess) {
    let origins = guess.columnOrigins
    state.withLock { $0.origins.merge(origins) { old, _ in old } }
  }

  func file(_ info: ObjectInfo) -> File? { state.withLock { $0.files[info] } }
  /// Whether the files surveyed hold values other than objects.
  var readsValues: Bool { state.withLock { $0.readsValues } }
  var origins: [String: JSONKeyOrigin] { state.withLock { $0.origins } }
}
