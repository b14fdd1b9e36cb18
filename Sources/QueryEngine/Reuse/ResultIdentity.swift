import ObjectStore
import SQLExpressions
import SQLFunctions
import SQLSyntax
import Synchronization
import TableCatalog

/// What a query's result depends on, so that an equal one need not be computed again.
///
/// Two queries of one identity give the same rows: same statement (comments and blanks aside), parameters, session and definitions
/// of tables and views (`key`), and same files with same sizes and times of change (`data`).
struct ResultIdentity: Sendable {
  var key: String
  var data: String

  /// Files whose names are kept, so that it can be said which have changed; of more only their number is.
  private static let largestFileList = 100
  /// A file that changed so shortly before the statement may change again without its time of change showing it.
  private static let settledMicroseconds: Int64 = 20_000

  /// - Parameter sql: the statement with blanks and comments as `SQLFormatter` writes it.
  /// - Returns: why the result depends on more than can be told.
  static func of(_ sql: String, _ context: StatementContext) -> Result<ResultIdentity, Obstacle> {
    let log = context.relations
    if let obstacle = log.obstacle { return .failure(Obstacle(obstacle)) }
    // What reads no files costs nothing to run again.
    if log.listings.isEmpty { return .failure(Obstacle("the statement reads no files")) }
    for text in [sql] + log.queries {
      if let word = unsteadyWord(in: text) { return .failure(Obstacle("\(word) does not give the same each time")) }
    }
    var digest = Digest()
    digest.add(sql)
    for parameter in context.parameters {
      if case .map = parameter.type { return .failure(Obstacle("a parameter is a map")) }
      digest.add("\(parameter.type) \(parameter)")
    }
    let session = context.environment
    for text in [
      session.user, session.catalog, session.database, "\(session.timeZone)", "\(session.followsAthena)", context.workgroup.name,
    ] { digest.add(text) }
    for text in log.texts.sorted() { digest.add(text) }
    return data(log.listings, startMicros: session.startMicros).map { ResultIdentity(key: digest.text, data: $0) }
  }

  struct Obstacle: Error {
    var reason: String
    init(_ reason: String) { self.reason = reason }
  }

  /// Words whose value is not told by the statement and the session.
  private static let unsteady: Set<String> = [
    "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "now", "tablesample",
  ]

  /// A word of a statement or a function that it calls whose value is not told by the statement and the session.
  private static func unsteadyWord(in sql: String) -> String? {
    if let word = StatementWords.words(of: sql).first(where: unsteady.contains) { return word }
    return StatementWords.calls(in: sql).first { call in
      unsteady.contains(call.name) || FunctionRegistry.scalar(call.name)?.determinism == .volatile
    }?.name
  }

  // MARK: Files

  private static func data(_ listings: [TableListing], startMicros: Int64) -> Result<String, Obstacle> {
    var digest = Digest()
    var lines: [String] = []
    var count = 0
    var bytes: UInt64 = 0
    for listing in listings {
      for file in listing.files {
        let info = file.info
        if info.version == nil, info.modificationTime / 1000 > startMicros - settledMicroseconds {
          return .failure(Obstacle("\(info.path) has changed a moment ago"))
        }
        let line = "\(info.byteCount) \(info.modificationTime) \(info.version ?? "") \(info.path)"
        digest.add(line)
        count += 1
        bytes += info.byteCount
        if lines.count <= largestFileList { lines.append(line) }
      }
      // Files of one table are not those of another.
      digest.add("")
    }
    let list = count <= largestFileList ? lines.joined(separator: "\n") : ""
    return .success("\(digest.text) \(count) \(bytes)\n\(list)")
  }

  /// What differs between the files of two identities, in words.
  static func difference(_ old: String, _ new: String) -> String {
    func parts(_ data: String) -> (count: Int, bytes: Int, files: [String: Substring]) {
      let lines = data.split(separator: "\n")
      let head = (lines.first ?? "").split(separator: " ")
      var files: [String: Substring] = [:]
      for line in lines.dropFirst() {
        let fields = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
        if fields.count == 4 { files[String(fields[3])] = line }
      }
      return (head.count > 1 ? Int(head[1]) ?? 0 : 0, head.count > 2 ? Int(head[2]) ?? 0 : 0, files)
    }
    let (before, now) = (parts(old), parts(new))
    guard !before.files.isEmpty || before.count == 0, !now.files.isEmpty || now.count == 0 else {
      return "its files have changed: \(before.count) of \(before.bytes) bytes then, \(now.count) of \(now.bytes) bytes now"
    }
    let added = now.files.keys.filter { before.files[$0] == nil }.sorted()
    let removed = before.files.keys.filter { now.files[$0] == nil }.sorted()
    let changed = now.files.keys.filter { before.files[$0] != nil && before.files[$0] != now.files[$0] }.sorted()
    var texts: [String] = []
    for (files, words) in [(added, "new"), (changed, "changed"), (removed, "gone")] where !files.isEmpty {
      texts.append(files.count == 1 ? "\(files[0]) is \(words)" : "\(files.count) files are \(words), \(files[0]) among them")
    }
    return texts.isEmpty ? "its files have changed" : texts.joined(separator: "; ")
  }
}

/// What binding a statement looked up: definitions that its result depends on.
///
/// - Threads: any.
final class RelationLog: Sendable {
  private struct State {
    var texts: [String] = []
    var queries: [String] = []
    var listings: [TableListing] = []
    var obstacle: String?
  }
  private let state = Mutex(State())

  /// Definitions of tables and views.
  var texts: [String] { state.withLock { $0.texts } }
  /// The views' queries.
  var queries: [String] { state.withLock { $0.queries } }
  /// The files of each scan, before the optimizer found scans that need not run.
  var listings: [TableListing] { state.withLock { $0.listings } }
  /// Why the result depends on more than definitions and files.
  var obstacle: String? { state.withLock { $0.obstacle } }

  /// Binding begins anew.
  func begin() { state.withLock { $0 = State() } }

  func note(_ listings: [TableListing]) { state.withLock { $0.listings = listings } }
  func prevent(_ reason: String) { state.withLock { $0.obstacle = $0.obstacle ?? reason } }

  func note(_ view: StoredView) {
    let columns = view.columns.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
    state.withLock {
      $0.texts.append("view \(view.name) (\(columns)) in \(view.database) AS \(view.sql)")
      $0.queries.append(view.sql)
    }
  }

  /// - Parameter partitions: those the catalog has, of which only what differs from the table's counts here.
  func note(_ table: TableDefinition, _ partitions: [PartitionDefinition]) {
    func text(_ properties: [String: String]) -> String {
      properties.sorted { $0.key < $1.key }.map { "'\($0.key)' = '\($0.value)'" }.joined(separator: ", ")
    }
    func text(_ columns: [ColumnDefinition]) -> String { columns.map { "\($0.name) \($0.type)" }.joined(separator: ", ") }
    var lines = [
      "table '\(table.name)' '\(table.location)' '\(table.format)' '\(table.serde ?? "")' '\(table.inputFormat ?? "")'",
      text(table.columns), text(table.partitionColumns), text(table.serdeProperties), text(table.properties),
      "\(String(describing: table.bucketing))",
    ]
    for partition in partitions where partition.columns != nil || partition.format != nil || !partition.properties.isEmpty {
      lines.append(
        "partition '\(partition.values)' '\(partition.format ?? "")' '\(partition.serde ?? "")' \(text(partition.columns ?? [])) \(text(partition.properties))"
      )
    }
    state.withLock { $0.texts.append(lines.joined(separator: "\n")) }
  }
}

/// 128 bits that tell texts apart: FNV-1a in two lanes with different primes.
struct Digest {
  private var lanes: (UInt64, UInt64) = (0xcbf2_9ce4_8422_2325, 0x9e37_79b9_7f4a_7c15)

  /// Adds a text and its end.
  mutating func add(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      for byte in bytes { add(byte) }
    }
    add(0xff)
  }

  private mutating func add(_ byte: UInt8) {
    lanes.0 = (lanes.0 ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    lanes.1 = ((lanes.1 << 5 | lanes.1 >> 59) ^ UInt64(byte)) &* 0xff51_afd7_ed55_8ccd
  }

  var text: String { [lanes.0, lanes.1].map { String($0, radix: 16) }.joined(separator: "-") }
}
