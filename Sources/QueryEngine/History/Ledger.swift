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
    if Ledger.additions.allSatisfy({ known.contains($0.name) }) { return }
    try database.transaction { () throws(QueryError) in
      try database.run(Ledger.table)
      // Another process may have done it while this one waited.
      let known = try Ledger.columns(database)
      for column in Ledger.additions where !known.contains(column.name) {
        try database.run("ALTER TABLE queries ADD COLUMN \(column.name) \(column.type)")
      }
      try database.run("CREATE INDEX IF NOT EXISTS queries_by_time ON queries(submitted_at)")
      try database.run("CREATE INDEX IF NOT EXISTS queries_unfinished ON queries(state) WHERE \(Ledger.isUnfinished)")
    }
  }

  private static let table = """
    CREATE TABLE IF NOT EXISTS queries(
      query_id TEXT PRIMARY KEY, sql TEXT NOT NULL, database TEXT, statement_type TEXT, state TEXT NOT NULL,
      error TEXT, submitted_at TEXT NOT NULL, wall_ms REAL, planning_ms REAL, rows INTEGER, bytes_scanned INTEGER,
      bytes_billed INTEGER, cost_usd REAL, result_location TEXT, pid INTEGER)
    """

  /// Columns that the first version of the table did not have.
  private static let additions: [(name: String, type: String)] = [
    ("substatement_type", "TEXT"), ("error_code", "TEXT"), ("process_start", "INTEGER"), ("submitted_us", "INTEGER"),
    ("metadata_bytes", "INTEGER"), ("bytes_total", "INTEGER"), ("peak_memory_bytes", "INTEGER"),
    ("rows_written", "INTEGER"), ("bytes_written", "INTEGER"), ("files_written", "INTEGER"),
    ("output_folder", "TEXT"),
  ]

  private static func columns(_ database: SQLiteDatabase) throws(QueryError) -> Set<String> {
    Set(try database.run("SELECT name FROM pragma_table_info('queries')").compactMap { $0.first?.text })
  }

  // MARK: Writing

  /// Notes that a statement has begun.
  ///
  /// - Parameter outputFolder: the folder of its result, when it is none of the home.
  func begin(_ record: QueryRecord, outputFolder: String?) throws(QueryError) {
    if database.isReadOnly { return }
    let process = ProcessIdentity.current
    try database.run(
      """
      INSERT INTO queries(query_id, sql, database, state, submitted_at, submitted_us, pid, process_start,
        output_folder)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        .text(record.id), .text(record.sql), .text(record.database), .text(record.state.rawValue),
        .text(Ledger.timestamp(record.submittedAtMicros)), .integer(record.submittedAtMicros), .integer(process.id),
        .integer(process.start), outputFolder.map { .text($0) } ?? .null,
      ])
  }

  /// Notes how a statement ended.
  func end(_ record: QueryRecord) throws(QueryError) {
    if database.isReadOnly { return }
    let figures = record.statistics
    let process = ProcessIdentity.current
    let values: [SQLiteDatabase.Value] = [
      .text(record.id), .text(record.sql), .text(record.database), .text(figures.statementType),
      figures.substatementType.map { .text($0) } ?? .null, .text(record.state.rawValue),
      record.errorText.map { .text($0) } ?? .null, record.errorCode.map { .text($0) } ?? .null,
      .text(Ledger.timestamp(record.submittedAtMicros)), .integer(record.submittedAtMicros),
      .double(figures.wallMilliseconds), .double(figures.planningMilliseconds), .integer(Int64(figures.rows)),
      .integer(Int64(figures.bytesScanned)), .integer(Int64(figures.bytesBilled)), .double(figures.dollars),
      figures.resultLocation.map { .text($0) } ?? .null, .integer(process.id), .integer(process.start),
      .integer(Int64(figures.metadataBytes)), .integer(Int64(figures.bytesTotal)),
      .integer(Int64(figures.peakMemoryBytes)), .integer(Int64(figures.rowsWritten)),
      .integer(Int64(figures.bytesWritten)), .integer(Int64(figures.filesWritten)),
    ]
    try database.run(
      """
      INSERT OR REPLACE INTO queries(
        query_id, sql, database, statement_type, substatement_type, state, error, error_code, submitted_at, submitted_us,
        wall_ms, planning_ms, rows, bytes_scanned, bytes_billed, cost_usd, result_location, pid, process_start,
        metadata_bytes, bytes_total, peak_memory_bytes, rows_written, bytes_written, files_written)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """, values)
  }

  // MARK: Reading

  private static let selection = selection(also: "")

  private static func selection(also columns: String) -> String {
    """
    SELECT query_id, sql, database, state, error, error_code, submitted_us, submitted_at, statement_type,
      substatement_type, wall_ms, planning_ms, rows, bytes_scanned, bytes_billed, cost_usd, result_location, pid,
      process_start, metadata_bytes, bytes_total, peak_memory_bytes, rows_written, bytes_written, files_written\(columns)
    FROM queries
    """
  }

  func record(_ id: String) throws(QueryError) -> QueryRecord? {
    guard let row = try database.run(Ledger.selection + " WHERE query_id = ?", [.text(id)]).first else { return nil }
    return try record(of: row)
  }

  /// The latest first.
  func records(_ filter: QueryHistory.Filter) throws(QueryError) -> [QueryRecord] {
    // Statements of processes that have died are found and mended first, so that states are right to filter by.
    for row in try unfinishedRows() { _ = try record(of: row) }
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

  /// Rows of `selection`, then `output_folder`.
  func unfinishedRows() throws(QueryError) -> [[SQLiteDatabase.Value]] {
    try database.run(Ledger.selection(also: ", output_folder") + " WHERE " + Ledger.isUnfinished)
  }

  func record(of row: [SQLiteDatabase.Value]) throws(QueryError) -> QueryRecord {
    func integer(_ index: Int) -> Int { Int(clamping: row[index].integer ?? 0) }
    var figures = QueryStatistics()
    figures.type = row[8].text.flatMap(StatementType.init)
    figures.substatementType = row[9].text
    figures.wallMilliseconds = row[10].double ?? 0
    figures.planningMilliseconds = row[11].double ?? 0
    figures.rows = integer(12)
    figures.bytesScanned = integer(13)
    figures.bytesBilled = integer(14)
    figures.dollars = row[15].double ?? 0
    figures.resultLocation = row[16].text
    figures.metadataBytes = integer(19)
    figures.bytesTotal = integer(20)
    figures.peakMemoryBytes = integer(21)
    figures.rowsWritten = integer(22)
    figures.bytesWritten = integer(23)
    figures.filesWritten = integer(24)
    var record = QueryRecord(
      id: row[0].text ?? "", sql: row[1].text ?? "", database: row[2].text ?? "",
      state: row[3].text.flatMap(QueryState.init) ?? .failed,
      submittedAtMicros: row[6].integer ?? Ledger.micros(row[7].text ?? ""), statistics: figures)
    record.errorText = row[4].text
    record.errorCode = row[5].text ?? record.errorText?.split(separator: ":").first.map(String.init)
    if !record.state.isFinal, let process = row[17].integer,
      !ProcessIdentity(id: process, start: row[18].integer ?? 0).isAlive
    {
      try fail(&record, process)
    }
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
