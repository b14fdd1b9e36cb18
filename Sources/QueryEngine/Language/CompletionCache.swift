import Glibc
import ObjectStore
import QueryErrors
import Synchronization
import TableCatalog

/// Columns of paths in FROM, looked at on threads of their own: sampling files takes longer than a user who types waits.
///
/// - Threads: any.
final class CompletionCache: Sendable {
  struct Column: Sendable {
    var name: String
    var type: DataType?
    var isPartition: Bool
  }

  private struct Entry {
    var columns: [Column]?
    /// When it was asked for, in nanoseconds.
    var time: Int
  }

  private let entries = Mutex<[String: Entry]>([:])

  /// Files may have changed since.
  private static let lifetimeNanoseconds = 30_000_000_000
  private static let entryLimit = 100

  /// Begins to look at a path, unless that was done a short while ago.
  func prepare(_ path: String, _ session: Session) {
    let now = StatementClock.now(CLOCK_MONOTONIC)
    let isAsked = entries.withLock { entries -> Bool in
      if let entry = entries[path], now - entry.time < CompletionCache.lifetimeNanoseconds { return false }
      if entries.count >= CompletionCache.entryLimit { entries.removeAll() }
      entries[path] = Entry(columns: entries[path]?.columns, time: now)
      return true
    }
    guard isAsked else { return }
    StatementThread.run { [self] in
      let found = CompletionCache.look(path, session)
      entries.withLock { $0[path]?.columns = found }
    }
  }

  /// The columns of a path, when they are known before the deadline; else none, and the next time they are.
  func columns(of path: String, _ session: Session, _ deadline: CompletionDeadline) -> [Column] {
    prepare(path, session)
    while true {
      if let known = entries.withLock({ $0[path]?.columns }) { return known }
      if deadline.isPassed { return [] }
      usleep(200)
    }
  }

  private static func look(_ path: String, _ session: Session) -> [Column] {
    let meter = ScanMeter()
    let paths = PathRelations(session.engine.stores.metered(by: meter), meter: meter)
    guard let table = try? paths.table(path) else { return [] }
    return table.columns.fields.map { Column(name: $0.name, type: $0.type, isPartition: false) }
      + table.partitionColumns.fields.map { Column(name: $0.name, type: $0.type, isPartition: true) }
  }
}
