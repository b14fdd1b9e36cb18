import Glibc
import TableCatalog

/// The ledger: one row per statement in the home's SQLite file.
enum QueryHistory {
  /// Records a finished statement.
  static func record(
    _ statistics: QueryStatistics, sql: String, database: String, error: QueryError?, submittedAtMicros: Int64,
    in catalog: Catalog
  ) throws(QueryError) {
    try catalog.database.run(
      """
      INSERT OR REPLACE INTO queries(
        query_id, sql, database, statement_type, state, error, submitted_at, wall_ms, planning_ms, rows, bytes_scanned,
        bytes_billed, cost_usd, result_location, pid)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        .text(statistics.queryID), .text(sql), .text(database), .text(statistics.statementType),
        .text(statistics.state.rawValue), error.map { .text($0.description) } ?? .null,
        .text(timestamp(submittedAtMicros)), .double(statistics.wallMilliseconds),
        .double(statistics.planningMilliseconds), .integer(Int64(statistics.rows)),
        .integer(Int64(statistics.bytesScanned)), .integer(Int64(statistics.bytesBilled)),
        .double(statistics.dollars), statistics.resultLocation.map { .text($0) } ?? .null, .integer(Int64(getpid())),
      ])
  }

  /// ISO 8601 in UTC with milliseconds.
  private static func timestamp(_ micros: Int64) -> String {
    var seconds = time_t(micros / 1_000_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func pad(_ value: Int32, _ width: Int) -> String {
      let digits = String(value)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    return
      "\(pad(parts.tm_year + 1900, 4))-\(pad(parts.tm_mon + 1, 2))-\(pad(parts.tm_mday, 2))T\(pad(parts.tm_hour, 2)):\(pad(parts.tm_min, 2)):\(pad(parts.tm_sec, 2)).\(pad(Int32(micros / 1000 % 1000), 3))Z"
  }
}
