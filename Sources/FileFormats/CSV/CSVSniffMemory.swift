import ObjectStore
import Synchronization

/// What a format found out about files whose schema is inferred, so that all files of a table are read alike.
///
/// - Threads: shared by all workers.
final class CSVSniffMemory: Sendable {
  private struct State {
    var byFile: [ObjectInfo: CSVSniffer.Outcome] = [:]
    var typical: CSVSniffer.Outcome?
    /// Whether some files have a header and others not.
    var isMixed = false
    var notes: [String] = []
  }

  let learned = LearnedColumns()

  private let state = Mutex(State())
  private static let maxFileCount = 4096

  /// Keeps what the inference of a file's schema found.
  func note(_ info: ObjectInfo, _ outcome: CSVSniffer.Outcome) {
    state.withLock { state in
      if state.byFile.count < CSVSniffMemory.maxFileCount { state.byFile[info] = outcome }
      state.notes += outcome.notes
      if outcome.names.isEmpty { return }
      if let typical = state.typical {
        if typical.hasHeader != outcome.hasHeader { state.isMixed = true }
      } else {
        state.typical = outcome
      }
    }
  }

  /// What the user should know of the files; each note once.
  func takeNotes() -> [String] {
    state.withLock { state in
      let notes = state.notes
      state.notes = []
      return notes
    }
  }

  /// What was found about exactly this file.
  func outcome(_ info: ObjectInfo) -> CSVSniffer.Outcome? { state.withLock { $0.byFile[info] } }

  /// What was found about the table's first file, unless its files differ in whether they have a header.
  var typical: CSVSniffer.Outcome? { state.withLock { $0.isMixed ? nil : $0.typical } }
}
