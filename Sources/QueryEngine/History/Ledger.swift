import Columnar
import QueryErrors
import TableCatalog

/// The ledger: one row per statement in the home's SQLite file, made when the statement begins and filled in at its end.
///
/// - Threads: any.
struct Ledger: Sendable {
  let database: SQLiteDatabase

  /// Statements that run, or whose process has died.
  private static let isUnfinished = "state IN ('QUEUED', 'RUNNING')"

  /// Makes or completes the table where it is not what it has to be.
  init(_ database: SQLiteDatabase) throws(QueryError) {
    self.database = database
    if database.isReadOnly { return }
    let known = try Ledger.columns(database)
    if LedgerColumn.all.allSatisfy({ known.contains($0.name) }) { return }
    try database.transaction { () throws(QueryError) in
      try database.run(
        "CREATE TABLE IF NOT EXISTS queries(query_id TEXT PRIMARY KEY, sql TEXT NOT NULL, state TEXT NOT NULL, submitted_at TEXT NOT NULL)")
      // Another process may have done it while this one waited.
      let known = try Ledger.columns(database)
      for column in LedgerColumn.all where !known.contains(column.name) {
        try database.run("ALTER TABLE queries ADD COLUMN \(column.name) \(column.type)")
      }
      try database.run("CREATE INDEX IF NOT EXISTS queries_by_time ON queries(submitted_at)")
      try database.run("CREATE INDEX IF NOT EXISTS queries_unfinished ON queries(state) WHERE \(Ledger.isUnfinished)")
      try database.run("CREATE INDEX IF NOT EXISTS queries_by_reuse ON queries(reuse_key) WHERE reuse_key IS NOT NULL")
    }
  }

  private static func columns(_ database: SQLiteDatabase) throws(QueryError) -> Set<String> {
    Set(try database.run("SELECT name FROM pragma_table_info('queries')").compactMap { $0.first?.text })
  }

  // MARK: Writing

  /// Notes that a statement has begun.
  func begin(_ record: QueryRecord) throws(QueryError) {
    try write(record, LedgerColumn.begun, Ledger.beginning)
  }

  /// Notes how a statement ended.
  func end(_ record: QueryRecord) throws(QueryError) {
    try write(record, LedgerColumn.all, Ledger.ending)
  }

  private static let beginning = insertion(of: LedgerColumn.begun)
  private static let ending = insertion(of: LedgerColumn.all)

  private static func insertion(of columns: [LedgerColumn]) -> String {
    let places = columns.map { _ in "?" }.joined(separator: ", ")
    return "INSERT OR REPLACE INTO queries(\(columns.map(\.name).joined(separator: ", "))) VALUES (\(places))"
  }

  private func write(_ record: QueryRecord, _ columns: [LedgerColumn], _ insertion: String) throws(QueryError) {
    if !database.isReadOnly { try database.run(insertion, columns.map { $0.write(record) }) }
  }

  // MARK: Reading

  private static let selection = "SELECT \(LedgerColumn.all.map(\.name).joined(separator: ", ")) FROM queries"

  func record(_ id: String) throws(QueryError) -> QueryRecord? {
    guard let row = try database.run(Ledger.selection + " WHERE query_id = ?", [.text(id)]).first else { return nil }
    return try record(of: row)
  }

  /// The latest first.
  func records(_ filter: QueryHistory.Filter) throws(QueryError) -> [QueryRecord] {
    // Statements of processes that have died are found and mended first, so that states are right to filter by.
    _ = try unfinishedRecords()
    var conditions: [String] = []
    var values: [SQLiteDatabase.Value] = []
    if filter.states.count < QueryState.allCases.count {
      conditions.append("state IN (" + filter.states.map { "'\($0.rawValue)'" }.joined(separator: ", ") + ")")
    }
    if let database = filter.database {
      conditions.append("database = ?")
      values.append(.text(database.lowercased()))
    }
    if let before = filter.before {
      conditions.append("(submitted_at, rowid) < (SELECT submitted_at, rowid FROM queries WHERE query_id = ?)")
      values.append(.text(before))
    }
    let condition = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
    values.append(.integer(Int64(max(0, filter.limit))))
    var found: [QueryRecord] = []
    for row in try database.run(
      Ledger.selection + condition + " ORDER BY submitted_at DESC, rowid DESC LIMIT ?", values)
    { found.append(try record(of: row)) }
    return found
  }

  /// Statements whose results may answer one of that identity, the latest first.
  func reusable(key: String) throws(QueryError) -> [QueryRecord] {
    let condition = "reuse_key = ? AND state = 'SUCCEEDED' ORDER BY submitted_at DESC, rowid DESC LIMIT 20"
    var found: [QueryRecord] = []
    for row in try database.run(Ledger.selection + " WHERE " + condition, [.text(key)]) { found.append(try record(of: row)) }
    return found
  }

  /// A few of the statements whose ids begin with a text.
  func records(beginningWith text: String) throws(QueryError) -> [QueryRecord] {
    let escaped = text.filter { $0.isHexDigit || $0 == "-" }
    if escaped != text { return [] }
    var found: [QueryRecord] = []
    for row in try database.run(Ledger.selection + " WHERE query_id LIKE ? LIMIT 3", [.text(text + "%")]) {
      found.append(try record(of: row))
    }
    return found
  }

  /// Statements that run; those whose process has died are mended and among them.
  func unfinishedRecords() throws(QueryError) -> [QueryRecord] {
    var found: [QueryRecord] = []
    for row in try database.run(Ledger.selection + " WHERE " + Ledger.isUnfinished) { found.append(try record(of: row)) }
    return found
  }

  private func record(of row: [SQLiteDatabase.Value]) throws(QueryError) -> QueryRecord {
    var record = QueryRecord(id: "", sql: "", database: "", state: .failed, submittedAtMicros: 0)
    for (column, value) in zip(LedgerColumn.all, row) { column.read(&record, value) }
    record.errorCode = record.errorCode ?? record.errorText?.split(separator: ":").first.map(String.init)
    record.statistics.queryID = record.id
    if !record.state.isFinal, let process = record.process, !process.isAlive { try fail(&record, process.id) }
    record.endedAtMicros =
      record.state.isFinal ? record.submittedAtMicros + Int64(record.statistics.wallMilliseconds * 1000) : nil
    return record
  }

  /// A statement whose process has died.
  private func fail(_ record: inout QueryRecord, _ process: Int64) throws(QueryError) {
    let error = QueryError(.internalError, "The process \(process) that ran the query has ended without finishing it")
    record.state = .failed
    record.statistics.state = .failed
    record.errorText = error.description
    record.errorCode = error.code.rawValue
    if database.isReadOnly { return }
    try database.run(
      "UPDATE queries SET state = ?, error = ?, error_code = ? WHERE query_id = ? AND state IN ('QUEUED', 'RUNNING')",
      [.text(record.state.rawValue), .text(error.description), .text(error.code.rawValue), .text(record.id)])
  }

  // MARK: Spending

  /// Every statement since a time, the oldest first.
  func forEachRecord(since: Int64, workgroup: String?, _ body: (QueryRecord) -> Void) throws(QueryError) {
    var condition = " WHERE submitted_at >= ?"
    var values: [SQLiteDatabase.Value] = [.text(Ledger.timestamp(since))]
    if let workgroup {
      condition += " AND coalesce(workgroup, 'primary') = ?"
      values.append(.text(workgroup))
    }
    for row in try database.run(Ledger.selection + condition + " ORDER BY submitted_at, rowid", values) { body(try record(of: row)) }
  }

  /// What statements of a scope cost since a time.
  ///
  /// - Parameter since: microseconds since 1970-01-01 UTC.
  func dollars(_ scope: Budget.Scope, since: Int64) throws(QueryError) -> Double {
    var condition = "submitted_at >= ?"
    var values: [SQLiteDatabase.Value] = [.text(Ledger.timestamp(since))]
    switch scope {
    case .home: break
    case .workgroup(let name):
      condition += " AND coalesce(workgroup, 'primary') = ?"
      values.append(.text(name))
    case .tag(let key, let value):
      condition += " AND tags IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(tags) tag WHERE tag.key = ? AND tag.value = ?)"
      values += [.text(key), .text(value)]
    }
    return try database.run("SELECT total(cost_usd) FROM queries WHERE \(condition)", values).first?.first?.double ?? 0
  }

  // MARK: Times

  /// ISO 8601 in UTC with milliseconds.
  static func timestamp(_ micros: Int64) -> String {
    let day = CalendarDate.floorDivide(micros, 86_400_000_000)
    let (year, month, date) = CalendarDate.civil(Int(day))
    let millis = (micros - day * 86_400_000_000) / 1000
    func pad(_ value: Int, _ width: Int) -> String {
      let digits = String(value)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let seconds = Int(millis / 1000)
    return "\(pad(year, 4))-\(pad(month, 2))-\(pad(date, 2))T\(pad(seconds / 3600, 2)):\(pad(seconds / 60 % 60, 2))"
      + ":\(pad(seconds % 60, 2)).\(pad(Int(millis % 1000), 3))Z"
  }

  /// What `timestamp` wrote; 0 for anything else.
  static func micros(_ text: String) -> Int64 {
    let parts = text.split(whereSeparator: { "-T:.Z".contains($0) }).compactMap { Int($0) }
    guard parts.count == 7 else { return 0 }
    let day = CalendarDate.days(year: parts[0], month: parts[1], day: parts[2])
    let seconds = (day * 24 + parts[3]) * 3600 + parts[4] * 60 + parts[5]
    return Int64(seconds) * 1_000_000 + Int64(parts[6]) * 1000
  }
}
