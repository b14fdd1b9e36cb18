import Glibc
import ObjectStore

/// A file that `QueryHistory.clean` finds.
public struct Leftover: Hashable, Codable, Sendable {
  public enum Kind: String, Codable, Sendable {
    /// A file that a process which was killed had not finished.
    case unfinished
    /// A result of a statement that is old.
    case result
  }

  public var path: String
  public var kind: Kind
  public var bytes: Int
}

extension QueryHistory {
  /// What killed processes have left in the folders of results, and results of old statements.
  ///
  /// - Parameters:
  ///   - olderThan: seconds since a statement began from which on its result counts as old; nil for none.
  ///   - removing: whether what is found is removed; the ledger keeps its statements.
  public func clean(olderThan: Double? = nil, removing: Bool) throws(QueryError) -> [Leftover] {
    var folders: Set<String> = []
    if let home = try engine.homeFolder() { folders.formUnion([home, ObjectPath.join(home, "results")]) }
    var results: [String] = []
    let now = StatementClock().startMicros
    try engine.openLedger()?.forEachRecord(since: 0, workgroup: nil) { record in
      guard let place = record.statistics.resultLocation else { return }
      folders.insert(ObjectPath.parent(place))
      if let olderThan, record.state.isFinal, record.submittedAtMicros < now - Int64(min(olderThan, 1e10) * 1e6) { results.append(place) }
    }
    var found: [Leftover] = []
    for folder in folders.sorted() {
      let location = try engine.stores.resolve(folder)
      guard try location.exists() else { continue }
      for entry in try location.store.list(location.path, depth: .oneLevel, detail: .infos, meter: ScanMeter()) {
        guard !entry.isDirectory, QueryHistory.isLeft(entry.name) else { continue }
        found.append(Leftover(path: location.appending(entry.name).description, kind: .unfinished, bytes: Int(clamping: entry.byteCount ?? 0)))
      }
    }
    for place in Set(results).sorted() {
      let stem = place.hasSuffix(".csv") || place.hasSuffix(".txt") ? String(place.dropLast(4)) : place
      for path in [place, place + ".metadata", stem + ".parquet"] {
        guard let entry = try engine.stores.resolve(path).entry() else { continue }
        found.append(Leftover(path: path, kind: .result, bytes: Int(clamping: entry.byteCount ?? 0)))
      }
    }
    if removing {
      for item in found {
        let location = try engine.stores.resolve(item.path)
        try location.store.remove(location.path)
      }
    }
    return found
  }

  /// Whether a name is that of an unfinished file, `._<name>.<process>.<number>.tmp`, whose process has ended.
  private static func isLeft(_ name: String) -> Bool {
    guard name.hasPrefix("._"), name.hasSuffix(".tmp") else { return false }
    let parts = name.split(separator: ".")
    guard parts.count >= 4, let process = Int32(parts[parts.count - 3]), Int(parts[parts.count - 2]) != nil else { return false }
    return kill(process, 0) != 0 && errno == ESRCH
  }
}
