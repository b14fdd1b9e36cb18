/// What the harness and an engine's process say to each other: one JSON object a line, a reply to every request.
///
/// The first request is an `OpenRequest`; all others are `StatementRequest`s. `drivers.py` speaks it for the peers,
/// `EngineServer` for sqlq.

/// A file format that the suites' tables come in.
enum TableFormat: String, Codable, Sendable, CaseIterable { case parquet, csv, json }

/// A column's name and its type in SQL.
struct DeclaredColumn: Codable, Sendable {
  var name: String
  var type: String
}

/// A table of a suite: a file, or a folder of files.
struct TableSource: Codable, Sendable {
  var name: String
  /// Absolute.
  var path: String
  var format: TableFormat
  var isFolder: Bool
  /// Keys of `key=value` folders, outermost first.
  var partitionKeys: [String]
  /// Types given to every engine, where the format has none of its own; nil: engines find them out.
  var columns: [DeclaredColumn]?
}

struct OpenRequest: Codable, Sendable {
  var tables: [TableSource]
  var threads: Int
}

struct OpenReply: Codable, Sendable {
  var version: String?
  var error: String?
  /// Whether the error is that the engine is not installed.
  var isMissing: Bool?
}

struct StatementRequest: Codable, Sendable {
  var sql: String
  /// Whether the reply holds the rows.
  var wantsRows: Bool
}

struct StatementReply: Codable, Sendable {
  /// Until all rows were in the engine's memory.
  var milliseconds: Double?
  var error: String?
  var rowCount: Int?
  /// Values as `AnswerValue` reads them; nil is NULL.
  var rows: [[String?]]?
  /// sqlq only.
  var counters: ScanCounters?
}

/// What sqlq read for a statement.
struct ScanCounters: Codable, Sendable {
  var bytesScanned: Int
  var metadataBytes: Int
  var filesRead: Int
  var filesTotal: Int
  var rowGroupsRead: Int
  var rowGroupsTotal: Int
}
