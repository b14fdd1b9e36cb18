package import QueryErrors

/// A statement's files on their way into their places.
///
/// Files are written into a hidden folder beside those of the table. The step that makes them the table's is one transaction of the
/// catalog: it notes where each file goes, together with the tables and partitions that come with them. Moving them is done after
/// that, by the statement or, when its process was killed meanwhile, by the next one that looks.
///
///     writing     the folder is debris once the process is gone
///     committed   files are moved; whoever finds this finishes it
package struct PendingWrite: Hashable, Sendable {
  /// The query's id.
  package var id: String
  /// The folder that holds nothing but the statement's files.
  package var folder: String
  /// The process that writes, and when it was started.
  package var process: Int64
  package var processStart: Int64
  /// Microseconds since 1970-01-01 UTC.
  package var begunAtMicros: Int64
  package var isCommitted = false

  package init(id: String, folder: String, process: Int64, processStart: Int64, begunAtMicros: Int64) {
    self.id = id
    self.folder = folder
    self.process = process
    self.processStart = processStart
    self.begunAtMicros = begunAtMicros
  }
}

/// Where one file goes; both are full locations.
package struct PendingMove: Hashable, Sendable {
  package var source: String
  package var target: String

  package init(source: String, target: String) {
    self.source = source
    self.target = target
  }
}

extension Catalog {
  static let writeSchema = [
    """
    CREATE TABLE IF NOT EXISTS writes(
      id TEXT PRIMARY KEY, folder TEXT NOT NULL, process INTEGER NOT NULL, process_start INTEGER NOT NULL,
      begun_at INTEGER NOT NULL, is_committed INTEGER NOT NULL DEFAULT 0)
    """,
    """
    CREATE TABLE IF NOT EXISTS write_moves(
      write TEXT NOT NULL REFERENCES writes(id) ON DELETE CASCADE, ordinal INTEGER NOT NULL, source TEXT NOT NULL,
      target TEXT NOT NULL, PRIMARY KEY(write, ordinal))
    """,
    "CREATE TABLE IF NOT EXISTS write_count(count INTEGER NOT NULL)",
    "INSERT INTO write_count(count) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM write_count)",
  ]

  /// Notes a statement before its folder is made.
  package func begin(_ write: PendingWrite) throws(QueryError) {
    try database.run(
      "INSERT INTO writes(id, folder, process, process_start, begun_at) VALUES (?, ?, ?, ?, ?)",
      [
        .text(write.id), .text(write.folder), .integer(write.process), .integer(write.processStart),
        .integer(write.begunAtMicros),
      ])
  }

  /// Makes files part of their tables: from here on they are moved, whatever happens.
  ///
  /// - Parameter changes: what else takes effect with them; tells where the files go.
  /// - Returns: the moves.
  package func commit(
    write id: String, _ changes: () throws(QueryError) -> [PendingMove]
  ) throws(QueryError) -> [PendingMove] {
    // The log is synced for this one: files must not be moved by what the disk does not know of.
    try database.run("PRAGMA synchronous=FULL")
    defer { _ = try? database.run("PRAGMA synchronous=NORMAL") }
    return try database.transaction { () throws(QueryError) in
      let moves = try changes()
      for (ordinal, move) in moves.enumerated() {
        try database.run(
          "INSERT INTO write_moves(write, ordinal, source, target) VALUES (?, ?, ?, ?)",
          [.text(id), .integer(Int64(ordinal)), .text(move.source), .text(move.target)])
      }
      try database.run("UPDATE writes SET is_committed = 1 WHERE id = ?", [.text(id)])
      try database.run("UPDATE write_count SET count = count + 1")
      return moves
    }
  }

  /// Forgets a write that is done, or given up.
  package func end(write id: String) throws(QueryError) { try database.run("DELETE FROM writes WHERE id = ?", [.text(id)]) }

  /// The writes that have not ended, oldest first.
  package func pendingWrites() throws(QueryError) -> [PendingWrite] {
    try database.run("SELECT id, folder, process, process_start, begun_at, is_committed FROM writes ORDER BY begun_at, id").map { row in
      var write = PendingWrite(
        id: row[0].text ?? "", folder: row[1].text ?? "", process: row[2].integer ?? 0, processStart: row[3].integer ?? 0,
        begunAtMicros: row[4].integer ?? 0)
      write.isCommitted = row[5].integer == 1
      return write
    }
  }

  package func moves(of id: String) throws(QueryError) -> [PendingMove] {
    try database.run("SELECT source, target FROM write_moves WHERE write = ? ORDER BY ordinal", [.text(id)]).map {
      PendingMove(source: $0[0].text ?? "", target: $0[1].text ?? "")
    }
  }

  /// How many writes were committed so far, and whether files of some still have to be moved: what a reader compares before and
  /// after it lists files.
  package func writeState() throws(QueryError) -> (count: Int64, isSettled: Bool) {
    // A home that cannot be written has no statements that write.
    if database.isReadOnly { return (0, true) }
    let row = try database.run("SELECT count, EXISTS(SELECT 1 FROM writes WHERE is_committed = 1) FROM write_count").first
    return (row?[0].integer ?? 0, row?[1].integer != 1)
  }
}
