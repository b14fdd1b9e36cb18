import FileFormats
import QueryErrors
import TableCatalog

/// Rows that could not be read and were collected: the table `"t$rejects"` beside each table and path.
///
/// The rows of the last statement that met bad ones in a table are kept, in the home's file.
struct RejectedRows {
  let engine: Engine

  private static let suffix = "$rejects"

  static let schema = Schema([
    Field("file", .text), Field("row", .bigint), Field("byte", .bigint), Field("column", .text), Field("value", .text),
    Field("error", .text), Field("record", .text), Field("query_id", .text),
  ])

  /// The relation that a name means the rejected rows of; nil for other names.
  static func relation(_ name: String) -> String? {
    name.hasSuffix(suffix) && name.count > suffix.count ? String(name.dropLast(suffix.count)) : nil
  }

  private func database() throws(QueryError) -> SQLiteDatabase {
    let database = try engine.openCatalog().database
    if !database.isReadOnly {
      try database.run(
        """
        CREATE TABLE IF NOT EXISTS rejects(database TEXT NOT NULL, relation TEXT NOT NULL, file TEXT, "row" INTEGER,
          byte INTEGER, "column" TEXT, value TEXT, error TEXT, record TEXT, query_id TEXT)
        """)
      try database.run("CREATE INDEX IF NOT EXISTS rejects_by_relation ON rejects(database, relation)")
    }
    return database
  }

  func save(_ rows: [BadRows.Row], queryID: String) throws(QueryError) {
    if rows.isEmpty { return }
    let database = try database()
    if database.isReadOnly { return }
    func text(_ value: String?) -> SQLiteDatabase.Value { value.map { .text($0) } ?? .null }
    func number(_ value: Int?) -> SQLiteDatabase.Value { value.map { .integer(Int64($0)) } ?? .null }
    try database.transaction { () throws(QueryError) in
      for key in Set(rows.map { [$0.database, $0.relation] }) {
        try database.run("DELETE FROM rejects WHERE database = ? AND relation = ?", [.text(key[0]), .text(key[1])])
      }
      for row in rows {
        let place = row.place
        try database.run(
          "INSERT INTO rejects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          [
            .text(row.database), .text(row.relation), .text(place.path), number(place.row), number(place.byteOffset),
            text(place.column), text(place.value), .text(row.message), text(place.excerpt?.text), .text(queryID),
          ])
      }
    }
  }

  /// The rows of a table of the catalog, or of a path; names in FROM have lost their letters' case.
  func rows(of relation: String, in database: String) throws(QueryError) -> [[Scalar]] {
    let file = try self.database()
    if file.isReadOnly, try file.run("SELECT 1 FROM sqlite_master WHERE name = 'rejects'").isEmpty { return [] }
    let found = try file.run(
      """
      SELECT file, "row", byte, "column", value, error, record, query_id FROM rejects
      WHERE database = ? AND lower(relation) = ? ORDER BY rowid
      """, [.text(database), .text(relation.lowercased())])
    return found.map { row in
      row.map { value in
        switch value {
        case .integer(let number): .integer(number)
        case .text(let text): .string(text)
        default: .null
        }
      }
    }
  }
}
