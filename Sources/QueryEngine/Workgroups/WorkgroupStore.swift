import TableCatalog

/// Workgroups, named queries, prepared statements and budgets in the home's SQLite file, beside catalog and ledger.
///
/// - Threads: any; several processes may share the file.
struct WorkgroupStore: Sendable {
  private let database: SQLiteDatabase

  /// Makes the tables where they are missing.
  init(_ database: SQLiteDatabase) throws(QueryError) {
    self.database = database
    if database.isReadOnly { return }
    guard try !hasTables() else { return }
    try database.transaction { () throws(QueryError) in
      if try hasTables() { return }
      for statement in WorkgroupStore.schema { try database.run(statement) }
      // Statements that were prepared before there were workgroups.
      if try !database.run("SELECT 1 FROM sqlite_master WHERE name = 'prepared_statements'").isEmpty {
        try database.run(
          "INSERT INTO workgroup_statements(workgroup, key, name, sql, modified_us) SELECT 'primary', name, name, sql, 0 FROM prepared_statements")
      }
    }
  }

  private func hasTables() throws(QueryError) -> Bool {
    try !database.run("SELECT 1 FROM sqlite_master WHERE name = 'workgroups'").isEmpty
  }

  private static let schema = [
    """
    CREATE TABLE workgroups(
      name TEXT PRIMARY KEY, description TEXT, is_enabled INTEGER NOT NULL, output_location TEXT,
      is_enforced INTEGER NOT NULL, bytes_scanned_cutoff INTEGER, service_details TEXT, created_us INTEGER NOT NULL)
    """,
    """
    CREATE TABLE workgroup_values(
      workgroup TEXT NOT NULL REFERENCES workgroups(name) ON DELETE CASCADE, kind TEXT NOT NULL, key TEXT NOT NULL,
      value TEXT NOT NULL, PRIMARY KEY(workgroup, kind, key))
    """,
    """
    CREATE TABLE named_queries(
      id TEXT PRIMARY KEY, workgroup TEXT NOT NULL, name TEXT NOT NULL, description TEXT, database TEXT NOT NULL,
      sql TEXT NOT NULL, created_us INTEGER NOT NULL)
    """,
    """
    CREATE TABLE workgroup_statements(
      workgroup TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, sql TEXT NOT NULL, description TEXT,
      modified_us INTEGER NOT NULL, PRIMARY KEY(workgroup, key))
    """,
    """
    CREATE TABLE budgets(
      scope TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, period TEXT NOT NULL, dollars REAL NOT NULL,
      stops INTEGER NOT NULL, PRIMARY KEY(scope, key, value, period))
    """,
  ]

  /// Whether a read-only home has the tables at all.
  private var isEmpty: Bool { get throws(QueryError) { database.isReadOnly ? try !hasTables() : false } }

  // MARK: Workgroups

  private static let columns =
    "name, description, is_enabled, output_location, is_enforced, bytes_scanned_cutoff, service_details, created_us"

  func workgroups() throws(QueryError) -> [Workgroup] {
    if try isEmpty { return [] }
    var found: [Workgroup] = []
    for row in try database.run("SELECT \(WorkgroupStore.columns) FROM workgroups ORDER BY name") { found.append(try workgroup(of: row)) }
    return found
  }

  func workgroup(_ name: String) throws(QueryError) -> Workgroup? {
    if try isEmpty { return nil }
    let rows = try database.run("SELECT \(WorkgroupStore.columns) FROM workgroups WHERE name = ?", [.text(name)])
    return try rows.first.map { (row) throws(QueryError) in try workgroup(of: row) }
  }

  private func workgroup(of row: [SQLiteDatabase.Value]) throws(QueryError) -> Workgroup {
    var group = Workgroup(row[0].text ?? "")
    group.description = row[1].text
    group.isEnabled = row[2].integer == 1
    group.outputLocation = row[3].text
    group.isEnforced = row[4].integer == 1
    group.bytesScannedCutoff = row[5].integer.map { Int(clamping: $0) }
    group.serviceDetails = row[6].text
    group.createdAtMicros = row[7].integer ?? 0
    for value in try database.run("SELECT kind, key, value FROM workgroup_values WHERE workgroup = ?", [.text(group.name)]) {
      let (key, text) = (value[1].text ?? "", value[2].text ?? "")
      if value[0].text == "tag" { group.tags[key] = text } else { group.engineSettings[key] = text }
    }
    return group
  }

  /// Reads, changes and saves in one step, so that no other process's change is lost.
  func transaction<T>(_ body: () throws(QueryError) -> T) throws(QueryError) -> T { try database.transaction(body) }

  func save(_ group: Workgroup) throws(QueryError) {
    try database.transaction { () throws(QueryError) in
      try database.run(
        """
        INSERT INTO workgroups(\(WorkgroupStore.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT(name) DO UPDATE SET description = excluded.description, is_enabled = excluded.is_enabled,
          output_location = excluded.output_location, is_enforced = excluded.is_enforced,
          bytes_scanned_cutoff = excluded.bytes_scanned_cutoff, service_details = excluded.service_details
        """,
        [
          .text(group.name), text(group.description), flag(group.isEnabled), text(group.outputLocation), flag(group.isEnforced),
          group.bytesScannedCutoff.map { .integer(Int64($0)) } ?? .null, text(group.serviceDetails), .integer(group.createdAtMicros),
        ])
      try database.run("DELETE FROM workgroup_values WHERE workgroup = ?", [.text(group.name)])
      for (kind, values) in [("tag", group.tags), ("setting", group.engineSettings)] {
        for (key, value) in values {
          try database.run(
            "INSERT INTO workgroup_values(workgroup, kind, key, value) VALUES (?, ?, ?, ?)",
            [.text(group.name), .text(kind), .text(key), .text(value)])
        }
      }
    }
  }

  /// Removes a workgroup with its named queries, prepared statements and budgets.
  func delete(workgroup name: String) throws(QueryError) {
    try database.transaction { () throws(QueryError) in
      for statement in [
        "DELETE FROM named_queries WHERE workgroup = ?", "DELETE FROM workgroup_statements WHERE workgroup = ?",
        "DELETE FROM budgets WHERE scope = 'workgroup' AND key = ?", "DELETE FROM workgroups WHERE name = ?",
      ] { try database.run(statement, [.text(name)]) }
    }
  }

  // MARK: Named queries

  private static let namedColumns = "id, workgroup, name, description, database, sql, created_us"

  func namedQueries(in workgroup: String) throws(QueryError) -> [NamedQuery] {
    if try isEmpty { return [] }
    return try database.run(
      "SELECT \(WorkgroupStore.namedColumns) FROM named_queries WHERE workgroup = ? ORDER BY name, id", [.text(workgroup)]
    ).map(WorkgroupStore.namedQuery)
  }

  func namedQuery(_ id: String) throws(QueryError) -> NamedQuery? {
    if try isEmpty { return nil }
    return try database.run("SELECT \(WorkgroupStore.namedColumns) FROM named_queries WHERE id = ?", [.text(id)])
      .first.map(WorkgroupStore.namedQuery)
  }

  private static func namedQuery(_ row: [SQLiteDatabase.Value]) -> NamedQuery {
    var query = NamedQuery(
      row[2].text ?? "", sql: row[5].text ?? "", database: row[4].text ?? "", workgroup: row[1].text ?? "", description: row[3].text)
    query.id = row[0].text ?? ""
    query.createdAtMicros = row[6].integer ?? 0
    return query
  }

  func save(_ query: NamedQuery) throws(QueryError) {
    try database.run(
      "INSERT OR REPLACE INTO named_queries(\(WorkgroupStore.namedColumns)) VALUES (?, ?, ?, ?, ?, ?, ?)",
      [
        .text(query.id), .text(query.workgroup), .text(query.name), text(query.description), .text(query.database), .text(query.sql),
        .integer(query.createdAtMicros),
      ])
  }

  func deleteNamedQuery(_ id: String) throws(QueryError) {
    try database.run("DELETE FROM named_queries WHERE id = ?", [.text(id)])
  }

  // MARK: Prepared statements

  func statements(in workgroup: String) throws(QueryError) -> [WorkgroupStatement] {
    if try isEmpty { return [] }
    return try database.run(
      "SELECT name, sql, description, modified_us FROM workgroup_statements WHERE workgroup = ? ORDER BY key", [.text(workgroup)]
    ).map(WorkgroupStore.statement)
  }

  func statement(_ name: String, in workgroup: String) throws(QueryError) -> WorkgroupStatement? {
    if try isEmpty { return nil }
    return try database.run(
      "SELECT name, sql, description, modified_us FROM workgroup_statements WHERE workgroup = ? AND key = ?",
      [.text(workgroup), .text(name.lowercased())]
    ).first.map(WorkgroupStore.statement)
  }

  private static func statement(_ row: [SQLiteDatabase.Value]) -> WorkgroupStatement {
    var statement = WorkgroupStatement(row[0].text ?? "", sql: row[1].text ?? "", description: row[2].text)
    statement.modifiedAtMicros = row[3].integer ?? 0
    return statement
  }

  func save(_ statement: WorkgroupStatement, in workgroup: String) throws(QueryError) {
    try database.run(
      "INSERT OR REPLACE INTO workgroup_statements(workgroup, key, name, sql, description, modified_us) VALUES (?, ?, ?, ?, ?, ?)",
      [
        .text(workgroup), .text(statement.name.lowercased()), .text(statement.name), .text(statement.sql),
        text(statement.description), .integer(statement.modifiedAtMicros),
      ])
  }

  func deleteStatement(_ name: String, in workgroup: String) throws(QueryError) {
    try database.run(
      "DELETE FROM workgroup_statements WHERE workgroup = ? AND key = ?", [.text(workgroup), .text(name.lowercased())])
  }

  // MARK: Budgets

  func budgets() throws(QueryError) -> [Budget] {
    if try isEmpty { return [] }
    return try database.run("SELECT scope, key, value, period, dollars, stops FROM budgets ORDER BY scope, key, value, period").map { row in
      let key = row[1].text ?? ""
      let scope: Budget.Scope =
        switch row[0].text {
        case "workgroup": .workgroup(key)
        case "tag": .tag(key: key, value: row[2].text ?? "")
        default: .home
        }
      return Budget(
        scope, per: row[3].text.flatMap(Budget.Period.init) ?? .day, dollars: row[4].double ?? 0, stops: row[5].integer == 1)
    }
  }

  func save(_ budget: Budget) throws(QueryError) {
    try database.run(
      "INSERT OR REPLACE INTO budgets(scope, key, value, period, dollars, stops) VALUES (?, ?, ?, ?, ?, ?)",
      WorkgroupStore.key(budget.scope, budget.period) + [.double(budget.dollars), flag(budget.stops)])
  }

  func delete(budget scope: Budget.Scope, _ period: Budget.Period) throws(QueryError) {
    try database.run(
      "DELETE FROM budgets WHERE scope = ? AND key = ? AND value = ? AND period = ?", WorkgroupStore.key(scope, period))
  }

  private static func key(_ scope: Budget.Scope, _ period: Budget.Period) -> [SQLiteDatabase.Value] {
    switch scope {
    case .home: [.text("home"), .text(""), .text(""), .text(period.rawValue)]
    case .workgroup(let name): [.text("workgroup"), .text(name), .text(""), .text(period.rawValue)]
    case .tag(let key, let value): [.text("tag"), .text(key), .text(value), .text(period.rawValue)]
    }
  }

  private func text(_ value: String?) -> SQLiteDatabase.Value { value.map { .text($0) } ?? .null }
  private func flag(_ value: Bool) -> SQLiteDatabase.Value { .integer(value ? 1 : 0) }
}
